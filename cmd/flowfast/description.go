package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/labels"
)

// A description is what a dataset says of itself, in two files: for people and for
// programs. It comes from the options and the manifest alone, so two runs give the same
// bytes, for any number of workers and in any folder.
type description struct {
	name     string // of the folder that was read
	command  string
	rules    []rule
	columns  []*export.Column
	captures []entry
	parts    []partFile
	manifest partFile // which lists the captures
	joined   bool     // flows go on from capture to capture: none has rows of its own

	// Sums over the captures.
	summary flowfast.Summary
	labels  labels.Counts
	failed  int // captures that could not be read
}

// A rule is an option that shapes rows, with its value.
type rule struct{ Name, Value, Meaning string }

const (
	descriptionPage = "DATASET.md"   // for people
	descriptionName = "dataset.json" // for programs
)

// removeDescription removes the files, which hold for all of a dataset or not at all.
func removeDescription(folder string) error {
	var errs []error
	for _, name := range []string{descriptionPage, descriptionName} {
		if err := os.Remove(filepath.Join(folder, name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// describe writes the files of a dataset.
func (c *command) describe(ctx context.Context, m *manifest) error {
	d, err := c.description(m)
	if err != nil {
		return err
	}
	return d.write(ctx, c.output)
}

// write writes the files into a folder.
func (d *description) write(ctx context.Context, folder string) error {
	slices.SortFunc(d.parts, func(a, b partFile) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortFunc(d.captures, func(a, b entry) int { return cmp.Compare(a.Path, b.Path) })
	text, err := d.croissant()
	if err != nil {
		return err
	}
	return cmp.Or(
		writeFile(ctx, filepath.Join(folder, descriptionPage), d.page()),
		writeFile(ctx, filepath.Join(folder, descriptionName), text))
}

func (c *command) description(m *manifest) (*description, error) {
	real, err := realPath(c.inputs[0])
	if err != nil {
		return nil, err
	}
	d := &description{
		manifest: manifestPart(m.text()),
		name:     filepath.Base(real),
		columns:  c.withCapture(job{captures: []capture{{}}}).Columns,
		rules:    c.rules(m.options),
	}
	for _, line := range m.lines {
		var e entry
		if err := json.Unmarshal(line.text, &e); err != nil {
			return nil, err
		}
		d.add(e)
	}
	rest := "INPUT OUTPUT"
	if slices.ContainsFunc(d.captures, func(e entry) bool { return e.SHA256 != "" }) {
		rest = "--hash " + rest
	}
	d.command = c.commandLine("-r --dataset", m.options, rest)
	return d, nil
}

// add takes in what became of a capture.
func (d *description) add(e entry) {
	d.captures = append(d.captures, e)
	d.parts = append(d.parts, e.Parts...)
	s := &d.summary
	if !e.First.IsZero() && (s.First.IsZero() || e.First.Before(s.First)) {
		s.First = e.First
	}
	if e.Last.After(s.Last) {
		s.Last = e.Last
	}
	if e.Status == failed {
		d.failed++
		return
	}
	s.Packets += e.Packets
	s.Flows += e.Flows
	s.Classes.Add(flowfast.Classes(e.Classes))
	d.labels.Add(&labels.Counts{Labels: e.Labels, Splits: e.Splits})
}

// glob returns the pattern of the parts' paths.
func (d *description) glob() string {
	if len(d.folders()) > 0 {
		return partFolder + "/*/*." + datasetFormat
	}
	return partFolder + "/*." + datasetFormat
}

// folders returns the folders of splits, sorted, if these have their own.
func (d *description) folders() []string {
	var all []string
	for _, p := range d.parts {
		if folder := path.Base(path.Dir(string(p.Path))); folder != partFolder && !slices.Contains(all, folder) {
			all = append(all, folder)
		}
	}
	slices.Sort(all)
	return all
}

// sentence says what the dataset is.
func (d *description) sentence() string {
	how := ""
	if d.joined {
		how = " as one stream in the order of time"
	}
	return fmt.Sprintf("Flows of %s%s, measured by flowfast %s: %s, one for each flow, in %s that are read as one table.",
		several(len(d.captures)-d.failed, "capture"), how, flowfast.Version, several(d.summary.Flows, "row"), several(len(d.parts), "Parquet file"))
}

// several returns a number of things, of which one has a name.
func several[N int | uint64](n N, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return grouped(n) + " " + thing
}

// times returns the first and the last packet's time.
func (d *description) times() (first, last string) {
	return d.summary.First.UTC().Format(time.RFC3339Nano), d.summary.Last.UTC().Format(time.RFC3339Nano)
}

// notShown are the options whose value is not told: it is long, and stands elsewhere.
var notShown = []string{"columns", "dataset", "format"}

// rules returns the options that shape rows.
func (c *command) rules(o rowOptions) []rule {
	var all []rule
	values := reflect.ValueOf(o)
	for i := range values.NumField() {
		name := values.Type().Field(i).Tag.Get("json")
		if slices.Contains(notShown, name) {
			continue
		}
		meaning := ""
		if flag := c.flags.Lookup(name); flag != nil {
			_, meaning = usageOf(flag)
		}
		all = append(all, rule{name, fmt.Sprint(values.Field(i).Interface()), meaning})
	}
	return all
}

// commandLine returns the command that makes the rows, with the options that shape
// them between how it does and the rest. Keys and lists are only named.
func (c *command) commandLine(how string, o rowOptions, rest string) string {
	words := []string{"flowfast", how}
	values := reflect.ValueOf(o)
	for i := range values.NumField() {
		name := values.Type().Field(i).Tag.Get("json")
		value := fmt.Sprint(values.Field(i).Interface())
		switch {
		case name == "columns" && c.rows.names != nil:
			words = append(words, "--columns", quoted(strings.Join(c.rows.names, ",")))
		case !c.given(name) || name == "dataset" || name == "format":
		case name == "anonymize":
			words = append(words, "--anonymize", "KEY")
		case name == "active-timeout" && value == "0":
			words = append(words, "--active-timeout", "none")
		case name == "labels":
			for _, file := range c.labels.files {
				words = append(words, "--labels", quoted(filepath.Base(file)))
			}
		case values.Field(i).Kind() == reflect.Bool:
			words = append(words, "--"+name)
		default:
			words = append(words, "--"+name, quoted(value))
		}
	}
	if c.rows.quantiles != nil {
		words = append(words, "--quantiles", strings.Trim(strings.ReplaceAll(fmt.Sprint(c.rows.quantiles), " ", ","), "[]"))
	}
	if c.rows.endReason {
		words = append(words, "--end-reason")
	}
	return strings.Join(append(words, rest), " ")
}

// quoted writes a word for a shell.
func quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./,:@%+-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
