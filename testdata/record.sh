#!/usr/bin/env bash
# Records the captures of this folder: real programs in network namespaces.
#
#     sudo testdata/record.sh [NAME...]      all, or only the scenarios named
#     testdata/expect.sh ORACLE              then the expected rows
#
# Linux with veth and tun; Debian packages are installed if programs are missing.
# Everything happens in namespaces of its own (mounts, processes, host name and
# network): when the script ends, however it ends, nothing of them is left.
set -euo pipefail
shopt -s inherit_errexit

packages=(tcpdump wireshark-common iproute2 iputils-ping ethtool nginx-light curl apache2-utils
    dnsmasq-base bind9-dnsutils openssh-server openssh-client iperf3 nmap traceroute
    python3 zstd binutils util-linux)
programs=(tcpdump dumpcap ip ping ethtool nginx curl ab dnsmasq dig sshd ssh iperf3 nmap traceroute
    python3 zstd strings unshare)

if [[ -z ${RECORD_INSIDE-} ]]; then
    [[ $(id -u) == 0 ]] || { echo "record.sh: must run as root" >&2; exit 2; }
    for p in "${programs[@]}"; do
        command -v "$p" >/dev/null && continue
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq -y --no-install-recommends "${packages[@]}"
        break
    done
    # What must not show up in a capture.
    RECORD_SECRETS="$(hostname)|$(hostname -f 2>/dev/null || hostname)|$(uname -r)|$(cd "$(dirname "$0")" && pwd)"
    export RECORD_SECRETS RECORD_INSIDE=1
    exec unshare --uts --mount --pid --fork --kill-child --mount-proc -- "$(realpath "$0")" "$@"
fi

here=$(dirname "$0")
cd "$here"
tools=$PWD/tools
hostname capture
export LC_ALL=C HOME=/nonexistent
work=$(mktemp -d /tmp/record.XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -p /run/netns /run/sshd
mount -t tmpfs tmpfs /run/netns

# ---- the network

# ns NAME...: namespaces with loopback up and quiet IPv6.
ns() {
    local n
    for n in "$@"; do
        ip netns add "$n"
        on "$n" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
            net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.default.router_solicitations=0 \
            net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 \
            net.ipv6.icmp.ratelimit=0 net.ipv4.ping_group_range="0 0"
        on "$n" sysctl -qw net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=10000 2>/dev/null || true
        ip -n "$n" link set lo up
    done
}

on() { ip netns exec "$@"; }

# veth NS IF MAC NS IF MAC: a cable.
veth() {
    ip -n "$1" link add "$2" address "$3" type veth peer name "$5" netns "$4" address "$6"
    ip -n "$1" link set "$2" up
    ip -n "$4" link set "$5" up
}

# addr NS IF ADDRESS...
addr() {
    local n=$1 i=$2 a
    shift 2
    for a in "$@"; do
        if [[ $a == *:* ]]; then ip -n "$n" addr add "$a" dev "$i" nodad; else ip -n "$n" addr add "$a" dev "$i"; fi
    done
}

plain() { on "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null; }

server4=198.51.100.80 server6=2001:db8:2::80
client4=192.0.2.10 client6=2001:db8:1::10

# The main network: cl (client) - rt (router) - sv (server).
network() {
    ns cl rt sv
    veth cl c0 02:00:00:00:00:10 rt r0 02:00:00:00:00:01
    veth rt r1 02:00:00:00:00:02 sv s0 02:00:00:00:00:80
    routes
}

# The same with a bad wire (namespace wi) between router and server.
network_with_wire() {
    ns cl rt sv wi
    veth cl c0 02:00:00:00:00:10 rt r0 02:00:00:00:00:01
    veth rt r1 02:00:00:00:00:02 wi w1 02:00:00:00:00:f1
    veth sv s0 02:00:00:00:00:80 wi w2 02:00:00:00:00:f2
    on wi sysctl -qw net.ipv6.conf.all.disable_ipv6=1
    plain cl c0; plain rt r0; plain rt r1; plain sv s0
    routes
}

routes() {
    addr cl c0 $client4/24 $client6/64
    addr rt r0 192.0.2.1/24 2001:db8:1::1/64
    addr rt r1 198.51.100.1/24 2001:db8:2::1/64
    addr sv s0 $server4/24 $server6/64
    ip -n cl route add default via 192.0.2.1
    ip -n cl route add default via 2001:db8:1::1
    ip -n sv route add default via 198.51.100.1
    ip -n sv route add default via 2001:db8:2::1
}

# Two hosts on one cable, for the tunnels.
pair() {
    ns cl sv
    veth cl c0 02:00:00:00:00:10 sv s0 02:00:00:00:00:80
    addr cl c0 192.0.2.10/24 2001:db8::10/64
    addr sv s0 192.0.2.80/24 2001:db8::80/64
}

# teardown: ends what the scenario started and takes its namespaces away.
teardown() {
    local p n
    for p in "${started[@]}"; do kill -- "$p" 2>/dev/null || true; done
    for p in "${started[@]}"; do wait "$p" 2>/dev/null || true; done
    started=()
    for n in $(ip netns list | cut -d' ' -f1); do
        for p in $(ip netns pids "$n"); do kill -9 "$p" 2>/dev/null || true; done
        ip netns del "$n"
    done
}

# ---- programs

started=()
# background NS COMMAND...: runs until teardown.
background() {
    ip netns exec "$@" >>"$work/log" 2>&1 &
    started+=($!)
}

# served NS ADDRESS PORT: waits for a TCP server.
served() {
    local i
    for i in {1..50}; do
        on "$1" python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)' \
            "$2" "$3" 2>/dev/null && return
        sleep 0.1
    done
    echo "record.sh: no server on $2 port $3" >&2
    return 1
}

# quiet on NS COMMAND...: output to the log, and never longer than a minute.
quiet() { shift; timeout 60 ip netns exec "$@" </dev/null >>"$work/log" 2>&1; }
talk() { local n=$1; shift; quiet on "$n" python3 "$tools/talk.py" "$@"; }

talk_server() {
    background sv python3 "$tools/talk.py" serve
    served sv "${1-127.0.0.1}" 7000
}

web_server() {
    mkdir -p "$work/www" "$work/nginx"
    local k
    for k in 1 20 60 200; do
        awk -v n=$((k * 1024 / 8)) 'BEGIN { for (i = 0; i < n; i++) printf "%07d\n", i }' >"$work/www/$k.txt"
    done
    echo '<!doctype html><title>example</title><p>An example.' >"$work/www/index.html"
    chmod -R a+rX "$work/www"
    cat >"$work/nginx.conf" <<END
worker_processes 1;
daemon off;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events { worker_connections 512; }
http {
    access_log off;
    types { text/plain txt; text/html html; }
    client_body_temp_path $work/nginx; proxy_temp_path $work/nginx; fastcgi_temp_path $work/nginx;
    uwsgi_temp_path $work/nginx; scgi_temp_path $work/nginx;
    keepalive_timeout 6;
    client_header_timeout 9;
    server { listen 80; listen [::]:80; root $work/www; }
}
END
    background sv nginx -c "$work/nginx.conf" -e "$work/nginx/error.log"
    served sv 127.0.0.1 80
}

dns_server() {
    local big=() i
    for i in {10..21}; do big+=("--txt-record=big.example.com,record $i $(printf '%0230d' "$i")"); done
    background sv dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root \
        --pid-file= --no-daemon --bind-interfaces --edns-packet-max=4096 \
        --listen-address=$server4 --listen-address=$server6 --listen-address=127.0.0.1 --listen-address=::1 \
        --address=/www.example.com/$server4 --address=/www.example.com/$server6 \
        --mx-host=example.com,mail.example.com,10 "${big[@]}"
    served sv 127.0.0.1 53
}

# ---- recording

declare -A recorder
# start NAME NS INTERFACE [tcpdump options]
start() {
    local name=$1 n=$2 i=$3
    shift 3
    ip netns exec "$n" tcpdump -Z root -n -i "$i" -U -B 16384 -s 0 -w "$work/$name.pcap" "$@" 2>"$work/$name.err" &
    recorder[$name]=$!
    listening "$name" 'listening on'
}

# listening NAME PATTERN: waits until the recorder of NAME is at work.
listening() {
    local i
    for i in {1..100}; do
        grep -qs "$2" "$work/$1.err" && { sleep 0.2; return; }
        sleep 0.05
    done
    cat "$work/$1.err" >&2
    return 1
}

# stop NAME...: ends the recording and moves it here, compressed if that is worth it.
stop() {
    local name file
    sleep 1.3 # the kernel hands over a block at least once a second
    for name in "$@"; do
        kill -TERM "${recorder[$name]}"
        wait "${recorder[$name]}" || true
        if grep -Eq '^[1-9][0-9]* packets? dropped by kernel' "$work/$name.err"; then
            echo "record.sh: $name: packets dropped, again please" >&2
            return 1
        fi
        file=$(echo "$work/$name".pcap*)
        if [[ $file == *.pcapng ]]; then python3 "$tools/anonymous.py" "$file"; fi
        if strings -n 6 "$file" | grep -wEn "$secrets" >&2; then
            echo "record.sh: $name: names this machine" >&2
            return 1
        fi
        rm -f "$name".pcap*
        if (($(stat -c %s "$file") > 60000)); then
            zstd -q -19 "$file" -o "$(basename "$file").zst"
        else
            cp "$file" .
        fi
        chmod 644 "$name".pcap*
        ls -s --block-size=1 "$name".pcap*
    done
}

# Short host names ("vm") would be found everywhere by chance.
secrets=$(tr '|' '\n' <<<"$RECORD_SECRETS" | awk 'length >= 4 && $0 != "localhost"' | sort -u | sed 's/[.]/\\./g' | paste -sd'|')
secrets="${secrets:+$secrets|}$work"

# ---- scenarios

web() { # keep-alive, parallel downloads, pauses, both IP versions
    network; web_server
    start web sv s0
    local a u
    for a in $server4 "[$server6]"; do
        u=http://$a
        quiet on cl curl -sS -o /dev/null -o /dev/null -o /dev/null -o /dev/null $u/ $u/1.txt $u/20.txt $u/missing
        quiet on cl curl -sS -Z --parallel-immediate --parallel-max 6 \
            $(for i in {1..10}; do echo "-o /dev/null $u/60.txt?$i"; done)
        quiet on cl curl -sS --rate 40/m -o /dev/null -o /dev/null -o /dev/null $u/1.txt $u/20.txt $u/1.txt
        quiet on cl ab -q -k -n 60 -c 6 $u/1.txt
        quiet on cl ab -q -n 40 -c 4 $u/
        quiet on cl curl -sS -o /dev/null --limit-rate 100k $u/200.txt
    done
    stop web
    teardown
}

dns() { # UDP and TCP, answers longer than the MTU in fragments, truncated answers asked again over TCP
    network; dns_server
    start dns sv s0
    local a t
    for a in $server4 $server6; do
        for t in A AAAA MX; do quiet on cl dig @$a www.example.com $t; done
        quiet on cl dig @$a example.com MX
        quiet on cl dig @$a no.example.com
        quiet on cl dig @$a +tcp www.example.com
        quiet on cl dig @$a +bufsize=4096 big.example.com TXT
        quiet on cl dig @$a +bufsize=512 big.example.com TXT
        quiet on cl dig @$a +tcp +keepopen www.example.com A big.example.com TXT www.example.com AAAA
        quiet on cl dig @$a -b $([[ $a == *:* ]] && echo $client6 || echo $client4)#5353 www.example.com
    done
    stop dns
    teardown
}

ssh() { # an interactive session: keystrokes, pauses, bursts of output
    network
    ssh-keygen -q -t ed25519 -N '' -C example -f "$work/host"
    ssh-keygen -q -t ed25519 -N '' -C example -f "$work/user"
    cp "$work/user.pub" "$work/authorized"
    cat >"$work/sshd_config" <<END
HostKey $work/host
AuthorizedKeysFile $work/authorized
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PrintMotd no
PrintLastLog no
PidFile none
END
    background sv "$(command -v sshd)" -D -e -f "$work/sshd_config"
    served sv 127.0.0.1 22
    start ssh cl c0 port 22
    local a
    for a in $server4 $server6; do
        typed 0.08 'echo hello' 'seq 300' 'sleep 1.3' 'ls /usr/bin' 'exit' |
            timeout 90 ip netns exec cl "$(command -v ssh)" -tt -F none -i "$work/user" -o StrictHostKeyChecking=no \
                -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@$a >>"$work/log" 2>&1 || true
    done
    stop ssh
    teardown
}

# typed SECONDS LINE...: the lines, key by key.
typed() {
    local pause=$1 line i
    shift
    sleep 1
    for line in "$@"; do
        for ((i = 0; i < ${#line}; i++)); do printf %s "${line:i:1}"; sleep "$pause"; done
        printf '\n'
        sleep 1.2
    done
}

bulk() { # a bulk transfer with segmentation offload, cut to 96 bytes
    network
    background sv iperf3 -s
    served sv 127.0.0.1 5201
    start bulk cl c0 -s 96
    quiet on cl iperf3 -c $server4 -n 60M
    quiet on cl iperf3 -c $server6 -n 30M -R
    quiet on cl iperf3 -c $server4 -n 8M -P 3 -M 1000
    quiet on cl iperf3 -c $server4 -u -b 12M -t 1 -l 1200
    quiet on cl iperf3 -c $server6 -u -b 8M -t 1 -l 1200 -R
    stop bulk
    teardown
}

bigtcp() { # super-packets beyond 64 KiB: jumbograms in IPv6, total length 0 in IPv4
    pair
    local e
    for e in "cl c0" "sv s0"; do
        set -- $e
        on "$1" python3 "$tools/raise.py" "$2" 180000
        on "$1" sysctl -qw net.ipv4.tcp_wmem="4096 2000000 8000000" net.ipv4.tcp_rmem="4096 2000000 8000000"
    done
    background sv iperf3 -s
    served sv 127.0.0.1 5201
    start bigtcp cl c0 -s 120
    quiet on cl iperf3 -c 192.0.2.80 -n 60M
    quiet on cl iperf3 -c 2001:db8::80 -n 60M
    stop bigtcp
    teardown
}

slow() { # a slow-header client: 40 connections that never finish their request
    network; web_server
    start slow sv s0
    quiet on cl python3 "$tools/slow.py" $server4 80 30 1.2 22 &
    quiet on cl python3 "$tools/slow.py" $server6 80 10 0.8 22
    wait %% || true
    stop slow
    teardown
}

scan() { # port scans: SYN, connect, null, FIN, Xmas, ACK, UDP
    network; web_server; dns_server
    start scan sv s0
    local n="nmap -n -Pn --max-retries 1 --send-ip"
    quiet on cl $n -sS -p 1-1000 $server4
    quiet on cl $n -6 -sS -p 1-300 $server6
    quiet on cl $n -sT -p 20-90 $server4
    quiet on cl $n -sN -p 20-90 $server4
    quiet on cl $n -sF -p 20-90 $server4
    quiet on cl $n -sX -p 20-90 $server4
    quiet on cl $n -sA -p 20-90 $server4
    # Ports that belong to no protocol: for some that do, TFTP first of all,
    # tshark takes packets of several ports for one stream.
    quiet on cl $n -sU -p 53,40000-40060 $server4
    quiet on cl $n -6 -sU -p 53,40000-40020 $server6
    stop scan
    start tiny sv s0 # TCP headers cut in fragments of 8 and 16 bytes
    quiet on cl $n -f -sS -p 75-85 $server4
    quiet on cl $n -f -f -sS -p 75-85 $server4
    stop tiny
    teardown
}

icmp() { # pings (long ones in fragments), errors that quote UDP and TCP
    network
    start icmp cl c0
    local a
    for a in $server4 $server6; do
        quiet on cl ping -n -c 3 -i 0.2 $a
        quiet on cl ping -n -c 2 -i 0.2 -s 3000 $a
        quiet on cl dig @$a +tries=1 +timeout=1 www.example.com || true
        quiet on cl traceroute -n -q 1 -w 1 $a
        quiet on cl traceroute -n -q 1 -w 1 -T -p 80 $a
        quiet on cl traceroute -n -q 1 -w 1 -I $a
    done
    quiet on cl ping -n -c 2 -i 0.2 -R $server4
    stop icmp
    teardown
}

# ends KIND: the two ends of a tunnel in Ethernet frames, device t0 on both.
ends() {
    background cl python3 "$tools/encap.py" t0 --kind "$1" --via c0 --peer 02:00:00:00:00:80
    background sv python3 "$tools/encap.py" t0 --kind "$1" --via s0 --peer 02:00:00:00:00:10
    inside
}

# ends_ip KIND ADDRESS ADDRESS: the same over IP.
ends_ip() {
    background cl python3 "$tools/encap.py" t0 --kind "$1" --local "$2" --remote "$3"
    background sv python3 "$tools/encap.py" t0 --kind "$1" --local "$3" --remote "$2"
    inside
}

inside() {
    local n
    sleep 0.7
    for n in "cl 10" "sv 80"; do
        set -- $n
        ip -n "$1" link set t0 mtu 1400 up
        addr "$1" t0 203.0.113."$2"/24 2001:db8:f::"$2"/64
    done
    sleep 0.3
}

inside4=203.0.113.80 inside6=2001:db8:f::80

# encapsulated NAME: what is recorded of each tunnel.
encapsulated() {
    quiet on cl ping -n -c 1 $inside4
    quiet on cl curl -sS -o /dev/null -o /dev/null http://$inside4/ http://$inside4/20.txt
    quiet on cl curl -sS -o /dev/null -o /dev/null http://[$inside6]/ http://[$inside6]/20.txt
    talk cl chat $inside4
    talk cl chat $inside6
}

link_tunnel() { # KIND: VLAN, QinQ, MPLS, PPPoE
    pair; web_server; talk_server
    plain cl c0; plain sv s0
    start "$1" cl c0
    ends "$1"
    encapsulated
    talk cl chat 192.0.2.80 # and some without
    stop "$1"
    teardown
}

vlan() { link_tunnel vlan; }
qinq() { link_tunnel qinq; }
mpls() { link_tunnel mpls; }
pppoe() { link_tunnel pppoe; }

ip_tunnel() { # NAME KIND ADDRESS ADDRESS
    pair; web_server; talk_server
    start "$1" cl c0
    ends_ip "$2" "$3" "$4"
    encapsulated
    stop "$1"
    teardown
}

ipip() { ip_tunnel ipip ipip 192.0.2.10 192.0.2.80; }        # 4 in 4, 6 in 4
ipip6() { ip_tunnel ipip6 ipip 2001:db8::10 2001:db8::80; }  # 4 in 6, 6 in 6
gre() { ip_tunnel gre gre 192.0.2.10 192.0.2.80; }
grefull() { ip_tunnel grefull grefull 192.0.2.10 192.0.2.80; } # checksum, key, sequence
gre6() { ip_tunnel gre6 gre 2001:db8::10 2001:db8::80; }
gretap() { ip_tunnel gretap gretap 192.0.2.10 192.0.2.80; }    # Ethernet inside

vxlan() { # the kernel's VXLAN: outside it is a UDP flow
    pair; web_server; talk_server
    local e
    for e in "cl 10 80" "sv 80 10"; do
        set -- $e
        ip -n "$1" link add t0 type vxlan id 42 local 192.0.2."$2" remote 192.0.2."$3" dstport 4789
    done
    start vxlan cl c0
    inside
    encapsulated
    stop vxlan
    teardown
}

srv6() { # segment routing: IPv6 in IPv6 with a routing header, and a routing header put into the packet
    network; talk_server
    local n
    for n in "rt r0" "rt r1" "sv s0"; do
        set -- $n
        on "$1" sysctl -qw net.ipv6.conf.all.seg6_enabled=1 "net.ipv6.conf.$2.seg6_enabled=1"
    done
    addr sv s0 2001:db8:a::80/64 2001:db8:b::80/64
    ip -n rt route add 2001:db8:b::/64 via $server6
    ip -n cl route add 2001:db8:a::/64 encap seg6 mode encap segs 2001:db8:1::1,$server6 dev c0
    ip -n cl route add 2001:db8:b::/64 encap seg6 mode inline segs 2001:db8:1::1 dev c0
    start srv6 sv s0
    start srv6-first cl c0
    talk cl chat 2001:db8:a::80
    talk cl chat 2001:db8:b::80
    stop srv6 srv6-first
    teardown
}

options() { # IPv4 options, IPv6 hop-by-hop and destination options, also in front of fragments
    network; talk_server
    start options cl c0
    talk cl options $server4
    talk cl options $server6
    stop options
    teardown
}

fragments() { # UDP and TCP in fragments, out of order
    network_with_wire; talk_server
    local e
    for e in "rt r1" "sv s0" "wi w1" "wi w2"; do
        set -- $e
        ip -n "$1" link set "$2" mtu 1280
    done
    # The server asks for longer segments than the link to it takes, nobody sets Don't Fragment.
    ip -n sv route replace default via 198.51.100.1 advmss 1460
    on cl sysctl -qw net.ipv4.ip_no_pmtu_disc=1
    on sv sysctl -qw net.ipv4.ip_no_pmtu_disc=1
    background wi python3 "$tools/wire.py" w1 w2 --delay 1 --jitter 3
    sleep 0.5
    start fragments sv s0
    talk cl datagrams $server4
    talk cl datagrams $server6
    talk cl stream $server4 60000
    quiet on cl ping -n -c 2 -i 0.3 -s 4000 $server4
    stop fragments
    teardown
}

loss() { # a bad wire: loss, reordering, duplicates, congestion marks
    network_with_wire; talk_server
    on cl sysctl -qw net.ipv4.tcp_ecn=1
    on sv sysctl -qw net.ipv4.tcp_ecn=1
    background wi python3 "$tools/wire.py" w1 w2 --delay 4 --jitter 6 --loss 0.03 --duplicate 0.01 --mark 0.08
    sleep 0.5
    start loss sv s0
    talk cl stream $server4 400000
    talk cl stream $server6 400000
    talk cl chat $server4
    talk cl datagrams $server4
    stop loss
    teardown
}

reuse() { # one source port again and again, silences longer than a second
    network; talk_server
    start reuse sv s0
    talk cl reuse $server4
    talk cl reuse $server6
    stop reuse
    teardown
}

flags() { # urgent data, resets, half-close, refused, simultaneous open
    network_with_wire; talk_server
    background wi python3 "$tools/wire.py" w1 w2 --delay 15 # long enough for two SYNs to cross
    sleep 0.5
    start flags sv s0
    local a
    for a in $server4 $server6; do talk cl flags $a; done
    talk sv together $server4 $client4 &
    talk cl together $client4 $server4 || true
    wait %% || true
    stop flags
    teardown
}

cooked() { # any interface: Linux cooked v1 and v2
    network; web_server; talk_server; dns_server
    local t
    for t in SLL SLL2; do
        start "any-${t,,}" rt any -y LINUX_$t
        quiet on cl ping -n -c 1 $server4
        talk cl chat $server4
        talk cl chat $server6
        quiet on cl curl -sS -o /dev/null http://$server4/20.txt
        quiet on cl dig @$server6 +bufsize=4096 big.example.com TXT
        stop "any-${t,,}"
    done
    teardown
}

lo() { # loopback, and connections to themselves
    ns sv; talk_server; web_server
    start lo sv lo
    talk sv chat 127.0.0.1
    talk sv chat ::1
    talk sv self
    quiet on sv curl -sS -o /dev/null http://127.0.0.1/200.txt
    stop lo
    teardown
}

tun() { # raw IP on a tun device, alone and together with the Ethernet below it in one pcapng file
    pair; web_server; talk_server
    ends_ip ipip 192.0.2.10 192.0.2.80
    start tun cl t0
    encapsulated
    stop tun
    ip netns exec cl dumpcap -q -i c0 -i t0 -w "$work/interfaces.pcapng" 2>"$work/interfaces.err" &
    recorder[interfaces]=$!
    listening interfaces 'File:'
    encapsulated
    talk cl chat 192.0.2.80
    stop interfaces
    teardown
}

nano() { # nanosecond timestamps
    network; talk_server
    start nano sv s0 --time-stamp-precision=nano
    talk cl chat $server4
    talk cl chat $server6
    stop nano
    teardown
}

snap() { # captured lengths that just hold, and just miss, the transport header
    network; talk_server
    start snap50 sv s0 -s 50 # 14 + 20 + 16: IPv4 TCP counts; the IPv6 header is cut
    start snap64 sv s0 -s 64 # 14 + 40 + 10: IPv6 UDP counts, IPv6 TCP is cut
    start snap40 sv s0 -s 40 # 14 + 20 + 6: only the IPv4 header is whole
    talk cl chat $server4
    talk cl chat $server6
    stop snap50 snap64 snap40
    teardown
}

bridge() { # a bridge that speaks the spanning tree protocol: 802.3 frames with LLC among the others
    ns cl br sv
    veth cl c0 02:00:00:00:00:10 br b0 02:00:00:00:00:b0
    veth sv s0 02:00:00:00:00:80 br b1 02:00:00:00:00:b1
    addr cl c0 192.0.2.10/24 2001:db8::10/64
    addr sv s0 192.0.2.80/24 2001:db8::80/64
    ip -n br link add br0 type bridge stp_state 1 forward_delay 200
    ip -n br link set b0 master br0
    ip -n br link set b1 master br0
    ip -n br link set br0 up
    talk_server
    sleep 5
    start bridge cl c0
    talk cl chat 192.0.2.80
    talk cl chat 2001:db8::80
    sleep 4
    stop bridge
    teardown
}

all=(web dns ssh bulk bigtcp slow scan icmp vlan qinq mpls pppoe ipip ipip6 gre grefull gre6 gretap vxlan srv6
    options fragments loss reuse flags cooked lo tun nano snap bridge)
failed=0
for s in "${@:-${all[@]}}"; do
    echo "== $s"
    set +e # a condition around the subshell would switch its errexit off
    (set -e; "$s")
    status=$?
    set -e
    if ((status)); then
        echo "record.sh: $s failed" >&2
        tail -5 "$work/log" >&2 || true
        failed=1
    fi
    teardown
done
exit $failed
