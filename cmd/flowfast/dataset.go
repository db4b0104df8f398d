package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/flowfast/flowfast/export"
)

// A dataset is a folder with a folder of parts, which are read as one table, and what
// there is to be said of them beside that. Small captures share a part: its rows are
// in the order of the captures, and the column capture tells whose they are. It is in
// the parts, not in the names of folders: readers guess a type from those, and make
// numbers of captures that are called 1 and 01.
//
// A part is called part-GROUP-FILE.parquet. Group is the number, from 0, of the
// captures whose rows are in it, and file counts on where those are more than a file
// is to have: so the order of the names is that of the rows.

const (
	datasetFormat = "parquet"
	partFolder    = "data"
	captureTitle  = "capture"
)

// partSize is the size that ends a file, in bytes. It can be one row group longer.
var partSize int64 = 256 << 20

// groupLeast and groupMost bound the captures that share a part, in bytes as they are
// stored. Between them the path of a capture tells if it begins another part, by its
// hash, so that a capture that is added to a folder changes few of the parts. A
// capture that is as large as the least has parts of its own.
// They are variables for the tests.
var groupLeast, groupMost int64 = 64 << 20, 256 << 20

// groupShare is how many captures there are, on average, to one that begins a part
// where it could.
var groupShare uint64 = 16

var partPattern = regexp.MustCompile(`^_?part-([0-9]{5,})-([0-9]{3,})\.` + datasetFormat + `(` + regexp.QuoteMeta(export.Partial) + `)?$`)

// partName returns the name of a part below the folder of the parts.
func partName(group, file int) string {
	return fmt.Sprintf("part-%05d-%03d.%s", group, file, datasetFormat)
}

// groups shares captures out among parts, in their order, by their sizes and names
// alone.
func groups(captures []capture) [][]capture {
	var all [][]capture
	from, size, large := 0, int64(0), false
	for i, c := range captures {
		n := c.info.Size()
		begins := large || n >= groupLeast || size+n > groupMost ||
			size >= groupLeast && xxhash.Sum64String(filepath.ToSlash(c.rel))%groupShare == 0
		if begins && i > from {
			all = append(all, captures[from:i])
			from, size = i, 0
		}
		size, large = size+n, n >= groupLeast
	}
	if from < len(captures) {
		all = append(all, captures[from:])
	}
	return all
}

// groupJobs returns a job for each part.
func (c *command) groupJobs(captures []capture) []job {
	var jobs []job
	for i, group := range groups(captures) {
		jobs = append(jobs, seriesOf(group, filepath.Join(c.output, partFolder, partName(i, 0))))
	}
	return jobs
}

// seriesOf returns the job of captures whose rows go into one table.
func seriesOf(captures []capture, output string) job {
	j := job{captures: captures, output: output, series: true}
	for _, c := range captures {
		j.inputs = append(j.inputs, c.path)
		j.size += c.info.Size()
	}
	return j
}

// captureColumn returns the column that names the capture, as the manifest does.
func captureColumn(j job) *export.Column {
	name, err := pathText(filepath.ToSlash(j.captures[0].rel)).MarshalText()
	if err != nil {
		panic(err) // it returns none
	}
	c := export.Constant(captureTitle, "path of the capture below the folder that was read", string(name))
	c.Role = export.RoleIdentifier
	return c
}

// shared returns what the rows of a table of several captures are made of. Next begins
// the next part of a dataset.
func (c *command) shared(next func() (io.Writer, error)) export.Table {
	t := c.withCapture(job{captures: []capture{{}}})
	t.Notes, t.TimeUnit = c.notes, c.timeUnit.of
	if c.dataset {
		t.Undefined = true // descriptionName has the definitions
		t.Next, t.PartSize = next, partSize
	}
	return t
}

// A move is a part that gets another name since there are captures before it that
// were not there, or some that are gone.
type move struct {
	from, to int      // groups
	files    []string // that it has, below the folder of the parts
}

// renamed returns the name of a file of another group.
func renamed(file string, group int) string {
	_, number, _ := partNumbers(path.Base(file))
	return path.Join(path.Dir(file), partName(group, number))
}

// tidy removes from the folder of parts, and those of splits in it, what is not kept, by
// group, and what killed runs have left. It removes nothing that is not called as parts are.
func tidy(folder string, kept map[int]bool) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	errs := []error{tidyOne(folder, kept)}
	for _, e := range entries {
		if e.IsDir() && isSplitFolder(e.Name()) {
			inside := filepath.Join(folder, e.Name())
			errs = append(errs, tidyOne(inside, kept))
			_ = os.Remove(inside) // if it is empty
		}
	}
	return errors.Join(errs...)
}

func tidyOne(folder string, kept map[int]bool) error {
	entries, err := os.ReadDir(folder)
	errs := []error{err}
	var leavings []string
	for _, e := range entries {
		name := e.Name()
		if base, _, temporary := strings.Cut(strings.TrimPrefix(name, "."), ".flowfast-"); temporary && partPattern.MatchString(base) {
			leavings = append(leavings, filepath.Join(folder, base))
			continue
		}
		of, _, ok := partNumbers(name)
		if ok && e.Type().IsRegular() && (!kept[of] || strings.HasPrefix(name, hidden)) {
			errs = append(errs, os.Remove(filepath.Join(folder, name)))
		}
	}
	return errors.Join(append(errs, export.RemoveLeftovers(leavings))...)
}

// partNumbers returns the numbers in the name of a part.
func partNumbers(name string) (group, file int, ok bool) {
	found := partPattern.FindStringSubmatch(name)
	if found == nil {
		return 0, 0, false
	}
	group, errGroup := strconv.Atoi(found[1])
	file, errFile := strconv.Atoi(found[2])
	return group, file, errGroup == nil && errFile == nil
}

// groupOf returns the group of a part, given by its path.
func groupOf(path string) int {
	group, _, _ := partNumbers(filepath.Base(path))
	return group
}

// moveParts gives parts the names of other groups. Groups keep their order, so those
// that go up do so from the last on, and those that go down from the first on: none
// is in the way.
func moveParts(folder string, moves []move) error {
	rename := func(m move) error {
		for _, file := range m.files {
			to := renamed(file, m.to)
			if err := os.Rename(filepath.Join(folder, filepath.FromSlash(file)), filepath.Join(folder, filepath.FromSlash(to))); err != nil {
				return err
			}
		}
		return nil
	}
	var errs []error
	for _, m := range slices.Backward(moves) {
		if m.to > m.from {
			errs = append(errs, rename(m))
		}
	}
	for _, m := range moves {
		if m.to < m.from {
			errs = append(errs, rename(m))
		}
	}
	return errors.Join(errs...)
}
