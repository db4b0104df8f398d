package conformance

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/need"
)

// pythonWith returns a python that can import the modules: FLOWFAST_PYTHON, the one
// that make formats-install makes, or python3. If there is none it returns why.
func pythonWith(modules string) (python, missing string) {
	cache, _ := os.UserCacheDir()
	installed := filepath.Join(cmp.Or(os.Getenv("XDG_CACHE_HOME"), cache), "flowfast", "formats", "bin", "python")
	for _, python = range []string{os.Getenv("FLOWFAST_PYTHON"), installed, "python3"} {
		if python == "" {
			continue
		}
		out, err := exec.Command(python, "-c", "import "+modules).CombinedOutput()
		if err == nil {
			return python, ""
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		missing = cmp.Or(lines[len(lines)-1], err.Error())
	}
	return "", missing + "; make formats-install installs what is needed"
}

// readers returns a python with the libraries that formats.py reads tables with.
// Without them the test is skipped, or fails if FLOWFAST_CONFORMANCE is "required".
func readers(t *testing.T) string {
	t.Helper()
	python, missing := pythonWith("duckdb, pandas, polars, pyarrow, zstandard")
	if missing != "" {
		need.Missing(t, "FORMATS", missing)
	}
	return python
}

// TestFormats reads every format with pandas, pyarrow, polars and DuckDB, and
// wants the rows of CSV in the types that flowfast columns lists. (formats.py does
// it.)
func TestFormats(t *testing.T) {
	python := readers(t)
	flowfast := built(t)
	captures := filepath.Join("..", "testdata")
	const each, andDataset = "44 tables compared", "48 tables compared"
	for _, test := range []struct {
		capture, profile string
		flags            []string
		tables           string
	}{
		{"web.pcap.zst", "default", nil, andDataset},
		{"reuse.pcap", "default", []string{"--end-reason"}, each},
		{"nano.pcap", "default", []string{"--end-reason"}, each},
		{"interfaces.pcapng.zst", "default", nil, each},
		{"bulk.pcap.zst", "default", []string{"--end-reason"}, each},
		{"web.pcap.zst", "full", []string{"--splt", "8", "--quantiles", "0.05,0.95"}, andDataset},
		{"vlan.pcap.zst", "full", []string{"--splt", "8", "--quantiles", "0.05,0.95"}, each},
		{"web.pcap.zst", "nfstream", []string{"--splt", "10"}, andDataset},
		{"slow.pcap.zst", "cicflowmeter", nil, andDataset},
		{"loss.pcap.zst", "pyflowmeter", nil, andDataset},
	} {
		t.Run(test.capture+" "+test.profile, func(t *testing.T) {
			folder := t.TempDir()
			run := func(args ...string) {
				command(t, flowfast, slices.Concat([]string{"-q", "--profile", test.profile}, test.flags, args)...)
			}
			for _, format := range export.FormatNames() {
				run(filepath.Join(captures, test.capture), filepath.Join(folder, "rows."+format))
			}
			for _, format := range []string{"parquet", "arrow", "arrows"} {
				run("--time-unit", "us", filepath.Join(captures, test.capture), filepath.Join(folder, "rows.us."+format))
			}
			if test.tables == andDataset {
				// Names that mean something to readers of datasets, or could be numbers.
				in := filepath.Join(folder, "in")
				for _, name := range []string{"01", "1", "2026-11-24", "a=b/_x.pcap", ".c [d] %3D é.pcap", "sub/same.pcap"} {
					copyFile(t, filepath.Join(captures, test.capture), filepath.Join(in, name))
				}
				run("-r", in, filepath.Join(folder, "each"))
				run("-r", "--dataset", in, filepath.Join(folder, "dataset"))
			}
			// --end-reason is listed in the profile full.
			listed := command(t, flowfast, "columns", "--markdown", "--profile", "full") + command(t, flowfast, "columns", "--markdown", "--profile", test.profile)
			if err := os.WriteFile(filepath.Join(folder, "columns.md"), []byte(listed), 0o666); err != nil {
				t.Fatal(err)
			}
			out := command(t, python, "formats.py", folder, test.profile)
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
