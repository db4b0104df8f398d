// Generate writes a workload of the benchmarks as a pcap file to standard
// output, or several into a folder.
//
//	generate [-scale X] [-seed N] NAME > FILE
//	generate [-scale X] [-seed N] -dir DIR NAME...
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/flowfast/flowfast/bench/workload"
)

func main() {
	scale := flag.Float64("scale", 1, "part of the full `size`")
	seed := flag.Uint64("seed", 1, "seed")
	dir := flag.String("dir", "", "write each workload into a file of this `folder`")
	flag.Usage = usage
	flag.Parse()
	if flag.NArg() == 0 || *dir == "" && flag.NArg() > 1 {
		usage()
		os.Exit(2)
	}
	if err := run(*dir, *scale, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func usage() {
	out := flag.CommandLine.Output()
	fmt.Fprintln(out, "usage: generate [flags] NAME > FILE\n       generate [flags] -dir DIR NAME...")
	flag.PrintDefaults()
	for _, name := range workload.Names() {
		fmt.Fprintf(out, "%-9s %10d packets: %s\n", name, workload.Packets(name, 1), workload.About(name))
	}
	fmt.Fprintln(out, "floodN             N packets: a SYN flood, whatever the scale")
}

func run(dir string, scale float64, seed uint64) error {
	if dir == "" {
		return workload.Write(os.Stdout, flag.Arg(0), scale, seed)
	}
	for _, name := range flag.Args() {
		began := time.Now()
		path, size, err := workload.File(dir, name, scale, seed)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d packets, %d bytes, %.2g s\n", path, workload.Packets(name, scale), size, time.Since(began).Seconds())
	}
	return nil
}
