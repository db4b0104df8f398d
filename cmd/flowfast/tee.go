package main

import (
	"bytes"
	"encoding/binary"

	"github.com/flowfast/flowfast"
)

// Teed rows are rows of two kinds, each behind its length: those of the output, and
// those that are served.
type teed struct{ output, served flowfast.Rows }

func (t teed) AppendHeader(b []byte) []byte {
	b, at := openPart(b)
	b = closePart(t.output.AppendHeader(b), at)
	return append(b, 0, 0, 0, 0) // each reader has a header of its own
}

func (t teed) AppendRow(b []byte, f *flowfast.Flow) []byte {
	b, at := openPart(b)
	b = closePart(t.output.AppendRow(b, f), at)
	b, at = openPart(b)
	return closePart(t.served.AppendRow(b, f), at)
}

func openPart(b []byte) (longer []byte, at int) { return append(b, 0, 0, 0, 0), len(b) }

func closePart(b []byte, at int) []byte {
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// cutPart cuts the first part off.
func cutPart(b []byte) (part, rest []byte) {
	n := 4 + int(binary.LittleEndian.Uint32(b))
	return b[4:n], b[n:]
}

// A teeing writes teed rows where each kind goes.
type teeing struct {
	output flushWriter
	server *server
	batch  []byte
	served []byte
}

func (t *teeing) Write(b []byte) (int, error) {
	t.batch, t.served = t.batch[:0], t.served[:0]
	n, size := uint64(0), len(b)
	for len(b) > 0 {
		var part []byte
		part, b = cutPart(b)
		t.batch = append(t.batch, part...)
		if part, b = cutPart(b); len(part) > 0 {
			t.served = append(t.served, part...)
			n++
		}
	}
	if n > 0 {
		t.server.add(bytes.Clone(t.served), n)
	}
	if _, err := t.output.Write(t.batch); err != nil {
		return 0, err
	}
	return size, nil
}

func (t *teeing) Flush() error { return t.output.Flush() }
