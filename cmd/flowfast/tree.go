package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flowfast/flowfast/ioutil"
)

// A tree gathers the captures under a folder, at any depth, in the order of
// their names. Symbolic links are followed; a folder that several ways lead to
// is read once, by the way without links if there is one, so a loop of links
// ends.
type tree struct {
	captures []capture
	others   int     // files that are no captures
	errs     []error // what could not be read

	skip  string             // real path of a folder that is left out, "" for none
	known func(capture) bool // reports what need not be opened to tell that it is a capture
	seen  map[string]bool    // real paths of the folders read
	links []capture          // to folders, still to be followed
}

// A capture is a file to read.
type capture struct {
	path string // as the user would write it
	rel  string // from the folder that was asked for
	real string // without symbolic links
	info fs.FileInfo
}

// walk gathers what is under a folder. Skip is a folder that is left out if it
// lies within: the one that the outputs go to, "" for none. Known reports files that have
// been told for captures before.
func walk(folder, skip string, known func(capture) bool) (*tree, error) {
	t := &tree{known: known, seen: map[string]bool{}}
	real, err := realPath(folder)
	if err != nil {
		return nil, err
	}
	if skip != "" {
		if t.skip, err = realPath(skip); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	t.folder(capture{path: folder, real: real})
	for len(t.links) > 0 {
		next := t.links[0]
		t.links = t.links[1:]
		t.folder(next)
	}
	return t, nil
}

// realPath returns an absolute path without symbolic links.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}

// folder reads a folder and, unless links lead to them, those in it.
func (t *tree) folder(dir capture) {
	if t.seen[dir.real] {
		return
	}
	t.seen[dir.real] = true
	entries, err := os.ReadDir(dir.path)
	if err != nil {
		t.errs = append(t.errs, err)
	}
	for _, entry := range entries {
		t.entry(capture{
			path: filepath.Join(dir.path, entry.Name()),
			rel:  filepath.Join(dir.rel, entry.Name()),
			real: filepath.Join(dir.real, entry.Name()),
		}, entry.Type()&fs.ModeSymlink != 0)
	}
}

// entry takes in what stands in a folder: another folder, a file, or what is
// passed over without being opened, such as a pipe or a device.
func (t *tree) entry(c capture, link bool) {
	var err error
	c.info, err = os.Stat(c.path)
	if err == nil && link {
		c.real, err = realPath(c.path)
	}
	if err != nil {
		if !link { // one that leads nowhere is no loss
			t.errs = append(t.errs, err)
		}
		return
	}
	switch {
	case c.info.IsDir() && c.real == t.skip:
	case c.info.IsDir() && link:
		t.links = append(t.links, c)
	case c.info.IsDir():
		t.folder(c)
	case c.info.Mode().IsRegular() && (t.known(c) || isCapture(c.path)):
		t.captures = append(t.captures, c)
	default:
		t.others++
	}
}

// isCapture reports whether a file is a capture by its first bytes. It takes
// what can't be told for one as well: a file that can't be read or unwrapped,
// or that is named like a capture. To read it then says what is wrong.
func isCapture(path string) bool {
	ok, err := ioutil.IsCapture(path)
	return ok || err != nil || namedCapture(path)
}
