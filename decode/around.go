package decode

// Around returns the first fragments that a packet, which d has decoded last,
// stands in: its InFragments, the outermost first, each as a packet with what
// tells the datagram. The later fragments of those belong to the flow of what
// the first one carries. They are lent until the next call of Decode.
func (d *Decoder) Around(p *Packet) []Packet { return d.around[:p.InFragments] }

// atFragment notes what stands outside of a first fragment.
func (p *Packet) atFragment() {
	if p.decoder != nil {
		p.decoder.outside = p.Encapsulation
	}
}

// noteFragment notes the first fragment that was read last: another IP header
// stands in it.
func (d *Decoder) noteFragment(p *Packet) {
	d.around = append(d.around, Packet{Src: p.Src, Dst: p.Dst, V6: p.V6, FragID: p.FragID, FragProto: p.FragProto,
		Encapsulation: d.outside, Class: Counted, FirstFragment: true})
}
