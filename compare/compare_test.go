package compare

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// written writes the rows of a capture in a format, and returns the name of the file.
func written(t *testing.T, capture, name string) string {
	t.Helper()
	profile, err := export.FindProfile("full")
	if err != nil {
		t.Fatal(err)
	}
	columns := profile.With(4, nil)
	format, ok := export.FormatOf(name)
	if !ok {
		t.Fatal(name)
	}
	run, err := flowfast.Open(flowfast.Options{}.For(profile.Demand(columns, 4, nil)), capture)
	if err != nil {
		t.Fatal(err)
	}
	table := export.Table{Columns: columns}
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := format.NewWriter(f, table)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Write(context.Background(), w, format.Rows(table)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFormats wants the rows of all formats to be equal, in every column.
func TestFormats(t *testing.T) {
	for _, capture := range []string{"../testdata/web.pcap.zst", "../testdata/nano.pcap"} {
		want := written(t, capture, "flows.csv")
		for _, name := range export.FormatNames() {
			r, err := Files(t.Context(), want, written(t, capture, "flows."+name), Options{})
			if err != nil {
				t.Error(name, err)
				continue
			}
			if !r.Same() || r.B.Format != name || r.Pairs != r.A.Rows || r.Pairs < 4 || len(r.Columns) < 130 || r.A.Columns != nil || r.B.Columns != nil {
				t.Errorf("%s of %s: %d of %d rows in pairs, %d equal in %d columns", name, capture, r.Pairs, r.A.Rows, r.Equal, len(r.Columns))
			}
		}
	}
}

// A flow is a row of a model.
type flow struct {
	source, destination string
	start               int
	packets             int
	text                string
}

func (f *flow) csv() string {
	return fmt.Sprintf("%s,1000,%s,80,tcp,%d.5,%d,%s\n", f.source, f.destination, f.start, f.packets, f.text)
}

const head = "src_ip,src_port,dst_ip,dst_port,protocol,start_time,packets,text\n"

// TestModel compares random tables, with little memory, and looks at what comes of it
// with a model that pairs rows one by one.
func TestModel(t *testing.T) {
	defer func(before int) { memoryNow = before }(memoryNow)
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 60 {
		memoryNow = []int{200, 5000, memory}[round%3]
		slack := random.IntN(3)
		var tables [2][]flow
		for range random.IntN(200) {
			f := flow{fmt.Sprintf("10.0.0.%d", random.IntN(6)), fmt.Sprintf("10.0.1.%d", random.IntN(6)), random.IntN(40), random.IntN(4), "x"}
			for i := range tables {
				if random.IntN(10) == 0 {
					continue
				}
				g := f
				switch random.IntN(8) {
				case 0:
					g.packets++
				case 1:
					g.start += random.IntN(3)
				case 2:
					g.text = "y"
				}
				tables[i] = append(tables[i], g)
			}
		}
		var names [2]string
		for i := range tables {
			random.Shuffle(len(tables[i]), func(a, b int) { tables[i][a], tables[i][b] = tables[i][b], tables[i][a] })
			var b strings.Builder
			b.WriteString(head)
			for k := range tables[i] {
				b.WriteString(tables[i][k].csv())
			}
			names[i] = file(t, fmt.Sprintf("%d.csv", i), b.String())
		}
		got, err := Files(t.Context(), names[0], names[1], Options{Slack: time.Duration(slack) * time.Second, Ignore: []string{"start_time"}})
		if err != nil {
			t.Fatal(err)
		}
		want := model(tables, slack)
		if g := [5]int64{got.Pairs, got.Equal, got.A.Alone, got.B.Alone, got.Columns[5].Differ}; g != want {
			t.Fatalf("round %d: got %v, want %v", round, g, want)
		}
	}
}

// model returns pairs, equal ones, rows alone in each table, and pairs with other
// numbers of packets: the earliest row that is left is paired with the earliest one of
// the other table that is near enough.
func model(tables [2][]flow, slack int) (counts [5]int64) {
	type row struct {
		flow
		table, number int
		used          bool
	}
	var all []*row
	for i := range tables {
		for k, f := range tables[i] {
			all = append(all, &row{f, i, k, false})
		}
	}
	slices.SortFunc(all, func(a, b *row) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.number, b.number)) })
	for _, a := range all {
		if a.used {
			continue
		}
		a.used = true
		i := slices.IndexFunc(all, func(b *row) bool {
			return !b.used && b.table != a.table && a.source == b.source && a.destination == b.destination && b.start-a.start <= slack
		})
		if i < 0 {
			counts[2+a.table]++
			continue
		}
		b := all[i]
		b.used = true
		counts[0]++
		if a.packets != b.packets {
			counts[4]++
		} else if a.text == b.text {
			counts[1]++
		}
	}
	return counts
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestValues wants values to be equal or not, and differences to be what they are.
func TestValues(t *testing.T) {
	for _, test := range []struct {
		a, b     string
		options  Options
		equal    bool
		relative float64
	}{
		{"1", "1", Options{}, true, 0},
		{"1", "1.000", Options{}, true, 0},
		{"0", "-0", Options{}, true, 0},
		{"1e3", "1000", Options{}, true, 0},
		{"nan", "NaN", Options{}, true, 0},
		{"100", "101", Options{}, false, 1 / 101.},
		{"100", "101", Options{Absolute: 1}, true, 0},
		{"100", "101", Options{Relative: 0.01}, true, 0},
		{"100", "102", Options{Absolute: 1, Relative: 0.001}, false, 2 / 102.},
		{"-1", "1", Options{}, false, 2},
		{"0", "5", Options{}, false, 1},
		{"inf", "1", Options{}, false, 0},
		{"", "1", Options{Absolute: 5}, false, 0},
		{"a", "b", Options{Absolute: 5}, false, 0},
		{"a", "a", Options{}, true, 0},
	} {
		c := Column{scale: [2]float64{1, 1}}
		r := row{key: key{tuple: []byte("a b 6")}}
		if equal := c.compare(&r, &r, test.a, test.b, &test.options); equal != test.equal || c.Relative != test.relative {
			t.Errorf("%s and %s with %+v: got %v and %v, want %v and %v", test.a, test.b, test.options, equal, c.Relative, test.equal, test.relative)
		}
	}
}

// TestTimes wants a time to be read in whatever form programs write it.
func TestTimes(t *testing.T) {
	want := time.Date(2026, 11, 23, 11, 38, 52, 0, time.UTC).UnixNano()
	for text, more := range map[string]int64{
		"1795433932": 0, "1795433932.369864001": 369864001, "1795433932369": 369e6, "1795433932369864": 369864e3, "1795433932369864001": 369864001,
		"1795433932369.5": 3695e5, "23/11/2026 11:38:52 AM": 0, "23/11/2026 11:38:52": 0, "2026-11-23 11:38:52": 0, "2026-11-23 11:38:52.25": 25e7,
		"2026-11-23T11:38:52Z": 0, "2026-11-23T13:38:52+02:00": 0, "23/11/2026 11:38": -52e9,
	} {
		if got, err := parseTime(text, 0); err != nil || got != want+more {
			t.Errorf("%s: got %d and %v, want %d", text, got, err, want+more)
		}
	}
	for _, text := range []string{"", "x", "1.x", "2026-13-01 00:00:00", "9300000000000000000000"} {
		if got, err := parseTime(text, 0); err == nil {
			t.Errorf("%q: got %d", text, got)
		}
	}
}

// TestPrograms pairs rows of different programs by the columns that say the same.
func TestPrograms(t *testing.T) {
	own := file(t, "own.csv", "src_ip,src_port,dst_ip,dst_port,protocol,start_time,duration,fwd_tot_pkt,bwd_tot_pkt\n"+
		"192.0.2.1,1000,192.0.2.2,80,6,1795433932.4,1.5,3,4\n2001:DB8::1,1,2001:db8::2,53,17,1795433932.4,0,1,0\n")
	for name, text := range map[string]string{
		"nfstream": "src_ip,src_port,dst_ip,dst_port,protocol,bidirectional_first_seen_ms,bidirectional_duration_ms,src2dst_packets,dst2src_packets\n" +
			"192.0.2.1,1000,192.0.2.2,80,6,1795433932400,1500,3,4\n2001:db8::1,1,2001:db8::2,53,17,1795433932400,0,1,0\n",
		"cicflowmeter": "Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Total Fwd Packet,Total Bwd packets\n" +
			"192.0.2.1,1000,192.0.2.2,80,6,23/11/2026 11:38:52 AM,1500000,3,4\n2001:db8::1,1,2001:db8:0:0::2,53,17,23/11/2026 11:38:52 AM,0,1,0\n",
		"cic-ids2017": " Source IP, Source Port, Destination IP, Destination Port, Protocol, Timestamp, Flow Duration, Total Fwd Packets, Total Backward Packets\n" +
			"192.0.2.1,1000,192.0.2.2,80,6,23/11/2026 11:38:52,1500000,3,4\n2001:db8::1,1,2001:db8::2,53,17,23/11/2026 11:38:52,0,1,0\n",
		"pyflowmeter": "Flow duration,protocol,src_port,dst_port,fwd_tot_pkt,bwd_tot_pkt\n1.5,TCP,1000,80,3,4\n0,UDP,1,53,1,0\n",
	} {
		r, err := Files(t.Context(), own, file(t, name, text), Options{Slack: time.Second})
		if err != nil {
			t.Error(name, err)
		} else if r.Pairs != 2 || !r.Same() || r.Swapped != 0 || len(r.Columns) < 3 {
			t.Errorf("%s: got %+v", name, r)
		}
	}
	turned := file(t, "turned.csv", head+"192.0.2.2,80,192.0.2.1,1000,6,1795433932.4,3,x\n")
	r, err := Files(t.Context(), own, turned, Options{})
	if err != nil || r.Pairs != 1 || r.Swapped != 1 || r.Equal != 0 || r.A.Alone != 1 {
		t.Errorf("turned: got %+v, %v", r, err)
	}
}

// TestTrouble wants what can't be read to be told, with its place.
func TestTrouble(t *testing.T) {
	good := file(t, "good.csv", head+"192.0.2.1,1,192.0.2.2,2,6,1,1,x\n")
	parquet, err := os.ReadFile(written(t, "../testdata/flags.pcap", "flows.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, text, want string }{
		{"empty.csv", "", "is empty"},
		{"width.csv", head + "1,2\n", "width.csv:2: want 8 values"},
		{"quote.csv", head + "\"x\n", `quote.csv:2: column 4: extraneous or missing " in quoted-field`},
		{"time.csv", head + "192.0.2.1,1,192.0.2.2,2,6,noon,1,x\n", `row 1: "noon" is not a time`},
		{"key.csv", "a,b\n1,2\n", "want addresses or ports"},
		{"line.jsonl", `{"src_port":1,"dst_port":2}` + "\n" + `{"src_port":1,"dst_ip":1}` + "\n", `line.jsonl:2: has "dst_ip"`},
		{"cut.jsonl", "{\"src_ip\":", "cut.jsonl:1: unexpected EOF"},
		{"cut.parquet", string(parquet[:len(parquet)-9]), "its end is missing"},
		{"foot.parquet", string(parquet[:len(parquet)-200]) + strings.Repeat("\xff", 192) + string(parquet[len(parquet)-8:]), "is damaged"},
		{"arrow", "ARROW1\x00\x00xxxxxxxxxxxx", "arrow: "},
		{"gz.csv", "\x1f\x8bxxxx", "gz.csv: "},
	} {
		_, err := Files(t.Context(), good, file(t, test.name, test.text), Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}

// FuzzTable reads any bytes as a table.
func FuzzTable(f *testing.F) {
	for _, name := range []string{"flows.parquet", "flows.csv", "flows.jsonl"} {
		// The rows of one flow are few bytes.
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		table, err := open(file(t, "table", string(b)))
		if err != nil {
			return
		}
		defer table.Close()
		row := make([][]byte, len(table.columns()))
		for range 100_000 {
			if table.next(row) != nil {
				return
			}
		}
	})
}

// TestLists reads a page of the lists [], [5, 6] and [].
func TestLists(t *testing.T) {
	c := parquetColumn{list: true, kind: parquetInt64, values: []byte{
		6, 0, 0, 0, 2 << 1, 0, 1 << 1, 1, 1 << 1, 0, // whether a number stands in the list of the one before: 0 0 1 0
		6, 0, 0, 0, 1 << 1, 0, 2 << 1, 1, 1 << 1, 0, // whether it is there: 0 1 1 0
		5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
	}}
	if !c.levels(4) || len(c.ends) != 3 {
		t.Fatal(c.ends)
	}
	for row, want := range []string{"[]", "[5, 6]", "[]"} {
		if got, ok := c.append(nil, row); !ok || string(got) != want {
			t.Errorf("row %d: got %s, want %s", row, got, want)
		}
	}
}
