package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestManualPages wants the pages of all commands to be what mandoc and man take, with
// every option.
func TestManualPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	dir := t.TempDir()
	if status := run([]string{"man", "--dir", dir}, streams{nil, os.Stdout, os.Stderr}); status != 0 {
		t.Fatal("exit status ", status)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	if mandoc, err := exec.LookPath("mandoc"); err != nil {
		t.Log("MANUAL PAGES NOT CHECKED: ", err)
	} else if out, err := exec.Command(mandoc, append([]string{"-T", "lint", "-W", "style"}, pages...)...).CombinedOutput(); err != nil {
		t.Errorf("mandoc: %v\n%s", err, strings.ReplaceAll(string(out), dir, ""))
	}
	b, err := os.ReadFile(filepath.Join(dir, "flowfast.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts((&command{}).cobra()) {
		for _, option := range p.options {
			if name := `\fB` + inRoff("--"+option.Name) + `\fR`; strings.Count(string(b), name) != 1 {
				t.Errorf("--%s stands %d times in the page", option.Name, strings.Count(string(b), name))
			}
		}
	}
	if !strings.HasPrefix(string(b), `.TH FLOWFAST 1 "2023-11-14" "flowfast `) {
		t.Errorf("the page begins with %.60q", b)
	}
}
