package decode

import "encoding/binary"

// EtherTypes of headers that few networks have. What they carry is read on
// behind them; docs/encapsulations.md lists them with their sources.
const (
	etherCentrino   = 0x2452 // an 802.11 frame, as old drivers of Intel's gave it
	etherTRILL      = 0x22f3
	etherBatman     = 0x4305
	etherMACsec     = 0x88e5
	etherPBB        = 0x88e7 // 802.1ah
	etherFabricPath = 0x8903
	etherCMD        = 0x8909 // Cisco metadata
	etherVNTag      = 0x8926
	etherHSR        = 0x892f
	etherETag       = 0x893f // 802.1BR
	etherNSH        = 0x894f
	etherRTag       = 0xf1c1 // 802.1CB
)

// rareEtherType reads what follows an EtherType that is neither IP nor a VLAN tag
// nor another of the common ones.
func (p *Packet) rareEtherType(t uint16, b []byte, n int) Class {
	switch t {
	case etherPBB:
		return p.pbb(b, n)
	case etherVNTag:
		return p.vnTag(b, n)
	case etherETag:
		return p.eTag(b, n)
	case etherCMD:
		return p.ciscoMetadata(b, n)
	case etherHSR:
		return p.hsr(b, n)
	case etherRTag:
		return p.rTag(b, n)
	case etherMACsec:
		return p.macsec(b, n)
	case etherTRILL:
		return p.trill(b, n)
	case etherFabricPath:
		return p.fabricPath(b, n)
	case etherNSH:
		return p.nsh(b, n)
	case etherBatman:
		return p.batman(b, n)
	case etherCentrino:
		if !p.nest() {
			return Malformed
		}
		return p.wifi(b, n, false)
	}
	return p.unread(EtherType, t)
}

// nest counts a header inside others, and reports whether there were not too many.
func (p *Packet) nest() bool {
	p.frames++
	return p.frames <= maxFrames
}

// tagged reads an EtherType that stands at the end of a tag of size bytes, and
// what follows it. Where the tag may stand in front of a length too, length is
// set.
func (p *Packet) tagged(size int, length bool, b []byte, n int) Class {
	if !p.nest() {
		return Malformed
	}
	if len(b) < size {
		return short(n, size)
	}
	t := binary.BigEndian.Uint16(b[size-2:])
	b, n = b[size:], n-size
	if t <= maxLength && length {
		return p.ieee8023(t, b, n)
	}
	return p.etherType(t, b, n)
}

// wrapPair adds the identifiers of the two ends of a tunnel, whichever of them
// sent the packet.
func (p *Packet) wrapPair(a, b uint16) {
	p.wrap(TunnelEnds, uint64(min(a, b))<<16|uint64(max(a, b)))
}
