package intake

import "github.com/flowfast/flowfast/flowtable"

// Packets are packets whose headers another intake has read, in another process.
type Packets interface {
	// Fill fills a batch with the packets that come next and has the gate admit it.
	// It returns false behind the last packet, or with an error.
	Fill(*flowtable.Batch, *flowtable.Gate) (more bool, err error)
}

// Take has packets taken in whose headers were read before.
func (in *Intake) Take(p Packets) { in.packets = p }

// Part makes the pieces that come ones for another process: the shares of a batch go by
// a seed, and times stay as they are.
func (in *Intake) Part(seed uint64) {
	in.options.Resolution = 0
	in.gate.Part(seed)
}

// admitPackets is admit for packets whose headers were read before.
func (in *Intake) admitPackets(p *Piece) bool {
	p.reset()
	more, err := in.packets.Fill(p.batch, in.gate)
	in.fail(err)
	in.count(p)
	return more
}

// count counts the packets of an admitted piece.
func (in *Intake) count(p *Piece) {
	in.report.Packets += uint64(p.batch.Len())
	for class, n := range p.batch.Classes {
		in.report.Classes[class] += n
	}
	in.progress.tell(&in.report)
}
