package conformance

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestNFStream compares the profile nfstream, value by value, with what NFStream
// itself says of every shared capture that it can read.
func TestNFStream(t *testing.T) {
	captures, err := filepath.Glob(filepath.Join(sharedFolder(t, "captures"), "*"))
	if err != nil {
		t.Fatal(err)
	}
	captures = slices.DeleteFunc(captures, func(path string) bool { return filepath.Base(path) == "ORIGIN.md" })
	known := readDifferences(t, filepath.Join("nfstream", "differences.tsv"))
	var total tally
	for peer := range runNFStream(t, captures) {
		name := filepath.Base(peer.Capture)
		if peer.Error != nfRefused[name] {
			t.Errorf("%s: NFStream says %q, want %q", name, peer.Error, nfRefused[name])
		}
		if peer.Error != "" {
			total.refused++
			continue
		}
		header, got := profileRows(t, peer.Capture, "nfstream", 10)
		if len(peer.Rows) > 0 && !slices.Equal(peer.Columns, header) {
			t.Fatalf("%s: columns\n%v, want\n%v", name, header, peer.Columns)
		}
		c := compareNFStream(header, peer.rows(), got)
		total.add(c)
		known.check(t, name, c)
	}
	known.end(t)
	total.checkReadme(t, "NFStream", 0)
	t.Logf("%s", &total)
}

// A streamed is what NFStream says of a capture.
type streamed struct {
	Capture, Error string
	Columns        []string
	Rows           [][]any
}

// runNFStream runs NFStream on captures. FLOWFAST_NFSTREAM names the interpreter
// of an environment that has it; without that the test is skipped.
func runNFStream(t *testing.T, captures []string) iter.Seq[streamed] {
	python := os.Getenv("FLOWFAST_NFSTREAM")
	if python == "" {
		t.Skip("NFSTREAM NOT CHECKED: see make conformance-nfstream")
	}
	cmd := exec.Command(python, append([]string{filepath.Join("nfstream", "flows.py")}, captures...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	if n := bytes.Count(out, []byte("\n")); n != len(captures) {
		t.Fatalf("NFStream told of %d captures, want %d\n%s", n, len(captures), stderr.Bytes())
	}
	return func(yield func(streamed) bool) {
		for line := range bytes.Lines(out) {
			var s streamed
			if err := json.Unmarshal(line, &s); err != nil {
				t.Fatal(err)
			}
			if !yield(s) {
				return
			}
		}
	}
}

// rows returns the rows as NFStream writes them in CSV.
func (s *streamed) rows() [][]string {
	rows := make([][]string, len(s.Rows))
	for i, row := range s.Rows {
		for _, v := range row {
			rows[i] = append(rows[i], pythonText(v))
		}
	}
	return rows
}

// pythonText returns a value of a flow as Python prints it.
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

// TestNFStreamRandom does it with captures at random, in which silences and ages
// are often equal to the timeouts, times go back, connections end and begin
// again, and both ends may be the same: no value may differ.
func TestNFStreamRandom(t *testing.T) {
	var paths []string
	for seed := range 30 {
		paths = append(paths, randomCapture(t, uint64(seed)))
	}
	var total tally
	for peer := range runNFStream(t, paths) {
		header, got := profileRows(t, peer.Capture, "nfstream", 10)
		c := compareNFStream(header, peer.rows(), got)
		total.add(c)
		if c.difference() != "" {
			t.Errorf("%s: %s\n\t%s", filepath.Base(peer.Capture), c.difference(), strings.Join(c.examples, "\n\t"))
		}
	}
	total.checkReadme(t, "NFStream", 1)
	t.Logf("%s", &total)
}

// randomCapture writes a capture of some flows between few endpoints and returns
// its path.
func randomCapture(t *testing.T, seed uint64) string {
	const packets = 600
	r := rand.New(rand.NewPCG(seed, 1))
	le, be := binary.LittleEndian, binary.BigEndian
	magic, unit := uint32(0xa1b2c3d4), int64(time.Microsecond)
	if seed%2 == 1 {
		magic, unit = 0xa1b23c4d, 1
	}
	b := le.AppendUint32(nil, magic)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = le.AppendUint32(le.AppendUint32(b, 262144), 1)
	steps := []time.Duration{
		0, 1, time.Microsecond, time.Millisecond, time.Second, 60 * time.Second, 119999 * time.Millisecond,
		120*time.Second - time.Microsecond, 120 * time.Second, 121 * time.Second, -time.Second,
	}
	often := 3 // a step of these is taken
	long := seed%5 < 2
	if long { // so that flows come to the active timeout
		steps, often = []time.Duration{0, time.Millisecond, time.Second, 10 * time.Second, 20 * time.Second, -time.Second}, 2
	}
	at := 1_600_000_000 * time.Second
	for range packets {
		step := steps[r.IntN(len(steps))]
		if r.IntN(often) > 0 {
			step = time.Duration(r.Int64N(int64(100 * time.Millisecond)))
			if long {
				step = time.Duration(r.IntN(20)) * time.Second
			}
		}
		at += step
		v6, udp := seed%3 == 2, r.IntN(3) == 0
		src, dst := byte(r.IntN(2)), byte(r.IntN(2))
		srcPort, dstPort := uint16(1000+r.IntN(2)), uint16(1000+r.IntN(2))
		if long {
			udp, dst, srcPort, dstPort = false, 1-src, 1000+uint16(src), 1001-uint16(src)
		}
		payload := make([]byte, r.IntN(8)*r.IntN(180))

		protocol := byte(6)
		transport := be.AppendUint16(be.AppendUint16(nil, srcPort), dstPort)
		if udp {
			protocol = 17
			transport = be.AppendUint16(transport, uint16(8+len(payload)))
			transport = append(transport, 0, 0)
		} else {
			transport = be.AppendUint32(be.AppendUint32(transport, r.Uint32N(3)), r.Uint32())
			transport = append(transport, 5<<4, byte(r.Uint32()), 1, 0, 0, 0, 0, 0)
		}
		transport = append(transport, payload...)
		frame := []byte{2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src}
		for range seed % 4 {
			frame = append(frame, 0x81, 0, 0x20, byte(seed))
		}
		if v6 {
			frame = append(frame, 0x86, 0xdd, 0x60, 0, 0, 0)
			frame = append(be.AppendUint16(frame, uint16(len(transport))), protocol, 64)
			frame = append(append(append(frame, 0x20), make([]byte, 14)...), src)
			frame = append(append(append(frame, 0x20), make([]byte, 14)...), dst)
		} else {
			frame = append(frame, 8, 0, 0x45, 0)
			frame = append(be.AppendUint16(frame, uint16(20+len(transport))), 0, 0, 0, 0, 64, protocol, 0, 0)
			frame = append(frame, 10, 0, 0, src, 10, 0, 0, dst)
		}
		frame = append(frame, transport...)
		frame = append(frame, make([]byte, max(0, 60-len(frame)))...)
		b = le.AppendUint32(b, uint32(at/time.Second))
		b = le.AppendUint32(b, uint32(int64(at%time.Second)/unit))
		b = le.AppendUint32(le.AppendUint32(b, uint32(len(frame))), uint32(len(frame)))
		b = append(b, frame...)
	}
	path := filepath.Join(t.TempDir(), fmt.Sprintf("random%d.pcap", seed))
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
