# The tree: packages unpacked, ours laid over them, what nobody needs taken out. Sourced by `inside.sh`.
# shellcheck shell=bash disable=SC2154

make_tree() {
    local names
    names=$(lock_lines | cut -d' ' -f1 | paste -sd,)
    rm -rf -- "$packed"
    # The kernel's package would have an initrd made for this machine: whoever is asked to does nothing.
    # shellcheck disable=SC2016 # expanded by the hook's shell
    mmdebstrap --mode=root --variant=essential --format=directory --include="$names" \
        --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
        --dpkgopt='path-exclude=/usr/share/bash-completion/*' --dpkgopt='path-exclude=/usr/share/zsh/*' \
        --dpkgopt='path-exclude=/etc/kernel/postinst.d/*' \
        --essential-hook='mkdir -p "$1/etc/kernel/postinst.d"; ln -s /bin/true "$1/etc/kernel/postinst.d/dracut"' \
        --aptopt='Acquire::AllowInsecureRepositories "1"' \
        --customize-hook="$source"'/images/recipe/inside.sh customize "$1"' \
        --skip=cleanup \
        trixie "$packed" "deb [trusted=yes] copy:$build/repository ./" >"$build/tree.log" 2>&1 || { tail -n 30 "$build/tree.log" >&2; die "mmdebstrap failed"; }
}

# Runs in the builder, with the tree's /proc, /sys and /dev mounted.
customize() { # tree
    step modules trim_kernel "$1"
    step initrd make_initrd "$1"
    step drop drop_packages "$1"
}

# Our files, with fixed modes: the clone's modes depend on somebody's umask.
lay_over() { # tree
    local from
    for from in "$source/images/root" "$source/images/files"; do
        (cd "$from" && find . -type d -print0 | while IFS= read -r -d '' d; do
            [ -d "$1/$d" ] || install -d -m 755 "$1/$d"
        done)
        (cd "$from" && find . ! -type d -print0) | while IFS= read -r -d '' file; do
            if [ -L "$from/$file" ]; then
                cp -d --remove-destination "$from/$file" "$1/$file"
            elif [ -x "$from/$file" ]; then
                install -m 755 "$from/$file" "$1/$file"
            else
                install -m 644 "$from/$file" "$1/$file"
            fi
        done
    done
    install -d -m 755 "$1/efi" "$1/usr/share/vigie"
    chroot "$1" systemd-sysusers
    chroot "$1" systemctl --quiet preset-all 2>/dev/null || true
}

# What differs between versions of one tree: its name, the key for updates, and what somebody lays over it.
name_version() {
    sed -i '/^IMAGE_ID=/d; /^IMAGE_VERSION=/d; /^VARIANT_ID=/d' "$tree/usr/lib/os-release"
    printf 'IMAGE_ID=vigie\nIMAGE_VERSION=%s\nVARIANT_ID=%s\n' "$image_version" "$flavour" >>"$tree/usr/lib/os-release"
    rm -f "$tree"/usr/lib/systemd/import-pubring.*
    [ ! -e "$build/in/keys/update.gpg" ] ||
        install -m 644 "$build/in/keys/update.gpg" "$tree/usr/lib/systemd/import-pubring.gpg"
    [ ! -d "$build/in/overlay" ] || cp -r "$build/in/overlay/." "$tree/"
    # what a debugger alone reads is most of it; names of functions stay for traces
    objcopy --strip-debug "$build/in/vigie" "$tree/usr/bin/vigie"
    chmod 755 "$tree/usr/bin/vigie"
}

# Keeps modules that a sensor in a virtual machine uses, and what they depend on; unpacked, since the file system
# compresses, and faster.
trim_kernel() { # tree
    local kernel folder wanted path_of
    kernel=$(ls "$1/usr/lib/modules")
    folder=$1/usr/lib/modules/$kernel
    path_of="s|^insmod .*/lib/modules/$kernel/\([^ ]*\).*|\1|p"
    wanted=$(grep -v '^#' "$source/images/packages/modules")
    (
        cd "$folder"
        grep '/$' <<<"$wanted" | while read -r kept; do
            [ -d "kernel/$kept" ] || die "no modules in $kept: packages/modules names what this kernel does not have"
            find "kernel/$kept" -name '*.ko*'
        done
        grep -v '/$' <<<"$wanted" | awk NF | while read -r module; do
            modprobe -d "$1" -S "$kernel" --show-depends "$module" ||
                die "no module $module: packages/modules names what this kernel does not have"
        done | sed -n "$path_of"
    ) | sort -u >"$build/kept"
    # what folders hold depends on more
    sed 's|.*/||; s|\.ko.*||' "$build/kept" | xargs modprobe -a -d "$1" -S "$kernel" --show-depends |
        sed -n "$path_of" | sort -u - "$build/kept" >"$build/kept-all"
    (cd "$folder" && find kernel -name '*.ko*' | sort | comm -23 - "$build/kept-all" | xargs rm -f)
    find "$folder" -name '*.ko.xz' -print0 | xargs -0 -r -P2 -n64 xz -d
    find "$folder" -depth -type d -empty -delete
    depmod -b "$1" "$kernel"
    rm -f "$1"/boot/System.map* "$1"/boot/config*.old
}

# A first file system that finds the root by its hash and lays RAM over it: systemd all the way.
make_initrd() { # tree
    local kernel
    kernel=$(ls "$1/usr/lib/modules")
    chroot "$1" dracut --quiet --force --no-hostonly --no-hostonly-cmdline --reproducible --zstd --no-early-microcode \
        --kver "$kernel" --add 'systemd systemd-initrd systemd-veritysetup dm' \
        --omit 'systemd-repart plymouth network systemd-networkd systemd-resolved lvm mdraid crypt crypt-gpg nfs iscsi
            multipath kernel-modules kernel-modules-extra kernel-network-modules hwdb i18n usrmount biosdevname
            systemd-cryptsetup systemd-hostnamed systemd-timesyncd systemd-pcrphase tpm2-tss memstrack resume dbus
            dbus-daemon dbus-broker fido2 pcsc pkcs11 virtiofs btrfs dmraid lunmask' \
        --drivers 'virtio_pci virtio_blk virtio_scsi virtio_iommu nvme ahci ata_piix sd_mod vmw_pvscsi mptspi mptsas
            hv_vmbus hv_storvsc xen-blkfront dm-mod dm-verity erofs overlay ext4 vfat nls_cp437 nls_ascii' \
        /boot/initrd.img 2>"$build/dracut.log" || { cat "$build/dracut.log" >&2; die 'dracut failed'; }
    mv "$1/boot/initrd.img" "$build/initrd"
    cp "$1"/boot/vmlinuz-* "$build/linux"
    cp "$1"/boot/config-* "$build/kernel-config"
    echo "$kernel" >"$build/kernel"
    rm -rf "${1:?}"/etc/kernel/postinst.d "${1:?}"/boot/* "$1"/vmlinuz* "$1"/initrd*
}

# What only packed the initrd.
drop_packages() { # tree
    chroot "$1" dpkg --purge --force-depends dracut dracut-core dracut-install zstd cpio >/dev/null 2>&1 || true
    rm -rf "$1/usr/lib/dracut" "$1/etc/dracut.conf.d" "$1/var/tmp"/dracut*
}

# Leaves nothing of this machine, nothing that every clone would share, and no way in.
seal() { # tree
    # where scanners look for it, beside the file system that first boot makes
    mkdir -p "$1/usr/lib/sysimage"
    rm -f "$1"/var/lib/dpkg/*-old "$1"/var/lib/dpkg/lock*
    rm -rf "$1/usr/lib/sysimage/dpkg"
    mv "$1/var/lib/dpkg" "$1/usr/lib/sysimage/dpkg"
    find "$1/tmp" "$1/root" -mindepth 1 -delete
    : >"$1/etc/machine-id"
    rm -f "$1/var/lib/dbus/machine-id" "$1/etc/hostname" "$1/etc/resolv.conf" "$1"/etc/ssh/ssh_host_* \
        "$1/var/lib/systemd/random-seed" "$1/etc/.pwd.lock" "$1"/etc/*- "$1/var/lib/systemd/catalog/database"
    ln -s ../run/systemd/resolve/resolv.conf "$1/etc/resolv.conf"
    rm -rf "$1"/var/lib/apt "$1"/var/cache/* "$1"/var/log/* "$1"/run/* "$1"/etc/apt \
        "$1"/var/lib/systemd/deb-systemd-helper-enabled "$1"/var/lib/systemd/deb-systemd-helper-masked \
        "$1"/usr/share/doc-base "$1"/usr/share/locale "$1"/usr/share/i18n "$1"/usr/lib/x86_64-linux-gnu/gconv/*
    # no password, and none that could be guessed: a key opens, or nothing does
    sed -i -E 's/^([^:]*):[^:]*:[0-9]*:/\1:!*:1:/' "$1/etc/shadow"
}
