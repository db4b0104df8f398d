package export

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// names returns the names in a folder.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func content(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func create(t *testing.T, name, text string) *File {
	t.Helper()
	f, err := Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFileAppearsWhenComplete(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "rows.csv")
	f := create(t, name, "rows")
	temp := names(t, dir)
	if !strings.HasPrefix(temp, ".rows.csv.flowfast-") || !strings.HasSuffix(temp, ".tmp") {
		t.Errorf("before Commit the folder holds %q, want one temporary file", temp)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	if got := names(t, dir); got != "rows.csv" {
		t.Errorf("after Commit the folder holds %q, want rows.csv", got)
	}
	if got := content(t, name); got != "rows" {
		t.Errorf("got %q, want %q", got, "rows")
	}
}

func TestFileReplacesOnlyWhenComplete(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(name, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	create(t, name, "given up").Discard()
	if got := content(t, name); got != "old" {
		t.Errorf("after Discard: got %q, want %q", got, "old")
	}
	if got := names(t, dir); got != "rows.csv" {
		t.Errorf("after Discard the folder holds %q, want rows.csv", got)
	}
	if err := create(t, name, "new").Commit(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, name); got != "new" {
		t.Errorf("after Commit: got %q, want %q", got, "new")
	}
}

// An output that ends early does not take the place of a whole one, and a whole
// one removes it.
func TestFilePartial(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(name, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	f := create(t, name, "some rows")
	if err := f.CommitPartial(); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	if got := names(t, dir); got != "rows.csv rows.csv.partial" {
		t.Errorf("after CommitPartial the folder holds %q", got)
	}
	if old, partial := content(t, name), content(t, f.PartialName()); old != "old" || partial != "some rows" || f.Size() != 9 {
		t.Errorf("got %q, partial %q of %d bytes, want old and some rows of 9", old, partial, f.Size())
	}
	f = create(t, name, "all rows")
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := f.RemovePartial(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); got != "rows.csv" {
		t.Errorf("after Commit the folder holds %q, want rows.csv", got)
	}
}

// What is in the way of a partial output stays, and the error has its name.
func TestFilePartialInTheWay(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "rows.csv")
	if err := os.Mkdir(name+Partial, 0o777); err != nil {
		t.Fatal(err)
	}
	f := create(t, name, "rows")
	if err := f.RemovePartial(); err != nil {
		t.Error(err)
	}
	if err := f.CommitPartial(); err == nil || !strings.HasPrefix(err.Error(), name+".partial: ") {
		t.Errorf("got %v, want it to begin with the name", err)
	}
	if got := names(t, dir); got != "rows.csv.partial" {
		t.Errorf("the folder holds %q, want only the one in the way", got)
	}
}

// A folder that goes while its file is written takes the file with it.
func TestFileFolderVanishes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "rows.csv")
	f := create(t, name, "rows")
	if err := os.RemoveAll(dir); err != nil {
		t.Skip("a folder with an open file can't be removed here:", err)
	}
	if _, err := f.Write([]byte("more")); err != nil {
		t.Error(err)
	}
	if err := f.Commit(); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), name+": ") {
		t.Errorf("got %v, want that it does not exist, with the name", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is there again")
	}
}

func TestFileBehindLink(t *testing.T) {
	for _, exists := range []bool{true, false} {
		dir := t.TempDir()
		folder, link := filepath.Join(dir, "far"), filepath.Join(dir, "link.csv")
		if err := os.Mkdir(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join("far", "rows.csv"), link); err != nil {
			t.Skip("no symbolic links here:", err)
		}
		if exists {
			create(t, filepath.Join(folder, "rows.csv"), "old").Commit()
		}
		if err := create(t, link, "new").Commit(); err != nil {
			t.Fatal(err)
		}
		if got := content(t, filepath.Join(folder, "rows.csv")); got != "new" {
			t.Errorf("target exists %v: it holds %q, want %q", exists, got, "new")
		}
		if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("target exists %v: the link is gone", exists)
		}
	}
}

func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ rule, name, want string }{
		{"a folder is no output", dir, "is a directory"},
		{"the folder must exist", filepath.Join(dir, "none", "rows.csv"), "no such file or directory"},
		{"the folder must be one", filepath.Join(plain, "rows.csv"), "not a directory"},
		{"a name can be too long", filepath.Join(dir, strings.Repeat("n", 300)), "file name too long"},
	} {
		_, err := Create(t.Context(), test.name)
		if err == nil {
			t.Errorf("%s: no error", test.rule)
			continue
		}
		if got, want := err.Error(), test.name+": "+test.want; got != want && filepath.Separator == '/' {
			t.Errorf("%s: got %q, want %q", test.rule, got, want)
		}
		if got := names(t, dir); got != "plain" {
			t.Errorf("%s: the folder holds %q, want only plain", test.rule, got)
		}
	}
}

func TestFileLongestName(t *testing.T) {
	name := filepath.Join(t.TempDir(), strings.Repeat("é", 127))
	if err := create(t, name, "rows").Commit(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, name); got != "rows" {
		t.Errorf("got %q, want %q", got, "rows")
	}
}

func TestFileThatCantGetItsName(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "rows.csv")
	f := create(t, name, "rows")
	if err := os.Mkdir(name, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err == nil {
		t.Error("Commit over a folder: no error")
	} else if !strings.HasPrefix(err.Error(), name+": ") {
		t.Errorf("got %q, want it to begin with the name", err)
	}
	if got := names(t, dir); got != "rows.csv" {
		t.Errorf("the folder holds %q, want only the one in the way", got)
	}
}

// A broken writer takes some bytes, then fails.
type broken struct{ left int }

var errBroken = errors.New("broken")

func (b *broken) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return b.left, errBroken
	}
	b.left -= len(p)
	return len(p), nil
}

func TestFileWriteError(t *testing.T) {
	w := &broken{left: 4}
	f := Direct(w, "rows.csv")
	if _, err := f.Write([]byte("rows")); err != nil {
		t.Fatal(err)
	}
	n, err := f.Write([]byte("more"))
	if n != 0 || !errors.Is(err, errBroken) || err.Error() != "rows.csv: broken" {
		t.Errorf("got %d, %v, want 0, rows.csv: broken", n, err)
	}
	w.left = 100
	if _, err := f.Write([]byte("more")); !errors.Is(err, errBroken) || w.left != 100 {
		t.Errorf("after an error Write goes on: %v", err)
	}
	if err := f.Commit(); !errors.Is(err, errBroken) {
		t.Errorf("Commit gives %v, want the write error", err)
	}
}

// A failed Write leaves no file under the final name, nor a temporary one.
func TestFileNotCommittedAfterWriteError(t *testing.T) {
	dir := t.TempDir()
	f := create(t, filepath.Join(dir, "rows.csv"), "rows")
	f.w = &broken{}
	if _, err := f.Write([]byte("more")); !errors.Is(err, errBroken) {
		t.Fatalf("got %v, want %v", err, errBroken)
	}
	if err := f.Commit(); !errors.Is(err, errBroken) {
		t.Errorf("Commit gives %v, want the write error", err)
	}
	if got := names(t, dir); got != "" {
		t.Errorf("the folder holds %q, want nothing", got)
	}
}

// What is no regular file is written directly, and stays what it is.
func TestFilePipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := exec.Command("mkfifo", name).Run(); err != nil {
		t.Skip("no named pipes here:", err)
	}
	read := make(chan string)
	go func() {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		read <- string(b)
	}()
	f := create(t, name, "rows")
	if got := names(t, filepath.Dir(name)); got != "pipe" {
		t.Errorf("the folder holds %q, want only the pipe", got)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != "rows" {
		t.Errorf("got %q, want %q", got, "rows")
	}
	if info, err := os.Stat(name); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Errorf("the pipe is no pipe any more: %v, %v", info.Mode(), err)
	}
}
