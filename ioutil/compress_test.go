package ioutil

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// A packer compresses data in one of the ways that are unwrapped.
type packer struct {
	name string
	pack func(w io.Writer) io.WriteCloser
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var packers = []packer{
	{"gzip", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }},
	{"zstd", func(w io.Writer) io.WriteCloser { return must(zstd.NewWriter(w)) }},
	{"xz", func(w io.Writer) io.WriteCloser { return must(xz.NewWriter(w)) }},
	{"lz4", func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) }},
}

func (p packer) bytes(data []byte) []byte {
	var b bytes.Buffer
	w := p.pack(&b)
	must(w.Write(data))
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// compressed returns data as it stands and in each way for which there is a
// writer: all but bzip2.
func compressed(_ testing.TB, data []byte) map[string][]byte {
	all := map[string][]byte{"plain": data}
	for _, p := range packers {
		all[p.name] = p.bytes(data)
	}
	return all
}

func TestCompressed(t *testing.T) {
	for format, data := range samples() {
		want, err := readStream(t, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for name, z := range compressed(t, data) {
			if got, err := readFile(t, file(t, z)); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, %s, file: got %v, %v", format, name, got, err)
			}
			if got, err := readStream(t, bytes.NewReader(z)); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, %s, stream: got %v, %v", format, name, got, err)
			}
		}
	}
}

func TestSeveralMembers(t *testing.T) {
	data := samplePcap()
	want, _ := readStream(t, bytes.NewReader(data))
	skippable := "\x5a\x2a\x4d\x18\x03\x00\x00\x00abc"
	for _, p := range packers {
		two := slices.Concat(p.bytes(data[:50]), p.bytes(nil), p.bytes(data[50:]))
		if got, err := readStream(t, bytes.NewReader(two)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v", p.name, got, err)
		}
		if p.name == "zstd" {
			framed := slices.Concat([]byte(skippable), p.bytes(data[:50]), []byte(skippable), p.bytes(data[50:]))
			if got, err := readStream(t, bytes.NewReader(framed)); err != nil || !slices.Equal(got, want) {
				t.Errorf("zstd with skippable frames: got %v, %v", got, err)
			}
		}
	}
}

// bzip2Pcap is a pcap file with records "hello" at 1 s and "world" at 2 s, as two
// bzip2 streams that part in the middle of the first record.
const bzip2Pcap = "QlpoOTFBWSZTWWUmY4YAABDBHv4AAkAgABAACAAEAAAAoAAxANAA09UNDJ6hoxIDIiSFQuCovzdX8XckU4UJBlJmOG" +
	"BCWmg5MUFZJlNZ1yTRPQAACEGAWgAEBJCAIAAhp6g0CDJiApChlj3ZXPPF3JFOFCQ1yTRPQA=="

func TestBzip2(t *testing.T) {
	z := must(base64.StdEncoding.DecodeString(bzip2Pcap))
	want := []kept{{1e9, "hello", 24, 5, 1, false, 0}, {2e9, "world", 45, 5, 1, false, 0}}
	same(t, z, want, "")
	if ok, err := IsCapture(file(t, z)); !ok || err != nil {
		t.Errorf("IsCapture = %v, %v", ok, err)
	}
	z[len(z)/2+20] ^= 1
	got, err := readStream(t, bytes.NewReader(z))
	if _, ok := errors.AsType[*FormatError](err); !ok {
		t.Errorf("damaged: %v, %v", got, err)
	}
}

// TestDamagedCompression flips, cuts and lengthens compressed captures: in the
// end there is a FormatError. What comes before it is the capture's, but for a
// bit that only a checksum behind it tells.
func TestDamagedCompression(t *testing.T) {
	b := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
	for i := range uint32(3000) {
		b.record(i, i*7919%1000000, 100, strings.Repeat(string(rune('a'+i%26)), 50)+string(binary.LittleEndian.AppendUint32(nil, i*2654435761)))
	}
	whole, err := readStream(t, bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packers {
		z := p.bytes(b.Bytes())
		damage := map[string][]byte{
			"trailing garbage":     append(slices.Clone(z), "garbage after the end"...),
			"cut near the end":     z[:len(z)-1],
			"cut in the middle":    z[:len(z)/2],
			"cut at the beginning": z[:20],
		}
		if p.name != "lz4" { // whose frames begin anew anywhere
			damage["a bit of the checksum"] = flip(z, len(z)-3)
		}
		damage["a bit in the middle"] = flip(z, len(z)/2)
		if p.name == "gzip" {
			delete(damage, "trailing garbage") // see TestBehindGzip
		}
		for name, z := range damage {
			got, err := readStream(t, bytes.NewReader(z))
			if _, ok := errors.AsType[*FormatError](err); !ok {
				t.Errorf("%s, %s: %d packets, error %v, want a FormatError", p.name, name, len(got), err)
			}
			if name == "a bit in the middle" {
				continue
			}
			if err != nil && !strings.Contains(err.Error(), p.name+" data: ") {
				t.Errorf("%s, %s: the error does not say what is damaged: %v", p.name, name, err)
			}
			if len(got) > len(whole) || !slices.Equal(got, whole[:len(got)]) {
				t.Errorf("%s, %s: packets that the capture does not have", p.name, name)
			}
			if name == "trailing garbage" && len(got) != len(whole) {
				t.Errorf("%s, %s: %d packets, want all %d before the error", p.name, name, len(got), len(whole))
			}
		}
	}
}

func flip(z []byte, at int) []byte {
	z = slices.Clone(z)
	z[at] ^= 0x10
	return z
}

func TestNestedCompression(t *testing.T) {
	z := packers[0].bytes(packers[1].bytes(samplePcap()))
	same(t, z, nil, "offset 0: zstd data within gzip data: only one layer of compression is unwrapped")
	same(t, packers[0].bytes(nil), nil, "offset 0: nothing in the gzip data: want "+accepted)
	same(t, packers[1].bytes([]byte("plain text")), nil, `offset 0: not a capture, begins with text "plain te": want `+accepted)
}

// TestBomb reads captures of 512 MiB out of a few kilobytes.
func TestBomb(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const records, length = 2048, 256 << 10
	for _, p := range packers[:2] { // xz packs as slowly as it reads
		var z bytes.Buffer
		w := p.pack(&z)
		must(w.Write(littleEndian().pcap(0xa1b2c3d4, 0, 1).Bytes()))
		record := littleEndian().record(1, 2, length, string(make([]byte, length))).Bytes()
		for range records {
			must(w.Write(record))
		}
		w.Close()
		c, err := NewCapture(&z, "bomb")
		if err != nil {
			t.Fatal(err)
		}
		recs := make([]Record, 64)
		packets := 0
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for {
			n, err := c.Read(recs)
			packets += n
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if packets != records {
			t.Errorf("%s: %d packets, want %d", p.name, packets, records)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 48<<20 {
			t.Errorf("%s: %d bytes allocated while %d were read", p.name, grown, records*length)
		}
		c.Close()
	}
}

// TestWindowLimit asks for more memory than a decompressor is allowed.
func TestWindowLimit(t *testing.T) {
	_, err := readStream(t, strings.NewReader("\x28\xb5\x2f\xfd\x00\x90"+string(make([]byte, 100)))) // 2^28 bytes: RFC 8878, 3.1.1.1.2
	if err == nil || !strings.Contains(err.Error(), "window") {
		t.Errorf("zstd with a window of 256 MiB: %v", err)
	}
	z := packers[2].bytes(samplePcap())
	if _, err := readStream(t, bytes.NewReader(withDictionary(z, 30))); err != nil { // 128 MiB
		t.Errorf("xz with a dictionary of 128 MiB: %v", err)
	}
	_, err = readStream(t, bytes.NewReader(withDictionary(z, 31)))
	if err == nil || !strings.Contains(err.Error(), "a dictionary of 201326592 bytes: the limit is 134217728") {
		t.Errorf("xz with a dictionary of 192 MiB: %v", err)
	}
	// The second stream's header is looked at as well as the first one's.
	_, err = readStream(t, bytes.NewReader(slices.Concat(z, make([]byte, 8), withDictionary(z, 40))))
	if err == nil || !strings.Contains(err.Error(), "a dictionary of 4294967296 bytes") {
		t.Errorf("xz with a dictionary of 4 GiB in the second stream: %v", err)
	}
}

// withDictionary returns xz data whose first block asks for another dictionary:
// the property of the LZMA2 filter, and the header's checksum.
func withDictionary(z []byte, property byte) []byte {
	z = slices.Clone(z)
	header := z[12 : 12+(int(z[12])+1)*4]
	i := bytes.Index(header, []byte{0x21, 1})
	header[i+2] = property
	binary.LittleEndian.PutUint32(header[len(header)-4:], crc32.ChecksumIEEE(header[:len(header)-4]))
	return z
}

// TestXzBlocks reads a stream of many blocks, which the guard has to follow.
func TestXzBlocks(t *testing.T) {
	data := samplePcap()
	want, _ := readStream(t, bytes.NewReader(data))
	for _, check := range []byte{xz.None, xz.CRC32, xz.CRC64, xz.SHA256} {
		var z bytes.Buffer
		w := must(xz.WriterConfig{BlockSize: 37, CheckSum: check, NoCheckSum: check == xz.None}.NewWriter(&z))
		must(w.Write(data))
		w.Close()
		// Behind it a dictionary that is too large: the guard followed to the end.
		got, err := readStream(t, bytes.NewReader(slices.Concat(z.Bytes(), withDictionary(z.Bytes(), 39))))
		if err == nil || !strings.Contains(err.Error(), "a dictionary of 3221225472 bytes") {
			t.Errorf("check %d: %v", check, err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("check %d: got %v", check, got)
		}
	}
}

// TestBehindGzip has gzip -t as its judge: zeros behind the end are no damage,
// garbage is worth a warning, and a member behind either is left out.
func TestBehindGzip(t *testing.T) {
	z := packers[0].bytes(samplePcap())
	want, _ := readStream(t, bytes.NewReader(samplePcap()))
	for _, c := range []struct {
		behind []byte
		say    string
	}{
		{make([]byte, 512), "capture: gzip data: 512 zero bytes behind the end: left out"},
		{make([]byte, 1), "capture: gzip data: 1 zero bytes behind the end: left out"},
		{[]byte("garbage"), "capture: gzip data: trailing garbage behind the end: left out"},
		{append(make([]byte, 100), z...), "capture: gzip data: trailing garbage behind the end: left out"},
	} {
		capture := must(NewCapture(bytes.NewReader(slices.Concat(z, c.behind)), "capture"))
		got, err := readAll(t, capture, 5)
		if w := capture.Warnings(); err != nil || !slices.Equal(got, want) || len(w) != 1 || w[0] != c.say {
			t.Errorf("%d packets, %v, warnings %q, want %q", len(got), err, w, c.say)
		}
		capture.Close()
	}
}

// TestXzDictionaries reads many small streams that ask for 128 MiB each, and
// counts what is allocated for them.
func TestXzDictionaries(t *testing.T) {
	data := samplePcap()
	want, _ := readStream(t, bytes.NewReader(data))
	z := withDictionary(packers[2].bytes(data), 30)
	all := slices.Concat(z, bytes.Repeat(withDictionary(packers[2].bytes(nil), 30), 10))
	for range 200 {
		all = append(all, withDictionary(packers[2].bytes(data[24:]), 30)...)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := readStream(t, bytes.NewReader(all))
	runtime.ReadMemStats(&after)
	if err != nil || len(got) != 201*len(want) {
		t.Errorf("%d packets, %v, want %d", len(got), err, 201*len(want))
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 128<<20 {
		t.Errorf("%d bytes allocated for 201 small streams", grown)
	}
}
