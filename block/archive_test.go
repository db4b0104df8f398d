package block_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// A frame is a packet of a generated archive.
type frame struct {
	at   int64 // nanoseconds
	data []byte
	more bool // a fragment of the same datagram follows
}

// ipv4 returns an Ethernet frame.
func ipv4(protocol byte, src, dst byte, id, fragment uint16, payload []byte) []byte {
	b := []byte("\x02\x00\x5e\x00\x00\x01\x02\x00\x5e\x00\x00\x02\x08\x00\x45\x00")
	b = binary.BigEndian.AppendUint16(b, uint16(20+len(payload)))
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, id), fragment)
	b = append(b, 64-src%3, protocol, 0, 0, 192, 0, 2, src, 198, 51, 100, dst)
	return append(b, payload...)
}

func ipv6(protocol byte, src, dst byte, payload []byte) []byte {
	b := []byte("\x02\x00\x5e\x00\x00\x01\x02\x00\x5e\x00\x00\x02\x86\xdd\x60\x00\x00\x00")
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(payload))), protocol, 64)
	for _, last := range []byte{src, dst} {
		b = append(b, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last)
	}
	return append(b, payload...)
}

func tcp(src, dst uint16, seq, ack uint32, flags byte, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, src), dst)
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, seq), ack)
	if flags&2 != 0 {
		b = append(b, 0x70, flags, 0x20, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4, 3, 3, 7, 0)
	} else {
		b = append(b, 0x50, flags, 0x10, 0, 0, 0, 0, 0)
	}
	return append(b, payload...)
}

func udp(src, dst uint16, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, src), dst)
	return append(append(binary.BigEndian.AppendUint16(b, uint16(8+len(payload))), 0, 0), payload...)
}

// traffic returns packets of few flows, which go on again and again, whose ports are
// reused, with fragments, and with packets of no flow. Now and then time steps on by
// more than a timeout, and back.
func traffic(r *rand.Rand, n int, back bool) []frame {
	var all []frame
	at := int64(1_700_000_000_000_000_000)
	flags := []byte{2, 0x12, 0x10, 0x18, 0x10, 0x10, 0x11, 4}
	for len(all) < n {
		switch r.IntN(40) {
		case 0:
			at += r.Int64N(200e9)
		case 1:
			if back {
				at -= r.Int64N(150e9)
			}
		default:
			at += r.Int64N(400e6) / 1000 * 1000
		}
		if r.IntN(4) == 0 {
			at += r.Int64N(1000)
		}
		src, dst := byte(1+r.IntN(4)), byte(1+r.IntN(4))
		sport, dport := uint16(1000+r.IntN(3)), uint16(80+r.IntN(2))
		text := bytes.Repeat([]byte{byte(r.IntN(256)), 7, byte(r.IntN(9))}, r.IntN(60))
		tcp := tcp(sport, dport, uint32(r.IntN(3))*1e9+uint32(r.IntN(9000)), r.Uint32(), flags[r.IntN(len(flags))], text)
		if r.IntN(2) == 0 {
			src, dst, sport, dport = dst, src, dport, sport
		}
		switch r.IntN(12) {
		case 0:
			all = append(all, frame{at: at, data: []byte("\xff\xff\xff\xff\xff\xff\x02\x00\x5e\x00\x00\x02\x08\x06 a question to all of them")})
		case 1:
			all = append(all, frame{at: at, data: ipv4(1, src, dst, 0, 0, []byte{8, 0, 0, 0, 0, 1, 0, byte(r.IntN(9))})})
		case 2:
			id := uint16(r.IntN(1000))
			all = append(all, frame{at, ipv4(17, src, dst, id, 0x2000, udp(sport, dport, make([]byte, 40))), true})
			at += r.Int64N(1e6)
			if r.IntN(3) == 0 {
				all = append(all, frame{at, ipv6(17, dst, src, udp(dport, sport, text)), true})
			}
			all = append(all, frame{at: at, data: ipv4(17, src, dst, id, 6, text)})
		case 3, 4:
			all = append(all, frame{at: at, data: ipv4(17, src, dst, 0, 0, udp(sport, dport, text))})
		case 5, 6:
			all = append(all, frame{at: at, data: ipv6(6, src, dst, tcp)})
		default:
			all = append(all, frame{at: at, data: ipv4(6, src, dst, 0, 0, tcp)})
		}
	}
	return all
}

// pcap returns a capture in nanoseconds.
func pcap(frames []frame) []byte {
	b := []byte("\x4d\x3c\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
	for _, f := range frames {
		b = binary.LittleEndian.AppendUint32(b, uint32(f.at/1e9))
		b = binary.LittleEndian.AppendUint32(b, uint32(f.at%1e9))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f.data)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f.data)))
		b = append(b, f.data...)
	}
	return b
}

// pcapng is pcap in another format.
func pcapng(frames []frame) []byte {
	le := binary.LittleEndian
	b := []byte("\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x00\x00\x00" +
		"\x01\x00\x00\x00\x20\x00\x00\x00\x01\x00\x00\x00\x00\x00\x04\x00\x09\x00\x01\x00\x09\x00\x00\x00\x00\x00\x00\x00\x20\x00\x00\x00")
	for _, f := range frames {
		n := uint32(len(f.data)+3)&^3 + 32
		b = le.AppendUint32(le.AppendUint32(le.AppendUint32(b, 6), n), 0)
		b = le.AppendUint32(le.AppendUint32(b, uint32(uint64(f.at)>>32)), uint32(f.at))
		b = le.AppendUint32(le.AppendUint32(b, uint32(len(f.data))), uint32(len(f.data)))
		b = append(append(b, f.data...), make([]byte, -len(f.data)&3)...)
		b = le.AppendUint32(b, n)
	}
	return b
}

// archive cuts packets into captures of all formats, where no datagram is cut apart,
// and returns their names in order. The last one is damaged if that is wanted.
func archive(t testing.TB, r *rand.Rand, frames []frame, files int, damaged bool) (names []string) {
	dir := t.TempDir()
	for i := range files {
		n := len(frames) / (files - i)
		if i < files-1 {
			n = min(len(frames), max(1, n/2+r.IntN(n+1)))
		}
		for n < len(frames) && frames[n-1].more {
			n++
		}
		b, extension := pcap(frames[:n]), "pcap"
		if r.IntN(2) == 0 {
			b, extension = pcapng(frames[:n]), "pcapng"
		}
		if damaged && i == files-1 {
			b = append(b[:len(b)-5], "\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xffno record is like this"...)
		} else if r.IntN(2) == 0 {
			var zipped bytes.Buffer
			z := gzip.NewWriter(&zipped)
			if _, err := z.Write(b); err != nil || z.Close() != nil {
				t.Fatal(err)
			}
			b, extension = zipped.Bytes(), extension+".gz"
		}
		name := filepath.Join(dir, fmt.Sprintf("ring_%03d.%s", i, extension))
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		names, frames = append(names, name), frames[n:]
	}
	return names
}
