package main

import (
	"os"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/export"
)

// TestReadmeColumns wants README's tables of columns to be those that the command
// prints.
func TestReadmeColumns(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range tables() {
		if table := export.Markdown(of.columns); !strings.Contains(string(text), table) {
			t.Errorf("README.md lacks this table.\n%s\n\n%s", of.title, table)
		}
	}
}
