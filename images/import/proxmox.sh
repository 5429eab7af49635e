#!/usr/bin/env bash
# Makes a sensor of an image on a Proxmox VE host. Run on the host, as root.
#
#   proxmox.sh --image FILE.qcow2 --id N [options]      shows the commands
#   proxmox.sh --image FILE.qcow2 --id N --do           runs them
#
#   --name NAME          name of the machine (vigie)
#   --storage NAME       where its disks lie (local-lvm)
#   --bridge NAME        bridge of the management interface (vmbr0)
#   --mirror NAME        bridge of the mirror: a second interface, without firewall
#   --function ADDRESS   virtual function to pass through, such as 0000:03:02.0
#   --mapping NAME       resource mapping of virtual functions, in place of an address
#   --pf NAME --vf N     its physical function and number: trust is set on this host, until it restarts
#   --viommu KIND        intel or virtio (intel); needed for a function, harmless without
#   --cores N            (4)
#   --memory MIB         (8192)
#   --size GIB           the disk; what the image does not need is for events (8)
#   --ip CONFIG          as Proxmox writes it: dhcp, or 192.0.2.7/24,gw=192.0.2.1 (dhcp)
#   --dns ADDRESS        name server
#   --keys FILE          SSH public keys of admin
#   --template           end as a template
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=steps.sh
. "$here/steps.sh"

image='' id='' name=vigie storage=local-lvm bridge=vmbr0 mirror='' function='' mapping='' pf='' vf=''
viommu=intel cores=4 memory=8192 size=8 ip=dhcp dns='' keys='' template=''
while [ $# -gt 0 ]; do
    case $1 in
    --image | --id | --name | --storage | --bridge | --mirror | --function | --mapping | --pf | --vf | --viommu | --cores | --memory | --size | --ip | --dns | --keys)
        printf -v "${1#--}" '%s' "$(value "$@")"
        shift 2
        ;;
    --template) template=1 && shift ;;
    --do) doit=1 && shift ;;
    --help) usage 0 ;;
    *) die "unknown word '$1' (--help)" ;;
    esac
done
[ -n "$image" ] || die '--image is missing (--help)'
formed --image "$image" '.*\.(qcow2|raw|vmdk)' 'a .qcow2, .raw or .vmdk'
formed --id "$id" '[1-9][0-9]{2,8}' 'a number from 100'
formed --name "$name" '[A-Za-z0-9]([-A-Za-z0-9.]{0,61}[A-Za-z0-9])?' 'a host name'
formed --viommu "$viommu" 'intel|virtio' 'intel or virtio'
formed --cores "$cores" '[1-9][0-9]{0,2}' 'a number'
formed --memory "$memory" '[1-9][0-9]{2,7}' 'a number of MiB, such as 8192'
formed --size "$size" '[2-9]|[1-9][0-9]{1,4}' 'a number of GiB from 2'
formed --ip "$ip" 'dhcp|[0-9.]+/[0-9]+(,gw=[0-9.]+)?' 'dhcp, or as 192.0.2.7/24,gw=192.0.2.1'
formed --function "$function" '|([0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]' 'an address such as 0000:03:02.0'
[ -z "$function" ] || [ -z "$mapping" ] || die '--function or --mapping, not both'
[ -z "$function$mapping" ] || [ -z "$template" ] || [ -n "$mapping" ] || die 'a template with one --function has one clone: use --mapping'
[ -z "$pf$vf" ] || { [ -n "$pf" ] && [[ $vf =~ ^[0-9]+$ ]]; } || die '--pf goes with --vf N'
readable "$image" ${keys:+"$keys"}
need qm

# The host's part: without trust the function says that it listens to everything, and hears its own address alone.
if [ -n "$pf" ]; then
    run ip link set dev "$pf" vf "$vf" trust on spoofchk off
    run ip link set dev "$pf" vf "$vf" vlan 0
fi
create=(qm create "$id" --name "$name" --ostype l26 --machine "q35,viommu=$viommu" --bios ovmf
    --efidisk0 "$storage:1,efitype=4m,pre-enrolled-keys=0" --cpu host --cores "$cores" --memory "$memory" --balloon 0
    --scsihw virtio-scsi-single --serial0 socket --agent 0 --onboot 1 --net0 "virtio,bridge=$bridge")
[ -z "$mirror" ] || create+=(--net1 "virtio,bridge=$mirror,firewall=0")
run "${create[@]}"
run qm set "$id" --scsi0 "$storage:0,import-from=$(readlink -f "$image"),discard=on,iothread=1" --boot order=scsi0
run qm disk resize "$id" scsi0 "${size}G"
given=(qm set "$id" --ide2 "$storage:cloudinit" --citype nocloud --ipconfig0 "$([ "$ip" = dhcp ] && echo ip=dhcp || echo "ip=$ip")")
[ -z "$dns" ] || given+=(--nameserver "$dns")
[ -z "$keys" ] || given+=(--sshkeys "$keys")
run "${given[@]}"
[ -z "$function" ] || run qm set "$id" --hostpci0 "$function,pcie=1"
[ -z "$mapping" ] || run qm set "$id" --hostpci0 "mapping=$mapping,pcie=1"
if [ -n "$template" ]; then
    run qm template "$id"
else
    run qm start "$id"
fi
ended
