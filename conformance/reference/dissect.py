"""From a capture to the list of its TCP and UDP packets.

tshark says which layers a frame has and where each begins; what stands in the
headers is read here from the bytes at those places, field by field.

Which packets count: those of a TCP or UDP header that is reached through link
headers (Ethernet, VLAN tags, MPLS, PPPoE, PPP, cooked, 802.11 data...), IP
headers with their extension headers, IP in IP and GRE. The first TCP or UDP
header met is the packet's, the IP header directly above it gives addresses,
TTL, DSCP and ECN. The captured part must hold the whole IP header and 16 bytes
of TCP or 8 of UDP, and the IP length must leave as many. A TCP header with a
data offset below 5 ends behind its numbers: no control bits, no window, no
options, length 0. A UDP length of 1 to 7 makes the packet malformed.

A later IP fragment counts when its first fragment (same source, destination,
protocol, identification) counted and came no more than 30 s before; it takes
that packet's ports and carries no flags.
"""
import functools
import ipaddress
import json
import subprocess
import sys

# What may stand above a TCP or UDP header, in Wireshark's words.
THROUGH = set(
    "frame pkt_comment eth ethertype vlan ieee8021ad mpls pwethheuristic pwethcw pwethnocw pppoes pppoe ppp "
    "pppmux sll null loop raw llc chdlc fr cooked radiotap ppi pcap_pktdata wlan wlan_radio wlan_aggregate "
    "ip ipv6 ipv6.hopopts ipv6.dstopts ipv6.routing ipv6.fraghdr ipv6.shim6 mip6 hip ah gre".split())

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
TCP, UDP = 6, 17
FRAGMENT_WAIT = 30 * 10**9
TAGS = (0x8100, 0x88A8, 0x9100)


class Packet:
    """One counted packet.

    n          position in the capture, from 1
    t          nanoseconds since the epoch, a whole number
    size       original length of the frame
    proto      6 or 17
    version    4 or 6
    src, dst   (address as bytes, port)
    later      it is an IP fragment behind the first: no transport header
    complete   no fragment at all, and the IP length leaves the whole transport header
    header     length of the transport header: data offset * 4 (0 if below 20), UDP 8, later fragments 0
    payload    payload length by the headers, as far as the frame goes
    data       the captured bytes of the payload
    ttl, tos   of the IP header directly above the transport header
    flags, seq, ack, win        TCP; 0 for others and later fragments
    mss, wscale, sack           options of a TCP header: 0, -1, 0 if there are none
    src_mac, dst_mac, vlans, mpls   the frame's: text, text, list of ids, top label or -1
    around     what stands around the packet's IP header, outermost first, by name:
               vlan    ids of all tags but 0
               mpls    labels above 15, but for the one below label 7 (RFC 6790)
               tunnel  of every IP header around: both addresses, sorted; of every GRE
                       header of version 0 with a key: that, and of Ethernet in GRE its
                       upper 24 bits
    """
    flags = seq = ack = win = mss = sack = 0
    wscale = mpls = -1
    later = complete = False
    src_mac = dst_mac = ""

    @property
    def tcp(self):
        """Whether it is a TCP segment with a header."""
        return self.proto == TCP and not self.later

    @property
    def window(self):
        """Whether it is one with a window field."""
        return self.tcp and self.header > 0


def address(raw):
    """The text of an address (RFC 5952)."""
    a = ipaddress.ip_address(raw)
    if a.version == 6 and a.ipv4_mapped:
        return f"::ffff:{a.ipv4_mapped}"
    return str(a)


def nanoseconds(text):
    """The nanoseconds of tshark's decimal seconds."""
    whole, _, fraction = text.partition(".")
    ns = int((fraction + "0" * 9)[:9]) if len(fraction) <= 9 and "-" not in fraction else int(fraction)
    return int(whole) * 10**9 + (-ns if whole.startswith("-") else ns)


def frames_of_tshark(path):
    """The layers of every frame, as a list of (name, value), outermost first.

    For each protocol there is NAME_raw: [hex, position, length...].
    """
    command = ["tshark", "-n", "-r", path, "-T", "json", "-x", "-j", "frame",
               "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE",
               "-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.check_checksum:FALSE"]
    tshark = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in tshark.stdout:
        if line.startswith("  {"):
            lines = [line]
        elif line.startswith("  }"):
            packet = json.loads("".join(lines) + "}", object_pairs_hook=lambda pairs: pairs)
            yield dict(dict(packet)["_source"])["layers"]
        else:
            lines.append(line)
    notes = [note for note in tshark.stderr.read().splitlines() if note and "Running as user" not in note]
    if notes:
        print("tshark:", "; ".join(notes), file=sys.stderr)
    tshark.wait()


def frame_bytes(layers, captured):
    """The captured bytes of a frame."""
    whole = dict(layers).get("frame_raw", [""])[0]  # none for an empty frame
    if not whole.startswith("field"):
        return bytes.fromhex(whole)
    # tshark prints no frame whose original length is below the captured one;
    # put it together from the layers.
    raw = bytearray(captured)
    for name, value in layers:
        if name.endswith("_raw") and isinstance(value, list) and not value[0].startswith("field"):
            part = bytes.fromhex(value[0])
            raw[value[1]:value[1] + len(part)] = part
    return bytes(raw[:captured])


def be(raw, at, n):
    """n bytes at a position as a number, most significant first."""
    return int.from_bytes(raw[at:at + n], "big")


class Header:
    """An IP header: where its payload begins and ends, and what it says."""


def ip_header(raw, at, version, limit):
    """The IP header at a position of a frame; None if it is not there as a whole.

    limit is where the frame, or the payload of the IP header around, ends. It
    counts only where the header has no length of its own.
    """
    h = Header()
    h.version = version
    if version == 4:
        if len(raw) < at + 20 or len(raw) < at + (raw[at] & 15) * 4:
            return None
        h.tos, h.ttl, h.proto = raw[at + 1], raw[at + 8], raw[at + 9]
        h.src, h.dst = raw[at + 12:at + 16], raw[at + 16:at + 20]
        h.ident = be(raw, at + 4, 2)
        h.more = bool(raw[at + 6] & 0x20)
        h.offset = be(raw, at + 6, 2) & 0x1FFF
        h.start = at + (raw[at] & 15) * 4
        total = be(raw, at + 2, 2)
        h.end = at + total if total else limit
        return h
    if len(raw) < at + 40:
        return None
    h.tos = be(raw, at, 2) >> 4 & 0xFF
    h.ttl = raw[at + 7]
    h.src, h.dst = raw[at + 8:at + 24], raw[at + 24:at + 40]
    h.more, h.offset, h.ident = False, 0, None
    length, kind, p = be(raw, at + 4, 2), raw[at + 6], at + 40
    h.proto = kind
    while kind in (0, 43, 44, 51, 60, 135, 139, 140):
        if len(raw) < p + 8:
            return None
        if kind == 44:
            h.offset = be(raw, p + 2, 2) >> 3
            h.more = bool(raw[p + 3] & 1)
            h.ident, h.proto = be(raw, p + 4, 4), raw[p]
            kind, p = raw[p], p + 8
            if h.offset:
                break
            continue
        size = (raw[p + 1] + 2) * 4 if kind == 51 else (raw[p + 1] + 1) * 8
        if kind == 0 and length == 0:
            length = jumbo(raw[p + 2:p + size])
        kind, p = raw[p], p + size
    if h.ident is None:
        h.proto = kind
    h.start = p
    h.end = at + 40 + length if length else limit
    return h


def jumbo(options):
    """The length in the jumbo payload option (RFC 2675) among hop-by-hop options, or 0."""
    i = 0
    while i + 2 <= len(options):
        if options[i] == 0:
            i += 1
            continue
        if options[i] == 0xC2 and options[i + 1] == 4 and i + 6 <= len(options):
            return be(options, i + 2, 4)
        i += 2 + options[i + 1]
    return 0


def tcp_options(p, options):
    """MSS, window scale and SACK-permitted: the first of each with its right length."""
    seen = set()
    i = 0
    while i < len(options) and options[i] != 0:
        kind = options[i]
        if kind == 1:
            i += 1
            continue
        if i + 2 > len(options) or options[i + 1] < 2 or i + options[i + 1] > len(options):
            return
        size = options[i + 1]
        if (kind, size) in ((2, 4), (3, 3), (4, 2)) and kind not in seen:
            seen.add(kind)
            if kind == 2:
                p.mss = be(options, i + 2, 2)
            elif kind == 3:
                p.wscale = options[i + 2]
            else:
                p.sack = 1
        i += size


def mac(raw):
    return ":".join(f"{b:02x}" for b in raw)


def link(p, layers, raw, kind):
    """The addresses, tags and label of the frame's link layer."""
    tags, at_tags = [], set()
    outermost = True
    for name, value in layers:
        if name in ("tcp_raw", "udp_raw"):
            break
        if not name.endswith("_raw") or not isinstance(value, list):
            continue
        at = value[1]
        if name == "eth_raw" and outermost and len(raw) >= at + 12:
            p.dst_mac, p.src_mac = mac(raw[at:at + 6]), mac(raw[at + 6:at + 12])
        if name == "sll_raw" and outermost:
            # v1: type 2, ARPHRD 2, length 2, address 8; v2: ... length 1 at 11, address 8 at 12.
            size, where = (be(raw, at + 4, 2), at + 6) if kind == 25 else (be(raw, at + 11, 1), at + 12)
            if size == 6:
                p.src_mac = mac(raw[where:where + 6])
        if name in ("vlan_raw", "ieee8021ad_raw"):
            while at not in at_tags:
                at_tags.add(at)
                tags.append(be(raw, at, 2) & 0xFFF)
                if be(raw, at + 2, 2) not in TAGS:
                    break
                at += 4
        if name == "mpls_raw" and p.mpls < 0:
            p.mpls = be(raw, at, 3) >> 4
        if name in ("ip_raw", "ipv6_raw", "ppp_raw", "wlan_raw"):
            outermost = False  # Ethernet behind these is carried, not the frame's
    p.vlans = tags


def around(layers, raw):
    """What stands around the innermost IP header above the transport header."""
    out = {"vlan": [], "mpls": [], "tunnel": []}
    seen, ends = set(), None
    for name, value in layers:
        if name in ("tcp_raw", "udp_raw"):
            break
        if not name.endswith("_raw") or not isinstance(value, list):
            continue
        at = value[1]
        if name in ("vlan_raw", "ieee8021ad_raw"):
            while at not in seen and len(raw) >= at + 4:
                seen.add(at)
                if be(raw, at, 2) & 0xFFF:
                    out["vlan"].append(be(raw, at, 2) & 0xFFF)
                if be(raw, at + 2, 2) not in TAGS:
                    break
                at += 4
        elif name == "mpls_raw":
            above = None
            while at not in seen and len(raw) >= at + 4:
                seen.add(at)
                label = be(raw, at, 4) >> 12
                if label > 15 and above != 7:
                    out["mpls"].append(label)
                if raw[at + 2] & 1:
                    break
                above, at = label, at + 4
        elif name == "gre_raw" and len(raw) >= at + 4:
            flags, kind = be(raw, at, 2), be(raw, at + 2, 2)
            if flags & 0x2007 == 0x2000:
                key = be(raw, at + (8 if flags & 0xC000 else 4), 4)
                out["tunnel"].append(key >> 8 if kind == 0x6558 else key)
        elif name in ("ip_raw", "ipv6_raw"):
            if ends:
                out["tunnel"].append(ends)
            size, where = (4, at + 12) if name == "ip_raw" else (16, at + 8)
            ends = tuple(sorted((raw[where:where + size], raw[where + size:where + 2 * size])))
    return out


def packet(layers, clock, firsts):
    """The packet of a frame, or None if it is none that counts."""
    frame = dict(dict(layers)["frame"])
    raw = frame_bytes(layers, int(frame["frame.cap_len"]))
    names = frame["frame.protocols"].split(":")
    p = Packet()
    p.n, p.t, p.size = int(frame["frame.number"]), clock, int(frame["frame.len"])
    transport, ip, limit = None, None, p.size
    for name, value in layers:
        if not name.endswith("_raw") or not isinstance(value, list):
            continue
        if name in ("ip_raw", "ipv6_raw"):
            ip = ip_header(raw, value[1], 4 if name == "ip_raw" else 6, limit)
            if ip is None:
                return None
            limit = min(limit, ip.end)
        if name in ("tcp_raw", "udp_raw"):
            transport = (name[:3], value[1])
            break
    if ip is None:
        return None
    link(p, layers, raw, int(frame["frame.encap_type"]))
    p.around = around(layers, raw)
    p.version, p.ttl, p.tos = ip.version, ip.ttl, ip.tos
    fragment = (ip.src, ip.dst, ip.proto, ip.ident)
    if transport is None:
        first = firsts.get(fragment)
        if not ip.offset or first is None or p.t - first.t > FRAGMENT_WAIT:
            return None
        p.later, p.proto, p.src, p.dst = True, first.proto, first.src, first.dst
        p.header, p.payload = 0, max(0, limit - ip.start)
        p.data = raw[ip.start:ip.start + p.payload]
        return p
    name, at = transport
    above = names[:min(names.index(n) for n in ("tcp", "udp") if n in names)]
    if not THROUGH.issuperset(above):
        return None
    if min(len(raw), ip.end) < at + (16 if name == "tcp" else 8):
        return None
    if name == "udp" and 0 < be(raw, at + 4, 2) < 8:
        return None
    p.proto = TCP if name == "tcp" else UDP
    p.src, p.dst = (ip.src, be(raw, at, 2)), (ip.dst, be(raw, at + 2, 2))
    p.header = 8
    if p.proto == TCP:
        p.seq, p.ack = be(raw, at + 4, 4), be(raw, at + 8, 4)
        p.header = (raw[at + 12] >> 4) * 4
        if p.header < 20:
            p.header = 0
        else:
            p.flags, p.win = raw[at + 13], be(raw, at + 14, 2)
            tcp_options(p, raw[at + 20:max(at + 20, min(at + p.header, ip.end))])
    p.payload = max(0, limit - at - p.header)
    p.data = raw[at + p.header:at + p.header + p.payload]
    p.complete = not ip.more and not ip.offset and p.header > 0 and ip.end - at >= p.header
    if ip.more and not ip.offset:
        firsts[fragment] = p
    return p


@functools.lru_cache(maxsize=1)
def packets(path):
    """The packets of a capture that count, in its order."""
    clock, firsts, out = 0, {}, []
    for layers in frames_of_tshark(path):
        frame = dict(dict(layers)["frame"])
        if not frame.get("frame.encap_type"):  # a block of pcapng that is listed but holds no packet
            continue
        # A packet without a time takes that of the packet before it.
        if frame.get("frame.time_epoch"):
            clock = nanoseconds(frame["frame.time_epoch"])
        p = packet(layers, clock, firsts)
        if p is not None:
            out.append(p)
    return out
