#!/usr/bin/env bash
# softflowd 1.1.0 (Debian 12), -r, NetFlow v5: the records of the two directions of a flow
# both have the first and last time of the two together; and where packets are stamped
# before the one ahead of them, a flow can end before it begins.
#   three packets at 0, 2 (back) and 9 s    both records last 9 s
#   packets at 10, 0 and 5 s                the record lasts -5 s
# Needs Debian 12 on amd64, its package mirror, Python 3.9 or later, and PyPI.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

mkdir -p debs/partial
apt-get -qq -y --reinstall --download-only -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
	-o Dir::Cache::archives="$temp/debs" install softflowd=1.1.0-1+b1
for deb in debs/*.deb; do dpkg -x "$deb" .; done
export LD_LIBRARY_PATH="$temp/usr/lib/x86_64-linux-gnu"

python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check scapy==2.8.0
cat >run.py <<'PY'
import socket
import struct
import subprocess

from scapy.all import IP, UDP, Ether, wrpcap

client, server = ("192.0.2.1", 1000), ("198.51.100.2", 2000)


def packet(time, source, target):
    p = (Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=source[0], dst=target[0])
         / UDP(sport=source[1], dport=target[1]) / bytes(20))
    p.time = 1_700_000_000 + time
    return p


collector = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
collector.bind(("127.0.0.1", 0))
collector.settimeout(10)
for packets in (
    [packet(0, client, server), packet(2, server, client), packet(9, client, server)],
    [packet(10, client, server), packet(0, client, server), packet(5, client, server)],
):
    wrpcap("capture.pcap", packets)
    subprocess.run(["usr/sbin/softflowd", "-r", "capture.pcap", "-v", "5", "-p", "pid", "-c", "none",
                    "-n", "127.0.0.1:%d" % collector.getsockname()[1]], check=True, capture_output=True)
    data = collector.recv(65535)
    for i in range(struct.unpack(">H", data[2:4])[0]):  # header of 24 bytes, records of 48
        record = data[24 + 48 * i:72 + 48 * i]
        count, _, first, last = struct.unpack(">IIII", record[16:32])
        print(socket.inet_ntoa(record[:4]), count, "packets,", last - first, "ms")
PY
venv/bin/python run.py | tee seen
diff seen - <<'SEEN' && echo "as seen"
192.0.2.1 2 packets, 9000 ms
198.51.100.2 1 packets, 9000 ms
192.0.2.1 3 packets, -5000 ms
SEEN
