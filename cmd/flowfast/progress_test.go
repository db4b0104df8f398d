package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cheggaaa/pb/v3"
	"github.com/flowfast/flowfast"
)

// A screen understands what a display writes: lines, one escape that goes up
// and two that erase.
type screen struct {
	lines []string
	at    int
}

func (s *screen) Write(b []byte) (int, error) {
	text := string(b)
	for text != "" {
		var up int
		switch rest, found := strings.CutPrefix(text, "\x1b[J"); {
		case found:
			s.lines, text = s.lines[:s.at], rest
			continue
		case strings.HasPrefix(text, "\x1b["):
			if _, err := fmt.Sscanf(text, "\x1b[%dA", &up); err != nil {
				return 0, fmt.Errorf("unknown escape: %q", text)
			}
			s.at -= up
			_, text, _ = strings.Cut(text, "A\r")
			continue
		}
		line, rest, _ := strings.Cut(text, "\n")
		s.lines = append(s.lines[:s.at], append([]string{strings.TrimSuffix(line, "\x1b[K")}, s.lines[min(s.at+1, len(s.lines)):]...)...)
		s.at++
		text = rest
	}
	return len(b), nil
}

func at(p *flowfast.Progress) func() flowfast.Progress { return func() flowfast.Progress { return *p } }

const mib = 1 << 20

func TestDisplayOne(t *testing.T) {
	var s screen
	j := job{inputs: []string{"a.pcap"}, size: 8 * mib}
	d := newDisplay(&s, func() (int, int) { return 81, 24 }, []job{j})
	var p flowfast.Progress
	d.begin(j, at(&p))
	now := time.Unix(0, 0)
	d.draw(now)
	p = flowfast.Progress{Read: 2 * mib, Packets: 3000, Open: 1234}
	d.draw(now.Add(2 * time.Second))
	if len(s.lines) != 1 {
		t.Fatalf("got %q, want one line", s.lines)
	}
	got := s.lines[0]
	if pb.CellCount(got) != 80 {
		t.Errorf("%q: %d columns, want 80", got, pb.CellCount(got))
	}
	for _, want := range []string{"a.pcap ", "[=", "]  25% 2/8 MiB 1.5 kpkt/s 1,234 open flows 0:06 left"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q: lacks %q", got, want)
		}
	}
	var messages bytes.Buffer
	d.say(func() { messages.WriteString("said") })
	if len(s.lines) != 0 || messages.String() != "said" {
		t.Errorf("after a message the screen holds %q", s.lines)
	}
}

func TestDisplaySeveral(t *testing.T) {
	var s screen
	jobs := []job{
		{inputs: []string{"a.pcap"}, size: 4 * mib},
		{inputs: []string{"b\n.pcap"}, size: 12 * mib},
		{inputs: []string{"c.pcap"}, size: 16 * mib},
	}
	d := newDisplay(&s, func() (int, int) { return 121, 24 }, jobs)
	a, b := flowfast.Progress{Read: mib, Packets: 10, Open: 1}, flowfast.Progress{Read: 3 * mib, Packets: 30, Open: 2}
	first := d.begin(jobs[0], at(&a))
	d.begin(jobs[1], at(&b))
	now := time.Unix(0, 0)
	check := func(want ...string) {
		t.Helper()
		now = now.Add(time.Second)
		d.draw(now)
		if len(s.lines) != len(want) {
			t.Fatalf("got %q, want %d lines", s.lines, len(want))
		}
		for i, parts := range want {
			for part := range strings.SplitSeq(parts, "|") {
				if !strings.Contains(s.lines[i], part) {
					t.Errorf("line %d is %q, lacks %q", i, s.lines[i], part)
				}
			}
		}
	}
	check("a.pcap| 25% 1/4 MiB", `b\n.pcap| 25% 3/12 MiB`, "0 of 3 captures| 12% 4/32 MiB| pkt/s")
	a.Read = 2 * mib // a broken one: the rest of it will never be read
	d.end(first)
	check("b", "1 of 3 captures| 22% 7/32 MiB| pkt/s")
	d.say(func() {})
	check("b", "1 of 3 captures")
}

func TestDisplayUnknownSize(t *testing.T) {
	p := flowfast.Progress{Read: 3 * mib, Packets: 5, Open: 7}
	l := newLine("-", 0, at(&p))
	got := newDisplay(nil, nil, nil).text(l, time.Unix(0, 0), 80)
	if !strings.HasSuffix(got, "3.0 MiB 0 pkt/s 7 open flows") || strings.Contains(got, "left") {
		t.Errorf("got %q", got)
	}
}

// Whatever the width, a line fits it.
func TestDisplayWidth(t *testing.T) {
	p := flowfast.Progress{Read: 1 << 40, Packets: 1 << 40, Open: 1 << 30}
	for _, name := range []string{"a", strings.Repeat("folder/", 30) + "a.pcap", strings.Repeat("漢", 100), "\x1b[2J\xff"} {
		l := newLine(name, 2<<40, at(&p))
		d := newDisplay(nil, nil, nil)
		for columns := 1; columns < 250; columns++ {
			got := d.text(l, time.Unix(int64(columns), 0), columns)
			if pb.CellCount(got) > columns || strings.Contains(got, "\x1b") {
				t.Fatalf("%q in %d columns: got %q", name, columns, got)
			}
		}
	}
}

// More runs than the terminal has rows: as many as there is room for.
func TestDisplayHeight(t *testing.T) {
	var s screen
	jobs := make([]job, 50)
	d := newDisplay(&s, func() (int, int) { return 80, 10 }, jobs)
	for i := range jobs {
		jobs[i].inputs = []string{fmt.Sprint(i)}
		d.begin(jobs[i], func() flowfast.Progress { return flowfast.Progress{} })
	}
	d.draw(time.Unix(0, 0))
	d.draw(time.Unix(1, 0))
	if len(s.lines) != 9 {
		t.Errorf("got %d lines on 10 rows, want 9", len(s.lines))
	}
}

// On 80 columns the count of captures is whole.
func TestDisplayCount(t *testing.T) {
	var s screen
	jobs := make([]job, 3274)
	for i := range jobs {
		jobs[i].size = 4 * mib
	}
	d := newDisplay(&s, func() (int, int) { return 80, 10 }, jobs)
	d.done, d.ended = 3000, flowfast.Progress{Read: 12000 * mib, Packets: 1 << 30}
	d.draw(time.Unix(0, 0))
	d.draw(time.Unix(1000, 0))
	got := s.lines[0]
	if !strings.HasPrefix(got, "3,000 of 3,274 captures ") || !strings.HasSuffix(got, " 92% 12000/13096 MiB 0 pkt/s 1:31 left") || pb.CellCount(got) > 79 {
		t.Errorf("got %q", got)
	}
}

// After a signal the line says what is being done, instead of a rate that falls.
func TestDisplayStopping(t *testing.T) {
	var s screen
	ctx, stop := context.WithCancel(context.Background())
	p := flowfast.Progress{Read: mib, Packets: 10, Open: 800000}
	d := newDisplay(&s, func() (int, int) { return 80, 10 }, make([]job, 1))
	d.ctx = ctx
	d.begin(job{inputs: []string{"a.pcap"}, size: 4 * mib}, at(&p))
	d.draw(time.Unix(0, 0))
	stop()
	d.draw(time.Unix(1, 0))
	if got := s.lines[0]; !strings.HasSuffix(got, "] stopping: writing open flows") || strings.Contains(got, "left") {
		t.Errorf("got %q", got)
	}
}

// Without a terminal there is a line a minute, of all jobs.
func TestDisplayPlain(t *testing.T) {
	var b bytes.Buffer
	jobs := []job{{inputs: []string{"a.pcap"}, size: 4 * mib}, {inputs: []string{"b.pcap"}, size: 4 * mib}}
	d := newDisplay(&b, nil, jobs)
	p := flowfast.Progress{Read: mib, Packets: 10, Open: 1}
	d.begin(jobs[0], at(&p))
	d.log(time.Unix(0, 0))
	p.Read, p.Packets = 2*mib, 610
	d.log(time.Unix(60, 0))
	want := "flowfast: 0 of 2 captures:  12% 1/8 MiB 0 pkt/s\nflowfast: 0 of 2 captures:  25% 2/8 MiB 10 pkt/s 3:00 left\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// Who wants no display has none, and it can be used all the same.
func TestNoDisplay(t *testing.T) {
	c := command{streams: streams{err: &bytes.Buffer{}}, progress: asNone}
	d := c.display(context.Background(), &plan{})
	if d != nil {
		t.Fatal("a display with --progress none")
	}
	said := false
	d.end(d.begin(job{}, nil))
	d.say(func() { said = true })
	d.close()
	if !said {
		t.Error("the message got lost")
	}
}

// TestProgressObject wants the line for programs to be JSON with the sums of all jobs.
func TestProgressObject(t *testing.T) {
	var out strings.Builder
	d := newDisplay(&out, nil, []job{{inputs: []string{"a"}, size: 100}, {inputs: []string{"b"}, size: 50}})
	first := d.begin(job{inputs: []string{"a"}, size: 100}, func() flowfast.Progress { return flowfast.Progress{Read: 90, Packets: 3} })
	d.end(first)
	d.begin(job{inputs: []string{"b"}, size: 50}, func() flowfast.Progress { return flowfast.Progress{Read: 7, Packets: 2, Open: 1} })
	d.object(time.Time{})
	const want = `{"progress":{"captures_done":1,"captures":2,"bytes_read":107,"bytes":150,"packets":5,"open_flows":1}}` + "\n"
	if out.String() != want {
		t.Errorf("have %s\nwant %s", out.String(), want)
	}
}
