package flowfast

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
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
	// First and Last are the earliest and the latest time of a packet, in
	// seconds since the Unix epoch; zero times if there was none.
	First time.Time `json:"first_packet,omitzero"`
	Last  time.Time `json:"last_packet,omitzero"`
	// Elapsed is how long the run took.
	Elapsed time.Duration `json:"elapsed_ns"`
	// Warnings are what a reader of the rows should know.
	Warnings []string `json:"warnings"`
}

// A Capture is a capture that was read.
type Capture struct {
	Name string `json:"name"`
	// Format is that of the container and of its compression: "pcapng, gzip".
	Format string `json:"format"`
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
func (r *Run) Summary() Summary { return r.intake.summary }

// stepsBackShare is how many counted packets there may be to each that steps back
// in time before a warning says so: now and then one of a capture by several
// queues does.
const stepsBackShare = 1000

// finish closes what is open and completes the summary.
func (r *Run) finish() {
	in := r.intake
	in.stop()
	s := &in.summary
	s.Classes = classesOf(&in.classes)
	s.Unread = in.unread.commonest()
	s.Tunnels = in.tunnels.commonest(in.options.Tunnels)
	if s.EarlyFragments = in.keys.EarlyFragments(); s.EarlyFragments > 0 {
		in.warn("%d of %d orphan fragments stand before the first fragment of their datagram: they belong to no flow",
			s.EarlyFragments, s.Classes.OrphanFragment)
	}
	s.Flows = uint64(in.progress.flows.Load())
	if s.Packets > 0 {
		s.First = time.Unix(0, int64(in.keys.Clock.Earliest)).UTC()
		s.Last = time.Unix(0, int64(in.keys.Clock.Latest)).UTC()
	}
	if back := in.keys.StepsBack; back.Times > 0 {
		in.warn("time steps back by %v at packet %d, %d times in all, by up to %v: what was captured is not in the order of time",
			time.Duration(min(back.FirstBy, math.MaxInt64)), back.First, back.Times, time.Duration(min(back.Longest, math.MaxInt64)))
	}
	if in.keys.Clock.Back > 0 {
		in.warn("time steps back by up to %v, past more than %d packets, %d times: "+
			"flows finished before a step are not continued, and rows are in order between steps",
			time.Duration(min(in.keys.Clock.LongestBack, 1<<63-1)), flowtable.Window, in.keys.Clock.Back)
	}
	if s.StepsBack > s.Classes.Counted/stepsBackShare {
		in.warn("%d of %d counted packets are stamped earlier than one before them in their direction of the flow: "+
			"intervals are 0 there", s.StepsBack, s.Classes.Counted)
	}
	if s.Evicted > 0 {
		in.warn("%d flows were finished early to keep to the bound of flows or memory: "+
			"what came later of them is in rows of its own", s.Evicted)
	}
	s.Elapsed = time.Since(r.started)
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

// linkTypes counts the packets of unknown link types.
type linkTypes struct{ seen []strangeType }

type strangeType struct {
	number  uint32
	packets uint64
}

// see takes in the link type of a packet without IP header.
func (l *linkTypes) see(number uint32) {
	if decode.KnownLinkType(number) {
		return
	}
	l.seen[l.find(number)].packets++
}

// merge takes in what another has seen, and empties it.
func (l *linkTypes) merge(o *linkTypes) {
	for _, s := range o.seen {
		i := l.find(s.number)
		l.seen[i].packets += s.packets
	}
	o.seen = o.seen[:0]
}

// find returns the place of a link type, which is made if need be.
func (l *linkTypes) find(number uint32) int {
	i := slices.IndexFunc(l.seen, func(s strangeType) bool { return s.number == number })
	if i < 0 {
		i = len(l.seen)
		l.seen = append(l.seen, strangeType{number: number})
	}
	return i
}

// unknown returns an error if link types were declared and all are unknown.
func unknown(declared []uint32) error {
	if len(declared) == 0 || slices.ContainsFunc(declared, decode.KnownLinkType) {
		return nil
	}
	names := make([]string, len(declared))
	for i, number := range declared {
		names[i] = linkTypeText(number)
	}
	return fmt.Errorf("unknown link type %s", strings.Join(names, "; "))
}

// linkTypeText returns the number of a link type, and its name if it has one. In
// the word that a pcap header has for it, bits 16 to 25 are reserved; where libpcap
// knew them as a class, NetBSD's 0x0224, the number means an address family.
func linkTypeText(number uint32) string {
	const class, netBSD = 0xffff0000, 0x02240000
	switch reserved := number & class; {
	case reserved == netBSD:
		return fmt.Sprintf("%d in the class %#08x of the reserved bits: raw packets of that address family on NetBSD", number&^class, reserved)
	case reserved != 0:
		return fmt.Sprintf("%d with the reserved bits %#08x", number&^class, reserved)
	}
	if name := decode.LinkTypeName(number); name != "" {
		return fmt.Sprintf("%d, %s", number, name)
	}
	return fmt.Sprint(number)
}
