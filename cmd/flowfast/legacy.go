package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/ioutil"
	"github.com/flowfast/flowfast/legacy"
)

// legacyProfile has a way of its own from captures to rows.
const legacyProfile = "cicflowmeter-legacy"

// checkLegacy returns an error if the user asked for what the original program
// does not do.
func (c *command) checkLegacy() error {
	for _, flag := range []string{"columns", "splt", "quantiles", "end-reason", "idle-timeout", "active-timeout", "tcp-end",
		"protocols", "decap", "key", "check-every", "check-most", "join", "from", "to", "filter", "sample", "unidirectional", "anonymize", "split", "split-by", "split-seed", "split-block", "sample-label", "flush", "disorder"} {
		if c.given(flag) {
			return fmt.Errorf("--%s does not go with --profile %s, which computes what CICFlowMeter itself does", flag, legacyProfile)
		}
	}
	return nil
}

// readLegacyLabels reads the files of --labels, which fill the column Label. Rules can't
// look at columns: those of the original say other things than flowfast's.
func (c *command) readLegacyLabels() error {
	if err := c.loadLabels(); err != nil || c.labels.set == nil {
		return err
	}
	if c.labels.conditions() != nil || c.labels.needs() != 0 {
		return fmt.Errorf("--labels: with --profile %s rules can't have where or vlans", legacyProfile)
	}
	c.finished.Rules = c.labels.set
	return nil
}

// labelLegacy returns what calls the flows of the original by rules.
func labelLegacy(label func(*flowtable.Flow) bool) func(*legacy.Flow) string {
	var flow flowtable.Flow
	return func(f *legacy.Flow) string {
		src, dst, srcPort, dstPort, protocol := f.Endpoints()
		start, last := f.Span()
		flow.Src.Lo, flow.Dst.Lo = uint64(src), uint64(dst)
		flow.SrcPort, flow.DstPort, flow.Protocol = srcPort, dstPort, protocol
		flow.Start, flow.Last = flowtable.Time(start*1000), flowtable.Time(max(start, last)*1000)
		flow.Fwd.Packets = f.Packets()
		label(&flow)
		return flow.Label.Name
	}
}

// legacyColumns are its columns, for listings.
func legacyColumns() export.Profile {
	p := export.Profile{Name: legacyProfile, Definition: "what CICFlowMeter itself computes, defects included, for comparing with published tables"}
	kinds := map[legacy.Kind]export.Kind{legacy.Integer: export.Int, legacy.Real: export.Float, legacy.Text: export.Text}
	mended, _ := export.FindProfile("cicflowmeter")
	for i, c := range legacy.Columns() {
		role := mended.Columns[i].Role // they are called the same
		p.Columns = append(p.Columns, &export.Column{Name: c.Name, Unit: c.Unit, Definition: c.Definition, Kind: kinds[c.Kind], Role: role})
	}
	return p
}

// A legacyRun is a run of that profile.
type legacyRun struct {
	source  *interruptible
	capture *ioutil.Capture
	name    string
	meter   legacy.Meter
	summary flowfast.Summary
	label   func(*legacy.Flow) string // nil without rules
	packets atomic.Int64
	flows   atomic.Int64
}

func (c *command) openLegacy(ctx context.Context, j job, options flowfast.Options) (*legacyRun, error) {
	name, source := c.source(ctx, j)
	// As a stream: a mapped file could be cut while the meter reads it.
	capture, err := ioutil.NewCapture(source, name)
	if err != nil {
		source.Close()
		return nil, err
	}
	r := &legacyRun{source: source, capture: capture, name: name}
	r.meter.MaxFlows = legacyFlows(options)
	r.summary.Captures = []flowfast.Capture{{Name: r.name, Format: r.capture.Format()}}
	return r, nil
}

// legacyFlows returns how many flows may be open within the bounds of flows and
// memory. Beside the flows a run takes fixed bytes, and what the collector of
// garbage has not collected yet is a third of them at most.
func legacyFlows(o flowfast.Options) int {
	const fixed, flow = 46 << 20, 1500
	most := max((o.MaxMemory-fixed)/flow, 1)
	if o.MaxFlows > 0 {
		most = min(most, o.MaxFlows)
	}
	return most
}

func (r *legacyRun) progress() flowfast.Progress {
	read, _ := r.capture.Progress()
	return flowfast.Progress{Read: read, Packets: r.packets.Load(), Flows: r.flows.Load()}
}

// write writes the rows of all that can be read, and returns the error of the
// writer, of the capture or of the context.
func (r *legacyRun) write(ctx context.Context, w io.Writer) error {
	began := time.Now()
	defer r.source.Close()
	defer r.capture.Close()
	defer func() { r.close(time.Since(began)) }()
	format := legacy.CSV{Label: r.label}
	b := format.AppendHeader(nil)
	add := func(flows ...*legacy.Flow) error {
		for _, f := range flows {
			if f == nil {
				continue
			}
			r.flows.Add(1)
			if b = format.AppendRow(b, f); len(b) >= 1<<18 {
				if _, err := w.Write(b); err != nil {
					return err
				}
				b = b[:0]
			}
		}
		return nil
	}
	ended := r.read(ctx, add)
	if err := add(r.meter.Rest()...); err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	return ended
}

// read takes the packets through the meter, and returns why it ended: nil if all
// is well.
func (r *legacyRun) read(ctx context.Context, add func(...*legacy.Flow) error) error {
	records := make([]ioutil.Record, 256)
	for ctx.Err() == nil {
		n, err := r.capture.Read(records)
		for i := range records[:n] {
			at := time.Unix(0, records[i].Time).UTC()
			if s := &r.summary; s.Packets == 0 {
				s.First, s.Last = at, at
			} else if at.Before(s.First) {
				s.First = at
			} else if at.After(s.Last) {
				s.Last = at
			}
			r.summary.Packets++
			if err := add(r.meter.Add(&records[i])); err != nil {
				return err
			}
		}
		r.packets.Add(int64(n))
		if err != nil {
			r.summary.Warnings = append(r.summary.Warnings, r.capture.Warnings()...)
		}
		var cut *ioutil.TruncatedError
		switch {
		case errors.As(err, &cut):
			r.summary.Warnings = append(r.summary.Warnings, err.Error())
			return nil
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
	return ctx.Err()
}

func (r *legacyRun) close(elapsed time.Duration) {
	counts := r.meter.Counts()
	s := &r.summary
	s.Classes.NotIP, s.Classes.Counted = counts.Discarded, counts.Packets-counts.Discarded
	s.Flows, s.Evicted = uint64(r.flows.Load()), counts.Evicted
	if s.Evicted > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %d flows were finished early to keep to the bound of flows or memory, which the original does not have",
			r.name, s.Evicted))
	}
	s.Elapsed = elapsed
	if counts.Lost+counts.Repeated > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s: %d packets that are alone in their flow and %d repeated FINs are in no row, as in the original",
			r.name, counts.Lost, counts.Repeated))
	}
}

// writeLegacy is write for this profile.
func (c *command) writeLegacy(ctx context.Context, r *result, to io.Writer, options flowfast.Options, show *display) error {
	run, err := c.openLegacy(ctx, r.job, options)
	if err != nil {
		return err
	}
	labeled := c.begin(r.job)
	if labeled != nil {
		run.label = labelLegacy(labeled.Labeler())
	}
	line := show.begin(r.job, run.progress)
	defer show.end(line)
	var rows io.WriteCloser
	if rows, r.failed = c.format.NewWriter(to, export.Table{}); r.failed == nil { // which compresses
		err = run.write(ctx, rows)
		r.failed = rows.Close()
	}
	r.summary = run.summary
	if labeled != nil {
		r.labels, r.ruled = labeled.Counts(), true
	}
	return err
}
