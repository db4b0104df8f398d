package flowfast

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/testpcap"
)

// A piped is a run over a pipe whose rows go to another.
type piped struct {
	packets *io.PipeWriter
	rows    *bufio.Reader
	ahead   atomic.Int64 // nanoseconds of the run's clock before the true one
	ended   chan error
	run     *Run
}

// heard waits until the run has come so far.
func (l *piped) heard(packets int64) {
	for l.run.Progress().Packets < packets {
		time.Sleep(time.Millisecond)
	}
}

func newLive(t *testing.T, o Options, format string) *piped {
	t.Helper()
	l := &piped{ended: make(chan error, 1)}
	r, packets := io.Pipe()
	rows, w := io.Pipe()
	l.packets, l.rows = packets, bufio.NewReader(rows)
	go packets.Write([]byte(testpcap.Header))
	run, err := NewReader(o, r, "pipe")
	if err != nil {
		t.Fatal(err)
	}
	l.run = run
	run.intake.Now = func() time.Time { return time.Now().Add(time.Duration(l.ahead.Load())) }
	f, _ := export.FormatNamed(format)
	table := export.Table{Columns: export.Columns()}
	go func() {
		to, err := f.NewWriter(w, table)
		if err == nil {
			err = run.Write(context.Background(), to, f.Rows(table))
		}
		w.CloseWithError(io.EOF)
		l.ended <- err
	}()
	t.Cleanup(func() {
		packets.Close()
		go io.Copy(io.Discard, rows)
		if err := <-l.ended; err != nil {
			t.Error(err)
		}
	})
	return l
}

// line returns the next line of the rows, or "" if none comes for a while.
func (l *piped) line(wait time.Duration) string {
	got := make(chan string, 1)
	go func() {
		text, _ := l.rows.ReadString('\n')
		got <- text
	}()
	select {
	case text := <-got:
		return text
	case <-time.After(wait):
		return ""
	}
}

const (
	soon = 20 * time.Second // a busy machine's
	none = 300 * time.Millisecond
)

// Rows of a slow stream leave by the times of its packets.
func TestFlushByPackets(t *testing.T) {
	for _, workers := range []int{1, 3} {
		l := newLive(t, Options{IdleTimeout: 5 * time.Second, Flush: 20 * time.Millisecond, Disorder: 2 * time.Second, Workers: workers}, "csv")
		start := time.Unix(1_700_000_000, 0)
		send := func(after time.Duration, port uint16) { l.packets.Write(testpcap.Record(start.Add(after), port)) }
		send(0, 1000)
		if text := l.line(soon); !strings.HasPrefix(text, "src_ip,") {
			t.Fatalf("the header does not come: %q", text)
		}
		send(time.Second, 1000)
		send(8*time.Second-1, 2000)
		send(8*time.Second, 3000) // 1000 finished at 6 s: it is not before the horizon
		lines := make(chan string, 1)
		go func() { lines <- l.line(soon) }()
		select {
		case text := <-lines:
			t.Fatalf("%d workers: a row within the disorder: %q", workers, text)
		case <-time.After(none):
		}
		send(8200*time.Millisecond, 3000)
		if text := <-lines; !strings.HasPrefix(text, "10.0.0.1,1000,") || !strings.Contains(text, ",1.000000000,2,") {
			t.Fatalf("%d workers: got the row %q", workers, text)
		}
	}
}

// Rows of a silent stream leave by the wall clock, if its packets are stamped by
// it.
func TestFlushBySilence(t *testing.T) {
	for _, workers := range []int{1, 3} {
		for _, format := range []string{"csv", "jsonl"} {
			l := newLive(t, Options{Flush: 20 * time.Millisecond, Disorder: time.Minute, Workers: workers}, format)
			l.packets.Write(testpcap.Record(time.Now(), 1000))
			if format == "csv" && l.line(soon) == "" {
				t.Fatal("the header does not come")
			}
			l.heard(1)
			lines := make(chan string, 1)
			go func() { lines <- l.line(soon) }()
			l.ahead.Store(int64(650 * time.Second)) // past the idle timeout, not past the disorder
			select {
			case text := <-lines:
				t.Fatalf("%d workers: a row too soon: %q", workers, text)
			case <-time.After(none):
			}
			l.ahead.Store(int64(670 * time.Second))
			if text := <-lines; !strings.Contains(text, "10.0.0.1") {
				t.Fatalf("%d workers: got the row %q", workers, text)
			}
		}
	}
}

// What was captured long ago is not ended by the wall clock.
func TestSilenceOfOldPackets(t *testing.T) {
	l := newLive(t, Options{Flush: 20 * time.Millisecond}, "csv")
	start := time.Now().Add(-time.Hour)
	l.packets.Write(testpcap.Record(start, 1000))
	l.line(soon)
	l.heard(1)
	l.ahead.Store(int64(10 * time.Hour))
	time.Sleep(none)
	l.packets.Write(testpcap.Record(start.Add(time.Second), 1000))
	l.packets.Close()
	if text := l.line(soon); !strings.Contains(text, ",1.000000000,2,") {
		t.Errorf("got the row %q", text)
	}
}

// Arrow streams give a batch when it is due.
func TestFlushArrow(t *testing.T) {
	l := newLive(t, Options{IdleTimeout: time.Second, Flush: 20 * time.Millisecond, Disorder: time.Second}, "arrows")
	start := time.Unix(1_700_000_000, 0)
	go func() {
		l.packets.Write(testpcap.Record(start, 1000))
		l.packets.Write(testpcap.Record(start.Add(10*time.Second), 2000))
	}()
	got := make(chan int64, 1)
	go func() {
		r, err := ipc.NewReader(l.rows)
		if err != nil || !r.Next() {
			got <- -1
			return
		}
		got <- r.RecordBatch().NumRows()
	}()
	select {
	case n := <-got:
		if n != 1 {
			t.Errorf("a batch of %d rows, want 1", n)
		}
	case <-time.After(soon):
		t.Error("no batch comes")
	}
}

// A capture that is flushed has the rows that it has otherwise, as long as its
// packets are in order within the disorder; and whatever their order, each of
// them is in one row.
func TestFlushedRows(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for round := range 60 {
		capture := []byte(testpcap.Header)
		at, jump := time.Unix(1_700_000_000, 0), round%3 == 2
		const packets = 400
		for range packets {
			at = at.Add(time.Duration(random.IntN(2000)) * time.Millisecond)
			if jump && random.IntN(50) == 0 {
				at = at.Add(-time.Duration(random.IntN(100)) * time.Second)
			}
			early := time.Duration(random.IntN(3000)) * time.Millisecond
			capture = append(capture, testpcap.Record(at.Add(-early), uint16(random.IntN(9)))...)
		}
		rows := func(o Options) (text string, counted int) {
			run, err := NewReader(o, bytes.NewReader(capture), "stream")
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			for f, err := range run.Flows(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintln(&b, f.SrcPort, f.Start, f.Last, f.Fwd.Packets, f.Reason)
				counted += int(f.Fwd.Packets)
			}
			return b.String(), counted
		}
		plain := Options{IdleTimeout: 10 * time.Second, Workers: 1}
		want, _ := rows(plain)
		for workers := 1; workers <= 3; workers++ {
			o := plain
			o.Workers, o.Flush, o.Disorder = workers, time.Hour, 3*time.Second
			got, counted := rows(o)
			if counted != packets || !jump && got != want {
				t.Fatalf("round %d, %d workers: %d packets; got\n%s\nwant\n%s", round, workers, counted, got, want)
			}
		}
	}
}
