#!/usr/bin/env bash
# argus 3.0.8.2 (Debian 12), -r: where packets are stamped before the one ahead of them, a
# flow begins with the last of those, not with the earliest: packets at 4, 0 and 2 s are a
# record of 3 packets from 2 to 4 s. The packet at 0 s lies outside it. In the order of
# time they are a record from 0 to 4 s.
# Needs Debian 12 on amd64, its package mirror, Python 3.9 or later, and PyPI.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

mkdir -p debs/partial
apt-get -qq -y --reinstall --download-only -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
	-o Dir::Cache::archives="$temp/debs" install argus-server=2:3.0.8.2-2.2 argus-client=1:3.0.8.2-6.1+b3
for deb in debs/*.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH="$temp/usr/lib/x86_64-linux-gnu"

python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check scapy==2.8.0
cat >make.py <<'PY'
from scapy.all import IP, UDP, Ether, wrpcap

frame = (Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
         / IP(src="192.0.2.1", dst="198.51.100.2") / UDP(sport=1000, dport=2000) / bytes(20))
for name, times in {"forward": (0, 2, 4), "backward": (4, 0, 2)}.items():
    packets = []
    for t in times:
        p = frame.copy()
        p.time = 1_700_000_000 + t
        packets.append(p)
    wrpcap(name + ".pcap", packets)
PY
venv/bin/python make.py

for name in forward backward; do
	echo "$name:" $(usr/sbin/argus -X -r "$name.pcap" -w - | usr/bin/ra -X -n -u -p 0 -r - -L -1 \
		-s stime:12 ltime:12 pkts - udp)
done 2>errors | tee seen
diff seen - <<'SEEN' && echo "as seen"
forward: 1700000000 1700000004 3
backward: 1700000002 1700000004 3
SEEN
