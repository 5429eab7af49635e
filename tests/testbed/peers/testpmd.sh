#!/usr/bin/env bash
# DPDK's testpmd as a vhost-user front end, from this machine's own Debian packages.
#
#   testpmd.sh make           install it with apt (nothing happens when it is there already)
#   testpmd.sh ready          say why it cannot run, or nothing; ends with 0 when it can
#
# Needs root for apt. Packages end in the number of DPDK's interface, which differs between releases of Debian.

set -euo pipefail

me=testpmd.sh
plugins=(librte-net-virtio librte-bus-vdev librte-mempool-ring)

die() { printf '%s: %s\n' "$me" "$*" >&2; exit 1; }

# The newest package of that name and a number.
numbered() {
    apt-cache pkgnames "$1" 2>/dev/null | grep -xE "$1[0-9]+" | sort -V | tail -n 1
}

has_plugin() {
    local file=${1//-/_}
    compgen -G "/usr/lib/*/dpdk/pmds-*/$file.so*" >/dev/null
}

ready() {
    command -v dpdk-testpmd >/dev/null || die "dpdk-testpmd is not installed: $0 make"
    local plugin
    for plugin in "${plugins[@]}"; do
        has_plugin "$plugin" || die "$plugin is not installed: $0 make"
    done
}

make_it() {
    (ready) 2>/dev/null && return
    [ "$(id -u)" -eq 0 ] || die 'needs root to install packages: run it again as root'
    command -v apt-get >/dev/null || die 'this machine has no apt'
    local plugin package packages=(dpdk-dev)
    for plugin in "${plugins[@]}"; do
        package=$(numbered "$plugin")
        [ -n "$package" ] || die "apt knows no $plugin: run 'apt-get update'"
        packages+=("$package")
    done
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null ||
        die "apt could not install ${packages[*]}"
    ready
}

case ${1:-} in
make) make_it ;;
ready) ready ;;

*) die 'make or ready' ;;
esac
