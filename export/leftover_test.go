package export

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Temporary files of the named outputs go, whatever else looks like one stays.
func TestRemoveLeftovers(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "sub")
	if err := os.Mkdir(sub, 0o777); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("é", 120)
	create(t, filepath.Join(dir, "rows.csv"), "killed") // and never committed
	create(t, filepath.Join(dir, "rows.csv"), "twice")
	create(t, filepath.Join(sub, long), "killed")
	kept := []string{".other.csv.flowfast-01234567.tmp", ".rows.csv.flowfast-0123456.tmp",
		".rows.csv.flowfast-0123456g.tmp", ".rows.csv.flowfast-01234567.tmp2", "rows.csv.flowfast-01234567.tmp", "rows.csv"}
	for _, name := range kept {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	err := RemoveLeftovers([]string{filepath.Join(dir, "rows.csv"), filepath.Join(sub, long), filepath.Join(dir, "none", "rows.csv"), filepath.Join(dir, "rows.csv", "rows.csv")})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, sub); got != "" {
		t.Errorf("below, the folder holds %q, want nothing", got)
	}
	got := names(t, dir)
	for _, name := range kept {
		if !strings.Contains(" "+got+" ", " "+name+" ") {
			t.Errorf("%s is gone", name)
		}
	}
	if n := len(strings.Fields(got)); n != len(kept)+1 {
		t.Errorf("the folder holds %q, want %q and sub", got, kept)
	}
}
