package main

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/labels"
)

// RowOptions are the options that say what is in the rows, by the long names of
// their flags and as a user would write them. Rows of runs in which one differs
// do not belong together.
type rowOptions struct {
	IdleTimeout    string `json:"idle-timeout"`
	ActiveTimeout  string `json:"active-timeout"` // 0 for none
	TCPEnd         string `json:"tcp-end"`
	Protocols      string `json:"protocols"`
	Decap          string `json:"decap"`
	Key            string `json:"key"`
	Profile        string `json:"profile"`
	MaxFlows       int    `json:"max-flows"`  // 0 for no bound
	MaxMemory      int64  `json:"max-memory"` // bytes; 0 for what the machine allows
	From           string `json:"from"`
	To             string `json:"to"`
	Filter         string `json:"filter"`
	Sample         string `json:"sample"`
	Unidirectional bool   `json:"unidirectional"`
	Anonymize      string `json:"anonymize"` // names the key
	Columns        string `json:"columns"`
	SPLT           int    `json:"splt"`   // 0 for none
	Labels         string `json:"labels"` // digest of the files, "" for none
	Split          string `json:"split"`  // "" for none; so the three below
	SplitBy        string `json:"split-by"`
	SplitSeed      string `json:"split-seed"`
	SplitBlock     string `json:"split-block"`
	SplitFolders   bool   `json:"split-folders"`
	SampleLabel    string `json:"sample-label"`
	Format         string `json:"format"`
	TimeUnit       string `json:"time-unit"`
	Dataset        bool   `json:"dataset"`
}

func (c *command) rowOptions() rowOptions {
	o := rowOptions{
		IdleTimeout:    inSeconds(cmp.Or(c.options.IdleTimeout, flowtable.DefaultIdleTimeout)),
		ActiveTimeout:  inSeconds(c.options.Rules.ActiveTimeout),
		TCPEnd:         c.options.Rules.TCPEnd.String(),
		Protocols:      textOf(c.options.Protocols),
		Decap:          textOf(c.options.Tunnels),
		Key:            textOf(c.options.Keys.Encapsulation),
		Profile:        c.rows.profile,
		MaxFlows:       c.options.MaxFlows,
		MaxMemory:      int64(c.memory),
		From:           inTime(c.options.Choice.From),
		To:             inTime(c.options.Choice.To),
		Filter:         c.filterText(),
		Sample:         inShare(c.options.Keys.Sample),
		Unidirectional: c.options.Keys.OneWay,
		Anonymize:      fingerprint(c.options.AnonymizeKey),
		Columns:        columnNames(c.columns),
		SPLT:           c.rows.splt,
		Labels:         c.labels.text(c.options.AnonymizeKey),
		Format:         c.format.String(),
		TimeUnit:       c.timeUnit.text(),
		Dataset:        c.dataset,
		SplitFolders:   c.splits.folders,
		SampleLabel:    c.splits.thin.text(),
	}
	if s := c.finished.Splits; s != nil {
		o.Split, o.SplitBy = s.String(), s.Unit.String()
		if s.Unit == labels.UnitTime {
			o.SplitBlock = inSeconds(s.Block)
		}
	}
	if c.finished.Splits != nil || c.finished.Thin != nil {
		o.SplitSeed = fmt.Sprint(c.splits.seed)
	}
	return o
}

// textOf writes what a flag takes.
func textOf(t encoding.TextMarshaler) string {
	text, err := t.MarshalText()
	if err != nil {
		panic(err) // what a flag took can be written
	}
	return string(text)
}

// differences names the options that are not as recorded, the short ones with
// their values.
func (o rowOptions) differences(recorded rowOptions) []string {
	const short = 40
	asked, before := reflect.ValueOf(o), reflect.ValueOf(recorded)
	var all []string
	for i := range asked.NumField() {
		if a, b := asked.Field(i).Interface(), before.Field(i).Interface(); a != b {
			name := "--" + asked.Type().Field(i).Tag.Get("json")
			if values := fmt.Sprintf(" (%v, now %v)", b, a); len(values) <= short {
				name += values
			}
			all = append(all, name)
		}
	}
	return all
}

// notes returns the options and the version, for formats that keep them beside
// the rows.
func (o rowOptions) notes() []export.Note {
	notes := []export.Note{{Name: "version", Text: flowfast.Version}}
	options := reflect.ValueOf(o)
	for i := range options.NumField() {
		notes = append(notes, export.Note{
			Name: options.Type().Field(i).Tag.Get("json"),
			Text: fmt.Sprint(options.Field(i).Interface()),
		})
	}
	return notes
}

// inSeconds writes a time span as the flags take it.
func inSeconds(d time.Duration) string {
	text := fmt.Sprintf("%d.%09d", d/time.Second, d%time.Second)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// columnNames returns the names of columns as the flag takes them.
func columnNames(columns []*export.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, ",")
}

// inTime writes a time as the flags take it, "" for none.
func inTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// inShare writes a sample as the flag takes it, "" for none.
func inShare(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("1/%d", n)
}

// filterText is the filter, but for addresses that are to be told nobody: then it
// is only named.
func (c *command) filterText() string {
	text := c.filter.text()
	if text == "" || c.options.AnonymizeKey == nil {
		return text
	}
	return fingerprint(slices.Concat(c.options.AnonymizeKey, []byte(text)))
}
