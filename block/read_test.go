package block_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/block"
)

// oneBlock returns the block of a generated capture with all that columns can need.
func oneBlock(t testing.TB, n int) (job, []byte) {
	r := rand.New(rand.NewPCG(3, 3))
	files := archive(t, r, traffic(r, n, true), 1, false)
	j := jobOf(t, "full", 2, flowfast.Options{Workers: 1})
	return j, j.partition(t, 1, files...)[0]
}

// A byte that is not as it was written is an error that tells where, or changes
// nothing.
func TestDamagedBlock(t *testing.T) {
	j, whole := oneBlock(t, 300)
	want, err := j.flows(t, [][]byte{whole})
	if err != nil {
		t.Fatal(err)
	}
	trace := 16 + 8 + int(binary.LittleEndian.Uint32(whole[16:])) // behind the header, as its length says
	r := rand.New(rand.NewPCG(4, 4))
	for range 400 {
		at := r.IntN(len(whole))
		b := bytes.Clone(whole)
		b[at] ^= 1 << r.IntN(8)
		got, err := j.flows(t, [][]byte{b})
		var damaged *block.Error
		switch {
		case err == nil:
			t.Errorf("byte %d: no error, and %d rows of %d", at, len(got), len(want))
		case !errors.As(err, &damaged):
			t.Errorf("byte %d: %v: does not tell where", at, err)
		case damaged.Offset > int64(at)+8 && (at < 8 || at >= 16) && (at < trace || at >= trace+4): // there stand the length of all, and of what chunks are behind
			t.Errorf("byte %d: %v: the offset is behind it", at, err)
		}
	}
	for _, n := range []int{0, 1, 7, 15, 16, 40, len(whole) / 2, len(whole) - 5, len(whole) - 1} {
		if _, err := j.flows(t, [][]byte{whole[:n]}); err == nil {
			t.Errorf("cut after %d bytes of %d: no error", n, len(whole))
		}
	}
}

// What is read of blocks stays as it is, and a header without what parts are put
// together by is refused.
func TestPartsStayAsTheyAre(t *testing.T) {
	j, _ := oneBlock(t, 1)
	file := filepath.Join(t.TempDir(), "ring_0.pcap")
	if err := os.WriteFile(file, pcap(traffic(rand.New(rand.NewPCG(6, 6)), 200, true)), 0o600); err != nil {
		t.Fatal(err)
	}
	all := make([][]byte, 1)
	for part := 1; part <= 2; part++ {
		run, err := flowfast.OpenPart(j.options, file, part, 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.blocks(t, run, block.Capture{Name: file, Part: part, Parts: 2}, all); err != nil {
			t.Fatal(err)
		}
	}
	b := all[0]
	blocks, err := block.Find(bytes.NewReader(b), int64(len(b)), "parts")
	if err != nil {
		t.Fatal(err)
	}
	before, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	readAll(t, j, blocks)
	if after, err := json.Marshal(blocks); err != nil || string(after) != string(before) {
		t.Errorf("%v: was\n%s\nis\n%s", err, before, after)
	}

	n := 20 + binary.LittleEndian.Uint32(b[16:])
	var h block.Header
	if err := json.Unmarshal(b[20:n], &h); err != nil {
		t.Fatal(err)
	}
	h.Capture.Dense = nil
	header, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	changed := slices.Concat(b[:16], seal(header), b[n+4:])
	length := binary.LittleEndian.Uint64(b[8:])
	binary.LittleEndian.PutUint64(changed[8:], length+uint64(len(header))-uint64(n-20))
	if _, err := j.flows(t, [][]byte{changed}); err == nil || !strings.Contains(err.Error(), "contradict") {
		t.Errorf("a header that lacks numbers: %v", err)
	}
}

// Blocks that do not belong together are refused, and say why.
func TestRefused(t *testing.T) {
	j, whole := oneBlock(t, 100)
	version := bytes.Clone(whole)
	version[7] = 9
	d := jobOf(t, "default", 0, flowfast.Options{Workers: 1})
	r := rand.New(rand.NewPCG(5, 5))
	files := archive(t, r, traffic(r, 50, false), 1, false)
	other := d.partition(t, 1, files...)[0]
	halves := d.partition(t, 2, files...)
	for _, test := range []struct {
		name, want string
		job        job
		blocks     []byte
	}{
		{"another version", "version 9 of the format", j, version},
		{"no block", "no block of flowfast's", j, []byte("this is a text of some length, and no block")},
		{"other columns", "columns that need the features", d, append(bytes.Clone(whole), other...)},
		{"fewer features than are needed", "same --profile", j, other},
		{"the same capture twice", "both are of part 1", j, append(bytes.Clone(whole), whole...)},
		{"other buckets", "buckets 1 and 2", d, append(bytes.Clone(other), halves[0]...)},
		{"another bucket", "bucket 0 and 1", d, append(bytes.Clone(halves[0]), halves[1]...)},
	} {
		if _, err := test.job.flows(t, [][]byte{test.blocks}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q", test.name, err, test.want)
		}
	}
}

// FuzzBlock reads any bytes as a block, and as a chunk of a sound one.
func FuzzBlock(f *testing.F) {
	j, whole := oneBlock(f, 60)
	f.Add(whole)
	f.Add(whole[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		if blocks, err := block.Find(bytes.NewReader(b), int64(len(b)), "fuzz"); err == nil {
			readAll(t, j, blocks)
		}
		// The checksums of these are right.
		n := bytes.LastIndex(whole, []byte{0x28, 0xb5, 0x2f, 0xfd}) // a zstd frame
		resealed := append(bytes.Clone(whole[:n-4]), seal(raw(b))...)
		resealed = append(resealed, 0, 0, 0, 0)
		binary.LittleEndian.PutUint64(resealed[8:], uint64(len(resealed)-16))
		blocks, err := block.Find(bytes.NewReader(resealed), int64(len(resealed)), "resealed")
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, j, blocks)
	})
}

// readAll takes blocks through a table.
func readAll(t *testing.T, j job, blocks []*block.Block) {
	source, err := block.NewSource(blocks, 0)
	if err != nil {
		return
	}
	defer source.Close()
	o := j.options
	o.IdleTimeout = time.Second
	o.Features.Set = blocks[0].Features & o.Features.Set
	run, err := flowfast.NewTaken(o, source)
	if err != nil {
		t.Fatal(err)
	}
	packets := uint64(0)
	for f, err := range run.Flows(t.Context()) {
		if err != nil {
			break
		}
		packets += f.Fwd.Packets + f.Bwd.Packets
	}
	if s := run.Summary(); packets > s.Packets {
		t.Errorf("%d packets of flows, %d packets", packets, s.Packets)
	}
}

// raw returns a zstd frame that holds bytes as they are (RFC 8878, 3.1.1).
func raw(b []byte) []byte {
	b = b[:min(len(b), 1<<16)]
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0}
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(b)))
	head := uint32(len(b))<<3 | 1
	return append(append(frame, byte(head), byte(head>>8), byte(head>>16)), b...)
}

// seal puts a chunk between its length and its checksum.
func seal(b []byte) []byte {
	sealed := append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...)
	return binary.LittleEndian.AppendUint32(sealed, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}
