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
		time, ok, err := firstPacket(file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		known = append(known, joined{file, order, time, !ok})
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

// firstPacket returns the time of the first packet of a capture.
func firstPacket(file string) (time int64, ok bool, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, false, err
	}
	if !info.Mode().IsRegular() {
		return 0, false, fmt.Errorf("%s: only files can be joined: their first packets must be known before they are read", file)
	}
	c, err := ioutil.Open(file)
	if err != nil {
		return 0, false, err
	}
	var one [1]ioutil.Record
	n, err := c.Read(one[:])
	if n == 0 {
		var broken *ioutil.FormatError
		if errors.As(err, &broken) {
			return 0, false, errors.Join(err, c.Close())
		}
		return 0, false, c.Close()
	}
	return one[0].Time, true, c.Close()
}
