package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/flowfast/flowfast/export"
)

// execute does what the user asked for and returns the exit status.
func (c *command) execute() int {
	began := time.Now()
	ctx, stop := untilSignal()
	defer stop()
	c.options.Choice.Filter = c.filter.programs(ctx)
	if err := checkFilter(c.options.Choice.Filter); err != nil {
		if s := signalOf(ctx); s != 0 {
			c.log(slog.LevelInfo, stopped(s, nil))
			return 128 + int(s)
		}
		c.complain(err)
		return exitUsage
	}
	c.notes = c.rowOptions().notes()
	c.page.options = c.chosenOptions()
	p, err := c.plan()
	if err == nil && c.dryRun {
		return c.list(p)
	}
	if err == nil && (c.output == "-" || c.summary == "-") && mayBeClosed(c.out) {
		err = errors.New("standard output is closed, or the null device open for reading as well: output written there would be lost; if it is not wanted, OUTPUT can be " + os.DevNull)
	}
	if err == nil {
		err = p.begin(ctx)
	}
	if err != nil {
		c.complain(err)
		return exitBad
	}
	c.keepToMemory()
	show := c.display(ctx, p)
	for _, err := range p.errs {
		show.say(func() { c.complain(err) })
	}
	show.say(func() { c.warn(c.labels.warnings()) })
	results := c.all(ctx, p, show, func(r *result) {
		show.say(func() { c.tell(r) })
		c.page.add(r)
	})
	show.close()
	if err := c.closeFolder(ctx, p); err != nil {
		c.complain(err)
		p.errs = append(p.errs, err)
	}
	r := c.report(p, results, time.Since(began))
	empty := c.emptySplits(&r, results)
	c.warn(empty)
	r.Warnings = append(r.Warnings, empty...)
	status := c.close(ctx, r)
	if s := signalOf(ctx); s != 0 {
		text := stopped(s, results)
		if c.page.file != "" {
			text += "; page about what was read: " + c.page.file + export.Partial
		}
		if p.manifest != nil {
			text += "; --resume goes on from here"
		}
		c.log(slog.LevelInfo, text)
		status = 128 + int(s)
	}
	return status
}

// closeFolder writes what is to be said of the outputs under -r.
func (c *command) closeFolder(ctx context.Context, p *plan) error {
	if err := p.manifest.close(ctx); err != nil || !c.dataset || ctx.Err() != nil {
		return err
	}
	return c.describe(ctx, p.manifest)
}

// tell prints what a job has to say: its warnings, then its errors, and that it is
// done.
func (c *command) tell(r *result) {
	c.warn(warnings(r))
	for _, err := range errorsOf(r) {
		c.complain(err)
	}
	c.logFile(r)
}

func (c *command) warn(warnings []string) {
	if !c.quiet || c.strict {
		for _, text := range warnings {
			c.log(slog.LevelWarn, text)
		}
	}
}

// close prints and writes the closing summary, and returns the exit status.
func (c *command) close(ctx context.Context, r report) int {
	status := exitOK
	if r.Failed > 0 || len(r.Errors) > 0 || c.strict && len(r.Warnings) > 0 {
		status = exitBad
	}
	switch {
	case c.quiet || !r.worthShowing():
	case c.logFormat == logJSON:
		c.logReport(&r)
	case r.nothingDone():
		c.log(slog.LevelInfo, fmt.Sprintf("nothing to do: %s captures had been done before", grouped(r.AlreadyDone)))
	default:
		fmt.Fprint(c.err, r.text())
	}
	if err := c.writeSummary(ctx, r); err != nil {
		c.complain(err)
		status = exitBad
	}
	if err := c.page.write(ctx, &r.outcome, r.AlreadyDone, ctx.Err() != nil); err != nil {
		c.complain(err)
		status = exitBad
	}
	return status
}

// stopped says that a signal ended the run, and where the rows of the captures
// are that were not read to their end: there is one for each job at work.
func stopped(s syscall.Signal, results []result) string {
	var text strings.Builder
	fmt.Fprintf(&text, "stopped by a signal (%v)", s)
	before, last := "; rows of what was read: ", ""
	for _, r := range results {
		if r.partial != "" && r.partial != last { // captures of one table have the same
			text.WriteString(before + r.partial)
			before, last = ", ", r.partial
		}
	}
	return text.String()
}

// writeSummary writes the summary as JSON to where the user wants it.
func (c *command) writeSummary(ctx context.Context, r report) error {
	var out *export.File
	switch c.summary {
	case "":
		return nil
	case "-":
		out = export.Direct(c.out, "standard output")
	default:
		var err error
		if out, err = export.Create(ctx, c.summary); err != nil {
			return err
		}
	}
	defer out.Discard()
	if _, err := out.Write(r.json()); err != nil {
		return err
	}
	return out.Commit()
}

// complain prints an error. That the reader of the output has gone away is its
// own business: the status alone tells.
func (c *command) complain(err error) {
	if !errors.Is(err, syscall.EPIPE) {
		c.log(slog.LevelError, message(err))
	}
}
