#!/usr/bin/env bash
# The recipe itself. Runs in the builder (`builder.sh run`), where /w is the folder of images in VIGIE_CACHE.
#
#   inside.sh lock FLAVOUR             write FLAVOUR/out/lock from what the mirror has
#   inside.sh image FLAVOUR VERSION    fetch, unpack, seal and pack FLAVOUR/out/disk.raw
#   inside.sh customize TREE           called by mmdebstrap on the way

set -euo pipefail

die() { printf 'image: %s\n' "$*" >&2; exit 1; }

here=$(dirname "$(readlink -f "$0")")
for part in packages tree disk update; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

# What every step works on.
places() { # flavour version
    flavour=$1 image_version=$2
    build=/w/$flavour source=/w/$flavour/in lock=/w/$flavour/in/images/lock/$flavour
    scratch=$build/scratch tree=$build/tree disk=$build/out/disk.raw
    mkdir -p "$scratch"
    export flavour image_version
}

step() { # name command...
    local name=$1 began=$SECONDS
    shift
    "$@"
    printf '  %-10s %3d s\n' "$name" $((SECONDS - began))
}

image() {
    SOURCE_DATE_EPOCH=$(sed -n 's/^#epoch //p' "$lock")
    export SOURCE_DATE_EPOCH
    mkdir -p "$build/out"
    step packages fetch
    make_repository "$build/repository"
    step tree make_tree
    step disk make_disk
    [ ! -e "$build/in/with-update" ] || step update make_update
}

case $1 in
lock)
    places "$2" 0
    write_lock "$build/out/lock"
    ;;
image)
    places "$2" "$3"
    image
    ;;
customize)
    places "$flavour" "$image_version"
    customize "$2"
    ;;
*) die "unknown word '$1'" ;;
esac
