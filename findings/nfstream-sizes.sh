#!/usr/bin/env bash
# NFStream 6.6.0 (PyPI), accounting_mode=0, which counts the bytes of frames:
#   a frame of 65,549 bytes, as receive offload makes them, has 13: its size modulo 65,536
#   fragments after the first are neither packets nor bytes: of a UDP message of 4,000
#   bytes in three frames there are one packet and 1,514 bytes
# Needs Python 3.9 to 3.13, and PyPI.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check nfstream==6.6.0 scapy==2.8.0

cat >make.py <<'PY'
from scapy.all import IP, TCP, UDP, Ether, fragment, wrpcap

ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
ip = IP(src="192.0.2.1", dst="198.51.100.2")
wrpcap("large.pcap", ether / ip / TCP(sport=1000, dport=2000, flags="A") / bytes(65535 - 40))
wrpcap("fragments.pcap", [ether / f for f in fragment(ip / UDP(sport=1000, dport=2000) / bytes(4000), fragsize=1480)])
PY
cat >read.py <<'PY'
from nfstream import NFStreamer

for name in "large", "fragments":
    for f in NFStreamer(name + ".pcap", accounting_mode=0, n_dissections=0, n_meters=1):
        print(name, f.bidirectional_packets, f.bidirectional_bytes)
PY
venv/bin/python make.py
venv/bin/python read.py 2>&1 | tee seen
diff seen - <<'SEEN' && echo "as seen"
large 1 13
fragments 1 1514
SEEN
