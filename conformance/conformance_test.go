// Package conformance holds flowfast against a reference that computes the
// same rows, slowly and independently, from what tshark dissects: on every
// capture of a collection of real ones, at three idle timeouts, and re-wrapped
// in other containers.
//
// What stands in the columns of the profiles is held against a second
// reference, in the folder reference, which computes every one of them from
// lists of packets.
//
// The first reference and the captures are not part of the project. They are looked
// for in the folder shared beside the repository, or where FLOWFAST_SHARED
// says; tshark, editcap and python3 must be installed. Where something is
// missing the suite is skipped and says so, or fails if FLOWFAST_CONFORMANCE
// is "required".
//
// Every format is held against CSV too, read with the libraries that read such
// tables: see [TestFormats].
package conformance

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/need"
	"github.com/flowfast/flowfast/internal/reference"
)

var timeouts = []time.Duration{time.Second, 15 * time.Second, 600 * time.Second}

// explained are the captures whose rows differ from the reference's, and why.
// A capture in the list that agrees fails the suite as one that differs does.
var explained = map[string]string{
	"pcapplusplus-clusterfuzz-testcase-FuzzTarget-5188876846235648":           fraction,
	"pcapplusplus-clusterfuzz-testcase-minimized-FuzzTarget-4829420752470016": fraction,
	"pcapplusplus-clusterfuzz-testcase-minimized-FuzzTarget-5114733584449536": fraction,

	"pcapplusplus-pcapng-example.pcapng.zst": "its second interface has timestamps in the year 586524, " +
		"2^64 - 505425287 microseconds; times are kept in 64-bit nanoseconds, which end in 2262, " +
		"so they are read as what they are in two's complement, 505 seconds before 1970",
}

// notInReference are the captures with link types that the references do not read:
// tshark does not open the files, or shows what stands in front of IP under names
// that the references do not know. TestCases and the tests of decode hold those
// link types.
var notInReference = map[string]string{
	"libtrace-5_packets.erf":                             "ERF, whose header stands in front of Ethernet there",
	"libtrace-5_packets.erf.bz2":                         "tshark does not read bzip2",
	"tcpdump-LINKTYPE_PKTAP.pcap":                        "PKTAP",
	"tcpdump-LINKTYPE_USER2_PKTAP.pcap":                  "PKTAP",
	"tcpdump-arcnet-rfc1051-arp-icmp-http.pcap":          "ARCnet",
	"tcpdump-arcnet-rfc1201-arp-icmp-http.pcap":          "ARCnet",
	"tcpdump-bgp-aigp.pcap":                              "Juniper Ethernet",
	"tcpdump-brcm-tag.pcap":                              "Broadcom's tag: tshark does not open it",
	"tcpdump-brcm-tag-prepend.pcap":                      "Broadcom's tag: tshark does not open it",
	"tcpdump-dsa-high-vid.pcap":                          "Marvell's tag: tshark does not open it",
	"tcpdump-edsa.pcap":                                  "Marvell's tag: tshark does not open it",
	"tcpdump-nflog.pcap":                                 "NFLOG",
	"tcpdump-juniper_monitor_invalid_cookie_length.pcap": "Juniper Monitor: tshark does not know the link type",
}

// notWrapped are the captures that editcap does not keep the times of.
var notWrapped = map[string]string{
	"tcpflow-bug8.pcap": "its microseconds are over a second, and editcap cuts what Wireshark makes of them to microseconds",
}

const fraction = "the microseconds of a timestamp are over a second; tshark prints them behind the point " +
	"as they are, with more than nine digits or a sign, and the reference reads that text as nine decimals"

// shared returns the folder with the reference and the captures.
func shared(t *testing.T) string {
	sharedFolder(t, "oracle", "oracle.py")
	for _, program := range []string{"tshark", "editcap", "python3"} {
		if _, err := exec.LookPath(program); err != nil {
			need.Missing(t, "CONFORMANCE", err)
		}
	}
	return sharedFolder(t)
}

func TestConformance(t *testing.T) {
	dir := shared(t)
	captures, err := os.ReadDir(filepath.Join(dir, "captures"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range captures {
		name := entry.Name()
		if name == "ORIGIN.md" {
			continue
		}
		path := filepath.Join(dir, "captures", name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if why := notInReference[name]; why != "" {
				t.Logf("not in the reference: %s", why)
				return
			}
			wraps := rewrap(t, path)
			wantRows, wantCounts := expected(t, dir, path)
			for i, timeout := range timeouts {
				want, counts := wantRows[i], wantCounts[i]
				got, summary, err := rows(path, timeout)
				differences := reference.Compare(bytes.NewReader(want), bytes.NewReader(got))
				if err != nil {
					t.Logf("%v: %v", timeout, err)
				}
				if why := explained[name]; why != "" {
					if len(differences) == 0 {
						t.Errorf("%v: no difference, but there should be one: %s", timeout, why)
					}
				} else {
					for _, d := range differences {
						t.Errorf("%v: %s", timeout, d)
					}
					if err == nil && (summary.Packets != counts["read"] || summary.Classes.Counted != counts["counted"]) {
						t.Errorf("%d packets read, %d counted; want %v", summary.Packets, summary.Classes.Counted, counts)
					}
				}
				if summary.Classes.Sum() != summary.Packets {
					t.Errorf("the classes %+v do not add up to %d packets", summary.Classes, summary.Packets)
				}
				for _, file := range wraps {
					again, _, _ := rows(file, timeout)
					compareWrapped(t, file, timeout, got, again)
				}
			}
		})
	}
}

// expected returns the rows of the reference and its counts of packets, for each
// timeout.
func expected(t *testing.T, dir, path string) (rows [][]byte, counts []map[string]uint64) {
	folder := t.TempDir()
	args := []string{filepath.Join("reference", "oracle.py"), filepath.Join(dir, "oracle", "oracle.py"), path, folder}
	for _, timeout := range timeouts {
		args = append(args, seconds(timeout))
	}
	out, err := exec.Command("python3", args...).CombinedOutput()
	for _, timeout := range timeouts {
		if err != nil {
			// tshark refuses the whole file: the reference has no rows.
			t.Logf("%s", bytes.TrimSpace(out))
			rows, counts = append(rows, header()), append(counts, nil)
			continue
		}
		name := filepath.Join(folder, seconds(timeout))
		text, err := os.ReadFile(name + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		said, err := os.ReadFile(name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]uint64{}
		for _, m := range regexp.MustCompile(`(\w+)=(\d+)`).FindAllSubmatch(said, -1) {
			count[string(m[1])], _ = strconv.ParseUint(string(m[2]), 10, 64)
		}
		rows, counts = append(rows, text), append(counts, count)
	}
	return rows, counts
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

func header() []byte {
	return export.CSV{}.AppendHeader(nil)
}

// rows returns the rows of a capture, or of what could be read of it.
func rows(path string, timeout time.Duration) ([]byte, flowfast.Summary, error) {
	run, err := flowfast.Open(flowfast.Options{IdleTimeout: timeout}, path)
	if err != nil {
		return header(), flowfast.Summary{}, err
	}
	var b bytes.Buffer
	err = run.Write(context.Background(), &b, export.CSV{})
	return b.Bytes(), run.Summary(), err
}

// rewrap writes a capture in other containers: as pcapng by editcap, and that
// and the capture itself compressed.
func rewrap(t *testing.T, path string) (files []string) {
	plain, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, wrap func(io.Writer) io.WriteCloser, data []byte) {
		file := filepath.Join(t.TempDir(), name)
		var b bytes.Buffer
		w := wrap(&b)
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	zip := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	zst := func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	if !strings.HasSuffix(path, ".gz") && !strings.HasSuffix(path, ".zst") && !strings.HasSuffix(path, ".bz2") {
		write("wrapped.gz", zip, plain)
		write("wrapped.zst", zst, plain)
	}
	if bytes.HasPrefix(plain, []byte("\x0a\x0d\x0d\x0a")) ||
		explained[filepath.Base(path)]+notWrapped[filepath.Base(path)] != "" {
		return files
	}
	ng := filepath.Join(t.TempDir(), "wrapped.pcapng")
	if out, err := exec.Command("editcap", "-F", "pcapng", path, ng).CombinedOutput(); err != nil {
		t.Logf("not re-wrapped as pcapng: %s", bytes.TrimSpace(out))
		return files
	}
	return append(files, ng)
}

// compareWrapped compares the rows of a re-wrapped capture with the original's.
func compareWrapped(t *testing.T, file string, timeout time.Duration, want, got []byte) {
	if bytes.Equal(want, got) {
		return
	}
	for _, d := range reference.Compare(bytes.NewReader(want), bytes.NewReader(got)) {
		t.Errorf("%s, %v: %s", filepath.Base(file), timeout, d)
	}
	if !strings.HasSuffix(file, ".pcapng") {
		t.Errorf("%s, %v: not the same bytes", filepath.Base(file), timeout)
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		fmt.Println("explained differences:", len(explained))
	}
	os.Exit(code)
}
