package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/flowfast/flowfast/export"
)

// A serving is what --serve and the flags that go with it say.
type serving struct {
	address string // as the user wrote it, "" for none
	format  string
	of      export.Format // of that name
	queue   queueSize     // 0 for the default
}

const (
	defaultQueue  = 16 << 20
	mostReaders   = 16
	drainLimit    = 5 * time.Second
	socketPrefix  = "unix:"
	networkPrefix = "tcp://"
)

// queueSize is the value of a flag: a size of at least what is written at a time.
type queueSize int64

func (s *queueSize) Set(text string) error {
	n, err := bytesOf(text)
	if err != nil || n < 1<<20 {
		return errors.New("want 1 MiB at least, such as 64MiB")
	}
	*s = queueSize(n)
	return nil
}

func (s *queueSize) String() string { return "" }
func (s *queueSize) Type() string   { return "size" }

// listen returns where to listen: a path, or an address that is the loopback's unless
// a host is named.
func (s *serving) listen() (network, address string, err error) {
	if path, ok := strings.CutPrefix(s.address, socketPrefix); ok && path != "" {
		return "unix", path, nil
	}
	text, ok := strings.CutPrefix(s.address, networkPrefix)
	if ok {
		address, err = listenAddress(text)
	}
	if !ok || err != nil {
		return "", "", fmt.Errorf("--serve %s: want %sPATH or %sHOST:PORT", s.address, socketPrefix, networkPrefix)
	}
	return "tcp", address, nil
}

// A server gives rows to whom connects, from then on. It never waits for a reader: all
// share one queue, whose oldest rows are dropped where it has no room. Rows are written
// to it by one goroutine, and read from it by one for each reader.
type server struct {
	listener net.Listener
	format   export.Format
	table    export.Table
	header   []byte
	most     int64         // bytes in the queue
	drain    time.Duration // that readers have at the end for what is queued
	notice   func(text string)
	wait     sync.WaitGroup

	mu      sync.Mutex // guards what is below
	news    *sync.Cond // something was queued, or somebody is to go
	queue   []served   // the oldest first
	first   uint64     // number of the oldest
	bytes   int64      // in the queue
	readers map[*reader]bool
	closing bool
	counts  servedCounts
}

// Served are rows that were written at a time. They do not change.
type served struct {
	rows []byte
	n    uint64
}

// A reader is somebody who has connected.
type reader struct {
	conn net.Conn
	next uint64 // number of what is read next
	gone bool
}

// ServedCounts say what became of rows that were to be read from a socket; each reader
// counts.
type servedCounts struct {
	// Readers is the number of those that are connected.
	Readers int `json:"readers"`
	// Rows is the number of rows that were written to them.
	Rows uint64 `json:"rows"`
	// Slow is the number of rows that were dropped since a reader was too slow, Gone
	// that of those that were queued for one when it went, Unread that of those that
	// came while there was none.
	Slow   uint64 `json:"dropped_slow"`
	Gone   uint64 `json:"dropped_gone"`
	Unread uint64 `json:"dropped_unread"`
}

// openServer begins to listen. Readers are let in by newServer.
func openServer(s serving) (net.Listener, error) {
	network, address, err := s.listen()
	if err != nil {
		return nil, err
	}
	if network == "unix" {
		if err := removeStale(address); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, fmt.Errorf("--serve: %w", err)
	}
	return l, nil
}

// removeStale removes a socket that a run which was killed has left.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("--serve: %w", err)
	case info.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("--serve: %s exists and is not a socket", path)
	}
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return fmt.Errorf("--serve: another process listens at %s", path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("--serve: %w", err)
	}
	return nil
}

// newServer lets readers in.
func newServer(l net.Listener, format export.Format, table export.Table, most int64, notice func(string)) *server {
	s := &server{
		listener: l, format: format, table: table, most: most, drain: drainLimit, notice: notice,
		header: format.Rows(table).AppendHeader(nil), readers: map[*reader]bool{},
	}
	s.news = sync.NewCond(&s.mu)
	s.wait.Go(s.accept)
	return s
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files
			s.notice(fmt.Sprintf("--serve: %v", err))
			time.Sleep(time.Second)
			continue
		}
		r := &reader{conn: conn}
		s.mu.Lock()
		full := s.closing || len(s.readers) == mostReaders
		if !full {
			r.next = s.first + uint64(len(s.queue))
			s.readers[r] = true
		}
		s.mu.Unlock()
		if full {
			conn.Close()
			s.notice(fmt.Sprintf("--serve: a reader is turned away: there are %d", mostReaders))
			continue
		}
		s.wait.Go(func() { s.serve(r) })
		// Nothing is to come from a reader but its end.
		go func() {
			var b [512]byte
			for {
				if _, err := conn.Read(b[:]); err != nil {
					s.leave(r)
					return
				}
			}
		}()
	}
}

// add queues rows, n of them.
func (s *server) add(rows []byte, n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.readers) == 0 {
		s.counts.Unread += n
		return
	}
	s.queue = append(s.queue, served{rows, n})
	s.bytes += int64(len(rows))
	for s.bytes > s.most && len(s.queue) > 1 {
		for r := range s.readers {
			if r.next == s.first {
				s.counts.Slow += s.queue[0].n
				r.next++
			}
		}
		s.drop()
	}
	s.news.Broadcast()
}

// drop takes the oldest rows out of the queue; s.mu is held.
func (s *server) drop() {
	s.bytes -= int64(len(s.queue[0].rows))
	s.queue[0] = served{}
	s.queue = s.queue[1:]
	s.first++
}

// trim takes out what everybody has read; s.mu is held.
func (s *server) trim() {
	for len(s.queue) > 0 {
		for r := range s.readers {
			if r.next == s.first {
				return
			}
		}
		s.drop()
	}
}

// take returns the next rows for a reader, and whether there are more behind them. It
// waits for some, unless there are to be none any more.
func (s *server) take(r *reader) (rows served, more, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !r.gone && r.next == s.first+uint64(len(s.queue)) {
		if s.closing {
			return served{}, false, false
		}
		s.news.Wait()
	}
	if r.gone {
		return served{}, false, false
	}
	rows = s.queue[r.next-s.first]
	r.next++
	more = r.next < s.first+uint64(len(s.queue))
	s.trim()
	return rows, more, true
}

// leave takes note that a reader is gone, once.
func (s *server) leave(r *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.gone {
		return
	}
	r.gone = true
	delete(s.readers, r)
	for _, rows := range s.queue[min(r.next-s.first, uint64(len(s.queue))):] {
		s.counts.Gone += rows.n
	}
	s.trim()
	s.news.Broadcast()
}

// serve writes rows to a reader until one of both ends.
func (s *server) serve(r *reader) {
	defer r.conn.Close()
	defer s.leave(r)
	w, err := s.format.NewWriter(r.conn, s.table)
	if err == nil && len(s.header) > 0 {
		_, err = w.Write(s.header)
	}
	for err == nil {
		rows, more, ok := s.take(r)
		if !ok {
			_ = w.Close() // what ends an Arrow stream
			return
		}
		if _, err = w.Write(rows.rows); err == nil && !more {
			err = flush(w)
		}
		s.mu.Lock()
		if err == nil {
			s.counts.Rows += rows.n
		} else {
			s.counts.Gone += rows.n
		}
		s.mu.Unlock()
	}
}

// close gives readers some time for what is queued, and returns what became of rows.
func (s *server) close() servedCounts {
	s.listener.Close()
	s.mu.Lock()
	s.closing = true
	for r := range s.readers {
		_ = r.conn.SetWriteDeadline(time.Now().Add(s.drain))
	}
	s.news.Broadcast()
	s.mu.Unlock()
	s.wait.Wait()
	return s.tell()
}

func (s *server) tell() servedCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Readers = len(s.readers)
	return c
}
