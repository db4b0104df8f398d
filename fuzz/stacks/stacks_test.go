package stacks

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/internal/need"
)

var (
	stacksFlag = flag.Int("stacks", 2000, "how many stacks TestStacks builds")
	seedFlag   = flag.Uint64("seed", 1, "the seed of the first of them")
)

// FuzzStacks builds the stack of a seed and reads it: the answers must be what was
// built.
func FuzzStacks(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		s, _ := newStack(seed, nil, 0)
		var r reader
		if i, got := s.differs(&r); i >= 0 {
			t.Errorf("seed %d: %s\nread %v (%v), built %v", seed, s.describe(i), got, got.class, s.expected()[i])
		}
		if i, got := s.differsInside(); i >= 0 {
			t.Errorf("seed %d: %s\nread %v (%v) in the tunnel, built %v", seed, s.describe(i), got, got.class, s.inner)
		}
	})
}

// differsInside does so with what tunnels in UDP carry.
func (s *stack) differsInside() (int, answer) {
	if !s.innerCounted || s.has("cut") {
		return -1, answer{}
	}
	r := reader{decoder: decode.Decoder{Tunnels: decode.AllTunnels}}
	for i := range s.frames {
		f := &s.frames[i]
		got := r.read(s.link.number, f.b, len(f.b))
		if !got.counted || got.flow != s.inner {
			return i, got
		}
	}
	return -1, answer{}
}

// differs reads the frames of a stack, and returns the first of which something else
// is read than was built, -1 if there is none.
func (s *stack) differs(r *reader) (int, answer) {
	want := s.expected()
	sure := s.whole()
	for i := range s.frames {
		f := &s.frames[i]
		got := r.read(s.link.number, f.b[:f.captured], len(f.b))
		switch w := want[i]; {
		case !sure && (f.later || got.class == decode.Fragment):
		case got.counted != w.counted, got.flow != w.flow:
			return i, got
		case w.class == decode.Truncated && got.class != decode.Truncated && !s.has("PIM"): // of which nothing may be left
			return i, got
		case w.class == decode.Counted && got.class != decode.Counted:
			return i, got
		}
	}
	return -1, answer{}
}

// share is how many stacks are in one capture.
const share = 10000

// TestStacks builds many stacks of all link types, and wants of flowfast what was
// built, and what tshark says of it; of each frame and, of a run over all, the
// number of flows and their packets.
func TestStacks(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		need.Missing(t, "STACKS", err)
	}
	var all figures
	all.excepted = make([]int, len(exceptions))
	all.differ = map[string]int{}
	id := uint32(0)
	for from := 0; from < *stacksFlag; from += share {
		var judged, unjudged []*stack
		for i := range min(share, *stacksFlag-from) {
			var s stack
			s, id = newStack(*seedFlag+uint64(from+i), nil, id)
			s.seed = *seedFlag + uint64(from+i)
			all.headers += len(s.headers)
			all.deepest = max(all.deepest, len(s.headers))
			if s.link.unjudged == "" {
				judged = append(judged, &s)
			} else {
				unjudged = append(unjudged, &s)
			}
		}
		all.stacks += len(judged) + len(unjudged)
		all.compare(t, judged, *seedFlag+uint64(from), true)
		all.compare(t, unjudged, *seedFlag+uint64(from), false)
	}
	t.Log(all.String())
}

// figures are what TestStacks has counted.
type figures struct {
	stacks, frames, judged, counted, flows int
	headers, deepest                       int
	shown                                  int
	excepted                               []int
	differ                                 map[string]int
}

func (n *figures) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d stacks, %.1f names of headers in each, %d at most\n%d frames, %d of them judged by tshark, %d counted, %d flows",
		n.stacks, float64(n.headers)/float64(n.stacks), n.deepest, n.frames, n.judged, n.counted, n.flows)
	for i, e := range exceptions {
		fmt.Fprintf(&b, "\n%6d %s", n.excepted[i], e.why)
	}
	for _, name := range slices.SortedFunc(maps.Keys(n.differ), func(a, b string) int { return n.differ[b] - n.differ[a] }) {
		fmt.Fprintf(&b, "\n%6d differ: %s", n.differ[name], name)
	}
	return b.String()
}

// compare makes one capture of stacks, and compares what is said of it.
func (n *figures) compare(t *testing.T, stacks []*stack, seed uint64, judge bool) {
	if len(stacks) == 0 {
		return
	}
	const most = 20
	order := interleave(stacks, seed)
	file := capture(stacks, order)
	read := n.read(t, stacks, order)
	n.run(t, file, stacks, order, read)
	if !judge {
		return
	}
	var by judgeOf
	frames := 0
	runTshark(t, file, func(i int, d *dissection) {
		s := stacks[order[i].stack]
		f := &s.frames[order[i].frame]
		frames++
		got, want := read[i], by.ask(d)
		size := decode.FrameLen(s.link.number, f.b[:f.captured], uint32(len(f.b)))
		if theirs := d.nth("frame.len", 0); theirs != fmt.Sprint(size) {
			t.Errorf("seed %d: %s\nread %d bytes, tshark %s", s.seed, s.describe(order[i].frame), size, theirs)
		}
		if got.counted == want.counted && got.flow == want.flow {
			return
		}
		if e := excepted(s, f, d); e >= 0 {
			n.excepted[e]++
			return
		}
		n.differ[fmt.Sprintf("%s, %v where tshark has %v", s.link.name, got.counted, want.counted)]++
		if n.shown++; n.shown <= most {
			t.Errorf("seed %d: %s\nread %v (%v), tshark %v: %v", s.seed, s.describe(order[i].frame), got, got.class, want, d.protocols)
		} else {
			t.Fail()
		}
	})
	if frames != len(order) {
		t.Errorf("tshark has %d of %d frames", frames, len(order))
	}
	n.judged += frames
}

// read returns what flowfast reads of every frame, which must be what was built.
func (n *figures) read(t *testing.T, stacks []*stack, order []place) []answer {
	var r reader
	all := make([]answer, len(order))
	expected := make([][]answer, len(stacks))
	for i, at := range order {
		s := stacks[at.stack]
		f := &s.frames[at.frame]
		if expected[at.stack] == nil {
			expected[at.stack] = s.expected()
		}
		got, want := r.read(s.link.number, f.b[:f.captured], len(f.b)), expected[at.stack][at.frame]
		if (got.counted != want.counted || got.flow != want.flow) && s.whole() {
			t.Errorf("seed %d: %s\nread %v (%v), built %v", s.seed, s.describe(at.frame), got, got.class, want)
		}
		all[i] = got
		if got.counted {
			n.counted++
		}
	}
	n.frames += len(order)
	return all
}

// run wants of a run over a capture the flows that its frames have, with their bytes.
func (n *figures) run(t *testing.T, file []byte, stacks []*stack, order []place, read []answer) {
	want := map[tuple]uint64{}
	var bytesWanted, bytesRead uint64
	for i, a := range read {
		if a.counted {
			s := stacks[order[i].stack]
			f := &s.frames[order[i].frame]
			want[a.flow.key()]++
			bytesWanted += uint64(decode.FrameLen(s.link.number, f.b[:f.captured], uint32(len(f.b))))
		}
	}
	run, err := flowfast.NewReader(flowfast.Options{}, bytes.NewReader(file), "stacks")
	if err != nil {
		t.Fatal(err)
	}
	got := map[tuple]uint64{}
	flows := 0
	for flow, err := range run.Flows(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		flows++
		got[tupleOf(flow).key()] += packetsOf(flow)
		bytesRead += flow.Fwd.Bytes + flow.Bwd.Bytes
	}
	if bytesRead != bytesWanted {
		t.Errorf("%d bytes in flows, want %d", bytesRead, bytesWanted)
	}
	if flows != len(want) || !maps.Equal(got, want) {
		t.Errorf("%d flows, want %d", flows, len(want))
		for key, packets := range want {
			if got[key] != packets {
				t.Errorf("%v has %d packets, want %d", key, got[key], packets)
			}
		}
	}
	n.flows += flows
}

func tupleOf(f *flowfast.Flow) tuple {
	return tuple{f.Protocol, netip.AddrPortFrom(f.Src.IP(f.V6), f.SrcPort), netip.AddrPortFrom(f.Dst.IP(f.V6), f.DstPort)}
}

func packetsOf(f *flowfast.Flow) uint64 { return f.Fwd.Packets + f.Bwd.Packets }
