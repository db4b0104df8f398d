#!/usr/bin/env bash
# scapy 2.8.0 and dpkt 1.9.8 (PyPI) round times to microseconds when they write pcap, and
# do not carry: 0.9999996 s is written as 0 seconds and 1,000,000 microseconds, though the
# format has microseconds below a million. The packet comes from a valid capture in
# nanoseconds, read and written with their defaults; scapy's wrpcapng cuts instead.
# Needs Python 3.9 or later, and PyPI.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check scapy==2.8.0 dpkt==1.9.8

cat >nano.py <<'PY'
import struct

import dpkt
from scapy.all import IP, UDP, Ether, rdpcap, wrpcap, wrpcapng

frame = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
              / IP(src="192.0.2.1", dst="198.51.100.2") / UDP(sport=1000, dport=2000))
with open("nano.pcap", "wb") as f:  # pcap with nanoseconds, Ethernet, one record
    f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
    f.write(struct.pack("<IIII", 1_700_000_000, 999_999_600, len(frame), len(frame)) + frame)

wrpcap("scapy.pcap", rdpcap("nano.pcap"))
wrpcapng("scapy.pcapng", rdpcap("nano.pcap"))
with open("nano.pcap", "rb") as f, open("dpkt.pcap", "wb") as out:
    writer = dpkt.pcap.Writer(out)
    for time, data in dpkt.pcap.Reader(f):
        writer.writepkt(data, ts=time)
for name in "scapy", "dpkt":
    with open(name + ".pcap", "rb") as f:
        print(name, *struct.unpack("<II", f.read(32)[24:]))
print("pcapng", rdpcap("scapy.pcapng")[0].time)
PY
venv/bin/python nano.py | tee seen
diff seen - <<'SEEN' && echo "as seen"
scapy 1700000000 1000000
dpkt 1700000000 1000000
pcapng 1700000000.999999
SEEN
