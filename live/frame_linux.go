package live

import (
	"encoding/binary"
	"net"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/flowfast/flowfast/ioutil"
)

// Places in the header of a block (linux/if_packet.h, tpacket_block_desc).
const (
	blockStatus = 8
	blockFrames = 12
	blockFirst  = 16
)

// Places in the header of a frame (tpacket3_hdr), and in the address behind it
// (sockaddr_ll).
const (
	frameNext    = 0
	frameSeconds = 4
	frameNanos   = 8
	frameSnap    = 12
	frameLength  = 16
	frameStatus  = 20
	frameData    = 24
	frameTCI     = 32
	frameTPID    = 36

	addressProtocol = 48 + 2
	addressIndex    = 48 + 4
	addressHardware = 48 + 8
	addressPacket   = 48 + 10
	addressLength   = 48 + 11
	address         = 48 + 12
)

// Cooked headers, and the room before the frames in which they are written
// (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and _SLL2.html).
const (
	sllSize  = 16
	sll2Size = 20
	tagSize  = 4
	macsSize = 12
	reserve  = 32
)

// status returns the word that says whose a block is. The kernel writes it at the
// same time.
func (r *Ring) status(block int) *uint32 {
	return (*uint32)(unsafe.Pointer(&r.memory[block*blockSize+blockStatus]))
}

// release gives back the blocks whose frames have all been lent before.
func (r *Ring) release() {
	if r.inside && r.left == 0 {
		r.inside = false
		r.held++
	}
	for ; r.held > 0; r.held-- {
		atomic.StoreUint32(r.status(r.first), unix.TP_STATUS_KERNEL)
		r.first = (r.first + 1) % r.blocks
	}
}

// take lends frames of the blocks that are there.
func (r *Ring) take(packets []ioutil.Record) int {
	if r.memory == nil {
		return 0
	}
	n := 0
	for n < len(packets) {
		if r.left == 0 {
			if r.inside {
				r.inside = false
				r.held++
			}
			block := (r.first + r.held) % r.blocks
			if r.held == r.blocks || atomic.LoadUint32(r.status(block))&unix.TP_STATUS_USER == 0 {
				break
			}
			head := r.memory[block*blockSize:]
			r.inside = true
			r.left = int(binary.NativeEndian.Uint32(head[blockFrames:]))
			r.at = block*blockSize + int(binary.NativeEndian.Uint32(head[blockFirst:]))
			continue
		}
		b := r.memory[r.at:]
		r.at += int(binary.NativeEndian.Uint32(b[frameNext:]))
		r.left--
		if r.frame(&packets[n], b) {
			n++
		}
	}
	if n > 0 {
		r.latest.Store(packets[n-1].Time)
	}
	return n
}

// frame makes a packet of a frame, and returns false if it is none that is wanted.
func (r *Ring) frame(p *ioutil.Record, b []byte) bool {
	native := binary.NativeEndian
	l := r.linkOf(int(int32(native.Uint32(b[addressIndex:]))))
	if l == nil {
		return false
	}
	status := native.Uint32(b[frameStatus:])
	at, size := int(native.Uint16(b[frameData:])), int(native.Uint32(b[frameSnap:]))
	length := native.Uint32(b[frameLength:])
	if length > l.longest {
		r.large.Add(1)
	}
	before, header := 0, 0 // how many bytes a tag comes behind
	switch l.linkType {
	case linkEthernet:
		before = macsSize
	case linkSLL:
		header, before = sllSize, sllSize-2
		sll(b[at-sllSize:at], b)
	case linkSLL2:
		header = sll2Size
		sll2(b[at-sll2Size:at], b)
	}
	at, size, length = at-header, size+header, length+uint32(header)
	tagged := status&unix.TP_STATUS_VLAN_VALID != 0
	if tagged && before > 0 && size >= before {
		tpid := uint16(unix.ETH_P_8021Q)
		if status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
			tpid = native.Uint16(b[frameTPID:])
		}
		at, size, length = at-tagSize, size+tagSize, length+tagSize
		copy(b[at:], b[at+tagSize:at+tagSize+before])
		binary.BigEndian.PutUint16(b[at+before:], tpid)
		binary.BigEndian.PutUint16(b[at+before+2:], uint16(native.Uint32(b[frameTCI:])))
	}
	data := b[at : at+size : at+size]
	if header > 0 {
		tagged = tagged || isTag(binary.BigEndian.Uint16(b[addressProtocol:]))
	}
	if vm := l.tagged; tagged && vm != nil || r.all != nil {
		if r.all != nil {
			vm = r.all
		}
		if n, err := vm.Run(data); err != nil || n == 0 {
			return false
		}
	}
	if len(data) > r.options.SnapLen {
		data = data[:r.options.SnapLen]
	}
	if len(data) < int(length) {
		r.cut.Add(1)
	}
	*p = ioutil.Record{
		Time:     int64(native.Uint32(b[frameSeconds:]))*1e9 + int64(native.Uint32(b[frameNanos:])),
		Data:     data,
		OrigLen:  length,
		LinkType: l.linkType,
		Fine:     true,
	}
	return true
}

// isTag reports whether a protocol is that of a VLAN tag.
func isTag(protocol uint16) bool {
	return protocol == unix.ETH_P_8021Q || protocol == unix.ETH_P_8021AD
}

// linkOf returns the interface of an index, nil for one that is not asked for.
func (r *Ring) linkOf(index int) *link {
	if r.last != nil {
		mtu, ok := r.last[index]
		if !ok {
			if found, err := net.InterfaceByIndex(index); err == nil {
				mtu = found.MTU
			} else {
				mtu = maxSnapLen // it is gone
			}
			r.last[index] = mtu
		}
		l := &r.links[0]
		l.longest = longest(linkSLL2, mtu)
		return l
	}
	if len(r.links) == 1 {
		return &r.links[0]
	}
	for i := range r.links {
		if r.links[i].was == index {
			return &r.links[i]
		}
	}
	return nil
}

// packetOutgoing is the type of a frame that this host sends.
const packetOutgoing = outgoing

// sll writes the header of a cooked frame.
func sll(to, b []byte) {
	native, network := binary.NativeEndian, binary.BigEndian
	network.PutUint16(to, uint16(packetType(b)))
	network.PutUint16(to[2:], native.Uint16(b[addressHardware:]))
	network.PutUint16(to[4:], uint16(b[addressLength]))
	copy(to[6:14], b[address:address+8])
	copy(to[14:16], b[addressProtocol:])
}

// sll2 writes the header of a cooked frame of version 2.
func sll2(to, b []byte) {
	native, network := binary.NativeEndian, binary.BigEndian
	copy(to, b[addressProtocol:addressProtocol+2])
	to[2], to[3] = 0, 0
	network.PutUint32(to[4:], native.Uint32(b[addressIndex:]))
	network.PutUint16(to[8:], native.Uint16(b[addressHardware:]))
	to[10], to[11] = packetType(b), b[addressLength]
	copy(to[12:20], b[address:address+8])
}

// packetType returns the type of a frame: those that libpcap knows, else -1.
func packetType(b []byte) byte {
	if t := b[addressPacket]; t <= packetOutgoing {
		return t
	}
	return 0xff
}
