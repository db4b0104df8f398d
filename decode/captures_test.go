package decode

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowfast/flowfast/internal/need"
)

// captures is the folder of shared captures beside the repository.
const captures = "../../shared/captures"

// A record is one packet of a capture.
type record struct {
	file     string
	number   int
	linkType uint32
	wireLen  uint32
	frame    []byte
}

// sharedRecords returns the packets of every shared capture in plain pcap and
// pcapng. It is no reader for use: what it does not understand it leaves.
func sharedRecords(t *testing.T) []record {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(captures, "*"))
	if len(files) == 0 {
		need.Missing(t, "SHARED CAPTURES", "none in "+captures)
	}
	var records []record
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		read := len(records)
		switch {
		case len(data) < 28:
		case string(data[:4]) == "\x0a\x0d\x0d\x0a":
			records = pcapng(records, data)
		case string(data[:4]) == "\xd4\xc3\xb2\xa1" || string(data[:4]) == "\x4d\x3c\xb2\xa1":
			records = pcap(records, binary.LittleEndian, data)
		case string(data[:4]) == "\xa1\xb2\xc3\xd4" || string(data[:4]) == "\xa1\xb2\x3c\x4d":
			records = pcap(records, binary.BigEndian, data)
		}
		for i := range records[read:] {
			records[read+i].file, records[read+i].number = filepath.Base(file), i+1
		}
	}
	return records
}

func pcap(records []record, order binary.ByteOrder, data []byte) []record {
	linkType := order.Uint32(data[20:]) & (1<<26 - 1)
	for data = data[24:]; len(data) >= 16; {
		size, wireLen := order.Uint32(data[8:]), order.Uint32(data[12:])
		if size > 262144 || uint64(len(data)) < 16+uint64(size) {
			break
		}
		records = append(records, record{linkType: linkType, wireLen: wireLen, frame: data[16 : 16+size : 16+size]})
		data = data[16+size:]
	}
	return records
}

func pcapng(records []record, data []byte) []record {
	var order binary.ByteOrder = binary.LittleEndian
	var linkTypes, snapLengths []uint32
	for len(data) >= 28 {
		kind := order.Uint32(data)
		if kind == 0x0a0d0d0a {
			linkTypes, snapLengths = nil, nil
			if order = binary.LittleEndian; data[8] == 0x1a {
				order = binary.BigEndian
			}
		}
		size := order.Uint32(data[4:])
		if size < 12 || uint64(size) > uint64(len(data)) {
			break
		}
		block := data[8 : size-4]
		data = data[size:]
		switch kind {
		case 1: // interface description
			linkTypes = append(linkTypes, uint32(order.Uint16(block)))
			snapLengths = append(snapLengths, order.Uint32(block[4:]))
		case 3: // simple packet
			if len(linkTypes) == 0 {
				return records
			}
			wireLen := order.Uint32(block)
			captured := min(wireLen, uint32(len(block)-4))
			if snapLengths[0] > 0 {
				captured = min(captured, snapLengths[0])
			}
			records = append(records, record{linkType: linkTypes[0], wireLen: wireLen, frame: block[4 : 4+captured : 4+captured]})
		case 6: // enhanced packet
			face, captured := order.Uint32(block), order.Uint32(block[12:])
			if int(face) >= len(linkTypes) || uint64(captured) > uint64(len(block)-20) {
				return records
			}
			records = append(records, record{linkType: linkTypes[face], wireLen: order.Uint32(block[16:]), frame: block[20 : 20+captured : 20+captured]})
		}
	}
	return records
}
