package ioutil

// Some writers keep the frame check sequence behind a frame and say so. Wireshark
// 4.0 takes it off Ethernet frames and no others, and off none whose payload is
// shorter than it; so does this package.
const (
	linkEthernet   = 1
	ethernetHeader = 14

	// The link type word of a pcap header (draft-ietf-opsawg-pcap, 4).
	fcsPresent = 1 << 26 // the length is meant
	fcsShift   = 28      // where the length stands, in units of 16 bits
)

// pcapFCS returns how many bytes of frame check sequence the link type word of a
// pcap header gives each frame, at most 30.
func pcapFCS(word, linkType uint32) uint8 {
	if linkType != linkEthernet || word&fcsPresent == 0 {
		return 0
	}
	return uint8(word>>fcsShift) * 2
}

// ifaceFCS turns an if_fcslen (draft-ietf-opsawg-pcapng, 4.2) into bytes, at most
// 31. The draft counts bits; less than a byte's is taken for the bytes that some
// writers count, as Wireshark does.
func ifaceFCS(length byte) uint8 {
	if length < 8 {
		return length
	}
	return length / 8
}

// trim takes a frame check sequence of so many bytes off a record.
func (r *Record) trim(fcs uint8) {
	whole := max(int(r.OrigLen), len(r.Data)) // more bytes than the original length are believed
	if fcs == 0 || whole < ethernetHeader+int(fcs) {
		return
	}
	end := min(len(r.Data), whole-int(fcs))
	r.Data = r.Data[:end:end]
	r.FCS = uint8(min(uint32(fcs), r.OrigLen))
}

// trimAll takes a frame check sequence of so many bytes off each record.
func trimAll(recs []Record, fcs uint8) {
	for i := range recs {
		recs[i].trim(fcs)
	}
}

// packetFCS looks for the flags among the options of a packet block and returns
// the bytes of frame check sequence that they give it, 0 if they give none
// (4.3.1 there). Options that are damaged end the search.
func (ng *pcapng) packetFCS(options []byte) uint8 {
	const optEnd, optFlags = 0, 2
	for len(options) >= 4 {
		code, length := ng.uint16(options), int(ng.uint16(options[2:]))
		padded := (length + 3) &^ 3
		if options = options[4:]; code == optEnd || padded > len(options) {
			break
		}
		if code == optFlags && length == 4 {
			return uint8(ng.uint32(options) >> 5 & 0xf)
		}
		options = options[padded:]
	}
	return 0
}
