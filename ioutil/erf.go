package ioutil

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
)

// A record of Endace's Extensible Record Format (ERF Types Reference Guide; the file
// has no header of its own), big-endian but for the time:
//
//	0       8      9       10      12      14      16
//	| time  | type | flags | size  | lost  |OrigLen| extension headers, more header, frame
//
// The time is in seconds, 32 bits of them behind the point, little-endian. The size
// counts all of the record, and its padding. The first bit of the type says that an
// extension header follows, that of each that another one does. OrigLen counts the
// frame check sequence of Ethernet.
const (
	erfHeader    = 16
	erfExtension = 8

	erfEthernetFCS = 4

	linkPPPHDLC = 50
	linkERF     = 197
	linkIPv4    = 228
	linkIPv6    = 229

	erfMeta = 27 // about the capture, not a packet of a network; Wireshark shows it as one
	erfPad  = 48
)

// erfSize returns the length of a record.
func erfSize(b []byte) (int, error) {
	size := int(binary.BigEndian.Uint16(b[10:]))
	if size < erfHeader {
		return 0, fmt.Errorf("length %d of a record: want %d at least", size, erfHeader)
	}
	return size, nil
}

// erfRecord sets r to the packet of a record, b being all of it. A type whose frames
// are of no link type of their own keeps its header, as link type 197.
func erfRecord(r *Record, b []byte) (bool, error) {
	kind := b[8] & 0x7f
	if kind == erfPad {
		return false, nil
	}
	header, ok := erfFront(b)
	if !ok {
		return false, fmt.Errorf("length %d of a record of type %d: its extension headers take more", len(b), kind)
	}
	wire := int(binary.BigEndian.Uint16(b[14:]))
	linkType, more := erfLinkType(kind)
	from, to := header+more, header+more+wire
	if linkType == linkERF {
		from = 0
	} else if from > len(b) {
		return false, fmt.Errorf("length %d of a record of type %d: want %d at least", len(b), kind, from)
	}
	to = min(to, len(b))
	r.Time = erfTime(b)
	r.Data = b[from:to:to]
	r.OrigLen = uint32(wire)
	r.LinkType, r.Fine, r.FCS = linkType, true, 0
	if linkType == linkEthernet {
		r.trim(erfEthernetFCS)
	}
	return true, nil
}

// erfFront returns the length of the header with its extensions, and whether b,
// the record as far as it is at hand, holds them.
func erfFront(b []byte) (int, bool) {
	header := erfHeader
	for more := b[8]; more&0x80 != 0; header += erfExtension {
		if len(b) < header+erfExtension {
			return header, false
		}
		more = b[header]
	}
	return header, true
}

// erfTime returns the time of a record, rounded to a nanosecond as Wireshark does.
func erfTime(b []byte) int64 {
	ts := binary.LittleEndian.Uint64(b)
	return int64(ts>>32)*second + int64((ts&0xffffffff*second+1<<31)>>32)
}

// erfLinkType returns the LINKTYPE_ number of the frames in records of a type, and
// how many bytes of a further header are in front of them.
func erfLinkType(kind byte) (linkType uint32, more int) {
	switch kind {
	case 2, 11, 16, 20: // Ethernet, with an offset and a byte of padding
		return linkEthernet, 2
	case 1, 10, 15, 19: // PPP or Cisco HDLC, told apart by their first byte
		return linkPPPHDLC, 0
	case 5, 17: // one of many channels of those
		return linkPPPHDLC, 4
	case 22:
		return linkIPv4, 0
	case 23:
		return linkIPv6, 0
	}
	return linkERF, 0
}

// likeERF returns the length of a record if nothing speaks against its being one: a
// type that there is, a time within a year of others unless it is about the
// capture, lengths that agree. Others of 0 are not known yet.
func likeERF(b []byte, since int64) int {
	const variableLength = 0x04
	kind := b[8] & 0x7f
	size, err := erfSize(b)
	if err != nil || kind == 0 || kind > erfMeta && kind != erfPad {
		return 0
	}
	if kind == erfMeta || kind == erfPad {
		return size
	}
	const year1980 = 10 * saneYear // there was no such capture before
	secs := int64(binary.LittleEndian.Uint32(b[4:]))
	if secs < year1980 || since != 0 && !near(secs, since) {
		return 0
	}
	_, more := erfLinkType(kind)
	header, whole := erfFront(b[:min(size, len(b))])
	if header > erfHeader+16*erfExtension || header+more > size {
		return 0
	}
	if !whole {
		if len(b) >= size {
			return 0
		}
		return size // as far as it is at hand
	}
	// Padding goes up to a multiple of 8 bytes; a header of 4 that some types have is
	// counted by some writers.
	if wire := int(binary.BigEndian.Uint16(b[14:])); b[9]&variableLength != 0 && size > header+more+wire+4+7 {
		return 0
	}
	return size
}

// Of a file without a magic number, so many records must look like ERF; if it is
// named .erf, or ends before, fewer do, see namedERF.
const erfRecords = 3

// An erfSeen is what of the front of a file looks like ERF.
type erfSeen struct {
	packets   int      // records of packets in a row, from the front on
	linkTypes []uint32 // of those and of others that are shown as packets
	since     int64    // seconds of the first packet, 0 if there was none
	need      int      // bytes that it takes to tell more
	odd       bool     // the next record is none
}

// lookAtERF looks at the front of a file.
func lookAtERF(b []byte) (s erfSeen) {
	at := 0
	for s.packets < erfRecords {
		if s.need = at + erfHeader; len(b) < s.need {
			return s
		}
		size := likeERF(b[at:], s.since)
		if s.odd = size == 0; s.odd {
			return s
		}
		if s.need = at + size; len(b) < s.need {
			return s
		}
		kind := b[at+8] & 0x7f
		if kind != erfPad && kind != erfMeta {
			if s.since == 0 {
				s.since = int64(binary.LittleEndian.Uint32(b[at+4:]))
			}
			s.packets++
		}
		if kind != erfPad {
			linkType, _ := erfLinkType(kind)
			s.linkTypes = append(s.linkTypes, linkType)
		}
		at += size
		if at > erfSniff {
			return s
		}
	}
	return s
}

// erfSniff is how far records are looked for that are packets: as many bytes as
// one can have.
const erfSniff = 1 << 16

// namedERF reports whether a name says that its file is ERF.
func namedERF(name string) bool {
	name = strings.ToLower(filepath.Base(name))
	for _, end := range []string{".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz", ".lz4"} {
		name = strings.TrimSuffix(name, end)
	}
	return strings.HasSuffix(name, ".erf")
}

// enough reports whether a file of a name is taken for ERF.
func (s *erfSeen) enough(name string) bool {
	return s.packets == erfRecords || len(s.linkTypes) > 0 && namedERF(name)
}

// startERF reports whether the capture is ERF by its first records, or the first
// one if it is named so, and then begins with them.
func (c *Capture) startERF() bool {
	s := lookAtERF(c.buf[c.pos:])
	for !s.odd && s.packets < erfRecords && s.need > len(c.buf)-c.pos && c.lookAhead(s.need) {
		s = lookAtERF(c.buf[c.pos:])
	}
	if !s.enough(c.name) {
		return false
	}
	c.framing.since = s.since
	for _, linkType := range s.linkTypes {
		c.declare(linkType)
	}
	return true
}
