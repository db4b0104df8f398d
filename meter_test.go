package flowfast_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/internal/testpcap"
	"github.com/flowfast/flowfast/ioutil"
	"github.com/flowfast/flowfast/legacy"
)

// alone returns the rows that a meter makes by itself of the packets of a capture
// that are taken.
func alone(t *testing.T, m legacy.Meter, path string, takes func(*ioutil.Record) bool) []byte {
	t.Helper()
	c, err := ioutil.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var format legacy.CSV
	b := format.AppendHeader(nil)
	records := make([]ioutil.Record, 7)
	for err == nil {
		var n int
		n, err = c.Read(records)
		for i := range records[:n] {
			if !takes(&records[i]) {
				continue
			}
			if f := m.Add(&records[i]); f != nil {
				b = format.AppendRow(b, f)
			}
		}
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	for _, f := range m.Rest() {
		b = format.AppendRow(b, f)
	}
	return b
}

func all(*ioutil.Record) bool { return true }

// metered returns the rows of a run with the meter.
func metered(t *testing.T, o flowfast.Options, files ...string) ([]byte, flowfast.Summary) {
	t.Helper()
	o.Meter = legacy.Original{}
	run, err := flowfast.Open(o, files...)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := run.Write(t.Context(), &b, legacy.Rows{}); err != nil {
		t.Fatal(err)
	}
	s := run.Summary()
	if s.Classes.Sum() != s.Packets || uint64(bytes.Count(b.Bytes(), []byte("\n"))) != s.Flows+1 {
		t.Errorf("%d rows of %+v", bytes.Count(b.Bytes(), []byte("\n"))-1, s)
	}
	return b.Bytes(), s
}

// TestMeter wants the rows that the meter makes by itself from a run with it: with any
// number of workers, from a stream, from the loop over flows, within a bound of flows.
func TestMeter(t *testing.T) {
	long, _ := repeated(t, "dns", t.TempDir(), 70_000, 20)
	paths := []string{long, "testdata/web.pcap.zst", "testdata/interfaces.pcapng.zst", "testdata/any-sll2.pcap.zst"}
	for _, path := range paths {
		for _, flows := range []int{0, 3} {
			want := alone(t, legacy.Meter{MaxFlows: flows}, path, all)
			for _, workers := range []int{1, 2, 5} {
				if got, _ := metered(t, flowfast.Options{Workers: workers, MaxFlows: flows}, path); !bytes.Equal(got, want) {
					t.Errorf("%s, %d flows at most: other rows with %d workers", path, flows, workers)
				}
			}
			o := flowfast.Options{Workers: 3, MaxFlows: flows, Meter: legacy.Original{}}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			run, err := flowfast.NewReader(o, f, path)
			if err != nil {
				t.Fatal(err)
			}
			got := legacy.CSV{}.AppendHeader(nil)
			for f, err := range run.Flows(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
				own := f.Metered.(*legacy.Flow)
				if own.Packets() != f.Fwd.Packets+f.Bwd.Packets || f.Last < f.Start || f.V6 {
					t.Errorf("%s: %+v has another number of packets, or times, than %+v", path, f, own)
				}
				got = legacy.CSV{}.AppendRow(got, own)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s, %d flows at most: other flows from a stream", path, flows)
			}
		}
	}
}

// TestMeterJoins wants captures that lie between each other to have the rows of one.
func TestMeterJoins(t *testing.T) {
	c := capture(t, "testdata/dns.pcap")
	var parts [3][][]byte
	for i, p := range c.packets {
		k := i % 3
		if i > len(c.packets)/2 {
			k = 2
		}
		parts[k] = append(parts[k], p)
	}
	var files []string
	for i, p := range parts {
		files = append(files, filepath.Join(t.TempDir(), string(rune('a'+i))+".pcap"))
		writeFile(t, files[i], c.header, p...)
	}
	want := alone(t, legacy.Meter{}, "testdata/dns.pcap", all)
	for _, workers := range []int{1, 3} {
		if got, s := metered(t, flowfast.Options{Workers: workers}, files...); !bytes.Equal(got, want) || len(s.Captures) != 3 {
			t.Errorf("%d workers: other rows, of %d captures", workers, len(s.Captures))
		}
	}
}

// TestMeterChoice wants the packets that are left out to be in no row.
func TestMeterChoice(t *testing.T) {
	const path = "testdata/web.pcap.zst"
	whole, s := metered(t, flowfast.Options{}, path)
	middle := s.First.Add(s.Last.Sub(s.First) / 2)
	http := func(r *ioutil.Record) bool { // no header of the capture has IPv4 options
		f := r.Data
		return f[12] == 8 && f[13] == 0 && f[23] == 6 && (f[34] == 0 && f[35] == 80 || f[36] == 0 && f[37] == 80)
	}
	for _, test := range []struct {
		name  string
		o     flowfast.Options
		takes func(*ioutil.Record) bool
	}{
		{"from", flowfast.Options{Choice: flowfast.Choice{From: middle}}, func(r *ioutil.Record) bool { return r.Time >= middle.UnixNano() }},
		{"to", flowfast.Options{Choice: flowfast.Choice{To: middle}}, func(r *ioutil.Record) bool { return r.Time < middle.UnixNano() }},
		{"endpoints", flowfast.Options{Choice: flowfast.Choice{Endpoints: parsed(t, "80")}}, http},
	} {
		want := alone(t, legacy.Meter{}, path, test.takes)
		got, s := metered(t, test.o, path)
		if !bytes.Equal(got, want) || s.Classes.LeftOut == 0 || s.Flows == 0 {
			t.Errorf("%s: other rows, or none; %+v", test.name, s.Classes)
		}
	}

	rows := slices.Collect(strings.Lines(string(whole)))
	some, s := metered(t, flowfast.Options{Keys: flowtable.Keys{Sample: 3}}, path)
	for row := range strings.Lines(string(some)) {
		if !slices.Contains(rows, row) {
			t.Errorf("sample: a row that there is not without it: %s", row)
		}
	}
	if s.Flows == 0 || int(s.Flows) >= len(rows)-1 || s.Classes.LeftOut == 0 {
		t.Errorf("sample: %d of %d flows, %+v", s.Flows, len(rows)-1, s.Classes)
	}
}

// A closing source gives packets of which the last one closes a flow, and then waits for
// its row.
type closing struct {
	row  chan struct{} // closed when it has come
	next int
}

func (c *closing) Read(ctx context.Context, packets []flowfast.Packet) (int, error) {
	seconds := []int64{0, 1, 130}
	if c.next == len(seconds) {
		select {
		case <-ctx.Done():
			return 0, nil
		case <-c.row:
			return 0, io.EOF
		}
	}
	frame := testpcap.UDP(7)
	packets[0] = flowfast.Packet{Time: seconds[c.next] * 1e9, Data: frame, OrigLen: uint32(len(frame)), LinkType: 1}
	c.next++
	return 1, nil
}

func (c *closing) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("10.0.0.1,7,")) {
		close(c.row)
	}
	return len(b), nil
}

// TestMeterFlush wants the row of a flow that is closed while the source is silent.
func TestMeterFlush(t *testing.T) {
	for _, workers := range []int{1, 2} {
		c := &closing{row: make(chan struct{})}
		run, err := flowfast.NewSource(flowfast.Options{Flush: 2 * time.Millisecond, Workers: workers, Meter: legacy.Original{}}, c, "source")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := run.Write(ctx, c, legacy.Rows{}); err != nil || run.Summary().Flows != 1 {
			t.Errorf("%d workers: error %v, %+v", workers, err, run.Summary())
		}
	}
}

// TestMeterAnonymize wants the addresses that flow tables' flows have too.
func TestMeterAnonymize(t *testing.T) {
	const path = "testdata/web.pcap.zst"
	key := bytes.Repeat([]byte{7}, 32)
	addresses := func(table []byte) (all []string) {
		for row := range strings.Lines(string(table)) {
			v := strings.Split(row, ",")
			if src, dst := v[1], v[3]; v[2] != "Src Port" && !strings.HasPrefix(v[0], src+"-"+dst+"-") {
				t.Errorf("the flow ID is not that of the addresses: %s", row)
			}
			all = append(all, v[1], v[3])
		}
		return all
	}
	clear, _ := metered(t, flowfast.Options{}, path)
	other, _ := metered(t, flowfast.Options{AnonymizeKey: key}, path)
	names := map[string]string{}
	rows := func(o flowfast.Options) [][]string {
		b, _ := rows(t, o, path)
		var all [][]string
		for row := range strings.Lines(string(b)) {
			all = append(all, strings.Split(row, ","))
		}
		return all
	}
	hidden := rows(flowfast.Options{AnonymizeKey: key})
	for i, v := range rows(flowfast.Options{})[1:] {
		names[v[0]], names[v[2]] = hidden[i+1][0], hidden[i+1][2]
	}
	want, got := addresses(clear)[2:], addresses(other)[2:]
	for i := range want {
		if names[want[i]] == "" || names[want[i]] != got[i] {
			t.Fatalf("%s became %s, want %s", want[i], got[i], names[want[i]])
		}
	}
}

// TestMeterOptions wants what only flow tables do to be refused with a meter.
func TestMeterOptions(t *testing.T) {
	for name, o := range map[string]flowfast.Options{
		"IdleTimeout": {IdleTimeout: time.Second},
		"CheckEvery":  {CheckEvery: 5},
		"CheckMost":   {CheckMost: 5},
		"Disorder":    {Disorder: time.Second},
		"Resolution":  {Resolution: time.Second},
		"Monotone":    {Monotone: true},
		"Keys":        {Keys: flowtable.Keys{OneWay: true, Sample: 3}},
		"Protocols":   {Protocols: decode.AllProtocols},
		"Tunnels":     {Tunnels: decode.AllTunnels},
		"Rules":       {Rules: flowtable.Rules{ActiveTimeout: time.Second}},
		"Features":    {Features: features.Options{Set: features.Link}},
	} {
		if err := o.Check(); err != nil {
			t.Errorf("%s, without a meter: %v", name, err)
		}
		o.Meter = legacy.Original{}
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), "option "+name+" ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for _, test := range []struct {
		meter flowtable.Meter
		rows  flowfast.Rows
	}{{legacy.Original{}, export.CSV{}}, {nil, legacy.Rows{}}} {
		run, err := flowfast.Open(flowfast.Options{Meter: test.meter}, "testdata/dns.pcap")
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Write(t.Context(), io.Discard, test.rows); err == nil || !strings.Contains(err.Error(), "meter") {
			t.Errorf("%T of %T: error %v", test.rows, test.meter, err)
		}
	}
}
