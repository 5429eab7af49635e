# Packages: what the lock names, fetched, checked, and offered to mmdebstrap as a repository of its own. Sourced by
# `inside.sh`, which runs in the builder.
# shellcheck shell=bash

debs=/w/debs

# Names wanted by a flavour, before dependencies.
wanted() { # flavour
    grep -hv '^#' "$source/images/packages/every" "$source/images/packages/$1" | awk NF | sort -u
}

lock_lines() { grep -v '^#' "$lock"; }

# Resolves what is wanted from nothing, and writes name, version, architecture, size and hash of each package.
write_lock() { # file
    local names
    apt-get -qq update
    : >"$scratch"/empty
    mkdir -p "$scratch"/none/partial # what the cache holds would not be listed
    names=$(wanted "$flavour" | xargs)
    # shellcheck disable=SC2086 # words
    apt-get -qq -o Dir::State::status="$scratch"/empty -o Dir::Cache::archives="$scratch"/none -o APT::Install-Recommends=false --print-uris -y install \
        '?essential ?not(?name(^apt$))' $names >"$scratch"/uris
    # 'URI' name_version_architecture.deb size hash
    awk '{ sub(/\.deb$/, "", $2); split($2, part, "_"); gsub(/%3a/, ":", part[2]); print part[1] "=" part[2] }' "$scratch"/uris |
        xargs apt-cache show |
        awk -F': ' '
            $1 == "Package" || $1 == "Version" || $1 == "Architecture" || $1 == "Size" || $1 == "SHA256" { has[$1] = $2 }
            /^$/ && ("Package" in has) {
                print has["Package"], has["Version"], has["Architecture"], has["Size"], has["SHA256"]; delete has }
            END { if ("Package" in has)
                print has["Package"], has["Version"], has["Architecture"], has["Size"], has["SHA256"] }' |
        LC_ALL=C sort -u >"$scratch"/lines
    [ "$(wc -l <"$scratch"/lines)" -eq "$(wc -l <"$scratch"/uris)" ] ||
        die "apt resolved $(wc -l <"$scratch"/uris) packages, but describes $(wc -l <"$scratch"/lines)"
    {
        echo "# Packages of flavour $flavour: name, version, architecture, size, SHA-256. Written by 'make image-lock'."
        echo "# Newest date in the image, seconds since 1970:"
        echo "#epoch $(date -u -d 00:00 +%s)"
        cat "$scratch"/lines
    } >"$1"
}

file_of() { # name version architecture
    printf '%s_%s_%s.deb' "$1" "${2//:/%3a}" "$3"
}

# Packages of the lock that the cache lacks, as apt names them.
missing() {
    lock_lines | while read -r name version architecture _; do
        [ -e "$debs/$(file_of "$name" "$version" "$architecture")" ] || echo "$name=$version"
    done
}

fetch() {
    mkdir -p "$debs"
    local lacking gone
    lacking=$(missing)
    if [ -n "$lacking" ]; then
        echo "fetching $(wc -w <<<"$lacking") packages"
        # shellcheck disable=SC2086 # words
        (cd "$debs" && apt-get -qq -o APT::Sandbox::User=root download $lacking 2>"$scratch"/fetch) || {
            apt-get -qq update
            # shellcheck disable=SC2086
            (cd "$debs" && apt-get -qq -o APT::Sandbox::User=root download $(missing) 2>"$scratch"/fetch) || true
        }
        gone=$(missing)
        if [ -n "$gone" ]; then
            cat "$scratch"/fetch >&2
            printf 'image: %s\n' "the mirror no longer has $(wc -w <<<"$gone") locked packages ($(head -n 3 <<<"$gone" |
                xargs) ...): 'make image-lock FLAVOUR=$flavour' locks what it has now" >&2
            exit 3
        fi
    fi
    lock_lines | while read -r name version architecture _ hash; do
        echo "$hash  $debs/$(file_of "$name" "$version" "$architecture")"
    done | sha256sum --quiet --check || die "packages differ from the lock: remove these from $debs and run it again"
}

# A repository of exactly these packages: links, and the index that apt reads.
make_repository() { # folder
    local name version architecture size hash file
    rm -rf -- "$1" && mkdir -p "$1"
    lock_lines | while read -r name version architecture size hash; do
        file=$(file_of "$name" "$version" "$architecture")
        ln "$debs/$file" "$1/$name.deb"
        [ -e "$debs/$file.control" ] || dpkg-deb --field "$debs/$file" >"$debs/$file.control"
        cat "$debs/$file.control"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$name.deb" "$size" "$hash"
    done >"$1/Packages"
    # mmdebstrap asks for what is essential in a release by name
    printf 'Suite: trixie\nCodename: trixie\nSHA256:\n %s %s Packages\n' \
        "$(sha256sum "$1/Packages" | cut -d' ' -f1)" "$(stat -c %s "$1/Packages")" >"$1/Release"
}
