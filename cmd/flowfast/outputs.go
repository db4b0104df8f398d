package main

import (
	"context"
	"errors"
	"io"

	"github.com/flowfast/flowfast/export"
)

// Outputs are what a job writes: one file or, in a dataset, one part after the
// other. None appears under its name before all are complete.
type outputs struct {
	command *command
	first   string
	all     []*export.File
}

// next begins the next file.
func (f *outputs) next(ctx context.Context) (io.Writer, error) {
	out, err := f.command.create(ctx, partName(f.first, len(f.all)))
	if err != nil {
		return nil, err
	}
	if f.command.dataset {
		out.HidePartial()
	}
	f.all = append(f.all, out)
	return out, nil
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
		if err != nil {
			f.discard()
			if i == 0 {
				return err
			}
			return errors.Join(err, f.removeParts(func(n int, p bool) bool { return n < i && p == partial }))
		}
	}
	return nil
}

// removeOld removes what earlier runs have left beside the files: the partial
// outputs, and in a dataset the parts beyond these.
func (f *outputs) removeOld() error {
	if !f.command.dataset {
		return f.all[0].RemovePartial()
	}
	return f.removeParts(func(n int, partial bool) bool { return partial || n >= len(f.all) })
}

func (f *outputs) discard() {
	for _, out := range f.all {
		out.Discard()
	}
}
