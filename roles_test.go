package flowfast_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// TestRoles changes in a recorded capture when packets were sent, who sent them, and
// what system that was, one apart from the other. Columns of the role that is about it
// change, and no others: of features none ever does.
func TestRoles(t *testing.T) {
	b := unpacked(t, "testdata/web.pcap.zst")
	changes := map[string]struct {
		change func(seconds []byte, p gopacket.Packet)
		roles  []export.Role // of which all columns of the first change
	}{
		"times": {func(seconds []byte, _ gopacket.Packet) {
			const day = 86400
			binary.LittleEndian.PutUint32(seconds, binary.LittleEndian.Uint32(seconds)+day)
		}, []export.Role{export.RoleTime, export.RoleIdentifier}}, // flow_id has the time in it
		"endpoints": {changeEndpoints, []export.Role{export.RoleIdentifier}},
		"systems":   {changeSystems, []export.Role{export.RoleHost}},
	}
	for _, p := range export.Profiles() {
		before := columnValues(t, b, p)
		for name, c := range changes {
			after := columnValues(t, changed(b, c.change), p)
			for _, column := range p.Columns {
				switch same := slices.Equal(before[column.Name], after[column.Name]); {
				case !same && !slices.Contains(c.roles, column.Role):
					t.Errorf("other %s: %s of the profile %s changes, whose role is %v", name, column.Name, p.Name, column.Role)
				case same && column.Role == c.roles[0] && !slices.Contains(untouched, column.Name):
					t.Errorf("other %s: %s of the profile %s does not change, whose role is %v", name, column.Name, p.Name, column.Role)
				}
			}
		}
	}
}

// untouched are columns whose role is right, but which the changes leave alone: those of
// the order of rows and packets, of what the capture has none of, of what can't be
// changed without others.
var untouched = []string{"id", "end_reason", "expiration_id", "ip_version", "vlan_id", "vlan_ids", "mpls_label",
	"src_oui", "dst_oui", "tcp_rtt_synack", "tcp_rtt_ack", "Fwd Seg Size Min", "fwd_seg_size_min"}

// changed returns a little-endian pcap file of Ethernet with its packets changed.
func changed(capture []byte, change func(seconds []byte, p gopacket.Packet)) []byte {
	b := slices.Clone(capture)
	for rest := b[24:]; len(rest) > 0; {
		n := 16 + binary.LittleEndian.Uint32(rest[8:])
		change(rest[:4], gopacket.NewPacket(rest[16:n:n], layers.LayerTypeEthernet, gopacket.NoCopy))
		rest = rest[n:]
	}
	return b
}

func changeEndpoints(_ []byte, p gopacket.Packet) {
	for _, layer := range p.Layers() {
		switch l := layer.(type) {
		case *layers.Ethernet:
			l.SrcMAC[5] ^= 0x40
			l.DstMAC[5] ^= 0x40
		case *layers.IPv4:
			l.SrcIP[3] ^= 0x40
			l.DstIP[3] ^= 0x40
		case *layers.IPv6:
			l.SrcIP[15] ^= 0x40
			l.DstIP[15] ^= 0x40
		case *layers.TCP, *layers.UDP:
			l.LayerContents()[0] ^= 0x20
			l.LayerContents()[2] ^= 0x20
		}
	}
}

func changeSystems(_ []byte, p gopacket.Packet) {
	for _, layer := range p.Layers() {
		switch l := layer.(type) {
		case *layers.IPv4:
			l.Contents[1] ^= 0x2d
			l.Contents[8]++
		case *layers.IPv6:
			l.Contents[0] ^= 0x01
			l.Contents[1] ^= 0xd0
			l.Contents[7]++
		case *layers.TCP:
			if l.Window > 0 {
				binary.BigEndian.PutUint16(l.Contents[14:], l.Window/2+1)
			}
			for _, o := range l.Options {
				switch o.OptionType {
				case layers.TCPOptionKindMSS, layers.TCPOptionKindWindowScale:
					o.OptionData[len(o.OptionData)-1] ^= 1
				}
			}
			if at := bytes.Index(l.Contents[20:], []byte{4, 2}); l.SYN && at >= 0 { // SACK permitted
				copy(l.Contents[20+at:], []byte{1, 1})
			}
		}
	}
}

// columnValues returns the values of the columns of a profile by name.
func columnValues(t *testing.T, capture []byte, p export.Profile) map[string][]string {
	run, err := flowfast.NewReader(flowfast.Options{Workers: 1}.For(p.Demand(p.Columns, 0, nil)), bytes.NewReader(capture), "web")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run.Write(context.Background(), &out, export.NewCSV(p.Columns)); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]string{}
	for i, name := range rows[0] {
		for _, row := range rows[1:] {
			values[name] = append(values[name], row[i])
		}
	}
	return values
}
