//go:build linux || darwin

package main

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestPowersUpTo(t *testing.T) {
	for n, want := range map[int][]int{1: {1}, 2: {1, 2}, 3: {1, 2, 3}, 16: {1, 2, 4, 8, 16}, 20: {1, 2, 4, 8, 16, 20}} {
		if got := powersUpTo(n); !slices.Equal(got, want) {
			t.Errorf("%d: got %v, want %v", n, got, want)
		}
	}
}

// TestSpeedUp wants the ratio of times, and none for more workers than processors.
func TestSpeedUp(t *testing.T) {
	workers := []int{1, processors(), processors() + 1}
	s := scaling{name: "dos"}
	for _, d := range []time.Duration{9000, 3000, 1000} {
		s.jobs = append(s.jobs, &measurement{costs: []cost{{Wall: d, CPU: 2 * d}}})
	}
	if got := s.speedUp(1, workers); got != 3 {
		t.Errorf("got %v, want 3", got)
	}
	if got := s.speedUp(2, workers); !math.IsNaN(got) {
		t.Errorf("of more workers than processors: %v", got)
	}
	if got := s.cpuRatio(2); got != 1.0/9 {
		t.Errorf("CPU time: %v, want a ninth", got)
	}
	panels := scalingPanels([]*scaling{&s}, workers)
	if up, cpu := panels[0].curves[0], panels[1].curves[0]; len(up.x) != 2 || len(cpu.x) != 3 {
		t.Errorf("%d and %d points, want 2 and 3", len(up.x), len(cpu.x))
	}
}

func TestReadSerial(t *testing.T) {
	times := readSerial([]byte(`goos: linux
BenchmarkSerial/dos/spans-2         	       5	  98133045 ns/op	         2.436 ns/packet
BenchmarkSerial/dos/stream-2        	       5	  68176512 ns/op	       100.7 ns/packet
BenchmarkSerial/dos/pipe-2   	       1	  98133045 ns/op	        12.5 ns/packet
BenchmarkSerialRows/dos             	       5	1348882100 ns/op	         8.683 ns/row
BenchmarkSerial/slow/spans-16       	       5	  53071912 ns/op	         5.327 ns/packet
PASS
`))
	if got, want := times["dos"], (serialTimes{2.436, 100.7, 12.5, 8.683}); got != want {
		t.Errorf("dos: got %v, want %v", got, want)
	}
	if got := times["slow"]; got.spans != 5.327 || !math.IsNaN(got.stream) || !math.IsNaN(got.rows) {
		t.Errorf("slow: got %v", got)
	}
	if len(times) != 2 {
		t.Errorf("%d workloads, want 2", len(times))
	}
}
