package workload

import (
	"encoding/binary"
	"math"
)

const (
	second      = 1_000_000 // in microseconds
	millisecond = 1_000

	crowdSize = 3000 // benign conversations at a time
)

// The kinds of benign conversations.
const (
	lookup   kind = iota // DNS: a query and its answer, sometimes two
	web                  // a connection with a few requests, and pauses between them
	transfer             // a connection with one long download or upload
	quic                 // a download over UDP
	chat                 // a connection with small messages and long pauses
)

// benign writes a mix of conversations of which three thousand go on at a time,
// 30 in 100 over IPv6.
func (g *generator) benign(packets int) {
	c := g.newBenign()
	for range packets {
		c.packet()
	}
}

func (g *generator) newBenign() *crowd {
	return newCrowd(crowdSize, 2*second, g.beginBenign, g.nextBenign)
}

// beginBenign begins a conversation of some kind.
func (g *generator) beginBenign(c *conversation) int {
	*c = conversation{v6: g.chance(30), pace: g.between(millisecond, 100*millisecond)}
	c.client.port = uint16(g.between(32768, 60999))
	c.server.port = 443
	if c.v6 {
		c.client.hi, c.client.lo = 0x2001_0db8_0001_0000|uint64(g.random.IntN(256)), g.random.Uint64()
		c.server.hi, c.server.lo = 0x2001_0db8_ffff_0000, uint64(g.between(1, 400))
	} else {
		c.client.lo = 10<<24 | uint64(g.random.IntN(1<<16))
		c.server.lo = 198<<24 | 51<<16 | 100<<8 | uint64(g.between(1, 250))
	}
	c.seq = [2]uint32{g.random.Uint32(), g.random.Uint32()}
	switch n := g.random.IntN(100); {
	case n < 50:
		c.kind, c.exchanges, c.server.port = lookup, g.random.IntN(2), 53
	case n < 89:
		c.kind, c.exchanges = web, g.random.IntN(3)
	case n < 90:
		c.kind, c.upload, c.pace = transfer, g.chance(25), g.between(millisecond, 20*millisecond)
	case n < 94:
		c.kind = quic
	default:
		c.kind, c.exchanges, c.server.port = chat, g.between(2, 12), 5222
	}
	return g.between(0, 3*second)
}

// burst returns a number of data packets: mostly few, sometimes many (Pareto,
// with the exponent 4/5).
func (g *generator) burst(least, most float64) int {
	u := 1 - g.random.Float64()
	return int(min(least/(u*math.Sqrt(math.Sqrt(u))), most))
}

func (g *generator) nextBenign(c *conversation, micros int64) int {
	switch c.kind {
	case lookup:
		return g.nextLookup(c, micros)
	case quic:
		return g.nextQUIC(c, micros)
	}
	return g.nextConnection(c, micros)
}

func (g *generator) nextLookup(c *conversation, micros int64) int {
	if c.step++; c.step == 1 {
		c.left = g.random.IntN(1 << 16)
		g.query(c, micros, false, 0)
		return g.between(millisecond, 40*millisecond)
	}
	g.query(c, micros, true, g.between(16, 400))
	if c.exchanges == 0 {
		return over
	}
	c.exchanges--
	c.step = 0
	return g.between(10, millisecond)
}

// question asks for an IPv4 address (RFC 1035, 4.1.2).
const question = "\x04mail\x07example\x03org\x00\x00\x01\x00\x01"

// query writes a DNS query with the identification c.left, or an answer if it
// has a record (RFC 1035, 4.1). That is of type NULL, which holds any bytes.
func (g *generator) query(c *conversation, micros int64, fromServer bool, record int) {
	const size = 12 + len(question)
	b := g.datagram(c, micros, fromServer, size+record)
	be := binary.BigEndian
	be.PutUint16(b, uint16(c.left))
	be.PutUint32(b[2:], 0x0100_0001) // recursion desired, one question
	clear(b[6:12])
	copy(b[12:], question)
	if record > 0 {
		b[2], b[3], b[7] = 0x81, 0x80, 1 // an answer, with one record
		b = b[size:]
		be.PutUint64(b, 0xc00c_000a_0001_0000) // the name asked for, NULL, Internet
		be.PutUint16(b[8:], 300)               // seconds
		be.PutUint16(b[10:], uint16(record-12))
	}
	g.seal()
}

func (g *generator) nextQUIC(c *conversation, micros int64) int {
	defer g.seal()
	c.step++
	switch {
	case c.step == 1:
		c.left = 4 + g.burst(3, 3000)
		g.datagram(c, micros, false, 1250)
		return g.between(5*millisecond, 50*millisecond)
	case c.step%8 == 0:
		g.datagram(c, micros, false, g.between(25, 45))
	default:
		g.datagram(c, micros, true, 1250)
		if c.left--; c.left == 0 {
			return over
		}
	}
	return g.between(1, c.pace)
}

// The steps of a connection.
const (
	opening   = iota // SYN
	accepting        // SYN, ACK
	opened           // ACK
	asking           // the request
	answering        // two packets of data, or the last one
	acking           // their ACK
	closing          // FIN of the client, or RST
	closed           // FIN of the server
)

// nextConnection writes the next segment of a TCP connection: handshake,
// exchanges of a request and data with pauses between them, and FINs.
func (g *generator) nextConnection(c *conversation, micros int64) int {
	step := c.step
	c.step++
	switch step {
	case opening:
		g.segment(c, micros, false, syn, 20, 0)
		return g.between(2*millisecond, 60*millisecond)
	case accepting:
		g.segment(c, micros, true, syn|ack, 20, 0)
		return g.between(100, millisecond)
	case opened:
		g.segment(c, micros, false, ack, 12, 0)
		return g.between(50, millisecond)
	case asking:
		c.left = g.dataPackets(c)
		g.segment(c, micros, false, psh|ack, 12, g.between(40, 900))
		return g.between(5*millisecond, 60*millisecond)
	case answering:
		g.data(c, micros)
		return g.between(1, c.pace)
	case acking:
		g.segment(c, micros, c.upload, ack, 12, 0)
		return g.afterACK(c)
	case closing:
		if g.chance(4) {
			g.segment(c, micros, false, rst, 0, 0)
			return over
		}
		g.segment(c, micros, false, fin|ack, 12, 0)
		return g.between(millisecond, 40*millisecond)
	case closed:
		g.segment(c, micros, true, fin|ack, 12, 0)
		return g.between(50, millisecond)
	}
	g.segment(c, micros, false, ack, 12, 0)
	return over
}

// dataPackets returns the packets of data that follow a request.
func (g *generator) dataPackets(c *conversation) int {
	switch c.kind {
	case transfer:
		return g.between(200, 4000)
	case chat:
		return 1
	}
	return g.burst(2, 1500)
}

// data writes a packet of data. The last one of an exchange is not full.
func (g *generator) data(c *conversation, micros int64) {
	c.left--
	payload, flags := mtu-20-32, uint8(ack)
	if c.v6 {
		payload -= 20
	}
	switch {
	case c.kind == chat:
		payload, flags = g.between(10, 200), ack|psh
	case c.left == 0:
		payload, flags = g.between(1, payload), ack|psh
	}
	g.segment(c, micros, !c.upload, flags, 12, payload)
	if c.left%2 == 1 {
		c.step = answering
	}
}

// afterACK says what comes behind the ACK of data, and after what time.
func (g *generator) afterACK(c *conversation) int {
	if c.left > 0 {
		c.step = answering
		return g.between(1, c.pace)
	}
	if c.exchanges == 0 {
		return g.between(millisecond, second)
	}
	c.exchanges--
	c.step = asking
	if c.kind == chat {
		return g.between(second, 30*second)
	}
	return g.between(50*millisecond, 20*second)
}
