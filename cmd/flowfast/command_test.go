package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// oneCapture returns a pcap file of one UDP packet.
func oneCapture() []byte {
	b := []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
	b = append(b, 1, 0, 0, 0, 0, 0, 0, 0, frameLen, 0, 0, 0, frameLen, 0, 0, 0)
	return append(b, frame...)
}

// An interrupter gives a capture and then, in the middle of a record, sends
// this process a signal and falls silent.
type interrupter struct {
	r      io.Reader
	signal syscall.Signal
	silent chan struct{}
}

func (i *interrupter) Read(b []byte) (int, error) {
	if n, err := i.r.Read(b); err == nil {
		return n, nil
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(i.signal)
	}
	if err != nil {
		return 0, err
	}
	<-i.silent
	return 0, io.EOF
}

// A signal ends a run even while its input is silent; no file is left.
func TestSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process can't send itself these signals")
	}
	for _, test := range []struct {
		rule   string
		signal syscall.Signal
		begin  string
		status int
	}{
		{"SIGINT before the first byte", syscall.SIGINT, "", 130},
		{"SIGINT after some packets", syscall.SIGINT, string(oneCapture()) + "\x00", 130},
		{"SIGTERM after some packets", syscall.SIGTERM, string(oneCapture()) + "\x00", 143},
		{"SIGTERM in a compressed capture", syscall.SIGTERM, "\x1f\x8b\x08\x00\x00\x00\x00\x00", 143},
	} {
		t.Run(test.rule, func(t *testing.T) {
			dir := t.TempDir()
			in := &interrupter{strings.NewReader(test.begin), test.signal, make(chan struct{})}
			defer close(in.silent)
			var out, err bytes.Buffer
			status := run([]string{"-q", "-", filepath.Join(dir, "rows.csv")}, streams{in, &out, &err})
			if status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			if got := err.String(); !strings.HasPrefix(got, "flowfast: stopped by a signal (") || strings.Count(got, "\n") != 1 {
				t.Errorf("got %q, want one line about the signal", got)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
				t.Errorf("the folder holds %v (%v), want nothing", entries, err)
			}
		})
	}
}

// When nobody reads the rows any more the run ends, without a word.
func TestClosedPipe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a closed pipe is another error there")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	var messages bytes.Buffer
	status := run([]string{"-", "-"}, streams{bytes.NewReader(oneCapture()), w, &messages})
	if status != exitBad {
		t.Errorf("exit status %d, want %d", status, exitBad)
	}
	if got := messages.String(); got != "" {
		t.Errorf("printed %q, want nothing", got)
	}
}

func TestPrintable(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"plain and é, 漢", "plain and é, 漢"},
		{"line\nbreak\ttab", `line\nbreak\ttab`},
		{"\x1b[31m\a\x7f", `\x1b[31m\a\x7f`},
		{"\xff\u009b", `\xff\u009b`},
		{"\u2028\u00a0\u202e\ufffd", `\u2028\u00a0\u202e` + "\ufffd"},
	} {
		if got := printable(test.in); got != test.want {
			t.Errorf("printable(%q): got %q, want %q", test.in, got, test.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{grouped(0), "0"},
		{grouped(999), "999"},
		{grouped(1000), "1,000"},
		{grouped(uint64(1<<64 - 1)), "18,446,744,073,709,551,615"},
		{scaled(0), "0 "},
		{scaled(999.4), "999 "},
		{scaled(999.6), "1 k"},
		{scaled(1234567), "1.23 M"},
		{scaled(2.5e13), "25 T"},
		{clock(0), "0:00"},
		{clock(3599e9), "59:59"},
		{clock(3600e9), "1:00:00"},
		{mebibytes(1536 << 10), "1.5 MiB"},
		{span(61_000_001_999), "61.000001"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestPeakMemory(t *testing.T) {
	before := peakMemory()
	const size = 64 << 20
	b := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		b[i] = 1
	}
	after := peakMemory()
	runtime.KeepAlive(b)
	if before <= 0 || after < size {
		t.Errorf("before taking %d bytes: %d, after: %d", size, before, after)
	}
}
