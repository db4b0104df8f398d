package export

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// What packed rows say of the columns of [Columns], and how it becomes columns.

// Where the columns of the head that have less than 8 bytes stand in a packed row, what
// tells how long the addresses are, 0 for 4 bytes each and 1 for 16, and the bits of all
// others of the default profile.
const (
	packedSrcPort  = 4
	packedDstPort  = packedSrcPort + 2
	packedProtocol = packedDstPort + 2
	packedFamily   = packedProtocol + 1
	packedBits     = packedFamily + 1
	packedEnd      = packedBits + 8
)

// packedLone is a bit of those that tells the row of a flow that is alone: its values are
// the start and the length, 8 bytes each, and the lowest of its bits are the control bits,
// FIN in the first.
const packedLone = 1 << 63

// packedValues is room for what stands behind: the addresses, and then the values of the
// bits.
type packedValues [8*numDefault + packedAddresses]byte

// packedAddresses are the bytes of both addresses at most.
const packedAddresses = 2 * 16

// packDefault packs the columns of Columns, and returns the length of the values. Like CSV
// it does not read what can only be zero.
func packDefault(fixed *[packedEnd]byte, values *packedValues, f *flowtable.Flow) int {
	le := binary.LittleEndian
	le.PutUint16(fixed[packedSrcPort:], f.SrcPort)
	le.PutUint16(fixed[packedDstPort:], f.DstPort)
	fixed[packedProtocol] = f.Protocol
	fixed[packedFamily] = oneIf(f.V6)
	n := 8
	if f.V6 {
		n = packedAddresses
		le.PutUint64(values[:], f.Src.Hi)
		le.PutUint64(values[8:], f.Src.Lo)
		le.PutUint64(values[16:], f.Dst.Hi)
		le.PutUint64(values[24:], f.Dst.Lo)
	} else {
		le.PutUint64(values[:], f.Src.Lo&math.MaxUint32|f.Dst.Lo<<32)
	}
	if flags, ok := f.Alone(); ok {
		le.PutUint64(fixed[packedBits:], packedLone|uint64(flags))
		le.PutUint64(values[n:], uint64(f.Start))
		le.PutUint64(values[n+8:], f.Fwd.Bytes)
		return n + 16
	}
	p := packer{to: (*[8 * numDefault]byte)(values[n:])}
	p = p.head(f).groups(f)
	le.PutUint64(fixed[packedBits:], p.bits)
	return n + p.n
}

// Heads are what rows of a block say of the columns of [Columns], but for the values of 8
// bytes.
type heads struct {
	src, dst           [2 * blockRows]byte // ports
	protocol           [blockRows]byte
	v6                 [blockRows]bool
	families           uint8 // what tells how long addresses are, of any row
	sources, receivers [blockRows]decode.Addr
	// Of flows of one packet, the start, the length, and that as a float64.
	starts, lengths, reals room
	long                   row // an address of 16 bytes
}

// head takes the head of a packed row, and the values of that of a flow of one packet. It
// returns false if something is missing.
func (k *block) head(row []byte, fixed int) bool {
	le := binary.LittleEndian
	i, h := k.n&(blockRows-1), &k.heads
	v, left := le.Uint64(row[packedSrcPort:packedBits+2]), le.Uint64(row[packedBits:packedEnd])
	h.ports(i, uint16(v), uint16(v>>(8*(packedDstPort-packedSrcPort))), uint8(v>>(8*(packedProtocol-packedSrcPort))))
	family := uint8(v >> (8 * (packedFamily - packedSrcPort)))
	h.v6[i], k.bits[i] = family != 0, left
	h.families |= family
	values := row[fixed:]
	n := 8
	switch {
	case len(values) < 8 || family > 1:
		return false
	case family == 0:
		a := le.Uint64(values)
		h.sources[i].Lo, h.receivers[i].Lo = a&math.MaxUint32, a>>32
	case len(values) < packedAddresses:
		return false
	default:
		n = packedAddresses
		h.sources[i] = decode.Addr{Hi: le.Uint64(values), Lo: le.Uint64(values[8:])}
		h.receivers[i] = decode.Addr{Hi: le.Uint64(values[16:]), Lo: le.Uint64(values[24:])}
	}
	if left&packedLone != 0 {
		if values = values[n:]; left&^(packedLone|255) != 0 || len(values) < 16 {
			return false
		}
		h.starts.put(i, le.Uint64(values))
		h.lengths.put(i, le.Uint64(values[8:]))
		n += 16
	}
	k.next[i] += n
	return true
}

// ports sets the ports and the protocol of a row.
func (h *heads) ports(i int, src, dst uint16, protocol uint8) {
	binary.LittleEndian.PutUint16(h.src[2*i:2*i+2], src)
	binary.LittleEndian.PutUint16(h.dst[2*i:2*i+2], dst)
	h.protocol[i] = protocol
}

// defaults appends the values of the columns of [Columns].
func (k *block) defaults(w *word, columns []columnBytes) error {
	h := &k.heads
	copy(extend(&columns[numSrcPort].values, 2*k.n)[:], h.src[:2*k.n])
	copy(extend(&columns[numDstPort].values, 2*k.n)[:], h.dst[:2*k.n])
	copy(extend(&columns[numProtocol].values, k.n)[:], h.protocol[:k.n])
	usual, others := k.usual()
	if usual != 0 {
		h.makeReals(8 * k.n)
	}
	if usual != 0 && 4*len(others) < k.n {
		if !k.fill(w, columns, usual, others) {
			return errPacked
		}
	} else if !k.mixed(w, columns) {
		return errPacked
	}
	k.addresses(&columns[numSrc], &h.sources)
	k.addresses(&columns[numDst], &h.receivers)
	return nil
}

// makeReals sets the first bytes of reals.
func (h *heads) makeReals(size int) {
	le := binary.LittleEndian
	from, to := h.lengths[:size], h.reals[:size]
	for i := 8; i <= len(from) && i <= len(to); i += 8 {
		v := float64(int64(le.Uint64(from[i-8 : i : i])))
		le.PutUint64(to[i-8:i:i], math.Float64bits(v))
	}
}

// mixed appends the values of the columns of [Columns] that have 8 bytes.
func (k *block) mixed(w *word, columns []columnBytes) bool {
	some := uint64(0) // columns that are not 0 in every row
	for from, to := 0, 0; from < k.n; from = to {
		to = k.run(from)
		if left := k.bits[from]; left&packedLone != 0 {
			some |= k.spread(from, to)
		} else if !k.gather(w, from, to) {
			return false
		} else {
			some |= left
		}
	}
	k.append(w, columns, some)
	return true
}

// An addressRoom is where the addresses of a block go to.
type addressRoom [8192 + mostAtOnce]byte

var _ [8192 - blockRows*addrSize]struct{}

// addresses appends addresses as texts.
func (k *block) addresses(to *columnBytes, all *[blockRows]decode.Addr) {
	from := len(to.values)
	to.values = slices.Grow(to.values, len(addressRoom{}))
	room, ends, n := (*addressRoom)(to.values[from:from+len(addressRoom{})]), extend(&to.ends, 4*k.n), 0
	if k.heads.families == 0 {
		n = dotted(room, ends, all[:k.n], from)
	} else {
		n = k.heads.texts(room, ends, all[:k.n], from)
	}
	to.values = to.values[:from+n]
}

// dotted writes addresses of 4 bytes as texts, and where each ends if the first begins at
// a position. It returns the length of all.
func dotted(to *addressRoom, ends *room, all []decode.Addr, from int) (n int) {
	le := binary.LittleEndian
	for i := 0; i < len(all); {
		v, at := all[i].Lo, n&8191
		n = to.dotted(n, uint32(v))
		le.PutUint32(ends[4*i&508:4*i&508+4], uint32(from+n))
		first, second, size := le.Uint64(to[at:at+8]), le.Uint64(to[at+8:at+16]), n-at
		for i++; i < len(all) && all[i].Lo == v; i++ { // as that of the victim of a flood
			at = n & 8191
			le.PutUint64(to[at:at+8], first)
			le.PutUint64(to[at+8:at+16], second)
			n += size
			le.PutUint32(ends[4*i&508:4*i&508+4], uint32(from+n))
		}
	}
	return n
}

// texts is dotted for addresses of which some have 16 bytes.
func (h *heads) texts(to *addressRoom, ends *room, all []decode.Addr, from int) (n int) {
	for i, a := range all {
		i &= blockRows - 1
		if h.v6[i] {
			m := h.long.addr(0, a, true) - 1 // over the comma
			n += copy(to[n:], h.long[:m])
		} else {
			n = to.dotted(n, uint32(a.Lo))
		}
		binary.LittleEndian.PutUint32(ends[4*i:4*i+4], uint32(from+n))
	}
	return n
}

// dotted writes an address of 4 bytes.
func (r *addressRoom) dotted(n int, v uint32) int {
	n = r.octet(n, v>>24)
	n = r.octet(n, v>>16)
	n = r.octet(n, v>>8)
	return r.octet(n, v) - 1 // over the point
}

// octet writes the last eight bits of v, with a point behind them.
func (r *addressRoom) octet(n int, v uint32) int {
	n &= 8191
	t := dots[v&0xff]
	binary.LittleEndian.PutUint32(r[n:n+4], uint32(t))
	return n + int(t>>32)
}

// dots are octets, and above them their lengths.
var dots = func() (t [256]uint64) {
	for i := range t {
		b := short[i]
		b[shortSize[i]-1] = '.'
		t[i] = uint64(shortSize[i])<<32 | uint64(binary.LittleEndian.Uint32(b[:]))
	}
	return t
}()
