package ioutil

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// fair returns the format of a capture as the peers know it, "" if they do not,
// and its front that they and we must read alike, with how many packets that
// has. It is a reader of its own that looks at lengths only, and stops where a
// peer is known to differ, to panic, or to take memory for a length that nothing
// bears out:
//
//   - pcap: versions other than 2.4 and magics beside the four usual ones; a
//     fraction of 2^31 nanoseconds and more, which wraps without a sign there;
//     of microseconds, a first or second record whose fraction is a second and
//     more or whose lengths are not those of a frame, which makes us look for
//     a variant of the format;
//   - blocks whose framing is damaged, or whose lengths or options lead beyond
//     them: the peers do not look at the length at a block's end, and read on in
//     the next one;
//   - minor versions of pcapng, which the peers skip; name resolution, which
//     one of them takes apart;
//   - frame check sequences, which the peers leave at the frame;
//   - timestamp resolutions of 0, beyond 10^-19 and 2^-9, or not in one byte;
//     offsets not in eight or beyond 68 years; times of more than 170.
func fair(data []byte) (format string, sound []byte, packets int) {
	if len(data) < 24 {
		return "", nil, 0
	}
	end := 0
	switch binary.LittleEndian.Uint32(data) {
	case 0xa1b2c3d4:
		packets, end = fairPcap(data, binary.LittleEndian, 1000)
	case 0xa1b23c4d:
		packets, end = fairPcap(data, binary.LittleEndian, 1)
	case 0xd4c3b2a1:
		packets, end = fairPcap(data, binary.BigEndian, 1000)
	case 0x4d3cb2a1:
		packets, end = fairPcap(data, binary.BigEndian, 1)
	case blockSection:
		packets, end = fairNG(data)
		return "pcapng", data[:end:end], packets
	}
	return "pcap", data[:end:end], packets
}

func fairPcap(data []byte, order binary.ByteOrder, unit uint32) (packets, end int) {
	if order.Uint16(data[4:]) != 2 || order.Uint16(data[6:]) != 4 || order.Uint32(data[20:])&fcsPresent != 0 {
		return 0, 0
	}
	for end = 24; len(data)-end >= 16; packets++ {
		size := uint64(order.Uint32(data[end+8:]))
		fraction, origLen := order.Uint32(data[end+4:]), uint64(order.Uint32(data[end+12:]))
		if int32(fraction*unit) < 0 || 16+size > uint64(len(data)-end) {
			break
		}
		if packets < 2 && unit == 1000 && (fraction >= 1e6 || size > origLen || size > 1<<18 || origLen > 1<<27) {
			break
		}
		end += 16 + int(size)
	}
	return packets, end
}

// A fairSection is what the blocks of a section so far declare.
type fairSection struct {
	order      binary.ByteOrder
	perSecond  []uint64 // units of each interface
	snapLength uint32   // of the first interface
	packets    int      // of all sections
}

func fairNG(data []byte) (packets, end int) {
	s := fairSection{order: binary.LittleEndian}
	for len(data)-end >= 12 {
		rest := data[end:]
		if binary.LittleEndian.Uint32(rest) == blockSection {
			if s.order = binary.LittleEndian; rest[8] == 0x1a {
				s.order = binary.BigEndian
			}
		}
		before := s.packets
		size := s.order.Uint32(rest[4:])
		if size < 12 || size%4 != 0 || uint64(size) > uint64(len(rest)) || s.order.Uint32(rest[size-4:]) != size ||
			!s.fairBlock(s.order.Uint32(rest), rest[8:size-4]) {
			return before, end
		}
		end += int(size)
	}
	return s.packets, end
}

func (s *fairSection) fairBlock(kind uint32, body []byte) bool {
	switch kind {
	case blockSection:
		s.perSecond = nil
		return len(body) >= 16 && s.order.Uint32(body) == 0x1a2b3c4d && s.order.Uint16(body[4:]) == 1 &&
			s.order.Uint16(body[6:]) == 0 && s.fairOptions(body[16:], nil)
	case blockInterface:
		return len(body) >= 8 && s.fairInterface(body)
	case blockSimple:
		if len(body) < 4 || len(s.perSecond) == 0 {
			return false
		}
		size := s.order.Uint32(body)
		if s.snapLength != 0 {
			size = min(size, s.snapLength)
		}
		s.packets++
		return uint64(size) <= uint64(len(body)-4)
	case blockPacket, blockEnhanced:
		if len(body) < 20 {
			return false
		}
		i, size := s.order.Uint32(body), s.order.Uint32(body[12:])
		if kind == blockPacket {
			i = uint32(s.order.Uint16(body))
		}
		if uint64(i) >= uint64(len(s.perSecond)) || uint64(size) > uint64(len(body)-20) {
			return false
		}
		ts := uint64(s.order.Uint32(body[4:]))<<32 | uint64(s.order.Uint32(body[8:]))
		noFlags := func(code uint16, _ []byte) bool { return code != 2 }
		if unit := s.perSecond[i]; ts/unit >= 5<<30 || !s.fairOptions(body[20+(size+3)&^3:], noFlags) {
			return false
		}
		s.packets++
	case blockStatistics:
		return len(body) >= 12 && int(s.order.Uint32(body)) < len(s.perSecond) && s.fairOptions(body[12:], nil)
	case blockNames:
		return false
	}
	return true
}

// Blocks that the peers read and we do not.
const (
	blockNames      = 4
	blockStatistics = 5
)

func (s *fairSection) fairInterface(body []byte) bool {
	perSecond := uint64(1e6)
	ok := s.fairOptions(body[8:], func(code uint16, value []byte) bool {
		switch code {
		case 13:
			return false
		case 9:
			if len(value) != 1 {
				return false
			}
			binary, exponent := value[0]&0x80 != 0, value[0]&0x7f
			if exponent == 0 || binary && exponent > 9 || exponent > 19 {
				return false
			}
			if perSecond = 1 << exponent; !binary {
				perSecond = pow10(exponent)
			}
		case 14:
			if len(value) != 8 {
				return false
			}
			offset := int64(s.order.Uint64(value))
			return -1<<31 < offset && offset < 1<<31
		}
		return true
	})
	if len(s.perSecond) == 0 {
		s.snapLength = s.order.Uint32(body[4:])
	}
	s.perSecond = append(s.perSecond, perSecond)
	return ok
}

// fairOptions walks over options, which end with their block or with an end of
// length 0. It returns false where they are damaged, or each says no.
func (s *fairSection) fairOptions(b []byte, each func(code uint16, value []byte) bool) bool {
	for len(b) > 0 {
		code, length := s.order.Uint16(b), int(s.order.Uint16(b[2:]))
		if code == 0 {
			return length == 0
		}
		padded := (length + 3) &^ 3
		if padded > len(b)-4 || each != nil && !each(code, b[4:4+length]) {
			return false
		}
		b = b[4+padded:]
	}
	return true
}

// FuzzPeers reads any bytes with the peers: what they read of a capture, ours
// reads alike, as far as fair says; and what is sound there, it reads to the
// end.
func FuzzPeers(f *testing.F) {
	for _, data := range smallCaptures() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		format, sound, packets := fair(data)
		if len(sound) == 0 || len(data) > 1<<20 {
			return
		}
		ours, err := readBytes(t, sound)
		if err != nil || len(ours) != packets {
			t.Fatalf("%d packets and error %v of a sound capture of %d packets", len(ours), err, packets)
		}
		timeless := noneTimeless
		if format == "pcapng" {
			timeless = simpleAt(data)
		}
		want := alike(ours, timeless)
		for _, peer := range peers {
			theirs, err := peer.read(format, bytes.NewReader(sound))
			if len(theirs) > len(want) || err == nil && len(theirs) < len(want) {
				t.Fatalf("%s: %d packets and error %v, want %d", peer.name, len(theirs), err, len(want))
			}
			sameKept(t, peer.name, theirs, want[:len(theirs)], nil)
		}
	})
}

// TestFair wants most of what the peers take to be fair, so that FuzzPeers has
// something to compare.
func TestFair(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		for _, data := range [][]byte{randomPcap(random, 20), randomNG(random, 20)} {
			if format, sound, _ := fair(data); len(sound) < len(data) {
				t.Fatalf("%s: only %d of %d bytes are sound", format, len(sound), len(data))
			}
		}
	}
	sound, damaged := 0, 0
	for _, data := range smallCaptures() {
		if _, front, packets := fair(data); packets > 0 && len(front) < len(data) {
			damaged++
		} else if packets > 0 {
			sound++
		}
	}
	t.Logf("%d seeds are sound with packets, %d more up to some packet", sound, damaged)
	if sound < 30 || damaged < 10 {
		t.Error("too few")
	}
}
