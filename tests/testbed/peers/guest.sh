#!/usr/bin/env bash
# Machines to try drivers in: QEMU, two Debian kernels and DPDK, in a root folder made from Debian packages, outside the
# clone.
#
#   guest.sh make                 make the root folder (nothing happens when it is there already)
#   guest.sh run FOLDER ARGS...   run a program of it, with FOLDER at /machine, which is also the current folder
#   guest.sh ready                print the folder when it can be used here, or say why not
#   guest.sh remove               remove the folder
#
# A device in another process (vfio-user-pci) needs QEMU 10.1, which Debian 13 has in its backports. Under /kernels lie
# `stable` and `backports`: vmlinuz, modules uncompressed, and for each module named below a file with its dependencies
# in the order in which they go in.

set -euo pipefail

me=guest.sh
version=1
root=${VIGIE_CACHE:-$HOME/.cache/vigie}/guest
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$(dirname "$(readlink -f "$0")")/debian.sh"

# Programs: the machine; what boots in it; what its images are made with. libelf-dev from backports as well, since apt
# finds a conflict between the two releases of libelf otherwise.
packages="qemu-system-x86 busybox-static ethtool dpdk-dev librte-net-iavf25 librte-mempool-ring25 libelf-dev kmod xz-utils"
# Modules that guests insert.
modules="iavf vfio-pci vfio_iommu_type1"

# Packages of a kernel, without those that would make it bootable here.
kernel_packages() { # half suite
    chroot "$1" apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
        --no-enhances --target-release "$2" linux-image-amd64 | grep -E '^linux-(image|binary|modules)-[0-9]' | sort -u
}

# Unpacks a kernel into /kernels/NAME of the new root.
unpack_kernel() { # half name suite
    local half=$1 name=$2 packages
    packages=$(kernel_packages "$half" "$3")
    [ -n "$packages" ] || die "no kernel in $3"
    mkdir -p -- "$half/kernels/$name" "$half/unpack"
    # shellcheck disable=SC2086,SC2016 # words; the inner shell's variables
    chroot "$half" sh -euc '
        release=$1 name=$2 wanted=$3; shift 3
        cd /unpack
        apt-get -qq -o APT::Sandbox::User=root --target-release "$release" download "$@"
        for package in *.deb; do dpkg-deb -x "$package" tree; done
        [ -d tree/lib ] || ln -s usr/lib tree/lib
        cd "/kernels/$name"
        find /unpack/tree -type f -name "vmlinuz*" -exec cp {} vmlinuz \;
        kernel=$(ls /unpack/tree/lib/modules)
        echo "$kernel" >release
        depmod -b /unpack/tree "$kernel" 2>/dev/null # which only misses lists of what is built in
        for module in $wanted; do
            modprobe -d /unpack/tree -S "$kernel" --show-depends "$module" >needs
            sed -n "s/^insmod \([^ ]*\).*/\1/p" needs | while read -r file; do
                plain=$(basename "$file" .xz)
                [ -e "$plain" ] || case $file in
                    *.xz) xz -dc "$file" >"$plain" ;;
                    *) cp "$file" "$plain" ;;
                esac
                echo "$plain"
            done | awk "!seen[\$0]++" >"$module.order"
        done
        rm -f needs
        rm -rf /unpack
    ' sh "$3" "$name" "$modules" $packages
}

make_root() {
    if is_made; then
        say "already there: $root"
        return
    fi
    need_root 'to unpack packages with their owners'
    say "making $root from $suite and $suite-backports (about 550 MiB, one or two minutes)"
    # shellcheck disable=SC2016 # $1 is mmdebstrap's, the new root
    unpack_root --skip=cleanup/apt/lists \
        --customize-hook="chroot \"\$1\" apt-get install -y --no-install-recommends \
            -t $suite-backports $packages >/dev/null" \
        --customize-hook='mkdir -p "$1/machine"'
    unpack_kernel "$root.half" stable "$suite"
    unpack_kernel "$root.half" backports "$suite-backports"
    rm -rf -- "$root.half"/var/lib/apt/lists/* "$root.half"/var/cache/apt/*
    keep_root
    say "made: $(chroot "$root" qemu-system-x86_64 --version | head -n 1), Linux $(cat "$root"/kernels/*/release | paste -sd ' ')"
}

ready() {
    need_root 'for chroot and private mounts'
    is_made || die "$(cat "$root.why" 2>/dev/null || echo "QEMU and its kernels are not there: $0 make")"
    printf '%s\n' "$root"
}

# The mounts live in a namespace of this process alone and go with it; each step replaces the one before (exec), so that
# the process which the caller started, and ends, is the program itself. It dies with its caller.
run() {
    ready >/dev/null
    # shellcheck disable=SC2016 # expanded by the inner shells
    exec unshare --mount --propagation private sh -euc '
        root=$1 folder=$2; shift 2
        mount --bind "$folder" "$root/machine"
        mount -t proc proc "$root/proc"
        mount -t sysfs -o ro sysfs "$root/sys"
        mount --bind /dev "$root/dev"
        exec setpriv --pdeathsig KILL chroot "$root" sh -euc '\''cd /machine; exec "$@"'\'' sh "$@"
    ' sh "$root" "$@"
}

case ${1:-make} in
make) make_root ;;
run) shift; run "$@" ;;
ready) ready ;;
remove) remove_root ;;
*) die "unknown word '$1': make, run, ready or remove" ;;
esac
