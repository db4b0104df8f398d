//go:build linux

package fault

import (
	"bufio"
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/export"
)

// TestClosedPipe has a reader that takes one line and goes, as head -n 1 does.
func TestClosedPipe(t *testing.T) {
	long := capture(t, "flood40000", 1, 1)
	for _, args := range [][]string{
		{long, "-", "-j", "1"},
		{long, "-", "-j", "2"},
		{"-", "-"},
		{"--summary", "s.json", long, "-"},
	} {
		dir := folder(t)
		cmd := command(dir, args...)
		cmd.Stdin = bytes.NewReader(read(t, long)) // through a pipe
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = w
		wait := start(t, cmd)
		w.Close()
		line, err := bufio.NewReader(r).ReadString('\n')
		r.Close()
		if want := string(export.CSV{}.AppendHeader(nil)); line != want || err != nil {
			t.Errorf("%q: first line %q (%v), want %q", args, line, err, want)
		}
		e := wait()
		e.want(t, 1)
		if e.err != "" {
			t.Errorf("%q: said:\n%swant nothing", args, e.err)
		}
		for name := range readTree(t, dir) {
			if name != "s.json" {
				t.Errorf("%q: left %s", args, name)
			}
		}
	}
}

// TestClosedPipeOfHead is the same with a shell and head itself.
func TestClosedPipeOfHead(t *testing.T) {
	dir := folder(t)
	cmd := program(dir, "sh", "-c", `{ "$0" "$1" -; echo $? >status; } | head -n 1`, flowfast, capture(t, "flood40000", 1, 1))
	e := run(t, cmd)
	e.want(t, 0)
	if !strings.HasPrefix(e.out, "src_ip,") || strings.Count(e.out, "\n") != 1 || e.err != "" {
		t.Errorf("wrote %q and said %q, want one line and nothing", e.out, e.err)
	}
	if status := strings.TrimSpace(string(read(t, dir+"/status"))); status != "1" {
		t.Errorf("exit status %s, want 1", status)
	}
}

// TestRedirected has a file as standard input, as the shell's < gives it.
func TestRedirected(t *testing.T) {
	dir := folder(t)
	path := capture(t, "flood300", 1, 1)
	run(t, command(dir, "-q", path, "named.csv")).want(t, 0)
	cmd := command(dir, "-q", "-", "rows.csv")
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd.Stdin = in
	run(t, cmd).want(t, 0)
	if left := readTree(t, dir); left["rows.csv"] != left["named.csv"] {
		t.Errorf("%d bytes of rows, not the %d of the same file by its name", len(left["rows.csv"]), len(left["named.csv"]))
	}
}
