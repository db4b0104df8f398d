#!/usr/bin/env bash
# NFStream 6.6.0 (PyPI) reads no flow, and says nothing, of captures whose frames are
#   Linux cooked v2   what tcpdump -i any writes since libpcap 1.10 (LINUX_SLL2)
#   802.1ad           a provider's VLAN tag, EtherType 0x88a8, before the customer's
# The same packet below Linux cooked v1, or two 802.1Q tags, gives its flow.
# Needs Python 3.9 to 3.13, and PyPI.
set -euo pipefail
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"

python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check nfstream==6.6.0 scapy==2.8.0

cat >make.py <<'PY'
from scapy.all import IP, UDP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether, wrpcap

packet = IP(src="192.0.2.1", dst="198.51.100.2") / UDP(sport=1000, dport=2000) / b"request"
ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
for name, frame in {
    "cooked v1": CookedLinux(lladdrtype=1, lladdrlen=6, src=b"\2\0\0\0\0\1") / packet,
    "cooked v2": CookedLinuxV2(lladdrtype=1, lladdrlen=6, src=b"\2\0\0\0\0\1") / packet,
    "802.1Q, 802.1Q": ether / Dot1Q(vlan=5) / Dot1Q(vlan=7) / packet,
    "802.1ad, 802.1Q": ether / Dot1AD(vlan=5) / Dot1Q(vlan=7) / packet,
}.items():
    wrpcap(name + ".pcap", frame)
PY
cat >read.py <<'PY'
from nfstream import NFStreamer

for name in "cooked v1", "cooked v2", "802.1Q, 802.1Q", "802.1ad, 802.1Q":
    flows = [f.src_ip for f in NFStreamer(name + ".pcap", n_dissections=0, n_meters=1)]
    print(f"{name}: {flows}")
PY
venv/bin/python make.py
venv/bin/python read.py 2>&1 | tee seen
diff seen - <<'SEEN' && echo "as seen"
cooked v1: ['192.0.2.1']
cooked v2: []
802.1Q, 802.1Q: ['192.0.2.1']
802.1ad, 802.1Q: []
SEEN
