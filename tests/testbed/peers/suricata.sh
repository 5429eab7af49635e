#!/usr/bin/env bash
# Suricata 8 as a peer to compare with: a root folder made from Debian packages, outside the clone.
#
#   suricata.sh make          make the root folder (nothing happens when it is there already)
#   suricata.sh run ARGS...   run it; relative paths count from the current folder, absolute ones need /host before them
#   suricata.sh root          print the folder
#   suricata.sh remove        remove the folder
#
# Suricata 8.0.8 is in Debian 13's backports and in no older suite, so it gets a Debian 13 of its own and runs by chroot.
# The mirror, its proxies and its keys are those of this machine's apt. Needs root, mmdebstrap and a Debian machine.

set -euo pipefail

version=8.0.8
suite=trixie
root=${VIGIE_CACHE:-$HOME/.cache/vigie}/suricata
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf 'suricata.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

need_root() {
    [ "$(id -u)" -eq 0 ] || die "needs root ($1): run it again as root"
}

# Where this machine's apt gets Debian's own main component from.
mirror() {
    local found
    # shellcheck disable=SC2016 # apt's own variables
    found=$(apt-get indextargets --format '$(CREATED_BY)|$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)' 2>/dev/null |
        awk -F'|' '$1 == "Packages" && $2 == "Debian" && $3 == "Debian" && $4 == "main" { print $5; exit }')
    [ -n "$found" ] || die "apt knows no Debian mirror here: configure one and run 'apt-get update'"
    printf '%s\n' "$found"
}

# The proxies of this machine's apt, as options for the new root's apt.
proxies() {
    apt-config dump 2>/dev/null | grep -iE '^Acquire::https?::proxy' || true
}

is_made() {
    [ -e "$root/.made-$version" ]
}

make_root() {
    if is_made; then
        say "already there: $root"
        return
    fi
    need_root 'to unpack packages with their owners'
    if ! command -v mmdebstrap >/dev/null; then
        say 'installing mmdebstrap with apt (root)'
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mmdebstrap >/dev/null
    fi
    local from options=() half="$root.half"
    from=$(mirror)
    while read -r line; do
        [ -n "$line" ] && options+=(--aptopt="$line")
    done < <(proxies)

    say "making $root from $suite and $suite-backports (about 300 MiB, a minute or two)"
    rm -rf -- "$half"
    mkdir -p -- "$(dirname "$root")"
    # shellcheck disable=SC2016 # $1 is mmdebstrap's, the new root
    # libelf from backports too: the stable one conflicts with what Suricata's eBPF library wants.
    mmdebstrap --quiet --mode=root --variant=apt --keyring="$keyring" "${options[@]}" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook="chroot \"\$1\" apt-get install -y --no-install-recommends \
            -t $suite-backports suricata libelf1t64 >/dev/null" \
        --customize-hook='mkdir -p "$1/host"' \
        --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' \
        "$suite" "$half" \
        "deb $from $suite main" "deb $from $suite-backports main" >/dev/null

    chroot "$half" suricata -V | grep -q "version $version " ||
        die "the packages hold another version: $(chroot "$half" suricata -V)"
    touch "$half/.made-$version"
    rm -rf -- "$root"
    mv -- "$half" "$root"
    say "made: $(chroot "$root" suricata -V)"
    say "run it:  $0 run -r x.pcap --runmode single -k none -l out"
}

# The mounts live in a namespace of this process alone and go with it; each step replaces the one before (exec), so
# that the process which the caller measures is Suricata itself.
run() {
    is_made || die "not made yet: $0 make"
    need_root 'for chroot and a private mount namespace'
    # shellcheck disable=SC2016 # expanded by the inner shells
    exec unshare --mount --propagation private sh -euc '
        root=$1; shift
        mount --bind / "$root/host"
        for at in /tmp /var/tmp "$PWD"; do
            if mountpoint -q "$at" 2>/dev/null; then mount --bind "$at" "$root/host$at"; fi
        done
        mount -t proc proc "$root/proc"
        mount --bind /dev "$root/dev"
        exec chroot "$root" sh -euc '\''cd "/host$0"; exec suricata "$@"'\'' "$PWD" "$@"
    ' sh "$root" "$@"
}

case ${1:-make} in
make) make_root ;;
run) shift; run "$@" ;;
root) printf '%s\n' "$root" ;;
remove)
    need_root 'its files belong to root'
    rm -rf -- "$root" "$root.half"
    ;;
*) die "unknown word '$1': make, run, root or remove" ;;
esac
