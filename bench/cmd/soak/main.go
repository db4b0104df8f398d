//go:build linux

// Soak gives flowfast an endless-looking flood of new flows through a pipe and
// watches its memory and its speed.
//
//	soak [-packets N] [-max-memory SIZE] [-above MIB] [-slowest X] [-flowfast PROGRAM]
//
// It ends with status 1 if the peak of memory goes further above the bound than
// is allowed, or if the last tenth of the packets is consumed at less than half
// of the speed of the first, also by CPU time.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/flowfast/flowfast/bench/release"
)

func main() {
	var o options
	flag.Int64Var(&o.packets, "packets", 200_000_000, "`number` of packets")
	flag.StringVar(&o.bound, "max-memory", "256MiB", "`bound` given to flowfast; none if empty")
	flag.Int64Var(&o.above, "above", 0, "`MiB` that flowfast may take above the bound")
	flag.Float64Var(&o.slowest, "slowest", 0.5, "least `part` of the first tenth's speed that the last may have; 0 where tenths are too short to tell")
	flag.StringVar(&o.flowfast, "flowfast", "", "`program` to watch (default one that is built)")
	flag.Parse()
	bytes, err := size(o.bound)
	switch {
	case flag.NArg() > 0:
		err = fmt.Errorf("%d arguments, but it takes only flags", flag.NArg())
	case err == nil && (o.packets < tenths || o.packets > maxPackets):
		err = fmt.Errorf("%d packets, want %d to %d", o.packets, tenths, maxPackets)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, bytes); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		stop()
		os.Exit(1)
	}
}

type options struct {
	packets  int64
	bound    string // as flowfast takes it
	above    int64  // MiB
	slowest  float64
	flowfast string
}

// size returns the bytes of a bound, 0 if there is none.
func size(bound string) (int64, error) {
	if bound == "" {
		return 0, nil
	}
	var n int64
	var unit string
	if _, err := fmt.Sscanf(bound, "%d%s", &n, &unit); err == nil && n > 0 {
		if shift, ok := map[string]int{"KiB": 10, "MiB": 20, "GiB": 30}[unit]; ok {
			return n << shift, nil
		}
	}
	return 0, fmt.Errorf("a bound of %q: want a number and KiB, MiB or GiB", bound)
}

// run soaks flowfast and prints what was seen.
func run(ctx context.Context, o options, bound int64) error {
	temp, err := os.MkdirTemp("", "flowfast-soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if o.flowfast == "" {
		o.flowfast = filepath.Join(temp, "flowfast")
		if err := release.Command(ctx, o.flowfast); err != nil {
			return err
		}
	}
	args := []string{"-q", "--summary", filepath.Join(temp, "summary.json"), "-", "/dev/null"}
	if o.bound != "" {
		args = append([]string{"--max-memory", o.bound}, args...)
	}
	w := watch{out: os.Stdout, packets: o.packets}
	fmt.Fprintf(w.out, "flowfast %q\n%d packets, each but every %dth of a new flow\n\n", args, o.packets, again)
	cmd := exec.CommandContext(ctx, o.flowfast, args...)
	if err := w.soak(cmd); err != nil {
		return err
	}
	if err := w.check(filepath.Join(temp, "summary.json"), o.bound != ""); err != nil {
		return err
	}
	return w.judge(bound, bound+o.above<<20, o.slowest)
}
