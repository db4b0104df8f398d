package flowtable

import "github.com/flowfast/flowfast/decode"

// An Intake prepares packets for tables: it gives later fragments the ports of
// their first, makes the keys, and shares the packets out among tables, all
// packets of a key to the same one.
type Intake struct {
	hasher    hasher
	fragments fragments
	clock     Time
}

// NewIntake returns an intake that has seen no packets.
func NewIntake() *Intake {
	return &Intake{hasher: newHasher(), clock: minTime}
}

// Clock returns the capture's clock: the latest time of a packet of a flow.
func (in *Intake) Clock() Time { return in.clock }

// Add prepares packets, in the order of the capture. Those of class Fragment
// become Counted or OrphanFragment. The number of each that is Counted then is
// appended to one of the shares; there are at most 65536 packets.
func (in *Intake) Add(packets []Packet, shares [][]uint16) {
	for i := range packets {
		p := &packets[i]
		switch p.Class {
		case decode.Counted:
			if p.FirstFragment {
				in.fragments.remember(&in.hasher, p)
			}
		case decode.Fragment:
			if in.fragments.resolve(&in.hasher, p); p.Class != decode.Counted {
				continue
			}
		default:
			continue
		}
		in.clock = max(in.clock, p.Time)
		p.key, p.fromB = keyOf(&p.Packet)
		var half uint32
		p.hash, half = in.hasher.hash(&p.key)
		s := &shares[uint64(half)*uint64(len(shares))>>32]
		*s = append(*s, uint16(i))
	}
}
