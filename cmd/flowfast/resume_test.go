package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A countdown is a context that ends when it has been asked so many times.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// stoppedAfter does the captures under a folder until its context has been
// asked so many times.
func stoppedAfter(t *testing.T, asked int64, in, out string, resume bool) []result {
	t.Helper()
	c := command{inputs: []string{in}, output: out, recursive: true, jobs: 1, resume: resume}
	return c.stoppedAfter(t, asked)
}

// stoppedAfter is that of a command.
func (c *command) stoppedAfter(t *testing.T, asked int64) []result {
	t.Helper()
	ctx := &countdown{Context: t.Context()}
	ctx.left.Store(asked)
	p, err := c.plan()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	results := c.all(ctx, p, nil, func(*result) {})
	if err := c.closeFolder(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return results
}

// A run that is stopped, wherever that is, and then resumed leaves the same
// files as one that is not disturbed, the manifest among them.
func TestResume(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	long := oneCapture()
	for name, b := range map[string][]byte{
		"a.pcap":      oneCapture(),
		"long.pcap":   append(long, bytes.Repeat(long[24:], 4000)...),
		"broken.pcap": append(oneCapture(), bytes.Repeat([]byte{0xff}, 16)...),
		"none.pcap":   nil,
		"sub/z.pcap":  oneCapture(),
	} {
		path := filepath.Join(in, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	undisturbed := filepath.Join(dir, "undisturbed")
	stoppedAfter(t, 1<<40, in, undisturbed, false)
	want := files(t, undisturbed)
	if len(want) != 5 {
		t.Fatalf("an undisturbed run leaves %d files, want a manifest and 4 outputs", len(want))
	}
	for asked, stopped, partials := int64(0), true, 0; stopped; asked++ {
		out := filepath.Join(dir, "out")
		stopped = false
		for _, r := range stoppedAfter(t, asked, in, out, false) {
			stopped = stopped || r.stopped
			if r.partial != "" {
				partials++
			}
		}
		for name, text := range files(t, out) {
			if whole, ok := want[name]; strings.HasSuffix(name, "_flow.csv") && (!ok || text != whole) {
				t.Errorf("stopped after %d: %s is not whole", asked, name)
			}
		}
		stoppedAfter(t, 1<<40, in, out, true)
		if got := files(t, out); !maps.Equal(got, want) {
			t.Errorf("stopped after %d and resumed: got %q, want %q", asked, got, want)
		}
		if !stopped && partials < 4 {
			t.Errorf("stopped in the middle of a capture %d times, want it to be once in each at least", partials)
		}
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
	}
}

// A capture is left as it is if it and its output are as they were recorded.
func TestFinished(t *testing.T) {
	dir := t.TempDir()
	input, output := filepath.Join(dir, "a.pcap"), filepath.Join(dir, "a_flow.csv")
	for _, name := range []string{input, output} {
		if err := os.WriteFile(name, []byte("rows"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(input)
	if err != nil {
		t.Fatal(err)
	}
	found := capture{path: input, rel: "a.pcap", info: info}
	for _, test := range []struct {
		rule   string
		change func(*entry)
		want   bool
	}{
		{"as it was", func(*entry) {}, true},
		{"damaged is not read again", func(e *entry) { e.Status = damaged }, true},
		{"stopped by a signal", func(e *entry) { e.Status = partial }, false},
		{"without output", func(e *entry) { e.Status = failed }, false},
		{"a word that nobody knows", func(e *entry) { e.Status = "" }, false},
		{"another capture", func(e *entry) { e.Path = "b.pcap" }, false},
		{"the capture had another size", func(e *entry) { e.Size++ }, false},
		{"the capture had another time", func(e *entry) { e.Modified = "1795521600" }, false},
		{"the output had another name", func(e *entry) { e.Output = "a.pcap_flow.csv" }, false},
		{"the output had another size", func(e *entry) { e.OutputSize-- }, false},
	} {
		e := identity(found)
		e.Output, e.OutputSize, e.Status = "a_flow.csv", 4, done
		test.change(&e)
		j := job{inputs: []string{input}, captures: []capture{found}, output: output}
		_, why := entries{e.Path: e}.finished(j, dir, nil, nil)
		if got := why == ""; got != test.want {
			t.Errorf("%s: left as it is: %v (%s), want %v", test.rule, got, why, test.want)
		}
	}
}

// The manifest of an earlier run does not outlive the beginning of another one.
func TestManifestBegins(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(in, "a.pcap"), oneCapture(), 0o666); err != nil {
		t.Fatal(err)
	}
	stoppedAfter(t, 1<<40, in, out, false)
	stoppedAfter(t, 0, in, out, false)
	b, err := os.ReadFile(filepath.Join(out, manifestName))
	if err != nil || bytes.Contains(b, []byte("a.pcap")) {
		t.Errorf("got %s (%v), want no captures", b, err)
	}
}

// files returns what is in the files under a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Entries survive a manifest, though what follows from the rest is left out of it.
func TestEntries(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 5, time.UTC)
	plain := entry{Path: "a/b.pcap", Size: 6000, Modified: "1795521600.123456789", Output: "data/part-00012-000.parquet", Packets: 30,
		Classes: classes{Counted: 30}, Flows: 5, Status: done}
	first := plain
	first.Path, first.Parts, first.First, first.Last = "a/a.pcap", []partFile{{"data/part-00012-000.parquet", 5, "ab"}}, at, at.Add(1)
	odd := plain
	odd.Path, odd.Classes, odd.Status, odd.Error = "a/c.pcap", classes{NotIP: 30}, damaged, "offset 5: x"
	alone := entry{Path: "d.pcap", Modified: "0", Output: "d_flow.csv", OutputSize: 7, Status: failed, Error: "x"}
	for _, all := range [][]entry{{first, plain}, {first, plain, odd, alone}} {
		m := newManifest("", rowOptions{Dataset: true})
		for _, e := range all {
			m.lines = append(m.lines, e.line())
		}
		text := m.text()
		var read manifestFile
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(read.Captures, all) {
			t.Errorf("read %+v, want %+v", read.Captures, all)
		}
		if n := bytes.Count(text, []byte(`"status":`)); n != 0 && n != len(all) {
			t.Errorf("%d of %d captures have a status:\n%s", n, len(all), text)
		}
		if lines := bytes.Split(text, []byte("\n")); len(all) == 2 && len(lines[2]) > 110 {
			t.Errorf("%d bytes: %s", len(lines[2]), lines[2])
		}
	}
}

// Names survive a manifest, and two names never become one.
func FuzzPathText(f *testing.F) {
	for _, name := range []string{"", "plain é", "a\nb", "\xff", "\xfe", `\xff`, `a\`, "\xe2\x80", "\uFFFD"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		m := newManifest("", rowOptions{})
		m.lines = []encodedEntry{entry{Path: pathText(name), Output: "x"}.line()}
		var read manifestFile
		if err := json.Unmarshal(m.text(), &read); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if got := string(read.Captures[0].Path); got != name {
			t.Errorf("%q became %q", name, got)
		}
	})
}

func TestPathTextErrors(t *testing.T) {
	for _, text := range []string{`\`, `\n`, `\x`, `\xf`, `\xgg`, `a\`} {
		var p pathText
		if err := p.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got %q, want an error", text, p)
		}
	}
}

func TestInSeconds(t *testing.T) {
	for _, text := range []string{"600", "0.25", "1.000000001", "9223372036", "120.5"} {
		var c command
		if err := (*seconds)(&c.options.IdleTimeout).Set(text); err != nil {
			t.Fatal(err)
		}
		if got := c.rowOptions().IdleTimeout; got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}
