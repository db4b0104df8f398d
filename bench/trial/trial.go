// Package trial counts the flows of a capture in the way that comes to mind
// first: one thread, one Go slice of flow records with linear probing, which
// grows by copying everything into a slice of twice its length. Flows have no
// end and make no rows. It is the yardstick that floods are measured against,
// so it stays as it is.
package trial

import (
	"encoding/binary"
	"errors"

	"github.com/flowfast/flowfast/decode"
)

const (
	fileHeader   = 24 // draft-ietf-opsawg-pcap, 4
	recordHeader = 16 // 5
)

var errFormat = errors.New("no classic pcap file with microseconds in little-endian order")

// Run takes every packet of a capture as bench/workload writes them into a
// table. It stops at a packet that is cut. It returns how many packets it read.
func Run(capture []byte) (t *Table, packets int, err error) {
	if len(capture) < fileHeader || binary.LittleEndian.Uint32(capture) != 0xa1b2c3d4 {
		return nil, 0, errFormat
	}
	linkType := binary.LittleEndian.Uint32(capture[20:])
	t = newTable()
	var p decode.Packet
	for b := capture[fileHeader:]; len(b) >= recordHeader; packets++ {
		next := recordHeader + int(binary.LittleEndian.Uint32(b[8:]))
		if next > len(b) {
			break
		}
		origLen := binary.LittleEndian.Uint32(b[12:])
		if p.Decode(linkType, b[recordHeader:next], origLen) == decode.Counted {
			nanos := int64(binary.LittleEndian.Uint32(b))*1e9 + int64(binary.LittleEndian.Uint32(b[4:]))*1e3
			t.add(&p, nanos, origLen)
		}
		b = b[next:]
	}
	return t, packets, nil
}
