//go:build linux || darwin

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// floods are the open flows of the series at scale 1.
var floods = []int{10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000}

// The ratio of the times per packet at these is printed.
const lowFlood, highFlood = 100_000, 10_000_000

// tablePackets is how many packets the table is given in each run at least, in
// as many passes as that takes.
const tablePackets = 1_000_000

// A point is a flood of the series.
type point struct {
	full    int // its flows at scale 1
	capture *capture
	table   *measurement
	jobs    []*measurement
}

// series prints how time and memory grow with the open flows.
func (r *runner) series() error {
	if err := r.release(); err != nil {
		return err
	}
	base, err := r.base()
	if err != nil {
		return err
	}
	var points []*point
	var left []string
	perFlow := 256.0 // bytes, a guess until a flood has been measured
	for _, full := range floods {
		flows := int(float64(full) * r.scale)
		if flows == 0 {
			continue
		}
		need := int64(float64(flows) * (1.2*perFlow + 76)) // 76 bytes of the capture
		if free := freeMemory(); need > free {
			left = append(left, fmt.Sprintf("%s open flows were left out: they need some %s MiB, %s MiB are free.",
				grouped(int64(flows)), grouped(need/mebi), grouped(free/mebi)))
			continue
		}
		p, err := r.flood(full, flows)
		if err != nil {
			return err
		}
		points = append(points, p)
		if flows >= lowFlood {
			perFlow = max(p.tableBytes(), p.jobBytes(len(p.jobs)-1, base))
		}
	}
	fmt.Fprint(r.out, "\n## Open flows\n")
	r.printSeries(points, base)
	for _, line := range left {
		fmt.Fprintln(r.out, line)
	}
	r.printGrowth(points)
	return r.draw("series.svg", r.panels(points, base))
}

// base returns the peak of a whole job on a single packet.
func (r *runner) base() (float64, error) {
	c, err := r.capture(r.dir, "flood1", 1, 1)
	if err != nil {
		return 0, err
	}
	defer c.leave()
	m := r.job(c, "flood", "whole job", r.flowfast, 1, os.DevNull)
	err = r.interleave([]*measurement{m}, c.path)
	return m.median(peak), err
}

// flood measures a flood.
func (r *runner) flood(full, flows int) (*point, error) {
	name := "flood" + strconv.Itoa(flows)
	c, err := r.capture(r.dir, name, 1, 1)
	if err != nil {
		return nil, err
	}
	defer c.leave()
	passes := strconv.Itoa(max(1, int(tablePackets*min(r.scale, 1))/flows))
	p := &point{full: full, capture: c}
	p.table = c.measurement(name, "table", func(path string) *exec.Cmd { return r.child("table", passes, path) })
	ms := []*measurement{p.table}
	for _, jobs := range r.jobs {
		m := r.job(c, name, "whole job", r.flowfast, jobs, os.DevNull)
		p.jobs = append(p.jobs, m)
		ms = append(ms, m)
	}
	return p, r.interleave(ms, c.path)
}

// tableBytes returns the bytes per flow that were resident when all were open.
func (p *point) tableBytes() float64 {
	return p.table.median(func(c *cost) float64 { return float64(c.Resident) / float64(max(c.Flows, 1)) })
}

// jobBytes returns by how many bytes per flow the peak of a whole job is above
// that of the job on a single packet.
func (p *point) jobBytes(i int, base float64) float64 {
	return max(0, p.jobs[i].median(peak)-base) / float64(p.capture.packets)
}

func (r *runner) printSeries(points []*point, base float64) {
	s := &sheet{words: 0, header: []string{"open flows", "table, ns/packet", "median, µs/batch", "99.9 %", "longest", "longest of all runs", "table, bytes/flow"}}
	for _, jobs := range r.jobs {
		n := strconv.Itoa(jobs)
		s.header = append(s.header, "-j "+n+", ns/packet", "min–max", "-j "+n+", bytes/flow")
	}
	for _, p := range points {
		longest := p.table.values(pause(func(p *pauses) time.Duration { return p.Longest }))
		row := []string{
			grouped(int64(p.capture.packets)), number(p.table.perPacket(p.capture)),
			number(p.table.median(pause(func(p *pauses) time.Duration { return p.Median }))),
			number(p.table.median(pause(func(p *pauses) time.Duration { return p.P999 }))),
			number(p.table.median(pause(func(p *pauses) time.Duration { return p.Longest }))),
			number(longest[len(longest)-1]), number(p.tableBytes()),
		}
		for i, m := range p.jobs {
			row = append(row, number(m.perPacket(p.capture)), m.spread(p.capture.packets), number(p.jobBytes(i, base)))
		}
		s.add(row...)
	}
	s.print(r.out)
	fmt.Fprintf(r.out, "Batches of %s packets; medians; runs of each: %d; rows to /dev/null. The job on one packet peaks at %s MiB.\n",
		grouped(batchSize), r.runs, number(base/mebi))
}

// pause makes one of the pauses a number of microseconds.
func pause(of func(*pauses) time.Duration) func(*cost) float64 {
	return func(c *cost) float64 { return float64(of(&c.Pauses)) / float64(time.Microsecond) }
}

// printGrowth prints what a packet costs at many open flows, as a ratio.
func (r *runner) printGrowth(points []*point) {
	var low, high *point
	for _, p := range points {
		switch p.full {
		case lowFlood:
			low = p
		case highFlood:
			high = p
		}
	}
	if low == nil || high == nil {
		return
	}
	fmt.Fprintf(r.out, "ns/packet at %s ÷ at %s open flows: table %s", grouped(int64(high.capture.packets)),
		grouped(int64(low.capture.packets)), number(high.table.perPacket(high.capture)/low.table.perPacket(low.capture)))
	for i, jobs := range r.jobs {
		fmt.Fprintf(r.out, ", whole job -j %d %s", jobs, number(high.jobs[i].perPacket(high.capture)/low.jobs[i].perPacket(low.capture)))
	}
	fmt.Fprintln(r.out, ".")
}

// panels are the plot of the series.
func (r *runner) panels(points []*point, base float64) []panel {
	times := panel{title: "time", unit: "ns/packet", axis: "open flows", base: 10}
	bytes := panel{title: "memory", unit: "bytes/flow", axis: "open flows", base: 10}
	for i := -1; i < len(r.jobs); i++ {
		t, b := curve{name: "table"}, curve{name: "table"}
		if i >= 0 {
			t.name = fmt.Sprintf("whole job, -j %d", r.jobs[i])
			b.name = t.name
		}
		for _, p := range points {
			x := float64(p.capture.packets)
			if i < 0 {
				t.add(x, p.table.perPacket(p.capture))
				b.add(x, p.tableBytes())
			} else {
				t.add(x, p.jobs[i].perPacket(p.capture))
				b.add(x, p.jobBytes(i, base))
			}
		}
		times.curves = append(times.curves, t)
		bytes.curves = append(bytes.curves, b)
	}
	return []panel{times, bytes}
}
