package main

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// The extensions of captures and of what is compressed.
var (
	captureExtensions    = []string{".pcap", ".pcapng", ".cap", ".dmp", ".dump", ".ntar", ".snoop", ".erf"}
	compressedExtensions = []string{".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz", ".lz4"}
)

// suffix stands at the end of the name of every output under a folder, before
// the extension of its format.
const suffix = "_flow."

// cut takes the capture's extensions off a path: one of a compression, then
// one of a capture, in any case of letters. Something of the name is left.
//
// The number of a rotated capture (x.pcap1 as tcpdump -C writes it, x.pcap.1) tells
// the files of a set apart, and stays: x1, x.1.
func cut(path string) string {
	path = cutOne(path, compressedExtensions)
	bare := strings.TrimRight(path, "0123456789")
	number := path[len(bare):]
	dot := ""
	if number != "" && strings.HasSuffix(bare, ".") {
		bare, dot = bare[:len(bare)-1], "."
	}
	if name := cutOne(bare, captureExtensions); name != bare {
		return name + dot + number
	}
	return path
}

func cutOne(path string, extensions []string) string {
	extension := filepath.Ext(path)
	if len(extension) < len(filepath.Base(path)) && slices.Contains(extensions, strings.ToLower(extension)) {
		return path[:len(path)-len(extension)]
	}
	return path
}

// namedCapture reports whether a name says that the file is a capture, without
// doubt: .cap and .dump are other things too, and a leading dot hides what
// other programs keep beside a file.
func namedCapture(path string) bool {
	name := strings.ToLower(filepath.Base(path))
	extension := filepath.Ext(cutOne(name, compressedExtensions))
	return !strings.HasPrefix(name, ".") && slices.Contains([]string{".pcap", ".pcapng", ".snoop", ".erf"}, extension)
}

// outputNames returns the path of the output of each capture, from distinct
// paths that are relative to the same folder. Outputs that would have the same
// path keep the full names of their captures, all of them; so does one that
// would have the path of a folder with outputs.
func outputNames(captures []string, format string) []string {
	suffix := suffix + format
	names := make([]string, len(captures))
	folders := map[string]bool{}
	for i, path := range captures {
		names[i] = cut(path)
		for dir := filepath.Dir(path); !folders[fold(dir)]; dir = filepath.Dir(dir) {
			folders[fold(dir)] = true
		}
	}
	for {
		// Full names are distinct, but one may be what another is cut to: each
		// round takes at least one cut name away.
		users := make(map[string]int, len(names))
		for _, name := range names {
			users[fold(name)]++
		}
		again := false
		for i, name := range names {
			if (users[fold(name)] > 1 || folders[fold(name+suffix)]) && name != captures[i] {
				names[i], again = captures[i], true
			}
		}
		if !again {
			break
		}
	}
	for i := range names {
		names[i] = beside(names[i], folders) + suffix
	}
	return names
}

// beside returns a path that is not within a folder in the place of the manifest:
// that folder gets another name, which no other has.
func beside(path string, folders map[string]bool) string {
	first, rest, within := strings.Cut(filepath.ToSlash(path), "/")
	if !within || fold(first) != fold(manifestName) {
		return path
	}
	for first += "_"; folders[fold(first)]; first += "_" {
	}
	return filepath.Join(first, filepath.FromSlash(rest))
}

// fold returns the same name for what the usual file systems of this system
// hold for the same.
func fold(name string) string {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return strings.ToLower(name)
	}
	return name
}
