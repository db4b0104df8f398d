package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/flowfast/flowfast/export"
)

// A dataset has a folder for each capture, below the folders that the capture is
// in, with the parts of its rows. The column capture is in the parts, not in
// the names of folders: readers guess a type from those, and make numbers of
// captures that are called 1 and 01.

const (
	datasetFormat = "parquet"
	firstPart     = "part-0." + datasetFormat
)

// partSize is the size that ends a part, in bytes. It can be one row group
// longer.
var partSize int64 = 256 << 20

// partName returns the name of a part of an output, from that of the first.
func partName(first string, n int) string {
	if n == 0 {
		return first
	}
	return filepath.Join(filepath.Dir(first), fmt.Sprintf("part-%d.%s", n, datasetFormat))
}

// partNames returns the path of the first part of each capture.
func partNames(captures []string) []string {
	names := make([]string, len(captures))
	for i, path := range captures {
		folders := strings.Split(filepath.ToSlash(path), "/")
		for k := range folders {
			folders[k] = escaped(folders[k])
		}
		names[i] = filepath.Join(filepath.Join(folders...), firstPart)
	}
	return names
}

// escaped writes as %3D, as in a URL, what readers of datasets give a meaning
// in the name of a folder, and what not every system has in names.
func escaped(name string) string {
	var b strings.Builder
	for i, r := range name {
		n := len(string(r))
		invalid := r == utf8.RuneError && !strings.HasPrefix(name[i:], "\uFFFD")
		switch {
		case invalid:
			fmt.Fprintf(&b, "%%%02X", name[i])
		case strings.ContainsRune(`%=*?[]{}<>:"|\`, r), r < ' ', r == 0x7f, i == 0 && (r == '.' || r == '_'):
			fmt.Fprintf(&b, "%%%02X", r)
		default:
			b.WriteString(name[i : i+n])
		}
	}
	return b.String()
}

// captureColumn returns the column that names the capture, as the manifest does.
func captureColumn(j job) *export.Column {
	name, err := pathText(filepath.ToSlash(j.captures[0].rel)).MarshalText()
	if err != nil {
		panic(err) // it returns none
	}
	c := export.Constant("capture", "path of the capture below the folder that was read", string(name))
	c.Role = export.RoleIdentifier
	return c
}

// removeParts removes the parts, whole or partial, that it is told to.
func (f *outputs) removeParts(which func(n int, partial bool) bool) error {
	folder := filepath.Dir(f.first)
	entries, err := os.ReadDir(folder)
	errs := []error{err}
	for _, e := range entries {
		name, partial := strings.CutSuffix(e.Name(), export.Partial)
		var n int
		if partial {
			name = strings.TrimPrefix(name, hidden)
		}
		if _, err := fmt.Sscanf(name, "part-%d", &n); err != nil || name != filepath.Base(partName(firstPart, n)) {
			continue
		}
		if e.Type().IsRegular() && which(n, partial) {
			errs = append(errs, os.Remove(filepath.Join(folder, e.Name())))
		}
	}
	return errors.Join(errs...)
}
