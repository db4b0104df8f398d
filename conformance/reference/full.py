"""The columns of the profile full, of which the first 47 are the default ones.

"Size" is the frame's original length; times are seconds. An interval is the
time since the packet before it in the same direction (of the flow: in any
direction); a packet stamped earlier than the latest before it gives 0, and the
next interval counts from that latest time.
"""
import base64
import hashlib
import math
from collections import Counter

import exact
from dissect import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG, address

S = 10**9
ACTIVITY = 5 * S
ENTROPY_OF = 1024
DIRECTIONS = (("fwd", 0), ("bwd", 1))
FLAGS = (("fin", FIN), ("syn", SYN), ("rst", RST), ("psh", PSH), ("ack", ACK), ("urg", URG), ("ece", ECE), ("cwr", CWR))
QUARTERS = (("min", 0), ("q1", "0.25"), ("median", "0.5"), ("q3", "0.75"), ("max", 1))
SERIAL = 1 << 32


def intervals(times):
    out, latest = [], None
    for t in times:
        if latest is not None:
            out.append(max(0, t - latest))
        latest = t if latest is None else max(latest, t)
    return out


def row(f, splt=0, quantiles=()):
    """The columns of a flow, by name, in order."""
    out = {
        "src_ip": address(f.src[0]), "src_port": f.src[1], "dst_ip": address(f.dst[0]), "dst_port": f.dst[1],
        "protocol": f.proto, "start_time": exact.decimal(f.start), "duration": exact.decimal(f.last - f.start),
    }
    ways = [[p for p, d in f.packets if d == way] for way in (0, 1)]
    both = [p for p, _ in f.packets]
    size = [[p.size for p in way] for way in ways]
    iat = [intervals([p.t for p in way]) for way in ways]
    for name, d in DIRECTIONS:
        out[f"{name}_tot_pkt"], out[f"{name}_tot_byte"] = len(ways[d]), sum(size[d])
    for what, values, unit in (("pkt_size", size, 1), ("iat", iat, S)):
        for name, d in DIRECTIONS:
            for quarter, p in QUARTERS:
                out[f"{name}_{what}_{quarter}"] = exact.quantile(values[d], p, unit)
    for name, d in DIRECTIONS:
        for flag, bit in FLAGS:
            out[f"{name}_{flag}_cnt"] = sum(1 for p in ways[d] if p.flags & bit)

    flow_iat = intervals([p.t for p in both])
    for what, values, unit in (("pkt_size", size + [[p.size for p in both]], 1), ("iat", iat + [flow_iat], S)):
        for name, d in DIRECTIONS + (("flow", 2),):
            out[f"{name}_{what}_mean"] = exact.mean(values[d], unit)
            out[f"{name}_{what}_std"] = exact.std(values[d], unit)
            out[f"{name}_{what}_skew"] = exact.skew(values[d])
            out[f"{name}_{what}_kurt"] = exact.kurt(values[d])
    out["flow_iat_min"], out["flow_iat_max"] = exact.quantile(flow_iat, 0, S), exact.quantile(flow_iat, 1, S)

    for name, d in DIRECTIONS:
        out[f"{name}_payload_byte"] = sum(p.payload for p in ways[d])
        out[f"{name}_payload_pkt"] = sum(1 for p in ways[d] if p.payload >= 1)
        out[f"{name}_header_byte"] = sum(p.header for p in ways[d])
    for name, d in DIRECTIONS:
        segments = [p for p in ways[d] if p.tcp]
        windows = [p.win for p in segments if p.window]
        out[f"{name}_win_init"] = windows[0] if windows else 0
        out[f"{name}_win_min"], out[f"{name}_win_max"] = min(windows, default=0), max(windows, default=0)
        out[f"{name}_win_zero_cnt"] = sum(1 for p in segments if p.window and p.win == 0 and not p.flags & RST)
        out[f"{name}_retrans_cnt"], out[f"{name}_ooo_cnt"] = repeated(segments)
        syn = next((p for p in segments if p.flags & SYN), None)
        out[f"{name}_mss"] = syn.mss if syn else 0
        out[f"{name}_wscale"] = syn.wscale if syn else -1
        out[f"{name}_sack_permitted"] = syn.sack if syn else 0
    out["tcp_rtt_synack"], out["tcp_rtt_ack"] = handshake(f.packets)
    for name, d in DIRECTIONS:
        for what, values in (("ttl", [p.ttl for p in ways[d]]), ("dscp", [p.tos >> 2 for p in ways[d]]),
                             ("ecn", [p.tos & 3 for p in ways[d]])):
            out[f"{name}_{what}_first"] = values[0] if values else 0
            out[f"{name}_{what}_min"], out[f"{name}_{what}_max"] = min(values, default=0), max(values, default=0)
    for what, values in zip(("active", "idle"), activity([p.t for p in both], ACTIVITY)):
        out[f"{what}_cnt"] = len(values)
        out[f"{what}_mean"], out[f"{what}_std"] = exact.mean(values, S), exact.std(values, S)
        out[f"{what}_min"], out[f"{what}_max"] = exact.quantile(values, 0, S), exact.quantile(values, 1, S)
    for name, d in DIRECTIONS:
        out[f"{name}_entropy"] = entropy(b"".join(p.data for p in ways[d])[:ENTROPY_OF])
    first = both[0]
    out["src_mac"], out["dst_mac"] = first.src_mac, first.dst_mac
    out["vlan_ids"] = " ".join(str(tag) for tag in first.vlans)
    out["mpls_label"] = first.mpls
    out["end_reason"] = f.end_reason
    out["flow_id"], out["community_id"] = flow_id(f), community_id(f)

    if splt:
        steps = [0] + flow_iat
        out["splt_size"] = [-p.size if d else p.size for p, d in f.packets[:splt]]
        out["splt_iat"] = steps[:splt]
        out["splt_flags"] = [p.flags for p in both[:splt]]
    for p in quantiles:
        label = percent(p)
        for what, values, unit in (("pkt_size", size, 1), ("iat", iat, S)):
            for name, d in DIRECTIONS:
                out[f"{name}_{what}_p{label}"] = exact.quantile(values[d], p, unit)
    return out


def percent(p):
    """0.05 as 5, 0.999 as 99.9: the point moves two places."""
    whole, _, fraction = p.partition(".")
    digits = (whole + (fraction + "00")[:2]).lstrip("0") or "0"
    rest = fraction[2:].rstrip("0")
    return digits + ("." + rest if rest else "")


def repeated(segments):
    """How many segments of one direction are retransmissions, and how many out of order.

    Over segments with length = payload + SYN + FIN > 0, in 32-bit serial
    numbers. next is where the direction has got to. A segment before it that
    begins in the latest gap, if that isn't filled, is out of order, any other
    before it a retransmission.
    """
    retransmitted = out_of_order = 0
    following = hole = None
    for p in segments:
        length = p.payload + bool(p.flags & SYN) + bool(p.flags & FIN)
        if length == 0:
            continue
        s, e = p.seq, (p.seq + length) % SERIAL
        if following is None or s == following:
            following = e
        elif after(s, following):
            hole, following = [following, s], e
        else:
            if hole and hole[0] != hole[1] and not after(hole[0], s) and after(hole[1], s):
                out_of_order += 1
                if s == hole[0]:
                    hole[0] = hole[1] if after(e, hole[1]) else e
                else:
                    hole[1] = s
            else:
                retransmitted += 1
            if after(e, following):
                following = e
    return retransmitted, out_of_order


def after(a, b):
    """Whether serial number a is after b; half of the numbers are, the one in the middle is not."""
    return 0 < (a - b) % SERIAL < SERIAL // 2


def handshake(packets):
    """SYN to SYN+ACK, and that to the ACK: seconds, 0 where one is missing.

    The first forward SYN without ACK, the first backward SYN+ACK after it, the
    first forward ACK without SYN after that, in the order of the capture.
    """
    wanted = [(0, SYN, SYN | ACK), (1, SYN | ACK, SYN | ACK), (0, ACK, SYN | ACK)]
    times = []
    for p, d in packets:
        if len(times) < 3:
            way, flags, mask = wanted[len(times)]
            if p.tcp and d == way and p.flags & mask == flags:
                times.append(p.t)
    steps = [max(0, b - a) for a, b in zip(times, times[1:])] + [0, 0]
    return steps[0] / S, steps[1] / S


def activity(times, pause):
    """The active and the idle periods of a flow; the last active one isn't counted."""
    active, idle = [], []
    start = end = times[0]
    for t in times[1:]:
        if t - end > pause:
            if end - start > 0:
                active.append(end - start)
            idle.append(t - end)
            start = end = t
        else:
            end = max(end, t)
    return active, idle


def entropy(data):
    """Shannon entropy in bits per byte."""
    n = len(data)
    return math.fsum(k / n * math.log2(n / k) for k in Counter(data).values())


def community_id(f):
    """Community ID v1, seed 0: SHA-1 over seed, addresses, protocol, 0, ports, the smaller end first."""
    a, b = sorted((f.src, f.dst))
    raw = b"\0\0" + a[0] + b[0] + bytes([f.proto, 0]) + a[1].to_bytes(2, "big") + b[1].to_bytes(2, "big")
    return "1:" + base64.b64encode(hashlib.sha1(raw).digest()).decode()


def flow_id(f):
    """xxHash64 of protocol, IP version, source, destination (address and port), start time, big endian."""
    raw = bytes([f.proto, f.version]) + f.src[0] + f.src[1].to_bytes(2, "big")
    raw += f.dst[0] + f.dst[1].to_bytes(2, "big") + (f.start % (1 << 64)).to_bytes(8, "big")
    return f"{xxhash64(raw):016x}"


P1, P2, P3, P4, P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                      0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
M = (1 << 64) - 1


def xxhash64(raw):
    """xxHash64 with seed 0 (xxHash specification, XXH64)."""
    def turn(x, n):
        return (x << n | x >> 64 - n) & M

    def mix(acc, lane):
        return turn((acc + lane * P2) & M, 31) * P1 & M

    def lane(at, n=8):
        return int.from_bytes(raw[at:at + n], "little")

    at = 0
    if len(raw) >= 32:
        acc = [(P1 + P2) & M, P2, 0, -P1 & M]
        while at + 32 <= len(raw):
            acc = [mix(a, lane(at + 8 * i)) for i, a in enumerate(acc)]
            at += 32
        h = sum(turn(a, n) for a, n in zip(acc, (1, 7, 12, 18))) & M
        for a in acc:
            h = ((h ^ mix(0, a)) * P1 + P4) & M
    else:
        h = P5
    h = (h + len(raw)) & M
    while at + 8 <= len(raw):
        h = (turn(h ^ mix(0, lane(at)), 27) * P1 + P4) & M
        at += 8
    if at + 4 <= len(raw):
        h = (turn(h ^ lane(at, 4) * P1 & M, 23) * P2 + P3) & M
        at += 4
    for b in raw[at:]:
        h = turn(h ^ b * P5 & M, 11) * P1 & M
    h = (h ^ h >> 33) * P2 & M
    h = (h ^ h >> 29) * P3 & M
    return h ^ h >> 32
