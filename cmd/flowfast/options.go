package main

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// RowOptions are the options that say what is in the rows, by the long names of
// their flags and as a user would write them. Rows of runs in which one differs
// do not belong together.
type rowOptions struct {
	IdleTimeout string `json:"idle-timeout"`
	MaxFlows    int    `json:"max-flows"`  // 0 for no bound
	MaxMemory   int64  `json:"max-memory"` // bytes; 0 for what the machine allows
	EndReason   bool   `json:"end-reason"`
	Format      string `json:"format"`
	Dataset     bool   `json:"dataset"`
}

const defaultIdleTimeout = 600 * time.Second

func (c *command) rowOptions() rowOptions {
	return rowOptions{
		IdleTimeout: inSeconds(cmp.Or(c.options.IdleTimeout, defaultIdleTimeout)),
		MaxFlows:    c.options.MaxFlows,
		MaxMemory:   int64(c.memory),
		EndReason:   c.endReason,
		Format:      c.format.String(),
		Dataset:     c.dataset,
	}
}

// differences returns a line for each option that is not as recorded.
func (o rowOptions) differences(recorded rowOptions) []string {
	asked, before := reflect.ValueOf(o), reflect.ValueOf(recorded)
	var all []string
	for i := range asked.NumField() {
		if a, b := asked.Field(i).Interface(), before.Field(i).Interface(); a != b {
			name := asked.Type().Field(i).Tag.Get("json")
			all = append(all, fmt.Sprintf("--%s was %v, now it is %v", name, b, a))
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
