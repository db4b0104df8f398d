package fuzz

import (
	"encoding/binary"
	"slices"
)

// A builder writes captures block by block, so that a test can also write what
// no tool does.
type builder struct {
	b     []byte
	order binary.AppendByteOrder
}

func newBuilder() *builder { return &builder{order: binary.LittleEndian} }

func (b *builder) u16(v ...uint16) *builder {
	for _, v := range v {
		b.b = b.order.AppendUint16(b.b, v)
	}
	return b
}

func (b *builder) u32(v ...uint32) *builder {
	for _, v := range v {
		b.b = b.order.AppendUint32(b.b, v)
	}
	return b
}

func (b *builder) bytes(data []byte) *builder {
	b.b = append(b.b, data...)
	return b
}

// pcap writes a file header; fine stands for nanoseconds.
func (b *builder) pcap(fine bool, linkType uint32) *builder {
	magic := uint32(0xa1b2c3d4)
	if fine {
		magic = 0xa1b23c4d
	}
	return b.u32(magic).u16(2, 4).u32(0, 0, 262144, linkType)
}

// record writes a record of a pcap file.
func (b *builder) record(secs, frac, origLen uint32, data []byte) *builder {
	return b.u32(secs, frac, uint32(len(data)), origLen).bytes(data)
}

// block writes a pcapng block, padded.
func (b *builder) block(kind uint32, write func(*builder)) *builder {
	body := &builder{order: b.order}
	write(body)
	body.b = append(body.b, make([]byte, -len(body.b)&3)...)
	n := uint32(len(body.b) + 12)
	return b.u32(kind, n).bytes(body.b).u32(n)
}

func (b *builder) section() *builder {
	return b.block(0x0a0d0d0a, func(b *builder) { b.u32(0x1a2b3c4d).u16(1, 0).u32(0xffffffff, 0xffffffff) })
}

// iface writes an interface description with a timestamp resolution and offset.
func (b *builder) iface(linkType uint16, resolution byte, offset int64) *builder {
	return b.block(1, func(b *builder) {
		b.u16(linkType, 0).u32(0)
		b.u16(9, 1).bytes([]byte{resolution, 0, 0, 0})
		b.u16(14, 8).bytes(b.order.AppendUint64(nil, uint64(offset)))
		b.u16(0, 0)
	})
}

func (b *builder) enhanced(iface uint32, ts uint64, origLen uint32, data []byte) *builder {
	return b.block(6, func(b *builder) {
		b.u32(iface, uint32(ts>>32), uint32(ts), uint32(len(data)), origLen).bytes(data)
	})
}

func (b *builder) simple(data []byte) *builder {
	return b.block(3, func(b *builder) { b.u32(uint32(len(data))).bytes(data) })
}

// join puts headers in a row.
func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// repeat repeats a header.
func repeat(n int, header ...byte) []byte { return slices.Repeat(header, n) }

// ethernet is a header in front of a payload.
func ethernet(etherType uint16, payload ...[]byte) []byte {
	b := append([]byte("\x02\x00\x5e\x00\x00\x01\x02\x00\x5e\x00\x00\x02"), byte(etherType>>8), byte(etherType))
	return join(b, join(payload...))
}

// ipv4 is a header without options in front of a payload; fragment is the
// field of flags and fragment offset.
func ipv4(protocol byte, src, dst uint32, id, fragment uint16, payload ...[]byte) []byte {
	body := join(payload...)
	b := []byte{0x45, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(min(20+len(body), 0xffff)))
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, fragment)
	b = append(b, 64, protocol, 0, 0)
	b = binary.BigEndian.AppendUint32(b, src)
	return append(binary.BigEndian.AppendUint32(b, dst), body...)
}

// ipv6 is a header between two addresses that end in src and dst.
func ipv6(next byte, src, dst byte, payload ...[]byte) []byte {
	body := join(payload...)
	b := []byte{0x60, 0, 0, 0}
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(body))), next, 64)
	for _, last := range []byte{src, dst} {
		b = append(b, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last)
	}
	return append(b, body...)
}

// tcp is a header without payload.
func tcp(src, dst uint16, seq uint32, flags byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, src)
	b = binary.BigEndian.AppendUint16(b, dst)
	b = binary.BigEndian.AppendUint32(b, seq)
	return append(b, 0, 0, 0, 1, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
}

// udp is a header in front of a payload.
func udp(src, dst uint16, payload ...[]byte) []byte {
	body := join(payload...)
	b := binary.BigEndian.AppendUint16(nil, src)
	b = binary.BigEndian.AppendUint16(b, dst)
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(body)))
	return join(append(b, 0, 0), body)
}

const (
	clientIP, serverIP = 0x0a000001, 0xc0000202 // 10.0.0.1, 192.0.2.2

	moreFragments = 0x2000
)

// mixedFrames are frames of several flows: TCP and UDP in both versions of IP,
// below a VLAN tag, in fragments; and what belongs to no flow.
func mixedFrames() [][]byte {
	there := func(fragment uint16, protocol byte, payload ...[]byte) []byte {
		return ethernet(0x0800, ipv4(protocol, clientIP, serverIP, 7, fragment, payload...))
	}
	back := func(payload []byte) []byte { return ethernet(0x0800, ipv4(6, serverIP, clientIP, 8, 0, payload)) }
	data := []byte("0123456789abcdef")
	return [][]byte{
		there(0, 6, tcp(40000, 80, 1, 0x02)),
		back(tcp(80, 40000, 5, 0x12)),
		there(moreFragments, 17, udp(5000, 53, data)),
		there(0, 6, tcp(40000, 80, 2, 0x10)),
		ethernet(0x8100, []byte{0, 100, 0x08, 0}, ipv4(17, clientIP, serverIP, 9, 0, udp(5001, 53, data))),
		there(3, 17, data), // the rest of the datagram
		ethernet(0x86dd, ipv6(17, 1, 2, udp(6000, 443, data))),
		there(0, 1, data),                                           // ICMP
		ethernet(0x0806, data),                                      // ARP
		there(0, 6, tcp(40000, 80, 9, 0x02)),                        // the ports again
		ethernet(0x0800, ipv4(17, clientIP, serverIP, 11, 5, data)), // an orphan
		ethernet(0x86dd, ipv6(6, 2, 1, tcp(443, 6001, 1, 0x18))),
		ethernet(0x0800, []byte{0x44}, data, data), // malformed
		there(0, 6, tcp(40000, 80, 10, 0x11)),
		ethernet(0x0800, ipv4(6, clientIP, serverIP, 12, 0, tcp(1, 2, 3, 4)))[:40], // truncated
		back(tcp(80, 40000, 6, 0x11)),
	}
}

// mixedPcap is mixedFrames in a pcap file.
func mixedPcap() []byte {
	b := newBuilder().pcap(false, 1)
	for i, frame := range mixedFrames() {
		b.record(1_700_000_000+uint32(i), uint32(i), uint32(max(len(frame), 54)), frame)
	}
	return b.b
}

// mixedNG is mixedFrames in a pcapng file with several interfaces and sections
// and blocks of other kinds.
func mixedNG() []byte {
	b := newBuilder().section().iface(1, 9, 0).iface(101, 6, 3600)
	for i, frame := range mixedFrames() {
		at := 1_700_000_000_000_000_000 + uint64(i)*1e9
		switch i {
		case 4:
			b.block(5, func(b *builder) { b.u32(0, 0, 0) }) // statistics
			b.enhanced(1, at/1000, 0, ipv4(6, clientIP, serverIP, 1, 0, tcp(40001, 80, 1, 2)))
		case 8:
			b.order = binary.BigEndian
			b.section().iface(1, 0x89, 0) // 1/512 s
		case 12:
			b.iface(228, 6, -1)
			b.simple(frame)
			continue
		}
		if i >= 8 {
			at = at / 1e9 * 512
		}
		b.enhanced(0, at, uint32(max(len(frame), 54)), frame)
	}
	return b.b
}
