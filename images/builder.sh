#!/usr/bin/env bash
# What images are made with: mmdebstrap, systemd-repart, ukify and their like, in a root folder of its own made from
# Debian packages, outside the clone. This machine's Debian may be older or none of ours.
#
#   builder.sh make                 make the root folder (nothing happens when it is there already)
#   builder.sh run FOLDER ARGS...   run a program of it, with FOLDER at /w, which is also the current folder
#   builder.sh ready                print the folder when it can be used here, or say why not
#   builder.sh remove               remove the folder
#
# No loop device and no KVM: root and a mount namespace are all it takes.

set -euo pipefail

me=builder.sh
version=1
root=${VIGIE_CACHE:-$HOME/.cache/vigie}/builder
# shellcheck source-path=SCRIPTDIR source=../tests/testbed/peers/debian.sh
. "$(dirname "$(readlink -f "$0")")/../tests/testbed/peers/debian.sh"

# Trees and partitions; kernel images and their signatures; firmware for booting what was made, and its variables;
# converters to judge ours by.
packages="mount mmdebstrap systemd-repart systemd-ukify systemd-boot-efi erofs-utils dosfstools mtools e2fsprogs
    cryptsetup-bin grub-pc-bin grub-common sbsigntool fdisk kmod cpio zstd xz-utils pigz python3-pefile binutils
    openssl gpg gpg-agent gpgv ovmf python3-virt-firmware faketime"

# Where security updates come from: this machine's own entry, or the mirror's neighbour.
security_mirror() { # mirror
    local found
    # shellcheck disable=SC2016 # apt's own variables
    found=$(apt-get indextargets --format '$(CREATED_BY)|$(LABEL)|$(COMPONENT)|$(REPO_URI)' 2>/dev/null |
        awk -F'|' '$1 == "Packages" && $2 == "Debian-Security" && $3 == "main" && !found { found = $4 }
            END { print found }')
    printf '%s\n' "${found:-${1%/}-security}"
}

make_root() {
    if is_made; then
        say "already there: $root"
        return
    fi
    need_root 'to unpack packages with their owners'
    say "making $root from $suite (about 1 GiB, one or two minutes)"
    local from security
    from=$(mirror)
    security=$(security_mirror "$from")
    # shellcheck disable=SC2016 # $1 is mmdebstrap's, the new root
    unpack_root --skip=cleanup/apt/lists \
        --setup-hook='mkdir -p "$1/etc/apt/sources.list.d"' \
        --customize-hook="printf 'deb %s $suite-updates main\ndeb %s $suite-security main\n' '$from' '$security' \
            >\"\$1/etc/apt/sources.list.d/updates.list\"; chroot \"\$1\" apt-get update >/dev/null" \
        --customize-hook="chroot \"\$1\" apt-get install -y --no-install-recommends $(echo $packages) >/dev/null" \
        --customize-hook="chroot \"\$1\" apt-get install -y --no-install-recommends \
            -t $suite-backports qemu-utils >/dev/null" \
        --customize-hook='mkdir -p "$1/w" "$1/.old"'
    rm -rf -- "$root.half"/var/cache/apt/*.bin "$root.half"/var/cache/apt/archives/*.deb
    keep_root
    say "made: $(chroot "$root" systemd-repart --version | head -n 1), $(chroot "$root" mmdebstrap --version)"
}

ready() {
    need_root 'for a mount namespace'
    is_made || die "$(cat "$root.why" 2>/dev/null || echo "the builder is not there: $0 make")"
    printf '%s\n' "$root"
}

# The folder becomes the real root of a namespace of its own, since tools that mount want no chroot. What it mounts goes
# with it. It dies with its caller.
run() {
    ready >/dev/null
    # shellcheck disable=SC2016 # expanded by the inner shell
    exec setpriv --pdeathsig KILL unshare --mount --propagation private bash -euc '
        root=$1 folder=$2; shift 2
        mount --bind "$root" "$root"
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --rbind /dev "$root/dev"
        mount --rbind "$folder" "$root/w"
        cd "$root"
        pivot_root . .old
        cd /w
        umount -l /.old
        exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
            ${SOURCE_DATE_EPOCH:+SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH} "$@"
    ' _ "$root" "$folder_of_run" "$@"
}

case ${1:-make} in
make) make_root ;;
run)
    folder_of_run=$(readlink -f "$2")
    shift 2
    run "$@"
    ;;
ready) ready ;;
remove) remove_root ;;
*) die "unknown word '$1': make, run, ready or remove" ;;
esac
