package features

import (
	"unsafe"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/internal/slab"
	"github.com/flowfast/flowfast/stats"
)

// Options say which features are counted. The zero Options are none.
type Options struct {
	Set Set
	// First is how many packets of a flow the group First keeps.
	First int
	// Quantiles are what the group Quantiles asks for, each from 0 to 1.
	Quantiles []float64
}

// A Store holds the features of open flows, by the numbers of their records. It
// belongs to one goroutine at a time.
type Store struct {
	groups     []group
	calculator stats.Calculator
}

// A group holds the state of one group of features for each record.
type group interface {
	begin(ref uint32)
	add(ref uint32, p *Packet, direction int)
	fill(f *Flow, ref uint32, c *stats.Calculator)
	move(from, to uint32)
	uncover(ref uint32)
	bytes() int
	cost() int
}

// NewStore returns an empty store, nil if no features are asked for.
func NewStore(o Options) *Store {
	if o.Set == 0 {
		return nil
	}
	s := &Store{}
	for _, g := range []struct {
		of    Set
		group group
	}{
		{Sizes, &states[sizes, *sizes]{}},
		{Intervals, &states[intervals, *intervals]{}},
		{Gaps, &states[gaps, *gaps]{}},
		{Payload, &states[load, *load]{}},
		{TCP, &states[transport, *transport]{}},
		{IP, &states[headers, *headers]{}},
		{Periods, &states[periods, *periods]{}},
		{Bulks, &states[bulks, *bulks]{}},
		{First, &firstStore{most: o.First}},
		{Entropy, &states[entropies, *entropies]{}},
		{Link, &states[link, *link]{}},
	} {
		if o.Set&g.of != 0 {
			s.groups = append(s.groups, g.group)
		}
	}
	return s
}

// Begin makes the state of a record that of a new flow.
func (s *Store) Begin(ref uint32) {
	for _, g := range s.groups {
		g.begin(ref)
	}
}

// Add counts a packet of the flow of a record: forward where direction is 0,
// backward where it is 1.
func (s *Store) Add(ref uint32, p *Packet, direction int) {
	for _, g := range s.groups {
		g.add(ref, p, direction)
	}
}

// Fill sets f to the features of a record.
func (s *Store) Fill(f *Flow, ref uint32) {
	for _, g := range s.groups {
		g.fill(f, ref, &s.calculator)
	}
}

// Move gives the state of one record to another.
func (s *Store) Move(from, to uint32) {
	for _, g := range s.groups {
		g.move(from, to)
	}
}

// Uncover gives back the memory of the records from ref on.
func (s *Store) Uncover(ref uint32) {
	for _, g := range s.groups {
		g.uncover(ref)
	}
}

// Bytes returns the memory that the store has taken.
func (s *Store) Bytes() int {
	n := 0
	for _, g := range s.groups {
		n += g.bytes()
	}
	return n
}

// Cost returns the bytes that the features of a flow take.
func (s *Store) Cost() int {
	n := 0
	for _, g := range s.groups {
		n += g.cost()
	}
	return n
}

// states is a group whose state for a record is a T.
type states[T any, P state[T]] struct{ slab slab.Slab[T] }

type state[T any] interface {
	*T
	count(p *Packet, direction int)
	tell(f *Flow, c *stats.Calculator)
}

func (s *states[T, P]) begin(ref uint32) {
	s.slab.Cover(ref)
	var none T
	*s.slab.At(ref) = none
}

func (s *states[T, P]) add(ref uint32, p *Packet, direction int) {
	P(s.slab.At(ref)).count(p, direction)
}
func (s *states[T, P]) fill(f *Flow, ref uint32, c *stats.Calculator) { P(s.slab.At(ref)).tell(f, c) }
func (s *states[T, P]) move(from, to uint32)                          { *s.slab.At(to) = *s.slab.At(from) }
func (s *states[T, P]) uncover(ref uint32)                            { s.slab.Uncover(ref) }
func (s *states[T, P]) bytes() int                                    { return s.slab.Bytes() }

func (s *states[T, P]) cost() int {
	var one T
	return int(unsafe.Sizeof(one))
}

// link is the state of Link.
type link struct {
	first decode.Link
	seen  bool
}

// count takes the first packet's, the other way round if that goes backward: the
// source is the flow's.
func (l *link) count(p *Packet, direction int) {
	if l.seen {
		return
	}
	l.seen, l.first = true, *p.Link
	if f := &l.first; direction != 0 {
		f.Src, f.Dst, f.HasSrc, f.HasDst = f.Dst, f.Src, f.HasDst, f.HasSrc
	}
}

func (l *link) tell(f *Flow, _ *stats.Calculator) { f.Link = l.first }
