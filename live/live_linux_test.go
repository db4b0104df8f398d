package live_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/bpf"

	"github.com/flowfast/flowfast/internal/testnet"
	"github.com/flowfast/flowfast/ioutil"
	"github.com/flowfast/flowfast/live"
)

// A gathering is what a ring gives, up to its end.
type gathering struct {
	ring   *live.Ring
	mu     sync.Mutex
	frames []ioutil.Record
	done   chan error
	over   chan bool
}

func gather(t *testing.T, o live.Options, ifaces ...string) *gathering {
	t.Helper()
	ring, err := live.OpenAll(ifaces, o)
	if err != nil {
		t.Fatal(err)
	}
	g := &gathering{ring: ring, done: make(chan error, 1), over: make(chan bool)}
	go func() {
		defer close(g.over)
		records := make([]ioutil.Record, 37)
		for {
			n, err := ring.Read(context.Background(), records)
			g.mu.Lock()
			for _, r := range records[:n] {
				r.Data = bytes.Clone(r.Data)
				g.frames = append(g.frames, r)
			}
			g.mu.Unlock()
			if err != nil {
				g.done <- err
				return
			}
		}
	}()
	t.Cleanup(func() { ring.End(); <-g.over; ring.Close() })
	return g
}

func (g *gathering) len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.frames)
}

// wait waits until there are so many frames.
func (g *gathering) wait(t *testing.T, n int) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); g.len() < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d frames, want %d; %+v", g.len(), n, g.ring.Counters())
		}
	}
}

func (g *gathering) end(t *testing.T) []ioutil.Record {
	t.Helper()
	g.ring.End()
	select {
	case err := <-g.done:
		if err != io.EOF {
			t.Errorf("the ring ends with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the ring does not end")
	}
	return g.frames
}

// same wants frames to be those of the capture, and their times near.
func same(t *testing.T, name string, got []ioutil.Record, capture string) {
	t.Helper()
	want := testnet.Frames(t, capture)
	if len(got) != len(want) {
		t.Errorf("%s: %d frames, tcpdump has %d", name, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		g, w := got[i], want[i]
		if g.LinkType != w.LinkType || g.OrigLen != w.OrigLen || !bytes.Equal(g.Data, w.Data) {
			t.Errorf("%s: frame %d: link type %d, length %d, %x\nwant       link type %d, length %d, %x",
				name, i, g.LinkType, g.OrigLen, g.Data[:min(len(g.Data), 80)], w.LinkType, w.OrigLen, w.Data[:min(len(w.Data), 80)])
			return
		}
		if d := time.Duration(g.Time - w.Time).Abs(); d > time.Millisecond {
			t.Errorf("%s: frame %d: times differ by %v", name, i, d)
			return
		}
	}
}

// ethernet are captures of Ethernet frames.
var ethernet = []string{"web.pcap.zst", "vlan.pcap.zst", "qinq.pcap.zst", "mpls.pcap.zst", "pppoe.pcap.zst", "vxlan.pcap.zst", "fragments.pcap.zst", "bigtcp.pcap.zst"}

func TestFrames(t *testing.T) {
	if !testnet.Inside(t, "tcpdump") {
		return
	}
	testnet.Pair(t, "va", "vb")
	var frames []ioutil.Record
	for _, name := range ethernet {
		frames = append(frames, testnet.Frames(t, filepath.Join("../testdata", name))...)
	}
	for _, o := range []live.Options{{}, {SnapLen: 60}, {Promiscuous: true, Memory: 64 << 20}} {
		var args []string
		if o.SnapLen > 0 {
			args = []string{"-s", fmt.Sprint(o.SnapLen)}
		}
		if !o.Promiscuous {
			args = append(args, "-p")
		}
		dump := testnet.Record(t, "vb", args...)
		g := gather(t, o, "vb")
		sent := testnet.Send(t, "va", frames)
		g.wait(t, sent)
		same(t, fmt.Sprintf("%+v", o), g.end(t), dump.End())
		if c := g.ring.Counters(); sent != len(frames) || c.Packets != uint64(sent) || c.Dropped != 0 || (c.Cut > 0) != (o.SnapLen > 0) {
			t.Errorf("%d sent, counters %+v", sent, c)
		}
	}
}

// What the loopback carries comes once.
func TestLoopback(t *testing.T) {
	if !testnet.Inside(t, "tcpdump") {
		return
	}
	testnet.IP(t, "link set lo up")
	for _, iface := range []string{"lo", "any"} {
		dump := testnet.Record(t, iface)
		g := gather(t, live.Options{}, iface)
		conn, err := net.Dial("udp", "127.0.0.1:9")
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			_, _ = conn.Write([]byte("something"))
		}
		conn.Close()
		g.wait(t, 5)
		frames := g.end(t)
		same(t, iface, frames, dump.End())
		if len(frames) > 10 {
			t.Errorf("%s: %d frames of 5 datagrams and as many answers", iface, len(frames))
		}
	}
}

// Frames of all interfaces are those of tcpdump.
func TestAny(t *testing.T) {
	if !testnet.Inside(t, "tcpdump") {
		return
	}
	testnet.Pair(t, "va", "vb")
	var frames []ioutil.Record
	for _, name := range ethernet {
		frames = append(frames, testnet.Frames(t, filepath.Join("../testdata", name))...)
	}
	dump := testnet.Record(t, "any")
	g := gather(t, live.Options{}, "any")
	sent := testnet.Send(t, "va", frames)
	g.wait(t, 2*sent)
	same(t, "any", g.end(t), dump.End())
}

// Other kinds of interfaces have the link types that tcpdump gives them.
func TestKinds(t *testing.T) {
	if !testnet.Inside(t, "tcpdump") {
		return
	}
	testnet.IP(t, "link set lo up", "link add dum type dummy", "addr add 192.0.2.1/24 dev dum", "link set dum up")
	for kind, add := range map[string]string{
		"tun":  "tuntap add vk mode tun",
		"ipip": "link add vk type ipip local 192.0.2.1 remote 192.0.2.2",
		"sit":  "link add vk type sit local 192.0.2.1 remote 192.0.2.2",
		"gre":  "link add vk type gre local 192.0.2.1 remote 192.0.2.2",
	} {
		if out, err := exec.Command(testnet.Program("ip"), strings.Fields(add)...).CombinedOutput(); err != nil {
			t.Logf("%s is left out: %s", kind, out)
			continue
		}
		testnet.IP(t, "addr add 198.51.100.1/24 dev vk", "link set vk up")
		dump := testnet.Record(t, "vk")
		g := gather(t, live.Options{}, "vk")
		conn, err := net.Dial("udp", "198.51.100.2:9")
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			_, _ = conn.Write([]byte("something"))
		}
		conn.Close()
		if kind != "tun" { // which nobody reads: it has no carrier and sends nothing
			g.wait(t, 3)
		}
		same(t, kind, g.end(t), dump.End())
		testnet.IP(t, "link del vk")
	}
}

// compiled returns the filter that tcpdump makes of an expression for captures.
func compiled(t *testing.T, expression string) func(uint32) ([]bpf.RawInstruction, error) {
	return func(linkType uint32) ([]bpf.RawInstruction, error) {
		cmd := exec.Command(testnet.Program("tcpdump"), "-r", "-", "-ddd", expression)
		cmd.Stdin = bytes.NewReader([]byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, byte(linkType), byte(linkType >> 8), 0, 0})
		out, err := cmd.Output()
		if err != nil {
			return nil, err
		}
		var p []bpf.RawInstruction
		for i, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
			var in bpf.RawInstruction
			if i > 0 {
				if _, err := fmt.Sscan(line, &in.Op, &in.Jt, &in.Jf, &in.K); err != nil {
					return nil, err
				}
				p = append(p, in)
			}
		}
		return p, nil
	}
}

// A filter in the kernel takes the frames that it takes of a capture, VLAN tags or not.
func TestFilter(t *testing.T) {
	if !testnet.Inside(t, "tcpdump") {
		return
	}
	testnet.Pair(t, "va", "vb")
	for _, iface := range []string{"vb", "any"} {
		for _, expression := range []string{"tcp", "vlan and tcp", "udp", "not tcp", "greater 200", "ether host 02:00:00:00:00:80"} {
			if iface == "any" && strings.Trim(expression, "notcpud ") != "" { // what cooked frames do not tell
				continue
			}
			all := testnet.Record(t, iface, "-p")
			g := gather(t, live.Options{Filter: compiled(t, expression)}, iface)
			for _, name := range []string{"vlan.pcap.zst", "web.pcap.zst"} {
				testnet.Send(t, "va", testnet.Frames(t, filepath.Join("../testdata", name)))
			}
			capture := all.End()
			wanted := filepath.Join(t.TempDir(), "wanted.pcap")
			if out, err := exec.Command(testnet.Program("tcpdump"), "-r", capture, "-w", wanted, "--time-stamp-precision=nano", expression).CombinedOutput(); err != nil {
				t.Fatalf("%v %s", err, out)
			}
			same(t, iface+" "+expression, g.end(t), wanted)
			if len(g.frames) == 0 {
				t.Errorf("%s: no frame has %s", iface, expression)
			}
		}
	}
}

// Several interfaces share a ring, each with the filter and the link type of its kind.
func TestSeveral(t *testing.T) {
	if !testnet.Inside(t, "tcpdump") {
		return
	}
	testnet.Pair(t, "va", "vb")
	testnet.Pair(t, "vc", "vd")
	testnet.Pair(t, "vee", "vff")
	web := testnet.Frames(t, "../testdata/web.pcap.zst")
	for expression, share := range map[string]int{"tcp or not tcp": 1, "not udp and not tcp and not arp and not ip6": 0} {
		g := gather(t, live.Options{Filter: compiled(t, expression)}, "vb", "vd")
		sent := 0
		for _, iface := range []string{"va", "vc", "vee", "va"} {
			if n := testnet.Send(t, iface, web[:100]); iface != "vee" {
				sent += n
			}
		}
		g.wait(t, sent*share)
		if got := g.end(t); len(got) != sent*share {
			t.Errorf("%s: %d frames, want %d", expression, len(got), sent*share)
		}
	}
}

// An interface may come later, go down, go away and come back.
func TestComesAndGoes(t *testing.T) {
	if !testnet.Inside(t, "tcpdump") {
		return
	}
	if _, err := live.Open("vb", live.Options{}); !errors.Is(err, live.ErrNoInterface) {
		t.Errorf("no interface: error %v", err)
	}
	web := testnet.Frames(t, "../testdata/web.pcap.zst")[:50]
	for _, names := range [][]string{{"vb"}, {"vb", "vz"}} {
		notices := make(chan string, 100)
		g := gather(t, live.Options{Wait: true, Promiscuous: true, Notice: func(text string) { notices <- text }}, names...)
		heard := func(want string) {
			t.Helper()
			for {
				select {
				case text := <-notices:
					if text == want {
						return
					}
				case <-time.After(20 * time.Second):
					t.Fatalf("not told: %s", want)
				}
			}
		}
		heard("vb: not there yet, waiting for it")
		testnet.Pair(t, "va", "vb")
		heard("vb: up")
		sent := testnet.Send(t, "va", web)
		g.wait(t, sent)
		testnet.IP(t, "link set vb down")
		heard("vb: down, waiting for it")
		testnet.IP(t, "link set vb up")
		heard("vb: up")
		sent += testnet.Send(t, "va", web)
		g.wait(t, sent)
		testnet.IP(t, "link del vb")
		heard("vb: gone, waiting for it")
		testnet.Pair(t, "va", "vb")
		heard("vb: up")
		sent += testnet.Send(t, "va", web)
		g.wait(t, sent)
		if c := g.ring.Counters(); c.Missing != len(names)-1 {
			t.Errorf("counters %+v", c)
		}
		g.end(t)
		testnet.IP(t, "link del vb")
	}
}

// A ring that is not read is full in the end, and tells what it lost.
func TestDrops(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	testnet.Pair(t, "va", "vb")
	testnet.IP(t, "link set vb mtu 1500")
	ring, err := live.Open("vb", live.Options{Memory: 2 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	frame := ioutil.Record{Data: append([]byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x88\xb5"), make([]byte, 1500)...)}
	frames := make([]ioutil.Record, 4000)
	for i := range frames {
		frames[i] = frame
	}
	sent := testnet.Send(t, "va", frames)
	ring.End()
	records, read := make([]ioutil.Record, 100), 0
	for {
		n, err := ring.Read(t.Context(), records)
		if read += n; err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	c := ring.Counters()
	if c.Dropped == 0 || c.Freezes == 0 || int(c.Packets) != sent || int(c.Packets-c.Dropped) != read {
		t.Errorf("%d sent, %d read, counters %+v", sent, read, c)
	}
	if w := ring.Warnings(); len(w) != 1 || !strings.Contains(w[0], "dropped") {
		t.Errorf("warnings %q", w)
	}
}

// Frames longer than the MTU are told, and only those.
func TestLarge(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	testnet.IP(t, "link set lo up mtu 1500")
	for _, iface := range []string{"lo", "any"} {
		for _, bytes := range []int{1400, 4 << 20} {
			g := gather(t, live.Options{}, iface)
			stream(t, bytes)
			g.wait(t, 4)
			g.end(t)
			c, w := g.ring.Counters(), g.ring.Warnings()
			if large := bytes > 1500; (c.Large > 0) != large || (len(w) == 1 && strings.Contains(w[0], "GRO")) != large {
				t.Errorf("%s, %d bytes: counters %+v, warnings %q", iface, bytes, c, w)
			}
		}
	}
}

// stream sends so many bytes through a connection at the loopback.
func stream(t *testing.T, n int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			_, _ = conn.Write(make([]byte, n))
			conn.Close()
		}
	}()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got, err := io.Copy(io.Discard, conn); err != nil || got != int64(n) {
		t.Fatalf("%d bytes of %d: %v", got, n, err)
	}
}

// A wait ends with its context.
func TestContext(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	testnet.IP(t, "link set lo up")
	ring, err := live.Open("lo", live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if n, err := ring.Read(ctx, make([]ioutil.Record, 1)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d packets, error %v", n, err)
	}
}

// A silence ends with the patience, and is none while the ring ends.
func TestPatience(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	testnet.IP(t, "link set lo up")
	ring, err := live.Open("lo", live.Options{BufferTimeout: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	ring.SetPatience(20 * time.Millisecond)
	records := make([]ioutil.Record, 1)
	for range 3 {
		began := time.Now()
		if n, err := ring.Read(t.Context(), records); n != 0 || err != nil || time.Since(began) < 20*time.Millisecond {
			t.Errorf("%d packets, error %v", n, err)
		}
	}
	ring.End()
	if n, err := ring.Read(t.Context(), records); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d packets, error %v", n, err)
	}
	for _, bad := range []time.Duration{-1, time.Microsecond, time.Minute} {
		if _, err := live.Open("lo", live.Options{BufferTimeout: bad}); err == nil {
			t.Errorf("a buffer timeout of %v is no error", bad)
		}
	}
}

// What a flush leaves for the ring and for what comes after it is the flush.
func TestBufferTimeoutWithin(t *testing.T) {
	for flush, want := range map[time.Duration][2]time.Duration{
		time.Second:            {200 * time.Millisecond, 600 * time.Millisecond},
		time.Minute:            {200 * time.Millisecond, 59600 * time.Millisecond},
		100 * time.Millisecond: {20 * time.Millisecond, 60 * time.Millisecond},
		time.Millisecond:       {time.Millisecond, 500 * time.Microsecond},
	} {
		if timeout, left := live.BufferTimeoutWithin(flush); timeout != want[0] || left != want[1] {
			t.Errorf("flush %v: %v and %v, want %v", flush, timeout, left, want)
		}
	}
}
