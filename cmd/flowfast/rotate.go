package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/live"
)

// Limits are a time, a size or both: the value of a flag that may be given twice.
type limits struct {
	every time.Duration
	most  int64 // bytes
}

func (s *limits) none() bool     { return *s == limits{} }
func (s *limits) String() string { return "" }
func (s *limits) Type() string   { return "span" }

func (s *limits) Set(text string) error {
	given := text
	if days, ok := strings.CutSuffix(text, "d"); ok { // days, as those of 24 hours
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			given = fmt.Sprint(24*n, "h")
		}
	}
	if d, err := time.ParseDuration(given); err == nil {
		if d < time.Second || s.every != 0 {
			return errors.New("want one time of a second at least, such as 5m, 1h or 7d")
		}
		s.every = d
		return nil
	}
	n, err := bytesOf(text)
	if err != nil || n < 1 || s.most != 0 {
		return errors.New("want a time such as 5m or 7d, a size such as 1GiB, or one of each")
	}
	s.most = n
	return nil
}

// A rotation says when a file ends, a retention when it is removed.
type (
	rotation  struct{ limits }
	retention struct{ limits }
)

// checkPattern returns an error if the name of files has a field that is not known.
func checkPattern(pattern string) error {
	_, err := expand(pattern, time.Unix(0, 0))
	return err
}

// nameFields are the layouts of strftime's fields that are those of Go's time package.
var nameFields = map[byte]string{'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'j': "002", 'F': "2006-01-02"}

// expand writes the time into the fields of a name: those of strftime, in UTC.
func expand(pattern string, at time.Time) (string, error) {
	at = at.UTC()
	var b strings.Builder
	for {
		before, after, found := strings.Cut(pattern, "%")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		if after == "" {
			return "", errors.New("a field of the name is missing after %; %% stands for it")
		}
		switch field := after[0]; {
		case nameFields[field] != "":
			b.WriteString(at.Format(nameFields[field]))
		case field == 's':
			b.WriteString(strconv.FormatInt(at.Unix(), 10))
		case field == '%':
			b.WriteByte('%')
		default:
			return "", fmt.Errorf("%%%c is not a field of a name: want %%Y %%m %%d %%H %%M %%S %%j %%F %%s or %%%%", field)
		}
		pattern = after[1:]
	}
}

// withTime puts the time into a name that has no field of it, before the extension.
func withTime(pattern, format string) string {
	if strings.Contains(pattern, "%") {
		return pattern
	}
	stem, extension := splitName(pattern, format)
	return stem + "-%Y%m%dT%H%M%SZ" + extension
}

// splitName cuts a name before the extension that tells the format, or the last one.
func splitName(name, format string) (stem, extension string) {
	if stem, ok := strings.CutSuffix(name, "."+format); ok {
		return stem, "." + format
	}
	extension = filepath.Ext(name)
	return strings.TrimSuffix(name, extension), extension
}

// Rotating are files, one after the other. Rows are written to the file that is
// there at that time; one with no rows is none. A file that can't be written is given
// up, with its rows, and another one is tried some seconds later.
type rotating struct {
	pattern  string
	rotate   rotation
	format   export.Format
	table    export.Table
	inner    export.Rows
	header   []byte
	complain func(error)
	counters func() live.Counters
	now      func() time.Time

	n, bytes, lost atomic.Int64 // rows and bytes written, rows lost

	mu     sync.Mutex // guards what is below
	files  *fileList
	out    *export.File
	writer io.WriteCloser
	entry  fileEntry
	seen   live.Counters // when the file before ended
	due    time.Time     // when the file ends, zero for at no time
	timer  *time.Timer
	retry  time.Time // no file before
	batch  []byte
}

// retryAfter is how long no file is tried after one that can't be written. It is a
// variable for the tests.
var retryAfter = 5 * time.Second

func newRotating(pattern string, rotate rotation, keep retention, format export.Format, table export.Table,
	complain func(error), counters func() live.Counters) (*rotating, error) {
	r := &rotating{
		pattern: withTime(pattern, format.String()), rotate: rotate, format: format, table: table,
		inner: format.Rows(table), complain: complain, counters: counters, now: time.Now,
	}
	r.header = r.inner.AppendHeader(nil)
	var err error
	r.files, err = openFiles(fixedFolder(r.pattern), keep)
	return r, err
}

// fixedFolder returns the folder of a name up to the first field.
func fixedFolder(pattern string) string {
	before, _, _ := strings.Cut(pattern, "%")
	return filepath.Dir(before + "x")
}

// Framed rows stand behind their length, and the times of the flow's first and last
// packet, so that they can be told apart.
type framed struct{ export.Rows }

const frameSize = 4 + 8 + 8

func (framed) AppendHeader(b []byte) []byte { return b }

func (r framed) AppendRow(b []byte, f *flowfast.Flow) []byte {
	at := len(b)
	b = r.Rows.AppendRow(append(b, make([]byte, frameSize)...), f)
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-frameSize))
	binary.LittleEndian.PutUint64(b[at+4:], uint64(f.Start))
	binary.LittleEndian.PutUint64(b[at+12:], uint64(f.Last))
	return b
}

func (r *rotating) rows() flowfast.Rows { return framed{r.inner} }
func (r *rotating) size() int64         { return r.bytes.Load() }
func (r *rotating) written() int64      { return r.n.Load() }

// batchSize is how much is written between two looks at the size of a file.
const batchSize = 64 << 10

// Write writes framed rows. It has no error: see rotating.
func (r *rotating) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(b)
	for len(b) > 0 {
		size := frameSize + int(binary.LittleEndian.Uint32(b))
		r.add(b[:size])
		b = b[size:]
	}
	r.put()
	return n, nil
}

// add takes a framed row.
func (r *rotating) add(row []byte) {
	if len(r.batch) == 0 && !r.ready() {
		r.lost.Add(1)
		return
	}
	first, last := int64(binary.LittleEndian.Uint64(row[4:])), int64(binary.LittleEndian.Uint64(row[12:]))
	if e := &r.entry; e.Rows == 0 {
		e.first, e.last = first, last
	} else {
		e.first, e.last = min(e.first, first), max(e.last, last)
	}
	r.entry.Rows++
	if r.batch = append(r.batch, row[frameSize:]...); len(r.batch) >= batchSize {
		r.put()
	}
}

// ready sees that there is a file for now.
func (r *rotating) ready() bool {
	now := r.now()
	if r.writer != nil && !r.due.IsZero() && !now.Before(r.due) {
		r.finish()
	}
	if r.writer != nil {
		return true
	}
	if now.Before(r.retry) {
		return false
	}
	if err := r.begin(now); err != nil {
		r.fail(err)
		return false
	}
	return true
}

// begin begins a file. Its name has the time at which it is due to begin.
func (r *rotating) begin(now time.Time) error {
	start := now
	r.due = time.Time{}
	if r.rotate.every > 0 {
		start = now.Truncate(r.rotate.every)
		r.due = start.Add(r.rotate.every)
	}
	name, err := r.free(start)
	if err != nil {
		return err
	}
	if err := makeFolder(name); err != nil {
		return err
	}
	r.entry = fileEntry{Path: pathText(r.files.below(name)), Begin: now.UTC()}
	// First, so that the next run knows of it if this one is killed.
	if err := r.files.begin(r.entry.Path); err != nil {
		return err
	}
	if r.out, err = export.Create(context.Background(), name); err != nil {
		return err
	}
	if r.writer, err = r.format.NewWriter(r.out, r.table); err != nil {
		return err
	}
	r.batch = append(r.batch[:0], r.header...)
	if !r.due.IsZero() {
		due := r.due
		r.timer = time.AfterFunc(due.Sub(now), func() { r.end(due) })
	}
	return nil
}

// free returns the name of a file that is not there yet.
func (r *rotating) free(at time.Time) (string, error) {
	name, err := expand(r.pattern, at)
	if err != nil {
		return "", err
	}
	stem, extension := splitName(name, r.format.String())
	for i := 1; ; i++ {
		if _, err := os.Lstat(name); errors.Is(err, os.ErrNotExist) {
			return name, nil
		} else if err != nil {
			return "", err
		}
		name = fmt.Sprintf("%s-%d%s", stem, i, extension)
	}
}

// end ends the file that is due, also while no rows come.
func (r *rotating) end(due time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writer != nil && r.due.Equal(due) {
		r.finish()
	}
}

// turn ends the file that is there.
func (r *rotating) turn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writer != nil {
		r.finish()
	}
}

// note has files say something else from the next one on.
func (r *rotating) note(notes []export.Note) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table.Notes = notes
}

// put writes what has been gathered, and ends a file that is large.
func (r *rotating) put() {
	if len(r.batch) == 0 || r.writer == nil {
		return
	}
	_, err := r.writer.Write(r.batch)
	r.batch = r.batch[:0]
	if err != nil {
		r.fail(err)
		return
	}
	if r.rotate.most > 0 && r.out.Size() >= r.rotate.most {
		r.finish()
	}
}

// finish gives the file its name, and removes old ones.
func (r *rotating) finish() {
	r.put()
	if r.writer == nil { // it could not be written, or was large
		return
	}
	err := r.writer.Close()
	if err == nil {
		err = r.out.Commit()
	}
	if err != nil {
		r.fail(err)
		return
	}
	e, c := r.entry, r.counters()
	e.End, e.Bytes = r.now().UTC(), r.out.Size()
	e.First, e.Last = time.Unix(0, e.first).UTC(), time.Unix(0, e.last).UTC()
	e.Packets, e.Dropped, e.Lost = c.Packets-r.seen.Packets, c.Dropped-r.seen.Dropped, r.lost.Load()
	r.seen = c
	r.n.Add(e.Rows)
	r.bytes.Add(e.Bytes)
	r.drop()
	if err := r.files.add(e, r.now()); err != nil {
		r.complain(err)
	}
}

// fail gives the file up.
func (r *rotating) fail(err error) {
	r.complain(err)
	r.lost.Add(r.entry.Rows)
	if r.out != nil {
		r.out.Discard()
	}
	r.drop()
	r.retry = r.now().Add(retryAfter)
}

func (r *rotating) drop() {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.out, r.writer, r.timer, r.entry, r.batch = nil, nil, nil, fileEntry{}, r.batch[:0]
}

// Flush has the writer withhold nothing.
func (r *rotating) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writer == nil {
		return nil
	}
	if err := flush(r.writer); err != nil {
		r.fail(err)
	}
	return nil
}

func (r *rotating) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writer != nil {
		r.finish()
	}
	if n := r.lost.Load(); n > 0 {
		return fmt.Errorf("%s: %d rows could not be written", r.pattern, n)
	}
	return nil
}

func (r *rotating) discard() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.out != nil {
		r.out.Discard()
	}
	r.drop()
}
