package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// isTerminal reports whether a file is a terminal on which lines can be
// rewritten, after asking the console to understand how.
func isTerminal(f *os.File) bool {
	console := windows.Handle(f.Fd())
	var mode uint32
	return windows.GetConsoleMode(console, &mode) == nil &&
		windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
