package labels

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
)

// A sensorFile is what a sensor has written: records, each of which gives its label
// to the flows of its connection at its time.
type sensorFile struct {
	file     string
	format   string
	mapping  mappingFile
	names    []string // of its own columns
	records  []record
	unusable map[string]uint64 // records by what they lack
	warnings []string

	of     map[tuple]int // number of the trees of those with addresses
	ofID   map[string]int
	trees  []*tree
	loose  bool                        // some records name no protocol
	byText map[string]*flowtable.Label // labels by what they say
	of2    []*flowtable.Label          // of each record
}

// A record is a line of a sensor's file.
type record struct {
	tuple    tuple
	id       string // Community ID, where it says more than the tuple
	from, to int64  // both included
	label    string
	more     string // values of the file's own columns, with zero bytes between
}

// A tuple is what a connection is known by, the lesser end first. Protocols without
// ports have 0; so has the protocol of a record that names none.
type tuple struct {
	a, b         decode.Addr
	aPort, bPort uint16
	protocol     uint8
	v6           bool
}

func newTuple(src, dst decode.Addr, srcPort, dstPort uint16, protocol uint8, v6 bool) tuple {
	if protocol != 0 && !decode.HasPorts(protocol) {
		srcPort, dstPort = 0, 0
	}
	if dst.Less(src) || src == dst && dstPort < srcPort {
		src, dst, srcPort, dstPort = dst, src, dstPort, srcPort
	}
	return tuple{src, dst, srcPort, dstPort, protocol, v6}
}

// defaultSlack is how far times of a record may lie beyond a flow: sensors round
// them to microseconds, and some to milliseconds.
const defaultSlack = time.Millisecond

const maxRecords = 1 << 26

func (s *sensorFile) name() string { return s.file }

func (s *sensorFile) columns() ([]string, map[string]string) { return s.names, nil }

func (s *sensorFile) labels() []string {
	var all []string
	for _, l := range s.byText {
		all = append(all, l.Name)
	}
	return all
}

// fields are the values of a record by name; a name may not be there.
type fields func(name string) (string, bool)

// add takes in a record with its addresses, or counts why not.
func (s *sensorFile) add(f fields, n names, from, to int64, label string) {
	r := record{from: satAdd(from, -int64(s.slack())), to: satAdd(to, int64(s.slack())), label: label}
	if text := s.mapping.LabelText; text != "" {
		r.label = text
	}
	id, _ := f(n.id)
	if why := s.tupleOf(f, n, &r.tuple); why != "" {
		if !strings.HasPrefix(id, "1:") {
			s.unusable[why]++
			return
		}
		r.id = id
	} else if strings.HasPrefix(id, "1:") && r.tuple.protocol != 0 && decode.HasPorts(r.tuple.protocol) && id != r.tuple.communityID() {
		// Of another seed, or of other addresses: of the two, those that stand there hold.
		s.unusable["community_id is not that of the addresses with seed 0; they are used"]++
	}
	values := make([]string, len(n.more))
	for i, name := range n.more {
		values[i], _ = f(name)
		values[i] = strings.ReplaceAll(values[i], "\x00", "")
	}
	r.more = strings.Join(values, "\x00")
	s.records = append(s.records, r)
}

func (s *sensorFile) slack() time.Duration {
	if s.mapping.slack != nil {
		return *s.mapping.slack
	}
	return defaultSlack
}

func satAdd(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}

// Names are what the fields of a record are called.
type names struct {
	src, srcPort, dst, dstPort, protocol, id string
	more                                     []string
}

// tupleOf reads what a connection is known by, and returns what is missing.
func (s *sensorFile) tupleOf(f fields, n names, t *tuple) (why string) {
	src, okSrc := f(n.src)
	dst, okDst := f(n.dst)
	if !okSrc || !okDst || src == "" || dst == "" {
		return "no addresses"
	}
	a, errA := netip.ParseAddr(src)
	b, errB := netip.ParseAddr(dst)
	if errA != nil || errB != nil || a.Is4() != b.Is4() {
		return "addresses that are none"
	}
	protocol := uint8(0)
	if text, ok := f(n.protocol); ok && text != "" {
		if protocol, ok = protocolOf(text, a.Is6()); !ok {
			return "a protocol that is not known"
		}
	} else {
		s.loose = true
	}
	var ports [2]uint16
	for i, name := range []string{n.srcPort, n.dstPort} {
		text, ok := f(name)
		switch v, err := parsePort(text); {
		case ok && text != "" && err == nil:
			ports[i] = v
		case protocol == 0 || decode.HasPorts(protocol):
			return "no ports"
		}
	}
	*t = newTuple(words(a), words(b), ports[0], ports[1], protocol, a.Is6())
	return ""
}

// parsePort takes a port, also in hexadecimal, as Argus writes it.
func parsePort(text string) (uint16, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 0, 16)
	if err != nil {
		n, err = strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	}
	return uint16(n), err
}

// protocolOf returns the number of a protocol by its name. Sensors call ICMP for
// IPv6 by the name of that for IPv4 too.
func protocolOf(text string, v6 bool) (uint8, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	switch text {
	case "icmp":
		if v6 {
			return 58, true
		}
	case "ipv6-icmp", "icmp6", "icmp-v6":
		text = "icmpv6"
	}
	return decode.ProtocolNumber(text)
}

// communityID returns the Community ID of a connection.
func (t tuple) communityID() string {
	f := flowtable.Flow{Src: t.a, Dst: t.b, SrcPort: t.aPort, DstPort: t.bPort, Protocol: t.protocol, V6: t.v6}
	return string(export.AppendCommunityID(nil, &f))
}

// complete sorts the records by connection.
func (s *sensorFile) complete(columns []string, defaults map[string]string) {
	s.of, s.ofID, s.byText = map[tuple]int{}, map[string]int{}, map[string]*flowtable.Label{}
	s.trees, s.of2 = nil, nil
	place := make([]int, len(columns))
	for i, name := range columns {
		place[i] = slices.Index(s.names, name)
	}
	for number := range s.records {
		r := &s.records[number]
		s.of2 = append(s.of2, s.label(r, columns, place, defaults))
		var at int
		var ok bool
		if r.id != "" {
			if at, ok = s.ofID[r.id]; !ok {
				at = len(s.trees)
				s.ofID[r.id] = at
			}
		} else if at, ok = s.of[r.tuple]; !ok {
			at = len(s.trees)
			s.of[r.tuple] = at
		}
		if !ok {
			s.trees = append(s.trees, &tree{})
		}
		s.trees[at].entries = append(s.trees[at].entries, treeEntry{from: r.from, to: satAdd(r.to, 1), rule: int32(number)})
	}
	for _, t := range s.trees {
		t.build()
	}
}

// label returns the label of a record; those that say the same are one.
func (s *sensorFile) label(r *record, columns []string, place []int, defaults map[string]string) *flowtable.Label {
	said := r.label + "\x00" + r.more
	if l := s.byText[said]; l != nil {
		return l
	}
	l := &flowtable.Label{Name: r.label, Rule: s.file}
	values := strings.Split(r.more, "\x00")
	for i, name := range columns {
		if k := place[i]; k >= 0 && k < len(values) {
			l.More = append(l.More, values[k])
		} else {
			l.More = append(l.More, defaults[name])
		}
	}
	l.CSV = export.LabelCSV(l)
	s.byText[said] = l
	return l
}

// A sensorWorker is the records of a file as one goroutine asks them.
type sensorWorker struct {
	*sensorFile
	search search
	found  []bool // records
	seen   []bool // connections
	lowest int32
	id     []byte
}

func (s *sensorFile) begin(Capture) matching { return s }

func (s *sensorFile) worker() worker {
	w := &sensorWorker{sensorFile: s, found: make([]bool, len(s.records)), seen: make([]bool, len(s.trees))}
	w.search.matches = func(e *treeEntry) bool {
		w.found[e.rule] = true
		w.lowest = min(w.lowest, e.rule)
		return false // all are to be told that they have found a flow
	}
	return w
}

func (w *sensorWorker) match(f *flowtable.Flow) *flowtable.Label {
	w.lowest = math.MaxInt32
	w.search.start, w.search.last, w.search.best = int64(f.Start), int64(f.Last), math.MaxInt32
	t := newTuple(f.Src, f.Dst, f.SrcPort, f.DstPort, f.Protocol, f.V6)
	w.look(w.of[t], t)
	if w.loose {
		t.protocol = 0
		if decode.HasPorts(f.Protocol) {
			w.look(w.of[t], t)
		}
	}
	if len(w.ofID) > 0 {
		w.id = export.AppendCommunityID(w.id[:0], f)
		if at, ok := w.ofID[string(w.id)]; ok {
			w.at(at)
		}
	}
	if w.lowest == math.MaxInt32 {
		return nil
	}
	return w.of2[w.lowest]
}

func (w *sensorWorker) look(at int, t tuple) {
	if at > 0 {
		w.at(at)
	} else if _, ok := w.of[t]; ok {
		w.at(0)
	}
}

func (w *sensorWorker) at(number int) {
	w.seen[number] = true
	t := w.trees[number]
	t.search(0, len(t.entries), &w.search)
}

// close counts what has become of the records: bit 0 of a state says that a flow of
// the connection was seen, bit 1 that one was at the time.
func (s *sensorFile) close(workers []worker, to *Counts) {
	c := Records{File: s.file, Unusable: s.unusable, file: s, state: make([]uint8, len(s.records))}
	for _, w := range workers {
		w := w.(*sensorWorker)
		for number, t := range s.trees {
			if w.seen[number] {
				for _, e := range t.entries {
					c.state[e.rule] |= 1
				}
			}
		}
		for number, yes := range w.found {
			if yes {
				c.state[number] |= 2
			}
		}
	}
	c.sum()
	to.Records = append(to.Records, c)
}

func (r *Records) sum() {
	r.Records, r.Matched, r.OtherTime, r.NoFlow = uint64(len(r.state)), 0, 0, 0
	for _, state := range r.state {
		switch {
		case state&2 != 0:
			r.Matched++
		case state&1 != 0:
			r.OtherTime++
		default:
			r.NoFlow++
		}
	}
}

// add adds what another run has made of the same records.
func (r *Records) add(o *Records) {
	if r.state == nil {
		*r = *o
		r.state = slices.Clone(o.state)
		return
	}
	for i, state := range o.state {
		r.state[i] |= state
	}
	r.sum()
}

func (s *sensorFile) describe(to io.Writer) error {
	fmt.Fprintf(to, "%s: %d records of %s\n", s.file, len(s.records), s.format)
	for _, why := range slices.Sorted(maps.Keys(s.unusable)) {
		fmt.Fprintf(to, "%d with %s\n", s.unusable[why], why)
	}
	counts := map[string]int{}
	for i := range s.records {
		counts[s.records[i].label]++
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "records\tlabel")
	all := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	for _, label := range all {
		fmt.Fprintf(w, "%d\t%s\n", counts[label], label)
	}
	if len(s.records) > 0 {
		first, last := int64(math.MaxInt64), int64(math.MinInt64)
		for i := range s.records {
			first, last = min(first, s.records[i].from), max(last, s.records[i].to)
		}
		fmt.Fprintf(w, "from %s to %s UTC\n", shown(first, time.UTC), shown(last, time.UTC))
	}
	return w.Flush()
}
