package ioutil

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// TestSpool writes packets of all lengths and wants them back, however many are
// asked for at a time, with nothing left in the folder.
func TestSpool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR"))
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, maxData)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	var want []Record
	for _, length := range slices.Concat([]int{0, 1, spoolLent - 1, spoolLent, spoolLent + 1, maxData, 0, maxData, 60}, slices.Repeat([]int{-1}, 5000)) {
		if length < 0 {
			length = rng.IntN(1600)
		}
		from := rng.IntN(maxData - length + 1)
		want = append(want, Record{Time: int64(rng.Uint64()), Data: noise[from : from+length], OrigLen: rng.Uint32(), LinkType: rng.Uint32(), Fine: rng.IntN(2) == 0, FCS: uint8(rng.IntN(32))})
	}
	for _, ask := range []int{1, 7, 64, 6000} {
		s, err := NewSpool()
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if err := s.Write(&want[i], uint32(i*3)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Rewind(); err != nil {
			t.Fatal(err)
		}
		records, tags, all := make([]Record, ask), make([]uint32, ask), 0
		for {
			n, err := s.Read(records, tags)
			if err == io.EOF {
				break
			}
			if err != nil || n == 0 {
				t.Fatalf("%d at a time: %d packets, %v after %d", ask, n, err, all)
			}
			for i, got := range records[:n] {
				w := want[all]
				same := bytes.Equal(got.Data, w.Data) && tags[i] == uint32(all*3)
				if got.Data, w.Data = nil, nil; !same || got.Time != w.Time || got.OrigLen != w.OrigLen || got.LinkType != w.LinkType || got.Fine != w.Fine || got.FCS != w.FCS {
					t.Fatalf("packet %d is %v with tag %d, want %v, or has other bytes", all, got, tags[i], w)
				}
				all++
			}
		}
		if all != len(want) {
			t.Errorf("%d at a time: %d packets, want %d", ask, all, len(want))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A spool of which the file was cut says so.
func TestSpoolIsCut(t *testing.T) {
	s, err := NewSpool()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 1000 {
		if err := s.Write(&Record{Data: bytes.Repeat([]byte{byte(i), byte(i >> 3)}, 300)}, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Rewind(); err != nil {
		t.Fatal(err)
	}
	info, err := s.file.Stat()
	if err == nil {
		err = s.file.Truncate(info.Size() / 2)
	}
	if err != nil {
		t.Fatal(err)
	}
	records, tags := make([]Record, 64), make([]uint32, 64)
	for err == nil {
		_, err = s.Read(records, tags)
	}
	if err == io.EOF {
		t.Error("the end, want an error")
	}
}
