package labels

import (
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

func sentence(f failure, r *Rule) string {
	return fmt.Sprintf("the expression of rule %s can't be evaluated for %d flows, which it does not match: %s", r.Name, f.flows, f.first)
}

// check builds the index, and looks for rules that an earlier one leaves nothing to.
func (r *ruleFile) check() {
	windows := 0
	for _, rule := range r.rules {
		windows += len(rule.Windows)
	}
	if windows > maxWindows {
		r.errs = append(r.errs, &Error{File: r.file, Text: fmt.Sprintf("%d windows of time: %d at most", windows, maxWindows)})
		return
	}
	r.index = newIndex(r.rules)
	for i, rule := range r.rules {
		if earlier := r.shadow(int32(i)); earlier != nil {
			r.warn(rule.Line, rule.Column, "rule %s never matches: rule %s in line %d takes all its flows before it", rule.Name, earlier.Name, earlier.Line)
		}
	}
}

// shadow returns an earlier rule that takes every flow that one takes. Rules that
// may be so are those which take one such flow.
func (r *ruleFile) shadow(number int32) *Rule {
	rule := r.rules[number]
	var shadow *Rule
	s := search{best: number}
	s.matches = func(e *treeEntry) bool {
		if shadow == nil && r.rules[e.rule].covers(rule) {
			shadow = r.rules[e.rule]
		}
		return shadow != nil
	}
	f := rule.example()
	s.start, s.last = int64(f.Start), int64(f.Last)
	r.index.find(&f, &s)
	return shadow
}

// example returns a flow that a rule takes, as far as the index looks.
func (r *Rule) example() flowtable.Flow {
	f := flowtable.Flow{Protocol: decode.TCP}
	var known *addresses
	src, dst := r.src, r.dst
	if r.between[0] != nil || r.between[1] != nil {
		a, b := r.between[0], r.between[1]
		if !src.meets(a) || !dst.meets(b) {
			a, b = b, a
		}
		src, dst = narrower(src, a), narrower(dst, b)
	}
	for _, a := range []*addresses{src, dst} {
		if a != nil && (known == nil || len(a.v4) == 0) {
			known = a
		}
	}
	if known != nil {
		_, f.V6 = known.anyOf()
	}
	at := func(a *addresses) decode.Addr {
		spans := []span(nil)
		if a != nil {
			if spans = a.v4; f.V6 {
				spans = a.v6
			}
		}
		if len(spans) == 0 {
			return decode.Addr{}
		}
		return spans[0].first
	}
	f.Src, f.Dst = at(src), at(dst)
	for _, p := range []uint8{6, 17, 33, 132, 136} {
		if r.protocols != nil && r.protocols[p>>6]>>(p&63)&1 != 0 {
			f.Protocol = p
		}
	}
	if r.protocols != nil && r.protocols[f.Protocol>>6]>>(f.Protocol&63)&1 == 0 {
		for i, word := range r.protocols {
			if word != 0 {
				f.Protocol = uint8(i<<6 + bits.TrailingZeros64(word))
			}
		}
	}
	if r.srcPorts != nil {
		f.SrcPort = r.srcPorts[0].first
	}
	if r.dstPorts != nil {
		f.DstPort = r.dstPorts[0].first
	}
	if r.ports != nil && !r.ports.has(f.SrcPort) && !r.ports.has(f.DstPort) {
		if f.SrcPort = r.ports[0].first; r.srcPorts != nil {
			f.DstPort = f.SrcPort
		}
	}
	if r.Windows != nil {
		f.Start, f.Last = flowtable.Time(r.Windows[0].From), flowtable.Time(r.Windows[0].From)
		if r.Windows[0].From == always {
			f.Start, f.Last = flowtable.Time(r.Windows[0].To-1), flowtable.Time(r.Windows[0].To-1)
		}
	}
	return f
}

func narrower(a, b *addresses) *addresses {
	if a == nil || b != nil && a.covers(b) {
		return b
	}
	return a
}

// covers tells if a rule takes every flow that another one does. It may say no where
// it would take a proof.
func (r *Rule) covers(o *Rule) bool {
	if r.where != nil && r.Where != o.Where || len(r.Captures) > 0 && !slices.Equal(r.Captures, o.Captures) {
		return false
	}
	if r.protocols != nil {
		if o.protocols == nil {
			return false
		}
		for i, word := range o.protocols {
			if word&^r.protocols[i] != 0 {
				return false
			}
		}
	}
	covered := r.ports == nil || o.ports != nil && r.ports.covers(o.ports) ||
		o.srcPorts != nil && r.ports.covers(o.srcPorts) || o.dstPorts != nil && r.ports.covers(o.dstPorts)
	if r.asksPorts() && !o.asksPorts() || !r.srcPorts.covers(o.srcPorts) || !r.dstPorts.covers(o.dstPorts) || !covered {
		return false
	}
	if r.vlans != nil && !r.vlans.covers(o.vlans) {
		return false
	}
	if !r.src.covers(o.src) || !r.dst.covers(o.dst) {
		return false
	}
	if a := r.between; a[0] != nil || a[1] != nil {
		b := o.between
		straight := func(src, dst *addresses) bool {
			return a[0].covers(src) && a[1].covers(dst) || a[0].covers(dst) && a[1].covers(src)
		}
		if !straight(b[0], b[1]) && !straight(o.src, o.dst) {
			return false
		}
	}
	return r.Windows == nil || o.Windows != nil && o.When.implies(r.When) && !slices.ContainsFunc(o.Windows, func(inner Window) bool {
		return !slices.ContainsFunc(r.Windows, func(outer Window) bool { return outer.From <= inner.From && inner.To <= outer.To })
	})
}

// Describe writes the rules as a table, with times in the zone of the file and in
// UTC.
func (s *Set) Describe(to io.Writer) error {
	for i, from := range s.sources {
		if i > 0 {
			fmt.Fprintln(to)
		}
		switch f := from.(type) {
		case *ruleFile:
			if err := f.describe(to); err != nil {
				return err
			}
		case *sensorFile:
			if err := f.describe(to); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *ruleFile) describe(to io.Writer) error {
	fmt.Fprintf(to, "%s: %d rules", r.file, len(r.rules))
	if r.title != "" {
		fmt.Fprintf(to, ", %s", r.title)
	}
	fmt.Fprintln(to)
	zone, name := r.zone, "UTC"
	if zone == nil {
		zone = time.UTC
	} else {
		name = zone.String()
	}
	if r.fallback.said {
		fmt.Fprintf(to, "default: %s\n", r.fallback.label)
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "line\trule\tlabel\twhen\tfrom (%s)\tto\tfrom (UTC)\tto\tasks for\n", name)
	for _, rule := range r.rules {
		windows := rule.Windows
		if windows == nil {
			windows = []Window{{always, never}}
		}
		for i, in := range windows {
			if i == 0 {
				fmt.Fprintf(w, "%d\t%s\t%s\t", rule.Line, rule.Name, rule.Label)
			} else {
				fmt.Fprint(w, "\t\t\t")
			}
			when := "always"
			if rule.Windows != nil {
				when = rule.When.String()
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t", when, shown(in.From, zone), shown(in.To, zone), shown(in.From, time.UTC), shown(in.To, time.UTC))
			if i == 0 {
				fmt.Fprint(w, rule.asks())
			}
			fmt.Fprintln(w)
		}
	}
	return w.Flush()
}

// shown writes an end of a window.
func shown(at int64, zone *time.Location) string {
	if at == always || at == never {
		return "-"
	}
	t := time.Unix(0, at).In(zone)
	layout := "2006-01-02 15:04:05.999999999"
	if _, offset := t.Zone(); zone != time.UTC && offset%60 == 0 {
		layout += " -07:00"
	}
	return t.Format(layout)
}

// asks writes what a rule asks for besides times.
func (r *Rule) asks() string {
	var all []string
	add := func(name, text string) { all = append(all, name+"="+text) }
	if r.between[0] != nil || r.between[1] != nil {
		add("between", r.between[0].String()+"<>"+r.between[1].String())
	}
	if r.src != nil {
		add("src", r.src.String())
	}
	if r.dst != nil {
		add("dst", r.dst.String())
	}
	for _, set := range []struct {
		name string
		set  numberSet
	}{{"ports", r.ports}, {"src_ports", r.srcPorts}, {"dst_ports", r.dstPorts}, {"vlans", r.vlans}} {
		if set.set != nil {
			add(set.name, set.set.String())
		}
	}
	if r.protocols != nil {
		add("protocols", protocolText(r.protocols))
	}
	if len(r.Captures) > 0 {
		add("capture", strings.Join(r.Captures, ","))
	}
	if r.Where != "" {
		add("where", strings.Join(strings.Fields(r.Where), " "))
	}
	return strings.Join(all, " ")
}

func protocolText(set *[4]uint64) string {
	var p decode.Protocols
	var numbers []string
	for k := range 256 {
		if set[k>>6]>>(k&63)&1 != 0 {
			numbers = append(numbers, fmt.Sprint(k))
		}
	}
	if err := p.UnmarshalText([]byte(strings.Join(numbers, ","))); err != nil {
		return strings.Join(numbers, ",")
	}
	text, _ := p.MarshalText()
	return string(text)
}
