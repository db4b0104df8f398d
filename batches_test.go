package flowfast

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/flowfast/flowfast/bench/workload"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/testpcap"
)

// counted rows begin with their length in four bytes.
type countedRows struct{ export.CSV }

func (countedRows) AppendHeader(b []byte) []byte { return b }

func (c countedRows) AppendRow(b []byte, f *Flow) []byte {
	from := len(b)
	b = c.CSV.AppendRow(append(b, 0, 0, 0, 0), f)
	binary.LittleEndian.PutUint32(b[from:], uint32(len(b)-from))
	return b
}

// A batchLog is a writer that takes batches.
type batchLog struct {
	bytes.Buffer
	first   int
	most    int
	sizes   []int // rows of each batch
	failing int   // the batch that is refused, from 1
}

type loggedBatch struct{ rows []byte }

func (l *loggedBatch) Encode(rows [][]byte) { l.rows = bytes.Join(rows, nil) }

func (l *batchLog) Batches() (next, rows, size int)              { return l.first, l.most, 1 << 40 }
func (l *batchLog) NewBatch() interface{ Encode(rows [][]byte) } { return &loggedBatch{} }

func (l *batchLog) WriteBatch(b interface{ Encode(rows [][]byte) }) error {
	rows, n := b.(*loggedBatch).rows, 0
	if len(l.sizes)+1 == l.failing {
		return errFull
	}
	for at := 0; at < len(rows); n++ {
		at += int(binary.LittleEndian.Uint32(rows[at:]))
	}
	l.sizes = append(l.sizes, n)
	_, err := l.Write(rows)
	return err
}

// Batches have the rows of one worker in order, and as many each as the writer
// wants, the first ones fewer, whether they come in large blocks or in many small ones.
func TestBatches(t *testing.T) {
	flood := new(bytes.Buffer)
	if err := workload.Write(flood, "flood20000", 1, 1); err != nil {
		t.Fatal(err)
	}
	small := []byte(testpcap.Header) // with a step for each flow, nearly
	for i := range 3000 {
		small = append(small, testpcap.Record(time.Unix(1_700_000_000+int64(i), 0), uint16(i))...)
	}
	for name, capture := range map[string][]byte{"flood": flood.Bytes(), "small": small} {
		options := Options{IdleTimeout: 5 * time.Second, Workers: 1}
		write := func(to *batchLog) error {
			run, err := NewReader(options, bytes.NewReader(capture), name)
			if err != nil {
				t.Fatal(err)
			}
			return run.Write(t.Context(), to, countedRows{})
		}
		var want batchLog
		if err := write(&want); err != nil {
			t.Fatal(err)
		}
		for workers := 2; workers <= 5; workers++ {
			for _, log := range []batchLog{{first: 1, most: 1}, {first: 7, most: 7}, {first: 3, most: 1000}, {first: 1 << 20, most: 1 << 20}} {
				options.Workers = workers
				got := log
				if err := write(&got); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Bytes(), want.Bytes()) {
					t.Fatalf("%s, %d workers: other rows in batches of %d", name, workers, got.most)
				}
				for i, n := range got.sizes {
					most := got.most
					if i < 20 {
						most = min(got.first<<i, most)
					}
					if n != most && i < len(got.sizes)-1 || n > most || n == 0 {
						t.Fatalf("%s, %d workers: batch %d has %d rows, want %d", name, workers, i, n, most)
					}
				}
			}
			failing := batchLog{first: 500, most: 500, failing: 3}
			if err := write(&failing); !errors.Is(err, errFull) || len(failing.sizes) != 2 {
				t.Errorf("%s, %d workers: error %v after %d batches", name, workers, err, len(failing.sizes))
			}
		}
	}
}
