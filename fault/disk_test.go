//go:build linux

package fault

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A fullDisk has room for a MiB at most.
type fullDisk struct {
	dir  string
	says string   // the error of a write without room
	wrap []string // runs the command under a limit; nil if it needs none
}

// run runs the command, with limit or without.
func (d fullDisk) run(t *testing.T, dir string, args ...string) ending {
	t.Helper()
	line := append(slices.Concat(d.wrap, []string{flowfast}), args...)
	return run(t, program(dir, line[0], line[1:]...))
}

// TestDiskFull fills the disk: a small file system of its own where one can be
// mounted, and always a limit of the length of files.
func TestDiskFull(t *testing.T) {
	t.Run("file system", func(t *testing.T) {
		dir := tmpfs(t, "size=1m,mode=777")
		room := fullDisk{dir: dir, says: "no space left on device"}
		testDiskFull(t, room)
		fill(t, filepath.Join(dir, "filler"))
		testNoRoomForSummary(t, room)
	})
	t.Run("length of files", func(t *testing.T) {
		limited := func(blocks string) fullDisk { // of 512 bytes
			return fullDisk{folder(t), "file too large", []string{"sh", "-c", `ulimit -f ` + blocks + `; exec "$0" "$@"`}}
		}
		testDiskFull(t, limited("2048"))
		testNoRoomForSummary(t, limited("1"))
	})
}

func testDiskFull(t *testing.T, disk fullDisk) {
	large := capture(t, "flood40000", 1, 1) // 8 MB of rows
	e := disk.run(t, disk.dir, "-q", large, "rows.csv")
	e.want(t, 1, "flowfast: rows.csv: "+disk.says+"\n")
	if strings.Count(e.err, "\n") != 1 {
		t.Errorf("said:\n%swant one line", e.err)
	}
	wantNames(t, disk.dir)

	in := subfolder(t, folder(t), "in")
	write(t, filepath.Join(in, "large.pcap"), read(t, large))
	for _, name := range []string{"a", "b", "z"} {
		write(t, filepath.Join(in, name+".pcap"), read(t, capture(t, "flood300", 1, 1)))
	}
	calm := folder(t)
	run(t, command(calm, "-q", "-r", in, "out")).want(t, 0)
	for _, jobs := range []string{"1", "2"} {
		disk.run(t, disk.dir, "-q", "-r", "-j", jobs, in, "out").want(t, 1, "flowfast: out/large_flow.csv: "+disk.says+"\n")
		left := readTree(t, filepath.Join(disk.dir, "out"))
		if temporary := left.wantWhole(t, readTree(t, filepath.Join(calm, "out"))); len(temporary) > 0 {
			t.Errorf("temporary files %q", temporary)
		}
		if _, ok := left["large_flow.csv"]; ok {
			t.Error("there is an output that could not be written")
		}
		if len(disk.wrap) > 0 && left["a_flow.csv"] == "" {
			t.Error("an output that had room is missing")
		}
		if err := os.RemoveAll(filepath.Join(disk.dir, "out")); err != nil {
			t.Fatal(err)
		}
	}
}

// testNoRoomForSummary has no room for the summary of a run that is good else.
func testNoRoomForSummary(t *testing.T, disk fullDisk) {
	before := readTree(t, disk.dir).names()
	dir := folder(t)
	args := []string{"-q", "--summary", filepath.Join(disk.dir, "s.json"), "--join"}
	for i := range 10 { // names make the summary longer than a block
		path := filepath.Join(dir, strings.Repeat("x", 100)+string(rune('a'+i))+".pcap")
		write(t, path, read(t, capture(t, "flood300", 1, 1)))
		args = append(args, path)
	}
	e := disk.run(t, dir, append(args, "/dev/null")...)
	e.want(t, 1, "flowfast: "+filepath.Join(disk.dir, "s.json")+": "+disk.says+"\n")
	wantNames(t, disk.dir, before...)
	if len(disk.wrap) > 0 {
		return
	}
	disk.run(t, dir, append(args, "rows.csv")...).want(t, 1)
	if got := readTable(t, filepath.Join(dir, "rows.csv")); got.packets != 3000 {
		t.Errorf("rows of %d packets, want 3000", got.packets)
	}
}

// tmpfs mounts a file system in memory.
func tmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := folder(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skip("no file system can be mounted:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes up the room that is left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err = io.Copy(f, zeros{}); !strings.Contains(err.Error(), "no space left") {
		t.Fatal(err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
