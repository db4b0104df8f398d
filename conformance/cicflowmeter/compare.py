#!/usr/bin/env python3
"""Hold the profile cicflowmeter-python against the code of cicflowmeter 0.5.0.

    make conformance-cicflowmeter
    VENV/bin/python conformance/cicflowmeter/compare.py FLOWFAST CAPTURE...

cicflowmeter cuts the flows of a file by the wall clock and counts the first
packet of each twice, so it is not run as it is: this program sorts the packets
into flows by the rules of the profile, and lets cicflowmeter's class Flow, with
each packet added once, compute the columns. Rows are paired by protocol,
endpoints and time of the first packet; a pair with other numbers of packets
(fragments, tunnels and the like, which only flowfast puts into flows) is left
out. A value that differs must have one of the causes below.
"""
import collections
import csv
import io
import math
import subprocess
import sys

from cicflowmeter.features.context import PacketDirection, get_packet_flow_key
from cicflowmeter.flow import Flow
from scapy.all import PcapNgReader, PcapReader, Scapy_Exception  # with all layers

FORWARD, REVERSE = PacketDirection.FORWARD, PacketDirection.REVERSE
IDLE, AGE = 240, 120


def one_gap(name):
    """Tell if the sample has one value, of which cicflowmeter says 0."""
    packets = {"flow": ("tot_fwd_pkts", "tot_bwd_pkts"), "fwd": ("tot_fwd_pkts",), "bwd": ("tot_bwd_pkts",)}[name.split("_")[0]]
    return lambda theirs, ours: sum(int(ours[n]) for n in packets) == 2


def always(theirs, ours):
    return True


# By the beginnings of columns: what explains a difference, and whether it can.
CAUSES = [
    (("fwd_header_len", "bwd_header_len", "fwd_seg_size_min"), "the header of IPv4, not of the transport", always),
    (("subflow_",), "the whole flow, never its subflows", always),
    (("active_", "idle_"), "a pause is never seen: 0", lambda theirs, ours: all(float(v) == 0 for k, v in theirs.items() if k.startswith(("active_", "idle_")))),
    (("cwr_flag_count",), "forward packets with URG", lambda theirs, ours: theirs["cwr_flag_count"] == theirs["fwd_urg_flags"]),
    (("flow_iat_", "fwd_iat_", "bwd_iat_"), "a sample of one value is 0", None),
    (("flow_iat_", "fwd_iat_", "bwd_iat_"), "time goes back: gaps below 0", lambda theirs, ours: min(float(theirs[f"{s}_iat_min"]) for s in ("flow", "fwd", "bwd")) < 0),
    (("fwd_act_data_pkts", "fwd_byts_b", "fwd_pkts_b", "fwd_blk", "bwd_byts_b", "bwd_pkts_b", "bwd_blk"), "padding of the frame is payload", lambda theirs, ours: theirs["padded"]),
    (("flow_byts_s", "flow_pkts_s", "fwd_pkts_s", "bwd_pkts_s"), "times have more than six decimals", lambda theirs, ours: theirs["fine"]),
    (("fin_", "syn_", "rst_", "psh_", "ack_", "urg_", "ece_", "cwr_", "fwd_psh", "bwd_psh", "fwd_urg", "bwd_urg"), "control bits behind a TCP header of less than 20 bytes", lambda theirs, ours: theirs["short"]),
    (("init_",), "the first window that is not 0", lambda theirs, ours: "0" in (ours["init_fwd_win_byts"], ours["init_bwd_win_byts"])),
]


def cause(name, theirs, ours):
    for prefixes, why, test in CAUSES:
        if name.startswith(prefixes) and (test or one_gap(name))(theirs, ours):
            return why
    return None


def flows(capture):
    """Return the rows that cicflowmeter's code computes."""
    with open(capture, "rb") as file:
        magic = file.read(4)
    found, open_flows = [], {}
    for packet in (PcapNgReader if magic == b"\x0a\x0d\x0d\x0a" else PcapReader)(capture):
        if "IP" not in packet or not ("TCP" in packet or "UDP" in packet):
            continue
        protocol = "TCP" if "TCP" in packet else "UDP"
        forward, reverse = ((protocol, *get_packet_flow_key(packet, d)) for d in (FORWARD, REVERSE))
        key, direction = (reverse, REVERSE) if forward not in open_flows and reverse in open_flows else (forward, FORWARD)
        flow = open_flows.get(key)
        if flow is not None and (packet.time - flow.latest_timestamp > IDLE or packet.time - flow.start_timestamp > AGE):
            del open_flows[key]
            flow = None
        if flow is None:
            flow, direction = Flow(packet, FORWARD), FORWARD
            flow.packets.clear()  # add_packet has it again
            open_flows[forward] = flow
            found.append(flow)
        flow.add_packet(packet, direction)
    rows = []
    for flow in found:
        row = {name: str(value) for name, value in flow.get_data().items()}
        packets = [packet for packet, _ in flow.packets]
        row["start"] = round(flow.start_timestamp * 1_000_000)
        row["cut"] = any(packet.wirelen not in (None, len(packet)) for packet in packets)
        row["fine"] = any(packet.time * 1_000_000 % 1 for packet in packets)
        row["short"] = any("TCP" in packet and packet["TCP"].dataofs < 5 for packet in packets)
        row["padded"] = any("Padding" in packet for packet in packets)
        rows.append(row)
    return rows


def ours(flowfast, capture):
    out = subprocess.run([flowfast, "-q", "--profile", "cicflowmeter-python", capture, "-"], stdout=subprocess.PIPE, text=True, check=False).stdout
    times = subprocess.run([flowfast, "-q", "--profile", "cicflowmeter-python", "--columns", "start_time", capture, "-"], stdout=subprocess.PIPE, text=True, check=False).stdout
    rows = list(csv.DictReader(io.StringIO(out)))
    for row, time in zip(rows, times.splitlines()[1:]):
        whole, _, fraction = time.partition(".")
        row["start"] = int(whole) * 1_000_000 + int(fraction[:6].ljust(6, "0"))
    return rows


def same(a, b):
    try:
        return math.isclose(float(a), float(b), rel_tol=1e-6, abs_tol=1.5e-6)
    except ValueError:
        return a == b


def main():
    flowfast, captures = sys.argv[1], sys.argv[2:]
    total, causes, unexplained = collections.Counter(), collections.Counter(), []
    for capture in captures:
        try:
            theirs = flows(capture)
        except (Scapy_Exception, EOFError, OSError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
            total["captures that scapy or cicflowmeter fails on"] += 1
            print(f"{capture}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        total["captures"] += 1
        partners = collections.defaultdict(list)
        for row in ours(flowfast, capture):
            partners[tuple(row[n] for n in KEY)].append(row)
        for row in theirs:
            found = partners[tuple(row[n] for n in KEY)]
            if not found or any(row[n] != found[0][n] for n in ("tot_fwd_pkts", "tot_bwd_pkts")):
                total["rows without a partner of as many packets"] += 1
                continue
            mine = found.pop(0)
            if row["cut"]:  # its lengths are of what was captured
                total["rows with a packet that the snap length cuts"] += 1
                continue
            total["rows compared"] += 1
            for name, value in row.items():
                if name in MARKS:
                    continue
                if same(value, mine[name]):
                    total["values equal"] += 1
                elif why := cause(name, row, mine):
                    causes[why] += 1
                else:
                    unexplained.append(f"{capture}: {name}: {value} there, {mine[name]} here: {[row[n] for n in KEY]}")
    for what, number in total.items():
        print(f"{what}: {number}")
    for why, number in causes.most_common():
        print(f"values that differ: {number}: {why}")
    print(f"values that differ without a cause: {len(unexplained)}")
    print("\n".join(unexplained))
    sys.exit(1 if unexplained else 0)


MARKS = ("timestamp", "start", "cut", "fine", "short", "padded")
KEY = ("protocol", "src_ip", "src_port", "dst_ip", "dst_port", "start")

if __name__ == "__main__":
    main()
