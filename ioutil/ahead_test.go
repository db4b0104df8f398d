package ioutil

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/internal/mutate"
)

// bgzipped compresses data as bgzip does, in members of so many bytes at most.
func bgzipped(data []byte, most int) []byte {
	var all []byte
	for end := false; !end; {
		part := data[:min(len(data), most)]
		data, end = data[len(part):], len(part) == 0
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Extra = []byte("BC\x02\x00??")
		must(z.Write(part))
		z.Close()
		binary.LittleEndian.PutUint16(b.Bytes()[16:], uint16(b.Len()-1))
		all = append(all, b.Bytes()...)
	}
	return all
}

// inFrames compresses data into zstd frames of so many bytes, with and without their
// sizes and checksums, and skippable ones between them as pzstd writes them.
func inFrames(data []byte, most int) (all []byte) {
	for i := 0; len(data) > 0; i++ {
		part := data[:min(len(data), most)]
		data = data[len(part):]
		if i%3 == 1 {
			all = append(all, "\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"...)
		}
		if i%4 == 3 { // without a size
			var b bytes.Buffer
			z := must(zstd.NewWriter(&b, zstd.WithEncoderCRC(i%8 == 3), zstd.WithEncoderConcurrency(1)))
			for half := range slices.Chunk(part, len(part)/2+1) {
				must(z.Write(half))
				z.Flush()
			}
			z.Close()
			all = append(all, b.Bytes()...)
			continue
		}
		z := must(zstd.NewWriter(nil, zstd.WithEncoderCRC(i%2 == 0)))
		all = z.EncodeAll(part, all)
		z.Close()
	}
	return all
}

// plainly, instead of a number of helpers, has nothing decompressed ahead.
const plainly = -1

// unwrapAll decompresses data with so many helpers, and tells what was odd.
func unwrapAll(data []byte, helpers int32, wrap func(io.Reader) io.Reader) ([]byte, string) {
	n := new(atomic.Int32)
	n.Store(max(0, helpers))
	size := readLen
	if helpers == plainly {
		size--
	}
	r, free, err := unwrapper(data).unwrap(wrap(bytes.NewReader(data)), size, n)
	if err != nil {
		return nil, err.Error()
	}
	defer free()
	got, err := io.ReadAll(r)
	return got, damage.ReplaceAllString(fmt.Sprint(err, r.(*unwrapped).note()), "damaged")
}

// Which of the two the library says of a code that breaks off depends on how much it has
// read ahead.
var damage = regexp.MustCompile(`flate: corrupt input before offset \d+|unexpected EOF`)

// wantAhead decompresses data with so many helpers, two and five by default, and plainly.
func wantAhead(t testing.TB, name string, data []byte, helpers ...int32) {
	t.Helper()
	plain := func(r io.Reader) io.Reader { return r }
	want, wantOdd := unwrapAll(data, plainly, plain)
	if len(helpers) == 0 {
		helpers = []int32{2, 5}
	}
	for _, helpers := range helpers {
		for i, wrap := range []func(io.Reader) io.Reader{plain, iotest.HalfReader, iotest.DataErrReader} {
			got, odd := unwrapAll(data, helpers, wrap)
			if !bytes.Equal(got, want) || odd != wantOdd {
				t.Fatalf("%s, %d helpers, way %d: %d bytes, %s; want %d, %s", name, helpers, i, len(got), odd, len(want), wantOdd)
			}
		}
	}
}

// someText is bytes that can be compressed a little.
func someText(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(1 + i%40))
	}
	return b
}

// TestAhead decompresses data in many parts, whole, cut, damaged, and with other
// things behind it and in it.
func TestAhead(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	data := someText(random, 3<<20)
	small := data[:9000]
	for name, parted := range map[string]func([]byte, int) []byte{"bgzip": bgzipped, "joined": joinedMembers, "zstd": inFrames} {
		whole := parted(data, 50_000)
		got, odd := unwrapAll(whole, 3, func(r io.Reader) io.Reader { return r })
		if !bytes.Equal(got, data) || odd != "<nil>" {
			t.Fatalf("%s: %d bytes, %s", name, len(got), odd)
		}
		little := parted(small, 1000)
		one := packers[0].bytes(small[:500])
		if name == "zstd" {
			one = packers[1].bytes(small[:500])
		}
		for behind, b := range map[string]string{"nothing": "", "zeros": string(make([]byte, 600)), "few zeros": "\x00\x00", "garbage": "garbage, and more", "a letter": "x"} {
			wantAhead(t, name+" and "+behind, append(slices.Clone(little), b...))
			wantAhead(t, name+", long, and "+behind, append(slices.Clone(whole), b...))
		}
		wantAhead(t, name+" and other parts", slices.Concat(little, one, little, one))
		wantAhead(t, name+" behind another part", slices.Concat(one, whole, one, little))
		for cut := 8; cut < len(little); cut += 1 + cut/200 {
			wantAhead(t, fmt.Sprint(name, ", cut at ", cut), little[:cut])
		}
		for range 300 {
			damaged := slices.Clone(little)
			damaged[4+random.IntN(len(damaged)-4)] ^= byte(1 + random.IntN(255))
			wantAhead(t, name+", damaged", damaged)
		}
		for _, m := range mutate.Many(random, 60, little, whole[:5000]) {
			if unwrapper(m) != nil {
				wantAhead(t, name+", changed", m)
			}
		}
		for range 4 {
			damaged := slices.Clone(whole)
			damaged[len(damaged)/3+random.IntN(len(damaged)/2)] ^= 4
			wantAhead(t, name+", long, damaged", damaged)
		}
		broken := errors.New("broken")
		for _, cut := range []int{len(little) / 2, len(little), len(little) - 1} {
			for _, helpers := range []int32{0, 4} {
				_, odd := unwrapAll(little[:cut], helpers, func(r io.Reader) io.Reader { return io.MultiReader(r, iotest.ErrReader(broken)) })
				if want := "zstd data: broken"; odd != want && (name == "zstd" || odd != "gzip data: broken") {
					t.Errorf("%s, cut at %d of %d, %d helpers: %s", name, cut, len(little), helpers, odd)
				}
			}
		}
	}
}

// TestAheadIsUsed has parts that are told apart in jobs, and one that is too long.
func TestAheadIsUsed(t *testing.T) {
	random := rand.New(rand.NewPCG(31, 32))
	data := someText(random, 5<<20)
	helpers := new(atomic.Int32)
	helpers.Store(3)
	for name, read := range map[string]func() (*ahead, []byte){
		"bgzip": func() (*ahead, []byte) {
			return &ahead{split: bgzf{}}, bgzipped(data, 64<<10-500)
		},
		"joined": func() (*ahead, []byte) {
			return &ahead{split: joined{}}, joinedMembers(data, 300_000)
		},
		"zstd": func() (*ahead, []byte) {
			z := must(zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true)))
			return &ahead{split: &zstdFrames{z}}, inFrames(data, 700_000)
		},
	} {
		a, z := read()
		a.r, a.helpers = bufio.NewReader(bytes.NewReader(z)), helpers
		var got []byte
		b, most := make([]byte, 100_000), 0
		for n := a.Read(b); n > 0; n = a.Read(b) {
			got = append(got, b[:n]...)
			most = max(most, len(a.jobs))
		}
		if a.failed || len(a.rest) > 0 || !bytes.Equal(got, data) || most != 4 {
			t.Errorf("%s: %d of %d bytes, %d jobs at a time, failed %v, %d bytes left", name, len(got), len(data), most, a.failed, len(a.rest))
		}
	}
	// A member that says it is as long as two is none to the helpers; what is under
	// way behind it comes nevertheless.
	twice := bgzipped(data, 20_000)
	second := (bgzf{}).length(twice) // the first is read before there are helpers
	third := second + (bgzf{}).length(twice[second:])
	binary.LittleEndian.PutUint16(twice[second+16:], uint16(third-second+(bgzf{}).length(twice[third:])-1))
	if got, odd := unwrapAll(twice, 0, func(r io.Reader) io.Reader { return r }); !bytes.Equal(got, data) {
		t.Errorf("a member as long as two: %d bytes of %d, %s", len(got), len(data), odd)
	}
	wantAhead(t, "a member as long as two", twice)
	long := make([]byte, maxPart+1)
	wantAhead(t, "a long frame", slices.Concat(inFrames(data, 1<<20), inFrames(long, len(long)), inFrames(data, 1<<20)))
}

// FuzzAhead decompresses any bytes with helpers and without.
func FuzzAhead(f *testing.F) {
	random := rand.New(rand.NewPCG(41, 42))
	data := someText(random, 3000)
	f.Add(bgzipped(data, 700))
	f.Add(inFrames(data, 700))
	f.Add(joinedMembers(data, 700))
	long := someText(random, 70_000)
	f.Add(inPieces(long, 20_000, 6, emptyBlock))
	f.Add(inPieces(long, 12_000, 6, twoEmpty))
	f.Add(lookingBackLate(long))
	f.Add(slices.Concat(bgzipped(data, 700), packers[0].bytes(data), bgzipped(data, 700)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if u := unwrapper(data); u != nil && (u.name == "gzip" || u.name == "zstd") && len(data) < 1<<16 {
			wantAhead(t, "the data", data, 0, 3)
		}
	})
}
