package intake

import (
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/ioutil"
)

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

// OpenPart has a part of a file read, see [ioutil.Capture.Part]: first what stands in
// front of it, for the fragments that its first packets are of, and then the part. See
// Before.
func (in *Intake) OpenPart(file string, part, of int) error {
	c, err := ioutil.Open(file)
	if err != nil {
		return err
	}
	if err := c.Part(part, of, part > 1); err != nil {
		c.Close()
		return err
	}
	if part > 1 {
		in.files = []joined{{file: file, none: true}}
		in.part, in.of = part, of
	}
	return in.begin(c, file)
}

// Before tells if what has been admitted last stands in front of the part that is read,
// and is to be passed over.
func (in *Intake) Before() bool { return in.ahead }

// leaveFront forgets what was read in front of a part, but for its fragments.
func (in *Intake) leaveFront() {
	in.report = Report{}
	in.errs = nil
	in.unread.clear()
	in.gate.StepsBack = flowtable.StepsBack{}
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
	if in.options.Admitted != nil {
		in.options.Admitted(p.batch)
	}
	in.report.Packets += uint64(p.batch.Len())
	for class, n := range p.batch.Classes {
		in.report.Classes[class] += n
	}
	in.progress.tell(&in.report)
}
