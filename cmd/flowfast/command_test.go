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

const recordLen = 16 + frameLen

// slowly returns a capture of many packets of one flow.
func slowly() string {
	b := oneCapture()
	return string(append(b, bytes.Repeat(b[24:], 20)...))
}

// oneCapture returns a pcap file of one UDP packet.
func oneCapture() []byte {
	b := []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
	b = append(b, 1, 0, 0, 0, 0, 0, 0, 0, frameLen, 0, 0, 0, frameLen, 0, 0, 0)
	return append(b, frame...)
}

// An interrupter gives a capture in small parts and then sends this process a
// signal and falls silent. Of many parts all but the last few have been taken
// up by then, since those who read ahead do so by a few.
type interrupter struct {
	r      io.Reader
	signal syscall.Signal
	silent chan struct{}
}

func (i *interrupter) Read(b []byte) (int, error) {
	if n, err := i.r.Read(b[:min(len(b), recordLen)]); err == nil {
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

// A signal ends a run even while its input is silent. If a capture was opened,
// the rows of what was read are in a partial file.
func TestSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process can't send itself these signals")
	}
	for _, test := range []struct {
		rule   string
		signal syscall.Signal
		begin  string
		status int
		lines  int // of the partial file, 0 if there is none
	}{
		{"SIGINT before the first byte", syscall.SIGINT, "", 130, 0},
		{"SIGINT after the header", syscall.SIGINT, string(oneCapture()[:24]), 130, 1},
		{"SIGINT after some packets", syscall.SIGINT, slowly() + "\x00", 130, 2},
		{"SIGTERM after some packets", syscall.SIGTERM, slowly() + "\x00", 143, 2},
		{"SIGTERM in a compressed capture", syscall.SIGTERM, "\x1f\x8b\x08\x00\x00\x00\x00\x00", 143, 0},
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
			if got := err.String(); !strings.HasPrefix(got, "flowfast: stopped by a signal (") || strings.Count(got, "\n") != 1 ||
				strings.HasSuffix(got, "rows.csv.partial\n") != (test.lines > 0) {
				t.Errorf("got %q, want one line about the signal and the partial rows", got)
			}
			want := ""
			if test.lines > 0 {
				want = "rows.csv.partial"
			}
			if got := inFolder(t, dir); got != want {
				t.Fatalf("the folder holds %q, want %q", got, want)
			}
			if want == "" {
				return
			}
			b, e := os.ReadFile(filepath.Join(dir, want))
			if got := bytes.Count(b, []byte("\n")); e != nil || got != test.lines {
				t.Errorf("%d lines (%v), want %d", got, e, test.lines)
			}
		})
	}
}

// After a signal standard output ends with the rows of what was read, and the
// summary is printed and written.
func TestSignalStdout(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process can't send itself these signals")
	}
	summary := filepath.Join(t.TempDir(), "s.json")
	in := &interrupter{strings.NewReader(slowly()), syscall.SIGTERM, make(chan struct{})}
	defer close(in.silent)
	var out, messages bytes.Buffer
	if status := run([]string{"--summary", summary, "-", "-"}, streams{in, &out, &messages}); status != 143 {
		t.Errorf("exit status %d, want 143", status)
	}
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "\n10.0.0.1,0,10.0.0.2,53,17,") {
		t.Errorf("got %q, want a header and a row", got)
	}
	for _, want := range []string{"\nflows                            1\n", "rows of what was read: standard output\n"} {
		if !strings.Contains("\n"+messages.String(), want) {
			t.Errorf("printed %q, want %q in it", messages.String(), want)
		}
	}
	b, err := os.ReadFile(summary)
	if err != nil || !bytes.Contains(b, []byte(`"written": false`)) || !bytes.Contains(b, []byte(`"partial": true`)) {
		t.Errorf("the summary is %s (%v), want it partial", b, err)
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
