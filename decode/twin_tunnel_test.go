package decode

import (
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
)

// noTunnelHere ends the reading of a tunnel's header with a UDP packet.
type noTunnelHere struct{}

// twinTunnel reads the header of a tunnel in UDP: inside there is the step that
// it returns, if it is one.
func twinTunnel(header step) step {
	return func(t *twin) (inside step) {
		udp := t.p
		func() {
			defer func() {
				switch why := recover(); why {
				case nil:
				case Malformed, noTunnelHere{}: // a header that is longer than what was sent is none
					inside = func(t *twin) step {
						t.p = udp
						return is(Counted)
					}
				default:
					panic(why)
				}
			}()
			inside = header(t)
			t.tunnels++
			if t.asked.protocol(17) {
				t.outer = &udp
			}
			t.p.SrcPort, t.p.DstPort = 0, 0
		}()
		return inside
	}
}

// has stops the reading of a tunnel's header that contradicts itself.
func has(sign bool) {
	if !sign {
		panic(noTunnelHere{})
	}
}

// network notes the identifier of a network.
func (t *twin) network() {
	t.note("tunnel", "identifier "+strings.TrimLeft(hex.EncodeToString(t.bytes(3)), "0"))
	t.u8()
}

func twinVXLAN(t *twin) step {
	t.need(8)
	has(t.u32()&0x08000000 != 0)
	t.network()
	return twinBridged
}

func twinGeneve(t *twin) step {
	t.need(8)
	options, control, kind := t.u8(), t.u8(), t.u16()
	t.network()
	has(options < 64 && control < 128)
	t.bytes(options * 4)
	return twinEtherType(kind)
}

func twinGTPU(t *twin) step {
	t.need(8)
	flags, message, length := t.u8(), t.u8(), t.u16()
	t.u32()
	has(flags>>4 == 3 && message == 255 && (length <= t.n || t.inFragment()))
	t.end(length)
	if flags&7 != 0 {
		next := t.u32() & 0xff
		for next > 0 && flags&4 != 0 {
			t.need(1)
			size := t.at(0) * 4
			has(size > 0)
			header := t.bytes(size)
			next = int(header[size-1])
		}
	}
	t.need(1)
	versions := map[int]step{4: twinIPv4, 6: twinIPv6}
	has(versions[t.at(0)>>4] != nil)
	return versions[t.at(0)>>4]
}

func twinL2TP(t *twin) step {
	start := t.n
	flags := t.u16()
	has(flags&0x800f == 2)
	if flags&0x4000 != 0 {
		size := t.u16()
		has(size >= 4 && (size <= start || t.inFragment()))
		t.end(size - 4)
	}
	size := 4
	if flags&0x0800 != 0 {
		size += 4
	}
	if flags&0x0200 != 0 {
		t.need(size + 2)
		t.bytes(size)
		size = t.u16()
	}
	has(t.n > size)
	t.bytes(size)
	return twinHDLC
}

func twinL2TPv3(t *twin) step {
	has(t.u16at(0)&0x8000 == 0 && len(t.b) > 4)
	t.u32()
	next := t.twinSession()
	has(next != nil)
	return next
}

// sessionFronts are what the frames of a session begin with, in hexadecimal: Ethernet,
// PPP with and without an address, Cisco HDLC, and nothing.
var sessionFronts = []*regexp.Regexp{
	regexp.MustCompile("^.{24}((8100|88a8)....){0,19}(0800|86dd)"),
	regexp.MustCompile("^ff0300(21|57)"),
	regexp.MustCompile("^00(21|57)"),
	regexp.MustCompile("^[08]f00(0800|86dd)"),
	regexp.MustCompile("^"),
}

// twinSession returns what an L2TPv3 session carries, nil if that is not known.
func (t *twin) twinSession() step {
	if t.u16at(0) <= 0 && t.u16at(2) <= 0 {
		return nil
	}
	for skip := 4; skip <= 16 && skip < len(t.b); skip += 4 {
		for i, pattern := range sessionFronts {
			front := pattern.FindString(hex.EncodeToString(t.b[skip:]))
			if i < 4 && front == "" {
				continue
			}
			at := skip + len(front)/2
			ip, n := t.b[at:], t.n-at
			four := strings.HasSuffix(front, "0800") || strings.HasSuffix(front, "0021") || front == "" && t.at(at)>>4 == 4
			next := []step{twinBridged, twinHDLC, twinHDLC, twinCisco, twinIPv6}[i]
			if front == "" && four {
				next = twinIPv4
			}
			if four && t.rightIPv4(ip, n) || !four && t.rightIPv6(ip, n) {
				t.bytes(skip)
				return next
			}
		}
	}
	return nil
}

func (t *twin) rightIPv4(b []byte, n int) bool {
	if len(b) < 20 || b[0] < 0x45 || b[0] > 0x4f || len(b) < int(b[0]-0x40)*4 {
		return false
	}
	total, sum := int(b[2])<<8|int(b[3]), 0
	for i, x := range b[:int(b[0]-0x40)*4] {
		sum += int(x) << (8 - i%2*8)
	}
	return (total <= n || t.inFragment()) && total >= int(b[0]-0x40)*4 && sum > 0 && sum%0xffff == 0
}

func (t *twin) rightIPv6(b []byte, n int) bool {
	if len(b) < 40 || b[0]>>4 != 6 || !slices.Contains([]byte{0, 6, 17, 43, 44, 58, 60}, b[6]) {
		return false
	}
	whole := 40 + (int(b[4])<<8 | int(b[5]))
	return whole == n || whole > n && t.inFragment()
}

func twinTeredo(t *twin) step {
	t.need(4)
	if t.u16at(0) == 1 {
		t.u16()
		size := t.u8() + t.u8()
		t.bytes(size + 9)
	}
	t.need(4)
	if t.u16at(0) == 0 {
		t.bytes(8)
	}
	t.need(40)
	has(t.at(0)>>4 == 6 && (t.n >= 40+t.u16at(4) || t.inFragment()))
	return twinIPv6
}
