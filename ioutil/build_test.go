package ioutil

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// open opens the capture in a file, mapped or not.
func open(f *os.File, path string, mapped bool) (*Capture, error) {
	c := &Capture{name: path}
	return c, c.open(f, mapped)
}

// A builder writes captures byte by byte as a table in the drafts would have
// them, so that a test can also write what no tool does.
type builder struct {
	bytes.Buffer
	order binary.AppendByteOrder
}

func littleEndian() *builder { return &builder{order: binary.LittleEndian} }
func bigEndian() *builder    { return &builder{order: binary.BigEndian} }

func (b *builder) u16(v ...uint16) *builder {
	for _, v := range v {
		b.Write(b.order.AppendUint16(nil, v))
	}
	return b
}

func (b *builder) u32(v ...uint32) *builder {
	for _, v := range v {
		b.Write(b.order.AppendUint32(nil, v))
	}
	return b
}

func (b *builder) bytes(s string) *builder {
	b.WriteString(s)
	return b
}

// pcap writes a file header.
func (b *builder) pcap(magic, snapLen, linkType uint32) *builder {
	return b.u32(magic).u16(2, 4).u32(0, 0, snapLen, linkType)
}

// record writes a record of a pcap file.
func (b *builder) record(secs, frac, origLen uint32, data string) *builder {
	return b.u32(secs, frac, uint32(len(data)), origLen).bytes(data)
}

// block writes a pcapng block, padded.
func (b *builder) block(kind uint32, body string) *builder {
	body += string(make([]byte, -len(body)&3))
	n := uint32(len(body) + 12)
	return b.u32(kind, n).bytes(body).u32(n)
}

// body returns what write writes, in b's byte order.
func (b *builder) body(write func(b *builder)) string {
	inner := &builder{order: b.order}
	write(inner)
	return inner.String()
}

func (b *builder) section() *builder {
	return b.block(blockSection, b.body(func(b *builder) { b.u32(0x1a2b3c4d).u16(1, 0).u32(0xffffffff, 0xffffffff) }))
}

func (b *builder) iface(linkType uint16, snapLen uint32, options string) *builder {
	return b.block(blockInterface, b.body(func(b *builder) { b.u16(linkType, 0).u32(snapLen).bytes(options) }))
}

// option returns an option of a block, padded.
func (b *builder) option(code uint16, value string) string {
	return b.body(func(b *builder) {
		b.u16(code, uint16(len(value))).bytes(value + string(make([]byte, -len(value)&3)))
	})
}

func (b *builder) enhanced(iface uint32, ts uint64, origLen uint32, data string) *builder {
	return b.block(blockEnhanced, b.body(func(b *builder) {
		b.u32(iface, uint32(ts>>32), uint32(ts), uint32(len(data)), origLen).bytes(data)
	}))
}

func (b *builder) simple(origLen uint32, data string) *builder {
	return b.block(blockSimple, b.body(func(b *builder) { b.u32(origLen).bytes(data) }))
}

// file writes data into a new file and returns its path.
func file(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "capture")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// A kept record is one whose bytes are not lent.
type kept struct {
	Time     int64
	Data     string
	Offset   int64
	OrigLen  uint32
	LinkType uint32
	Fine     bool
	FCS      uint8
}

// readAll reads all packets, in batches of the given size, and the error that
// came after them; nil for io.EOF.
func readAll(t testing.TB, c *Capture, batch int) ([]kept, error) {
	t.Helper()
	recs := make([]Record, batch)
	var all []kept
	for {
		n, err := c.Read(recs)
		if n > 0 && err != nil {
			t.Fatalf("Read = %d, %v: an error beside packets", n, err)
		}
		for _, r := range recs[:n] {
			all = append(all, kept{r.Time, string(r.Data), r.Offset, r.OrigLen, r.LinkType, r.Fine, r.FCS})
		}
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		if n == 0 {
			t.Fatal("Read = 0, nil")
		}
	}
}

// readFile opens and reads a file.
func readFile(t testing.TB, path string) ([]kept, error) {
	t.Helper()
	c, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return readAll(t, c, 64)
}

// readStream reads a stream that is called "capture".
func readStream(t testing.TB, r io.Reader) ([]kept, error) {
	t.Helper()
	c, err := NewCapture(r, "capture")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return readAll(t, c, 64)
}
