package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
)

const infoLong = `Flowfast info reads captures to their ends and describes them: format and
compression, link types, interfaces (name, description, snap length, resolution
of timestamps), time span, packets by class, packets that step back in time, and
damage with its offset. It writes no rows. FILE is a capture, or - for standard
input. One that can't be read does not stop the others.

The exit status is 0 if all was read, 1 if something could not be read.`

// A captureInfo is what flowfast info --json says of a capture. Keys are added,
// never renamed.
type captureInfo struct {
	Name string `json:"name"`
	// Format is "" of what could not be opened.
	Format      string `json:"format"`
	Compression string `json:"compression"` // "" for none
	// Size is that of the file as it is stored, in bytes; 0 if unknown.
	Size       int64           `json:"size_bytes"`
	LinkTypes  []linkTypeInfo  `json:"link_types"`
	Interfaces []interfaceInfo `json:"interfaces"`
	// MoreInterfaces is how many interfaces come behind those listed.
	MoreInterfaces int              `json:"more_interfaces"`
	Packets        uint64           `json:"packets"`
	Classes        flowfast.Classes `json:"classes"`
	// StepsBack is the number of packets that are stamped earlier than one before
	// them in their direction of a flow.
	StepsBack uint64            `json:"steps_back"`
	Unread    []flowfast.Unread `json:"unread"`
	Tunnels   []flowfast.Unread `json:"tunnels"`
	First     time.Time         `json:"first_packet,omitzero"`
	Last      time.Time         `json:"last_packet,omitzero"`
	// Warnings are what is odd, a capture's end within a record among it; Errors are
	// why it was not read further. Both name offsets, after decompression.
	Warnings []string `json:"warnings"`
	Errors   []string `json:"errors"`
}

type linkTypeInfo struct {
	Number uint32 `json:"number"`
	Name   string `json:"name"` // in tcpdump's list, "" if it has none there
	Read   bool   `json:"read"` // flowfast looks for IP in it
}

type interfaceInfo struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	LinkType    uint32 `json:"link_type"`
	SnapLength  uint32 `json:"snap_length"` // 0 for no limit
	// Resolution is the unit of timestamps in seconds.
	Resolution float64 `json:"resolution_seconds"`
}

// infoCommand is the command that tells what is in captures.
func infoCommand(s streams, status *int) *cobra.Command {
	asJSON := false
	c := &cobra.Command{
		Use:   "info [--json] FILE...",
		Short: "describe captures without writing rows",
		Long:  infoLong,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) (err error) {
			*status, err = info(s, files, asJSON)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON, for programs")
	return c
}

// info tells what is in captures. An error is one of the output.
func info(s streams, files []string, asJSON bool) (status int, err error) {
	ctx, stop := untilSignal()
	defer stop()
	c := command{streams: s, jobs: 1}
	c.keepToMemory()
	all := struct {
		Version  string        `json:"version"`
		Captures []captureInfo `json:"captures"`
	}{Version: flowfast.Version}
	for i, file := range files {
		of := c.look(ctx, file)
		if signal := signalOf(ctx); signal != 0 {
			return 128 + int(signal), nil
		}
		for _, text := range of.Errors {
			c.log(slog.LevelError, text)
			status = exitBad
		}
		if asJSON {
			all.Captures = append(all.Captures, of)
			continue
		}
		text := of.text()
		if i > 0 {
			text = "\n" + text
		}
		if _, err := io.WriteString(s.out, text); err != nil {
			return exitBad, err
		}
	}
	if asJSON {
		err = writeJSON(s.out, all)
	}
	return status, err
}

// look reads a capture to its end.
func (c *command) look(ctx context.Context, file string) captureInfo {
	of := captureInfo{
		Name: file, LinkTypes: []linkTypeInfo{}, Interfaces: []interfaceInfo{},
		Unread: []flowfast.Unread{}, Tunnels: []flowfast.Unread{}, Warnings: []string{}, Errors: []string{},
	}
	fail := func(err error) {
		for _, err := range split(err) {
			of.Errors = append(of.Errors, message(err))
		}
	}
	j, err := single(file, c.in)
	if stat, e := os.Stat(file); e == nil && stat.IsDir() {
		err = fmt.Errorf("%s: is a directory: want captures", file)
	}
	if err != nil {
		fail(err)
		return of
	}
	of.Size = j.size
	var options flowfast.Options
	_, options.MaxMemory = c.atOnce(1)
	run, closeStream, err := c.open(ctx, j, options)
	defer closeStream()
	if err != nil {
		fail(err)
		return of
	}
	for _, err := range run.Flows(ctx) {
		fail(err)
	}
	of.take(run.Summary())
	return of
}

// take takes in what came of a run.
func (of *captureInfo) take(s flowfast.Summary) {
	capture := &s.Captures[0]
	of.Format, of.Compression, _ = strings.Cut(capture.Format, ", ")
	for _, number := range capture.LinkTypes {
		of.LinkTypes = append(of.LinkTypes, linkTypeInfo{number, decode.LinkTypeName(number), decode.KnownLinkType(number)})
	}
	for _, in := range capture.Interfaces {
		of.Interfaces = append(of.Interfaces, interfaceInfo{in.Name, in.Description, in.LinkType, in.SnapLen, in.Resolution})
	}
	of.MoreInterfaces = capture.MoreInterfaces
	of.Packets, of.Classes, of.StepsBack = s.Packets, s.Classes, s.StepsBack
	of.Unread, of.Tunnels = append(of.Unread, s.Unread...), append(of.Tunnels, s.Tunnels...)
	of.First, of.Last = s.First, s.Last
	of.Warnings = append(of.Warnings, s.Warnings...)
}

// text tells it to people.
func (of *captureInfo) text() string {
	b := lines{width: 20}
	b.WriteString(printable(of.Name) + "\n")
	if of.Format == "" {
		for _, text := range of.Errors {
			b.line("  not read", printable(text))
		}
		return b.String()
	}
	b.line("  format", of.Format)
	b.line("  compression", cmp.Or(of.Compression, "none"))
	if of.Size > 0 {
		b.line("  size", grouped(of.Size)+" bytes")
	}
	for _, l := range of.LinkTypes {
		b.line("  link type", l.text())
	}
	for i, in := range of.Interfaces {
		b.line(fmt.Sprint("  interface ", i), in.text(len(of.LinkTypes) > 1))
	}
	if of.MoreInterfaces > 0 {
		b.line("  interfaces", grouped(of.MoreInterfaces)+" more")
	}
	b.line("  time span", timeSpan(of.Packets, of.First, of.Last))
	b.packets("  ", of.Packets, of.Classes, of.Unread, of.Tunnels)
	b.number("  steps back", of.StepsBack)
	if len(of.Warnings)+len(of.Errors) == 0 {
		b.line("  damage", "none")
	}
	for _, text := range of.Warnings {
		b.line("  warning", printable(strings.TrimPrefix(text, of.Name+": ")))
	}
	for _, text := range of.Errors {
		b.line("  error", printable(strings.TrimPrefix(text, of.Name+": ")))
	}
	return b.String()
}

func (l linkTypeInfo) text() string {
	text := fmt.Sprint(l.Number)
	if l.Name != "" {
		text += ", " + l.Name
	}
	if !l.Read {
		text += " (not read)"
	}
	return text
}

// text tells what an interface is, with its link type if that is to be said.
func (in interfaceInfo) text(linkType bool) string {
	var all []string
	if in.Name != "" {
		all = append(all, printable(in.Name))
	}
	if in.Description != "" {
		all = append(all, fmt.Sprintf("%q", printable(in.Description)))
	}
	if linkType {
		all = append(all, fmt.Sprint("link type ", in.LinkType))
	}
	if in.SnapLength > 0 {
		all = append(all, "snap length "+grouped(uint64(in.SnapLength)))
	}
	return strings.Join(append(all, "resolution "+unitText(in.Resolution)), ", ")
}

// unitText writes a unit of time, a power of ten or two of a second.
func unitText(seconds float64) string {
	names := map[float64]string{1: "1 s", 1e-3: "1 ms", 1e-6: "1 µs", 1e-9: "1 ns"}
	if name := names[seconds]; name != "" {
		return name
	}
	if half, exponent := math.Frexp(seconds); half == 0.5 {
		return fmt.Sprintf("2^%d s", exponent-1)
	}
	return fmt.Sprintf("%.0e s", seconds)
}
