package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/flowtable"
)

// A Run is what a page says of a run besides what was counted.
type Run struct {
	// Title names what was read.
	Title string
	flowfast.Summary
	// Errors are what could not be read or written.
	Errors []string
	// Options are the options that say what flows are, which differ from the default.
	Options []string
	// Unmatched are the rules of labels that matched no flow.
	Unmatched []string
	// Notes are what a reader should know first.
	Notes []string
}

var (
	//go:embed page.html
	pageText string
	//go:embed style.css
	style string
	//go:embed script.js
	script string
)

// Style is the style sheet of the page, for others that are to look like it.
func Style() string { return style }

// page parses the page when it is asked for: most runs write none.
var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageText)) })

// A view is what the template is filled with.
type view struct {
	Title, Subtitle string
	Style           template.CSS
	Script          template.JS
	Policy          string
	Tiles           []tile
	Notes, Warnings []string
	Errors          []string
	Sections        []section
	Version         string
}

// A tile is a number at the top of the page.
type tile struct{ Name, Value, Note string }

// A section is figures and tables about one thing.
type section struct {
	ID, Title, Text string
	Blocks          []block
}

// A block is a chart or a ranking.
type block struct {
	Chart   *chart
	Ranking *ranking
}

// A ranking is a table whose rows have a bar.
type ranking struct {
	ID, Title, Note string
	Head            []string // the first is of the names
	Rows            []rankingRow
	Half            bool
	Text            int // columns after the first that are no numbers
}

type rankingRow struct {
	Name, Detail string
	Share        float64 // length of the bar, in percent
	Cells        []string
}

// Write writes the page. The collector is not to be used any more.
func Write(to io.Writer, c *Collector, r Run) error {
	sum := sha256.Sum256([]byte(script))
	v := view{
		Title: r.Title, Style: template.CSS(style), Script: template.JS(script), Version: flowfast.Version,
		Policy: "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
		Notes:  r.Notes, Warnings: r.Warnings, Errors: r.Errors, Subtitle: subtitle(r),
		Tiles: c.tiles(r),
	}
	g := newGrid(c.allTimelines())
	v.Sections = append(v.Sections, c.overTime(g), c.distributions(), c.protocolsAndPorts(), c.talkers())
	if c.fans() {
		v.Sections = append(v.Sections, c.fanOut())
	}
	v.Sections = append(v.Sections, c.connections())
	if len(c.ruled) > 0 {
		v.Sections = append(v.Sections, c.byRule(r.Unmatched))
	}
	v.Sections = append(v.Sections, leftOut(r.Summary), about(r))
	return page().Execute(to, v)
}

func (c *Collector) allTimelines() []*timeline {
	all := c.timelines()
	for _, name := range slices.Sorted(maps.Keys(c.labels)) {
		all = append(all, &c.labels[name].flows, &c.labels[name].packets)
	}
	return all
}

func subtitle(r Run) string {
	if r.Packets == 0 {
		return "no packets"
	}
	const layout = "2006-01-02 15:04:05"
	first, last := r.First.UTC().Format(layout), r.Last.UTC().Format(layout)
	if first[:10] == last[:10] {
		last = last[11:]
	}
	return first + " – " + last + " UTC"
}

func (c *Collector) tiles(r Run) []tile {
	length := r.Last.Sub(r.First)
	tiles := []tile{
		{"packets", headline(r.Packets), "in " + plural(len(r.Captures), "capture")},
		{"flows", headline(c.all.flows), short(float64(c.all.packets)/float64(max(c.all.flows, 1)), "") + " packets each, on average"},
		{"bytes of flows", bytesText(c.all.bytes), grouped(c.all.bytes) + " on the wire"},
		{"time span", span(uint64(max(length, 0))), fmt.Sprintf("%s packets/s", short(float64(r.Packets)/max(length.Seconds(), 1e-9), ""))},
		{"counted", percent(r.Classes.Counted, r.Packets), grouped(r.Packets-r.Classes.Counted) + " packets belong to no flow"},
	}
	if length <= 0 {
		tiles[3].Note = "all packets at one time"
	}
	if c.tcp > 0 {
		var opened, not uint64
		for o, n := range c.outcomes {
			if outcome(o) != midstream {
				opened += n
			}
			if outcome(o).unopened() {
				not += n
			}
		}
		if opened > 0 {
			tiles = append(tiles, tile{"half-open", percent(not, opened), "of the TCP flows that begin with SYN"})
		}
	}
	if len(c.ruled) > 0 {
		names := map[string]uint64{}
		for key, n := range c.ruled {
			names[key.label] += n.flows
		}
		note := "no rule matched"
		all := slices.SortedFunc(maps.Keys(names), func(a, b string) int {
			return cmp.Or(cmp.Compare(names[b], names[a]), strings.Compare(a, b))
		})
		if len(all) > 0 {
			note = fmt.Sprintf("most: %s, %s of flows", labelName(all[0]), percent(names[all[0]], c.all.flows))
		}
		tiles = append(tiles, tile{"labels", grouped(uint64(len(names))), note})
	}
	return append(tiles, tile{"warnings", grouped(uint64(len(r.Warnings))), map[bool]string{true: "none", false: "see below"}[len(r.Warnings) == 0]})
}

// headline writes a number that has a place of its own.
func headline(n uint64) string {
	const most = 1e7
	if n < most {
		return grouped(n)
	}
	return short(float64(n), "")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(uint64(n)) + " " + what + "s"
}

func labelName(name string) string {
	if name == "" {
		return "(empty)"
	}
	return name
}

func (c *Collector) overTime(g grid) section {
	s := section{ID: "time", Title: "Over time", Text: "Packets and bits are those of every packet that was read, by its time stamp. All figures share one axis."}
	seconds := float64(g.step()) / 1e9
	rate := func(v float64) string { return short(v, "bit/s") }
	put := func(c chart) { s.Blocks = append(s.Blocks, block{Chart: &c}) }
	put(g.overTime(chart{ID: "packets-time", Title: "Packets", YTitle: "packets in an interval", Half: true},
		[]series{{"counted", g.of(&c.counted), true}, {"not counted", g.of(&c.uncounted), false}}, 1, shortNumber))
	put(g.overTime(chart{ID: "bits-time", Title: "Bit rate", YTitle: "bits per second", Note: "Whole frames, by their lengths on the wire.", Half: true},
		[]series{{"all packets", g.of(&c.bytes), true}}, 8/seconds, rate))

	flows := chart{ID: "flows-time", Title: "New flows", YTitle: "flows that begin in an interval", Half: true}
	started := []series{{"flows", g.of(&c.started), true}}
	if len(c.labels) > 0 {
		flows.Title += ", by label"
		flows.Log = len(c.labels) > 1
		started = c.labelled(g, func(o *over) *timeline { return &o.flows })
	}
	put(g.overTime(flows, started, 1, shortNumber))
	if len(c.labels) > 0 {
		put(g.overTime(chart{Log: len(c.labels) > 1,
			ID: "label-packets-time", Title: "Packets of flows, by label", YTitle: "packets in an interval", Half: true,
			Note: "The packets of each flow, spread evenly over its time from the first to the last.",
		}, c.labelled(g, func(o *over) *timeline { return &o.packets }), 1, shortNumber))
	}

	first, last, finished := g.of(&c.started), g.of(&c.last), g.of(&c.finished)
	busy, open := make([]int64, g.n), make([]int64, g.n)
	for i := range g.n {
		if i > 0 {
			busy[i], open[i] = busy[i-1]-last[i-1], open[i-1]-finished[i-1]
		}
		busy[i] += first[i]
		open[i] += first[i]
	}
	put(g.overTime(chart{
		ID: "open-time", Title: "Open flows and evictions", YTitle: "flows", Half: true,
		Note: "In progress: between the first and the last packet. Open: until the idle timeout or another reason ends the flow. Both count every flow that is there in some part of the interval. Evicted: ended early in the interval, for lack of room.",
	}, []series{{"in progress", busy, true}, {"open", open, false}, {"evicted", g.of(&c.evicts), false}}, 1, shortNumber))
	return s
}

// labelled returns what is counted by label over time: the labels with the most flows,
// and the sum of all others.
func (c *Collector) labelled(g grid, which func(*over) *timeline) []series {
	const most = 7
	total := func(v []int64) (sum int64) {
		for _, n := range v {
			sum += n
		}
		return sum
	}
	names := slices.SortedFunc(maps.Keys(c.labels), func(a, b string) int {
		return cmp.Or(cmp.Compare(total(c.labels[b].flows.bins), total(c.labels[a].flows.bins)), strings.Compare(a, b))
	})
	var all []series
	for _, name := range names {
		all = append(all, series{labelName(name), g.of(which(c.labels[name])), false})
	}
	others := g.of(which(&c.otherLabels))
	for _, s := range all[min(most, len(all)):] {
		for i, v := range s.values {
			others[i] += v
		}
	}
	all = all[:min(most, len(all))]
	if total(others) > 0 {
		all = append(all, series{"other labels", others, false})
	}
	return all
}

func (c *Collector) distributions() section {
	s := section{ID: "flows", Title: "Flows", Text: "Distributions of all flows. Bins grow by a factor of 10^(1/5), five to a decade."}
	put := func(c chart) { s.Blocks = append(s.Blocks, block{Chart: &c}) }
	average := func(h *histogram, text func(uint64) string) string {
		if h.n == 0 {
			return ""
		}
		return fmt.Sprintf("Mean %s, greatest %s; half of the flows have less than %s.", text(h.sum/h.n), text(h.max), text(logEdges[h.quantile(0.5)]))
	}
	put(distribution(chart{ID: "flow-bytes", Title: "Bytes in a flow", XTitle: "bytes, both directions", YTitle: "flows", Half: true, Note: average(&c.sizes, bytesText)}, &c.sizes, bytesText, false))
	number := func(v uint64) string { return short(float64(v), "") }
	put(distribution(chart{ID: "flow-packets", Title: "Packets in a flow", XTitle: "packets, both directions", YTitle: "flows", Half: true, Note: average(&c.packets, number)}, &c.packets, number, true))
	put(distribution(chart{ID: "flow-durations", Title: "Duration of a flow", XTitle: "duration", YTitle: "flows", Half: true, Note: average(&c.durations, span)}, &c.durations, span, false))
	put(c.heat())
	return s
}

func (c *Collector) protocolsAndPorts() section {
	s := section{ID: "ports", Title: "Protocols and ports"}
	protocols := ranking{ID: "protocols", Title: "Protocols by bytes", Head: []string{"protocol", "share", "flows", "packets", "bytes"}, Half: true}
	seen := map[uint8]*count{}
	for i := range c.protocols {
		if n := &c.protocols[i]; n.flows > 0 {
			seen[uint8(i)] = n
		}
	}
	for _, key := range byWeight(seen, func(n *count) uint64 { return n.bytes }, func(a, b uint8) int { return cmp.Compare(a, b) }) {
		n := seen[key]
		protocols.add(protocolName(key), "", n.bytes, c.all.bytes, n.flows, n.packets, n.bytes)
	}
	const most = 20
	ports := ranking{ID: "destination-ports", Title: "Destination ports by flows", Head: []string{"port", "share", "flows", "packets", "bytes"}, Half: true,
		Note: "Ports that flows were opened to."}
	all := byWeight(c.ports, func(n *count) uint64 { return n.flows }, func(a, b port) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.protocol, b.protocol))
	})
	var rest count
	for i, key := range all {
		n := c.ports[key]
		if i >= most {
			rest.merge(*n)
			continue
		}
		ports.add(fmt.Sprintf("%d/%s", key.number, strings.ToLower(protocolName(key.protocol))), serviceNames[key.number], n.flows, c.all.flows, n.flows, n.packets, n.bytes)
	}
	if rest.flows > 0 {
		ports.add(grouped(uint64(len(all)-most))+" other ports", "", rest.flows, c.all.flows, rest.flows, rest.packets, rest.bytes)
	}
	s.Blocks = []block{{Ranking: &protocols}, {Ranking: &ports}}
	return s
}

// byWeight returns the keys of counts, those with the greatest weights first.
func byWeight[K comparable](m map[K]*count, weight func(*count) uint64, compare func(a, b K) int) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int {
		return cmp.Or(cmp.Compare(weight(m[b]), weight(m[a])), compare(a, b))
	})
}

// add adds a row whose last cell is a number of bytes.
func (r *ranking) add(name, detail string, part, whole uint64, flows, packets, bytes uint64) {
	r.row(name, detail, part, whole, grouped(flows), grouped(packets), bytesText(bytes))
}

func (r *ranking) row(name, detail string, part, whole uint64, cells ...string) {
	share := 0.0
	if whole > 0 {
		share = round(100 * float64(part) / float64(whole))
	}
	r.Rows = append(r.Rows, rankingRow{name, detail, share, append([]string{percent(part, whole)}, cells...)})
}

// exact says how exact a ranking of frequent keys is.
func exact[K keyed[K]](h *heavy[K], unit func(uint64) string, what string) string {
	if h.lost == 0 {
		return fmt.Sprintf("Exact: there are %s.", grouped(uint64(h.n)))
	}
	return fmt.Sprintf("There are too many to count each. %s are too low by %s at most, and none that has more than that is missing (Misra and Gries); "+
		"the other numbers count from where the row came in.", what, unit(h.lost))
}

func (c *Collector) talkers() section {
	const most = 20
	s := section{ID: "hosts", Title: "Hosts"}
	hosts := ranking{ID: "top-hosts", Title: "Hosts by bytes", Head: []string{"host", "share", "flows", "packets", "bytes"}, Half: true,
		Note: "Sent and received. " + exact(&c.hosts, bytesText, "Bytes")}
	for _, h := range c.hosts.top(most) {
		hosts.add(h.key.ip().String(), "", h.weight, c.all.bytes, h.flows, h.packets, h.weight)
	}
	pairs := ranking{ID: "top-pairs", Title: "Pairs of hosts by bytes", Head: []string{"pair", "share", "flows", "packets", "bytes"}, Half: true,
		Note: exact(&c.pairs, bytesText, "Bytes")}
	for _, p := range c.pairs.top(most) {
		pairs.add(p.key[0].ip().String()+" ↔ "+p.key[1].ip().String(), "", p.weight, c.all.bytes, p.flows, p.packets, p.weight)
	}
	s.Blocks = []block{{Ranking: &hosts}, {Ranking: &pairs}}
	return s
}

// endings returns why flows ended.
func (c *Collector) endings() *ranking {
	reasons := &ranking{ID: "end-reasons", Title: "Why flows ended", Head: []string{"reason", "share", "flows"}, Half: true}
	for reason, text := range []string{
		flowtable.Idle:    "silent for longer than the idle timeout",
		flowtable.Reuse:   "its ports were used again: a SYN with another sequence number",
		flowtable.End:     "open when the capture ended",
		flowtable.Evicted: "ended early to keep to the bound of flows or memory",
		flowtable.Active:  "older than the active timeout",
		flowtable.Closed:  "closed by FIN or RST, and its ports used again",
	} {
		if n := c.reasons[reason]; n > 0 {
			reasons.row(flowtable.Reason(reason).String(), text, n, c.all.flows, grouped(n))
		}
	}
	slices.SortStableFunc(reasons.Rows, func(a, b rankingRow) int { return cmp.Compare(b.Share, a.Share) })
	return reasons
}

func (c *Collector) byRule(unmatched []string) section {
	const most = 100
	s := section{ID: "labels", Title: "Labels"}
	rules := ranking{ID: "rules", Title: "Flows by label and rule", Head: []string{"label", "rule", "share", "flows", "packets", "bytes"}, Text: 1}
	add := func(label, rule string, n count) {
		rules.add(label, "", n.flows, c.all.flows, n.flows, n.packets, n.bytes)
		last := &rules.Rows[len(rules.Rows)-1]
		last.Cells = slices.Insert(last.Cells, 0, rule)
	}
	for i, key := range byWeight(c.ruled, func(n *count) uint64 { return n.flows }, compareRuled) {
		n := c.ruled[key]
		if i >= most {
			c.otherRuled.merge(*n)
			continue
		}
		add(labelName(key.label), cmp.Or(key.rule, "(no rule matched)"), *n)
	}
	if n := c.otherRuled; n.flows > 0 {
		add("all others", "", n)
	}
	if len(unmatched) > 0 {
		rules.Note = "Rules that matched no flow: " + strings.Join(unmatched, ", ") + "."
	}
	s.Blocks = []block{{Ranking: &rules}}
	return s
}

// leftOut returns the section of the classes of packets.
func leftOut(s flowfast.Summary) section {
	out := section{ID: "classes", Title: "Packets that were read", Text: "Each packet is in one class. Only counted packets belong to flows."}
	classes := ranking{ID: "packet-classes", Title: "Classes of packets", Head: []string{"class", "share", "packets"}, Half: true}
	for _, c := range []struct {
		name, text string
		n          uint64
	}{
		{"counted", "belong to a flow", s.Classes.Counted},
		{"other protocol", "IP, but of a protocol that has no flows here", s.Classes.OtherProtocol},
		{"not IP", "no IP header, or a link type that is not known", s.Classes.NotIP},
		{"orphan fragment", "later IP fragments whose first was not seen", s.Classes.OrphanFragment},
		{"truncated", "cut by the snap length before what is needed", s.Classes.Truncated},
		{"malformed", "lengths in headers contradict each other", s.Classes.Malformed},
		{"left out", "not chosen by a filter, a time or a sample", s.Classes.LeftOut},
	} {
		classes.row(c.name, c.text, c.n, s.Packets, grouped(c.n))
	}
	why := ranking{ID: "unread", Title: "What is in packets that are not counted", Head: []string{"what", "share", "packets", "option"}, Half: true,
		Note: "The commonest of the classes other protocol and not IP. An option that gives them flows is named where there is one."}
	for _, u := range s.Unread {
		name := fmt.Sprintf("%s %#04x", u.Kind, u.Number)
		if u.Kind == "IP protocol" {
			name = fmt.Sprintf("%s %d", u.Kind, u.Number)
		}
		why.row(cmp.Or(u.Name, name), map[bool]string{true: name}[u.Name != ""], u.Packets, s.Packets, grouped(u.Packets), u.Option)
	}
	out.Blocks = []block{{Ranking: &classes}}
	if len(why.Rows) > 0 {
		out.Blocks = append(out.Blocks, block{Ranking: &why})
	}
	if len(s.Tunnels) > 0 {
		tunnels := ranking{ID: "tunnels", Title: "UDP tunnels that were not looked into", Head: []string{"tunnel", "share", "packets", "option"}, Half: true}
		for _, u := range s.Tunnels {
			tunnels.row(cmp.Or(u.Name, fmt.Sprint(u.Number)), fmt.Sprintf("UDP port %d", u.Number), u.Packets, s.Packets, grouped(u.Packets), u.Option)
		}
		out.Blocks = append(out.Blocks, block{Ranking: &tunnels})
	}
	return out
}

// about returns what was read, and how.
func about(r Run) section {
	const most = 50
	s := section{ID: "captures", Title: "Captures"}
	captures := ranking{ID: "capture-files", Title: "Files", Head: []string{"capture", "format"}, Text: 1}
	for _, c := range r.Captures[:min(most, len(r.Captures))] {
		captures.Rows = append(captures.Rows, rankingRow{Name: c.Name, Share: -1, Cells: []string{c.Format}})
	}
	if n := len(r.Captures) - most; n > 0 {
		captures.Note = fmt.Sprintf("And %s more.", grouped(uint64(n)))
	}
	if len(r.Options) > 0 {
		s.Text = "Options: " + strings.Join(r.Options, " ")
	}
	s.Blocks = []block{{Ranking: &captures}}
	return s
}
