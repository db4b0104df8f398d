package block

import (
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// A Source gives the packets of the blocks of one bucket in the order in which
// flowfast --join reads those of their captures. It holds a chunk of each capture that
// overlaps in time with the one that is read.
type Source struct {
	// Resolution and Monotone mean what the options of a run do.
	Resolution time.Duration
	Monotone   bool

	// Ranges is how many ranges of the order of rows [Source.Range] tells apart, 0 for none;
	// Idle is the idle timeout of the run. With ranges, packets have an origin: see
	// flowtable.Options.
	Ranges int
	Idle   time.Duration

	blocks   []*Block
	waiting  []*joined // whose first packet is not due yet
	earliest []int64   // of the packets of those from here on
	open     cursors
	archive  *archive
	place    int64 // of which latest is what latestBefore returns, if placed is set
	latest   int64
	placed   bool
	end      int64 // latest time of a packet of a flow in all captures
	decoders []*zstd.Decoder
	began    bool
	step     *stepBack // to come before the next packet
	ranges   ranges
	seen     int64 // latest time that was given
}

// NewSource returns a source of blocks, which must be those of one bucket, with the
// same options. Needs are the features that their packets must have details for.
func NewSource(blocks []*Block, needs features.Set) (*Source, error) {
	if len(blocks) == 0 {
		return nil, errors.New("no blocks")
	}
	first := blocks[0]
	for _, b := range blocks[1:] {
		if d := first.Differs(&b.Header); d != "" {
			return nil, fmt.Errorf("%s and %s are blocks that do not belong together: %s", first.File, b.File, d)
		}
	}
	if lacking := needs & (features.Details | features.Link) &^ first.Features; lacking != 0 {
		return nil, fmt.Errorf("%s: columns were asked for that need more of the packets than the block has: "+
			"make the blocks with the same --profile, --columns and --labels", first.File)
	}
	s := &Source{blocks: slices.Clone(blocks), end: minTime, seen: minTime}
	return s, nil
}

// captures puts the parts of captures together, and captures that have packets in
// order.
func (s *Source) captures() ([]*joined, error) {
	of := map[string][]*Block{}
	for _, b := range s.blocks {
		of[b.Capture.Name] = append(of[b.Capture.Name], b)
	}
	var all []*joined
	for name, parts := range of {
		parts, err := inOrder(name, parts)
		if err != nil {
			return nil, err
		}
		if j := join(parts); j.Packets > 0 {
			all = append(all, j)
		}
	}
	slices.SortFunc(all, func(a, b *joined) int {
		return cmp.Or(cmp.Compare(a.First, b.First), strings.Compare(a.Name, b.Name))
	})
	return all, nil
}

// inOrder returns the parts of a capture that count, in order.
func inOrder(name string, parts []*Block) (used []*Block, err error) {
	slices.SortFunc(parts, func(a, b *Block) int { return a.Capture.Part - b.Capture.Part })
	next := 1
	for i, b := range parts {
		c := &b.Capture
		switch {
		case i > 0 && c.Part == parts[i-1].Capture.Part:
			return nil, fmt.Errorf("%s and %s: both are of part %d of the capture %s", parts[i-1].File, b.File, c.Part, name)
		case c.Parts != parts[0].Capture.Parts:
			return nil, fmt.Errorf("%s: of %d parts of the capture %s, and %s of %d", b.File, c.Parts, name, parts[0].File, parts[0].Capture.Parts)
		case c.Part < next: // one in front of it has read it
			continue
		case c.Part > next:
			return nil, fmt.Errorf("%s: part %d of %d of the capture %s, of which part %d is missing", b.File, c.Part, c.Parts, name, next)
		}
		if n := len(used); n > 0 && used[n-1].Capture.End != c.Begin {
			return nil, fmt.Errorf("%s and %s: parts of the capture %s of which one ends at byte %d and the next begins at %d",
				used[n-1].File, b.File, name, used[n-1].Capture.End, c.Begin)
		}
		if used = append(used, b); c.Damage != "" { // what stands behind it is not read, as it isn't in a capture that is whole
			return used, nil
		}
		next = max(c.Part, c.Through) + 1
	}
	if last := parts[len(parts)-1]; next <= last.Capture.Parts {
		return nil, fmt.Errorf("%s: part %d of %d of the capture %s, of which part %d is missing", last.File, last.Capture.Part, last.Capture.Parts, name, next)
	}
	return used, nil
}

// begin finds out the order of captures, and where their clock steps back.
func (s *Source) begin() error {
	var err error
	if s.waiting, err = s.captures(); err != nil {
		return err
	}
	for _, j := range s.waiting {
		s.end = max(s.end, j.LatestOfFlow)
	}
	s.archive = newArchive(s.waiting)
	if err := s.archive.follow(s.Monotone); err != nil {
		return err
	}
	byName := slices.Clone(s.waiting)
	slices.SortFunc(byName, func(a, b *joined) int { return strings.Compare(a.Name, b.Name) })
	for i, j := range byName {
		j.order = i
	}
	s.arrange(byName)
	s.earliest = make([]int64, len(s.waiting)+1)
	s.earliest[len(s.waiting)] = math.MaxInt64
	for i := len(s.waiting) - 1; i >= 0; i-- {
		s.earliest[i] = min(s.earliest[i+1], s.waiting[i].floors[0])
	}
	return nil
}

// A capture is one among those that are read.
type capture struct {
	*joined
	part    int
	reader  *reader
	key     int64 // the place of the packet that comes next, and
	front   int64 // the latest time in the parts before
	flow    int64 // of a packet of a flow
	packet  flowtable.Taken
	pos     uint64
	late    uint64 // of the next packet, compared with packets of flows alone
	nstep   int    // steps that are behind
	before  uint64 // packets of captures with names before, and of parts before
	ended   bool   // only steps come
	decoder *zstd.Decoder
}

// cursors are a heap: the first one has the packet that comes next.
type cursors []*capture

func (c cursors) Len() int { return len(c) }
func (c cursors) Less(i, j int) bool {
	return c[i].key < c[j].key || c[i].key == c[j].key && c[i].order < c[j].order // as --join does it with captures sorted by name
}
func (c cursors) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c *cursors) Push(x any)   { *c = append(*c, x.(*capture)) }
func (c *cursors) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// batchPackets is how many packets a batch has at most.
const batchPackets = 2048

// Fill fills a batch with the packets that come next and has the gate admit it. It
// returns false behind the last packet, or with an error.
func (s *Source) Fill(b *flowtable.Batch, g *flowtable.Gate) (more bool, err error) {
	if !s.began {
		s.began = true
		if err := s.begin(); err != nil {
			g.AdmitTaken(b, minTime)
			return false, err
		}
	}
	if s.step != nil {
		g.AdmitStepBack(b, s.cut(s.step.horizon), s.cut(s.step.to))
		s.step = nil
		return true, nil
	}
	for b.Len() < batchPackets {
		c, err := s.next()
		if err != nil || c == nil {
			g.AdmitTaken(b, minTime)
			g.EndAt(s.cut(s.end))
			return false, err
		}
		if c.nstep < len(c.steps) && (c.ended || c.pos >= c.steps[c.nstep].position) {
			s.step = &c.steps[c.nstep]
			c.nstep++
			break
		}
		s.give(b, c)
		if err := s.advance(c); err != nil {
			g.AdmitTaken(b, minTime)
			return false, err
		}
	}
	g.AdmitTaken(b, s.horizon())
	return true, nil
}

// give adds the next packet of a capture to a batch.
func (s *Source) give(b *flowtable.Batch, c *capture) {
	t := &c.packet
	at := int64(t.Time)
	if s.Monotone && c.key > at { // late
		if at += int64(c.late); at < c.key {
			at = max(at, s.latestBefore(c), c.flow)
		}
	}
	if s.Ranges > 0 {
		t.Origin = flowtable.Origin{Place: flowtable.Time(c.key), Packet: c.before + c.pos}
	}
	s.seen = max(s.seen, at)
	t.Time = s.cut(at)
	t.Fine = t.Fine && (s.Resolution == 0 || s.Resolution%1000 != 0)
	b.AddTaken(t)
}

// latestBefore returns the latest time of a packet of a flow in other captures, at the
// place of a packet of c: see follow, which has seen that it is known.
func (s *Source) latestBefore(c *capture) int64 {
	if !s.placed || s.place != c.key {
		_, s.latest, _ = s.archive.upTo(c.joined, c.key, c.key)
		s.place, s.placed = c.key, true
	}
	return s.latest
}

// cut cuts a time down to the resolution.
func (s *Source) cut(at int64) flowtable.Time {
	return flowtable.Time(at).Cut(int64(s.Resolution))
}

// horizon returns a time before which no packet is stamped that comes before the next
// step back.
func (s *Source) horizon() flowtable.Time {
	if s.Monotone {
		return s.cut(s.seen)
	}
	at := s.earliest[len(s.earliest)-1-len(s.waiting)]
	for _, c := range s.open {
		floor := c.floors[c.nstep]
		switch {
		case c.Late == 0:
			floor = c.key
		case len(c.steps) == 0 && uint64(c.key)-uint64(c.Least) > c.Late:
			floor = c.key - int64(c.Late)
		}
		at = min(at, floor)
	}
	return s.cut(at)
}

// next returns the capture whose packet comes next, nil behind the last one.
func (s *Source) next() (*capture, error) {
	for len(s.open) > 0 && s.open[0].ended && s.open[0].nstep == len(s.open[0].steps) {
		s.leave(heap.Pop(&s.open).(*capture))
	}
	for len(s.waiting) > 0 {
		j := s.waiting[0]
		if len(s.open) > 0 && j.First > s.open[0].key { // where they are equal, the earlier one comes first
			break
		}
		s.waiting = s.waiting[1:]
		c := &capture{joined: j, front: minTime, flow: minTime, before: j.before}
		if n := len(s.decoders); n > 0 {
			c.decoder, s.decoders = s.decoders[n-1], s.decoders[:n-1]
		} else {
			var err error
			if c.decoder, err = newDecoder(); err != nil {
				return nil, err
			}
		}
		c.reader = newReader(c.parts[0], c.decoder)
		if more, err := c.read(); err != nil {
			return nil, err
		} else if more || c.stepsLeft() {
			heap.Push(&s.open, c)
		} else {
			s.leave(c)
		}
	}
	if len(s.open) == 0 {
		return nil, nil
	}
	return s.open[0], nil
}

// advance reads the packet of a capture, the first of those that are open, that comes
// after the one that was given.
func (s *Source) advance(c *capture) error {
	more, err := c.read()
	switch {
	case err != nil:
		return err
	case more || c.stepsLeft():
		heap.Fix(&s.open, 0)
	default:
		heap.Pop(&s.open)
		s.leave(c)
	}
	return nil
}

// stepsLeft makes a capture without further packets in the bucket one of which only steps
// come, if there are any: other flows leave at them as well. No other capture has packets
// from the first of them on to the end of the capture, so that it is as good a place.
func (c *capture) stepsLeft() bool {
	if c.nstep == len(c.steps) {
		return false
	}
	c.key, c.ended = c.Last, true
	return true
}

// leave takes leave of a capture.
func (s *Source) leave(c *capture) {
	s.decoders = append(s.decoders, c.decoder)
}

// read reads the next packet, and returns false if there are no more.
func (c *capture) read() (bool, error) {
	for {
		position, late, lateOfFlow, err := c.reader.next(&c.packet)
		if err == nil {
			c.pos, c.late = position, lateOfFlow
			c.key = max(int64(c.packet.Time)+int64(late), c.front)
			return true, nil
		}
		if err != io.EOF {
			return false, err
		}
		if p := &c.parts[c.part].Capture; p.Packets > 0 {
			c.front, c.flow = max(c.front, p.Last), max(c.flow, p.LatestOfFlow)
			c.before += p.Packets
		}
		if c.part++; c.part == len(c.parts) {
			return false, nil
		}
		c.reader = newReader(c.parts[c.part], c.decoder)
	}
}

// Close gives back what the source holds.
func (s *Source) Close() {
	for _, c := range s.open {
		c.decoder.Close()
	}
	for _, z := range s.decoders {
		z.Close()
	}
}
