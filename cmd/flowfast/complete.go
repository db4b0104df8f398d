package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast/export"
)

// versionCommand does what --version does.
func versionCommand(out io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "show the version",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(out, "flowfast %s\n", c.Root().Version)
			return err
		},
	}
}

// completionCommand prints what a shell needs to complete flags and their values.
func completionCommand(out io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "print the completions for bash, zsh, fish or powershell",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(c *cobra.Command, args []string) error {
			switch root := c.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			default:
				return root.GenPowerShellCompletionWithDesc(out)
			}
		},
	}
}

// completeValues tells shells the values of flags.
func completeValues(root *cobra.Command) {
	var columns []string
	seen := map[string]bool{}
	for _, p := range export.Profiles() {
		for _, c := range p.Columns {
			if !seen[c.Name] {
				seen[c.Name] = true
				columns = append(columns, c.Name)
			}
		}
	}
	values := map[string][]string{
		"profile":  profileNames(),
		"format":   export.FormatNames(),
		"tcp-end":  {"none", "fin", "rst", "fin-rst"},
		"progress": {"bar", "plain", "json", "none"},
	}
	lists := map[string][]string{
		"columns":   columns,
		"protocols": {"all", "tcp", "udp", "icmp", "icmpv6", "sctp", "gre", "esp"},
		"decap":     {"all", "vxlan", "geneve", "gtpu", "l2tp", "teredo"},
		"key":       {"all", "none", "vlan", "mpls", "tunnel"},
	}
	register := func(name string, complete cobra.CompletionFunc) {
		if err := root.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(err) // the flag is there
		}
	}
	for name, all := range values {
		register(name, cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp))
	}
	for name, all := range lists {
		register(name, func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			before := typed[:strings.LastIndex(typed, ",")+1]
			found := make([]string, len(all))
			for i, value := range all {
				found[i] = before + value
			}
			return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		})
	}
}

// suggestion names the flag that a misspelt one is likely to mean.
func suggestion(err error, root *cobra.Command) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return ""
	}
	var names []string
	root.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if nearest := export.Nearest(unknown.GetSpecifiedName(), names); nearest != "" {
		return "; the nearest is --" + nearest
	}
	return ""
}
