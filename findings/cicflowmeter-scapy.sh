#!/usr/bin/env bash
# cicflowmeter 0.2.0 (PyPI) asks for no version of scapy. With scapy 2.8.0, which
# pip then installs, it reads a capture, writes an empty file and exits 0; with
# scapy 2.5.0 the same capture gives a header and one flow.
# Needs Python 3.9 to 3.12, PyPI, and tcpdump, which scapy calls to filter.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

python3 -m venv venv
pip() { venv/bin/python -m pip install -q --disable-pip-version-check "$@"; }
pip cicflowmeter==0.2.0 scapy==2.8.0 numpy==1.26.4

# One TCP connection: handshake, a request, both FINs, the last ACK.
cat >make.py <<'PY'
from scapy.all import Ether, IP, TCP, wrpcap

client, server = ("192.0.2.1", 40000), ("198.51.100.2", 80)
packets = []
for i, (a, b, flags) in enumerate([
    (client, server, "S"), (server, client, "SA"), (client, server, "A"), (client, server, "PA"),
    (server, client, "FA"), (client, server, "FA"), (server, client, "A"),
]):
    p = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=a[0], dst=b[0]) / TCP(
        sport=a[1], dport=b[1], flags=flags, seq=10 * i, ack=1) / (b"request" if "P" in flags else b"")
    p.time = 1_700_000_000 + i / 10
    packets.append(p)
wrpcap("connection.pcap", packets)
PY
venv/bin/python make.py

count() { venv/bin/cicflowmeter -f connection.pcap -c "$1" 2>/dev/null; wc -l <"$1"; }
newest=$(count newest.csv)
pip scapy==2.5.0
older=$(count older.csv)
echo "lines written: $newest with scapy 2.8.0, $older with scapy 2.5.0"
[ "$newest" = 0 ] && [ "$older" = 2 ] && echo "as seen"
