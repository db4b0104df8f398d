package flowfast_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/flowfast/flowfast"
)

// TestFrameLen wants sizes without what the capture put in front of the frame: of
// PPP with a direction one byte less than the record has, of PPP as many.
func TestFrameLen(t *testing.T) {
	ppp := []byte("\xff\x03\x00\x21" + // RFC 1662
		"\x45\x00\x00\x1c\x00\x01\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02" + // RFC 791
		"\xc0\x00\x00\x35\x00\x08\x00\x00") // RFC 768
	for _, test := range []struct {
		linkType uint32
		frame    []byte
	}{
		{9, ppp},
		{204, append([]byte{1}, ppp...)},
	} {
		var b bytes.Buffer
		for _, part := range []any{
			[]uint32{0xa1b2c3d4, 2 | 4<<16, 0, 0, 65535, test.linkType},
			[]uint32{1700000000, 0, uint32(len(test.frame)), uint32(len(test.frame))}, test.frame,
		} {
			if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
				t.Fatal(err)
			}
		}
		run, err := flowfast.NewReader(flowfast.Options{}, &b, "frames")
		if err != nil {
			t.Fatal(err)
		}
		flows := 0
		for flow, err := range run.Flows(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			flows++
			if flow.Fwd.Bytes != uint64(len(ppp)) {
				t.Errorf("link type %d: %d bytes, want %d", test.linkType, flow.Fwd.Bytes, len(ppp))
			}
		}
		if flows != 1 {
			t.Errorf("link type %d: %d flows", test.linkType, flows)
		}
	}
}
