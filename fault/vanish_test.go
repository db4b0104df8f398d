//go:build linux

package fault

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A fifo is a named pipe as the input of a process.
type fifo struct {
	path string
	f    *os.File
}

// newFifo makes a named pipe.
func newFifo(t *testing.T, dir string) *fifo {
	t.Helper()
	p := &fifo{path: filepath.Join(dir, "in.pcap")}
	if err := syscall.Mkfifo(p.path, 0o666); err != nil {
		t.Fatal(err)
	}
	chmod(t, p.path, 0o666)
	return p
}

// give gives some bytes to the process, once that has opened the pipe.
func (p *fifo) give(t *testing.T, cmd *exec.Cmd, b []byte) {
	t.Helper()
	if p.f == nil {
		poll(cmd, func() bool {
			f, err := os.OpenFile(p.path, os.O_WRONLY|syscall.O_NONBLOCK, 0) // an error without a reader
			p.f = f
			return err == nil
		})
	}
	if p.f == nil {
		t.Fatal("the process has ended without reading")
	}
	if _, err := p.f.Write(b); err != nil {
		t.Fatal(err)
	}
}

// empty reports whether the reader has taken all.
func (p *fifo) empty() bool { return waiting(p.f) == 0 }

func (p *fifo) close() { p.f.Close() }

// TestFolderVanishes removes the output's folder while the capture comes.
func TestFolderVanishes(t *testing.T) {
	whole := read(t, capture(t, "flood40000", 1, 1))
	for _, args := range [][]string{
		{"in.pcap", "out/rows.csv", "-j", "1"},
		{"in.pcap", "out/rows.csv", "-j", "2"},
		{"in.pcap", "out/rows.csv", "-t", "0.01"},
	} {
		dir := folder(t)
		out := subfolder(t, dir, "out")
		in := newFifo(t, dir)
		cmd := command(dir, append([]string{"-q"}, args...)...)
		wait := start(t, cmd)
		in.give(t, cmd, whole[:len(whole)/2]) // more than a pipe holds
		if !poll(cmd, func() bool { return len(temporaries(out)) > 0 }) {
			t.Fatal("no temporary file")
		}
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
		in.give(t, cmd, whole[len(whole)/2:])
		in.close()
		e := wait()
		e.want(t, 1, "flowfast: out/rows.csv: no such file or directory\n")
		if strings.Count(e.err, "\n") != 1 {
			t.Errorf("said:\n%swant one line", e.err)
		}
		wantNames(t, dir, "in.pcap")
	}
}
