package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/files"
)

// Where things go in both kinds of packages.
const (
	docDir   = "/usr/share/doc/flowfast"
	manDir   = "/usr/share/man/man1"
	shareDir = "/usr/share/flowfast"
)

// A completion is the file of a shell's completions, and where the shell looks for it.
type completion struct{ shell, path, packager string }

var completions = []completion{
	{"bash", "/usr/share/bash-completion/completions/flowfast", ""},
	{"zsh", "/usr/share/zsh/vendor-completions/_flowfast", "deb"},
	{"zsh", "/usr/share/zsh/site-functions/_flowfast", "rpm"},
	{"fish", "/usr/share/fish/vendor_completions.d/flowfast.fish", ""},
	{"powershell", shareDir + "/flowfast.ps1", ""}, // PowerShell looks nowhere: a profile reads it
}

// generate fills the stage with what the command tells of itself, and with notices and
// the list of what is compiled in.
func (b *build) generate() error {
	command, err := b.here()
	if err != nil {
		return err
	}
	if _, err := run(command, "man", "--dir", b.path("man")); err != nil {
		return err
	}
	for _, c := range completions {
		text, err := run(command, "completion", c.shell)
		if err != nil {
			return err
		}
		if err := os.WriteFile(b.path(c.shell), text, 0o644); err != nil {
			return err
		}
	}
	pages, err := filepath.Glob(b.path("man/*.1"))
	if err != nil {
		return err
	}
	for _, page := range pages {
		if err := compress(page); err != nil {
			return err
		}
	}
	modules, err := b.modules()
	if err != nil {
		return err
	}
	if err := os.WriteFile(b.path("copyright"), copyright(modules), 0o644); err != nil {
		return err
	}
	return b.writeSBOM(modules)
}

// here returns a command that runs on this machine.
func (b *build) here() (string, error) {
	if runtime.GOOS == "linux" && runtime.GOARCH == b.arch {
		return b.path("flowfast"), nil
	}
	path := b.path("here")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/flowfast")
	cmd.Dir, cmd.Stderr = "..", os.Stderr
	return path, cmd.Run()
}

func run(command string, args ...string) ([]byte, error) {
	cmd := exec.Command(command, args...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("flowfast %s: %w", strings.Join(args, " "), err)
	}
	return text, nil
}

// compress puts page.gz in the place of a page. No time goes in.
func compress(page string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(page+".gz", b.Bytes(), 0o644)
}

// info says what the packages are.
func (b *build) info() *nfpm.Info {
	return nfpm.WithDefaults(&nfpm.Info{
		Name:       "flowfast",
		Arch:       b.arch,
		Platform:   "linux",
		Version:    b.version,
		Release:    "1",
		Section:    "net",
		Priority:   "optional",
		Maintainer: "The flowfast authors <flowfast@flowfast.invalid>",
		Homepage:   "https://github.com/flowfast/flowfast",
		License:    "Apache-2.0",
		Description: `turn packet captures into tables of flows
Reads packet captures, and packets of network interfaces, and writes one row
for each bidirectional flow, as CSV, JSON Lines, Parquet or Arrow.`,
		MTime: b.time,
		Overridables: nfpm.Overridables{
			Recommends: []string{"tcpdump"}, // compiles expressions of --filter
			Suggests:   []string{"bash-completion"},
			Contents:   b.contents(),
			Umask:      0o022,
			Scripts: nfpm.Scripts{
				PostInstall: "scripts/postinstall.sh",
				PreRemove:   "scripts/preremove.sh",
				PostRemove:  "scripts/postremove.sh",
			},
			Deb: nfpm.Deb{Compression: "gzip"}, // which every dpkg reads
			RPM: nfpm.RPM{BuildHost: "flowfast", Compression: "gzip:9", Summary: "turn packet captures into tables of flows"},
		},
	})
}

// contents returns the files of the packages.
func (b *build) contents() files.Contents {
	file := func(from, to string, mode os.FileMode) *files.Content {
		return &files.Content{Source: from, Destination: to, FileInfo: &files.ContentFileInfo{Mode: mode, Owner: "root", Group: "root", MTime: b.time}}
	}
	all := files.Contents{
		file(b.path("flowfast"), "/usr/bin/flowfast", 0o755),
		file("systemd/flowfast-live@.service", "/usr/lib/systemd/system/flowfast-live@.service", 0o644),
		file(b.path("copyright"), docDir+"/copyright", 0o644),
		file(b.path("flowfast.spdx.json"), docDir+"/flowfast.spdx.json", 0o644),
		file("../README.md", docDir+"/README.md", 0o644),
	}
	// dpkg removes an empty folder, rpm one that the package has.
	for _, dir := range []string{docDir, shareDir} {
		all = append(all, &files.Content{Destination: dir, Type: files.TypeDir, FileInfo: &files.ContentFileInfo{Mode: 0o755, Owner: "root", Group: "root", MTime: b.time}})
	}
	options := file("systemd/flowfast-live.default", "/etc/default/flowfast-live", 0o644)
	options.Type = files.TypeConfigNoReplace
	all = append(all, options)
	pages, _ := filepath.Glob(b.path("man/*.gz")) // the pattern is a good one
	for _, page := range pages {
		all = append(all, file(page, manDir+"/"+filepath.Base(page), 0o644))
	}
	for _, c := range completions {
		content := file(b.path(c.shell), c.path, 0o644)
		content.Packager = c.packager
		all = append(all, content)
	}
	return all
}
