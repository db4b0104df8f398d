package main

import (
	"errors"
	"io"
	"math"
	"os"

	"golang.org/x/term"
)

// A progressMode is how a user wants to see how far a run is.
type progressMode string

const (
	byTerminal progressMode = "" // a bar on a terminal, else plain lines
	asBar      progressMode = "bar"
	asPlain    progressMode = "plain"
	asJSON     progressMode = "json"
	asNone     progressMode = "none"
)

func (p *progressMode) Set(text string) error {
	switch how := progressMode(text); how {
	case asBar, asPlain, asJSON, asNone:
		*p = how
		return nil
	}
	return errors.New("want bar, plain, json or none")
}

func (p *progressMode) String() string { return string(*p) }
func (p *progressMode) Type() string   { return "how" }

// isTerminalWriter reports whether what is written to w appears on a terminal.
func isTerminalWriter(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isTerminal(f)
}

// terminalWidth returns how many characters a line can have: those of a terminal, or
// any number.
func terminalWidth(w io.Writer) int {
	if isTerminalWriter(w) {
		if width, _, err := term.GetSize(int(w.(*os.File).Fd())); err == nil && width > 0 {
			return width
		}
	}
	return math.MaxInt
}
