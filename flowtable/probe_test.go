package flowtable

import (
	"math/bits"
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

// colliding returns a packet of UDP in IPv6 whose key has the same xxHash64 for
// all calls: four of its words are random as far as a key allows, and the steps
// of the hash are undone for the last (XXH64 digest algorithm, steps 1 to 5).
func colliding(r *rand.Rand) arrival {
	const p1, p2, p3, p4 = 11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579
	round := func(acc, lane uint64) uint64 { return bits.RotateLeft64(acc+lane*p2, 31) * p1 }
	ports := r.Uint32()
	// As in a hasher: a.Lo, b.Lo, rest, a.Hi, b.Hi.
	w := [5]uint64{r.Uint64() >> 1, r.Uint64() | 1<<63, uint64(ports)<<32 | 17<<1 | 1, r.Uint64()}
	sums := [4]uint64{p1, p2, 0, 0}
	sums[0] += p2
	sums[3] -= p1
	for i := range sums {
		sums[i] = round(sums[i], w[i])
	}
	h := bits.RotateLeft64(sums[0], 1) + bits.RotateLeft64(sums[1], 7) + bits.RotateLeft64(sums[2], 12) + bits.RotateLeft64(sums[3], 18)
	for _, s := range sums {
		h = (h^round(0, s))*p1 + p4
	}
	h += 40
	// The last word goes in by h ^= round(0, w): let that be always the same.
	inverse := func(p uint64) uint64 {
		v := p
		for range 6 {
			v *= 2 - p*v // Newton
		}
		return v
	}
	const same = 0x1234_5678_9abc_def0
	w[4] = bits.RotateLeft64((h^same)*inverse(p1), -31) * inverse(p2)
	p := arrival{Len: 60}
	p.Proto, p.V6 = 17, true
	p.Src, p.Dst = decode.Addr{Hi: w[3], Lo: w[0]}, decode.Addr{Hi: w[4], Lo: w[1]}
	p.SrcPort, p.DstPort = uint16(ports>>16), uint16(ports)
	return p
}

// TestAimedCollisions opens flows whose keys all have one xxHash64, as anybody
// can who may choose addresses of IPv6, and ones that agree in the low bits.
// With the random words of a hasher they stay as near to their homes as others;
// without, the distance is that of a list, which shows that the aim is right.
func TestAimedCollisions(t *testing.T) {
	const n = 30_000
	r := rand.New(rand.NewPCG(1, 2))
	bare := hasher{mask: ^uint32(0)}
	aimed, low, chance := make([]arrival, n), make([]arrival, 0, n), make([]arrival, n)
	for i := range n {
		aimed[i] = colliding(r)
		chance[i] = aimed[i]
		chance[i].Dst.Hi = r.Uint64()
	}
	for len(low) < n/4 {
		p := colliding(r)
		p.Dst.Hi = r.Uint64()
		var k key
		k.of(&p.Packet, false)
		if hash, _ := bare.hash(&k, 0); hash%256 == 0 {
			low = append(low, p)
		}
	}
	for _, test := range []struct {
		name    string
		packets []arrival
		bare    bool
	}{
		{"by chance", chance, false},
		{"one hash", aimed, false},
		{"one hash, no random words", aimed[:2000], true},
		{"low bits equal", low, false},
		{"low bits equal, no random words", low[:2000], true},
	} {
		e := newFeed(t, n, 0, Options{}, 1000)
		if test.bare {
			e.gate.hasher = bare
		}
		e.add(test.packets)
		mean, longest := e.table.index.probes()
		t.Logf("%s: %d flows, %.1f slots from home, %d at most", test.name, e.table.Open(), mean, longest)
		if e.table.Open() != len(test.packets) {
			t.Errorf("%s: %d flows, want %d", test.name, e.table.Open(), len(test.packets))
		}
		if far := mean > 3 || longest > 300; far != test.bare {
			t.Errorf("%s: %.1f slots from home, %d at most", test.name, mean, longest)
		}
	}
}
