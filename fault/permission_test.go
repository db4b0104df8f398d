//go:build linux

package fault

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPermissions takes rights away: to read a capture or a folder of captures,
// and to write into the folder of the output. The others are done.
func TestPermissions(t *testing.T) {
	if os.Geteuid() == 0 && nobody == nil {
		t.Skip("root has every right, and nobody can't run the command here")
	}
	dir := folder(t)
	small := read(t, capture(t, "flood300", 1, 1))
	subfolder(t, dir, "in")
	for _, name := range []string{"open", "secret"} {
		subfolder(t, dir, "in", name)
		write(t, filepath.Join(dir, "in", name, "a.pcap"), small)
	}
	write(t, filepath.Join(dir, "in", "secret.pcap"), small)
	write(t, filepath.Join(dir, "in", "open.pcap"), small)
	chmod(t, filepath.Join(dir, "in", "secret.pcap"), 0)
	chmod(t, filepath.Join(dir, "in", "secret"), 0)
	t.Cleanup(func() { chmod(t, filepath.Join(dir, "in", "secret"), 0o700) })
	subfolder(t, dir, "locked")
	chmod(t, filepath.Join(dir, "locked"), 0o555)

	for _, test := range []struct {
		rule string
		args []string
		says string
		left []string
	}{
		{"a capture", []string{"in/secret.pcap", "out/rows.csv"}, "flowfast: in/secret.pcap: permission denied\n", nil},
		{"the folder of a capture", []string{"in/secret/a.pcap", "out/rows.csv"},
			"flowfast: in/secret/a.pcap: permission denied\n", nil},
		{"the folder of the output", []string{"in/open.pcap", "locked/rows.csv"},
			"flowfast: locked/rows.csv: permission denied\n", nil},
		{"the folder of the summary", []string{"--summary", "locked/s.json", "in/open.pcap", "out/rows.csv"},
			"flowfast: locked/s.json: permission denied\n", []string{"rows.csv"}},
		{"the folder of all outputs", []string{"-r", "in/open", "locked"}, "flowfast: locked/", nil},
		{"a folder of captures, and a capture, of many", []string{"-r", "in", "out"},
			"flowfast: in/secret: permission denied\nflowfast: in/secret.pcap: permission denied\n",
			[]string{"open_flow.csv", "open/a_flow.csv", manifest}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			out := subfolder(t, dir, "out")
			defer os.RemoveAll(out)
			run(t, command(dir, append([]string{"-q"}, test.args...)...)).want(t, 1, test.says)
			wantNames(t, out, test.left...)
			wantNames(t, filepath.Join(dir, "locked"))
		})
	}
}
