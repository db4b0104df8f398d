#!/usr/bin/env bash
# nfpcapd 1.7.1 (Debian 12's nfdump), -r, default timeouts (active 300 s, inactive 60 s):
#   a UDP packet to or from port 53 is a flow of its own: a resolver's four packets on one
#   pair of ports are four flows, on port 5300 two
#   a packet is added before the timeouts are tested: of packets ten minutes apart, two and
#   two are a flow of ten minutes
# Needs Debian 12 on amd64, its package mirror, Python 3.9 or later, and PyPI.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

mkdir -p debs/partial
apt-get -qq -y --reinstall --download-only -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
	-o Dir::Cache::archives="$temp/debs" install nfdump=1.7.1-2+deb12u1
for deb in debs/*.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH="$temp/usr/lib/x86_64-linux-gnu"

python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check scapy==2.8.0
cat >make.py <<'PY'
from scapy.all import IP, UDP, Ether, wrpcap

ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
client, server = "192.0.2.1", "198.51.100.2"


def packet(time, port, back=False):
    ip = IP(src=server, dst=client) if back else IP(src=client, dst=server)
    p = ether / ip / UDP(sport=port if back else 1000, dport=1000 if back else port) / bytes(20)
    p.time = 1_700_000_000 + time
    return p


for port in 53, 5300:
    wrpcap(f"{port}.pcap", [packet(i, port, back=i % 2 == 1) for i in range(4)])
wrpcap("silence.pcap", [packet(600 * i, 5300) for i in range(4)])
PY
venv/bin/python make.py

for name in 53 5300 silence; do
	mkdir "$name"
	usr/bin/nfpcapd -r "$name.pcap" -w "$name" >/dev/null 2>&1
	usr/bin/nfdump -q -R "$name" -o 'fmt:%td %sp %pkt' | sed "s/^ */$name: /; s/  */ /g"
done | tee seen
diff seen - <<'SEEN' && echo "as seen"
53: 00:00:00.000 1000 1
53: 00:00:00.000 53 1
53: 00:00:00.000 1000 1
53: 00:00:00.000 53 1
5300: 00:00:02.000 1000 2
5300: 00:00:02.000 5300 2
silence: 00:10:00.000 1000 2
silence: 00:10:00.000 1000 2
SEEN
