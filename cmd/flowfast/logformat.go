package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// A logFormat is the value of a flag: how messages are written.
type logFormat string

const (
	logText logFormat = ""     // for people
	logJSON logFormat = "json" // an object on a line for each
)

func (l *logFormat) Set(text string) error {
	switch text {
	case "text":
		*l = logText
	case "json":
		*l = logJSON
	default:
		return errors.New("want text or json")
	}
	return nil
}

func (l *logFormat) String() string { return string(*l) }
func (l *logFormat) Type() string   { return "format" }

// syslogLevels are those of RFC 5424, 6.2.1, which the journal of systemd takes from
// the beginning of a line (sd-daemon(3)).
var syslogLevels = map[slog.Level]int{slog.LevelError: 3, slog.LevelWarn: 4, slog.LevelInfo: 6}

// log writes a message: as JSON with more that goes with it, for the journal of systemd
// with its level.
func (c *command) log(level slog.Level, text string, more ...slog.Attr) {
	if c.logFormat == logJSON {
		slog.New(slog.NewJSONHandler(c.err, nil)).LogAttrs(context.Background(), level, printable(text), more...)
		return
	}
	if level == slog.LevelWarn {
		text = "warning: " + text
	}
	prefix := ""
	if c.journal {
		prefix = fmt.Sprintf("<%d>", syslogLevels[level])
	}
	fmt.Fprintf(c.err, "%sflowfast: %s\n", prefix, printable(text))
}

// logFile writes the line of a capture, which only a log has.
func (c *command) logFile(r *result) {
	if c.logFormat != logJSON || c.quiet {
		return
	}
	input := r.job.inputs[0]
	if len(r.job.inputs) > 1 {
		input = fmt.Sprintf("%d captures", len(r.job.inputs))
	}
	s := &r.summary
	c.log(slog.LevelInfo, "file", slog.String("input", printable(input)), slog.String("output", printable(r.job.output)),
		slog.String("status", string(r.status())), slog.Uint64("packets", s.Packets), slog.Uint64("flows", s.Flows),
		slog.Float64("seconds", s.Elapsed.Seconds()))
}

// logReport writes the closing line of a log.
func (c *command) logReport(r *report) {
	c.log(slog.LevelInfo, "end", slog.Int("captures", r.Whole), slog.Int("failed", r.Failed), slog.Int("already_done", r.AlreadyDone),
		slog.Int("other_files", r.OtherFiles), slog.Uint64("packets", r.Packets), slog.Uint64("flows", r.Flows),
		slog.Int("warnings", len(r.Warnings)), slog.Float64("seconds", r.Elapsed.Seconds()))
}
