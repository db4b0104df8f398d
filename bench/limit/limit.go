//go:build linux || darwin

// Package limit measures how fast a capture file can be walked from record
// header to record header by code that does nothing else. No program that looks
// at every packet of a file is faster than that.
package limit

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

const (
	fileHeader   = 24 // draft-ietf-opsawg-pcap, 4
	recordHeader = 16 // 5
	capLen       = 8  // of the captured length in it

	touchSize  = 32 << 10
	lineSize   = 64
	bufferSize = 256 << 10
)

// errFormat is the error for a file that bench/workload did not write.
var errFormat = errors.New("no classic pcap file with microseconds in little-endian order")

// A Walk is a way through a file.
type Walk struct {
	// Name says how the bytes are got at.
	Name string
	walk func(f *os.File) (packets int, err error)
}

// Walks are the ways that are tried; the fastest is the limit. Which one that
// is depends on the size of the packets, the processor and the system.
var Walks = []Walk{
	{"mapped", func(f *os.File) (int, error) { return mapped(f, plain) }},
	{"touched", func(f *os.File) (int, error) { return mapped(f, touched) }},
	{"read", read},
}

// Packets opens a file, walks it to its end, and returns how many complete
// packets it has.
func (w Walk) Packets(path string) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return w.walk(f)
}

// Map maps a file that is not empty. The bytes are valid until unix.Munmap.
func Map(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, io.ErrUnexpectedEOF // nothing can't be mapped
	}
	return unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
}

// Records returns the part of a file behind its header.
func Records(file []byte) ([]byte, error) {
	if len(file) < fileHeader {
		return nil, io.ErrUnexpectedEOF
	}
	if binary.LittleEndian.Uint32(file) != 0xa1b2c3d4 {
		return nil, errFormat
	}
	return file[fileHeader:], nil
}

func mapped(f *os.File, walk func([]byte) (int, byte)) (int, error) {
	m, err := Map(f)
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Munmap(m) }() // can't fail: m is what was mapped
	records, err := Records(m)
	if err != nil {
		return 0, err
	}
	packets, _ := walk(records)
	return packets, nil
}

// plain walks from header to header.
func plain(b []byte) (packets int, _ byte) {
	packets, _ = whole(b)
	return packets, 0
}

// whole walks over the whole records at the front of b and returns what is left.
func whole(b []byte) (packets int, rest []byte) {
	for len(b) >= recordHeader {
		next := recordHeader + int(binary.LittleEndian.Uint32(b[capLen:]))
		if next > len(b) {
			break
		}
		b = b[next:]
		packets++
	}
	return packets, b
}

// touched reads a byte of every cache line of the next 32 KiB before it walks
// through them: those loads do not wait for each other, as the walk's do.
// It returns their sum, without which the compiler would leave them out.
func touched(b []byte) (packets int, sum byte) {
	ahead := 0 // bytes of b that have been touched
	for len(b) >= recordHeader {
		if ahead <= 0 {
			ahead = min(touchSize, len(b))
			for i := 0; i < ahead; i += lineSize {
				sum += b[i]
			}
		}
		next := recordHeader + int(binary.LittleEndian.Uint32(b[capLen:]))
		if next > len(b) {
			break
		}
		b = b[next:]
		ahead -= next
		packets++
	}
	return packets, sum
}

// read walks through what read(2) brings into a buffer that is used again. A
// packet longer than the buffer counts as cut.
func read(f *os.File) (packets int, err error) {
	buffer := make([]byte, bufferSize)
	if _, err := io.ReadFull(f, buffer[:fileHeader]); err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	if _, err := Records(buffer[:fileHeader]); err != nil {
		return 0, err
	}
	for have := 0; ; {
		n, err := f.Read(buffer[have:])
		have += n
		more, rest := whole(buffer[:have])
		packets += more
		have = copy(buffer, rest)
		if err == io.EOF || n == 0 {
			return packets, nil
		}
		if err != nil {
			return packets, err
		}
	}
}
