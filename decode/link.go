package decode

import "encoding/binary"

// The link types that few captures have, by their LINKTYPE_ numbers.
const (
	linkAX25             = 3
	linkTokenRing        = 6
	linkARCnet           = 7
	linkSLIP             = 8
	linkFDDI             = 10
	linkRFC1483BSD       = 11 // as most systems number DLT_ATM_RFC1483
	linkPPPEther         = 51
	linkSymantec         = 99
	linkRFC1483          = 100
	linkSLIPBSDOS        = 102
	linkCLIP             = 106
	linkFrameRelay       = 107
	linkENC              = 109
	linkPFLOG            = 117
	linkPrism            = 119
	linkIPFC             = 122
	linkSunATM           = 123
	linkARCnetLinux      = 129
	linkIEEE1394         = 138
	linkDOCSIS           = 143
	linkUser2            = 149 // PKTAP on older macOS
	linkAVS              = 163
	linkPPPD             = 166
	linkERFEthernet      = 175
	linkERFPOS           = 176
	linkERF              = 197
	linkKISS             = 202
	linkPPPDir           = 204
	linkCiscoHDLCDir     = 205
	linkFrameRelayDir    = 206
	linkMPLS             = 219
	linkIPNET            = 226
	linkNFLOG            = 239
	linkNetAnalyzer      = 240
	linkNetAnalyzerRaw   = 241
	linkIPoIB            = 242
	linkUpperPDU         = 252
	linkPKTAP            = 258
	linkEPON             = 259
	linkMPacket          = 274
	linkDSABroadcom      = 281
	linkDSABroadcomFront = 282
	linkDSA              = 284
	linkEDSA             = 285
)

// rareLinkType reports whether rarer reads frames of a link type.
func rareLinkType(linkType uint32) bool {
	switch linkType {
	case linkTokenRing, linkARCnet, linkSLIP, linkFDDI, linkRFC1483BSD, linkPPPEther, linkRFC1483, linkSLIPBSDOS,
		linkFrameRelay, linkENC, linkPFLOG, linkIPFC, linkSunATM, linkARCnetLinux, linkIEEE1394, linkMPLS, linkIPNET,
		linkNFLOG, linkIPoIB, linkDSABroadcom, linkDSA, linkEDSA, linkAX25, linkKISS, linkSymantec, linkCLIP:
		return true
	}
	_, ok := unwrap(linkType, nil, 0)
	return ok
}

// FrameLen returns how many bytes a frame had on the wire: its original length in
// the capture, but for the link types that have a header of the capture's own in
// front which is no part of the frame, as Wireshark counts (frame.len).
func FrameLen(linkType uint32, frame []byte, wireLen uint32) uint32 {
	if linkType < linkSunATM { // most captures are of these
		return wireLen
	}
	return rarerLen(linkType, frame, wireLen)
}

func rarerLen(linkType uint32, frame []byte, wireLen uint32) uint32 {
	const sunATMHeader, direction, erfWireLen = 4, 1, 14
	switch linkType {
	case linkSunATM:
		return wireLen - min(wireLen, sunATMHeader)
	case linkPPPDir, linkCiscoHDLCDir, linkFrameRelayDir:
		return wireLen - min(wireLen, direction)
	case linkERF, linkERFEthernet, linkERFPOS:
		if len(frame) >= erfWireLen+2 {
			return uint32(binary.BigEndian.Uint16(frame[erfWireLen:]))
		}
	}
	return wireLen
}

// A wrapping is what a capture's own header says of the frame behind it.
type wrapping struct {
	linkType uint32                           // of the frame
	size     int                              // bytes in front of the frame
	fcs      int                              // bytes of the frame check sequence behind it
	class    Class                            // what the packet is if there is no frame, Counted if there is one
	next     func(*Packet, []byte, int) Class // reads the frame, where no link type is of its kind
}

// unwrap reads a header in front of a frame of another link type, of which n
// bytes were on the wire. It returns false for a link type that has none.
func unwrap(linkType uint32, b []byte, n int) (w wrapping, ok bool) {
	switch linkType {
	case linkPKTAP, linkUser2:
		return pktap(b, n), true
	case linkPrism:
		return prism(b, n), true
	case linkAVS:
		return avs(b, n), true
	case linkNetAnalyzer:
		return wrapping{linkType: LinkEthernet, size: 4, fcs: 4}, true
	case linkNetAnalyzerRaw:
		return wrapping{linkType: LinkEthernet, size: 12, fcs: 4}, true
	case linkMPacket:
		return mPacket(b, n), true
	case linkEPON:
		return wrapping{linkType: LinkEthernet, size: 8}, true
	case linkPPPDir:
		return wrapping{linkType: linkPPPHDLC, size: 1}, true
	case linkCiscoHDLCDir:
		return wrapping{linkType: linkCiscoHDLC, size: 1}, true
	case linkFrameRelayDir:
		return wrapping{linkType: linkFrameRelay, size: 1}, true
	case linkPPPD:
		return pppd(b, n), true
	case linkDSABroadcomFront:
		return wrapping{linkType: LinkEthernet, size: 4}, true
	case linkDOCSIS:
		return docsis(b, n), true
	case linkERF, linkERFEthernet, linkERFPOS:
		return erf(b, n), true
	case linkUpperPDU:
		return upperPDU(b, n), true
	}
	if isJuniper(linkType) {
		return juniper(linkType, b, n), true
	}
	return w, false
}

// rarer reads a frame of one of the link types that few captures have.
func (p *Packet) rarer(linkType uint32, b []byte, n int) Class {
	switch linkType {
	case linkTokenRing:
		return p.tokenRing(b, n)
	case linkFDDI:
		return p.fddi(b, n)
	case linkARCnet:
		return p.arcnet(b, n, 2)
	case linkARCnetLinux:
		return p.arcnet(b, n, 4)
	case linkSLIP:
		return p.slip(b, n, 16)
	case linkSLIPBSDOS:
		return p.slip(b, n, 24)
	case linkPPPEther:
		return p.pppoe(b, n)
	case linkAX25:
		return p.ax25(b, n)
	case linkKISS:
		return p.kiss(b, n)
	case linkSymantec:
		return p.symantec(b, n)
	case linkCLIP:
		return p.ipv4(b, n)
	case linkRFC1483, linkRFC1483BSD:
		return p.rfc1483(b, n)
	case linkSunATM:
		return p.sunATM(b, n)
	case linkFrameRelay:
		return p.frameRelay(b, n)
	case linkENC:
		return p.enc(b, n)
	case linkPFLOG:
		return p.pflog(b, n)
	case linkIPFC:
		return p.ipfc(b, n)
	case linkIEEE1394:
		return p.typed(b, n, 16, 18)
	case linkMPLS:
		return p.mpls(b, n)
	case linkIPNET:
		return p.ipnet(b, n)
	case linkNFLOG:
		return p.nflog(b, n)
	case linkIPoIB:
		return p.typed(b, n, 40, 44)
	case linkDSABroadcom:
		return p.typed(b, n, 16, 18)
	case linkDSA:
		return p.marvell(b, n, 12)
	case linkEDSA:
		return p.marvell(b, n, 16)
	}
	w, ok := unwrap(linkType, b, n)
	switch {
	case !ok:
		return NotIP
	case w.class != Counted:
		return w.class
	}
	if len(b) < w.size {
		return short(n, w.size)
	}
	if !p.nest() {
		return Malformed
	}
	b, n = b[w.size:], n-w.size
	if w.fcs > 0 {
		b, n = withoutFCS(b, n)
	}
	if w.next != nil {
		return w.next(p, b, n)
	}
	return p.link(w.linkType, b, n)
}
