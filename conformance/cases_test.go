package conformance

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// A caseCounts is how many packets of a case are read and how many belong to a flow.
type caseCounts struct{ packets, counted uint64 }

// better are the cases in which the counts are not tshark's, and why.
var better = map[string]struct {
	caseCounts
	why string
}{
	"01-nmap-f.pcap":            {caseCounts{12, 12}, "tshark gives a tiny fragment to the stream when the datagram is whole; here every fragment is of its flow"},
	"01b-nmap-mtu16.pcap":       {caseCounts{2, 2}, "the same"},
	"03q-eompls-cw-a4.pcap":     {caseCounts{8, 8}, "tshark knows no manufacturer of the address behind the control word"},
	"04j-concat.pcap":           {caseCounts{16, 16}, "tshark ends at the second header"},
	"04k-trailing-zeros.pcap":   {caseCounts{8, 8}, "zeros up to the end are no packets"},
	"12i-udplen0-v4.pcap":       {caseCounts{1, 0}, "a UDP length of 0 is none in IPv4: malformed"},
	"05-008-slip.pcap":          {caseCounts{8, 8}, "tshark finds no TCP in the frames; IP stands behind the header of a BSD"},
	"05-143-docsis.pcap":        {caseCounts{8, 8}, "tshark finds no TCP in the frames; an Ethernet frame stands behind the header"},
	"05-166-ppp_pppd.pcap":      {caseCounts{8, 8}, "tshark does not open the file"},
	"05-219-mpls.pcap":          {caseCounts{8, 8}, "the same"},
	"05-226-ipnet.pcap":         {caseCounts{8, 8}, "tshark finds no TCP in the frames; IP stands behind the header"},
	"05-241-netanalyzer_t.pcap": {caseCounts{8, 8}, "tshark finds no TCP in the frames; an Ethernet frame stands behind the preamble"},
	"05-274-mpacket.pcap":       {caseCounts{8, 8}, "the same"},
	"05-282-dsa_brcm.pcap":      {caseCounts{8, 8}, "tshark does not open the file"},
	"05-284-dsa.pcap":           {caseCounts{8, 8}, "the same"},
	"05-285-edsa.pcap":          {caseCounts{8, 8}, "the same"},
	"13-ip6-tso-len0.pcap":      {caseCounts{5, 5}, "tshark does not know offload of IPv6 unless told (ipv6.tso_support)"},
}

// refused are the cases that are not read, or not to their end, and what the error
// says.
var refused = map[string]string{
	"05-147-user0.pcap":   "unknown link type 147, USER0",
	"05-260-ipoib.pcap":   "unknown link type 260, IPMI_HPM_2",
	"04i-classbits.pcap":  "unknown link type 1 in the class 0x02240000 of the reserved bits",
	"07-if-badopt.pcapng": "option 2 of an interface has 40 bytes, 4 are left in its block",
}

// TestCases counts the packets of small captures of odd kinds, each of which has
// tshark's counts in a table beside them.
func TestCases(t *testing.T) {
	dir := sharedFolder(t, "cases")
	want := casesTable(t, filepath.Join(dir, "README.md"))
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if name == "README.md" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w, ok := want[name]
			if b, is := better[name]; is {
				w = b.caseCounts
			} else if !ok {
				t.Fatal("the table has no counts of it")
			}
			run, err := flowfast.Open(flowfast.Options{}, filepath.Join(dir, name))
			var got caseCounts
			if err == nil {
				err = run.Write(t.Context(), io.Discard, export.CSV{})
				got = caseCounts{run.Summary().Packets, run.Summary().Classes.Counted}
			}
			why := refused[name]
			if err != nil && (why == "" || !strings.Contains(err.Error(), why)) || err == nil && why != "" {
				t.Errorf("error %v, want %q", err, why)
			}
			if got != w && why == "" {
				t.Errorf("%+v, want %+v", got, w)
			}
		})
	}
}

// TestJoinedCases wants the two directions of a tap, joined, to give the rows that
// both give in one capture, whatever the number of workers.
func TestJoinedCases(t *testing.T) {
	dir := sharedFolder(t, "cases")
	rowsOf := func(workers int, names ...string) string {
		var b strings.Builder
		for i, name := range names {
			names[i] = filepath.Join(dir, name)
		}
		run, err := flowfast.Open(flowfast.Options{Workers: workers}, names...)
		if err == nil {
			err = run.Write(t.Context(), &b, export.CSV{})
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, name := range []string{"06", "06c"} {
		want := rowsOf(1, name+"-both.pcap")
		for _, workers := range []int{1, 2, 5} {
			if got := rowsOf(workers, name+"-tx.pcap", name+"-rx.pcap"); got != want {
				t.Errorf("%s, %d workers: got\n%swant\n%s", name, workers, got, want)
			}
		}
	}
}

// casesTable returns the counts in a table of names, packets, and packets with TCP
// or UDP.
func casesTable(t *testing.T, file string) map[string]caseCounts {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]caseCounts{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		cells := strings.Split(lines.Text(), "|")
		if len(cells) != 5 {
			continue
		}
		packets, errPackets := strconv.ParseUint(strings.TrimSpace(cells[2]), 10, 64)
		flows, errFlows := strconv.ParseUint(strings.TrimSpace(cells[3]), 10, 64)
		if errPackets == nil && errFlows == nil {
			all[strings.TrimSpace(cells[1])] = caseCounts{packets, flows}
		}
	}
	return all
}
