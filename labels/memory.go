package labels

import (
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// A memory is what one goroutine remembers of flows: which rules match those like them,
// but for times, VLANs and expressions. That of the latest flow is remembered by more
// than its key, so that a flood, whose flows differ in their sources, is looked up once.
type memory struct {
	latest latest
	near   [1 << nearBits]nearLeaf // that are found without the map
	leaves map[leafKey]*leaf
}

const (
	nearBits   = 10
	mostLeaves = 1 << 16 // after which all is forgotten
)

// A leafKey is what flows of one leaf have in common: the classes of their addresses,
// and, from the lowest bit on, 17 bits each for the classes of their ports, 8 for the
// protocol and one for the version of IP.
type leafKey struct{ ends, rest uint64 }

// A leaf is the rules that match flows of one key.
type leaf struct {
	tree tree
	// sure is set if there is one rule, with one window that takes what overlaps it,
	// and without VLANs or an expression.
	sure bool
}

type nearLeaf struct {
	key  leafKey
	leaf *leaf // nil if there is none
}

// Latest is the latest flow: its destination, and the classes of its source.
type latest struct {
	dst     decode.Addr
	ends    uint32 // endsOf the flow
	ports   bool   // srcPort counts
	src     uint64
	srcPort uint64
	classes *classes // of addresses of its family; nil before the first flow
	leaf    *leaf
	// decided is set if all that is left of the rules for flows like it is one at most,
	// which takes them if they are in a window: from is never if there is none.
	decided  bool
	from, to int64
	label    *flowtable.Label
	matched  *bool
}

// endsOf returns what is compared of a flow besides addresses and the port of the source.
func endsOf(f *flowtable.Flow) uint32 {
	return uint32(f.DstPort) | uint32(f.Protocol)<<16 | uint32(family(f.V6))<<24
}

// isLike tells if the same rules match a flow as the latest, but for what memory says.
func (w *ruleWorker) isLike(f *flowtable.Flow) bool {
	l := &w.latest
	return f.Dst == l.dst && endsOf(f) == l.ends && l.classes != nil && l.classes.of(f.Src) == l.src &&
		(!l.ports || w.index.ports.of(f.SrcPort) == l.srcPort)
}

// recall makes a flow the latest.
func (w *ruleWorker) recall(f *flowtable.Flow) {
	x := w.index
	c := &x.addresses[family(f.V6)]
	l := latest{dst: f.Dst, ends: endsOf(f), classes: c, src: c.of(f.Src)}
	k := leafKey{l.src<<32 | c.of(f.Dst), uint64(f.Protocol)<<34 | uint64(family(f.V6))<<42}
	if l.ports = decode.HasPorts(f.Protocol); l.ports {
		l.srcPort = x.ports.of(f.SrcPort)
		k.rest |= l.srcPort | x.ports.of(f.DstPort)<<17
	}
	near := &w.near[(k.ends+k.rest*0xbf58476d1ce4e5b9)*0x9e3779b97f4a7c15>>(64-nearBits)]
	if near.leaf == nil || near.key != k {
		found := w.leaves[k]
		if found == nil {
			found = w.find(f)
			if w.leaves == nil || len(w.leaves) == mostLeaves {
				w.leaves = map[leafKey]*leaf{}
			}
			w.leaves[k] = found
		}
		*near = nearLeaf{k, found}
	}
	l.leaf = near.leaf
	if entries := l.leaf.tree.entries; x.anywhere == nil && (len(entries) == 0 || l.leaf.sure) {
		l.decided, l.from, l.to = true, never, always
		if l.leaf.sure {
			e := &entries[0]
			l.from, l.to, l.label, l.matched = e.from, e.to, &w.file.rules[e.rule].label, &w.matched[e.rule]
		}
	}
	w.latest = l
}

// find finds the rules that match flows like a given one.
func (w *ruleWorker) find(f *flowtable.Flow) *leaf {
	l := &leaf{}
	w.index.at(f, func(at *tree) {
		for _, e := range at.entries {
			if !w.isOther(e.rule) && w.file.rules[e.rule].takesEnds(f) {
				l.tree.entries = append(l.tree.entries, e)
			}
		}
	})
	l.tree.build()
	if len(l.tree.entries) == 1 {
		r := w.file.rules[l.tree.entries[0].rule]
		l.sure = r.When == Overlaps && r.vlans == nil && r.where == nil
	}
	return l
}

// family returns the number of a family of addresses.
func family(v6 bool) int {
	if v6 {
		return 1
	}
	return 0
}
