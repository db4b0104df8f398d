package main

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The help is for terminals of 80 columns.
const (
	helpWidth  = 80
	helpIndent = 32 // of what options mean
)

// writeHelp writes the help of a command.
func writeHelp(out io.Writer, c *cobra.Command) error {
	var b strings.Builder
	if c.Long != "" {
		b.WriteString(c.Long + "\n")
	} else {
		for _, line := range wrapped(c.CommandPath()+": "+c.Short, helpWidth) {
			b.WriteString(line + "\n")
		}
	}
	b.WriteString("\nUsage:\n")
	for _, line := range usageLines(c) {
		b.WriteString("  " + line + "\n")
	}
	if c.HasExample() {
		b.WriteString("\nExamples:\n" + c.Example + "\n")
	}
	if c.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				helpEntry(&b, "  "+sub.Name(), sub.Short, commandIndent)
			}
		}
	}
	for _, part := range parts(c) {
		b.WriteString("\n" + part.title)
		if part.topics != nil {
			b.WriteString(" (flowfast help " + strings.Join(part.topics, ", ") + ")")
		}
		b.WriteString(":\n")
		helpOptions(&b, part.options)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// usageLines returns the ways to call a command.
func usageLines(c *cobra.Command) (lines []string) {
	if c.Runnable() {
		lines = append(lines, c.UseLine())
	}
	if c.HasAvailableSubCommands() {
		lines = append(lines, c.CommandPath()+" COMMAND [options]")
	}
	return lines
}

func helpOptions(b *strings.Builder, flags []*pflag.Flag) {
	for _, flag := range flags {
		short := "      "
		if flag.Shorthand != "" {
			short = "  -" + flag.Shorthand + ", "
		}
		value, meaning := usageOf(flag)
		helpEntry(b, short+strings.TrimRight("--"+flag.Name+" "+value, " "), meaning, helpIndent)
	}
}

// usageOf returns the name of what an option takes, "" for nothing, and what it
// means, on one line.
func usageOf(flag *pflag.Flag) (value, meaning string) {
	value, meaning = pflag.UnquoteUsage(flag)
	if flag.Value.Type() == "bool" {
		value = ""
	}
	return value, strings.ReplaceAll(meaning, "\n", " ")
}

// cutDefault returns what an option means, and apart what it is where it is not
// given, if that is said.
func cutDefault(meaning string) (text, usual string) {
	if before, after, found := strings.Cut(meaning, " (default "); found {
		return before, strings.TrimSuffix(after, ")")
	}
	return meaning, ""
}

// helpEntry writes a name, and beside it what it means.
func helpEntry(b *strings.Builder, name, meaning string, indent int) {
	lines := wrapped(meaning, helpWidth-indent)
	if utf8.RuneCountInString(name) < indent-1 {
		name += strings.Repeat(" ", indent-utf8.RuneCountInString(name)) + lines[0]
		lines = lines[1:]
	}
	b.WriteString(name + "\n")
	for _, line := range lines {
		b.WriteString(strings.Repeat(" ", indent) + line + "\n")
	}
}

// wrapped breaks a text between words into lines of a width, one at least. A
// longer word has a line of its own.
func wrapped(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// alternatives writes what one of can be chosen.
func alternatives(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// plainUsage has the line of usage of a command and of those below it say only
// what stands in it.
func plainUsage(c *cobra.Command) {
	c.DisableFlagsInUseLine = true
	for _, sub := range c.Commands() {
		plainUsage(sub)
	}
}
