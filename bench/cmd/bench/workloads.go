//go:build linux || darwin

package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"

	"github.com/flowfast/flowfast/bench/limit"
)

// A suite is the measurements on one workload. Those of several numbers of
// workers are in the order of runner.jobs.
type suite struct {
	capture *capture
	walks   []*measurement
	decode  *measurement
	engine  []*measurement
	trial   *measurement
	null    []*measurement // whole jobs with their rows to /dev/null
	file    []*measurement // and to a file
	rows    []*measurement // whole jobs in a child, for their allocations
}

// table prints everything about every workload.
func (r *runner) table() error {
	if err := r.release(); err != nil {
		return err
	}
	figures := &sheet{words: 2, header: []string{"workload", "what", "ns/packet", "min–max", "GB/s", "Mflows/s",
		"instructions/packet", "allocations/packet", "CPU ns/packet", "peak MiB", "÷ limit"}}
	ratios := &sheet{words: 1, header: []string{"workload", "packets", "GB", "flows", "limit, ns/packet", "-j 1 ÷ limit", "-j 2 ÷ limit",
		"-j 1 ÷ -j 2, /dev/null", "-j 1 ÷ -j 2, file", "-j 2, Mflows/s", "-j 2 ÷ trial"}}
	for _, name := range r.workloads {
		s, err := r.measure(name)
		if err != nil {
			return err
		}
		s.print(figures)
		s.ratios(name, ratios)
	}
	fmt.Fprint(r.out, "\n## Workloads\n")
	figures.print(r.out)
	fmt.Fprintf(r.out, "%s Medians; runs of each: %d.\n", r.counter.about(), r.runs)
	ratios.print(r.out)
	fmt.Fprintln(r.out, "Where no other is named, the whole job's rows go to a file.")
	return nil
}

// measure runs all measurements on a workload.
func (r *runner) measure(name string) (*suite, error) {
	c, err := r.capture(r.dir, name, r.scale, 1)
	if err != nil {
		return nil, err
	}
	defer c.leave()
	s := r.suite(c, name)
	if err := r.interleave(s.timed(), c.path); err != nil {
		return nil, err
	}
	for _, m := range s.rows {
		if err := m.run(); err != nil {
			return nil, err
		}
	}
	return s, r.count(name, s.counted())
}

// suite makes the measurements on a capture.
func (r *runner) suite(c *capture, workload string) *suite {
	s := &suite{capture: c}
	child := func(name string, args ...string) *measurement {
		return c.measurement(workload, name, func(path string) *exec.Cmd {
			return r.child(append(args[:len(args):len(args)], path)...)
		})
	}
	for _, w := range limit.Walks {
		s.walks = append(s.walks, child("walk, "+w.Name, "walk", w.Name))
	}
	s.decode = child("decode only", "decode")
	s.trial = child("trial, no rows", "trial")
	for _, jobs := range r.jobs {
		n := strconv.Itoa(jobs)
		s.engine = append(s.engine, child("engine, no rows, -j "+n, "engine", n))
		s.rows = append(s.rows, child("rows in a child, -j "+n, "rows", n))
		s.null = append(s.null, r.job(c, workload, "whole job to /dev/null", r.flowfast, jobs, os.DevNull))
		s.file = append(s.file, r.job(c, workload, "whole job to a file", r.flowfast, jobs, r.rows()))
	}
	return s
}

// timed returns the measurements in the order in which they are run.
func (s *suite) timed() []*measurement {
	ms := append([]*measurement{}, s.walks...)
	ms = append(ms, s.decode)
	ms = append(ms, s.engine...)
	ms = append(ms, s.trial)
	ms = append(ms, s.null...)
	return append(ms, s.file...)
}

// counted returns those whose instructions are counted.
func (s *suite) counted() []*measurement {
	return append([]*measurement{s.decode, s.trial, s.engine[0]}, s.null...)
}

// limit returns the time per packet of the fastest walk.
func (s *suite) limit() float64 {
	least := math.Inf(1)
	for _, w := range s.walks {
		least = min(least, w.perPacket(s.capture))
	}
	return least
}

// print adds a row for each measurement.
func (s *suite) print(figures *sheet) {
	allocations := map[*measurement]*measurement{}
	for i, m := range s.null {
		allocations[m] = s.rows[i]
	}
	for _, m := range s.timed() {
		from := m
		if m.whole {
			from = allocations[m]
		}
		allocated := none
		if from != nil {
			allocated = number(from.median(mallocs) / float64(s.capture.packets))
		}
		perSecond := none
		if n := m.median(flows); n > 0 {
			perSecond = millions(m.perSecond(n))
		}
		figures.add(m.workload, m.name,
			number(m.perPacket(s.capture)), m.spread(s.capture.packets),
			number(m.perSecond(float64(s.capture.size))/1e9), perSecond,
			number(m.instructions), allocated,
			number(m.median(cpu)/float64(s.capture.packets)), number(m.median(peak)/mebi),
			number(m.perPacket(s.capture)/s.limit()))
	}
}

// ratios adds the row of a workload.
func (s *suite) ratios(name string, ratios *sheet) {
	one, two := s.file[0], s.file[1]
	n := two.median(flows)
	ratios.add(name, grouped(int64(s.capture.packets)), number(float64(s.capture.size)/1e9), grouped(int64(n)), number(s.limit()),
		number(one.perPacket(s.capture)/s.limit()), number(two.perPacket(s.capture)/s.limit()),
		number(s.null[0].wall()/s.null[1].wall()), number(one.wall()/two.wall()),
		millions(two.perSecond(n)), number(two.wall()/s.trial.wall()))
}
