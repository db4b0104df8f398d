//go:build linux

package fault

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestStatic wants a program that needs no loader and no library.
func TestStatic(t *testing.T) {
	f, err := elf.Open(flowfast)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("there is a segment %v", p.Type)
		}
	}
}

// TestAlone runs the command where there is nothing but itself and a capture:
// no other file, no /proc, no /dev, no network.
func TestAlone(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a world without files")
	}
	dir := folder(t)
	write(t, filepath.Join(dir, "flowfast"), read(t, flowfast))
	chmod(t, filepath.Join(dir, "flowfast"), 0o755)
	small := capture(t, "flood300", 1, 1)
	write(t, filepath.Join(dir, "a.pcap"), read(t, small))
	run(t, command(dir, "-q", small, "want.csv")).want(t, 0)
	for _, jobs := range []string{"1", "2"} {
		cmd := program("/", "/flowfast", "-q", "-j", jobs, "a.pcap", "rows.csv")
		cmd.Env = []string{}
		cmd.SysProcAttr.Chroot = dir
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
		run(t, cmd).want(t, 0)
		if left := readTree(t, dir); left["rows.csv"] != left["want.csv"] {
			t.Errorf("%d bytes of rows, want %d", len(left["rows.csv"]), len(left["want.csv"]))
		}
	}
}

// TestImports wants nothing that the command is made of to be able to start a
// process or load code, and none of the project's packages to be able to open a
// connection but where flowfast live asks for it. (Libraries bring net along: for flags that are addresses, and the
// one of a compression that Parquet can have net/http, for servers. Nothing calls
// it; see TestAlone.)
func TestImports(t *testing.T) {
	const module = "github.com/flowfast/flowfast"
	list := exec.Command("go", "list", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/cmd/flowfast")
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for line := range strings.Lines(string(out)) {
		imports := strings.Fields(line)
		name, bad := imports[0], []string{"C", "plugin", "runtime/cgo"}
		if name != module+"/cmd/flowfast" { // for tcpdump, which compiles filters
			bad = append(bad, "os/exec")
		}
		if strings.HasPrefix(name, module) {
			ours++
			switch strings.TrimPrefix(name, module) {
			case "/cmd/flowfast": // for live's metrics
			case "/live": // for the names of interfaces
				bad = append(bad, "net/http")
			default:
				bad = append(bad, "net", "net/http")
			}
		}
		for _, b := range bad {
			if slices.Contains(imports[1:], b) {
				t.Errorf("%s imports %s", name, b)
			}
		}
	}
	if ours < 7 {
		t.Errorf("%d packages of the project, want 7 or more", ours)
	}
}
