package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/internal/testnet"
	"github.com/flowfast/flowfast/ioutil"
)

// Each capture of Ethernet frames, sent by tcpreplay, gives the rows of what tcpdump
// takes at the same time. It takes minutes, so it is for make live-captures.
func TestLiveCaptures(t *testing.T) {
	if os.Getenv("FLOWFAST_LIVE_CAPTURES") == "" {
		t.Skip("takes minutes: make live-captures")
	}
	if !testnet.InsideFor(t, 30*time.Minute, "tcpdump", "tcpreplay") {
		return
	}
	testnet.IP(t, "link set lo up")
	testnet.Pair(t, "va", "vb")
	captures, _ := filepath.Glob("../../testdata/*.pcap*")
	shared, _ := filepath.Glob("../../../shared/captures/*")
	done, rows, most := 0, 0, time.Duration(0)
	for _, name := range append(captures, shared...) {
		file, ok := replayable(t, name)
		if !ok {
			continue
		}
		dir := t.TempDir()
		got, want := filepath.Join(dir, "rows.csv"), filepath.Join(dir, "want.csv")
		dump := testnet.Record(t, "vb", "-p")
		l := startLive(t, "--profile", "full", "--protocols", "all", "vb", got)
		replay := exec.Command(testnet.Program("tcpreplay"), "-q", "-i", "va", "--pps=20000", file)
		said, err := replay.CombinedOutput()
		capture := dump.End()
		l.end(t, syscall.SIGTERM)
		if err != nil {
			t.Logf("%s: tcpreplay can't: %s", filepath.Base(name), lastLine(said))
			continue
		}
		var told bytes.Buffer
		if status := run([]string{"--profile", "full", "--protocols", "all", "-q", capture, want}, streams{nil, io.Discard, &told}); status != exitOK {
			t.Fatalf("exit status %d, said %s", status, told.String())
		}
		if info, err := os.ReadFile(want); err == nil && bytes.Count(info, []byte("\n")) == 1 {
			t.Logf("%s: has no flows", filepath.Base(name))
			continue
		}
		n, d := sameRows(t, got, want)
		done, rows, most = done+1, rows+n, max(most, d)
		if t.Failed() {
			t.Fatalf("%s: see above", name)
		}
		t.Logf("%s: %d rows, times within %v", filepath.Base(name), n, d)
	}
	t.Logf("%d captures, %d rows, times within %v", done, rows, most)
	if done == 0 {
		t.Error("no capture")
	}
}

func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}

// replayable returns a capture as a file that tcpreplay reads: plain, and of Ethernet
// frames alone.
func replayable(t *testing.T, name string) (string, bool) {
	t.Helper()
	c, err := ioutil.Open(name)
	if err != nil {
		return "", false // what is to be refused
	}
	ethernet := slices.Equal(c.LinkTypes(), []uint32{1})
	c.Close()
	if !ethernet || !strings.HasSuffix(name, ".zst") {
		return name, ethernet
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	plain := filepath.Join(t.TempDir(), "plain.pcap")
	out, err := os.Create(plain)
	if err == nil {
		_, err = io.Copy(out, z)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return plain, true
}
