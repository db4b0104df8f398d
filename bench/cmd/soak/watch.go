//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const tenths = 10

// A watch is a run of flowfast under a flood, and what was seen of it.
type watch struct {
	out     io.Writer
	packets int64
	speed   [tenths]float64 // packets per second
	cpu     [tenths]float64 // packets per second of CPU time
	peak    int64           // bytes
}

// soak gives the flood to a process and watches it to its end.
func (w *watch) soak(cmd *exec.Cmd) error {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	r, pipe, err := os.Pipe()
	if err != nil {
		return err
	}
	defer pipe.Close()
	cmd.Stdin = r
	err = cmd.Start()
	r.Close()
	if err != nil {
		return err
	}
	m := newMemory(cmd.Process.Pid)
	wrong := w.pour(pipe, m)
	wrong = errors.Join(wrong, pipe.Close())
	err = cmd.Wait()
	m.close()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		w.peak = max(m.peak, usage.Maxrss<<10)
	}
	if err != nil {
		return fmt.Errorf("flowfast: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return wrong
}

// pour writes the flood into the pipe, whose few hundred KiB at most are all
// that can be written and not consumed, and a line for each tenth.
func (w *watch) pour(pipe io.Writer, m *memory) error {
	if _, err := pipe.Write(fileHeader); err != nil {
		return err
	}
	f := newFlood()
	fmt.Fprintf(w.out, "%-6s %14s %14s %16s %12s %12s\n", "tenth", "packets", "packets/s", "packets/CPU s", "RSS, MiB", "peak, MiB")
	began, used := time.Now(), cpuTime(m.pid)
	for i := range w.speed {
		first, end := f.next, w.packets*int64(i+1)/tenths
		for f.next < end {
			if _, err := pipe.Write(f.fill(int(min(batch, end-f.next)))); err != nil {
				return err
			}
		}
		now, cpu := time.Now(), cpuTime(m.pid)
		w.speed[i] = float64(end-first) / now.Sub(began).Seconds()
		w.cpu[i] = float64(end-first) / max(cpu-used, tick).Seconds()
		began, used = now, cpu
		most, peak := m.mostSince()
		fmt.Fprintf(w.out, "%-6d %14d %14.0f %16.0f %12.1f %12.1f\n", i+1, end, w.speed[i], w.cpu[i], mebi(most), mebi(peak))
	}
	return nil
}

// check wants every packet and every flow in the summary.
func (w *watch) check(path string, bounded bool) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var s struct {
		Packets, Flows, Evicted int64
		Classes                 struct{ Counted int64 }
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "\n%-18s %14d\n%-18s %14d\n", "flows", s.Flows, "finished early", s.Evicted)
	want := flows(w.packets)
	switch {
	case s.Packets != w.packets || s.Classes.Counted != w.packets:
		return fmt.Errorf("%d packets of which %d were counted, want %d", s.Packets, s.Classes.Counted, w.packets)
	case s.Flows < want || s.Flows > want && !bounded:
		return fmt.Errorf("%d flows, want %d", s.Flows, want)
	}
	return nil
}

// judge prints the figures that matter, and returns an error if one is bad: a
// peak above the most, where there is a bound, or a last tenth that has less
// than a part of the speed of the first, in time and in CPU time: in time alone
// it has if other programs took the processor.
func (w *watch) judge(bound, most int64, slowest float64) error {
	wall, cpu := w.speed[tenths-1]/w.speed[0], w.cpu[tenths-1]/w.cpu[0]
	fmt.Fprintf(w.out, "%-18s %14.1f MiB\n", "peak memory", mebi(w.peak))
	if bound > 0 {
		fmt.Fprintf(w.out, "%-18s %14.1f MiB, and %.1f MiB above it\n", "most", mebi(bound), mebi(most-bound))
	}
	fmt.Fprintf(w.out, "%-18s %14.2f of the first one's speed, %.2f by CPU time\n", "last tenth", wall, cpu)
	var err error
	if bound > 0 && w.peak > most {
		err = fmt.Errorf("a peak of %.1f MiB, the most is %.1f", mebi(w.peak), mebi(most))
	}
	if ratio := max(wall, cpu); ratio < slowest {
		err = errors.Join(err, fmt.Errorf("the last tenth has %.2f of the first one's speed, the least is %g", ratio, slowest))
	}
	return err
}

func mebi(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// A memory watches the memory of a process, ten times a second.
type memory struct {
	pid  int
	quit chan struct{}
	gone sync.WaitGroup

	mu   sync.Mutex
	most int64 // resident, since it was asked for last
	peak int64
}

func newMemory(pid int) *memory {
	m := &memory{pid: pid, quit: make(chan struct{})}
	m.gone.Go(func() {
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				m.look()
			case <-m.quit:
				return
			}
		}
	})
	return m
}

func (m *memory) close() {
	close(m.quit)
	m.gone.Wait()
}

// look reads what is resident. A process that has ended has nothing.
func (m *memory) look() {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.pid))
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.most = max(m.most, field(status, "VmRSS"))
	m.peak = max(m.peak, field(status, "VmHWM"))
}

// mostSince returns the most that was seen resident since it was called last,
// and the most that ever was, which can have come between two looks.
func (m *memory) mostSince() (most, peak int64) {
	m.look()
	m.mu.Lock()
	defer m.mu.Unlock()
	most, m.most = m.most, 0
	return most, m.peak
}

// field returns the bytes of a field that has KiB, 0 if there is none.
func field(status []byte, name string) int64 {
	_, after, _ := bytes.Cut(status, []byte("\n"+name+":"))
	line, _, _ := bytes.Cut(after, []byte("kB"))
	kib, _ := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	return kib << 10
}

const tick = time.Second / 100 // of the times in /proc, on every machine that Go runs on

// cpuTime returns the CPU time of a process, 0 of one that has gone: the fields
// 14 and 15, where the second is a name in parentheses (proc_pid_stat(5)).
func cpuTime(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	user, _ := strconv.ParseInt(string(fields[11]), 10, 64)
	system, _ := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * tick
}
