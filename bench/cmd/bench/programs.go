//go:build linux || darwin

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Programs are made here to be measured, or on another machine that has no Go.
const (
	benchProgram = "bench"
	jobProgram   = "flowfast"
)

const module = "github.com/flowfast/flowfast"

// serialPrograms are those with the benchmarks of the serial parts, and whose they are.
var serialPrograms = map[string]string{"intake.test": "/internal/intake", "engine.test": "/internal/engine"}

// gobuild makes a program of a package of the project, as a release is made.
func (r *runner) gobuild(path, pkg string, args ...string) error {
	args = append(args, "-trimpath", "-ldflags=-s", "-o", path, module+pkg)
	cmd := exec.CommandContext(r.ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w: %s", args[0], err, b)
	}
	return nil
}

// build compiles the command with more flags than those of a release, and returns
// its path.
func (r *runner) build(name string, flags ...string) (string, error) {
	path := filepath.Join(r.temp, name)
	return path, r.gobuild(path, "/cmd/flowfast", append([]string{"build"}, flags...)...)
}

// release builds the command if that has not been done.
func (r *runner) release() (err error) {
	switch {
	case r.flowfast != "":
	case r.programs != "":
		r.flowfast = filepath.Join(r.programs, jobProgram)
	default:
		r.flowfast, err = r.build(jobProgram)
	}
	return err
}

// buildAll makes all programs in a folder.
func (r *runner) buildAll(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := r.gobuild(filepath.Join(dir, benchProgram), "/bench/cmd/bench", "build"); err != nil {
		return err
	}
	if err := r.gobuild(filepath.Join(dir, jobProgram), "/cmd/flowfast", "build"); err != nil {
		return err
	}
	for program, pkg := range serialPrograms {
		if err := r.gobuild(filepath.Join(dir, program), pkg, "test", "-c"); err != nil {
			return err
		}
	}
	return nil
}
