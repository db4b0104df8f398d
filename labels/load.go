package labels

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flowfast/flowfast/export"
)

// The rule files that flowfast brings with it.
//
//go:embed builtin/*.yaml
var builtin embed.FS

// Schema is the JSON Schema of rule files, for editors.
//
//go:embed schema.json
var Schema []byte

// BuiltinPrefix begins the names of the built-in rule files.
const BuiltinPrefix = "builtin:"

// A Builtin is a built-in rule file.
type Builtin struct {
	Name, Title string   // Name is without the prefix
	Rules       int      // how many it has
	Sources     []string // where its facts come from
}

// Builtins returns the built-in rule files.
func Builtins() ([]Builtin, error) {
	entries, err := builtin.ReadDir("builtin")
	if err != nil {
		return nil, err
	}
	var all []Builtin
	for _, e := range entries {
		b, err := builtin.ReadFile("builtin/" + e.Name())
		if err != nil {
			return nil, err
		}
		r, err := parseRules(b, e.Name(), FindColumn)
		if err != nil {
			return nil, err
		}
		all = append(all, Builtin{strings.TrimSuffix(e.Name(), ".yaml"), r.title, len(r.rules), r.sources})
	}
	return all, nil
}

// BuiltinFile returns the text of a rule file that flowfast brings with it.
func BuiltinFile(name string) ([]byte, error) {
	b, err := builtin.ReadFile("builtin/" + name + ".yaml")
	if err == nil && strings.ContainsAny(name, `/\`) {
		err = fs.ErrNotExist
	}
	if err != nil {
		entries, _ := builtin.ReadDir("builtin")
		var names []string
		for _, e := range entries {
			names = append(names, BuiltinPrefix+strings.TrimSuffix(e.Name(), ".yaml"))
		}
		return nil, fmt.Errorf("%s%s: no such rules; there are %s", BuiltinPrefix, name, strings.Join(names, ", "))
	}
	return b, nil
}

// FindColumn returns the column that an expression calls by its name, nil if there is
// none: that of the profile full, or else of the first profile that has it. A name
// may begin with that of a profile and a colon. So what a rule says does not depend on
// what is in the rows.
func FindColumn(name string) *export.Column {
	profile, plain, qualified := strings.Cut(name, ":")
	full, err := export.FindProfile("full")
	if err != nil {
		panic(err) // it is there
	}
	profiles := append([]export.Profile{full}, export.Profiles()...)
	for _, p := range profiles {
		for _, c := range p.Columns {
			if c.Name == name || qualified && p.Name == profile && c.Name == plain {
				return c
			}
		}
	}
	if name == export.EndReason.Name {
		return export.EndReason
	}
	return nil
}

// Load reads files in order: rules in YAML, what sensors have written, or, behind
// builtin:, the rules that flowfast brings with it.
func Load(files []string) (*Set, string, error) {
	var sources []source
	var fallbacks []fallback
	var warnings []string
	var errs []error
	digests := sha256.New()
	var seen []string
	for _, file := range files {
		if slices.Contains(seen, file) {
			errs = append(errs, fmt.Errorf("%s: is given twice", file))
			continue
		}
		seen = append(seen, file)
		from, f, err := load(file, digests, &warnings)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		sources, fallbacks = append(sources, from), append(fallbacks, f)
	}
	if len(errs) > 0 {
		return nil, "", errors.Join(errs...)
	}
	s, err := join(sources, fallbacks, warnings)
	return s, "sha256:" + hex.EncodeToString(digests.Sum(nil)), err
}

func load(file string, digests io.Writer, warnings *[]string) (source, fallback, error) {
	if name, ok := strings.CutPrefix(file, BuiltinPrefix); ok {
		b, err := BuiltinFile(name)
		if err != nil {
			return nil, fallback{}, err
		}
		return takeRules(b, file, digests, warnings)
	}
	in, err := os.Open(file)
	if err != nil {
		return nil, fallback{}, err
	}
	defer in.Close()
	if ext := strings.ToLower(filepath.Ext(file)); ext == ".yaml" || ext == ".yml" {
		b, err := io.ReadAll(io.LimitReader(in, maxFile+1))
		if err != nil {
			return nil, fallback{}, err
		}
		if len(b) > maxFile {
			return nil, fallback{}, &Error{File: file, Text: fmt.Sprintf("more than %d bytes", maxFile)}
		}
		return takeRules(b, file, digests, warnings)
	}
	var m mappingFile
	for _, beside := range []string{file + ".yaml", file + ".yml", strings.TrimSuffix(file, filepath.Ext(file)) + ".yaml"} {
		b, err := os.ReadFile(beside)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			m, err = parseMapping(b, beside)
		}
		if err != nil {
			return nil, fallback{}, err
		}
		frame(digests, b)
		break
	}
	sum := sha256.New()
	s, err := readSensor(io.TeeReader(in, sum), file, m)
	if err != nil {
		return nil, fallback{}, err
	}
	frame(digests, sum.Sum(nil))
	*warnings = append(*warnings, s.warnings...)
	f := fallback{file: file}
	if m.Default != nil {
		f.said, f.label = true, *m.Default
	}
	return s, f, nil
}

func takeRules(b []byte, file string, digests io.Writer, warnings *[]string) (source, fallback, error) {
	frame(digests, b)
	r, err := parseRules(b, file, FindColumn)
	if err != nil {
		return nil, fallback{}, err
	}
	*warnings = append(*warnings, r.warnings...)
	return r, r.fallback, nil
}

// frame writes what a file holds with its length, so that no two lists of files have
// one digest.
func frame(to io.Writer, b []byte) {
	fmt.Fprintf(to, "%d ", len(b))
	_, _ = io.Copy(to, bytes.NewReader(b))
}
