package labels

import (
	"path"
	"slices"
	"strings"

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
	evaluator
	search  search
	flowNow *flowtable.Flow
	matched []bool
}

func (m *ruleMatching) worker() worker {
	w := &ruleWorker{ruleMatching: m, matched: make([]bool, len(m.file.rules))}
	w.search.matches = func(rule int32) bool {
		return (w.others == nil || !w.others[rule]) && w.takes(m.file.rules[rule], w.flowNow)
	}
	return w
}

func (w *ruleWorker) match(f *flowtable.Flow) *flowtable.Label {
	w.flow++
	w.flowNow = f
	w.search.start, w.search.last, w.search.best = int64(f.Start), int64(f.Last), int32(len(w.file.rules))
	w.file.index.find(f, &w.search)
	if int(w.search.best) == len(w.file.rules) {
		return nil
	}
	w.matched[w.search.best] = true
	return &w.file.rules[w.search.best].label
}

// takes tells if a rule matches a flow.
func (w *ruleWorker) takes(r *Rule, f *flowtable.Flow) bool {
	return r.takes(f) && (r.where == nil || w.holds(r, f))
}

// takes tells if all but the expression of a rule matches a flow.
func (r *Rule) takes(f *flowtable.Flow) bool {
	if r.protocols != nil && r.protocols[f.Protocol>>6]>>(f.Protocol&63)&1 == 0 {
		return false
	}
	if r.asksPorts() && (!hasPorts(f.Protocol) || !r.srcPorts.has(f.SrcPort) || !r.dstPorts.has(f.DstPort) ||
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
	if r.vlans != nil && !hasVLAN(r.vlans, f) {
		return false
	}
	return r.Windows == nil || slices.ContainsFunc(r.Windows, func(in Window) bool { return r.When.takes(in, int64(f.Start), int64(f.Last)) })
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
