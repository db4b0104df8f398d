"""Cases computed by hand, against captures made here byte by byte."""
import inspect
import os
import random
import struct
import tempfile
from decimal import Decimal
from ipaddress import ip_address

import columns
import dissect
import exact
import full

A, B = "10.0.0.1", "10.0.0.2"
EPOCH = 1_600_000_000
FLAG = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128}
failures = []
checks = 0
captures = {}  # the packets of those made before, by their bytes


# Frames.

def tcp(flags="A", payload=b"", seq=0, ack=0, win=0, options=b"", ports=(1000, 80)):
    offset = 5 + len(options) // 4
    return 6, struct.pack(">HHIIBBHHH", *ports, seq, ack, offset << 4, sum(FLAG[f] for f in flags), win, 0,
                          0) + options + payload


def udp(payload=b"", ports=(5000, 53)):
    return 17, struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload


def ip4(inner, src=A, dst=B, ttl=64, tos=0, ident=1, fragment=0, total=None, options=b""):
    proto, data = inner
    size = 20 + len(options) + len(data) if total is None else total
    return 0x0800, struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, tos, size, ident, fragment, ttl, proto, 0,
                               ip_address(src).packed, ip_address(dst).packed) + options + data


def ip6(inner, src="2001:db8::1", dst="2001:db8::2", hops=64, tclass=0, extensions=()):
    kind, data = inner
    for number, body in reversed(extensions):  # body without the next header, which stands in its first byte
        kind, data = number, bytes([kind]) + body + data
    return 0x86DD, struct.pack(">IHBB16s16s", 6 << 28 | tclass << 20, len(data), kind, hops,
                               ip_address(src).packed, ip_address(dst).packed) + data


def tagged(inner, kind, number):
    return kind, struct.pack(">HH", number, inner[0]) + inner[1]


def eth(inner, pad=60):
    frame = bytes.fromhex("02000000000b 02000000000a") + struct.pack(">H", inner[0]) + inner[1]
    return frame + bytes(max(0, pad - len(frame)))


def cut(frame, captured):
    return frame[:captured], len(frame)


def capture(frames, link=1):
    """The counted packets of frames: (seconds as text, frame or what cut returns)."""
    out = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, link)
    for t, frame in frames:
        data, original = frame if isinstance(frame, tuple) else (frame, len(frame))
        ns = int(Decimal(t) * 10**9) + EPOCH * 10**9
        out += struct.pack("<IIII", ns // 10**9, ns % 10**9, len(data), original) + data
    if out not in captures:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "made.pcap")
            with open(path, "wb") as f:
                f.write(out)
            captures[out] = dissect.packets(path)
    return captures[out]


def forth(t, *segment, **fields):
    return t, eth(ip4(tcp(*segment, **fields)))


def back(t, *segment, **fields):
    return t, eth(ip4(tcp(*segment, ports=(80, 1000), **fields), B, A))


def said(t, way, size):
    """A UDP packet with so many bytes of payload."""
    if way == "A":
        return t, eth(ip4(udp(bytes(size))))
    return t, eth(ip4(udp(bytes(size), (53, 5000)), B, A))


# Checks.

def same(got, want):
    if isinstance(want, (str, list)):
        return got == want
    return abs(float(got) - want) <= 1e-12 * abs(want)


def check(name, got, want):
    global checks
    checks += 1
    if not same(got, want):
        failures.append(f"{name}: {got!r}, want {want!r}")


def check_row(case, row, text="", **wanted):
    """Expected columns as "name value, name value" or by keyword."""
    for part in text.split(","):
        if part.strip():
            column, value = part.strip().rsplit(" ", 1)
            wanted[column] = float(value)
    for column, value in wanted.items():
        check(f"{case}: {column}", row[column], value)


def table(profile, frames, count=1, timeout=None, link=1, **more):
    """The rows of a profile, which must be so many."""
    rows = list(columns.rows(profile, capture(frames, link), timeout, **more))
    check(f"{profile}: rows of {inspect.stack()[1].function}", len(rows), count)
    return rows


CLIENT_CLOSES = [
    forth("0.0", "S", win=111, seq=100), back("0.1", "SA", win=222, seq=900, ack=101),
    forth("0.2", "A", win=333, seq=101), forth("0.3", "PA", bytes(100), win=334, seq=101),
    back("0.4", "PA", bytes(300), win=223, seq=901), forth("0.5", "FA", win=1000, seq=201),
    back("0.6", "A", win=224, seq=1201), back("0.65", "PA", bytes(10), win=224, seq=1201),
    back("0.7", "FA", win=225, seq=1211), forth("0.8", "A", win=1000, seq=202),
]


def client_closes():
    row, = table("cicflowmeter", CLIENT_CLOSES)
    check_row("client closes", row, """
        Flow Duration 800000, Total Fwd Packet 5, Total Bwd packets 5, Total Length of Fwd Packet 100,
        Total Length of Bwd Packet 310, Fwd Packet Length Mean 20, Fwd Packet Length Std 44.721359549995796,
        Fwd Packet Length Max 100, Fwd Packet Length Min 0, Bwd Packet Length Mean 62,
        Bwd Packet Length Std 133.1164903383499, Flow Bytes/s 512.5, Flow Packets/s 12.5,
        Flow IAT Mean 88888.88888888889, Flow IAT Std 22047.92759220492, Flow IAT Max 100000, Flow IAT Min 50000,
        Fwd IAT Total 800000, Fwd IAT Mean 200000, Fwd IAT Std 81649.6580927726, Fwd IAT Max 300000,
        Fwd IAT Min 100000, Bwd IAT Total 600000, Bwd IAT Mean 150000, Bwd IAT Max 300000, Bwd IAT Min 50000,
        Fwd PSH Flags 1, Bwd PSH Flags 2, Fwd Header Length 100, Bwd Header Length 100, Fwd Packets/s 6.25,
        Bwd Packets/s 6.25, Packet Length Mean 41, Packet Length Variance 9254.444444444443,
        Packet Length Std 96.20002310002032, FIN Flag Count 2, SYN Flag Count 2, PSH Flag Count 3,
        ACK Flag Count 9, Down/Up Ratio 1, Average Packet Size 41, Fwd Segment Size Avg 20,
        FWD Init Win Bytes 111, Bwd Init Win Bytes 222, Fwd Act Data Pkts 1, Fwd Seg Size Min 20,
        Subflow Fwd Packets 5, Subflow Fwd Bytes 100, Subflow Bwd Packets 5, Subflow Bwd Bytes 310,
        Active Mean 0, Idle Max 0""",
              Timestamp="2020-09-13 12:26:40.000000", Label="NeedManualLabel",
              **{"Flow ID": "10.0.0.1-10.0.0.2-1000-80-6"})
    check("columns of cicflowmeter", len(row), 84)

    row, = table("pyflowmeter", CLIENT_CLOSES)
    check("columns of pyflowmeter", len(row), 48 + 3)
    check_row("pyflowmeter", row, """
        duration 0.8, src_port 1000, dst_port 80, fwd_tot_pkt 5, fwd_tot_byte 394, bwd_tot_pkt 5, bwd_tot_byte 598,
        fwd_pkt_size_mean 78.8, fwd_pkt_size_std 37.6, fwd_pkt_size_skewness 1.5, fwd_pkt_size_kurtosis 0.25,
        fwd_pkt_size_min 60, fwd_pkt_size_max 154, bwd_pkt_size_mean 119.6, bwd_pkt_size_std 117.2102384606396,
        bwd_pkt_size_skewness 1.499347915188795, bwd_pkt_size_kurtosis 0.2491207068466692,
        fwd_iat_mean 0.1, fwd_iat_std 0, fwd_iat_skewness 0, fwd_iat_kurtosis -3, fwd_iat_min 0.1, fwd_iat_max 0.1,
        bwd_iat_mean 0.08, bwd_iat_std 0.024494897427831783, bwd_iat_skewness -0.4082482904638631,
        bwd_iat_kurtosis -1.8333333333333333, bwd_iat_min 0.05, bwd_iat_max 0.1,
        fwd_FIN_cnt 1, fwd_SYN_cnt 1, fwd_RST_cnt 0, fwd_PUSH_cnt 1, fwd_ACK_cnt 4, fwd_URG_cnt 0, fwd_CWE_cnt 0,
        fwd_ECE_cnt 0, bwd_FIN_cnt 1, bwd_SYN_cnt 1, bwd_PUSH_cnt 2, bwd_ACK_cnt 5, bwd_ECE_cnt 0""",
              protocol="TCP")

    row, = table("full", CLIENT_CLOSES, splt=6, quantiles=("0.95", "0.999"))
    check_row("full", row, """
        fwd_pkt_size_mean 78.8, fwd_pkt_size_std 42.03807797699605, fwd_pkt_size_skew 1.5, fwd_pkt_size_kurt 0.25,
        flow_pkt_size_mean 99.2, flow_iat_mean 0.08888888888888889, flow_iat_std 0.02204792759220492,
        flow_iat_min 0.05, flow_iat_max 0.1, fwd_iat_mean 0.2, fwd_iat_std 0.0816496580927726, fwd_iat_max 0.3,
        fwd_payload_byte 100, bwd_payload_byte 310, fwd_payload_pkt 1, bwd_payload_pkt 2, fwd_header_byte 100,
        fwd_win_init 111, fwd_win_min 111, fwd_win_max 1000, bwd_win_init 222, bwd_win_min 222, bwd_win_max 225,
        fwd_win_zero_cnt 0, tcp_rtt_synack 0.1, tcp_rtt_ack 0.1, fwd_retrans_cnt 0, bwd_retrans_cnt 0,
        fwd_ooo_cnt 0, bwd_ooo_cnt 0, fwd_ttl_first 64, active_cnt 0, idle_cnt 0, mpls_label -1,
        fwd_pkt_size_p95 135.2, fwd_pkt_size_p99.9 153.624, fwd_entropy 0, fwd_wscale -1, fwd_mss 0""",
              splt_size=[60, -60, 60, 154, -354, 60], splt_iat=[0] + [100_000_000] * 5,
              splt_flags=[2, 18, 16, 24, 24, 17], src_mac="02:00:00:00:00:0a", dst_mac="02:00:00:00:00:0b",
              vlan_ids="", end_reason="end", start_time="1600000000.000000000")


def server_closes():
    frames = CLIENT_CLOSES[:5] + [back("0.5", "FA"), forth("0.6", "A"), forth("0.65", "PA", bytes(10)),
                                  forth("0.7", "FA"), back("0.8", "A")]
    row, = table("cicflowmeter", frames)
    check_row("server closes", row, "Total Fwd Packet 6, Total Bwd packets 4, FIN Flag Count 2")


def limits():
    rows = table("cicflowmeter", [said("0", "A", 10), said("1", "B", 20), said("130", "B", 30), said("131", "A", 40),
                                  said("132", "B", 50)], 2)
    check_row("idle limit, first", rows[0], "Total Fwd Packet 1, Total Bwd packets 1, Flow Duration 1000000")
    check_row("idle limit, second", rows[1], """Total Fwd Packet 2, Total Length of Fwd Packet 80, Src Port 53,
        Total Bwd packets 1, Total Length of Bwd Packet 40, Packet Length Mean 40, Flow Duration 2000000""")
    # 120 s is not over the limit; one microsecond more is. A cut keeps source and destination.
    rows = table("cicflowmeter", [said("0", "A", 1), said("60", "A", 2), said("120", "A", 3),
                                  said("120.000001", "B", 4), said("121", "A", 5)], 2)
    check_row("duration limit, first", rows[0], "Flow Duration 120000000, Total Fwd Packet 3, Total Bwd packets 0")
    check_row("duration limit, second", rows[1], "Src Port 5000, Total Fwd Packet 1, Total Bwd packets 1")
    # Nanoseconds are cut down before times are compared.
    table("cicflowmeter", [said("0", "A", 1), said("60", "A", 1), said("120.000000999", "B", 1)], 1)


def closing():
    late = [back("1.0", "RA"), back("1.1", "A")]
    rows = table("cicflowmeter", [forth("0", "S", seq=1)] + late + [back("2", "SA"), forth("3", "S", seq=9),
                                                                    forth("4", "S", seq=10)], 2)
    check_row("late packets join a closing flow", rows[0], "Total Fwd Packet 1, Total Bwd packets 3")
    check_row("a SYN ends a closing flow, no other", rows[1], "Total Fwd Packet 2, SYN Flag Count 2")
    # The second FIN is not yet the ACK that follows: a SYN right after it joins.
    table("cicflowmeter", [forth("0", "FA"), back("1", "FA"), forth("2", "S")], 1)
    table("cicflowmeter", [forth("0", "FA"), back("1", "FA"), forth("1.5", "A"), forth("2", "S")], 2)
    row, = table("cicflowmeter", [back("0", "SA", win=7), forth("0.1", "A", win=8)])
    check_row("a SYN+ACK turns the flow round", row, """Src Port 1000, Dst Port 80, Total Fwd Packet 1,
        Total Bwd packets 1, FWD Init Win Bytes 8, Bwd Init Win Bytes 7""", **{"Src IP": A})


def bulks():
    row, = table("cicflowmeter", [said(f"0.{i}", "AB"[i % 2], (100, 10)[i % 2]) for i in range(10)])
    check_row("mixed bulk", row, """Fwd Bytes/Bulk Avg 0, Fwd Packet/Bulk Avg 0, Fwd Bulk Rate Avg 0,
        Bwd Bytes/Bulk Avg 0, Bwd Packet/Bulk Avg 0, Bwd Bulk Rate Avg 0""")
    # Runs of 5, of 4 (after a pause over 1 s), and of 3 that the other side breaks: 2 bulks, 9 packets,
    # 5 * 100 + 4 * 50 bytes, 0.4 + 0.3 s.
    frames = [said(f"0.{i}", "A", 100) for i in range(5)] + [said(f"2.{i}", "A", 50) for i in range(4)]
    frames += [said("4.0", "A", 9), said("4.1", "A", 9), said("4.2", "A", 9), said("4.3", "B", 9), said("4.4", "A", 9)]
    row, = table("cicflowmeter", frames)
    check_row("bulks", row, """Fwd Bytes/Bulk Avg 350, Fwd Packet/Bulk Avg 4.5, Fwd Bulk Rate Avg 1000,
        Bwd Bytes/Bulk Avg 0, Subflow Fwd Packets 4.333333333333333, Subflow Bwd Bytes 3""")
    row, = table("cicflowmeter", [said("0", "A", 5), said("0.0000009", "B", 5)])
    check_row("zero duration", row, """Flow Duration 0, Flow Bytes/s 0, Flow Packets/s 0, Fwd Packets/s 0,
        Bwd Packets/s 0, Fwd Bulk Rate Avg 0""")


def periods():
    frames = [said(t, "A", 1) for t in ("0", "1", "3", "10", "10.5", "20")]
    row, = table("full", frames)
    check_row("active and idle", row, """active_cnt 2, active_mean 1.75, active_std 1.7677669529663689, active_min 0.5,
        active_max 3, idle_cnt 2, idle_mean 8.25, idle_std 1.7677669529663689, idle_min 7, idle_max 9.5""")
    row, = table("cicflowmeter", frames)
    check_row("active and idle", row, """Active Mean 1750000, Active Std 1767766.9529663688, Active Min 500000,
        Active Max 3000000, Idle Mean 8250000, Idle Min 7000000, Idle Max 9500000""")
    row, = table("full", [said("0", "A", 1), said("5", "A", 1), said("10.000000001", "A", 1)])
    check_row("5 s are no pause, and periods of one packet none", row, """active_cnt 1, active_max 5, idle_cnt 1,
        idle_max 5.000000001""")


def order():
    start = (1 << 32) - 1000  # the numbers wrap on the way
    data = [(0, "S", 0), (1, "PA", 100), (301, "PA", 100), (101, "PA", 100), (101, "PA", 100), (201, "PA", 100),
            (201, "PA", 100), (401, "A", 0), (401, "PA", 800), (1401, "PA", 50), (1351, "PA", 50), (1351, "PA", 50),
            (1201, "PA", 100), (0, "S", 0), (1451, "FA", 0), (1451, "FA", 0), (1452, "A", 0), (1451, "A", 0)]
    # in order: SYN, 1; gap [101, 301) before 301; 101 out of order, again 101 a retransmission, 201 out of
    # order, again 201 a retransmission; nothing; 401 in order; gap [1201, 1401) before 1401; 1351 out of order,
    # again a retransmission; 1201 out of order; the SYN a retransmission, the FIN in order, then one.
    frames = [forth(f"0.{i:02}", flags, bytes(size), seq=(start + s) % (1 << 32)) for i, (s, flags, size)
              in enumerate(data)]
    row, = table("full", frames)
    check_row("retransmissions", row, "fwd_retrans_cnt 5, fwd_ooo_cnt 4, bwd_retrans_cnt 0, bwd_ooo_cnt 0")
    # Only the latest gap is remembered.
    frames = [forth(f"0.{i}", "PA", bytes(10), seq=s) for i, s in enumerate((0, 20, 40, 10, 30))]
    row, = table("full", frames)
    check_row("two gaps", row, "fwd_retrans_cnt 1, fwd_ooo_cnt 1")
    # A segment over the end of the gap fills it; one over next moves next.
    frames = [forth(f"0.{i}", "PA", bytes(n), seq=s) for i, (s, n) in enumerate(
        ((0, 10), (20, 10), (10, 50), (60, 10), (10, 1)))]
    row, = table("full", frames)
    check_row("over the gap", row, "fwd_retrans_cnt 1, fwd_ooo_cnt 1")


def handshakes():
    options = bytes.fromhex("020405b4 0101 0402 01 030307")
    frames = [forth("0", "S", seq=5, win=1000, options=options + b"\0"), forth("1", "S", seq=5, win=999),
              back("1.25", "SA", ack=6, win=500, options=bytes.fromhex("02040218")), forth("1.5", "A", seq=6, win=0),
              forth("1.6", "R", seq=6, win=0)]
    row, = table("full", frames)
    check_row("handshake", row, """tcp_rtt_synack 1.25, tcp_rtt_ack 0.25, fwd_mss 1460, fwd_wscale 7,
        fwd_sack_permitted 1, bwd_mss 536, bwd_wscale -1, bwd_sack_permitted 0, fwd_win_init 1000, fwd_win_min 0,
        fwd_win_max 1000, fwd_win_zero_cnt 1, bwd_win_zero_cnt 0, fwd_header_byte 92, bwd_header_byte 24,
        fwd_retrans_cnt 1""")
    row, = table("full", [back("0", "SA"), forth("0.1", "A")])
    check_row("no SYN", row, "tcp_rtt_synack 0, tcp_rtt_ack 0")


def headers():
    frames = [("0", eth(tagged(tagged(ip4(udp(b"aabb"), ttl=9, tos=0xB9), 0x8100, 0x2000 + 200), 0x88A8, 100))),
              ("1", eth(ip4(udp(b"b"), ttl=7, tos=3))),
              ("2", eth(ip4(udp(b""), ttl=200, tos=0)))]
    row, = table("full", frames)
    check_row("TTL, DSCP, ECN", row, """fwd_ttl_first 9, fwd_ttl_min 7, fwd_ttl_max 200, fwd_dscp_first 46,
        fwd_dscp_min 0, fwd_dscp_max 46, fwd_ecn_first 1, fwd_ecn_min 0, fwd_ecn_max 3, bwd_ttl_first 0, bwd_ttl_max 0,
        fwd_payload_byte 5, fwd_payload_pkt 2, fwd_header_byte 24, fwd_entropy 0.9709505944546686""",
              vlan_ids="100 200")
    labels = (0x8847, struct.pack(">II", 1000 << 12 | 64, 17 << 12 | 0x100 | 64) + ip4(udp(b"x"))[1])
    row, = table("full", [("0", eth(labels))])
    check_row("MPLS", row, "mpls_label 1000, fwd_payload_byte 1", vlan_ids="")
    # The captured part is shorter than the payload: it counts for the entropy only.
    row, = table("full", [("0", cut(eth(ip4(udp(bytes(range(100))))), 14 + 20 + 8 + 4))])
    check_row("cut", row, "fwd_payload_byte 100, fwd_tot_byte 142, fwd_entropy 2")
    row, = table("full", [("0", eth(ip4(udp(bytes(range(256)) * 3)))), ("1", eth(ip4(udp(bytes(range(256)) + bytes(99)))))])
    check_row("1,024 bytes", row, "fwd_entropy 8, fwd_payload_byte 1123")
    row, = table("full", [("0", eth(ip4(udp(bytes(30)), total=0)))])
    check_row("total length 0", row, "fwd_payload_byte 30")
    row, = table("full", [("0", eth(ip4(udp(bytes(30)), total=100)))])
    check_row("total length beyond the frame", row, "fwd_payload_byte 30")
    row, = table("full", [("0", eth(ip4((4, ip4(udp(bytes(30)), total=90)[1]), total=60), pad=200))])
    check_row("total length beyond the IP header around", row, "fwd_payload_byte 12")
    frames = [("0", eth(ip4((17, udp(bytes(40))[1][:32]), fragment=0x2000))),
              ("1", eth(ip4((17, bytes(50)), fragment=4, total=100)))]
    row, = table("full", frames)
    check_row("total length of a fragment beyond the frame", row, "fwd_payload_byte 74, fwd_payload_pkt 2")
    row, = table("full", [("0", ip4(udp(b"raw"))[1])], link=101)
    check_row("raw IP", row, "fwd_payload_byte 3", src_mac="", dst_mac="")
    cooked = struct.pack(">HHH8sH", 0, 1, 6, bytes.fromhex("020000000001 0000"), 0x0800) + ip4(udp(b"sll"))[1]
    row, = table("full", [("0", cooked)], link=113)
    check_row("cooked", row, "fwd_payload_byte 3", src_mac="02:00:00:00:00:01", dst_mac="")
    row, = table("full", [("0", eth(ip4((4, ip4(udp(b"in"), "1.2.3.4", "5.6.7.8", ttl=3)[1]), ttl=4)))])
    check_row("IP in IP", row, "fwd_ttl_first 3, fwd_payload_byte 2", src_ip="1.2.3.4")


def six():
    extensions = ((0, bytes([0, 1, 4, 0, 0, 0, 0])), (60, bytes([0, 1, 4, 0, 0, 0, 0])))
    row, = table("full", [("0", eth(ip6(udp(b"12345"), hops=33, tclass=0xB8, extensions=extensions)))])
    check_row("IPv6", row, "fwd_payload_byte 5, fwd_ttl_first 33, fwd_dscp_first 46, fwd_ecn_first 0",
              src_ip="2001:db8::1")
    row, = table("full", [("0", eth(ip6(tcp("A", bytes(50)))))])
    check_row("IPv6, TCP", row, "fwd_tot_byte 124, fwd_payload_byte 50, fwd_header_byte 20")
    check("jumbo payload", dissect.jumbo(bytes.fromhex("0100 c204 00010000")), 65536)
    more = bytes([0]) + struct.pack(">HI", 1, 7)
    last = bytes([0]) + struct.pack(">HI", 32 << 0 & 0xFFF8, 7)
    whole = udp(bytes(34))[1]
    row, = table("full", [("0", eth(ip6((17, whole[:32]), extensions=((44, more),)))),
                          ("1", eth(ip6((17, whole[32:]), hops=1, extensions=((44, last),))))])
    check_row("IPv6 fragments", row, "fwd_tot_pkt 2, fwd_payload_byte 34, fwd_header_byte 8, fwd_ttl_min 1")


def fragments():
    whole = tcp("PA", bytes(range(44)), win=5)[1]
    frames = [("0", eth(ip4((6, whole[:32]), fragment=0x2000))), ("1", eth(ip4((6, whole[32:]), fragment=4, ttl=2))),
              ("31.1", eth(ip4((6, whole[32:]), fragment=4)))]
    row, = table("full", frames)
    check_row("fragments", row, """fwd_tot_pkt 2, fwd_payload_byte 44, fwd_payload_pkt 2, fwd_header_byte 20,
        fwd_win_init 5, fwd_win_min 5, fwd_psh_cnt 1, fwd_ttl_min 2, fwd_entropy 5.459431618637297""")
    row, = table("cicflowmeter", frames)
    check_row("fragments", row, "Total Fwd Packet 2, Total Length of Fwd Packet 44, Fwd Seg Size Min 0")


def backwards():
    row, = table("full", [said("10", "A", 1), said("5", "A", 1), said("12", "A", 1)], splt=9)
    check_row("time runs back", row, """duration 2, fwd_iat_min 0, fwd_iat_max 2, flow_iat_mean 1""",
              splt_iat=[0, 0, 2 * 10**9], start_time="1600000010.000000000")


def ends():
    frames = [forth("0", "S", seq=1), forth("1", "S", seq=1), forth("2", "S", seq=2), said("3", "A", 1), said("18", "A", 1),
              said("33.000000001", "A", 1)]
    rows = table("full", frames, 4, timeout=15)
    check("end reasons", [row["end_reason"] for row in rows], ["reuse", "idle", "idle", "end"])
    # The other side's base is what is acknowledged: B starts nothing with number 7, but with 8.
    frames = [forth("0", "A", seq=5, ack=8), back("1", "S", seq=7), back("2", "S", seq=8)]
    table("full", frames, 2)


def one_end():
    frames = [(t, eth(ip4(udp(b"x", (7, 7)), A, A))) for t in ("0", "1")]
    row, = table("full", frames)
    check_row("both ends the same", row, "fwd_tot_pkt 2, bwd_tot_pkt 0")
    row, = table("cicflowmeter", frames)
    check_row("both ends the same", row, "Total Fwd Packet 2, Down/Up Ratio 0")


def ids():
    for text, want in ((b"", 0xEF46DB3751D8E999), (b"a", 0xD24EC4F1A98C6E5B), (b"asdf", 0x415872F599CEA71E),
                       (b"Call me Ishmael. Some years ago--never mind how long precisely-", 0x02A2E85470D6FD96)):
        check(f"xxHash64 of {text}", f"{full.xxhash64(text):x}", f"{want:x}")

    class F:
        pass
    for src, dst, proto, want in ((("128.232.110.120", 34855), ("66.35.250.204", 80), 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
                                  (("66.35.250.204", 80), ("128.232.110.120", 34855), 6, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
                                  (("192.168.1.52", 54585), ("8.8.8.8", 53), 17, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=")):
        f = F()
        f.src, f.dst, f.proto = (ip_address(src[0]).packed, src[1]), (ip_address(dst[0]).packed, dst[1]), proto
        check(f"Community ID of {src}", full.community_id(f), want)
    for p, want in (("0.05", "5"), ("0.5", "50"), ("0.999", "99.9"), ("0.005", "0.5"), ("1", "100"), (".25", "25")):
        check(f"name of quantile {p}", full.percent(p), want)


def statistics():
    check("skew of nothing", exact.skew([]), 0.0)
    check("kurt of nothing", exact.kurt([]), -3.0)
    check("kurt of a constant", exact.kurt([4, 4, 4]), -3.0)
    check("std of one", exact.std([4]), 0.0)
    check("quantile", exact.quantile([4, 1, 2], "0.25"), 1.5)
    # 1, 2, 3, 6: mean 3, deviations -2 -1 0 3; m2 14/4, m3 18/4, m4 98/4.
    check("std", exact.std([6, 1, 3, 2]), (14 / 3) ** 0.5)
    check("skew", exact.skew([6, 1, 3, 2]), 4.5 / 3.5**1.5)
    check("kurt", exact.kurt([6, 1, 3, 2]), 24.5 / 12.25 - 3)
    try:
        import numpy
        import scipy
        from scipy import stats
    except ImportError:
        print("numpy or scipy is not installed: statistics not held against them")
        return
    print(f"statistics held against numpy {numpy.__version__} and scipy {scipy.__version__}")
    rng = random.Random(1)
    for n in (2, 3, 10, 1000):
        v = [int(rng.expovariate(1e-6)) for _ in range(n)]
        check(f"numpy mean {n}", exact.mean(v), float(numpy.mean(v)))
        for got, want in ((exact.std(v), numpy.std(v, ddof=1)), (exact.std(v, population=True), numpy.std(v)),
                          (exact.variance(v), numpy.var(v, ddof=1)), (exact.skew(v), stats.skew(v)),
                          (exact.kurt(v), stats.kurtosis(v)), (exact.quantile(v, "0.05"), numpy.quantile(v, 0.05)),
                          (exact.quantile(v, "0.75"), numpy.quantile(v, 0.75))):
            check(f"numpy, scipy {n}", round(got / max(1, abs(want)), 10), round(float(want) / max(1, abs(want)), 10))


def main():
    for case in (statistics, ids, client_closes, server_closes, limits, closing, bulks, periods, order, handshakes,
                 headers, six, fragments, backwards, ends, one_end):
        case()
    for failure in failures:
        print(failure)
    print(f"{checks} checks, {len(failures)} failures")
    return 1 if failures else 0
