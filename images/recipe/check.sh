# What must not be in a root that thousands of machines share, and what must. Sourced by `inside.sh`; a build fails over it.
# shellcheck shell=bash disable=SC2154

# Modules without which a machine of some hypervisor would not capture, or not start.
needed="iavf i40e ice igb ixgbevf ena gve mana mlx5_core vmxnet3 virtio_net virtio_blk virtio_scsi nvme vmw_pvscsi hv_storvsc
    hv_netvsc vfio-pci vfio_iommu_type1 dm-verity erofs overlay ext4 vfat isofs"

check_tree() {
    found=0
    is_empty 'an identity that clones would share' etc/machine-id
    is_absent 'an identity that clones would share' var/lib/dbus/machine-id var/lib/systemd/random-seed \
        var/lib/systemd/credential.secret etc/hostname
    is_absent 'a key that machines would share' etc/ssh/ssh_host_* root/.ssh home/*/.ssh etc/vigie/keys/*
    is_absent 'what belongs to the build' etc/apt var/lib/apt usr/lib/dracut etc/kernel/postinst.d root/.bash_history \
        var/log/* var/cache/* boot/* usr/bin/dracut
    local line
    while IFS=: read -r line password _; do
        case $password in
        '!' | '*' | '!*' | '!!') ;;
        *) told "$line has a password, or needs none" ;;
        esac
    done <"$tree/etc/shadow"
    while IFS=: read -r line password _; do
        [ "$password" = x ] || told "$line has its password in /etc/passwd"
    done <"$tree/etc/passwd"
    [ -z "$(awk -F: '$3 == 0 && $1 != "root"' "$tree/etc/passwd")" ] || told 'another account is root'
    # private keys, whatever they are called; a program that reads keys has the words in it and is no text
    while read -r line; do told "a private key: ${line#"$tree"/}"; done < <(
        grep -rlI --include='*' -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' "$tree"/etc "$tree"/usr/lib "$tree"/usr/share "$tree"/var 2>/dev/null || true)
    while read -r line; do told "may be written by anybody: $line"; done < <(
        find "$tree" -xdev -type f -perm -o+w -printf '%P\n')
    local kernel
    kernel=$(cat "$build/kernel")
    for line in $needed; do
        modprobe -d "$tree" -S "$kernel" --show-depends "$line" >/dev/null 2>&1 || told "no module $line"
    done
    [ "$found" -eq 0 ] || die "the root has $found faults"
}

told() { echo "image: $*" >&2; found=$((found + 1)); }

is_absent() { # why path...
    local why=$1 path
    shift
    for path in "$@"; do
        # shellcheck disable=SC2086 # a pattern
        for path in "$tree"/$path; do
            [ ! -e "$path" ] && [ ! -L "$path" ] || told "$why: ${path#"$tree"/}"
        done
    done
}

is_empty() { # why path
    [ -e "$tree/$2" ] && [ ! -s "$tree/$2" ] || told "$1: $2"
}
