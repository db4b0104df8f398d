package flowtable

import (
	"math/rand/v2"
	"testing"

	"github.com/flowfast/flowfast/decode"
)

// probes returns the mean and the greatest distance of a slot from its home.
func (x *index) probes() (mean float64, longest int) {
	seen := map[*segment]bool{}
	sum, n := 0, 0
	for _, s := range x.directory {
		if seen[s] {
			continue
		}
		seen[s] = true
		mask := len(s.slots) - 1
		for i, e := range s.slots {
			if e.ref != 0 {
				far := (i - int(e.hash)) & mask
				sum, n, longest = sum+far, n+1, max(longest, far)
			}
		}
	}
	return float64(sum) / float64(max(n, 1)), longest
}

// colliding returns a packet of UDP in IPv6 whose key has the same hash for all calls by
// a hasher of which the words are known: two of its words make the factors 0 that the
// others are multiplied with.
func colliding(r *rand.Rand, known *hasher) arrival {
	p := arrival{Len: 60}
	p.Proto, p.V6 = 17, true
	p.Src, p.Dst = decode.Addr{Hi: known.words[4], Lo: known.words[0]}, decode.Addr{Hi: r.Uint64(), Lo: r.Uint64() | 1<<63}
	p.SrcPort, p.DstPort = 5000, 53
	return p
}

// TestAimedCollisions opens flows whose keys all have one hash for somebody who knows the
// words of a hasher, and ones that agree in the low bits. With words that nobody knows
// they stay as near to their homes as others; with those, the distance is that of a
// list, which shows that the aim is right.
func TestAimedCollisions(t *testing.T) {
	const n = 30_000
	r := rand.New(rand.NewPCG(1, 2))
	known := newHasher()
	known.words[0] >>= 1 // an address of endpoint a, which is not above b
	aimed, low, chance := make([]arrival, n), make([]arrival, 0, n), make([]arrival, n)
	for i := range n {
		aimed[i] = colliding(r, &known)
		chance[i] = aimed[i]
		chance[i].Src.Hi = r.Uint64()
	}
	for len(low) < n/4 {
		p := colliding(r, &known)
		p.Src.Hi = r.Uint64()
		var k key
		k.of(&p.Packet, false)
		if hash, _ := known.hash(&k, 0); hash%256 == 0 {
			low = append(low, p)
		}
	}
	for _, test := range []struct {
		name    string
		packets []arrival
		known   bool
	}{
		{"by chance", chance, false},
		{"one hash", aimed, false},
		{"one hash, words known", aimed[:2000], true},
		{"low bits equal", low, false},
		{"low bits equal, words known", low[:2000], true},
	} {
		e := newFeed(t, n, 0, Options{}, 1000)
		if test.known {
			e.gate.hasher = known
		}
		e.add(test.packets)
		mean, longest := e.table.index.probes()
		t.Logf("%s: %d flows, %.1f slots from home, %d at most", test.name, e.table.Open(), mean, longest)
		if e.table.Open() != len(test.packets) {
			t.Errorf("%s: %d flows, want %d", test.name, e.table.Open(), len(test.packets))
		}
		if far := mean > 3 || longest > 300; far != test.known {
			t.Errorf("%s: %.1f slots from home, %d at most", test.name, mean, longest)
		}
	}
}

// TestNearKeys opens flows of keys that are near to each other, as scans and floods have
// them: they stay near to their homes.
func TestNearKeys(t *testing.T) {
	const n = 30_000
	near := map[string]func(p *arrival, i int){
		"ports":            func(p *arrival, i int) { p.DstPort = uint16(i) },
		"both ports":       func(p *arrival, i int) { p.SrcPort, p.DstPort = uint16(i>>7), uint16(i&127) },
		"addresses":        func(p *arrival, i int) { p.Dst.Lo += uint64(i) },
		"networks":         func(p *arrival, i int) { p.Dst.Lo ^= uint64(i) << 12 & 0xffffffff; p.SrcPort = uint16(i >> 20) },
		"addresses, ports": func(p *arrival, i int) { p.Src.Lo, p.DstPort = p.Src.Lo+uint64(i), uint16(i) },
	}
	for name, set := range near {
		for _, v6 := range []bool{false, true} {
			packets := make([]arrival, n)
			for i := range packets {
				p := &packets[i]
				p.Proto, p.V6, p.Len = 6, v6, 60
				p.Src, p.Dst, p.SrcPort, p.DstPort = decode.Addr{Lo: 0x0a000001}, decode.Addr{Lo: 0xc0a80001}, 40000, 443
				if v6 {
					p.Src.Hi, p.Dst.Hi = 0x20010db8_00000000, 0x20010db8_00010000
				}
				set(p, i)
			}
			e := newFeed(t, n, 0, Options{}, 1000)
			e.add(packets)
			if mean, longest := e.table.index.probes(); mean > 3 || longest > 300 {
				t.Errorf("%s, v6 %t: %.1f slots from home, %d at most", name, v6, mean, longest)
			} else {
				t.Logf("%s, v6 %t: %d flows, %.1f slots from home, %d at most", name, v6, e.table.Open(), mean, longest)
			}
		}
	}
}
