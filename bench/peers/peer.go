//go:build linux || darwin

// Package peers runs other programs that turn a capture into flows on the same
// captures as flowfast, and says what each of them cost. The programs stand in
// one table, Peers.
package peers

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// A Job is one run of a program.
type Job struct {
	Capture   string // path of the capture
	Packets   int    // in it, so no more flows than this
	Dir       string // a folder for whatever the program writes; its working folder
	Collector string // host:port of a UDP socket that reads and discards
}

// log is where the standard output and standard error of the program go.
func (j Job) log() string { return filepath.Join(j.Dir, "log") }

func (j Job) path(name string) string { return filepath.Join(j.Dir, name) }

// Counts are what a program says that it has read and found, -1 where it does
// not say.
type Counts struct {
	Packets, Flows int64
}

var unknown = Counts{-1, -1}

// A Peer is a program that computes flows.
type Peer struct {
	Name     string
	Get      string // how to install it
	Computes string // what it computes
	Columns  int    // of flowfast's 47, how many it has in some form

	// The most packets that it is given: 0 is all. Where it is slow, so that a
	// run takes some seconds; flood is for captures in which most packets begin
	// a flow.
	most, flood int
	// pauses says that it sleeps while it could work, so that the time it takes
	// tells nothing.
	pauses bool

	program string   // its name; of a Python peer, the interpreter of the environment
	version []string // arguments that make it tell its version
	needs   []string // other programs that it runs

	// arguments are those of a run, after it has made whatever files they name.
	arguments func(Job) ([]string, error)
	// counts reads what the run has left in its folder.
	counts func(Job) (Counts, error)
}

// python is the program of the peers that are Python modules.
const python = "python"

// A Found peer is one that is installed.
type Found struct {
	*Peer
	Path    string
	Version string
}

// Find looks for the program of a peer. Those in Python are looked for in the
// virtual environment. An error says what is missing.
func (p *Peer) Find(ctx context.Context, venv string) (Found, error) {
	path := filepath.Join(venv, "bin", python)
	if p.program != python {
		var err error
		if path, err = lookPath(p.program); err != nil {
			return Found{}, err
		}
	}
	for _, program := range p.needs {
		if _, err := lookPath(program); err != nil {
			return Found{}, fmt.Errorf("needs %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	// Some tell their version and exit with an error.
	out, err := exec.CommandContext(ctx, path, p.version...).CombinedOutput()
	version := versionIn(out)
	if version == "" {
		if err == nil {
			err = errors.New("it tells no version")
		}
		return Found{}, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return Found{p, path, version}, nil
}

// lookPath finds a program also where distributions keep daemons, which is not
// on everyone's path.
func lookPath(program string) (string, error) {
	path, err := exec.LookPath(program)
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if err == nil {
			return path, nil
		}
		if p, e := exec.LookPath(filepath.Join(dir, program)); e == nil {
			return p, nil
		}
	}
	return path, err
}

var versionPattern = regexp.MustCompile(`\d+(\.\d+)+`)

// versionIn returns the first version in a text, "" if there is none.
func versionIn(text []byte) string { return string(versionPattern.Find(text)) }

// most packets of a capture of this workload, 0 for all.
func (p *Peer) mostOf(workload string) int {
	if p.flood > 0 && isFlood(workload) {
		return p.flood
	}
	return p.most
}
