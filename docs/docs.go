// Package docs has the pages that the command shows too, by flowfast help TOPIC.
package docs

import "embed"

// Pages are the Markdown files of this folder that help topics are from, by their
// names.
//
//go:embed cli.md columns.md datasets.md filters.md flows.md formats-read.md labels.md limits.md live.md profiles.md protocols.md report.md
var Pages embed.FS
