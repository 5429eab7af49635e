#!/usr/bin/env bash
# Makes an AMI of an image: the disk to S3, from there a snapshot, from that an image.
#
#   aws.sh --image FILE.vmdk --bucket NAME [options]      shows the commands
#   aws.sh --image FILE.vmdk --bucket NAME --do           runs them
#
#   --name NAME       name of the image (vigie)
#   --key KEY         its name in the bucket (the file's)
#   --region REGION   (us-east-1, where the marketplace wants it)
#   --size GIB        disk of an instance (8)
#   --uefi-data FILE  variable store with own Secure Boot keys
#
# The role vmimport must be allowed to read the bucket ("Required permissions for VM Import/Export").
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=steps.sh
. "$here/steps.sh"

image='' bucket='' name=vigie key='' region=us-east-1 size=8 uefi=''
while [ $# -gt 0 ]; do
    case $1 in
    --image | --bucket | --name | --key | --region | --size)
        printf -v "${1#--}" '%s' "$(value "$@")"
        shift 2
        ;;
    --uefi-data) uefi=$(value "$@") && shift 2 ;;
    --do) doit=1 && shift ;;
    --help) usage 0 ;;
    *) die "unknown word '$1' (--help)" ;;
    esac
done
[[ -n $image && -n $bucket ]] || die '--image or --bucket is missing (--help)'
formed --size "$size" '[2-9]|[1-9][0-9]{1,4}' 'a number of GiB from 2'
formed --bucket "$bucket" '[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]' 'the name of a bucket, without s3://'
formed --name "$name" '[-A-Za-z0-9 ()._/@]{3,128}' 'the name of an AMI, 3 to 128 letters, digits and signs'
formed --region "$region" '[a-z]{2,}(-[a-z]+)+-[0-9]+' 'a region such as us-east-1'
case $image in
*.vmdk) format=VMDK ;;
*.raw) format=RAW ;;
*.vhd) format=VHD ;;
*) die "$image: a .vmdk, .raw or .vhd is expected" ;;
esac
readable "$image" ${uefi:+"$uefi"}
need aws
key=${key:-${image##*/}}
aws=(aws --region "$region" ec2)
task='' snapshot='' ami=''

run aws --region "$region" s3 cp "$image" "s3://$bucket/$key"
# import-image would look for an operating system that it knows: a snapshot takes the disk as it is.
ask task "${aws[@]}" import-snapshot --description "$name" --query ImportTaskId --output text \
    --disk-container "Format=$format,UserBucket={S3Bucket=$bucket,S3Key=$key}"
run "${aws[@]}" wait snapshot-imported --import-task-ids "$task"
ask snapshot "${aws[@]}" describe-import-snapshot-tasks --import-task-ids "$task" --output text \
    --query 'ImportSnapshotTasks[0].SnapshotTaskDetail.SnapshotId'
register=("${aws[@]}" register-image --name "$name" --architecture x86_64 --virtualization-type hvm --ena-support
    --boot-mode uefi-preferred --imds-support v2.0 --root-device-name /dev/xvda --query ImageId --output text
    --block-device-mappings "DeviceName=/dev/xvda,Ebs={SnapshotId=$snapshot,VolumeType=gp3,VolumeSize=$size,DeleteOnTermination=true}")
[ -z "$uefi" ] || register+=(--uefi-data "$(if [ -n "$doit" ]; then cat "$uefi"; else echo "contents of $uefi"; fi)")
ask ami "${register[@]}"
printf '# the image: %s\n' "$ami"
ended
