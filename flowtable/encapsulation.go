package flowtable

import "github.com/flowfast/flowfast/decode"

// noteEncapsulation keeps the digest of the packet with a number, if digests are
// of the key.
func (b *Batch) noteEncapsulation(number uint16, d *decode.Packet) {
	if b.hasher.Encapsulation == 0 {
		return
	}
	for len(b.encapsulations) <= int(number) {
		b.encapsulations = append(b.encapsulations, 0)
	}
	b.encapsulations[number] = d.Encapsulation
}

// encapsulation returns the digest of the packet with a number.
func (b *Batch) encapsulation(number int) uint64 {
	if number >= len(b.encapsulations) {
		return 0
	}
	return b.encapsulations[number]
}
