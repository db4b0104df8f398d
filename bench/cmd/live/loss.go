//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/flowfast/flowfast/ioutil"
)

// A program takes packets from an interface. All have a buffer of 32 MiB, and keep
// flows until the end.
type program struct {
	name string
	// command returns how it is run. Its files go to a folder.
	command func(o *options, dir string) []string
	// before returns what it has seen while it runs, nil where it says so at its end.
	before func(dir string, said []byte) (uint64, error)
	after  func(dir string, said []byte) (uint64, error)
}

const buffer = 32 << 20 // bytes

var programs = []program{
	{
		name: "flowfast",
		command: func(o *options, dir string) []string {
			return []string{o.flowfast, "live", "-q", "--summary", dir + "/summary.json", receivingEnd, dir + "/flows.csv"}
		},
		after: func(dir string, _ []byte) (uint64, error) {
			b, err := os.ReadFile(dir + "/summary.json")
			if err != nil {
				return 0, err
			}
			var s summary
			return s.Packets, errors.Join(json.Unmarshal(b, &s), unequal(&s))
		},
	},
	{
		name: "dumpcap",
		command: func(_ *options, dir string) []string {
			return []string{"dumpcap", "-q", "-B", fmt.Sprint(buffer >> 20), "-i", receivingEnd, "-w", dir + "/capture.pcapng"}
		},
		after: func(dir string, _ []byte) (n uint64, err error) {
			c, err := ioutil.Open(dir + "/capture.pcapng")
			if err != nil {
				return 0, err
			}
			defer c.Close()
			records := make([]ioutil.Record, 1000)
			for {
				more, err := c.Read(records)
				n += uint64(more)
				if err == io.EOF {
					return n, nil
				} else if err != nil {
					return n, err
				}
			}
		},
	},
	{
		name: "softflowd",
		command: func(_ *options, dir string) []string {
			return []string{"softflowd", "-d", "-i", receivingEnd, "-n", "127.0.0.1:9", "-m", "200000", "-B", fmt.Sprint(buffer),
				"-p", dir + "/pid", "-c", dir + "/control"}
		},
		before: func(dir string, _ []byte) (uint64, error) {
			b, err := exec.Command("softflowctl", "-c", dir+"/control", "statistics").CombinedOutput()
			if err != nil {
				return 0, fmt.Errorf("softflowctl: %w: %s", err, b)
			}
			return lastNumber(`Packets processed: (\d+)`, b)
		},
	},
	{
		name: "argus",
		command: func(_ *options, dir string) []string {
			return []string{"argus", "-i", receivingEnd, "-w", dir + "/argus.out"}
		},
		after: func(dir string, _ []byte) (uint64, error) {
			b, err := exec.Command("racount", "-r", dir+"/argus.out", "-", "udp").Output()
			if err != nil {
				return 0, fmt.Errorf("racount: %w", err)
			}
			return lastNumber(`sum +\d+ +(\d+)`, b)
		},
	},
	{
		name: "NFStream",
		command: func(o *options, _ string) []string {
			const script = "import sys; from nfstream import NFStreamer\n" +
				"for f in NFStreamer(source=sys.argv[1], n_dissections=0, idle_timeout=600, performance_report=1, socket_buffer_size=int(sys.argv[2])): pass"
			return []string{o.python, "-u", "-c", script, receivingEnd, fmt.Sprint(buffer)}
		},
		before: func(_ string, said []byte) (uint64, error) { return lastNumber(`"packets_processed": (\d+)`, said) },
	},
}

func programNames() (names []string) {
	for _, p := range programs {
		names = append(names, p.name)
	}
	return names
}

// unequal returns an error if packets are neither counted nor told as dropped.
func unequal(s *summary) error {
	if s.Packets+s.Ring.Dropped != s.Ring.Packets {
		return fmt.Errorf("flowfast counts %d packets and %d dropped of %d", s.Packets, s.Ring.Dropped, s.Ring.Packets)
	}
	return nil
}

// lastNumber returns what the last match of a pattern has as its group.
func lastNumber(pattern string, text []byte) (uint64, error) {
	all := regexp.MustCompile(pattern).FindAllSubmatch(text, -1)
	if all == nil {
		return 0, fmt.Errorf("no %s in %q", pattern, text[max(0, len(text)-500):])
	}
	return strconv.ParseUint(string(all[len(all)-1][1]), 10, 64)
}

// flowsOfLoss is how many flows the packets of this mode are of.
const flowsOfLoss = 1 << 13

// loss measures each program at each rate.
func (o *options) loss(ctx context.Context) error {
	fmt.Print("| packets/s | program | sent | seen | lost | CPU, ns/packet |\n| ---: | --- | ---: | ---: | ---: | ---: |\n")
	for _, rate := range o.rates {
		for _, p := range programs {
			if !slices.Contains(o.programs, p.name) {
				continue
			}
			if err := o.measure(ctx, &p, rate); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				fmt.Printf("| %d | %s | %v | | | |\n", rate, p.name, strings.ReplaceAll(err.Error(), "\n", " "))
			}
		}
	}
	return nil
}

// measure measures one program at a rate.
func (o *options) measure(ctx context.Context, p *program, rate int) error {
	dir, err := os.MkdirTemp(o.dir, "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := newSender(sendingEnd)
	if err != nil {
		return err
	}
	defer s.close()
	s.datagrams(flowsOfLoss, 0)
	args := p.command(o, dir)
	cmd := exec.Command(args[0], args[1:]...)
	out, err := os.Create(filepath.Join(dir, "said"))
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan bool)
	go func() {
		_ = cmd.Wait() // some have a status of their own
		close(ended)
	}()
	defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }()
	said := func() []byte { b, _ := os.ReadFile(out.Name()); return bytes.TrimSpace(b) }
	if err := listening(ctx, 2); err != nil { // the sender has one
		return fmt.Errorf("%w: %s", err, said())
	}
	start := cpu(cmd.Process.Pid)
	if err := o.send(ctx, s, dir, rate); err != nil {
		return err
	}
	reached := float64(s.sent) / s.took.Seconds()
	// Some look at the time only when packets come.
	if err := s.run(ctx, 50, 5*time.Second/2); err != nil {
		return err
	}
	if err := sleep(ctx, 3*time.Second/2); err != nil {
		return err
	}
	seen := uint64(0)
	if p.before != nil {
		if seen, err = p.before(dir, said()); err != nil {
			return err
		}
	}
	spent := cpu(cmd.Process.Pid)
	_ = cmd.Process.Signal(os.Interrupt)
	select {
	case <-ended:
		u := cmd.ProcessState
		spent = max(spent, u.UserTime()+u.SystemTime()) - start
	case <-time.After(30 * time.Second):
		spent -= start
	}
	if p.after != nil {
		if seen, err = p.after(dir, said()); err != nil {
			return err
		}
	}
	fmt.Printf("| %.0f | %s | %d | %d | %.2f %% | %.0f |\n", reached, p.name, s.sent, seen,
		100*(1-float64(seen)/float64(max(s.sent, 1))), float64(spent)/float64(max(s.sent, 1)))
	return ctx.Err()
}
