package live

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/flowfast/flowfast/ioutil"
)

// A Ring takes packets from interfaces. Read belongs to one goroutine at a time, and
// Close comes after it; the other methods may be called from any.
//
// The kernel fills one block of the ring after the other and hands each over when it
// is full or has waited for long enough. A block is given back when Read is called
// again after the last of its frames was lent.
type Ring struct {
	names   []string
	options Options
	socket  int // -1 before an interface is there
	news    int // tells that something changed about interfaces
	poller  poller
	cooked  uint32
	bound   int         // index of the interface that the socket is bound to, 0 for all
	links   []link      // as they are now, in the order of names
	last    map[int]int // MTU by index, with any
	lo      int         // index of the loopback
	all     *bpf.VM     // filters all frames here, if the kernel can't

	memory []byte
	blocks int
	first  int // the oldest block that is not given back
	held   int // blocks that are read to their end, from first on
	inside bool
	left   int // frames of the block that is read
	at     int // where the next of them is

	patience time.Duration
	done     <-chan struct{} // of the context whose end wakes the poller
	unhook   func() bool     // ends that

	ending atomic.Bool
	endBy  time.Time

	latest  atomic.Int64
	lag     atomic.Int64 // of the packets read last
	mostLag atomic.Int64
	large   atomic.Uint64
	cut     atomic.Uint64
	missing atomic.Int64

	mu    sync.Mutex // guards what is below, and closing
	lost  Counters
	close bool
}

// A link is an interface.
type link struct {
	name     string
	index    int // 0 if it is not there
	was      int // when it was there last: frames of it may still be in the ring
	up       bool
	hardware uint16
	linkType uint32
	longest  uint32
	tagged   *bpf.VM // filter for frames with a tag that the kernel took out
}

// Open begins to take packets from an interface, or from [Any].
func Open(iface string, o Options) (*Ring, error) { return OpenAll([]string{iface}, o) }

// OpenAll begins to take packets from several interfaces, through one ring in the
// order of time.
func OpenAll(ifaces []string, o Options) (*Ring, error) {
	if err := o.check(ifaces); err != nil {
		return nil, err
	}
	r := &Ring{names: ifaces, options: o, socket: -1, news: -1, bound: -1, links: make([]link, len(ifaces)), unhook: func() bool { return true }}
	if err := r.open(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Ring) open() (err error) {
	if err := r.poller.open(); err != nil {
		return err
	}
	if r.news, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE); err == nil {
		err = unix.Bind(r.news, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK})
	}
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	if err := r.poller.add(r.news); err != nil {
		return err
	}
	// An interface that is waited for would hide that there is no permission.
	probe, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("no permission to capture: it needs root or CAP_NET_RAW (setcap cap_net_raw+ep flowfast): %w", err)
	} else if err != nil {
		return fmt.Errorf("packet socket: %w", err)
	}
	unix.Close(probe)
	return r.attach(true)
}

// Opened reports whether the socket is there, which comes with the first interface.
// Then the ring needs no permission any more.
func (r *Ring) Opened() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.socket >= 0
}

// attach looks at the interfaces and has the socket follow them.
func (r *Ring) attach(opening bool) error {
	if r.names[0] == Any {
		return r.attachAny()
	}
	changed, there := false, 0
	for i, name := range r.names {
		before := r.links[i]
		now, err := lookUp(r.news, name)
		if errors.Is(err, ErrNoInterface) && (!opening || r.options.Wait) {
			now = before
			now.name, now.index, now.up = name, 0, false
		} else if err != nil {
			return err
		}
		now.was = before.was
		if now.index != 0 {
			there++
			now.was = now.index
			if err := r.settle(&now); err != nil {
				return err
			}
		}
		r.tell(before, now, opening)
		changed = changed || now.index != before.index || now.linkType != before.linkType
		now.tagged = before.tagged
		r.links[i] = now
	}
	missing := 0
	for _, l := range r.links {
		if l.index == 0 || !l.up {
			missing++
		}
	}
	r.missing.Store(int64(missing))
	if there == 0 || !changed {
		return nil
	}
	if err := r.make(); err != nil {
		return err
	}
	if err := r.filter(); err != nil {
		return err
	}
	index := 0
	if len(r.names) == 1 {
		index = r.links[0].index
	}
	return r.bind(index)
}

func (r *Ring) attachAny() error {
	r.last = map[int]int{}
	if r.socket >= 0 {
		return nil
	}
	r.cooked = linkSLL2
	r.links[0].linkType = linkSLL2
	if err := r.make(); err != nil {
		return err
	}
	if err := r.filter(); err != nil {
		return err
	}
	return r.bind(0)
}

// settle says how the frames of an interface come.
func (r *Ring) settle(l *link) error {
	linkType, ok := linkTypes[l.hardware]
	switch {
	case ok:
		l.linkType = linkType
	case len(r.names) > 1:
		return fmt.Errorf("%s: frames of this kind of interface (%d) come only cooked: from it alone, or from any", l.name, l.hardware)
	default:
		l.linkType = linkSLL
	}
	l.longest += longest(l.linkType, 0)
	if r.socket < 0 {
		if !ok {
			r.cooked = linkSLL
		}
	} else if (r.cooked != 0) == ok {
		return fmt.Errorf("%s: came back as another kind of interface (%d)", l.name, l.hardware)
	}
	return nil
}

// tell says what has become of an interface.
func (r *Ring) tell(before, now link, opening bool) {
	if r.options.Notice == nil {
		return
	}
	name := now.name
	switch {
	case opening && now.index == 0:
		r.options.Notice(name + ": not there yet, waiting for it")
	case opening && !now.up:
		r.options.Notice(name + ": is down, waiting for it")
	case opening:
	case now.index == 0 && before.index != 0:
		r.options.Notice(name + ": gone, waiting for it")
	case now.up && (!before.up || now.index != before.index):
		r.options.Notice(name + ": up")
	case !now.up && (before.up || now.index != before.index):
		r.options.Notice(name + ": down, waiting for it")
	}
}

// lookUp returns an interface as the system has it now.
func lookUp(socket int, name string) (link, error) {
	l := link{name: name}
	ask := func(request uint) (*unix.Ifreq, error) {
		ifr, err := unix.NewIfreq(name)
		if err == nil {
			err = unix.IoctlIfreq(socket, request, ifr)
		}
		if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
			err = ErrNoInterface
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return ifr, err
	}
	ifr, err := ask(unix.SIOCGIFINDEX)
	if err != nil {
		return l, err
	}
	l.index = int(ifr.Uint32())
	if ifr, err = ask(unix.SIOCGIFHWADDR); err != nil {
		return l, err
	}
	l.hardware = ifr.Uint16()
	if ifr, err = ask(unix.SIOCGIFFLAGS); err != nil {
		return l, err
	}
	l.up = ifr.Uint16()&unix.IFF_UP != 0
	if ifr, err = ask(unix.SIOCGIFMTU); err != nil {
		return l, err
	}
	l.longest = ifr.Uint32()
	return l, nil
}

// make makes the socket and the ring, if there are none yet.
func (r *Ring) make() error {
	if r.socket >= 0 {
		return nil
	}
	kind := unix.SOCK_RAW
	if r.cooked != 0 {
		kind = unix.SOCK_DGRAM
	}
	// Protocol 0 takes nothing before the ring and the filter are there.
	socket, err := unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("packet socket: %w", err)
	}
	r.mu.Lock()
	r.socket = socket
	r.mu.Unlock()
	if err := unix.SetsockoptInt(socket, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("packet socket: TPACKET_V3: %w", err)
	}
	if err := unix.SetsockoptInt(socket, unix.SOL_PACKET, unix.PACKET_RESERVE, reserve); err != nil {
		return fmt.Errorf("packet socket: reserve: %w", err)
	}
	const frame = 2048 // of no meaning for V3, but it has to fit
	r.blocks = max(r.options.Memory/blockSize, 2)
	if err := unix.SetsockoptTpacketReq3(socket, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{
		Block_size:     blockSize,
		Block_nr:       uint32(r.blocks),
		Frame_size:     frame,
		Frame_nr:       uint32(r.blocks * blockSize / frame),
		Retire_blk_tov: uint32(r.options.BufferTimeout / time.Millisecond),
	}); err != nil {
		return fmt.Errorf("a ring of %d MiB: %w", r.blocks*blockSize>>20, err)
	}
	if r.memory, err = unix.Mmap(socket, 0, r.blocks*blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return fmt.Errorf("a ring of %d MiB: %w", r.blocks*blockSize>>20, err)
	}
	return r.poller.add(socket)
}

// filter gives the socket its filter.
func (r *Ring) filter() error {
	if lo, err := lookUp(r.news, "lo"); err == nil {
		r.lo = lo.index
	}
	r.all = nil
	var sections []section
	for i := range r.links {
		l := &r.links[i]
		if l.index == 0 && r.names[0] != Any {
			continue
		}
		s := section{}
		if len(r.links) > 1 {
			s.index = l.index
		}
		if r.options.Filter != nil {
			filter, err := r.options.Filter(l.linkType)
			if err != nil {
				return err
			}
			vm, err := newVM(filter)
			if err != nil {
				return err
			}
			s.filter = filter
			fits := true
			l.tagged = vm
			switch l.linkType {
			case linkSLL:
				s.filter, fits = uncooked(filter, sllSize, sllFields)
			case linkSLL2:
				s.filter, fits = uncooked(filter, sll2Size, sll2Fields)
			}
			if !fits {
				s.filter, r.all = nil, vm
			}
		}
		sections = append(sections, s)
	}
	return r.setFilter(kernelFilter(sections, r.lo, r.options.SnapLen))
}

func (r *Ring) setFilter(p []bpf.RawInstruction) error {
	program := make([]unix.SockFilter, len(p))
	for i, in := range p {
		program[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	err := unix.SetsockoptSockFprog(r.socket, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	if err != nil {
		return fmt.Errorf("filter: the kernel does not take its %d instructions: %w", len(program), err)
	}
	return nil
}

// bind begins to take the frames of an interface, 0 for all.
func (r *Ring) bind(index int) error {
	if index != r.bound {
		err := unix.Bind(r.socket, &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL), Ifindex: index})
		if err != nil && !errors.Is(err, unix.ENETDOWN) && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("packet socket: %w", err)
		}
		r.bound = index
	}
	if !r.options.Promiscuous {
		return nil
	}
	for _, l := range r.links {
		if l.index == 0 {
			continue
		}
		err := unix.SetsockoptPacketMreq(r.socket, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP,
			&unix.PacketMreq{Ifindex: int32(l.index), Type: unix.PACKET_MR_PROMISC})
		if err != nil && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("%s: promiscuous: %w", l.name, err)
		}
	}
	return nil
}

// bigEndian returns a number in the byte order of the network.
func bigEndian(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}

// Read lends the next packets, which it waits for: see flowfast.Source, and
// [Ring.SetPatience]. After
// [Ring.End] it lends what is in the ring, and then returns io.EOF.
func (r *Ring) Read(ctx context.Context, packets []ioutil.Record) (int, error) {
	for {
		r.release()
		if n := r.take(packets); n > 0 {
			lag := max(time.Now().UnixNano()-packets[0].Time, 0)
			r.lag.Store(lag)
			r.mostLag.Store(max(r.mostLag.Load(), lag))
			return n, nil
		}
		if r.ending.Load() {
			if over, err := r.over(); err != nil || over {
				return 0, err
			}
		}
		if silent, err := r.wait(ctx); err != nil || silent {
			return 0, err
		}
	}
}

// over returns io.EOF when the kernel has nothing more to hand over.
func (r *Ring) over() (bool, error) {
	now := time.Now()
	switch {
	case r.socket < 0:
		return true, io.EOF
	case r.endBy.IsZero():
		r.endBy = now.Add(2*r.options.BufferTimeout + 100*time.Millisecond) // the kernel may be late
		return false, r.setFilter([]bpf.RawInstruction{{Op: returnK}})
	case now.After(r.endBy):
		return true, io.EOF
	}
	return false, nil
}

// End has Read come to an end: nothing more is taken in.
func (r *Ring) End() {
	r.ending.Store(true)
	r.poller.wake()
}

// Counters returns what the ring has seen so far, and what was lost.
func (r *Ring) Counters() Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count()
	c := r.lost
	c.Large, c.Cut, c.Latest = r.large.Load(), r.cut.Load(), r.latest.Load()
	c.Missing = int(r.missing.Load())
	c.Lag, c.MaxLag = time.Duration(r.lag.Load()), time.Duration(r.mostLag.Load()).Seconds()
	return c
}

// count takes in what the kernel has counted since the last time; r.mu is held.
func (r *Ring) count() {
	if r.socket < 0 || r.close {
		return
	}
	if s, err := unix.GetsockoptTpacketStatsV3(r.socket, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		r.lost.Packets += uint64(s.Packets)
		r.lost.Dropped += uint64(s.Drops)
		r.lost.Freezes += uint64(s.Freeze_q_cnt)
	}
}

// Warnings returns what a reader of the rows should know: packets that were lost, and
// frames that are several.
func (r *Ring) Warnings() []string { return r.Counters().warnings() }

// Close gives the ring back, and with it the packets that are lent.
func (r *Ring) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.close {
		return nil
	}
	r.count()
	r.close = true
	r.unhook()
	var errs []error
	if r.memory != nil {
		errs = append(errs, unix.Munmap(r.memory))
		r.memory = nil
	}
	errs = append(errs, r.poller.close())
	for _, fd := range []int{r.socket, r.news} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}
