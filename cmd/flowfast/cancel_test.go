package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowfast/flowfast"
)

// A run over a file that a signal ends stops where it is. The rows of what was
// read are in a file that says so; one of the output's name stays as it is.
func TestStopped(t *testing.T) {
	for workers := 1; workers <= 3; workers++ {
		t.Run(fmt.Sprint(workers), func(t *testing.T) { testStopped(t, workers) })
	}
}

func testStopped(t *testing.T, workers int) {
	dir := t.TempDir()
	input := filepath.Join(dir, "a.pcap")
	const packets = 5000
	b := oneCapture()
	b = append(b, bytes.Repeat(b[24:], packets-1)...)
	output := filepath.Join(dir, "rows.csv")
	for name, b := range map[string][]byte{input: b, output: []byte("old")} {
		if err := os.WriteFile(name, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var c command
	j := job{inputs: []string{input}, output: output}
	r := c.one(ctx, j, flowfast.Options{Workers: workers}, nil)
	if !r.stopped || len(errorsOf(&r)) > 0 {
		t.Errorf("stopped %v, errors %v, want true and none", r.stopped, errorsOf(&r))
	}
	if r.summary.Packets >= packets {
		t.Errorf("read all %d packets after the end of its context", packets)
	}
	if got := (&r).outcome(); got.Written || !got.Partial || got.Packets != r.summary.Packets {
		t.Errorf("got %+v", got)
	}
	if got := inFolder(t, dir); got != "a.pcap rows.csv rows.csv.partial" {
		t.Errorf("the folder holds %q, want the capture, the old rows and the partial ones", got)
	}
	if b, err := os.ReadFile(output); err != nil || string(b) != "old" {
		t.Errorf("the old rows are %q (%v)", b, err)
	}

	// The next run, to the end, takes it away.
	if r = c.one(t.Context(), j, flowfast.Options{Workers: workers}, nil); r.stopped || r.summary.Packets != packets || len(errorsOf(&r)) > 0 {
		t.Errorf("got %+v", r)
	}
	if got := inFolder(t, dir); got != "a.pcap rows.csv" {
		t.Errorf("the folder holds %q, want the capture and the rows", got)
	}
}

// A partial output that can't get its name is an error, and leaves nothing.
func TestStoppedInTheWay(t *testing.T) {
	dir := t.TempDir()
	input, output := filepath.Join(dir, "a.pcap"), filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(input, oneCapture(), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(output+".partial", 0o777); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var c command
	r := c.one(ctx, job{inputs: []string{input}, output: output}, flowfast.Options{Workers: 1}, nil)
	if errs := errorsOf(&r); len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), output+".partial: ") || r.partial != "" {
		t.Errorf("got errors %v and %q, want one error with the name", errs, r.partial)
	}
	if got := inFolder(t, dir); got != "a.pcap rows.csv.partial" {
		t.Errorf("the folder holds %q, want the capture and what is in the way", got)
	}
}

// inFolder returns the names in a folder.
func inFolder(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// Jobs that a signal kept from beginning have a result too, in their place.
func TestNotBegun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := command{jobs: 2}
	jobs := []job{{size: 1}, {size: 3}, {size: 2}}
	var order []int64
	results := c.all(ctx, &plan{jobs: jobs}, nil, func(r *result) { order = append(order, r.job.size) })
	if len(order) != 3 || order[0] != 1 || order[1] != 3 || order[2] != 2 {
		t.Errorf("told in the order %v, want that of the jobs", order)
	}
	for i, r := range results {
		if !r.stopped || r.job.size != jobs[i].size || r.summary.Packets != 0 {
			t.Errorf("job %d: got %+v", i, r)
		}
	}
}
