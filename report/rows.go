package report

import (
	"encoding/binary"
	"io"
	"math/bits"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// A RowFormat is a format of rows, as those of package export are.
type RowFormat interface {
	AppendHeader(b []byte) []byte
	AppendRow(b []byte, f *flowtable.Flow) []byte
}

// Rows are the rows of a format, each with what a [Collector] counts of its flow
// before it:
//
//	length, 4 bytes, little-endian, of all of this
//	record
//	row of the format
type Rows struct {
	// Format is that of the rows; nil for none.
	Format RowFormat
}

// AppendHeader appends nothing: the header is for [NewWriter].
func (Rows) AppendHeader(b []byte) []byte { return b }

// AppendRow appends the record of a flow, and its row.
func (r Rows) AppendRow(b []byte, f *flowtable.Flow) []byte {
	from := len(b)
	b = appendRecord(append(b, 0, 0, 0, 0), f)
	if r.Format != nil {
		b = r.Format.AppendRow(b, f)
	}
	binary.LittleEndian.PutUint32(b[from:], uint32(len(b)-from))
	return b
}

// Check is that of the format.
func (r Rows) Check(o features.Options) error {
	if c, ok := r.Format.(interface{ Check(features.Options) error }); ok {
		return c.Check(o)
	}
	return nil
}

// A Writer takes what [Rows] have appended, gives the records to a collector and
// writes the rows.
type Writer struct {
	to        io.Writer // nil for none
	collector *Collector
	rows      []byte
	record    record
}

// NewWriter returns a writer of rows of a format, whose header it writes.
func NewWriter(to io.Writer, format RowFormat, c *Collector) (*Writer, error) {
	w := &Writer{to: to, collector: c}
	if format == nil {
		w.to = nil
		return w, nil
	}
	var err error
	if header := format.AppendHeader(nil); len(header) > 0 {
		_, err = to.Write(header)
	}
	return w, err
}

// Write takes whole rows.
func (w *Writer) Write(b []byte) (int, error) {
	w.rows = w.rows[:0]
	for rest := b; len(rest) > 0; {
		n := binary.LittleEndian.Uint32(rest)
		row := w.record.read(rest[4:n])
		w.collector.flow(&w.record)
		w.rows = append(w.rows, row...)
		rest = rest[n:]
	}
	if w.to == nil || len(w.rows) == 0 {
		return len(b), nil
	}
	if _, err := w.to.Write(w.rows); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Flush has the writer of the rows withhold nothing.
func (w *Writer) Flush() error {
	if f, ok := w.to.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}

// A record is what is counted of a flow.
type record struct {
	src, dst            host
	srcPort, dstPort    uint16
	protocol            uint8
	reason              flowtable.Reason
	start, last, finish flowtable.Time
	packets, bytes      [2]uint64 // forward, backward
	flags               [2][8]uint64
	someFlags           [2]uint8 // those that are not 0
	labelled            bool
	label, rule         []byte
}

// Bits of the first byte of a record.
const (
	recordV6 = 1 << iota
	recordLabelled
)

func appendRecord(b []byte, f *flowtable.Flow) []byte {
	marks := byte(0)
	if f.V6 {
		marks |= recordV6
	}
	if f.Label != nil {
		marks |= recordLabelled
	}
	le := binary.LittleEndian
	b = append(b, marks, f.Protocol, byte(f.Reason))
	b = le.AppendUint16(le.AppendUint16(b, f.SrcPort), f.DstPort)
	for _, a := range [2]decode.Addr{f.Src, f.Dst} {
		if f.V6 {
			b = le.AppendUint64(b, a.Hi)
		}
		b = le.AppendUint64(b, a.Lo)
	}
	for _, t := range [3]flowtable.Time{f.Start, f.Last, f.Finish} {
		b = le.AppendUint64(b, uint64(t))
	}
	for _, d := range [2]*flowtable.Direction{&f.Fwd, &f.Bwd} {
		b = le.AppendUint64(le.AppendUint64(b, d.Packets), d.Bytes)
	}
	if f.Protocol == decode.TCP {
		b = appendFlags(appendFlags(b, &f.Fwd), &f.Bwd)
	}
	if f.Label != nil {
		for _, text := range [2]string{f.Label.Name, f.Label.Rule} {
			b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		}
	}
	return b
}

// appendFlags appends a byte that tells which control bits some packet of a direction has,
// and how many packets have each of them: most flows of a flood have one bit.
func appendFlags(b []byte, d *flowtable.Direction) []byte {
	at := len(b)
	b = append(b, 0)
	if d.Packets == 0 {
		return b
	}
	for i, n := range d.Flags {
		if n > 0 {
			b[at] |= 1 << i
			b = binary.AppendUvarint(b, n)
		}
	}
	return b
}

// readFlags reads what appendFlags has appended, and returns which bits some packet has.
func readFlags(b []byte, flags *[8]uint64) (some uint8, rest []byte) {
	*flags = [8]uint64{}
	some, b = b[0], b[1:]
	for left := some; left != 0; left &= left - 1 {
		n, length := uint64(b[0]), 1
		if n >= 0x80 {
			n, length = binary.Uvarint(b)
		}
		flags[bits.TrailingZeros8(left)] = n
		b = b[length:]
	}
	return some, b
}

// read reads a record, and returns what stands behind it. Texts are those of b. The flags
// of what is not TCP are left as they are.
func (r *record) read(b []byte) (rest []byte) {
	le := binary.LittleEndian
	marks := b[0]
	v6 := marks&recordV6 != 0
	r.protocol, r.reason, r.labelled = b[1], flowtable.Reason(b[2]), marks&recordLabelled != 0
	r.srcPort, r.dstPort = le.Uint16(b[3:]), le.Uint16(b[5:])
	b = b[7:]
	for _, h := range [2]*host{&r.src, &r.dst} {
		if h.v6, h.addr.Hi = v6, 0; v6 {
			h.addr.Hi = le.Uint64(b)
			b = b[8:]
		}
		h.addr.Lo = le.Uint64(b)
		b = b[8:]
	}
	for _, t := range [3]*flowtable.Time{&r.start, &r.last, &r.finish} {
		*t = flowtable.Time(le.Uint64(b))
		b = b[8:]
	}
	for d := range 2 {
		r.packets[d], r.bytes[d] = le.Uint64(b), le.Uint64(b[8:])
		b = b[16:]
	}
	if r.protocol == decode.TCP {
		r.someFlags[0], b = readFlags(b, &r.flags[0])
		r.someFlags[1], b = readFlags(b, &r.flags[1])
	}
	r.label, r.rule = nil, nil
	if r.labelled {
		for _, text := range [2]*[]byte{&r.label, &r.rule} {
			n, length := binary.Uvarint(b)
			b = b[length:]
			*text, b = b[:n], b[n:]
		}
	}
	return b
}
