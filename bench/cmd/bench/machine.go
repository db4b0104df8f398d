//go:build linux || darwin

package main

import (
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// printMachine prints what a figure is worth nothing without.
func printMachine(w io.Writer, args []string) {
	var u unix.Utsname
	_ = unix.Uname(&u) // leaves blanks
	fmt.Fprintf(w, "- machine: %s, %d cores, %.1f GiB of memory, %s %s\n", processor(), runtime.NumCPU(),
		float64(memory())/(1<<30), unix.ByteSliceToString(u.Sysname[:]), unix.ByteSliceToString(u.Release[:]))
	fmt.Fprintf(w, "- date: %s\n", time.Now().UTC().Format("2 January 2006, 15:04 UTC"))
	fmt.Fprintf(w, "- commit: %s\n", commit())
	fmt.Fprintf(w, "- Go: %s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(w, "- command: `%s`\n", strings.Join(append([]string{"go run ./bench/cmd/bench"}, args...), " "))
}

// commit names the commit of the working tree, or without one that of the program.
func commit() string {
	b, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return builtFrom()
	}
	name := strings.TrimSpace(string(b))
	if b, err := exec.Command("git", "status", "--porcelain").Output(); err != nil || len(b) > 0 {
		name += " and changes"
	}
	return name
}

// builtFrom names the commit that this program was built from.
func builtFrom() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	name, changes := "unknown", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			name = s.Value[:min(7, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changes = " and changes"
		}
	}
	return name + changes
}
