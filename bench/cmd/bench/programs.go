//go:build linux || darwin

package main

import (
	"os"
	"path/filepath"

	"github.com/flowfast/flowfast/bench/release"
)

// Programs are made here to be measured, or on another machine that has no Go.
const (
	benchProgram = "bench"
	jobProgram   = "flowfast"
)

// serialPrograms are those with the benchmarks of the serial parts, and whose they are.
var serialPrograms = map[string]string{"intake.test": "/internal/intake", "engine.test": "/internal/engine"}

// build compiles the command with more flags than those of a release, and returns
// its path.
func (r *runner) build(name string, flags ...string) (string, error) {
	path := filepath.Join(r.temp, name)
	return path, release.Program(r.ctx, path, "/cmd/flowfast", append([]string{"build"}, flags...)...)
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
	if err := release.Program(r.ctx, filepath.Join(dir, benchProgram), "/bench/cmd/bench", "build"); err != nil {
		return err
	}
	if err := release.Command(r.ctx, filepath.Join(dir, jobProgram)); err != nil {
		return err
	}
	for program, pkg := range serialPrograms {
		if err := release.Program(r.ctx, filepath.Join(dir, program), pkg, "test", "-c"); err != nil {
			return err
		}
	}
	return nil
}
