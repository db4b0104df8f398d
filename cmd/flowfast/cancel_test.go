package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowfast/flowfast"
)

// A run over a file that a signal ends stops where it is and leaves no file.
func TestStopped(t *testing.T) {
	dir := t.TempDir()
	input := filepath.Join(dir, "a.pcap")
	const packets = 5000
	b := oneCapture()
	b = append(b, bytes.Repeat(b[24:], packets-1)...)
	if err := os.WriteFile(input, b, 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var c command
	r := c.one(ctx, job{inputs: []string{input}, output: filepath.Join(dir, "rows.csv")}, flowfast.Options{Workers: 1}, nil)
	if !r.stopped || len(errorsOf(&r)) > 0 {
		t.Errorf("stopped %v, errors %v, want true and none", r.stopped, errorsOf(&r))
	}
	if r.summary.Packets >= packets {
		t.Errorf("read all %d packets after the end of its context", packets)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v), want only the capture", entries, err)
	}
	if got := (&r).outcome(); got.Written || got.Packets != r.summary.Packets {
		t.Errorf("got %+v", got)
	}
}

// Jobs that a signal kept from beginning have a result too, in their place.
func TestNotBegun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := command{jobs: 2}
	jobs := []job{{size: 1}, {size: 3}, {size: 2}}
	var order []int64
	results := c.all(ctx, jobs, nil, func(r *result) { order = append(order, r.job.size) })
	if len(order) != 3 || order[0] != 1 || order[1] != 3 || order[2] != 2 {
		t.Errorf("told in the order %v, want that of the jobs", order)
	}
	for i, r := range results {
		if !r.stopped || r.job.size != jobs[i].size || r.summary.Packets != 0 {
			t.Errorf("job %d: got %+v", i, r)
		}
	}
}
