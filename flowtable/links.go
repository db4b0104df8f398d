package flowtable

import (
	"encoding/binary"
	"math/bits"

	"github.com/flowfast/flowfast/decode"
)

// Links are what the link headers of a batch's packets say, for the group Link. A
// capture has few pairs of stations, so what frames of one pair say is kept once: one
// of its own for each packet, 60 bytes, takes longer to write than to read the headers.
type links struct {
	of  []uint16 // by the number of a packet, which of all it has
	all []decode.Link
	// What frames without a tag, of Ethernet, say is known by their first 14 bytes.
	seen [64]seenLink
}

// A seenLink is one of all, and the first 14 bytes of the frames that say it: 0 to 7 and
// 6 to 13.
type seenLink struct {
	front, back uint64
	number      uint16
	any         bool
}

func (l *links) reset() {
	if len(l.of) > 0 {
		l.of, l.all, l.seen = l.of[:0], l.all[:0], [64]seenLink{}
	}
}

// at returns what the packet with a number has, one of a flow.
func (l *links) at(number int) *decode.Link { return &l.all[l.of[number]] }

// none adds a packet that has nothing.
func (l *links) none() { l.of = append(l.of, 0) }

// add adds a packet.
func (l *links) add(linkType uint32, frame []byte) {
	if linkType == decode.LinkEthernet && len(frame) >= 14 && untagged(frame) {
		l.addUntagged((*[14]byte)(frame))
		return
	}
	l.none() // reading may fault
	l.all = append(l.all, decode.Link{})
	l.all[len(l.all)-1].Read(linkType, frame)
	l.of[len(l.of)-1] = uint16(len(l.all) - 1)
}

// addUntagged adds a packet of Ethernet without a tag or a label.
func (l *links) addUntagged(header *[14]byte) {
	front, back := binary.LittleEndian.Uint64(header[:]), binary.LittleEndian.Uint64(header[6:])
	s := &l.seen[(front^bits.RotateLeft64(back, 24))*0x9e3779b97f4a7c15>>58]
	if s.front != front || s.back != back || !s.any {
		l.all = append(l.all, decode.Link{})
		l.all[len(l.all)-1].Read(decode.LinkEthernet, header[:])
		*s = seenLink{front, back, uint16(len(l.all) - 1), true}
	}
	l.of = append(l.of, s.number)
}

// take adds a packet that has a link of another batch.
func (l *links) take(link *decode.Link) {
	if n := len(l.all); n == 0 || l.all[n-1] != *link {
		l.all = append(l.all, *link)
	}
	l.of = append(l.of, uint16(len(l.all)-1))
}

// untagged tells whether a frame of Ethernet has IP right behind its addresses.
func untagged(frame []byte) bool {
	t := binary.BigEndian.Uint16(frame[12:14])
	return t == 0x0800 || t == 0x86dd
}

// addLast adds the last packets, which are as many as the frames.
func (l *links) addLast(mem []byte, frames []Frame) {
	for i := range frames {
		f := &frames[i]
		l.add(decode.LinkEthernet, mem[f.At:int(f.At)+int(f.CapLen)])
	}
}
