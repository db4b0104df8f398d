package workload

// maxFlood is the most packets of a flood: each has an address of its own.
const maxFlood = 1 << 31

// victim is the server that floods and slow connections go to: 203.0.113.80.
var victim = endpoint{lo: 203<<24 | 113<<8 | 80, port: 80}

// flood writes a SYN flood, some 0.6 million packets a second.
func (g *generator) flood(packets int) {
	micros, last := int64(0), uint32(0)
	for range packets {
		last = g.spoofed(micros, last)
		micros += int64(g.random.IntN(4))
	}
}

// spoofed writes a SYN from a source that was not there before, given the
// number of the last one, and returns its number. Sources come in no order.
func (g *generator) spoofed(micros int64, last uint32) uint32 {
	for {
		last++
		address := last * 2654435761 // odd: another one for each of 2^32 numbers
		switch net := address >> 24; {
		case net == 0, net == 10, net == 127, net == 198, net == 203, net >= 224:
			continue // no address of a host, or that of another one here
		}
		random := g.random.Uint64()
		source := endpoint{lo: uint64(address), port: uint16(random>>32) | 1024}
		g.tcp(micros, false, &source, &victim, syn, uint32(random), 0, 4, 0)
		g.seal()
		return last
	}
}

// dos writes benign traffic and a flood of five times as many packets, which
// begins after a third of the benign ones.
func (g *generator) dos(packets int) {
	crowd := g.newBenign()
	calm := packets / 6
	flood := packets - calm
	for range calm / 3 {
		crowd.packet()
	}
	calm -= calm / 3
	micros, last := crowd.when(), uint32(0)
	for flood > 0 {
		if calm > 0 && crowd.when() <= micros {
			crowd.packet()
			calm--
			continue
		}
		last = g.spoofed(micros, last)
		micros += int64(g.random.IntN(9))
		flood--
	}
	for range calm {
		crowd.packet()
	}
}

// slow writes connections that send a few bytes of a request every five to
// fifteen seconds and never come to its end; 80 packets for each of them.
func (g *generator) slow(packets int) {
	const each = 80
	number := 0
	begin := func(c *conversation) int {
		*c = conversation{server: victim, seq: [2]uint32{g.random.Uint32(), g.random.Uint32()}}
		c.client.lo = 172<<24 | 16<<16 + uint64(number)/8 // eight from each address
		c.client.port = uint16(20000 + g.random.IntN(5000)*8 + number%8)
		number++
		return 0
	}
	crowd := newCrowd((packets+each-1)/each, 30*second, begin, g.nextSlow)
	for range packets {
		crowd.packet()
	}
}

func (g *generator) nextSlow(c *conversation, micros int64) int {
	step := c.step
	c.step++
	switch {
	case step == 0:
		g.segment(c, micros, false, syn, 4, 0)
	case step == 1:
		g.segment(c, micros, true, syn|ack, 4, 0)
	case step == 2:
		g.segment(c, micros, false, ack, 0, 0)
	case step%2 == 1:
		g.segment(c, micros, false, psh|ack, 0, g.between(8, 36))
	default:
		g.segment(c, micros, true, ack, 0, 0)
		return g.between(5*second, 15*second)
	}
	return g.between(10*millisecond, 80*millisecond)
}

// elephant writes eight transfers, with an ACK for every 40 packets, as where
// the card joins what it receives.
func (g *generator) elephant(packets int) {
	number := 0
	begin := func(c *conversation) int {
		*c = conversation{step: g.random.IntN(40)}
		c.client = endpoint{lo: 10<<24 | uint64(number+1), port: uint16(40000 + number)}
		c.server = endpoint{lo: 198<<24 | 51<<16 | 100<<8 | 1, port: 443}
		number++
		return 0
	}
	crowd := newCrowd(8, 100, begin, func(c *conversation, micros int64) int {
		if c.step++; c.step%40 == 0 {
			g.segment(c, micros, false, ack, 12, 0)
		} else {
			g.segment(c, micros, true, ack, 12, mtu-20-32)
		}
		return g.between(60, 120)
	})
	for range packets {
		crowd.packet()
	}
}
