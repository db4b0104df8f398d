package intake

import (
	"io"

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

// Share makes the pieces that come ones for another process: the shares of a batch go by
// a seed, and times stay as they are.
func (in *Intake) Share(seed uint64) {
	in.options.Resolution = 0
	in.gate.Part(seed)
}

// OpenPart has a part of a file read: first what stands in front of it, for the fragments
// that its first packets are of, and then the part. See Before.
func (in *Intake) OpenPart(file string, part, of int) error {
	p, err := ioutil.OpenPart(file, part, of)
	if err != nil {
		return err
	}
	in.part = p
	return in.begin(p, file)
}

// ReadPart is OpenPart for a stream, see [ioutil.NewPart].
func (in *Intake) ReadPart(stream io.Reader, name string, s ioutil.Section, from int64) error {
	p, err := ioutil.NewPart(stream, name, s, from)
	if err != nil {
		return err
	}
	in.part = p
	return in.begin(p, name)
}

// Part returns the part that is read, nil if all is.
func (in *Intake) Part() *ioutil.Part { return in.part }

// Before tells if what has been admitted last stands in front of the part that is read,
// and is to be passed over.
func (in *Intake) Before() bool { return in.ahead }

// noteFront forgets what was read in front of a part, but for its fragments, when the part
// begins.
func (in *Intake) noteFront() {
	ahead := in.part != nil && in.part.Ahead()
	if in.ahead && !ahead {
		in.report = Report{Captures: in.report.Captures}
		in.unread.clear()
		in.gate.StepsBack = flowtable.StepsBack{}
		in.strange = linkTypes{}
	}
	in.ahead = ahead
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
