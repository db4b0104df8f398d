package flowfast_test

import (
	"os"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/export"
)

// TestReadmeColumns wants README's table of columns to be that of the code.
func TestReadmeColumns(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range export.Profiles() {
		if table := export.Markdown(p.Columns); !strings.Contains(string(text), table) {
			t.Errorf("README.md lacks the columns of %s:\n%s", p.Name, table)
		}
	}
}
