package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/block"
	"github.com/flowfast/flowfast/export"
)

const blocksLong = `Flowfast flows reads the blocks of one bucket, which flowfast partition has made
of all captures, and writes the rows of its flows. The rows of all buckets together
are those of flowfast --join over the captures, in another order.

BLOCKS is a file with blocks, or a folder of such files. The blocks hold which
packets count, and their keys; columns and labels must be those that were given
to flowfast partition. OUTPUT is the same as for flowfast.

The exit status is 0 if all was read, 1 if something could not be read or
written, 2 if the arguments make no sense.`

const blocksExamples = `  flowfast flows blocks/bucket-00007 rows-7.parquet
  flowfast flows -t 120 --profile cicflowmeter blocks/bucket-00000 rows.csv`

// A blocksCommand is what the user asked for of blocks.
type blocksCommand struct {
	command
	unnumbered bool
	ranges     int // of the order of rows, which columns say; 0 for none
	profile    export.Profile
	source     *block.Source
}

// blocksCommand returns the command that takes blocks. The status goes into that of the
// root.
func (root *command) blocksCommand() *cobra.Command {
	b := &blocksCommand{command: command{streams: root.streams}}
	c := &cobra.Command{
		Use:     "flows [flags] BLOCKS... OUTPUT",
		Short:   "write the flows of blocks that partition has made",
		Long:    blocksLong,
		Example: blocksExamples,
		Args: func(c *cobra.Command, args []string) error {
			b.given = c.Flags().Changed
			return b.take(args)
		},
		Run: func(*cobra.Command, []string) { root.status = b.execute() },
	}
	f := c.Flags()
	f.SortFlags = false
	b.endFlags(f)
	b.jobsFlag(f)
	b.memoryFlag(f)
	anonymizeFlag(f, &b.anonymize)
	b.rows.profileFlag(f)
	b.rows.flags(f)
	unnumberedFlag(f, &b.unnumbered)
	f.Var((*count)(&b.ranges), "order", "in place of columns that number all rows, add columns by which the rows of all buckets are to be sorted, cut into `N` ranges")
	b.labels.flags(f)
	b.formatFlag(f)
	b.closingFlags(f)
	return c
}

func unnumberedFlag(f *pflag.FlagSet, unnumbered *bool) {
	f.BoolVar(unnumbered, "unnumbered", false,
		"leave out columns that number all rows, such as id of nfstream: one bucket does not know the number of rows in the others")
}

// take takes the arguments, and says what is wrong with them and the flags.
func (b *blocksCommand) take(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("BLOCKS and OUTPUT are needed, arguments given: %d", len(args))
	}
	b.inputs, b.output = args[:len(args)-1], args[len(args)-1]
	switch {
	case slices.Contains(args, ""):
		return errors.New("an argument is empty")
	case slices.Contains(b.inputs, "-"):
		return errors.New("blocks are read from files: their headers must be known before the first packet")
	case b.rows.metered():
		return fmt.Errorf("--profile %s is for captures", legacyProfile)
	case b.summary == b.output:
		return fmt.Errorf("rows and summary can't both go to %q", b.output)
	}
	var err error
	if b.options.AnonymizeKey, err = b.anonymize.key(); err != nil {
		return err
	}
	if b.columns, b.profile, err = b.rows.columns(b.labels.files != nil); err != nil {
		return err
	}
	if b.unnumbered || b.ranges > 0 {
		b.columns = slices.DeleteFunc(b.columns, func(c *export.Column) bool { return c.Numbered })
	}
	if b.ranges > 0 {
		b.columns = append(b.columns, b.orderColumns()...)
	}
	b.join = true
	if err := b.readLabels(); err != nil {
		return err
	}
	b.finished.Rules = b.labels.set
	return b.takeFormat()
}

// orderColumns are the columns by which the rows of all buckets are sorted, one after the
// other.
func (b *blocksCommand) orderColumns() []*export.Column {
	times := func(name, definition string, of func(f *flowfast.Flow) int64) *export.Column {
		return export.NewColumn(name, "nanoseconds", definition, of)
	}
	all := []*export.Column{
		export.NewColumn("order_range", "", "range of the order of rows", func(f *flowfast.Flow) int64 { return int64(b.source.Range(f)) }),
		export.NewColumn("order_era", "", "times that the clock had stepped back when the flow left", func(f *flowfast.Flow) uint64 { return f.Era }),
		times("order_finish", "when the flow was over, since the Unix epoch; the greatest number for the end of the capture", func(f *flowfast.Flow) int64 { return int64(f.Finish) }),
		times("order_start", "time of the first packet, since the Unix epoch", func(f *flowfast.Flow) int64 { return int64(f.Start) }),
		times("order_place", "latest time of a packet in its capture when the first one came, since the Unix epoch", func(f *flowfast.Flow) int64 { return int64(f.Origin.Place) }),
		export.NewColumn("order_packet", "", "number of the first packet, if captures were read one after the other by their names", func(f *flowfast.Flow) uint64 { return f.Origin.Packet }),
	}
	for _, c := range all {
		c.Role = export.RoleTime
	}
	return all
}

// execute does what the user asked for and returns the exit status.
func (b *blocksCommand) execute() int {
	began := time.Now()
	ctx, stop := untilSignal()
	defer stop()
	b.keepToMemory()
	r := result{job: job{inputs: b.inputs, output: b.output}}
	p := &plan{jobs: []job{r.job}}
	files, blocks, err := b.find(&r)
	defer files.close()
	if err == nil {
		err = b.agree(blocks[0])
	}
	if err == nil && (b.output == "-" || b.summary == "-") && mayBeClosed(b.out) {
		err = errors.New("standard output is closed: output written there would be lost")
	}
	if err != nil {
		b.complain(err)
		return exitBad
	}
	b.notes = b.rowOptions().notes()
	show := b.display(ctx, p)
	b.run(ctx, &r, blocks, show)
	show.close()
	b.tell(&r)
	status := b.close(ctx, b.report(p, []result{r}, time.Since(began)))
	if s := signalOf(ctx); s != 0 {
		b.log(slog.LevelInfo, stopped(s, []result{r}))
		status = 128 + int(s)
	}
	return status
}

// blockFiles are files that are read.
type blockFiles []*os.File

func (f blockFiles) close() {
	for _, file := range f {
		file.Close()
	}
}

// find finds the blocks.
func (b *blocksCommand) find(r *result) (files blockFiles, blocks []*block.Block, err error) {
	for _, input := range b.inputs {
		names := []string{input}
		if info, err := os.Stat(input); err != nil {
			return files, nil, err
		} else if info.IsDir() {
			if names, err = blocksIn(input); err != nil {
				return files, nil, err
			}
		}
		for _, name := range names {
			f, err := os.Open(name)
			if err != nil {
				return files, nil, err
			}
			files = append(files, f)
			info, err := f.Stat()
			if err != nil {
				return files, nil, err
			}
			found, err := block.Find(f, info.Size(), name)
			if err != nil {
				return files, nil, err
			}
			blocks = append(blocks, found...)
			r.job.size += info.Size()
		}
	}
	if len(blocks) == 0 {
		return files, nil, fmt.Errorf("%s: no file is called *%s", b.inputs[0], blockExtension)
	}
	return files, blocks, nil
}

// blocksIn returns the files with blocks in a folder.
func blocksIn(folder string) (names []string, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, blockExtension) {
			names = append(names, path)
		}
		return err
	})
	return names, err
}

// agree takes the options that stand in blocks, and says if the rows that are wanted
// can't be made of them.
func (b *blocksCommand) agree(of *block.Block) error {
	said := of.Options
	o := &b.options
	var from, to moment
	for _, err := range []error{
		o.Protocols.UnmarshalText([]byte(said["--protocols"])), o.Tunnels.UnmarshalText([]byte(said["--decap"])),
		o.Keys.Encapsulation.UnmarshalText([]byte(said["--key"])), setUnlessEmpty(&from, said["--from"]), setUnlessEmpty(&to, said["--to"]),
		setUnlessEmpty((*sample)(&o.Keys.Sample), said["--sample"]),
	} {
		if err != nil {
			return fmt.Errorf("%s: options in the header: %w", of.File, err)
		}
	}
	o.Choice.From, o.Choice.To = time.Time(from), time.Time(to)
	o.Keys.OneWay = said["--unidirectional"] == "true"
	b.filter.expression = said["--filter"]
	encapsulation := o.Keys.Encapsulation
	b.follow(b.profile)
	o.Keys.Encapsulation = encapsulation // --key none of partition was not this one's
	if mine := b.blockOptions(); !maps.Equal(mine, said) {
		a, c := block.Header{Options: said, Features: of.Features}, block.Header{Options: mine, Features: of.Features}
		return fmt.Errorf("%s: made with other options than these rows need: %s", of.File, a.Differs(&c))
	}
	if export.Numbered(b.columns) && of.Buckets > 1 {
		return errors.New("a column numbers all rows, and a bucket does not know how many the others have: --unnumbered leaves it out, --order has them numbered when all buckets are sorted, and one bucket (partition --buckets 1) knows")
	}
	return nil
}

// setUnlessEmpty sets the value of a flag to a text, if there is one.
func setUnlessEmpty(v interface{ Set(string) error }, text string) error {
	if text == "" {
		return nil
	}
	return v.Set(text)
}

// run writes the flows of the blocks.
func (b *blocksCommand) run(ctx context.Context, r *result, blocks []*block.Block, show *display) {
	options := b.options
	_, options.MaxMemory = b.atOnce(1)
	options.Workers = b.jobs
	source, err := block.NewSource(blocks, options.Features.Set)
	if err != nil {
		r.errs = []error{err}
		return
	}
	defer source.Close()
	source.Resolution, source.Monotone = options.Resolution, options.Monotone
	source.Ranges, source.Idle, options.Origins = b.ranges, options.IdleTimeout, b.ranges > 0
	b.source = source
	r.job.taken = source
	*r = b.one(ctx, r.job, options, show)
}
