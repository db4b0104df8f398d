package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	pages "github.com/flowfast/flowfast/report"
)

// A reportPage is the page of --report.
type reportPage struct {
	file    string // "" for none
	only    bool   // there are no rows: the command report
	options []string
	all     *pages.Collector // of the jobs that are done
}

const (
	// pageMemory is what a collector takes at most, in bytes.
	pageMemory = 24 << 20
	// pagesWaiting is how many captures may be done before one in front of them,
	// whose collector comes first.
	pagesWaiting = 16
)

func (p *reportPage) flag(f *pflag.FlagSet) {
	f.StringVar(&p.file, "report", "",
		"write an HTML page to `FILE` too, with figures and tables of all captures (default none)")
}

// collector returns the collector of a job, nil without a page.
func (p *reportPage) collector() *pages.Collector {
	if p.file == "" {
		return nil
	}
	return pages.NewCollector()
}

// memory returns what a collector takes at most, in bytes.
func (p *reportPage) memory() int {
	if p.file == "" {
		return 0
	}
	return pageMemory
}

// add takes in what a job has counted. Jobs come in order.
func (p *reportPage) add(r *result) { r.mergePage(&p.all) }

// mergePage adds what was counted for the page to that of the captures before.
func (r *result) mergePage(before **pages.Collector) {
	if r.page == nil {
		return
	}
	r.page.End(r.summary.Last)
	if *before == nil {
		*before = r.page
	} else {
		(*before).Merge(r.page)
	}
	r.page = nil
}

// write writes the page of a run, under another name if a signal ended it early.
func (p *reportPage) write(ctx context.Context, r *outcome, done int, stopped bool) error {
	if p.file == "" {
		return nil
	}
	out, err := export.Create(context.WithoutCancel(ctx), p.file)
	if err != nil {
		return err
	}
	defer out.Discard()
	if p.all == nil {
		p.all = pages.NewCollector()
	}
	of := pages.Run{Title: title(r.Inputs), Summary: r.Summary, Errors: r.Errors, Options: p.options}
	if r.Labels != nil {
		of.Unmatched = r.Labels.Unmatched
	}
	if stopped {
		of.Notes = append(of.Notes, "A signal ended the run: the page is about what had been read before.")
	}
	if done > 0 {
		of.Notes = append(of.Notes, fmt.Sprintf("%s captures had been done before, and are not in the page.", grouped(done)))
	}
	if err := pages.Write(out, p.all, of); err != nil {
		return err
	}
	if stopped {
		return out.CommitPartial()
	}
	if err := out.Commit(); err != nil {
		return err
	}
	return out.RemovePartial()
}

// title names what was read: the last parts of a few names.
func title(inputs []string) string {
	const most = 3
	names := make([]string, 0, most+1)
	for i, name := range inputs {
		if i == most {
			names = append(names, fmt.Sprintf("and %s more", grouped(len(inputs)-most)))
			break
		}
		if name == "-" {
			names = append(names, "standard input")
			continue
		}
		names = append(names, filepath.Base(name))
	}
	return printable(strings.Join(names, ", "))
}

// chosenOptions returns the options that say what flows are and that are not those
// that go without saying.
func (c *command) chosenOptions() []string {
	usual := (&command{rows: choice{profile: "default"}}).rowOptions().notes()
	var all []string
	for i, n := range c.rowOptions().notes() {
		switch n.Name {
		case "version", "columns", "splt", "format", "time-unit", "dataset", "max-memory":
			continue
		}
		if n.Text != usual[i].Text {
			all = append(all, "--"+n.Name+" "+n.Text)
		}
	}
	return all
}

const reportLong = `Flowfast report reads captures and writes one HTML page: packets and flows over
time, sizes and durations, ports and protocols, the hosts with the most
bytes, fan-out of sources and half-open connections, how TCP connections began,
why flows ended, labels by rule, and what was left out and why. The page needs
no network. The same is written beside the rows by: flowfast --report FILE

Each INPUT is a capture; with -r it may be a folder, whose captures are all
read; with --join they are one stream. All are in one page. The figures are the
same for any number of jobs.`

const reportExamples = `  flowfast report capture.pcap pages.html
  flowfast report -r datasets/ pages.html
  flowfast report --labels rules.yaml monday.pcap tuesday.pcap pages.html`

// reportCommand returns the command that writes a page and no rows. The status goes
// into that of the root.
func (root *command) reportCommand() *cobra.Command {
	c := &command{streams: root.streams}
	c.page.only = true
	cmd := &cobra.Command{
		Use:     "report [flags] INPUT... REPORT.html",
		Short:   "write an HTML page with figures and tables of captures",
		Long:    reportLong,
		Example: reportExamples,
		Args: func(cmd *cobra.Command, args []string) error {
			c.flags, c.given = cmd.Flags(), cmd.Flags().Changed
			return c.takeReport(args)
		},
		Run: func(*cobra.Command, []string) { root.status = c.execute() },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVarP(&c.recursive, "recursive", "r", false,
		"read every capture under a folder INPUT, at any depth; other files are passed over")
	f.BoolVar(&c.join, "join", false,
		"read all captures as one stream in the order of time, as mergecap does: a flow that crosses files is one flow")
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	all.SortFlags = false
	c.flowFlags(all)
	all.VisitAll(func(flag *pflag.Flag) {
		switch flag.Name { // what is only about rows
		case "check-every", "check-most", "columns", "splt", "quantiles", "end-reason", "format", "time-unit", "flush", "disorder":
			return
		case "profile":
			flag.Usage = "end flows by the rules of the profile `NAME`; see flowfast columns (default \"default\")"
		}
		f.AddFlag(flag)
	})
	c.labels.flags(f)
	c.dryRunFlag(f)
	c.closingFlags(f)
	return cmd
}

// takeReport takes the arguments of the command report.
func (c *command) takeReport(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("INPUT and REPORT.html are needed, arguments given: %d", len(args))
	}
	last := len(args) - 1
	inputs := args[:last]
	c.page.file = args[last]
	stdin := slices.Contains(inputs, "-")
	switch {
	case stdin && len(inputs) > 1:
		return errors.New("standard input can't be read beside other inputs")
	case stdin && c.recursive:
		return errors.New("-r takes folders, not standard input")
	case filepath.Ext(c.page.file) != ".html" && filepath.Ext(c.page.file) != ".htm" && c.page.file != os.DevNull:
		return fmt.Errorf("%s: the page is HTML, and is to be named so: REPORT.html", c.page.file)
	}
	err := c.take([]string{inputs[0], os.DevNull})
	c.inputs, c.output = inputs, ""
	return err
}

// captures returns a job for each capture of the command report.
func (c *command) captures() (*plan, error) {
	if c.join {
		return c.joined()
	}
	p := &plan{}
	seen := map[string]bool{}
	add := func(j job) {
		if len(j.captures) == 0 || !seen[j.captures[0].real] {
			p.jobs = append(p.jobs, j)
		}
		if len(j.captures) > 0 {
			seen[j.captures[0].real] = true
		}
	}
	for _, input := range c.inputs {
		if info, err := os.Stat(input); err != nil || !info.IsDir() || !c.recursive {
			j, err := single(input, c.in)
			if err != nil {
				p.errs = append(p.errs, err)
				continue
			}
			add(j)
			continue
		}
		t, err := walk(input, "", func(capture) bool { return false })
		if err != nil {
			p.errs = append(p.errs, err)
			continue
		}
		p.others, p.errs = p.others+t.others, append(p.errs, t.errs...)
		for i, found := range t.captures {
			add(job{inputs: []string{found.path}, captures: t.captures[i : i+1], size: found.info.Size()})
		}
	}
	return p, p.empty(c.inputs[0])
}

// checkPage returns an error if the page would replace what is read or another output.
func (c *command) checkPage(p *plan, look *lookup) error {
	page := look.real(c.page.file)
	if page == "" {
		return nil
	}
	taken := map[string]string{look.real(c.summary): "the summary"}
	if p.manifest != nil {
		name := p.manifest.name()
		taken[look.real(name)] = "the manifest of this run"
	}
	for _, j := range p.jobs {
		if output := look.real(j.output); output != "" {
			taken[output], taken[output+export.Partial] = "the output", "where the rows go if a signal ends the run"
		}
	}
	if c.dataset {
		for _, base := range []string{descriptionPage, descriptionName} {
			taken[look.real(filepath.Join(c.output, base))] = "what the data set says of itself"
		}
		if filepath.Dir(page) == filepath.Join(look.real(c.output), partFolder) {
			return fmt.Errorf("%s: is among the parts, no place for the page of --report", c.page.file)
		}
	}
	if what, is := taken[page]; is {
		return fmt.Errorf("%s: is %s, no place for the page of --report", c.page.file, what)
	}
	if err := look.free(c.page.file, page); err != nil {
		return err
	}
	return look.free(c.page.file+export.Partial, page+export.Partial)
}

// rowsOf returns what a run formats its rows with, and where they go: the rows as they
// are, or for a page what is counted of their flows with them.
func (c *command) rowsOf(rows flowfast.Rows, to io.Writer, counted *pages.Collector) (flowfast.Rows, io.Writer, error) {
	if counted == nil {
		return rows, to, nil
	}
	if c.page.only {
		rows = nil
	}
	w, err := pages.NewWriter(to, rows, counted)
	return pages.Rows{Format: rows}, w, err
}
