package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/labels"
)

// Splitting is what the user says about the parts of a data set.
type splitting struct {
	shares shares
	by     unit
	seed   uint64
	block  time.Duration
	thin   thinning
	// folders is set if each split has a folder of its own.
	folders bool
}

const defaultBlock = time.Hour

func (s *splitting) flags(f *pflag.FlagSet) {
	f.Var(&s.shares, "split",
		"add the column split, which shares flows out by `NAME=SHARE,...`, such as train=0.7,val=0.15,test=0.15 (default none)")
	f.Var(&s.by, "split-by",
		"with --split, keep each `UNIT` in one split: capture, time, host-pair or flow (default none)")
	f.Uint64Var(&s.seed, "split-seed", 0,
		"with --split or --sample-label, vary the random choice by `N` (default 0)")
	f.Lookup("split-seed").DefValue = ""
	f.Var((*seconds)(&s.block), "split-block",
		"with --split-by time, the length of a block of time in `SECONDS` (default 3600)")
	f.BoolVar(&s.folders, "split-folders", false,
		"with --split and --dataset, write each split into a folder of its own, OUTPUT/data/NAME")
	f.Var(&s.thin, "sample-label",
		"keep 1/N of the flows with a label, `LABEL=1/N`, chosen by a hash; can be given several times (default all)")
}

// Shares are the value of a flag: names of splits with their shares.
type shares struct{ *labels.Splits }

func (s *shares) Set(text string) (err error) {
	s.Splits, err = labels.ParseSplits(text)
	return err
}

func (s *shares) String() string { return "" }
func (s *shares) Type() string   { return "shares" }

// A unit is the value of a flag: what is in one split as a whole.
type unit struct {
	labels.Unit
	given bool
}

func (u *unit) Set(text string) (err error) {
	u.Unit, err = labels.ParseUnit(text)
	u.given = err == nil
	return err
}

func (u *unit) String() string { return "" }
func (u *unit) Type() string   { return "unit" }

// Thinning is the value of a flag: labels with one in how many flows stays.
type thinning map[string]uint64

func (t *thinning) Set(text string) error {
	at := strings.LastIndex(text, "=")
	if at < 0 {
		return errors.New("want a label and one in a number of its flows, such as benign=1/100")
	}
	var of sample
	if err := of.Set(text[at+1:]); err != nil {
		return err
	}
	if _, twice := (*t)[text[:at]]; twice {
		return fmt.Errorf("the label %q is given twice", text[:at])
	}
	if *t == nil {
		*t = thinning{}
	}
	(*t)[text[:at]] = uint64(of)
	return nil
}

func (t *thinning) String() string { return "" }
func (t *thinning) Type() string   { return "thinning" }

// text returns what the flag took, in the order of the labels.
func (t thinning) text() string {
	var all []string
	for _, label := range slices.Sorted(maps.Keys(t)) {
		all = append(all, fmt.Sprintf("%s=1/%d", label, t[label]))
	}
	return strings.Join(all, ",")
}

// readSplits completes the plan of labels, and adds the column. The idle timeout is
// known by now.
func (c *command) readSplits() error {
	s := &c.splits
	p := &c.finished
	p.Rules = c.labels.set
	switch {
	case s.thin != nil && p.Rules == nil:
		return errors.New("--sample-label needs --labels")
	case s.shares.Splits == nil && s.by.given:
		return errors.New("--split-by needs --split")
	case s.shares.Splits == nil && s.thin == nil && c.given("split-seed"):
		return errors.New("--split-seed needs --split or --sample-label")
	case s.block != 0 && s.by.Unit != labels.UnitTime:
		return errors.New("--split-block needs --split-by time")
	case s.shares.Splits != nil && !s.by.given:
		return fmt.Errorf("--split needs --split-by, which says what stays in one split: %s", strings.Join(labels.Units(), ", "))
	}
	if s.folders {
		if err := c.checkSplitFolders(); err != nil {
			return err
		}
	}
	for label := range s.thin {
		if all := p.Rules.Labels(); !slices.Contains(all, label) {
			return fmt.Errorf("--sample-label: --labels gives no flow the label %q; there are %s", label, nameList(all))
		}
	}
	if s.thin != nil {
		p.Thin = &labels.Thinning{Seed: s.seed, Secret: c.options.AnonymizeKey, OneOf: s.thin}
	}
	if s.shares.Splits == nil {
		return nil
	}
	p.Splits = s.shares.Splits
	p.Splits.Unit, p.Splits.Seed, p.Splits.Secret = s.by.Unit, s.seed, c.options.AnonymizeKey
	p.Splits.Gap, p.Splits.Block = cmp.Or(c.options.IdleTimeout, flowtable.DefaultIdleTimeout), cmp.Or(s.block, defaultBlock)
	switch {
	case s.by.Unit == labels.UnitCapture && (c.join || c.inputs[0] == "-"):
		return errors.New("--split-by capture: with --join and from standard input no flow is of one capture")
	case s.by.Unit == labels.UnitTime && p.Splits.Block <= p.Splits.Gap:
		return fmt.Errorf("--split-by time: blocks of %s seconds leave nothing between gaps of the idle timeout, %s seconds",
			inSeconds(p.Splits.Block), inSeconds(p.Splits.Gap))
	case slices.ContainsFunc(c.columns, func(of *export.Column) bool { return of.Name == "split" }):
		return errors.New("--split: the column split is there already")
	}
	c.columns = export.WithSplit(c.columns, p.Splits.Names())
	return nil
}

// nameList returns names with commas between, some of them if there are many.
func nameList(names []string) string {
	const most = 10
	text := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		text += ", …"
	}
	return text
}

// begin begins what is done with the flows of a job, nil if that is nothing.
func (c *command) begin(j job) *labels.Run {
	if c.finished.Rules == nil && c.finished.Splits == nil {
		return nil
	}
	var of labels.Capture
	if len(j.captures) == 1 {
		of.Path = filepath.ToSlash(cmp.Or(j.captures[0].rel, j.captures[0].path))
		of.Name = captureName(j)
	}
	return c.finished.Begin(of)
}

// captureName returns the name of the capture of a job that splits go by.
func captureName(j job) string {
	return filepath.ToSlash(cmp.Or(j.captures[0].rel, filepath.Base(j.captures[0].path)))
}

// splitLines writes what came of splits for people.
func splitLines(b *strings.Builder, splits []labels.SplitCount) {
	const most = 6
	fmt.Fprintln(b, "splits")
	for _, s := range splits {
		fmt.Fprintf(b, "%-18s %15s with %s packets", "  "+printable(cmp.Or(s.Split, "(none)")), grouped(s.Flows), grouped(s.Packets))
		separator := ": "
		for i, l := range s.Labels {
			if len(s.Labels) == 1 && l.Label == "" {
				break // there are no labels
			}
			if i == most {
				fmt.Fprintf(b, ", …")
				break
			}
			fmt.Fprintf(b, "%s%s %s", separator, grouped(l.Flows), printable(cmp.Or(l.Label, "(no label)")))
			separator = ", "
		}
		fmt.Fprintln(b)
	}
}

// emptySplits is a warning about splits that no flow is in, nil for none. After
// --resume they may have had flows before.
func (c *command) emptySplits(r *report, results []result) []string {
	if r.Flows == 0 || r.AlreadyDone > 0 || stoppedIn(results) {
		return nil
	}
	var empty []string
	for _, s := range r.Splits {
		if s.Split != "" && s.Flows == 0 {
			empty = append(empty, s.Split)
		}
	}
	if len(empty) == 0 {
		return nil
	}
	text := fmt.Sprintf("--split: no flow is in %s", nameList(empty))
	if c.splits.by.Unit == labels.UnitCapture {
		var names []string
		for _, r := range results {
			names = append(names, captureName(r.job))
		}
		if seed, counts, ok := c.finished.Splits.Nearest(names); ok {
			return []string{fmt.Sprintf("%s; with --split-seed %d the captures are shared out as %s", text, seed, strings.Trim(fmt.Sprint(counts), "[]"))}
		}
	}
	return []string{text + "; with another --split-seed the choice is another"}
}

func stoppedIn(results []result) bool {
	return slices.ContainsFunc(results, func(r result) bool { return r.stopped })
}
