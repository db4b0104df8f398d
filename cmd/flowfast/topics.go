package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flowfast/flowfast/docs"
	"github.com/flowfast/flowfast/export"
)

// A topic is a part of the pages of docs/ that flowfast help shows.
type topic struct {
	name, about string
	page        string
	section     string // a heading of the second level; "" for the page up to what is generated
}

var topics = []topic{
	{"columns", "what columns hold, and how exact they are", "columns.md", ""},
	{"datasets", "one table of a folder, data sets, the unit of times", "datasets.md", ""},
	{"exit", "exit status, signals, partial outputs", "cli.md", "Exit status and signals"},
	{"filters", "which packets count", "filters.md", ""},
	{"flows", "what a flow is, and the order of rows", "flows.md", ""},
	{"folders", "folders of captures, resuming, data sets", "cli.md", "Folders and data sets"},
	{"formats", "the formats of rows, and extensions", "cli.md", "Formats"},
	{"labels", "labels from rules, alerts and logs; splits", "labels.md", ""},
	{"limits", "limits, and what takes memory", "limits.md", ""},
	{"live", "flows of interfaces: rotation, retention, metrics", "live.md", ""},
	{"pipes", "live packets from a pipe", "cli.md", "Live pipes"},
	{"profiles", "the columns and rules of other programs", "profiles.md", ""},
	{"protocols", "other protocols, UDP tunnels, VLANs", "protocols.md", ""},
	{"reading", "which captures are read; damage", "formats-read.md", ""},
	{"report", "a page with figures and tables; comparing tables", "report.md", ""},
	{"time", "how time spans and points in time are written", "cli.md", "Times"},
}

// helpCommand shows the help of a command, or a topic.
func helpCommand(out io.Writer) *cobra.Command {
	var names []string
	for _, t := range topics {
		names = append(names, t.name)
	}
	return &cobra.Command{
		Use:       "help [TOPIC|COMMAND]",
		Short:     "show a topic, or the help of a command",
		ValidArgs: names,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := io.WriteString(out, topicList())
				return err
			}
			if len(args) == 1 {
				for i := range topics {
					if topics[i].name == args[0] {
						return topics[i].write(out)
					}
				}
			}
			of, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 || of == c.Root() {
				return noTopic(strings.Join(args, " "), names)
			}
			return of.Help()
		},
	}
}

// noTopic is the error of a topic that there is not.
func noTopic(name string, names []string) error {
	nearest := ""
	if near := export.Nearest(name, names); near != "" {
		nearest = fmt.Sprintf("the nearest is %q; ", near)
	}
	return fmt.Errorf("no topic or command %q; %stopics are %s", name, nearest, strings.Join(names, ", "))
}

// topicList lists the topics.
func topicList() string {
	var b strings.Builder
	b.WriteString("flowfast --help lists the options, flowfast COMMAND --help those of a command,\nflowfast help TOPIC shows more:\n\n")
	for _, t := range topics {
		helpEntry(&b, "  "+t.name, t.about, commandIndent)
	}
	return b.String()
}

// write shows a topic as plain text.
func (t *topic) write(out io.Writer) error {
	b, err := docs.Pages.ReadFile(t.page)
	if err != nil {
		return err
	}
	text := plainText(b, t.section, helpWidth)
	_, err = io.WriteString(out, text)
	return err
}

// commandIndent is where what commands and topics are about stands.
var commandIndent = 4 + len(slices.MaxFunc(topics, func(a, b topic) int { return len(a.name) - len(b.name) }).name)
