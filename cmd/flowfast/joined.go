package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowfast/flowfast/export"
)

// A joinedDataset is what many machines tell of the parts that flowfast flows has
// written there of one stream: what can be described of them without reading them.
type joinedDataset struct {
	Name     string          `json:"name"` // of the folder of the captures
	Captures []joinedCapture `json:"captures"`
	Parts    []joinedPart    `json:"parts"`
}

type joinedCapture struct {
	Path    string `json:"path"`    // below the folder
	Size    int64  `json:"size"`    // bytes, as it is stored
	Summary report `json:"summary"` // of flowfast partition
}

type joinedPart struct {
	partFile
	Summary report `json:"summary"` // of flowfast flows
}

// A joinedEntry is what a manifest says of a capture whose flows go on in others: no
// rows are its own.
type joinedEntry struct {
	Path    pathText  `json:"path"`
	Size    int64     `json:"size"`
	Packets uint64    `json:"packets"`
	Classes classes   `json:"classes"`
	First   time.Time `json:"first_packet,omitzero"`
	Last    time.Time `json:"last_packet,omitzero"`
	Status  status    `json:"status"`
	Error   pathText  `json:"error,omitempty"`
}

// describeCommand returns the command that writes what there is to be said of a joined
// dataset: the files that --dataset writes beside the parts. It is for programs that have
// shared out its work.
func (root *command) describeCommand() *cobra.Command {
	d := &command{streams: root.streams, join: true}
	unnumbered := false
	c := &cobra.Command{
		Use:    "describe-dataset [flags] FOLDER",
		Short:  "write the description of a data set that many machines have made",
		Hidden: true,
		Args: func(c *cobra.Command, args []string) error {
			d.given, d.flags = c.Flags().Changed, c.Root().Flags()
			return d.takeJoined(args, unnumbered)
		},
		Run: func(c *cobra.Command, _ []string) {
			if err := d.describeJoined(c.Context()); err != nil {
				d.complain(err)
				root.status = exitBad
			}
		},
	}
	f := c.Flags()
	f.SortFlags = false
	d.endFlags(f)
	keyFlags(f, &d.options)
	d.memoryFlag(f)
	packetFlags(f, &d.options, &d.filter)
	directionFlag(f, &d.options)
	anonymizeFlag(f, &d.anonymize)
	d.rows.profileFlag(f)
	d.rows.flags(f)
	unnumberedFlag(f, &unnumbered)
	d.labels.flags(f)
	d.timeUnitFlag(f)
	return c
}

// takeJoined takes the arguments of the command, as partition and flows take them.
func (c *command) takeJoined(args []string, unnumbered bool) (err error) {
	if len(args) != 1 || args[0] == "" {
		return fmt.Errorf("FOLDER is needed, arguments given: %d", len(args))
	}
	c.output = args[0]
	if c.options.AnonymizeKey, err = c.anonymize.key(); err != nil {
		return err
	}
	if err := c.filter.read(); err != nil {
		return err
	}
	if err := c.takeColumns(); err != nil {
		return err
	}
	if unnumbered {
		c.columns = slices.DeleteFunc(c.columns, func(of *export.Column) bool {
			if of.Numbered {
				c.rows.names = append(c.rows.names, "-"+of.Name) // for the command line
			}
			return of.Numbered
		})
	}
	c.format, _ = export.FormatNamed(datasetFormat)
	return nil
}

// describeJoined reads what is told of a dataset from standard input, and describes it.
func (c *command) describeJoined(ctx context.Context) error {
	var told joinedDataset
	read := json.NewDecoder(c.in)
	if err := read.Decode(&told); err != nil {
		return fmt.Errorf("standard input: offset %d: %w", read.InputOffset(), err)
	}
	if _, err := read.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("standard input: offset %d: want the end", read.InputOffset())
	}
	m := newManifest(c.output, c.rowOptions())
	d := &description{name: told.Name, joined: true, columns: c.columns, rules: c.rules(m.options)}
	for i := range told.Captures {
		e := told.Captures[i].entry(c.options.Resolution)
		d.add(e)
		m.lines = append(m.lines, encodedEntry{e.Path, encoded(joinedEntry{e.Path, e.Size, e.Packets, e.Classes, e.First, e.Last, e.Status, e.Error})})
	}
	for _, p := range told.Parts {
		d.parts = append(d.parts, p.partFile)
		d.summary.Flows += p.Summary.Flows
		if p.Summary.Labels != nil {
			d.labels.Add(p.Summary.Labels)
		}
	}
	text := m.text()
	d.manifest = manifestPart(text)
	d.command = c.commandLine("-r --join", m.options, "INPUT OUTPUT."+datasetFormat)
	if err := writeFile(ctx, m.name(), text); err != nil {
		return err
	}
	return d.write(ctx, c.output)
}

// entry returns what became of the capture. Its times have the resolution of the rows:
// partition has kept those of the capture.
func (c *joinedCapture) entry(resolution time.Duration) entry {
	s := &c.Summary
	e := entry{
		Path: pathText(c.Path), Size: c.Size, Status: done,
		Packets: s.Packets, Classes: classes(s.Classes), First: s.First.Truncate(resolution), Last: s.Last.Truncate(resolution),
	}
	for _, text := range s.Errors {
		for _, of := range s.Captures {
			text = strings.TrimPrefix(text, of.Name+": ")
		}
		e.Status, e.Error = damaged, join(e.Error, pathText(text))
	}
	if len(s.Captures) == 0 {
		e.Status = failed
	}
	return e
}
