# The disk: partitions, the hash of the root in the kernel's image, the loader. Sourced by `inside.sh`.
# shellcheck shell=bash disable=SC2154

# Any fixed number: identifiers on the disk come from it, and from what is in the partitions.
seed=5f0d1bd8-7a52-4f37-8e36-6cf1e3d0a0b7

words_of_kernel() { # roothash
    local words="roothash=$1 systemd.verity_root_options=panic-on-corruption systemd.volatile=overlay"
    # clones differ, since their hypervisor says who they are
    words+=" systemd.machine_id=firmware"
    # a virtual function needs the one, kernel drivers are fast with the other
    words+=" intel_iommu=on iommu=pt"
    # emulated timers of a busy host come late, and with interrupt remapping the kernel would stop over it; guests of KVM,
    # VMware and Hyper-V leave this check out anyway
    words+=" no_timer_check"
    # a version that does not come up gives up soon, and makes room for the one before
    words+=" rd.shell=0 rd.emergency=reboot panic=10"
    words+=" systemd.gpt_auto=no audit=0 systemd.ssh_auto=no quiet loglevel=4 console=tty0 console=ttyS0,115200n8"
    [ "$flavour" != azure ] || words+=" earlyprintk=ttyS0"
    printf '%s\n' "$words"
}

clamp_dates() { # folder
    find "$1" -newermt "@$SOURCE_DATE_EPOCH" -print0 | xargs -0 -r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
}

definitions() { # to the build folder, with the version in the labels
    rm -rf "$build/repart" && mkdir "$build/repart"
    local file
    for file in "$source"/images/repart/*.conf; do
        sed "s|@VERSION@|$image_version|; s|@TREE@|$tree|; s|@ESP@|$build/esp|" "$file" >"$build/repart/${file##*/}"
    done
}

repart() { # arguments
    systemd-repart --definitions="$build/repart" --offline=yes --seed="$seed" --dry-run=no --no-pager --json=short \
        "$@" 2>>"$build/disk.log"
}

make_disk() {
    clamp_dates "$tree"
    definitions
    rm -rf "$build/esp" "$disk" && mkdir -p "$build/esp/EFI/BOOT" "$build/esp/EFI/systemd" "$build/esp/EFI/Linux" "$build/esp/loader"
    repart --empty=create --size=2G --defer-partitions=esp "$disk" >"$build/partitions"
    roothash=$(sed 's/},{/}\n{/g' "$build/partitions" | sed -n 's/.*"roothash":"\([0-9a-f]\{64\}\)".*/\1/p' | head -n 1)
    [ -n "$roothash" ] || die "systemd-repart told no hash of the root: $(cat "$build/partitions")"
    make_kernel
    install -m 644 "$uki" "$build/esp/EFI/Linux/vigie_$image_version.efi"
    install -m 644 "$loader" "$build/esp/EFI/BOOT/BOOTX64.EFI"
    install -m 644 "$loader" "$build/esp/EFI/systemd/systemd-bootx64.efi"
    printf 'timeout 0\neditor no\n' >"$build/esp/loader/loader.conf"
    install -d "$build/esp/bios"
    install -m 644 "$build/linux" "$build/esp/bios/linux"
    install -m 644 "$build/initrd" "$build/esp/bios/initrd"
    enrol
    clamp_dates "$build/esp"
    repart "$disk" >/dev/null
    embed_bios_loader
}

# Kernel, first file system and command line as one signed file.
make_kernel() {
    # signatures hold the time at which they were made
    local sign=() still=(env TZ=UTC faketime -f "$(date -u -d "@$SOURCE_DATE_EPOCH" '+%F %T')")
    loader=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
    uki=$build/uki.efi
    if [ -e "$build/in/keys/db.key" ]; then
        sign=(--secureboot-private-key "$build/in/keys/db.key" --secureboot-certificate "$build/in/keys/db.crt")
        "${still[@]}" sbsign --key "$build/in/keys/db.key" --cert "$build/in/keys/db.crt" --output "$build/loader.efi" "$loader" 2>/dev/null
        loader=$build/loader.efi
    fi
    "${still[@]}" ukify build --linux "$build/linux" --initrd "$build/initrd" --cmdline "$(words_of_kernel "$roothash")" \
        --os-release "@$tree/usr/lib/os-release" --uname "$(cat "$build/kernel")" "${sign[@]}" --output "$uki" >"$build/uki.log" 2>&1 ||
        { cat "$build/uki.log" >&2; die 'ukify failed'; }
}

# Keys that firmware in setup mode takes over from the loader.
enrol() {
    [ -e "$build/in/keys/PK.auth" ] || return 0
    mkdir -p "$build/esp/loader/keys/auto"
    install -m 644 "$build/in/keys/"{PK,KEK,db}.auth "$build/esp/loader/keys/auto/"
}

# Where a partition begins and how long it is, in sectors.
partition() { # number
    sfdisk --dump "$disk" | sed -n "s/^[^ ]*$1 : start= *\([0-9]*\), size= *\([0-9]*\),.*/\1 \2/p"
}

# A loader for firmware without UEFI, written by offset: no loop device, and nothing of this machine in it.
embed_bios_loader() {
    local start size grub=/usr/lib/grub/i386-pc core=$build/core.img
    read -r start size < <(partition 1)
    sed "/^#/d; s|@WORDS@|$(words_of_kernel "$roothash")|" "$source/images/repart/grub.cfg" >"$build/grub.cfg"
    grub-mkimage -O i386-pc -d "$grub" -c "$build/grub.cfg" -p / -o "$core" \
        biosdisk part_gpt fat search_label linux serial terminal reboot halt
    "$build/in/image-tool" bios "$disk" --boot "$grub/boot.img" --core "$core" --start "$start" --sectors "$size"
}
