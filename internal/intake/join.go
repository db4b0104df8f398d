package intake

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/flowfast/flowfast/ioutil"
)

// byFirstPacket returns files in the order of their first packets, files
// without packets last, and the errors of those that can't be joined.
func byFirstPacket(files []string) ([]joined, []error) {
	var known []joined
	var errs []error
	for order, file := range files {
		f := joined{file: file, turn: turn{order: order}}
		if err := f.look(); err != nil {
			errs = append(errs, err)
			continue
		}
		known = append(known, f)
	}
	slices.SortStableFunc(known, func(a, b joined) int {
		if a.none != b.none {
			if a.none {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.time, b.time)
	})
	return known, errs
}

// look finds the time of the first packet of a file.
func (f *joined) look() error {
	info, err := os.Stat(f.file)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: only files can be joined: their first packets must be known before they are read", f.file)
	}
	c, err := ioutil.OpenLean(f.file)
	if err != nil {
		return err
	}
	var one [1]ioutil.Record
	n, err := c.Read(one[:])
	if f.none = n == 0; f.none {
		var broken *ioutil.FormatError
		if errors.As(err, &broken) {
			return errors.Join(err, c.Close())
		}
		return c.Close()
	}
	f.time = one[0].Time
	return c.Close()
}
