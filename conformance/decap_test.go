package conformance

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
)

// decapExplained are the captures whose flows of other protocols, or inside of UDP
// tunnels, differ from those that tshark shows, and why.
var decapExplained = map[string]string{
	"libtrace-100_packetsns.pcap": "the snap length cuts ESP before its SPI: truncated, and tshark names no SPI",
	"libtrace-5_packets.erf":      "the same",
}

// total is the packets and bytes of the flows of a protocol between two
// endpoints.
type total struct{ packets, bytes uint64 }

// A inTshark is what was compared, by protocol or tunnel.
type inTshark struct {
	mu      sync.Mutex
	packets map[string]uint64
}

// TestDecap counts packets and bytes per protocol and endpoints in every shared
// capture, with all tunnels looked into: those of flows of ICMP, ICMPv6, SCTP, DCCP,
// UDP-Lite and ESP, and those of any flow inside a UDP tunnel. What tshark's
// dissection gives must be equal.
func TestDecap(t *testing.T) {
	dir := shared(t)
	captures, err := os.ReadDir(filepath.Join(dir, "captures"))
	if err != nil {
		t.Fatal(err)
	}
	all := inTshark{packets: map[string]uint64{}}
	t.Run("captures", func(t *testing.T) {
		for _, entry := range captures {
			if name := entry.Name(); name != "ORIGIN.md" && !strings.HasPrefix(notInReference[name], "Broadcom") && !strings.HasPrefix(notInReference[name], "Marvell") {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					all.compare(t, filepath.Join(dir, "captures", name), decapExplained[name])
				})
			}
		}
	})
	all.want(t, "icmp", "icmpv6", "sctp", "dccp", "esp", "vxlan", "geneve", "gtp", "teredo")
}

// compare compares a capture; why tells of a difference that is known.
func (a *inTshark) compare(t *testing.T, path, why string) {
	got, err := counted(path)
	if err != nil && got == nil {
		t.Skip(err) // it is no capture, or of no link type, that can be read
	}
	want, tunnels := dissected(t, path)
	differences := 0
	for key := range maps.Keys(want) {
		if got[key] != want[key] {
			differences++
			t.Logf("%s: got %v, want %v", key, got[key], want[key])
		}
	}
	for key, n := range got {
		if protocol, _, _ := strings.Cut(key, " "); compared[protocol] != "" && want[key] == (total{}) {
			differences++
			t.Logf("%s: got %v, want none", key, n)
		}
	}
	if why != "" && differences == 0 {
		t.Errorf("no difference, but there should be one: %s", why)
	} else if why == "" && differences > 0 {
		t.Errorf("%d differences", differences)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, n := range want {
		protocol, _, _ := strings.Cut(key, " ")
		a.packets[compared[protocol]] += n.packets
	}
	for tunnel, packets := range tunnels {
		a.packets[tunnel] += packets
	}
}

func (a *inTshark) want(t *testing.T, names ...string) {
	for _, name := range names {
		if a.packets[name] == 0 {
			t.Errorf("no packet of %s was compared", name)
		}
	}
	delete(a.packets, "")
	t.Logf("packets compared: %v", a.packets)
}

// TestDecapOfMadeFrames does it with frames of which no capture has any.
func TestDecapOfMadeFrames(t *testing.T) {
	shared(t)
	ethernet := func(kind string, payload []byte) []byte {
		return append(unhex("02005e00000102005e000002"+kind), payload...)
	}
	v4 := func(protocol byte, payload []byte) []byte {
		b := append(unhex("4500000012340000400000000a000001c0000202"), payload...)
		b[9] = protocol
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		return b
	}
	v6 := func(protocol byte, payload []byte) []byte {
		b := append(unhex("60000000000000"+"40"+"20010db8000000000000000000000001"+"20010db8000000000000000000000002"), payload...)
		b[6] = protocol
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40))
		return b
	}
	udp := func(src, dst uint16, header string, payload []byte) []byte {
		b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, src), dst)
		b = append(append(append(b, 0, 0, 0, 0), unhex(header)...), payload...)
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
		return ethernet("0800", v4(17, b))
	}
	gtpu := func(flags, more string, payload []byte) []byte {
		inside := append(unhex(more), payload...)
		return udp(2152, 2152, flags+"ff"+fmt.Sprintf("%04x", len(inside))+"00000042", inside)
	}
	tcp := unhex("c0a801bb 01020304 05060708 5018ffff 00000000")
	ping, ping6 := v4(1, unhex("08000000 a1b20001")), v6(58, unhex("80000000 a1b20001"))
	sctp, lite := v4(132, unhex("80e80007 00000001 00000000 03000010 00000001 00010000 00000000")), v4(136, unhex("80e80007 00080000 6162"))
	ppp := func(inside []byte) []byte { return append(unhex("ff030021"), inside...) }
	frames := map[string][]byte{
		"echo reply": ethernet("0800", v4(1, unhex("00000000 a1b20001"))), "echo reply, v6": ethernet("86dd", v6(58, unhex("81000000 a1b20001"))),
		"timestamp":          ethernet("0800", v4(1, unhex("0d000000 a1b20001 00000001 00000002 00000003"))),
		"address mask reply": ethernet("0800", v4(1, unhex("12000000 a1b20001 ffffff00"))),
		"home agents":        ethernet("86dd", v6(58, unhex("90000000 a1b20000"))),
		"solicitation":       ethernet("86dd", v6(58, unhex("87000000 a1b20001 20010db8000000000000000000000002"))),
		"icmp":               ethernet("0800", ping), "icmpv6": ethernet("86dd", ping6), "sctp": ethernet("0800", sctp), "udplite": ethernet("0800", lite),
		"esp in ah":                     ethernet("0800", v4(51, unhex("32040000 00a1b2c3 00000001 000000000000000000000000 00000009 00000001"))),
		"time exceeded that quotes udp": ethernet("0800", v4(1, append(unhex("0b000000 00000000"), v4(17, unhex("c0a80035 00080000"))...))),
		"vxlan":                         udp(49320, 4789, "0800000000012300", ethernet("0800", v4(6, tcp))),
		"vxlan with sctp":               udp(49320, 4789, "0800000000012300", ethernet("0800", sctp)),
		"vxlan with arp":                udp(49321, 4789, "0800000000012300", ethernet("0806", unhex("0001080006040001"+strings.Repeat("00", 20)))),
		"geneve with options":           udp(49320, 6081, "024008000001230001038001 00000000", v4(6, tcp)),
		"geneve with ipv6":              udp(49320, 6081, "000086dd00012300", ping6),
		"gtpu":                          gtpu("30", "", v4(6, tcp)),
		"gtpu with a sequence number":   gtpu("32", "00070000", ping),
		"gtpu with two extensions":      gtpu("36", "00010085 01100900", ping6),
		"l2tp":                          udp(1701, 1701, "000200010002", ppp(ping)),
		"l2tp with a length":            udp(1701, 1701, "4002"+"0028"+"00010002", ppp(ping)),
		"l2tp with sequence numbers":    udp(1701, 49320, "08020001000200070000", ppp(v4(6, tcp))),
		"l2tp with an offset":           udp(49320, 1701, "020200010002"+"0003"+"000000", ppp(ping)),
		"l2tp's hello":                  udp(1701, 1701, "c80200140001000000010001 800800000000 0006", nil),
		"teredo":                        udp(49320, 3544, "", ping6),
		"teredo with an origin":         udp(3544, 49320, "0000b45f3fffffee", v6(6, tcp)),
		"teredo with authentication":    udp(49320, 3544, "00010000 0102030405060708 00", ping6),
		"teredo with both":              udp(3544, 49320, "00010000 0102030405060708 00 0000b45f3fffffee", ping6),
		"vxlan in geneve": udp(49320, 6081, "0000655800012300",
			udp(49322, 4789, "0800000000012300", ethernet("0800", v4(6, tcp)))),
	}
	all := inTshark{packets: map[string]uint64{}}
	t.Run("frames", func(t *testing.T) {
		for name, frame := range frames {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := unhex("d4c3b2a1 02000400 00000000 00000000 00000400 01000000 00000000 00000000")
				b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, uint32(len(frame))), uint32(len(frame)))
				file := filepath.Join(t.TempDir(), "made.pcap")
				if err := os.WriteFile(file, append(b, frame...), 0o666); err != nil {
					t.Fatal(err)
				}
				all.compare(t, file, "")
			})
		}
	})
	all.want(t, "icmp", "icmpv6", "sctp", "udplite", "esp", "vxlan", "geneve", "gtp", "l2tp", "teredo")
}

func unhex(digits string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// compared are the protocols of which all flows are compared.
var compared = map[string]string{"1": "icmp", "58": "icmpv6", "132": "sctp", "33": "dccp", "136": "udplite", "50": "esp"}

// counted returns what flowfast counts.
func counted(path string) (map[string]total, error) {
	o := flowfast.Options{Tunnels: decode.AllTunnels}
	if err := o.Protocols.UnmarshalText([]byte("tcp,udp,icmp,icmpv6,sctp,dccp,udplite,esp")); err != nil {
		return nil, err
	}
	run, err := flowfast.Open(o, path)
	if err != nil {
		return nil, err
	}
	got := map[string]total{}
	for f, err := range run.Flows(context.Background()) {
		if err != nil {
			return got, err
		}
		key := endpoints(f.Protocol, netip.AddrPortFrom(f.SrcIP(), f.SrcPort), netip.AddrPortFrom(f.DstIP(), f.DstPort), f.Identifier)
		n := got[key]
		got[key] = total{n.packets + f.Fwd.Packets + f.Bwd.Packets, n.bytes + f.Fwd.Bytes + f.Bwd.Bytes}
	}
	return got, nil
}

func endpoints(protocol uint8, a, b netip.AddrPort, identifier uint16) string {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return fmt.Sprint(protocol, " ", a, " ", b, " ", identifier)
}

// fields are what tshark is asked for of each frame.
var fields = []string{"frame.protocols", "frame.len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
	"tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code",
	"icmp.ident", "icmpv6.echo.identifier", "icmpv6.mip6.identifier",
	"sctp.srcport", "sctp.dstport", "dccp.srcport", "dccp.dstport", "esp.spi",
	"ip.frag_offset", "ip.flags.mf", "ip.id", "ipv6.fraghdr.offset", "ipv6.fraghdr.more", "ipv6.fraghdr.ident"}

// frame is the fields of a frame, each with all its occurrences.
type frame map[string][]string

// take takes the first occurrence of a field.
func (f frame) take(field string) string {
	if len(f[field]) == 0 {
		return ""
	}
	v := f[field][0]
	f[field] = f[field][1:]
	return v
}

func (f frame) number(field string) uint16 {
	n, _ := strconv.ParseUint(f.take(field), 0, 32)
	return uint16(n)
}

// dissected returns what is to be compared by tshark's dissection, and how many
// packets of flows were in which tunnel.
func dissected(t *testing.T, path string) (want map[string]total, tunnels map[string]uint64) {
	args := []string{"-r", path, "-n", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE",
		"-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"}
	for _, field := range fields {
		args = append(args, "-e", field)
	}
	out, err := exec.Command("tshark", args...).Output()
	if err != nil {
		t.Logf("%s: tshark: %v", filepath.Base(path), err)
	}
	want, tunnels = map[string]total{}, map[string]uint64{}
	firsts := map[string]string{} // flows of the first fragments
	for line := range strings.Lines(string(out)) {
		f := frame{}
		for i, v := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
			if v != "" && i < len(fields) {
				f[fields[i]] = strings.Split(v, ",")
			}
		}
		length, err := strconv.ParseUint(f.take("frame.len"), 10, 64)
		if err != nil {
			t.Fatalf("%s: %q", path, line)
		}
		datagram := fmt.Sprint(f["ip.src"], f["ip.dst"], f["ipv6.src"], f["ipv6.dst"], f["ip.id"], f["ipv6.fraghdr.ident"])
		key, tunnel := f.flow()
		if later := strings.Trim(strings.Join(append(f["ip.frag_offset"], f["ipv6.fraghdr.offset"]...), ""), "0") != ""; later {
			key = firsts[datagram]
		} else if key != "" {
			firsts[datagram] = key
		}
		protocol, _, _ := strings.Cut(key, " ")
		if key == "" || compared[protocol] == "" && tunnel == "" {
			continue
		}
		if tunnel != "" {
			tunnels[tunnel]++
		}
		n := want[key]
		want[key] = total{n.packets + 1, n.bytes + length}
	}
	return want, tunnels
}

// flow returns the flow of a frame: that of the first header in the chain of
// protocols that has one, or if it is of UDP and a tunnel follows, of the first one
// inside, if there is one. It also returns the tunnel.
func (f frame) flow() (key, tunnel string) {
	var src, dst netip.Addr
	protocols := strings.Split(f.take("frame.protocols"), ":")
	outer := "" // the flow of the tunnel
	at := func(protocol uint8, srcPort, dstPort uint16) string {
		return endpoints(protocol, netip.AddrPortFrom(src, srcPort), netip.AddrPortFrom(dst, dstPort), 0)
	}
	for i, protocol := range protocols {
		next := ""
		if i+1 < len(protocols) {
			next = protocols[i+1]
		}
		switch protocol {
		case "ip":
			src, _ = netip.ParseAddr(f.take("ip.src"))
			dst, _ = netip.ParseAddr(f.take("ip.dst"))
		case "ipv6":
			src, _ = netip.ParseAddr(f.take("ipv6.src"))
			dst, _ = netip.ParseAddr(f.take("ipv6.dst"))
		case "tcp":
			return at(6, f.number("tcp.srcport"), f.number("tcp.dstport")), tunnel
		case "sctp":
			return at(132, f.number("sctp.srcport"), f.number("sctp.dstport")), tunnel
		case "dccp":
			return at(33, f.number("dccp.srcport"), f.number("dccp.dstport")), tunnel
		case "udplite":
			return at(136, f.number("udp.srcport"), f.number("udp.dstport")), tunnel
		case "esp":
			spi, _ := strconv.ParseUint(f.take("esp.spi"), 0, 32)
			return at(50, uint16(spi>>16), uint16(spi)), tunnel
		case "icmp", "icmpv6":
			kind, code := f.number(protocol+".type"), f.number(protocol+".code")
			number := map[string]uint8{"icmp": 1, "icmpv6": 58}[protocol]
			for _, pair := range pairs[protocol] {
				if i := slices.Index(pair[:], kind); i >= 0 {
					code = pair[1-i]
				}
			}
			identifier := max(f.number("icmp.ident"), f.number("icmpv6.echo.identifier"), f.number("icmpv6.mip6.identifier"))
			return endpoints(number, netip.AddrPortFrom(src, kind), netip.AddrPortFrom(dst, code), identifier), tunnel
		case "udp":
			key := at(17, f.number("udp.srcport"), f.number("udp.dstport"))
			if !slices.Contains([]string{"vxlan", "geneve", "gtp", "l2tp", "teredo"}, next) {
				return key, tunnel
			}
			outer, tunnel = key, next
		}
	}
	return outer, tunnel
}

// pairs are the types of messages that answer each other (RFC 792, 950, 1256; RFC
// 4443, 4861, 2710, 4620, 6275).
var pairs = map[string][][2]uint16{
	"icmp":   {{8, 0}, {9, 10}, {13, 14}, {15, 16}, {17, 18}},
	"icmpv6": {{128, 129}, {130, 131}, {133, 134}, {135, 136}, {139, 140}, {144, 145}},
}
