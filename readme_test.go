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
	if !strings.Contains(string(text), table.String()) {
		t.Errorf("README.md lacks this table:\n%s", table.String())
	}
}
