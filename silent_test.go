package flowfast_test

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// A run over a stream that has gone silent ends with its context, with one worker
// and with several.
func TestCancelledWhileSilent(t *testing.T) {
	capture, err := os.ReadFile("testdata/flags.pcap")
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{1, 3} {
		r, w := io.Pipe()
		go w.Write(capture) // and then nothing, nor an end
		run, err := flowfast.NewReader(flowfast.Options{Workers: workers}, r, "pipe")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			for run.Progress().Packets == 0 {
				runtime.Gosched()
			}
			cancel()
		}()
		if err := run.Write(ctx, io.Discard, export.CSV{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%d workers: error %v, want that of the context", workers, err)
		}
		if s := run.Summary(); s.Packets != 94 || s.Flows != 11 {
			t.Errorf("%d workers: %d packets, %d flows before the silence, want 94 and 11", workers, s.Packets, s.Flows)
		}
		w.Close()
	}
}

// A run that nobody runs gives its capture back, and has no end after that.
func TestClose(t *testing.T) {
	for range 3 {
		run, err := flowfast.Open(flowfast.Options{}, "testdata/flags.pcap")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(run.Close(), run.Close()); err != nil {
			t.Error(err)
		}
		if err := run.Write(t.Context(), io.Discard, export.CSV{}); err == nil {
			t.Error("a closed run can be run")
		}
		if open := descriptors(t, "flags.pcap"); open != 0 {
			t.Errorf("%d descriptors of the capture are open", open)
		}
	}
}

// descriptors counts those of this process that lead to files of a name.
func descriptors(t *testing.T, name string) (n int) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // only Linux tells
	}
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && len(to) >= len(name) && to[len(to)-len(name):] == name {
			n++
		}
	}
	return n
}
