package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A chart is a figure. Positions are in percent of its area, from its left and its
// top, so that it fits any width.
type chart struct {
	ID, Title, Note string
	XTitle, YTitle  string
	X, Y            []tick
	Lines           []line
	Bars            []bar
	Marks           []mark
	Hits            []hit // what is told of a part of the area, from left to right
	Legend          bool
	Table           table
	Half            bool // half as wide as the page, if that is wide
	None            bool // there is nothing to show
	Log             bool // the axis of numbers is that of log(1+n)
}

// A tick is a number on an axis. A minor one has no place in a narrow window.
type tick struct {
	At    float64
	Label string
	Minor bool
}

// A line is a series over the area, whose coordinates are thousandths of it. An
// area is filled below.
type line struct {
	Name  string
	Class int // of its colour and dashes
	Path  string
	Area  bool
}

// A bar is a rectangle, that of a heat map with a level.
type bar struct {
	X, Y, W, H float64
	Level      int // 1 to 9, 0 for none
	Text       string
}

// A mark is a point, whose shape tells its class.
type mark struct {
	X, Y  float64
	Class int
	Text  string
}

// A hit is a strip of the area, and what it tells.
type hit struct {
	X, W float64
	Text string
}

// A table is rows of text under a head. The first column names the row.
type table struct {
	Head []string
	Rows [][]string
	Text []bool // columns that are not numbers; the first never is
}

// round rounds a position to hundredths, which is finer than what is seen.
func round(v float64) float64 { return float64(int(v*100+0.5)) / 100 }

// axis returns the top of an axis for values up to a greatest one, and its ticks.
func axis(greatest float64, text func(float64) string) (top float64, ticks []tick) {
	if greatest <= 0 {
		greatest = 1
	}
	step := 1.0
	for step*5 < greatest {
		step *= 10
	}
	for step*5 >= greatest*10 {
		step /= 10
	}
	for _, by := range []float64{0.2, 0.5, 1, 2} {
		if s := step * by; greatest/s <= 5 && (s >= 1 || greatest < 1) {
			step = s
			break
		}
	}
	for top < greatest {
		top += step
	}
	for n := 0; ; n++ {
		v := float64(n) * step
		if v > top*1.0001 {
			return top, ticks
		}
		ticks = append(ticks, tick{At: round(100 - 100*v/top), Label: text(v)})
	}
}

// logAxis returns an axis of log(1+n), on which 0 has a place.
func logAxis(greatest int64) (ticks []tick, height func(int64) float64) {
	top := math.Log10(1 + float64(max(greatest, 10)))
	height = func(v int64) float64 { return math.Log10(1+float64(v)) / top }
	for v := int64(0); v <= max(greatest, 10); v = max(10*v, 1) {
		ticks = append(ticks, tick{At: round(100 - 100*height(v)), Label: shortNumber(float64(v))})
	}
	return ticks, height
}

// A grid is bins over time that several figures share.
type grid struct {
	width int // number of the width
	first int64
	n     int
}

// newGrid returns the bins of all timelines, which are widened to them.
func newGrid(all []*timeline) grid {
	var g grid
	for {
		for _, t := range all {
			g.width = max(g.width, t.width)
		}
		g.n = 0
		for _, t := range all {
			t.widen(g.width)
			if len(t.bins) == 0 {
				continue
			}
			last := t.first + int64(len(t.bins))
			if g.n == 0 {
				g.first, g.n = t.first, len(t.bins)
				continue
			}
			first, end := min(g.first, t.first), max(g.first+int64(g.n), last)
			g.first, g.n = first, int(end-first)
		}
		if g.n <= maxBins {
			return g
		}
		g.width++
		for _, t := range all {
			t.widen(g.width)
		}
	}
}

// of returns the counts of a timeline in the bins of the grid.
func (g grid) of(t *timeline) []int64 {
	v := make([]int64, g.n)
	for i, n := range t.bins {
		v[t.first-g.first+int64(i)] = n
	}
	return v
}

func (g grid) step() int64        { return widths[g.width] }
func (g grid) time(bin int) int64 { return (g.first + int64(bin)) * g.step() }

// ticks returns times, in round steps.
func (g grid) ticks() []tick {
	const most = 5 // steps; labels are as long as 11:38:52
	length := int64(g.n) * g.step()
	step := steps[len(steps)-1]
	for i := len(steps) - 1; i >= 0 && length/steps[i] <= most; i-- {
		if steps[i]%g.step() == 0 {
			step = steps[i]
		}
	}
	var ticks []tick
	for n := -floor(-g.time(0), step); n*step <= g.time(g.n); n++ {
		at := float64(n*step-g.time(0)) / float64(length)
		ticks = append(ticks, tick{At: round(100 * at), Label: tickMoment(n*step, step), Minor: len(ticks)%2 == 1})
	}
	if len(ticks) == 0 {
		ticks = append(ticks, tick{Label: tickMoment(g.time(0), g.step())})
	}
	return ticks
}

// steps are those between the ticks of an axis of time, in nanoseconds.
var steps = makeSteps()

func makeSteps() []int64 {
	const day = 24 * time.Hour
	var all []int64
	decades := func(from, to time.Duration) {
		for d := from; d < to; d *= 10 {
			all = append(all, int64(d), 2*int64(d), 5*int64(d))
		}
	}
	decades(time.Microsecond, 10*time.Second)
	for _, d := range []time.Duration{
		10 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute,
		30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	} {
		all = append(all, int64(d))
	}
	decades(day, 10000*day)
	return append(all, int64(10000*day), int64(20000*day))
}

// A series is values over the bins of a grid.
type series struct {
	name   string
	values []int64
	area   bool
}

// overTime returns the figure of series, whose values are scaled by a factor for the
// axis and written by text.
func (g grid) overTime(c chart, all []series, factor float64, text func(float64) string) chart {
	c.None = g.n == 0
	if c.None {
		return c
	}
	greatest := int64(0)
	for _, s := range all {
		for _, v := range s.values {
			greatest = max(greatest, v)
		}
	}
	top, y := axis(float64(greatest)*factor, text)
	height := func(v int64) float64 { return float64(v) * factor / top }
	if c.Log {
		c.YTitle += "; the axis is logarithmic"
		y, height = logAxis(greatest)
	}
	c.Y, c.X = y, g.ticks()
	c.XTitle = "time, UTC; intervals of " + span(uint64(g.step()))
	c.Legend = len(all) > 1
	c.Table.Head = []string{"from"}
	for i, s := range all {
		c.Lines = append(c.Lines, line{Name: s.name, Class: i % 8, Area: s.area, Path: g.path(s, height)})
		c.Table.Head = append(c.Table.Head, s.name)
	}
	w := 100 / float64(g.n)
	for bin := range g.n {
		at := fullMoment(g.time(bin), g.step())
		row, told := []string{at}, []string{at}
		empty := true
		for _, s := range all {
			v := text(float64(s.values[bin]) * factor)
			row = append(row, v)
			empty = empty && s.values[bin] == 0
			if s.values[bin] != 0 || len(all) <= 3 {
				told = append(told, s.name+": "+v)
			}
		}
		if !empty {
			c.Table.Rows = append(c.Table.Rows, row)
		}
		c.Hits = append(c.Hits, hit{X: round(w * float64(bin)), W: round(w), Text: strings.Join(told, "\n")})
	}
	return c
}

// path draws steps in an area of 1000 by 1000.
func (g grid) path(s series, height func(int64) float64) string {
	var b strings.Builder
	x := func(i int) string { return strconv.FormatFloat(round(1000*float64(i)/float64(g.n)), 'f', -1, 64) }
	y := func(i int) string {
		return strconv.FormatFloat(round(1000-1000*height(s.values[i])), 'f', -1, 64)
	}
	if s.area {
		b.WriteString("M0,1000V" + y(0))
	} else {
		b.WriteString("M0," + y(0))
	}
	for i := range g.n {
		if i > 0 && s.values[i] == s.values[i-1] {
			continue
		}
		if i > 0 {
			b.WriteString("H" + x(i) + "V" + y(i))
		}
	}
	b.WriteString("H1000")
	if s.area {
		b.WriteString("V1000Z")
	}
	return b.String()
}

// distribution returns the figure of a histogram. Text writes the edges, which are
// counted in a unit.
func distribution(c chart, h *histogram, text func(uint64) string, whole bool) chart {
	first, last := h.span()
	c.None = first < 0
	if c.None {
		return c
	}
	if first == 0 && last > 5 && h.bins[0] > 0 { // a gap between none and the others says nothing
		for first = 1; h.bins[first] == 0; first++ {
		}
		first-- // the place of none
	}
	edge := func(bin int) uint64 {
		if bin == 0 || bin == first && h.bins[0] > 0 {
			return 0
		}
		return logEdges[bin-1]
	}
	values := make([]uint64, last-first+1)
	for bin := first; bin <= last; bin++ {
		values[bin-first] = h.bins[bin]
	}
	if h.bins[0] > 0 {
		values[0] = h.bins[0]
	}
	greatest := uint64(0)
	for _, v := range values {
		greatest = max(greatest, v)
	}
	top, y := axis(float64(greatest), shortNumber)
	c.Y = y
	w := 100 / float64(len(values))
	every := (len(values) + 6) / 7
	c.Table.Head = []string{c.XTitle, "flows", "share"}
	for i, n := range values {
		from := edge(first + i)
		name := "from " + text(from) + " to below " + text(logEdges[min(first+i, len(logEdges)-1)])
		switch {
		case from == 0:
			name = text(0)
		case whole && logEdges[first+i] == from+1:
			name = text(from)
		}
		if i%every == 0 {
			at := w * float64(i)
			if from == 0 {
				at += w / 2
			}
			c.X = append(c.X, tick{At: round(at), Label: text(from), Minor: len(c.X)%2 == 1})
		}
		told := fmt.Sprintf("%s\n%s flows, %s", name, grouped(n), percent(n, h.n))
		c.Hits = append(c.Hits, hit{X: round(w * float64(i)), W: round(w), Text: told})
		if n == 0 {
			continue
		}
		height := max(round(100*float64(n)/top), 0.5)
		c.Bars = append(c.Bars, bar{X: round(w*float64(i) + w*0.06), W: round(w * 0.88), Y: round(100 - height), H: height})
		c.Table.Rows = append(c.Table.Rows, []string{name, grouped(n), percent(n, h.n)})
	}
	return c
}

func shortNumber(v float64) string { return short(v, "") }
