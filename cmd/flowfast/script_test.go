package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"flowfast": main})
}

// TestScripts runs the command as a user does. Besides the usual ones the
// scripts have these commands:
//
//	exits STATUS COMMAND...   run a command, check its exit status
//	mkpcap [flags] FILE       make a capture of UDP packets (see mkpcap)
//	compress gzip|zstd FROM TO
//	cut FROM TO N             copy the first N bytes, or all but the last -N
//	poke FILE AT HEX          overwrite bytes; a negative AT counts from the end
//	bytes FILE HEX...         make a file of bytes
//	rows FILE N               count the lines below the header
//	folder DIR NAMES...       check which names a folder holds, hidden ones too
//	device NAME MINOR         make one of the memory devices, or a link to it
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"mkpcap":   mkpcap,
			"compress": compress,
			"cut":      cutFile,
			"poke":     poke,
			"bytes":    makeBytes,
			"rows":     rows,
			"folder":   folder,
			"device":   device,
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Geteuid() == 0, nil
			case "full":
				_, err := os.Stat("/dev/full")
				return err == nil, nil
			case "device":
				dir, err := os.MkdirTemp("", "")
				if err != nil {
					return false, err
				}
				defer os.RemoveAll(dir)
				return makeDevice(filepath.Join(dir, "full"), 7) == nil, nil
			}
			return false, errors.New("unknown condition " + name)
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	status := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		status = exit.ExitCode()
	}
	if want := number(ts, args[0]); status != want {
		ts.Fatalf("exit status %d, want %d", status, want)
	}
}

// mkpcap makes a pcap file of UDP packets from 10.0.0.1 to 10.0.0.2:53. Packet
// k is stamped start+k·step milliseconds and sent from port 1000 + k mod flows,
// with 18 bytes at random behind its headers.
func mkpcap(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("mkpcap", flag.ContinueOnError)
	link := flags.Int("link", 1, "link type")
	packets := flags.Int("n", 3, "packets")
	flows := flags.Int("flows", 1, "flows")
	start := flags.Int("start", 0, "milliseconds")
	step := flags.Int("step", 1000, "milliseconds")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 || neg {
		ts.Fatalf("usage: mkpcap [flags] FILE (%v)", err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = le.AppendUint32(b, 262144)
	b = le.AppendUint32(b, uint32(*link))
	for k := range *packets {
		time := *start + k**step
		for _, v := range []int{time / 1000, time % 1000 * 1000, frameLen, frameLen} {
			b = le.AppendUint32(b, uint32(v))
		}
		b = append(b, frame...)
		binary.BigEndian.PutUint16(b[len(b)-frameLen+34:], uint16(1000+k%*flows))
		for i := range 18 {
			b[len(b)-18+i] = byte(random.Uint32())
		}
	}
	write(ts, flags.Arg(0), b)
}

const frameLen = 60

var frame = slices.Concat(
	make([]byte, 12), []byte{0x08, 0x00}, // Ethernet, IPv4
	[]byte{0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}, // IPv4, UDP
	[]byte{0, 0, 0, 53, 0, 26, 0, 0},                                           // UDP to port 53
	make([]byte, 18),
)

func compress(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: compress gzip|zstd FROM TO")
	}
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if args[0] == "zstd" {
		var err error
		w, err = zstd.NewWriter(&b)
		ts.Check(err)
	}
	_, err := io.WriteString(w, ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(w.Close())
	write(ts, args[2], b.Bytes())
}

func cutFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: cut FROM TO N")
	}
	text, n := ts.ReadFile(args[0]), number(ts, args[2])
	if n < 0 {
		n += len(text)
	}
	write(ts, args[1], []byte(text[:n]))
}

func poke(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: poke FILE AT HEX")
	}
	b, at := []byte(ts.ReadFile(args[0])), number(ts, args[1])
	if at < 0 {
		at += len(b)
	}
	copy(b[at:], unhex(ts, args[2]))
	write(ts, args[0], b)
}

func makeBytes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: bytes FILE HEX...")
	}
	write(ts, args[0], unhex(ts, strings.Join(args[1:], "")))
}

func rows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: rows FILE N")
	}
	text := ts.ReadFile(args[0])
	if !strings.HasPrefix(text, "src_ip,src_port,") || !strings.HasSuffix(text, "\n") {
		ts.Fatalf("%s: not a header and whole rows", args[0])
	}
	if got, want := strings.Count(text, "\n")-1, number(ts, args[1]); got != want {
		ts.Fatalf("%s: %d rows, want %d", args[0], got, want)
	}
}

func folder(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: folder DIR NAMES...")
	}
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(args[1:])
	if !slices.Equal(names, args[1:]) {
		ts.Fatalf("%s: holds %q, want %q", args[0], names, args[1:])
	}
}

func device(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: device NAME MINOR")
	}
	ts.Check(makeDevice(ts.MkAbs(args[0]), number(ts, args[1])))
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

func unhex(ts *testscript.TestScript, text string) []byte {
	b, err := hex.DecodeString(text)
	ts.Check(err)
	return b
}

func write(ts *testscript.TestScript, name string, b []byte) {
	path := ts.MkAbs(name)
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o777))
	ts.Check(os.WriteFile(path, b, 0o666))
}
