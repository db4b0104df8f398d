//go:build linux

package main

import (
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/flowfast/flowfast/decode"
)

const (
	recordLen  = 16 + 60
	maxPackets = 1 << 32 // one address for each
	again      = 16      // every so many packets one belongs to a flow that is there
	back       = 1000    // that of so many packets ago
	batch      = 13_000  // packets at a time, a little under a MiB

	start = 1_767_225_600 // of the capture: 2026-01-01 00:00:00 UTC
)

// fileHeader is that of a pcap file with microseconds and Ethernet frames
// (draft-ietf-opsawg-pcap, 4).
var fileHeader = unhex("d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000")

// template is a record of the flood: a SYN to 203.0.113.80:80 whose checksums
// are not set. They are what makes workload's floods slow to generate, and
// flowfast does not look at them.
var template = slices.Concat(
	unhex("00000000 00000000 3c000000 3c000000"),             // time; 60 bytes
	unhex("02005e100001 02005e100002 0800"),                  // Ethernet
	unhex("45000028 00004000 40060000 00000000 cb007150"),    // IPv4, source at 26
	unhex("c000 0050 00000000 00000000 5002 faf0 0000 0000"), // TCP, control bits at 47
	make([]byte, 6), // padding
)

// A flood writes packets into a buffer, each with a time a microsecond later.
type flood struct {
	next int64 // number of the next packet
	buf  []byte
}

func newFlood() *flood {
	f := &flood{buf: make([]byte, batch*recordLen)}
	for at := 0; at < len(f.buf); at += recordLen {
		copy(f.buf[at:], template)
	}
	return f
}

// fill returns the next n packets, at most a batch.
func (f *flood) fill(n int) []byte {
	b := f.buf[:n*recordLen]
	second, micro := uint32(start+f.next/1e6), uint32(f.next%1e6)
	for r := b; len(r) >= recordLen; r = r[recordLen:] {
		binary.LittleEndian.PutUint32(r, second)
		binary.LittleEndian.PutUint32(r[4:], micro)
		if micro++; micro == 1e6 {
			second, micro = second+1, 0
		}
		source, bits := uint32(f.next), byte(syn)
		if isAgain(f.next) {
			source, bits = source-back, ack
		}
		// An odd factor gives every number another address, in no order.
		binary.BigEndian.PutUint32(r[16+26:], source*2654435761)
		r[16+47] = bits
		f.next++
	}
	return b
}

// isAgain reports whether a packet belongs to the flow of an earlier one. (The
// one so far back is none of these, as back is no multiple of again.)
func isAgain(n int64) bool { return n%again == 0 && n >= back }

// flows returns how many flows the first n packets are.
func flows(n int64) int64 {
	if n <= back {
		return n
	}
	return n - ((n-1)/again - (back-1)/again)
}

const (
	syn = decode.SYN
	ack = decode.ACK
)

func unhex(text string) []byte {
	b, err := hex.DecodeString(string(slices.DeleteFunc([]byte(text), func(c byte) bool { return c == ' ' })))
	if err != nil {
		panic(err) // a constant of this file
	}
	return b
}
