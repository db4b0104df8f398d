package labels

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
)

// A ruleMatching is the rules of a file in one run.
type ruleMatching struct {
	file   *ruleFile
	others []bool // rules that are of other captures; nil if there are none
}

func (r *ruleFile) begin(c Capture) matching {
	m := &ruleMatching{file: r}
	for i, rule := range r.rules {
		if len(rule.Captures) > 0 && !rule.isOf(c) {
			if m.others == nil {
				m.others = make([]bool, len(r.rules))
			}
			m.others[i] = true
		}
	}
	return m
}

func (r *ruleFile) labels() []string {
	var all []string
	for _, rule := range r.rules {
		all = append(all, rule.Label)
	}
	return all
}

func (r *ruleFile) columns() ([]string, map[string]string) {
	defaults := maps.Clone(r.defaults)
	if !r.declared {
		defaults = nil
	}
	return r.names, defaults
}

func (r *ruleFile) complete(columns []string, defaults map[string]string) {
	for _, rule := range r.rules {
		rule.label = flowtable.Label{Name: rule.Label, Rule: rule.Name}
		for _, name := range columns {
			value, ok := rule.columns[name]
			if !ok {
				value = defaults[name]
			}
			rule.label.More = append(rule.label.More, value)
		}
		rule.label.CSV = export.LabelCSV(&rule.label)
	}
}

// isOf tells if a rule is of a capture. A pattern without folders is held against
// the name of the file, another one against as many folders as it has.
func (r *Rule) isOf(c Capture) bool {
	parts := strings.Split(c.Path, "/")
	return c.Path != "" && slices.ContainsFunc(r.Captures, func(pattern string) bool {
		n := strings.Count(pattern, "/") + 1
		if n > len(parts) {
			return false
		}
		ok, _ := path.Match(pattern, strings.Join(parts[len(parts)-n:], "/"))
		return ok
	})
}

// A ruleWorker is the rules of a file as one goroutine asks them.
type ruleWorker struct {
	*ruleMatching
	memory
	index *index
	evaluator
	search   search // among the rules of a leaf
	anywhere search // among those that ask neither for addresses nor for few ports
	flowNow  *flowtable.Flow
	matched  []bool
}

func (m *ruleMatching) worker() worker {
	w := &ruleWorker{ruleMatching: m, index: m.file.index, matched: make([]bool, len(m.file.rules))}
	w.search.matches = func(e *treeEntry) bool {
		return w.takesNow(m.file.rules[e.rule], e)
	}
	w.anywhere.matches = func(e *treeEntry) bool {
		r := m.file.rules[e.rule]
		return !w.isOther(e.rule) && r.takesEnds(w.flowNow) && w.takesNow(r, e)
	}
	return w
}

// isOther tells if a rule is of other captures.
func (m *ruleMatching) isOther(rule int32) bool { return m.others != nil && m.others[rule] }

func (w *ruleWorker) match(f *flowtable.Flow) *flowtable.Label {
	x := w.index
	if int64(f.Last) < x.from || int64(f.Start) >= x.to {
		return nil
	}
	if !w.isLike(f) {
		w.recall(f)
	}
	l := &w.latest
	if l.decided {
		if l.from > int64(f.Last) || l.to <= int64(f.Start) {
			return nil
		}
		*l.matched = true
		return l.label
	}
	best := int32(len(w.matched))
	if tree := &l.leaf.tree; len(tree.entries) > 0 {
		w.see(f)
		best = w.search.in(tree, f, best)
	}
	if x.anywhere != nil {
		w.see(f)
		best = w.anywhere.in(x.anywhere, f, best)
	}
	if int(best) >= len(w.matched) {
		return nil
	}
	w.matched[best] = true
	return &w.file.rules[best].label
}

// see makes a flow the one that expressions look at.
func (w *ruleWorker) see(f *flowtable.Flow) {
	w.flow++
	w.flowNow = f
}

// takesNow tells if a flow that a rule takes by its ends is also taken by the window of
// an entry, by VLANs and by the expression.
func (w *ruleWorker) takesNow(r *Rule, e *treeEntry) bool {
	f := w.flowNow
	return r.When.takes(Window{e.from, e.to}, int64(f.Start), int64(f.Last)) &&
		(r.vlans == nil || hasVLAN(r.vlans, f)) && (r.where == nil || w.holds(r, f))
}

// takesEnds tells if the protocol, the ports and the addresses of a flow are those that
// a rule asks for.
func (r *Rule) takesEnds(f *flowtable.Flow) bool {
	if r.protocols != nil && r.protocols[f.Protocol>>6]>>(f.Protocol&63)&1 == 0 {
		return false
	}
	if r.asksPorts() && (!decode.HasPorts(f.Protocol) || !r.srcPorts.has(f.SrcPort) || !r.dstPorts.has(f.DstPort) ||
		!r.ports.has(f.SrcPort) && !r.ports.has(f.DstPort)) {
		return false
	}
	if !r.src.has(f.Src, f.V6) || !r.dst.has(f.Dst, f.V6) {
		return false
	}
	if b := &r.between; b[0] != nil || b[1] != nil {
		there := b[0].has(f.Src, f.V6) && b[1].has(f.Dst, f.V6)
		back := b[0].has(f.Dst, f.V6) && b[1].has(f.Src, f.V6)
		if !there && !back {
			return false
		}
	}
	return true
}

func hasVLAN(vlans numberSet, f *flowtable.Flow) bool {
	if f.Features == nil {
		return false
	}
	link := &f.Features.Link
	return slices.ContainsFunc(link.VLANs[:link.NumVLANs], func(id uint16) bool { return vlans.has(id) })
}

func (m *ruleMatching) close(workers []worker, to *Counts) {
	failed := map[*Rule]failure{}
	for _, w := range workers {
		w := w.(*ruleWorker)
		for i, yes := range w.matched {
			if yes {
				to.matched[m.file.rules[i].Name] = true
			}
		}
		for r, f := range w.failed {
			sum := failed[r]
			if sum.flows += f.flows; sum.first == "" || f.first < sum.first {
				sum.first = f.first
			}
			failed[r] = sum
		}
	}
	for _, r := range m.file.rules {
		to.rules = append(to.rules, r.Name)
		if f, ok := failed[r]; ok {
			to.Warnings = append(to.Warnings, (&Error{File: m.file.file, Line: r.Line, Column: r.Column,
				Text: sentence(f, r)}).Error())
		}
	}
}

// AsksVLAN tells if a rule asks for VLANs, which the link headers of packets have.
func (s *Set) AsksVLAN() bool {
	return slices.ContainsFunc(s.sources, func(from source) bool {
		r, ok := from.(*ruleFile)
		return ok && slices.ContainsFunc(r.rules, func(r *Rule) bool { return r.vlans != nil })
	})
}
