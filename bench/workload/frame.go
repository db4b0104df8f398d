package workload

import (
	"encoding/binary"
	"io"
	"math/bits"

	"github.com/flowfast/flowfast/decode"
)

const (
	bufferSize = 1 << 20
	recordLen  = 16
	ethernet   = 14
	shortest   = 60   // of an Ethernet frame, without its check sequence
	mtu        = 1500 // most bytes of an IP packet

	start = 1_767_225_600 // when captures begin: 2026-01-01 00:00:00 UTC
)

// TCP control bits.
const (
	fin = decode.FIN
	syn = decode.SYN
	rst = decode.RST
	psh = decode.PSH
	ack = decode.ACK
)

// An endpoint is an address and a port. IPv4 addresses stand in lo.
type endpoint struct {
	hi, lo uint64
	port   uint16
}

// frames writes records with Ethernet frames: tcp or udp takes the place of one
// in the buffer and writes its headers, seal adds the checksum when the payload
// is there. The error is that of the first write that failed; after it nothing
// is written.
type frames struct {
	to  io.Writer
	buf []byte
	err error
	id  uint16 // IPv4 identification

	// Of the last record:
	covered []byte // what its checksum is over: addresses and all above IP
	pseudo  uint64 // and the rest of the pseudo header
	field   []byte // where it goes
	udpLast bool   // it is UDP
}

func (f *frames) flush() {
	if f.err == nil {
		_, f.err = f.to.Write(f.buf)
	}
	f.buf = f.buf[:0]
}

// take returns n bytes of the buffer to be written, with anything in them.
func (f *frames) take(n int) []byte {
	if len(f.buf)+n > cap(f.buf) {
		f.flush()
	}
	at := len(f.buf)
	f.buf = f.buf[:at+n]
	return f.buf[at : at+n : at+n]
}

// fileHeader writes the header of a pcap file (draft-ietf-opsawg-pcap, 4).
func (f *frames) fileHeader() {
	b := f.take(24)
	clear(b)
	binary.LittleEndian.PutUint32(b, 0xa1b2c3d4) // microseconds
	binary.LittleEndian.PutUint16(b[4:], 2)
	binary.LittleEndian.PutUint16(b[6:], 4)
	binary.LittleEndian.PutUint32(b[16:], 262144) // snap length
	binary.LittleEndian.PutUint32(b[20:], 1)      // Ethernet
}

// record writes all but the bytes above IP, for which it returns the place:
// length bytes from the header of the given protocol on. The frame is padded.
func (f *frames) record(micros int64, v6 bool, proto uint8, src, dst *endpoint, length int) []byte {
	top, addresses := ethernet+20, 8
	if v6 {
		top, addresses = ethernet+40, 32
	}
	frame := max(top+length, shortest)
	b := f.take(recordLen + frame)
	binary.LittleEndian.PutUint32(b, uint32(start+micros/1e6))
	binary.LittleEndian.PutUint32(b[4:], uint32(micros%1e6))
	binary.LittleEndian.PutUint32(b[8:], uint32(frame))
	binary.LittleEndian.PutUint32(b[12:], uint32(frame))
	b = b[recordLen:]
	copy(b, "\x02\x00\x5e\x10\x00\x01\x02\x00\x5e\x10\x00\x02") // locally administered
	clear(b[top+length:])
	if v6 {
		f.ipv6(b, proto, src, dst, length)
	} else {
		f.ipv4(b, proto, src, dst, length)
	}
	f.covered, f.pseudo = b[top-addresses:top+length], uint64(proto)+uint64(length)
	f.udpLast = proto == decode.UDP
	return b[top : top+length]
}

// ipv4 writes EtherType and header (RFC 791, 3.1).
func (f *frames) ipv4(b []byte, proto uint8, src, dst *endpoint, length int) {
	f.id++
	be := binary.BigEndian
	be.PutUint32(b[12:], 0x0800_4500)
	be.PutUint16(b[16:], uint16(20+length))
	be.PutUint16(b[18:], f.id)
	be.PutUint32(b[20:], 0x4000_4000|uint32(proto)) // don't fragment, 64 hops
	be.PutUint16(b[24:], 0)
	be.PutUint32(b[26:], uint32(src.lo))
	be.PutUint32(b[30:], uint32(dst.lo))
	be.PutUint16(b[24:], checksum(b[14:34], 0))
}

// ipv6 writes EtherType and header (RFC 8200, 3).
func (f *frames) ipv6(b []byte, proto uint8, src, dst *endpoint, length int) {
	be := binary.BigEndian
	be.PutUint16(b[12:], 0x86dd)
	be.PutUint64(b[14:], 6<<60|uint64(length)<<16|uint64(proto)<<8|64)
	be.PutUint64(b[22:], src.hi)
	be.PutUint64(b[30:], src.lo)
	be.PutUint64(b[38:], dst.hi)
	be.PutUint64(b[46:], dst.lo)
}

// tcp writes a header (RFC 9293, 3.1) with so many bytes of options and returns
// the place of the payload.
func (f *frames) tcp(micros int64, v6 bool, src, dst *endpoint, flags uint8, seq, acked uint32, options, payload int) []byte {
	b := f.record(micros, v6, decode.TCP, src, dst, 20+options+payload)
	be := binary.BigEndian
	be.PutUint32(b, uint32(src.port)<<16|uint32(dst.port))
	be.PutUint32(b[4:], seq)
	be.PutUint32(b[8:], acked)
	be.PutUint64(b[12:], uint64(20+options)<<58|uint64(flags)<<48|64240<<32) // window 64240
	f.field = b[16:18]
	clock := uint32(1_000_000 + micros/1000)
	switch o := b[20 : 20+options]; options {
	case 4:
		be.PutUint32(o, 0x02_04_05b4) // maximum segment size 1460
	case 12:
		be.PutUint32(o, 0x01_01_08_0a) // timestamps
		be.PutUint32(o[4:], clock)
		be.PutUint32(o[8:], clock-20)
	case 20:
		be.PutUint64(o, 0x02_04_05b4_04_02_08_0a) // segment size, selective ACKs, timestamps
		be.PutUint32(o[8:], clock)
		be.PutUint64(o[12:], 0x00000000_01_03_03_07) // and window scale
	}
	return b[20+options:]
}

// udp writes a header (RFC 768) and returns the place of the payload.
func (f *frames) udp(micros int64, v6 bool, src, dst *endpoint, payload int) []byte {
	b := f.record(micros, v6, decode.UDP, src, dst, 8+payload)
	be := binary.BigEndian
	be.PutUint32(b, uint32(src.port)<<16|uint32(dst.port))
	be.PutUint32(b[4:], uint32(8+payload)<<16)
	f.field = b[6:8]
	return b[8:]
}

// seal completes the last record: it sets the checksum of TCP or UDP. The
// addresses stand right in front of the header in both versions of IP.
func (f *frames) seal() {
	sum := checksum(f.covered, f.pseudo)
	if sum == 0 && f.udpLast {
		sum = 0xffff // the same number; 0 stands for none (RFC 768)
	}
	binary.BigEndian.PutUint16(f.field, sum)
}

// checksum returns the Internet checksum of b and a small number (RFC 1071).
func checksum(b []byte, sum uint64) uint16 {
	carry := uint64(0)
	for ; len(b) >= 8; b = b[8:] {
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b), carry)
	}
	var rest [8]byte
	copy(rest[:], b)
	sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(rest[:]), carry)
	sum = sum>>32 + sum&0xffffffff + carry
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
