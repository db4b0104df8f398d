//go:build linux || darwin

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flowfast/flowfast/bench/workload"
)

// A choice is what is asked for in place of the default rows in CSV, by the flags that
// say so.
type choice struct{ name, flags string }

var choices = []choice{
	{"default, CSV", ""},
	{"full", "--profile full"},
	{"full, 10 first packets, two quantiles", "--profile full --splt 10 --quantiles 0.05,0.95"},
	{"pyflowmeter", "--profile pyflowmeter"},
	{"cicflowmeter", "--profile cicflowmeter"},
	{"cicflowmeter-legacy", "--profile cicflowmeter-legacy"},
	{"nfstream", "--profile nfstream"},
	{"default, csv.gz", "--format csv.gz"},
	{"default, csv.zst", "--format csv.zst"},
	{"default, jsonl", "--format jsonl"},
	{"default, jsonl.gz", "--format jsonl.gz"},
	{"default, jsonl.zst", "--format jsonl.zst"},
	{"default, parquet", "--format parquet"},
	{"default, arrow", "--format arrow"},
	{"default, arrows", "--format arrows"},
}

// profiles prints what profiles and formats take, beside the default one in CSV.
func (r *runner) profiles() error {
	return r.beside("Profiles and formats", "written", "default", r.workloads, choices)
}

// labels prints what rules take, beside the same rows without them.
func (r *runner) labels() error {
	file := filepath.Join(r.dir, "rules.yaml")
	if err := os.WriteFile(file, []byte(workload.Rules(1000)), 0o666); err != nil {
		return err
	}
	defer os.Remove(file)
	one := filepath.Join(r.dir, "rule.yaml")
	if err := os.WriteFile(one, []byte(workload.Rules(1)), 0o666); err != nil {
		return err
	}
	defer os.Remove(one)
	workloads := slices.DeleteFunc([]string{"benign", "dos"}, func(name string) bool { return !slices.Contains(r.workloads, name) })
	return r.beside("Labels", "rules", "none", workloads, []choice{
		{"none", ""}, {"one", "--labels " + one}, {"1,000", "--labels " + file},
	})
}

// beside prints what choices take with one worker, beside the first of them.
func (r *runner) beside(title, what, first string, workloads []string, choices []choice) error {
	if err := r.release(); err != nil {
		return err
	}
	header := []string{what}
	var rows [][]string
	for _, choice := range choices {
		rows = append(rows, []string{choice.name})
	}
	for _, name := range workloads {
		header = append(header, name+", CPU ns/packet", "÷ "+first)
		c, err := r.capture(r.dir, name, r.scale, 1)
		if err != nil {
			return err
		}
		var ms []*measurement
		for _, choice := range choices {
			ms = append(ms, r.job(c, name, choice.name, r.flowfast, 1, os.DevNull, strings.Fields(choice.flags)...))
		}
		err = r.interleave(ms, c.path)
		c.leave()
		if err != nil {
			return err
		}
		for i, m := range ms {
			rows[i] = append(rows[i], number(m.median(cpu)/float64(c.packets)), number(m.median(cpu)/ms[0].median(cpu)))
		}
	}
	s := &sheet{words: 1, header: header}
	for _, row := range rows {
		s.add(row...)
	}
	fmt.Fprintf(r.out, "\n## %s\n", title)
	s.print(r.out)
	fmt.Fprintf(r.out, "Whole jobs with -j 1 and their rows to /dev/null; medians of the CPU time; runs of each: %d.\n", r.runs)
	return nil
}
