package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/labels"
	"github.com/flowfast/flowfast/live"
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
		Use:   "completion SHELL",
		Short: "print the completions for bash, zsh, fish or powershell",
		Long: `Flowfast completion prints what a shell needs to complete commands, options,
columns, profiles, formats, protocols and interfaces:

  source <(flowfast completion bash)      in ~/.bashrc; needs bash-completion
  source <(flowfast completion zsh)       in ~/.zshrc, behind compinit
  flowfast completion fish | source       in ~/.config/fish/config.fish
  flowfast completion powershell | Out-String | Invoke-Expression`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(c *cobra.Command, args []string) error {
			switch root := c.Root(); args[0] {
			case "bash":
				return bashCompletion(root, out)
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

// bashCompletion writes the completions for bash. What cobra makes escapes commas,
// which mean nothing to bash in a word. Lists come out with backslashes, and where
// values have descriptions nothing is found behind a comma: see
// findings/cobra-bash-commas.sh.
func bashCompletion(root *cobra.Command, out io.Writer) error {
	var b strings.Builder
	if err := root.GenBashCompletionV2(&b, true); err != nil {
		return err
	}
	const quote = `
# Escapes words as printf %q does, but for commas.
__flowfast_quote()
{
    local word quoted
    for word in "$@"; do
        printf -v quoted "%q" "${word}"
        printf "%s\n" "${quoted//\\,/,}"
    done
}
`
	_, err := io.WriteString(out, strings.NewReplacer(
		`&>/dev/null || comp=$(printf "%q" "${compline%%$tab*}")`, `&& comp=${comp//\\,/,}`,
		`printf "%q"`, `__flowfast_quote`,
		`printf "%q\n"`, `__flowfast_quote`,
	).Replace(b.String())+quote)
	return err
}

// takesFile are the options whose values shells complete as names of files.
var takesFile = []string{"summary", "report", "html", "filter", "anonymize", "dir"}

// completeValues tells shells the values of the options of a command and of those
// below it.
func completeValues(c *cobra.Command) {
	known := map[string]cobra.CompletionFunc{
		"profile":  oneOf(profileNames()),
		"format":   oneOf(export.FormatNames()),
		"tcp-end":  oneOf([]string{"none", "fin", "rst", "fin-rst"}),
		"progress": oneOf([]string{"bar", "plain", "json", "none"}),

		"time-unit":  oneOf([]string{nanoseconds, microseconds}),
		"log-format": oneOf([]string{"text", "json"}),

		"columns":   completeColumns,
		"protocols": someOf(append([]string{"all"}, decode.ProtocolNames()...)),
		"decap":     someOf(append([]string{"all", "none"}, decode.TunnelNames()...)),
		"key":       someOf(append([]string{"all", "none"}, decode.EncapsulationNames()...)),
		"labels":    completeLabels,
		"split-by":  oneOf(labels.Units()),
		"interface": completeInterfaces,
	}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		complete := known[f.Name]
		switch {
		case complete != nil:
		case f.Value.Type() == "bool" || slices.Contains(takesFile, f.Name):
			return
		default:
			complete = cobra.NoFileCompletions // a number, a time, a size
		}
		if _, ok := c.GetFlagCompletionFunc(f.Name); !ok { // some have one of their own
			if err := c.RegisterFlagCompletionFunc(f.Name, complete); err != nil {
				panic(err) // the flag is there
			}
		}
	})
	for _, sub := range c.Commands() {
		completeValues(sub)
	}
}

// oneOf completes a value that is one of some.
func oneOf(all []string) cobra.CompletionFunc {
	return cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp)
}

// someOf completes the last of several values with commas between, each of which can
// have a tab and what it is behind it, with those that do not stand before it.
func someOf(all []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndex(typed, ",")+1]
		var found []string
		for _, value := range all {
			name, _, _ := strings.Cut(value, "\t")
			if !slices.Contains(strings.Split(before, ","), name) {
				found = append(found, before+value)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// completeColumns completes names of columns. They are put together only where a shell
// asks: to do that took a third of the instructions of a run over few packets.
func completeColumns(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return someOf(describedNames())(c, args, typed)
}

// describedNames returns the roles and the columns of all profiles that --columns takes,
// each with what it is.
func describedNames() (all []string) {
	for _, role := range export.Roles() {
		all = append(all, "@"+role+"\tthe columns of this role")
	}
	seen := map[string]bool{}
	for _, p := range export.Profiles() {
		for _, c := range p.Columns {
			if !seen[c.Name] {
				seen[c.Name] = true
				all = append(all, c.Name+"\t"+c.Definition)
			}
		}
	}
	return all
}

// completeLabels completes the names of files, and of rules that flowfast has.
func completeLabels(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return builtinNames(labels.BuiltinPrefix), cobra.ShellCompDirectiveDefault
}

// builtinNames returns the names of rules that flowfast has, with a prefix, each with
// what it is.
func builtinNames(prefix string) (all []string) {
	builtins, _ := labels.Builtins() // no completion tells an error
	for _, b := range builtins {
		all = append(all, prefix+b.Name+"\t"+b.Title)
	}
	return all
}

// completeInterfaces completes the names of network interfaces.
func completeInterfaces(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	names := []string{live.Any}
	interfaces, err := net.Interfaces()
	if err != nil {
		return names, cobra.ShellCompDirectiveDefault
	}
	for _, i := range interfaces {
		names = append(names, i.Name)
	}
	return names, cobra.ShellCompDirectiveDefault // OUTPUT is a file
}

// suggestion names the flag that a misspelt one is likely to mean, or the command that
// a first argument is; or it tells how to write a file that has the name of a command.
func suggestion(err error, root *cobra.Command, args []string) string {
	var unknown *pflag.NotExistError
	unknownFlag := errors.As(err, &unknown)
	if of, _, err := root.Find(args); err == nil && of.Parent() == root && (unknownFlag || args[0] != of.Name()) {
		if _, err := os.Lstat(of.Name()); err == nil {
			return fmt.Sprintf("; %s is a command here: write ./%[1]s for the file or folder", of.Name())
		}
	}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		var names []string
		for _, c := range root.Commands() {
			if c.IsAvailableCommand() {
				names = append(names, c.Name())
			}
		}
		if nearest := export.Nearest(args[0], names); nearest != "" && nearest != args[0] {
			return "; the nearest command is " + nearest
		}
	}
	if !unknownFlag || unknown.GetSpecifiedShortnames() != "" {
		return ""
	}
	of, _, err := root.Find(args)
	if err != nil {
		of = root
	}
	var names []string
	of.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if nearest := export.Nearest(unknown.GetSpecifiedName(), names); nearest != "" {
		return "; the nearest is --" + nearest
	}
	return ""
}
