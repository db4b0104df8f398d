package flowfast

import (
	"context"
	"errors"

	"github.com/flowfast/flowfast/ioutil"
)

// A Packet is a packet as a capture has it. Offset means nothing in one that a
// [Source] gives; an OrigLen below the length of Data stands for that length.
type Packet = ioutil.Record

// A Source gives packets that stand in no capture file: those of an interface, of
// a queue, of another program.
type Source interface {
	// Read fills packets with the next ones and returns how many there were, one at
	// least: it waits for one, up to the end of its context. That ends with the
	// run's, and where [Options.Flush] is set after so long a silence; Read then
	// returns 0 and nil, or the context's error. io.EOF ends the packets; any
	// other error ends them too, and is the run's.
	//
	// The bytes of the packets are lent to the run until the next Read. Calls come
	// one after the other, from any goroutine.
	//
	// A method SetPatience(time.Duration), if there is one, is called before the first
	// Read with how long a silence is meant, 0 for any: Read itself then returns 0 and
	// nil after it, and its context, which ends with the run's alone, is always the same.
	//
	// A method Warnings() []string, if there is one, is called at the end: what it
	// returns is among the warnings of the summary.
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
