package main

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/flowfast/flowfast/export"
)

// RowOptions are the options that say what is in the rows, by the long names of
// their flags and as a user would write them. Rows of runs in which one differs
// do not belong together.
type rowOptions struct {
	IdleTimeout   string `json:"idle-timeout"`
	ActiveTimeout string `json:"active-timeout"` // 0 for none
	TCPEnd        string `json:"tcp-end"`
	Protocols     string `json:"protocols"`
	Decap         string `json:"decap"`
	Profile       string `json:"profile"`
	MaxFlows      int    `json:"max-flows"`  // 0 for no bound
	MaxMemory     int64  `json:"max-memory"` // bytes; 0 for what the machine allows
	Columns       string `json:"columns"`
}

const defaultIdleTimeout = 600 * time.Second

func (c *command) rowOptions() rowOptions {
	return rowOptions{
		IdleTimeout:   inSeconds(cmp.Or(c.options.IdleTimeout, defaultIdleTimeout)),
		ActiveTimeout: inSeconds(c.options.Rules.ActiveTimeout),
		TCPEnd:        c.options.Rules.TCPEnd.String(),
		Protocols:     textOf(c.options.Protocols),
		Decap:         textOf(c.options.Tunnels),
		Profile:       c.rows.profile,
		MaxFlows:      c.options.MaxFlows,
		MaxMemory:     int64(c.memory),
		Columns:       columnNames(c.columns),
	}
}

// textOf writes what a flag takes.
func textOf(t encoding.TextMarshaler) string {
	text, err := t.MarshalText()
	if err != nil {
		panic(err) // what a flag took can be written
	}
	return string(text)
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
