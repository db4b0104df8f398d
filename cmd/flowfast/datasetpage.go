package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// listedCaptures is how many captures the page lists. The manifest lists all.
const listedCaptures = 100

// page returns the description for people, in Markdown.
func (d *description) page() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s %s has the same for programs, in the format Croissant 1.0,\nwith the SHA-256 of each file, and %s every capture.\n", cell(printable(d.name)), d.sentence(), descriptionName, manifestName)
	fmt.Fprintf(&b, "\n    pandas.read_parquet(\"%s\")\n    polars.read_parquet(\"%s\")\n    duckdb.sql(\"from '%[2]s'\")\n", partFolder, d.glob())
	if folders := d.folders(); len(folders) > 0 {
		fmt.Fprintf(&b, "    pandas.read_parquet(\"%s/%s\")    # a split; there are %s\n", partFolder, folders[0], strings.Join(folders, ", "))
	}
	b.WriteString("\nNeither file says under which licence this may be used, who made the captures, nor how they are to be cited: that is for the publisher to add.\n")

	fmt.Fprintf(&b, "\n## How it was made\n\n    %s\n\nwith flowfast %s%s. The rules by which flows begin and end, and what else shapes the rows:\n\n", d.command, flowfast.Version, d.shared())
	b.WriteString("| option | value | meaning |\n| --- | --- | --- |\n")
	for _, r := range d.rules {
		fmt.Fprintf(&b, "| `--%s` | %s | %s |\n", r.Name, cell(cmp.Or(r.Value, "none")), cell(r.Meaning))
	}

	b.WriteString("\n## What is in it\n\n| | |\n| --- | ---: |\n")
	line := func(name string, n uint64) { fmt.Fprintf(&b, "| %s | %s |\n", name, grouped(n)) }
	s := &d.summary
	line("rows", s.Flows)
	line("packets", s.Packets)
	for _, of := range []struct {
		name string
		n    uint64
	}{
		{"counted in flows", s.Classes.Counted}, {"of other protocols", s.Classes.OtherProtocol}, {"not IP", s.Classes.NotIP},
		{"orphan fragments", s.Classes.OrphanFragment}, {"truncated", s.Classes.Truncated}, {"malformed", s.Classes.Malformed}, {"left out", s.Classes.LeftOut},
	} {
		line("… "+of.name, of.n)
	}
	if s.Packets > 0 {
		first, last := d.times()
		fmt.Fprintf(&b, "| first packet | %s |\n| last packet | %s |\n", first, last)
	}
	if len(d.labels.Labels) > 0 {
		b.WriteString("\n## Labels\n\n| label | flows | packets |\n| --- | ---: | ---: |\n")
		for _, l := range d.labels.Labels {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(cmp.Or(printable(l.Label), "(no label)")), grouped(l.Flows), grouped(l.Packets))
		}
	}
	if len(d.labels.Splits) > 0 {
		b.WriteString("\n## Splits\n\n| split | flows | packets |\n| --- | ---: | ---: |\n")
		for _, s := range d.labels.Splits {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(cmp.Or(printable(s.Split), "(none)")), grouped(s.Flows), grouped(s.Packets))
		}
	}
	b.WriteString("\n## Columns\n\n" + export.Markdown(d.columns))
	d.captureTable(&b)
	return []byte(b.String())
}

// shared says that the work was shared out, if it was.
func (d *description) shared() string {
	if !d.joined {
		return ""
	}
	return ", or the same rows in another order by many machines (flowfast partition and flowfast flows, " + grouped(len(d.parts)) + " buckets)"
}

// captureTable writes the captures.
func (d *description) captureTable(b *strings.Builder) {
	if d.joined {
		b.WriteString("\n## Captures\n\n| capture | bytes | packets | |\n| --- | ---: | ---: | --- |\n")
	} else {
		b.WriteString("\n## Captures\n\n| capture | bytes | packets | flows | | SHA-256 |\n| --- | ---: | ---: | ---: | --- | --- |\n")
	}
	for _, e := range d.captures[:min(len(d.captures), listedCaptures)] {
		said := ""
		if e.Status != done {
			said = fmt.Sprintf("%s: %s", e.Status, printable(string(e.Error)))
		}
		fmt.Fprintf(b, "| %s | %s | %s | ", cell(printable(string(e.Path))), grouped(e.Size), grouped(e.Packets))
		if d.joined {
			fmt.Fprintf(b, "%s |\n", cell(said))
		} else {
			fmt.Fprintf(b, "%s | %s | %s |\n", grouped(e.Flows), cell(said), e.SHA256)
		}
	}
	if more := len(d.captures) - listedCaptures; more > 0 {
		fmt.Fprintf(b, "\nand %s more, which %s lists.\n", grouped(more), manifestName)
	}
}

// cell writes a text into a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(text)
}
