package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/docs"
)

// manCommand prints the manual page of a command, or writes those of all.
func manCommand(out io.Writer) *cobra.Command {
	dir := ""
	command := &cobra.Command{
		Use:   "man [--dir FOLDER | COMMAND...]",
		Short: "print the manual page of flowfast, or of one of its commands",
		Long: `Flowfast man prints the manual page of flowfast, or of a command of it, in roff:

  flowfast man | man -l -
  flowfast man live | man -l -

The date of a page is that of the environment variable SOURCE_DATE_EPOCH, in
seconds since 1970; without it a page has none.`,
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			date, err := pageDate()
			if err != nil {
				return err
			}
			if dir != "" && len(args) > 0 {
				return fmt.Errorf("--dir writes all pages: no command can be given")
			}
			if dir != "" {
				return writePages(root, dir, date)
			}
			of, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("no command %q", strings.Join(args, " "))
			}
			_, err = io.WriteString(out, manPage(of, date))
			return err
		},
	}
	command.Flags().StringVar(&dir, "dir", "", "write the pages of all commands into `FOLDER`, which is created")
	return command
}

// pageDate returns the date of manual pages, "" for none.
func pageDate() (string, error) {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return "", nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return "", fmt.Errorf("SOURCE_DATE_EPOCH %q: want seconds since 1970", epoch)
	}
	return time.Unix(seconds, 0).UTC().Format(time.DateOnly), nil
}

// writePages writes the page of a command and of those below it.
func writePages(c *cobra.Command, dir, date string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, pageName(c)+".1"), []byte(manPage(c, date)), 0o666); err != nil {
		return err
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			if err := writePages(sub, dir, date); err != nil {
				return err
			}
		}
	}
	return nil
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manPage returns the manual page of a command (man(7), groff_man(7)).
func manPage(c *cobra.Command, date string) string {
	var r roff
	fmt.Fprintf(&r, ".TH %s 1 %q \"flowfast %s\"\n", strings.ToUpper(pageName(c)), date, flowfast.Version)
	r.macro("SH", "NAME")
	r.text(pageName(c) + " - " + c.Short)
	r.macro("SH", "SYNOPSIS")
	for i, line := range usageLines(c) {
		if i > 0 {
			r.macro("br")
		}
		r.macro("B", line)
	}
	r.macro("SH", "DESCRIPTION")
	if c.Long != "" {
		r.paragraphs(c.Long)
	} else {
		r.text(strings.ToUpper(c.Short[:1]) + c.Short[1:] + ".")
	}
	for _, part := range parts(c) {
		if part.topics == nil {
			r.macro("SH", "OPTIONS")
		} else {
			if part.title == headings[0].title {
				r.macro("SH", "OPTIONS")
			}
			r.macro("SS", part.title)
		}
		for _, option := range part.options {
			r.option(option)
		}
	}
	if c.HasAvailableSubCommands() {
		r.macro("SH", "COMMANDS")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				r.macro("TP")
				r.macro("BR", pageName(sub), "(1)")
				r.text(sub.Short)
			}
		}
	}
	if !c.HasParent() {
		r.macro("SH", "EXIT STATUS")
		page, err := docs.Pages.ReadFile("cli.md")
		if err != nil {
			panic(err) // it is in the program
		}
		_, text, _ := strings.Cut(plainText(page, "Exit status and signals", 1<<20), "\n\n")
		r.paragraphs(text)
	}
	if c.HasExample() {
		r.macro("SH", "EXAMPLES")
		r.code(c.Example)
	}
	r.macro("SH", "SEE ALSO")
	if c.HasParent() {
		r.macro("BR", pageName(c.Parent()), "(1)")
	} else {
		r.text("flowfast help TOPIC shows the topics:")
		for i, t := range topics {
			text := t.name + ","
			if i == len(topics)-1 {
				text = t.name + "."
			}
			r.text(text)
		}
	}
	return r.String()
}

// A roff writes a page in the macros of man(7).
type roff struct{ strings.Builder }

// inRoff escapes what would mean something in a line of text.
func inRoff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "µ", `\(mc`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

// macro writes a line that calls a macro.
func (r *roff) macro(name string, args ...string) {
	r.WriteString("." + name)
	for _, arg := range args {
		r.WriteString(` "` + strings.ReplaceAll(inRoff(arg), `"`, `\(dq`) + `"`)
	}
	r.WriteString("\n")
}

// text writes words, in lines that are not long.
func (r *roff) text(text string) {
	for _, line := range wrapped(text, 70) {
		r.WriteString(inRoff(line) + "\n")
	}
}

// paragraphs writes what empty lines are between: code where it is indented, and lists
// whose items are a line each.
func (r *roff) paragraphs(text string) {
	for i, paragraph := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if strings.HasPrefix(paragraph, "  ") {
			r.macro("PP")
			r.code(paragraph)
			continue
		}
		if strings.HasPrefix(paragraph, "- ") {
			for item := range strings.Lines(paragraph) {
				r.WriteString(".IP \\(bu 2\n")
				r.text(strings.TrimPrefix(item, "- "))
			}
			continue
		}
		if i > 0 {
			r.macro("PP")
		}
		r.text(paragraph)
	}
}

// code writes lines as they are.
func (r *roff) code(text string) {
	r.macro("nf")
	for line := range strings.Lines(text) {
		r.WriteString(inRoff(strings.TrimRight(line, "\n")) + "\n")
	}
	r.macro("fi")
}

// option writes an option: its names, what it takes, and what it means.
func (r *roff) option(f *pflag.Flag) {
	value, meaning := usageOf(f)
	r.macro("TP")
	if f.Shorthand != "" {
		r.WriteString(`\fB` + inRoff("-"+f.Shorthand) + `\fR, `)
	}
	r.WriteString(`\fB` + inRoff("--"+f.Name) + `\fR`)
	if value != "" {
		r.WriteString(` \fI` + inRoff(value) + `\fR`)
	}
	r.WriteString("\n")
	r.text(meaning)
}
