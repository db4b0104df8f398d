// Package live takes packets from network interfaces. A [Ring] is a source for
// flowfast.NewSource: the kernel writes frames into memory that it shares with the
// program (an AF_PACKET socket with a TPACKET_V3 ring), and they are lent from there.
//
// What it gives is what tcpdump would have written to a capture at the same time:
// link types, VLAN tags and cooked frames are those of libpcap. It is there on Linux;
// elsewhere [Open] returns [ErrUnsupported].
package live

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/net/bpf"
)

// ErrUnsupported is the error of systems other than Linux.
var ErrUnsupported = errors.New("live capture needs Linux; elsewhere use a pipe: tcpdump -i IFACE -w - | flowfast - OUTPUT")

// ErrNoInterface is the error of an interface that is not there.
var ErrNoInterface = errors.New("no such interface")

// Any is the name that stands for all interfaces. Its frames are cooked: they have
// the link type LINUX_SLL2.
const Any = "any"

// DefaultMemory is the size of a ring for which [Options] say none, in bytes.
const DefaultMemory = 32 << 20

// BufferTimeoutWithin returns an [Options.BufferTimeout] for rows that are to be out
// within a time, and what is left of that for what comes after the ring.
func BufferTimeoutWithin(flush time.Duration) (timeout, left time.Duration) {
	timeout = min(max(flush/5, time.Millisecond), 200*time.Millisecond)
	return timeout, max(flush-2*timeout, flush/2)
}

// DefaultBufferTimeout is the timeout for which [Options] say none.
const DefaultBufferTimeout = 50 * time.Millisecond

// Options say what a ring takes. The zero Options are the default.
type Options struct {
	// SnapLen is the most bytes that are kept of a frame; 0 stands for 262144,
	// which is the most.
	SnapLen int
	// Promiscuous has the interfaces take frames that are for others.
	Promiscuous bool
	// Filter returns a program of the BSD Packet Filter for a link type, nil for
	// none. The kernel runs it, so that frames that do not match cost little.
	Filter func(linkType uint32) ([]bpf.RawInstruction, error)
	// Memory is the size of the ring, in bytes; 0 stands for 32 MiB. It is what the
	// frames of a busy moment have room in.
	Memory int
	// BufferTimeout is how long packets may lie in the ring before Read is told of them,
	// where they are few: twice that at most. Whatever comes meanwhile costs one
	// awakening. It is counted in milliseconds, from 1 to a second; 0 stands for
	// [DefaultBufferTimeout].
	BufferTimeout time.Duration
	// Wait takes an interface that is not there for one that will be. Without it
	// that is an error of Open.
	Wait bool
	// Notice is told what becomes of the interfaces, if it is not nil, from the
	// goroutine that reads.
	Notice func(text string)
}

const (
	maxSnapLen = 262144 // as of tcpdump
	blockSize  = 1 << 20
)

func (o *Options) check(names []string) error {
	switch {
	case len(names) == 0:
		return errors.New("no interface")
	case slices.Contains(names, Any) && len(names) > 1:
		return errors.New("any stands for all interfaces: it can't be combined with others")
	case o.SnapLen < 0 || o.SnapLen > maxSnapLen:
		return fmt.Errorf("snap length %d: want 1 to %d", o.SnapLen, maxSnapLen)
	case o.Memory < 0 || o.Memory > math.MaxInt32:
		return fmt.Errorf("a ring of %d bytes: want 2 GiB at most", o.Memory)
	}
	if t := o.BufferTimeout; t != 0 && (t < time.Millisecond || t > time.Second) {
		return fmt.Errorf("a buffer timeout of %v: want 1 ms to 1 s", t)
	}
	for i, name := range names {
		if name == "" || len(name) > maxName {
			return fmt.Errorf("interface %q: a name has 1 to %d bytes", name, maxName)
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("interface %s: is given twice", name)
		}
	}
	if o.SnapLen == 0 {
		o.SnapLen = maxSnapLen
	}
	if o.BufferTimeout == 0 {
		o.BufferTimeout = DefaultBufferTimeout
	}
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	return nil
}

// maxName is the most bytes of an interface's name (IFNAMSIZ with its zero).
const maxName = 15

// Counters tell what a ring has seen, and what was lost.
type Counters struct {
	// Packets is the number of frames that the filter took and that were to go into
	// the ring, Dropped that of those among them for which it had no room.
	Packets uint64 `json:"packets"`
	Dropped uint64 `json:"dropped"`
	// Freezes is how often the ring was full.
	Freezes uint64 `json:"freezes"`
	// Large is the number of frames longer than the MTU of their interface allows:
	// the kernel or the card has joined several, or is to cut them later.
	Large uint64 `json:"over_mtu"`
	// Cut is the number of frames of which the snap length has left something out.
	Cut uint64 `json:"cut"`
	// Missing is the number of interfaces that are not there or down.
	Missing int `json:"missing_interfaces"`
	// Latest is the time of the latest packet in nanoseconds since the Unix epoch.
	Latest int64 `json:"-"`
	// Lag is how long the first of the packets that were read last had been waiting,
	// MaxLag the longest time so, in seconds. Where the clock is set they are wrong.
	Lag    time.Duration `json:"-"`
	MaxLag float64       `json:"max_lag_seconds"`
}

// warnings are what a reader of the rows should know.
func (c Counters) warnings() []string {
	var all []string
	if c.Dropped > 0 {
		all = append(all, fmt.Sprintf("the kernel dropped %d of %d packets, since the ring was full, %d times: flows lack them",
			c.Dropped, c.Packets, c.Freezes))
	}
	if c.Large > 0 {
		all = append(all, fmt.Sprintf("%d frames are longer than the MTU: several packets that the system joined (GRO) or will cut (TSO), "+
			"so counts are too small and sizes too large; ethtool -K IFACE gro off lro off tso off gso off ends it", c.Large))
	}
	return all
}
