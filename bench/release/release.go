// Package release makes programs of the project as a release is made, for who measures
// or watches them.
package release

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// Module is the path of the project.
const Module = "github.com/flowfast/flowfast"

// Command compiles the command flowfast to a path.
func Command(ctx context.Context, path string) error {
	return Program(ctx, path, "/cmd/flowfast", "build")
}

// Program makes a program of a package, which is given by its path below the project:
// with "build", or "test" and "-c", and more flags of these.
func Program(ctx context.Context, path, pkg string, args ...string) error {
	args = append(args[:len(args):len(args)], "-trimpath", "-ldflags=-s", "-o", path, Module+pkg)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w: %s", args[0], err, b)
	}
	return nil
}
