package compare

import (
	"encoding/binary"
	"errors"
	"math"
)

// A thriftStruct is a struct in the compact protocol of Thrift, by the numbers of its
// fields: an int64, a float64, a bool, []byte, a thriftStruct, or a slice of these.
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
type thriftStruct map[int]any

func (s thriftStruct) int(id int) int64 {
	v, _ := s[id].(int64)
	return v
}

func (s thriftStruct) text(id int) string {
	v, _ := s[id].([]byte)
	return string(v)
}

func (s thriftStruct) inside(id int) thriftStruct {
	v, _ := s[id].(thriftStruct)
	return v
}

func (s thriftStruct) list(id int) []any {
	v, _ := s[id].([]any)
	return v
}

// structs returns the structs of a list.
func (s thriftStruct) structs(id int) []thriftStruct {
	list := s.list(id)
	all := make([]thriftStruct, len(list))
	for i, v := range list {
		all[i], _ = v.(thriftStruct)
	}
	return all
}

// A thriftReader reads what stands at the beginning of b, and goes on behind it.
type thriftReader struct {
	b     []byte
	depth int
	err   error
}

var errThrift = errors.New("is damaged: its metadata is not Thrift")

// readStruct reads a struct, and returns how many bytes it takes.
func readStruct(b []byte) (thriftStruct, int, error) {
	r := thriftReader{b: b}
	s := r.structure()
	return s, len(b) - len(r.b), r.err
}

func (r *thriftReader) take(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.b)) {
		r.err = errThrift
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *thriftReader) byte() byte {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *thriftReader) unsigned() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err = errThrift
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *thriftReader) structure() thriftStruct {
	const deepest = 32
	if r.depth++; r.depth > deepest {
		r.err = errThrift
	}
	defer func() { r.depth-- }()
	s, id := thriftStruct{}, 0
	for r.err == nil {
		head := r.byte()
		kind := head & 15
		if kind == 0 {
			break
		}
		if by := int(head >> 4); by > 0 {
			id += by
		} else {
			id = int(int16(unzigzag(r.unsigned())))
		}
		switch kind {
		case 1, 2:
			s[id] = kind == 1
		default:
			s[id] = r.value(kind)
		}
	}
	return s
}

func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

func (r *thriftReader) value(kind byte) any {
	switch kind {
	case 1, 2: // in lists a byte each
		return r.byte() == 1
	case 3:
		return int64(int8(r.byte()))
	case 4, 5, 6:
		return unzigzag(r.unsigned())
	case 7:
		if b := r.take(8); b != nil {
			return math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
	case 8:
		return r.take(r.unsigned())
	case 9, 10:
		head := r.byte()
		n := uint64(head >> 4)
		if n == 15 {
			n = r.unsigned()
		}
		if n > uint64(len(r.b)) { // each takes a byte at least
			r.err = errThrift
			return nil
		}
		list := make([]any, 0, n)
		for range n {
			if r.err != nil {
				return nil
			}
			list = append(list, r.value(head&15))
		}
		return list
	case 12:
		return r.structure()
	default:
		r.err = errThrift
	}
	return nil
}
