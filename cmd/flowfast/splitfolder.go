package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/flowfast/flowfast"
)

// With --split-folders the parts of each split of a dataset are in a folder of its own
// below that of the parts, which is called as the split is: not split=NAME, since readers
// make a column of that, and the rows have one.

// noSplit is the folder of flows that are in no split.
const noSplit = "none"

// maxSplitFolders bounds how many tables are written at once, each of which keeps a row
// group in memory.
const maxSplitFolders = 16

var splitFolder = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$`)

// isSplitFolder tells if a folder may be called so.
func isSplitFolder(name string) bool { return splitFolder.MatchString(name) }

// checkSplitFolders returns an error if splits can't have folders.
func (c *command) checkSplitFolders() error {
	if c.splits.shares.Splits == nil || !c.dataset {
		return errors.New("--split-folders needs --split and --dataset")
	}
	names := c.splits.shares.Names()
	if len(names) > maxSplitFolders {
		return fmt.Errorf("--split-folders: %d splits: %d at most", len(names), maxSplitFolders)
	}
	for i, name := range names {
		switch {
		case strings.EqualFold(name, noSplit):
			return fmt.Errorf("--split-folders: the folder %s is for flows in no split", noSplit)
		case !isSplitFolder(name):
			return fmt.Errorf("--split-folders: no folder can be called %q: want letters, digits, and . _ - between them", name)
		case slices.ContainsFunc(names[:i], func(n string) bool { return strings.EqualFold(n, name) }):
			return fmt.Errorf("--split-folders: %q differs from another name in upper and lower case only", name)
		}
	}
	return nil
}

// splitRows have the number of the flow's split before each row.
type splitRows struct{ flowfast.Rows }

func (r splitRows) AppendRow(b []byte, f *flowfast.Flow) []byte {
	return r.Rows.AppendRow(append(b, f.Split), f)
}

// A splitWriter takes what splitRows append, and writes each split's rows into a table
// of its own, which begins with the first of them.
type splitWriter struct {
	ctx    context.Context
	out    *outputs
	names  []string         // of the folders, by the numbers of splits
	tables []io.WriteCloser // nil before they begin
	err    error
}

func newSplitWriter(ctx context.Context, out *outputs) *splitWriter {
	names := append([]string{noSplit}, out.command.splits.shares.Names()...)
	return &splitWriter{ctx: ctx, out: out, names: names, tables: make([]io.WriteCloser, len(names))}
}

func (w *splitWriter) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0 && w.err == nil; {
		end := 1 + int(binary.LittleEndian.Uint32(rest[1:])) // a row says how long it is
		w.write(int(rest[0]), rest[1:end])
		rest = rest[end:]
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(b), nil
}

// write writes a row of a split.
func (w *splitWriter) write(split int, row []byte) {
	if w.tables[split] == nil {
		w.begin(split)
	}
	if w.err == nil {
		_, w.err = w.tables[split].Write(row)
	}
}

// begin begins the table of a split.
func (w *splitWriter) begin(split int) {
	number := 0
	next := func() (io.Writer, error) {
		number++
		return w.out.part(w.ctx, w.names[split], number-1)
	}
	to, err := next()
	if err != nil {
		w.err = err
		return
	}
	w.tables[split], w.err = w.out.command.format.NewWriter(to, w.out.command.shared(next))
}

// Close ends the tables. If there is none, since there are no rows, one is begun: it has
// the columns.
func (w *splitWriter) Close() error {
	if w.err == nil && !slices.ContainsFunc(w.tables, func(t io.WriteCloser) bool { return t != nil }) {
		w.begin(1)
	}
	errs := []error{w.err}
	for _, t := range w.tables {
		if t != nil && w.err == nil {
			errs = append(errs, t.Close())
		}
	}
	return errors.Join(errs...)
}
