//go:build linux || darwin

package main

import (
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestInterleave wants measurements in turn, each in a process, and an error
// where one has not read all packets.
func TestInterleave(t *testing.T) {
	r, err := newRunner(t.Context(), options{runs: 3, dir: t.TempDir()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	c, err := r.capture(r.dir, "flood100", 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.capture(r.dir, "flood100", 1, 1); err != nil || again.made || !c.made {
		t.Errorf("made %v, again %v (%v), want true and false", c.made, again.made, err)
	}
	var order []string
	counted := func(name string) *measurement {
		return c.measurement("flood", name, func(path string) *exec.Cmd {
			order = append(order, name)
			return r.child("decode", path)
		})
	}
	a, b := counted("a"), counted("b")
	if err := r.interleave([]*measurement{a, b}, c.path); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, ""); got != "ababab" {
		t.Errorf("ran in the order %s, want ababab", got)
	}
	if len(a.costs) != 3 || a.costs[0].Packets != 100 || a.costs[0].Peak < mebi {
		t.Errorf("got %+v, want three costs of 100 packets and a peak", a.costs)
	}
	a.packets = 101
	if err := a.run(); err == nil {
		t.Error("100 packets in place of 101: no error")
	}
	c.leave()
	if left, _ := filepath.Glob(filepath.Join(r.dir, "*.pcap")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		times []time.Duration
		want  float64
	}{
		{nil, math.NaN()},
		{[]time.Duration{7}, 7},
		{[]time.Duration{9, 1, 2}, 2},
		{[]time.Duration{9, 1, 2, 4}, 3},
	} {
		var m measurement
		for _, d := range test.times {
			m.costs = append(m.costs, cost{Wall: d})
		}
		if got := m.wall(); got != test.want && !(math.IsNaN(got) && math.IsNaN(test.want)) {
			t.Errorf("median of %v: %v, want %v", test.times, got, test.want)
		}
	}
}

// TestRatios wants the fastest walk to be the limit, and ratios of medians.
func TestRatios(t *testing.T) {
	timed := func(times ...time.Duration) *measurement {
		m := &measurement{whole: true}
		for _, d := range times {
			m.costs = append(m.costs, cost{Wall: d, Flows: 500})
		}
		return m
	}
	s := suite{
		capture: &capture{size: 2e9, packets: 100},
		walks:   []*measurement{timed(300, 900), timed(200, 400, 9000), timed(500)},
		trial:   timed(16000),
		null:    []*measurement{timed(6000), timed(4000)},
		file:    []*measurement{timed(8000, 1, 9000), timed(4000, 8000)},
	}
	sheet := &sheet{}
	s.ratios("dos", sheet)
	got := strings.Join(sheet.rows[0], " ")
	if want := "dos 100 2.00 500 4.00 20.0 15.0 1.50 1.33 83.3 0.38"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := s.file[0].spread(100), "0.01–90.0"; got != want {
		t.Errorf("spread %s, want %s", got, want)
	}
}
