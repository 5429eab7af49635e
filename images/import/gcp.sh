#!/usr/bin/env bash
# Makes a Google Cloud image of an image: the archive to a bucket, from there an image.
#
#   gcp.sh --image FILE.tar.gz --bucket NAME [options]      shows the commands
#   gcp.sh --image FILE.tar.gz --bucket NAME --do           runs them
#
#   --name NAME        name of the image (vigie)
#   --family NAME      image family (vigie)
#   --project NAME     project, otherwise gcloud's own
#   --license URI      licence resource, for the marketplace
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=steps.sh
. "$here/steps.sh"

image='' bucket='' name=vigie family=vigie project='' license=''
while [ $# -gt 0 ]; do
    case $1 in
    --image | --bucket | --name | --family | --project | --license)
        printf -v "${1#--}" '%s' "$(value "$@")"
        shift 2
        ;;
    --do) doit=1 && shift ;;
    --help) usage 0 ;;
    *) die "unknown word '$1' (--help)" ;;
    esac
done
[[ -n $image && -n $bucket ]] || die '--image or --bucket is missing (--help)'
[[ $image == *.tar.gz ]] || die "$image: a .tar.gz with disk.raw in it is expected"
formed --name "$name" '[a-z]([-a-z0-9]{0,61}[a-z0-9])?' "small letters, digits and '-'"
formed --family "$family" '[a-z]([-a-z0-9]{0,61}[a-z0-9])?' "small letters, digits and '-'"
formed --bucket "$bucket" '[a-z0-9][-a-z0-9._]{1,220}[a-z0-9]' 'the name of a bucket, without gs://'
readable "$image"
need gcloud
gcloud=(gcloud)
[ -z "$project" ] || gcloud+=(--project "$project")

run "${gcloud[@]}" storage cp "$image" "gs://$bucket/${image##*/}"
create=("${gcloud[@]}" compute images create "$name" --source-uri "gs://$bucket/${image##*/}" --family "$family"
    --architecture X86_64 --guest-os-features "UEFI_COMPATIBLE,GVNIC,VIRTIO_SCSI_MULTIQUEUE,SEV_CAPABLE")
[ -z "$license" ] || create+=(--licenses "$license")
run "${create[@]}"
ended
