//go:build linux || darwin

// Peers runs flowfast and the other programs of package peers on the same
// captures and writes a Markdown table of what each of them cost.
//
//	peers [-scale X] [-only benign,flood] [-peers argus,tshark] [-runs N] [-limit D]
//	peers -pip [-python PROGRAM]
//
// With -pip it makes the virtual environment of the Python peers instead, in
// the user's cache folder.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/flowfast/flowfast/bench/peers"
	"github.com/flowfast/flowfast/bench/workload"
)

func main() {
	options := peers.Options{Dir: workload.Folder(), Progress: os.Stderr}
	flag.Float64Var(&options.Scale, "scale", 1, "part of the full `size` of the workloads")
	flag.IntVar(&options.Runs, "runs", 3, "runs of each program, of which the medians are told")
	flag.DurationVar(&options.Limit, "limit", 10*time.Minute, "the longest that one run may take")
	only := flag.String("only", strings.Join(workload.Names(), ","), "`workloads`")
	names := flag.String("peers", "", "`names` of the peers to run (default all that are installed)")
	pip := flag.Bool("pip", false, "install the Python peers and end")
	interpreter := flag.String("python", "python3", "`program` to make their environment with: Python 3.12 or newer")
	flag.Parse()
	workloads, some := split(*only), split(*names)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := check(options, workloads, some, flag.NArg())
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(2)
	case *pip:
		err = install(ctx, *interpreter)
	default:
		err = compare(ctx, options, workloads, some)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

func check(o peers.Options, workloads, some []string, arguments int) error {
	switch {
	case arguments > 0:
		return fmt.Errorf("%d arguments, but it takes only flags", arguments)
	case o.Runs < 1:
		return fmt.Errorf("%d runs, but the least is 1", o.Runs)
	case o.Limit <= 0:
		return fmt.Errorf("a limit of %v leaves no time", o.Limit)
	}
	for _, name := range workloads {
		if workload.Packets(name, o.Scale) < 1 {
			return fmt.Errorf("no packets of a workload %q at scale %g", name, o.Scale)
		}
	}
	for _, name := range some {
		if !slices.ContainsFunc(peers.Peers, func(p *peers.Peer) bool { return p.Name == name }) {
			return fmt.Errorf("no peer %q", name)
		}
	}
	return nil
}

func install(ctx context.Context, interpreter string) error {
	venv, err := peers.Venv()
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "installing into", venv)
	return peers.Install(ctx, venv, interpreter, os.Stderr)
}

func compare(ctx context.Context, o peers.Options, workloads, some []string) error {
	venv, err := peers.Venv()
	if err != nil {
		return err
	}
	found, missing := find(ctx, venv, some)
	b, err := peers.New(ctx, o)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.Start(ctx, found); err != nil {
		return err
	}
	peers.Head(os.Stdout, strings.Join(append([]string{"go run ./bench/cmd/peers"}, os.Args[1:]...), " "))
	b.Installed(os.Stdout, found, missing)
	peers.GroupHead(os.Stdout)
	for _, name := range workloads {
		if err := b.Compare(ctx, name, found, func(g peers.Group) { g.Write(os.Stdout) }); err != nil {
			return err
		}
	}
	return nil
}

// find looks for some peers, or for all; missing says why one can't be run.
func find(ctx context.Context, venv string, some []string) (found []peers.Found, missing map[string]error) {
	missing = map[string]error{}
	for _, p := range peers.Peers {
		if len(some) > 0 && !slices.Contains(some, p.Name) {
			continue
		}
		f, err := p.Find(ctx, venv)
		if err != nil {
			missing[p.Name] = err
			continue
		}
		found = append(found, f)
	}
	return found, missing
}
