#!/usr/bin/env bash
# Deploys a sensor from its OVA on vSphere with govc (GOVC_URL and its kin say where), and gives it a virtual function.
#
#   vmware.sh --ova FILE.ova [options]       shows the commands
#   vmware.sh --ova FILE.ova --do            runs them
#
#   --name NAME              name of the machine (vigie)
#   --management NETWORK     port group by which it is reached (VM Network)
#   --mirror NETWORK         port group of the mirror: promiscuous, or target of a port mirroring session (vigie)
#   --size GIB               the disk; what the image does not need is for events (8)
#   --hostname, --address, --gateway, --dns, --ntp, --ssh-key, --ssh-from, --capture-mode, --capture-interface,
#   --config VALUE           properties; @FILE takes what is in a file
#   --function-network NAME  port group of an SR-IOV function: adds the adapter, locks memory, exposes the IOMMU
#   --physical NAME --vf N   physical function on the host, such as vmnic4, and the number of the function that is to be
#                            trusted (Intel's esxcli plug-in)
#   --host HOST              the host of that function
#
# A machine with an SR-IOV function cannot be moved by vMotion, suspended, or snapshotted with its memory.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=steps.sh
. "$here/steps.sh"

vf='' ova='' name=vigie size=8 management='VM Network' mirror=vigie function_network='' physical='' host=''
declare -A property=()
while [ $# -gt 0 ]; do
    case $1 in
    --ova | --name | --size | --management | --mirror | --physical | --vf | --host | --function-network)
        key=${1#--}
        printf -v "${key//-/_}" '%s' "$(value "$@")"
        shift 2
        ;;
    --hostname | --address | --gateway | --dns | --ntp | --ssh-key | --ssh-from | --capture-mode | --capture-interface | --config)
        key=${1#--} given=$(value "$@")
        if [[ $given == @* ]]; then
            [ -r "${given#@}" ] || die "$1: ${given#@} cannot be read"
            given=$(cat "${given#@}")
        fi
        property[${key//-/_}]=$given
        shift 2
        ;;
    --do) doit=1 && shift ;;
    --help) usage 0 ;;
    *) die "unknown word '$1' (--help)" ;;
    esac
done
[ -n "$ova" ] || die '--ova is missing (--help)'
formed --ova "$ova" '.*\.ova' 'an .ova'
formed --size "$size" '[2-9]|[1-9][0-9]{1,4}' 'a number of GiB from 2'
formed --capture-mode "${property[capture_mode]:-}" '|auto|vf|packet' 'auto, vf or packet'
[ -z "$physical$vf" ] || { [ -n "$physical" ] && [ -n "$host" ] && [[ $vf =~ ^[0-9]+$ ]]; } || die '--physical goes with --vf N and --host'
readable "$ova"
need govc

quoted() { # a JSON text
    local text=$1
    text=${text//\\/\\\\} text=${text//\"/\\\"} text=${text//$'\n'/\\n}
    printf '"%s"' "$text"
}

options() {
    local key comma=''
    printf '{"DiskProvisioning":"thin","PowerOn":false,"NetworkMapping":['
    printf '{"Name":"management","Network":%s},{"Name":"mirror","Network":%s}],' "$(quoted "$management")" "$(quoted "$mirror")"
    printf '"PropertyMapping":['
    for key in hostname address gateway dns ntp ssh_key ssh_from capture_mode capture_interface config; do
        [ -n "${property[$key]:-}" ] || continue
        printf '%s{"Key":"%s","Value":%s}' "$comma" "$key" "$(quoted "${property[$key]}")"
        comma=,
    done
    printf ']}\n'
}

spec=$(mktemp)
trap 'rm -f "$spec"' EXIT
options >"$spec"
if [ -n "$doit" ]; then
    printf '# options.json: %s\n' "$(cat "$spec")"
    run govc import.ova -name "$name" -options "$spec" "$ova"
else
    printf '%s >options.json\n' "$(show printf '%s\n' "$(cat "$spec")")"
    show govc import.ova -name "$name" -options options.json "$ova"
fi
run govc vm.disk.change -vm "$name" -disk.label 'Hard disk 1' -size "${size}G"
if [ -n "$function_network" ]; then
    # A function writes the guest's memory by itself: all of it stays where it is, behind an IOMMU of the guest's own.
    run govc vm.change -vm "$name" -memory-pin=true -iommu-enabled=true
    run govc vm.network.add -vm "$name" -net "$function_network" -net.adapter sriov
fi
run govc vm.power -on "$name"
if [ -n "$physical" ]; then
    # Trust does not always survive a restart of the guest: `vigie vf probe` in the sensor says whether it is there.
    run govc host.esxcli -host "$host" intnet sriovnic vf set -n "$physical" -v "$vf" -t on
    run govc host.esxcli -host "$host" intnet sriovnic vf set -n "$physical" -v "$vf" -s off
fi
ended
