// Generate writes a workload of the benchmarks as a pcap file to standard
// output.
//
//	generate [-scale X] [-seed N] benign|elephant|slow|flood|dos > FILE
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/flowfast/flowfast/bench/workload"
)

func main() {
	scale := flag.Float64("scale", 1, "part of the full `size`")
	seed := flag.Uint64("seed", 1, "seed")
	flag.Parse()
	if err := workload.Write(os.Stdout, flag.Arg(0), *scale, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
