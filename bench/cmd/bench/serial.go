//go:build linux || darwin

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/flowfast/flowfast/bench/release"
)

// serialScale is the largest scale of the captures of the serial parts: more would
// only take more memory.
const serialScale = 0.1

// serialRuns are how often they are measured at least: the least counts, and one time
// in a busy moment says nothing.
const serialRuns = 5

// serialTimes are what BenchmarkSerial of internal/intake and BenchmarkSerialRows of
// internal/engine measure, in nanoseconds, NaN where they do not.
type serialTimes struct {
	spans, stream, pipe float64 // for each packet
	rows                float64 // for each row
}

// serial prints what is done for one piece, or one chunk of rows, after the other,
// whatever the number of workers.
func (r *runner) serial(all []*scaling) error {
	output, err := r.serialBenchmarks()
	if err != nil {
		return err
	}
	times := readSerial(output)
	t := &sheet{words: 1, header: []string{"workload", "mapped, ns/packet", "stream, ns/packet", "from a pipe, ns/packet", "rows/packet", "ns/row",
		"mapped and rows, ns/packet", "÷ CPU of -j 1"}}
	for _, s := range all {
		serial, ok := times[s.name]
		if !ok {
			continue
		}
		one := s.jobs[0]
		n := float64(s.packets)
		rows := one.median(flows) / n
		both := serial.spans + serial.rows*rows
		t.add(s.name, number(serial.spans), number(serial.stream), number(serial.pipe), number(rows), number(serial.rows), number(both), number(both*n/one.median(cpu)))
	}
	fmt.Fprint(r.out, "\n### Serial parts\n")
	t.print(r.out)
	fmt.Fprintf(r.out, "Measured alone, with 16 tables; scale %g; the least of %d.\n", min(r.scale, serialScale), max(r.runs, serialRuns))
	return nil
}

// serialBenchmarks runs the Go benchmarks and returns what they print.
func (r *runner) serialBenchmarks() (all []byte, err error) {
	for program, pkg := range serialPrograms {
		test := filepath.Join(r.programs, program)
		if r.programs == "" {
			test = filepath.Join(r.temp, program)
			// As go test ./... builds it, which may have done so.
			cmd := exec.CommandContext(r.ctx, "go", "test", "-c", "-o", test, release.Module+pkg)
			if b, err := cmd.CombinedOutput(); err != nil {
				return nil, fmt.Errorf("go test: %w: %s", err, b)
			}
		}
		cmd := exec.CommandContext(r.ctx, test, "-test.run=^$", "-test.bench=Serial/^("+strings.Join(r.workloads, "|")+")$",
			"-test.benchtime="+strconv.Itoa(max(r.runs, serialRuns))+"x", "-scale="+strconv.FormatFloat(min(r.scale, serialScale), 'g', -1, 64))
		cmd.Dir = r.temp
		output, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("the serial parts: %w: %s", err, bytes.TrimSpace(output))
		}
		all = append(all, output...)
	}
	return all, nil
}

// readSerial finds the times of each workload in what the benchmarks print:
//
//	BenchmarkSerial/dos/spans-2   1   98133045 ns/op   2.436 ns/packet
//	BenchmarkSerialRows/dos-2     1   1348882100 ns/op   8.683 ns/row
func readSerial(output []byte) map[string]serialTimes {
	times := map[string]serialTimes{}
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		value, err := strconv.ParseFloat(fields[len(fields)-2], 64)
		name := strings.Split(fields[0], "/")
		if err != nil || len(name) < 2 || !strings.HasPrefix(name[0], "BenchmarkSerial") {
			continue
		}
		last := &name[len(name)-1]
		*last, _, _ = strings.Cut(*last, "-") // and the number of processors, if that is not 1
		t, ok := times[name[1]]
		if !ok {
			t = serialTimes{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
		}
		switch {
		case fields[len(fields)-1] == "ns/row":
			t.rows = value
		case *last == "spans":
			t.spans = value
		case *last == "stream":
			t.stream = value
		case *last == "pipe":
			t.pipe = value
		}
		times[name[1]] = t
	}
	return times
}
