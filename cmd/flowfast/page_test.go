package main

import (
	"bytes"
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
