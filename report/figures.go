package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// heat returns the figure of durations by bytes.
func (c *Collector) heat() chart {
	h := chart{ID: "duration-bytes", Title: "Duration by bytes", XTitle: "duration", YTitle: "bytes, both directions", Half: true,
		Note: "How many flows a cell has is told by its shade, by powers of ten from light to full. Two cells to a decade; the first column is of flows under 1 µs."}
	h.None = c.all.flows == 0
	if h.None {
		return h
	}
	lowX, highX, lowY, highY := math.MaxInt, 0, math.MaxInt, 0
	greatest := uint64(0)
	for x := range c.byDuration {
		for y, n := range c.byDuration[x] {
			if n > 0 {
				lowX, highX, lowY, highY = min(lowX, x), max(highX, x), min(lowY, y), max(highY, y)
				greatest = max(greatest, n)
			}
		}
	}
	duration := func(cell int) string {
		if cell == 0 {
			return "0"
		}
		return span(twoDigits(cellEdges[cell-1]) * 1000)
	}
	size := func(cell int) string {
		if cell == 0 {
			return "0"
		}
		return bytesText(twoDigits(cellEdges[cell-1]))
	}
	w, height := 100/float64(highX-lowX+1), 100/float64(highY-lowY+1)
	h.Table.Head = []string{"bytes from"}
	for x := lowX; x <= highX; x++ {
		h.Table.Head = append(h.Table.Head, duration(x))
		if (x-lowX)%((highX-lowX)/6+1) == 0 {
			h.X = append(h.X, tick{At: round(w * float64(x-lowX)), Label: duration(x), Minor: len(h.X)%2 == 1})
		}
	}
	levels := math.Log10(float64(greatest)) + 1
	for y := highY; y >= lowY; y-- {
		if (y-lowY)%((highY-lowY)/6+1) == 0 {
			h.Y = append(h.Y, tick{At: round(100 - height*float64(y-lowY)), Label: size(y)})
		}
		row := []string{size(y)}
		for x := lowX; x <= highX; x++ {
			n := c.byDuration[x][y]
			row = append(row, grouped(n))
			if n == 0 {
				continue
			}
			h.Bars = append(h.Bars, bar{
				X: round(w * float64(x-lowX)), W: round(w), Y: round(height * float64(highY-y)), H: round(height),
				Level: min(max(int(math.Ceil(9*(math.Log10(float64(n))+1)/levels)), 1), 9),
				Text:  fmt.Sprintf("from %s and from %s\n%s flows", duration(x), size(y), grouped(n)),
			})
		}
		h.Table.Rows = append(h.Table.Rows, row)
	}
	h.Table.Head[0] = "bytes from, by duration from"
	return h
}

// fans tells if some source has more than one destination.
func (c *Collector) fans() bool {
	for t := range c.sources.all {
		if t.fan.endpoints.count() > 1 {
			return true
		}
	}
	return false
}

// fanOut returns how many destinations sources have, and how many of their TCP flows
// stay half-open.
func (c *Collector) fanOut() section {
	s := section{ID: "fan-out", Title: "Fan-out of sources",
		Text: "A source that opens flows to many destinations, of which most stay half-open, scans or floods. " +
			"Half-open is a TCP flow that begins with a SYN and whose handshake its source does not complete: unanswered, refused, or answered and left."}
	const marks, rows = 250, 20
	top := c.sources.top(marks)
	f := chart{ID: "fan-out-chart", Title: "Destinations and half-open flows", XTitle: "destinations: addresses and ports", YTitle: "half-open share of TCP flows", Half: true,
		Note: fmt.Sprintf("The %d sources with the most flows, those of TCP. Squares stand for more than half half-open.", len(top))}
	r := ranking{ID: "top-sources", Title: "Sources by destinations", Half: true,
		Head: []string{"source", "half-open", "TCP flows", "flows", "hosts", "destinations"},
		Note: exact(&c.sources, grouped, "Flows") + fmt.Sprintf(" Numbers of hosts and destinations have a standard error of %.1f %% above some thousand (HyperLogLog).", fanError)}
	type point struct {
		*slot[host]
		hosts, endpoints uint64
	}
	var points []point
	greatest := uint64(1)
	for _, t := range top {
		p := point{t, t.fan.hosts.count(), t.fan.endpoints.count()}
		greatest = max(greatest, p.endpoints)
		points = append(points, p)
	}
	decades := max(math.Ceil(math.Log10(float64(greatest))), 1)
	for d := 0.0; d <= decades; d++ {
		f.X = append(f.X, tick{At: round(4 + 92*d/decades), Label: short(math.Pow(10, d), "")})
	}
	for _, p := range []float64{0, 25, 50, 75, 100} {
		f.Y = append(f.Y, tick{At: round(96 - 0.92*p), Label: fmt.Sprintf("%.0f\u00a0%%", p)})
	}
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(b.endpoints, a.endpoints) })
	f.Table.Head = []string{"source", "destinations", "half-open"}
	for i, p := range points {
		name := p.key.ip().String()
		if p.fan.tcp > 0 {
			share := float64(p.fan.halfOpen) / float64(p.fan.tcp)
			class := 0
			if share > 0.5 {
				class = 1
			}
			f.Marks = append(f.Marks, mark{
				X: round(4 + 92*math.Log10(float64(max(p.endpoints, 1)))/decades), Y: round(96 - 92*share), Class: class,
				Text: fmt.Sprintf("%s\n%s destinations, %s half-open", name, grouped(p.endpoints), percent(p.fan.halfOpen, p.fan.tcp)),
			})
			f.Table.Rows = append(f.Table.Rows, []string{name, grouped(p.endpoints), percent(p.fan.halfOpen, p.fan.tcp)})
		}
		if i < rows {
			r.row(name, "", p.fan.halfOpen, p.fan.tcp, grouped(p.fan.tcp), grouped(p.weight), grouped(p.hosts), grouped(p.endpoints))
		}
	}
	s.Blocks = []block{{Ranking: &r}}
	if len(f.Marks) > 0 {
		s.Blocks = []block{{Chart: &f}, {Ranking: &r}}
	}
	return s
}

// connections returns how flows began and ended.
func (c *Collector) connections() section {
	s := section{ID: "course", Title: "Beginnings and ends", Blocks: []block{{Ranking: c.endings()}}}
	if c.tcp == 0 {
		return s
	}
	flags := ranking{ID: "tcp-flags", Title: "Control bits of TCP packets", Head: []string{"bit", "share", "forward", "backward"}, Half: true,
		Note: "Packets with the bit, from the source of the flow and to it."}
	for i, name := range []string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"} {
		from, back := c.flags[0][i], c.flags[1][i]
		flags.row(name, "", from+back, c.tcp, grouped(from), grouped(back))
	}
	out := ranking{ID: "tcp-outcomes", Title: "How TCP connections began", Head: []string{"outcome", "share", "flows"}, Half: true}
	all := uint64(0)
	for _, n := range c.outcomes {
		all += n
	}
	for o, text := range [outcomes][2]string{
		established: {"established", "SYN, SYN of the other side, ACK of the source"},
		halfOpen:    {"left half-open", "SYN and its answer, but no ACK of the source"},
		refused:     {"refused", "SYN, answered by RST"},
		unanswered:  {"unanswered", "SYN, and neither SYN nor RST of the other side"},
		midstream:   {"begun before", "no SYN of the source was captured"},
	} {
		out.row(text[0], text[1], c.outcomes[o], all, grouped(c.outcomes[o]))
	}
	s.Blocks = append([]block{{Ranking: &out}}, append(s.Blocks, block{Ranking: &flags})...)
	return s
}

// twoDigits rounds a number to its first two digits.
func twoDigits(n uint64) uint64 {
	by := uint64(1)
	for n/by >= 100 {
		by *= 10
	}
	return (n + by/2) / by * by
}
