package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
)

// Partial ends the name of an output that came to an early end.
const Partial = ".partial"

// A File is an output that appears under its name only when it is complete.
// Until then its bytes are in a temporary file of the same folder, called
// .NAME.flowfast-RANDOM.tmp, which Commit renames and Discard removes. What is
// no regular file (a device, a pipe) is written directly.
//
// The file is not forced to the disk: after a power failure its name may stand
// for less than it held.
type File struct {
	w     io.Writer
	close func() error
	name  string // as the caller wrote it
	path  string // where the temporary file goes when complete
	hide  string // what the name of a partial output begins with
	temp  string // name of the temporary file, "" if written directly
	size  int64  // bytes written
	err   error  // what ended the writing
	done  bool   // committed or discarded
}

// Create begins an output file. A regular file of that name stays as it is
// until Commit replaces it, by one of the same mode and, where the system lets us,
// owner; of a symbolic link the target is replaced. Errors carry the name.
//
// A named pipe is opened when somebody reads it. The context ends the wait for that:
// then its cause is the error. All else does not depend on the context.
func Create(ctx context.Context, name string) (*File, error) {
	path := name
	info, err := os.Lstat(name)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		path = target(name)
		info, err = os.Stat(name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, named(name, err)
	case !info.Mode().IsRegular():
		f, err := openDirect(ctx, name, info.Mode())
		if err != nil {
			return nil, named(name, err)
		}
		return &File{w: f, close: f.Close, name: name}, nil
	}
	f, err := temporary(path, info)
	if err != nil {
		return nil, named(name, err)
	}
	return &File{w: f, close: f.Close, name: name, path: path, temp: f.Name()}, nil
}

// Direct returns a File that writes to w, with a name for messages. Neither
// Commit nor Discard closes w or takes anything back.
func Direct(w io.Writer, name string) *File {
	return &File{w: w, close: func() error { return nil }, name: name}
}

// target follows the symbolic links at the end of a path, also to what does not
// exist yet.
func target(path string) string {
	const most = 40 // as Linux allows; the error of a loop comes with the file's creation
	for range most {
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			dir, _ := filepath.Split(path)
			to = dir + to
		}
		path = to
	}
	return path
}

// temporary creates the file that becomes path, in the place of the file that old
// tells of, nil for none.
func temporary(path string, old fs.FileInfo) (*os.File, error) {
	mode := fs.FileMode(0o666)
	if old != nil {
		mode = 0o600 // nobody else is to read it before it has the old one's
	}
	dir, base := filepath.Split(path)
	for {
		name := fmt.Sprintf("%s%s%08x%s", dir, temporaryPrefix(base), rand.Uint32(), temporarySuffix)
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil && old != nil {
			if err = likeOld(f, old); err != nil {
				f.Close()
				os.Remove(name)
			}
		}
		return f, err
	}
}

// likeOld gives a file the owner of an old one, if that can be, and its mode. The
// mode comes last, since a change of the owner can take from it.
func likeOld(f *os.File, old fs.FileInfo) error {
	chownLike(f, old)
	err := f.Chmod(old.Mode().Perm())
	if runtime.GOOS == "windows" {
		return nil
	}
	return err
}

// Write writes to the file. After an error every Write returns that error.
func (f *File) Write(b []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.w.Write(b)
	f.size += int64(n)
	if err != nil {
		f.err = named(f.name, err)
	}
	return n, f.err
}

// Err returns the error that ended the writing, nil if there was none.
func (f *File) Err() error { return f.err }

// Size returns the number of bytes written.
func (f *File) Size() int64 { return f.size }

// Commit closes the file and gives it its name. If that can't be, or an earlier
// Write was in error, it returns the error and there is no file.
func (f *File) Commit() error { return f.commit(f.path, f.name) }

// CommitPartial is Commit for an output that came to an early end: its name
// gets Partial at the end, so that nobody takes it for whole. A file of the
// plain name stays as it is.
func (f *File) CommitPartial() error { return f.commit(f.PartialName(), f.name+Partial) }

// PartialName returns the name that CommitPartial gives. What is written
// directly keeps its own.
func (f *File) PartialName() string {
	if f.temp == "" {
		return f.name
	}
	dir, base := filepath.Split(f.path)
	return dir + f.hide + base + Partial
}

// HidePartial has the name that CommitPartial gives begin with an underscore,
// so that who reads all files of a folder passes over it.
func (f *File) HidePartial() { f.hide = "_" }

// RemovePartial removes what an earlier CommitPartial left beside the file.
func (f *File) RemovePartial() error {
	if f.temp == "" {
		return nil
	}
	name := f.PartialName()
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	if err := os.Remove(name); err != nil {
		return named(name, err)
	}
	return nil
}

// commit gives the file a path, which the caller knows by a name.
func (f *File) commit(path, name string) error {
	if f.done {
		return f.err
	}
	f.done = true
	if err := f.close(); err != nil && f.err == nil {
		f.err = named(f.name, err)
	}
	if f.temp == "" {
		return f.err
	}
	if f.err == nil {
		if err := os.Rename(f.temp, path); err != nil {
			f.err = named(name, err)
		}
	}
	if f.err != nil {
		os.Remove(f.temp)
	}
	return f.err
}

// Discard closes the file and removes what was written of it, unless it has
// been committed.
func (f *File) Discard() {
	if f.done {
		return
	}
	f.done = true
	_ = f.close()
	if f.temp != "" {
		os.Remove(f.temp)
	}
}

// named gives an error of the system the name that the caller knows, in place
// of the operation and the temporary name.
func named(name string, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}
