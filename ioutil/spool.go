package ioutil

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"runtime"

	"github.com/klauspost/compress/zstd"
)

// A Spool keeps packets in a temporary file, in the order in which they are written,
// until they have been read back once. It belongs to one goroutine at a time.
//
// The file is zstd data: for each packet a header and the captured bytes that a
// [Record] lends.
//
//	time 8 | original length 4 | link type 4 | tag 4 | captured length 4 | fine 1 | FCS 1 | bytes
type Spool struct {
	file   *os.File
	out    *zstd.Encoder // until Rewind
	in     *zstd.Decoder // from then on
	header [spoolHeader]byte
	ahead  bool   // header is that of a packet that the last Read had no room for
	mem    []byte // what is lent
}

const (
	spoolHeader = 26
	spoolWindow = 128 << 10
	spoolLent   = 64 << 10 // bytes that are lent at a time, but for a longer packet
)

// SpoolMemory is what a Spool takes, in bytes, while it is written or read.
const SpoolMemory = 1 << 20

// NewSpool makes an empty one, in the folder for temporary files. On systems where
// an open file can be removed nothing is left of it if the program dies.
func NewSpool() (*Spool, error) {
	f, err := os.CreateTemp("", "flowfast-join-*")
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" {
		os.Remove(f.Name())
	}
	s := &Spool{file: f}
	s.out, err = zstd.NewWriter(f, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(spoolWindow),
		zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(true))
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Write adds a packet, with a tag that means nothing to the spool.
func (s *Spool) Write(r *Record, tag uint32) error {
	h := s.header[:0]
	h = binary.LittleEndian.AppendUint64(h, uint64(r.Time))
	h = binary.LittleEndian.AppendUint32(h, r.OrigLen)
	h = binary.LittleEndian.AppendUint32(h, r.LinkType)
	h = binary.LittleEndian.AppendUint32(h, tag)
	h = binary.LittleEndian.AppendUint32(h, uint32(len(r.Data)))
	fine := byte(0)
	if r.Fine {
		fine = 1
	}
	h = append(h, fine, r.FCS)
	if _, err := s.out.Write(h); err != nil {
		return err
	}
	_, err := s.out.Write(r.Data)
	return err
}

// Rewind ends the writing: what was written is read from here on.
func (s *Spool) Rewind() error {
	if err := s.out.Close(); err != nil {
		return err
	}
	s.out = nil
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var err error
	s.in, err = zstd.NewReader(bufio.NewReaderSize(s.file, spoolLent), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(spoolWindow))
	return err
}

// Read sets records to the next packets, and tags to what they were written with, and
// returns how many there were. The error is [io.EOF] behind the last. The packets have
// no offset; their bytes are lent until the next call of Read or Close.
func (s *Spool) Read(records []Record, tags []uint32) (int, error) {
	n := 0
	for s.mem = s.mem[:0]; n < len(records); n++ {
		if !s.ahead {
			if _, err := io.ReadFull(s.in, s.header[:]); err != nil {
				if err == io.EOF && n > 0 {
					break
				}
				return n, err
			}
		}
		length := int(binary.LittleEndian.Uint32(s.header[20:]))
		if s.ahead = n > 0 && len(s.mem)+length > cap(s.mem); s.ahead {
			break
		}
		if n == 0 && (length > cap(s.mem) || cap(s.mem) > max(spoolLent, length)) {
			s.mem = make([]byte, 0, max(spoolLent, length))
		}
		at := len(s.mem)
		s.mem = s.mem[:at+length]
		if _, err := io.ReadFull(s.in, s.mem[at:]); err != nil {
			return n, midStream(err)
		}
		records[n] = Record{
			Time:     int64(binary.LittleEndian.Uint64(s.header[0:])),
			Data:     s.mem[at : at+length : at+length],
			OrigLen:  binary.LittleEndian.Uint32(s.header[8:]),
			LinkType: binary.LittleEndian.Uint32(s.header[12:]),
			Fine:     s.header[24] == 1,
			FCS:      s.header[25],
		}
		tags[n] = binary.LittleEndian.Uint32(s.header[16:])
	}
	return n, nil
}

// Close removes the file.
func (s *Spool) Close() error {
	if s.out != nil {
		s.out.Reset(io.Discard) // what is left of it goes nowhere
		s.out.Close()
	}
	if s.in != nil {
		s.in.Close()
	}
	err := s.file.Close()
	if runtime.GOOS == "windows" {
		err = os.Remove(s.file.Name())
	}
	return err
}
