"""The 82 columns of the profile cicflowmeter-python: the names and meanings of
the Python program cicflowmeter 0.5.0, its defects mended.

A length is that of the frame on the wire, a time is in seconds, cut to whole
microseconds, a standard deviation and the variance are those of a population.
What the Java program and this one mean alike is taken from cicflowmeter.py:
flags, payload, headers, bulks, windows, periods, and how time runs backwards.

Flows. Same key, in either direction, per IP version. A packet at t begins
another, with its sender as the source, where t - latest > idle limit (240 s) or
t - first > 120 s. FIN, RST and SYN end nothing.
"""
import cicflowmeter
import exact
from cicflowmeter import US
from flows import key
from full import activity, intervals

AGE = 120 * US
FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE")


class Flow(cicflowmeter.Flow):
    """As there, but a first packet with SYN and ACK is forward too."""

    def __init__(self, p, t):
        super().__init__(p, t, cut=p)


def flows(packets, idle):
    """The flows of the packets, in the order in which they start; idle limit in microseconds."""
    out, of = [], {}
    for p in packets:
        t = p.t // 1000
        f = of.get(key(p))
        if f is None or t - f.latest > idle or t - f.first > AGE:
            f = of[key(p)] = Flow(p, t)
            out.append(f)
        f.add(p, t)
    return out


def lengths(prefix, values):
    return {f"{prefix}pkt_len_max": max(values, default=0), f"{prefix}pkt_len_min": min(values, default=0),
            f"{prefix}pkt_len_mean": exact.mean(values), f"{prefix}pkt_len_std": exact.std(values, population=True)}


def times(prefix, values, names=("max", "min", "mean", "std")):
    found = {"tot": sum(values) / US, "max": max(values, default=0) / US, "min": min(values, default=0) / US,
             "mean": exact.mean(values, US), "std": exact.std(values, US, population=True)}
    return {f"{prefix}{name}": found[name] for name in names}


def row(f):
    """The columns of a flow, by name, in order."""
    java = cicflowmeter.row(f)
    sides = (("fwd", "Fwd", 0), ("bwd", "Bwd", 1))
    size = [[p.size for p, d, _, _ in f.packets if d == way] for way in (0, 1)]
    everything = [p.size for p, _, _, _ in f.packets]
    duration = f.latest - f.first

    def per_second(x):
        return x * US / duration if duration else 0.0

    out = {
        "src_ip": java["Src IP"], "dst_ip": java["Dst IP"], "src_port": java["Src Port"], "dst_port": java["Dst Port"],
        "protocol": f.proto, "timestamp": java["Timestamp"], "flow_duration": duration / US,
        "flow_byts_s": per_second(sum(everything)), "flow_pkts_s": per_second(len(everything)),
    }
    for name, _, d in sides:
        out[f"{name}_pkts_s"] = per_second(len(size[d]))
    for name, _, d in sides:
        out[f"tot_{name}_pkts"] = len(size[d])
    for name, _, d in sides:
        out[f"totlen_{name}_pkts"] = sum(size[d])
    for name, _, d in sides:
        out.update(lengths(f"{name}_", size[d]))
    out.update(lengths("", everything))
    n = len(everything)
    out["pkt_len_var"] = exact.variance(everything) * (n - 1) / n
    for name, word, _ in sides:
        out[f"{name}_header_len"] = java[f"{word} Header Length"]
    out["fwd_seg_size_min"], out["fwd_act_data_pkts"] = java["Fwd Seg Size Min"], java["Fwd Act Data Pkts"]
    out.update(times("flow_iat_", intervals([t for _, _, t, _ in f.packets]), ("mean", "max", "min", "std")))
    for name, _, d in sides:
        steps = intervals([t for _, way, t, _ in f.packets if way == d])
        out.update(times(f"{name}_iat_", steps, ("tot", "max", "min", "mean", "std")))
    for flag in ("PSH", "URG"):
        for name, word, _ in sides:
            out[f"{name}_{flag.lower()}_flags"] = java[f"{word} {flag} Flags"]
    for flag in FLAGS:
        out[f"{flag.lower()}_flag_cnt"] = java[f"{flag} Flag Count"]
    out["down_up_ratio"], out["pkt_size_avg"] = java["Down/Up Ratio"], exact.mean(everything)
    out["init_fwd_win_byts"], out["init_bwd_win_byts"] = java["FWD Init Win Bytes"], java["Bwd Init Win Bytes"]
    for name, values in zip(("active_", "idle_"), activity([t for _, _, _, t in f.packets], 5 * US)):
        out.update(times(name, values))
    for name, word, _ in sides:
        out[f"{name}_byts_b_avg"], out[f"{name}_pkts_b_avg"] = java[f"{word} Bytes/Bulk Avg"], java[f"{word} Packet/Bulk Avg"]
    for name, word, _ in sides:
        out[f"{name}_blk_rate_avg"] = java[f"{word} Bulk Rate Avg"]
    for name, _, d in sides:
        out[f"{name}_seg_size_avg"] = exact.mean(size[d])
    out["cwr_flag_count"] = java["CWR Flag Count"]
    for name, word, _ in sides:
        out[f"subflow_{name}_pkts"] = java[f"Subflow {word} Packets"]
    subflows = 1 + sum(1 for gap in intervals([t for _, _, t, _ in f.packets]) if gap > US)
    for name, _, d in sides:
        out[f"subflow_{name}_byts"] = sum(size[d]) / subflows
    return out
