package main

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast/internal/testpcap"
)

// udpCapture is a pcap file of datagrams at seconds, each from the port of that
// number.
func udpCapture(seconds ...uint16) []byte {
	b := []byte(testpcap.Header)
	for _, s := range seconds {
		b = append(b, testpcap.Record(time.Unix(int64(s), 0), s)...)
	}
	return b
}

// A pipe whose writer goes slowly has rows on standard output before its end,
// unless the user does not want it so.
func TestFlush(t *testing.T) {
	for _, c := range []struct {
		args string
		want string // the port of the first row before the end, "" for none
	}{
		{"-t 5s - -", "1000"},
		{"-t 5 --format jsonl - -", "1000"},
		{"-t 5 --disorder 1m - -", ""},
		{"-t 5 --flush none - -", ""},
	} {
		in, packets := io.Pipe()
		rows, out := io.Pipe()
		ended := make(chan int, 1)
		go func() {
			ended <- run(append([]string{"-q"}, strings.Fields(c.args)...), streams{in, out, io.Discard})
			out.Close()
		}()
		go packets.Write(udpCapture(1000, 1020))
		got := make(chan string, 1)
		go func() {
			lines := bufio.NewReader(rows)
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					close(got)
					return
				}
				if strings.Contains(line, "10.0.0.1") {
					got <- line
				}
			}
		}()
		wait := 20 * time.Second
		if c.want == "" {
			wait = 2500 * time.Millisecond
		}
		select {
		case line := <-got:
			if c.want == "" || !strings.Contains(line, c.want) {
				t.Errorf("%s: got %q, want a row of port %q", c.args, line, c.want)
			}
		case <-time.After(wait):
			if c.want != "" {
				t.Errorf("%s: no row", c.args)
			}
		}
		packets.Close()
		go func() {
			for range got {
			}
		}()
		if status := <-ended; status != exitOK {
			t.Errorf("%s: exit status %d", c.args, status)
		}
	}
}

// What can't be flushed is refused.
func TestFlushRefused(t *testing.T) {
	for args, want := range map[string]string{
		"--flush 1 a.pcap b.parquet":             "nobody can read",
		"--flush 1 a.pcap b.arrow":               "nobody can read",
		"--flush 1 -r in out":                    "--flush is for one capture",
		"--flush none --disorder 5 a.pcap b.csv": "--disorder needs",
		"--flush 0 a.pcap b.csv":                 "seconds above 0",
	} {
		var said strings.Builder
		if status := run(strings.Fields(args), streams{strings.NewReader(""), io.Discard, &said}); status != exitUsage || !strings.Contains(said.String(), want) {
			t.Errorf("%s: exit status %d, said %q", args, status, said.String())
		}
	}
}
