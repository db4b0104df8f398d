package legacy

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/ioutil"
)

// FuzzMeter checks that every packet leaves by one door, that rows are whole,
// and that flows do not depend on those of other addresses: the packets of each
// pair of addresses alone give the same rows.
func FuzzMeter(f *testing.F) {
	// step is a step of a script, with a frame.
	step := func(ago byte, frame []byte) []byte { return join([]byte{0, ago, byte(len(frame))}, frame) }
	arp := bytesOf("056a6a000001 d46a6a000002 0806 0001 0800 06 04 0001 056a6a000002 0a000001 000000000000 0a000002")
	inner := ip(6, tcpFrom(1, 2, decode.FIN, 4, 5))
	f.Add([]byte("\x01\x10\x00\x02\x05\x01\x10\x10\x12\x00\x01\x20\x00\x11\x40"), uint16(0))
	f.Add(join(step(0, frame(inner)), step(5, ip(4, ip(17, udpFrom(5000, 53, 0))))), uint16(3))
	f.Add(join(step(0, arp), step(9, join(macs, "003e aaaa03 000000 0800", inner)), step(200, arp)), uint16(0))
	f.Add(step(0, join(macs, "8100 0005 0800", ip(115, "0002 0001 0001 ff03 0021", inner))), uint16(9))
	f.Fuzz(func(t *testing.T, script []byte, cut uint16) {
		records := play(script, cut)
		var all Meter
		alone := map[[2]uint32]*Meter{}
		var got, want []string
		for i := range records {
			r := &records[i]
			got = appendRow(t, got, all.Add(r))
			var p packet
			if !p.read(r.Data, int(r.OrigLen)-int(r.FCS), r.Time) {
				continue
			}
			pair := [2]uint32{min(p.src, p.dst), max(p.src, p.dst)}
			if alone[pair] == nil {
				alone[pair] = new(Meter)
			}
			want = appendRow(t, want, alone[pair].Add(r))
		}
		for _, flow := range all.Rest() {
			got = appendRow(t, got, flow)
		}
		for _, m := range alone {
			for _, flow := range m.Rest() {
				want = appendRow(t, want, flow)
			}
		}
		checkCounts(t, &all, len(records))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("all packets:\n%s\neach pair of addresses:\n%s", strings.Join(got, ""), strings.Join(want, ""))
		}
	})
}

// play turns a script into records. A step is three bytes: what, time since the
// step before, and the length of a frame that follows (what is even), or the
// control bits of a TCP packet between two of four hosts (what is odd).
func play(script []byte, cut uint16) (records []ioutil.Record) {
	now := int64(epoch)
	for len(script) >= 3 && len(records) < 500 {
		what, ago, n := script[0], int8(script[1]), int(script[2])
		script = script[3:]
		now += int64(ago) * int64(ago) * int64(ago) * 100
		var b []byte
		if what&1 == 0 {
			n = min(n, len(script))
			b, script = script[:n:n], script[n:]
		} else {
			from, to := hostA+uint32(what>>1&3), hostA+uint32(what>>3&3)
			b = frame(ipv4From(from, to, 6, tcpFrom(uint16(what>>5), uint16(what>>6), uint8(n), 1, n)))
		}
		r := record(now, b)
		r.OrigLen = uint32(max(0, len(b)+int(int16(cut))))
		records = append(records, *r)
	}
	return records
}

// appendRow appends the row of a flow, if there is one, and looks at it.
func appendRow(t *testing.T, rows []string, f *Flow) []string {
	if f == nil {
		return rows
	}
	line := string(CSV{}.AppendRow(nil, f))
	for name, text := range named(t, line) {
		switch name {
		case "Flow ID", "Src IP", "Dst IP", "Timestamp", "Label":
			continue
		}
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return append(rows, line)
}
