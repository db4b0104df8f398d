//go:build linux

package fault

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestInputShrinks cuts a mapped capture while it is read: once rows have
// reached the disk, which they do long before the capture has been read to its
// end, as flows end early here.
func TestInputShrinks(t *testing.T) {
	whole := read(t, capture(t, "flood200000", 1, 1))
	const header, record = 24, 76
	for _, test := range []struct {
		rule string
		size int64
		jobs string
	}{
		{"ahead of the reader, one worker", header + 100_000*record, "1"},
		{"ahead of the reader, two workers", header + 100_000*record, "2"},
		{"behind the reader, one worker", header, "1"},
		{"behind the reader, two workers", header, "2"},
		{"to nothing", 0, "2"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			const most = 20 // one is the rule, but another process may have the processor
			for range most {
				if shrink(t, whole, test.size, test.jobs) {
					return
				}
			}
			t.Errorf("%d runs were over before the capture was cut", most)
		})
	}
}

var shrank = regexp.MustCompile(`^flowfast: in\.pcap: offset (\d+): .+\n$`)

// shrink runs once, and reports whether the cut came in the middle.
func shrink(t *testing.T, whole []byte, size int64, jobs string) bool {
	t.Helper()
	dir := folder(t)
	input, output := filepath.Join(dir, "in.pcap"), filepath.Join(dir, "rows.csv")
	write(t, input, whole)
	args := []string{"-t", "0.01", "-q", "-j", jobs, "--summary", "s.json", "in.pcap", "rows.csv"}
	cmd := command(dir, args...)
	wait := start(t, cmd)
	poll(cmd, func() bool { return grown(dir) })
	if err := os.Truncate(input, size); err != nil {
		t.Fatal(err)
	}
	e := wait()
	wantNames(t, dir, "in.pcap", "rows.csv", "s.json")
	s := readSummary(t, filepath.Join(dir, "s.json"))
	readTable(t, output).wantOf(t, output, s)
	if e.status == 0 {
		if s.Classes.Counted != 200_000 {
			t.Errorf("all is well, but %d packets were counted, want 200,000", s.Classes.Counted)
		}
		return false
	}
	e.want(t, 1)
	match := shrank.FindStringSubmatch(e.err)
	if match == nil {
		t.Fatalf("said %q, want one line with the file and an offset", e.err)
	}
	offset, err := strconv.Atoi(match[1])
	if err != nil || offset > len(whole) {
		t.Fatal(errors.Join(err, errors.New("no offset in the capture: "+match[1])))
	}
	got := read(t, output)
	write(t, input, whole[:offset])
	run(t, command(dir, args...)).want(t, 0)
	if string(got) != string(read(t, output)) {
		t.Errorf("%d bytes of rows, not those of the first %d bytes of the capture", len(got), offset)
	}
	return true
}
