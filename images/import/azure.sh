#!/usr/bin/env bash
# Makes an Azure image of an image: the disk uploaded as a page blob, from that an image of generation 2.
#
#   azure.sh --image FILE.vhd --group NAME --location NAME [options]      shows the commands
#   azure.sh --image FILE.vhd --group NAME --location NAME --do           runs them
#
#   --name NAME      name of disk and image (vigie)
#
# Needs az (logged in) and azcopy.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=steps.sh
. "$here/steps.sh"

image='' group='' location='' name=vigie
while [ $# -gt 0 ]; do
    case $1 in
    --image | --group | --location | --name)
        printf -v "${1#--}" '%s' "$(value "$@")"
        shift 2
        ;;
    --do) doit=1 && shift ;;
    --help) usage 0 ;;
    *) die "unknown word '$1' (--help)" ;;
    esac
done
[[ -n $image && -n $group && -n $location ]] || die '--image, --group or --location is missing (--help)'
formed --name "$name" '[A-Za-z0-9]([-A-Za-z0-9._]{0,78}[A-Za-z0-9_])?' "letters, digits, '-', '.' and '_', 80 at the most"
[[ $image == *.vhd ]] || die "$image: a fixed .vhd is expected"
[ -r "$image" ] || die "$image cannot be read: its size is told to Azure"
size=$(stat -L -c %s "$image")
[ $(((size - 512) % 1048576)) = 0 ] || die "$image: $size bytes are not whole MiB and a footer"
need az
need azcopy
sas='' disk=''

run az disk create --resource-group "$group" --location "$location" --name "$name" --os-type Linux \
    --hyper-v-generation V2 --sku Standard_LRS --upload-type Upload --upload-size-bytes "$size"
ask sas az disk grant-access --resource-group "$group" --name "$name" --access-level Write \
    --duration-in-seconds 86400 --query accessSas --output tsv
run azcopy copy "$image" "$sas" --blob-type PageBlob
run az disk revoke-access --resource-group "$group" --name "$name"
ask disk az disk show --resource-group "$group" --name "$name" --query id --output tsv
run az image create --resource-group "$group" --location "$location" --name "$name" --os-type Linux \
    --hyper-v-generation V2 --source "$disk"
ended
