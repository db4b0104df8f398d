package conformance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/need"
)

var update = flag.Bool("update", false, "write the counts of differences anew; their causes are for a person to write")

// sharedFolder returns a folder that is shared beside the repository.
func sharedFolder(t *testing.T, name ...string) string {
	dir := cmp.Or(os.Getenv("FLOWFAST_SHARED"), filepath.Join("..", "..", "shared"))
	dir = filepath.Join(append([]string{dir}, name...)...)
	if _, err := os.Stat(dir); err != nil {
		need.Missing(t, "CONFORMANCE", err)
	}
	return dir
}

// numbers returns two values as numbers, if they are.
func numbers(want, got string) (w, g float64, ok bool) {
	w, errW := strconv.ParseFloat(want, 64)
	g, errG := strconv.ParseFloat(got, 64)
	return w, g, errW == nil && errG == nil
}

// profileRows returns the columns and the rows of a capture, or of what could be
// read of it, by a profile and its rules; with more columns behind its own.
func profileRows(t *testing.T, path, profile string, splt int, more ...string) (header []string, rows [][]string) {
	p, err := export.FindProfile(profile)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := p.Select(more, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	columns = slices.Concat(p.Columns, columns)
	if splt > 0 {
		columns = append(columns, p.SPLT(splt)...)
	}
	format := export.NewCSV(columns)
	var b bytes.Buffer
	run, err := flowfast.Open(flowfast.Options{}.For(p.Demand(columns, splt, nil)), path)
	if err != nil {
		b.Write(format.AppendHeader(nil))
	} else {
		err = run.Write(context.Background(), &b, format)
	}
	if err != nil {
		t.Logf("%v", err)
	}
	all, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

// A tally is what came of comparing the rows of a peer with those of flowfast.
type tally struct {
	captures, refused int
	outside           int            // rows of the peer, or here, that the other does not promise
	pairs             int            // rows that both have
	equal             int            // and no value differs
	values            int            // that are equal, in all pairs
	theirs, ours      int            // rows that only one has
	differ            map[string]int // values that differ, by column

	examples []string
}

func (a *tally) add(b *tally) {
	a.captures++
	a.outside += b.outside
	a.pairs += b.pairs
	a.equal += b.equal
	a.values += b.values
	a.theirs += b.theirs
	a.ours += b.ours
	for column, n := range b.differ {
		a.miss(column, n)
	}
}

func (a *tally) miss(column string, n int) {
	if a.differ == nil {
		a.differ = map[string]int{}
	}
	a.differ[column] += n
}

func (a *tally) example(format string, args ...any) {
	if len(a.examples) < 12 {
		a.examples = append(a.examples, fmt.Sprintf(format, args...))
	}
}

func (a *tally) differing() (n int) {
	for _, of := range a.differ {
		n += of
	}
	return n
}

func (a *tally) String() string {
	return fmt.Sprintf("%d captures compared, %d refused; %d rows of both, %d equal; %d values equal, %d differ; "+
		"%d rows only theirs, %d only ours, %d left out",
		a.captures, a.refused, a.pairs, a.equal, a.values, a.differing(), a.theirs, a.ours, a.outside)
}

// checkReadme wants README.md to tell the numbers of a peer in its table: in the
// first column of numbers, or in another.
func (a *tally) checkReadme(t *testing.T, peer string, column int) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+peer+"\n")
	if !found {
		t.Fatalf("README.md does not tell of %s", peer)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for label, n := range map[string]int{
		"captures compared": a.captures, "rows of both": a.pairs, "of these without a difference": a.equal, "values equal": a.values,
		"values that differ": a.differing(), "rows only of " + peer: a.theirs, "rows only of flowfast": a.ours, ", left out": a.outside,
	} {
		told := ""
		for line := range strings.Lines(section) {
			if cells := strings.Split(line, "|"); len(cells) > 2+column && strings.HasSuffix(strings.TrimSpace(cells[1]), label) {
				told = strings.ReplaceAll(strings.TrimSpace(cells[2+column]), ",", "")
				break
			}
		}
		if told != strconv.Itoa(n) && (told != "" || n > 0) {
			t.Errorf("README.md, %s, %s: %q, want %d", peer, label, told, n)
		}
	}
}

// difference returns what the table of differences says of a capture, without
// the cause, "" if there is none.
func (a *tally) difference() string {
	if a.theirs == 0 && a.ours == 0 && len(a.differ) == 0 {
		return ""
	}
	columns := make([]string, 0, len(a.differ))
	for _, column := range slices.Sorted(maps.Keys(a.differ)) {
		columns = append(columns, fmt.Sprintf("%s %d", column, a.differ[column]))
	}
	return fmt.Sprintf("%d\t%d\t%s", a.theirs, a.ours, strings.Join(columns, ", "))
}

// compareRow compares the values of a pair of rows.
func (a *tally) compareRow(header, want, got []string, same func(column, want, got string) bool) {
	equal := true
	for i, column := range header {
		if same(column, want[i], got[i]) {
			a.values++
			continue
		}
		equal = false
		a.miss(column, 1)
		a.example("%s: %s, want %s (%s)", column, got[i], want[i], strings.Join(want[:min(18, len(want))], " "))
	}
	a.pairs++
	if equal {
		a.equal++
	}
}

// sameValue tells if two values are the same text, or numbers that differ by a
// billionth of them at most.
func sameValue(_, want, got string) bool {
	if want == got {
		return true
	}
	w, err := strconv.ParseFloat(want, 64)
	if err != nil {
		return false
	}
	g, err := strconv.ParseFloat(got, 64)
	return err == nil && math.Abs(w-g) <= 1e-9*max(math.Abs(w), math.Abs(g))
}

// A differences is the table of those that are explained, in a file: a line for
// each capture with its name, the rows that only the peer has, those that only
// flowfast has, the values that differ by column, and the cause, with tabs
// between. A capture that differs in another way than its line says, or does
// not differ, fails the test.
type differences struct {
	file   string
	lines  map[string]string // without the cause
	causes map[string]string
	seen   map[string]string
}

const unexplained = "unexplained"

func readDifferences(t *testing.T, file string) *differences {
	d := &differences{file, map[string]string{}, map[string]string{}, map[string]string{}}
	text, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 5 {
			t.Fatalf("%s: %q does not have five fields", file, line)
		}
		d.lines[f[0]], d.causes[f[0]] = strings.Join(f[1:4], "\t"), f[4]
	}
	return d
}

// check compares what came of a capture with its line.
func (d *differences) check(t *testing.T, name string, c *tally) {
	got := c.difference()
	if got != "" {
		d.seen[name] = got
	}
	if got != d.lines[name] && !*update {
		t.Errorf("%s: %q, want %q: %s\n\t%s", name, got, d.lines[name], d.causes[name], strings.Join(c.examples, "\n\t"))
	}
}

// end is called when all captures have been compared.
func (d *differences) end(t *testing.T) {
	if *update {
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(d.seen)) {
			fmt.Fprintf(&b, "%s\t%s\t%s\n", name, d.seen[name], cmp.Or(d.causes[name], unexplained))
		}
		if err := os.WriteFile(d.file, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	for name, cause := range d.causes {
		if cause == unexplained || d.seen[name] == "" {
			t.Errorf("%s: in the table of differences as %q, seen %q", name, cause, d.seen[name])
		}
	}
}
