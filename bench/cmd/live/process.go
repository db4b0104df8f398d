//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tree returns a process and all below it.
func tree(root int) []int {
	all := []int{root}
	for i := 0; i < len(all); i++ {
		names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		for _, name := range names {
			b, _ := os.ReadFile(name)
			for text := range strings.FieldsSeq(string(b)) {
				if pid, err := strconv.Atoi(text); err == nil {
					all = append(all, pid)
				}
			}
		}
	}
	return all
}

// cpu returns the CPU time of a process and all below it, by their CPU-time clocks
// (clock_getcpuclockid(3)), which are finer than what stands under /proc.
func cpu(root int) (sum time.Duration) {
	for _, pid := range tree(root) {
		var t unix.Timespec
		if unix.ClockGettime(int32(^pid<<3|2), &t) == nil {
			sum += time.Duration(t.Nano())
		}
	}
	return sum
}

// resident returns the memory of a process that is resident, and the most that was, in
// bytes.
func resident(pid int) (now, peak int64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	value := func(name string) int64 {
		_, after, _ := strings.Cut(string(b), "\n"+name+":")
		var n int64
		_, _ = fmt.Sscan(after, &n)
		return n << 10
	}
	return value("VmRSS"), value("VmHWM")
}

// descriptors returns how many files a process has open.
func descriptors(pid int) int {
	all, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(all)
}

// listening waits until so many packet sockets are there.
func listening(ctx context.Context, n int) error {
	for until := time.Now().Add(time.Minute); ; {
		b, err := os.ReadFile("/proc/self/net/packet")
		if err != nil {
			return err
		}
		if strings.Count(string(b), "\n")-1 >= n {
			return sleep(ctx, time.Second/2)
		}
		if time.Now().After(until) {
			return fmt.Errorf("no packet socket after a minute")
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
