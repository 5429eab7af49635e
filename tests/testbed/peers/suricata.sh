#!/usr/bin/env bash
# Suricata 8 as a peer to compare with: a root folder made from Debian packages, outside the clone.
#
#   suricata.sh make          make the root folder (nothing happens when it is there already)
#   suricata.sh run ARGS...   run it; relative paths count from the current folder, absolute ones need /host before them
#   suricata.sh root          print the folder
#   suricata.sh remove        remove the folder
#
# Suricata 8.0.8 is in Debian 13's backports and in no older suite, so it gets a Debian 13 of its own and runs by chroot.

set -euo pipefail

me=suricata.sh
version=8.0.8
root=${VIGIE_CACHE:-$HOME/.cache/vigie}/suricata
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$(dirname "$(readlink -f "$0")")/debian.sh"

make_root() {
    if is_made; then
        say "already there: $root"
        return
    fi
    need_root 'to unpack packages with their owners'
    say "making $root from $suite and $suite-backports (about 300 MiB, a minute or two)"
    # shellcheck disable=SC2016 # $1 is mmdebstrap's, the new root
    # libelf from backports too: the stable one conflicts with what Suricata's eBPF library wants.
    unpack_root \
        --customize-hook="chroot \"\$1\" apt-get install -y --no-install-recommends \
            -t $suite-backports suricata libelf1t64 >/dev/null" \
        --customize-hook='mkdir -p "$1/host"' \
        --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*'
    chroot "$root.half" suricata -V | grep -q "version $version " ||
        die "the packages hold another version: $(chroot "$root.half" suricata -V)"
    keep_root
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
remove) remove_root ;;
*) die "unknown word '$1': make, run, root or remove" ;;
esac
