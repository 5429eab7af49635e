# Runs scripts that arrive over the second serial port, in an appliance that was given this by its hypervisor. The same
# talk as init.sh, where a script ends with a line of the one byte EOT, and so does what it printed, with its status.
# shellcheck shell=bash
exec 3<>/dev/ttyS1
stty -F /dev/ttyS1 raw -echo
end=$(printf '\004')
printf 'ready\n%s0\n' "$end" >&3
while :; do
    script=
    while IFS= read -r line <&3 && [ "$line" != "$end" ]; do
        script="$script$line
"
    done
    bash -c "$script" </dev/null >&3 2>&1
    printf '%s%d\n' "$end" $? >&3
done
