package labels

import (
	"sync"

	"github.com/flowfast/flowfast/flowtable"
)

// A Plan is what is done with the flows of a run when they are finished.
type Plan struct {
	Rules  *Set      // say what flows are called; nil for nothing
	Splits *Splits   // that flows are shared out among; nil for none
	Thin   *Thinning // leaves flows out; nil for none
}

// A Run is a plan at work on the flows of one run.
type Run struct {
	plan      Plan
	ofCapture uint8 // the split of the capture
	matchings []matching
	mu        sync.Mutex
	labelers  []*labeler
}

// Begin begins a run over a capture.
func (p Plan) Begin(c Capture) *Run {
	r := &Run{plan: p}
	if p.Rules != nil {
		for _, from := range p.Rules.sources {
			r.matchings = append(r.matchings, from.begin(c))
		}
	}
	if p.Splits != nil {
		r.ofCapture = p.Splits.OfCapture(c.Name)
	}
	return r
}

// A labeler is what one goroutine has of a run.
type labeler struct {
	*Run
	fallback *flowtable.Label // nil without rules
	workers  []worker
	only     *ruleWorker // the only one, if it is one of rules
	counting []bool      // workers that see all flows: records are told that one was there
	tallies  map[*flowtable.Label]*tally
	latest   *flowtable.Label // and what it counts: most flows are like the one before
	tally    *tally
}

// A tally counts the flows of a label.
type tally struct {
	of     uint64 // one in so many of which is kept, 0 for all
	seen   uint64 // flows before that
	counts []flowCount
}

// A flowCount counts flows that are kept, in one split or in none.
type flowCount struct{ flows, packets uint64 }

// Labeler returns a function that gives flows their labels and splits, and tells if they
// are kept. It is for one goroutine; each has one of its own.
func (r *Run) Labeler() func(*flowtable.Flow) bool {
	l := &labeler{Run: r, tallies: map[*flowtable.Label]*tally{}}
	for _, m := range r.matchings {
		w := m.worker()
		_, counting := w.(*sensorWorker)
		l.workers, l.counting = append(l.workers, w), append(l.counting, counting)
	}
	if r.plan.Rules != nil {
		l.fallback = &r.plan.Rules.fallback
	}
	if len(l.workers) == 1 {
		l.only, _ = l.workers[0].(*ruleWorker)
	}
	r.mu.Lock()
	r.labelers = append(r.labelers, l)
	r.mu.Unlock()
	return l.label
}

func (l *labeler) label(f *flowtable.Flow) bool {
	label := l.fallback
	if l.only != nil {
		if found := l.only.match(f); found != nil {
			label = found
		}
	} else if found := l.first(f); found != nil {
		label = found
	}
	if f.Label != label { // the flow before had it mostly, and to write pointers costs
		f.Label = label
	}
	if label != l.latest || l.tally == nil {
		l.latest, l.tally = label, l.tallyOf(label)
	}
	t := l.tally
	if t.seen++; t.of > 1 && !l.plan.Thin.keeps(f, t.of) {
		return false
	}
	if l.plan.Splits != nil {
		f.Split = l.plan.Splits.of(f, l.ofCapture)
	}
	c := &t.counts[f.Split]
	c.flows++
	c.packets += f.Fwd.Packets + f.Bwd.Packets
	return true
}

// first returns the label of the first source that has one.
func (l *labeler) first(f *flowtable.Flow) (label *flowtable.Label) {
	for i, w := range l.workers {
		if label != nil && !l.counting[i] {
			continue
		}
		if found := w.match(f); label == nil {
			label = found
		}
	}
	return label
}

// tallyOf returns what counts the flows of a label.
func (l *labeler) tallyOf(label *flowtable.Label) *tally {
	t := l.tallies[label]
	if t == nil {
		t = &tally{counts: make([]flowCount, 1)}
		if l.plan.Splits != nil {
			t.counts = make([]flowCount, 1+len(l.plan.Splits.names))
		}
		if l.plan.Thin != nil && label != nil {
			t.of = l.plan.Thin.OneOf[label.Name]
		}
		l.tallies[label] = t
	}
	return t
}

// Counts returns what came of the flows. It is called when no labeler is at work
// any more.
func (r *Run) Counts() *Counts {
	c := &Counts{matched: map[string]bool{}}
	if s := r.plan.Splits; s != nil {
		for _, name := range append(s.Names(), "") {
			c.Splits = append(c.Splits, SplitCount{Split: name, Labels: []Count{}})
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.labelers {
		for label, t := range l.tallies {
			c.take(label, t)
		}
	}
	c.sort()
	for i, m := range r.matchings {
		var workers []worker
		for _, l := range r.labelers {
			workers = append(workers, l.workers[i])
		}
		m.close(workers, c)
	}
	c.listUnmatched()
	return c
}

// take takes in what a labeler has counted of a label.
func (c *Counts) take(label *flowtable.Label, t *tally) {
	name := ""
	if label != nil {
		name = label.Name
	}
	var sum flowCount
	for i, n := range t.counts {
		sum.flows, sum.packets = sum.flows+n.flows, sum.packets+n.packets
		if len(c.Splits) > 0 && n.flows > 0 {
			s := &c.Splits[(i+len(c.Splits)-1)%len(c.Splits)] // that of none is the last one
			s.add(Count{name, n.flows, n.packets})
		}
	}
	c.Labels = counted(c.Labels, Count{name, sum.flows, sum.packets})
	if t.of > 0 {
		c.Thinned = thinned(c.Thinned, Thinned{Label: name, OneOf: t.of, Flows: t.seen, Kept: sum.flows})
	}
}
