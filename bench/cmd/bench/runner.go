//go:build linux || darwin

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"

	"github.com/flowfast/flowfast/bench/workload"
)

// A runner runs measurements. It keeps little in memory itself: a child's peak
// begins with that of its parent.
type runner struct {
	options
	ctx      context.Context
	out      io.Writer
	temp     string // folder in dir that goes with the runner
	self     string // this program
	flowfast string // the command, "" until it is needed
	jobs     []int  // the numbers of workers that are measured
	buffer   []byte // what warm reads goes here
	counter  *counter
}

func newRunner(ctx context.Context, o options, out io.Writer) (*runner, error) {
	r := &runner{options: o, ctx: ctx, out: out, jobs: []int{1, 2}, buffer: make([]byte, 256<<10)}
	if n := runtime.NumCPU(); n > 2 {
		r.jobs = append(r.jobs, n)
	}
	debug.SetGCPercent(10) // see above
	var err error
	if r.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.dir, 0o777); err != nil {
		return nil, err
	}
	r.temp, err = os.MkdirTemp(r.dir, "run-*")
	return r, err
}

func (r *runner) close() { os.RemoveAll(r.temp) }

// child returns the command of a measurement that this program makes.
func (r *runner) child(args ...string) *exec.Cmd {
	return exec.CommandContext(r.ctx, r.self, append([]string{"child"}, args...)...)
}

// whole returns the command of a whole job. It prints its summary.
func (r *runner) whole(program string, jobs int, args ...string) *exec.Cmd {
	args = append([]string{"-q", "--summary", "-", "-j", strconv.Itoa(jobs)}, args...)
	return exec.CommandContext(r.ctx, program, args...)
}

// A capture is a file that is measured on.
type capture struct {
	path    string
	size    int64
	packets int
	made    bool // it was not there before
}

// capture sees that a workload is there as a file of a folder. The file is made
// in a child, since that takes memory.
func (r *runner) capture(dir, name string, scale float64, seed uint64) (*capture, error) {
	before, _ := filepath.Glob(filepath.Join(dir, "*.pcap"))
	cmd := r.child("generate", dir, name, strconv.FormatFloat(scale, 'g', -1, 64), strconv.FormatUint(seed, 10))
	if b, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(b))
	}
	path, size, err := workload.File(dir, name, scale, seed) // it is there
	if err != nil {
		return nil, err
	}
	return &capture{path, size, workload.Packets(name, scale), !slices.Contains(before, path)}, nil
}

// leave removes a capture that was made for the runner.
func (c *capture) leave() {
	if c.made {
		os.Remove(c.path)
	}
}

// interleave runs every measurement once, then every one again, and so on, so
// that all of them see the same drift of the machine.
func (r *runner) interleave(ms []*measurement, inputs ...string) error {
	for i := range r.runs {
		fmt.Fprintf(os.Stderr, "%s: run %d of %d\n", filepath.Base(inputs[0]), i+1, r.runs)
		for _, m := range ms {
			if err := r.warm(inputs); err != nil {
				return err
			}
			if err := m.run(); err != nil {
				return err
			}
		}
	}
	return nil
}

// warm reads files twice, so that they lie in memory: the second time makes the
// system keep the pages for longer than files that are read once.
func (r *runner) warm(paths []string) error {
	for range 2 {
		for _, path := range paths {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			for err == nil {
				_, err = f.Read(r.buffer)
			}
			f.Close()
			if err != io.EOF {
				return err
			}
		}
	}
	return nil
}
