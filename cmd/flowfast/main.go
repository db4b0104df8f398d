// Flowfast turns packet captures into flow tables. See flowfast --help.
//
// A run goes through the files of this folder in this order:
//
//	command.go   flags and arguments
//	columns.go   what is in the rows
//	labels.go    what flows are called
//	choice.go    which packets count, and whose they are
//	bound.go     how much memory there is
//	plan.go      which captures, which outputs
//	tree.go      the captures under a folder
//	names.go     the names of their outputs
//	check.go     that no output takes an input's place
//	resume.go    what is done already
//	run.go       the jobs, several at once
//	one.go       one job: captures in, an output file out
//	legacy.go    the profile of CICFlowMeter itself, which has a meter of its own
//	partition.go captures to blocks for many machines; blocks.go blocks to rows
//	live.go      packets of interfaces; sink.go, rotate.go and serve.go where their rows go,
//	             relabel.go other rules meanwhile, metrics.go and notify.go how it goes
//	outputs.go   the files of an output
//	page.go      a page about what was counted; compare.go two tables compared
//	dataset.go   the parts of a dataset
//	joined.go    what is said of a dataset that many machines have made
//	manifest.go  what has become of each, for a run that resumes
//	progress.go  how far they are, on a terminal or in a log
//	report.go    what came of them, as text and as JSON
//
// What it tells of itself is in help.go (--help, by the headings of headings.go),
// topics.go and plaintext.go (help TOPIC, from docs/), man.go and complete.go. What
// it tells of captures without rows is in info.go.
package main

import (
	"io"
	"os"
	_ "time/tzdata" // for the zones of rules, on systems that have none
)

func main() {
	os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// Streams are what a command reads and writes if it is told nothing else.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// The exit statuses. A run that a signal ends has 128 and the signal's number.
const (
	exitOK    = 0
	exitBad   = 1 // something could not be read or written
	exitUsage = 2 // the arguments make no sense, whatever the files
)
