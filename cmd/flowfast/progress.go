package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cheggaaa/pb/v3"
	"github.com/flowfast/flowfast"
	"golang.org/x/term"
)

// A display shows how far the jobs are. On a terminal it has a line for each that
// is being done, and below them one for all if there are several, five times a
// second. Else it writes one line a minute, so that a log shows that a long run is
// alive. It draws from a goroutine of its own and asks the runs for a few
// counters; the runs do not wait for it.
type display struct {
	w    io.Writer
	ctx  context.Context // done when a signal ends the run
	size func() (columns, rows int)
	quit chan struct{}
	gone sync.WaitGroup

	mu    sync.Mutex // guards what is below, and printing while it is drawn
	drawn int        // lines on the terminal now
	lines []*line    // of the jobs being done, in the order in which they began
	total *line      // of all jobs; nil if there is one
	done  int
	jobs  int
	ended flowfast.Progress // sums of the jobs that are done
}

// A line is what is shown of a run.
type line struct {
	name     string
	size     int64 // bytes to read, 0 if unknown
	progress func() flowfast.Progress
	bar      *pb.ProgressBar

	began, last time.Time
	packets     int64   // at last
	rate        float64 // packets per second
}

const (
	redraw     = 200 * time.Millisecond
	plainEvery = time.Minute
)

// The bar takes what the name and the figures leave of the width.
const template pb.ProgressBarTemplate = `{{string . "name"}} {{bar . "[" "=" ">" " " "]"}} {{string . "figures"}}`

// display returns the display of a plan, nil if nobody wants to see it.
func (c *command) display(ctx context.Context, p *plan) *display {
	if c.quiet || c.progress == asNone || c.logFormat == logJSON {
		return nil
	}
	f, _ := c.err.(*os.File)
	bar := isTerminalWriter(c.err) && c.progress != asPlain && c.progress != asJSON
	d := newDisplay(c.err, func() (int, int) {
		columns, rows, err := term.GetSize(int(f.Fd()))
		if err != nil || columns == 0 {
			return 80, 24
		}
		return columns, rows
	}, jobsOf(p.jobs))
	d.ctx, d.quit = ctx, make(chan struct{})
	every, show := plainEvery, d.log
	if bar {
		every, show = redraw, d.draw
	} else if c.progress == asJSON {
		every, show = redraw, d.object
	}
	d.gone.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case now := <-ticker.C:
				show(now)
			case <-d.quit:
				return
			}
		}
	})
	return d
}

func newDisplay(w io.Writer, size func() (int, int), jobs []job) *display {
	d := &display{w: w, ctx: context.Background(), size: size, jobs: len(jobs)}
	if len(jobs) > 1 {
		var bytes int64
		for _, j := range jobs {
			bytes += j.size
		}
		d.total = newLine("", bytes, d.sum)
	}
	return d
}

func newLine(name string, size int64, progress func() flowfast.Progress) *line {
	bar := template.New(0)
	bar.Set(pb.Static, true)
	bar.SetTotal(max(size, 0))
	return &line{name: printable(name), size: size, progress: progress, bar: bar}
}

// begin takes in a run that begins.
func (d *display) begin(j job, progress func() flowfast.Progress) *line {
	if d == nil {
		return nil
	}
	name := j.inputs[0]
	if len(j.inputs) > 1 {
		name = fmt.Sprintf("%d captures", len(j.inputs))
	}
	l := newLine(name, j.size, progress)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, l)
	return l
}

// end takes out a run that has ended.
func (d *display) end(l *line) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p := l.progress()
	d.lines = slices.DeleteFunc(d.lines, func(other *line) bool { return other == l })
	d.done++
	d.ended.Packets += p.Packets
	d.ended.Read += max(l.size, p.Read) // what a broken one left unread will not come
}

// sum returns the progress of all jobs; d.mu is held.
func (d *display) sum() flowfast.Progress {
	all := d.ended
	for _, l := range d.lines {
		p := l.progress()
		all.Read += p.Read
		all.Packets += p.Packets
		all.Open += p.Open
	}
	return all
}

// say lets print write to the terminal, above the lines.
func (d *display) say(print func()) {
	if d == nil {
		print()
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.erase()
	print()
}

// close ends the drawing and takes the lines away.
func (d *display) close() {
	if d == nil {
		return
	}
	close(d.quit)
	d.gone.Wait()
	d.say(func() {})
}

func (d *display) erase() {
	if d.drawn > 0 {
		fmt.Fprintf(d.w, "\x1b[%dA\r\x1b[J", d.drawn)
		d.drawn = 0
	}
}

// draw writes the lines over those on the terminal, as many as it has room for.
func (d *display) draw(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	columns, rows := d.size()
	var b strings.Builder
	if d.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", d.drawn)
	}
	shown := d.lines[:min(len(d.lines), max(rows-2, 1))]
	for _, l := range shown {
		b.WriteString(d.text(l, now, columns-1) + "\x1b[K\n")
	}
	d.drawn = len(shown)
	if d.total != nil {
		b.WriteString(d.text(d.total, now, columns-1) + "\x1b[K\n")
		d.drawn++
	}
	b.WriteString("\x1b[J")
	_, _ = io.WriteString(d.w, b.String()) // a terminal that is gone is no error
}

// log writes one line for all jobs.
func (d *display) log(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.total != nil:
		fmt.Fprintf(d.w, "flowfast: %s: %s\n", d.count(), d.figures(d.total, now))
	case len(d.lines) > 0:
		fmt.Fprintf(d.w, "flowfast: %s: %s\n", d.lines[0].name, d.figures(d.lines[0], now))
	}
}

// object writes how far all jobs are as a JSON object on a line, for programs.
func (d *display) object(time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.sum()
	size := int64(0)
	if d.total != nil {
		size = d.total.size
	} else if len(d.lines) > 0 {
		size = d.lines[0].size
	}
	fmt.Fprintf(d.w, `{"progress":{"captures_done":%d,"captures":%d,"bytes_read":%d,"bytes":%d,"packets":%d,"open_flows":%d}}`+"\n",
		d.done, d.jobs, p.Read, size, p.Packets, p.Open)
}

// count says how many of the jobs are done.
func (d *display) count() string {
	return fmt.Sprintf("%s of %s captures", grouped(d.done), grouped(d.jobs))
}

// figures measures a line and returns what it says behind its bar.
func (d *display) figures(l *line, now time.Time) string {
	p := l.progress()
	l.measure(p, now)
	if d.ctx.Err() != nil {
		return "stopping: writing open flows"
	}
	return l.figures(p, now, l == d.total)
}

// text returns a line, no wider than the given number of columns.
func (d *display) text(l *line, now time.Time, columns int) string {
	figures := d.figures(l, now)
	name := d.count()
	if l != d.total {
		// The name has two thirds of what the figures leave.
		name = fitted(l.name, max((columns-pb.CellCount(figures)-2)*2/3, 8))
	}
	l.bar.Set("name", name)
	l.bar.Set("figures", figures)
	l.bar.SetCurrent(l.progress().Read)
	l.bar.SetWidth(columns)
	return l.bar.String()
}

// measure updates the packets per second: a mean in which the time since the
// last drawing has a weight of one third.
func (l *line) measure(p flowfast.Progress, now time.Time) {
	if l.began.IsZero() {
		l.began, l.last, l.packets = now, now, p.Packets
		return
	}
	if past := now.Sub(l.last).Seconds(); past > 0 {
		latest := float64(p.Packets-l.packets) / past
		if l.rate == 0 {
			l.rate = latest
		}
		l.rate += (latest - l.rate) / 3
		l.last, l.packets = now, p.Packets
	}
}

// figures returns the part of the line behind the bar: percent, bytes, packets
// per second, open flows unless the line is to be short, and the time left if the
// bytes go on as they did.
func (l *line) figures(p flowfast.Progress, now time.Time, short bool) string {
	speed := scaled(l.rate) + "pkt/s"
	if !short {
		speed += " " + grouped(p.Open) + " open flows"
	}
	if l.size <= 0 {
		return fmt.Sprintf("%s %s", mebibytes(p.Read), speed)
	}
	const mib = 1 << 20
	part := min(float64(p.Read)/float64(l.size), 1)
	text := fmt.Sprintf("%3.0f%% %.0f/%.0f MiB %s", 100*part, float64(p.Read)/mib, float64(l.size)/mib, speed)
	if passed := now.Sub(l.began); part > 0 && passed > 0 {
		left := time.Duration(float64(passed) * (1 - part) / part)
		text += " " + clock(left) + " left"
	}
	return text
}

// fitted returns a name in exactly so many columns: the end of one that is
// longer, since folders come first.
func fitted(name string, columns int) string {
	if over := pb.CellCount(name) - columns; over > 0 {
		runes := []rune(name)
		for len(runes) > 0 && pb.CellCount(string(runes)) > columns-1 {
			runes = runes[1:]
		}
		name = "…" + string(runes)
	}
	return name + strings.Repeat(" ", max(columns-pb.CellCount(name), 0))
}
