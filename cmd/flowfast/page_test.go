package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// A page about a part of what was to be read has another name, and leaves the page that
// is there as it is. The next whole one removes it.
func TestPageOfStopped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := reportPage{file: file}
	if err := p.write(t.Context(), &outcome{}, 0, true); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "old" {
		t.Errorf("the page is now %q, %v", b, err)
	}
	if b, err := os.ReadFile(file + ".partial"); err != nil || !bytes.Contains(b, []byte("A signal ended the run")) {
		t.Errorf("no note in the partial page: %v", err)
	}
	p.all = nil
	if err := p.write(t.Context(), &outcome{}, 3, false); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || bytes.Contains(b, []byte("A signal")) || !bytes.Contains(b, []byte("3 captures had been done before")) {
		t.Errorf("the page is not the whole one: %v", err)
	}
	if _, err := os.Stat(file + ".partial"); err == nil {
		t.Error("the partial page is still there")
	}
}

// A page is the same for any number of workers, and no row is another with it, where
// captures share a table or parts, some of them large, and have more hosts than are
// counted exactly, so that the order of counting shows.
func TestPageOfSharedTables(t *testing.T) {
	smallParts(t)
	groupLeast, groupMost, smallCapture = 60_000, 200_000, 24_000
	in, dir := t.TempDir(), t.TempDir()
	mixedTree(t, in)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		b := someCapture(30+i%7*60, i)
		for at := 24 + 16; at < len(b); at += 16 + frameLen {
			binary.BigEndian.PutUint32(b[at+26:], 10<<24|uint32(random.ExpFloat64()*3000))
		}
		writeTree(t, in, map[string][]byte{fmt.Sprintf("hosts/%02d.pcap", i): b})
	}
	write := func(jobs, name string, options ...string) {
		t.Helper()
		args := append([]string{"-q", "-r", "-j", jobs, in, filepath.Join(dir, name)}, options...)
		if status := run(args, streams{out: io.Discard, err: io.Discard}); status != exitBad { // two captures are broken
			t.Fatalf("%q: status %d", args, status)
		}
	}
	page := func(jobs, name string, options ...string) string {
		t.Helper()
		file := filepath.Join(dir, name+".html")
		write(jobs, name, append(options, "--report", file)...)
		b, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(b, []byte("are too low by")) {
			t.Fatalf("%s: no page in which hosts are not exact: %v", name, err)
		}
		return string(b)
	}
	for kind, options := range map[string][]string{".csv": nil, "": {"--dataset"}} {
		write("1", "plain"+kind, options...)
		want := page("1", "first"+kind, options...)
		for range 2 {
			if page("4", "other"+kind, options...) != want {
				t.Errorf("%s: the page depends on the number of workers", kind)
			}
		}
		for _, name := range []string{"first", "other"} {
			if kind == "" {
				if !maps.Equal(files(t, filepath.Join(dir, name)), files(t, filepath.Join(dir, "plain"))) {
					t.Errorf("the data set %s is another beside a page", name)
				}
				continue
			}
			a, errA := os.ReadFile(filepath.Join(dir, name+kind))
			b, errB := os.ReadFile(filepath.Join(dir, "plain"+kind))
			if errA != nil || errB != nil || !bytes.Equal(a, b) {
				t.Errorf("%s%s is another beside a page: %v, %v", name, kind, errA, errB)
			}
		}
	}
}
