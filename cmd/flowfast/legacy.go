package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/legacy"
)

// legacyProfile has a meter in the place of flow tables, with rules and columns of
// its own. What is read, and what is told of it, is as with any other profile.
const legacyProfile = "cicflowmeter-legacy"

// metered tells if the profile has a meter of its own.
func (c *choice) metered() bool { return c.profile == legacyProfile }

// tablesOnly is the annotation of a flag that says what flow tables do, or what is made of
// their flows: it does not go with a meter.
const tablesOnly = "tables only"

// ofTables adds flags to f that are for flow tables only.
func ofTables(f *pflag.FlagSet, add func(*pflag.FlagSet)) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.SortFlags = false
	add(flags)
	flags.VisitAll(func(flag *pflag.Flag) { flag.Annotations = map[string][]string{tablesOnly: nil} })
	f.AddFlagSet(flags)
}

// isOfTables tells if a flag was added by ofTables.
func isOfTables(flag *pflag.Flag) bool {
	_, is := flag.Annotations[tablesOnly]
	return is
}

// checkMetered returns an error if the user asked for what is for flow tables only.
func (c *command) checkMetered() (err error) {
	c.flags.VisitAll(func(flag *pflag.Flag) {
		if err == nil && flag.Changed && isOfTables(flag) {
			err = fmt.Errorf("--%s can't be combined with --profile %s, which computes what CICFlowMeter itself computes", flag.Name, legacyProfile)
		}
	})
	return err
}

// readMeteredLabels reads the files of --labels, which fill the column Label. Rules
// can't look at columns: those of the original say other things than flowfast's.
func (c *command) readMeteredLabels() error {
	if err := c.loadLabels(); err != nil || c.labels.set == nil {
		return err
	}
	if c.labels.conditions() != nil || c.labels.needs() != 0 {
		return fmt.Errorf("--labels: with --profile %s rules can't have where or vlans", legacyProfile)
	}
	c.finished.Rules = c.labels.set
	return nil
}

// legacyColumns are its columns, for listings.
func legacyColumns() export.Profile {
	p := export.Profile{Name: legacyProfile, Definition: "what CICFlowMeter itself computes, defects included, for comparing with published tables"}
	kinds := map[legacy.Kind]export.Kind{legacy.Integer: export.Int, legacy.Real: export.Float, legacy.Text: export.Text}
	mended, _ := export.FindProfile("cicflowmeter")
	for i, c := range legacy.Columns() {
		role := mended.Columns[i].Role // they are called the same
		p.Columns = append(p.Columns, &export.Column{Name: c.Name, Unit: c.Unit, Definition: c.Definition, Kind: kinds[c.Kind], Role: role})
	}
	return p
}

// rowFormat returns what the rows of a table are formatted with.
func (c *command) rowFormat(t export.Table) flowfast.Rows {
	if c.rows.metered() {
		return legacy.Rows{}
	}
	return c.format.Rows(t)
}
