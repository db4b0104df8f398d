package intake

import (
	"runtime/debug"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/ioutil"
)

const (
	// spanRecords is how many records of a span are read before the first of
	// them is decoded: few, so that their bytes are still in the nearest cache.
	spanRecords = 32
	// maxRecords is the most that is read at once in order.
	maxRecords = 1024
)

// A Piece is a batch of packets and where in the capture they come from.
type Piece struct {
	in      *Intake
	batch   *flowtable.Batch
	of      *ioutil.Spans   // of a mapped capture that the span is of
	from    *ioutil.Capture // or the stream; both are nil if the piece has no span
	span    ioutil.Span
	passed  []byte          // part of the capture to be released before
	odd     int             // records that come before the span
	end     error           // of the stream
	records []ioutil.Record // spanRecords, more when the piece is first read in order
	places  [flowtable.MaxFrames]ioutil.Place
	headers decode.Packet // of the packet that is being decoded
	decoder *decode.Decoder
	again   decode.Decoder // see addAround
	strange linkTypes
	unread  unreads
	chosen  *chooser // nil if all packets count

	plain      bool  // plain frames need no decoder: no more is asked of them than the batch reads
	detailed   bool  // features need details
	metered    bool  // a meter reads the frames
	resolution int64 // of times, in nanoseconds; 0 leaves them as they are
}

// NewPiece returns an empty piece, for a number of tables. Any goroutine may call it.
func (in *Intake) NewPiece(tables int) *Piece {
	batch := in.gate.NewBatch(tables)
	p := &Piece{
		in: in, batch: batch, records: make([]ioutil.Record, spanRecords), chosen: in.chosen.copy(), decoder: in.options.decoder(),
		detailed: batch.Detailed(), metered: batch.Frames != nil, resolution: int64(in.options.Resolution),
	}
	p.plain = p.chosen == nil && !p.metered && p.decoder.TakesPlain() && (!p.detailed || batch.TakesPlain(decode.LinkEthernet))
	return p
}

// Packets returns the batch of the piece, when it is admitted.
func (p *Piece) Packets() *flowtable.Batch { return p.batch }

// Take gives the piece what comes next and can be read on any goroutine. It may
// wait for a stream. Pieces are taken one after the other.
func (p *Piece) Take() { p.in.take(p) }

// Decode reads the packets that Take gave the piece. Several pieces may be decoded
// at once.
func (p *Piece) Decode() {
	p.empty()
	switch {
	case p.from != nil:
		for i := range p.records[:p.odd] {
			p.add(&p.records[i])
		}
		p.decodeSpan()
		p.span.Release()
		p.in.cutter.reading.Done()
	case p.of != nil:
		ioutil.Release(p.passed)
		p.decodeSpan()
		p.in.cutter.reading.Done()
	}
}

// Admit completes the piece with what must be read in order, and its batch with what
// must be known of those before. It returns false if that was the last one. Pieces
// are admitted one after the other, in the order in which they were taken.
func (p *Piece) Admit() bool { return p.in.admit(p) }

// reset makes the piece an empty one.
func (p *Piece) reset() {
	p.of, p.from, p.odd, p.end = nil, nil, 0, nil
	p.empty()
}

// empty empties the piece of the packets that it had before. It is for those that
// are taken to be done by who decodes them: another processor had them last.
func (p *Piece) empty() {
	p.batch.Reset()
	p.strange.seen = p.strange.seen[:0]
	p.unread.clear()
}

// many returns the records for what is read in order.
func (p *Piece) many() []ioutil.Record {
	if len(p.records) < maxRecords {
		p.records = make([]ioutil.Record, maxRecords)
	}
	return p.records
}

// decodeSpan reads the packets of the span. What a fault of the mapped file
// keeps from it is left for admit, which meets the fault again.
func (p *Piece) decodeSpan() {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	at := int64(-1)
	defer func() {
		if fault := recover(); fault != nil && !p.span.Fault(fault, at) {
			panic(fault)
		}
	}()
	for {
		at = -1
		for p.plain && p.addPlaces(&at) {
			at = -1
		}
		n := p.span.Read(p.records[:spanRecords])
		if n == 0 {
			return
		}
		for i := range p.records[:n] {
			at = p.records[i].Offset
			p.add(&p.records[i])
		}
	}
}

// addPlaces adds packets of the span as long as its records are alike, and notes where
// what is being read begins. It returns false if there are none.
func (p *Piece) addPlaces(at *int64) bool {
	n := p.span.Places(p.places[:])
	if n == 0 {
		return false
	}
	linkType, fine := p.span.Alike()
	plain := p.batch.TakesPlain(linkType)
	if p.resolution > 0 {
		for i := range p.places[:n] {
			at, _ := p.cut(p.places[i].Time, fine)
			p.places[i].Time = int64(at)
		}
		fine = fine && p.resolution%1000 != 0
	}
	for places := p.places[:n]; len(places) > 0; {
		*at = p.span.Offset(&places[0])
		if plain {
			places = places[p.batch.AddFrames(p.span.Memory(), places, fine):]
		}
		if len(places) > 0 {
			p.span.Record(&p.records[0], &places[0])
			*at = p.records[0].Offset
			p.addHeaders(&p.records[0])
			places = places[1:]
		}
	}
	return true
}

// decode reads the headers of records that a capture lends, or a source if c is nil.
func (p *Piece) decode(c *ioutil.Capture, records []ioutil.Record) {
	// A mapped file that another program cuts faults where its bytes are read.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	i := 0
	defer func() {
		if fault := recover(); fault != nil && (c == nil || c.Fault(fault, records[i].Offset) == nil) {
			panic(fault) // else the next read gives the error
		}
	}()
	for ; i < len(records); i++ {
		p.add(&records[i])
	}
}

// add reads the headers of a record.
func (p *Piece) add(r *ioutil.Record) {
	if p.plain && r.FCS == 0 {
		if at, fine := p.cut(r.Time, r.Fine); p.batch.AddPlain(r.LinkType, r.Data, at, r.OrigLen, fine) {
			return
		}
	}
	p.addHeaders(r)
}

// cut returns a time as the resolution has it, and whether it is fine.
func (p *Piece) cut(at int64, fine bool) (flowtable.Time, bool) {
	if p.resolution == 0 {
		return flowtable.Time(at), fine
	}
	return flowtable.Time(at).Cut(p.resolution), fine && p.resolution%1000 != 0
}

// addHeaders is add for a record whose frame need not be plain.
func (p *Piece) addHeaders(r *ioutil.Record) {
	if taken := p.chosen == nil || p.chosen.takes(r); p.metered {
		p.batch.Frames.Read(&p.headers, r.Data, r.OrigLen-uint32(r.FCS), flowtable.Time(r.Time))
		if !taken {
			p.headers.Class = decode.LeftOut
		}
	} else if !taken {
		p.headers = decode.Packet{Class: decode.LeftOut}
	} else if n := r.OrigLen - uint32(r.FCS); p.decoder == nil && p.headers.Decode(r.LinkType, r.Data, n) == decode.NotIP ||
		p.decoder != nil && p.decoder.Decode(&p.headers, r.LinkType, r.Data, n) == decode.NotIP {
		p.strange.see(r.LinkType)
	}
	if c := p.headers.Class; c == decode.NotIP || c == decode.OtherProtocol {
		p.unread.see(p.headers.Why(r.LinkType, r.Data))
	}
	at, fine := p.cut(r.Time, r.Fine)
	p.batch.Add(&p.headers, at, decode.FrameLen(r.LinkType, r.Data, r.OrigLen), fine)
	if p.headers.InFragments > 0 {
		p.addAround(r)
	}
	if p.detailed {
		p.batch.AddDetails(&p.headers, r.LinkType, r.Data)
	}
}

// addAround adds the first fragments of tunnels' datagrams that the packet of a
// record stands in. Without a decoder, which notes them on the way, its headers
// are read again.
func (p *Piece) addAround(r *ioutil.Record) {
	if p.headers.Class != decode.Counted && p.headers.Class != decode.Fragment {
		return
	}
	d := p.decoder
	if d == nil {
		var again decode.Packet
		d = &p.again
		d.Decode(&again, r.LinkType, r.Data, r.OrigLen-uint32(r.FCS))
	}
	p.batch.AddAround(&p.headers, d.Around(&p.headers))
}
