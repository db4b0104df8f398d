//go:build linux || darwin

package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// modules are the Python peers, in the versions that have been measured.
var modules = []string{"nfstream==6.6.0", "netflower==1.1.0", "cicflowmeter==0.5.0"}

// Venv returns the folder of the virtual environment of the Python peers.
func Venv() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "flowfast-bench", "venv"), err
}

// Install makes a virtual environment anew with an interpreter and installs the
// Python peers into it. One that cannot be installed does not stop the others.
func Install(ctx context.Context, venv, interpreter string, progress io.Writer) error {
	run := func(name string, args ...string) error {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Stdout, cmd.Stderr = progress, progress
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	if err := run(interpreter, "-m", "venv", "--clear", venv); err != nil {
		return err
	}
	var all error
	for _, module := range modules {
		err := run(filepath.Join(venv, "bin", python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", module)
		if err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", module, err))
		}
	}
	return all
}
