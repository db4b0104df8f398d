//go:build linux || darwin

package main

import (
	"os"
	"testing"

	"github.com/flowfast/flowfast/bench/workload"
)

// TestMain makes the test a child when the runner starts it as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-scale", "0.5", "-only", "dos,flood", "table", "pgo"})
	if err != nil || o.scale != 0.5 || len(o.workloads) != 2 || len(o.modes) != 2 {
		t.Errorf("got %+v, %v", o, err)
	}
	if o, err := parse(nil); err != nil || len(o.modes) != len(modes) || len(o.workloads) != len(workload.Names()) {
		t.Errorf("without arguments: %+v, %v", o, err)
	}
	if o, err := parse([]string{"profile", "x.pgo"}); err != nil || o.profile != "x.pgo" || len(o.modes) != 0 {
		t.Errorf("profile: %+v, %v", o, err)
	}
	if o, err := parse([]string{"build", "x"}); err != nil || o.buildTo != "x" || len(o.modes) != 0 {
		t.Errorf("build: %+v, %v", o, err)
	}
	if o, err := parse([]string{"-cores", "16", "cores"}); err != nil || o.mostWorkers != 16 {
		t.Errorf("cores: %+v, %v", o, err)
	}
}

func TestCheck(t *testing.T) {
	good := options{scale: 1, runs: 1, mostWorkers: 1, workloads: []string{"dos"}}
	for _, spoil := range []func(*options){
		func(o *options) { o.scale = 0 },
		func(o *options) { o.runs = 0 },
		func(o *options) { o.mostWorkers = 0 },
		func(o *options) { o.workloads = []string{"unknown"} },
		func(o *options) { o.scale = 1e-9 },
		func(o *options) { o.modes = []string{"tables"} },
	} {
		o := good
		spoil(&o)
		if err := o.check(); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
