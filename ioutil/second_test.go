package ioutil

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func warningsOf(t *testing.T, data []byte) (mapped []kept, warnings []string, err error) {
	t.Helper()
	c, err := Open(file(t, data))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	mapped, err = readAll(t, c, 2)
	streamed, err2 := readStream(t, bytes.NewReader(data))
	if !slices.Equal(mapped, streamed) || (err == nil) != (err2 == nil) {
		t.Errorf("streamed: %v, %v; mapped: %v, %v", streamed, err2, mapped, err)
	}
	return mapped, c.Warnings(), err
}

func TestConcatenatedPcap(t *testing.T) {
	first := littleEndian().pcap(0xa1b2c3d4, 0, 1).record(1, 2, 3, "abc").Bytes()
	second := bigEndian().pcap(0xa1b23c4d, 0, 101).record(5, 6, 4, "defg").record(7, 8, 4, "hijk").Bytes()
	got, warnings, err := warningsOf(t, slices.Concat(first, second, first))
	want := []kept{{1e9 + 2000, "abc", 24, 3, 1, false, 0}, {5e9 + 6, "defg", 67, 4, 101, true, 0},
		{7e9 + 8, "hijk", 87, 4, 101, true, 0}, {1e9 + 2000, "abc", 131, 3, 1, false, 0}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "offset 43: a second pcap header: concatenated captures, use --join") {
		t.Errorf("warnings %q", warnings)
	}
}

func TestConcatenatedFormats(t *testing.T) {
	pcap := littleEndian().pcap(0xa1b2c3d4, 0, 1).record(1, 2, 3, "abc").Bytes()
	ng := littleEndian().section().iface(1, 0, "").enhanced(0, 1, 3, "abc").Bytes()
	for want, data := range map[string][]byte{
		"offset 43: a pcapng section header: concatenated": slices.Concat(pcap, ng),
		"offset 84: a pcap header: concatenated":           slices.Concat(ng, pcap),
	} {
		got, _, err := warningsOf(t, data)
		if len(got) != 1 || !strings.Contains(text(err), want) {
			t.Errorf("%d packets, error %v, want %q", len(got), err, want)
		}
	}
}

func TestFillAtTheEnd(t *testing.T) {
	pcap := littleEndian().pcap(0xa1b2c3d4, 0, 1).record(1, 2, 3, "abc").Bytes()
	ng := littleEndian().section().iface(1, 0, "").enhanced(0, 1, 3, "abc").Bytes()
	for name, data := range map[string][]byte{
		"only bytes 00 from here to the end, 4090 of": slices.Concat(pcap, make([]byte, 4090)),
		"only bytes ff from here to the end, 64 of":   slices.Concat(pcap, bytes.Repeat([]byte{0xff}, 64)),
		"only bytes 00 from here to the end, 4096 of": slices.Concat(ng, make([]byte, 4096)),
	} {
		got, warnings, err := warningsOf(t, data)
		if len(got) != 1 || err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], name) {
			t.Errorf("%d packets, %v, %q", len(got), err, warnings)
		}
	}
}

// TestZerosInTheMiddle wants records of zeros that something follows.
func TestZerosInTheMiddle(t *testing.T) {
	data := slices.Concat(littleEndian().pcap(0xa1b2c3d4, 0, 1).record(1, 2, 3, "abc").Bytes(), make([]byte, 80))
	for _, more := range [][]byte{littleEndian().record(3, 4, 3, "def").Bytes(), {1, 0, 0}} {
		got, warnings, _ := warningsOf(t, slices.Concat(data, more))
		if want := 6 + len(more)/16; len(got) != want || len(warnings) > 0 || got[5].Offset != 43+64 {
			t.Errorf("%d packets, want %d; %q", len(got), want, warnings)
		}
	}
}
