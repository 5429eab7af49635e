# What an installed machine needs to become this version: both partitions and the kernel, listed and signed. Sourced by
# `inside.sh`.
# shellcheck shell=bash disable=SC2154

make_update() {
    local to=$build/out/update uuid verity_uuid
    rm -rf "$to" && mkdir -p "$to"
    # systemd derives identifiers of both from the root's hash
    uuid=$(uuid_of "${roothash:0:32}")
    verity_uuid=$(uuid_of "${roothash:32:32}")
    copy_partition 3 "$to/vigie_${image_version}_$uuid.root.raw"
    copy_partition 4 "$to/vigie_${image_version}_$verity_uuid.verity.raw"
    # xz, since systemd-sysupdate 257 stores zstd as it came; what is inside is compressed already
    xz -0 -T0 "$to"/*.raw
    cp "$uki" "$to/vigie_$image_version.efi"
    (cd "$to" && sha256sum -- * >"$scratch"/sums && mv "$scratch"/sums SHA256SUMS)
    if [ -e "$build/in/keys/update.key" ]; then
        rm -rf "$scratch"/gnupg && install -d -m 700 "$scratch"/gnupg
        GNUPGHOME="$scratch"/gnupg gpg --batch --quiet --import "$build/in/keys/update.key"
        GNUPGHOME="$scratch"/gnupg gpg --batch --quiet --detach-sign --output "$to/SHA256SUMS.gpg" "$to/SHA256SUMS"
        rm -rf "$scratch"/gnupg
    fi
}

uuid_of() { # 32 digits
    sed -E 's/(.{8})(.{4})(.{4})(.{4})(.{12})/\1-\2-\3-\4-\5/' <<<"$1"
}

copy_partition() { # number file
    local start size
    read -r start size < <(partition "$1")
    dd if="$disk" of="$2" bs=1M iflag=skip_bytes,count_bytes skip=$((start * 512)) count=$((size * 512)) conv=sparse status=none
}
