package intake

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/ioutil"
)

// A Report is what an intake says at its end.
type Report struct {
	// Captures are those that were read, in order.
	Captures []Capture
	// Packets is the number of packets read, and Classes how many of each class.
	Packets uint64
	Classes [decode.NumClasses]uint64
	// EarlyFragments are orphan fragments before the first of their datagram.
	EarlyFragments uint64
	// Unread counts the packets of what is not read.
	Unread map[decode.Unread]uint64
	// Earliest and Latest are times of packets, if there was one.
	Earliest, Latest flowtable.Time
	// Warnings are what a reader of the rows should know.
	Warnings []string
}

// A Capture is a capture that was read: its format, and what it declares by the time
// it is closed.
type Capture struct {
	Name, Format   string
	LinkTypes      []uint32
	Interfaces     []ioutil.Interface
	MoreInterfaces int
}

func (r *Report) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...))
}

// Report closes what is open and returns what there is to say.
func (in *Intake) Report() *Report {
	in.Stop()
	r := &in.report
	in.unread.settle()
	r.Unread = in.unread.seen
	if r.EarlyFragments = in.gate.EarlyFragments(); r.EarlyFragments > 0 {
		r.warn("%d of %d orphan fragments stand before the first fragment of their datagram: they belong to no flow",
			r.EarlyFragments, r.Classes[decode.OrphanFragment])
	}
	clock, back := &in.gate.Clock, &in.gate.StepsBack
	r.Earliest, r.Latest = clock.Earliest, clock.Latest
	if back.Times > 0 {
		of, all := "", ""
		if in.stepsBack != "" {
			of = in.stepsBack + ": "
		}
		if back.Times > 1 {
			all = fmt.Sprintf(", %d times in all, by up to %v", back.Times, span(back.Longest))
		}
		r.warn("%stime steps back by %v at packet %d%s: the capture is not in the order of time", of, span(back.FirstBy), back.First, all)
	}
	if clock.Back > 0 && in.options.Flows.Meter == nil {
		r.warn("time steps back by up to %v, past more than %d packets, %d times: "+
			"flows finished before a step are not continued, and rows are in order between steps",
			span(clock.LongestBack), flowtable.Window, clock.Back)
	}
	return r
}

// span returns nanoseconds as a time span, the longest for more.
func span(nanoseconds uint64) time.Duration { return time.Duration(min(nanoseconds, math.MaxInt64)) }

// A Progress says how far an intake has come.
type Progress struct {
	Read    int64 // bytes of the captures, as they are stored
	Packets int64
	Classes [decode.NumClasses]uint64
}

// progress is what an intake tells other goroutines.
type progress struct {
	packets atomic.Int64
	classes [decode.NumClasses]atomic.Uint64
	earlier atomic.Int64 // bytes of the captures before this one
	capture atomic.Pointer[input]
}

// tell takes in what has been counted.
func (p *progress) tell(r *Report) {
	for class, n := range r.Classes {
		p.classes[class].Store(n)
	}
	p.packets.Store(int64(r.Packets))
}

// Progress says how far the intake has come. Any goroutine may call it.
func (in *Intake) Progress() Progress {
	from := &in.progress
	p := Progress{Read: from.earlier.Load(), Packets: from.packets.Load()}
	for i := range p.Classes {
		p.Classes[i] = from.classes[i].Load()
	}
	if c := from.capture.Load(); c != nil {
		read, _ := (*c).Progress()
		p.Read += read
	}
	return p
}
