package ioutil

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// accepted ends the messages about what is no capture.
const accepted = "pcap or pcapng, plain or in gzip, zstd, bzip2, xz or lz4"

// formatOf tells the format by the first 4 bytes, "" if it is none.
func formatOf(head []byte) string {
	if len(head) < 4 {
		return ""
	}
	if binary.BigEndian.Uint32(head) == blockSection {
		return "pcapng"
	}
	if _, ok := pcapOf(head); ok {
		return "pcap"
	}
	return ""
}

// show prints the first bytes of a file that is no capture: as text if they
// are, else in hex.
func show(head []byte) string {
	head = head[:min(len(head), headLen)]
	for _, b := range head {
		if (b < ' ' || b > '~') && !strings.ContainsRune("\t\r\n", rune(b)) {
			return fmt.Sprintf("bytes % x", head)
		}
	}
	return fmt.Sprintf("text %q", head)
}
