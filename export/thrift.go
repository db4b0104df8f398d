package export

import "encoding/binary"

// A thrift is a struct on its way into bytes, in the compact protocol of Thrift,
// in which Parquet keeps what it says of the file:
// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
type thrift struct {
	b    []byte
	last int // the field that was written last in this struct
}

// The types of fields.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftI8     = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

// field begins a field, whose number is greater than those before it.
func (t *thrift) field(id int, kind byte) {
	t.b = append(t.b, byte(id-t.last)<<4|kind)
	t.last = id
}

// number writes an integer as the element of a list.
func (t *thrift) number(v int64) { t.b = binary.AppendVarint(t.b, v) }

// text writes bytes as the element of a list.
func (t *thrift) text(v []byte) {
	t.b = append(binary.AppendUvarint(t.b, uint64(len(v))), v...)
}

func (t *thrift) i16(id int, v int64) { t.field(id, thriftI16); t.number(v) }
func (t *thrift) i32(id int, v int64) { t.field(id, thriftI32); t.number(v) }
func (t *thrift) i64(id int, v int64) { t.field(id, thriftI64); t.number(v) }

func (t *thrift) i8(id int, v byte) {
	t.field(id, thriftI8)
	t.b = append(t.b, v)
}

func (t *thrift) bool(id int, v bool) {
	if v {
		t.field(id, thriftTrue)
	} else {
		t.field(id, thriftFalse)
	}
}

func (t *thrift) binary(id int, v []byte) {
	t.field(id, thriftBinary)
	t.text(v)
}

func (t *thrift) string(id int, v string) { t.binary(id, []byte(v)) }

// list begins a list; its elements come next.
func (t *thrift) list(id, n int, kind byte) {
	t.field(id, thriftList)
	if n < 15 {
		t.b = append(t.b, byte(n)<<4|kind)
		return
	}
	t.b = binary.AppendUvarint(append(t.b, 15<<4|kind), uint64(n))
}

// inside writes a struct as a field.
func (t *thrift) inside(id int, fields func()) {
	t.field(id, thriftStruct)
	t.element(fields)
}

// element writes a struct as the element of a list.
func (t *thrift) element(fields func()) {
	last := t.last
	t.last = 0
	fields()
	t.end()
	t.last = last
}

// end ends the struct.
func (t *thrift) end() { t.b = append(t.b, 0) }
