package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// What takes longer than it may is told, and ends the signs of life; nothing else does.
func TestPulse(t *testing.T) {
	clock := &setClock{time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)}
	p := newPulse()
	p.now = clock.now
	p.read.Store(clock.now().UnixNano())
	wants := func(want string) {
		t.Helper()
		err := p.stuck(10 * time.Second)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	clock.at = clock.at.Add(10 * time.Second)
	wants("")
	clock.at = clock.at.Add(time.Second)
	wants("not read for 11s")
	p.read.Store(clock.now().UnixNano())
	wants("")
	w := writing{&slowWriter{at: func() {
		clock.at = clock.at.Add(11 * time.Second)
		p.read.Store(clock.now().UnixNano())
		wants("takes 11s so far")
	}}, p}
	for _, do := range []func() error{func() error { _, err := w.Write(nil); return err }, w.Flush} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		wants("")
	}
}

// A slowWriter does something while it writes.
type slowWriter struct {
	bytes.Buffer
	at func()
}

func (s *slowWriter) Write([]byte) (int, error) { s.at(); return 0, nil }
func (s *slowWriter) Flush() error              { s.at(); return nil }

// Lines for the journal begin with their level, others do not.
func TestJournal(t *testing.T) {
	for journal, want := range map[bool]string{
		false: "flowfast: a\nflowfast: warning: b\nflowfast: c\n",
		true:  "<6>flowfast: a\n<4>flowfast: warning: b\n<3>flowfast: c\n",
	} {
		var said bytes.Buffer
		c := command{streams: streams{err: &said}, journal: journal}
		c.log(slog.LevelInfo, "a")
		c.warn([]string{"b"})
		c.complain(errors.New("c"))
		if said.String() != want {
			t.Errorf("got %q, want %q", said.String(), want)
		}
	}
}
