package flowfast

import (
	"fmt"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/ioutil"
)

// A Summary is what a run says at its end.
type Summary struct {
	// Captures are the captures that were read, in order.
	Captures []Capture `json:"captures"`
	// Packets is the number of packets read. Each fell into one class.
	Packets uint64  `json:"packets"`
	Classes Classes `json:"classes"`
	// Flows is the number of flows given out. Evicted ones among them were
	// finished early, see [Options.MaxFlows] and [Options.MaxMemory].
	Flows   uint64 `json:"flows"`
	Evicted uint64 `json:"evicted"`
	// StepsBack is the number of packets that are stamped earlier than a packet
	// before them in the same direction of the same flow. The interval before
	// each of them is 0.
	StepsBack uint64 `json:"steps_back"`
	// EarlyFragments are orphan fragments that stand before the first fragment of
	// their datagram.
	EarlyFragments uint64 `json:"early_fragments"`
	// Unread is what most packets of the classes other protocol and not IP are, the
	// commonest first, 16 at most.
	Unread []Unread `json:"unread"`
	// Tunnels are packets of UDP flows with the port of a tunnel that is not looked
	// into, see [Options.Tunnels].
	Tunnels []Unread `json:"tunnels"`
	// Part is the part of a capture that was read, nil for all of it.
	Part *Part `json:"part,omitempty"`
	// First and Last are the earliest and the latest time of a packet, in
	// seconds since the Unix epoch; zero times if there was none.
	First time.Time `json:"first_packet,omitzero"`
	Last  time.Time `json:"last_packet,omitzero"`
	// Elapsed is how long the run took.
	Elapsed time.Duration `json:"elapsed_ns"`
	// Warnings are what a reader of the rows should know.
	Warnings []string `json:"warnings"`
}

// A Part is a part of a capture: number Part, from 1, of Parts. Through is the last one that
// was read with it, which readers of all parts pass over; it is 0 if the part has nothing
// since one in front of it was read through it. The part begins and ends at offsets in the
// file, in bytes.
type Part struct {
	Part    int   `json:"part"`
	Parts   int   `json:"parts"`
	Through int   `json:"through"`
	Begin   int64 `json:"begin"`
	End     int64 `json:"end"`
}

// A Capture is a capture that was read.
type Capture struct {
	Name string `json:"name"`
	// Format is that of the container and of its compression: "pcapng, gzip".
	Format string `json:"format"`
	// LinkTypes are the distinct LINKTYPE_ numbers that it declares or, where records
	// have their own, has.
	LinkTypes []uint32 `json:"-"`
	// Interfaces are the first ones that it declares, MoreInterfaces how many come
	// behind: see [ioutil.Capture.Interfaces].
	Interfaces     []ioutil.Interface `json:"-"`
	MoreInterfaces int                `json:"-"`
}

// Classes counts packets by their class. The classes add up to the packets
// read.
type Classes struct {
	// Counted packets belong to a flow: of TCP or UDP, or of what
	// [Options.Protocols] asks for.
	Counted uint64 `json:"counted"`
	// OtherProtocol packets are IP, but of no protocol that has flows.
	OtherProtocol uint64 `json:"other_protocol"`
	// NotIP packets have no IP header, or a link type that is not known.
	NotIP uint64 `json:"not_ip"`
	// OrphanFragment packets are later IP fragments whose first was not seen.
	OrphanFragment uint64 `json:"orphan_fragment"`
	// Truncated packets were cut by the snap length before what is needed.
	Truncated uint64 `json:"truncated"`
	// Malformed packets have lengths that contradict each other.
	Malformed uint64 `json:"malformed"`
	// LeftOut packets were not chosen: see [Choice].
	LeftOut uint64 `json:"left_out"`
}

// Sum returns the number of packets in all classes.
func (c Classes) Sum() uint64 {
	return c.Counted + c.OtherProtocol + c.NotIP + c.OrphanFragment + c.Truncated + c.Malformed + c.LeftOut
}

// Add adds the counts of another run.
func (c *Classes) Add(o Classes) {
	c.Counted += o.Counted
	c.OtherProtocol += o.OtherProtocol
	c.NotIP += o.NotIP
	c.OrphanFragment += o.OrphanFragment
	c.Truncated += o.Truncated
	c.Malformed += o.Malformed
	c.LeftOut += o.LeftOut
}

// Summary returns the summary of a run that has come to its end.
func (r *Run) Summary() Summary { return r.summary }

// fewStepsBack is how many counted packets there may be to each that steps back in
// time before a warning says so: now and then one of a capture by several queues
// does.
const fewStepsBack = 1000

// finish closes what is open and completes the summary.
func (r *Run) finish() {
	s, in := &r.summary, r.intake.Report()
	for _, c := range in.Captures {
		s.Captures = append(s.Captures, Capture(c))
	}
	if p := r.intake.Part(); p != nil {
		of := p.Section()
		s.Part = &Part{Part: of.Part, Parts: of.Of}
		s.Part.Begin, s.Part.End, s.Part.Through = p.Extent()
	}
	s.Packets, s.Classes = in.Packets, classesOf(&in.Classes)
	s.Flows = uint64(r.engine.Flows())
	for _, table := range r.engine.Tables {
		s.Evicted += table.Evicted()
		s.StepsBack += table.StepsBack()
	}
	said := r.warnings()
	r.engine.Tables = nil // the run may be kept for its summary
	s.EarlyFragments = in.EarlyFragments
	s.Unread = commonest(in.Unread)
	s.Tunnels = r.tunnels.commonest(r.options.Tunnels)
	if s.Packets > 0 {
		s.First = time.Unix(0, int64(in.Earliest)).UTC()
		s.Last = time.Unix(0, int64(in.Latest)).UTC()
	}
	s.Warnings = in.Warnings
	if s.StepsBack > s.Classes.Counted/fewStepsBack {
		s.warn("%d of %d counted packets are stamped earlier than a packet before them in the same direction of their flow: "+
			"these intervals are 0", s.StepsBack, s.Classes.Counted)
	}
	if s.Evicted > 0 {
		s.warn("%d flows were finished early to stay within the bound of flows or memory: "+
			"their later packets are in rows of their own", s.Evicted)
	}
	s.Warnings = append(s.Warnings, said...)
	s.Elapsed = time.Since(r.started)
}

func (s *Summary) warn(format string, args ...any) {
	s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...))
}

// classesOf names the counts of classes.
func classesOf(n *[decode.NumClasses]uint64) Classes {
	return Classes{
		Counted:        n[decode.Counted],
		OtherProtocol:  n[decode.OtherProtocol],
		NotIP:          n[decode.NotIP],
		OrphanFragment: n[decode.OrphanFragment],
		Truncated:      n[decode.Truncated],
		Malformed:      n[decode.Malformed],
		LeftOut:        n[decode.LeftOut],
	}
}
