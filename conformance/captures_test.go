package conformance

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/internal/need"
	"github.com/flowfast/flowfast/ioutil"
)

// TestFormatsOfCapturesEqualTshark writes captures of Ethernet as snoop and as ERF,
// and wants the time, the length and the captured length that tshark gives each
// packet, in all ways of reading.
func TestFormatsOfCapturesEqualTshark(t *testing.T) {
	for _, program := range []string{"tshark", "editcap", "mergecap"} {
		if _, err := exec.LookPath(program); err != nil {
			need.Missing(t, "CONFORMANCE", err)
		}
	}
	dir := filepath.Join(sharedFolder(t, "captures"))
	paths := []string{"libtrace-5_packets.erf", "pcapplusplus-solaris.snoop"}
	for i, name := range paths {
		paths[i] = filepath.Join(dir, name)
	}
	for _, name := range []string{"ndpi-android.pcap", "libtrace-100_packetsns.pcap", "ndpi-quic_interop_V.pcapng", "pcapplusplus-ipv6-frag.pcap", "tcpflow-local2.pcap"} {
		from, base := filepath.Join(dir, name), filepath.Join(t.TempDir(), name)
		for _, command := range [][]string{
			{"editcap", "-F", "snoop", from, base + ".snoop"},
			{"mergecap", "-F", "erf", "-w", base + ".erf", from}, // editcap 4.0.17 refuses its own first record
			{"editcap", "-s", "70", "-F", "snoop", from, base + "-cut.snoop"},
		} {
			if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
				t.Logf("%v: %s", command, out) // a link type that the format has not
				continue
			}
			paths = append(paths, command[len(command)-1])
			if command[0] == "mergecap" {
				paths[len(paths)-1] = base + ".erf"
			}
		}
	}
	if len(paths) < 12 {
		t.Errorf("only %d captures", len(paths))
	}
	for _, path := range paths {
		out, err := exec.Command("tshark", "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len", "-e", "erf.types.type").Output()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		var want []string
		for line := range strings.Lines(string(out)) {
			fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			switch fields[3] {
			case "27": // about the capture: it keeps its header here
				fields[2] = "about"
			case "2": // Ethernet: the frame check sequence is taken off
				length, _ := strconv.Atoi(fields[1])
				captured, _ := strconv.Atoi(fields[2])
				fields[2] = strconv.Itoa(min(captured, length-4))
			}
			want = append(want, strings.Join(fields[:3], " "))
		}
		for way, open := range map[string]func() (*ioutil.Capture, error){
			"mapped": func() (*ioutil.Capture, error) { return ioutil.Open(path) },
			"streamed": func() (*ioutil.Capture, error) {
				f, err := os.Open(path)
				if err != nil {
					return nil, err
				}
				t.Cleanup(func() { f.Close() })
				return ioutil.NewCapture(f, path)
			},
		} {
			c, err := open()
			if err != nil {
				t.Fatal(err)
			}
			got := shown(t, c)
			c.Close()
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i] {
					t.Errorf("%s, %s: packet %d: %d packets, want %d:\n%q\n%q", filepath.Base(path), way, i+1, len(got), len(want),
						got[min(i, len(got)):min(i+1, len(got))], want[min(i, len(want)):min(i+1, len(want))])
					break
				}
			}
		}
	}
}

// shown returns the time, the length and the captured length of each packet.
func shown(t *testing.T, c *ioutil.Capture) (all []string) {
	const erf = 197
	records := make([]ioutil.Record, 64)
	for {
		n, err := c.Read(records)
		for _, r := range records[:n] {
			captured := fmt.Sprint(len(r.Data))
			if r.LinkType == erf {
				captured = "about"
			}
			all = append(all, fmt.Sprintf("%d.%09d %d %s", r.Time/1e9, r.Time%1e9, r.OrigLen, captured))
		}
		if n == 0 {
			if err.Error() != "EOF" {
				t.Error(err)
			}
			return all
		}
	}
}

// TestERFTypesEqualTshark writes a TCP packet in each type of record of ERF, and
// wants those counted in which tshark finds it, with its payload.
func TestERFTypesEqualTshark(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		need.Missing(t, "CONFORMANCE", err)
	}
	const llc, fcs, zeros = "\xaa\xaa\x03\x00\x00\x00\x08\x00", "\xde\xad\xbe\xef", "\x00\x00\x00\x00"
	ethernet := framesWithFCS()[3] // with the right IP length
	ip := ethernet[14 : len(ethernet)-4]
	ppp, hdlc := "\xff\x03\x00\x21"+ip+fcs, "\x0f\x00\x08\x00"+ip+fcs
	v6 := "\x60\x00\x00\x00\x00\x28\x06\x40" + strings.Repeat("\x20\x01\x00\x00\x00\x00\x00\x01", 4) + ip[20:]
	var file []byte
	add := func(kind byte, more, frame string) {
		size := 16 + len(more) + len(frame)
		padding := -size & 7
		file = binary.LittleEndian.AppendUint64(file, (1_700_000_000+uint64(len(file)))<<32)
		file = append(file, kind, 4, byte((size+padding)>>8), byte(size+padding), 0, 0, 0, byte(len(frame)))
		file = append(append(append(file, more...), frame...), make([]byte, padding)...)
	}
	for kind := byte(1); kind <= 26; kind++ {
		add(kind, "\x00\x00", ethernet)
		add(kind, "", ppp)
		add(kind, "", hdlc)
		add(kind, zeros, ppp)
		add(kind, zeros, hdlc)
		add(kind, zeros, llc+ip)
		add(kind, "", ip)
		add(kind, "", v6)
		add(0x80|kind, "\x85\x01\x02\x03\x04\x05\x06\x07\x03\x01\x02\x03\x04\x05\x06\x07\x00\x00", ethernet)
	}
	path := filepath.Join(t.TempDir(), "types.erf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("tshark", "-r", path, "-T", "fields", "-E", "occurrence=l",
		"-e", "erf.types.type", "-e", "frame.protocols", "-e", "frame.len", "-e", "tcp.len").Output()
	if err != nil {
		t.Fatal(err)
	}
	c, err := ioutil.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	records := make([]ioutil.Record, 9*26)
	if n, err := c.Read(records); n != len(records) {
		t.Fatalf("%d packets, %v", n, err)
	}
	i, counted := 0, 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		r := &records[i]
		var p decode.Packet
		var d decode.Details
		got := ""
		if p.Decode(r.LinkType, r.Data, r.OrigLen-uint32(r.FCS)) == decode.Counted && p.Proto == 6 {
			p.Details(&d, r.Data)
			got = fmt.Sprint(d.Payload)
			counted++
		}
		if fields[0] == "21" { // InfiniBand, which is not read, and may carry IP
			fields[3] = ""
		}
		if got != fields[3] || fmt.Sprint(r.OrigLen) != fields[2] {
			t.Errorf("record %d, %v: length %d, payload %q", i, fields, r.OrigLen, got)
		}
		i++
	}
	if i != len(records) || counted < 20 {
		t.Errorf("%d packets, %d counted", i, counted)
	}
}
