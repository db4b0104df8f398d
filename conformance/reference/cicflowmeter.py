"""The 84 columns of the profile cicflowmeter, with what their names promise.

TCP and UDP only: other protocols have no rows here. Times are whole
microseconds (cut down); payload and header lengths are the transport's.

Flows. Same key, in either direction, per IP version. For a packet at t of an
open flow, in this order:
 1. t - latest > idle limit (120 s): the flow ends; a new one, with its own
    orientation.
 2. the flow is closing and the packet is a SYN without ACK: likewise.
 3. t - first > 120 s: the flow ends; a new one with the same source and
    destination. Its direction by address and port. It isn't closing.
 4. otherwise it joins the flow.
A flow is closing after a packet with RST; or after a packet with ACK that comes
after FIN has been seen in both directions (the second FIN is not that packet).
Source and destination are those of the first packet, turned round if that is a
SYN+ACK. If both ends are the same, all is forward.

Time that runs backwards: intervals of a direction as in the profile full. For
everything about the flow as a whole (gaps, active and idle, bulks, duration) a
packet stamped before the flow's latest time has that latest time.
"""
import datetime

import exact
from dissect import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG, address
from flows import key
from full import activity, intervals

US = 10**6
LIMIT = 120 * US


class Flow:
    """A flow: its packets as (packet, direction, time, time not before the flow's latest)."""

    def __init__(self, p, t, cut=None):
        self.proto = p.proto
        if cut is not None:
            self.src, self.dst = cut.src, cut.dst
        elif p.tcp and p.flags & (SYN | ACK) == SYN | ACK:
            self.src, self.dst = p.dst, p.src
        else:
            self.src, self.dst = p.src, p.dst
        self.first = self.latest = t
        self.packets = []
        self.fin = [False, False]
        self.closing = False

    def add(self, p, t):
        d = 0 if p.src == self.src else 1
        self.latest = max(self.latest, t)
        self.packets.append((p, d, t, self.latest))
        if p.flags & RST or all(self.fin) and p.flags & ACK:
            self.closing = True
        self.fin[d] |= bool(p.flags & FIN)


def flows(packets, idle=LIMIT):
    """The flows of the packets, in the order in which they start; idle limit in microseconds."""
    out, of = [], {}
    for p in packets:
        t = p.t // 1000
        f = of.get(key(p))
        if f is not None and t - f.latest <= idle and not (f.closing and p.flags & (SYN | ACK) == SYN):
            if t - f.first > LIMIT:
                f = of[key(p)] = Flow(p, t, cut=f)
                out.append(f)
        else:
            f = of[key(p)] = Flow(p, t)
            out.append(f)
        f.add(p, t)
    return out


def row(f):
    """The columns of a flow, by name, in order."""
    out = {}
    ways = [[(p, t) for p, d, t, _ in f.packets if d == way] for way in (0, 1)]
    both = [p for p, _, _, _ in f.packets]
    payload = [[p.payload for p, _ in way] for way in ways]
    everything = [p.payload for p in both]
    header = [[p.header for p, _ in way] for way in ways]
    n = [len(way) for way in ways]
    total = [sum(way) for way in payload]
    duration = f.latest - f.first

    def per_second(x):
        return x * US / duration if duration else 0.0

    src, dst = address(f.src[0]), address(f.dst[0])
    out["Flow ID"] = f"{src}-{dst}-{f.src[1]}-{f.dst[1]}-{f.proto}"
    out["Src IP"], out["Src Port"], out["Dst IP"], out["Dst Port"] = src, f.src[1], dst, f.dst[1]
    out["Protocol"] = f.proto
    out["Timestamp"] = timestamp(f.first)
    out["Flow Duration"] = duration
    out["Total Fwd Packet"], out["Total Bwd packets"] = n
    out["Total Length of Fwd Packet"], out["Total Length of Bwd Packet"] = total
    for name, d in (("Fwd", 0), ("Bwd", 1)):
        out[f"{name} Packet Length Max"] = max(payload[d], default=0)
        out[f"{name} Packet Length Min"] = min(payload[d], default=0)
        out[f"{name} Packet Length Mean"] = exact.mean(payload[d])
        out[f"{name} Packet Length Std"] = exact.std(payload[d])
    out["Flow Bytes/s"] = per_second(sum(total))
    out["Flow Packets/s"] = per_second(sum(n))
    gaps = intervals([t for _, _, t, _ in f.packets])
    out["Flow IAT Mean"], out["Flow IAT Std"] = exact.mean(gaps), exact.std(gaps)
    out["Flow IAT Max"], out["Flow IAT Min"] = max(gaps, default=0), min(gaps, default=0)
    for name, d in (("Fwd", 0), ("Bwd", 1)):
        iat = intervals([t for _, t in ways[d]])
        out[f"{name} IAT Total"] = sum(iat)
        out[f"{name} IAT Mean"], out[f"{name} IAT Std"] = exact.mean(iat), exact.std(iat)
        out[f"{name} IAT Max"], out[f"{name} IAT Min"] = max(iat, default=0), min(iat, default=0)
    for flag, bit in (("PSH", PSH), ("URG", URG)):
        for name, d in (("Fwd", 0), ("Bwd", 1)):
            out[f"{name} {flag} Flags"] = sum(1 for p, _ in ways[d] if p.flags & bit)
    out["Fwd Header Length"], out["Bwd Header Length"] = sum(header[0]), sum(header[1])
    out["Fwd Packets/s"], out["Bwd Packets/s"] = per_second(n[0]), per_second(n[1])
    out["Packet Length Min"], out["Packet Length Max"] = min(everything), max(everything)
    out["Packet Length Mean"], out["Packet Length Std"] = exact.mean(everything), exact.std(everything)
    out["Packet Length Variance"] = exact.variance(everything)
    for flag, bit in (("FIN", FIN), ("SYN", SYN), ("RST", RST), ("PSH", PSH), ("ACK", ACK), ("URG", URG),
                      ("CWR", CWR), ("ECE", ECE)):
        out[f"{flag} Flag Count"] = sum(1 for p in both if p.flags & bit)
    out["Down/Up Ratio"] = n[1] / n[0] if n[0] else 0.0
    out["Average Packet Size"] = exact.mean(everything)
    out["Fwd Segment Size Avg"], out["Bwd Segment Size Avg"] = exact.mean(payload[0]), exact.mean(payload[1])
    for name, d in (("Fwd", 0), ("Bwd", 1)):
        bulks, packets, size, time = bulk(f.packets, d)
        out[f"{name} Bytes/Bulk Avg"] = size / bulks if bulks else 0.0
        out[f"{name} Packet/Bulk Avg"] = packets / bulks if bulks else 0.0
        out[f"{name} Bulk Rate Avg"] = size * US / time if time else 0.0
    subflows = 1 + sum(1 for gap in gaps if gap > US)
    for name, d in (("Fwd", 0), ("Bwd", 1)):
        out[f"Subflow {name} Packets"], out[f"Subflow {name} Bytes"] = n[d] / subflows, total[d] / subflows
    # The window of a direction's first segment; fragments behind the first have none.
    for name, d in (("FWD", 0), ("Bwd", 1)):
        out[f"{name} Init Win Bytes"] = next((p.win for p, _ in ways[d] if p.window), 0)
    out["Fwd Act Data Pkts"] = sum(1 for size in payload[0] if size >= 1)
    out["Fwd Seg Size Min"] = min(header[0], default=0)
    for what, values in zip(("Active", "Idle"), activity([t for _, _, _, t in f.packets], 5 * US)):
        out[f"{what} Mean"], out[f"{what} Std"] = exact.mean(values), exact.std(values)
        out[f"{what} Max"], out[f"{what} Min"] = max(values, default=0), min(values, default=0)
    out["Label"] = "NeedManualLabel"
    return out


def bulk(packets, way):
    """Bulks of a direction: how many, their packets, payload bytes and microseconds.

    A run is a series of packets with payload of one direction, at most 1 s
    apart, that no packet with payload of the other direction comes after the
    start of; from the 4th packet on it is a bulk.
    """
    bulks = bulk_packets = bulk_bytes = bulk_time = 0
    start = last = other = None
    n = size = 0
    for p, d, _, t in packets:
        if d != way:
            if p.payload:
                other = t
            continue
        if start is not None and other is not None and other > start:
            start = None
        if not p.payload:
            continue
        if start is None or t - last > US:
            start = last = t
            n, size = 1, p.payload
            continue
        n, size = n + 1, size + p.payload
        if n == 4:
            bulks, bulk_packets = bulks + 1, bulk_packets + 4
            bulk_bytes, bulk_time = bulk_bytes + size, bulk_time + t - start
        elif n > 4:
            bulk_packets, bulk_bytes, bulk_time = bulk_packets + 1, bulk_bytes + p.payload, bulk_time + t - last
        last = t
    return bulks, bulk_packets, bulk_bytes, bulk_time


def timestamp(us):
    """Microseconds since the epoch as 2020-09-13 12:26:40.123456, in UTC."""
    try:
        at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)
    except OverflowError:
        return str(us)  # behind the year 9999
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
