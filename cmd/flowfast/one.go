package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/labels"
	pages "github.com/flowfast/flowfast/report"
)

// A result is what came of a job.
type result struct {
	job     job
	summary flowfast.Summary
	errs    []error          // of the input, after which the rows before them are written
	failed  error            // of the output, which is then not there
	stopped bool             // by a signal
	partial string           // where the rows of what was read before the signal are, "" for nowhere
	written int64            // bytes of the output, whole or partial
	parts   []partFile       // files of the output in a dataset, said with the first capture in them
	told    bool             // failed is told with another result
	sha256  string           // of the capture, with --hash
	labels  *labels.Counts   // nil without rules and splits
	ruled   bool             // there are rules
	page    *pages.Collector // nil without a page; in a series, with the first capture that of all
}

// one does a job of one run. The output is created first, since what is wrong with
// it is known at once, while a pipe may be silent for long.
func (c *command) one(ctx context.Context, j job, options flowfast.Options, show *display) result {
	r := result{job: j}
	out := outputs{command: c, first: j.output}
	defer out.discard()
	to, err := out.next(ctx)
	if err != nil {
		if r.stopped = ctx.Err() != nil; !r.stopped {
			r.failed = err
		}
		return r
	}
	err = c.write(ctx, &r, to, options, show)
	r.stopped = err != nil && ctx.Err() != nil
	if err := out.err(); err != nil {
		r.failed = err
	}
	if r.failed != nil {
		return r
	}
	if !r.stopped {
		r.errs = split(err)
	}
	c.digest(ctx, &r)
	readable := len(r.summary.Captures) > 0
	if j.taken != nil {
		readable = len(r.errs) == 0 // what is damaged of them lacks packets of any flow
	}
	if readable {
		r.finish(&out)
	}
	return r
}

// write runs a job to its end.
func (c *command) write(ctx context.Context, r *result, to io.Writer, options flowfast.Options, show *display) error {
	if !c.flushSaid && r.job.stream && r.job.size == 0 && isLive(r.job.output) && c.format.Streams() {
		options.Flush = defaultFlush
	}
	return c.measure(ctx, r, options, show, func(run *flowfast.Run) error {
		table := export.Table{Columns: c.columns, Notes: c.notes, TimeUnit: c.timeUnit.of}
		rows, err := c.format.NewWriter(to, table)
		if err != nil {
			r.failed = err
			return nil
		}
		format, counted, err := c.rowsOf(c.rowFormat(table), rows, r.page)
		if err == nil {
			err = run.Write(ctx, counted, format)
		}
		r.failed = rows.Close()
		return err
	})
}

// measure begins the run of a job, has its rows written, and keeps what it says at
// its end.
func (c *command) measure(ctx context.Context, r *result, options flowfast.Options, show *display, write func(*flowfast.Run) error) error {
	labeled := c.begin(r.job)
	if labeled != nil {
		options.Labeler = labeled.Labeler
	}
	if r.page = c.page.collector(); r.page != nil {
		options.Packets = r.page.Packets
	}
	run, closeStream, err := c.open(ctx, r.job, options)
	defer closeStream()
	if err != nil {
		return err
	}
	line := show.begin(r.job, run.Progress)
	defer show.end(line)
	err = write(run)
	r.summary = run.Summary()
	if labeled != nil {
		r.labels, r.ruled = labeled.Counts(), c.finished.Rules != nil
		r.summary.Warnings = append(r.summary.Warnings, r.labels.Warnings...)
	}
	return err
}

// defaultFlush is how long rows wait at most on their way from a pipe to a reader.
const defaultFlush = time.Second

// isLive tells if somebody may be reading an output while it is written.
func isLive(output string) bool {
	if output == "-" {
		return true
	}
	info, err := os.Stat(output)
	return err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeCharDevice) != 0
}

// finish gives the output its name, another one if a signal ended it early.
func (r *result) finish(out *outputs) {
	if r.stopped {
		if r.failed = out.commit(true); r.failed == nil {
			r.partial = out.all[0].PartialName()
		}
	} else {
		r.failed = out.commit(false)
	}
	r.written = out.size()
}

// create begins the output of a job. Under -r its folder is made.
func (c *command) create(ctx context.Context, name string) (*export.File, error) {
	switch {
	case c.page.only:
		return export.Direct(io.Discard, ""), nil
	case name == "-":
		return export.Direct(c.out, "standard output"), nil
	}
	out, err := export.Create(ctx, name)
	if errors.Is(err, fs.ErrNotExist) && c.intoFolder() {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return nil, err
		}
		return export.Create(ctx, name)
	}
	return out, err
}

// open starts the run of a job, and returns what is to be called after it, also
// with an error.
func (c *command) open(ctx context.Context, j job, options flowfast.Options) (*flowfast.Run, func(), error) {
	if j.taken != nil {
		run, err := flowfast.NewTaken(options, j.taken)
		return run, func() {}, err
	}
	if !j.stream {
		run, err := flowfast.Open(options, j.inputs...)
		return run, func() {}, err
	}
	name, source := c.source(ctx, j)
	run, err := flowfast.NewReader(options, source, name)
	return run, func() { source.Close() }, err
}

// source returns the name of a job's stream for messages, and its reader.
func (c *command) source(ctx context.Context, j job) (name string, r *interruptible) {
	if name = j.inputs[0]; name == "-" {
		stdin := struct{ io.Reader }{c.in} // not to be closed
		return "standard input", newInterruptible(ctx, func() (io.Reader, error) { return stdin, nil })
	}
	return name, newInterruptible(ctx, func() (io.Reader, error) { return os.Open(name) })
}

// split returns the errors that err joins.
func split(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, err := range joined.Unwrap() {
			all = append(all, split(err)...)
		}
		return all
	}
	return []error{err}
}
