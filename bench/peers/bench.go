//go:build linux || darwin

package peers

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/flowfast/flowfast/bench/process"
	"github.com/flowfast/flowfast/bench/release"
	"github.com/flowfast/flowfast/bench/workload"
)

// Options say how to compare.
type Options struct {
	Scale    float64       // of the workloads; peers that are slow get less
	Runs     int           // of each program, of which the medians are taken
	Limit    time.Duration // of one run
	Dir      string        // where the captures are
	Progress io.Writer
}

// A Bench compares flowfast with peers.
type Bench struct {
	Options
	flowfast  string // path of the binary
	collector net.PacketConn
	start     map[string]process.Usage // on a capture of one packet, by program
}

// New builds flowfast and opens the collector. Close takes both away.
func New(ctx context.Context, o Options) (*Bench, error) {
	dir, err := os.MkdirTemp("", "flowfast-build-")
	if err != nil {
		return nil, err
	}
	b := &Bench{Options: o, flowfast: filepath.Join(dir, "flowfast"), start: map[string]process.Usage{}}
	if err := release.Command(ctx, b.flowfast); err != nil {
		b.Close()
		return nil, err
	}
	if b.collector, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
		b.Close()
		return nil, err
	}
	go discard(b.collector)
	return b, nil
}

// Close removes the binary and closes the collector.
func (b *Bench) Close() {
	os.RemoveAll(filepath.Dir(b.flowfast))
	if b.collector != nil {
		b.collector.Close()
	}
}

// discard reads datagrams until the socket is closed.
func discard(c net.PacketConn) {
	buf := make([]byte, 1<<16)
	for {
		if _, _, err := c.ReadFrom(buf); err != nil {
			return
		}
	}
}

// flowfastJobs is flowfast with so many workers, as a program of the table.
func (b *Bench) flowfastJobs(jobs string) Found {
	return Found{Path: b.flowfast, Peer: &Peer{
		Name: "flowfast -j " + jobs,
		arguments: func(j Job) ([]string, error) {
			return []string{"-q", "-j", jobs, "--summary", j.path("summary.json"), j.Capture, j.path("flows.csv")}, nil
		},
		counts: flowfastCounts,
	}}
}

// A Group are the results of one capture.
type Group struct {
	Workload string
	Scale    float64
	Packets  int
	Lines    []Line // flowfast with one worker and with two, then the peers
}

// A Line is a program with the medians of its runs.
type Line struct {
	Found
	Result
	Start process.Usage // on a capture of one packet
}

// Start measures every program on a capture of one packet, for what it costs
// to start it.
func (b *Bench) Start(ctx context.Context, found []Found) error {
	g, err := b.group(ctx, "flood1", 1, found)
	if err != nil {
		return err
	}
	for _, l := range g.Lines {
		b.start[l.Name] = l.Usage
	}
	return nil
}

// Compare runs flowfast and the peers on a workload, at each scale that a peer
// needs, the largest first, and gives the results of each to tell.
func (b *Bench) Compare(ctx context.Context, name string, found []Found, tell func(Group)) error {
	at := map[float64][]Found{}
	for _, f := range found {
		scale := scaleOf(name, b.Scale, f.mostOf(name))
		at[scale] = append(at[scale], f)
	}
	scales := make([]float64, 0, len(at))
	for scale := range at {
		scales = append(scales, scale)
	}
	slices.SortFunc(scales, func(a, b float64) int { return cmp.Compare(b, a) })
	for _, scale := range scales {
		g, err := b.group(ctx, name, scale, at[scale])
		if err != nil {
			return err
		}
		tell(g)
	}
	return nil
}

// short is the size of a capture on which flowfast is done in milliseconds, so
// that it takes more runs to tell how many.
const short = 200_000

// group runs flowfast and peers in turn on one capture.
func (b *Bench) group(ctx context.Context, name string, scale float64, found []Found) (Group, error) {
	g := Group{Workload: name, Scale: scale, Packets: workload.Packets(name, scale)}
	capture, _, err := workload.File(b.Dir, name, scale, 1)
	if err != nil {
		return g, err
	}
	if capture, err = filepath.Abs(capture); err != nil {
		return g, err
	}
	job := Job{Capture: capture, Packets: g.Packets, Collector: b.collector.LocalAddr().String()}
	programs := append([]Found{b.flowfastJobs("1"), b.flowfastJobs("2")}, found...)
	results := make([][]Result, len(programs))
	for turn := range b.Runs {
		for i, p := range programs {
			if slices.ContainsFunc(results[i], func(r Result) bool { return r.Err != nil }) {
				continue
			}
			fmt.Fprintf(b.Progress, "%s, %d packets, turn %d: %s\n", name, g.Packets, turn+1, p.Name)
			times := 1
			if i < 2 && g.Packets < short {
				times = 5
			}
			for range times {
				results[i] = append(results[i], measure(ctx, job, b.Limit, p.Path, p.arguments, p.counts))
				if ctx.Err() != nil {
					return g, context.Cause(ctx)
				}
			}
		}
	}
	for i, p := range programs {
		g.Lines = append(g.Lines, Line{p, median(results[i]), b.start[p.Name]})
	}
	return g, nil
}

// median returns the medians of several runs, or the one that failed.
func median(runs []Result) Result {
	for _, r := range runs {
		if r.Err != nil {
			return r
		}
	}
	r := runs[len(runs)/2] // the counts are those of any
	r.Wall = middle(runs, func(r Result) time.Duration { return r.Wall })
	r.User = middle(runs, Result.CPU) // only their sum is told
	r.System = 0
	r.Peak = middle(runs, func(r Result) int64 { return r.Peak })
	return r
}

// middle returns the median of a figure, of an even number the upper one.
func middle[T cmp.Ordered](runs []Result, figure func(Result) T) T {
	values := make([]T, len(runs))
	for i, r := range runs {
		values[i] = figure(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
