package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/block"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/ioutil"
)

const partitionLong = `Flowfast partition reads captures and writes blocks: for each bucket of a hash of
the flow key, what the rows will need of each packet of a capture. Captures can
be read on many machines. flowfast flows then takes the blocks of one bucket from
all captures, and writes rows; those of all buckets together are the rows of
flowfast --join over the captures.

INPUT is a capture, or - for standard input. The block of a capture for the
bucket 7 is FOLDER/bucket-00007/CAPTURE.ffb. With -o - all blocks go to standard
output, one after the other. Options about packets, keys and columns belong here;
those about the ends of flows belong to flowfast flows.

The exit status is 0 if all was read, 1 if something could not be read or
written, 2 if the arguments make no sense.`

const partitionExamples = `  flowfast partition ring_0*.pcap.gz --buckets 64 -o blocks/
  zcat ring_07.pcap.gz | flowfast partition - --name ring_07.pcap.gz -o blocks/
  flowfast partition --range 3/8 large.pcap -o blocks/
  flowfast flows blocks/bucket-00007 rows-7.parquet`

// blockExtension is that of files with blocks.
const blockExtension = ".ffb"

// A partitionCommand is what the user asked for of captures on their way to others.
type partitionCommand struct {
	command
	buckets int
	seed    uint64
	name    string // of the capture
	part    fraction
	cut     streamed // of standard input, if a part of a file comes there
}

// partitionCommand returns the command that makes blocks. The status goes into that of
// the root.
func (root *command) partitionCommand() *cobra.Command {
	p := &partitionCommand{command: command{streams: root.streams}, buckets: 64, seed: 1, part: fraction{1, 1}}
	c := &cobra.Command{
		Use:     "partition [flags] INPUT... -o FOLDER",
		Short:   "read captures into blocks of packets for many machines",
		Long:    partitionLong,
		Example: partitionExamples,
		Args: func(c *cobra.Command, args []string) error {
			p.given = c.Flags().Changed
			return p.take(args)
		},
		Run: func(*cobra.Command, []string) { root.status = p.execute() },
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringVarP(&p.output, "output", "o", "", "write into `FOLDER`, or - to standard output")
	f.Var((*count)(&p.buckets), "buckets", "make blocks for `N` buckets (default 64)")
	f.Uint64Var(&p.seed, "seed", 1, "`NUMBER` that the hash depends on: the same for all captures of a job (default 1)")
	f.Lookup("seed").DefValue = "0" // which the text tells better
	f.StringVar(&p.name, "name", "", "call the capture `NAME`: names put captures of the same time in order (default that of the file)")
	f.Var(&p.part, "range", "read part I of N of a capture file, cut between records: `I/N` (default all)")
	f.Var(&p.cut, "cut", "with --range: standard input is the first MiB of a file of SIZE bytes, and then what stands from byte FROM on: `FROM/SIZE`, where "+
		"FROM is I-1 Nths of SIZE less 17 MiB, and a MiB at least")
	keyFlags(f, &p.options)
	packetFlags(f, &p.options, &p.filter)
	directionFlag(f, &p.options)
	p.rows.profileFlag(f)
	p.rows.flags(f)
	p.labels.flags(f)
	p.jobsFlag(f)
	p.closingFlags(f)
	return c
}

// take takes the arguments, and says what is wrong with them and the flags.
func (p *partitionCommand) take(args []string) error {
	const mostBuckets = 1 << 16
	p.inputs = args
	switch {
	case len(args) == 0:
		return errors.New("INPUT is needed")
	case slices.Contains(args, ""):
		return errors.New("an argument is empty")
	case p.output == "":
		return errors.New("-o FOLDER is needed")
	case p.buckets > mostBuckets:
		return fmt.Errorf("--buckets %d: want %d at most", p.buckets, mostBuckets)
	case p.name != "" && len(args) > 1:
		return errors.New("--name is for one capture")
	case slices.Contains(args, "-") && len(args) > 1:
		return errors.New("standard input is read alone")
	case p.cut.size > 0 && (p.part.of < 2 || args[0] != "-"):
		return errors.New("--cut is for --range and standard input")
	case slices.Contains(args, "-") && p.part.of > 1 && p.cut.size == 0:
		return errors.New("standard input is read as a whole, unless --cut says which bytes of a file it has")
	case p.rows.metered():
		return fmt.Errorf("--profile %s is for captures: flows of it depend on all packets before", legacyProfile)
	case p.summary == p.output:
		return fmt.Errorf("blocks and summary can't both go to %q", p.output)
	}
	if err := p.filter.read(); err != nil {
		return err
	}
	p.options.Choice.Endpoints = p.filter.list
	return p.takeColumns()
}

// takeColumns takes the columns, and with them what they need of packets.
func (c *command) takeColumns() error {
	columns, profile, err := c.rows.columns(c.labels.files != nil)
	if err != nil {
		return err
	}
	c.columns, c.join = columns, true
	if err := c.readLabels(); err != nil {
		return err
	}
	c.follow(profile)
	return nil
}

// blockOptions returns what says which packets are in blocks.
func (c *command) blockOptions() map[string]string {
	o := c.rowOptions()
	return map[string]string{
		"version": flowfast.Version, "--protocols": o.Protocols, "--decap": o.Decap, "--key": o.Key, "--from": o.From, "--to": o.To,
		"--filter": o.Filter, "--sample": o.Sample, "--unidirectional": strconv.FormatBool(o.Unidirectional),
		"--profile whose keys have ports": keysOf(c.options.Keys.Portless),
	}
}

// keysOf names the first profile whose keys have the ports of the same protocols.
func keysOf(portless decode.Protocols) string {
	for _, p := range export.Profiles() {
		if p.Keys.Portless == portless {
			return p.Name
		}
	}
	return textOf(portless)
}

// execute does what the user asked for and returns the exit status.
func (p *partitionCommand) execute() int {
	began := time.Now()
	ctx, stop := untilSignal()
	defer stop()
	p.options.Choice.Filter = p.filter.programs(ctx)
	if err := checkFilter(p.options.Choice.Filter); err != nil {
		p.complain(err)
		return exitUsage
	}
	plan := &plan{}
	for _, input := range p.inputs {
		j, err := single(input, p.in)
		if err != nil {
			plan.errs = append(plan.errs, err)
			continue
		}
		j.output = p.output
		plan.jobs = append(plan.jobs, j)
	}
	if p.name != "" {
		p.inputs = []string{p.name}
	}
	show := p.display(ctx, plan)
	for _, err := range plan.errs {
		show.say(func() { p.complain(err) })
	}
	results := p.all(ctx, plan, show)
	show.close()
	status := p.close(ctx, p.report(plan, results, time.Since(began)))
	if s := signalOf(ctx); s != 0 {
		p.log(slog.LevelInfo, stopped(s, nil))
		status = 128 + int(s)
	}
	return status
}

// all does the jobs, several at once.
func (p *partitionCommand) all(ctx context.Context, plan *plan, show *display) []result {
	results := make([]result, len(plan.jobs))
	var group sync.WaitGroup
	var output sync.Mutex
	order := make(chan int)
	for range min(p.jobs, len(plan.jobs)) {
		group.Go(func() {
			for i := range order {
				results[i] = p.one(ctx, plan.jobs[i], show, &output)
				show.say(func() { p.tell(&results[i]) })
			}
		})
	}
	for i := range plan.jobs {
		order <- i
	}
	close(order)
	group.Wait()
	return results
}

// open starts the run of a job, and returns what is to be called after it.
func (p *partitionCommand) open(ctx context.Context, j job, options flowfast.Options) (*flowfast.Run, func(), error) {
	if p.cut.size > 0 {
		_, source := p.source(ctx, j)
		of := ioutil.Section{Part: p.part.part, Of: p.part.of, Size: p.cut.size}
		run, err := flowfast.NewPart(options, source, cmp.Or(p.name, "standard input"), of, p.cut.from)
		return run, func() { source.Close() }, err
	}
	if p.part.of > 1 {
		run, err := flowfast.OpenPart(options, j.inputs[0], p.part.part, p.part.of)
		return run, func() {}, err
	}
	if p.name == "" || !j.stream {
		return p.command.open(ctx, j, options)
	}
	_, source := p.source(ctx, j)
	run, err := flowfast.NewReader(options, source, p.name)
	return run, func() { source.Close() }, err
}

// one makes the blocks of a capture.
func (p *partitionCommand) one(ctx context.Context, j job, show *display, output *sync.Mutex) result {
	r := result{job: j}
	options := p.options
	options.Workers = 1
	run, closeStream, err := p.open(ctx, j, options)
	defer closeStream()
	if p.name != "" {
		r.job.inputs = []string{p.name}
	}
	if err != nil {
		r.errs = split(err)
		return r
	}
	line := show.begin(j, run.Progress)
	defer show.end(line)
	spool, err := newSpool()
	if err != nil {
		run.Close()
		r.failed = err
		return r
	}
	defer spool.remove()
	h := block.Header{
		Options: p.blockOptions(), Features: options.Features.Set, Buckets: p.buckets, Seed: p.seed,
		Capture: block.Capture{Name: cmp.Or(p.name, filepath.ToSlash(j.inputs[0])), Part: p.part.part, Parts: p.part.of},
	}
	w, err := block.NewWriter(h, spool)
	if err == nil {
		err = run.Partition(ctx, p.buckets, p.seed, w.Add)
	}
	if r.summary = run.Summary(); r.summary.Part != nil {
		w.Part(r.summary.Part.Begin, r.summary.Part.End, r.summary.Part.Through)
	}
	if r.stopped = ctx.Err() != nil; r.stopped {
		return r
	}
	if spool.err != nil {
		r.failed = spool.err
		return r
	}
	r.errs = split(err)
	damage := make([]string, len(r.errs))
	for i, err := range r.errs {
		damage[i] = message(err)
	}
	if nothing := r.summary.Part != nil && r.summary.Part.Through == 0; len(r.summary.Captures) > 0 && !nothing {
		if r.failed = w.End(strings.Join(damage, "; ")); r.failed == nil {
			r.written, r.failed = p.write(ctx, w, h.Capture, output)
		}
	}
	return r
}

// write writes the blocks of a capture, and returns their length. None appears under its
// name before all are there.
func (p *partitionCommand) write(ctx context.Context, w *block.Writer, of block.Capture, output *sync.Mutex) (size int64, err error) {
	if p.output == "-" {
		output.Lock()
		defer output.Unlock()
		for i := range p.buckets {
			n, err := w.WriteBlock(p.out, i)
			if size += n; err != nil {
				return size, err
			}
		}
		return size, nil
	}
	for i := range p.buckets {
		name := filepath.Join(p.output, bucketName(i), blockName(of))
		if err := makeFolder(name); err != nil {
			return size, err
		}
		n, err := writeBlock(ctx, name, w, i)
		if size += n; err != nil {
			return size, err
		}
	}
	return size, nil
}

func writeBlock(ctx context.Context, name string, w *block.Writer, bucket int) (int64, error) {
	out, err := export.Create(ctx, name)
	if err != nil {
		return 0, err
	}
	defer out.Discard()
	n, err := w.WriteBlock(out, bucket)
	if err != nil {
		return n, err
	}
	return n, out.Commit()
}

func bucketName(bucket int) string { return fmt.Sprintf("bucket-%05d", bucket) }

// blockName returns the name of the file with a block of a capture.
func blockName(of block.Capture) string {
	const most = 180 // bytes: file systems allow 255
	name := escaped(of.Name)
	if len(name) > most {
		sum := sha256.Sum256([]byte(of.Name))
		name = name[:most-33] + "-" + hex.EncodeToString(sum[:16])
	}
	if of.Parts > 1 {
		name += fmt.Sprintf(".%d-of-%d", of.Part, of.Parts)
	}
	return name + blockExtension
}

// escaped writes as %3D, as in a URL, what not every system has in the name of a file,
// and what has a meaning to those that find files by patterns.
func escaped(name string) string {
	var b strings.Builder
	for i, r := range name {
		n := len(string(r))
		invalid := r == utf8.RuneError && !strings.HasPrefix(name[i:], "\uFFFD")
		switch {
		case invalid:
			fmt.Fprintf(&b, "%%%02X", name[i])
		case strings.ContainsRune(`/%=*?[]{}<>:"|\`, r), r < ' ', r == 0x7f, i == 0 && (r == '.' || r == '_'):
			fmt.Fprintf(&b, "%%%02X", r)
		default:
			b.WriteString(name[i : i+n])
		}
	}
	return b.String()
}

// A spool is a temporary file, which has no name where the system lets it lose it.
type spool struct {
	*os.File
	err error // the first of a write
}

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "flowfast-blocks-")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // where that is refused, as on Windows, remove does it
	return &spool{File: f}, nil
}

func (s *spool) Write(b []byte) (n int, err error) {
	n, err = s.File.Write(b)
	s.err = cmp.Or(s.err, err)
	return n, err
}

func (s *spool) remove() {
	s.Close()
	os.Remove(s.Name())
}

// A fraction is the value of a flag: a part of so many.
type fraction struct{ part, of int }

func (s *fraction) Set(text string) error {
	i, n, ok := strings.Cut(text, "/")
	part, err := strconv.Atoi(i)
	of, errOf := strconv.Atoi(n)
	if !ok || err != nil || errOf != nil || part < 1 || of < part || of > 1<<20 {
		return errors.New("want a part of so many, such as 3/8, the first being 1/8")
	}
	*s = fraction{part, of}
	return nil
}

func (s *fraction) String() string { return "" }
func (s *fraction) Type() string   { return "part" }

// A streamed is the value of a flag: from which byte on so many of a file are streamed.
type streamed struct{ from, size int64 }

func (s *streamed) Set(text string) error {
	from, size, ok := strings.Cut(text, "/")
	n, err := strconv.ParseInt(from, 10, 64)
	of, errOf := strconv.ParseInt(size, 10, 64)
	if !ok || err != nil || errOf != nil || n < 0 || of < max(n, 1) {
		return errors.New("want a byte and the size of the file, such as 1048576/900000000")
	}
	*s = streamed{n, of}
	return nil
}

func (s *streamed) String() string { return "" }
func (s *streamed) Type() string   { return "bytes" }
