package decode

// ciscoMetadata reads the header in which Cisco's switches carry a security group
// tag (Cisco TrustSec; draft-smith-kandula-sxp, 1, and Wireshark's reading):
//
//	version 1 | length 1 | option length 4 bits, type 12 | group 2 | EtherType 2
//
// The group is that of the sender, and no part of the encapsulation: the two
// directions of a flow have other ones.
func (p *Packet) ciscoMetadata(b []byte, n int) Class { return p.tagged(8, false, b, n) }
