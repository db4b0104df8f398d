package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"text/tabwriter"
)

// list says what a run would do, a line for each capture, and does nothing.
func (c *command) list(p *plan) int {
	status := exitOK
	for _, err := range p.errs {
		c.complain(err)
		status = exitBad
	}
	listed := p.listed
	if listed == nil {
		for _, j := range p.jobs {
			listed = append(listed, planned{j, "read"})
		}
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	reading, size := 0, int64(0)
	for _, of := range listed {
		why := of.why
		if why == "" {
			why = "done"
		} else {
			reading, size = reading+len(of.job.inputs), size+of.job.size
		}
		for _, input := range of.job.inputs {
			fmt.Fprintf(w, "%s\t%s\t%s\n", why, printable(input), printable(cmp.Or(of.job.output, c.page.file)))
		}
	}
	if err := w.Flush(); err != nil {
		c.complain(err)
		return exitBad
	}
	if !c.quiet {
		c.log(slog.LevelInfo, fmt.Sprintf("%s captures to read, %s; %s done before; %s other files passed over; nothing was written",
			grouped(reading), mebibytes(size), grouped(p.kept), grouped(p.others)))
	}
	return status
}
