package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/flowfast/flowfast/export"
)

// Outputs are what a job writes: one file or, in a dataset, one part after the
// other. None appears under its name before all are complete.
type outputs struct {
	command *command
	first   string
	all     []*export.File
	names   []string    // of these
	sums    []hash.Hash // of the parts
}

// A partFile is a file of a dataset.
type partFile struct {
	Path   pathText `json:"path"` // below the folder of the dataset
	Size   int64    `json:"size"`
	SHA256 string   `json:"sha256"`
}

// manifestPart returns what there is to be said of a manifest with a text.
func manifestPart(text []byte) partFile {
	sum := sha256.Sum256(text)
	return partFile{manifestName, int64(len(text)), hex.EncodeToString(sum[:])}
}

// next begins the next file.
func (f *outputs) next(ctx context.Context) (io.Writer, error) {
	if f.command.dataset {
		return f.part(ctx, "", len(f.all))
	}
	out, err := f.command.create(ctx, f.first)
	if err != nil {
		return nil, err
	}
	f.all, f.names = append(f.all, out), append(f.names, f.first)
	return out, nil
}

// part begins a part of a dataset by its number, in a folder below that of the first.
func (f *outputs) part(ctx context.Context, folder string, number int) (io.Writer, error) {
	name := filepath.Join(filepath.Dir(f.first), folder, partName(groupOf(f.first), number))
	out, err := f.command.create(ctx, name)
	if err != nil {
		return nil, err
	}
	out.HidePartial()
	sum := sha256.New()
	f.all, f.names, f.sums = append(f.all, out), append(f.names, name), append(f.sums, sum)
	return io.MultiWriter(out, sum), nil
}

// err returns the error that ended the writing.
func (f *outputs) err() error {
	for _, out := range f.all {
		if err := out.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (f *outputs) size() (n int64) {
	for _, out := range f.all {
		n += out.Size()
	}
	return n
}

// parts returns what there is to be said of the files of a dataset, which are
// complete.
func (f *outputs) parts() []partFile {
	parts := make([]partFile, len(f.sums))
	for i, sum := range f.sums {
		below, _ := filepath.Rel(f.command.output, f.names[i])
		parts[i] = partFile{pathText(filepath.ToSlash(below)), f.all[i].Size(), hex.EncodeToString(sum.Sum(nil))}
	}
	return parts
}

// commit gives all files their names, those of partial outputs after a signal,
// or none.
func (f *outputs) commit(partial bool) error {
	for i, out := range f.all {
		err := error(nil)
		if partial {
			err = out.CommitPartial()
		} else {
			err = out.Commit()
		}
		if err == nil {
			continue
		}
		f.discard()
		errs := []error{err}
		for k, named := range f.all[:i] {
			name := f.names[k]
			if partial {
				name = named.PartialName()
			}
			errs = append(errs, os.Remove(name))
		}
		if i == 0 {
			return err
		}
		return errors.Join(errs...)
	}
	if !partial {
		return f.removePartial()
	}
	return nil
}

// removePartial removes what earlier runs have left beside the files.
func (f *outputs) removePartial() error {
	var errs []error
	for _, out := range f.all {
		errs = append(errs, out.RemovePartial())
	}
	return errors.Join(errs...)
}

func (f *outputs) discard() {
	for _, out := range f.all {
		out.Discard()
	}
}

// writeFile writes a file that appears under its name when it is complete.
func writeFile(ctx context.Context, name string, b []byte) error {
	return writeWith(ctx, name, func(to io.Writer) error {
		_, err := to.Write(b)
		return err
	})
}

// writeWith is writeFile with what a function writes.
func writeWith(ctx context.Context, name string, write func(io.Writer) error) error {
	out, err := export.Create(ctx, name)
	if err != nil {
		return err
	}
	defer out.Discard()
	if err := write(out); err != nil {
		return err
	}
	return out.Commit()
}
