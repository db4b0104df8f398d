// Package workload generates the captures that the benchmarks run on. The same
// name, scale and seed give the same bytes, on every machine.
//
// A capture is a classic pcap file with microseconds and Ethernet frames, whose
// lengths, sequence numbers and checksums are right. Times are those at which
// conversations of their kind would send, in order.
package workload

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// A workload is a kind of traffic.
type workload struct {
	name    string
	packets int // at scale 1
	about   string
	write   func(*generator, int)
}

var workloads = []workload{
	{"benign", 1_100_000, "web, downloads, DNS, QUIC and chats over IPv4 and IPv6, 1 GB", (*generator).benign},
	{"elephant", 1_300_000, "eight transfers in full-size packets, 2 GB", (*generator).elephant},
	{"slow", 3_600_000, "45 thousand slow connections of small packets, 300 MB", (*generator).slow},
	{"flood", 10_000_000, "a SYN flood: every packet from a new source, 760 MB", (*generator).flood},
	{"dos", 6_000_000, "a flood of 5 million packets in 1 million benign ones, 1.3 GB", (*generator).dos},
}

// Names are the names of the workloads. Besides them there are floods of any
// size: "flood30000" is a flood of 30,000 packets, whatever the scale.
func Names() []string {
	names := make([]string, len(workloads))
	for i, w := range workloads {
		names[i] = w.name
	}
	return names
}

// Packets returns how many packets a workload has at a scale, 0 for a name
// that is none.
func Packets(name string, scale float64) int {
	w, n := find(name, scale)
	if w == nil {
		return 0
	}
	return n
}

// About says in a line what a workload is, "" for a name that is none.
func About(name string) string {
	if w, _ := find(name, 1); w != nil {
		return w.about
	}
	return ""
}

// find returns a workload and its packets at a scale.
func find(name string, scale float64) (*workload, int) {
	if i := slices.IndexFunc(workloads, func(w workload) bool { return w.name == name }); i >= 0 {
		w := &workloads[i]
		return w, int(float64(w.packets) * scale)
	}
	digits, ok := strings.CutPrefix(name, "flood")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n <= 0 || n > maxFlood {
		return nil, 0
	}
	return &workload{name, n, "a SYN flood of " + digits + " packets", (*generator).flood}, n
}

// Write writes a workload. It writes a MiB at a time and needs no other buffer.
func Write(to io.Writer, name string, scale float64, seed uint64) error {
	w, n := find(name, scale)
	switch {
	case w == nil:
		return fmt.Errorf("no workload %q: there are %s, and floodN with N up to %d", name, strings.Join(Names(), ", "), maxFlood)
	case n <= 0:
		return fmt.Errorf("a scale of %g leaves no packet of %s", scale, name)
	}
	g := &generator{frames: frames{to: to, buf: make([]byte, 0, bufferSize)}, random: rand.New(rand.NewPCG(seed, 1))}
	g.fileHeader()
	w.write(g, n)
	g.flush()
	return g.err
}

// A generator writes one capture.
type generator struct {
	frames
	random *rand.Rand
	filler []byte // payloads are pieces of it
}

// between returns a random number from low up to high.
func (g *generator) between(low, high int) int { return low + g.random.IntN(high-low+1) }

// chance is true in so many of a hundred cases.
func (g *generator) chance(percent int) bool { return g.random.IntN(100) < percent }
