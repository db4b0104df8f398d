package report

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/net/html"

	"github.com/flowfast/flowfast"
)

// counted runs a capture through a collector.
func counted(t *testing.T, capture string, workers int) (*Collector, flowfast.Summary) {
	t.Helper()
	c := NewCollector()
	run, err := flowfast.Open(flowfast.Options{Workers: workers, Packets: c.Packets}, capture)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(nil, nil, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Write(context.Background(), w, Rows{}); err != nil {
		t.Fatal(err)
	}
	c.End(run.Summary().Last)
	return c, run.Summary()
}

func rendered(t *testing.T, c *Collector, r Run) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, c, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tablesOf returns the rows of the tables of a page, by the ids of their cards. Of a
// name that has a detail behind it the name is left.
func tablesOf(t *testing.T, page []byte) map[string][][]string {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][][]string{}
	var walk func(n *html.Node, card string)
	walk = func(n *html.Node, card string) {
		if strings.HasPrefix(attribute(n, "class"), "card") {
			card = attribute(n, "id")
		}
		if n.Data == "tr" && n.Parent.Data == "tbody" {
			var row []string
			for c := range n.ChildNodes() {
				if c.Type == html.ElementNode {
					row = append(row, strings.TrimSpace(text(c)))
				}
			}
			all[card] = append(all[card], row)
		}
		for c := range n.ChildNodes() {
			walk(c, card)
		}
	}
	walk(doc, "")
	return all
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		if c.Data != "small" {
			b.WriteString(text(c))
		}
	}
	return b.String()
}

// A referenceFlow is a row of what the reference computed from tshark's dissection.
type referenceFlow struct {
	src, dst          netip.Addr
	dstPort, protocol int
	start, duration   int64 // nanoseconds
	packets, bytes    uint64
	flags             [2][8]uint64
}

func reference(t *testing.T, capture string) []referenceFlow {
	t.Helper()
	name, _, _ := strings.Cut(capture, ".pcap")
	f, err := os.Open(name + ".t600.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	var flows []referenceFlow
	for _, row := range rows[1:] {
		number := func(name string) uint64 {
			v, err := strconv.ParseUint(row[at[name]], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		nanoseconds := func(name string) int64 {
			whole, part, _ := strings.Cut(row[at[name]], ".") // with nine or twelve decimals
			v, err := strconv.ParseInt(whole+part[:9], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		r := referenceFlow{
			src: netip.MustParseAddr(row[at["src_ip"]]), dst: netip.MustParseAddr(row[at["dst_ip"]]),
			dstPort: int(number("dst_port")), protocol: int(number("protocol")), start: nanoseconds("start_time"), duration: nanoseconds("duration"),
			packets: number("fwd_tot_pkt") + number("bwd_tot_pkt"), bytes: number("fwd_tot_byte") + number("bwd_tot_byte"),
		}
		for d, direction := range []string{"fwd", "bwd"} {
			for i, bit := range []string{"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"} {
				r.flags[d][i] = number(direction + "_" + bit + "_cnt")
			}
		}
		flows = append(flows, r)
	}
	return flows
}

// captures are those of which the reference has the rows by the same rules as flowfast:
// the test of the agreement says why of two it has not.
func captures(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../testdata/*.t600.csv")
	if err != nil || len(files) < 30 {
		t.Fatal(files, err)
	}
	var all []string
	for _, f := range files {
		found, _ := filepath.Glob(strings.TrimSuffix(f, ".t600.csv") + ".pcap*")
		if base := filepath.Base(f); len(found) == 1 && !strings.HasPrefix(base, "srv6-first") && !strings.HasPrefix(base, "tiny") {
			all = append(all, found[0])
		}
	}
	return all
}

// TestPageAgainstReference wants the tables of the page of each capture, and those of
// one page of all, to have what a naive program counts in the rows of the reference.
func TestPageAgainstReference(t *testing.T) {
	var sum *Collector
	var total flowfast.Summary
	var all []referenceFlow
	for i, capture := range captures(t) {
		c, s := counted(t, capture, 1+i%2)
		flows := reference(t, capture)
		all = append(all, flows...)
		if i%6 == 0 {
			again, _ := counted(t, capture, 2)
			t.Run(filepath.Base(capture), func(t *testing.T) { agree(t, rendered(t, again, Run{Summary: s}), flows) })
		}
		total.Packets += s.Packets
		total.Classes.Add(s.Classes)
		if sum == nil {
			sum = c
		} else {
			sum.Merge(c)
		}
	}
	t.Run("all", func(t *testing.T) { agree(t, rendered(t, sum, Run{Summary: total}), all) })
}

func agree(t *testing.T, page []byte, flows []referenceFlow) {
	t.Helper()
	tables := tablesOf(t, page)
	type sum struct{ flows, packets, bytes uint64 }
	add := func(m map[string]*sum, key string, f *referenceFlow) {
		if m[key] == nil {
			m[key] = &sum{}
		}
		m[key].flows++
		m[key].packets += f.packets
		m[key].bytes += f.bytes
	}
	protocols, ports, hosts, pairs := map[string]*sum{}, map[string]*sum{}, map[string]*sum{}, map[string]*sum{}
	outcomes := map[string]uint64{}
	var flags [2][8]uint64
	histograms := map[string]map[int]uint64{"flow-bytes": {}, "flow-packets": {}, "flow-durations": {}}
	tcp := uint64(0)
	fan := map[string]map[string]bool{}
	for i := range flows {
		f := &flows[i]
		name := map[int]string{6: "TCP", 17: "UDP", 1: "ICMP"}[f.protocol]
		add(protocols, name, f)
		add(ports, fmt.Sprintf("%d/%s", f.dstPort, strings.ToLower(name)), f)
		add(hosts, f.src.String(), f)
		if f.src != f.dst {
			add(hosts, f.dst.String(), f)
		}
		a, b := f.src, f.dst
		if b.Less(a) {
			a, b = b, a
		}
		add(pairs, a.String()+" ↔ "+b.String(), f)
		if fan[f.src.String()] == nil {
			fan[f.src.String()] = map[string]bool{}
		}
		fan[f.src.String()][fmt.Sprint(f.dst, f.dstPort, f.protocol)] = true
		for id, v := range map[string]uint64{"flow-bytes": f.bytes, "flow-packets": f.packets, "flow-durations": uint64(f.duration)} {
			histograms[id][naiveBin(v)]++
		}
		if f.protocol != 6 {
			continue
		}
		tcp++
		for d := range flags {
			for k := range flags[d] {
				flags[d][k] += f.flags[d][k]
			}
		}
		switch from, back := f.flags[0], f.flags[1]; {
		case from[1] == 0:
			outcomes["begun before"]++
		case back[1] > 0 && from[4] > 0:
			outcomes["established"]++
		case back[1] > 0:
			outcomes["left half-open"]++
		case back[2] > 0:
			outcomes["refused"]++
		default:
			outcomes["unanswered"]++
		}
	}

	check := func(id string, want map[string]*sum, most int) {
		t.Helper()
		n := 0
		for _, row := range tables[id] {
			if strings.HasSuffix(row[0], " other ports") {
				continue
			}
			n++
			w := want[row[0]]
			if w == nil {
				t.Errorf("%s has %q, which no row has", id, row[0])
				continue
			}
			if got, want := row[2:], []string{grouped(w.flows), grouped(w.packets), bytesText(w.bytes)}; !slices.Equal(got, want) {
				t.Errorf("%s, %s: got %q, want %q", id, row[0], got, want)
			}
		}
		if n != min(len(want), most) {
			t.Errorf("%s has %d rows, want %d", id, n, min(len(want), most))
		}
	}
	check("protocols", protocols, math.MaxInt)
	check("destination-ports", ports, 20)
	check("top-hosts", hosts, 20)
	check("top-pairs", pairs, 20)
	rank := func(m map[string]*sum) (bytes []uint64) {
		for _, s := range m {
			bytes = append(bytes, s.bytes)
		}
		slices.SortFunc(bytes, func(a, b uint64) int { return cmp.Compare(b, a) })
		return bytes[:min(len(bytes), 20)]
	}
	for id, m := range map[string]map[string]*sum{"top-hosts": hosts, "top-pairs": pairs} {
		for i, want := range rank(m) {
			if got := m[tables[id][i][0]].bytes; got != want {
				t.Errorf("%s: row %d has %d bytes, want %d", id, i, got, want)
			}
		}
	}
	for _, row := range tables["tcp-outcomes"] {
		if row[2] != grouped(outcomes[row[0]]) {
			t.Errorf("outcome %s: got %s, want %d", row[0], row[2], outcomes[row[0]])
		}
	}
	for i, row := range tables["tcp-flags"] {
		if row[2] != grouped(flags[0][i]) || row[3] != grouped(flags[1][i]) {
			t.Errorf("control bit %s: got %v, want %d and %d", row[0], row[2:], flags[0][i], flags[1][i])
		}
	}
	if tcp > 0 && (len(tables["tcp-outcomes"]) != 5 || len(tables["tcp-flags"]) != 8) {
		t.Error("no tables of TCP")
	}
	for _, row := range tables["top-sources"] {
		if row[5] != grouped(uint64(len(fan[row[0]]))) { // so few are exact
			t.Errorf("source %s: got %s destinations, want %d", row[0], row[5], len(fan[row[0]]))
		}
	}
	for id, want := range histograms {
		bins := slices.Sorted(maps.Keys(want))
		rows := tables[id]
		if len(rows) != len(bins) {
			t.Errorf("%s has %d bins, want %d", id, len(rows), len(bins))
			continue
		}
		for i, bin := range bins {
			if rows[i][1] != grouped(want[bin]) {
				t.Errorf("%s: bin %q has %s, want %d", id, rows[i][0], rows[i][1], want[bin])
			}
		}
	}
	heat := uint64(0)
	for _, row := range tables["duration-bytes"] {
		for _, cell := range row[1:] {
			heat += number(t, cell)
		}
	}
	if heat != uint64(len(flows)) {
		t.Errorf("the cells of durations by bytes have %d flows, want %d", heat, len(flows))
	}
	started := uint64(0)
	for _, row := range tables["flows-time"] {
		started += number(t, row[1])
	}
	if len(flows) < 1000 && started != uint64(len(flows)) { // else they are rounded
		t.Errorf("%d flows begin over time, want %d", started, len(flows))
	}
}

// naiveBin returns the bin of a value: the decade and which of 1, 1.6, 2.5, 4 and 6.3 in
// it, found by comparing decimals.
func naiveBin(v uint64) int {
	if v == 0 {
		return 0
	}
	x := float64(v)
	decade := 0
	for x >= 10 {
		x /= 10
		decade++
	}
	n := 0
	for i, edge := range []float64{1, 1.6, 2.5, 4, 6.3} {
		if x >= edge {
			n = i
		}
	}
	return 1 + 5*decade + n
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	v, err := strconv.ParseUint(strings.ReplaceAll(text, ",", ""), 10, 64)
	if err != nil {
		t.Fatalf("%q: want a whole number", text)
	}
	return v
}

// TestPacketsOverTime compares packets and bits over time with what another reader of
// captures has.
func TestPacketsOverTime(t *testing.T) {
	for _, name := range []string{"web.pcap.zst", "dns.pcap", "slow.pcap.zst"} {
		file := "../testdata/" + name
		c, s := counted(t, file, 2)
		page := rendered(t, c, Run{Summary: s})
		width := widths[newGrid(c.allTimelines()).width]
		packets, bits := map[string]uint64{}, map[string]float64{}
		for _, p := range packetsOf(t, file) {
			at := fullMoment(floor(p.at, width)*width, width)
			packets[at]++
			bits[at] += float64(p.length) * 8 / (float64(width) / 1e9)
		}
		tables := tablesOf(t, page)
		if got := len(tables["packets-time"]); got != len(packets) || got < 3 {
			t.Errorf("%s: %d intervals have packets, want %d", name, got, len(packets))
		}
		for _, row := range tables["packets-time"] {
			if got := number(t, row[1]) + number(t, row[2]); got != packets[row[0]] {
				t.Errorf("%s at %s: got %d packets, want %d", name, row[0], got, packets[row[0]])
			}
		}
		for _, row := range tables["bits-time"] {
			if want := short(bits[row[0]], "bit/s"); row[1] != want {
				t.Errorf("%s at %s: got %s, want %s", name, row[0], row[1], want)
			}
		}
	}
}

type stamped struct {
	at     int64
	length int
}

func packetsOf(t *testing.T, file string) (all []stamped) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(file, ".zst") {
		d, err := zstd.NewReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if b, err = d.DecodeAll(b, nil); err != nil {
			t.Fatal(err)
		}
	}
	r, err := pcapgo.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, info, err := r.ReadPacketData()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, stamped{info.Timestamp.UnixNano(), info.Length})
	}
}

// TestPageAlone wants a page to name nothing outside of itself, and its policy to
// allow its own script.
func TestPageAlone(t *testing.T) {
	c, s := counted(t, "../testdata/web.pcap.zst", 1)
	r := Run{Title: `<script>alert("x")</script>`, Summary: s, Errors: []string{"</style>"}, Notes: []string{"a & b"}}
	r.Warnings = []string{"<img src=x>"}
	page := string(rendered(t, c, r))
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "<img") {
		t.Error("what stands in names is not escaped")
	}
	for _, what := range []string{"http://", "https://", "//cdn", "@import", "url("} {
		if strings.Contains(page, what) {
			t.Errorf("the page has %q", what)
		}
	}
	_, rest, _ := strings.Cut(page, "\n<script>")
	script, _, _ := strings.Cut(rest, "</script>")
	sum := sha256.Sum256([]byte(script))
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	policy := ""
	for n := range doc.Descendants() {
		if n.Data == "meta" && attribute(n, "http-equiv") == "Content-Security-Policy" {
			policy = attribute(n, "content")
		}
	}
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
		t.Errorf("the policy %q has not %s", policy, want)
	}
}

// TestEmptyPage wants a page of nothing at all to be one.
func TestEmptyPage(t *testing.T) {
	page := rendered(t, NewCollector(), Run{Title: "nothing"})
	if !bytes.Contains(page, []byte("no packets")) || bytes.Contains(page, []byte("NaN")) {
		t.Errorf("got %s", page)
	}
}

// TestSpread wants what is spread over bins to be what is spread over wider ones.
func TestSpread(t *testing.T) {
	var narrow, wide timeline
	start, end := int64(1795433932369856123), int64(1795433932369856123)+int64(7*time.Second)
	narrow.spread(start, end, 1000003)
	wide.widen(narrow.width + 3)
	wide.spread(start, end, 1000003)
	narrow.widen(wide.width)
	if !slices.Equal(narrow.bins, wide.bins) || narrow.first != wide.first || len(wide.bins) < 3 {
		t.Errorf("got %v and %v", narrow.bins, wide.bins)
	}
	sum := int64(0)
	for _, v := range wide.bins {
		sum += v
	}
	if sum != 1000003 {
		t.Errorf("the sum is %d", sum)
	}
}
