package ioutil

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
)

// accepted ends the messages about what is no capture.
const accepted = "pcap, pcapng, snoop or ERF, plain or in gzip, zstd, bzip2, xz or lz4"

// formatOf tells the format by the first 4 bytes, of snoop 8, "" if it is none.
func formatOf(head []byte) string {
	if len(head) < 4 {
		return ""
	}
	if binary.BigEndian.Uint32(head) == blockSection {
		return "pcapng"
	}
	if _, ok := pcapOf(head); ok {
		return "pcap"
	}
	if bytes.HasPrefix(head, []byte(snoopMagic)) {
		return "snoop"
	}
	return ""
}

// IsCapture reports whether the file at path is a regular file whose first
// bytes are those of a capture, as they stand or after decompression; the name
// does not matter. It reads little of the file and never waits for a pipe or a
// device. A compressed file whose beginning can't be unwrapped gives a
// *[FormatError], since it may be a damaged capture.
func IsCapture(path string) (bool, error) {
	info, err := os.Stat(path) // before opening, which may wait or do something
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var head [12]byte
	n, err := io.ReadFull(f, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, err
	}
	how := unwrapper(head[:n])
	if how == nil {
		return looksRight(head[:n]) || looksERF(head[:n], f, path), nil
	}
	z, free, err := how.unwrap(&rewound{head[:n], f}, leanChunk, new(atomic.Int32))
	if err == nil {
		defer free()
		n, err = io.ReadFull(z, head[:])
	}
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, &FormatError{File: path, Offset: int64(n), Err: err}
	}
	return looksRight(head[:n]) || looksERF(head[:n], z, path), nil
}

// looksERF reports whether head and what r has behind it begin an ERF file of a name.
// It reads on only as long as they may.
func looksERF(head []byte, r io.Reader, name string) bool {
	head = slices.Clone(head)
	s := lookAtERF(head)
	for !s.odd && s.packets < erfRecords && s.need > len(head) {
		rest := make([]byte, s.need-len(head))
		n, err := io.ReadFull(r, rest)
		if head = append(head, rest[:n]...); err != nil {
			break // a file that can't be read is no ERF file by this
		}
		s = lookAtERF(head)
	}
	return s.enough(name)
}

// looksRight reports whether head begins a capture. A pcapng file shows a
// second mark, if it is long enough.
func looksRight(head []byte) bool {
	switch formatOf(head) {
	case "pcap", "snoop":
		return true
	case "pcapng":
		return len(head) < 12 || new(pcapng).readByteOrder(head) == nil
	}
	return false
}

// show prints the first bytes of a file that is no capture: as text if they
// are, else in hex.
func show(head []byte) string {
	head = head[:min(len(head), headLen)]
	for _, b := range head {
		if (b < ' ' || b > '~') && !strings.ContainsRune("\t\r\n", rune(b)) {
			return fmt.Sprintf("bytes % x", head)
		}
	}
	return fmt.Sprintf("text %q", head)
}
