"""Which packets make a flow, for the profiles full and pyflowmeter.

Key: protocol and the unordered pair of (address, port), per IP version. A
packet starts a new flow when
 1. no flow of its key is open; or
 2. that flow is idle: the packet's time less the flow's latest time is over
    the idle timeout (equal is not idle); or
 3. it is a TCP SYN without ACK, not a later fragment, whose sequence number
    differs from the base of its direction, if that is set (port reuse).
The base of a direction is unset until its first complete segment (no fragment,
the IP length leaves the whole TCP header): then that segment's sequence number
if SYN is set, else that less one. A complete segment with ACK sets the other
direction's base, if unset, to its acknowledgment number less one. A SYN+ACK
whose number differs from its direction's base overwrites a base that is set.

Forward is the direction of the flow's first packet, by address and port; if
both ends are the same, all is forward. The flow's last time is the latest seen,
its start the first packet's. At the end of the capture a flow whose last time
and the timeout together lie before the latest time of all flows is idle, not
ended.
"""
from dissect import ACK, SYN

SERIAL = 1 << 32


class Flow:
    """A flow: its packets as (packet, direction), direction 0 forward, 1 backward."""

    def __init__(self, p):
        self.proto, self.version = p.proto, p.version
        self.src, self.dst = p.src, p.dst
        self.start = self.last = p.t
        self.packets = []
        self.base = [None, None]
        self.end_reason = "end"

    def direction(self, p):
        return 0 if p.src == self.src else 1

    def reused_by(self, p):
        base = self.base[self.direction(p)]
        return p.tcp and p.flags & (SYN | ACK) == SYN and base is not None and base != p.seq

    def add(self, p):
        d = self.direction(p)
        self.packets.append((p, d))
        self.last = max(self.last, p.t)
        if not p.tcp:
            return
        if p.flags & (SYN | ACK) == SYN | ACK and self.base[d] is not None:
            self.base[d] = p.seq
        if not p.complete:
            return
        if self.base[d] is None:
            self.base[d] = p.seq if p.flags & SYN else (p.seq - 1) % SERIAL
        if p.flags & ACK and self.base[1 - d] is None:
            self.base[1 - d] = (p.ack - 1) % SERIAL


def key(p, parts=()):
    return p.proto, p.version, *sorted((p.src, p.dst)), *(tuple(p.around[part]) for part in parts)


def flows(packets, timeout, parts=()):
    """The flows of the packets, in the order in which they start.

    Their key has those parts of what stands around the IP header, too.
    """
    out, of = [], {}
    for p in packets:
        f = of.get(key(p, parts))
        if f is not None and p.t - f.last > timeout:
            f.end_reason, f = "idle", None
        if f is not None and f.reused_by(p):
            f.end_reason, f = "reuse", None
        if f is None:
            f = of[key(p, parts)] = Flow(p)
            out.append(f)
        f.add(p)
    clock = max((p.t for p in packets), default=0)
    for f in of.values():
        if f.last + timeout < clock:
            f.end_reason = "idle"
    return out
