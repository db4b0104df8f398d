package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/export"
)

var updateDocs = flag.Bool("update-docs", false, "write the generated parts of docs/ anew")

// TestColumnsPage wants the tables of docs/columns.md to be those that the command
// prints. With -update-docs it writes them.
func TestColumnsPage(t *testing.T) {
	var b strings.Builder
	for _, of := range tables() {
		b.WriteString("\n## " + of.title + "\n\n" + export.Markdown(of.columns))
	}
	generated(t, "../../docs/columns.md", b.String())
}

// TestLinkTypesPage wants docs/linktypes.md to list the link types that are read
// and those that are only named.
func TestLinkTypesPage(t *testing.T) {
	var read, named strings.Builder
	for number := range uint32(1 << 16) {
		name := decode.LinkTypeName(number)
		switch {
		case decode.KnownLinkType(number):
			fmt.Fprintf(&read, "| %d | %s |\n", number, cmp.Or(name, "as some systems number another one"))
		case name != "":
			fmt.Fprintf(&named, "| %d | %s |\n", number, name)
		}
	}
	const head = "| number | LINKTYPE_ |\n| ---: | --- |\n"
	generated(t, "../../docs/linktypes.md", "\n## Read\n\n"+head+read.String()+"\n## Named in errors and warnings\n\n"+head+named.String())
}

// generated wants what stands below the marker in a page to be text.
func generated(t *testing.T, page, text string) {
	t.Helper()
	const marker = "<!-- generated: go test ./cmd/flowfast -update-docs -->\n"
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, have, found := strings.Cut(string(b), marker)
	switch {
	case !found:
		t.Fatalf("%s has no line %q", page, marker)
	case have == text:
	case *updateDocs:
		if err := os.WriteFile(page, []byte(head+marker+text), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what the code says: run go test ./cmd/flowfast -update-docs", page)
	}
}

// TestReadme wants the front page to be short enough for ten minutes.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), "\n"); n > 250 {
		t.Errorf("README.md has %d lines: want 250 at most", n)
	}
}
