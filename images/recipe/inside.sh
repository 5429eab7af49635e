#!/usr/bin/env bash
# The recipe itself. Runs in the builder (`builder.sh run`), where /w is the folder of images in VIGIE_CACHE.
#
#   inside.sh lock NAME FLAVOUR               write NAME/out/lock from what the mirror has
#   inside.sh image NAME FLAVOUR VERSION      fetch, unpack, seal and pack NAME/out/disk.raw
#   inside.sh repack NAME FLAVOUR VERSION     pack it from the packages of the flavour's last build, as they lie
#   inside.sh customize TREE                  called by mmdebstrap on the way

set -euo pipefail

die() { printf 'image: %s\n' "$*" >&2; exit 1; }

here=$(dirname "$(readlink -f "$0")")
for part in packages tree check disk update; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

# What every step works on.
places() { # name flavour version
    build=/w/$1 flavour=$2 image_version=$3
    source=$build/in lock=$build/in/images/lock/$flavour
    scratch=$build/scratch packed=$build/packages tree=$build/tree disk=$build/out/disk.raw
    mkdir -p "$scratch" "$build/out"
    export build flavour image_version
}

step() { # name command...
    local name=$1 began=$SECONDS
    shift
    "$@"
    printf '  %-10s %3d s\n' "$name" $((SECONDS - began))
}

image() {
    step packages fetch
    make_repository "$build/repository"
    step tree make_tree
    finish
}

repack() {
    local from=/w/$flavour
    packed=$from/packages
    if [ "$from" != "$build" ]; then
        cp "$from"/{linux,initrd,kernel,kernel-config} "$build/"
    fi
    finish
}

# From packages in place to what is handed out.
finish() {
    rm -rf "$tree"
    cp -a "$packed" "$tree"
    lay_over "$tree"
    name_version
    seal "$tree"
    step check check_tree
    step bill make_bill
    step disk make_disk
    [ -e "$build/in/only-update" ] || step formats make_formats
    [ ! -e "$build/in/with-update" ] || step update make_update
}

# What each platform imports, read back and compared with the disk; and what their marketplaces demand of it.
make_formats() {
    local tool=$build/in/image-tool name=$build/out/vigie-$flavour kind
    declare -A kinds=([onprem]='vmdk ova' [aws]=vmdk [gcp]=tar.gz [azure]=vhd)
    qemu-img convert -c -O qcow2 -o compression_type=zstd "$disk" "$name.qcow2"
    for kind in ${kinds[$flavour]}; do
        case $kind in
        ova) "$tool" ova "$disk" "$name.ova" --vmdk "$name.vmdk" --name "vigie-$flavour" --image-version "$image_version" ;;
        tar.gz) "$tool" gcp "$disk" "$name.tar.gz" ;;
        *) "$tool" "$kind" "$disk" "$name.$kind" ;;
        esac
        "$tool" verify "$name.$kind" --raw "$disk" >>"$build/out/verified"
    done
    case $flavour in
    onprem) "$tool" check --root "$tree" --disk "$disk" --platform vmware ;;
    # packages/azure says why
    azure) "$tool" check --root "$tree" --disk "$disk" --platform azure --but azure-agent ;;
    *) "$tool" check --root "$tree" --disk "$disk" --platform "$flavour" ;;
    esac >"$build/out/checked" || { cat "$build/out/checked" >&2; die 'not as its platform demands'; }
}

make_bill() {
    cp "$build/kernel-config" "$build/out/"
    # shellcheck disable=SC2016 # a format
    dpkg-query --admindir="$tree/usr/lib/sysimage/dpkg" \
        -W -f '${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n' |
        LC_ALL=C sort >"$build/out/packages"
    python3 "$source/images/recipe/sbom.py" "$build/out/packages" "$lock" "$build/in/crates.json" "$tree" "vigie-$flavour" \
        "$image_version" "$SOURCE_DATE_EPOCH" "$build/out/sbom.cdx.json" "$build/out/licences"
}

word=$1
shift
case $word in
customize) ;;
*)
    places "$1" "$2" "${3:-}"
    SOURCE_DATE_EPOCH=$(sed -n 's/^#epoch //p' "$lock" 2>/dev/null) || true
    export SOURCE_DATE_EPOCH
    ;;
esac
case $word in
lock) write_lock "$build/out/lock" ;;
image) image ;;
repack) repack ;;
customize)
    places "${build##*/}" "$flavour" "$image_version"
    customize "$1"
    ;;
*) die "unknown word '$word'" ;;
esac
