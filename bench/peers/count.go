//go:build linux || darwin

package peers

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// logCounts takes the counts from what the program said: each is the sum of the
// numbers that its pattern finds, at most one in a line.
func logCounts(j Job, packets, flows string) (Counts, error) {
	f, err := os.Open(j.log())
	if err != nil {
		return unknown, err
	}
	defer f.Close()
	c := unknown
	inPackets, inFlows := regexp.MustCompile(packets), regexp.MustCompile(flows)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		add(&c.Packets, inPackets, lines.Bytes())
		add(&c.Flows, inFlows, lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		return unknown, err
	}
	if c.Packets < 0 || c.Flows < 0 {
		return c, errors.New("does not say how many packets and flows it has read")
	}
	return c, nil
}

// add adds the number in the first group of a pattern to a sum, which is -1
// before the first.
func add(sum *int64, pattern *regexp.Regexp, line []byte) {
	match := pattern.FindSubmatch(line)
	if match == nil {
		return
	}
	if n, err := strconv.ParseInt(string(match[1]), 10, 64); err == nil {
		*sum = max(*sum, 0) + n
	}
}

// csvCounts counts the rows of a table with a header, and sums those of its
// columns that hold packets.
func csvCounts(path string, columns ...string) (Counts, error) {
	f, err := os.Open(path)
	if err != nil {
		return unknown, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return unknown, fmt.Errorf("%s: %w", path, noEOF(err))
	}
	var index []int
	for _, column := range columns {
		i := slices.Index(header, column)
		if i < 0 {
			return unknown, fmt.Errorf("%s: no column %s", path, column)
		}
		index = append(index, i)
	}
	var c Counts
	for {
		row, err := r.Read()
		if err == io.EOF {
			return c, nil
		}
		if err != nil {
			return unknown, err
		}
		c.Flows++
		for _, i := range index {
			n, err := strconv.ParseFloat(row[i], 64) // pandas may write 3.0
			if err != nil {
				return unknown, err
			}
			c.Packets += int64(n)
		}
	}
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// tsharkCounts counts the lines of conversations, which are
//
//	ENDPOINT <-> ENDPOINT  frames bytes  frames bytes  frames bytes  start duration
//
// with the sums of both directions last; newer versions write bytes in two
// words, as in "12 kB".
func tsharkCounts(j Job) (Counts, error) {
	f, err := os.Open(j.log())
	if err != nil {
		return unknown, err
	}
	defer f.Close()
	var c Counts
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		word := strings.Fields(lines.Text())
		if len(word) < 2 || word[1] != "<->" {
			continue
		}
		at := 3 + 2*2
		if len(word) >= 3+3*3+2 {
			at = 3 + 2*3
		}
		if len(word) <= at {
			return unknown, fmt.Errorf("%d words in %q", len(word), lines.Text())
		}
		n, err := strconv.ParseInt(word[at], 10, 64)
		if err != nil {
			return unknown, err
		}
		c.Flows++
		c.Packets += n
	}
	return c, lines.Err()
}

// argusCounts has racount, of the same project, count.
func argusCounts(j Job) (Counts, error) {
	out, err := exec.Command("racount", "-F", "/dev/null", "-r", j.path("argus"), "-", "tcp", "or", "udp").Output()
	if err != nil {
		return unknown, fmt.Errorf("racount: %w", err)
	}
	return racountCounts(out)
}

// racountCounts reads the line of racount with its sums: records, packets.
func racountCounts(out []byte) (Counts, error) {
	for line := range bytes.Lines(out) {
		word := strings.Fields(string(line))
		if len(word) < 3 || word[0] != "sum" {
			continue
		}
		flows, err := strconv.ParseInt(word[1], 10, 64)
		if err != nil {
			return unknown, err
		}
		packets, err := strconv.ParseInt(word[2], 10, 64)
		return Counts{packets, flows}, err
	}
	return unknown, errors.New("racount: no sums")
}

// flowfastCounts reads the summary of a run of flowfast.
func flowfastCounts(j Job) (Counts, error) {
	b, err := os.ReadFile(j.path("summary.json"))
	if err != nil {
		return unknown, err
	}
	c := struct{ Packets, Flows int64 }{-1, -1}
	err = json.Unmarshal(b, &c)
	return Counts(c), err
}
