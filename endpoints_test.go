package flowfast_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/internal/need"
)

// naive reports whether an end matches a line, without any haste.
func naive(line string, end netip.AddrPort) bool {
	if port, err := strconv.ParseUint(line, 10, 16); err == nil {
		return end.Port() == uint16(port)
	}
	if pair, err := netip.ParseAddrPort(line); err == nil {
		return pair == end
	}
	if prefix, err := netip.ParsePrefix(line); err == nil {
		return prefix.Contains(end.Addr())
	}
	if addr, err := netip.ParseAddr(line); err == nil {
		return addr == end.Addr()
	}
	var first, last uint16
	if _, err := fmt.Sscanf(line, "%d-%d", &first, &last); err != nil {
		panic(line)
	}
	return first <= end.Port() && end.Port() <= last
}

// randomAddr returns one of few addresses, at the ends of their range and far apart.
func randomAddr(r *rand.Rand) netip.Addr {
	b := make([]byte, []int{4, 16}[r.IntN(2)])
	fill := byte(-r.IntN(2))
	for i := range b {
		b[i] = fill
	}
	for range r.IntN(3) {
		b[r.IntN(len(b))] = byte(1<<r.IntN(8)) - byte(r.IntN(2))
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func randomPort(r *rand.Rand) uint16 { return uint16(1<<r.IntN(17) - r.IntN(3)) }

func randomLine(r *rand.Rand) string {
	a, port := randomAddr(r), randomPort(r)
	switch r.IntN(12) {
	case 0:
		return fmt.Sprint(port)
	case 1:
		return fmt.Sprintf("%d-%d", port, port+uint16(r.IntN(min(10, 1<<16-int(port)))))
	case 2, 3, 4:
		return netip.AddrPortFrom(a, port).String()
	case 5, 6, 7:
		return a.String()
	default:
		prefix, err := a.Prefix(a.BitLen() - r.IntN(1+a.BitLen()*r.IntN(2)))
		if err != nil {
			panic(err)
		}
		if prefix.Bits() < 3 && r.IntN(20) > 0 { // else everything matches
			return a.String()
		}
		return prefix.String()
	}
}

// ipPacket returns a packet of raw IP with the ports of UDP.
func ipPacket(src, dst netip.AddrPort, protocol byte) []byte {
	var b []byte
	if src.Addr().Is4() {
		b = append(b, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, protocol, 0, 0)
	} else {
		b = append(b, 0x60, 0, 0, 0, 0, 8, protocol, 64)
	}
	b = append(append(b, src.Addr().AsSlice()...), dst.Addr().AsSlice()...)
	b = binary.BigEndian.AppendUint16(b, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	return append(b, 0, 8, 0, 0)
}

// rawCapture returns a pcap file of packets of raw IP.
func rawCapture(packets ...[]byte) []byte {
	b := []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x65\x00\x00\x00")
	for _, p := range packets {
		n := byte(len(p))
		b = append(append(b, 0, 0, 0, 0, 0, 0, 0, 0, n, 0, 0, 0, n, 0, 0, 0), p...)
	}
	return b
}

func parsed(t *testing.T, list string) *flowfast.Endpoints {
	t.Helper()
	e, err := flowfast.ParseEndpoints(strings.NewReader(list), "list")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestEndpointsAsModel holds packets against random lists, and against each line of
// them.
func TestEndpointsAsModel(t *testing.T) {
	const packets = 400
	taken := 0
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 1))
		var lines []string
		for range 1 + r.IntN(60) {
			lines = append(lines, randomLine(r))
		}
		var frames [][]byte
		want, none := uint64(0), uint64(0)
		for len(frames) < packets {
			src, dst := netip.AddrPortFrom(randomAddr(r), randomPort(r)), netip.AddrPortFrom(randomAddr(r), randomPort(r))
			if src.Addr().BitLen() != dst.Addr().BitLen() {
				continue
			}
			frames = append(frames, ipPacket(src, dst, 17))
			if slices.ContainsFunc(lines, func(line string) bool { return naive(line, src) || naive(line, dst) }) {
				want++
			} else {
				none++
			}
		}
		run, err := flowfast.NewReader(flowfast.Options{Choice: flowfast.Choice{Endpoints: parsed(t, strings.Join(lines, "\n"))}},
			bytes.NewReader(rawCapture(frames...)), "made")
		if err != nil {
			t.Fatal(err)
		}
		for f, err := range run.Flows(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			src, dst := netip.AddrPortFrom(f.SrcIP(), f.SrcPort), netip.AddrPortFrom(f.DstIP(), f.DstPort)
			if !slices.ContainsFunc(lines, func(line string) bool { return naive(line, src) || naive(line, dst) }) {
				t.Fatalf("seed %d: %v to %v matches none of %q", seed, src, dst, lines)
			}
		}
		if c := run.Summary().Classes; c.Counted != want || c.LeftOut != none || want+none != packets {
			t.Fatalf("seed %d: %d counted and %d left out, want %d and %d: %q", seed, c.Counted, c.LeftOut, want, none, lines)
		}
		taken += int(want)
	}
	if share := float64(taken) / (80 * packets); share < 0.2 || share > 0.8 {
		t.Errorf("%.0f%% of the packets match: the lists try little", 100*share)
	}
}

// TestEndpointsOfOtherProtocols wants lines with ports to match those that are
// ports.
func TestEndpointsOfOtherProtocols(t *testing.T) {
	a, b := netip.MustParseAddrPort("10.0.0.1:2048"), netip.MustParseAddrPort("10.0.0.2:53")
	for _, test := range []struct {
		list     string
		protocol byte
		want     uint64
	}{
		{"2048", 6, 0}, // not whole: no flow
		{"2048", 17, 1},
		{"2048", 136, 1},
		{"2048", 1, 0},
		{"0-65535", 1, 0},
		{"10.0.0.1:0-1", 17, 0},
		{"10.0.0.1", 1, 1},
		{"10.0.0.2", 47, 1},
		{"0-65535", 50, 0},
		{"10.0.0.2:53", 17, 1},
		{"10.0.0.1:53", 17, 0},
		{"::/0", 17, 0},
		{"0.0.0.0/0", 17, 1},
	} {
		e, err := flowfast.ParseEndpoints(strings.NewReader(test.list), "list")
		if err != nil {
			if test.want > 0 {
				t.Error(err)
			}
			continue
		}
		var all decode.Protocols
		if err := all.UnmarshalText([]byte("all")); err != nil {
			t.Fatal(err)
		}
		run, err := flowfast.NewReader(flowfast.Options{Protocols: all, Choice: flowfast.Choice{Endpoints: e}},
			bytes.NewReader(rawCapture(ipPacket(a, b, test.protocol))), "made")
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range run.Flows(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := run.Summary().Classes.Counted; got != test.want {
			t.Errorf("%s, protocol %d: %d counted, want %d", test.list, test.protocol, got, test.want)
		}
	}
}

// TestEndpointsFragments wants a later fragment to go with its datagram, by ports
// that it does not have, and whichever way they come.
func TestEndpointsFragments(t *testing.T) {
	fragment := func(id byte, port uint16, offset uint16, more bool) []byte {
		p := ipPacket(netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), port), netip.MustParseAddrPort("10.0.0.2:9"), 17)
		p[5] = id
		field := offset / 8
		if more {
			field |= 0x2000
		}
		binary.BigEndian.PutUint16(p[6:], field)
		return p
	}
	capture := rawCapture(fragment(1, 53, 0, true), fragment(2, 54, 0, true),
		fragment(1, 99, 8, true), fragment(2, 53, 8, true), fragment(1, 54, 16, false), fragment(2, 53, 16, false), fragment(3, 53, 8, false))
	for _, workers := range []int{1, 3} {
		for list, want := range map[string][3]uint64{"53": {3, 3, 1}, "54": {3, 3, 1}, "10.0.0.1:54": {3, 3, 1}, "99": {0, 6, 1}, "10.0.0.2": {6, 0, 1}} {
			run, err := flowfast.NewReader(flowfast.Options{Workers: workers, Choice: flowfast.Choice{Endpoints: parsed(t, list)}}, bytes.NewReader(capture), "made")
			if err != nil {
				t.Fatal(err)
			}
			rows := uint64(0)
			for f, err := range run.Flows(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
				rows += f.Fwd.Packets
			}
			c := run.Summary().Classes
			if got := [3]uint64{c.Counted, c.LeftOut, c.OrphanFragment}; got != want || rows != want[0] {
				t.Errorf("%s: counted, left out, orphans %v, %d in rows; want %v", list, got, rows, want)
			}
		}
	}
}

// TestEndpointsAsExpression wants a list to choose the packets that an expression
// of tcpdump's does, in recorded captures.
func TestEndpointsAsExpression(t *testing.T) {
	path, err := exec.LookPath("tcpdump")
	if err != nil {
		need.Missing(t, "ENDPOINTS", err)
	}
	filter := func(file, expression string) flowfast.Filter {
		return func(uint32) ([]bpf.RawInstruction, error) {
			out, err := exec.Command(path, "-ddd", "-r", file, "--", expression).Output()
			if err != nil {
				return nil, err
			}
			var program []bpf.RawInstruction
			for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n")[1:] {
				var i bpf.RawInstruction
				if _, err := fmt.Sscan(line, &i.Op, &i.Jt, &i.Jf, &i.K); err != nil {
					return nil, err
				}
				program = append(program, i)
			}
			return program, nil
		}
	}
	for _, file := range []string{"testdata/flags.pcap", "../shared/captures/ndpi-instagram.pcap", "../shared/captures/ndpi-wechat.pcap", "../shared/captures/ndpi-whatsapp_login_call.pcap"} {
		if _, err := os.Stat(file); err != nil {
			t.Log("not here: ", file)
			continue
		}
		all, classes := flowPackets(t, flowfast.Options{}, file)
		var ends []netip.AddrPort
		run, err := flowfast.Open(flowfast.Options{}, file)
		if err != nil {
			t.Fatal(err)
		}
		for f, err := range run.Flows(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, netip.AddrPortFrom(f.SrcIP(), f.SrcPort), netip.AddrPortFrom(f.DstIP(), f.DstPort))
		}
		r := rand.New(rand.NewPCG(1, 2))
		some := 0
		for range 12 {
			var lines, parts []string
			for range 1 + r.IntN(3) {
				end := ends[r.IntN(len(ends))]
				prefix, _ := end.Addr().Prefix(end.Addr().BitLen() - 4*r.IntN(4))
				family, a, port := map[bool]string{true: "ip", false: "ip6"}[end.Addr().Is4()], end.Addr(), end.Port()
				switch r.IntN(4) {
				case 0:
					lines, parts = append(lines, a.String()), append(parts, fmt.Sprintf("%s host %v", family, a))
				case 1:
					lines, parts = append(lines, prefix.String()), append(parts, fmt.Sprintf("%s net %v", family, prefix))
				case 2:
					lines, parts = append(lines, fmt.Sprintf("%d-%d", port, port|7)), append(parts, fmt.Sprintf("portrange %d-%d", port, port|7))
				default:
					lines = append(lines, end.String())
					parts = append(parts, fmt.Sprintf("(%s and ((src host %v and src port %d) or (dst host %v and dst port %d)))", family, a, port, a, port))
				}
			}
			asList, listed := flowPackets(t, flowfast.Options{Choice: flowfast.Choice{Endpoints: parsed(t, strings.Join(lines, "\n"))}}, file)
			asFilter, filtered := flowPackets(t, flowfast.Options{Choice: flowfast.Choice{Filter: filter(file, strings.Join(parts, " or "))}}, file)
			if fmt.Sprint(asList) != fmt.Sprint(asFilter) || listed.Counted != filtered.Counted || listed.Counted+listed.LeftOut != classes.Counted {
				t.Errorf("%s: %q: %+v, by the expression %+v", file, lines, listed, filtered)
			}
			if len(asList) > 0 && len(asList) < len(all) {
				some++
			}
		}
		if some < 4 {
			t.Errorf("%s: only %d lists choose some flows and not all", file, some)
		}
	}
}

func TestParseEndpoints(t *testing.T) {
	const want = "want an address, a prefix, a port, a range of ports, or an address with a port, " +
		"such as 192.0.2.1, 2001:db8::/32, 443, 8000-8099, 192.0.2.1:53 or [2001:db8::1]:53"
	for _, test := range []struct{ list, err string }{
		{"\ufeff192.0.2.1\r\n\r\n  # all of it\r\n 443 # https\r\n0\n65535\n0-65535\n[::1]:0\n::ffff:1.2.3.4/128", ""},
		{"0.0.0.0/0\n::/0\n10.0.0.0/32", ""},
		{"", "list: no line has an address or a port"},
		{"# nothing\n\n", "list: no line has an address or a port"},
		{"53\n\nhost 10.0.0.1\n", `list:3: "host 10.0.0.1": ` + want},
		{"65536", `list:1: "65536": ` + want},
		{"20-10", `list:1: "20-10": ` + want},
		{"1-2-3", `list:1: "1-2-3": ` + want},
		{"-5", `list:1: "-5": ` + want},
		{"10.0.0.1:", `list:1: "10.0.0.1:": ` + want},
		{"10.0.0.1:65536", `list:1: "10.0.0.1:65536": ` + want},
		{"010.0.0.1", `list:1: "010.0.0.1": ` + want},
		{"10.0.0/24", `list:1: "10.0.0/24": ` + want},
		{"10.0.0.1/33", `list:1: "10.0.0.1/33": ` + want},
		{"10.0.0.1/24", `list:1: 10.0.0.1/24 has bits beyond the prefix: want 10.0.0.0/24`},
		{"fe80::1%eth0", `list:1: "fe80::1%eth0": ` + want},
		{"[fe80::1%eth0]:53", `list:1: "[fe80::1%eth0]:53": ` + want},
		{"[::1]", `list:1: "[::1]": ` + want},
		{"53\n" + strings.Repeat("9", 1<<17), `list:2: ` + want},
	} {
		_, err := flowfast.ParseEndpoints(strings.NewReader(test.list), "list")
		if got := fmt.Sprint(err); got != test.err && (err != nil || test.err != "") {
			t.Errorf("%.60q: error %q, want %q", test.list, got, test.err)
		}
	}
}

// BenchmarkEndpoints has lists of other lengths for the same packets.
func BenchmarkEndpoints(b *testing.B) {
	const packets = 10000
	var frames [][]byte
	r := rand.New(rand.NewPCG(1, 2))
	for range packets {
		var a [8]byte
		binary.BigEndian.PutUint64(a[:], r.Uint64())
		frames = append(frames, ipPacket(netip.AddrPortFrom(netip.AddrFrom4([4]byte(a[:4])), 1000), netip.AddrPortFrom(netip.AddrFrom4([4]byte(a[4:])), 2000), 17))
	}
	capture := rawCapture(frames...)
	for _, lines := range []int{0, 10, 100_000} {
		var list strings.Builder
		for range lines / 2 {
			fmt.Fprintf(&list, "%v\n%v\n", netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, r.Uint32()))),
				netip.AddrPortFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, r.Uint32()))), 1000))
		}
		o := flowfast.Options{Workers: 1}
		if lines > 0 {
			var err error
			if o.Choice.Endpoints, err = flowfast.ParseEndpoints(strings.NewReader(list.String()), "list"); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprint(lines), func(b *testing.B) {
			for b.Loop() {
				run, err := flowfast.NewReader(o, bytes.NewReader(capture), "made")
				if err != nil {
					b.Fatal(err)
				}
				for range run.Flows(context.Background()) {
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/packets, "ns/packet")
		})
	}
}

// BenchmarkParseEndpoints reads a list of 100,000 lines.
func BenchmarkParseEndpoints(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var list strings.Builder
	for range 100_000 {
		fmt.Fprintln(&list, netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, r.Uint32()))))
	}
	for b.Loop() {
		if _, err := flowfast.ParseEndpoints(strings.NewReader(list.String()), "list"); err != nil {
			b.Fatal(err)
		}
	}
}
