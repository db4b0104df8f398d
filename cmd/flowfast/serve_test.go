package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// serveTo returns a server at an address, and how to connect.
func serveTo(t *testing.T, address, format string, most int64) (*server, func() net.Conn) {
	t.Helper()
	s := serving{address: address, format: format}
	l, err := openServer(s)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := export.FormatNamed(format)
	served := newServer(l, f, export.Table{Columns: export.Columns()}, most, func(text string) { t.Log(text) })
	t.Cleanup(func() { served.close() })
	return served, func() net.Conn {
		t.Helper()
		before := served.tell().Readers
		conn, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		waitFor(t, "a reader", func() bool { return served.tell().Readers == before+1 })
		return conn
	}
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not seen: %s", what)
		}
	}
}

// give gives a server rows of flows with ports, in one batch.
func give(s *server, from, to int) {
	rows := s.format.Rows(s.table)
	var b []byte
	for port := from; port < to; port++ {
		b = rows.AppendRow(b, &flowfast.Flow{SrcPort: uint16(port)})
	}
	s.add(b, uint64(to-from))
}

func wantLines(t *testing.T, from *bufio.Reader, first, last int) {
	t.Helper()
	for port := first; port < last; port++ {
		line, err := from.ReadString('\n')
		if want := fmt.Sprintf(`"src_port":%d,`, port); err != nil || !strings.Contains(line, want) {
			t.Fatalf("%q, %v, want %s", line, err, want)
		}
	}
}

// Readers get what is written from when they connect. One that goes and comes back is a
// new one.
func TestServe(t *testing.T) {
	addresses := []string{"tcp://127.0.0.1:0"}
	if runtime.GOOS != "windows" {
		addresses = append(addresses, "unix:"+filepath.Join(t.TempDir(), "s"))
	}
	for _, address := range addresses {
		s, connect := serveTo(t, address, "jsonl", 1<<20)
		give(s, 0, 10) // nobody is there
		one := connect()
		give(s, 10, 20)
		two := connect()
		give(s, 20, 30)
		wantLines(t, bufio.NewReader(one), 10, 30)
		wantLines(t, bufio.NewReader(two), 20, 30)
		one.Close()
		waitFor(t, "the end of a reader", func() bool { return s.tell().Readers == 1 })
		give(s, 30, 40)
		again := connect()
		give(s, 40, 50)
		c := s.close()
		lines := bufio.NewReader(again)
		wantLines(t, lines, 40, 50)
		if _, err := lines.ReadByte(); err != io.EOF {
			t.Errorf("behind the end: %v", err)
		}
		if want := (servedCounts{Rows: 20 + 30 + 10, Unread: 10}); c != want {
			t.Errorf("counts %+v, want %+v", c, want)
		}
	}
}

// A reader that does not read stalls nobody: the oldest rows are dropped for it, and
// counted. Those that another one has read are not.
func TestServeSlow(t *testing.T) {
	s, connect := serveTo(t, "tcp://127.0.0.1:0", "jsonl", 1<<20)
	s.drain = 50 * time.Millisecond
	slow, quick := connect(), connect()
	const batches, size = 400, 100 // some 30 MB
	var read atomic.Int64
	done := make(chan bool)
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(quick); lines.Scan(); {
			read.Add(1)
		}
	}()
	for i := range batches {
		give(s, i*size, (i+1)*size)
		s.mu.Lock()
		if s.bytes > 2<<20 {
			t.Fatalf("%d bytes are queued", s.bytes)
		}
		s.mu.Unlock()
		waitFor(t, "rows of the quick reader", func() bool { return read.Load() == int64(i+1)*size })
	}
	c := s.close()
	<-done
	if c.Slow == 0 || c.Rows+c.Slow+c.Gone != 2*batches*size || c.Unread != 0 {
		t.Errorf("counts %+v", c)
	}
	b, _ := io.ReadAll(slow)
	if first, _, _ := bytes.Cut(b, []byte("\n")); !bytes.Contains(first, []byte(`"src_port":0,`)) {
		t.Errorf("the slow reader begins with %s", first)
	}
}

// A reader that goes with rows before it is one that did not get them.
func TestServeGone(t *testing.T) {
	s, connect := serveTo(t, "tcp://127.0.0.1:0", "jsonl", 64<<20)
	conn := connect()
	const batches, size = 400, 100
	for i := range batches {
		give(s, i*size, (i+1)*size)
	}
	conn.Close()
	waitFor(t, "the end of the reader", func() bool { return s.tell().Readers == 0 })
	if c := s.close(); c.Gone == 0 || c.Slow != 0 || c.Rows+c.Gone != batches*size {
		t.Errorf("counts %+v", c)
	}
}

// An Arrow stream is whole, and a CSV has its header, for each reader.
func TestServeFormats(t *testing.T) {
	s, connect := serveTo(t, "tcp://127.0.0.1:0", "arrows", 1<<20)
	give(s, 0, 5)
	conn := connect()
	give(s, 5, 12)
	go s.close()
	stream, err := ipc.NewReader(conn)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Release()
	rows := int64(0)
	for stream.Next() {
		rows += stream.RecordBatch().NumRows()
	}
	if stream.Err() != nil || rows != 7 {
		t.Errorf("%d rows, %v", rows, stream.Err())
	}

	s, connect = serveTo(t, "tcp://127.0.0.1:0", "csv", 1<<20)
	conn = connect()
	give(s, 0, 1)
	s.close()
	if b, err := io.ReadAll(conn); err != nil || !bytes.HasPrefix(b, []byte("src_ip,")) || bytes.Count(b, []byte("\n")) != 2 {
		t.Errorf("%q, %v", b, err)
	}
}

// There are only so many readers.
func TestServeMany(t *testing.T) {
	s, connect := serveTo(t, "tcp://127.0.0.1:0", "jsonl", 1<<20)
	for range mostReaders {
		connect()
	}
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("one more gets %d bytes, %v", n, err)
	}
}

// A socket that was left is replaced; one at which somebody listens, and a file, are
// not.
func TestServeSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("for systems with sockets in folders")
	}
	dir := t.TempDir()
	left := filepath.Join(dir, "left")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: left, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openServer(serving{address: "unix:" + left}); err == nil || !strings.Contains(err.Error(), "listens") {
		t.Errorf("a socket in use: %v", err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	again, err := openServer(serving{address: "unix:" + left})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
	if _, err := openServer(serving{address: "unix:" + dir}); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a folder: %v", err)
	}
}

// Rows that go to two places are in each what they are alone.
func TestTee(t *testing.T) {
	s, connect := serveTo(t, "tcp://127.0.0.1:0", "jsonl", 1<<20)
	conn := connect()
	table := export.Table{Columns: export.Columns()}
	var csv export.Format
	var alone, out bytes.Buffer
	to := &teeing{output: &unflushed{&out}, server: s}
	rows := teed{csv.Rows(table), s.format.Rows(table)}
	b, want := rows.AppendHeader(nil), csv.Rows(table).AppendHeader(nil)
	for port := range 50 {
		f := &flowfast.Flow{SrcPort: uint16(port)}
		b, want = rows.AppendRow(b, f), csv.Rows(table).AppendRow(want, f)
		if port%7 == 0 {
			if n, err := to.Write(b); n != len(b) || err != nil {
				t.Fatal(n, err)
			}
			b = b[:0]
		}
	}
	if _, err := to.Write(b); err != nil {
		t.Fatal(err)
	}
	alone.Write(want)
	if !bytes.Equal(out.Bytes(), alone.Bytes()) {
		t.Errorf("got %q\nwant %q", out.Bytes(), alone.Bytes())
	}
	wantLines(t, bufio.NewReader(conn), 0, 50)
}

// An unflushed writer has nothing to flush.
type unflushed struct{ io.Writer }

func (unflushed) Flush() error { return nil }
