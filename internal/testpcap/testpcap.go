// Package testpcap makes small captures for tests.
package testpcap

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Header is that of a pcap file of Ethernet frames with times in nanoseconds.
const Header = "\x4d\x3c\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00"

// UDP returns the frame of a datagram from a port of 10.0.0.1 to port 53 of 10.0.0.2.
func UDP(port uint16) []byte {
	b := []byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00" +
		"\x45\x00\x00\x1c\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02" + "\x10\x00\x00\x35\x00\x08\x00\x00")
	binary.BigEndian.PutUint16(b[34:], port)
	return b
}

// Record returns the record of such a datagram at a time.
func Record(at time.Time, port uint16) []byte {
	frame := UDP(port)
	b := binary.LittleEndian.AppendUint32(nil, uint32(at.Unix()))
	b = binary.LittleEndian.AppendUint32(b, uint32(at.Nanosecond()))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(frame)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(frame)))
	return append(b, frame...)
}

// Overlapping writes captures of so many packets each, a millisecond apart, of which
// the last ones of one lie between the first ones of the next, and returns their names.
func Overlapping(t testing.TB, captures, packets, common int) (files []string) {
	t.Helper()
	start := time.Unix(1_700_000_000, 0)
	for i := range captures {
		capture := []byte(Header)
		for k := range packets {
			at := start.Add(time.Duration(i*(packets-common)+k) * time.Millisecond)
			capture = append(capture, Record(at, uint16(k%50))...)
		}
		files = append(files, filepath.Join(t.TempDir(), fmt.Sprintf("%d.pcap", i)))
		if err := os.WriteFile(files[i], capture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// Tangled writes captures, plain or gzip, that overlap all the time: packets in the order of
// time but for some, and many of equal times.
func Tangled(t testing.TB, files int) []string {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(files), 7))
	dir, start := t.TempDir(), time.Unix(1_700_000_000, 0)
	names := make([]string, files)
	for i := range names {
		capture := []byte(Header)
		at := start.Add(time.Duration(rng.IntN(300)) * 100 * time.Millisecond)
		for range 100 + rng.IntN(300) {
			at = at.Add(time.Duration(rng.IntN(3)) * 100 * time.Millisecond)
			if rng.IntN(50) == 0 {
				at = at.Add(-time.Second)
			}
			capture = append(capture, Record(at, uint16(rng.IntN(100)))...)
		}
		if i%5 > 0 {
			capture = Gzipped(capture)
		}
		names[i] = filepath.Join(dir, fmt.Sprintf("%02d", (i*37)%files))
		if err := os.WriteFile(names[i], capture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// Gzipped returns data in gzip.
func Gzipped(b []byte) []byte {
	var to bytes.Buffer
	z := gzip.NewWriter(&to)
	if _, err := z.Write(b); err != nil {
		panic(err) // a buffer takes all
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return to.Bytes()
}
