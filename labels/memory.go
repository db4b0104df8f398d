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
	dst          decode.Addr
	dstPort      uint16
	protocol     uint8
	v6, ports    bool
	src, srcPort uint64
	leaf         *leaf // nil before the first flow
}

// rules returns those that match flows like a given one, but for what memory says.
func (w *ruleWorker) rules(f *flowtable.Flow) *leaf {
	l, x := &w.latest, w.index
	if f.Dst == l.dst && f.DstPort == l.dstPort && f.Protocol == l.protocol && f.V6 == l.v6 && l.leaf != nil &&
		x.addresses[family(f.V6)].of(f.Src) == l.src && (!l.ports || x.ports.of(f.SrcPort) == l.srcPort) {
		return l.leaf
	}
	return w.recall(f)
}

// recall returns the rules for a flow that is not like the latest one.
func (w *ruleWorker) recall(f *flowtable.Flow) *leaf {
	x := w.index
	c := &x.addresses[family(f.V6)]
	l := latest{dst: f.Dst, dstPort: f.DstPort, protocol: f.Protocol, v6: f.V6, src: c.of(f.Src)}
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
	w.latest = l
	return l.leaf
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
