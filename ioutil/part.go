package ioutil

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

// A part of a file has the records that begin in its share of the bytes. Where the first
// of them begins is guessed from the bytes around the cut, always the same ones. The reader
// of the part in front comes there record by record, and looks at the same bytes: where it
// does not come to that very place, the guess was wrong, and it reads on through the next
// part. So each part says through which one it has read, and one that another has read
// is to be passed over. The first part is right, and so then are all that count.
//
//	part 1   |h-->h---->h-->h----|>h                    met: part 2 begins here
//	part 2   ............|........h-->h-->h------|-->h  not met: part 2 reads on
//	part 3                        ........|....h?
//
// What later records depend on and is declared behind the first packet (pcapng sections and
// interfaces, a second pcap header) makes a part read on to the end of the file. A file
// that can't be cut, such as a compressed one, is read by part 1.

const (
	// PartHead is how much of the beginning of a file the reader of any part is given.
	PartHead = 1 << 20
	// partFront is how much in front of a part is read for what its first packets refer
	// to, partLook how much on either side of a cut is looked at; both at most.
	partFront = 16 << 20
	partLook  = 1 << 20
)

// A Section is a part of a file: number Part, the first being 1, of so many with about the
// same number of bytes. Size is that of the file, in bytes.
type Section struct {
	Part, Of int
	Size     int64
}

// From returns from which byte on, at the latest, the file must be given to NewPart behind
// the first PartHead bytes.
func (s Section) From() int64 {
	return max(min(PartHead, s.Size), s.around(s.Part-1)-partFront)
}

// cut returns where a part ends, of which records may reach farther.
func (s Section) cut(part int) int64 {
	return s.Size/int64(s.Of)*int64(part) + s.Size%int64(s.Of)*int64(part)/int64(s.Of)
}

// look is how many bytes on either side of a cut are looked at.
func (s Section) look() int64 { return min(partLook, s.Size/int64(s.Of)/4&^3) }

// around returns the first of these bytes. Blocks of a pcapng file begin at multiples of 4.
func (s Section) around(part int) int64 { return (max(0, s.cut(part)-s.look()) + 3) &^ 3 }

// A Part is a part of a capture file that is read. It is used as a [Capture] is.
type Part struct {
	*Capture
	section Section
	format  format
	first   int64    // where the first record of the file begins
	since   int64    // seconds of it
	front   *Capture // what stands in front; nil when it has been read
	ahead   bool
	file    *os.File

	declared   int
	begin, end int64
	through    int   // the last part that is read, 0 if this one has nothing
	stop       int64 // where part through+1 begins, if the guess was right; -1 if that is to be found
}

// OpenPart opens a part of a regular file.
func OpenPart(path string, part, of int) (*Part, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	p, err := openPart(f, part, of)
	if err != nil {
		f.Close()
		return nil, err
	}
	p.file = f
	return p, nil
}

func openPart(f *os.File, part, of int) (*Part, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: only a file can be cut into parts", f.Name())
	}
	s := Section{part, of, info.Size()}
	if err := s.check(f.Name()); err != nil {
		return nil, err
	}
	r := io.MultiReader(io.NewSectionReader(f, 0, PartHead), io.NewSectionReader(f, s.From(), math.MaxInt64-s.From()))
	return NewPart(r, f.Name(), s, s.From())
}

func (s Section) check(name string) error {
	if s.Part < 1 || s.Part > s.Of || s.Size < 0 {
		return fmt.Errorf("%s: part %d of %d of %d bytes: there is none", name, s.Part, s.Of, s.Size)
	}
	return nil
}

// NewPart reads a part of a file from a stream, which has the first PartHead bytes of the
// file, or all there are, and then those from a byte on, PartHead or more and [Section.From]
// or less. It reads no farther than it needs but for what it reads ahead.
func NewPart(r io.Reader, name string, s Section, from int64) (*Part, error) {
	if err := s.check(name); err != nil {
		return nil, err
	}
	head := make([]byte, min(PartHead, s.Size))
	if from < int64(len(head)) || from > s.From() {
		return nil, fmt.Errorf("%s: part %d of %d: what stands from byte %d on: want %d to %d", name, s.Part, s.Of, from, len(head), s.From())
	}
	if n, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("%s: the first %d of %d bytes: %w", name, n, len(head), err)
	}
	p := &Part{section: s, through: s.Part, stop: -1}
	known := &Capture{name: name, window: window{buf: head}}
	whole := unwrapper(head[:min(headLen, len(head))]) != nil
	if !whole {
		if err := known.start(); err != nil {
			return nil, err
		}
		whole = !p.learn(known)
	}
	switch {
	case s.Part == 1:
		if whole {
			p.through = s.Of
		}
		p.Capture = &Capture{name: name}
		if err := p.Capture.stream(io.MultiReader(bytes.NewReader(head), r)); err != nil {
			return nil, err
		}
		return p, nil
	case whole:
		p.through, p.Capture = 0, &Capture{name: name, err: io.EOF}
		return p, nil
	}
	if err := p.enter(known, head, r, from); err != nil {
		return nil, err
	}
	return p, nil
}

// learn takes what all parts must know of the capture from the beginning of the file. It
// returns false if that is not known.
func (p *Part) learn(c *Capture) bool {
	if c.err != nil {
		return false
	}
	p.format = format{pcap: c.pcap}
	switch c.format {
	case "pcapng":
		if p.format.ng = c.readDeclarations(); p.format.ng == nil {
			return false
		}
		p.declared = c.ng.declarations
	case "pcap":
		if len(c.buf)-c.pos < c.pcap.header {
			return false
		}
		p.since = int64(c.pcap.seconds(c.buf[c.pos:]))
	default:
		framing := c.framing
		p.format.framing = &framing
	}
	p.first = int64(c.pos)
	return true
}

// enter goes to where a part begins that is not the first.
func (p *Part) enter(c *Capture, head []byte, r io.Reader, from int64) error {
	s := p.section
	at, to := p.looked(s.Part - 1)
	front := max(p.first, at-partFront)
	if front < int64(len(head)) {
		r = io.MultiReader(bytes.NewReader(head[front:]), r)
	} else if _, err := io.CopyN(io.Discard, r, front-from); err != nil {
		return c.wrong(0, midStream(err))
	}
	b := make([]byte, to-front)
	n, err := io.ReadFull(r, b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return &FormatError{File: c.name, Offset: front + int64(n), Err: err}
	}
	b = b[:n]
	begin := p.recordAt(b, front, s.Part-1)
	c.warnings, c.buf, c.pos, c.size = nil, nil, 0, s.cut(s.Part)-at
	if begin < 0 {
		p.through, p.Capture = 0, c
		c.err = io.EOF
		return nil
	}
	p.begin = begin
	c.base = begin
	rest := &counter{r: io.MultiReader(bytes.NewReader(b[begin-front:]), r), n: &c.taken}
	c.ring = newRing(func() (io.Reader, func(), error) { return rest, func() {}, nil }, false, chunkLen)
	c.touch = never
	p.Capture = c
	if b = b[:begin-front]; front > p.first {
		b = b[max(0, p.format.guess(b, 0, p.since)):]
		front = begin - int64(len(b))
	}
	ng := c.ng // of which a section in front must not change what is declared
	ng.interfaces, ng.clocks = slices.Clone(ng.interfaces), slices.Clone(ng.clocks)
	p.front = &Capture{name: c.name, format: c.format, pcap: c.pcap, ng: ng, framing: c.framing, window: window{buf: b, base: front}}
	return nil
}

// recordAt returns where the first record at the cut behind a part or after it seems to
// begin, -1 if that can't be told from the bytes that are looked at. They are those of b,
// which begins in the file at an offset.
func (p *Part) recordAt(b []byte, offset int64, part int) int64 {
	base, to := p.looked(part)
	b = b[min(int64(len(b)), base-offset):min(int64(len(b)), to-offset)]
	at, cut := 0, int(p.section.cut(part)-base)
	if base > p.first {
		at = p.format.guess(b, 0, p.since)
	}
	for tries := 0; at >= 0 && at < len(b) && tries < mostGuesses; {
		next := p.format.after(b, at)
		switch {
		case next < 0:
		case at < cut || p.format.ng != nil && p.format.ng.uint32(b[at:]) != blockEnhanced:
			at = next
			continue
		case p.format.goesOn(b, at, p.since):
			return base + int64(at)
		}
		tries++
		at = p.format.guess(b, at+1, p.since)
	}
	return -1
}

// looked returns from where to where bytes around the cut behind a part are looked at.
func (p *Part) looked(part int) (from, to int64) {
	from = max(p.section.around(part), p.first)
	return from, max(from, p.section.around(part)+2*p.section.look())
}

// mostGuesses is how many places are tried at most: each may take as long as it takes to
// walk over all bytes that are looked at.
const mostGuesses = 64

// guess returns where the first record of b at or after from seems to begin, -1 if there is
// none.
func (f *format) guess(b []byte, from int, since int64) (at int) {
	switch {
	case f.ng != nil:
		at = f.ng.guess(b, from, len(b))
	case f.framing != nil:
		at = f.framing.guess(b, from, len(b))
	default:
		at = f.pcap.guess(b, since, from, len(b), &seen{})
	}
	if at >= len(b) {
		return -1
	}
	return at
}

// goesOn reports whether records seem to follow each other from b[at:] to the end of b.
func (f *format) goesOn(b []byte, at int, since int64) bool {
	for at >= 0 && at < len(b) {
		switch {
		case f.ng != nil:
			next := f.ng.after(b, at)
			if next < 0 && len(b)-at >= blockMin {
				length := f.ng.uint32(b[at+4:])
				return length >= blockMin && length <= maxBlock && int(length) > len(b)-at
			}
			at = next
		case f.framing != nil:
			if len(b)-at < f.framing.least() {
				return true
			}
			size := f.framing.like(b[at:])
			if size == 0 {
				return false
			}
			at += size
		default:
			if at = f.pcap.like(b, at, since); at == 0 {
				return false
			}
		}
	}
	return true
}

// ReadBefore is that of a [Capture], for the packets in front first: see [Part.Ahead].
func (p *Part) ReadBefore(end int64, recs []Record) (n int, err error) {
	if p.front != nil {
		p.ahead = true
		if n, _ = p.front.Read(recs); n > 0 {
			return n, nil
		}
		p.front = nil // what is wrong there is told by the part that it is of
	}
	p.ahead = false
	for p.through > 0 && p.through < p.section.Of && p.err == nil {
		const long = 1 << 20 // bytes of a record, at most, so that a cut is found
		before := p.stop
		if before < 0 {
			before = p.section.around(p.through) - long
		}
		if n, err = p.read(min(end, before), recs); n > 0 || err != nil || p.Offset() < before {
			return n, err
		}
		switch {
		case p.through == p.section.Of: // as read has found
		case p.stop < 0:
			p.find()
		case p.Offset() == p.stop && p.blanks.n == 0:
			p.end = p.stop
			p.err = io.EOF
		default:
			p.through++
			p.stop = -1
		}
	}
	return p.read(end, recs)
}

// Read is ReadBefore for any offset.
func (p *Part) Read(recs []Record) (int, error) { return p.ReadBefore(math.MaxInt64, recs) }

// read reads packets, and sees if they come behind something that the parts after this one
// do not know.
func (p *Part) read(end int64, recs []Record) (int, error) {
	n, err := p.Capture.ReadBefore(end, recs)
	if p.through > 0 && (p.ng.declarations > p.declared || p.concatenated) {
		p.through = p.section.Of
	}
	if err != nil && p.end == 0 {
		p.end = p.Offset()
	}
	return n, err
}

// find finds where the next part begins, or reads on through it.
func (p *Part) find() {
	c := p.Capture
	from, to := p.looked(p.through)
	if c.Offset() <= from {
		if err := c.more(int(to - c.Offset())); err == nil || err == io.EOF { // others come again
			p.stop = p.recordAt(c.buf[c.pos:], c.Offset(), p.through)
		}
	}
	if p.stop < 0 {
		p.through++
	}
}

// Ahead tells if the packets that were read last stand in front of the part.
func (p *Part) Ahead() bool { return p.ahead }

// Section returns which part it is.
func (p *Part) Section() Section { return p.section }

// Extent returns where the part begins and where it ended, as offsets in the file, and the
// number of the last part that it has read through: 0 if it has nothing, since a part
// in front has read it.
func (p *Part) Extent() (begin, end int64, through int) { return p.begin, p.end, p.through }

// Close is that of a [Capture].
func (p *Part) Close() error {
	err := p.Capture.Close()
	if p.file != nil {
		err = errors.Join(err, p.file.Close())
		p.file = nil
	}
	return err
}
