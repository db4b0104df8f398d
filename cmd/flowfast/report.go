package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/labels"
	"github.com/flowfast/flowfast/live"
)

// A report is what a command says at its end, and what --summary writes as
// JSON: the sums over all jobs in the same keys as those of one job. Keys are
// added, never renamed.
type report struct {
	// Version is that of flowfast.
	Version string `json:"version"`
	outcome
	// PacketsPerSecond are packets by elapsed time.
	PacketsPerSecond float64 `json:"packets_per_second"`
	// PeakMemory is the most memory that was resident, in bytes.
	PeakMemory int64 `json:"peak_memory_bytes"`
	// Whole is the number of captures that were read to their end, Failed that of
	// captures or outputs with an error, OtherFiles that of the files passed over
	// since they are no captures.
	Whole      int `json:"captures_whole"`
	Failed     int `json:"failed"`
	OtherFiles int `json:"other_files"`
	// AlreadyDone is the number of captures that --resume left as they are.
	AlreadyDone int `json:"already_done"`
	// Ring is what a live run has seen and lost.
	Ring *live.Counters `json:"ring,omitempty"`
	// Served is what became of the rows of --serve.
	Served *servedCounts `json:"served,omitempty"`
	// Runs are the jobs, with -r.
	Runs []outcome `json:"runs,omitempty"`

	pipeClosed bool
}

// An outcome is what came of one job or of all.
type outcome struct {
	// Inputs and Output are names as the user gave them; with -r those of the
	// files, below the folders that the user gave.
	Inputs []string `json:"inputs"`
	Output string   `json:"output"`
	// Written says whether the output is there.
	Written bool `json:"written"`
	// Partial says whether the rows of what was read before a signal are there:
	// in a file with .partial behind the output's name, or in the output itself
	// if that is no file.
	Partial bool `json:"partial"`
	flowfast.Summary
	// Labels are what came of --labels.
	Labels *labels.Counts `json:"labels,omitempty"`
	// Splits are what came of --split: the last one is what is in none.
	Splits []labels.SplitCount `json:"splits,omitempty"`
	// Errors are what could not be read or written.
	Errors []string `json:"errors"`

	lost bool // the error of the output stands elsewhere
}

// errorsOf returns the errors of a result, those of the input first. Of an output
// that several captures share, the first one's result has the error.
func errorsOf(r *result) []error {
	if r.failed == nil || r.told {
		return r.errs
	}
	return append(r.errs[:len(r.errs):len(r.errs)], r.failed)
}

// warnings returns the warnings of a result, each with the name of a capture.
func warnings(r *result) []string {
	all := make([]string, 0, len(r.summary.Warnings))
	for _, text := range r.summary.Warnings {
		if !namesOne(text, r) {
			text = r.job.inputs[0] + ": " + text
		}
		all = append(all, text)
	}
	return all
}

// namesOne reports whether a warning begins with the name of one of the
// captures, or is about several.
func namesOne(text string, r *result) bool {
	for _, c := range r.summary.Captures {
		if strings.HasPrefix(text, c.Name+": ") {
			return true
		}
	}
	return len(r.job.inputs) > 1
}

// report sums up the results.
func (c *command) report(p *plan, results []result, elapsed time.Duration) report {
	r := report{Version: flowfast.Version, OtherFiles: p.others, AlreadyDone: p.kept, PeakMemory: peakMemory()}
	r.Inputs, r.Output = c.inputs, c.output
	r.Captures, r.Warnings, r.Errors = []flowfast.Capture{}, []string{}, []string{}
	r.Unread, r.Tunnels = []flowfast.Unread{}, []flowfast.Unread{}
	r.Warnings = append(r.Warnings, c.labels.warnings()...)
	for _, err := range p.errs {
		r.Failed++
		r.Errors = append(r.Errors, message(err))
	}
	r.Written = len(results) > 0 || p.kept > 0
	for i := range results {
		o := results[i].outcome()
		r.add(o)
		r.pipeClosed = r.pipeClosed || errors.Is(results[i].failed, syscall.EPIPE)
		if c.recursive && !c.join {
			r.Runs = append(r.Runs, o)
		}
	}
	if len(results) == 1 {
		r.Part = results[0].summary.Part
	}
	r.Elapsed = elapsed
	if s := elapsed.Seconds(); s > 0 {
		r.PacketsPerSecond = float64(r.Packets) / s
	}
	return r
}

func (r *result) outcome() outcome {
	o := outcome{
		Inputs:  r.job.inputs,
		Output:  r.job.output,
		Written: r.failed == nil && !r.stopped && len(r.summary.Captures) > 0,
		Partial: r.partial != "",
		Summary: r.summary,
		Errors:  []string{},
		lost:    r.told,
	}
	if r.labels != nil {
		o.Splits = r.labels.Splits
	}
	if r.ruled {
		o.Labels = r.labels
	}
	if o.Captures == nil {
		o.Captures = []flowfast.Capture{}
	}
	if o.Unread == nil {
		o.Unread = []flowfast.Unread{}
	}
	if o.Tunnels == nil {
		o.Tunnels = []flowfast.Unread{}
	}
	o.Warnings = warnings(r)
	for _, err := range errorsOf(r) {
		o.Errors = append(o.Errors, message(err))
	}
	return o
}

// add adds the outcome of a job.
func (r *report) add(o outcome) {
	first := r.Packets == 0
	r.Captures = append(r.Captures, o.Captures...)
	r.Packets += o.Packets
	r.Classes.Add(o.Classes)
	r.Flows += o.Flows
	r.Evicted += o.Evicted
	r.StepsBack += o.StepsBack
	r.EarlyFragments += o.EarlyFragments
	r.Unread = flowfast.SumUnread(r.Unread, o.Unread)
	r.Tunnels = flowfast.SumUnread(r.Tunnels, o.Tunnels)
	if o.Packets > 0 && (first || o.First.Before(r.First)) {
		r.First = o.First
	}
	if o.Packets > 0 && (first || o.Last.After(r.Last)) {
		r.Last = o.Last
	}
	r.Warnings = append(r.Warnings, o.Warnings...)
	r.Errors = append(r.Errors, o.Errors...)
	if whole := o.whole(); len(o.Inputs) > 1 { // joined: each can have an error of its own
		r.Whole, r.Failed = r.Whole+whole, r.Failed+len(o.Errors)
	} else if len(o.Errors) > 0 || o.lost {
		r.Failed++
	} else {
		r.Whole += whole
	}
	if o.Labels != nil {
		if r.Labels == nil {
			r.Labels = &labels.Counts{}
		}
		r.Labels.Add(o.Labels)
	}
	r.Splits = labels.AddSplits(r.Splits, o.Splits)
	r.Written = r.Written && o.Written
	r.Partial = r.Partial || o.Partial
}

// whole returns the number of captures that no error names.
func (o *outcome) whole() (n int) {
	for _, c := range o.Captures {
		if !slices.ContainsFunc(o.Errors, func(text string) bool { return strings.HasPrefix(text, c.Name+": ") }) {
			n++
		}
	}
	return n
}

// nothingDone reports whether all had been done before.
func (r *report) nothingDone() bool {
	return r.AlreadyDone > 0 && len(r.Runs) == 0 && len(r.Errors) == 0
}

// worthShowing reports whether people learn something from the report that the
// errors do not tell, and are there to read it.
func (r *report) worthShowing() bool {
	return !r.pipeClosed && (len(r.Captures) > 0 || len(r.Runs) > 0 || r.AlreadyDone > 0)
}

func (r *report) json() []byte {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(err) // numbers and strings can be encoded
	}
	return append(b, '\n')
}

// text returns the report for people.
func (r *report) text() string {
	b := lines{width: 18}
	if len(r.Runs) > 0 || r.OtherFiles > 0 || r.AlreadyDone > 0 || r.Whole+r.Failed > 1 {
		b.line("captures", fmt.Sprintf("%15s read, %s with an error; %s other files passed over",
			grouped(r.Whole), grouped(r.Failed), grouped(r.OtherFiles)))
	}
	if r.AlreadyDone > 0 {
		b.line("already done", fmt.Sprintf("%15s left as they are", grouped(r.AlreadyDone)))
	}
	b.packets("", r.Packets, r.Classes, r.Unread, r.Tunnels)
	if c := r.Ring; c != nil {
		b.number("dropped by kernel", c.Dropped)
		b.number("  ring freezes", c.Freezes)
		b.number("over MTU", c.Large)
		b.line("longest wait", fmt.Sprintf("%15.3f s in the ring", c.MaxLag))
	}
	if c := r.Served; c != nil {
		b.number("rows served", c.Rows)
		b.number("  reader slow", c.Slow)
		b.number("  reader gone", c.Gone)
		b.number("  no reader", c.Unread)
	}
	b.number("flows", r.Flows)
	b.number("  evicted", r.Evicted)
	if r.Labels != nil {
		labelLines(&b.Builder, r.Labels)
	}
	if r.Splits != nil {
		splitLines(&b.Builder, r.Splits)
	}
	if r.StepsBack > 0 {
		b.number("steps back", r.StepsBack)
	}
	b.line("time span", timeSpan(r.Packets, r.First, r.Last))
	b.line("speed", fmt.Sprintf("%spackets/s in %.3g s", scaled(r.PacketsPerSecond), r.Elapsed.Seconds()))
	b.line("peak memory", mebibytes(r.PeakMemory))
	b.line("warnings", grouped(len(r.Warnings)))
	return b.String()
}

// Lines are what is told to people: names of a width at most, and beside them
// values.
type lines struct {
	strings.Builder
	width int
}

func (b *lines) line(name, value string)      { fmt.Fprintf(b, "%-*s %s\n", b.width, name, value) }
func (b *lines) number(name string, n uint64) { b.line(name, fmt.Sprintf("%15s", grouped(n))) }

// packets tells how many packets there are of each class, and of those that are not
// counted why.
func (b *lines) packets(indent string, packets uint64, c flowfast.Classes, unread, tunnels []flowfast.Unread) {
	b.number(indent+"packets", packets)
	b.number(indent+"  counted", c.Counted)
	b.number(indent+"  other protocol", c.OtherProtocol)
	b.number(indent+"  not IP", c.NotIP)
	b.number(indent+"  orphan fragment", c.OrphanFragment)
	b.number(indent+"  truncated", c.Truncated)
	b.number(indent+"  malformed", c.Malformed)
	if c.LeftOut > 0 {
		b.number(indent+"  left out", c.LeftOut)
	}
	if why := flowfast.WhyUncounted(c, unread); why != "" {
		b.line(indent+"not counted", why)
	}
	if why := flowfast.WhyTunnelled(packets-c.LeftOut, tunnels); why != "" {
		b.line(indent+"in UDP tunnels", why)
	}
}

// timeSpan tells the times of packets.
func timeSpan(packets uint64, first, last time.Time) string {
	if packets == 0 {
		return "no packets"
	}
	const layout = "2006-01-02 15:04:05.000000"
	return fmt.Sprintf("%s s, from %s to %s UTC", span(last.Sub(first)), first.UTC().Format(layout), last.UTC().Format(layout))
}

// span writes a time span in seconds with six decimals.
func span(d time.Duration) string {
	return fmt.Sprintf("%d.%06d", d/time.Second, d%time.Second/time.Microsecond)
}
