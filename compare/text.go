package compare

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
)

// WriteText writes what came of a comparison for people.
func (r *Result) WriteText(to io.Writer) error {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%-18s %s\n", name, value) }
	number := func(name string, n int64, note string) {
		line(name, strings.TrimRight(fmt.Sprintf("%15s  %s", humanize.Comma(n), note), " "))
	}
	line("a", fmt.Sprintf("%s, %s: %s rows", r.A.Name, r.A.Format, humanize.Comma(r.A.Rows)))
	line("b", fmt.Sprintf("%s, %s: %s rows", r.B.Name, r.B.Format, humanize.Comma(r.B.Rows)))
	line("rows paired by", r.pairedBy())
	number("flows in both", r.Pairs, "")
	number("  equal", r.Equal, r.equalIn())
	number("  different", r.Pairs-r.Equal, "")
	if r.Swapped > 0 {
		number("  turned", r.Swapped, "source and destination are the other way round")
	}
	number("only in a", r.A.Alone, "")
	r.A.examples(&b)
	number("only in b", r.B.Alone, "")
	r.B.examples(&b)
	for _, t := range []struct {
		name    string
		columns []string
	}{{"columns only in a", r.A.Columns}, {"columns only in b", r.B.Columns}} {
		if len(t.columns) > 0 {
			line(t.name, few(t.columns))
		}
	}
	if different := r.Different(); len(different) > 0 {
		b.WriteString("\n")
		table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "column\tdiffer\tb greater\tabsolute, at most\trelative, at most\t")
		for _, c := range different {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t\n", c.Name, humanize.Comma(c.Differ), c.greater(), c.absolute(), c.relative())
		}
		table.Flush()
		for _, c := range different {
			fmt.Fprintf(&b, "\n%s: %s\n", c.Name, strings.Join(c.says(), "; "))
			for _, d := range c.Examples {
				fmt.Fprintf(&b, "  %s (rows %d and %d): %s, %s\n", d.Key, d.Row, d.RowB, quoted(d.A), quoted(d.B))
			}
		}
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// few writes names, of many only the first.
func few(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func (r *Result) pairedBy() string {
	if r.Slack > 0 {
		return fmt.Sprintf("%s within %v", r.Key, r.Slack)
	}
	return r.Key
}

func (r *Result) equalIn() string {
	switch n := len(r.Columns); n {
	case 0:
		return "the tables have no other column in common"
	case 1:
		return "in the one column that both have"
	default:
		return fmt.Sprintf("in all %d columns that both have", n)
	}
}

func (t *Table) examples(b *strings.Builder) {
	for _, e := range t.Examples {
		fmt.Fprintf(b, "  %s (row %d)\n", e.Key, e.Row)
	}
	if n := t.Alone - int64(len(t.Examples)); n > 0 && len(t.Examples) > 0 {
		fmt.Fprintf(b, "  and %s more\n", humanize.Comma(n))
	}
}

// numbers are the values among Differ that are numbers.
func (c *Column) numbers() int64 { return c.Differ - c.Texts - c.Missing }

func (c *Column) greater() string {
	if c.numbers() == 0 {
		return "–"
	}
	return humanize.Comma(c.Greater)
}

func (c *Column) absolute() string {
	if c.numbers() == 0 {
		return "–"
	}
	return strconv.FormatFloat(c.Absolute, 'g', 4, 64)
}

func (c *Column) relative() string {
	if c.numbers() == 0 {
		return "–"
	}
	return strconv.FormatFloat(c.Relative, 'g', 4, 64)
}

// says tells how values differ: the histogram of relative differences, and what are no
// numbers.
func (c *Column) says() []string {
	var all []string
	for i := range c.Histogram {
		if n := c.Histogram[i]; n > 0 {
			all = append(all, fmt.Sprintf("%s %s", humanize.Comma(n), Decade(i)))
		}
	}
	if c.Texts > 0 {
		all = append(all, humanize.Comma(c.Texts)+" texts")
	}
	if c.Missing > 0 {
		all = append(all, humanize.Comma(c.Missing)+" with a value missing")
	}
	if c.Close > 0 {
		all = append(all, "and "+humanize.Comma(c.Close)+" within the tolerance")
	}
	return all
}

// Decade names a bin of [Column].Histogram.
func Decade(i int) string {
	switch i {
	case 0:
		return fmt.Sprintf("below 1e%d", 1-decades)
	case decades - 1:
		return "from 10 %"
	case decades - 2:
		return "from 1 %"
	}
	return fmt.Sprintf("from 1e%d", i-decades)
}

// quoted writes a value, so that it is seen to be empty or text.
func quoted(text string) string {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text
	}
	return strconv.Quote(text)
}
