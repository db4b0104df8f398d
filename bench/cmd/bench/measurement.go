//go:build linux || darwin

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/flowfast/flowfast/bench/process"
)

// A measurement is a command that is run several times.
type measurement struct {
	workload, name string
	command        func(path string) *exec.Cmd // on a capture
	path           string                      // the capture
	output         string                      // what the command leaves, "" for nothing
	packets        int                         // that it must have read, 0 if it does not say
	// whole is set when the command is all of what is measured, from its start
	// to its end; else it says itself what its part took.
	whole bool

	costs        []cost
	instructions float64 // per packet, NaN if they were not counted
}

// measurement makes a command a measurement on a capture.
func (c *capture) measurement(workload, name string, command func(path string) *exec.Cmd) *measurement {
	return &measurement{workload: workload, name: name, command: command, path: c.path, packets: c.packets, instructions: math.NaN()}
}

// job makes a whole job on a capture a measurement.
func (r *runner) job(c *capture, workload, name, program string, jobs int, output string, flags ...string) *measurement {
	m := c.measurement(workload, fmt.Sprintf("%s, -j %d", name, jobs), func(path string) *exec.Cmd {
		return r.whole(program, jobs, append(flags[:len(flags):len(flags)], path, output)...)
	})
	m.whole = true
	if output != os.DevNull {
		m.output = output
	}
	return m
}

// rows returns the name of a file for rows.
func (r *runner) rows() string { return filepath.Join(r.temp, "rows.csv") }

// run runs the command once more.
func (m *measurement) run() error {
	cmd := m.command(m.path)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if m.output != "" {
		defer os.RemoveAll(m.output)
	}
	u, err := process.Run(cmd)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", m.workload, m.name, err)
	}
	var c cost
	if err := json.Unmarshal(stdout.Bytes(), &c); err != nil {
		return fmt.Errorf("%s, %s: %w", m.workload, m.name, err)
	}
	if m.packets != 0 && c.Packets != m.packets {
		return fmt.Errorf("%s, %s: %d packets, want %d", m.workload, m.name, c.Packets, m.packets)
	}
	if m.whole {
		c.Wall, c.CPU = u.Wall, u.CPU()
	}
	c.Peak = u.Peak
	m.costs = append(m.costs, c)
	return nil
}

// median returns the median over the runs of what of gives for each. Of an even
// number of runs it is the mean of the middle two.
func (m *measurement) median(of func(*cost) float64) float64 {
	values := m.values(of)
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}

// values returns what of gives for each run, in ascending order.
func (m *measurement) values(of func(*cost) float64) []float64 {
	values := make([]float64, len(m.costs))
	for i := range m.costs {
		values[i] = of(&m.costs[i])
	}
	slices.Sort(values)
	return values
}

func wall(c *cost) float64    { return float64(c.Wall) }
func cpu(c *cost) float64     { return float64(c.CPU) }
func peak(c *cost) float64    { return float64(c.Peak) }
func flows(c *cost) float64   { return float64(c.Flows) }
func mallocs(c *cost) float64 { return float64(c.Mallocs) }

// wall returns the median time.
func (m *measurement) wall() float64 { return m.median(wall) }

// perPacket returns the median time per packet in nanoseconds.
func (m *measurement) perPacket(c *capture) float64 { return m.wall() / float64(c.packets) }

// spread returns the shortest and the longest time per packet.
func (m *measurement) spread(packets int) string {
	if !m.whole || len(m.costs) == 0 {
		return none
	}
	v := m.values(wall)
	return number(v[0]/float64(packets)) + "–" + number(v[len(v)-1]/float64(packets))
}

// perSecond returns a count of a run as a rate.
func (m *measurement) perSecond(count float64) float64 {
	return count / (m.wall() / float64(time.Second))
}
