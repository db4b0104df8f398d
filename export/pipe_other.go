//go:build !unix

package export

import (
	"context"
	"io/fs"
	"os"
)

func openDirect(_ context.Context, name string, _ fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, os.O_WRONLY, 0)
}
