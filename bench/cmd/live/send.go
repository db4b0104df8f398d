//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flowfast/flowfast/decode"
)

// A sender sends frames through an interface.
type sender struct {
	socket int
	to     unix.SockaddrLinklayer
	// fill makes the frame of a number.
	fill  func(n uint64)
	frame []byte
	sent  uint64
	took  time.Duration
}

func newSender(iface string) (*sender, error) {
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	s := &sender{socket: socket}
	ifr, err := unix.NewIfreq(iface)
	if err == nil {
		err = unix.IoctlIfreq(socket, unix.SIOCGIFINDEX, ifr)
	}
	if err == nil { // no queue before the cable
		err = unix.SetsockoptInt(socket, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1)
	}
	if err != nil {
		unix.Close(socket)
		return nil, fmt.Errorf("%s: %w", iface, err)
	}
	s.to.Ifindex = int(ifr.Uint32())
	return s, nil
}

func (s *sender) close() { unix.Close(s.socket) }

// Places in a frame: Ethernet, then IPv4 without options.
const (
	atProtocol = 14 + 9
	atChecksum = 14 + 10
	atSource   = 14 + 12
	atTarget   = 14 + 16
	atPorts    = 14 + 20
	atLength   = atPorts + 4 // UDP
	atFlags    = atPorts + 13
)

// newFrame returns a frame of a size with headers for a protocol.
func newFrame(size int, protocol byte) []byte {
	b := make([]byte, size)
	copy(b, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00\x45\x00")
	binary.BigEndian.PutUint16(b[16:], uint16(size-14))
	b[22], b[atProtocol] = 64, protocol
	copy(b[atTarget:], "\xc6\x33\x64\x50") // 198.51.100.80
	switch protocol {
	case unix.IPPROTO_UDP:
		binary.BigEndian.PutUint16(b[atLength:], uint16(size-atPorts))
		binary.BigEndian.PutUint16(b[atPorts+2:], 53)
	case unix.IPPROTO_TCP:
		binary.BigEndian.PutUint16(b[atPorts+2:], 80)
		b[atPorts+12], b[atFlags] = 5<<4, decode.SYN
	}
	return b
}

// from gives the frame the source of a flow, and the checksum of its IPv4 header.
func (s *sender) from(flow uint64) {
	b := s.frame
	b[atSource] = 10
	b[atSource+1], b[atSource+2], b[atSource+3] = byte(flow>>32), byte(flow>>24), byte(flow>>16)
	binary.BigEndian.PutUint16(b[atPorts:], uint16(flow))
	b[atChecksum], b[atChecksum+1] = 0, 0
	sum := uint32(0)
	for i := 14; i < atPorts; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum>>16 + sum&0xffff
	sum += sum >> 16
	binary.BigEndian.PutUint16(b[atChecksum:], ^uint16(sum))
}

// datagrams has the sender send UDP packets of 200 bytes of so many flows at a time,
// each of so many packets; 0 for endless ones.
func (s *sender) datagrams(flows, packets uint64) {
	s.frame = newFrame(200, unix.IPPROTO_UDP)
	s.fill = func(n uint64) {
		flow := n % flows
		if packets > 0 {
			flow += n / (flows * packets) * flows
		}
		s.from(flow)
	}
}

// flood has the sender send SYN packets, each a flow of its own.
func (s *sender) flood() {
	s.frame = newFrame(60, unix.IPPROTO_TCP)
	s.fill = s.from
}

// run sends at a rate, 0 for as fast as it goes, for so long or until the context
// ends.
func (s *sender) run(ctx context.Context, rate int, d time.Duration) error {
	began, before := time.Now(), s.sent
	defer func() { s.took = time.Since(began) }()
	for {
		elapsed := time.Since(began)
		if elapsed >= d || ctx.Err() != nil {
			return nil
		}
		due := s.sent + 256
		if rate > 0 {
			due = min(due, before+uint64(elapsed.Seconds()*float64(rate)))
		}
		for s.sent < due {
			s.fill(s.sent)
			err := unix.Sendto(s.socket, s.frame, 0, &s.to)
			if errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.EINTR) { // it was not sent: again
				continue
			}
			if err != nil {
				return fmt.Errorf("send: %w", err)
			}
			s.sent++
		}
		if rate > 0 {
			time.Sleep(200 * time.Microsecond)
		}
	}
}
