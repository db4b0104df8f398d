package conformance

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/export"
)

// readers returns a python with the libraries that formats.py reads tables with:
// FLOWFAST_PYTHON, the one that make formats-install makes, or python3. Without
// them the test is skipped, or fails if FLOWFAST_CONFORMANCE is "required".
func readers(t *testing.T) string {
	t.Helper()
	cache, _ := os.UserCacheDir()
	installed := filepath.Join(cmp.Or(os.Getenv("XDG_CACHE_HOME"), cache), "flowfast", "formats", "bin", "python")
	missing := ""
	for _, python := range []string{os.Getenv("FLOWFAST_PYTHON"), installed, "python3"} {
		if python == "" {
			continue
		}
		out, err := exec.Command(python, "-c", "import duckdb, pandas, polars, pyarrow, zstandard").CombinedOutput()
		if err == nil {
			return python
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		missing = cmp.Or(lines[len(lines)-1], err.Error())
	}
	if os.Getenv("FLOWFAST_CONFORMANCE") == "required" {
		t.Fatalf("%s; make formats-install installs what is needed", missing)
	}
	t.Skipf("FORMATS NOT CHECKED: %s; make formats-install installs what is needed", missing)
	return ""
}

// TestFormats reads every format with pandas, pyarrow, polars and DuckDB, and
// wants the rows of CSV in the right types. (formats.py does it.)
func TestFormats(t *testing.T) {
	python := readers(t)
	flowfast := filepath.Join(t.TempDir(), "flowfast")
	if runtime.GOOS == "windows" {
		flowfast += ".exe"
	}
	command(t, "go", "build", "-o", flowfast, "../cmd/flowfast")
	captures := filepath.Join("..", "testdata")
	for _, test := range []struct {
		capture string
		flags   []string
		dataset bool
		tables  string
	}{
		{"web.pcap.zst", nil, true, "38 tables compared"},
		{"reuse.pcap", []string{"--end-reason"}, false, "34 tables compared"},
		{"nano.pcap", []string{"--end-reason"}, false, "34 tables compared"},
		{"interfaces.pcapng.zst", nil, false, "34 tables compared"},
		{"bulk.pcap.zst", []string{"--end-reason"}, false, "34 tables compared"},
	} {
		t.Run(test.capture, func(t *testing.T) {
			folder := t.TempDir()
			run := func(args ...string) { command(t, flowfast, append(append([]string{"-q"}, test.flags...), args...)...) }
			for _, format := range export.FormatNames() {
				run(filepath.Join(captures, test.capture), filepath.Join(folder, "rows."+format))
			}
			if test.dataset {
				// Names that mean something to readers of datasets, or could be numbers.
				in := filepath.Join(folder, "in")
				for _, name := range []string{"01", "1", "2026-11-24", "a=b/_x.pcap", ".c [d] %3D é.pcap", "sub/same.pcap"} {
					copyFile(t, filepath.Join(captures, test.capture), filepath.Join(in, name))
				}
				run("-r", in, filepath.Join(folder, "each"))
				run("-r", "--dataset", in, filepath.Join(folder, "dataset"))
			}
			out := command(t, python, "formats.py", folder)
			if !strings.Contains(out, test.tables) {
				t.Errorf("%s, want %s", out, test.tables)
			}
		})
	}
}

// command runs a program and returns what it prints.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o777)
	}
	if err == nil {
		err = os.WriteFile(to, b, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}
