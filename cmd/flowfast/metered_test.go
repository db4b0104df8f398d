package main

import (
	"reflect"
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/legacy"
)

// TestMeteredOptions holds which flags are for flow tables only against the library:
// those that a run with a meter refuses are those that say what flow tables do.
func TestMeteredOptions(t *testing.T) {
	values := []string{"true", "5", "1/2", "all", "rst", "0.5", "csv", "1GiB", "ns", "json", "flow", "a=1", "a=1/2"}
	refused := 0
	for _, h := range headings {
		for _, name := range h.flags {
			var c command
			flag := c.cobra().Flags().Lookup(name)
			if flag == nil { // of flowfast live
				continue
			}
			before := c.options
			if !slices.ContainsFunc(values, func(text string) bool { return set(flag, text) }) {
				t.Errorf("--%s takes none of %q", name, values)
			}
			if reflect.DeepEqual(c.options, before) {
				continue // it is no option of the library
			}
			c.options.Meter = legacy.Original{}
			err := c.options.Check()
			if isOfTables(flag) != (err != nil) {
				t.Errorf("--%s: error %v, but for flow tables only: %v", name, err, isOfTables(flag))
			}
			if err != nil {
				refused++
			}
		}
	}
	if refused == 0 || (flowfast.Options{Meter: legacy.Original{}}).Check() != nil {
		t.Errorf("%d options refused", refused)
	}
}

func set(f *pflag.Flag, text string) bool { return f.Value.Set(text) == nil }
