//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A summary is what flowfast says at its end, as far as it is looked at.
type summary struct {
	Packets uint64 `json:"packets"`
	Flows   uint64 `json:"flows"`
	Evicted uint64 `json:"evicted"`
	Peak    int64  `json:"peak_memory_bytes"`
	Ring    struct {
		Packets uint64 `json:"packets"`
		Dropped uint64 `json:"dropped"`
		Freezes uint64 `json:"freezes"`
	} `json:"ring"`
}

// A session is flowfast at work, and its sender.
type session struct {
	sender  *sender
	cmd     *exec.Cmd
	said    bytes.Buffer
	summary string
}

// start starts flowfast with arguments.
func (o *options) start(ctx context.Context, args ...string) (*session, error) {
	s := &session{summary: filepath.Join(o.dir, "summary.json")}
	var err error
	if s.sender, err = newSender(sendingEnd); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(o.flowfast, append([]string{"live", "-q", "--summary", s.summary}, args...)...)
	s.cmd.Stderr = &s.said
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	fmt.Printf("%s\n\n", strings.Join(s.cmd.Args[1:], " "))
	return s, listening(ctx, 2) // the sender has one
}

// end ends flowfast and returns its summary.
func (s *session) end() (summary, error) {
	var sum summary
	s.sender.close()
	_ = s.cmd.Process.Signal(os.Interrupt)
	if err := s.cmd.Wait(); err != nil {
		return sum, fmt.Errorf("flowfast: %w: %s", err, s.said.Bytes())
	}
	b, err := os.ReadFile(s.summary)
	if err != nil {
		return sum, err
	}
	return sum, json.Unmarshal(b, &sum)
}

// watch sends, and prints a line of what flowfast takes twenty times meanwhile.
func (s *session) watch(ctx context.Context, rate int, d time.Duration) error {
	pid := s.cmd.Process.Pid
	fmt.Println("| after | resident MiB | peak MiB | descriptors | CPU s |\n| ---: | ---: | ---: | ---: | ---: |")
	began, done := time.Now(), make(chan error, 1)
	go func() { done <- s.sender.run(ctx, rate, d) }()
	every := time.NewTicker(d / 20)
	defer every.Stop()
	for {
		select {
		case err := <-done:
			return errors.Join(err, ctx.Err())
		case <-every.C:
			now, peak := resident(pid)
			fmt.Printf("| %v | %d | %d | %d | %.1f |\n", time.Since(began).Round(time.Second), now>>20, peak>>20, descriptors(pid), cpu(pid).Seconds())
		}
	}
}

// soak watches a run for a long time.
func (o *options) soak(ctx context.Context) error {
	out := filepath.Join(o.dir, "flows")
	s, err := o.start(ctx, "--rotate", "1m", "-t", "10", "--active-timeout", "60", "--max-memory", o.bound, "--metrics", "9100", receivingEnd, filepath.Join(out, "%s.csv.zst"))
	if err != nil {
		return err
	}
	s.sender.datagrams(4096, 16)
	// An interrupt ends it earlier, with figures.
	if err := s.watch(ctx, o.rate, o.duration); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	time.Sleep(time.Second)
	sum, err := s.end()
	if err != nil {
		return err
	}
	files, rows, packets, err := count(out)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d packets sent in %v, %d counted, %d dropped; %d rows with %d packets in %d files; peak %d MiB\n",
		s.sender.sent, s.sender.took.Round(time.Second), sum.Packets, sum.Ring.Dropped, rows, packets, files, sum.Peak>>20)
	if packets != sum.Packets || sum.Packets+sum.Ring.Dropped != s.sender.sent || rows != sum.Flows {
		return errors.New("packets are missing")
	}
	return nil
}

// count returns the files, the rows and the packets in them.
func count(folder string) (files int, rows, packets uint64, err error) {
	err = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".csv.zst") {
			return err
		}
		files++
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		z, err := zstd.NewReader(f)
		if err != nil {
			return err
		}
		defer z.Close()
		r := csv.NewReader(z)
		r.ReuseRecord = true
		head, err := r.Read()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		columns := []int{slices.Index(head, "fwd_tot_pkt"), slices.Index(head, "bwd_tot_pkt")}
		for {
			row, err := r.Read()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			rows++
			for _, i := range columns {
				n, err := strconv.ParseUint(row[i], 10, 64)
				if err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				packets += n
			}
		}
	})
	return files, rows, packets, err
}

// flood sends SYN packets as fast as it goes, within a bound of memory.
func (o *options) flood(ctx context.Context) error {
	s, err := o.start(ctx, "--max-memory", o.bound, receivingEnd, os.DevNull)
	if err != nil {
		return err
	}
	s.sender.flood()
	if err := s.watch(ctx, 0, o.duration); err != nil {
		return err
	}
	sum, err := s.end()
	if err != nil {
		return err
	}
	fmt.Printf("\n%d packets sent in %v, %.0f a second; %d counted, %d dropped, %d flows, %d of them evicted; peak %d MiB\n",
		s.sender.sent, s.sender.took.Round(time.Millisecond), float64(s.sender.sent)/s.sender.took.Seconds(), sum.Packets, sum.Ring.Dropped, sum.Flows, sum.Evicted, sum.Peak>>20)
	bound, err := mebibytes(o.bound)
	switch {
	case err != nil:
		return err
	case sum.Packets+sum.Ring.Dropped != s.sender.sent:
		return errors.New("packets are neither counted nor told as dropped")
	case sum.Peak>>20 > bound:
		return fmt.Errorf("memory went beyond %s", o.bound)
	}
	return nil
}

// mebibytes returns the MiB of a bound.
func mebibytes(bound string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSuffix(bound, "MiB"), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("a bound of %q: want MiB", bound)
	}
	return n, nil
}
