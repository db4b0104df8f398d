package labels

import (
	"bufio"
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/flowfast/flowfast/flowtable"
)

// takes tells if all that a rule asks for but its expression is true of a flow.
func takes(r *Rule, f *flowtable.Flow) bool {
	return r.takesEnds(f) && (r.vlans == nil || hasVLAN(r.vlans, f)) &&
		(r.Windows == nil || slices.ContainsFunc(r.Windows, func(in Window) bool { return r.When.takes(in, int64(f.Start), int64(f.Last)) }))
}

// FuzzRules reads files of rules. What is read without an error labels flows as a scan
// over its rules does, and rules that are said never to match do not.
func FuzzRules(f *testing.F) {
	for _, b := range []string{"", "rules: [{label: a, ports: 80}]", "zone: Europe/Berlin\ndefault: x\nrules:\n  - {label: a, dates: 2017-03-26, from: 01:30, to: 3:00 pm, when: inside}\n  - &x {label: b, between: [any, [10.0.0.0/8, '::/0']], protocols: [tcp, 17]}\n  - *x\n",
		"rules: [{label: a, where: duration > 1 and src_ip matches '^1'}, {label: b, vlans: 1-5, capture: '*', columns: {c: d}}]", "a: &a [*a]", "rules: [{label: a, from: 1500000000, to: 1500000001.5}]"} {
		f.Add([]byte(b))
	}
	entries, _ := builtin.ReadDir("builtin")
	for _, e := range entries {
		b, _ := builtin.ReadFile("builtin/" + e.Name())
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		r, err := parseRules(b, "f.yaml", FindColumn)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.yaml:") {
				t.Errorf("error %q does not begin with the name of the file", err)
			}
			return
		}
		set, err := join([]source{r}, []fallback{r.fallback}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Describe(&bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		if len(set.Conditions()) > 0 {
			return // expressions look at features, which these flows have none of
		}
		label := Plan{Rules: set}.Begin(Capture{Path: "a/b.pcap"}).Labeler()
		try := func(flow flowtable.Flow) {
			want := set.fallback.Rule
			for _, rule := range r.rules {
				if (len(rule.Captures) == 0 || rule.isOf(Capture{Path: "a/b.pcap"})) && takes(rule, &flow) {
					want = rule.Name
					break
				}
			}
			if label(&flow); flow.Label.Rule != want {
				t.Errorf("rule %q, want %q, for %+v", flow.Label.Rule, want, flow)
			}
			for _, w := range r.warnings {
				if want != "" && strings.Contains(w, ": rule "+want+" never matches:") {
					t.Errorf("%s, and yet it did", w)
				}
			}
		}
		for _, rule := range r.rules[:min(len(r.rules), 50)] {
			flow := rule.example()
			try(flow)
			flow.Src, flow.Dst, flow.SrcPort, flow.DstPort = flow.Dst, flow.Src, flow.DstPort, flow.SrcPort
			try(flow)
			flow.Last += 1e9
			try(flow)
		}
	})
}

// FuzzEVE reads lines of EVE, and of other JSON. What is read without an error has as
// many records and unusable ones as there are alerts.
func FuzzEVE(f *testing.F) {
	f.Add([]byte(`{"timestamp":"2017-07-14T04:40:05.000000+0200","event_type":"alert","src_ip":"10.0.0.1","src_port":1000,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","community_id":"1:x","alert":{"signature":"S"}}`))
	f.Add([]byte(`{"event_type":"flow"}` + "\n\n" + `{"event_type":"alert","timestamp":"2017-07-14T04:40:05Z"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := readSensor(bytes.NewReader(b), "f", mappingFile{Format: "eve"})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("error %q does not begin with the name of the file", err)
			}
			return
		}
		alerts := 0
		for line := range bytes.Lines(b) {
			var e map[string]any
			if json.Unmarshal(bytes.TrimSpace(line), &e) == nil && e["event_type"] == "alert" {
				alerts++
			}
		}
		used := len(s.records)
		for why, n := range s.unusable {
			if !strings.HasPrefix(why, "community_id") {
				used += int(n)
			}
		}
		if used != alerts {
			t.Errorf("%d alerts, of which %d are counted", alerts, used)
		}
		meet(t, s)
	})
}

// meet wants each record to be found by a flow of its own.
func meet(t *testing.T, s *sensorFile) {
	set, err := join([]source{s}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for number := range s.records[:min(len(s.records), 100)] {
		r := &s.records[number]
		if r.id != "" || r.tuple.protocol == 0 || r.to < r.from {
			continue
		}
		run := Plan{Rules: set}.Begin(Capture{})
		label := run.Labeler()
		flow := flowtable.Flow{Src: r.tuple.b, Dst: r.tuple.a, SrcPort: r.tuple.bPort, DstPort: r.tuple.aPort, Protocol: r.tuple.protocol, V6: r.tuple.v6,
			Start: flowtable.Time(r.from), Last: flowtable.Time(r.from)}
		if label(&flow); run.Counts().Records[0].state[number]&2 == 0 {
			t.Errorf("record %d does not find a flow of its own", number)
		}
	}
}

// FuzzZeek reads Zeek's logs.
func FuzzZeek(f *testing.F) {
	f.Add([]byte("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\n#types\ttime\n1500000005.000000\tC1\t10.0.0.1\t1000\t10.0.0.2\t80\ttcp\t0.5\n#close\n"))
	f.Add([]byte("#fields\tts\n1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := readSensor(bytes.NewReader(b), "f", mappingFile{Format: "zeek"})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("error %q does not begin with the name of the file", err)
			}
			return
		}
		meet(t, s)
	})
}

// FuzzCSV reads comma-separated values, by a mapping or without one.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("start,end,src,src_port,dst,dst_port,protocol,label,x\n1,2,10.0.0.1,1,10.0.0.2,2,tcp,l,y\n"), []byte(""))
	f.Add([]byte("a;b;c;d\n1/2/2020;10.0.0.1;10.0.0.2;l\n"), []byte("separator: ;\nstart: a\nsrc: b\ndst: c\nlabel: d\nlayout: '%d/%m/%Y'\nzone: UTC\n"))
	f.Fuzz(func(t *testing.T, b, mapping []byte) {
		m, err := parseMapping(mapping, "m.yaml")
		if err != nil {
			return
		}
		m.Format = "csv"
		s, err := readSensor(bytes.NewReader(b), "f", m)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("error %q does not begin with the name of the file", err)
			}
			return
		}
		meet(t, s)
	})
}

// FuzzMAWILab converts admd. What comes out is YAML.
func FuzzMAWILab(f *testing.F) {
	f.Add([]byte(`<a><anomaly type="notice" value="2,x"><slice><filter dst_port="80" src_ip="x: y"/><from sec="1421927400" usec="0"/><to sec="1421927500"/></slice></anomaly></a>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		c := &conversion{in: bufio.NewReader(bytes.NewReader(b)), file: "f", to: &out}
		if err := c.mawilab(); err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("error %q does not begin with the name of the file", err)
			}
			return
		}
		var n yaml.Node
		if err := yaml.Unmarshal(out.Bytes(), &n); err != nil {
			t.Errorf("%v in %q", err, &out)
		}
	})
}

// FuzzCIC converts CSVs of CICFlowMeter's. What comes out is read again, with as many
// records.
func FuzzCIC(f *testing.F) {
	f.Add([]byte(cicHeader + "x,172.16.0.1,3000,192.168.10.50,80,6,7/7/2017 3:30,1000000,Web Attack \x96 XSS\n"))
	f.Add([]byte(cicHeader + "x,1.2.3.4,1,::1,2,17,2018-12-01 10:51:39.813448,-1,\"a,\"\"b\"\n,,,,,,,,\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		c := &conversion{in: bufio.NewReader(bytes.NewReader(b)), file: "f", to: &out}
		if err := c.cic(); err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Errorf("error %q does not begin with the name of the file", err)
			}
			return
		}
		if _, err := readSensor(&out, "g.csv", mappingFile{}); err != nil {
			t.Errorf("%v, of %q", err, b)
		}
	})
}

// FuzzTimes reads times, and wants those of a zone to be shown by its clocks.
func FuzzTimes(f *testing.F) {
	for _, text := range []string{"2017-07-04 09:20", "2017-10-29 2:30 AM", "09:20", "1500000000.5", "2017-07-04T24:00:00Z", "2017-03-26 02:30"} {
		f.Add(text, "Europe/Berlin")
		f.Add(text, "-03:30")
	}
	f.Fuzz(func(t *testing.T, text, zone string) {
		sameMoment(t, text)
		in, err := parseZone(zone)
		if err != nil {
			return
		}
		m, err := parseMoment(text)
		if err != nil || m.exact || !m.isDay {
			return
		}
		all, err := instants(m.day, m.clock, in)
		if err != nil {
			return
		}
		want := time.Date(m.day.year, m.day.month, m.day.day, 0, 0, 0, 0, time.UTC).Add(time.Duration(m.clock)).Format(time.DateTime)
		for _, at := range all {
			if got := time.Unix(0, at).In(in).Format(time.DateTime); got != want {
				t.Errorf("%s in %s is %d, which clocks show as %s", text, zone, at, got)
			}
		}
		if !slices.IsSorted(all) || len(all) > 2 {
			t.Errorf("%s in %s: %d", text, zone, all)
		}
	})
}
