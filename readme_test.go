package flowfast_test

import (
	"fmt"
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
	var table strings.Builder
	table.WriteString("| column | unit | definition |\n| --- | --- | --- |\n")
	for _, c := range export.Columns() {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", c.Name, c.Unit, c.Definition)
	}
	c := export.EndReason
	row := fmt.Sprintf("| `%s` | %s | %s |\n", c.Name, c.Unit, c.Definition)
	for _, want := range []string{table.String(), row} {
		if !strings.Contains(string(text), want) {
			t.Errorf("README.md lacks this:\n%s", want)
		}
	}
}
