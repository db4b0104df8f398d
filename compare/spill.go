package compare

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"

	"github.com/cespare/xxhash/v2"
)

const (
	parts = 64 // that rows are sorted into
	// memory is how many bytes of rows a table keeps until it writes them to a
	// temporary file.
	memory = 64 << 20
)

// memoryNow is memory, or less in tests.
var memoryNow = memory

// A spill is the rows of a table in parts by a hash of their tuples.
type spill struct {
	temp   *os.File // nil while all is in memory
	buffer [parts][]byte
	row    []byte // the last one that was added
	held   int    // bytes in buffer
	size   int64  // of the file
	chunks [parts][]struct{ at, n int64 }
}

// A row is one of a table: its number in it from 1, its key, and its values.
type row struct {
	number int64
	key    key
	values [][]byte
}

// add adds a row. A row in a part is
//
//	uvarint  length of what follows
//	uvarint  number
//	varint   start
//	byte     1 if swapped
//	texts    tuple, values: uvarint length and the bytes
func (s *spill) add(number int64, k key, values [][]byte) error {
	b := binary.AppendVarint(binary.AppendUvarint(s.row[:0], uint64(number)), k.start)
	swapped := byte(0)
	if k.swapped {
		swapped = 1
	}
	b = appendText(append(b, swapped), k.tuple)
	for _, v := range values {
		b = appendText(b, v)
	}
	s.row = b
	to := &s.buffer[xxhash.Sum64(k.tuple)%parts]
	before := len(*to)
	*to = append(binary.AppendUvarint(*to, uint64(len(b))), b...)
	if s.held += len(*to) - before; s.held > memoryNow {
		return s.write()
	}
	return nil
}

func appendText(b, text []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// write writes what is held to the file.
func (s *spill) write() (err error) {
	if s.temp == nil {
		if s.temp, err = os.CreateTemp("", "flowfast-compare-*.tmp"); err != nil {
			return err
		}
	}
	for part, b := range s.buffer {
		if len(b) == 0 {
			continue
		}
		if _, err := s.temp.Write(b); err != nil {
			return err
		}
		s.chunks[part] = append(s.chunks[part], struct{ at, n int64 }{s.size, int64(len(b))})
		s.size += int64(len(b))
		s.buffer[part] = b[:0]
	}
	s.held = 0
	return nil
}

// rows returns the rows of a part, in the order of the table.
func (s *spill) rows(part, values int) ([]row, error) {
	var all []row
	take := func(in *bufio.Reader) error {
		for {
			n, err := binary.ReadUvarint(in)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			b := make([]byte, n)
			if _, err := io.ReadFull(in, b); err != nil {
				return err
			}
			all = append(all, readRow(b, values))
		}
	}
	for _, c := range s.chunks[part] {
		if err := take(bufio.NewReader(io.NewSectionReader(s.temp, c.at, c.n))); err != nil {
			return nil, err
		}
	}
	for b := s.buffer[part]; len(b) > 0; {
		n, k := binary.Uvarint(b)
		all = append(all, readRow(b[k:k+int(n)], values))
		b = b[k+int(n):]
	}
	return all, nil
}

func readRow(b []byte, values int) row {
	number, n := binary.Uvarint(b)
	b = b[n:]
	r := row{number: int64(number), values: make([][]byte, values)}
	r.key.start, n = binary.Varint(b)
	r.key.swapped = b[n] == 1
	b = b[n+1:]
	text := func() []byte {
		size, n := binary.Uvarint(b)
		v := b[n : n+int(size)]
		b = b[n+int(size):]
		return v
	}
	r.key.tuple = text()
	for i := range r.values {
		r.values[i] = text()
	}
	return r
}

func (s *spill) close() {
	if s.temp != nil {
		s.temp.Close()
		os.Remove(s.temp.Name())
	}
}
