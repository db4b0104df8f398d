#!/usr/bin/env python3
"""A bad wire: copies frames between two interfaces, late, out of order, or not at all.

    wire.py A B [--delay MS] [--jitter MS] [--loss P] [--duplicate P] [--mark P] [--seed N]

Each frame waits for the delay plus a random part of the jitter, so that frames
overtake each other. --mark sets Congestion Experienced in ECN-capable packets
(RFC 3168, 5). Stands in for tc netem where the kernel has none. Offloads must
be off on the far ends of both interfaces.
"""
import argparse
import heapq
import random
import select
import socket
import time

ETH_P_ALL = 3
PACKET_OUTGOING = 4


def mark(frame):
    """The frame with CE set, if it is an ECN-capable IP packet."""
    f = bytearray(frame)
    kind = f[12:14]
    if kind == b"\x08\x00" and f[15] & 3 in (1, 2):
        f[15] |= 3
        header = 14 + (f[14] & 15) * 4
        f[24:26] = b"\0\0"
        total = sum(f[i] << 8 | f[i + 1] for i in range(14, header, 2))
        total = (total & 0xFFFF) + (total >> 16)
        total = (total & 0xFFFF) + (total >> 16)
        f[24:26] = (total ^ 0xFFFF).to_bytes(2, "big")
    elif kind == b"\x86\xdd" and f[15] >> 4 & 3 in (1, 2):
        f[15] |= 0x30
    return bytes(f)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("ends", nargs=2)
    for name in ("delay", "jitter", "loss", "duplicate", "mark"):
        ap.add_argument("--" + name, type=float, default=0)
    ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args()
    rnd = random.Random(a.seed)
    socks = []
    for end in a.ends:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        s.bind((end, ETH_P_ALL))
        socks.append(s)
    other = {socks[0]: socks[1], socks[1]: socks[0]}
    waiting, n = [], 0
    while True:
        wait = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for s in select.select(socks, [], [], wait)[0]:
            frame, addr = s.recvfrom(65536)
            if addr[2] == PACKET_OUTGOING or rnd.random() < a.loss:
                continue
            if rnd.random() < a.mark:
                frame = mark(frame)
            for _ in range(2 if rnd.random() < a.duplicate else 1):
                n += 1
                due = time.monotonic() + (a.delay + rnd.random() * a.jitter) / 1000
                heapq.heappush(waiting, (due, n, other[s], frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, s, frame = heapq.heappop(waiting)
            s.send(frame)


main()
