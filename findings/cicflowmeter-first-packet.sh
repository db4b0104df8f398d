#!/usr/bin/env bash
# cicflowmeter 0.5.0 (PyPI), with scapy 2.6.1:
#   -d FOLDER   counts the first packet of each flow twice, in packets, bytes and rates: a
#               flow of one packet has two, one of 4 + 3 packets has 5 + 3
#   -f FILE     reads no file: --fields gets the value of --verbose, an AttributeError
# Needs Python 3.12 or later (PYTHON=python3.12), PyPI, and tcpdump, which scapy calls to filter.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check \
	cicflowmeter==0.5.0 scapy==2.6.1 numpy==2.2.6 scipy==1.15.3

mkdir captures rows
cat >make.py <<'PY'
from scapy.all import IP, TCP, UDP, Ether, wrpcap

ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
there, back = IP(src="192.0.2.1", dst="198.51.100.2"), IP(src="198.51.100.2", dst="192.0.2.1")
wrpcap("captures/one.pcap", ether / there / UDP(sport=1000, dport=2000) / b"request")
wrpcap("captures/tcp.pcap", [
    ether / ip / TCP(sport=40000 if ip is there else 80, dport=80 if ip is there else 40000, flags=flags)
    for ip, flags in ((there, "S"), (back, "SA"), (there, "A"), (there, "A"), (back, "FA"), (there, "FA"), (back, "A"))])
PY
venv/bin/python make.py

venv/bin/cicflowmeter -d captures -c rows >/dev/null 2>&1
for name in one tcp; do
	venv/bin/python -c 'import csv, sys
for row in csv.DictReader(open(f"rows/{sys.argv[1]}.csv")):
    print(sys.argv[1], *(row[c] for c in ("tot_fwd_pkts", "tot_bwd_pkts", "totlen_fwd_pkts")))' "$name"
done | tee seen
venv/bin/cicflowmeter -f captures/one.pcap -c one.csv 2>errors || tail -n 1 errors | tee -a seen
diff seen - <<'SEEN' && echo "as seen"
one 2 0 98
tcp 5 3 270
AttributeError: 'bool' object has no attribute 'split'
SEEN
