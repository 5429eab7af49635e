#!/usr/bin/env bash
# Records the project's bundled traffic: real clients and servers that talk between network namespaces of this script.
#
#   record.sh                 record every scene into tests/cases/bundled
#   record.sh SCENE...        record only these (the README is written anew all the same)
#   record.sh --list          name the scenes
#
# Needs root on a Debian machine (namespaces, packet sockets, low ports) and installs the programs it lacks with apt.
# Nothing leaves the machine: the namespaces have no way out. Addresses are those of RFC 5737 and RFC 3849, names those
# of RFC 2606. Keys and certificates are made on the spot and thrown away.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(realpath -m "${VIGIE_BUNDLED:-$here/../../cases/bundled}")
client=vigie-rec-$$-c wire=vigie-rec-$$-w server=vigie-rec-$$-s
packages=(
    tcpdump iproute2 ethtool python3 openssl curl nginx-light openssh-server openssh-client dnsmasq-base bind9-dnsutils
    ngtcp2-client ngtcp2-server nghttp2-client nghttp2-server python3-aiosmtpd swaks vsftpd mosquitto
    mosquitto-clients chrony udhcpc isc-dhcp-client iputils-ping iputils-arping tftpd-hpa tftp-hpa ncat nmap
    redis-server redis-tools libnet-ssleay-perl
)
scenes=(web http2 tls dns ssh mail dhcp files time quic mqtt redis ping scan lossy vlan qinq trunk tunnels vxlan)

declare -A story=(
    [web]='HTTP/1.0 and 1.1, curl and ncat to nginx, IPv4 and IPv6: gzip, chunked, range, upload, pipelining, errors'
    [http2]='HTTP/2 in the clear, nghttp to nghttpd: two streams, then a request with a body'
    [tls]='TLS 1.2 and 1.3, openssl and curl: resumption, client certificate, h2, refused versions'
    [dns]='DNS over UDP and TCP, dig to dnsmasq: A, AAAA, MX, TXT, SRV, CNAME, PTR, NXDOMAIN, EDNS, refused'
    [ssh]='SSH, OpenSSH both sides: a command, a file by sftp, a wrong key'
    [mail]='SMTP, swaks to aiosmtpd: a message with an attachment, STARTTLS, a refused command'
    [dhcp]='DHCPv4 and DHCPv6, udhcpc and dhclient to dnsmasq: lease, renewal, release'
    [files]='FTP passive and active (curl to vsftpd), TFTP (tftp to tftpd)'
    [time]='NTP, chronyd both sides'
    [quic]='QUIC version 1, 2 and a retry with HTTP/3, ngtcp2 both sides'
    [mqtt]='MQTT 3.1.1 and 5, mosquitto: QoS 0 to 2, retained, wrong password'
    [redis]='Redis, redis-cli to redis-server'
    [ping]='ARP, ICMP and ICMPv6: echo, fragments, closed port, neighbour discovery'
    [scan]='port scans by nmap: connect, SYN, NULL, Xmas, UDP'
    [lossy]='a web download over a wire that loses, swaps and repeats segments'
    [vlan]='ping, DNS and HTTP under an 802.1Q tag'
    [qinq]='ping, DNS and HTTP under a service and a customer tag (802.1ad)'
    [trunk]='ping, DNS and HTTP behind MPLS, then in a PPPoE session'
    [tunnels]='ping, DNS and HTTP in GRE, Ethernet in GRE, ERSPAN II, GENEVE, IP in IP, GTP-U'
    [vxlan]='ping, DNS and HTTP through the kernel'"'"'s own VXLAN device'
)

say() { printf 'record.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- what is made, and undone ---------------------------------------------------------------------------------------

work=
clean_up() {
    local space
    for space in "$client" "$wire" "$server"; do
        stop_all_in "$space"
        ip netns del "$space" 2>/dev/null || true
    done
    [ -z "$work" ] || rm -rf -- "$work"
}

stop_all_in() {
    local pids
    pids=$(ip netns pids "$1" 2>/dev/null || true)
    # shellcheck disable=SC2086 # one word a process
    [ -z "$pids" ] || kill $pids 2>/dev/null || true
}

install_missing() {
    local missing=() package quiet=
    for package in "${packages[@]}"; do
        dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing with apt (root): ${missing[*]}"
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        say 'keeping their services from starting meanwhile (root)'
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
        quiet=1
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >/dev/null
    [ -z "$quiet" ] || rm -f /usr/sbin/policy-rc.d
}

in_client() { ip netns exec "$client" "$@"; }
in_server() { ip netns exec "$server" "$@"; }

# Two ways between client and server: c0-s0 directly, and c1-s1 over the wire.
make_network() {
    say "making three network namespaces (root): $client $wire $server"
    local space
    for space in "$client" "$wire" "$server"; do
        ip netns add "$space"
        ip -n "$space" link set lo up
    done
    ip -n "$client" link add c0 address 02:00:00:00:00:10 type veth peer name s0 address 02:00:00:00:00:20 netns "$server"
    ip -n "$client" link add c1 address 02:00:00:00:01:10 type veth peer name w0 address 02:00:00:00:01:01 netns "$wire"
    ip -n "$server" link add s1 address 02:00:00:00:01:20 type veth peer name w1 address 02:00:00:00:01:02 netns "$wire"
    # over the wire frames grow by headers, so hosts there keep to smaller ones
    bring_up "$client" c0 192.0.2.10/24 2001:db8:1::10/64 1500
    bring_up "$server" s0 192.0.2.20/24 2001:db8:1::20/64 1500
    bring_up "$client" c1 198.51.100.10/24 2001:db8:2::10/64 1400
    bring_up "$server" s1 198.51.100.20/24 2001:db8:2::20/64 1400
    bring_up "$wire" w0 '' '' 1500
    bring_up "$wire" w1 '' '' 1500
    sleep 1
}

# Offloads would leave checksums unfinished and segments larger than any frame.
bring_up() {
    local space=$1 device=$2 four=$3 six=$4 mtu=$5
    ip netns exec "$space" ethtool -K "$device" tx off rx off tso off gso off gro off >/dev/null 2>&1 || true
    ip netns exec "$space" sysctl -qw "net.ipv6.conf.$device.accept_dad=0" "net.ipv6.conf.$device.router_solicitations=0"
    [ -n "$four" ] || ip netns exec "$space" sysctl -qw "net.ipv6.conf.$device.disable_ipv6=1"
    ip -n "$space" link set "$device" mtu "$mtu" up
    [ -z "$four" ] || ip -n "$space" addr add "$four" dev "$device"
    [ -z "$six" ] || ip -n "$space" addr add "$six" dev "$device" nodad
}

# Everything the servers hand out. The random file is a cipher's key stream, the same at every recording.
make_content() {
    mkdir -p "$work/www" "$work/ftp/incoming" "$work/mail"
    chmod 755 "$work" "$work/www" "$work/ftp"
    { echo '<html><head><title>Bundled</title></head><body>'; seq -f '<p>line %g of a page made for tests</p>' 80
      echo '</body></html>'; } >"$work/www/index.html"
    echo '<!--# echo var="uri" --> was asked for, in chunks' >"$work/www/parts.shtml"
    head -c 40000 /dev/zero | openssl enc -aes-128-ctr -K 0 -iv 0 2>/dev/null >"$work/www/random.bin"
    printf '{"kind":"test","values":[%s]}\n' "$(seq -s, 1 50)" >"$work/www/data.json"
    cp "$work/www/random.bin" "$work/www/index.html" "$work/ftp/"
    chmod 777 "$work/ftp/incoming"
    chmod -R a+rX "$work/www" "$work/ftp"
}

make_certificates() {
    local subject='/O=Example Tests/CN'
    (
        cd "$work"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "$subject=Test CA" \
            -keyout ca.key -out ca.pem
        for name in www client; do
            openssl req -newkey rsa:2048 -nodes -subj "$subject=$name.example.test" -keyout "$name.key" -out "$name.csr"
            printf 'subjectAltName=DNS:%s.example.test,DNS:*.example.test,IP:192.0.2.20\n' "$name" >"$name.ext"
            openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 \
                -extfile "$name.ext" -out "$name.pem"
        done
    ) >/dev/null 2>&1
}

# --- recording ------------------------------------------------------------------------------------------------------

recorder=
# record FILE [INTERFACE]: begins to record in the server's namespace.
record() {
    ip netns exec "$server" tcpdump -Z root -i "${2:-s0}" -n -U --immediate-mode --time-stamp-precision=nano -w "$out/$1.pcap" \
        2>"$work/tcpdump.log" &
    recorder=$!
    wait_for grep -q 'listening on' "$work/tcpdump.log"
}

# wire_up FILE FORM [OPTION...]: joins c1 and s1, and records what passes in that form.
wire_up() {
    local file=$1 form=$2
    shift 2
    ip netns exec "$wire" python3 "$here/wire.py" w0 w1 "$out/$file.pcap" "$form" "$@" >"$work/wire.log" &
    recorder=$!
    wait_for grep -q ready "$work/wire.log"
}

stop_recording() {
    sleep 0.4
    kill "$recorder" 2>/dev/null || true
    wait "$recorder" 2>/dev/null || true
}

wait_for() {
    local tries=100
    until "$@" 2>/dev/null; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || die "waited ten seconds in vain for: $*"
        sleep 0.1
    done
}

# serve tcp|udp PORT COMMAND...: starts a server and waits until it listens.
serve() {
    local protocol=$1 port=$2
    shift 2
    ip netns exec "$server" "$@" >>"$work/servers.log" 2>&1 &
    wait_for listens "$protocol" "$port"
}

listens() {
    local flag=-lnt
    [ "$1" = tcp ] || flag=-lnu
    in_server ss -H "$flag" "sport = :$2" | grep -q .
}

# Clients say what they like on their own output; a client that is meant to fail says so here.
quietly() { in_client timeout 20 "$@" >>"$work/clients.log" 2>&1 || die "failed: $* (see $(keep_log))"; }
failing() { if in_client timeout 20 "$@" >>"$work/clients.log" 2>&1; then die "should have failed: $*"; fi; }

keep_log() {
    cp "$work/clients.log" "${TMPDIR:-/tmp}/record-clients.log"
    cp "$work/servers.log" "${TMPDIR:-/tmp}/record-servers.log" 2>/dev/null || true
    printf '%s\n' "${TMPDIR:-/tmp}/record-clients.log"
}

curl_www() { quietly curl -sS --resolve '*:80:192.0.2.20' --resolve '*:443:192.0.2.20' --cacert "$work/ca.pem" "$@" -o /dev/null; }

# --- scenes ---------------------------------------------------------------------------------------------------------

start_nginx() {
    cat >"$work/nginx.conf" <<CONF
daemon off;
master_process off;
user root;
pid $work/nginx.pid;
error_log $work/nginx-error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3;
    uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
    types { text/html html shtml; application/json json; application/octet-stream bin; }
    gzip on; gzip_min_length 100; gzip_types application/json;
    server {
        listen 80; listen [::]:80; listen 443 ssl http2; listen [::]:443 ssl http2;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate $work/www.pem; ssl_certificate_key $work/www.key;
        root $work/www; ssi on;
        location /upload { client_max_body_size 1m; proxy_pass http://127.0.0.1:81; }
        location /moved { return 302 /index.html; }
        location /private { return 401; add_header WWW-Authenticate 'Basic realm="tests"' always; }
    }
    server { listen 127.0.0.1:81; location / { return 201 "thanks\n"; } }
}
CONF
    listens tcp 80 || serve tcp 80 nginx -c "$work/nginx.conf" -e "$work/nginx-error.log"
}

scene_web() {
    start_nginx
    record web
    curl_www http://www.example.test/
    curl_www --compressed http://www.example.test/
    curl_www --compressed http://www.example.test/data.json http://www.example.test/parts.shtml -o /dev/null
    curl_www http://files.example.test/random.bin
    curl_www -r 1000-1999 http://files.example.test/random.bin
    curl_www -I http://www.example.test/
    curl_www -0 http://www.example.test/data.json
    curl_www -F note=hello -F "file=@$work/www/data.json" http://www.example.test/upload
    curl_www -H 'Transfer-Encoding: chunked' --data-binary "@$work/www/index.html" http://www.example.test/upload
    curl_www -L http://www.example.test/moved
    curl_www -u visitor:secret http://www.example.test/private
    curl_www 'http://www.example.test/nothing%2e%2e/here?q=a%20b&r=<x>'
    curl_www -A 'tests/1.0 (bundled)' -b 'session=1234; theme=dark' -e http://other.example.test/ http://www.example.test/
    quietly curl -sS -g 'http://[2001:db8:1::20]/data.json' -o /dev/null
    printf 'GET /data.json HTTP/1.1\r\nHost: a.example.test\r\n\r\nGET /index.html HTTP/1.1\r\nHost: b.example.test\r\nConnection: close\r\n\r\n' |
        quietly ncat 192.0.2.20 80
    printf 'BREW /pot HTCPCP/1.0\r\n\r\n' | quietly ncat 192.0.2.20 80
    stop_recording
}

scene_http2() {
    serve tcp 8080 nghttpd --no-tls -d "$work/www" 8080
    record http2
    quietly nghttp -n http://192.0.2.20:8080/index.html http://192.0.2.20:8080/data.json
    quietly nghttp -n -d "$work/www/data.json" http://192.0.2.20:8080/data.json
    stop_recording
}

scene_tls() {
    start_nginx
    serve tcp 4433 openssl s_server -accept 4433 -cert "$work/www.pem" -key "$work/www.key" -CAfile "$work/ca.pem" \
        -verify 1 -www -alpn http/1.1
    serve tcp 4434 openssl s_server -accept 4434 -cert "$work/www.pem" -key "$work/www.key" -tls1_2 -www
    record tls
    curl_www https://www.example.test/
    curl_www --http1.1 --tlsv1.3 https://www.example.test/random.bin
    curl_www --tls-max 1.2 --ciphers ECDHE-RSA-AES256-GCM-SHA384 https://www.example.test/data.json
    failing curl -sS --resolve '*:443:192.0.2.20' https://unknown.example.test/
    local s_client=(openssl s_client -CAfile "$work/ca.pem" -servername www.example.test)
    quietly "${s_client[@]}" -connect 192.0.2.20:4433 -tls1_3 -alpn http/1.1,h2 -cert "$work/client.pem" \
        -key "$work/client.key" < <(printf 'GET / HTTP/1.0\r\n\r\n'; sleep 1)
    quietly "${s_client[@]}" -connect 192.0.2.20:4434 -sess_out "$work/session" < <(printf 'GET / HTTP/1.0\r\n\r\n'; sleep 1)
    quietly "${s_client[@]}" -connect 192.0.2.20:4434 -sess_in "$work/session" < <(printf 'GET / HTTP/1.0\r\n\r\n'; sleep 1)
    quietly "${s_client[@]}" -connect 192.0.2.20:4434 -cipher AES128-SHA < <(printf 'GET / HTTP/1.0\r\n\r\n'; sleep 1)
    failing "${s_client[@]}" -connect 192.0.2.20:4434 -tls1_3 </dev/null
    failing "${s_client[@]}" -connect 192.0.2.20:4434 -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null
    stop_recording
}

start_dns() {
    listens udp 53 || serve udp 53 dnsmasq -k --conf-file=/dev/null --user=root --pid-file= --no-resolv --no-hosts \
        --no-daemon --local=/example.test/ \
        --host-record=www.example.test,192.0.2.20,2001:db8:1::20 --cname=web.example.test,www.example.test \
        --host-record=mail.example.test,192.0.2.25 --mx-host=example.test,mail.example.test,10 \
        --txt-record=example.test,'v=spf1 -all','made for tests' \
        --srv-host=_ldap._tcp.example.test,www.example.test,389,1,2 --ptr-record=20.2.0.192.in-addr.arpa,www.example.test \
        --naptr-record=example.test,10,20,s,SIP+D2U,,_sip._udp.example.test \
        --address=/many.example.test/192.0.2.1
}

scene_dns() {
    start_dns
    record dns
    local ask=(dig @192.0.2.20 +tries=1 +time=2)
    quietly "${ask[@]}" www.example.test A
    quietly "${ask[@]}" www.example.test AAAA +noedns
    quietly "${ask[@]}" web.example.test A
    quietly "${ask[@]}" example.test MX
    quietly "${ask[@]}" example.test TXT
    quietly "${ask[@]}" _ldap._tcp.example.test SRV
    quietly "${ask[@]}" example.test NAPTR
    quietly "${ask[@]}" -x 192.0.2.20
    quietly "${ask[@]}" missing.example.test A
    quietly "${ask[@]}" elsewhere.example A
    quietly "${ask[@]}" version.bind TXT CH
    quietly "${ask[@]}" +tcp www.example.test A
    quietly "${ask[@]}" +tcp +keepopen www.example.test AAAA mail.example.test A
    quietly "${ask[@]}" +dnssec +nsid +cookie=0123456789abcdef many.example.test A
    quietly "${ask[@]}" +opcode=NOTIFY example.test SOA
    quietly dig @2001:db8:1::20 +tries=1 +time=2 WwW.eXaMpLe.TeSt A
    failing dig @192.0.2.20 -p 5353 +tries=1 +time=1 closed.example.test A
    stop_recording
}

scene_ssh() {
    say 'sshd wants its folder /run/sshd (root)'
    mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f "$work/host"
    ssh-keygen -q -t ed25519 -N '' -f "$work/user"
    ssh-keygen -q -t rsa -b 2048 -N '' -f "$work/wrong"
    cp "$work/user.pub" "$work/authorized"
    serve tcp 22 /usr/sbin/sshd -D -f /dev/null -h "$work/host" -o UsePAM=no -o StrictModes=no -o PidFile=none \
        -o "AuthorizedKeysFile=$work/authorized" -o 'Subsystem=sftp internal-sftp' -o PasswordAuthentication=no
    local options=(-F /dev/null -o StrictHostKeyChecking=no -o "UserKnownHostsFile=$work/known" -o IdentitiesOnly=yes
        -o BatchMode=yes)
    record ssh
    quietly ssh "${options[@]}" -i "$work/user" root@192.0.2.20 'echo hello; seq 1 200'
    echo "get $work/www/data.json $work/fetched" >"$work/batch"
    quietly sftp "${options[@]}" -i "$work/user" -b "$work/batch" root@192.0.2.20
    quietly ssh "${options[@]}" -c aes128-ctr -m hmac-sha2-256 -o KexAlgorithms=ecdh-sha2-nistp256 -i "$work/user" root@192.0.2.20 true
    failing ssh "${options[@]}" -i "$work/wrong" root@192.0.2.20 true
    stop_recording
}

scene_mail() {
    serve tcp 25 /usr/bin/python3 -m aiosmtpd -n -l 0.0.0.0:25 -c aiosmtpd.handlers.Sink
    serve tcp 587 /usr/bin/python3 -m aiosmtpd -n -l 0.0.0.0:587 --tlscert "$work/www.pem" --tlskey "$work/www.key" \
        -c aiosmtpd.handlers.Sink
    record mail
    local swaks=(swaks --server 192.0.2.20 --helo client.example.test --from ann@example.test --to bob@example.test
        --header 'Subject: bundled test' --header 'Message-ID: <1@example.test>')
    quietly "${swaks[@]}" --body 'A short message.'
    quietly "${swaks[@]}" --to bob@example.test,eve@example.test --body 'With an attachment.' \
        --attach-type application/json --attach-name data.json --attach "@$work/www/data.json"
    quietly "${swaks[@]}" --port 587 --tls --body 'Under TLS.'
    printf 'HELO old.example.test\r\nMAIL FROM:<a@example.test>\r\nNONSENSE\r\nRSET\r\nVRFY bob\r\nQUIT\r\n' |
        quietly ncat -C 192.0.2.20 25
    stop_recording
}

scene_dhcp() {
    # a network of its own, so that the client begins without an address
    ip -n "$client" link add c2 address 02:00:00:00:02:10 type veth peer name s2 address 02:00:00:00:02:20 netns "$server"
    bring_up "$server" s2 203.0.113.1/24 2001:db8:3::1/64 1500
    ip -n "$client" link set c2 up
    serve udp 67 dnsmasq -k --conf-file=/dev/null --user=root --pid-file= --port=0 --no-daemon --interface=s2 \
        --bind-interfaces --dhcp-leasefile="$work/leases" --dhcp-authoritative --domain=example.test \
        --dhcp-range=203.0.113.100,203.0.113.150,1h --dhcp-option=option:ntp-server,203.0.113.1 \
        --dhcp-range=2001:db8:3::100,2001:db8:3::150,64,1h --enable-ra
    record dhcp s2
    quietly udhcpc -i c2 -f -q -n -t 5 -s /bin/true -x hostname:visitor
    local dhclient=(dhclient -cf /dev/null -sf /bin/true -lf "$work/dhclient" -pf "$work/dhclient.pid")
    quietly "${dhclient[@]}" -4 -1 c2
    quietly "${dhclient[@]}" -4 -r c2
    quietly "${dhclient[@]}" -6 -1 c2
    quietly "${dhclient[@]}" -6 -r c2
    stop_recording
    ip -n "$client" link del c2
}

scene_files() {
    say 'vsftpd wants its empty folder /run/vsftpd/empty (root)'
    mkdir -p /run/vsftpd/empty
    cat >"$work/vsftpd.conf" <<CONF
listen=NO
listen_ipv6=YES
background=NO
anonymous_enable=YES
anon_root=$work/ftp
write_enable=YES
anon_upload_enable=YES
seccomp_sandbox=NO
xferlog_enable=NO
ftpd_banner=made for tests
CONF
    serve tcp 21 vsftpd "$work/vsftpd.conf"
    serve udp 69 in.tftpd --foreground --address 0.0.0.0:69 --secure "$work/ftp"
    record files
    quietly curl -sS ftp://192.0.2.20/ -o /dev/null
    quietly curl -sS --disable-epsv ftp://192.0.2.20/index.html -o /dev/null
    quietly curl -sS -P 192.0.2.10 ftp://192.0.2.20/random.bin -o /dev/null
    quietly curl -sS -T "$work/www/data.json" ftp://192.0.2.20/incoming/data.json
    failing curl -sS -u bob:wrong ftp://192.0.2.20/
    quietly curl -sS -g 'ftp://[2001:db8:1::20]/index.html' -o /dev/null
    quietly tftp 192.0.2.20 -m octet -c get index.html "$work/fetched-by-tftp"
    quietly tftp 192.0.2.20 -m octet -c get missing.html "$work/nothing"
    stop_recording
}

scene_time() {
    # -x: the clock stays as it is
    printf 'local stratum 8\nallow all\ncmdport 0\nbindcmdaddress /\npidfile %s/chronyd.pid\n' "$work" >"$work/chrony.conf"
    serve udp 123 chronyd -x -d -u root -f "$work/chrony.conf"
    record time
    quietly chronyd -x -Q -t 8 -u root -f /dev/null 'server 192.0.2.20 iburst maxsamples 4' 'cmdport 0' "pidfile $work/chronyc.pid"
    quietly chronyd -x -Q -t 8 -u root -f /dev/null 'server 2001:db8:1::20 iburst maxsamples 2' 'cmdport 0' "pidfile $work/chronyc.pid"
    stop_recording
}

scene_quic() {
    serve udp 443 gtlsserver -q -d "$work/www" 192.0.2.20 443 "$work/www.key" "$work/www.pem"
    serve udp 4444 gtlsserver -q -V -d "$work/www" 192.0.2.20 4444 "$work/www.key" "$work/www.pem"
    record quic
    local get=(gtlsclient -q --exit-on-all-streams-close)
    quietly "${get[@]}" 192.0.2.20 443 https://www.example.test/index.html
    quietly "${get[@]}" --version v2draft 192.0.2.20 443 https://www.example.test/data.json
    quietly "${get[@]}" 192.0.2.20 4444 https://retry.example.test/data.json
    stop_recording
}

scene_mqtt() {
    mosquitto_passwd -b -c "$work/passwd" ann secret
    chmod 644 "$work/passwd"
    printf 'listener 1883 0.0.0.0\nallow_anonymous false\npassword_file %s\npersistence false\nuser root\n' "$work/passwd" >"$work/mosquitto.conf"
    serve tcp 1883 mosquitto -c "$work/mosquitto.conf"
    record mqtt
    local to=(-h 192.0.2.20 -u ann -P secret)
    ip netns exec "$client" timeout 20 mosquitto_sub "${to[@]}" -i listener -t 'tests/#' -q 2 -C 4 >>"$work/clients.log" 2>&1 &
    local listener=$!
    sleep 0.5
    quietly mosquitto_pub "${to[@]}" -i speaker -t tests/a -m zero -q 0
    quietly mosquitto_pub "${to[@]}" -i speaker -t tests/b -m one -q 1 -r
    quietly mosquitto_pub "${to[@]}" -i speaker -V mqttv5 -t tests/c -m two -q 2 -D publish content-type text/plain
    quietly mosquitto_pub "${to[@]}" -i speaker -t tests/d -f "$work/www/data.json"
    wait "$listener" || die 'the MQTT listener did not hear all four messages'
    failing mosquitto_pub -h 192.0.2.20 -u ann -P wrong -t tests/a -m no
    stop_recording
}

scene_redis() {
    serve tcp 6379 redis-server --bind 0.0.0.0 --protected-mode no --save '' --dir "$work"
    record redis
    printf 'SET greeting hello\nGET greeting\nLPUSH list a b c\nLRANGE list 0 -1\nINFO server\nNOSUCH\n' |
        quietly redis-cli -h 192.0.2.20
    stop_recording
}

scene_ping() {
    ip -n "$client" neigh flush dev c0
    record ping
    quietly ping -c 3 -i 0.2 192.0.2.20
    quietly ping -c 2 -i 0.2 -s 4000 192.0.2.20
    quietly ping -c 2 -i 0.2 -s 4000 -6 2001:db8:1::20
    quietly ping -c 2 -i 0.2 -6 2001:db8:1::20
    quietly arping -c 2 -I c0 192.0.2.20
    failing arping -c 2 -w 1 -I c0 192.0.2.99
    echo anyone | failing ncat -u -w 1 192.0.2.20 7
    failing ncat -w 1 192.0.2.20 7
    stop_recording
}

scene_scan() {
    start_nginx
    record scan
    local scan=(nmap -n -Pn --max-retries 0 -T4)
    quietly "${scan[@]}" -sT -p 1-100,443 192.0.2.20
    quietly "${scan[@]}" -sS -p 1-60 192.0.2.20
    quietly "${scan[@]}" -sN -p 20-40 192.0.2.20
    quietly "${scan[@]}" -sX -p 20-40 192.0.2.20
    quietly "${scan[@]}" -sU -p 50-60 192.0.2.20
    stop_recording
}

# The same small talk for every form of encapsulation.
small_talk() {
    quietly ping -c 2 -i 0.2 "$1"
    quietly dig "@$1" +tries=2 +time=2 www.example.test A
    quietly curl -sS "http://$1/data.json" -H 'Host: www.example.test' -o /dev/null
}

scene_lossy() {
    start_nginx
    wire_up lossy plain --lose 2 --swap 6 --twice 3 --seed 5
    quietly curl -sS http://198.51.100.20/random.bin -o /dev/null
    quietly curl -sS --compressed http://198.51.100.20/index.html -o /dev/null
    quietly curl -sS -g 'http://[2001:db8:2::20]/random.bin' -o /dev/null
    stop_recording
}

# wired FILE FORM [OPTION...]
wired() {
    start_nginx
    start_dns
    ip -n "$client" neigh flush dev c1
    wire_up "$@"
    small_talk 198.51.100.20
    quietly curl -sS -g 'http://[2001:db8:2::20]/index.html' -o /dev/null
    stop_recording
}

scene_vlan() { wired vlan vlan:7; }
scene_qinq() { wired qinq qinq:5:7; }

scene_trunk() {
    wired trunk mpls:1016
    wired trunk pppoe:9 --append
}

scene_tunnels() {
    wired tunnels gre
    local form
    for form in gretap erspan2:30 geneve:8 ipip gtpu:11; do
        wired tunnels "$form" --append
    done
}

scene_vxlan() {
    start_nginx
    start_dns
    local space end=10 other=20
    for space in "$client" "$server"; do
        ip -n "$space" link add x0 address "02:00:00:00:03:$end" type vxlan id 77 dstport 4789 local "192.0.2.$end" \
            remote "192.0.2.$other"
        bring_up "$space" x0 "203.0.113.$end/24" "2001:db8:4::$end/64" 1400
        end=20 other=10
    done
    record vxlan
    small_talk 203.0.113.20
    quietly curl -sS -g 'http://[2001:db8:4::20]/index.html' -o /dev/null
    stop_recording
    ip -n "$client" link del x0
    ip -n "$server" link del x0
}

# --- the page beside the captures -----------------------------------------------------------------------------------

write_readme() {
    local scene frames
    {
        cat <<PAGE
# Bundled traffic

Real programs that talked to each other in network namespaces of one machine, recorded by
\`tests/testbed/record/record.sh\` (run it as root on Debian to record anew; \`record.sh SCENE\` records one file).
Addresses are those of RFC 5737 and RFC 3849, names those of RFC 2606; keys and certificates were made for the recording
and thrown away. The captures are the project's own and carry its licence. Everything is recorded in the clear by
tcpdump with nanoseconds, but for the forms that not every kernel has devices for: there \`wire.py\` stands between the
two hosts and writes each frame the way a trunk or a mirror session shows it. This page is written by the script.

| file | frames | what |
|---|---|---|
PAGE
        for scene in "${scenes[@]}"; do
            [ -e "$out/$scene.pcap" ] || continue
            frames=$(tcpdump -nr "$out/$scene.pcap" 2>/dev/null | wc -l)
            # shellcheck disable=SC2016 # Markdown's own quotes
            printf '| `%s.pcap` | %s | %s |\n' "$scene" "$frames" "${story[$scene]}"
        done
        # shellcheck disable=SC1091 # every Debian machine has it
        printf '\nMade with the packages of %s:\n\n' "$(. /etc/os-release && printf '%s' "$PRETTY_NAME")"
        # shellcheck disable=SC2016 # dpkg's own variables
        dpkg-query -W -f '${Package} ${Version}\n' "${packages[@]}" | sort | sed 's/^/- /'
    } >"$out/README.md"
}

main() {
    if [ "${1:-}" = --list ]; then
        printf '%s\n' "${scenes[@]}"
        return
    fi
    local scene chosen=("$@")
    [ ${#chosen[@]} -gt 0 ] || chosen=("${scenes[@]}")
    for scene in "${chosen[@]}"; do
        [ -n "${story[$scene]:-}" ] || die "unknown scene '$scene': $0 --list"
    done
    [ "$(id -u)" -eq 0 ] || die 'needs root (namespaces, packet sockets, low ports): run it again as root'
    install_missing
    work=$(mktemp -d)
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    mkdir -p "$out"
    make_network
    make_content
    make_certificates
    for scene in "${chosen[@]}"; do
        say "recording $scene"
        "scene_$scene"
    done
    write_readme
    say "done: $(du -ch "$out"/*.pcap | tail -1 | cut -f1) in $out"
}

main "$@"
