package labels

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
)

// A Rule gives flows a label. What it does not ask for may be anything.
type Rule struct {
	Label string
	Name  string // unique among the rules of a file
	// Line and Column are where it begins.
	Line, Column int
	Windows      []Window // sorted; nil are all times
	When         When
	src, dst     *addresses
	between      [2]*addresses // the ends of the flow, whichever way
	ports        numberSet     // of either end
	srcPorts     numberSet
	dstPorts     numberSet
	vlans        numberSet // of one of the tags
	protocols    *[4]uint64
	Captures     []string // globs
	Where        string
	where        *condition
	columns      map[string]string
	label        flowtable.Label
}

// A ruleFile is the rules of one file.
type ruleFile struct {
	file     string
	title    string
	sources  []string
	zone     *time.Location // nil if it has none
	fallback fallback
	when     When
	names    []string          // of its own columns
	defaults map[string]string // of those
	declared bool              // the file says which columns there are
	rules    []*Rule
	index    *index
	find     func(name string) *export.Column
	warnings []string
	errs     []error
	prefixes int
}

// Limits of what a file can be, far beyond what people write.
const (
	maxFile     = 64 << 20
	maxPrefixes = 1 << 20
	maxErrors   = 20
	maxWindows  = 1 << 18
)

func (r *ruleFile) name() string { return r.file }

// parseRules reads the rules of a file. Columns that expressions look at are found by
// their names.
func parseRules(b []byte, file string, find func(string) *export.Column) (*ruleFile, error) {
	r := &ruleFile{file: file, find: find, defaults: map[string]string{}, fallback: fallback{file: file}}
	root, err := parseYAML(b, file)
	if err != nil {
		return nil, err
	}
	r.take(root)
	if r.errs == nil {
		r.check()
	}
	return r, errors.Join(r.errs...)
}

// parseYAML returns what stands in a file's only document.
func parseYAML(b []byte, file string) (*yaml.Node, error) {
	if !utf8.Valid(b) {
		return nil, &Error{File: file, Text: "is not UTF-8"}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(b))
	var document, more yaml.Node
	if err := decoder.Decode(&document); err == io.EOF {
		return nil, &Error{File: file, Text: "is empty: want rules"}
	} else if err != nil {
		return nil, yamlError(file, err)
	}
	switch err := decoder.Decode(&more); {
	case err == nil:
		return nil, &Error{File: file, Line: more.Line, Text: "a second document: want one"}
	case err != io.EOF:
		return nil, yamlError(file, err)
	}
	return document.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func yamlError(file string, err error) error {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return &Error{File: file, Text: err.Error()}
	}
	line, _ := strconv.Atoi(m[1])
	return &Error{File: file, Line: line, Text: "is no YAML: " + m[2]}
}

func (r *ruleFile) fail(n *yaml.Node, format string, args ...any) {
	switch {
	case len(r.errs) < maxErrors:
		r.errs = append(r.errs, r.at(n, fmt.Sprintf(format, args...)))
	case len(r.errs) == maxErrors:
		r.errs = append(r.errs, &Error{File: r.file, Text: "more errors are not shown"})
	}
}

func (r *ruleFile) at(n *yaml.Node, text string) *Error {
	return &Error{File: r.file, Line: n.Line, Column: n.Column, Text: text}
}

func (r *ruleFile) warn(line, column int, format string, args ...any) {
	r.warnings = append(r.warnings, (&Error{File: r.file, Line: line, Column: column, Text: fmt.Sprintf(format, args...)}).Error())
}

// The keys of a file and of a rule. labels/schema.json has the same ones.
var (
	fileKeys = []string{"title", "sources", "zone", "default", "when", "columns", "rules"}
	ruleKeys = []string{"label", "name", "from", "to", "dates", "when", "between", "src", "dst",
		"ports", "src_ports", "dst_ports", "protocols", "vlans", "capture", "where", "columns"}
)

// A mapping is the values of a mapping by key.
type mapping map[string]*yaml.Node

// mapping returns what n maps known keys to, nil if it is no mapping.
func (r *ruleFile) mapping(n *yaml.Node, what string, known []string) mapping {
	if n = resolved(n); n.Kind != yaml.MappingNode {
		r.fail(n, "want %s with the keys %s", what, strings.Join(known, ", "))
		return nil
	}
	m := mapping{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := resolved(n.Content[i]), resolved(n.Content[i+1])
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fail(key, "want a key of %s", what)
		case m[key.Value] != nil:
			r.fail(key, "the key %q is given twice", key.Value)
		case !slices.Contains(known, key.Value):
			r.fail(key, "%s has no key %q: %s", what, key.Value, hint(key.Value, known))
		default:
			m[key.Value] = value
		}
	}
	return m
}

func hint(key string, known []string) string {
	for _, k := range known {
		if strings.EqualFold(k, key) || k == key+"s" || k+"s" == key || strings.ReplaceAll(key, "-", "_") == k {
			return fmt.Sprintf("it is %q", k)
		}
	}
	if slices.Contains(known, "src_ports") {
		return fmt.Sprintf("its keys are %s; a column of its own stands below columns", strings.Join(known, ", "))
	}
	return "its keys are " + strings.Join(known, ", ")
}

func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// text returns a scalar, "" if there is none.
func (r *ruleFile) text(n *yaml.Node, what string) (string, bool) {
	if n == nil {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.fail(n, "want %s", what)
		return "", false
	}
	return n.Value, true
}

// list returns the scalars of a list, or the one that stands in its place. A text
// with commas is a list too.
func (r *ruleFile) list(n *yaml.Node, what string) []*yaml.Node {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var all []*yaml.Node
	for _, item := range items {
		item = resolved(item)
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			r.fail(item, "want %s, or a list of them", what)
			continue
		}
		for part := range strings.SplitSeq(item.Value, ",") {
			if part = strings.TrimSpace(part); part == "" {
				r.fail(item, "want %s", what)
				continue
			}
			one := item
			if part != item.Value {
				one = new(*item)
				one.Value = part
			}
			all = append(all, one)
		}
	}
	if n.Kind == yaml.SequenceNode && len(items) == 0 {
		r.fail(n, "the list is empty: nothing can match")
	}
	return all
}

// take takes in the file.
func (r *ruleFile) take(n *yaml.Node) {
	m := r.mapping(n, "a file of rules", fileKeys)
	if m == nil {
		return
	}
	r.title, _ = r.text(m["title"], "a title")
	if sources := m["sources"]; sources != nil {
		for _, s := range sources.Content {
			if text, ok := r.text(resolved(s), "a source"); ok {
				r.sources = append(r.sources, text)
			}
		}
	}
	if text, ok := r.text(m["zone"], "a zone"); ok {
		var err error
		if r.zone, err = parseZone(text); err != nil {
			r.fail(m["zone"], "%v", err)
		}
	}
	r.fallback.label, r.fallback.said = r.text(m["default"], "a label")
	r.when = r.takeWhen(m["when"], Overlaps)
	if columns := m["columns"]; columns != nil {
		r.declared = true
		r.defaults = r.texts(columns, &r.names)
	}
	rules := m["rules"]
	if rules == nil {
		if r.errs == nil {
			r.fail(n, "has no rules")
		}
		return
	}
	if rules.Kind != yaml.SequenceNode {
		r.fail(rules, "want a list of rules")
		return
	}
	base := strings.TrimSuffix(path.Base(strings.ReplaceAll(r.file, `\`, "/")), path.Ext(r.file))
	named := map[string]bool{}
	for i, item := range rules.Content {
		if rule := r.rule(item); rule != nil {
			rule.Line, rule.Column = item.Line, item.Column
			if rule.Name == "" {
				rule.Name = fmt.Sprintf("%s#%d", base, i+1)
			}
			if named[rule.Name] {
				r.fail(item, "a second rule of the name %q", rule.Name)
			}
			named[rule.Name] = true
			r.rules = append(r.rules, rule)
		}
	}
}

func (r *ruleFile) takeWhen(n *yaml.Node, otherwise When) When {
	text, ok := r.text(n, "overlaps, starts or inside")
	if !ok {
		return otherwise
	}
	i := slices.Index(whens[:], text)
	if i < 0 {
		r.fail(n, "when %q: want overlaps, starts or inside", text)
		return otherwise
	}
	return When(i)
}

var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// texts returns a mapping of names of columns to texts, and adds the names.
func (r *ruleFile) texts(n *yaml.Node, names *[]string) map[string]string {
	all := map[string]string{}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "want names of columns with their values")
		return all
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := resolved(n.Content[i]), resolved(n.Content[i+1])
		_, twice := all[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !columnName.MatchString(key.Value):
			r.fail(key, "column %q: want a name of letters, digits and underscores", key.Value)
			continue
		case twice:
			r.fail(key, "column %q is given twice", key.Value)
		case strings.EqualFold(key.Value, "label") || strings.EqualFold(key.Value, "label_rule") || r.find(key.Value) != nil || key.Value == "capture":
			r.fail(key, "column %q is there already: a column of rules has a name of its own", key.Value)
		}
		text := ""
		if value.Kind != yaml.ScalarNode {
			r.fail(value, "want the value of column %s", key.Value)
		} else if value.Tag != "!!null" {
			text = value.Value
		}
		all[key.Value] = text
		if !slices.Contains(*names, key.Value) {
			*names = append(*names, key.Value)
		}
	}
	return all
}

// rule reads a rule; nil if it is none.
func (r *ruleFile) rule(n *yaml.Node) *Rule {
	n = resolved(n)
	m := r.mapping(n, "a rule", ruleKeys)
	if m == nil {
		return nil
	}
	rule := &Rule{}
	var ok bool
	if rule.Label, ok = r.text(m["label"], "a label"); !ok && m["label"] == nil {
		r.fail(n, "a rule without a label")
	}
	if rule.Name, ok = r.text(m["name"], "a name"); ok && rule.Name == "" {
		r.fail(m["name"], "an empty name")
	}
	rule.When = r.takeWhen(m["when"], r.when)
	rule.Windows = r.windows(m, n)
	if m["when"] != nil && rule.Windows == nil {
		r.fail(m["when"], "when says nothing without from, to or dates")
	}
	rule.src, rule.dst = r.addresses(m["src"]), r.addresses(m["dst"])
	if between := m["between"]; between != nil {
		if between.Kind != yaml.SequenceNode || len(between.Content) != 2 {
			r.fail(between, "want the two ends, each an address, a prefix, any, or a list of them: [192.0.2.1, [198.51.100.0/24, 2001:db8::/32]]")
		} else {
			rule.between = [2]*addresses{r.addresses(resolved(between.Content[0])), r.addresses(resolved(between.Content[1]))}
			if !rule.between[0].meets(rule.between[1]) {
				r.fail(between, "can't match: one end is IPv4 and the other IPv6")
			}
		}
	}
	if !rule.src.meets(rule.dst) {
		r.fail(m["dst"], "can't match: source and destination are IPv4 and IPv6")
	}
	for _, a := range []*addresses{rule.src, rule.dst} {
		if b := rule.between; !a.meets(b[0]) && !a.meets(b[1]) {
			r.fail(m["between"], "can't match: other ends are asked for by src or dst")
		}
	}
	rule.ports = r.numbers(m["ports"], "a port", 65535)
	rule.srcPorts = r.numbers(m["src_ports"], "a port", 65535)
	rule.dstPorts = r.numbers(m["dst_ports"], "a port", 65535)
	rule.vlans = r.numbers(m["vlans"], "a VLAN", 4095)
	rule.protocols = r.protocols(m["protocols"])
	if rule.protocols != nil && rule.asksPorts() {
		some := false
		for p := range 256 {
			some = some || rule.protocols[p>>6]>>(p&63)&1 != 0 && decode.HasPorts(uint8(p))
		}
		if !some {
			r.fail(m["protocols"], "can't match: none of these protocols has ports, which the rule asks for")
		}
	}
	if c := m["capture"]; c != nil {
		for _, item := range r.list(c, "the name of a capture, with * and ? for what varies") {
			if _, err := path.Match(item.Value, ""); err != nil {
				r.fail(item, "capture %q: is no pattern: want * ? and [a-z]", item.Value)
			}
			rule.Captures = append(rule.Captures, item.Value)
		}
	}
	if text, ok := r.text(m["where"], "an expression"); ok {
		rule.Where = text
		r.compile(rule, m["where"])
	}
	if columns := m["columns"]; columns != nil {
		names := r.names
		rule.columns = r.texts(columns, &names)
		if r.declared && len(names) > len(r.names) {
			r.fail(columns, "column %q is not among those of the file: %s", names[len(r.names)], strings.Join(r.names, ", "))
		} else {
			r.names = names
		}
	}
	return rule
}

func (r *Rule) asksPorts() bool { return r.ports != nil || r.srcPorts != nil || r.dstPorts != nil }

// addresses reads a list of addresses and prefixes; nil are all.
func (r *ruleFile) addresses(n *yaml.Node) *addresses {
	if n == nil {
		return nil
	}
	var prefixes []netip.Prefix
	for _, item := range r.list(n, "an address") {
		if item.Value == "any" {
			return nil
		}
		p, err := parsePrefix(item.Value)
		if err != nil {
			r.fail(item, "%v", err)
			continue
		}
		if r.prefixes++; r.prefixes > maxPrefixes {
			r.fail(item, "more than %d addresses in a file", maxPrefixes)
			return nil
		}
		prefixes = append(prefixes, p)
	}
	return newAddresses(prefixes)
}

func (r *ruleFile) numbers(n *yaml.Node, what string, most uint64) numberSet {
	if n == nil {
		return nil
	}
	var ranges []numberRange
	for _, item := range r.list(n, what) {
		one, err := parseRange(item.Value, most)
		if err != nil {
			r.fail(item, "%s %v", what, err)
			continue
		}
		ranges = append(ranges, one)
	}
	return newNumberSet(ranges)
}

func (r *ruleFile) protocols(n *yaml.Node) *[4]uint64 {
	if n == nil {
		return nil
	}
	set := new([4]uint64)
	for _, item := range r.list(n, "a protocol") {
		p, ok := decode.ProtocolNumber(item.Value)
		if !ok || !decode.AllProtocols.Has(p) {
			r.fail(item, "protocol %q: want a name such as tcp, udp, icmp or a number from 1 to 255", item.Value)
			continue
		}
		set[p>>6] |= 1 << (p & 63)
	}
	return set
}

// windows reads the times of a rule.
func (r *ruleFile) windows(m mapping, rule *yaml.Node) []Window {
	from, hasFrom := r.moment(m["from"])
	to, hasTo := r.moment(m["to"])
	dates := m["dates"]
	if dates == nil && m["from"] == nil && m["to"] == nil {
		return nil
	}
	if m["from"] != nil && !hasFrom || m["to"] != nil && !hasTo {
		return nil
	}
	node := cmp.Or(m["from"], m["to"])
	if dates == nil {
		w := Window{always, never}
		if hasFrom {
			w.From = r.instant(m["from"], from, from.day, false)
		}
		if hasTo {
			w.To = r.instant(m["to"], to, to.day, true)
		}
		if r.errs == nil && w.To <= w.From {
			r.fail(cmp.Or(m["to"], node), "no time lies from %s to %s", from.text, to.text)
		}
		return []Window{w}
	}
	var days []date
	for _, item := range r.list(dates, "a date such as 2017-07-04, or 2017-07-03..2017-07-07") {
		some, err := parseDates(item.Value)
		if err != nil {
			r.fail(item, "%v", err)
			continue
		}
		days = append(days, some...)
	}
	if hasFrom && (from.isDay || from.exact) || hasTo && (to.isDay || to.exact) {
		r.fail(dates, "dates go with times of day: from and to are times in full")
		return nil
	}
	if !hasTo {
		to.clock, to.text = day, "24:00"
	}
	if to.clock <= from.clock {
		r.fail(cmp.Or(m["to"], node), "no time of a day lies from %s to %s; hours after noon are 13:00 or 1:00 PM, and what goes on after midnight has from and to in full", cmp.Or(from.text, "00:00"), to.text)
		return nil
	}
	var all []Window
	for _, d := range days {
		w := Window{r.instant(cmp.Or(m["from"], dates), from, d, false), r.instant(cmp.Or(m["to"], dates), to, d, true)}
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b Window) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return slices.Compact(all)
}

func (r *ruleFile) moment(n *yaml.Node) (moment, bool) {
	text, ok := r.text(n, "a time")
	if !ok {
		return moment{}, false
	}
	m, err := parseMoment(strings.TrimSpace(text))
	if err == errGap {
		err = fmt.Errorf("time %q %v", text, err)
	}
	if err != nil {
		r.fail(n, "%v", err)
		return m, false
	}
	return m, true
}

// instant returns when a moment was on a day. Where clocks showed it twice, that is
// the first time for the beginning of a window and the second for its end.
func (r *ruleFile) instant(n *yaml.Node, m moment, d date, end bool) int64 {
	switch {
	case m.exact:
		return m.at
	case d == date{}:
		r.fail(n, "time of day %q: of which days say dates", m.text)
		return 0
	case r.zone == nil:
		if r.errs == nil {
			r.fail(n, "time %q is in no zone: the file needs a key zone, such as UTC or America/Halifax", m.text)
		}
		return 0
	}
	at, err := instants(d, m.clock, r.zone)
	switch {
	case err == errGap && m.text == "":
		// Midnight was left out: the day began when clocks went on.
		for c := clock(0); err == errGap; c += clock(time.Minute) {
			at, err = instants(d, c, r.zone)
		}
	case err == errGap:
		r.fail(n, "on %v clocks in %v never show %s: they are put forward there", d, r.zone, m.text)
		return 0
	}
	if err != nil {
		r.fail(n, "%v", err)
		return 0
	}
	if len(at) > 1 {
		which := "the first"
		if end {
			which = "the second"
		}
		r.warn(n.Line, n.Column, "on %v clocks in %v show %s twice: %s time is meant; a time with an offset says which", d, r.zone, m.text, which)
	}
	if end {
		return at[len(at)-1]
	}
	return at[0]
}
