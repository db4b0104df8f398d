package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/internal/need"
)

// TestCroissant has mlcroissant, the validator of the format Croissant, read what a
// dataset says of itself. (croissant.py does it.)
func TestCroissant(t *testing.T) {
	python, missing := pythonWith("mlcroissant, pyarrow")
	if missing != "" {
		need.Missing(t, "CROISSANT", missing)
	}
	folder := t.TempDir()
	flowfast := built(t)
	rules := filepath.Join(folder, "rules.yaml")
	if err := os.WriteFile(rules, []byte("default: benign\nrules:\n  - label: \"TLS, \\\"odd\\\"\"\n    ports: [443]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(folder, "in"), filepath.Join(folder, "out")
	for _, name := range []string{"a b.pcap", "sub/é.pcap", `sub/"x".pcap`} {
		copyFile(t, filepath.Join("..", "testdata", "web.pcap.zst"), filepath.Join(in, name))
	}
	command(t, flowfast, "-q", "-r", "--dataset", "--hash", "--splt", "3", "--labels", rules, in, out)
	if said := command(t, python, "croissant.py", out); !strings.Contains(said, "345 records compared") {
		t.Errorf("%s, want 345 records compared", said)
	}
	splits := filepath.Join(folder, "splits")
	command(t, flowfast, "-q", "-r", "--dataset", "--labels", rules, "--split", "train=0.7,test=0.3", "--split-by", "flow", "--split-folders", in, splits)
	if said := command(t, python, "croissant.py", splits, "test", "train"); !strings.Contains(said, "345 records compared") {
		t.Errorf("with folders of splits: %s, want 345 records compared", said)
	}
}
