//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCompileLimit wants a filter that takes tcpdump too long to be an error that
// says what else there is, once and not for every link type.
func TestCompileLimit(t *testing.T) {
	defer func(d time.Duration) { compileLimit = d }(compileLimit)
	compileLimit = 300 * time.Millisecond
	dir := t.TempDir()
	script := "#!/bin/sh\necho call >>" + dir + "/calls\nwhile :; do :; done\n"
	if err := os.WriteFile(filepath.Join(dir, "tcpdump"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	var out, messages bytes.Buffer
	began := time.Now()
	status := run([]string{"-q", "--filter", "udp", "-", "-"}, streams{bytes.NewReader(oneCapture()), &out, &messages})
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	const want = "flowfast: --filter: tcpdump has not compiled the expression within 300ms; " +
		"a long list of addresses and ports is quick as a file, with --filter @FILE\n"
	if status != exitUsage || messages.String() != want || out.Len() > 0 {
		t.Errorf("exit status %d, wrote %q and said %q, want %q", status, out.String(), messages.String(), want)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "calls")); err != nil || strings.Count(string(b), "call") != 1 {
		t.Errorf("calls: %q (%v), want one", b, err)
	}
}
