//go:build linux || darwin

package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// coresFiles is how many captures of benign traffic -r goes over in the mode cores.
const coresFiles = 16

// A scaling is whole jobs on the same captures with more and more workers.
type scaling struct {
	name    string
	packets int
	jobs    []*measurement // one for each of powersUpTo
}

// cores prints what more workers gain, and what is done by one of them at a time.
func (r *runner) cores() error {
	if err := r.release(); err != nil {
		return err
	}
	r.counter = newCounter(r.ctx, r.scale).forWorkers()
	workers := powersUpTo(r.mostWorkers)
	var all []*scaling
	for _, name := range r.workloads {
		s, err := r.scaling(name, workers)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	s, err := r.folderScaling(workers)
	if err != nil {
		return err
	}
	all = append(all, s)
	starts, err := r.starts(workers)
	if err != nil {
		return err
	}
	fmt.Fprint(r.out, "\n## Cores\n")
	r.printScalings(all, workers)
	r.printStarts(starts, workers)
	if err := r.serial(all); err != nil {
		return err
	}
	return r.draw("cores.svg", scalingPanels(all, workers))
}

// powersUpTo returns the powers of two up to n, and n.
func powersUpTo(n int) []int {
	var powers []int
	for k := 1; k < n; k *= 2 {
		powers = append(powers, k)
	}
	return append(powers, n)
}

// processors returns how many processors a job can use: those that the system
// lets it have, which may be fewer than there are.
func processors() int { return runtime.GOMAXPROCS(0) }

// scaling measures a workload.
func (r *runner) scaling(name string, workers []int) (*scaling, error) {
	c, err := r.capture(r.dir, name, r.scale, 1)
	if err != nil {
		return nil, err
	}
	defer c.leave()
	s := &scaling{name: name, packets: c.packets}
	for _, n := range workers {
		s.jobs = append(s.jobs, r.job(c, name, "whole job", r.flowfast, n, os.DevNull))
	}
	if err := r.interleave(s.jobs, c.path); err != nil {
		return nil, err
	}
	counted := s.jobs
	if r.counter.name == "callgrind" && len(counted) > 1 { // it takes too long for those between
		counted = []*measurement{s.jobs[0], s.jobs[len(s.jobs)-1]}
	}
	return s, r.count(name, counted)
}

// folderScaling measures -r.
func (r *runner) folderScaling(workers []int) (*scaling, error) {
	dir := filepath.Join(r.temp, "captures")
	defer os.RemoveAll(dir)
	all, paths, err := r.captures(dir, coresFiles, r.scale*folderPart)
	if err != nil {
		return nil, err
	}
	s := &scaling{name: fmt.Sprintf("-r, %d files", coresFiles), packets: all.packets}
	for _, n := range workers {
		s.jobs = append(s.jobs, r.recursive(all, n))
	}
	return s, r.interleave(s.jobs, paths...)
}

// starts measures whole jobs on a single packet: what a job takes whatever the
// capture.
func (r *runner) starts(workers []int) ([]*measurement, error) {
	c, err := r.capture(r.dir, "flood1", 1, 1)
	if err != nil {
		return nil, err
	}
	defer c.leave()
	var ms []*measurement
	for _, n := range workers {
		ms = append(ms, r.job(c, "flood1", "whole job", r.flowfast, n, os.DevNull))
	}
	return ms, r.interleave(ms, c.path)
}

// speedUp returns the time with one worker by that with others, NaN if there are
// more workers than processors, when it would say nothing of more processors.
func (s *scaling) speedUp(i int, workers []int) float64 {
	if workers[i] > processors() {
		return math.NaN()
	}
	return s.jobs[0].wall() / s.jobs[i].wall()
}

// cpuRatio returns the CPU time by that with one worker.
func (s *scaling) cpuRatio(i int) float64 { return s.jobs[i].median(cpu) / s.jobs[0].median(cpu) }

func (r *runner) printScalings(all []*scaling, workers []int) {
	t := &sheet{words: 2, header: []string{"workload", "workers", "ns/packet", "min–max", "speed-up", "CPU ns/packet", "CPU ÷ -j 1",
		"instructions/packet", "instructions ÷ -j 1", "peak MiB"}}
	for _, s := range all {
		n := float64(s.packets)
		for i, m := range s.jobs {
			t.add(s.name, "-j "+strconv.Itoa(workers[i]), number(m.wall()/n), m.spread(s.packets), number(s.speedUp(i, workers)),
				number(m.median(cpu)/n), number(s.cpuRatio(i)),
				number(m.instructions), number(m.instructions/s.jobs[0].instructions), number(m.median(peak)/mebi))
		}
	}
	t.print(r.out)
	fmt.Fprintf(r.out, "Whole jobs with their rows to /dev/null, of -r to files; medians; runs of each: %d. Processors: %d.\n", r.runs, processors())
	if r.mostWorkers > processors() {
		fmt.Fprintln(r.out, "With more workers than processors, time says nothing of more processors; CPU time and instructions do.")
	}
	fmt.Fprintln(r.out, r.counter.about())
}

func (r *runner) printStarts(starts []*measurement, workers []int) {
	fmt.Fprint(r.out, "A whole job on a single packet takes")
	for i, m := range starts {
		separator := ","
		if i == 0 {
			separator = ""
		}
		fmt.Fprintf(r.out, "%s %s ms with -j %d", separator, number(m.wall()/1e6), workers[i])
	}
	fmt.Fprintln(r.out, ".")
}

// scalingPanels are the plot of the mode.
func scalingPanels(all []*scaling, workers []int) []panel {
	faster := panel{title: "speed-up", unit: "time of -j 1 ÷ time", axis: "workers", base: 2, equal: true}
	dearer := panel{title: "CPU time", unit: "CPU time ÷ that of -j 1", axis: "workers", base: 2}
	for _, s := range all {
		f, d := curve{name: s.name}, curve{name: s.name}
		for i, n := range workers {
			if up := s.speedUp(i, workers); !math.IsNaN(up) {
				f.add(float64(n), up)
			}
			d.add(float64(n), s.cpuRatio(i))
		}
		faster.curves = append(faster.curves, f)
		dearer.curves = append(dearer.curves, d)
	}
	return []panel{faster, dearer}
}
