package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/live"
)

const liveLong = `Flowfast live writes the flows of network interfaces (Linux), until SIGINT or
SIGTERM: the rows that flowfast makes of a capture taken at the same time.

IFACE is the name of an interface; one that is not there yet, or goes and comes
back, is waited for. Several share one ring in the order of time. any, or
--interface any, stands for all interfaces: their frames are cooked. OUTPUT is
a file, - for standard output, or with --rotate the name of many files.

It takes root, or CAP_NET_RAW: setcap cap_net_raw+ep flowfast. The exit status
is 0 after SIGINT or SIGTERM, 1 if something could not be read or written, 2 if
the arguments make no sense.`

const liveExamples = `  flowfast live eth0 flows.csv
  flowfast live --active-timeout 5m eth0 eth1 - | head
  flowfast live --filter 'not port 22' --interface any flows.jsonl
  flowfast live --rotate 5m --keep 7d eth0 'flows/%Y-%m-%d/%H%M.parquet'
  flowfast live --metrics 9100 --rotate 1h --rotate 1GiB eth0 out/flows.csv.zst`

// A liveCommand is what the user asked for of interfaces.
type liveCommand struct {
	command
	interfaces []string
	ring       live.Options
	memory     ringSize
	rotate     rotation
	keep       retention
	metrics    string
}

// liveCommand returns the command that takes packets from interfaces. The status
// goes into that of the root.
func (root *command) liveCommand() *cobra.Command {
	l := &liveCommand{command: command{streams: root.streams}}
	c := &cobra.Command{
		Use:     "live [options] IFACE... OUTPUT",
		Short:   "write the flows of network interfaces",
		Long:    liveLong,
		Example: liveExamples,
		Args: func(c *cobra.Command, args []string) error {
			l.given = c.Flags().Changed
			return l.take(args)
		},
		Run:               func(*cobra.Command, []string) { root.status = l.execute() },
		ValidArgsFunction: completeInterfaces,
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringSliceVar(&l.interfaces, "interface", nil,
		"take packets from `IFACE` too, or from all: any (default none)")
	f.Var((*count)(&l.ring.SnapLen), "snaplen",
		"keep the first `BYTES` of a frame; sizes are those of whole frames (default 262144)")
	f.BoolVar(&l.ring.Promiscuous, "promiscuous", false,
		"take frames that are for other hosts too")
	f.Var(&l.memory, "ring",
		"have a ring of `SIZE` for packets in a busy moment (default 32MiB)")
	f.Var(&l.rotate, "rotate",
		"begin a new file at whole multiples of a time, such as 5m, or at a size, such as 1GiB; or both, given twice: `TIME|SIZE` (default one file)")
	f.Var(&l.keep, "keep",
		"with --rotate, remove files that ended so long ago, such as 7d, or the oldest beyond a size, such as 100GiB; or both: `TIME|SIZE` (default all)")
	f.StringVar(&l.metrics, "metrics", "",
		"serve Prometheus metrics, /healthz and /readyz at `ADDR`, such as 9100 (for this host alone) or 0.0.0.0:9100 (default none)")
	l.flowFlags(f)
	l.closingFlags(f)
	return c
}

// take takes the arguments, and says what is wrong with them and the flags.
func (l *liveCommand) take(args []string) error {
	if len(args) < 1 || len(args)+len(l.interfaces) < 2 {
		return fmt.Errorf("IFACE and OUTPUT are needed, arguments given: %d", len(args))
	}
	l.inputs = slices.Concat(l.interfaces, args[:len(args)-1])
	if err := l.command.take([]string{strings.Join(l.inputs, " "), args[len(args)-1]}); err != nil {
		return err
	}
	switch {
	case l.rows.profile == legacyProfile:
		return fmt.Errorf("--profile %s is for captures", legacyProfile)
	case l.rotate.none() && !l.keep.none():
		return errors.New("--keep goes with --rotate")
	case !l.rotate.none() && l.output == "-":
		return errors.New("--rotate makes files, not standard output")
	case !l.given("flush"):
		l.options.Flush = defaultFlush
	case l.options.Flush == 0:
		return errors.New("--flush none is for captures: live flows end by the clock")
	}
	if l.metrics != "" {
		var err error
		if l.metrics, err = metricsAddress(l.metrics); err != nil {
			return err
		}
	}
	if !l.rotate.none() {
		return checkPattern(l.output)
	}
	return nil
}

// metricsAddress returns where to listen: at the loopback unless a host is named.
func metricsAddress(text string) (string, error) {
	if !strings.Contains(text, ":") {
		text = ":" + text
	}
	host, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return "", fmt.Errorf("--metrics %s: want a port, or an address and a port", text)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// execute does what the user asked for and returns the exit status.
func (l *liveCommand) execute() int {
	began := time.Now()
	ctx, stop := untilSignal()
	defer stop()
	filter := l.filter.programs(ctx)
	if err := checkFilter(filter); err != nil {
		l.complain(err)
		return exitUsage
	}
	l.notes = l.rowOptions().notes()
	if (l.output == "-" || l.summary == "-") && mayBeClosed(l.out) {
		l.complain(errors.New("standard output is closed: what is written there would be lost"))
		return exitBad
	}
	l.keepToMemory()
	r := result{job: job{inputs: []string{strings.Join(l.inputs, " ")}, output: l.output, stream: true}}
	p := &plan{jobs: []job{r.job}}
	show := l.display(ctx, p)
	l.ring.Filter, l.ring.Wait, l.ring.Memory = filter, true, int(l.memory)
	l.ring.Notice = func(text string) {
		if !l.quiet {
			show.say(func() { l.print(text) })
		}
	}
	counters := l.run(ctx, &r, show)
	show.close()
	l.tell(&r)
	report := l.report(p, []result{r}, time.Since(began))
	report.Ring = counters
	return l.close(context.WithoutCancel(ctx), report)
}

// run writes the flows of the interfaces until the context ends. Then the ring does,
// and with it the run, in order.
func (l *liveCommand) run(ctx context.Context, r *result, show *display) *live.Counters {
	ring, err := live.OpenAll(l.inputs, l.ring)
	if err != nil {
		r.errs = []error{err}
		return nil
	}
	defer ring.Close()
	defer context.AfterFunc(ctx, ring.End)()
	options := l.options
	_, options.MaxMemory = l.atOnce(1)
	options.Workers = l.jobs
	run, err := flowfast.NewSource(options, ring, r.job.inputs[0])
	if err != nil {
		r.errs = []error{err}
		return nil
	}
	line := show.begin(r.job, run.Progress)
	defer show.end(line)
	out, err := l.sink(ctx, show, ring)
	if err != nil {
		run.Close()
		r.failed = err
		return nil
	}
	if r, ok := out.(*rotating); ok {
		defer onHangup(r.turn)()
	}
	var ended reasons
	if l.metrics != "" {
		server, err := serveMetrics(l.metrics, run, ring, out, &ended)
		if err != nil {
			run.Close()
			out.discard()
			r.failed = err
			return nil
		}
		defer server.Close()
	}
	err = run.Write(context.WithoutCancel(ctx), out, counted{out.rows(), &ended})
	r.summary = run.Summary()
	if failed := out.close(); failed != nil {
		r.failed = failed
	} else {
		r.errs = split(err)
	}
	r.written = out.size()
	c := ring.Counters()
	return &c
}

// onHangup has SIGHUP do something, until what it returns is called.
func onHangup(do func()) (stop func()) {
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-signals:
				do()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

// A liveSink is where the rows of a live run go.
type liveSink interface {
	io.Writer
	Flush() error
	rows() flowfast.Rows
	close() error // gives the last file its name
	discard()
	size() int64    // bytes written
	written() int64 // rows
}

// sink returns where the rows go: to one file, or to one after the other.
func (l *liveCommand) sink(ctx context.Context, show *display, ring *live.Ring) (liveSink, error) {
	table := export.Table{Columns: l.columns, Notes: l.notes}
	if !l.rotate.none() {
		complain := func(err error) { show.say(func() { l.complain(err) }) }
		return newRotating(l.output, l.rotate, l.keep, l.format, table, complain, ring.Counters)
	}
	file, err := l.create(ctx, l.output)
	if err != nil {
		return nil, err
	}
	w, err := l.format.NewWriter(file, table)
	if err != nil {
		file.Discard()
		return nil, err
	}
	return &oneFile{file: file, writer: w, of: l.format.Rows(table)}, nil
}

// A oneFile is one file, or standard output.
type oneFile struct {
	file   *export.File
	writer io.WriteCloser
	of     flowfast.Rows
	n      atomic.Int64
	bytes  atomic.Int64
}

func (s *oneFile) rows() flowfast.Rows { return tallied{s.of, &s.n} }
func (s *oneFile) size() int64         { return s.bytes.Load() }
func (s *oneFile) written() int64      { return s.n.Load() }

func (s *oneFile) Write(b []byte) (int, error) {
	n, err := s.writer.Write(b)
	s.bytes.Store(s.file.Size())
	return n, err
}

func (s *oneFile) Flush() error { return flush(s.writer) }

// flush has a writer withhold nothing, if it knows how to.
func flush(w io.Writer) error {
	if f, ok := w.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}

func (s *oneFile) close() error {
	err := s.writer.Close()
	if err == nil {
		err = s.file.Commit()
	}
	s.bytes.Store(s.file.Size())
	s.file.Discard()
	return err
}

func (s *oneFile) discard() { s.file.Discard() }

// Tallied rows count themselves.
type tallied struct {
	flowfast.Rows
	n *atomic.Int64
}

func (t tallied) AppendRow(b []byte, f *flowfast.Flow) []byte {
	t.n.Add(1)
	return t.Rows.AppendRow(b, f)
}

// ringSize is the value of a flag: a size of at least two blocks.
type ringSize int64

func (s *ringSize) Set(text string) error {
	n, err := bytesOf(text)
	if err != nil || n < 2<<20 || n > 1<<31-1 {
		return errors.New("want 2 MiB to 2 GiB, such as 64MiB")
	}
	*s = ringSize(n)
	return nil
}

func (s *ringSize) String() string { return "" }
func (s *ringSize) Type() string   { return "size" }

// makeFolder makes the folder of a file.
func makeFolder(name string) error { return os.MkdirAll(filepath.Dir(name), 0o777) }
