// Packaging makes the packages for servers: a deb and an rpm for each architecture,
// and beside them a list of what is compiled in (SPDX).
//
//	go run -C packaging . [-only ARCH|here] [-out FOLDER]
//
// The same sources, Go and modules give the same bytes. The time of all files is that
// of the environment variable SOURCE_DATE_EPOCH, in seconds since 1970; without it
// 1980-01-01, as in the wheels.
package main

import (
	"cmp"
	"crypto/sha256"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

var architectures = []string{"amd64", "arm64"}

// A build is what packages for an architecture are made of.
type build struct {
	version string
	arch    string // as Go calls it
	time    time.Time
	stage   string // a folder with what goes into the packages
	out     string
}

func main() {
	log.SetFlags(0)
	only := flag.String("only", "", "make packages for one `ARCH`itecture alone, or for this machine's: here")
	out := flag.String("out", "../dist", "`FOLDER` for the packages")
	flag.Parse()
	all := architectures
	switch *only {
	case "":
	case "here":
		all = []string{runtime.GOARCH}
	default:
		all = []string{*only}
	}
	for _, arch := range all {
		if !slices.Contains(architectures, arch) {
			log.Fatalf("no packages for %s: there are those for %s", arch, strings.Join(architectures, ", "))
		}
		if err := makeAll(arch, *out); err != nil {
			log.Fatal(err)
		}
	}
}

// makeAll makes the packages for an architecture, and says what they are.
func makeAll(arch, out string) error {
	stage, err := os.MkdirTemp("", "flowfast-packages-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	b := build{arch: arch, stage: stage, out: out}
	if b.version, err = version("../flowfast.go"); err != nil {
		return err
	}
	if b.time, err = sourceDate(); err != nil {
		return err
	}
	if err := b.compile(); err != nil {
		return err
	}
	if err := b.generate(); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	for _, format := range []string{"deb", "rpm"} {
		if err := write(b.info(), format, out); err != nil {
			return err
		}
	}
	sbom, err := os.ReadFile(b.path("flowfast.spdx.json"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, fmt.Sprintf("flowfast-%s-linux-%s.spdx.json", b.version, arch)), sbom, 0o666)
}

// path returns the path of a file in the stage.
func (b *build) path(name string) string { return filepath.Join(b.stage, name) }

// version returns the version that a file of Go declares.
func version(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(`(?m)^const Version = "(.+)"$`).FindSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("%s: no constant Version", file)
	}
	return string(m[1]), nil
}

// sourceDate returns the time of all files.
func sourceDate() (time.Time, error) {
	text := cmp.Or(os.Getenv("SOURCE_DATE_EPOCH"), "315532800")
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q: want seconds since 1970", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// goTool runs the go command for Linux on an architecture, at the root of the project.
func goTool(arch string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Stderr = "..", os.Stderr
	// Where the user sets a level of the architecture, other machines could not run it.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"GOAMD64", "GOARM64", "GOFLAGS", "GOEXPERIMENT"}, name)
	})
	cmd.Env = append(cmd.Env, "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	b, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return b, nil
}

// compile builds the command, which is static.
func (b *build) compile() error {
	_, err := goTool(b.arch, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s", "-o", b.path("flowfast"), "./cmd/flowfast")
	return err
}

// write makes a package, under its name only when it is whole. It changes info.
func write(info *nfpm.Info, format, out string) error {
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return err
	}
	path := filepath.Join(out, packager.ConventionalFileName(info))
	temporary, err := os.CreateTemp(out, ".packages-")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	err = packager.Package(info, temporary)
	if closed := temporary.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(temporary.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	fmt.Printf("%x  %5.2f MB  %s\n", sha256.Sum256(data), float64(len(data))/1e6, filepath.Base(path))
	return nil
}
