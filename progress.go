package flowfast

import (
	"sync/atomic"

	"github.com/flowfast/flowfast/decode"
)

// Progress says how far a run has come.
type Progress struct {
	// Read is how many bytes of the capture files have been read, as they are
	// stored.
	Read int64
	// Packets is the number of packets read, Open the number of open flows,
	// Flows that of the flows given out.
	Packets, Open, Flows int64
	// Classes are those of the packets read.
	Classes Classes
}

// progress is what a run tells other goroutines.
type progress struct {
	packets, open, flows atomic.Int64
	classes              [decode.NumClasses]atomic.Uint64
	earlier              atomic.Int64 // bytes of the captures before this one
	capture              atomic.Pointer[input]
}

// Progress says how far the run has come. It may be called from any goroutine.
func (r *Run) Progress() Progress {
	from := &r.intake.progress
	p := Progress{
		Read:    from.earlier.Load(),
		Packets: from.packets.Load(),
		Open:    from.open.Load(),
		Flows:   from.flows.Load(),
	}
	var classes [decode.NumClasses]uint64
	for i := range classes {
		classes[i] = from.classes[i].Load()
	}
	p.Classes = classesOf(&classes)
	if c := from.capture.Load(); c != nil {
		read, _ := (*c).Progress()
		p.Read += read
	}
	return p
}
