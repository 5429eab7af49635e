# A Debian 13 of its own for programs that this machine's Debian does not have. Sourced by the scripts beside it, which
# set `root` (the folder to be made), `me` (what they are called) and `version` (its mark) first. Why a folder could not
# be made is kept beside it, for whoever asks later.
#
# The mirror, its proxies and its keys are those of this machine's apt. Needs root, mmdebstrap and a Debian machine.
# shellcheck shell=bash disable=SC2154

suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { say "$*"; exit 1; }

# A failure of making, as the last word of the attempt.
fail() {
    printf '%s\n' "$*" 2>/dev/null >"$root.why" || true
    die "$*"
}

need_root() {
    [ "$(id -u)" -eq 0 ] || die "needs root ($1): run it again as root"
}

# Where this machine's apt gets Debian's own main component from.
mirror() {
    command -v apt-get >/dev/null || fail 'this machine has no apt to get packages with'
    local found
    # shellcheck disable=SC2016 # apt's own variables
    found=$(apt-get indextargets --format '$(CREATED_BY)|$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)' 2>/dev/null |
        awk -F'|' '$1 == "Packages" && $2 == "Debian" && $3 == "Debian" && $4 == "main" && !found { found = $5 }
            END { print found }')
    [ -n "$found" ] || fail "apt knows no Debian mirror here: configure one and run 'apt-get update'"
    printf '%s\n' "$found"
}

# The proxies of this machine's apt, as options for the new root's apt.
proxies() {
    apt-config dump 2>/dev/null | grep -iE '^Acquire::https?::proxy' || true
}

is_made() {
    [ -e "$root/.made-$version" ]
}

# A root folder with backports among its sources; arguments are mmdebstrap's, hooks above all.
unpack_root() {
    local from options=()
    mkdir -p -- "$(dirname "$root")"
    if ! command -v mmdebstrap >/dev/null; then
        say 'installing mmdebstrap with apt (root)'
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mmdebstrap >/dev/null ||
            fail 'mmdebstrap is not to be had'
    fi
    from=$(mirror)
    while read -r line; do
        [ -n "$line" ] && options+=(--aptopt="$line")
    done < <(proxies)
    rm -rf -- "$root.half"
    mmdebstrap --quiet --mode=root --variant=apt --keyring="$keyring" "${options[@]}" \
        --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$@" "$suite" "$root.half" \
        "deb $from $suite main" "deb $from $suite-backports main" >/dev/null ||
        fail "mmdebstrap could not make $root.half from $from"
}

# Puts what was made in place; until then nobody sees it.
keep_root() {
    touch "$root.half/.made-$version"
    rm -rf -- "$root" "$root.why"
    mv -- "$root.half" "$root"
}

remove_root() {
    need_root 'its files belong to root'
    rm -rf -- "$root" "$root.half" "$root.why"
}
