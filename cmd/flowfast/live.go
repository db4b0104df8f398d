package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/live"
	pages "github.com/flowfast/flowfast/report"
)

const liveLong = `Flowfast live writes the flows of network interfaces (Linux), until SIGINT or
SIGTERM: the rows that flowfast makes of a capture taken at the same time.

IFACE is the name of an interface. The run waits for one that does not exist
yet, or goes and comes back. Several share one ring in the order of time. any,
or --interface any, means all interfaces: their frames are cooked. OUTPUT is a
file, - for standard output, or with --rotate the name of many files.

It needs root, or CAP_NET_RAW: setcap cap_net_raw+ep flowfast. The exit status
is 0 after SIGINT or SIGTERM, 1 if something could not be read or written, 2 if
the arguments make no sense.`

const liveExamples = `  flowfast live eth0 flows.csv
  flowfast live --active-timeout 5m eth0 eth1 - | head
  flowfast live --filter 'not port 22' --interface any flows.jsonl
  flowfast live --rotate 5m --keep 7d eth0 'flows/%Y-%m-%d/%H%M.parquet'
  flowfast live --metrics 9100 --rotate 1h --rotate 1GiB eth0 out/flows.csv.zst
  flowfast live --serve unix:/run/flows.sock --labels rules.yaml eth0 flows.csv`

// A liveCommand is what the user asked for of interfaces.
type liveCommand struct {
	command
	interfaces []string
	ring       live.Options
	memory     ringSize // of the ring
	rotate     rotation
	keep       retention
	metrics    string
	serve      serving
	user       string
}

// liveCommand returns the command that takes packets from interfaces. The status
// goes into that of the root.
func (root *command) liveCommand() *cobra.Command {
	l := &liveCommand{command: command{streams: root.streams, live: true}}
	if f, ok := l.err.(*os.File); ok {
		l.journal = isJournal(f)
	}
	c := &cobra.Command{
		Use:     "live [options] IFACE... OUTPUT",
		Short:   "write the flows of network interfaces",
		Long:    liveLong,
		Example: liveExamples,
		Args: func(c *cobra.Command, args []string) error {
			l.flags, l.given = c.Flags(), c.Flags().Changed
			return l.take(args)
		},
		Run:               func(*cobra.Command, []string) { root.status = l.execute() },
		ValidArgsFunction: completeInterfaces,
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringSliceVar(&l.interfaces, "interface", nil,
		"capture from `IFACE` too; any: from all interfaces (default none)")
	f.Var((*count)(&l.ring.SnapLen), "snaplen",
		"keep the first `BYTES` of each frame; sizes in rows are those of whole frames (default 262144)")
	f.BoolVar(&l.ring.Promiscuous, "promiscuous", false,
		"capture frames for other hosts too")
	f.Var(&l.memory, "ring",
		"hold the packets of busy moments in a ring buffer of `SIZE` (default 32MiB)")
	f.Var(&l.rotate, "rotate",
		"begin a new file at whole multiples of a time, such as 5m, or at a size, such as 1GiB; for both, give it twice: `TIME|SIZE` (default one file)")
	f.Var(&l.keep, "keep",
		"with --rotate, remove files that ended longer ago than a time, such as 7d, or the oldest beyond a total size, such as 100GiB; for both, give it twice: `TIME|SIZE` (default all)")
	f.StringVar(&l.metrics, "metrics", "",
		"serve Prometheus metrics, /healthz and /readyz at `ADDR`, such as 9100 (for this host alone) or 0.0.0.0:9100 (default none)")
	f.StringVar(&l.serve.address, "serve", "",
		"send the rows to whoever connects at `ADDR` too: unix:PATH or tcp://HOST:PORT; without a host, to this machine alone (default none)")
	f.StringVar(&l.serve.format, "serve-format", "",
		"serve `FORMAT`: jsonl, arrows, csv, or one of them compressed (default jsonl)")
	f.Var(&l.serve.queue, "serve-queue",
		"keep `SIZE` of rows for slow readers, and drop the oldest beyond it (default 16MiB)")
	f.StringVar(&l.user, "user", "",
		"continue as the user `NAME`, without privileges, once the interfaces are open (default the user who started it)")
	l.flowFlags(f)
	// One worker takes what two cores can send, at less CPU time for each packet:
	// bench/README.md, Interfaces.
	l.jobs = 1
	f.Lookup("jobs").Usage = "work with `N` workers (default 1)"
	l.labels.flags(f)
	ofTables(f, l.page.flag)
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
	case l.rows.metered():
		return fmt.Errorf("--profile %s is for captures", legacyProfile)
	case l.rotate.none() && !l.keep.none():
		return errors.New("--keep needs --rotate")
	case !l.rotate.none() && l.output == "-":
		return errors.New("--rotate makes files, not standard output")
	case !l.given("flush"):
		l.options.Flush = defaultFlush
	case l.options.Flush == 0:
		return errors.New("--flush none is for captures: live flows end by the clock")
	}
	if l.metrics != "" {
		address, err := listenAddress(l.metrics)
		if err != nil {
			return fmt.Errorf("--metrics %s: %w", l.metrics, err)
		}
		l.metrics = address
	}
	if err := l.takeServing(); err != nil {
		return err
	}
	if err := l.checkLivePage(); err != nil {
		return err
	}
	if !l.rotate.none() {
		return checkPattern(l.output)
	}
	return nil
}

// checkLivePage returns an error if there is no place for the page of --report, which is
// written when the run is over: that may be weeks later.
func (l *liveCommand) checkLivePage() error {
	page := l.page.file
	if page == "" {
		return nil
	}
	for name, what := range map[string]string{l.output: "the output", l.summary: "the summary"} {
		if name != "" && (filepath.Clean(page) == filepath.Clean(name) || same(page, name)) {
			return fmt.Errorf("%s: is %s, no place for the page of --report", page, what)
		}
	}
	folder := filepath.Dir(page)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: there is no folder %s", page, folder)
	}
	return nil
}

// takeServing says what is wrong with --serve and what goes with it.
func (l *liveCommand) takeServing() error {
	s := &l.serve
	if s.address == "" {
		if l.given("serve-format") || l.given("serve-queue") {
			return errors.New("--serve-format and --serve-queue need --serve")
		}
		return nil
	}
	if _, _, err := s.listen(); err != nil {
		return err
	}
	f, ok := export.FormatNamed(cmp.Or(s.format, "jsonl"))
	if !ok || !f.Streams() {
		return fmt.Errorf("--serve-format %s: want one that can be read before its end, such as jsonl or arrows", s.format)
	}
	s.of = f
	return nil
}

// listenAddress returns where to listen: at the loopback unless a host is named.
func listenAddress(text string) (string, error) {
	if !strings.Contains(text, ":") {
		text = ":" + text
	}
	host, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return "", errors.New("want a port, or an address and a port")
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
	l.page.options = l.chosenOptions()
	if (l.output == "-" || l.summary == "-") && mayBeClosed(l.out) {
		l.complain(errors.New("standard output is closed: output written there would be lost"))
		return exitBad
	}
	l.keepToMemory()
	r := result{job: job{inputs: []string{strings.Join(l.inputs, " ")}, output: l.output, stream: true}}
	p := &plan{jobs: []job{r.job}}
	show := l.display(ctx, p)
	l.ring.Filter, l.ring.Wait, l.ring.Memory = filter, true, int(l.memory)
	l.ring.BufferTimeout, l.options.Flush = live.BufferTimeoutWithin(l.options.Flush)
	notify := newNotifier()
	l.ring.Notice = func(text string) {
		notify.send("STATUS=" + text)
		if !l.quiet {
			show.say(func() { l.log(slog.LevelInfo, text) })
		}
	}
	outcome := l.run(ctx, &r, show, notify)
	show.close()
	l.tell(&r)
	l.page.add(&r)
	report := l.report(p, []result{r}, time.Since(began))
	report.Ring, report.Served = outcome.ring, outcome.served
	return l.close(context.WithoutCancel(ctx), report)
}

// A liveOutcome is what a live run tells besides a result.
type liveOutcome struct {
	ring   *live.Counters
	served *servedCounts
}

// run writes the flows of the interfaces until the context ends. Then the ring does,
// and with it the run, in order. What takes privileges comes first.
func (l *liveCommand) run(ctx context.Context, r *result, show *display, notify *notifier) (o liveOutcome) {
	ring, err := live.OpenAll(l.inputs, l.ring)
	if err != nil {
		r.errs = []error{err}
		return o
	}
	defer ring.Close()
	defer context.AfterFunc(ctx, ring.End)()
	listeners, err := l.listen()
	defer listeners.close()
	if err == nil && l.user != "" {
		err = dropPrivileges(l.user, !ring.Opened())
	}
	if err != nil {
		r.failed = err
		return o
	}
	pulse := newPulse()
	options := l.options
	_, options.MaxMemory = l.atOnce(1)
	options.MaxMemory = max(options.MaxMemory-l.buffers(), flowfast.MinMemory)
	options.Workers = l.jobs
	var labeled *relabeling
	if l.labels.set != nil {
		labeled = newRelabeling(l.labels.set)
		options.Labeler = labeled.labeler
	}
	if r.page = l.page.collector(); r.page != nil {
		options.Packets = r.page.Packets
	}
	run, err := flowfast.NewSource(options, pulsing{ring, pulse}, r.job.inputs[0])
	if err != nil {
		r.errs = []error{err}
		return o
	}
	line := show.begin(r.job, run.Progress)
	defer show.end(line)
	complain := func(err error) { show.say(func() { l.complain(err) }) }
	out, err := l.sink(ctx, complain, ring)
	if err != nil {
		run.Close()
		r.failed = err
		return o
	}
	figures := &figures{run: run, ring: ring, out: out, ended: new(reasons), pulse: pulse}
	rows := out.rows()
	var to flushWriter = out
	if listeners.serve != nil {
		table := export.Table{Columns: l.columns, Notes: l.notes, TimeUnit: l.timeUnit.of}
		figures.server = newServer(listeners.serve, l.serve.of, table, cmp.Or(int64(l.serve.queue), defaultQueue), l.ring.Notice)
		rows = teed{rows, l.serve.of.Rows(table)}
		to = &teeing{output: to, server: figures.server}
	}
	if r.page != nil {
		counting, err := pages.NewWriter(to, rows, r.page)
		if err != nil {
			run.Close()
			out.discard()
			r.failed = err
			return o
		}
		rows, to = pages.Rows{Format: rows}, counting
	}
	if listeners.metrics != nil {
		defer serveMetrics(listeners.metrics, figures).Close()
	}
	defer onHangup(func() { l.hangUp(out, labeled, complain) })()
	defer notify.watch(pulse)()
	defer context.AfterFunc(ctx, func() { notify.send("STOPPING=1") })()
	notify.send("READY=1")
	err = run.Write(context.WithoutCancel(ctx), writing{to, pulse}, counted{rows, figures.ended})
	r.summary = run.Summary()
	if labeled != nil {
		r.labels, r.ruled = labeled.total(), true
		r.summary.Warnings = append(r.summary.Warnings, r.labels.Warnings...)
	}
	if failed := out.close(); failed != nil {
		r.failed = failed
	} else {
		r.errs = split(err)
	}
	if figures.server != nil {
		served := figures.server.close()
		o.served = &served
	}
	r.written = out.size()
	c := ring.Counters()
	o.ring = &c
	return o
}

// buffers returns the bytes of memory that the ring and the queue of readers take.
func (l *liveCommand) buffers() int {
	n := cmp.Or(int(l.memory), live.DefaultMemory)
	if l.serve.address != "" {
		n += cmp.Or(int(l.serve.queue), defaultQueue)
	}
	return n
}

// hangUp begins another file, and reads the rules again.
func (l *liveCommand) hangUp(out liveSink, labeled *relabeling, complain func(error)) {
	if labeled != nil {
		if err := l.reread(labeled); err != nil {
			for _, err := range split(err) {
				complain(fmt.Errorf("--labels: %w", err))
			}
			complain(errors.New("--labels: the rules stay as they were"))
		} else {
			out.note(l.rowOptions().notes())
		}
	}
	out.turn()
}

// Listeners are where others connect.
type listeners struct{ metrics, serve net.Listener }

// listen begins to listen. What it returns is to be closed, also with an error.
func (l *liveCommand) listen() (all listeners, err error) {
	if l.metrics != "" {
		if all.metrics, err = listenMetrics(l.metrics); err != nil {
			return all, err
		}
	}
	if l.serve.address != "" {
		all.serve, err = openServer(l.serve)
	}
	return all, err
}

func (l *listeners) close() {
	for _, one := range []net.Listener{l.metrics, l.serve} {
		if one != nil {
			one.Close()
		}
	}
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
