package stacks

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/decode"
)

// fields are what tshark is asked for of each frame.
var fields = []string{
	"frame.number", "frame.protocols", "frame.len",
	"ip.src", "ip.dst", "ip.id", "ip.proto", "ip.flags.mf", "ip.frag_offset",
	"ipv6.src", "ipv6.dst", "ipv6.fraghdr.ident", "ipv6.fraghdr.more", "ipv6.fraghdr.offset", "ipv6.fraghdr.nxt",
	"tcp.stream", "tcp.srcport", "tcp.dstport", "udp.stream", "udp.srcport", "udp.dstport",
}

// A dissection is what tshark says of a frame: its headers, and its fields as
// comma-separated lists, the outermost first.
type dissection struct {
	protocols []string
	of        map[string][]string
}

func (d *dissection) nth(field string, n int) string {
	if list := d.of[field]; n >= 0 && n < len(list) {
		return list[n]
	}
	return ""
}

// runTshark dissects a capture without reassembly.
func runTshark(t *testing.T, capture []byte, each func(i int, d *dissection)) {
	file := filepath.Join(t.TempDir(), "stacks.pcapng")
	if err := os.WriteFile(file, capture, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-n", "-r", file, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,", "-E", "separator=/t",
		"-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE",
		"-o", "ip.tso_support:TRUE", "-o", "ipv6.tso_support:TRUE", "-o", "tcp.check_checksum:FALSE"}
	for _, field := range fields {
		args = append(args, "-e", field)
	}
	cmd := exec.CommandContext(t.Context(), "tshark", args...)
	var messages strings.Builder
	cmd.Stderr = &messages
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<24)
	i := 0
	for ; lines.Scan(); i++ {
		d := &dissection{of: map[string][]string{}}
		for k, value := range strings.Split(lines.Text(), "\t") {
			if value != "" {
				d.of[fields[k]] = strings.Split(value, ",")
			}
		}
		if got := d.nth("frame.number", 0); got != strconv.Itoa(i+1) {
			t.Fatalf("line %d of tshark is of frame %s", i+1, got)
		}
		d.protocols = strings.Split(d.nth("frame.protocols", 0), ":")
		each(i, d)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("tshark: %v\n%s", err, messages.String())
	}
}

// A judgeOf finds the flow of each frame in what tshark says of it. It remembers the
// first fragments of datagrams, as tshark was told not to.
type judgeOf struct{ firsts map[string]tuple }

// ask returns tshark's answer to a frame.
func (j *judgeOf) ask(d *dissection) (a answer) {
	last := "" // the IP header that was met last
	ip4, ip6, fragment6 := -1, -1, -1
	var datagrams []string // whose first fragments the frame stands in
	laterOf := ""
	found := ""
	// An IPv6 header in the place of one of IPv4 is listed as both.
	both := -len(d.of["ip.src"])
	for _, name := range d.protocols {
		if name == "ip" {
			both++
		}
	}
	for i, name := range d.protocols {
		switch name {
		case "ip":
			if both > 0 && i+1 < len(d.protocols) && d.protocols[i+1] == "ipv6" {
				both--
				continue
			}
			ip4++
			last = name
			id := strings.Join([]string{d.nth("ip.src", ip4), d.nth("ip.dst", ip4), d.nth("ip.proto", ip4), d.nth("ip.id", ip4)}, " ")
			if offset := d.nth("ip.frag_offset", ip4); offset != "0" && offset != "" {
				laterOf = id
			} else if mf := d.nth("ip.flags.mf", ip4); mf == "1" || mf == "True" {
				datagrams = append(datagrams, id)
			}
		case "ipv6":
			ip6++
			last = name
		case "ipv6.fraghdr":
			fragment6++
			id := strings.Join([]string{d.nth("ipv6.src", ip6), d.nth("ipv6.dst", ip6),
				d.nth("ipv6.fraghdr.nxt", fragment6), d.nth("ipv6.fraghdr.ident", fragment6)}, " ")
			if offset := d.nth("ipv6.fraghdr.offset", fragment6); offset != "0" && offset != "" {
				laterOf = id
			} else if more := d.nth("ipv6.fraghdr.more", fragment6); more == "1" || more == "True" {
				datagrams = append(datagrams, id)
			}
		}
		if name == "tcp" || name == "udp" || name == "icmp" || name == "icmpv6" {
			found = name
			break
		}
	}
	switch {
	case laterOf != "":
		a.flow, a.counted = j.firsts[laterOf]
	case found == "tcp", found == "udp":
		source, destination, n := "ip.src", "ip.dst", ip4
		if last == "ipv6" {
			source, destination, n = "ipv6.src", "ipv6.dst", ip6
		}
		from, errFrom := netip.ParseAddrPort(fmt.Sprintf(format(last), d.nth(source, n), d.nth(found+".srcport", 0)))
		to, errTo := netip.ParseAddrPort(fmt.Sprintf(format(last), d.nth(destination, n), d.nth(found+".dstport", 0)))
		// A header that was cut gives no stream.
		if errFrom == nil && errTo == nil && d.nth(found+".stream", 0) != "" {
			a.counted = true
			a.flow = tuple{protoTCP, from, to}
			if found == "udp" {
				a.flow.proto = protoUDP
			}
		}
	}
	if a.counted {
		a.class = decode.Counted
		if j.firsts == nil {
			j.firsts = map[string]tuple{}
		}
		for _, id := range datagrams {
			j.firsts[id] = a.flow
		}
	}
	return a
}

func format(ip string) string {
	if ip == "ipv6" {
		return "[%s]:%s"
	}
	return "%s:%s"
}

// An exception is a kind of stack in which tshark's answer is not the right one.
type exception struct {
	why  string
	when func(s *stack, f *frame, d *dissection) bool
}

var exceptions = []exception{
	{"a tiny first fragment has its flow by its ports; tshark waits for the whole header",
		func(_ *stack, f *frame, _ *dissection) bool { return f.tiny }},
	{"tshark takes the last four bytes behind FabricPath for a check sequence, which there is none of",
		func(s *stack, _ *frame, d *dissection) bool {
			last := d.protocols[len(d.protocols)-1]
			return s.has("FabricPath") && (s.has("in fragments") || last == "tcp" || last == "udp")
		}},
	{"tshark takes four bytes off the end of a fragment for the check sequence of a bridged frame, which stands in another",
		func(s *stack, _ *frame, _ *dissection) bool {
			return s.has("SNAP, bridged Ethernet") && s.has("in fragments")
		}},
	{"tshark tells a control word from an address by its maker: it takes one for the other",
		func(s *stack, f *frame, d *dissection) bool {
			return s.has("with a control word") && (f.later || slices.Contains(d.protocols, "pwethnocw")) ||
				s.has("ISL") && (f.later || slices.Contains(d.protocols, "pwethcw"))
		}},
	{"tshark reads nothing behind HIP and mobility headers",
		func(s *stack, _ *frame, _ *dissection) bool { return s.has("HIP") || s.has("mobility") }},
	{"a later fragment is truncated if its IP header is; tshark's fields do not show it",
		func(_ *stack, f *frame, _ *dissection) bool { return f.later && f.truncated() }},
	{"tshark guesses PPP behind a bundle's bytes of Juniper's, and not if that carries LLC",
		func(s *stack, _ *frame, _ *dissection) bool { return s.link.number == 130 && s.has("PPP, LLC") }},
	{"tshark reads no frame of Juniper's secure tunnels of which less than 70 bytes are there, and then no later fragment",
		func(s *stack, f *frame, _ *dissection) bool {
			return s.link.number == 200 && (f.captured < 70 || s.has("in fragments"))
		}},
	{"tshark reads no attribute of NFLOG that the snap length cut",
		func(s *stack, f *frame, _ *dissection) bool { return s.link.number == 239 && f.captured < len(f.b) }},
}

// has reports whether a name of a header of the stack has some text in it.
func (s *stack) has(text string) bool {
	return slices.ContainsFunc(s.headers, func(name string) bool { return strings.Contains(name, text) })
}

// excepted returns the place of the exception that a frame is, -1 if it is none.
func excepted(s *stack, f *frame, d *dissection) int {
	return slices.IndexFunc(exceptions, func(e exception) bool { return e.when(s, f, d) })
}
