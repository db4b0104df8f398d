package compare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Options say what rows are of the same flow, and which values are equal.
type Options struct {
	// Slack is how far the start times of rows of one flow may differ.
	Slack time.Duration
	// Absolute and Relative are how far two numbers may differ and are equal still:
	// by no more than Absolute, or by no more than Relative times the greater of
	// their sizes. With 0 for both numbers are equal if they are the same.
	Absolute, Relative float64
	// Ignore are columns that are not compared.
	Ignore []string
	// Pairs are columns of the first table, each with the column of the second table
	// that it is compared with.
	Pairs [][2]string
}

// A Result says how two tables differ.
type Result struct {
	A, B Table
	// Key names what rows are paired by; Slack is that of the options, 0 where there
	// are no start times.
	Key   string
	Slack time.Duration
	// Pairs are rows of the same flow; of these Equal are equal in every column, and
	// Swapped have their source and destination the other way round.
	Pairs, Equal, Swapped int64
	// Columns are those compared, in the order of the first table.
	Columns []*Column
}

// A Table describes one of the two tables.
type Table struct {
	Name, Format string
	Rows         int64
	// Alone is the number of rows whose flow the other table does not have; Examples
	// are some of them, the first ones of the table.
	Alone    int64
	Examples []Example
	// Columns are those that the other table does not have.
	Columns []string
}

// An Example is a row.
type Example struct {
	Row int64 // number in its table, from 1
	Key string
}

// Same tells if the tables say the same of the same flows.
func (r *Result) Same() bool { return r.A.Alone == 0 && r.B.Alone == 0 && r.Equal == r.Pairs }

// Different returns the columns with values that differ.
func (r *Result) Different() []*Column {
	var all []*Column
	for _, c := range r.Columns {
		if c.Differ > 0 {
			all = append(all, c)
		}
	}
	return all
}

const mostExamples = 5

// A comparison is one at work.
type comparison struct {
	Options
	tables [2]*table
	keys   [2]keyer
	at     [2][]int // columns that are compared
	spills [2]spill
	result *Result
}

// Files compares two tables. An error is that of the options or of what could not be
// read.
func Files(ctx context.Context, a, b string, o Options) (*Result, error) {
	c := &comparison{Options: o, result: &Result{}}
	for i, name := range [2]string{a, b} {
		t, err := open(name)
		if err != nil {
			return nil, err
		}
		defer t.Close()
		defer c.spills[i].close()
		c.tables[i], c.keys[i] = t, newKeyer(t.columns())
	}
	r := c.result
	r.A.Name, r.A.Format = a, c.tables[0].format
	r.B.Name, r.B.Format = b, c.tables[1].format
	if err := common(&c.keys[0], &c.keys[1]); err != nil {
		return nil, err
	}
	if r.Key = c.keys[0].says(); c.keys[0].at[start] >= 0 {
		r.Slack = o.Slack
	}
	if err := c.choose(); err != nil {
		return nil, err
	}
	for i, rows := range [2]*int64{&r.A.Rows, &r.B.Rows} {
		if err := c.read(ctx, i, rows); err != nil {
			return nil, err
		}
	}
	for part := range parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := c.part(part); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// choose chooses the columns that are compared: those of one name, those that the user
// pairs, and of two programs those that say the same.
func (c *comparison) choose() error {
	a, b := c.tables[0].columns(), c.tables[1].columns()
	for _, name := range c.Ignore {
		if !slices.Contains(a, name) && !slices.Contains(b, name) {
			return fmt.Errorf("column %q to be ignored: neither table has it", name)
		}
	}
	taken := [2]map[int]bool{{}, {}}
	add := func(name string, i, k int, scale [2]float64) {
		if i < 0 || k < 0 || taken[0][i] || taken[1][k] {
			return
		}
		taken[0][i], taken[1][k] = true, true
		if slices.Contains(c.Ignore, a[i]) || slices.Contains(c.Ignore, b[k]) {
			return
		}
		c.at[0], c.at[1] = append(c.at[0], i), append(c.at[1], k)
		column := &Column{Name: name, scale: scale}
		column.time, column.unit = c.keys[0].at[start] == i && c.keys[1].at[start] == k, c.keys[0].unit
		for part, form := range [keyParts]func(string) string{srcIP: address, dstIP: address, protocol: protocolNumber} {
			if c.keys[0].at[part] == i {
				column.form = form
			}
		}
		c.result.Columns = append(c.result.Columns, column)
	}
	for _, p := range c.Pairs {
		i, k := slices.Index(a, p[0]), slices.Index(b, p[1])
		if i < 0 || k < 0 {
			return fmt.Errorf("columns %q and %q: each table must have its one", p[0], p[1])
		}
		add(p[0]+" = "+p[1], i, k, [2]float64{1, 1})
	}
	for i, name := range a {
		add(name, i, slices.Index(b, name), [2]float64{1, 1})
	}
	for _, e := range equivalents {
		find := func(names []string) (int, float64) {
			for i, name := range names {
				if scale, is := e.columns[name]; is {
					return i, scale
				}
			}
			return -1, 0
		}
		i, scaleA := find(a)
		k, scaleB := find(b)
		if i >= 0 && k >= 0 {
			add(fmt.Sprintf("%s: %s = %s", e.name, a[i], b[k]), i, k, [2]float64{scaleA, scaleB})
		}
	}
	for part := range keyParts { // those of other names
		i, k := c.keys[0].at[part], c.keys[1].at[part]
		if i >= 0 && a[i] != b[k] {
			if part == start { // one program may write seconds and the other less
				taken[0][i], taken[1][k] = true, true
			}
			add(a[i]+" = "+b[k], i, k, [2]float64{1, 1})
		}
	}
	for i, of := range [2]*Table{&c.result.A, &c.result.B} {
		for k, name := range c.tables[i].columns() {
			if !taken[i][k] {
				of.Columns = append(of.Columns, name)
			}
		}
	}
	return nil
}

// read reads a table into its parts.
func (c *comparison) read(ctx context.Context, i int, rows *int64) error {
	t := c.tables[i]
	values := make([][]byte, len(t.columns()))
	kept := make([][]byte, len(c.at[i]))
	var room []byte
	for {
		if *rows%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		err := t.next(values)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		*rows++
		k, err := c.keys[i].of(values, room[:0])
		if err != nil {
			return &Error{File: t.name, Text: fmt.Sprintf("row %d: %v", *rows, err)}
		}
		room = k.tuple
		for to, from := range c.at[i] {
			kept[to] = values[from]
		}
		if err := c.spills[i].add(*rows, k, kept); err != nil {
			return err
		}
	}
}

// part compares the rows of a part of both tables.
func (c *comparison) part(part int) error {
	var groups [2]map[string][]row
	for i := range groups {
		rows, err := c.spills[i].rows(part, len(c.at[i]))
		if err != nil {
			return errors.Join(errors.New("a temporary file"), err)
		}
		groups[i] = map[string][]row{}
		for _, r := range rows {
			groups[i][string(r.key.tuple)] = append(groups[i][string(r.key.tuple)], r)
		}
	}
	tuples := maps.Clone(groups[0])
	maps.Copy(tuples, groups[1])
	for tuple := range tuples {
		c.flows(groups[0][tuple], groups[1][tuple])
	}
	return nil
}

// flows pairs the rows of a five-tuple, in the order of time.
func (c *comparison) flows(a, b []row) {
	for _, rows := range [2][]row{a, b} {
		slices.SortFunc(rows, func(x, y row) int {
			return cmp.Or(cmp.Compare(x.key.start, y.key.start), cmp.Compare(x.number, y.number))
		})
	}
	timed := c.keys[0].at[start] >= 0
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && timed && a[0].key.start < b[0].key.start-int64(c.Slack):
			c.result.A.alone(&a[0])
			a = a[1:]
		case len(a) == 0 || timed && b[0].key.start < a[0].key.start-int64(c.Slack):
			c.result.B.alone(&b[0])
			b = b[1:]
		default:
			c.pair(&a[0], &b[0])
			a, b = a[1:], b[1:]
		}
	}
}

// alone takes in a row whose flow the other table has not.
func (t *Table) alone(r *row) {
	t.Alone++
	t.Examples = append(t.Examples, Example{r.number, r.key.text()})
	slices.SortFunc(t.Examples, func(a, b Example) int { return cmp.Compare(a.Row, b.Row) })
	t.Examples = t.Examples[:min(len(t.Examples), mostExamples)]
}

// pair compares two rows of one flow.
func (c *comparison) pair(a, b *row) {
	c.result.Pairs++
	if a.key.swapped != b.key.swapped {
		c.result.Swapped++
	}
	equal := true
	for i, column := range c.result.Columns {
		if !column.compare(a, b, string(a.values[i]), string(b.values[i]), &c.Options) {
			equal = false
		}
	}
	if equal {
		c.result.Equal++
	}
}

// text writes a key for people.
func (k *key) text() string {
	parts := strings.Split(string(k.tuple), " ")
	from, to := parts[0], parts[1]
	if k.swapped {
		from, to = to, from
	}
	text := from + " > " + to
	if name := protocolText(parts[2]); name != "" {
		text += " " + name
	}
	if k.start != 0 {
		text += " at " + time.Unix(0, k.start).UTC().Format("2006-01-02 15:04:05.999999999")
	}
	return text
}
