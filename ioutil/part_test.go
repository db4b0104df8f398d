package ioutil

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
)

// A cutFile is a file of a format, and where its records begin.
type cutFile struct {
	name  string
	bytes []byte
	at    []int64
}

// cutFiles returns files of records of random lengths, of every format that can be cut.
func cutFiles(r *rand.Rand, records, most int) []cutFile {
	le, be := binary.LittleEndian, binary.BigEndian
	head := map[string][]byte{
		"pcap":     le.AppendUint32([]byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00"), 1),
		"big":      be.AppendUint32([]byte("\xa1\xb2\xc3\xd4\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00"), 1),
		"modified": le.AppendUint32([]byte("\x34\xcd\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00"), 1),
		"snoop":    []byte("snoop\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x04"),
		"ERF":      nil,
		"pcapng": []byte("\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x1c\x00\x00\x00" +
			"\x01\x00\x00\x00\x14\x00\x00\x00\x01\x00\x00\x00\x00\x00\x04\x00\x14\x00\x00\x00"),
	}
	record := map[string]func(b, frame []byte, at uint32) []byte{
		"pcap": func(b, frame []byte, at uint32) []byte {
			n := uint32(len(frame))
			return append(le.AppendUint32(le.AppendUint32(le.AppendUint32(le.AppendUint32(b, at), at%1e6), n), n), frame...)
		},
		"big": func(b, frame []byte, at uint32) []byte {
			n := uint32(len(frame))
			return append(be.AppendUint32(be.AppendUint32(be.AppendUint32(be.AppendUint32(b, at), at%1e6), n), n), frame...)
		},
		"modified": func(b, frame []byte, at uint32) []byte {
			n := uint32(len(frame))
			b = le.AppendUint32(le.AppendUint32(le.AppendUint32(le.AppendUint32(b, at), at%1e6), n), n)
			return append(append(b, 0, 0, 0, 0, 8, 0, 0, 0), frame...)
		},
		"snoop": func(b, frame []byte, at uint32) []byte {
			n := uint32(len(frame))
			b = be.AppendUint32(be.AppendUint32(be.AppendUint32(be.AppendUint32(b, n), n), n+24), 0)
			return append(be.AppendUint32(be.AppendUint32(b, at), at%1e6), frame...)
		},
		"ERF": func(b, frame []byte, at uint32) []byte {
			n := uint16(len(frame))
			b = append(le.AppendUint32(le.AppendUint32(b, 0), at), 2, 4)
			b = be.AppendUint16(be.AppendUint16(be.AppendUint16(b, n+18), 0), n)
			return append(append(b, 0, 0), frame...)
		},
		"pcapng": func(b, frame []byte, at uint32) []byte {
			n := uint32(len(frame)+3)&^3 + 32
			if at%7 == 0 { // statistics stand between packets
				b = append(b, "\x05\x00\x00\x00\x18\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x18\x00\x00\x00"...)
			}
			micros := uint64(at) * 1e6
			b = le.AppendUint32(le.AppendUint32(le.AppendUint32(b, 6), n), 0)
			b = le.AppendUint32(le.AppendUint32(b, uint32(micros>>32)), uint32(micros))
			b = append(le.AppendUint32(le.AppendUint32(b, uint32(len(frame))), uint32(len(frame))), frame...)
			return le.AppendUint32(append(b, make([]byte, -len(frame)&3)...), n)
		},
	}
	var files []cutFile
	for name := range head {
		files = append(files, cutFile{name: name})
	}
	slices.SortFunc(files, func(a, b cutFile) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	for i := range files {
		f := &files[i]
		f.bytes = head[f.name]
		for k := range records {
			frame := make([]byte, 60+r.IntN(most))
			for i := range min(len(frame), 200) {
				frame[i] = byte(r.Uint32())
			}
			b := record[f.name](nil, frame, 1_700_000_000+uint32(k))
			f.bytes = append(f.bytes, b...)
			if f.name == "pcapng" && (1_700_000_000+k)%7 == 0 {
				b = b[24:]
			}
			f.at = append(f.at, int64(len(f.bytes)-len(b)))
		}
	}
	return files
}

// stream returns what NewPart is given of a file.
func (f *cutFile) stream(s Section, from int64) io.Reader {
	return io.MultiReader(bytes.NewReader(f.bytes[:min(PartHead, len(f.bytes))]), bytes.NewReader(f.bytes[from:]))
}

// read reads a part, and returns where its records begin, and of those in front.
func readPart(t *testing.T, p *Part) (ahead, at []int64, err error) {
	t.Helper()
	var recs [32]Record
	for {
		n, err := p.Read(recs[:])
		for i := range recs[:n] {
			if p.Ahead() {
				ahead = append(ahead, recs[i].Offset)
			} else {
				at = append(at, recs[i].Offset)
			}
		}
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return ahead, at, err
		}
	}
}

// The parts that count have each record once, in order, wherever a file is cut, and the
// records in front of a part are those before it.
func TestPart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, f := range cutFiles(r, 400, 1500) {
		path := filepath.Join(t.TempDir(), f.name)
		if err := os.WriteFile(path, f.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		through := 0
		for range 12 {
			of := 2 + r.IntN(30)
			var got []int64
			next, end := 1, int64(0)
			for part := 1; part <= of; part++ {
				p, err := OpenPart(path, part, of)
				if err != nil {
					t.Fatalf("%s: part %d of %d: %v", f.name, part, of, err)
				}
				ahead, at, err := readPart(t, p)
				if part < next {
					through++
					continue
				}
				begin, last, read := p.Extent()
				if part > 1 && begin != end || err != nil || read < part {
					t.Errorf("%s: part %d of %d begins at %d and is read through %d; the one in front ends at %d: %v", f.name, part, of, begin, read, end, err)
				}
				if n := len(got); len(ahead) > n || !slices.Equal(ahead, got[n-len(ahead):]) || part > 1 && len(ahead) < n*9/10 {
					t.Errorf("%s: part %d of %d: %d records in front of it, of %d", f.name, part, of, len(ahead), n)
				}
				got, next, end = append(got, at...), read+1, last
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			}
			if !slices.Equal(got, f.at) {
				t.Errorf("%s in %d parts: %d records, want %d", f.name, of, len(got), len(f.at))
			}
		}
		if through > 20 {
			t.Errorf("%s: %d parts were read by one in front", f.name, through)
		}
	}
}

// A large file is given from where a part needs it; a part reads little more than itself.
func TestPartOfStream(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, f := range cutFiles(r, 3000, 30_000) {
		s := Section{Of: 3, Size: int64(len(f.bytes))}
		var got []int64
		for s.Part = 1; s.Part <= s.Of; s.Part++ {
			for i, from := range []int64{s.From(), max(PartHead, s.From()-12345)} {
				given := iotest.HalfReader(f.stream(s, from))
				p, err := NewPart(given, f.name, s, from)
				if err != nil {
					t.Fatal(err)
				}
				ahead, at, err := readPart(t, p)
				if _, _, through := p.Extent(); through != s.Part || err != nil {
					t.Errorf("%s: part %d is read through %d: %v", f.name, s.Part, through, err)
				}
				if s.Part > 1 && (len(ahead) == 0 || !slices.Contains(got, ahead[0]) || at[0]-ahead[0] < 14e6) {
					t.Errorf("%s: part %d has %d records in front", f.name, s.Part, len(ahead))
				}
				if i == 0 {
					got = append(got, at...)
				}
				p.Close()
			}
			if _, err := NewPart(f.stream(s, s.From()), f.name, s, s.From()+1); err == nil {
				t.Errorf("%s: part %d is read from a byte behind the first that it needs", f.name, s.Part)
			}
		}
		if !slices.Equal(got, f.at) {
			t.Errorf("%s: %d records, want %d", f.name, len(got), len(f.at))
		}
	}
}

// A record that is longer than what is looked at around a cut, and one that looks like many.
func TestPartWithoutCut(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	f := &cutFiles(r, 500, 1500)[slices.IndexFunc(cutFiles(r, 1, 1), func(f cutFile) bool { return f.name == "pcap" })]
	fake := bytes.Repeat(f.bytes[24:24+int(f.at[9]-f.at[0])], 3000)
	long := binary.LittleEndian.AppendUint32(slices.Clone(f.bytes[24:32]), uint32(len(fake)))
	long = append(binary.LittleEndian.AppendUint32(long, uint32(len(fake))), fake...)
	middle := f.at[250]
	b := slices.Concat(f.bytes[:middle], long, f.bytes[middle:])
	want := slices.Clone(f.at[:251])
	for _, at := range f.at[250:] {
		want = append(want, at+int64(len(long)))
	}
	f.bytes = b
	var got []int64
	next := 1
	s := Section{Of: 8, Size: int64(len(b))}
	for s.Part = 1; s.Part <= s.Of; s.Part++ {
		p, err := NewPart(f.stream(s, s.From()), "long", s, s.From())
		if err != nil {
			t.Fatal(err)
		}
		_, at, err := readPart(t, p)
		if s.Part < next {
			continue
		}
		if err != nil {
			t.Error(err)
		}
		got = append(got, at...)
		_, _, through := p.Extent()
		next = through + 1
	}
	if !slices.Equal(got, want) || len(fake) < 10<<20 {
		t.Errorf("%d records, want %d", len(got), len(want))
	}
}
