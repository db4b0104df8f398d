package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A heading is a part of the options: in the help, on the page docs/cli.md, in
// manual pages. Its topics are those of flowfast help that tell more.
type heading struct {
	title  string
	topics []string
	flags  []string
}

// headings has each option of flowfast and flowfast live once, in the order in
// which they are shown.
var headings = []heading{
	{"Input", []string{"reading", "filters", "time"}, []string{
		"recursive", "join", "interface", "from", "to", "filter", "sample"}},
	{"Flow rules", []string{"flows", "protocols"}, []string{
		"idle-timeout", "active-timeout", "tcp-end", "unidirectional", "protocols", "decap", "key"}},
	{"Columns", []string{"columns", "profiles"}, []string{
		"profile", "columns", "splt", "quantiles", "end-reason"}},
	{"Labels", []string{"labels"}, []string{
		"labels", "split", "split-by", "split-seed", "split-block", "split-folders", "sample-label"}},
	{"Output", []string{"formats"}, []string{
		"format", "time-unit", "anonymize", "rotate", "keep"}},
	{"Data sets", []string{"folders", "datasets"}, []string{
		"dataset", "resume", "overwrite", "dry-run", "hash"}},
	{"Live", []string{"live"}, []string{
		"flush", "snaplen", "promiscuous", "ring", "metrics", "serve", "serve-format", "serve-queue", "user", "disorder"}},
	{"Performance", []string{"limits"}, []string{
		"jobs", "max-memory", "max-flows", "check-every", "check-most"}},
	{"Messages", []string{"exit", "report"}, []string{
		"summary", "progress", "log-format", "quiet", "strict", "help", "version", "report"}},
}

// A part is the options of a command that stand under a heading.
type part struct {
	title   string
	topics  []string
	options []*pflag.Flag
}

// parts returns the options of a command: those of a run by their headings, those of
// smaller commands under one.
func parts(c *cobra.Command) (all []part) {
	f := c.Flags()
	if f.Lookup("flush") == nil {
		p := part{title: "Options"}
		f.VisitAll(func(flag *pflag.Flag) { p.options = append(p.options, flag) })
		return append(all, p)
	}
	for _, h := range headings {
		p := part{title: h.title, topics: h.topics}
		for _, name := range h.flags {
			if flag := f.Lookup(name); flag != nil {
				p.options = append(p.options, flag)
			}
		}
		if p.options != nil {
			all = append(all, p)
		}
	}
	return all
}
