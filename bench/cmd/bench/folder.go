//go:build linux || darwin

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// A folder of captures has eight of benign traffic, each with other random
// numbers and a quarter of the packets.
const (
	folderFiles = 8
	folderPart  = 0.25
)

// folder prints what -r takes.
func (r *runner) folder() error {
	if err := r.release(); err != nil {
		return err
	}
	dir := filepath.Join(r.temp, "captures")
	defer os.RemoveAll(dir)
	all, paths, err := r.captures(dir, folderFiles, r.scale*folderPart)
	if err != nil {
		return err
	}
	var ms []*measurement
	for _, jobs := range r.jobs {
		ms = append(ms, r.recursive(all, jobs))
	}
	if err := r.interleave(ms, paths...); err != nil {
		return err
	}
	fmt.Fprint(r.out, "\n## A folder\n")
	s := &sheet{words: 1, header: []string{"-r", "ns/packet", "min–max", "GB/s", "Mflows/s", "CPU ns/packet", "peak MiB"}}
	n := float64(all.packets)
	for _, m := range ms {
		s.add(m.name, number(m.perPacket(all)), m.spread(all.packets), number(m.perSecond(float64(all.size))/1e9),
			millions(m.perSecond(m.median(flows))), number(m.median(cpu)/n), number(m.median(peak)/mebi))
	}
	s.print(r.out)
	fmt.Fprintf(r.out, "%d captures of benign traffic, %s packets and %s GB in all; medians; runs of each: %d. -j 1 ÷ -j 2: %s.\n",
		folderFiles, grouped(int64(all.packets)), number(float64(all.size)/1e9), r.runs, number(ms[0].wall()/ms[1].wall()))
	return nil
}

// captures makes a folder of a number of benign captures, and returns it as one
// capture, and their paths.
func (r *runner) captures(dir string, files int, scale float64) (all *capture, paths []string, err error) {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return nil, nil, err
	}
	all = &capture{path: dir}
	for seed := range uint64(files) {
		c, err := r.capture(dir, "benign", scale, seed+1)
		if err != nil {
			return nil, nil, err
		}
		paths = append(paths, c.path)
		all.size += c.size
		all.packets += c.packets
	}
	return all, paths, nil
}

// recursive is the measurement of -r over a folder of captures.
func (r *runner) recursive(all *capture, jobs int) *measurement {
	output := filepath.Join(r.temp, "rows")
	m := all.measurement("folder", "-j "+strconv.Itoa(jobs), func(path string) *exec.Cmd {
		return r.whole(r.flowfast, jobs, "-r", path, output)
	})
	m.whole, m.output = true, output
	return m
}
