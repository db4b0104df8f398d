package fuzz

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/internal/mutate"
	"github.com/flowfast/flowfast/internal/need"
	"github.com/flowfast/flowfast/ioutil"
)

// deadline is how long one run over a small capture may take before it counts as
// one that hangs: some thousand times what it takes.
const deadline = 30 * time.Second

// A watchdog ends the test binary with all stacks when one run does not end.
type watchdog struct {
	runs atomic.Int64
	what atomic.Value // string
	stop chan struct{}
}

func watch(t *testing.T) *watchdog {
	w := &watchdog{stop: make(chan struct{})}
	w.what.Store("")
	t.Cleanup(func() { close(w.stop) })
	go func() {
		tick := time.NewTicker(deadline)
		defer tick.Stop()
		for last := int64(-1); ; {
			select {
			case <-w.stop:
				return
			case <-tick.C:
			}
			now := w.runs.Load()
			if now == last {
				panic(fmt.Sprintf("no end of a run within %v: %s", deadline, w.what.Load()))
			}
			last = now
		}
	}()
	return w
}

// next says that a run begins.
func (w *watchdog) next(what string) {
	w.what.Store(what)
	w.runs.Add(1)
}

// TestCuts cuts a capture of each format at every byte, and wants of each part,
// mapped and streamed, the classes of just the whole records in it, and a word
// where a record is cut.
func TestCuts(t *testing.T) {
	w := watch(t)
	file := newScratch(t)
	for name, capture := range map[string][]byte{"pcap": mixedPcap(), "pcapng": mixedNG()} {
		s := takeCensus(capture)
		all := edges(capture)
		if s.door != nil || s.err != nil || all[len(all)-1].packets != len(s.packets) {
			t.Fatalf("%s: %v, %v, %d packets, edges %v", name, s.door, s.err, len(s.packets), all)
		}
		if c, _ := s.of(len(s.packets)); c.Counted < 8 || c.OtherProtocol*c.NotIP*c.OrphanFragment*c.Truncated*c.Malformed == 0 {
			t.Errorf("%s: a class is missing in %+v", name, c)
		}
		for cut := range len(capture) + 1 {
			front := capture[:cut]
			for _, way := range []struct {
				name string
				open opener
				o    flowfast.Options
			}{
				{"streamed", streamed(front), flowfast.Options{Workers: 1}},
				{"mapped", file.holding(t, front), flowfast.Options{Workers: 1}},
				{"mapped, two workers", mapped(string(file)), flowfast.Options{Workers: 2}},
			} {
				what := fmt.Sprintf("%s cut at %d, %s", name, cut, way.name)
				w.next(what)
				s.checkCut(t, what, all, cut, run(t, way.open, way.o))
			}
			if t.Failed() {
				return
			}
		}
		t.Logf("%s: cut at %d places", name, len(capture)+1)
	}
}

// A swept capture is what TestSweep damages.
type swept struct {
	name string
	b    []byte
}

// sweptCaptures returns the captures of a folder and made ones, up to 64 KiB of each,
// compressed and not.
func sweptCaptures(t *testing.T, files []string) (all []swept) {
	const most = 64 << 10
	for _, file := range files {
		if ok, err := ioutil.IsCapture(file); !ok && err == nil {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		all = append(all, swept{name, b[:min(len(b), most)]})
		if inner := unwrap(b, most); inner != nil {
			all = append(all, swept{name + ", unwrapped", inner})
		}
	}
	for name, b := range map[string][]byte{"mixed.pcap": mixedPcap(), "mixed.pcapng": mixedNG()} {
		all = append(all, swept{name, b})
		for way, z := range packed(t, b) {
			all = append(all, swept{name + "." + way, z})
		}
	}
	slices.SortFunc(all, func(a, b swept) int { return cmp.Compare(a.name, b.name) })
	return all
}

// packed returns what every compressor that there is makes of b.
func packed(t *testing.T, b []byte) map[string][]byte {
	all := map[string][]byte{}
	for way, open := range map[string]func(io.Writer) (io.WriteCloser, error){
		"gz":  func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"zst": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) },
		"lz4": func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil },
		"xz":  func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
	} {
		var packed bytes.Buffer
		z, err := open(&packed)
		if err == nil {
			_, err = z.Write(b)
		}
		if err == nil {
			err = z.Close()
		}
		if err != nil {
			t.Fatalf("%s: %v", way, err)
		}
		all[way] = packed.Bytes()
	}
	return all
}

// unwrap returns the first bytes of what is compressed in b with gzip or zstd,
// the two that captures come in; nil if nothing is.
func unwrap(b []byte, most int) []byte {
	inner := make([]byte, most)
	n := 0
	switch {
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		if z, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
			n, _ = io.ReadFull(z, inner)
		}
	case bytes.HasPrefix(b, []byte("\x28\xb5\x2f\xfd")):
		if z, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1)); err == nil {
			n, _ = io.ReadFull(z, inner)
			z.Close()
		}
	}
	if n == 0 {
		return nil
	}
	return inner[:n]
}

// sweeps is how many damaged captures TestSweep runs: as many as the variable
// FLOWFAST_SWEEP says, else few enough to go unnoticed.
func sweeps(t *testing.T) int {
	text := os.Getenv("FLOWFAST_SWEEP")
	if text == "" {
		return 10_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("FLOWFAST_SWEEP=%s: want a number of runs", text)
	}
	return n
}

// Most bytes that a run may allocate in all: two chunks of a stream, a batch, an
// empty table and a few pages of it; and for compressed captures, what the
// greatest window of a decompressor takes (see ioutil).
const (
	plainBytes      = 16 << 20
	compressedBytes = 320 << 20
)

// TestSweep damages captures at random, and wants of each run an end, within
// bounds of memory, and classes that add up. The same seed gives the same
// damage, whatever the number of runs, and of the project's captures for everyone.
func TestSweep(t *testing.T) {
	for _, from := range []string{"../testdata", "../../shared/captures"} {
		t.Run(filepath.Base(from), func(t *testing.T) {
			files, err := filepath.Glob(from + "/*")
			if err != nil {
				t.Fatal(err)
			}
			if len(files) == 0 {
				need.Missing(t, "SHARED CAPTURES", "none in "+from)
			}
			sweepAll(t, from, sweptCaptures(t, files))
		})
	}
}

// sweepAll damages captures of a folder, each a number of times.
func sweepAll(t *testing.T, from string, all []swept) {
	n := sweeps(t)
	t.Logf("%d damaged captures, made from %d in %s", n, len(all), from)
	chances := make([]int, len(all)) // short ones more often
	sum := 0
	for i, c := range all {
		sum += 1 + (64<<10)/(len(c.b)+4<<10)
		chances[i] = sum
	}
	w := watch(t)
	file := newScratch(t)
	r := rand.New(rand.NewPCG(1, 2))
	memory := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	heap := uint64(0)
	allocated := func() uint64 {
		metrics.Read(memory)
		heap = max(heap, memory[1].Value.Uint64())
		return memory[0].Value.Uint64()
	}
	var runs, refused, complained, packets, read uint64
	var worst [2]struct { // streams that are plain, compressed
		bytes uint64
		of    string
	}
	var slowest, slowestByte struct {
		time time.Duration
		of   string
	}
	for i := range n {
		k, _ := slices.BinarySearch(chances, 1+r.IntN(sum))
		c := all[k]
		b := mutate.Bytes(r, c.b, all[r.IntN(len(all))].b)
		what := fmt.Sprintf("run %d, from %s", i, c.name)
		w.next(what)
		open := streamed(b)
		if i%4 == 0 {
			open = file.holding(t, b)
		}
		before, began := allocated(), time.Now()
		one := sweep(t, what, open)
		took, bytes := time.Since(began), allocated()-before
		if took > slowest.time || took/time.Duration(len(b)+256) > slowestByte.time {
			began = time.Now() // once more: other programs may have had the processor
			sweep(t, what, open)
			took = min(took, time.Since(began))
		}

		runs++
		packets += one.packets
		read += uint64(len(b))
		switch {
		case one.refused:
			refused++
		case one.complains:
			complained++
		}
		kind, most := 0, uint64(plainBytes)
		if strings.Contains(one.format, ",") || one.format == "" {
			kind, most = 1, compressedBytes
		}
		if bytes > worst[kind].bytes {
			worst[kind].bytes, worst[kind].of = bytes, what
		}
		if bytes > most {
			t.Errorf("%s: %d bytes allocated, at most %d are right", what, bytes, most)
		}
		if took > slowest.time {
			slowest.time, slowest.of = took, fmt.Sprintf("%s, %d bytes", what, len(b))
		}
		if perByte := took / time.Duration(len(b)+256); perByte > slowestByte.time {
			slowestByte.time, slowestByte.of = perByte, fmt.Sprintf("%s, %d bytes", what, len(b))
		}
		if t.Failed() {
			t.Fatalf("capture: %d bytes, %x", len(b), b[:min(len(b), 2000)])
		}
	}
	t.Logf("%d refused, %d read up to some place, %d to the end; %d packets, %d bytes", refused, complained, runs-refused-complained, packets, read)
	t.Logf("allocated at most %d bytes (%s); compressed or refused, %d (%s)", worst[0].bytes, worst[0].of, worst[1].bytes, worst[1].of)
	t.Logf("heap at most %d MiB between runs", heap>>20)
	t.Logf("slowest: %v (%s); by the byte, %v (%s)", slowest.time, slowest.of, slowestByte.time, slowestByte.of)
}

// A sweepRun is what became of a run.
type sweepRun struct {
	refused, complains bool
	format             string
	packets            uint64
}

func sweep(t *testing.T, what string, open opener) (one sweepRun) {
	t.Helper()
	run, err := open(flowfast.Options{Workers: 1})
	if err != nil {
		return sweepRun{refused: true}
	}
	inRows := uint64(0)
	for flow, err := range run.Flows(context.Background()) {
		if err != nil {
			one.complains = true
			break
		}
		inRows += flow.Fwd.Packets + flow.Bwd.Packets
	}
	s := run.Summary()
	if s.Classes.Sum() != s.Packets || inRows != s.Classes.Counted {
		t.Errorf("%s: %d packets in the classes %+v, %d in rows", what, s.Packets, s.Classes, inRows)
	}
	one.complains = one.complains || len(s.Warnings) > 0
	one.format, one.packets = s.Captures[0].Format, s.Packets
	return one
}
