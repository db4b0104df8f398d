package flowfast

import (
	"context"
	"errors"

	"github.com/flowfast/flowfast/ioutil"
)

// A Packet is a packet as it stands in a capture. In one from a [Source] Offset has no
// meaning, and an OrigLen below the length of Data stands for that length.
type Packet = ioutil.Record

// A Source delivers packets that are not in a capture file: those of an interface, a
// queue, another program.
type Source interface {
	// Read fills packets with the next ones and returns their number, 1 or more. It
	// waits for a packet until its context ends: with the run's context or, if
	// [Options.Flush] is set, after that long a silence. Read then returns 0 and nil,
	// or the context's error. io.EOF ends the packets; any other error ends them too,
	// and is the run's.
	//
	// The bytes of the packets must stay valid until the next Read. Calls come one
	// after the other, from any goroutine.
	//
	// A method SetPatience(time.Duration), if there is one, is called before the first
	// Read with the length of that silence, 0 for no limit: Read itself then returns 0
	// and nil after it, and its context, which ends with the run's alone, is always the
	// same.
	//
	// A method Warnings() []string, if there is one, is called at the end; the summary
	// includes what it returns.
	Read(ctx context.Context, packets []Packet) (int, error)
}

// NewSource starts a run over the packets of a source, with a name for messages.
func NewSource(o Options, s Source, name string) (*Run, error) {
	if s == nil {
		return nil, errors.New("no source of packets")
	}
	r, err := newRun(o, 1)
	if err != nil {
		return nil, err
	}
	return begun(r, r.intake.Give(s, name))
}
