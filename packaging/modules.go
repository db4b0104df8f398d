package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// A module is one that is compiled in, or the standard library of Go.
type module struct {
	path, version string
	notices       []notice
}

// A notice is a licence file, of a module or of a folder in it.
type notice struct {
	name string // below the module
	text []byte
}

var (
	noticeNames  = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents|unlicense)([.-].*)?$`)
	licenceNames = regexp.MustCompile(`(?i)(^|/)(licen[cs]e|copying|unlicense)([.-].*)?$`)
)

// modules returns what the binary says is compiled in, with the licences of all
// packages that are, sorted by path.
func (b *build) modules() ([]module, error) {
	info, err := buildinfo.ReadFile(b.path("flowfast"))
	if err != nil {
		return nil, err
	}
	root, err := goTool(b.arch, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	all := map[string]*module{"std": {path: "std", version: strings.TrimPrefix(info.GoVersion, "go")}}
	if err := all["std"].look(strings.TrimSpace(string(root)), ""); err != nil {
		return nil, err
	}
	for _, dep := range info.Deps {
		all[dep.Path] = &module{path: dep.Path, version: dep.Version}
	}
	listed, err := goTool(b.arch, "list", "-deps", "-json=Module,Dir", "./cmd/flowfast")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for packages := json.NewDecoder(bytes.NewReader(listed)); ; {
		var p struct {
			Dir    string
			Module *struct {
				Path, Dir string
				Main      bool
			}
		}
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if p.Module == nil || p.Module.Main {
			continue
		}
		m := all[p.Module.Path]
		if m == nil {
			continue // its packages came to nothing in the binary
		}
		for dir := p.Dir; !seen[dir]; dir = filepath.Dir(dir) {
			seen[dir] = true
			below, err := filepath.Rel(p.Module.Dir, dir)
			if err == nil {
				err = m.look(dir, filepath.ToSlash(below))
			}
			if err != nil {
				return nil, err
			}
			if dir == p.Module.Dir {
				break
			}
		}
	}
	var sorted []module
	for _, path := range slices.Sorted(maps.Keys(all)) {
		m := all[path]
		if len(m.notices) == 0 {
			return nil, fmt.Errorf("%s has no licence file", path)
		}
		slices.SortFunc(m.notices, func(a, b notice) int { return strings.Compare(a.name, b.name) })
		sorted = append(sorted, *m)
	}
	return sorted, nil
}

// look takes in the licence files of a folder.
func (m *module) look(dir, below string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !noticeNames.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		m.notices = append(m.notices, notice{path.Join(below, e.Name()), text})
	}
	return nil
}

// licence returns the SPDX expression of a module's licences, as far as their texts
// are those of SPDX's list.
func (m *module) licence() string {
	var all []string
	for _, n := range m.notices {
		if !licenceNames.MatchString(n.name) {
			continue
		}
		found := licensecheck.Scan(n.text)
		if found.Percent < 50 { // the texts of several may be one file, with lists of what they are of
			continue
		}
		for _, match := range found.Match {
			if !slices.Contains(all, match.ID) {
				all = append(all, match.ID)
			}
		}
	}
	slices.Sort(all)
	if len(all) == 0 {
		return "NOASSERTION"
	}
	return strings.Join(all, " AND ")
}

// copyright returns the notices of flowfast and of all that is compiled in, in the
// form that Debian has for them (machine-readable debian/copyright file, 1.0).
func copyright(modules []module) []byte {
	own, err := os.ReadFile("../LICENSE")
	if err != nil {
		panic(err) // the folder is that of this program
	}
	var b bytes.Buffer
	b.WriteString("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: flowfast\n\n")
	b.WriteString("Files: *\nCopyright: The flowfast authors\nLicense: Apache-2.0\n")
	field(&b, own)
	for _, m := range modules {
		for _, n := range m.notices {
			fmt.Fprintf(&b, "\nFiles: modules/%s@%s/%s\nCopyright: see the notice\nLicense: notice-of-%s\n", m.path, m.version, n.name, strings.ReplaceAll(m.path+"/"+n.name, "/", "-"))
			field(&b, n.text)
		}
	}
	return b.Bytes()
}

// field writes a text as the rest of a field.
func field(b *bytes.Buffer, text []byte) {
	for line := range strings.Lines(string(bytes.TrimRight(text, "\r\n\t "))) {
		line = strings.TrimRight(line, "\r\n\t ")
		if line == "" {
			line = "."
		}
		b.WriteString(" " + line + "\n")
	}
}
