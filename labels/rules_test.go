package labels

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// load makes a set of rules.
func loadRules(t testing.TB, text string) *Set {
	t.Helper()
	file, err := parseRules([]byte(text), "r.yaml", FindColumn)
	if err != nil {
		t.Fatal(err)
	}
	set, err := join([]source{file}, []fallback{file.fallback}, file.warnings)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func flowOf(src, dst string, srcPort, dstPort uint16, protocol uint8, start, last time.Time) flowtable.Flow {
	a, b := netip.MustParseAddr(src), netip.MustParseAddr(dst)
	return flowtable.Flow{Src: words(a), Dst: words(b), V6: a.Is6(), SrcPort: srcPort, DstPort: dstPort, Protocol: protocol,
		Start: flowtable.Time(start.UnixNano()), Last: flowtable.Time(last.UnixNano()), Fwd: flowtable.Direction{Packets: 1}}
}

// TestErrors wants every error to be told with where it is.
func TestErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "r.yaml: is empty"},
		{"rules: [\n", "r.yaml:1: is no YAML: "},
		{"rules: {}\n", "r.yaml:1:8: want a list of rules"},
		{"zone: UTC\n", "r.yaml:1:1: has no rules"},
		{"a: 1\nrules: []\n", `r.yaml:1:1: a file of rules has no key "a"`},
		{"rules:\n  - label: a\n    port: 80\n", `r.yaml:3:5: a rule has no key "port": it is "ports"`},
		{"rules:\n  - label: a\n    category: x\n", `r.yaml:3:5: a rule has no key "category": its keys are label, name`},
		{"rules:\n  - label: a\n    label: b\n", `r.yaml:3:5: the key "label" is given twice`},
		{"rules:\n  - ports: 80\n", "r.yaml:2:5: a rule without a label"},
		{"rules:\n  - label: a\n    ports: 0443\n", `r.yaml:3:12: a port "0443": want a number from 0 to 65535 without zeros in front`},
		{"rules:\n  - label: a\n    ports: [80, 70000]\n", `r.yaml:3:17: a port "70000"`},
		{"rules:\n  - label: a\n    ports: 90-80\n", "r.yaml:3:12: a port range \"90-80\""},
		{"rules:\n  - label: a\n    ports: 80\n    protocols: [icmp, 47]\n", "r.yaml:4:16: can't match: none of these protocols has ports"},
		{"rules:\n  - label: a\n    protocols: tpc\n", `r.yaml:3:16: protocol "tpc"`},
		{"rules:\n  - label: a\n    vlans: 4096\n", `r.yaml:3:12: a VLAN "4096"`},
		{"rules:\n  - label: a\n    src: 10.0.0.1/8\n", "r.yaml:3:10: prefix 10.0.0.1/8 has bits beyond its length: want 10.0.0.0/8"},
		{"rules:\n  - label: a\n    src: fe80::1%eth0\n", `r.yaml:3:10: address "fe80::1%eth0"`},
		{"rules:\n  - label: a\n    src: 10.0.0.1\n    dst: ::1\n", "r.yaml:4:10: can't match: source and destination are IPv4 and IPv6"},
		{"rules:\n  - label: a\n    between: [10.0.0.1]\n", "r.yaml:3:14: want the two ends"},
		{"rules:\n  - label: a\n    between: [10.0.0.1, '::1']\n", "r.yaml:3:14: can't match: one end is IPv4"},
		{"rules:\n  - label: a\n    src: []\n", "r.yaml:3:10: the list is empty: nothing can match"},
		{"rules:\n  - label: a\n    from: 2017-07-04 09:20\n", `r.yaml:3:11: time "2017-07-04 09:20" is in no zone`},
		{"zone: Mars/Olympus\nrules: []\n", `r.yaml:1:7: zone "Mars/Olympus" is not in the IANA database`},
		{"zone: UTC\nrules:\n  - label: a\n    from: 09:20\n    to: 10:20\n", `r.yaml:4:11: time of day "09:20": of which days say dates`},
		{"zone: UTC\nrules:\n  - label: a\n    dates: 2017-07-04\n    from: 09:20\n    to: 1:20\n", "r.yaml:6:9: no time of a day lies from 09:20 to 1:20; hours after noon are 13:00"},
		{"zone: UTC\nrules:\n  - label: a\n    from: 2017-07-04 10:00\n    to: 2017-07-04 10:00\n", "r.yaml:5:9: no time lies from"},
		{"zone: UTC\nrules:\n  - label: a\n    dates: 2017-02-29\n", `r.yaml:4:12: date "2017-02-29"`},
		{"zone: UTC\nrules:\n  - label: a\n    from: 2017-07-04 25:00\n", `r.yaml:4:11: time of day "25:00"`},
		{"zone: UTC\nrules:\n  - label: a\n    from: 2017-07-04 13:00 PM\n", `r.yaml:4:11: time of day "13:00 PM"`},
		{"zone: Europe/Berlin\nrules:\n  - label: a\n    from: 2017-03-26 02:30\n", "r.yaml:4:11: on 2017-03-26 clocks in Europe/Berlin never show 2017-03-26 02:30"},
		{"rules:\n  - label: a\n    when: starts\n", "r.yaml:3:11: when says nothing without from, to or dates"},
		{"rules:\n  - label: a\n    when: during\n", `r.yaml:3:11: when "during": want overlaps, starts or inside`},
		{"rules:\n  - label: a\n    capture: '[a'\n", `r.yaml:3:14: capture "[a": is no pattern`},
		{"rules:\n  - label: a\n    where: duration >\n", "r.yaml:3:21: where: unexpected token EOF"},
		{"rules:\n  - label: a\n    where: duration > 1 and durration > 2\n", `r.yaml:3:29: where: no column "durration"`},
		{"rules:\n  - label: a\n    where: src_ip > 1\n", "r.yaml:3:19: where: invalid operation: >"},
		{"rules:\n  - label: a\n    where: duration + 1\n", "where: expected bool"},
		{"rules:\n  - label: a\n    where: 1 > 2\n", "r.yaml:3:12: where is always false: the rule can't match"},
		{"rules:\n  - label: a\n    where: now() != nil\n", "where:"},
		{"columns: {category: x}\nrules:\n  - label: a\n    columns: {kategory: y}\n", `r.yaml:4:14: column "kategory" is not among those of the file: category`},
		{"columns: {src_ip: x}\nrules: []\n", `r.yaml:1:11: column "src_ip" is there already`},
		{"rules:\n  - {label: a, name: x}\n  - {label: b, name: x}\n", `r.yaml:3:5: a second rule of the name "x"`},
		{"rules: []\n---\nrules: []\n", "a second document"},
	} {
		_, err := parseRules([]byte(test.text), "r.yaml", FindColumn)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want %q", test.text, err, test.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"rules:\n  - {label: a, src: 10.0.0.0/8}\n  - {label: b, src: 10.1.2.3, ports: 80}\n", "r.yaml:3:5: rule r#2 never matches: rule r#1 in line 2 takes all its flows before it"},
		{"rules:\n  - {label: a, src: 10.0.0.0/8}\n  - {label: b, dst: 10.1.2.3}\n", ""},
		{"rules:\n  - {label: a, ports: 80-90}\n  - {label: b, dst_ports: [80, 90]}\n", "never matches"},
		{"rules:\n  - {label: a, dst_ports: 80-90}\n  - {label: b, ports: [80, 90]}\n", ""},
		{"rules:\n  - {label: a, between: [10.0.0.0/8, any]}\n  - {label: b, dst: 10.1.2.3}\n", "never matches"},
		{"rules:\n  - {label: a, where: duration > 1}\n  - {label: b, where: duration > 1, ports: 1}\n", "never matches"},
		{"rules:\n  - {label: a, where: duration > 1}\n  - {label: b, where: duration > 2}\n", ""},
		{"zone: UTC\nrules:\n  - {label: a, from: 2020-01-01, to: 2020-01-03, when: inside}\n  - {label: b, dates: 2020-01-02}\n", ""},
		{"zone: UTC\nrules:\n  - {label: a, from: 2020-01-01, to: 2020-01-03}\n  - {label: b, dates: 2020-01-02, when: inside}\n", "never matches"},
		{"zone: Europe/Berlin\nrules:\n  - {label: a, dates: 2017-10-29, from: 02:30, to: 02:45}\n", "show 02:30 twice: the first time is meant"},
		{"rules:\n  - {label: a, where: 1 < 2}\n", "where does not look at any column"},
	} {
		r, err := parseRules([]byte(test.text), "r.yaml", FindColumn)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		got := strings.Join(r.warnings, "\n")
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%q: warnings %q, want %q", test.text, got, test.want)
		}
	}
}

// TestWindows holds the ends of windows against instants that are written out.
func TestWindows(t *testing.T) {
	for _, test := range []struct{ zone, rule, from, to string }{
		{"America/Halifax", "dates: 2017-07-04, from: '9:20', to: '10:20'", "2017-07-04T12:20:00Z", "2017-07-04T13:20:00Z"},
		{"America/Halifax", "dates: 2018-02-14, from: '2:01 PM', to: '3:31 pm'", "2018-02-14T18:01:00Z", "2018-02-14T19:31:00Z"},
		{"'-03:00'", "from: 2017-07-04 12:00 AM, to: 2017-07-04 12:30 PM", "2017-07-04T03:00:00Z", "2017-07-04T15:30:00Z"},
		{"Europe/Berlin", "dates: 2017-10-29", "2017-10-28T22:00:00Z", "2017-10-29T23:00:00Z"},
		{"Europe/Berlin", "dates: 2017-03-26", "2017-03-25T23:00:00Z", "2017-03-26T22:00:00Z"},
		{"Europe/Berlin", "from: 2017-10-29 02:30:00+01:00, to: 1509242400.5", "2017-10-29T01:30:00Z", "2017-10-29T02:00:00.5Z"},
		{"America/Sao_Paulo", "dates: 2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}, // whose day began at 01:00
		{"UTC", "from: 2017-07-04T09:20:00.123456789Z, to: 2017-07-04 24:00", "2017-07-04T09:20:00.123456789Z", "2017-07-05T00:00:00Z"},
	} {
		r, err := parseRules([]byte("zone: "+test.zone+"\nrules:\n  - {label: a, "+test.rule+"}\n"), "r.yaml", FindColumn)
		if err != nil {
			t.Errorf("%s: %v", test.rule, err)
			continue
		}
		w := r.rules[0].Windows[0]
		from, to := time.Unix(0, w.From).UTC().Format(time.RFC3339Nano), time.Unix(0, w.To).UTC().Format(time.RFC3339Nano)
		if from != test.from || to != test.to {
			t.Errorf("%s, %s: from %s to %s, want from %s to %s", test.zone, test.rule, from, to, test.from, test.to)
		}
	}
}

// TestWhere wants expressions to see columns as they are.
func TestWhere(t *testing.T) {
	start := time.Date(2020, 1, 2, 3, 4, 5, 500_000_000, time.UTC)
	f := flowOf("10.0.0.1", "10.0.0.2", 1000, 80, 6, start, start.Add(1500*time.Millisecond))
	f.Fwd.Packets, f.Fwd.Bytes, f.Bwd.Packets = 3, 300, 2
	f.Features = &features.Flow{}
	f.Features.Link.NumVLANs, f.Features.Link.VLANs[0] = 1, 7
	for _, test := range []struct {
		where string
		want  bool
	}{
		{"duration == 1.5", true},
		{"duration > 1.5 or fwd_tot_pkt > 3", false},
		{"start_time == 1577934245.5", true},
		{"src_ip == '10.0.0.1' and dst_port in [80, 443]", true},
		{"fwd_tot_byte / fwd_tot_pkt == 100", true},
		{"vlan_ids == '7'", true},
		{`column("Flow Duration") == 1500000`, true},
		{`column("cicflowmeter:Total Fwd Packet") == 3`, true},
		{"end_reason == 'idle'", true},
		{"not (bwd_tot_pkt >= 2)", false},
		{"src_ip startsWith '10.'", true},
	} {
		set := loadRules(t, fmt.Sprintf("rules:\n  - label: a\n    where: %q\n", test.where))
		label := Plan{Rules: set}.Begin(Capture{}).Labeler()
		label(&f)
		if got := f.Label.Name == "a"; got != test.want {
			t.Errorf("%s: %v, want %v", test.where, got, test.want)
		}
	}
	set := loadRules(t, "rules:\n  - label: a\n    where: int(src_ip) > 1\n")
	run := Plan{Rules: set}.Begin(Capture{})
	label := run.Labeler()
	label(&f)
	if w := run.Counts().Warnings; f.Label.Name != "" || len(w) != 1 || !strings.Contains(w[0], "can't be evaluated for 1 flows") {
		t.Errorf("an expression that can't be evaluated: label %q, warnings %q", f.Label.Name, w)
	}
}

func TestVLANAndCapture(t *testing.T) {
	set := loadRules(t, "default: no\nrules:\n  - {label: v, vlans: [5, 7-9]}\n  - {label: c, capture: 'Tue*.pcap'}\n  - {label: d, capture: [x/*.pcap]}\n")
	f := flowOf("10.0.0.1", "10.0.0.2", 1, 2, 6, time.Unix(0, 0), time.Unix(0, 0))
	tagged := f
	tagged.Features = &features.Flow{}
	tagged.Features.Link.NumVLANs = 2
	tagged.Features.Link.VLANs[1] = 8
	for _, test := range []struct {
		path  string
		f     flowtable.Flow
		label string
	}{
		{"", tagged, "v"}, {"", f, "no"}, {"a/Tuesday.pcap", f, "c"}, {"Wed.pcap", f, "no"}, {"y/x/b.pcap", f, "d"}, {"b.pcap", f, "no"},
	} {
		label := Plan{Rules: set}.Begin(Capture{Path: test.path}).Labeler()
		if label(&test.f); test.f.Label.Name != test.label {
			t.Errorf("capture %q: label %q, want %q", test.path, test.f.Label.Name, test.label)
		}
	}
	if !set.AsksVLAN() || len(set.Globs()) != 1 {
		t.Error("nothing is said to ask for VLANs or captures")
	}
}

// TestColumns wants each rule's own columns in the order of all.
func TestColumns(t *testing.T) {
	one, err := parseRules([]byte("columns: {category: none, attempted: no}\ndefault: B\nrules:\n  - {label: a, ports: 1, columns: {attempted: yes}}\n"), "1.yaml", FindColumn)
	if err != nil {
		t.Fatal(err)
	}
	two, err := parseRules([]byte("rules:\n  - {label: b, ports: 2, columns: {tool: x}}\n"), "2.yaml", FindColumn)
	if err != nil {
		t.Fatal(err)
	}
	set, err := join([]source{one, two}, []fallback{one.fallback, two.fallback}, nil)
	if err != nil {
		t.Fatal(err)
	}
	label := Plan{Rules: set}.Begin(Capture{}).Labeler()
	for port, want := range map[uint16]string{1: "a 1#1 [none yes ]", 2: "b 2#1 [none no x]", 3: "B  [none no ]"} {
		f := flowOf("10.0.0.1", "10.0.0.2", port, 9, 6, time.Unix(0, 0), time.Unix(0, 0))
		label(&f)
		if got := fmt.Sprint(f.Label.Name, " ", f.Label.Rule, " ", f.Label.More); got != want {
			t.Errorf("port %d: %s, want %s", port, got, want)
		}
	}
	three, _ := parseRules([]byte("default: C\nrules: []\n"), "3.yaml", FindColumn)
	if _, err := join([]source{one, three}, []fallback{one.fallback, three.fallback}, nil); err == nil || !strings.Contains(err.Error(), `3.yaml: the default is "C"`) {
		t.Errorf("two defaults: %v", err)
	}
}

// TestSchemaKeys wants the schema to know the keys that the parser does.
func TestSchemaKeys(t *testing.T) {
	type object struct {
		Properties           map[string]any
		AdditionalProperties any
		Required             []string
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		in   object
		want []string
	}{"file": {schema.object, fileKeys}, "rule": {schema.Defs["rule"], ruleKeys}} {
		if got, want := slices.Sorted(maps.Keys(test.in.Properties)), slices.Sorted(slices.Values(test.want)); !slices.Equal(got, want) {
			t.Errorf("the schema of a %s has the keys %v, want %v", what, got, want)
		}
		if test.in.AdditionalProperties != false {
			t.Errorf("the schema of a %s takes other keys", what)
		}
	}
	if text := fmt.Sprint(schema.Defs["when"]); text == "" {
		t.Error("no when")
	}
	for _, w := range whens {
		if !strings.Contains(string(Schema), `"`+w+`"`) {
			t.Errorf("the schema does not know when: %s", w)
		}
	}
}

// TestBuiltins wants the rule files that flowfast has to be without errors and
// warnings, and some of their rules to say what is known.
func TestBuiltins(t *testing.T) {
	all, err := Builtins()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 {
		t.Errorf("%d files, want 3", len(all))
	}
	for _, b := range all {
		set, _, err := Load([]string{BuiltinPrefix + b.Name})
		if err != nil {
			t.Fatal(err)
		}
		if w := set.Warnings(); len(w) > 0 {
			t.Errorf("%s: %q", b.Name, w)
		}
		if b.Title == "" || len(b.Sources) < 2 {
			t.Errorf("%s: title %q, sources %q", b.Name, b.Title, b.Sources)
		}
	}
	payload := func(f flowtable.Flow, bytes uint64) flowtable.Flow {
		f.Features = &features.Flow{}
		for range bytes {
			f.Features.Payload.Bytes[0].Add(1)
		}
		return f
	}
	at := func(text string) time.Time {
		when, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, test := range []struct {
		name string
		f    flowtable.Flow
		want string
	}{
		// The schedule says 9:20 to 10:20 in Fredericton.
		{"cic-ids2017", payload(flowOf("172.16.0.1", "192.168.10.50", 50000, 21, 6, at("2017-07-04T09:30:00-03:00"), at("2017-07-04T09:30:05-03:00")), 9), "FTP-Patator"},
		{"cic-ids2017", payload(flowOf("172.16.0.1", "192.168.10.50", 50000, 21, 6, at("2017-07-04T09:30:00-03:00"), at("2017-07-04T09:30:05-03:00")), 0), "FTP-Patator - Attempted"},
		{"cic-ids2017", payload(flowOf("172.16.0.1", "192.168.10.50", 50000, 21, 6, at("2017-07-04T11:30:00-03:00"), at("2017-07-04T11:30:05-03:00")), 9), "BENIGN"},
		{"cic-ids2017", payload(flowOf("172.16.0.1", "192.168.10.50", 50000, 80, 6, at("2017-07-07T16:00:00-03:00"), at("2017-07-07T16:00:05-03:00")), 9), "DDoS"},
		{"cse-cic-ids2018", payload(flowOf("13.58.98.64", "172.31.69.25", 50000, 22, 6, at("2018-02-14T14:30:00-04:00"), at("2018-02-14T14:30:05-04:00")), 9), "SSH-BruteForce"},
		{"cic-ddos2019", flowOf("172.16.0.5", "192.168.50.1", 50000, 123, 17, at("2018-12-01T10:40:00-04:00"), at("2018-12-01T10:40:05-04:00")), "DrDoS_NTP"},
		{"cic-ddos2019", flowOf("172.16.0.5", "192.168.50.4", 50000, 111, 17, at("2018-11-03T09:45:00-03:00"), at("2018-11-03T09:45:05-03:00")), "Portmap"},
	} {
		set, _, err := Load([]string{BuiltinPrefix + test.name})
		if err != nil {
			t.Fatal(err)
		}
		label := Plan{Rules: set}.Begin(Capture{}).Labeler()
		if label(&test.f); test.f.Label.Name != test.want {
			t.Errorf("%s: flow of %v is %q by %s, want %q", test.name, test.f.StartTime(), test.f.Label.Name, test.f.Label.Rule, test.want)
		}
	}
	if _, err := BuiltinFile("../load"); err == nil {
		t.Error("there is a file builtin:../load")
	}
	if _, err := fs.Stat(builtin, "builtin"); err != nil {
		t.Error(err)
	}
}

// TestWorkers wants the counts of many goroutines to be those of one. Run with -race.
func TestWorkers(t *testing.T) {
	set := loadRules(t, "default: other\nrules:\n  - {label: a, ports: 0-99, where: fwd_tot_pkt == 1}\n  - {label: b, src: 10.0.0.1}\n  - {label: never, src: 1.2.3.4}\n")
	run := Plan{Rules: set}.Begin(Capture{})
	var group sync.WaitGroup
	for range 8 {
		label := run.Labeler()
		group.Go(func() {
			for i := range 1000 {
				f := flowOf("10.0.0.1", "10.0.0.2", uint16(i), 5000, 6, time.Unix(0, 0), time.Unix(0, 0))
				label(&f)
			}
		})
	}
	group.Wait()
	c := run.Counts()
	if got := fmt.Sprint(c.Labels, c.Unmatched); got != "[{b 7200 7200} {a 800 800}] [r#3]" {
		t.Errorf("counts are %s", got)
	}
}

// BenchmarkRules labels flows by more and more rules: the time for a flow is hardly
// another one.
func BenchmarkRules(b *testing.B) {
	for _, n := range []int{1, 100, 1_000, 10_000} {
		var text strings.Builder
		text.WriteString("zone: UTC\ndefault: BENIGN\nrules:\n")
		for i := range n {
			fmt.Fprintf(&text, "  - {label: a%d, between: [10.%d.%d.0/24, 192.168.%d.%d], ports: %d, from: 2020-01-%02d %02d:00, to: 2020-01-%02d %02d:30}\n",
				i%50, i>>8&255, i&255, i%7, i%251, 1024+i%2000, 1+i%28, i%24, 1+i%28, i%24)
		}
		set := loadRules(b, text.String())
		flows := make([]flowtable.Flow, 4096)
		at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := range flows {
			src := fmt.Sprintf("10.%d.%d.%d", i*n/4096>>8&255, i*n/4096&255, 1+i%200)
			flows[i] = flowOf(src, fmt.Sprintf("192.168.%d.%d", i%7, i%251), uint16(1024+i%2000), uint16(50000+i%1000), 6, at.Add(time.Duration(i)*10*time.Minute), at.Add(time.Duration(i)*10*time.Minute+time.Second))
		}
		b.Run(fmt.Sprintf("rules=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			label := Plan{Rules: set}.Begin(Capture{}).Labeler()
			for i := 0; b.Loop(); i++ {
				label(&flows[i&4095])
			}
		})
	}
}
