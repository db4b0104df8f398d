package workload

import "encoding/binary"

// A conversation is a flow that is being written.
type conversation struct {
	client, server endpoint
	v6             bool
	upload         bool // the client sends the data
	kind           kind
	step           int       // what comes next
	seq            [2]uint32 // next sequence numbers of client and server
	left           int       // data packets of this exchange
	exchanges      int       // after this one
	pace           int       // most microseconds between packets of data
}

type kind uint8

// segment writes a TCP segment of the conversation.
func (g *generator) segment(c *conversation, micros int64, fromServer bool, flags uint8, options, payload int) {
	src, dst, from, to := &c.client, &c.server, 0, 1
	if fromServer {
		src, dst, from, to = dst, src, 1, 0
	}
	acked := c.seq[to]
	if flags&ack == 0 {
		acked = 0
	}
	g.fill(g.tcp(micros, c.v6, src, dst, flags, c.seq[from], acked, options, payload))
	g.seal()
	c.seq[from] += uint32(payload)
	if flags&(syn|fin) != 0 {
		c.seq[from]++
	}
}

// datagram writes a UDP datagram of the conversation, and returns its payload
// to be overwritten before it is sealed.
func (g *generator) datagram(c *conversation, micros int64, fromServer bool, payload int) []byte {
	src, dst := &c.client, &c.server
	if fromServer {
		src, dst = dst, src
	}
	b := g.udp(micros, c.v6, src, dst, payload)
	g.fill(b)
	return b
}

// fillerSize is more than the window of a compressor at its usual levels, so
// that no payload is found twice.
const fillerSize = 16 << 20

// fill fills a payload: two thirds are random, as if encrypted, the others have
// 5 bits in a byte.
func (g *generator) fill(payload []byte) {
	if len(payload) == 0 {
		return
	}
	if g.filler == nil {
		g.filler = make([]byte, fillerSize)
		for i := 0; i < len(g.filler); i += 8 {
			word := g.random.Uint64()
			if i < len(g.filler)/3 {
				word = word&0x1f1f1f1f_1f1f1f1f | 0x60606060_60606060
			}
			binary.LittleEndian.PutUint64(g.filler[i:], word)
		}
	}
	copy(payload, g.filler[g.random.IntN(len(g.filler)-mtu):])
}

// A crowd is conversations that go on at the same time.
type crowd struct {
	conversations []conversation
	schedule      []appointment // a heap, the earliest first
	// next writes the next packet of a conversation and returns how many
	// microseconds later another one comes; over if none does.
	next func(c *conversation, micros int64) int
	// begin makes a conversation a new one and returns after what time its
	// first packet comes.
	begin func(c *conversation) int
}

const over = -1

// An appointment is when a conversation goes on.
type appointment struct {
	micros int64
	who    int32
}

// newCrowd makes conversations that begin in the first micros of a capture.
func newCrowd(size, micros int, begin func(*conversation) int, next func(*conversation, int64) int) *crowd {
	c := &crowd{conversations: make([]conversation, size), schedule: make([]appointment, size), next: next, begin: begin}
	for i := range c.conversations {
		begin(&c.conversations[i])
		c.schedule[i] = appointment{int64(i) * int64(micros) / int64(size), int32(i)} // in order: a heap
	}
	return c
}

// when returns the time of the next packet.
func (c *crowd) when() int64 { return c.schedule[0].micros }

// packet writes the next packet. A conversation that is over makes room for
// another one.
func (c *crowd) packet() {
	first := c.schedule[0]
	who := &c.conversations[first.who]
	wait := c.next(who, first.micros)
	if wait == over {
		wait = c.begin(who)
	}
	c.postpone(first.micros + int64(wait))
}

// postpone moves the first appointment to a later time.
func (c *crowd) postpone(micros int64) {
	s := c.schedule
	moved := appointment{micros, s[0].who}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(s) {
			break
		}
		if child+1 < len(s) && s[child+1].micros < s[child].micros {
			child++
		}
		if s[child].micros >= micros {
			break
		}
		s[i] = s[child]
		i = child
	}
	s[i] = moved
}
