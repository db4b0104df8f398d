package labels

import (
	"cmp"
	"slices"
	"strings"
)

// Counts are what came of the flows of a run.
type Counts struct {
	// Labels are the labels that flows had, the commonest first.
	Labels []Count `json:"counts"`
	// Thinned are the labels of which some flows were left out; those are in no other
	// count.
	Thinned []Thinned `json:"thinned,omitempty"`
	// Splits are the parts of the data set, and behind them what is in none; nil without
	// splits.
	Splits []SplitCount `json:"-"`
	// Unmatched are the rules that no flow has matched, by their names.
	Unmatched []string `json:"rules_unmatched"`
	// Records say what has become of the records of each sensor's file.
	Records []Records `json:"records,omitempty"`
	// Warnings are rules whose expressions could not be evaluated for some flows.
	Warnings []string `json:"-"`

	matched map[string]bool // rules by name
	rules   []string
}

// A Count is the number of flows and packets with a label.
type Count struct {
	Label   string `json:"label"`
	Flows   uint64 `json:"flows"`
	Packets uint64 `json:"packets"`
}

// A SplitCount is the number of flows and packets in a split.
type SplitCount struct {
	Split   string  `json:"split"` // "" for those that are in none
	Flows   uint64  `json:"flows"`
	Packets uint64  `json:"packets"`
	Labels  []Count `json:"labels"` // the commonest first
}

func (s *SplitCount) add(c Count) {
	s.Flows += c.Flows
	s.Packets += c.Packets
	s.Labels = counted(s.Labels, c)
}

// AddSplits returns the counts of splits with those of another run with the same
// splits added.
func AddSplits(all, more []SplitCount) []SplitCount {
	for i, s := range more {
		if len(all) == i {
			all = append(all, SplitCount{Split: s.Split, Labels: []Count{}})
		}
		for _, l := range s.Labels {
			all[i].add(l)
		}
		sortCounts(all[i].Labels)
	}
	return all
}

// A Thinned is a label of which one in OneOf flows was kept.
type Thinned struct {
	Label string `json:"label"`
	OneOf uint64 `json:"one_of"`
	Flows uint64 `json:"flows"` // before
	Kept  uint64 `json:"kept"`
}

// Records count the records of a sensor's file: all, those that Matched a flow, and
// the others by the reason.
type Records struct {
	File    string `json:"file"`
	Records uint64 `json:"records"`
	Matched uint64 `json:"matched"`
	// NoFlow are records with addresses and ports that no flow has, OtherTime those
	// whose flows were at other times.
	NoFlow    uint64 `json:"no_flow"`
	OtherTime uint64 `json:"other_time"`
	// Unusable are records that name no addresses, by reason.
	Unusable map[string]uint64 `json:"unusable,omitempty"`
	state    []uint8
	file     *sensorFile
}

// sort brings labels into an order that does not depend on who counted them.
func (c *Counts) sort() {
	sortCounts(c.Labels)
	for _, s := range c.Splits {
		sortCounts(s.Labels)
	}
	slices.SortFunc(c.Thinned, func(a, b Thinned) int { return strings.Compare(a.Label, b.Label) })
}

func sortCounts(counts []Count) {
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Flows, a.Flows), strings.Compare(a.Label, b.Label))
	})
}

// Add adds the counts of another run with the same set.
func (c *Counts) Add(o *Counts) {
	if o == nil {
		return
	}
	for _, l := range o.Labels {
		c.Labels = counted(c.Labels, l)
	}
	for _, t := range o.Thinned {
		c.Thinned = thinned(c.Thinned, t)
	}
	c.Splits = AddSplits(c.Splits, o.Splits)
	c.sort()
	if c.matched == nil {
		c.matched = map[string]bool{}
		c.rules = o.rules
	}
	for name := range o.matched {
		c.matched[name] = true
	}
	c.listUnmatched()
	for i := range o.Records {
		if len(c.Records) == i {
			c.Records = append(c.Records, Records{file: o.Records[i].file})
		}
		c.Records[i].add(&o.Records[i])
	}
}

// listUnmatched lists the rules that no flow has matched.
func (c *Counts) listUnmatched() {
	c.Unmatched = []string{}
	for _, name := range c.rules {
		if !c.matched[name] {
			c.Unmatched = append(c.Unmatched, name)
		}
	}
}

// counted returns counts with those of a label added.
func counted(counts []Count, of Count) []Count {
	i := slices.IndexFunc(counts, func(c Count) bool { return c.Label == of.Label })
	if i < 0 {
		return append(counts, of)
	}
	counts[i].Flows += of.Flows
	counts[i].Packets += of.Packets
	return counts
}

// thinned returns all with what was left out of a label added.
func thinned(all []Thinned, of Thinned) []Thinned {
	i := slices.IndexFunc(all, func(t Thinned) bool { return t.Label == of.Label })
	if i < 0 {
		return append(all, of)
	}
	all[i].Flows += of.Flows
	all[i].Kept += of.Kept
	return all
}
