package ioutil

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// maxCapLen is the longest captured length that is believed. A longer one
	// is taken for damage, not for a reason to collect memory.
	maxCapLen = 256 << 20
	// maxData is the most that is lent of a record. No headers come so far, and
	// what comes behind need not lie in memory.
	maxData = 1 << 20
	// maxOrigLen is what longer original lengths are cut to, as Wireshark
	// does, which counts them in a signed 32-bit integer.
	maxOrigLen = 1<<31 - 1
)

// A Record is one packet as it stands in the capture file.
type Record struct {
	Time     int64  // nanoseconds since the Unix epoch, UTC; saturates at the ends of int64
	Data     []byte // captured bytes of the frame, the first MiB at most; lent until the next call of Read or Close
	Offset   int64  // of the record or block in the capture, counted after decompression
	OrigLen  uint32 // bytes of the frame on the wire, at most 1<<31 - 1; FCS is among them
	LinkType uint32 // LINKTYPE_ number in the file; above 65535 if reserved bits of a pcap header are set
	Fine     bool   // the clock that stamped it is not a whole number of microseconds
	FCS      uint8  // bytes of the frame check sequence, which OrigLen counts and Data has not; 0 to 31, at most OrigLen
}

// A Capture lends the packets of one capture file or stream, in file order.
// It belongs to one goroutine at a time; only Progress may be called from
// others.
type Capture struct {
	window
	name     string
	format   string   // "pcap", "pcapng", "snoop" or "ERF"
	wrap     string   // name of the compression, or ""
	file     *os.File // nil if the caller owns the stream
	size     int64    // bytes of the file, 0 if unknown
	lean     bool     // see OpenLean
	taken    atomic.Int64
	patience time.Duration // see SetPatience
	need     int           // bytes from window.pos that the parser asks for before it can go on
	want     int           // bytes of the record that they are of, 0 if they are all of it
	err      error         // what the next Read returns; sticky

	apart     bool // it is read in spans, and what was read is released by the caller
	pcap      pcap
	undecided bool // whether its record headers are a variant's
	ng        pcapng
	framing   framing

	warnings     []string
	blanks       blanks
	cutting      cutting
	helpers      atomic.Int32 // goroutines that may decompress at a time, if the data allows
	concatenated bool         // it has a second pcap header

	linkTypes []uint32        // in the order in which they were declared
	declared  map[uint32]bool // the same as a set: a hostile file can have all of them

	interfaces     []Interface // the first ones
	moreInterfaces int
}

// Open opens the capture at path. A regular file is mapped where the system
// can, a compressed one or a pipe is streamed. It waits for the first bytes of
// a pipe. A file that is no capture gives a *[FormatError].
func Open(path string) (*Capture, error) {
	return openPath(&Capture{name: path})
}

// openPath opens the file that a capture is named by.
func openPath(c *Capture) (*Capture, error) {
	f, err := os.Open(c.name)
	if err != nil {
		return nil, err
	}
	if err := c.open(f, true); err != nil {
		f.Close()
		return nil, err
	}
	return c, nil
}

// NewCapture reads a capture from r, which may be compressed. It waits for the
// first bytes. The name stands in errors. A goroutine reads ahead of the
// caller; Close stops it but does not close r, nor wait for a Read of r in
// which it is blocked.
func NewCapture(r io.Reader, name string) (*Capture, error) {
	c := &Capture{name: name}
	if err := c.stream(r); err != nil {
		return nil, err
	}
	return c, nil
}

// open opens the file of a capture, with mapping left to the caller's choice for the
// tests.
func (c *Capture) open(f *os.File, mapped bool) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return &fs.PathError{Op: "read", Path: c.name, Err: errors.New("is a directory")}
	}
	c.file = f
	if info.Mode().IsRegular() {
		c.size = info.Size()
	}
	if mapped && c.size > 0 {
		var head [leanHead]byte
		n, err := f.ReadAt(head[:], 0)
		if err != nil && err != io.EOF {
			return err
		}
		how := unwrapper(head[:n])
		if how != nil {
			c.unwrapping = how.memory(head[:n])
		} else if c.mapFile(f, c.size) {
			if err := c.start(); err != nil {
				c.release()
				return err
			}
			if c.lean {
				return c.letGo(info)
			}
			return nil
		}
	}
	return c.stream(f)
}

// Read fills recs with the next packets and returns how many there were. An
// error comes only with 0 packets: [io.EOF] at the end of the capture, a
// *[TruncatedError] if it ends in the middle of a record, else a
// *[FormatError]. After an error Read returns the same one again.
//
// The bytes of the packets are lent until the next call of Read or Close.
func (c *Capture) Read(recs []Record) (int, error) {
	return c.ReadBefore(math.MaxInt64, recs)
}

// ReadBefore is Read for the packets whose records begin before an offset in
// the capture. It returns 0 and no error when there are none.
func (c *Capture) ReadBefore(end int64, recs []Record) (int, error) {
	if c.mem != nil {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		if !c.apart {
			Release(c.passed())
		}
	}
	for len(recs) > 0 && c.err == nil && c.base+int64(c.pos) < end {
		n := c.parse(recs, int(min(end-c.base, math.MaxInt)))
		if n > 0 {
			if c.pcap.fcs > 0 {
				trimAll(recs[:n], c.pcap.fcs)
			}
			if c.mem != nil {
				c.taken.Store(int64(c.pos))
			}
			return n, nil
		}
		if c.err == nil && c.need > 0 {
			c.impatient(true)
			c.err = c.fill(c.need)
			c.impatient(false)
			if c.err == errSilent {
				c.err = nil
				return 0, nil
			}
			if cut := (*TruncatedError)(nil); c.want > 0 && errors.As(c.err, &cut) {
				cut.Want = int64(c.want)
			}
		}
		if cut := (*TruncatedError)(nil); c.format == "pcap" && errors.As(c.err, &cut) && cut.Want > int64(c.pcap.header)+int64(c.pcap.most) {
			c.err = &FormatError{File: c.name, Offset: cut.Offset, Err: fmt.Errorf("captured length %d of a record is over %d, and over what is left of the capture",
				cut.Want-int64(c.pcap.header), c.pcap.most)}
		}
		if c.err != nil && c.blanks.n > 0 {
			c.endBlanks()
		}
	}
	return 0, c.err
}

// SetPatience sets how long ReadBefore waits for a silent stream: it then returns
// 0 and no error, and may be called again. 0, as it is at first, stands for as
// long as it takes. What ends within a record of more than a MiB is waited for.
func (c *Capture) SetPatience(d time.Duration) { c.patience = d }

// impatient has what is read from here on wait no longer than is set, or as long
// as it takes.
func (c *Capture) impatient(on bool) {
	switch {
	case c.ring == nil:
	case on:
		c.ring.patience = c.patience
	default:
		c.ring.patience = 0
	}
}

// parse reads packets from the window until recs is full, the window lacks
// c.need bytes, or there is an error. It moves the window past what it read
// only when it returns, so a fault of a mapped file (see caught) leaves the
// window as it was: the file is then read again up to the place of the fault.
func (c *Capture) parse(recs []Record, end int) int {
	if c.mem != nil {
		defer c.caught()
	}
	c.need, c.want = 0, 0
	switch c.format {
	case "pcap":
		return c.readPcap(recs, end)
	case "pcapng":
		return c.readPcapng(recs, end)
	}
	return c.readFramed(recs, end)
}

// fill gets need bytes into the window and returns the error to end with if it
// can't.
func (c *Capture) fill(need int) error {
	err := c.more(need)
	if err == errSilent {
		return err
	}
	if err != nil && c.ring != nil && !errors.Is(err, ErrInterrupted) && c.ring.note != "" { // the stream has ended
		c.warnings = append(c.warnings, c.name+": "+c.ring.note)
		c.ring.note = ""
	}
	switch have := len(c.buf) - c.pos; {
	case err == nil:
		return nil
	case err != io.EOF:
		return c.wrong(have, err)
	case have > 0:
		return &TruncatedError{File: c.name, Offset: c.base + int64(c.pos), Have: int64(have), Want: int64(need)}
	}
	return io.EOF
}

// front moves the window past the next size bytes of a stream and returns the
// first of them, lent as a packet is. If they can't be had it returns nil, and
// has set what to ask for or the error to end with.
func (c *Capture) front(keep, size int) []byte {
	if len(c.buf)-c.pos < keep {
		c.need, c.want = keep, size
		return nil
	}
	at := c.Offset()
	switch have, err := c.skip(keep, size); err {
	case nil:
		return c.kept
	case io.EOF:
		c.err = &TruncatedError{File: c.name, Offset: at, Have: int64(have), Want: int64(size)}
	default:
		c.err = &FormatError{File: c.name, Offset: at + int64(have), Err: err}
	}
	return nil
}

// wrong returns a FormatError that points at bytes past the window's position.
func (c *Capture) wrong(at int, err error) error {
	return &FormatError{File: c.name, Offset: c.base + int64(c.pos) + int64(at), Err: err}
}

// start recognises the format by its first bytes. A capture that ends within
// its file header is opened all the same; its first Read tells.
func (c *Capture) start() error {
	err := c.more(4)
	head := c.buf[c.pos:]
	switch {
	case err == nil:
	case err != io.EOF:
		return c.wrong(len(head), err)
	case len(head) == 0 && c.wrap != "":
		return c.wrong(0, fmt.Errorf("nothing in the %s data: want %s", c.wrap, accepted))
	case len(head) == 0:
		return c.wrong(0, fmt.Errorf("empty file: want %s", accepted))
	}
	if inner := unwrapper(head); inner != nil && c.wrap != "" {
		return c.wrong(0, fmt.Errorf("%s data within %s data: only one layer of compression is unwrapped",
			inner.name, c.wrap))
	}
	if len(head) < len(snoopMagic) && snoopMagic[:len(head)] == string(head) && c.lookAhead(len(snoopMagic)) {
		head = c.buf[c.pos:]
	}
	switch c.format = formatOf(head); c.format {
	case "":
		if c.startERF() {
			c.format, c.framing.format = "ERF", "ERF"
			return nil
		}
		c.lookAhead(512) // where a tar archive has its mark
		return c.wrong(0, errors.New(stranger(c.buf[c.pos:])))
	case "pcap":
		return c.startPcap()
	case "snoop":
		c.framing.format = c.format
		return c.startSnoop()
	}
	return nil
}

// LinkTypes returns the distinct link types declared so far, in order: the one
// of a pcap or snoop file, those of the interfaces of a pcapng file of which Read has
// come past the descriptions, or those of the records of an ERF file that Read or
// Open have come past. The slice is the caller's.
func (c *Capture) LinkTypes() []uint32 { return slices.Clone(c.linkTypes) }

// declare notes a link type.
func (c *Capture) declare(linkType uint32) {
	if c.declared == nil {
		c.declared = make(map[uint32]bool)
	}
	if !c.declared[linkType] {
		c.declared[linkType] = true
		c.linkTypes = append(c.linkTypes, linkType)
	}
}

// Offset returns the offset in the capture of what the next Read begins with,
// counted after decompression.
func (c *Capture) Offset() int64 { return c.base + int64(c.pos) }

// Progress returns how many bytes of the file, as it is stored, have been read,
// and its size, 0 if that is unknown. It may be called from any goroutine.
func (c *Capture) Progress() (read, total int64) { return c.taken.Load(), c.size }

// Format says what the capture is: "pcap", "pcapng", "snoop" or "ERF", with what it
// is compressed in behind a comma: "pcapng, gzip".
func (c *Capture) Format() string {
	if c.wrap == "" {
		return c.format
	}
	return c.format + ", " + c.wrap
}

// Interrupt makes a Read that waits for a silent stream return, and all that come
// after: with an error that is [ErrInterrupted]. It may be called from any
// goroutine.
func (c *Capture) Interrupt() {
	if c.ring != nil {
		c.ring.interrupt()
	}
}

// Close gives back what the capture holds, and ends the lending of all packets.
// It does not wait for a pipe that is silent.
func (c *Capture) Close() error {
	if errors.Is(c.err, fs.ErrClosed) {
		return nil
	}
	c.err = fmt.Errorf("%s: %w", c.name, fs.ErrClosed)
	c.release()
	if c.file == nil {
		return nil
	}
	pollable := c.size > 0 || c.file.SetReadDeadline(time.Time{}) == nil
	err := c.file.Close()
	if c.ring != nil && pollable {
		<-c.ring.finished
	}
	return err
}
