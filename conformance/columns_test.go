package conformance

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/internal/need"
)

// columnRuns are the runs of flowfast and of the reference whose columns must
// agree.
var columnRuns = []struct {
	profile, timeout string
	more             []string // flags of both
	anyOrder         bool     // of the columns
}{
	{profile: "full", timeout: "600", more: []string{"--splt", "8", "--quantiles", "0.05,0.95,0.999"}, anyOrder: true},
	{profile: "full", timeout: "15", anyOrder: true},
	{profile: "cicflowmeter", timeout: "120"},
	{profile: "cicflowmeter-python", timeout: "240"},
	{profile: "pyflowmeter", timeout: "600"},
	{profile: "pyflowmeter", timeout: "600", more: []string{"--key", "vlan"}},
	{profile: "pyflowmeter", timeout: "600", more: []string{"--key", "mpls,tunnel"}},
}

// A waiver says which columns of a capture cannot agree, all if none is named, and
// why. Where all can't, the differences are logged.
type waiver struct {
	why     string
	columns []string
}

// waived are the captures that have a waiver. Every column that is named must
// differ in some run.
var waived = map[string]waiver{
	"pcapplusplus-clusterfuzz-testcase-minimized-FuzzTarget-4829420752470016": {
		overflow, []string{"start_time", "Timestamp", "timestamp", "flow_id"},
	},
	"pcapplusplus-pcapng-example.pcapng.zst": {
		explained["pcapplusplus-pcapng-example.pcapng.zst"], []string{"start_time", "Timestamp", "timestamp", "end_reason"},
	},
}

const overflow = "the microseconds of a timestamp are over a second; as nanoseconds they do not fit into the 32 bits " +
	"that tshark has for them, so what it prints is another time"

// TestColumns compares every column of every profile with what
// reference/columns.py computes from tshark's dissection, on all captures.
func TestColumns(t *testing.T) {
	dir := shared(t)
	flowfast := built(t)
	captures, err := os.ReadDir(filepath.Join(dir, "captures"))
	if err != nil {
		t.Fatal(err)
	}
	atOnce := make(chan struct{}, 2) // tshark and Python take a core each
	for _, entry := range captures {
		name := entry.Name()
		if name == "ORIGIN.md" || notInReference[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			capture := filepath.Join(dir, "captures", name)
			expected := references(t, capture)
			exempt := waived[name]
			differs := map[string]bool{}
			for i, run := range columnRuns {
				what := strings.Join(append([]string{run.profile, run.timeout}, run.more...), " ")
				got, err := io.ReadAll(output(t, flowfast, slices.Concat([]string{"-q", "--profile", run.profile, "-t", run.timeout},
					run.more, []string{capture, "-"})...))
				if err != nil {
					t.Fatal(err)
				}
				compare := func(except ...string) []string {
					return compareColumns(bytes.NewReader(expected[i]), bytes.NewReader(got), run.anyOrder, except...)
				}
				for _, d := range compare(exempt.columns...) {
					if exempt.why != "" && len(exempt.columns) == 0 {
						differs["the rows"] = true
						t.Logf("%s (explained): %s", what, d)
					} else {
						t.Errorf("%s: %s", what, d)
					}
				}
				for j, column := range exempt.columns {
					if len(compare(slices.Delete(slices.Clone(exempt.columns), j, j+1)...)) > 0 {
						differs[column] = true
					}
				}
			}
			if exempt.why != "" && len(differs) < max(1, len(exempt.columns)) {
				t.Errorf("%q are excepted, only %q differ: %s", exempt.columns, slices.Sorted(maps.Keys(differs)), exempt.why)
			}
		})
	}
}

// TestExceptions wants README.md to name every capture that is excepted, and its
// columns.
func TestExceptions(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Exceptions\n")
	section, _, _ = strings.Cut(section, "\n## ")
	tell := func(words ...string) {
		for line := range strings.Lines(section) {
			if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, "`"+word+"`") }) {
				return
			}
		}
		t.Errorf("no line of README.md has %q", words)
	}
	for name, exempt := range waived {
		tell(append(exempt.columns, name)...)
	}
	for _, names := range []map[string]string{explained, decapExplained} {
		for name := range names {
			tell(name)
		}
	}
}

// built returns the path of the command flowfast, made for the test.
func built(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "flowfast")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/flowfast").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// references returns the rows of the reference for a capture, for each of the
// columnRuns. It is one command, so that the capture is dissected once.
func references(t *testing.T, capture string) [][]byte {
	args := []string{"reference/columns.py"}
	file := func(i int) string { return filepath.Join(t.ArtifactDir(), fmt.Sprintf("expected%d.csv", i)) }
	for i, run := range columnRuns {
		if i > 0 {
			args = append(args, "+")
		}
		args = append(args, "--profile", run.profile, "--timeout", run.timeout, "--output", file(i))
		args = append(append(args, run.more...), capture)
	}
	output(t, "python3", args...)
	rows := make([][]byte, len(columnRuns))
	for i := range rows {
		var err error
		if rows[i], err = os.ReadFile(file(i)); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// needReference skips a test that makes its captures itself where what the
// reference needs is missing.
func needReference(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts tshark some thirty times")
	}
	for _, program := range []string{"tshark", "python3"} {
		if _, err := exec.LookPath(program); err != nil {
			need.Missing(t, "REFERENCE", err)
		}
	}
}

// TestReference lets the reference check itself against cases computed by hand,
// and its statistics against numpy and scipy.
func TestReference(t *testing.T) {
	needReference(t)
	python, missing := pythonWith("numpy, scipy.stats")
	if missing != "" {
		if need.Required() {
			t.Fatal(missing)
		}
		t.Logf("NUMPY AND SCIPY NOT CHECKED: %s", missing)
		python = "python3"
	}
	cmd := exec.Command(python, "reference/columns.py", "--selftest")
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", bytes.TrimSpace(out))
	if missing == "" && !bytes.Contains(out, []byte("held against numpy")) {
		t.Error("the statistics were not held against numpy and scipy")
	}
}

// output returns what a command writes. One that ends badly says why on
// standard error and leaves the rows before that.
func output(t *testing.T, name string, args ...string) io.Reader {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if strings.Contains(stderr.String(), "Traceback") {
		t.Fatalf("%s: %s", strings.Join(args, " "), stderr.String())
	}
	if err != nil {
		t.Logf("%s: %v: %s", filepath.Base(name), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return &stdout
}

// textColumns hold no numbers, even where they look like some.
var textColumns = map[string]bool{
	"src_mac": true, "dst_mac": true, "vlan_ids": true, "end_reason": true, "flow_id": true, "community_id": true,
	"Flow ID": true, "Timestamp": true, "timestamp": true, "Label": true,
}

// keyColumns tell which flow a row is about, as far as a profile has them.
var keyColumns = []string{
	"protocol", "src_ip", "src_port", "dst_ip", "dst_port", "start_time", "Flow ID", "Timestamp", "timestamp",
}

// onlyReference are the columns that the reference adds to a profile to match
// its rows.
var onlyReference = map[string]bool{"src_ip": true, "dst_ip": true, "start_time": true}

var (
	iatQuantile = regexp.MustCompile(`^(fwd|bwd)_iat_(q1|median|q3|p[0-9.]+)$`)
	shape       = regexp.MustCompile(`_(skew|kurt)(ness|osis)?$`)
	integer     = regexp.MustCompile(`^-?[0-9]+$`)
	listed      = regexp.MustCompile(`-?[0-9]+`)
)

const (
	tolerance      = 1e-9
	quantileExact  = 16        // the most inter-arrival times whose quantiles are exact
	quantileWithin = 1.0 / 128 // and the relative error of more
)

// A sheet is a CSV with the columns found by name.
type sheet struct {
	header []string
	at     map[string]int
	rows   [][]string
	step   float64  // half a unit of its times, in seconds
	except []string // columns that are not compared
}

func readSheet(r io.Reader) (*sheet, error) {
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	s := &sheet{at: map[string]int{}}
	if len(lines) == 0 {
		return s, nil
	}
	s.header = lines[0]
	for i, column := range s.header {
		s.at[column] = i
	}
	micro := true
	for _, row := range lines[1:] {
		if p, ok := s.value(row, "Protocol"); ok && p != "6" && p != "17" {
			continue // the reference has TCP and UDP
		}
		s.rows = append(s.rows, row)
		start, _ := s.value(row, "start_time")
		_, fraction, _ := strings.Cut(start, ".")
		micro = micro && len(strings.TrimRight(fraction, "0")) <= 6
	}
	s.step = 0.5e-9
	if micro {
		s.step = 0.5e-6
	}
	return s, nil
}

func (s *sheet) value(row []string, column string) (string, bool) {
	i, ok := s.at[column]
	if !ok {
		return "", false
	}
	return row[i], true
}

// compareColumns describes how the rows of got differ from those expected, in
// any order: a line for the header, for rows that have no partner, and for each
// column with how many rows differ and one of them. The values of the columns
// excepted are not looked at.
func compareColumns(want, got io.Reader, anyOrder bool, except ...string) (differences []string) {
	w, err := readSheet(want)
	if err != nil {
		return []string{"expected rows: " + err.Error()}
	}
	g, err := readSheet(got)
	if err != nil {
		return []string{"rows: " + err.Error()}
	}
	if len(w.rows) == 0 || len(g.rows) == 0 {
		if len(w.rows) != len(g.rows) {
			return []string{fmt.Sprintf("%d rows, want %d", len(g.rows), len(w.rows))}
		}
		return nil
	}
	differences = compareHeaders(w, g, anyOrder)

	w.except = except
	key := func(s *sheet, row []string) string {
		var parts []string
		for _, column := range keyColumns {
			if slices.Contains(except, column) {
				continue
			}
			v, _ := s.value(row, column)
			_, inOther := g.at[column]
			if _, inWant := w.at[column]; inWant && inOther {
				parts = append(parts, canonical(column, v))
			}
		}
		return strings.Join(parts, " ")
	}
	found := map[string][][]string{}
	for _, row := range g.rows {
		k := key(g, row)
		found[k] = append(found[k], row)
	}
	type group struct {
		key        string
		want, with [][]string
	}
	var groups []*group
	of := map[string]*group{}
	for _, row := range w.rows {
		k := key(w, row)
		if of[k] == nil {
			of[k] = &group{key: k, with: found[k]}
			groups = append(groups, of[k])
			delete(found, k)
		}
		of[k].want = append(of[k].want, row)
	}

	missing, extra, example, extraExample := 0, 0, "", ""
	count, first := map[string]int{}, map[string]string{}
	for _, gr := range groups {
		// Several rows of one key: first those that agree, the rest by occurrence.
		var rest [][]string
		for _, row := range gr.want {
			i := slices.IndexFunc(gr.with, func(other []string) bool { return len(differing(w, row, g, other)) == 0 })
			if i < 0 {
				rest = append(rest, row)
				continue
			}
			gr.with = slices.Delete(slices.Clone(gr.with), i, i+1)
		}
		for i, row := range rest {
			if i >= len(gr.with) {
				missing++
				example = cmp.Or(example, gr.key)
				continue
			}
			for _, column := range differing(w, row, g, gr.with[i]) {
				count[column]++
				if count[column] == 1 {
					expected, _ := w.value(row, column)
					actual, _ := g.value(gr.with[i], column)
					first[column] = fmt.Sprintf("%s: %s, want %s", gr.key, actual, expected)
				}
			}
		}
		if n := len(gr.with) - len(rest); n > 0 {
			extra += n
			extraExample = cmp.Or(extraExample, gr.key)
		}
	}
	for k, rows := range found {
		extra += len(rows)
		extraExample = cmp.Or(extraExample, k)
	}
	if missing > 0 {
		differences = append(differences, fmt.Sprintf("%d of %d rows are missing, such as %s", missing, len(w.rows), example))
	}
	if extra > 0 {
		differences = append(differences, fmt.Sprintf("%d rows are not expected, such as %s", extra, extraExample))
	}
	for _, column := range w.header {
		if count[column] > 0 {
			differences = append(differences, fmt.Sprintf("%s: %d of %d rows differ, such as %s",
				column, count[column], len(w.rows), first[column]))
		}
	}
	return differences
}

// compareHeaders describes the columns that one side lacks, and another order.
func compareHeaders(w, g *sheet, anyOrder bool) (differences []string) {
	var expected, missing, extra []string
	for _, column := range w.header {
		_, ok := g.at[column]
		if !ok && !onlyReference[column] {
			missing = append(missing, column)
		}
		if ok {
			expected = append(expected, column)
		}
	}
	for _, column := range g.header {
		if _, ok := w.at[column]; !ok {
			extra = append(extra, column)
		}
	}
	if len(missing) > 0 {
		differences = append(differences, "columns missing: "+strings.Join(missing, ", "))
	}
	if len(extra) > 0 {
		differences = append(differences, "columns not expected: "+strings.Join(extra, ", "))
	}
	if len(missing)+len(extra) == 0 && !anyOrder && !slices.Equal(expected, g.header) {
		differences = append(differences, "the columns are in another order")
	}
	return differences
}

// differing returns the columns in which two rows differ.
func differing(w *sheet, want []string, g *sheet, got []string) (columns []string) {
	for i, column := range w.header {
		actual, ok := g.value(got, column)
		if !ok || slices.Contains(w.except, column) {
			continue
		}
		allowed := 0.0
		if m := iatQuantile.FindStringSubmatch(column); m != nil {
			allowed = g.step
			text, _ := w.value(want, m[1]+"_tot_pkt")
			if n, _ := strconv.Atoi(text); n-1 > quantileExact {
				e, _ := strconv.ParseFloat(want[i], 64)
				allowed += e * quantileWithin
			}
		}
		if !agree(column, want[i], actual, allowed) {
			columns = append(columns, column)
		}
	}
	return columns
}

// agree reports whether two values of a column are the same: texts and whole
// numbers exactly, other numbers within the tolerance or the difference allowed.
func agree(column, want, got string, allowed float64) bool {
	if want == got {
		return true
	}
	if textColumns[column] || column == "start_time" || strings.HasSuffix(strings.ToLower(column), "_ip") ||
		strings.HasSuffix(column, " IP") {
		return canonical(column, want) == canonical(column, got)
	}
	if strings.HasPrefix(column, "splt_") {
		return slices.Equal(listed.FindAllString(want, -1), listed.FindAllString(got, -1))
	}
	if integer.MatchString(want) && integer.MatchString(got) {
		return false
	}
	w, g, ok := numbers(want, got)
	if !ok {
		return false
	}
	scale := max(math.Abs(w), math.Abs(g))
	if shape.MatchString(column) {
		scale = max(scale, 1) // they are sums that may cancel out
	}
	return math.Abs(w-g) <= max(tolerance*scale, allowed*(1+tolerance))
}

// canonical returns a value of a column so that the same ones have the same text.
func canonical(column, value string) string {
	switch column {
	case "src_ip", "dst_ip", "Src IP", "Dst IP":
		if a, err := netip.ParseAddr(value); err == nil {
			return a.String()
		}
	case "start_time":
		if strings.Contains(value, ".") {
			return strings.TrimSuffix(strings.TrimRight(value, "0"), ".")
		}
	}
	return value
}

func TestCompareColumns(t *testing.T) {
	const header = "src_ip,src_port,dst_ip,dst_port,protocol,start_time,fwd_tot_pkt,fwd_iat_median,fwd_pkt_size_kurt,fwd_mss,flow_id,splt_size\n"
	const row = "2001:db8::1,1,::2,2,6,1.5,3,0.5,0.25,1460,00000000000000e1,\"[60, -60]\"\n"
	for _, test := range []struct {
		name, want, got string
		differences     []string
	}{
		{"the same", row, row, nil},
		{"numbers, addresses and lists in other words", row,
			"2001:db8:0::1,1,::2,2,6,1.500000,3,0.50000000,2.5e-1,1460,00000000000000e1,60 -60\n", nil},
		{"real numbers may be off by 1e-9",
			strings.Replace(row, "0.25", "2.5", 1), strings.Replace(row, "0.25", "2.5000000024", 1), nil},
		{"and no more", strings.Replace(row, "0.25", "2.5", 1), strings.Replace(row, "0.25", "2.5000000026", 1),
			[]string{"fwd_pkt_size_kurt: 1 of 1 rows differ, such as 6 2001:db8::1 1 ::2 2 1.5: 2.5000000026, want 2.5"}},
		{"whole numbers may not", row, strings.Replace(row, "1460", "1461", 1),
			[]string{"fwd_mss: 1 of 1 rows differ, such as 6 2001:db8::1 1 ::2 2 1.5: 1461, want 1460"}},
		{"text is not a number", strings.Replace(row, "00000000000000e1", "0000000000000010", 1),
			strings.Replace(row, "00000000000000e1", "10", 1),
			[]string{"flow_id: 1 of 1 rows differ, such as 6 2001:db8::1 1 ::2 2 1.5: 10, want 0000000000000010"}},
		{"not a number", row, strings.Replace(row, "0.25", "NaN", 1),
			[]string{"fwd_pkt_size_kurt: 1 of 1 rows differ, such as 6 2001:db8::1 1 ::2 2 1.5: NaN, want 0.25"}},
		{"quantiles of few times are exact", row, strings.Replace(row, "0.5,", "0.501,", 1),
			[]string{"fwd_iat_median: 1 of 1 rows differ, such as 6 2001:db8::1 1 ::2 2 1.5: 0.501, want 0.5"}},
		{"but for what is printed", row, strings.Replace(row, "0.5,", "0.5000005,", 1), nil},
		{"of 16 too", strings.Replace(row, "1.5,3", "1.5,17", 1),
			strings.NewReplacer("1.5,3", "1.5,17", "0.5,", "0.501,").Replace(row),
			[]string{"fwd_iat_median: 1 of 1 rows differ, such as 6 2001:db8::1 1 ::2 2 1.5: 0.501, want 0.5"}},
		{"of more within 1/128", strings.Replace(row, "1.5,3", "1.5,18", 1),
			strings.NewReplacer("1.5,3", "1.5,18", "0.5,", "0.5039,").Replace(row), nil},
		{"rows of one key in any order", row + strings.Replace(row, "1460", "9", 1),
			strings.Replace(row, "1460", "9", 1) + row, nil},
		{"a row is missing", row + row, row,
			[]string{"1 of 2 rows are missing, such as 6 2001:db8::1 1 ::2 2 1.5"}},
		{"a row too many", row, row + strings.Replace(row, "1.5", "1.6", 1),
			[]string{"1 rows are not expected, such as 6 2001:db8::1 1 ::2 2 1.6"}},
		{"no rows", row, "", []string{"0 rows, want 1"}},
		{"lists differ", row, strings.Replace(row, "-60", "60", 1),
			[]string{"splt_size: 1 of 1 rows differ, such as 6 2001:db8::1 1 ::2 2 1.5: [60, 60], want [60, -60]"}},
	} {
		got := compareColumns(strings.NewReader(header+test.want), strings.NewReader(header+test.got), false)
		if !slices.Equal(got, test.differences) {
			t.Errorf("%s: %q, want %q", test.name, got, test.differences)
		}
	}
	other := strings.NewReplacer("1.5,3", "9.5,3", "1460", "1461").Replace(row)
	for _, test := range []struct{ except, differences []string }{
		{[]string{"start_time", "fwd_mss"}, nil},
		{[]string{"start_time"}, []string{"fwd_mss: 1 of 1 rows differ, such as 6 2001:db8::1 1 ::2 2: 1461, want 1460"}},
	} {
		got := compareColumns(strings.NewReader(header+row), strings.NewReader(header+other), false, test.except...)
		if !slices.Equal(got, test.differences) {
			t.Errorf("except %q: %q, want %q", test.except, got, test.differences)
		}
	}

	for _, test := range []struct {
		name, want, got string
		anyOrder        bool
		differences     []string
	}{
		{"columns of the reference", "a,b,src_ip\n1,2,::1\n", "a,b\n1,2\n", false, nil},
		{"a column missing", "a,b\n1,2\n", "a\n1\n", false, []string{"columns missing: b"}},
		{"a column too many", "a\n1\n", "a,b\n1,2\n", false, []string{"columns not expected: b"}},
		{"another order", "a,b\n1,2\n", "b,a\n2,1\n", false, []string{"the columns are in another order"}},
		{"another order that may be", "a,b\n1,2\n", "b,a\n2,1\n", true, nil},
		{"other protocols", "Protocol\n6\n", "Protocol\n1\n6\n", false, nil},
		{"nothing at all", "", "a,b\n", false, nil},
	} {
		got := compareColumns(strings.NewReader(test.want), strings.NewReader(test.got), test.anyOrder)
		if !slices.Equal(got, test.differences) {
			t.Errorf("%s: %q, want %q", test.name, got, test.differences)
		}
	}
}
