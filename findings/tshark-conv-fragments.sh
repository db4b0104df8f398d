#!/usr/bin/env bash
# tshark 4.0.17 (Debian 12), -z conv,udp: fragments that are put together are one packet,
# with the bytes of the frame that came last. A UDP message of 4,000 bytes in three frames
# of 4,110 bytes together counts 1 packet and 1,082 bytes; without reassembly 1 packet and
# 1,514 bytes; -z conv,ip has 3 packets and 4,110 bytes.
# Needs Debian 12 on amd64, its package mirror, Python 3.9 or later, and PyPI.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

mkdir -p debs/partial
apt-get -qq -y --reinstall --download-only -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
	-o Dir::Cache::archives="$temp/debs" install tshark=4.0.17-0+deb12u3
for deb in debs/*.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH="$temp/usr/lib/x86_64-linux-gnu"

python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check scapy==2.8.0
cat >make.py <<'PY'
from scapy.all import IP, UDP, Ether, fragment, wrpcap

message = IP(src="192.0.2.1", dst="198.51.100.2", id=7) / UDP(sport=1000, dport=2000) / bytes(4000)
wrpcap("fragments.pcap", [
    Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / f for f in fragment(message, fragsize=1480)])
PY
venv/bin/python make.py

conversation() {
	usr/bin/tshark -r fragments.pcap -q -z "$@" 2>/dev/null | awk '/<->/ { print $(NF-4), $(NF-3), $(NF-2) }'
}
{
	echo "conv,udp: $(conversation conv,udp)"
	echo "conv,udp, no reassembly: $(conversation conv,udp -o ip.defragment:FALSE)"
	echo "conv,ip: $(conversation conv,ip)"
} | tee seen
diff seen - <<'SEEN' && echo "as seen"
conv,udp: 1 1082 bytes
conv,udp, no reassembly: 1 1514 bytes
conv,ip: 3 4110 bytes
SEEN
