package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestNFStream compares the profile nfstream, value by value, with what NFStream
// itself writes of every shared capture that it can read. FLOWFAST_NFSTREAM names
// the interpreter of an environment with NFStream; without it the test is skipped.
func TestNFStream(t *testing.T) {
	python := os.Getenv("FLOWFAST_NFSTREAM")
	if python == "" {
		t.Skip("NFSTREAM NOT CHECKED: see make conformance-nfstream")
	}
	captures, err := filepath.Glob(filepath.Join(sharedFolder(t, "captures"), "*"))
	if err != nil {
		t.Fatal(err)
	}
	captures = slices.DeleteFunc(captures, func(path string) bool { return filepath.Base(path) == "ORIGIN.md" })
	cmd := exec.Command(python, append([]string{filepath.Join("nfstream", "flows.py")}, captures...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	known := readDifferences(t, filepath.Join("nfstream", "differences.tsv"))
	var total tally
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, len(out)+1)
	n := 0
	for lines.Scan() {
		var peer struct {
			Capture, Error string
			Columns        []string
			Rows           [][]any
		}
		if err := json.Unmarshal(lines.Bytes(), &peer); err != nil {
			t.Fatal(err)
		}
		n++
		name := filepath.Base(peer.Capture)
		if peer.Error != "" {
			if nfRefused[name] != peer.Error {
				t.Errorf("%s: NFStream says %q, want %q", name, peer.Error, nfRefused[name])
			}
			total.refused++
			continue
		}
		if nfRefused[name] != "" {
			t.Errorf("%s: NFStream reads it", name)
		}
		want := make([][]string, len(peer.Rows))
		for i, row := range peer.Rows {
			for _, v := range row {
				want[i] = append(want[i], pythonText(v))
			}
		}
		header, got := profileRows(t, peer.Capture, "nfstream", 10)
		if len(want) > 0 && !slices.Equal(peer.Columns, header) {
			t.Fatalf("%s: columns\n%v, want\n%v", name, header, peer.Columns)
		}
		c := compareNFStream(header, want, got)
		total.add(c)
		known.check(t, name, c)
	}
	if n != len(captures) {
		t.Errorf("NFStream told of %d captures, want %d\n%s", n, len(captures), stderr.Bytes())
	}
	known.end(t)
	t.Logf("%s", &total)
}

// pythonText returns a value of a flow as NFStream writes it in CSV; see flows.py.
func pythonText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		all := make([]string, len(v))
		for i := range v {
			all[i] = pythonText(v[i])
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// compareNFStream pairs rows by protocol, endpoints and time of the first packet.
func compareNFStream(header []string, want, got [][]string) *tally {
	c := &tally{}
	at := func(row []string, column string) string { return row[slices.Index(header, column)] }
	key := func(row []string) string {
		ends := []string{at(row, "src_ip") + " " + at(row, "src_port"), at(row, "dst_ip") + " " + at(row, "dst_port")}
		slices.Sort(ends)
		return strings.Join(append(ends, at(row, "protocol"), at(row, "bidirectional_first_seen_ms")), " ")
	}
	open := map[string][][]string{}
	for _, row := range got {
		open[key(row)] = append(open[key(row)], row)
	}
	for _, row := range want {
		if p := at(row, "protocol"); p != "6" && p != "17" {
			c.outside++
			continue
		}
		ours := open[key(row)]
		if len(ours) == 0 {
			c.theirs++
			c.example("only theirs: %s", row)
			continue
		}
		open[key(row)] = ours[1:]
		c.compareRow(header[1:], row[1:], ours[0][1:], sameValue) // id is the order of the rows, which is another
	}
	for _, rows := range open {
		c.ours += len(rows)
		for _, row := range rows {
			c.example("only ours: %s", row)
		}
	}
	return c
}

// nfRefused are the captures that NFStream does not read, and what it says.
var nfRefused = map[string]string{
	"libtrace-5_packets.erf":      "unknown file format",
	"libtrace-5_packets.erf.bz2":  "unknown file format",
	"libtrace-sll.pcap.gz":        "unknown file format",
	"pcapng-basic-test017.pcapng": "the capture file has no Interface Description Blocks",
	"pcapng-test017.pcapng":       "the capture file has no Interface Description Blocks",
	"pcapplusplus-clusterfuzz-testcase-minimized-FuzzTarget-6185045124251648": "unsupported pcap savefile version 2.8224",
	"pcapplusplus-pcapng-example.pcapng.zst":                                  "unknown file format",
	"pcapplusplus-solaris.snoop":                                              "unknown file format",
	"scapy-canfd.pcap.gz":                                                     "unknown file format",
	"scapy-gmlan_trace.pcap.gz":                                               "unknown file format",
	"scapy-gvrp.pcapng.gz":                                                    "unknown file format",
}
