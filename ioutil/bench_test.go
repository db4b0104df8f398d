package ioutil

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// benchLen is the size of the captures that benchmarks generate: more than any
// cache.
const benchLen = 320 << 20

// sizes are the frame lengths of the benchmarks' captures.
var sizes = []struct {
	name string
	next func(*rand.Rand) int
}{
	{"mixed", func(r *rand.Rand) int {
		switch r.IntN(10) {
		case 0, 1, 2, 3:
			return 54 + r.IntN(20)
		case 4, 5, 6:
			return 1514
		}
		return 60 + r.IntN(1454)
	}},
	{"1514", func(*rand.Rand) int { return 1514 }},
	{"60", func(*rand.Rand) int { return 60 }},
}

// generate writes a pcap file with frames of the given lengths.
func generate(b *testing.B, next func(*rand.Rand) int) string {
	path := filepath.Join(b.TempDir(), "capture.pcap")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	w.Write(littleEndian().pcap(0xa1b2c3d4, 262144, 1).Bytes())
	random := rand.New(rand.NewPCG(1, 2))
	frame := make([]byte, 1<<16)
	for i := range frame {
		frame[i] = byte(random.Uint32())
	}
	header := make([]byte, pcapRecordLen)
	for n, secs := 0, uint32(0); n < benchLen; secs++ {
		length := next(random)
		binary.LittleEndian.PutUint32(header, secs)
		binary.LittleEndian.PutUint32(header[8:], uint32(length))
		binary.LittleEndian.PutUint32(header[12:], uint32(length))
		w.Write(header)
		w.Write(frame[:length])
		n += len(header) + length
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// consume reads all packets and looks at each as a decoder would.
func consume(b *testing.B, c *Capture, recs []Record) (packets int, sum byte) {
	for {
		n, err := c.Read(recs)
		for i := range recs[:n] {
			if d := recs[i].Data; len(d) > 47 {
				sum += d[12] + d[23] + d[47]
			}
		}
		packets += n
		if err == io.EOF {
			return packets, sum
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads warm captures in the way that Open chooses and in those
// that it does not.
func BenchmarkRead(b *testing.B) {
	ways := []struct {
		name string
		open func(b *testing.B, path string) *Capture
	}{
		{"mapped+touch", func(b *testing.B, path string) *Capture {
			c, err := Open(path)
			if err != nil {
				b.Fatal(err)
			}
			c.touch = 0
			return c
		}},
		{"mapped", func(b *testing.B, path string) *Capture {
			c, err := Open(path)
			if err != nil {
				b.Fatal(err)
			}
			c.touch = never
			return c
		}},
		{"ring", func(b *testing.B, path string) *Capture {
			f, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			c, err := open(f, path, false)
			if err != nil {
				b.Fatal(err)
			}
			return c
		}},
	}
	recs := make([]Record, 256)
	for _, size := range sizes {
		path := generate(b, size.next)
		for _, way := range ways {
			b.Run(size.name+"/"+way.name, func(b *testing.B) {
				b.SetBytes(benchLen)
				b.ReportAllocs()
				packets := 0
				for b.Loop() {
					c := way.open(b, path)
					n, _ := consume(b, c, recs)
					packets += n
					c.Close()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
				b.ReportMetric(float64(packets)/b.Elapsed().Seconds(), "packets/s")
			})
		}
		b.Run(size.name+"/read(2)", func(b *testing.B) {
			b.SetBytes(benchLen)
			packets := 0
			for b.Loop() {
				packets += walkRead(b, path)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
		})
		os.Remove(path)
	}
}

// walkRead is the other way to read a file: read(2) into a buffer of 256 KiB.
func walkRead(b *testing.B, path string) (packets int) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	buf := make([]byte, 256<<10)
	have, pos := 0, pcapHeaderLen
	sum := byte(0)
	for {
		n, err := f.Read(buf[have:])
		if err == io.EOF {
			sinkByte = sum
			return packets
		}
		have += n
		for have-pos >= pcapRecordLen {
			capLen := int(binary.LittleEndian.Uint32(buf[pos+8:]))
			if have-pos-pcapRecordLen < capLen {
				break
			}
			if d := buf[pos+pcapRecordLen:][:capLen]; len(d) > 47 {
				sum += d[12] + d[23] + d[47]
			}
			pos += pcapRecordLen + capLen
			packets++
		}
		have = copy(buf, buf[pos:have])
		pos = 0
	}
}

var sinkByte byte
