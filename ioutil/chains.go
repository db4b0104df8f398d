package ioutil

import "encoding/binary"

// Where records are long, a walk from header to header waits for memory once a
// record, and to load all that lies between, as touchAhead does, takes fifteen
// cache lines where two are needed. So a span is cut into chains, whose first
// records are guessed, and these are walked in turn: the processor waits for
// all of them at once. The walk only notes where records begin.
//
//	span   |....................|....................|....................|
//	chain 0 h---->h-->h-------->|
//	chain 1                      h------>h--->h----->|
//	chain 2                                           h->h----->h-------->|
const (
	chains     = 8
	longRecord = 300 // bytes; below that the plain walk is as fast
)

// walked is where the records of a span begin, in places of the window.
type walked struct {
	places [chains][]int
	chain  int // that Read comes to next
	record int // and the record in it
}

// readChains is Read for a span that is walked in chains.
func (s *Span) readChains(recs []Record) (n int) {
	s.walkOnce()
	for n < len(recs) {
		places := s.walked.next(len(recs) - n)
		if len(places) == 0 {
			break
		}
		s.walked.record += len(places)
		if s.format.usual() {
			p := &s.format.pcap
			for i, at := range places {
				from := at + pcapRecordLen
				h := (*[pcapRecordLen]byte)(s.buf[at:from])
				to := from + min(int(binary.LittleEndian.Uint32(h[8:])), maxData)
				r := &recs[n+i]
				p.setUsual(r, h, s.buf[from:to:to], int64(at)+s.base)
				r.OrigLen = min(r.OrigLen, maxOrigLen)
			}
			n += len(places)
			continue
		}
		for _, at := range places {
			if s.format.record(&recs[n], s.buf, at) {
				recs[n].Offset += s.base
				n++
			}
		}
	}
	return n
}

// walkOnce walks the span if that has not been done.
func (s *Span) walkOnce() {
	if s.touch == 0 {
		s.touch = never
		s.walk()
	}
}

// next returns where the next records of a chain begin, most of them at most, and none
// behind the last. Who reads them counts them.
func (w *walked) next(most int) []int {
	for ; w.chain < chains; w.chain, w.record = w.chain+1, 0 {
		if places := w.places[w.chain][w.record:]; len(places) > 0 {
			return places[:min(len(places), most)]
		}
	}
	return nil
}

func (w *walked) clear() {
	w.chain, w.record = 0, 0
	for i := range w.places {
		w.places[i] = w.places[i][:0]
	}
}

// walkPlain is walk in one chain.
func (s *Span) walkPlain() {
	b, w := s.buf, &s.walked
	w.clear()
	places, at, usual := w.places[0], s.from, s.format.usual()
	for at < s.end {
		for usual && at < s.end && len(b)-at >= pcapRecordLen {
			capLen := binary.LittleEndian.Uint32(b[at+8 : at+12])
			next := at + pcapRecordLen + int(capLen)
			if capLen-1 >= maxCapLen-1 || next > len(b) {
				break
			}
			places = append(places, at)
			at = next
		}
		if at >= s.end {
			break
		}
		next := s.format.after(b, at)
		if next < 0 {
			s.broken = true
			break
		}
		places = append(places, at)
		at = next
	}
	w.places[0], s.pos = places, at
}

// walk finds the records of the span, and moves the window to where it ends:
// the span's end, or where it is odd.
func (s *Span) walk() {
	b, w := s.buf, &s.walked
	w.chain, w.record = 0, 0
	var at, stop [chains]int
	for i := range chains {
		w.places[i] = w.places[i][:0]
		at[i] = s.from
		if i > 0 {
			from := s.from + (s.end-s.from)/chains*i
			at[i] = max(s.guess(from, s.end), at[i-1])
			stop[i-1] = at[i]
		}
	}
	begins := at
	stop[chains-1] = s.end
	usual := s.format.usual()
	for open := true; open; {
		open = false
		if usual {
			s.walkUsual(&at, &stop)
		}
		for i := range chains {
			a := at[i]
			if a >= stop[i] {
				continue
			}
			next := s.format.after(b, a)
			if next < 0 {
				stop[i] = a
				continue
			}
			w.places[i] = append(w.places[i], a)
			at[i] = next
			open = true
		}
	}
	s.pos = at[0]
	for i := 1; i < chains; i++ {
		if s.pos != begins[i] {
			s.broken = true
			for ; i < chains; i++ {
				w.places[i] = w.places[i][:0]
			}
			break
		}
		s.pos = at[i]
	}
}

// walkUsual walks each chain up to where it stops, or to a record that is odd, which is left
// to after. What most headers are is asked in few instructions, so that those of all
// chains are under way at once.
func (s *Span) walkUsual(at, stop *[chains]int) {
	b, places := s.buf, &s.walked.places
	second, sum := secondLine-1, byte(0)
	if s.stream { // others read the packets
		second = 8
	}
	last := *stop // of each chain, or where it is odd
	for open := true; open; {
		open = false
		for i := range chains {
			a := at[i]
			if a >= last[i] {
				continue
			}
			if a+secondLine > len(b) {
				last[i] = a
				continue
			}
			h := b[a : a+secondLine : a+secondLine]
			sum ^= h[second]
			capLen := binary.LittleEndian.Uint32(h[8:])
			next := a + pcapRecordLen + int(capLen)
			if capLen-1 >= maxCapLen-1 || next > len(b) {
				last[i] = a
				continue
			}
			places[i] = append(places[i], a)
			at[i] = next
			open = true
		}
	}
	s.sink ^= sum
}

// secondLine is where in a record the end of the headers lies, in the cache line
// behind that of the record header.
const secondLine = 80
