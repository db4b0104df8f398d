//go:build linux || darwin

package main

import (
	"fmt"
	"os"
	"strings"
)

// choices are what is written in place of the default rows in CSV, by the flags
// that say so.
var choices = []struct{ name, flags string }{
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

// profiles prints what profiles and formats take, beside the default one in CSV,
// with one worker.
func (r *runner) profiles() error {
	if err := r.release(); err != nil {
		return err
	}
	header := []string{"written"}
	var rows [][]string
	for _, choice := range choices {
		rows = append(rows, []string{choice.name})
	}
	for _, name := range r.workloads {
		header = append(header, name+", CPU ns/packet", "÷ default")
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
	fmt.Fprint(r.out, "\n## Profiles and formats\n")
	s.print(r.out)
	fmt.Fprintf(r.out, "Whole jobs with -j 1 and their rows to /dev/null; medians of the CPU time; runs of each: %d.\n", r.runs)
	return nil
}
