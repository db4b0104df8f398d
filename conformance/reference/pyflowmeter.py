"""The 48 columns of the profile pyflowmeter, its defects mended, its choices kept.

Flows as in flows.py, idle timeout 600 s, tested before a packet is added; a row
after a timeout has the orientation of its own first packet. IPv4 and IPv6,
tunnels looked through, every fragment on its datagram's flow. An interval is
the time since the flow's packet before, in either direction (0 if time runs
back, and then from the latest time seen), and belongs to the direction of the
packet that ends it; the flow's first packet has none. Standard deviations are
those of a population. Each flag column counts its own flag; CWE is CWR.
"""
import exact
from dissect import ACK, CWR, ECE, FIN, PSH, RST, SYN, TCP, URG
from full import S, intervals

FLAGS = (("FIN", FIN), ("SYN", SYN), ("RST", RST), ("PUSH", PSH), ("ACK", ACK), ("URG", URG), ("CWE", CWR),
         ("ECE", ECE))


def row(f):
    """The columns of a flow, by name, in order."""
    out = {
        "duration": exact.decimal(f.last - f.start), "protocol": "TCP" if f.proto == TCP else "UDP",
        "src_port": f.src[1], "dst_port": f.dst[1],
    }
    size = [[p.size for p, d in f.packets if d == way] for way in (0, 1)]
    steps = intervals([p.t for p, _ in f.packets])
    iat = [[step for step, (_, d) in zip(steps, f.packets[1:]) if d == way] for way in (0, 1)]
    for name, d in (("fwd", 0), ("bwd", 1)):
        out[f"{name}_tot_pkt"], out[f"{name}_tot_byte"] = len(size[d]), sum(size[d])
    for what, values, unit in (("pkt_size", size, 1), ("iat", iat, S)):
        for name, d in (("fwd", 0), ("bwd", 1)):
            v = values[d]
            out[f"{name}_{what}_mean"] = exact.mean(v, unit)
            out[f"{name}_{what}_std"] = exact.std(v, unit, population=True)
            out[f"{name}_{what}_skewness"] = exact.skew(v)
            out[f"{name}_{what}_kurtosis"] = exact.kurt(v)
            out[f"{name}_{what}_min"] = exact.quantile(v, 0, unit)
            out[f"{name}_{what}_max"] = exact.quantile(v, 1, unit)
    for name, way in (("fwd", 0), ("bwd", 1)):
        for flag, bit in FLAGS:
            out[f"{name}_{flag}_cnt"] = sum(1 for p, d in f.packets if d == way and p.flags & bit)
    return out
