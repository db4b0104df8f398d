package export

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// flowBetween returns a flow from one endpoint to another.
func flowBetween(t *testing.T, protocol uint8, src, dst string) *flowtable.Flow {
	from, to := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	words := func(a netip.Addr) decode.Addr {
		if a.Is4() {
			b := a.As4()
			return decode.Addr{Lo: uint64(binary.BigEndian.Uint32(b[:]))}
		}
		b := a.As16()
		return decode.Addr{Hi: binary.BigEndian.Uint64(b[:]), Lo: binary.BigEndian.Uint64(b[8:])}
	}
	f := &flowtable.Flow{
		Src: words(from.Addr()), Dst: words(to.Addr()), SrcPort: from.Port(), DstPort: to.Port(),
		Protocol: protocol, V6: from.Addr().Is6(),
	}
	if f.SrcIP() != from.Addr() || f.DstIP() != to.Addr() {
		t.Fatalf("got %v and %v, want %v and %v", f.SrcIP(), f.DstIP(), from, to)
	}
	return f
}

func textOf(c *Column, f *flowtable.Flow) string {
	var v Value
	c.Value(&v, f)
	return string(v.Text)
}

// TestCommunityID has the TCP and UDP flows of the specification's baseline
// (corelight/community-id-spec, baseline_deflt.json), both ways.
func TestCommunityID(t *testing.T) {
	for _, test := range []struct {
		protocol uint8
		a, b     string
		want     string
	}{
		{6, "128.232.110.120:34855", "66.35.250.204:80", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{17, "192.168.1.52:54585", "8.8.8.8:53", "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{6, "[2001:470:e5bf:dead:4957:2174:e82c:4887]:63943", "[2607:f8b0:400c:c03::1a]:25", "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
		// SCTP has its ports in the same place, and here the same at both ends.
		{132, "192.168.170.8:7", "192.168.170.56:7", "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
	} {
		for _, f := range []*flowtable.Flow{flowBetween(t, test.protocol, test.a, test.b), flowBetween(t, test.protocol, test.b, test.a)} {
			if got := textOf(communityID, f); got != test.want {
				t.Errorf("%d %s:%d > %s:%d: got %s, want %s", f.Protocol, f.SrcIP(), f.SrcPort, f.DstIP(), f.DstPort, got, test.want)
			}
		}
	}
	// Of the same address the lesser port comes first.
	one, other := flowBetween(t, 17, "10.0.0.1:53", "10.0.0.1:1000"), flowBetween(t, 17, "10.0.0.1:1000", "10.0.0.1:53")
	if a, b := textOf(communityID, one), textOf(communityID, other); a != b {
		t.Errorf("got %s one way and %s the other", a, b)
	}
}

// TestFlowID writes the bytes that are hashed.
func TestFlowID(t *testing.T) {
	for _, test := range []struct {
		protocol uint8
		src, dst string
		start    flowtable.Time
		bytes    string
	}{
		{6, "10.0.0.1:258", "10.0.0.2:80", 1, "06 04 0a000001 0102 0a000002 0050 0000000000000001"},
		{17, "10.0.0.2:80", "10.0.0.1:258", -1, "11 04 0a000002 0050 0a000001 0102 ffffffffffffffff"},
		{17, "[2001:db8::1]:53", "[fe80::2]:1", 1_600_000_000_123_456_789,
			"11 06 20010db8000000000000000000000001 0035 fe800000000000000000000000000002 0001 16345785dffbcd15"},
	} {
		var b []byte
		for i := 0; i < len(test.bytes); {
			if test.bytes[i] == ' ' {
				i++
				continue
			}
			v, err := hex.DecodeString(test.bytes[i : i+2])
			if err != nil {
				t.Fatal(err)
			}
			b, i = append(b, v...), i+2
		}
		f := flowBetween(t, test.protocol, test.src, test.dst)
		f.Start = test.start
		want := hex.EncodeToString(binary.BigEndian.AppendUint64(nil, xxhash.Sum64(b)))
		if got := textOf(flowID, f); got != want || len(got) != 16 {
			t.Errorf("%s: got %s, want %s", test.src, got, want)
		}
	}
}
