//go:build linux

package fault

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/flowfast/flowfast/ioutil"
)

// TestManyOverlap joins 200 captures that overlap all the time with at most 100 open
// files: the rows are those without that limit, and nothing is left in the folder for
// temporary files.
func TestManyOverlap(t *testing.T) {
	const captures = 200
	whole := capture(t, "flood20000", 1, 1)
	dir := folder(t)
	temporary := subfolder(t, dir, "tmp")
	plain, ng := dealt(t, whole, captures)
	for _, test := range []struct {
		kind string
		of   func(i int) []byte
	}{
		{"pcap", func(i int) []byte { return plain[i] }},
		{"pcapng", func(i int) []byte { return ng[i] }},
		{"gz", func(i int) []byte { return gzipped(t, plain[i]) }},
		{"zst", func(i int) []byte { return zstandard(t, ng[i]) }},
	} {
		in := subfolder(t, dir, test.kind)
		var names []string
		for i := range captures {
			names = append(names, filepath.Join(in, fmt.Sprint(i)))
			write(t, names[i], test.of(i))
		}
		run(t, command(dir, append(append([]string{"-q", "--join"}, names...), "rows.csv")...)).want(t, 0)
		want := read(t, filepath.Join(dir, "rows.csv"))
		if lines := bytes.Count(want, []byte("\n")); lines != 20_001 {
			t.Fatalf("%d lines, want one for each packet and a header", lines)
		}
		for _, jobs := range []string{"1", "2"} {
			args := append([]string{"-c", `ulimit -n 100; exec "$0" "$@"`, flowfast, "-q", "-j", jobs, "--join"}, names...)
			cmd := program(dir, "sh", append(args, "rows.csv")...)
			cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
			run(t, cmd).want(t, 0)
			if !bytes.Equal(read(t, filepath.Join(dir, "rows.csv")), want) {
				t.Errorf("%s, -j %s: other rows", test.kind, jobs)
			}
			wantNames(t, temporary)
		}
		cmd := program(dir, "sh", append(append([]string{"-c", `ulimit -n 100; exec "$0" "$@"`, flowfast, "-q", "--join"}, names...), "rows.csv")...)
		cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(dir, "missing"))
		if e := run(t, cmd); test.kind == "gz" || test.kind == "zst" {
			e.want(t, 1, "joining captures that overlap: temporary file: ", "no such file or directory")
		} else {
			e.want(t, 0) // plain files take no descriptors
		}
	}
}

// dealt deals the packets of a capture to so many, one after the other, and returns
// them as pcap and as pcapng.
func dealt(t *testing.T, whole string, captures int) (plain, ng [][]byte) {
	t.Helper()
	c, err := ioutil.Open(whole)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	plainTo, ngTo := make([]bytes.Buffer, captures), make([]bytes.Buffer, captures)
	var writers [](func(gopacket.CaptureInfo, []byte) error)
	var flush []func() error
	for i := range captures {
		w := pcapgo.NewWriter(&plainTo[i])
		n, err := pcapgo.NewNgWriter(&ngTo[i], layers.LinkTypeEthernet)
		if err == nil {
			err = w.WriteFileHeader(65535, layers.LinkTypeEthernet)
		}
		if err != nil {
			t.Fatal(err)
		}
		writers = append(writers, w.WritePacket, n.WritePacket)
		flush = append(flush, n.Flush)
	}
	recs := make([]ioutil.Record, 1)
	for i := 0; ; i++ {
		if n, _ := c.Read(recs); n == 0 {
			break
		}
		r := &recs[0]
		info := gopacket.CaptureInfo{Timestamp: time.Unix(0, r.Time), CaptureLength: len(r.Data), Length: int(r.OrigLen)}
		for k := range 2 {
			if err := writers[i%captures*2+k](info, r.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range captures {
		if err := flush[i](); err != nil {
			t.Fatal(err)
		}
		plain, ng = append(plain, plainTo[i].Bytes()), append(ng, ngTo[i].Bytes())
	}
	return plain, ng
}
