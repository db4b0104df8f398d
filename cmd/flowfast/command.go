package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/labels"
	"github.com/flowfast/flowfast/legacy"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A command is what the user asked for.
type command struct {
	inputs []string // files, a folder with recursive, or "-" alone
	output string   // a file, a folder with recursive, or "-"

	options   flowfast.Options
	recursive bool
	resume    bool
	overwrite bool
	join      bool
	live      bool // inputs are interfaces
	journal   bool // messages go to that of systemd
	jobs      int
	memory    size // the most that all jobs take; 0 for what the machine allows
	rows      choice
	columns   []*export.Column
	format    export.Format
	dataset   bool
	oneTable  bool // with recursive, output is a file
	timeUnit  timeUnit
	hash      bool
	dryRun    bool
	logFormat logFormat
	notes     []export.Note // for formats that keep the options
	quiet     bool
	strict    bool // warnings are errors
	progress  progressMode
	filter    filter
	anonymize secret
	labels    labelFiles
	splits    splitting
	finished  labels.Plan // what is done with finished flows
	page      reportPage
	summary   string // where the summary goes as JSON, "" for nowhere

	flushSaid bool // --flush stands on the command line

	flags *pflag.FlagSet
	given func(flag string) bool // tells the flags that stand on the command line

	streams
	status int
}

const long = `Flowfast reads packet captures and writes flow tables: one row for each TCP or
UDP flow, both directions in one.

INPUT is a capture (pcap, pcapng, snoop, ERF; plain or compressed), or - for
standard input. OUTPUT is a file, or - for standard output; its extension sets
the format: .csv, .csv.gz, .csv.zst, .jsonl, .jsonl.gz, .jsonl.zst, .parquet,
.arrow, .arrows. An unknown extension, such as .txt, means CSV; that of another
format, such as .json, .tsv or .csv.xz, is refused without --format. With -r
INPUT is a folder, and so is OUTPUT, unless it has one of these extensions: then
it is one table of all captures.`

const examples = `  flowfast capture.pcap flows.csv
  flowfast -r datasets/ out/ -t 120
  flowfast -r --resume datasets/ out/ -t 120
  flowfast -r --dataset datasets/ out/
  flowfast -r datasets/ flows.parquet
  tcpdump -i eth0 -w - | flowfast - flows.csv
  flowfast --join ring_*.pcapng.gz flows.csv
  flowfast -q --summary summary.json capture.pcap - | head
  flowfast --format arrows capture.pcap - | python3 model.py`

// run runs the command with its arguments and returns its exit status.
func run(args []string, s streams) int {
	c := command{streams: s}
	root := c.cobra()
	root.SetArgs(args)
	if err := root.Execute(); errors.Is(err, syscall.EPIPE) { // columns | head
		return exitOK
	} else if err != nil {
		c.refuse(err, usageText(err)+suggestion(err, root, args), args)
		return exitUsage
	}
	return c.status
}

func (c *command) cobra() *cobra.Command {
	root := &cobra.Command{
		Use:           "flowfast [options] INPUT OUTPUT",
		Short:         "turn packet captures into tables of flows",
		Long:          long,
		Example:       examples,
		Version:       fmt.Sprintf("%s (%s %s/%s)", flowfast.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(root *cobra.Command, args []string) error {
			c.flags, c.given = root.Flags(), root.Flags().Changed
			c.flushSaid = c.given("flush")
			return c.take(args)
		},
		Run: func(*cobra.Command, []string) { c.status = c.execute() },
	}
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.AddCommand(infoCommand(c.streams, &c.status), columnsCommand(c.out), optionsCommand(c.out), capturesCommand(c.out),
		versionCommand(c.out), completionCommand(c.out), manCommand(c.out), labelsCommand(c.streams, &c.status), c.liveCommand(),
		c.partitionCommand(), c.blocksCommand(), c.reportCommand(), compareCommand(c.streams, &c.status), c.describeCommand())
	root.CompletionOptions.DisableDefaultCmd = true // a capture may be called so
	root.SetHelpCommand(helpCommand(c.out))
	root.SetHelpFunc(func(of *cobra.Command, _ []string) {
		if err := writeHelp(c.out, of); err != nil && !errors.Is(err, syscall.EPIPE) {
			c.status = exitBad
		}
	})
	root.SetVersionTemplate("flowfast {{.Version}}\n")

	f := root.Flags()
	f.SortFlags = false
	f.BoolVarP(&c.recursive, "recursive", "r", false,
		"read every capture under the folder INPUT and write each to a file of its own under the folder OUTPUT")
	f.BoolVar(&c.resume, "resume", false,
		"with -r, resume a run that was stopped: skip captures that OUTPUT/flowfast-manifest.json lists as done")
	f.BoolVar(&c.overwrite, "overwrite", false,
		"with -r, replace the outputs of a run with other options, which is refused otherwise")
	f.BoolVar(&c.join, "join", false,
		"read several captures (all arguments but the last; with -r those under the folders) as one stream in the order of time, as mergecap does")
	c.flowFlags(f)
	c.labels.flags(f)
	ofTables(f, c.splits.flags)
	f.BoolVar(&c.dataset, "dataset", false,
		"with -r, write one Parquet data set, OUTPUT/data, with a column capture, and its description, OUTPUT/DATASET.md and dataset.json (Croissant)")
	f.BoolVar(&c.hash, "hash", false,
		"with -r, record the SHA-256 of each capture in OUTPUT/flowfast-manifest.json and dataset.json")
	c.dryRunFlag(f)
	ofTables(f, c.page.flag)
	c.closingFlags(f)
	f.Bool("version", false, "show the version and exit")
	completeValues(root)
	plainUsage(root)
	return root
}

// flowFlags are the flags that say what a flow is, what is in its row, and what a run
// takes.
func (c *command) flowFlags(f *pflag.FlagSet) {
	ofTables(f, c.tableFlags)
	f.Var((*orNone)(&c.options.Flush), "flush",
		"write rows within `SECONDS` of being due, while packets still arrive; none: when buffers are full (default 1 from a pipe to a pipe or to standard output, else none)")
	c.jobsFlag(f)
	f.Var((*count)(&c.options.MaxFlows), "max-flows",
		"limit open flows to `FLOWS`: where one more would start, the longest-idle one is closed early (default no limit)")
	c.memoryFlag(f)
	packetFlags(f, &c.options, &c.filter)
	anonymizeFlag(f, &c.anonymize)
	c.rows.profileFlag(f)
	ofTables(f, c.rows.flags)
	c.formatFlag(f)
}

// tableFlags are the flags that say what flow tables do.
func (c *command) tableFlags(f *pflag.FlagSet) {
	c.endFlags(f)
	keyFlags(f, &c.options)
	directionFlag(f, &c.options)
	f.VarP((*count)(&c.options.CheckEvery), "check-every", "i",
		"check for ended flows every `PACKETS` packets (default 1)")
	f.VarP((*count)(&c.options.CheckMost), "check-most", "l",
		"write at most `FLOWS` ended flows at each check; -i and -l change when rows are written, not what they say (default all)")
	f.Var((*seconds)(&c.options.Disorder), "disorder",
		"with --flush, treat a packet stamped more than `SECONDS` before the latest one as a step of the clock (default 10)")
}

// endFlags are the flags that say when a flow ends.
func (c *command) endFlags(f *pflag.FlagSet) {
	f.VarP((*seconds)(&c.options.IdleTimeout), "idle-timeout", "t",
		fmt.Sprintf("end a flow after a silence longer than `SECONDS`, such as 0.5, 90s or 5m (default %g)", flowtable.DefaultIdleTimeout.Seconds()))
	f.Var((*orNone)(&c.options.Rules.ActiveTimeout), "active-timeout",
		"cut a flow when a packet arrives more than `SECONDS` after its first; none: never (default none)")
	f.Var((*tcpEnd)(&c.options.Rules.TCPEnd), "tcp-end",
		"close a TCP flow by `HOW`, so that a later SYN begins a new one: fin (FIN of both sides and an ACK), rst, fin-rst (either) or none (default none)")
}

func (c *command) jobsFlag(f *pflag.FlagSet) {
	c.jobs = runtime.GOMAXPROCS(0)
	f.VarP((*count)(&c.jobs), "jobs", "j",
		"work on `N` files at once, or with N workers on one (default all cores)")
}

func (c *command) memoryFlag(f *pflag.FlagSet) {
	f.Var(&c.memory, "max-memory",
		"limit memory to `SIZE`, such as 512MiB or 8GB: at the limit the longest-idle flows are closed early (default 70% of what the control group or the machine has)")
}

func (c *command) formatFlag(f *pflag.FlagSet) {
	f.Var((*formatName)(c), "format",
		"write `FORMAT`: "+formatList()+" (default by OUTPUT's extension; with -r csv)")
	c.timeUnitFlag(f)
}

func (c *command) timeUnitFlag(f *pflag.FlagSet) {
	f.Var(&c.timeUnit, "time-unit",
		"store times in `UNIT` in parquet, arrow and arrows: ns, or us, which Spark can read (default ns)")
}

func (c *command) dryRunFlag(f *pflag.FlagSet) {
	f.BoolVar(&c.dryRun, "dry-run", false,
		"with -r, list what would be done, and write nothing")
}

// closingFlags are the flags that say what is told about a run.
func (c *command) closingFlags(f *pflag.FlagSet) {
	f.StringVar(&c.summary, "summary", "",
		"write the closing summary as JSON to `FILE` too, - for standard output (default none)")
	f.Var(&c.progress, "progress",
		"show progress as `HOW`: bar, plain (a line a minute), json (five lines a second) or none (default bar on a terminal, else plain)")
	f.Var(&c.logFormat, "log-format",
		"write messages as `FORMAT`: text, or json, one object a line for each file, warning and error, without progress (default text)")
	f.BoolVarP(&c.quiet, "quiet", "q", false,
		"show only errors: no progress, no warnings, no closing summary")
	f.BoolVar(&c.strict, "strict", false,
		"treat warnings as errors: show them even with -q, and exit with 1")
	f.BoolP("help", "h", false, "show this help and exit")
}

// take takes the arguments, and says what is wrong with them and the flags
// without looking at any file.
func (c *command) take(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("INPUT and OUTPUT are needed, arguments given: %d", len(args))
	}
	last := len(args) - 1
	c.inputs, c.output = args[:last], args[last]
	c.oneTable = c.asksOneTable()
	stdin := slices.Contains(c.inputs, "-")
	switch {
	case slices.Contains(args, ""):
		return errors.New("an argument is empty")
	case len(c.inputs) > 1 && !c.join:
		return fmt.Errorf("one INPUT and OUTPUT are needed, arguments given: %d; --join takes several inputs", len(args))
	case stdin && c.recursive:
		return errors.New("-r takes a folder, not standard input")
	case stdin && c.join:
		return errors.New("--join takes files, not standard input: it looks at their first packets beforehand")
	case c.resume && !c.intoFolder():
		return errors.New("--resume needs -r into a folder, without --join")
	case c.overwrite && (!c.intoFolder() || c.resume):
		return errors.New("--overwrite needs -r into a folder, without --join or --resume")
	case c.hash && !c.intoFolder():
		return errors.New("--hash needs -r into a folder, without --join")
	case c.dryRun && !c.recursive:
		return errors.New("--dry-run needs -r")
	case c.logFormat == logJSON && c.progress != byTerminal && c.progress != asNone:
		return fmt.Errorf("--log-format json shows no progress: it can't be combined with --progress %s", c.progress)
	case c.progress == asBar && !isTerminalWriter(c.err):
		return errors.New("--progress bar: standard error is not a terminal")
	case c.output == "-" && c.dataset:
		return errors.New("--dataset writes into a folder, not to standard output")
	case c.given("flush") && c.recursive && !c.join:
		return errors.New("--flush is for one capture, not for those of -r")
	case c.given("disorder") && c.given("flush") && c.options.Flush == 0:
		return errors.New("--disorder needs --flush")
	case c.page.file == "-":
		return errors.New("--report takes the name of a file, not standard output")
	case c.summary == c.output:
		return fmt.Errorf("rows and summary can't both go to %q", c.output)
	}
	var err error
	if c.options.AnonymizeKey, err = c.anonymize.key(); err != nil {
		return err
	}
	if err := c.filter.read(); err != nil {
		return err
	}
	c.options.Choice.Endpoints = c.filter.list
	if c.rows.metered() {
		if err := c.checkMetered(); err != nil {
			return err
		}
		c.options.Meter = legacy.Original{}
	}
	if err := c.options.Check(); err != nil {
		return err
	}
	if c.rows.profile == legacyProfile && c.page.file != "" {
		return fmt.Errorf("--profile %s makes flows that a page does not describe", legacyProfile)
	}
	if err := c.takeRows(); err != nil {
		return err
	}
	return c.takeFormat()
}

// takeRows sets what is in rows, and the rules that go with it.
func (c *command) takeRows() error {
	if c.rows.metered() {
		return c.readMeteredLabels()
	}
	columns, profile, err := c.rows.columns(c.labels.files != nil || c.splits.shares.Splits != nil)
	if err != nil {
		return err
	}
	c.columns = columns
	if err := c.readLabels(); err != nil {
		return err
	}
	c.follow(profile)
	return c.readSplits()
}

// follow makes the rules of a profile those of the run, but for what the user
// asked for.
func (c *command) follow(p export.Profile) {
	d := p.Demand(slices.Concat(c.columns, c.labels.conditions()), c.rows.splt, c.rows.quantiles)
	d.Features.Set |= c.labels.needs()
	// An option of the profile's that the user switched off is not there.
	if c.given("key") {
		d.Keys.Encapsulation = 0
	}
	if c.given("active-timeout") {
		d.Rules.ActiveTimeout = 0
	}
	if c.given("tcp-end") {
		d.Rules.TCPEnd = 0
	}
	c.options = c.options.For(d)
}

// takeFormat sets the format, and says what does not go with it.
func (c *command) takeFormat() error {
	folder := c.intoFolder()
	switch {
	case c.dataset && !folder:
		return errors.New("--dataset needs -r, without --join")
	case c.dataset && !c.given("format"):
		c.format, _ = export.FormatNamed(datasetFormat)
	case c.dataset && !c.format.Parts():
		return fmt.Errorf("--dataset is of %s files, not of %v", datasetFormat, c.format)
	case !c.given("format") && !folder:
		var ok bool
		if c.format, ok = export.FormatOf(c.output); !ok {
			return fmt.Errorf("%s: the extension is not one of %s; --format says what to write", c.output, strings.Join(export.FormatNames(), ", "))
		}
	}
	if c.given("time-unit") && !c.format.TimeUnits() {
		return fmt.Errorf("--time-unit is for formats with a type of times, not for %v: its times are seconds, with the digits that the clock of a capture has", c.format)
	}
	if c.oneTable && c.rows.metered() {
		return fmt.Errorf("--profile %s has no column %s: with -r OUTPUT is a folder", legacyProfile, captureTitle)
	}
	if c.options.Flush > 0 && !c.format.Streams() {
		return fmt.Errorf("--flush: nobody can read a file of %v before its end", c.format)
	}
	if c.rows.metered() && !strings.HasPrefix(c.format.String(), "csv") {
		return fmt.Errorf("--profile %s is written as csv, csv.gz or csv.zst, not as %v", legacyProfile, c.format)
	}
	if least := c.leastMemory(); c.memory != 0 && int64(c.memory) < least {
		return fmt.Errorf("--max-memory: %v needs %d MiB at least", c.format, least>>20)
	}
	return nil
}

// formatList returns the names of the formats.
func formatList() string { return alternatives(export.FormatNames()) }
