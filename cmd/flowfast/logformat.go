package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"github.com/spf13/pflag"
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

// refuse says what is wrong with the arguments. In a log the option that it is about
// stands beside it.
func (c *command) refuse(err error, text string, args []string) {
	if c.logFormat = askedLogFormat(args); c.logFormat != logJSON {
		fmt.Fprintf(c.err, "flowfast: %s\nTry 'flowfast --help'.\n", printable(text))
		return
	}
	var more []slog.Attr
	if option := optionOf(err, text); option != "" {
		more = append(more, slog.String("option", printable(option)))
	}
	c.log(slog.LevelError, text, more...)
}

// askedLogFormat finds --log-format among arguments that can't be taken.
func askedLogFormat(args []string) logFormat {
	var found logFormat
	for i, arg := range args {
		value, is := strings.CutPrefix(arg, "--log-format=")
		switch {
		case arg == "--":
			return found
		case arg == "--log-format" && i+1 < len(args):
			_ = found.Set(args[i+1]) // what is no format stands for text
		case is:
			_ = found.Set(value)
		}
	}
	return found
}

// optionOf returns the option that an error in the arguments is about, as it is
// written, "" if there is none.
func optionOf(err error, text string) string {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return "-" + unknown.GetSpecifiedName()
	case errors.As(err, &unknown):
		return manyDigits.ReplaceAllString("--"+unknown.GetSpecifiedName(), "…") // it may be a key
	case errors.As(err, &bare):
		return "--" + bare.GetFlag().Name
	case errors.As(err, &bad):
		return "--" + bad.GetFlag().Name
	}
	return anOption.FindString(text)
}

var anOption = regexp.MustCompile("^--?[a-z][a-z-]*")

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
