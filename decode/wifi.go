package decode

func (p *Packet) radiotap(b []byte, n int) Class { return NotIP }
