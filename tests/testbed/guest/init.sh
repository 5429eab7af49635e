#!/bin/busybox sh
# shellcheck shell=dash
# First process of a guest: a place to run scripts in that arrive over the second serial port.
#
# A script ends with a line of the one byte EOT; what it prints goes back, then EOT and its exit status on a line.

/bin/busybox --install -s /bin
export PATH=/bin HOME=/ TERM=dumb
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
chmod 755 /
mkdir -p /dev/shm /var
ln -s /run /var/run
mount -t tmpfs shm /dev/shm
# whatever goes wrong in the kernel is seen by the host, on the first serial port
dmesg -n 4
ip link set lo up

exec 3<>/dev/ttyS1
stty raw -echo <&3
end=$(printf '\004')
printf '%s0\n' "$end" >&3
while :; do
    script=
    while IFS= read -r line <&3 && [ "$line" != "$end" ]; do
        script="$script$line
"
    done
    sh -c "$script" </dev/null >&3 2>&1
    printf '%s%d\n' "$end" $? >&3
done
