package main

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A sized is what is asked about a capture to share parts out.
type sized int64

func (s sized) Size() int64      { return int64(s) }
func (sized) Name() string       { return "" }
func (sized) Mode() fs.FileMode  { return 0 }
func (sized) ModTime() time.Time { return time.Time{} }
func (sized) IsDir() bool        { return false }
func (sized) Sys() any           { return nil }

// Captures are shared out in order, to parts that are not too large; a large capture
// is alone; and one more capture changes few parts.
func TestGroups(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		captures := make([]capture, 1+random.IntN(300))
		for i := range captures {
			n := random.Int64N(groupLeast / 8)
			if random.IntN(10) == 0 {
				n = random.Int64N(2 * groupMost)
			}
			captures[i] = capture{rel: fmt.Sprintf("day/%04d.pcap", i), info: sized(n)}
		}
		var all []capture
		for _, group := range groups(captures) {
			var size int64
			for _, c := range group {
				size += c.info.Size()
				if c.info.Size() >= groupLeast && len(group) > 1 {
					t.Fatalf("a capture of %d bytes shares a part", c.info.Size())
				}
			}
			if len(group) == 0 || size > groupMost && len(group) > 1 {
				t.Fatalf("%d captures of %d bytes share a part", len(group), size)
			}
			all = append(all, group...)
		}
		if !slices.Equal(all, captures) {
			t.Fatal("the captures are not in order, or not all there")
		}
	}
}

// A capture that is added to many changes one or two parts.
func TestGroupsStay(t *testing.T) {
	var captures []capture
	for i := range 4000 {
		captures = append(captures, capture{rel: fmt.Sprintf("%d/%04d.pcap", i%7, i), info: sized(1 << 20)})
	}
	before := map[string]bool{}
	for _, group := range groups(captures) {
		before[fmt.Sprint(group)] = true
	}
	more := slices.Insert(slices.Clone(captures), 1000, capture{rel: "new.pcap", info: sized(3 << 20)})
	changed := 0
	for _, group := range groups(more) {
		if !before[fmt.Sprint(group)] {
			changed++
		}
	}
	if changed == 0 || changed > 3 || len(before) < 30 {
		t.Errorf("%d of %d parts changed", changed, len(before))
	}
}

// Parts get other names without one in the way of another.
func TestMoveParts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		dir := t.TempDir()
		number := 1 + random.IntN(12)
		distinct := func() []int {
			all := random.Perm(20)[:number]
			slices.Sort(all)
			return all
		}
		from, to := distinct(), distinct()
		var moves []move
		want := map[string]string{}
		for i := range number {
			m := move{from: from[i], to: to[i]}
			for file := range 1 + i%2 {
				text := fmt.Sprint(i, file)
				m.files = append(m.files, partName(m.from, file))
				if err := os.WriteFile(filepath.Join(dir, m.files[file]), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
				want[partName(m.to, file)] = text
			}
			if m.from != m.to {
				moves = append(moves, m)
			}
		}
		if err := moveParts(dir, moves); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			b, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			got[e.Name()] = string(b)
		}
		if !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

// Of what is not kept only what is called as parts are is removed.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	stay := []string{"part-00001-000.parquet", "part-00001-001.parquet", "mine.parquet", "part-1.parquet", ".x.flowfast-0123abcd.tmp", "part-00003-000.parquet.bak"}
	gone := []string{"part-00000-000.parquet", "part-00002-000.parquet", "part-100000-012.parquet", "_part-00001-000.parquet.partial",
		".part-00001-002.parquet.flowfast-0123abcd.tmp"}
	for _, name := range slices.Concat(stay, gone) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, split := range []string{"train", "test", ".hidden"} {
		if err := os.Mkdir(filepath.Join(dir, split), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	stay = append(stay, "train/part-00001-000.parquet", ".hidden/part-00000-000.parquet")
	for _, name := range []string{"train/part-00001-000.parquet", "train/part-00002-000.parquet", "test/part-00000-000.parquet", ".hidden/part-00000-000.parquet"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := tidy(dir, map[int]bool{1: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "test")); err == nil {
		t.Error("an empty folder is left")
	}
	var left []string
	for name := range files(t, dir) {
		left = append(left, strings.TrimPrefix(filepath.ToSlash(name), "/"))
	}
	slices.Sort(left)
	slices.Sort(stay)
	if !slices.Equal(left, stay) {
		t.Errorf("%q are left, want %q", left, stay)
	}
}

// The parts of a group get their names all together or not at all.
func TestPartsTogether(t *testing.T) {
	for _, partial := range []bool{false, true} {
		dir := t.TempDir()
		o := outputs{command: &command{recursive: true, dataset: true}, first: filepath.Join(dir, partName(0, 0))}
		for range 3 {
			w, err := o.next(t.Context())
			if err == nil {
				_, err = w.Write([]byte("rows"))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		second := partName(0, 1)
		if partial {
			second = filepath.Base(o.all[1].PartialName())
		}
		if err := os.MkdirAll(filepath.Join(dir, second, "x"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := o.commit(partial); err == nil {
			t.Errorf("partial: %v: no error with a folder in the place of a part", partial)
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 1 || left[0].Name() != second {
			t.Errorf("partial: %v: %v are left, want the folder %s; %v", partial, left, second, err)
		}
	}
}
