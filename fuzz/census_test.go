package fuzz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/ioutil"
)

// A census is what a run over a capture must come to, taken packet by packet:
// no batches, no tables, and a map for the fragments.
type census struct {
	packets []counted
	door    error // why there can be no run at all
	err     error // why the capture was read no further, nil at its end
}

// A counted packet is the class of a packet and the length of its frame.
type counted struct {
	class decode.Class
	bytes uint32
}

// takeCensus reads a capture as a stream.
func takeCensus(capture []byte) (s census) {
	c, err := ioutil.NewCapture(bytes.NewReader(capture), "fuzz")
	if err != nil {
		return census{door: err}
	}
	defer c.Close()
	if types := c.LinkTypes(); len(types) > 0 && !slices.ContainsFunc(types, decode.KnownLinkType) {
		return census{door: errors.New("no known link type")}
	}
	var firsts firstFragments
	var records [64]ioutil.Record
	for {
		n, err := c.Read(records[:])
		if err != nil {
			if err != io.EOF {
				s.err = err
			}
			return s
		}
		for i := range records[:n] {
			r := &records[i]
			var p decode.Packet
			class := p.Decode(r.LinkType, r.Data, r.OrigLen-uint32(r.FCS))
			s.packets = append(s.packets, counted{firsts.resolve(&p, class, r.Time), decode.FrameLen(r.LinkType, r.Data, r.OrigLen)})
		}
	}
}

// firstFragments remembers the first fragments of datagrams, the last 65,536 of
// them, each for 30 seconds.
type firstFragments struct {
	times map[datagram]int64
	order []datagram
}

type datagram struct {
	src, dst decode.Addr
	v6       bool
	protocol uint8
	id       uint32
}

func (f *firstFragments) resolve(p *decode.Packet, class decode.Class, at int64) decode.Class {
	if !p.FirstFragment && class != decode.Fragment {
		return class
	}
	if f.times == nil {
		f.times = map[datagram]int64{}
	}
	d := datagram{p.Src, p.Dst, p.V6, p.FragProto, p.FragID}
	first, known := f.times[d]
	switch {
	case p.FirstFragment:
		if !known {
			if len(f.order) == 1<<16 {
				delete(f.times, f.order[0])
				f.order = f.order[1:]
			}
			f.order = append(f.order, d)
		}
		f.times[d] = at
		return class
	case known && (at <= first || uint64(at)-uint64(first) <= 30e9):
		return decode.Counted
	}
	return decode.OrphanFragment
}

// of returns the classes of the first n packets, and the bytes of those that
// count.
func (s *census) of(n int) (c flowfast.Classes, bytes uint64) {
	for _, p := range s.packets[:n] {
		switch p.class {
		case decode.Counted:
			c.Counted++
			bytes += uint64(p.bytes)
		case decode.OtherProtocol:
			c.OtherProtocol++
		case decode.NotIP:
			c.NotIP++
		case decode.OrphanFragment:
			c.OrphanFragment++
		case decode.Truncated:
			c.Truncated++
		case decode.Malformed:
			c.Malformed++
		}
	}
	return c, bytes
}

// An edge is a place at which a capture can be cut without cutting a record,
// and the number of packets before it.
type edge struct{ at, packets int }

// edges returns the edges of a capture from the end of its first header on, as
// far as its framing is sound. It returns none for what is compressed, and for
// the formats in which the place of the lengths is found by looking.
func edges(b []byte) []edge {
	if len(b) < 24 {
		return nil
	}
	switch binary.LittleEndian.Uint32(b) {
	case 0xa1b2c3d4, 0xa1b23c4d:
		return pcapEdges(b, binary.LittleEndian)
	case 0xd4c3b2a1, 0x4d3cb2a1:
		return pcapEdges(b, binary.BigEndian)
	case 0x0a0d0d0a:
		return ngEdges(b)
	}
	return nil
}

func pcapEdges(b []byte, order binary.ByteOrder) []edge {
	if order.Uint16(b[4:]) != 2 || order.Uint16(b[6:]) < 4 {
		return nil
	}
	all := []edge{{24, 0}}
	for at := 24; len(b)-at >= 16; {
		size := 16 + uint64(order.Uint32(b[at+8:]))
		if size > uint64(len(b)-at) {
			break
		}
		at += int(size)
		all = append(all, edge{at, len(all)})
	}
	return all
}

func ngEdges(b []byte) (all []edge) {
	var order binary.ByteOrder = binary.LittleEndian
	packets := 0
	for at := 0; len(b)-at >= 12; {
		if binary.LittleEndian.Uint32(b[at:]) == 0x0a0d0d0a {
			switch binary.BigEndian.Uint32(b[at+8:]) {
			case 0x1a2b3c4d:
				order = binary.BigEndian
			case 0x4d3c2b1a:
				order = binary.LittleEndian
			default:
				return all
			}
		}
		kind, length := order.Uint32(b[at:]), uint64(order.Uint32(b[at+4:]))
		size := (length + 3) &^ 3
		if length < 12 || size > uint64(len(b)-at) {
			return all
		}
		if kind == 2 || kind == 3 || kind == 6 {
			packets++
		}
		at += int(size)
		all = append(all, edge{at, packets})
	}
	return all
}
