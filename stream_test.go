package flowfast

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/intake"
	"github.com/flowfast/flowfast/internal/testpcap"
)

// A packing is a way in which a capture can be compressed.
type packing struct {
	name string
	pack func(r *rand.Rand, capture []byte) []byte
}

// randomly gives the parts of a capture, which end wherever it comes: in the middle
// of records too.
func randomly(r *rand.Rand, capture []byte, most int, part func([]byte)) {
	for len(capture) > 0 {
		n := min(len(capture), 1+r.IntN(most))
		part(capture[:n])
		capture = capture[n:]
	}
}

var packings = []packing{
	{"plain", func(_ *rand.Rand, capture []byte) []byte { return capture }},
	{"gzip, flushed", func(r *rand.Rand, capture []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		randomly(r, capture, 3000, func(part []byte) {
			z.Write(part)
			z.Flush()
		})
		z.Close()
		return b.Bytes()
	}},
	{"gzip, members", func(r *rand.Rand, capture []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(nil)
		randomly(r, capture, 20_000, func(part []byte) {
			z.Reset(&b)
			z.Write(part)
			z.Close()
		})
		return b.Bytes()
	}},
	{"bgzip", func(r *rand.Rand, capture []byte) (all []byte) {
		z := gzip.NewWriter(nil)
		randomly(r, capture, 60_000, func(part []byte) {
			var b bytes.Buffer
			z.Reset(&b)
			z.Extra = []byte("BC\x02\x00??")
			z.Write(part)
			z.Close()
			binary.LittleEndian.PutUint16(b.Bytes()[16:], uint16(b.Len()-1))
			all = append(all, b.Bytes()...)
		})
		return all
	}},
	{"zstd, flushed", func(r *rand.Rand, capture []byte) []byte {
		var b bytes.Buffer
		z, _ := zstd.NewWriter(&b)
		randomly(r, capture, 3000, func(part []byte) {
			z.Write(part)
			z.Flush()
		})
		z.Close()
		return b.Bytes()
	}},
	{"zstd, frames", func(r *rand.Rand, capture []byte) (all []byte) {
		z, _ := zstd.NewWriter(nil)
		defer z.Close()
		randomly(r, capture, 60_000, func(part []byte) { all = z.EncodeAll(part, all) })
		return all
	}},
}

// An outcome is all that comes of a run.
type outcome struct{ rows, summary, err string }

// outcomeOf reads a stream, cut into pieces of a length.
func outcomeOf(t *testing.T, o Options, stream io.Reader, length int) outcome {
	t.Helper()
	run, err := NewReader(o, stream, "capture")
	if err != nil {
		return outcome{err: err.Error()}
	}
	run.intake.SpanLength = length
	var rows bytes.Buffer
	err = run.Write(context.Background(), &rows, export.CSV{})
	s := run.Summary()
	s.Elapsed = 0
	text, _ := json.Marshal(s)
	return outcome{rows.String(), string(text), fmt.Sprint(err)}
}

// wantOneOutcome reads a capture with several numbers of workers, compressed in each
// way, and wants of each what one worker gives.
func wantOneOutcome(t *testing.T, name string, o Options, capture []byte, random *rand.Rand) {
	t.Helper()
	for _, how := range packings {
		z := how.pack(random, capture)
		o.Workers = 1
		want := outcomeOf(t, o, bytes.NewReader(z), intake.SpanLength)
		for _, workers := range []int{2, 3, 8} {
			o.Workers = workers
			for _, length := range []int{intake.SpanLength, 500} {
				if length < intake.SpanLength && (len(capture) > 200_000 || workers != 3) {
					continue
				}
				if got := outcomeOf(t, o, bytes.NewReader(z), length); got != want {
					t.Fatalf("%s, %s, %d workers, pieces of %d bytes: rows the same: %v\n%s, %s\nwant %s, %s",
						name, how.name, workers, length, got.rows == want.rows, got.summary, got.err, want.summary, want.err)
				}
			}
		}
	}
}

// TestStreamsAreOne reads every capture there is as a stream.
func TestStreamsAreOne(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.pcap*")
	others, _ := filepath.Glob("../shared/captures/*")
	random := rand.New(rand.NewPCG(1, 2))
	for i, file := range append(files, others...) {
		capture, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(file) == ".zst" {
			z, _ := zstd.NewReader(nil)
			if capture, err = z.DecodeAll(capture, nil); err != nil {
				t.Fatal(err)
			}
			z.Close()
		}
		if testing.Short() && (len(capture) > 100_000 || i%8 > 0) {
			continue
		}
		o := Options{IdleTimeout: time.Second}
		if i%3 == 1 {
			o.Choice = Choice{To: time.Unix(1_400_000_000, 0)}
		}
		wantOneOutcome(t, file, o, capture, random)
		if cut := random.IntN(len(capture)); cut > 30 {
			wantOneOutcome(t, file+", cut", o, capture[:cut], random)
		}
	}
}

// TestDamagedStreamsAreOne reads captures that are damaged, concatenated, or followed
// by zeros, and compressed ones that are damaged in some part.
func TestDamagedStreamsAreOne(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	dns, err := os.ReadFile("testdata/dns.pcap")
	if err != nil {
		t.Fatal(err)
	}
	long := bytes.Clone(dns)
	for len(long) < 2_500_000 {
		long = append(long, dns[24:]...)
	}
	o := Options{IdleTimeout: time.Second}
	for name, capture := range map[string][]byte{
		"long":         long,
		"concatenated": append(append(bytes.Clone(dns), dns...), dns[:len(dns)-5]...),
		"zeros":        append(bytes.Clone(dns), make([]byte, 1000)...),
		"ones":         append(bytes.Clone(dns), bytes.Repeat([]byte{255}, 1000)...),
	} {
		wantOneOutcome(t, name, o, capture, random)
	}
	for range 10 {
		damaged := bytes.Clone(dns)
		damaged[24+random.IntN(len(dns)-24)] ^= 0x80
		wantOneOutcome(t, "damaged", o, damaged, random)
	}
	ended := 0
	for _, how := range packings[1:] {
		z := how.pack(random, long)
		for range 3 {
			damaged := bytes.Clone(z)
			damaged[len(z)/4+random.IntN(len(z)/2)] ^= 0x10
			o.Workers = 1
			want := outcomeOf(t, o, bytes.NewReader(damaged), intake.SpanLength)
			if want.err != "<nil>" {
				ended++
			}
			for _, workers := range []int{2, 8} {
				o.Workers = workers
				if got := outcomeOf(t, o, bytes.NewReader(damaged), intake.SpanLength); got != want {
					t.Fatalf("%s, damaged, %d workers: rows the same: %v\n%s, %s\nwant %s, %s",
						how.name, workers, got.rows == want.rows, got.summary, got.err, want.summary, want.err)
				}
			}
		}
	}
	if ended < 10 {
		t.Errorf("only %d damaged streams ended with an error", ended)
	}
}

// TestJoinedStreamsAreOne joins compressed captures that come one after the other, and
// such that overlap.
func TestJoinedStreamsAreOne(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	at := time.Unix(1_700_000_000, 0)
	captures := make([][]byte, 5)
	for i := range captures {
		captures[i] = []byte(testpcap.Header)
		if i%2 == 0 {
			at = at.Add(-3 * time.Second) // into the capture before
		}
		for range 2000 {
			at = at.Add(time.Duration(random.IntN(5)) * time.Millisecond)
			captures[i] = append(captures[i], testpcap.Record(at, uint16(random.IntN(50)))...)
		}
	}
	for _, how := range packings {
		var files []string
		for i, capture := range captures {
			files = append(files, filepath.Join(t.TempDir(), fmt.Sprint("capture", i)))
			if err := os.WriteFile(files[i], how.pack(random, capture), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want := outcome{}
		for _, workers := range []int{1, 2, 3, 8} {
			run, err := Open(Options{IdleTimeout: time.Second, Workers: workers}, files...)
			if err != nil {
				t.Fatal(err)
			}
			rows, s := written(t, run)
			s.Elapsed = 0
			text, _ := json.Marshal(s)
			got := outcome{rows: string(rows), summary: string(text)}
			if workers == 1 {
				want = got
			} else if got != want {
				t.Errorf("%s, %d workers: rows the same: %v\n%s\nwant %s", how.name, workers, got.rows == want.rows, got.summary, want.summary)
			}
			if s.Packets != 10_000 {
				t.Errorf("%s, %d workers: %d packets", how.name, workers, s.Packets)
			}
		}
	}
}
