//go:build linux || darwin

package peers

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Head writes on what machine, when, from what commit and with what command
// the figures are.
func Head(w io.Writer, command string) {
	fmt.Fprintf(w, "machine: %s, %d cores, %s/%s, %s  \n", processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	fmt.Fprintf(w, "date: %s  \n", time.Now().UTC().Format("2006-01-02 15:04 MST"))
	fmt.Fprintf(w, "commit: %s  \n", told("unknown", "git", "describe", "--always", "--dirty"))
	fmt.Fprintf(w, "command: %s  \n", command)
	fmt.Fprintf(w, "peaks of memory below %.0f MiB are not seen\n\n", mebibytes(floor()))
}

// processor names the processor.
func processor() string {
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return told("unknown processor", "sysctl", "-n", "machdep.cpu.brand_string")
}

// told returns what a command prints, or something else if it can't.
func told(otherwise, name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if out = bytes.TrimSpace(out); err != nil || len(out) == 0 {
		return otherwise
	}
	return string(out)
}

// Installed writes what the peers compute and how they are run, and which are
// missing.
func (b *Bench) Installed(w io.Writer, found []Found, missing map[string]error) {
	fmt.Fprintln(w, "| program | version | columns of 47 | start, CPU ms | computes |")
	fmt.Fprintln(w, "| --- | --- | --: | --: | --- |")
	flowfast := b.flowfastJobs("1").Name
	fmt.Fprintf(w, "| flowfast | this one | 47 | %d | bidirectional flows; packets, bytes, five-number summaries of sizes and inter-arrival times, counts of all eight flags by direction |\n",
		b.start[flowfast].CPU().Milliseconds())
	for _, f := range found {
		fmt.Fprintf(w, "| %s | %s | %d | %d | %s |\n", f.Name, f.Version, f.Columns, b.start[f.Name].CPU().Milliseconds(), f.Computes)
	}
	for _, p := range Peers {
		if err, ok := missing[p.Name]; ok {
			fmt.Fprintf(w, "| %s | missing | %d | | %s (%s: %s) |\n", p.Name, p.Columns, p.Computes, oneLine(err), p.Get)
		}
	}
	fmt.Fprintln(w)
	for _, f := range append([]Found{b.flowfastJobs("1")}, found...) {
		fmt.Fprintf(w, "    %s\n", command(f))
	}
	fmt.Fprintln(w)
}

// command tells how a program is run, with CAPTURE, DIR and COLLECTOR for what
// changes from run to run.
func command(f Found) string {
	dir, err := os.MkdirTemp("", "flowfast-peers-")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(dir)
	args, err := f.arguments(Job{Capture: "CAPTURE", Dir: dir, Collector: "COLLECTOR"})
	if err != nil {
		return err.Error()
	}
	words := []string{filepath.Base(f.Path)}
	for _, a := range args {
		if a = strings.ReplaceAll(a, dir, "DIR"); strings.ContainsAny(a, " ();") {
			a = "'" + a + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// GroupHead writes the head of the table that the lines of groups stand in.
func GroupHead(w io.Writer) {
	fmt.Fprintln(w, "| workload | scale | packets | program | wall s | CPU s | ns CPU/packet | peak MiB | read | flows | CPU ÷ | wall ÷ | memory ÷ |")
	fmt.Fprintln(w, "| --- | --: | --: | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |")
}

// Write writes a line for each program. The ratios are flowfast's figure
// divided by the peer's: CPU and memory with one worker, wall time with two.
func (g Group) Write(w io.Writer) {
	one, two := g.Lines[0], g.Lines[1]
	for i, l := range g.Lines {
		fmt.Fprintf(w, "| %s | %g | %d | %s |", g.Workload, g.Scale, g.Packets, l.Name)
		fmt.Fprintf(w, " %.2f | %.2f | %s | %.0f |", l.Wall.Seconds(), l.CPU().Seconds(), whole(g.perPacket(l)), mebibytes(l.Peak))
		if l.Err != nil {
			fmt.Fprintf(w, " %s | | | | |\n", oneLine(l.Err))
			continue
		}
		fmt.Fprintf(w, " %s | %s |", g.read(l), count(l.Flows))
		if i < 2 || one.Err != nil || two.Err != nil {
			fmt.Fprintln(w, " | | |")
			continue
		}
		wall := ratio(two.Wall.Seconds(), l.Wall.Seconds())
		if l.pauses {
			wall = "–"
		}
		fmt.Fprintf(w, " %s | %s | %s |\n", ratio(g.perPacket(one), g.perPacket(l)), wall, ratio(float64(one.Peak), float64(l.Peak)))
	}
}

// perPacket returns the CPU time in ns of a packet, without that of starting
// the program; 0 if starting it is nearly all.
func (g Group) perPacket(l Line) float64 {
	if l.Err != nil {
		return 0
	}
	net := l.CPU() - l.Start.CPU()
	if net < l.CPU()/10 {
		return 0
	}
	return float64(net.Nanoseconds()) / float64(g.Packets)
}

// read tells which part of the packets a program says that it has read.
func (g Group) read(l Line) string {
	if l.Packets < 0 {
		return "?"
	}
	if l.Packets == int64(g.Packets) {
		return "all"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(l.Packets)/float64(g.Packets))
}

func count(n int64) string {
	if n < 0 {
		return "?"
	}
	return fmt.Sprint(n)
}

func whole(f float64) string {
	if f <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", f)
}

// ratio writes a quotient with two digits, or a dash if there is none.
func ratio(a, b float64) string {
	switch r := a / b; {
	case a <= 0 || b <= 0:
		return "–"
	case r >= 10:
		return fmt.Sprintf("%.0f", r)
	case r >= 1:
		return fmt.Sprintf("%.1f", r)
	default:
		return fmt.Sprintf("%.2g", r)
	}
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// oneLine is an error as it fits into a table.
func oneLine(err error) string {
	return strings.NewReplacer("\n", " ", "|", "/").Replace(strings.TrimSpace(err.Error()))
}
