package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/labels"
)

// LabelFiles are the value of a flag: files with what flows are called.
type labelFiles struct {
	files  []string
	set    *labels.Set
	digest string
}

func (l *labelFiles) flags(f *pflag.FlagSet) {
	f.Var(l, "labels",
		"add the columns label and label_rule from `FILE`: rules (YAML), alerts or logs of a sensor, or builtin:NAME; can be given several times (default none)")
}

func (l *labelFiles) Set(text string) error {
	if text == "" {
		return errors.New("want the name of a file")
	}
	l.files = append(l.files, text)
	return nil
}

func (l *labelFiles) String() string { return "" }
func (l *labelFiles) Type() string   { return "file" }

const smallFiles = 256 << 10 // bytes

// size returns the bytes of the files.
func (l *labelFiles) size() (n int64) {
	for _, name := range l.files {
		if info, err := os.Stat(name); err == nil {
			n += info.Size()
		}
	}
	return n
}

// readLabels reads the files, and adds the columns.
func (c *command) readLabels() error {
	if err := c.loadLabels(); err != nil || c.labels.set == nil {
		return err
	}
	for _, name := range c.labels.set.Columns {
		if slices.ContainsFunc(c.columns, func(of *export.Column) bool { return of.Name == name }) {
			return fmt.Errorf("--labels: the column %s is there already", name)
		}
	}
	c.columns = export.WithLabels(c.columns, c.labels.set.Columns)
	return nil
}

// loadLabels reads the files.
func (c *command) loadLabels() error {
	l := &c.labels
	if l.files == nil {
		return nil
	}
	// What YAML is read through is garbage at once, a hundred times its size. Small files
	// are read without collecting it, which takes a third of their time.
	if l.size() < smallFiles {
		defer debug.SetGCPercent(debug.SetGCPercent(400))
	}
	var err error
	if l.set, l.digest, err = labels.Load(l.files); err != nil {
		return fmt.Errorf("--labels: %w", err)
	}
	if globs := l.set.Globs(); globs != nil && (c.join || c.live || c.inputs[0] == "-") {
		return fmt.Errorf("--labels: %w", errGlobs(globs))
	}
	return nil
}

// conditions returns the columns that rules look at.
func (l *labelFiles) conditions() []*export.Column {
	if l.set == nil {
		return nil
	}
	return l.set.Conditions()
}

// needs returns what rules look at besides columns.
func (l *labelFiles) needs() features.Set {
	if l.set == nil || !l.set.AsksVLAN() {
		return 0
	}
	return features.Link
}

func (l *labelFiles) warnings() []string {
	if l.set == nil {
		return nil
	}
	return l.set.Warnings()
}

// text names the files by their digest, "" for none. Rules hold addresses, which are
// few enough to be guessed: where rows tell none, the digest is one that takes the key.
func (l *labelFiles) text(key []byte) string {
	if l.set == nil || key == nil {
		return l.digest
	}
	return fingerprint(slices.Concat(key, []byte(l.digest)))
}

// labelLines writes what came of the labels for people.
func labelLines(b *strings.Builder, c *labels.Counts) {
	const most = 20
	for i, l := range c.Labels {
		if i == most {
			fmt.Fprintf(b, "%-18s %15s more, which --summary has\n", "  others", grouped(len(c.Labels)-most))
			break
		}
		fmt.Fprintf(b, "%-18s %15s with %s packets\n", "  "+printable(cmp.Or(l.Label, "(no label)")), grouped(l.Flows), grouped(l.Packets))
	}
	if n := len(c.Unmatched); n > 0 {
		names := c.Unmatched[:min(n, most)]
		text := printable(strings.Join(names, ", "))
		if n > most {
			text += ", …"
		}
		fmt.Fprintf(b, "%-18s %15s of rules: %s\n", "unmatched", grouped(n), text)
	}
	for _, t := range c.Thinned {
		fmt.Fprintf(b, "%-18s %15s of %s flows of %s: 1/%d\n", "kept", grouped(t.Kept), grouped(t.Flows), printable(cmp.Or(t.Label, "(no label)")), t.OneOf)
	}
	for _, r := range c.Records {
		fmt.Fprintf(b, "%-18s %15s of %s records found a flow; %s of connections without one, %s of other times%s\n", printable(filepath.Base(r.File)),
			grouped(r.Matched), grouped(r.Records), grouped(r.NoFlow), grouped(r.OtherTime), unusable(r.Unusable))
	}
}

func unusable(why map[string]uint64) string {
	var all []string
	for text, n := range why {
		all = append(all, fmt.Sprintf("; %s with %s", grouped(n), text))
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// labelsCommand is the command that looks at rules without a run.
func labelsCommand(s streams, status *int) *cobra.Command {
	root := &cobra.Command{Use: "labels", Short: "check, list, show and convert files of --labels"}
	root.AddCommand(&cobra.Command{
		Use: "check FILE...", Short: "report errors in files, and show their rules with times in their zone and in UTC", Args: cobra.MinimumNArgs(1),
		Run: func(_ *cobra.Command, files []string) {
			set, _, err := labels.Load(files)
			if err != nil {
				for _, err := range split(err) {
					fmt.Fprintf(s.err, "flowfast: %s\n", printable(message(err)))
				}
				*status = exitBad
				return
			}
			for _, text := range set.Warnings() {
				fmt.Fprintf(s.err, "flowfast: warning: %s\n", printable(text))
			}
			if err := set.Describe(s.out); err != nil {
				*status = exitBad
			}
		},
	}, &cobra.Command{
		Use: "list", Short: "list the built-in rules", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all, err := labels.Builtins()
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "name\trules\tof")
			for _, b := range all {
				fmt.Fprintf(w, "%s%s\t%d\t%s\n", labels.BuiltinPrefix, b.Name, b.Rules, b.Title)
			}
			return w.Flush()
		},
	}, &cobra.Command{
		Use: "show NAME", Short: "print built-in rules, to start your own from, or the JSON Schema of rules: schema", Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return append([]string{"schema"}, builtinNames("")...), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, names []string) error {
			if names[0] == "schema" {
				_, err := s.out.Write(labels.Schema)
				return err
			}
			b, err := labels.BuiltinFile(strings.TrimPrefix(names[0], labels.BuiltinPrefix))
			if err == nil {
				_, err = s.out.Write(b)
			}
			return err
		},
	}, convertCommand(s, status))
	return root
}

// convertCommand is the command that makes files of --labels of what data sets have.
func convertCommand(s streams, status *int) *cobra.Command {
	from, zone := "", ""
	command := &cobra.Command{
		Use: "convert --from FORMAT FILE", Short: "convert the published labels of a data set to a file for --labels", Args: cobra.ExactArgs(1),
		Run: func(_ *cobra.Command, files []string) {
			if err := labels.Convert(from, files[0], zone, s.out); err != nil {
				fmt.Fprintf(s.err, "flowfast: %s\n", printable(message(err)))
				*status = exitBad
			}
		},
	}
	command.Flags().StringVar(&zone, "zone", "", "`ZONE` of the times in FILE that name none")
	command.Flags().StringVar(&from, "from", "", "`FORMAT`: "+strings.Join(labels.Conversions(), ", "))
	if err := command.RegisterFlagCompletionFunc("from", oneOf(labels.Conversions())); err != nil {
		panic(err) // the flag is there
	}
	return command
}
