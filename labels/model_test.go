package labels

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/flowfast/flowfast/flowtable"
)

// A modelRule is a rule as the model has it: in the words of the file, and nothing
// that was made of them.
type modelRule struct {
	label           string
	from, to        string // wall clock of the zone, "2006-01-02 15:04", "" for none
	dates           []string
	when            string
	src, dst        []string
	between         [2][]string
	ports, dstPorts [][2]int
	protocols       []int
	packets         uint64
	isWhere         bool
}

var modelZones = []string{"Europe/Berlin", "America/Halifax", "UTC", "-03:30", "Asia/Kathmandu"}

// Days around changes of the clock: Berlin and Halifax in 2017, and days without.
var modelDays = []string{"2017-03-25", "2017-03-26", "2017-10-28", "2017-10-29", "2017-11-05", "2017-03-12", "2017-07-04"}

// modelInstants finds when clocks of a zone show a time, by looking at them every five
// minutes.
func modelInstants(t *testing.T, text, zone string) []time.Time {
	t.Helper()
	if all, ok := knownInstants[text+zone]; ok {
		return all
	}
	in := time.UTC
	if strings.HasPrefix(zone, "-") {
		in = time.FixedZone(zone, -(3*3600 + 30*60))
	} else if zone != "UTC" {
		var err error
		if in, err = time.LoadLocation(zone); err != nil {
			t.Fatal(err)
		}
	}
	want := text
	day, err := time.Parse("2006-01-02", text[:10])
	if err != nil {
		t.Fatal(err)
	}
	if text[11:] == "24:00" {
		want = day.AddDate(0, 0, 1).Format("2006-01-02") + " 00:00"
	}
	var all []time.Time
	for at := day.Add(-24 * time.Hour); at.Before(day.Add(50 * time.Hour)); at = at.Add(5 * time.Minute) {
		if at.In(in).Format("2006-01-02 15:04") == want {
			all = append(all, at)
		}
	}
	knownInstants[text+zone] = all
	return all
}

var knownInstants = map[string][]time.Time{}

func (m *modelRule) yaml() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - label: %s\n", m.label)
	if m.from != "" {
		fmt.Fprintf(&b, "    from: %s\n", m.from)
	}
	if m.to != "" {
		fmt.Fprintf(&b, "    to: %s\n", m.to)
	}
	if m.dates != nil {
		fmt.Fprintf(&b, "    dates: [%s]\n", strings.Join(m.dates, ", "))
	}
	if m.when != "" {
		fmt.Fprintf(&b, "    when: %s\n", m.when)
	}
	list := func(key string, texts []string) {
		if texts != nil {
			fmt.Fprintf(&b, "    %s: ['%s']\n", key, strings.Join(texts, "', '"))
		}
	}
	list("src", m.src)
	list("dst", m.dst)
	if m.between[0] != nil {
		fmt.Fprintf(&b, "    between: [['%s'], ['%s']]\n", strings.Join(m.between[0], "', '"), strings.Join(m.between[1], "', '"))
	}
	ranges := func(key string, all [][2]int) {
		if all == nil {
			return
		}
		var texts []string
		for _, r := range all {
			texts = append(texts, fmt.Sprintf("%d-%d", r[0], r[1]))
		}
		list(key, texts)
	}
	ranges("ports", m.ports)
	ranges("dst_ports", m.dstPorts)
	if m.protocols != nil {
		fmt.Fprintf(&b, "    protocols: %s\n", strings.ReplaceAll(strings.Trim(fmt.Sprint(m.protocols), "[]"), " ", ","))
	}
	if m.isWhere {
		fmt.Fprintf(&b, "    where: fwd_tot_pkt > %d\n", m.packets)
	}
	return b.String()
}

// takes is the meaning of a rule.
func (m *modelRule) takes(t *testing.T, f *flowtable.Flow, zone string) bool {
	in := func(ip netip.Addr, list []string) bool {
		if list == nil {
			return true
		}
		for _, text := range list {
			if text == "any" {
				return true
			}
			if p, err := netip.ParsePrefix(text); err == nil && p.Contains(ip) {
				return true
			}
			if a, err := netip.ParseAddr(text); err == nil && a == ip {
				return true
			}
		}
		return false
	}
	inPorts := func(port uint16, all [][2]int) bool {
		for _, r := range all {
			if int(port) >= r[0] && int(port) <= r[1] {
				return true
			}
		}
		return false
	}
	src, dst := f.SrcIP(), f.DstIP()
	if !in(src, m.src) || !in(dst, m.dst) {
		return false
	}
	if b := m.between; b[0] != nil {
		there, back := in(src, b[0]) && in(dst, b[1]), in(dst, b[0]) && in(src, b[1])
		if !there && !back {
			return false
		}
	}
	ported := slices.Contains([]uint8{6, 17, 33, 132, 136}, f.Protocol)
	either := ported && (inPorts(f.SrcPort, m.ports) || inPorts(f.DstPort, m.ports))
	to := ported && inPorts(f.DstPort, m.dstPorts)
	if m.ports != nil && !either || m.dstPorts != nil && !to {
		return false
	}
	if m.protocols != nil && !slices.Contains(m.protocols, int(f.Protocol)) {
		return false
	}
	if m.isWhere && f.Fwd.Packets <= m.packets {
		return false
	}
	if m.from == "" && m.to == "" && m.dates == nil {
		return true
	}
	inWindow := func(from, to string) bool {
		start, last := f.StartTime(), time.Unix(0, int64(f.Last))
		var begin, end time.Time
		if from != "" {
			begin = modelInstants(t, from, zone)[0]
		}
		if to != "" {
			all := modelInstants(t, to, zone)
			end = all[len(all)-1]
		}
		startIn := (from == "" || !start.Before(begin)) && (to == "" || start.Before(end))
		lastIn := (from == "" || !last.Before(begin)) && (to == "" || last.Before(end))
		switch m.when {
		case "starts":
			return startIn
		case "inside":
			return startIn && lastIn
		}
		over := from != "" && !last.Before(begin) && !start.After(begin) || startIn
		return over || from == "" && (to == "" || start.Before(end))
	}
	if m.dates == nil {
		return inWindow(m.from, m.to)
	}
	for _, d := range m.dates {
		from, to := "00:00", "24:00"
		if m.from != "" {
			from = m.from
		}
		if m.to != "" {
			to = m.to
		}
		if inWindow(d+" "+from, d+" "+to) {
			return true
		}
	}
	return false
}

var modelAddresses = []string{"10.0.0.1", "10.0.0.2", "10.0.1.77", "192.168.10.50", "172.16.0.1", "2001:db8::1", "2001:db8:1::5", "fe80::1"}
var modelPrefixes = []string{"10.0.0.0/24", "10.0.0.0/16", "10.0.0.1", "192.168.10.50", "172.16.0.0/12", "2001:db8::/32", "2001:db8:1::/48", "fe80::/10", "2001:db8::1", "0.0.0.0/0", "::/0"}

func randomModelRule(t *testing.T, r *rand.Rand, zone string) modelRule {
	m := modelRule{label: fmt.Sprintf("l%d", r.IntN(5))}
	some := func() []string {
		var all []string
		for range 1 + r.IntN(3) {
			all = append(all, modelPrefixes[r.IntN(len(modelPrefixes))])
		}
		return all
	}
	// Times that clocks show, so that the file has no errors.
	clockAt := func() string {
		if r.IntN(3) == 0 {
			return fmt.Sprintf("%02d:%02d", 1+r.IntN(2), 30*r.IntN(2)) // where clocks are put back
		}
		return fmt.Sprintf("%02d:%02d", r.IntN(24), 5*r.IntN(12))
	}
	day := func() string { return modelDays[r.IntN(len(modelDays))] }
	switch r.IntN(4) {
	case 0:
		a, b := day()+" "+clockAt(), day()+" "+clockAt()
		if a > b {
			a, b = b, a
		}
		m.from, m.to = a, b
		switch r.IntN(6) {
		case 0:
			m.from = ""
		case 1:
			m.to = ""
		}
		for _, text := range []string{m.from, m.to} {
			if text != "" && len(modelInstants(t, text, zone)) == 0 || a == b {
				m.from, m.to = "", ""
			}
		}
	case 1:
		for range 1 + r.IntN(3) {
			if d := day(); !slices.Contains(m.dates, d) {
				m.dates = append(m.dates, d)
			}
		}
		if r.IntN(3) > 0 {
			a, b := clockAt(), clockAt()
			if a > b {
				a, b = b, a
			}
			m.from, m.to = a, b
			for _, d := range m.dates {
				if a == b || len(modelInstants(t, d+" "+a, zone)) == 0 || len(modelInstants(t, d+" "+b, zone)) == 0 {
					m.from, m.to = "", ""
				}
			}
		}
	}
	if m.from != "" || m.to != "" || m.dates != nil {
		m.when = []string{"", "overlaps", "starts", "inside"}[r.IntN(4)]
	}
	switch r.IntN(4) {
	case 0:
		m.src = some()
	case 1:
		m.dst = some()
	case 2:
		m.between = [2][]string{some(), some()}
		if r.IntN(4) == 0 {
			m.between[1] = []string{"any"}
		}
	}
	if r.IntN(3) == 0 {
		low := r.IntN(4) * 40
		m.ports = [][2]int{{low, low + r.IntN(2)*100}}
	}
	if r.IntN(5) == 0 {
		m.dstPorts = [][2]int{{80, 80}, {40, 40 + r.IntN(3)}}
	}
	if r.IntN(3) == 0 {
		m.protocols = [][]int{{6}, {17}, {6, 17}, {1, 6}}[r.IntN(4)]
	}
	if m.isWhere = r.IntN(5) == 0; m.isWhere {
		m.packets = uint64(r.IntN(4))
	}
	return m
}

// edges are the ends of a rule's windows, and those of both times that clocks show
// twice.
func (m *modelRule) edges(t *testing.T, zone string) []time.Time {
	var all []time.Time
	for _, text := range []string{m.from, m.to} {
		switch {
		case text == "":
		case m.dates == nil:
			all = append(all, modelInstants(t, text, zone)...)
		default:
			for _, d := range m.dates {
				all = append(all, modelInstants(t, d+" "+text, zone)...)
			}
		}
	}
	return all
}

func randomFlow(r *rand.Rand, edges []time.Time) flowtable.Flow {
	var f flowtable.Flow
	for {
		a, b := netip.MustParseAddr(modelAddresses[r.IntN(len(modelAddresses))]), netip.MustParseAddr(modelAddresses[r.IntN(len(modelAddresses))])
		if a.Is4() == b.Is4() {
			f.Src, f.Dst, f.V6 = words(a), words(b), a.Is6()
			break
		}
	}
	f.SrcPort, f.DstPort = uint16(r.IntN(5)*40), uint16(r.IntN(5)*40)
	f.Protocol = []uint8{6, 17, 1, 132}[r.IntN(4)]
	day, _ := time.Parse("2006-01-02", modelDays[r.IntN(len(modelDays))])
	start := day.Add(time.Duration(r.IntN(36*12))*5*time.Minute + []time.Duration{0, 0, -1, 1, time.Minute}[r.IntN(5)])
	f.Start = flowtable.Time(start.UnixNano())
	f.Last = f.Start + flowtable.Time([]time.Duration{0, 0, 1, 5 * time.Minute, 5*time.Minute - 1, 10 * time.Hour}[r.IntN(6)])
	if len(edges) > 0 && r.IntN(2) == 0 {
		near := func() flowtable.Time {
			return flowtable.Time(edges[r.IntN(len(edges))].UnixNano()) + flowtable.Time(r.IntN(3)-1)
		}
		f.Start = near()
		f.Last = max(f.Start, near())
		if r.IntN(2) == 0 {
			f.Last = f.Start
		}
	}
	f.Fwd.Packets = uint64(1 + r.IntN(4))
	return f
}

// TestRulesAgainstModel wants every flow to have the label that the first of the rules
// gives it which a scan over all of them finds.
func TestRulesAgainstModel(t *testing.T) {
	files, flows := 300, 120
	if testing.Short() {
		files = 40
	}
	matched := map[string]int{}
	for seed := range files {
		r := rand.New(rand.NewPCG(7, uint64(seed)))
		zone := modelZones[seed%len(modelZones)]
		var rules []modelRule
		var edges []time.Time
		text := "zone: " + zone + "\ndefault: none\nrules:\n"
		if zone[0] == '-' {
			text = "zone: '" + zone + "'\ndefault: none\nrules:\n"
		}
		for len(rules) < 1+r.IntN(25) {
			m := randomModelRule(t, r, zone)
			_, err := parseRules([]byte(text[:strings.Index(text, "rules:\n")]+"rules:\n"+m.yaml()), "m.yaml", FindColumn)
			if err != nil {
				if !strings.Contains(err.Error(), "can't match") && !strings.Contains(err.Error(), "no time lies") {
					t.Fatalf("%v in\n%s", err, m.yaml())
				}
				continue // the ends are of two families, or clocks were put back between
			}
			rules = append(rules, m)
			edges = append(edges, m.edges(t, zone)...)
			text += m.yaml()
		}
		file, err := parseRules([]byte(text), "m.yaml", FindColumn)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		set, err := join([]source{file}, []fallback{file.fallback}, nil)
		if err != nil {
			t.Fatal(err)
		}
		run := Plan{Rules: set}.Begin(Capture{})
		label := run.Labeler()
		hit := map[string]bool{}
		for range flows {
			f := randomFlow(r, edges)
			want, wantRule := "none", ""
			for i := range rules {
				if rules[i].takes(t, &f, zone) {
					want, wantRule = rules[i].label, fmt.Sprintf("m#%d", i+1)
					break
				}
			}
			label(&f)
			if f.Label.Name != want || f.Label.Rule != wantRule {
				t.Fatalf("seed %d: %v:%d > %v:%d, %d, from %v to %v: label %q by %q, want %q by %q, of\n%s", seed, f.SrcIP(), f.SrcPort, f.DstIP(), f.DstPort,
					f.Protocol, f.StartTime(), time.Unix(0, int64(f.Last)).UTC(), f.Label.Name, f.Label.Rule, want, wantRule, text)
			}
			if wantRule != "" {
				hit[wantRule] = true
				matched["hit"]++
			} else {
				matched["none"]++
			}
		}
		for _, name := range run.Counts().Unmatched {
			if hit[name] {
				t.Errorf("rule %s is said to have matched nothing", name)
			}
		}
		for _, w := range file.warnings {
			for name := range hit {
				if strings.Contains(w, "rule "+name+" never matches") {
					t.Errorf("seed %d: %s, and yet it did: of\n%s", seed, w, text)
				}
			}
		}
		matched["shadows"] += strings.Count(strings.Join(file.warnings, "\n"), "never matches")
		matched["twice"] += strings.Count(strings.Join(file.warnings, "\n"), "twice")
	}
	t.Log(matched)
	if matched["hit"] < files*flows/10 || matched["none"] < files*flows/10 || matched["shadows"] < files/10 {
		t.Errorf("the test tests little: %v", matched)
	}
}
