package flowfast

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/export"
)

// TestSpansDoNotShow reads every recorded pcap file mapped, in spans of several
// lengths, and wants the rows and the summary of reading it as a stream.
func TestSpansDoNotShow(t *testing.T) {
	files, err := filepath.Glob("testdata/*.pcap*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, file := range files {
		plain, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".zst") {
			z, err := zstd.NewReader(nil)
			if err != nil {
				t.Fatal(err)
			}
			if plain, err = z.DecodeAll(plain, nil); err != nil {
				t.Fatal(err)
			}
			z.Close()
		}
		if testing.Short() && len(plain) > 1<<20 {
			continue
		}
		wantSpansHidden(t, filepath.Base(file), plain)
	}
}

// TestSpansOfMisleadingPayloads reads packets whose payloads look like records,
// so that guesses are wrong, and a capture that is cut.
func TestSpansOfMisleadingPayloads(t *testing.T) {
	inner, err := os.ReadFile("testdata/dns.pcap")
	if err != nil {
		t.Fatal(err)
	}
	all := bytes.Clone(inner[:24])
	for at := 24; at < len(inner); {
		n := 16 + int(binary.LittleEndian.Uint32(inner[at+8:]))
		header := bytes.Clone(inner[at : at+16])
		payload := inner[24:min(len(inner), 24+5000)] // as many records as there is room for
		binary.LittleEndian.PutUint32(header[8:], uint32(n-16+len(payload)))
		binary.LittleEndian.PutUint32(header[12:], uint32(n-16+len(payload)))
		all = append(append(append(all, header...), inner[at+16:at+n]...), payload...)
		at += n
	}
	wantSpansHidden(t, "records in payloads", all)
	wantSpansHidden(t, "records in payloads, cut", all[:len(all)-100])
}

func wantSpansHidden(t *testing.T, name string, capture []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "capture")
	if err := os.WriteFile(path, capture, 0o666); err != nil {
		t.Fatal(err)
	}
	o := Options{IdleTimeout: time.Second, Workers: 1}
	stream, err := NewReader(o, bytes.NewReader(capture), path)
	if err != nil {
		t.Fatal(err)
	}
	want, wantSummary := written(t, stream)
	for workers := 1; workers <= 3; workers++ {
		for _, length := range []int{40, 700, 4096, 100_000} {
			if length*200 < len(capture) {
				continue
			}
			o.Workers = workers
			run, err := Open(o, path)
			if err != nil {
				t.Fatal(err)
			}
			run.intake.SpanLength = length
			rows, s := written(t, run)
			if !bytes.Equal(rows, want) || s.Classes != wantSummary.Classes || len(s.Warnings) != len(wantSummary.Warnings) {
				t.Errorf("%s, %d workers, spans of %d bytes: other rows or summary than as a stream: %+v, want %+v",
					name, workers, length, s, wantSummary)
			}
		}
	}
}

func written(t *testing.T, run *Run) ([]byte, Summary) {
	t.Helper()
	var rows bytes.Buffer
	if err := run.Write(context.Background(), &rows, export.CSV{}); err != nil {
		t.Fatal(err)
	}
	return rows.Bytes(), run.Summary()
}
