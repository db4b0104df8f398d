//go:build !windows

package main

import (
	"os"

	"golang.org/x/term"
)

// isTerminal reports whether a file is a terminal on which lines can be
// rewritten.
func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
