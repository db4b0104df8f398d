package features

import (
	"errors"
	"unsafe"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/internal/slab"
	"github.com/flowfast/flowfast/stats"
)

// Options say which features are counted. The zero Options are none.
type Options struct {
	// Set has the groups that are counted.
	Set Set
	// First is how many packets of a flow the group First keeps, 1,048,576 at most.
	First int
	// NoSummaries leaves the sizes and the times between packets of a direction, of
	// which every flow has five-number summaries, out: both are then not set. With the
	// group Quantiles it has no effect.
	NoSummaries bool
	// Quantiles are what the group Quantiles asks for, each from 0 to 1.
	Quantiles []float64
}

// Check returns an error if features can't be counted so.
func (o Options) Check() error {
	const most = 1 << 20 // packets: 16 MiB for a flow
	if o.First < 0 || o.First > most {
		return errors.New("features of the first packets: from 0 to 1,048,576 of them")
	}
	for _, q := range o.Quantiles {
		if !(q >= 0 && q <= 1) {
			return errors.New("quantiles must be from 0 to 1")
		}
	}
	return nil
}

// A Store holds the features of open flows, by the numbers of their records. It
// belongs to one goroutine at a time.
//
// Most flows of a flood have one packet, so a flow has two forms. Its first
// packet is kept as it is, in a small. With the second one the flow gets a large,
// in which both are then counted. What of a large is not asked for is not there:
//
//	small     48 bytes   by the number of the record
//	link      60 bytes   so too, for Link
//	large     80 bytes   by a number of its own, which the small has
//	spans     64 bytes   by that of the large, for Spans and Intervals
//	layers    424 bytes  so too, for Payload, TCP, IP and Bulks
//	samples   64 bytes   so too, for each sample that the groups have
//	powers    72 bytes   so too, for Shape
//	texts     32 to 512  for Entropy and a direction, as its payload asks for it
//	earlies   136 bytes  for First, for each eight packets that came
type Store struct {
	set     Set
	brief   bool // of packets behind the first no more is asked than timed
	smalls  slab.Slab[small]
	links   slab.Slab[decode.Link]
	larges  slab.Slab[large]
	layers  slab.Slab[layers]
	spans   slab.Slab[spans]
	samples slab.Strips[Sample]
	powers  slab.Strips[stats.Powers]
	begins  begins
	early   earlies
	texts   texts
	touched uint64 // keeps the loads of Touch alive

	// The packet of a small, while it is counted: on the stack it would not stay.
	packet  Packet
	details decode.Details
}

// A small is the first packet of a flow.
type small struct {
	time        int64
	size, seq   uint32
	payload     uint32
	window, mss uint16
	headerLen   uint8
	ttl, tos    uint8
	flags       uint8
	windowScale int8
	marks       uint8
	text        text   // of its direction, while there is no large
	large       uint32 // 0 if there is none
}

// Bits of small.marks.
const (
	came     = 1 << iota // there is a packet
	backward             // it is
	segment              // as those of decode.Details
	sackPermitted
)

func (o *small) set(p *Packet, direction int) {
	o.time, o.size, o.seq, o.flags, o.marks = p.Time, p.Size, p.Seq, p.Flags, came
	if direction != 0 {
		o.marks |= backward
	}
	if d := p.Details; d != nil {
		o.payload, o.headerLen, o.ttl, o.tos = d.Payload, d.HeaderLen, d.TTL, d.TOS
		o.window, o.mss, o.windowScale = d.Window, d.MSS, d.WindowScale
		if d.Segment {
			o.marks |= segment
		}
		if d.SACKPermitted {
			o.marks |= sackPermitted
		}
	}
}

// first returns what was kept of the packet, until the next call, and its
// direction.
func (s *Store) first(o *small) (p *Packet, direction int) {
	s.details = decode.Details{
		Payload: o.payload, HeaderLen: o.headerLen, TTL: o.ttl, TOS: o.tos, Segment: o.marks&segment != 0,
		Window: o.window, MSS: o.mss, WindowScale: o.windowScale, SACKPermitted: o.marks&sackPermitted != 0,
	}
	s.packet = Packet{Time: o.time, Size: o.size, Seq: o.seq, Flags: o.flags, Details: &s.details}
	if o.marks&backward != 0 {
		direction = 1
	}
	return &s.packet, direction
}

// A large is the state of a flow of more than one packet, besides samples. Of its
// parts those are in use whose group is asked for.
type large struct {
	gaps    gaps
	periods periods
	early   early
	texts   [2]text
}

// Layers are the state of what is read from the headers, besides samples.
type layers struct {
	headers   Headers
	transport transport
	ip        headers
	bulks     bulks
}

const layered = Payload | TCP | IP | Bulks

const spanned = Spans | Intervals

// timed are the groups that ask no more of a packet than its time and size, and Link,
// which asks the first alone.
const timed = Sizes | Intervals | Gaps | Periods | Spans | Shape | Link

// begins are where the samples of each group begin in a strip.
type begins struct{ sizes, intervals, gaps, payload, periods int }

// NewStore returns an empty store, nil if no features are asked for.
func NewStore(o Options) *Store {
	if o.Set == 0 {
		return nil
	}
	s := &Store{set: o.Set, brief: o.Set&kept != 0 && o.Set&kept&^timed == 0, early: earlies{most: o.First}}
	n := 0
	for _, g := range []struct {
		of      Set
		begins  *int
		samples int
	}{
		{Sizes, &s.begins.sizes, 2}, {Intervals, &s.begins.intervals, 3}, {Gaps, &s.begins.gaps, 2},
		{Payload, &s.begins.payload, 2}, {Periods, &s.begins.periods, 2},
	} {
		if *g.begins = n; o.Set&g.of != 0 {
			n += g.samples
		}
	}
	s.samples = slab.NewStrips[Sample](n)
	if o.Set&Shape != 0 {
		s.powers = slab.NewStrips[stats.Powers](n)
	}
	if o.Set&Entropy != 0 {
		s.texts.weigh()
	}
	return s
}

// kept are the groups that a Store has a state for: quantiles are the table's.
const kept = ^Quantiles

// Begin makes the state of a record that of a new flow. What the record held
// before must have been given back with [Store.Free].
func (s *Store) Begin(ref uint32) {
	if s.set&kept == 0 {
		return
	}
	s.smalls.Cover(ref)
	*s.smalls.At(ref) = small{}
	if s.set&Link != 0 {
		s.links.Cover(ref)
		*s.links.At(ref) = decode.Link{}
	}
}

// Add counts a packet of the flow of a record: forward where direction is 0,
// backward where it is 1.
func (s *Store) Add(ref uint32, p *Packet, direction int) {
	if s.set&kept == 0 {
		return
	}
	o := s.smalls.At(ref)
	if o.marks&came != 0 {
		if o.large == 0 {
			s.enlarge(o)
		}
		s.count(o.large, p, direction)
		return
	}
	o.set(p, direction)
	if s.set&Entropy != 0 {
		s.texts.add(&o.text, p.Bytes)
	}
	if s.set&Link != 0 {
		l := s.links.At(ref)
		// The other way round if it goes backward: the source is the flow's.
		if *l = *p.Link; direction != 0 {
			l.Src, l.Dst, l.HasSrc, l.HasDst = l.Dst, l.Src, l.HasDst, l.HasSrc
		}
	}
}

// enlarge gives a flow a large with its first packet.
func (s *Store) enlarge(o *small) {
	o.large = s.larges.Take()
	l := s.larges.At(o.large)
	*l = large{}
	if s.set&spanned != 0 {
		s.spans.Cover(o.large)
		*s.spans.At(o.large) = spans{}
	}
	if s.set&layered != 0 {
		s.layers.Cover(o.large)
		*s.layers.At(o.large) = layers{}
	}
	s.samples.Cover(o.large)
	clear(s.samples.At(o.large))
	if s.set&Shape != 0 {
		s.powers.Cover(o.large)
		clear(s.powers.At(o.large))
	}
	p, direction := s.first(o)
	l.texts[direction], o.text = o.text, text{}
	s.count(o.large, p, direction)
}

// samplesOf returns the samples of a large.
func (s *Store) samplesOf(number uint32) samples {
	if s.set&Shape != 0 {
		return samples{s.samples.At(number), s.powers.At(number)}
	}
	return samples{of: s.samples.At(number)}
}

// countTimed counts what is timed of a packet in a large.
func (s *Store) countTimed(number uint32, samples *samples, at int64, size uint32, direction int) {
	b := &s.begins
	if s.set&Sizes != 0 {
		i := b.sizes + direction
		samples.of[i].Add(uint64(size))
		if samples.powers != nil {
			samples.powers[i].Add(uint64(size))
		}
	}
	if s.set&Intervals != 0 {
		s.spans.At(number).count(samples, b.intervals, at, direction)
	} else if s.set&Spans != 0 {
		seen := s.spans.At(number)
		seen.take(direction, at)
		seen.take(2, at)
	}
	if s.set&(Gaps|Periods) == 0 {
		return
	}
	l := s.larges.At(number)
	if s.set&Gaps != 0 {
		l.gaps.count(samples, b.gaps+direction, at)
	}
	if s.set&Periods != 0 {
		l.periods.count(samples, b.periods, at)
	}
}

// count counts a packet in a large.
func (s *Store) count(number uint32, p *Packet, direction int) {
	l, samples, b := s.larges.At(number), s.samplesOf(number), &s.begins
	s.countTimed(number, &samples, p.Time, p.Size, direction)
	if s.set&First != 0 {
		s.early.add(&l.early, p, direction)
	}
	if s.set&Entropy != 0 {
		s.texts.add(&l.texts[direction], p.Bytes)
	}
	if s.set&layered == 0 {
		return
	}
	y := s.layers.At(number)
	if s.set&Payload != 0 {
		y.headers.count(p, direction, samples.of[b.payload+direction].N == 0)
		samples.add(b.payload+direction, uint64(p.Details.Payload))
	}
	if s.set&TCP != 0 {
		y.transport.count(p, direction)
	}
	if s.set&IP != 0 {
		y.ip.count(p, direction)
	}
	if s.set&Bulks != 0 {
		y.bulks.count(p, direction)
	}
}

// Fill sets f to the features of a record.
func (s *Store) Fill(f *Flow, ref uint32) {
	if s.set&kept == 0 {
		return
	}
	o := s.smalls.At(ref)
	if o.large != 0 {
		s.fillLarge(f, o.large)
	} else {
		s.fillSmall(f, o)
	}
	if s.set&Link != 0 {
		f.Link = *s.links.At(ref)
	}
}

func (s *Store) fillLarge(f *Flow, number uint32) {
	l, samples, b := s.larges.At(number), s.samplesOf(number), &s.begins
	f.Alone = false
	if s.set&Sizes != 0 {
		samples.all(&f.Sizes, b.sizes)
	}
	if s.set&spanned != 0 {
		s.spans.At(number).put(&f.Seen)
	}
	if s.set&Intervals != 0 {
		samples.each(f.Intervals[:], b.intervals)
	}
	if s.set&Gaps != 0 {
		samples.each(f.Gaps[:], b.gaps)
	}
	if s.set&Periods != 0 {
		samples.put(&f.Periods.Active, b.periods)
		samples.put(&f.Periods.Idle, b.periods+1)
	}
	if s.set&First != 0 {
		f.First = s.early.append(f.First[:0], &l.early)
	}
	if s.set&Entropy != 0 {
		f.Entropy = [2]float64{s.texts.bits(&l.texts[0]), s.texts.bits(&l.texts[1])}
	}
	if s.set&layered == 0 {
		return
	}
	y := s.layers.At(number)
	if s.set&Payload != 0 {
		f.Payload.Headers = y.headers
		samples.all(&f.Payload.Bytes, b.payload)
	}
	if s.set&TCP != 0 {
		f.TCP = y.transport.said
	}
	if s.set&IP != 0 {
		f.IP = y.ip.directions
	}
	if s.set&Bulks != 0 {
		f.Bulks = y.bulks.said
	}
}

// fillSmall sets f to the features of a flow of one packet, or of none. What such
// a flow has no values for is 0: times between packets, periods and bulks.
func (s *Store) fillSmall(f *Flow, o *small) {
	s.clear(f)
	if o.marks&came == 0 {
		return
	}
	f.Alone = true
	p, d := s.first(o)
	if s.set&Sizes != 0 {
		one(&f.Sizes, d, uint64(p.Size))
	}
	if s.set&spanned != 0 {
		f.Seen[d] = Span{p.Time, p.Time, true}
		f.Seen[2] = f.Seen[d]
	}
	if s.set&First != 0 && s.early.most > 0 {
		f.First = append(f.First, newEarly(p, d))
	}
	if s.set&Entropy != 0 {
		f.Entropy[d] = s.texts.bits(&o.text)
	}
	if s.set&Payload != 0 {
		f.Payload.count(p, d, true)
		one(&f.Payload.Bytes, d, uint64(p.Details.Payload))
	}
	if s.set&TCP != 0 {
		var t transport
		t.count(p, d)
		f.TCP = t.said
	}
	if s.set&IP != 0 {
		var h headers
		h.count(p, d)
		f.IP = h.directions
	}
}

// clear clears what is asked for: no more, since that takes as long as the rest.
func (s *Store) clear(f *Flow) {
	f.Alone, f.First = false, f.First[:0]
	if s.set&Sizes != 0 {
		f.Sizes = [3]Moments{}
	}
	if s.set&spanned != 0 {
		f.Seen = [3]Span{}
	}
	if s.set&Intervals != 0 {
		f.Intervals = [3]Moments{}
	}
	if s.set&Gaps != 0 {
		f.Gaps = [2]Moments{}
	}
	if s.set&Periods != 0 {
		f.Periods = Activity{}
	}
	if s.set&Entropy != 0 {
		f.Entropy = [2]float64{}
	}
	if s.set&layered != 0 {
		f.Payload, f.TCP, f.IP, f.Bulks = Load{}, Transport{}, [2]Header{}, Bulk{}
	}
}

// Free gives back what a record holds besides itself.
func (s *Store) Free(ref uint32) {
	if s.set&kept == 0 {
		return
	}
	o := s.smalls.At(ref)
	s.texts.free(&o.text)
	if o.large == 0 {
		return
	}
	l := s.larges.At(o.large)
	s.texts.free(&l.texts[0])
	s.texts.free(&l.texts[1])
	s.early.free(&l.early)
	s.larges.Put(o.large)
	o.large = 0
}

// Move gives the state of one record to another, which has none.
func (s *Store) Move(from, to uint32) {
	if s.set&kept != 0 {
		*s.smalls.At(to) = *s.smalls.At(from)
	}
	if s.set&Link != 0 {
		*s.links.At(to) = *s.links.At(from)
	}
}

// Shrink gives back the memory of the records from ref on, of which none may be
// in use, and of what records that have left held. All calls its argument with
// the number of each record in use.
func (s *Store) Shrink(ref uint32, all func(func(ref uint32))) {
	s.smalls.Uncover(ref)
	s.links.Uncover(ref)
	if s.larges.Len() == 0 && s.set&Entropy == 0 {
		return
	}
	larges, chunks, blocks := s.larges.Shrink(), s.early.chunks.Shrink(), s.texts.shrink()
	all(func(ref uint32) {
		o := s.smalls.At(ref)
		s.texts.move(blocks, &o.text)
		if o.large == 0 {
			return
		}
		if to := s.larges.Move(larges, o.large); to != o.large {
			if s.set&layered != 0 {
				*s.layers.At(to) = *s.layers.At(o.large)
			}
			if s.set&spanned != 0 {
				*s.spans.At(to) = *s.spans.At(o.large)
			}
			copy(s.samples.At(to), s.samples.At(o.large))
			if s.set&Shape != 0 {
				copy(s.powers.At(to), s.powers.At(o.large))
			}
			o.large = to
		}
		l := s.larges.At(o.large)
		s.early.move(chunks, &l.early)
		s.texts.move(blocks, &l.texts[0])
		s.texts.move(blocks, &l.texts[1])
	})
	s.larges.Cut(larges)
	s.layers.Uncover(s.larges.Len() + 1)
	s.spans.Uncover(s.larges.Len() + 1)
	s.samples.Uncover(s.larges.Len() + 1)
	s.powers.Uncover(s.larges.Len() + 1)
	s.early.chunks.Cut(chunks)
	s.texts.cut(blocks)
}

// Cost returns the bytes that the features of a flow of one packet take.
func (s *Store) Cost() int {
	n := 0
	if s.set&kept != 0 {
		n += int(unsafe.Sizeof(small{}))
	}
	if s.set&Link != 0 {
		n += int(unsafe.Sizeof(decode.Link{}))
	}
	return n
}

// InUse returns the bytes that flows need besides the cost of each.
func (s *Store) InUse() int {
	each := int(unsafe.Sizeof(large{})) + s.samples.Cost() + s.powers.Cost()
	if s.set&layered != 0 {
		each += int(unsafe.Sizeof(layers{}))
	}
	if s.set&spanned != 0 {
		each += int(unsafe.Sizeof(spans{}))
	}
	return s.larges.InUse()*each + s.early.chunks.InUse()*int(unsafe.Sizeof(earlyChunk{})) + s.texts.inUse()
}

// Bytes returns the memory that the store has taken.
func (s *Store) Bytes() int {
	return s.smalls.Bytes() + s.links.Bytes() + s.larges.Bytes() + s.layers.Bytes() + s.samples.Bytes() +
		s.powers.Bytes() + s.spans.Bytes() + s.early.chunks.Bytes() + s.texts.bytes()
}
