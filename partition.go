package flowfast

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/internal/intake"
	"github.com/flowfast/flowfast/ioutil"
)

// Partition runs to the end and gives out packets instead of flows: batches, one after
// the other, whose shares are buckets, 1 to 65,536 of them, of the hash of the key. Seed
// makes the hash the same on every machine. A batch is valid until to returns; an error
// of to ends the run. Other errors are those of [Run.Flows]. Timeouts and bounds play no
// part, nor do Resolution and Monotone: they are for the run that takes the packets.
func (r *Run) Partition(ctx context.Context, buckets int, seed uint64, to func(*flowtable.Batch) error) error {
	if err := r.check(nil); err != nil {
		return err
	}
	const most = 1 << 16
	if buckets < 1 || buckets > most {
		return fmt.Errorf("%d buckets: want 1 to %d", buckets, most)
	}
	defer r.finish()
	defer context.AfterFunc(ctx, r.intake.Interrupt)()
	r.intake.Share(seed)
	p := r.intake.NewPiece(buckets)
	for more := true; more; {
		if ctx.Err() != nil {
			r.intake.Stop()
		}
		p.Take()
		p.Decode()
		if more = p.Admit(); r.intake.Before() {
			continue
		}
		if err := to(p.Packets()); err != nil {
			return err
		}
	}
	return errors.Join(append(r.intake.Errors(), ctx.Err())...)
}

// OpenPart starts a run, for [Run.Partition] alone, over part number part, from 1 to of,
// of a capture file. A part has the records that begin in it; parts have about the same
// number of bytes. Where one seems to begin and does not, the part in front reads on
// through it: [Summary].Part tells. Of a compressed file, part 1 has all. Up to 16 MiB
// before a part are read too, for first fragments alone.
func OpenPart(o Options, file string, part, of int) (*Run, error) {
	r, err := newRun(o, 1)
	if err != nil {
		return nil, err
	}
	return begun(r, r.intake.OpenPart(file, part, of))
}

// NewPart is OpenPart for a stream with a name for messages, which gives the file's first
// [ioutil.PartHead] bytes, or all there are, and then those from a byte on: PartHead or more,
// and what the method From of the section returns or less.
func NewPart(o Options, stream io.Reader, name string, s ioutil.Section, from int64) (*Run, error) {
	r, err := newRun(o, 1)
	if err != nil {
		return nil, err
	}
	return begun(r, r.intake.ReadPart(stream, name, s, from))
}

// Taken gives batches of packets whose headers were read before, by another run in
// another process: see [Run.Partition].
type Taken = intake.Packets

// NewTaken starts a run over packets whose headers were read before. The options that
// say which packets count play no part. The summary counts the packets of flows alone.
func NewTaken(o Options, packets Taken) (*Run, error) {
	if packets == nil {
		return nil, errors.New("no packets")
	}
	r, err := newRun(o, 0)
	if err != nil {
		return nil, err
	}
	r.intake.Take(packets)
	return r, nil
}
