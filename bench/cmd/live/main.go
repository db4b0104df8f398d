//go:build linux

// Live measures flowfast live, and other programs beside it, on a pair of interfaces
// in a network namespace of its own: root, or a system with user namespaces.
//
//	live [-rates 10000,50000] [-for D] [-programs flowfast,dumpcap] [-sender tcpreplay] loss
//	live [-for D] [-max-memory SIZE] flood
//	live [-for D] [-rate N] soak
//
// Loss sends packets at each rate to each program in turn, and says how many of them
// it saw and what CPU time it took. Flood sends SYN packets, each a flow of its own, as
// fast as it can. Soak sends flows of 16 packets for a long time, watches memory and
// descriptors, and adds up the rows. Flood and soak end with status 1 if a bound is
// not kept, or packets are in no row.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/flowfast/flowfast/bench/release"
)

// Options are what the flags say.
type options struct {
	mode     string
	rates    []int // packets per second
	rate     int
	duration time.Duration
	programs []string
	sender   string
	bound    string // of memory, as flowfast takes it
	flowfast string
	python   string
	dir      string
}

func main() {
	var o options
	rates := flag.String("rates", "10000,50000,100000,200000", "packets per second, in the mode loss: `list`")
	programs := flag.String("programs", strings.Join(programNames(), ","), "programs of the mode loss: `list`")
	flag.StringVar(&o.sender, "sender", ownSender, "`program` that sends in the mode loss: own or tcpreplay")
	flag.IntVar(&o.rate, "rate", 20000, "`packets` per second, in the mode soak")
	flag.DurationVar(&o.duration, "for", 0, "`time` to send for (default 5s for loss, 1m for flood, 30m for soak)")
	flag.StringVar(&o.bound, "max-memory", "256MiB", "`bound` given to flowfast in the modes flood and soak")
	flag.StringVar(&o.flowfast, "flowfast", "", "`program` to measure (default one that is built)")
	flag.StringVar(&o.python, "python", "python3", "`program` that has NFStream")
	flag.Parse()
	o.programs, o.mode = strings.Split(*programs, ","), flag.Arg(0)
	if err := o.check(*rates, flag.NArg()); err != nil {
		fmt.Fprintln(os.Stderr, "live:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := o.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "live:", err)
		os.Exit(1)
	}
}

func (o *options) check(rates string, args int) error {
	if args != 1 {
		return fmt.Errorf("%d arguments, want a mode: loss, flood or soak", args)
	}
	usual, ok := map[string]time.Duration{"loss": 5 * time.Second, "flood": time.Minute, "soak": 30 * time.Minute}[o.mode]
	if !ok {
		return fmt.Errorf("mode %q: want loss, flood or soak", o.mode)
	}
	if !slices.Contains(senders, o.sender) {
		return fmt.Errorf("sender %q: want %s", o.sender, strings.Join(senders, " or "))
	}
	if o.duration == 0 {
		o.duration = usual
	}
	for text := range strings.SplitSeq(rates, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("rate %q: want packets per second", text)
		}
		o.rates = append(o.rates, n)
	}
	if o.duration < time.Second || o.rate < 1 {
		return errors.New("want a second and a packet per second at least")
	}
	return nil
}

// inside tells a process that it is in the namespace.
const inside = "FLOWFAST_BENCH_NAMESPACE"

// run runs a mode, in a namespace.
func (o *options) run(ctx context.Context) error {
	if os.Getenv(inside) == "" {
		return enter(ctx)
	}
	var err error
	if o.dir, err = os.MkdirTemp("", "flowfast-live-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.dir)
	if o.flowfast == "" {
		o.flowfast = filepath.Join(o.dir, "flowfast")
		if err := release.Command(ctx, o.flowfast); err != nil {
			return err
		}
	}
	for _, args := range []string{
		"link set lo up",
		"link add " + sendingEnd + " type veth peer name " + receivingEnd,
		"link set " + sendingEnd + " up", "link set " + receivingEnd + " up",
	} {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
	}
	switch o.mode {
	case "loss":
		return o.loss(ctx)
	case "flood":
		return o.flood(ctx)
	}
	return o.soak(ctx)
}

// The ends of the cable.
const (
	sendingEnd   = "ffsend"
	receivingEnd = "ffrecv"
)

// enter runs this program again in a network namespace in which nothing else sends.
func enter(ctx context.Context) error {
	const quiet = "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; exec \"$@\""
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", quiet, "sh", "/proc/self/exe"}, os.Args[1:]...)...)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd.Args[4] = self
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	// What is inside is to end in order.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd.Run()
}
