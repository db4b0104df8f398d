package main

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/live"
)

// A flushWriter takes rows.
type flushWriter interface {
	io.Writer
	Flush() error
}

// A liveSink is where the rows of a live run go.
type liveSink interface {
	flushWriter
	rows() flowfast.Rows
	turn()              // begins another file, if there are several
	note([]export.Note) // what files are to say that begin from now on
	close() error       // gives the last file its name
	discard()
	size() int64    // bytes written
	written() int64 // rows
}

// sink returns where the rows go: to one file, or to one after the other.
func (l *liveCommand) sink(ctx context.Context, complain func(error), ring *live.Ring) (liveSink, error) {
	table := export.Table{Columns: l.columns, Notes: l.notes, TimeUnit: l.timeUnit.of}
	if !l.rotate.none() {
		return newRotating(l.output, l.rotate, l.keep, l.format, table, complain, ring.Counters)
	}
	file, err := l.create(ctx, l.output)
	if err != nil {
		return nil, err
	}
	w, err := l.format.NewWriter(file, table)
	if err != nil {
		file.Discard()
		return nil, err
	}
	return &oneFile{file: file, writer: w, of: l.format.Rows(table)}, nil
}

// A oneFile is one file, or standard output.
type oneFile struct {
	file   *export.File
	writer io.WriteCloser
	of     flowfast.Rows
	n      atomic.Int64
	bytes  atomic.Int64
}

func (s *oneFile) rows() flowfast.Rows { return tallied{s.of, &s.n} }
func (s *oneFile) size() int64         { return s.bytes.Load() }
func (s *oneFile) written() int64      { return s.n.Load() }

func (s *oneFile) Write(b []byte) (int, error) {
	n, err := s.writer.Write(b)
	s.bytes.Store(s.file.Size())
	return n, err
}

func (s *oneFile) Flush() error { return flush(s.writer) }

// flush has a writer withhold nothing, if it knows how to.
func flush(w io.Writer) error {
	if f, ok := w.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}

func (s *oneFile) close() error {
	err := s.writer.Close()
	if err == nil {
		err = s.file.Commit()
	}
	s.bytes.Store(s.file.Size())
	s.file.Discard()
	return err
}

func (s *oneFile) discard()           { s.file.Discard() }
func (s *oneFile) turn()              {}
func (s *oneFile) note([]export.Note) {}

// Tallied rows count themselves.
type tallied struct {
	flowfast.Rows
	n *atomic.Int64
}

func (t tallied) AppendRow(b []byte, f *flowfast.Flow) []byte {
	t.n.Add(1)
	return t.Rows.AppendRow(b, f)
}
