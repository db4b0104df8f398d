//go:build linux || darwin

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// profileSeconds is how long each workload is profiled at scale 1, so that all
// of them have the same weight in the profile.
const profileSeconds = 10

// profile writes the merged profile of all workloads.
func (r *runner) profile(output string) error {
	output, err := filepath.Abs(output)
	if err != nil {
		return err
	}
	seconds := strconv.FormatFloat(profileSeconds*min(r.scale, 1), 'g', -1, 64)
	args := []string{"tool", "pprof", "-proto"}
	for _, name := range r.workloads {
		fmt.Fprintf(os.Stderr, "%s: %s s\n", name, seconds)
		c, err := r.capture(r.dir, name, r.scale, 1)
		if err != nil {
			return err
		}
		path := filepath.Join(r.temp, name+".prof")
		args = append(args, path)
		b, err := r.child("profile", seconds, path, c.path).CombinedOutput()
		c.leave()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(b))
		}
	}
	var merged, stderr bytes.Buffer
	cmd := exec.CommandContext(r.ctx, "go", args...)
	cmd.Stdout, cmd.Stderr = &merged, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go tool pprof: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return os.WriteFile(output, merged.Bytes(), 0o666)
}

// pgoMode prints what the profile gains.
func (r *runner) pgoMode() error {
	profile, err := filepath.Abs(r.pgo)
	if err != nil {
		return err
	}
	if _, err := os.Stat(profile); err != nil {
		return fmt.Errorf("%w (make pgo writes one)", err)
	}
	with, err := r.build("with", "-pgo="+profile)
	if err != nil {
		return err
	}
	without, err := r.build("without", "-pgo=off")
	if err != nil {
		return err
	}
	s := &sheet{words: 2, header: []string{"workload", "jobs", "without, ns/packet", "min–max", "with, ns/packet", "min–max", "with ÷ without"}}
	for _, name := range r.workloads {
		if err := r.pgoOne(name, with, without, s); err != nil {
			return err
		}
	}
	fmt.Fprint(r.out, "\n## Profile\n")
	s.print(r.out)
	fmt.Fprintf(r.out, "Whole jobs with their rows to /dev/null; medians; runs of each: %d.\n", r.runs)
	return nil
}

func (r *runner) pgoOne(name, with, without string, s *sheet) error {
	c, err := r.capture(r.dir, name, r.scale, 1)
	if err != nil {
		return err
	}
	defer c.leave()
	var ms []*measurement
	for _, jobs := range r.jobs {
		ms = append(ms, r.job(c, name, "without", without, jobs, os.DevNull), r.job(c, name, "with", with, jobs, os.DevNull))
	}
	if err := r.interleave(ms, c.path); err != nil {
		return err
	}
	for i, jobs := range r.jobs {
		a, b := ms[2*i], ms[2*i+1]
		s.add(name, "-j "+strconv.Itoa(jobs), number(a.perPacket(c)), a.spread(c.packets),
			number(b.perPacket(c)), b.spread(c.packets), number(b.wall()/a.wall()))
	}
	return nil
}
