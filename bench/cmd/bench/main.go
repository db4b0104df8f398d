//go:build linux || darwin

// Bench measures flowfast and prints what it measured as Markdown.
//
//	bench [flags] [MODE...]
//
// The modes are table (walks, decoder, engine and the whole job on every
// workload), series (floods of more and more open flows), compressed (gzip and
// zstd), folder (-r over eight files), profiles (other columns and formats), labels (rules
// of --labels), cores (more and more workers), pgo (with and without the profile), and all, which is
// all but pgo. bench/README.md tells what the columns mean.
//
// Every measurement is a process of its own: this program again as
//
//	bench child KIND ARGUMENT...
//
// or the flowfast command, built as it is released. And
//
//	bench [flags] profile FILE
//
// writes the profile that flowfast is compiled with, and
//
//	bench build FOLDER
//
// the programs that -programs takes, for a machine that has no Go.
//
// A measurement goes through the files of this folder in this order:
//
//	main.go          flags and modes
//	runner.go        captures, and measurements in turn
//	measurement.go   one measurement and its runs
//	child.go         what a child measures of itself; the kinds are in walk.go,
//	                 engine.go, pauses.go, compress.go and profile.go
//	instructions.go  instructions, by perf or callgrind
//	programs.go      the programs that are measured
//	workloads.go, series.go, compressed.go, folder.go, profiles.go, cores.go,
//	serial.go, pgo.go   the modes
//	markdown.go, plot.go, machine.go   what is printed
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/flowfast/flowfast/bench/workload"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		if err := child(os.Stdout, os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		os.Exit(2) // it has been said
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		stop()
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what the user asked for.
type options struct {
	scale     float64
	runs      int
	dir       string
	workloads []string
	svg       string
	pgo       string
	modes     []string
	profile   string // where the profile goes
	buildTo   string // where programs go

	mostWorkers int    // of the mode cores
	programs    string // folder of programs that are built already
}

var modes = []string{"table", "series", "compressed", "folder", "profiles", "labels", "cores"}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.Float64Var(&o.scale, "scale", 1, "part of the full `size` of every capture")
	f.IntVar(&o.runs, "runs", 5, "runs of each measurement; medians are printed")
	f.StringVar(&o.dir, "dir", workload.Folder(), "`folder` for captures and rows; captures that are there already are kept, others are removed")
	only := f.String("only", "", "comma-separated `workloads` (default all)")
	f.StringVar(&o.svg, "svg", "", "write the plots of the modes series and cores to this `folder`")
	f.StringVar(&o.pgo, "pgo", "cmd/flowfast/default.pgo", "profile `file` of the mode pgo")
	f.IntVar(&o.mostWorkers, "cores", processors(), "most `workers` of the mode cores")
	f.StringVar(&o.programs, "programs", "", "`folder` of programs that bench build has made, to build none")
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "usage: bench [flags] [%s|all|pgo]...\n       bench [flags] profile FILE\n       bench build FOLDER\n", strings.Join(modes, "|"))
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.workloads = workload.Names()
	if *only != "" {
		o.workloads = strings.Split(*only, ",")
	}
	o.modes = f.Args()
	if err := o.check(); err != nil {
		fmt.Fprintln(f.Output(), "bench:", err)
		f.Usage()
		return o, err
	}
	return o, nil
}

func (o *options) check() error {
	if o.scale <= 0 || o.runs < 1 || o.mostWorkers < 1 {
		return errors.New("scale, runs and cores must be above zero")
	}
	for _, name := range o.workloads {
		if workload.Packets(name, o.scale) == 0 {
			return fmt.Errorf("no packet of a workload %q", name)
		}
	}
	if len(o.modes) == 2 && o.modes[0] == "profile" {
		o.profile, o.modes = o.modes[1], nil
		return nil
	}
	if len(o.modes) == 2 && o.modes[0] == "build" {
		o.buildTo, o.modes = o.modes[1], nil
		return nil
	}
	if len(o.modes) == 0 || slices.Equal(o.modes, []string{"all"}) {
		o.modes = modes
	}
	for _, mode := range o.modes {
		if mode != "pgo" && !slices.Contains(modes, mode) {
			return fmt.Errorf("no mode %q", mode)
		}
	}
	return nil
}

func run(ctx context.Context, o options) error {
	r, err := newRunner(ctx, o, os.Stdout)
	if err != nil {
		return err
	}
	defer r.close()
	if o.profile != "" {
		return r.profile(o.profile)
	}
	if o.buildTo != "" {
		return r.buildAll(o.buildTo)
	}
	printMachine(r.out, os.Args[1:])
	for _, mode := range o.modes {
		switch mode {
		case "table":
			err = r.table()
		case "series":
			err = r.series()
		case "compressed":
			err = r.compressed()
		case "folder":
			err = r.folder()
		case "profiles":
			err = r.profiles()
		case "labels":
			err = r.labels()
		case "cores":
			err = r.cores()
		case "pgo":
			err = r.pgoMode()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", mode, err)
		}
	}
	return nil
}
