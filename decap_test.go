package flowfast_test

import (
	"bytes"
	"encoding/csv"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// TestProtocolsAndTunnels runs every recorded capture with all protocols and
// tunnels: the rows are the same for any number of workers, they hold the packets
// that count, and what counts by default still does. To ask for the default
// changes nothing.
func TestProtocolsAndTunnels(t *testing.T) {
	more := 0
	for name, c := range recorded(t) {
		path := filepath.Join("testdata", c.Capture)
		usual, before := rows(t, flowfast.Options{Workers: 1}, path)
		var asked decode.Protocols
		if err := asked.UnmarshalText([]byte("tcp,udp")); err != nil {
			t.Fatal(err)
		}
		if same, _ := rows(t, flowfast.Options{Workers: 1, Protocols: asked}, path); !bytes.Equal(same, usual) {
			t.Errorf("%s: other rows with the default asked for", name)
		}
		length := filterOf(bpf.RawInstruction{Op: 0x80}, bpf.RawInstruction{Op: 0x16}) // returns the length
		o := flowfast.Options{Workers: 1, Protocols: decode.AllProtocols, Tunnels: decode.AllTunnels,
			Keys: flowtable.Keys{Encapsulation: decode.VLANTags | decode.MPLSLabels | decode.TunnelEnds}, Choice: flowfast.Choice{Filter: length}}
		want, s := rows(t, o, path)
		for o.Workers = 2; o.Workers < 6; o.Workers += 3 {
			if got, _ := rows(t, o, path); !bytes.Equal(got, want) {
				t.Errorf("%s: other rows with %d workers", name, o.Workers)
			}
		}
		if got := packetsOf(t, want); got != s.Classes.Counted || s.Classes.Sum() != s.Packets || s.Packets != before.Packets {
			t.Errorf("%s: %d packets in rows, classes %+v of %d packets", name, got, s.Classes, s.Packets)
		}
		if s.Classes.OtherProtocol != 0 || s.Classes.Counted < before.Classes.Counted {
			t.Errorf("%s: classes %+v, by default %+v", name, s.Classes, before.Classes)
		}
		if s.Classes.Counted > before.Classes.Counted {
			more++
		}
	}
	if more < 10 {
		t.Errorf("in %d captures more packets count, want 10 at least", more)
	}
}

// packetsOf returns the sum of the packets of rows.
func packetsOf(t *testing.T, rows []byte) (n uint64) {
	all, err := csv.NewReader(bytes.NewReader(rows)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range all[0] {
		if name != "fwd_tot_pkt" && name != "bwd_tot_pkt" {
			continue
		}
		for _, row := range all[1:] {
			v, err := strconv.ParseUint(row[i], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			n += v
		}
	}
	return n
}

// TestTunnelAllocatesNothing wants no allocation per packet with a decoder that
// is asked for more.
func TestTunnelAllocatesNothing(t *testing.T) {
	short, _ := repeated(t, "icmp", t.TempDir(), 20_000, 3600)
	long, _ := repeated(t, "icmp", t.TempDir(), 60_000, 3600)
	o := flowfast.Options{Workers: 1, Protocols: decode.AllProtocols, Tunnels: decode.AllTunnels}
	few, _ := allocations(t, o, short)
	if many, _ := allocations(t, o, long); many > few+100 {
		t.Errorf("%d allocations, and %d for three times as many packets", few, many)
	}
}
