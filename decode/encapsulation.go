package decode

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// Encapsulations are parts of what stands around a packet's IP header that can
// tell its flow from others of the same addresses and ports. The zero
// Encapsulations are none.
type Encapsulations uint8

// The parts, each from the outermost header to the innermost.
const (
	// VLANTags are the identifiers of all VLAN tags, but for 0, which marks a frame
	// without a VLAN that has a priority (IEEE 802.1Q, 9.6).
	VLANTags Encapsulations = 1 << iota
	// MPLSLabels are all labels, but for those with a meaning of their own (0 to
	// 15; RFC 3032, 2.1) and entropy labels (RFC 6790, 4.2). In most networks the
	// two directions of a flow have other labels, and are flows of their own then.
	MPLSLabels
	// TunnelEnds are, of every tunnel that is looked through, the two addresses of
	// the IP header around, whichever of them sent the packet, and the identifier
	// if it has one for both directions: the network identifier of VXLAN and
	// Geneve, the key of GRE (RFC 2890, 2.1; of NVGRE its upper 24 bits: RFC 7637,
	// 3.2), the session of ERSPAN, the service of 802.1ah; of a VN-tag, an E-tag and
	// TRILL those of both ends.
	TunnelEnds
)

var encapsulationNames = [...]string{"vlan", "mpls", "tunnel"}

// EncapsulationNames returns the names that Encapsulations are written with.
func EncapsulationNames() []string { return slices.Clone(encapsulationNames[:]) }

// UnmarshalText takes "all", "none", or names with commas between them.
func (e *Encapsulations) UnmarshalText(text []byte) error {
	set, err := parseSet(string(text), encapsulationNames[:])
	if err == nil {
		*e = Encapsulations(set)
	}
	return err
}

// MarshalText writes what UnmarshalText takes.
func (e Encapsulations) MarshalText() ([]byte, error) {
	return formatSet(uint8(e), encapsulationNames[:]), nil
}

// wrap adds a part of the encapsulation to the packet, if it is asked for: a
// number, or more of them one after the other.
func (p *Packet) wrap(part Encapsulations, number uint64) {
	if p.decoder == nil || p.decoder.Encapsulation&part == 0 {
		return
	}
	var b [17]byte
	binary.BigEndian.PutUint64(b[:], p.Encapsulation)
	b[8] = uint8(part)
	binary.BigEndian.PutUint64(b[9:], number)
	p.Encapsulation = xxhash.Sum64(b[:])
}

// enter adds the IP header that was read last as the ends of a tunnel: another
// IP header stands in it.
func (p *Packet) enter() {
	if p.FirstFragment {
		p.InFragments++
	}
	if p.decoder == nil {
		return
	}
	if p.FirstFragment {
		p.decoder.noteFragment(p)
	}
	a, b := p.Src, p.Dst
	if b.Less(a) {
		a, b = b, a
	}
	for _, number := range [...]uint64{a.Hi, a.Lo, b.Hi, b.Lo} {
		p.wrap(TunnelEnds, number)
	}
}
