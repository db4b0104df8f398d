#!/usr/bin/env python3
"""What CICFlowMeter itself (98a5eba, jNetPcap 1.4) computes, defects included.

    legacy.py CAPTURE > rows.csv
    legacy.py --output FOLDER CAPTURE...    (FOLDER/NAME.csv for each)

A naive reference for the profile cicflowmeter-legacy, straight from the bytes
of the capture. Numbers in brackets are the rules of the specification of the
original's columns, "rows" marks what it leaves open and the original's own
rows show. Python 3.9 or newer.

Packets. Every frame is read as Ethernet, whatever the link type (2.2), behind
tags 8100 and 88a8; IPv4 counts, and IPv4 directly in IPv6 (rows). A frame
without is read again as IPv4 from byte 0 (2.4). A header of IPv4 that says it
is shorter than 20 bytes is none; so is one that ends behind the frame while
more fragments follow, and a packet whose TCP header ends behind the payload's
end has none either (rows).

The first IPv4 header gives the addresses; TCP or UDP may stand behind another
IPv4 header, and in an ICMP error's quotation (2.8, 2.9), which a redirect does
not have (rows). Everything else, later fragments and total length 0 are
protocol 0 without ports, payload and header (2.6, 2.7, 2.10). Payload ends with
the captured bytes, or with IPv4's total length if that header directly follows
the Ethernet header (2.5).

Time is cut down to microseconds; file order, nothing is sorted (2.11).

The original reads classic pcap only (2.3). Here pcapng and compressed files
are read as if they were that; a packet without a time has the time of the one
before. What is no capture has no rows, one that is cut has those before.
"""
import argparse
import bz2
import csv
import datetime
import gzip
import math
import os
import struct
import sys
from collections import namedtuple

import exact

US = 10**6
TIMEOUT, ACTIVITY, GAP = 120 * US, 5 * US, US
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
TCP, UDP, ICMP, IPIP = 6, 17, 1, 4
QUOTES = (3, 4, 11, 12)  # ICMP: unreachable, source quench, time exceeded, parameter problem
TAGS = (0x8100, 0x88A8)
MORE = 0x20  # more fragments

Packet = namedtuple("Packet", "t src dst sport dport proto flags window payload header")


# --- captures

def records(data):
    """The (microseconds, bytes) of the frames of a capture."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    elif data[:3] == b"BZh":
        data = bz2.decompress(data)
    orders = {b"\xa1\xb2\xc3\xd4": (">", 1), b"\xd4\xc3\xb2\xa1": ("<", 1),
              b"\xa1\xb2\x3c\x4d": (">", 1000), b"\x4d\x3c\xb2\xa1": ("<", 1000)}
    if data[:4] in orders:
        yield from pcap(data, *orders[data[:4]])
    elif data[:4] == b"\x0a\x0d\x0d\x0a":
        yield from pcapng(data)


def pcap(data, order, per_us):
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, captured, _ = struct.unpack_from(order + "IIII", data, at)
        at += 16
        if at + captured > len(data):
            return
        yield seconds * US + fraction // per_us, data[at:at + captured]
        at += captured


def pcapng(data):
    at, t = 0, 0
    order, interfaces = "<", []
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = ">" if data[at + 8:at + 12] == b"\x1a\x2b\x3c\x4d" else "<"
            interfaces = []
        kind, size = struct.unpack_from(order + "II", data, at)
        if size < 12 or at + size > len(data):
            return
        body = data[at + 8:at + size - 4]
        at += size
        if kind == 1:
            interfaces.append(clock(body, order))
        elif kind == 3:
            snap, original = interfaces[0][0], struct.unpack_from(order + "I", body)[0]
            yield t, body[4:4 + min(original, snap or original)]
        elif kind in (2, 6):
            i = struct.unpack_from(order + ("H" if kind == 2 else "I"), body)[0]
            high, low, captured = struct.unpack_from(order + "III", body, 4)
            _, per_second, offset = interfaces[i]
            t = ((high << 32 | low) * US // per_second) + offset * US
            yield t, body[20:20 + captured]


def clock(body, order):
    """Of an interface: snap length, units per second and seconds to add."""
    snap, per_second, offset, at = struct.unpack_from(order + "I", body, 4)[0], US, 0, 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4:at + 4 + size]
        if code == 0:
            break
        if code == 9:
            per_second = 2 ** (value[0] & 127) if value[0] & 128 else 10 ** value[0]
        elif code == 14:
            offset = struct.unpack(order + "q", value)[0]
        at += 4 + (size + 3) // 4 * 4
    return snap, per_second, offset


# --- headers

def u16(b, at):
    return b[at] << 8 | b[at + 1]


def packet(t, frame):
    """The packet of a frame, or None."""
    found = ethernet(frame)
    if found is None:
        found = ip4(frame, 0, len(frame))
    return found and Packet(t, *found)


def ethernet(frame):
    at = 12
    while at + 4 <= len(frame) and u16(frame, at) in TAGS:
        at += 4
    if at + 2 > len(frame):
        return None
    kind, at = u16(frame, at), at + 2
    if kind == 0x86DD and len(frame) >= at + 40 and frame[at + 6] == IPIP:
        return ip4(frame, at + 40, len(frame))
    if kind != 0x0800 or len(frame) < at + 20:
        return None
    padded = at > 14  # the original leaves padding behind tags
    return ip4(frame, at, len(frame) if padded else min(len(frame), at + u16(frame, at + 2)))


def ip4_header(frame, at):
    """The length of the IPv4 header that begins there, 0 if its 20 bytes are not all there."""
    return (frame[at] & 15) * 4 if len(frame) >= at + 20 else 0


def ip4(frame, at, end):
    """Addresses, ports, protocol, flags, window, payload and header length, or None; end is that of the payload."""
    size = ip4_header(frame, at)
    if size < 20 or at + size > len(frame) and frame[at + 6] & MORE:
        return None
    src, dst = frame[at + 12:at + 16], frame[at + 16:at + 20]
    nothing = src, dst, 0, 0, 0, 0, 0, 0, 0
    if u16(frame, at + 2) == 0:
        return nothing
    proto = IPIP
    while proto in (IPIP, ICMP):
        if proto == ICMP:
            if at >= end or frame[at] not in QUOTES:
                return nothing
            at += 8
        size = ip4_header(frame, at)
        if size < 20 or u16(frame, at + 6) & 0x1FFF:
            return nothing
        proto, at = frame[at + 9], at + size
    if proto == TCP and at + 20 <= end:
        header = (frame[at + 12] >> 4) * 4
        if at + header > end:
            return None
        return (src, dst, u16(frame, at), u16(frame, at + 2), TCP, frame[at + 13], u16(frame, at + 14),
                end - at - header, header)
    if proto == UDP and at + 8 <= end:
        return src, dst, u16(frame, at), u16(frame, at + 2), UDP, 0, 0, end - at - 8, 8
    return nothing


# --- flows

class Flow:
    """A flow: its packets as (packet, direction), direction 0 forward, 1 backward."""

    def __init__(self, p, before=None):
        """The flow that p starts; before is the one that the timeout ended (3.5)."""
        of = before or p
        self.src, self.dst, self.sport, self.dport, self.proto = of.src, of.dst, of.sport, of.dport, p.proto
        self.packets = [(p, 0)]
        self.fin = False

    def direction(self, p):
        return 0 if p.src == self.src else 1  # 3.3: without ports

    def add(self, p):
        self.packets.append((p, self.direction(p)))


def flows(packets):
    """The flows that are emitted, those of one packet left out."""
    of, ended = {}, []
    for p in packets:
        key, swapped = (p.src, p.dst, p.sport, p.dport, p.proto), (p.dst, p.src, p.dport, p.sport, p.proto)
        if key not in of and swapped in of:
            key = swapped
        f = of.get(key)
        if f is None:
            of[key] = Flow(p)
        elif p.t - f.packets[0][0].t > TIMEOUT:  # 3.4
            ended.append(f)
            of[key] = Flow(p, f)
        elif p.flags & FIN and f.direction(p) == 0:  # 3.6, 3.7
            if not f.fin:
                f.add(p)
            f.fin = True
        else:
            f.add(p)
            if p.flags & (FIN | RST):
                ended.append(of.pop(key))
    return [f for f in ended + list(of.values()) if len(f.packets) > 1]


# --- columns

def row(f):
    """The columns of a flow, by name, in order: int or float as the original prints them (4.4)."""
    out = {}
    first = f.packets[0][0]
    both = [p for p, _ in f.packets]
    ways = [[p for p, d in f.packets if d == way] for way in (0, 1)]
    n = [len(way) for way in ways]
    sizes = [p.payload for p in both]
    twice = [first.payload] + sizes  # 47
    payload = [[p.payload for p in way] for way in ways]
    total = [sum(way) for way in payload]
    header = [[p.header for p in way] for way in ways]
    gaps = differences(both)
    duration = both[-1].t - first.t
    seconds = duration / US

    src, dst = (".".join(map(str, a)) for a in (f.src, f.dst))
    out["Flow ID"] = f"{src}-{dst}-{f.sport}-{f.dport}-{f.proto}"
    out["Src IP"], out["Src Port"], out["Dst IP"], out["Dst Port"] = src, f.sport, dst, f.dport
    out["Protocol"] = f.proto
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=first.t // US)
    out["Timestamp"] = at.strftime("%d/%m/%Y %I:%M:%S ") + ("AM" if at.hour < 12 else "PM")
    out["Flow Duration"] = duration
    out["Total Fwd Packet"], out["Total Bwd packets"] = n
    out["Total Length of Fwd Packet"], out["Total Length of Bwd Packet"] = map(float, total)
    for name, d in (("Fwd", 0), ("Bwd", 1)):
        out[f"{name} Packet Length Max"], out[f"{name} Packet Length Min"], out[f"{name} Packet Length Mean"], \
            out[f"{name} Packet Length Std"] = sample(payload[d])
    out["Flow Bytes/s"], out["Flow Packets/s"] = quotient(sum(total), seconds), quotient(sum(n), seconds)
    out["Flow IAT Mean"], out["Flow IAT Std"] = exact.mean(gaps), exact.std(gaps)
    out["Flow IAT Max"], out["Flow IAT Min"] = float(max(gaps)), float(min(gaps))
    for name, way in (("Fwd", ways[0]), ("Bwd", ways[1])):
        iat = differences(way)
        high, low, mean, std = sample(iat)
        out[f"{name} IAT Total"] = float(sum(iat)) if iat else 0
        out[f"{name} IAT Mean"], out[f"{name} IAT Std"] = mean, std
        out[f"{name} IAT Max"], out[f"{name} IAT Min"] = high, low
    out["Fwd PSH Flags"], out["Bwd PSH Flags"] = int(first.flags & PSH != 0), 0
    out["Fwd URG Flags"], out["Bwd URG Flags"] = int(first.flags & URG != 0), 0
    out["Fwd Header Length"], out["Bwd Header Length"] = map(sum, header)
    out["Fwd Packets/s"], out["Bwd Packets/s"] = (x / seconds if duration > 0 else 0.0 for x in n)
    out["Packet Length Min"], out["Packet Length Max"] = float(min(sizes)), float(max(sizes))
    out["Packet Length Mean"], out["Packet Length Std"] = exact.mean(twice), exact.std(twice)
    out["Packet Length Variance"] = exact.variance(twice)
    for name, bit in (("FIN", FIN), ("SYN", SYN), ("RST", RST), ("PSH", PSH), ("ACK", ACK), ("URG", URG),
                      ("CWR", CWR), ("ECE", ECE)):
        out[f"{name} Flag Count"] = sum(1 for p in both if p.flags & bit)
    out["Down/Up Ratio"] = float(n[1] // n[0])  # the first packet is forward
    out["Average Packet Size"] = sum(twice) / len(both)
    out["Fwd Segment Size Avg"], out["Bwd Segment Size Avg"] = exact.mean(payload[0]), exact.mean(payload[1])
    out["Fwd Bytes/Bulk Avg"] = out["Fwd Packet/Bulk Avg"] = out["Fwd Bulk Rate Avg"] = 0
    bulks, packets, size, time = bulk(both)
    out["Bwd Bytes/Bulk Avg"] = size // bulks if bulks else 0
    out["Bwd Packet/Bulk Avg"] = packets // bulks if bulks else 0
    out["Bwd Bulk Rate Avg"] = int(size / (time / US)) if time else 0
    pauses = sum(1 for gap in gaps if gap > GAP)
    for name, d in (("Fwd", 0), ("Bwd", 1)):
        out[f"Subflow {name} Packets"] = n[d] // pauses if pauses else 0
        out[f"Subflow {name} Bytes"] = total[d] // pauses if pauses else 0
    out["FWD Init Win Bytes"] = first.window
    out["Bwd Init Win Bytes"] = ways[1][-1].window if ways[1] else 0
    out["Fwd Act Data Pkts"] = sum(1 for size in payload[0][1:] if size >= 1)
    out["Fwd Seg Size Min"] = min(header[0])
    for name, values in zip(("Active", "Idle"), activity(both)):
        high, low, mean, std = sample(values)
        out[f"{name} Mean"], out[f"{name} Std"], out[f"{name} Max"], out[f"{name} Min"] = mean, std, high, low
    out["Label"] = "NeedManualLabel"
    return out


def differences(packets):
    return [b.t - a.t for a, b in zip(packets, packets[1:])]


def sample(values):
    """Maximum, minimum, mean and deviation; the integer 0 where there is no value."""
    if not values:
        return 0, 0, 0, 0
    return float(max(values)), float(min(values)), exact.mean(values), exact.std(values)


def quotient(a, b):
    if b:
        return a / b
    return math.inf if a else math.nan


def bulk(packets):
    """Bulks of both directions as one: how many, their packets, payload bytes and microseconds (4.3)."""
    bulks = bulk_packets = size = time = 0
    run = []
    for p in packets:
        if p.payload < 1:
            continue
        if run and p.t - run[-1].t > GAP:
            run = []
        run.append(p)
        if len(run) == 4:
            bulks, bulk_packets = bulks + 1, bulk_packets + 4
            size, time = size + sum(q.payload for q in run), time + p.t - run[0].t
        elif len(run) > 4:
            bulk_packets, size, time = bulk_packets + 1, size + p.payload, time + p.t - run[-2].t
    return bulks, bulk_packets, size, time


def activity(packets):
    """Active and idle samples (4.1); the last active period is none."""
    active, idle = [], []
    start = end = packets[0].t
    for p in packets[1:]:
        if p.t - end > ACTIVITY:
            if end > start:
                active.append(end - start)
            idle.append(p.t - end)
            start = p.t
        end = p.t
    return active, idle


def text(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return str(value)


def columns():
    """The header, which stands there without rows too."""
    f = Flow(Packet(0, b"", b"", 0, 0, 0, 0, 0, 0, 0))
    f.add(f.packets[0][0])
    return list(row(f))


def write(out, path):
    with open(path, "rb") as capture:
        data = capture.read()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(columns())
    packets = (packet(t, frame) for t, frame in records(data))
    for f in flows(p for p in packets if p is not None):
        table.writerow([text(value) for value in row(f).values()])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", help="folder for the rows, in place of standard output")
    parser.add_argument("capture", nargs="+")
    args = parser.parse_args()
    for path in args.capture:
        if args.output is None:
            write(sys.stdout, path)
            continue
        with open(os.path.join(args.output, os.path.basename(path) + ".csv"), "w", encoding="ascii") as out:
            write(out, path)


if __name__ == "__main__":
    main()
