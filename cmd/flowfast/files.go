package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// A fileEntry is what a manifest says of a file.
type fileEntry struct {
	Path    pathText  `json:"path"`  // below the folder of the manifest
	Begin   time.Time `json:"begin"` // of the time in which its rows were written
	End     time.Time `json:"end"`
	First   time.Time `json:"first_packet"` // of its flows
	Last    time.Time `json:"last_packet"`
	Rows    int64     `json:"rows"`
	Bytes   int64     `json:"bytes"`
	Packets uint64    `json:"packets"` // of the interfaces, since the file before
	Dropped uint64    `json:"dropped"` // of these, by the kernel
	Lost    int64     `json:"lost"`    // rows that could not be written, since the run began

	first, last int64
}

// A fileList is the files of a rotation, and a manifest of what each holds.
type fileList struct {
	folder  string
	keep    retention
	entries []fileEntry // in the order in which they ended
	current pathText    // that which is written, "" for none
}

// A filesFile is what the manifest holds.
type filesFile struct {
	Version  string           `json:"version"`
	Current  pathText         `json:"current,omitempty"` // what is being written
	Files    []fileEntry      `json:"files"`
	Captures *json.RawMessage `json:"captures,omitempty"` // that of -r
}

// openFiles reads the manifest of a folder, which it makes. What a run that was killed
// has left of its last file is removed.
func openFiles(folder string, keep retention) (*fileList, error) {
	f := &fileList{folder: folder, keep: keep}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(f.name())
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	var in filesFile
	if err == nil {
		err = json.Unmarshal(text, &in)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", f.name(), err)
	case in.Captures != nil:
		return nil, fmt.Errorf("%s: is that of captures (-r): the files of interfaces take another folder", f.name())
	}
	for _, e := range append(in.Files, fileEntry{Path: in.Current}) {
		if e.Path == "" {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(string(e.Path))) {
			return nil, fmt.Errorf("%s: the path %q leads out of the folder", f.name(), e.Path)
		}
		if _, err := os.Lstat(f.path(e)); err == nil {
			f.entries = append(f.entries, e)
		}
	}
	if in.Current != "" {
		return f, export.RemoveLeftovers([]string{f.path(fileEntry{Path: in.Current})})
	}
	return f, nil
}

func (f *fileList) name() string { return filepath.Join(f.folder, manifestName) }

func (f *fileList) path(e fileEntry) string {
	return filepath.Join(f.folder, filepath.FromSlash(string(e.Path)))
}

// below returns the name of a file below the folder.
func (f *fileList) below(name string) string {
	if rel, err := filepath.Rel(f.folder, name); err == nil {
		name = rel
	}
	return filepath.ToSlash(name)
}

// begin notes the file that is being written.
func (f *fileList) begin(path pathText) error {
	f.current = path
	return f.write()
}

// add takes in a file that is whole, removes those that are not kept any longer, and
// writes the manifest.
func (f *fileList) add(e fileEntry, now time.Time) error {
	f.entries, f.current = append(f.entries, e), ""
	errs := f.prune(now)
	return errors.Join(append(errs, f.write())...)
}

// prune removes the oldest files, but never the last one. Only those of the manifest
// are looked at.
func (f *fileList) prune(now time.Time) (errs []error) {
	var bytes int64
	for _, e := range f.entries {
		bytes += e.Bytes
	}
	for len(f.entries) > 1 {
		e := f.entries[0]
		old, many := f.keep.every > 0 && now.Sub(e.End) > f.keep.every, f.keep.most > 0 && bytes > f.keep.most
		if !old && !many {
			break
		}
		if err := os.Remove(f.path(e)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		// Folders of names with fields, as far as they are empty.
		for dir := filepath.Dir(string(e.Path)); dir != "."; dir = filepath.Dir(dir) {
			if os.Remove(filepath.Join(f.folder, dir)) != nil {
				break
			}
		}
		bytes -= e.Bytes
		f.entries = f.entries[1:]
	}
	return errs
}

func (f *fileList) write() error {
	b := fmt.Appendf(nil, `{"version": %s, "current": %s, "files": [`, encoded(flowfast.Version), encoded(f.current))
	separator := "\n"
	for _, e := range f.entries {
		b = append(append(b, separator...), encoded(e)...)
		separator = ",\n"
	}
	return writeFile(context.Background(), f.name(), append(b, "\n]}\n"...))
}
