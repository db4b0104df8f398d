package flowtable

import "github.com/flowfast/flowfast/decode"

// A TCP flow ends when a SYN without ACK reuses its ports: when its sequence
// number differs from the base sequence number of its direction. This is how
// Wireshark 4.0 numbers TCP streams (epan/dissectors/packet-tcp.c).

const (
	tcpProtocol = decode.TCP

	fin = decode.FIN // as in packet.rawFlags
	syn = decode.SYN
	rst = decode.RST
	ack = decode.ACK
)

// reuses tells whether a packet of the flow's key, in direction d (0 forward,
// 1 backward), starts a new flow.
func (t *Table) reuses(ref uint32, r *record, p *packet, d int) bool {
	return p.rawFlags()&(syn|ack) == syn && r.key.proto() == tcpProtocol &&
		r.state&(baseSet<<d) != 0 && p.seq != t.recency.links.At(ref).base[d] && p.key.rest&later == 0
}

// setBases takes in the sequence numbers of a TCP segment in direction d.
func (r *record) setBases(l *link, p *packet, d int) {
	const both = baseSet | bwdBaseSet
	flags := p.rawFlags()
	switch {
	case r.state&both == 0: // nearly all are those of the first packet
		if p.key.rest&whole == 0 {
			return
		}
		l.base[d] = p.seq - 1 + uint32(flags/syn&1)
		r.state |= baseSet << d
		if flags&ack != 0 {
			l.base[1-d] = p.ack - 1
			r.state |= both
		}
		return
	case r.state&both == both && flags&syn == 0:
		return
	}
	if flags&(syn|ack) == syn|ack {
		l.base[d] = p.seq
	}
	if p.key.rest&whole == 0 {
		return
	}
	if r.state&(baseSet<<d) == 0 {
		l.base[d] = p.seq
		if flags&syn == 0 {
			l.base[d]--
		}
		r.state |= baseSet << d
	}
	if flags&ack != 0 && r.state&(baseSet<<(1-d)) == 0 {
		l.base[1-d] = p.ack - 1
		r.state |= baseSet << (1 - d)
	}
}
