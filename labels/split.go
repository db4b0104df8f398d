package labels

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/flowfast/flowfast/flowtable"
)

// A Unit is what is never divided among splits.
type Unit uint8

const (
	// UnitFlow is a flow: other flows of its hosts may be in other splits.
	UnitFlow Unit = iota
	// UnitHostPair is all flows between two addresses, whichever is the source.
	UnitHostPair
	// UnitTime is a block of time. A flow that is in blocks of several splits, or
	// could be continued in one of another, is in none.
	UnitTime
	// UnitCapture is a capture.
	UnitCapture
)

var unitNames = [...]string{"flow", "host-pair", "time", "capture"}

// String returns the name of the unit: "flow", "host-pair", "time" or "capture".
func (u Unit) String() string { return unitNames[u] }

// Units returns the names of all units.
func Units() []string { return slices.Clone(unitNames[:]) }

// ParseUnit returns the unit of a name.
func ParseUnit(name string) (Unit, error) {
	i := slices.Index(unitNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("want one of %s", strings.Join(unitNames[:], ", "))
	}
	return Unit(i), nil
}

// MaxSplits is the most splits that a data set can have.
const MaxSplits = 100

// Splits divide a data set into parts, such as one to train and one to test with. Which
// one a unit is in depends on a hash of it alone: not on what else was read, in which
// order or in how many runs.
//
// The hash is xxHash64 of the seed, of the unit's kind and of its name. Its upper 53
// bits are a number from 0 to 1, and the split is the first one that, with those before
// it, has a greater share.
type Splits struct {
	Unit Unit
	Seed uint64
	// Secret, if there is one, is hashed too: splits by addresses then tell nobody
	// which addresses those can have been.
	Secret []byte
	// Block is the length of blocks of time, counted from the epoch; Gap is the
	// silence after which nothing continues a flow, the idle timeout.
	Block, Gap time.Duration

	names []string
	ends  []float64 // of the shares
	text  string
}

// ParseSplits takes shares that add up to 1: "train=0.7,val=0.15,test=0.15".
func ParseSplits(text string) (*Splits, error) {
	s := &Splits{text: text}
	sum := 0.0
	for part := range strings.SplitSeq(text, ",") {
		name, share, ok := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		v, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		switch {
		case !ok || name == "" || err != nil || !(v > 0 && v <= 1):
			return nil, fmt.Errorf("%q: want a name and a share above 0, such as train=0.7", part)
		case slices.Contains(s.names, name):
			return nil, fmt.Errorf("%q is given twice", name)
		case len(s.names) == MaxSplits:
			return nil, fmt.Errorf("more than %d splits", MaxSplits)
		}
		sum += v
		s.names, s.ends = append(s.names, name), append(s.ends, sum)
	}
	if math.Abs(sum-1) > 1e-9 {
		return nil, fmt.Errorf("the shares add up to %v: want 1", sum)
	}
	s.ends[len(s.ends)-1] = 1
	return s, nil
}

// Names returns the names of the splits. Those of [flowtable.Flow].Split are counted
// from 1.
func (s *Splits) Names() []string { return slices.Clone(s.names) }

// String returns what ParseSplits took.
func (s *Splits) String() string { return s.text }

// OfCapture returns the number of the split, from 1, that a capture is in.
func (s *Splits) OfCapture(name string) uint8 {
	return s.at(append(s.begin(nil, UnitCapture), name...))
}

// Nearest returns the seed, of the first thousand, by which captures are divided most
// nearly as the shares say, and how many are in each split; false if there are fewer
// captures than splits.
func (s *Splits) Nearest(captures []string) (seed uint64, counts []int, ok bool) {
	if len(captures) < len(s.names) {
		return 0, nil, false
	}
	least := math.Inf(1)
	for n := range uint64(1000) {
		other := *s
		other.Seed = n
		in := make([]int, len(s.names))
		for _, name := range captures {
			in[other.OfCapture(name)-1]++
		}
		off, before := 0.0, 0.0
		for i, end := range s.ends {
			off += math.Abs(float64(in[i])/float64(len(captures)) - (end - before))
			before = end
		}
		if off < least-1e-9 && !slices.Contains(in, 0) {
			least, seed, counts = off, n, in
		}
	}
	return seed, counts, counts != nil
}

// of returns the number of the split, from 1, that a flow of one capture is in; 0 for
// none.
func (s *Splits) of(f *flowtable.Flow, ofCapture uint8) uint8 {
	if s.Unit == UnitCapture {
		return ofCapture
	}
	var room [96]byte
	b := s.begin(room[:0], s.Unit)
	switch s.Unit {
	case UnitTime:
		return s.ofTime(b, int64(f.Start), int64(f.Last))
	case UnitHostPair:
		src, dst := f.Src, f.Dst
		if dst.Less(src) {
			src, dst = dst, src
		}
		b = append(b, version(f))
		for _, v := range [4]uint64{src.Hi, src.Lo, dst.Hi, dst.Lo} {
			b = binary.BigEndian.AppendUint64(b, v)
		}
		return s.at(b)
	}
	return s.at(appendFlow(b, f))
}

// ofTime returns the split that all blocks are in from the first packet to the idle
// timeout after the last one.
func (s *Splits) ofTime(b []byte, start, last int64) uint8 {
	block := int64(s.Block)
	number := func(at int64) int64 {
		n := at / block
		if at%block < 0 {
			n--
		}
		return n
	}
	from, to := number(start), number(satAdd(last, int64(s.Gap)))
	of := func(n int64) uint8 { return s.at(binary.BigEndian.AppendUint64(b, uint64(n))) }
	in := of(from)
	if len(s.names) == 1 {
		return in
	}
	for n := from + 1; n <= to; n++ {
		if of(n) != in {
			return 0
		}
	}
	return in
}

// begin begins what is hashed.
func (s *Splits) begin(b []byte, u Unit) []byte {
	return append(appendSeed(b, s.Seed, s.Secret), 's', byte(u))
}

// appendSeed appends a seed, and what stands for a secret, if there is one.
func appendSeed(b []byte, seed uint64, secret []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, seed)
	if secret != nil {
		b = binary.BigEndian.AppendUint64(b, xxhash.Sum64(secret))
	}
	return b
}

// at returns the split of what is hashed.
func (s *Splits) at(b []byte) uint8 {
	share := float64(xxhash.Sum64(b)>>11) / (1 << 53)
	for i, end := range s.ends {
		if share < end {
			return uint8(i + 1)
		}
	}
	return uint8(len(s.ends))
}

// appendFlow appends what tells a flow from all others: that of its key and its start.
func appendFlow(b []byte, f *flowtable.Flow) []byte {
	be := binary.BigEndian
	b = append(b, f.Protocol, version(f))
	for _, v := range [6]uint64{f.Src.Hi, f.Src.Lo, f.Dst.Hi, f.Dst.Lo, uint64(f.Start), f.Encapsulation} {
		b = be.AppendUint64(b, v)
	}
	return be.AppendUint16(be.AppendUint16(be.AppendUint16(b, f.SrcPort), f.DstPort), f.Identifier)
}

// version returns the version of IP of a flow.
func version(f *flowtable.Flow) byte {
	if f.V6 {
		return 6
	}
	return 4
}

// A Thinning keeps one in so many flows of each of some labels, by a hash of the flow.
type Thinning struct {
	Seed   uint64
	Secret []byte
	OneOf  map[string]uint64 // by label: 100 keeps one in a hundred
}

// keeps tells if a flow is one of those that stay of so many.
func (t *Thinning) keeps(f *flowtable.Flow, of uint64) bool {
	var room [96]byte
	b := append(appendSeed(room[:0], t.Seed, t.Secret), 't')
	return xxhash.Sum64(appendFlow(b, f))%of == 0
}
