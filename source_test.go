package flowfast

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/ioutil"
)

// A replay is a capture as a source, some packets at a time, with an end of its own.
type replay struct {
	capture *ioutil.Capture
	most    int
	end     error
	silent  bool // wait for the context before the end
}

func (r *replay) Read(ctx context.Context, packets []Packet) (int, error) {
	n, err := r.capture.Read(packets[:min(r.most, len(packets))])
	if err == io.EOF {
		if r.silent {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		err = r.end
	}
	return n, err
}

func (r *replay) Warnings() []string { return []string{"replayed"} }

func newReplay(t *testing.T, file string) *replay {
	c, err := ioutil.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &replay{capture: c, most: 7, end: io.EOF}
}

// The packets of a source have the rows of the capture that they come from.
func TestSource(t *testing.T) {
	const file = "testdata/flags.pcap"
	var want bytes.Buffer
	run, err := Open(Options{Workers: 1}, file)
	if err == nil {
		err = run.Write(t.Context(), &want, export.CSV{})
	}
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	for workers := 1; workers <= 3; workers++ {
		for _, end := range []error{io.EOF, broken} {
			r := newReplay(t, file)
			r.end = end
			run, err := NewSource(Options{Workers: workers}, r, "replay")
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := run.Write(t.Context(), &got, export.CSV{}); errors.Is(err, broken) != (end == broken) || end == io.EOF && err != nil {
				t.Errorf("%d workers: error %v at the end %v", workers, err, end)
			}
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("%d workers: rows differ from those of the capture", workers)
			}
			if w := run.Summary().Warnings; len(w) != 1 || w[0] != "replayed" {
				t.Errorf("warnings %q", w)
			}
			if s := run.Summary(); s.Packets != 94 || len(s.Captures) != 1 || s.Captures[0].Name != "replay" {
				t.Errorf("summary %+v", s)
			}
		}
	}
}

// A source that is silent is asked again, up to the end of the run's context.
func TestSilentSource(t *testing.T) {
	for _, flush := range []time.Duration{0, 10 * time.Millisecond} {
		r := newReplay(t, "testdata/flags.pcap")
		r.silent = true
		run, err := NewSource(Options{Flush: flush, Workers: 2}, r, "replay")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for run.Progress().Packets < 94 {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(100 * time.Millisecond)
			cancel()
		}()
		if err := run.Write(ctx, io.Discard, export.CSV{}); !errors.Is(err, context.Canceled) {
			t.Errorf("flush %v: error %v", flush, err)
		}
		if s := run.Summary(); s.Flows != 11 {
			t.Errorf("flush %v: %d flows, want 11", flush, s.Flows)
		}
	}
}

// A patient is a source that knows how long it may be silent.
type patient struct {
	*replay
	patience time.Duration
	contexts map[<-chan struct{}]bool
}

func (p *patient) SetPatience(d time.Duration) { p.patience = d }

func (p *patient) Read(ctx context.Context, packets []Packet) (int, error) {
	p.contexts[ctx.Done()] = true
	n, err := p.capture.Read(packets[:min(p.most, len(packets))])
	if err == io.EOF {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(p.patience):
			return 0, nil
		}
	}
	return n, err
}

// A source that has a patience has one context for all of a run.
func TestPatientSource(t *testing.T) {
	p := &patient{newReplay(t, "testdata/flags.pcap"), 0, map[<-chan struct{}]bool{}}
	run, err := NewSource(Options{Flush: 20 * time.Millisecond, Workers: 1}, p, "replay")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := run.Write(ctx, io.Discard, export.CSV{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if p.patience != 10*time.Millisecond || len(p.contexts) != 1 {
		t.Errorf("a patience of %v, %d contexts", p.patience, len(p.contexts))
	}
	if s := run.Summary(); s.Flows != 11 {
		t.Errorf("%d flows, want 11", s.Flows)
	}
}

// A source with a link type that is not known, and none at all, are errors.
func TestBadSource(t *testing.T) {
	if _, err := NewSource(Options{}, nil, "none"); err == nil {
		t.Error("no source is no error")
	}
	capture, err := os.ReadFile("testdata/flags.pcap")
	if err != nil {
		t.Fatal(err)
	}
	capture[20] = 147
	c, err := ioutil.NewCapture(bytes.NewReader(capture), "strange")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	run, err := NewSource(Options{}, &replay{capture: c, most: 9, end: io.EOF}, "strange")
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Write(t.Context(), io.Discard, export.CSV{}); err == nil {
		t.Error("an unknown link type is no error")
	}
}
