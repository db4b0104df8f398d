package ioutil

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/flate"
)

// inPieces compresses data into a gzip member as pigz -i does: blocks of so many bytes that
// do not look back, each with the mark behind it.
func inPieces(data []byte, size, level int, mark string) []byte {
	return gzipMember(data, func(b *bytes.Buffer) {
		for part := range slices.Chunk(data, size) {
			z := must(flate.NewWriter(b, level))
			must(z.Write(part))
			z.Flush()
			b.WriteString(strings.TrimPrefix(mark, emptyBlock))
		}
		b.WriteString(lastBlock)
	})
}

// lookingBack compresses data as pigz does without -i: every block may look back, which
// the writer's lower levels do not.
func lookingBack(data []byte, size int) []byte {
	return gzipMember(data, func(b *bytes.Buffer) {
		z := must(flate.NewWriter(b, 9))
		for part := range slices.Chunk(data, size) {
			must(z.Write(part))
			z.Flush()
		}
		z.Close()
	})
}

// gzipMember puts a header and a trailer around deflated data.
func gzipMember(data []byte, deflate func(b *bytes.Buffer)) []byte {
	var b bytes.Buffer
	b.WriteString("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
	deflate(&b)
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b.Bytes(), crc32.ChecksumIEEE(data)), uint32(len(data)))
}

// joinedMembers compresses data into members of so many bytes.
func joinedMembers(data []byte, most int) (all []byte) {
	for part := range slices.Chunk(data, most) {
		all = append(all, packers[0].bytes(part)...)
	}
	return all
}

// sprinkled is data with a mark in it every hundred bytes.
func sprinkled(data []byte, mark string) (all []byte) {
	for part := range slices.Chunk(data, 100) {
		all = append(append(all, part...), mark...)
	}
	return all
}

// echoes is bytes that repeat what was some thousand bytes before.
func echoes(r *rand.Rand, n int) []byte {
	b := someText(r, 30_000)
	for len(b) < n {
		from := len(b) - 1000 - r.IntN(25_000)
		b = append(b, b[from:from+20+r.IntN(500)]...)
		b = append(b, someText(r, r.IntN(400))...)
	}
	return b[:n]
}

var anyHelpers = []int32{0, 1, 2, 5}

// TestAheadOfPieces decompresses a member in pieces, whole, cut, damaged, and with other
// members and other things behind it.
func TestAheadOfPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(51, 52))
	data := echoes(random, 160_000)
	long := echoes(random, 3<<20)
	other := packers[0].bytes(data[:70_000])
	for _, mark := range []string{emptyBlock, twoEmpty} {
		piece := inPieces(data, 30_000, 6, mark)
		for behind, b := range map[string]string{"nothing": "", "zeros": string(make([]byte, 600)), "garbage": "garbage, and more", "a header": "\x1f\x8b\x08", "a letter": "x"} {
			wantAhead(t, "pieces and "+behind, append(slices.Clone(piece), b...), anyHelpers...)
		}
		wantAhead(t, "long", inPieces(long, 128<<10, 6, mark), anyHelpers...)
		wantAhead(t, "stored", inPieces(long, 50_000, 0, mark), anyHelpers...)
		for _, level := range []int{0, 6} {
			wantAhead(t, "marks in the data", inPieces(sprinkled(data, mark), 30_000, level, mark), anyHelpers...)
			late := slices.Concat(data[:100_000], sprinkled(data, mark))
			wantAhead(t, "marks in later data", inPieces(late, 30_000, level, mark), anyHelpers...)
		}
		wantAhead(t, "members", slices.Concat(piece, other, piece, piece, lookingBack(data, 30_000), piece, bgzipped(data, 50_000), piece), anyHelpers...)
		wantAhead(t, "many members", bytes.Repeat(slices.Concat(piece, other), 10), anyHelpers...)
		for at := 0; at < len(piece); {
			next := bytes.Index(piece[at+1:], []byte(mark))
			if next < 0 {
				next = len(piece) - len(mark) - at - 1
			}
			at += 1 + next
			for cut := at - 3; cut < min(len(piece), at+12); cut++ {
				wantAhead(t, fmt.Sprint("cut at ", cut), piece[:cut], 0, 2)
				damaged := slices.Clone(piece)
				damaged[cut] ^= byte(1 << random.IntN(8))
				wantAhead(t, fmt.Sprint("damaged at ", cut), damaged, 0, 2)
			}
			if at+len(mark) >= len(piece) || testing.Short() {
				break
			}
		}
		for range 40 {
			damaged := slices.Clone(piece)
			damaged[10+random.IntN(len(damaged)-10)] ^= byte(1 + random.IntN(255))
			wantAhead(t, "damaged", damaged, 0, 2)
		}
		for _, z := range [][]byte{piece, inPieces(long, 128<<10, 6, mark)} {
			for _, cut := range []int{len(z) / 8, len(z) / 2, len(z) - 1, len(z)} {
				want, _ := unwrapAll(z[:cut], plainly, func(r io.Reader) io.Reader { return r })
				for _, helpers := range anyHelpers {
					got, odd := unwrapAll(z[:cut], helpers, func(r io.Reader) io.Reader { return io.MultiReader(r, &failsOnce{}) })
					if odd != "gzip data: broken" || !bytes.Equal(got, want) {
						t.Errorf("cut at %d of %d, %d helpers: %d bytes of %d, %s", cut, len(z), helpers, len(got), len(want), odd)
					}
				}
			}
		}
	}
	wantAhead(t, "looking back", lookingBack(long, 128<<10), anyHelpers...)
	wantAhead(t, "looking back late", lookingBackLate(long), anyHelpers...)
	wantAhead(t, "long piece", longPiece(long), 2)
}

// lookingBackLate compresses data in blocks of which those in the second half look back.
func lookingBackLate(data []byte) []byte {
	return gzipMember(data, func(b *bytes.Buffer) {
		half := data[:len(data)/2]
		for part := range slices.Chunk(half, 100_000) {
			z := must(flate.NewWriter(b, 6))
			must(z.Write(part))
			z.Flush()
		}
		z := must(flate.NewWriterDict(b, 9, half[len(half)-lookBack:]))
		for part := range slices.Chunk(data[len(half):], 100_000) {
			must(z.Write(part))
			z.Flush()
		}
		z.Close()
	})
}

// longPiece compresses data with a piece in the middle that decompresses to more than a part may.
func longPiece(data []byte) []byte {
	half := len(data) / 2
	all := slices.Concat(data[:half], make([]byte, maxPart+1), data[half:])
	return gzipMember(all, func(b *bytes.Buffer) {
		for _, part := range [][]byte{all[:half/2], all[half/2 : half], all[half : half+maxPart+1], all[half+maxPart+1:]} {
			z := must(flate.NewWriter(b, 6))
			must(z.Write(part))
			z.Flush()
		}
		b.WriteString(lastBlock)
	})
}

// A failsOnce reader fails, and is at its end then.
type failsOnce struct{ failed bool }

func (f *failsOnce) Read([]byte) (int, error) {
	if f.failed {
		return 0, io.EOF
	}
	f.failed = true
	return 0, errors.New("broken")
}

// TestAheadIsUsedForPieces has pieces decompressed in jobs, several at a time but for the
// first ones, and no more jobs of what looks back.
func TestAheadIsUsedForPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(61, 62))
	data := echoes(random, 12<<20)
	flood := bytes.Repeat(data[:50], 1e6) // a byte decompresses to hundreds
	for _, c := range []struct {
		name  string
		z     []byte
		want  []byte
		jobs  int // at a time
		given int // bytes, at least
	}{
		{"pieces", inPieces(data, 128<<10, 6, emptyBlock), data, 4, len(data) - 1<<20},
		{"pieces with two marks", inPieces(data, 128<<10, 6, twoEmpty), data, 4, len(data) - 1<<20},
		{"large pieces", inPieces(data, 250_000, 6, twoEmpty), data, 4, len(data) - 1<<20},
		{"stored pieces", inPieces(data, 128<<10, 0, twoEmpty), data, 4, len(data) - 1<<20},
		{"dense pieces", inPieces(flood, 128<<10, 6, twoEmpty), flood, 2, len(flood) - 8<<20},
		{"looking back late", lookingBackLate(data), data, 4, len(data)/2 - 1<<20},
		{"looking back", lookingBack(data, 128<<10), data, 0, 0},
		{"one block", packers[0].bytes(data), data, 0, 0},
	} {
		r := bufio.NewReaderSize(bytes.NewReader(c.z), readLen)
		read := must(r.Discard(10))
		helpers := new(atomic.Int32)
		helpers.Store(3)
		p, err := piecesOf(r)
		if err != nil && err != io.EOF || (p != nil) != (c.jobs > 0) {
			t.Errorf("%s: pieces %v, %v", c.name, p != nil, err)
		}
		if p == nil {
			continue
		}
		a := &ahead{r: r, split: p, guessed: true, helpers: helpers}
		var got []byte
		b, most := make([]byte, 100_000), 0
		for n := a.Read(b); n > 0; n = a.Read(b) {
			got = append(got, b[:n]...)
			most = max(most, len(a.jobs))
		}
		if !bytes.HasPrefix(c.want, got) || len(got) < c.given || most < c.jobs {
			t.Errorf("%s: %d of %d bytes, %d jobs at a time", c.name, len(got), len(c.want), most)
		}
		if left := must(io.ReadAll(a.behind())); !bytes.Equal(left, c.z[read+int(a.taken):]) {
			t.Errorf("%s: %d bytes left, want %d", c.name, len(left), len(c.z)-read-int(a.taken))
		}
	}
}

// TestAheadErrors has the errors of a damaged member in pieces, with their offsets.
func TestAheadErrors(t *testing.T) {
	random := rand.New(rand.NewPCG(71, 72))
	z := inPieces(echoes(random, 3<<20), 128<<10, 6, twoEmpty)
	read := func(z []byte, size int) (int, string) {
		helpers := new(atomic.Int32)
		r, _, err := unwrapper(z).unwrap(bytes.NewReader(z), size, helpers)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		return int(n), fmt.Sprint(err)
	}
	for i := range 40 {
		damaged := slices.Clone(z)
		at := len(z)/4 + random.IntN(len(z)/2)
		if i%2 == 0 {
			const reserved = 6 // kind of block
			at += bytes.Index(z[at:], []byte(twoEmpty)) + len(twoEmpty)
			damaged[at] = reserved
		}
		damaged[at+1] ^= 1
		want, wantErr := read(damaged, readLen-1)
		if i%2 == 0 { // the library's offset is some bytes too far behind many empty blocks
			wantErr = fmt.Sprintf("gzip data: flate: corrupt input before offset %d", at+1-gzipHeader)
		}
		if got, err := read(damaged, readLen); got != want || err != wantErr {
			t.Errorf("%d bytes, %s; want %d, %s", got, err, want, wantErr)
		}
	}
}
