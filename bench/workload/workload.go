// Package workload generates the captures that the benchmarks run on. The same
// name, scale and seed give the same bytes.
package workload

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
)

// Names are the workloads, with their packets at scale 1.
//
//	benign    requests and responses of many sizes, UDP and TCP, about 1 GB
//	elephant  eight flows of full-size packets, about 1.5 GB
//	slow      45,000 slow connections of small packets, about 300 MB
//	flood     a SYN flood: every packet a new flow, 760 MB
//	dos       a flood mixed into benign traffic
func Names() []string { return []string{"benign", "elephant", "slow", "flood", "dos"} }

var packets = map[string]int{"benign": 1_100_000, "elephant": 1_500_000, "slow": 3_600_000, "flood": 10_000_000, "dos": 6_000_000}

// Packets returns how many packets a workload has at a scale, 0 for a name
// that is none.
func Packets(name string, scale float64) int {
	return int(float64(packets[name]) * scale)
}

// Write writes a workload as a classic pcap file with microseconds.
func Write(to io.Writer, name string, scale float64, seed uint64) error {
	n := Packets(name, scale)
	if n == 0 {
		return fmt.Errorf("workload %q at scale %v: want one of %v, and a packet at least", name, scale, Names())
	}
	g := &generator{w: bufio.NewWriterSize(to, 1<<20), random: rand.New(rand.NewPCG(seed, 1)), clock: 1_700_000_000_000_000}
	g.header()
	for i := range n {
		switch name {
		case "benign":
			g.benign(i)
		case "elephant":
			g.elephant(i)
		case "slow":
			g.slow(i)
		case "flood":
			g.flood(i)
		case "dos":
			if g.random.IntN(6) == 0 {
				g.benign(i)
			} else {
				g.flood(i)
			}
		}
	}
	return g.w.Flush()
}

const (
	syn  = 0x02
	psh  = 0x18 // with ACK
	ack  = 0x10
	web  = 0xc0000201 // 192.0.2.1
	full = 1514
)

type generator struct {
	w      *bufio.Writer
	random *rand.Rand
	clock  uint64 // microseconds
	frame  [16 + full]byte
}

func (g *generator) header() {
	var h [24]byte
	le := binary.LittleEndian
	le.PutUint32(h[0:], 0xa1b2c3d4)
	le.PutUint16(h[4:], 2)
	le.PutUint16(h[6:], 4)
	le.PutUint32(h[16:], 65535)
	le.PutUint32(h[20:], 1) // Ethernet
	_, _ = g.w.Write(h[:])  // an error comes with Flush
}

// packet writes an Ethernet frame of size bytes, after a time of up to wait
// microseconds.
func (g *generator) packet(wait, size int, proto uint8, src, dst uint32, srcPort, dstPort uint16, flags uint8, seq uint32) {
	g.clock += uint64(g.random.IntN(wait))
	b := g.frame[:16+size]
	le, be := binary.LittleEndian, binary.BigEndian
	le.PutUint32(b, uint32(g.clock/1e6))
	le.PutUint32(b[4:], uint32(g.clock%1e6))
	le.PutUint32(b[8:], uint32(size))
	le.PutUint32(b[12:], uint32(size))
	be.PutUint16(b[28:], 0x0800)
	ip := b[30:]
	ip[0], ip[8], ip[9] = 0x45, 64, proto
	be.PutUint16(ip[2:], uint16(size-14))
	be.PutUint32(ip[12:], src)
	be.PutUint32(ip[16:], dst)
	be.PutUint16(ip[20:], srcPort)
	be.PutUint16(ip[22:], dstPort)
	if proto == 17 {
		be.PutUint16(ip[24:], uint16(size-34))
	} else {
		be.PutUint32(ip[24:], seq)
		ip[32], ip[33] = 0x50, flags
	}
	_, _ = g.w.Write(b)
}

// benign: about two thousand conversations at a time, a tenth of them DNS;
// they come and go. 900 bytes a packet.
func (g *generator) benign(i int) {
	r := g.random
	client := uint32(r.IntN(2000) + i/5000*500)
	port := uint16(20000 + client%40000)
	if client%10 == 0 {
		if r.IntN(2) == 0 {
			g.packet(400, 70+r.IntN(30), 17, 0x0a000000+client, web, port, 53, 0, 0)
		} else {
			g.packet(400, 100+r.IntN(400), 17, web, 0x0a000000+client, 53, port, 0, 0)
		}
		return
	}
	size := full
	switch r.IntN(5) {
	case 0:
		size = 66 + r.IntN(full-66)
	case 1:
		size = 66
	}
	if r.IntN(3) == 0 {
		g.packet(400, min(size, 66+r.IntN(500)), 6, 0x0a000000+client, web, port, 443, psh, uint32(i))
	} else {
		g.packet(400, size, 6, web, 0x0a000000+client, 443, port, ack, uint32(i))
	}
}

func (g *generator) elephant(i int) {
	client := uint32(g.random.IntN(8))
	if g.random.IntN(3) == 0 {
		g.packet(20, 66, 6, 0x0a000000+client, web, uint16(40000+client), 443, ack, uint32(i))
	} else {
		g.packet(20, full, 6, web, 0x0a000000+client, 443, uint16(40000+client), ack, uint32(i))
	}
}

func (g *generator) slow(i int) {
	client := uint32(g.random.IntN(45000))
	size := 60 + 8*g.random.IntN(4)
	if g.random.IntN(2) == 0 {
		g.packet(200, size, 6, 0x0a000000+client, web, uint16(client), 80, psh, uint32(i))
	} else {
		g.packet(200, 60, 6, web, 0x0a000000+client, 80, uint16(client), ack, uint32(i))
	}
}

// flood: each packet from an address and port that were not there before, in
// no order.
func (g *generator) flood(i int) {
	source := uint32(i) * 2654435761 // odd: different for each of 2^32 packets
	g.packet(3, 60, 6, source, web, uint16(source>>7), 80, syn, g.random.Uint32())
}
