#!/usr/bin/env python3
"""One end of a tunnel: a tun or tap device whose packets travel encapsulated.

    encap.py DEVICE --kind KIND --via INTERFACE --peer MAC          vlan, qinq, mpls, pppoe
    encap.py DEVICE --kind KIND --local ADDRESS --remote ADDRESS    ipip, gre, grefull, gretap

The TCP, UDP and IP inside come from the kernel; this program adds and removes
the headers between, where the kernel lacks the module for it.

    vlan     tap, 802.1Q tag 5, priority 3
    qinq     tap, 802.1ad tag 100 around 802.1Q tag 5
    mpls     tun, labels 1000 and 17 (RFC 3032)
    pppoe    tun, session 0x1234 (RFC 2516) with PPP protocols 0x0021 and 0x0057
    ipip     tun, protocol 4 or 41 by the version of the packet inside (RFC 2003, 4213, 2473)
    gre      tun, plain GRE (RFC 2784)
    grefull  tun, GRE with checksum, key and sequence number (RFC 2890)
    gretap   tap, GRE carrying Ethernet (protocol 0x6558)
"""
import argparse
import fcntl
import os
import select
import socket
import struct

ETH_P_ALL = 3
PACKET_OUTGOING = 4
SOL_PACKET, PACKET_AUXDATA = 263, 8
TP_STATUS_VLAN_VALID = 1 << 4
TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454CA, 1, 2, 0x1000
TAP = {"vlan", "qinq", "gretap"}
TAGS = {"vlan": bytes.fromhex("81006005"), "qinq": bytes.fromhex("88a8006481000005")}
LABELS = bytes.fromhex("003e803f0001113f")


def device(name, tap):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    flags = (IFF_TAP if tap else IFF_TUN) | IFF_NO_PI
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    return fd


def is6(packet):
    return packet[0] >> 4 == 6


class Frames:
    """Encapsulation in Ethernet frames."""

    def __init__(self, a):
        self.kind = a.kind
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.s.bind((a.via, ETH_P_ALL))
        self.ethernet = bytes.fromhex(a.peer.replace(":", "")) + self.s.getsockname()[4]

    def send(self, p):
        if self.kind in TAGS:
            p = p[:12] + TAGS[self.kind] + p[12:]
        elif self.kind == "mpls":
            p = self.ethernet + b"\x88\x47" + LABELS + p
        else:
            ppp = (b"\x00\x57" if is6(p) else b"\x00\x21") + p
            p = self.ethernet + b"\x88\x64" + struct.pack(">BBHH", 0x11, 0, 0x1234, len(ppp)) + ppp
        self.s.send(p)

    def receive(self):
        p, aux, _, addr = self.s.recvmsg(65536, 256)
        if addr[2] == PACKET_OUTGOING:
            return None
        for level, kind, data in aux:  # the kernel has taken the outer tag out of the frame
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, tci, tpid = struct.unpack("=I12xHH", data[:20])
                if status & TP_STATUS_VLAN_VALID:
                    p = p[:12] + struct.pack(">HH", tpid, tci) + p[12:]
        if self.kind in TAGS:
            tags = TAGS[self.kind]
            return p[:12] + p[12 + len(tags):] if p[12:12 + len(tags)] == tags else None
        if self.kind == "mpls":
            return p[14 + len(LABELS):] if p[12:14] == b"\x88\x47" else None
        if p[12:14] != b"\x88\x64":
            return None
        return p[22:20 + int.from_bytes(p[18:20], "big")]


class Packets:
    """Encapsulation in IP packets, through raw sockets."""

    def __init__(self, a):
        self.kind, self.remote, self.sequence = a.kind, a.remote, 0
        self.family = socket.AF_INET6 if ":" in a.local else socket.AF_INET
        self.socks = {}
        for protocol in ((4, 41) if a.kind == "ipip" else (47,)):
            s = socket.socket(self.family, socket.SOCK_RAW, protocol)
            s.bind((a.local, 0))
            s.connect((a.remote, 0))
            self.socks[protocol] = s

    def send(self, p):
        if self.kind == "ipip":
            self.socks[41 if is6(p) else 4].send(p)
            return
        inside = 0x6558 if self.kind == "gretap" else 0x86DD if is6(p) else 0x0800
        if self.kind == "grefull":
            p = struct.pack(">HHHHII", 0xB000, inside, 0, 0, 0xF10F, self.sequence) + p
            self.sequence += 1
            padded = p + b"\0" * (len(p) & 1)
            total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
            while total >> 16:
                total = (total & 0xFFFF) + (total >> 16)
            p = p[:4] + struct.pack(">H", total ^ 0xFFFF) + p[6:]
        else:
            p = struct.pack(">HH", 0, inside) + p
        self.socks[47].send(p)

    def receive(self, s):
        p = s.recv(65536)
        if self.family == socket.AF_INET:
            p = p[(p[0] & 15) * 4:]
        if self.kind == "ipip":
            return p
        return p[16:] if self.kind == "grefull" else p[4:]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("device")
    for name in ("kind", "via", "peer", "local", "remote"):
        ap.add_argument("--" + name)
    a = ap.parse_args()
    fd = device(a.device, a.kind in TAP)
    if a.via:
        end = Frames(a)
        socks = {end.s: end.receive}
    else:
        end = Packets(a)
        socks = {s: (lambda s=s: end.receive(s)) for s in end.socks.values()}
    while True:
        for ready in select.select([fd, *socks], [], [])[0]:
            try:
                if ready == fd:
                    end.send(os.read(fd, 65536))
                elif p := socks[ready]():
                    os.write(fd, p)
            except OSError:
                pass  # the device or the link is not up yet, or the packet is too long for it


main()
