package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/export"
)

var updateDocs = flag.Bool("update-docs", false, "write the generated parts of docs/ anew")

// TestColumnsPage wants the tables of docs/columns.md to be those that the command
// prints. With -update-docs it writes them.
func TestColumnsPage(t *testing.T) {
	var b strings.Builder
	for _, of := range tables() {
		b.WriteString("\n## " + of.title + "\n\n" + export.Markdown(of.columns))
	}
	generated(t, "../../docs/columns.md", b.String())
}

// TestCommandLinePage wants docs/cli.md to list every option and command.
func TestCommandLinePage(t *testing.T) {
	root := (&command{}).cobra()
	live, _, err := root.Find([]string{"live"})
	if err != nil {
		t.Fatal(err)
	}
	row := func(flag *pflag.Flag, note string) string {
		name := "`--" + flag.Name + "`"
		if flag.Shorthand != "" {
			name = "`-" + flag.Shorthand + "`, " + name
		}
		value, meaning := usageOf(flag)
		meaning, usual := cutDefault(strings.ReplaceAll(meaning, "|", `\|`))
		if value != "" {
			value = "`" + strings.ReplaceAll(value, "|", `\|`) + "`"
		}
		return fmt.Sprintf("| %s%s | %s | %s | %s |\n", name, note, value, usual, meaning)
	}
	const head = "\n| option | takes | default | |\n| --- | --- | --- | --- |\n"
	var b strings.Builder
	for _, h := range headings {
		var see []string
		for _, of := range h.topics {
			i := slices.IndexFunc(topics, func(t topic) bool { return t.name == of })
			link := topics[i].page
			if topics[i].section != "" {
				link = "#" + strings.ToLower(strings.ReplaceAll(topics[i].section, " ", "-"))
			}
			see = append(see, "["+of+"]("+link+")")
		}
		fmt.Fprintf(&b, "\n### %s\n\nSee %s.\n%s", h.title, strings.Join(see, ", "), head)
		var tables []string
		for _, name := range h.flags {
			flag := root.Flags().Lookup(name)
			if flag != nil {
				b.WriteString(row(flag, ""))
			} else {
				flag = live.Flags().Lookup(name)
				b.WriteString(row(flag, " (`flowfast live`)"))
			}
			if isOfTables(flag) {
				tables = append(tables, name)
			}
		}
		if len(tables) > 0 {
			fmt.Fprintf(&b, "\nNot with `--profile %s`: `--%s`.\n", legacyProfile, strings.Join(tables, "`, `--"))
		}
	}
	b.WriteString("\n## Commands\n")
	var list func(c *cobra.Command)
	list = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() && sub.Runnable() {
				fmt.Fprintf(&b, "\n### %s\n\n    %s\n\n%s.\n", sub.CommandPath(), sub.UseLine(), strings.ToUpper(sub.Short[:1])+sub.Short[1:])
				if parts := parts(sub); len(parts) == 1 {
					var table strings.Builder
					for _, flag := range parts[0].options {
						if flag.Name != "help" {
							table.WriteString(row(flag, ""))
						}
					}
					if table.String() != "" {
						b.WriteString(head + table.String())
					}
				}
			}
			list(sub)
		}
	}
	list(root)
	generated(t, "../../docs/cli.md", b.String())
}

// TestHeadings wants each option of a run to stand under one heading, and what
// stands under headings to be there.
func TestHeadings(t *testing.T) {
	root := (&command{}).cobra()
	live, _, err := root.Find([]string{"live"})
	if err != nil {
		t.Fatal(err)
	}
	under := map[string]int{}
	for _, h := range headings {
		for _, name := range h.flags {
			under[name]++
			if root.Flags().Lookup(name) == nil && live.Flags().Lookup(name) == nil {
				t.Errorf("%s: there is no option --%s", h.title, name)
			}
		}
	}
	for _, c := range []*cobra.Command{root, live} {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if under[f.Name] != 1 {
				t.Errorf("--%s stands under %d headings of headings.go: want 1", f.Name, under[f.Name])
			}
		})
	}
}

// TestLinkTypesPage wants docs/linktypes.md to list the link types that are read
// and those that are only named.
func TestLinkTypesPage(t *testing.T) {
	var read, named strings.Builder
	for number := range uint32(1 << 16) {
		name := decode.LinkTypeName(number)
		switch {
		case decode.KnownLinkType(number):
			fmt.Fprintf(&read, "| %d | %s |\n", number, cmp.Or(name, "as some systems number another one"))
		case name != "":
			fmt.Fprintf(&named, "| %d | %s |\n", number, name)
		}
	}
	const head = "| number | LINKTYPE_ |\n| ---: | --- |\n"
	generated(t, "../../docs/linktypes.md", "\n## Read\n\n"+head+read.String()+"\n## Named in errors and warnings\n\n"+head+named.String())
}

// generated wants what stands below the marker in a page to be text.
func generated(t *testing.T, page, text string) {
	t.Helper()
	const marker = "<!-- generated: go test ./cmd/flowfast -update-docs -->\n"
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, have, found := strings.Cut(string(b), marker)
	switch {
	case !found:
		t.Fatalf("%s has no line %q", page, marker)
	case have == text:
	case *updateDocs:
		if err := os.WriteFile(page, []byte(head+marker+text), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what the code says: run go test ./cmd/flowfast -update-docs", page)
	}
}

// TestReadme wants the front page to be short enough for ten minutes.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), "\n"); n > 250 {
		t.Errorf("README.md has %d lines: want 250 at most", n)
	}
}
