package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SetPatience sets how long Read waits for a packet: it then returns 0 and nil. 0,
// which it is at first, has it wait as long as its context does.
func (r *Ring) SetPatience(d time.Duration) { r.patience = d }

// wait waits until there may be something to read, and returns true if it was silent
// for as long as the patience.
func (r *Ring) wait(ctx context.Context) (silent bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if done := ctx.Done(); done != r.done {
		r.unhook()
		r.done, r.unhook = done, context.AfterFunc(ctx, r.poller.wake)
	}
	deadline := r.endBy
	if deadline.IsZero() && r.patience > 0 {
		deadline = time.Now().Add(r.patience)
	}
	begun := !r.endBy.IsZero() // to end
	var events [2]unix.EpollEvent
	n, err := r.poller.wait(deadline, func() bool { return ctx.Err() != nil || !begun && r.ending.Load() }, events[:])
	if err != nil {
		return false, err
	}
	changed := false
	for _, e := range events[:n] {
		switch {
		case int(e.Fd) == r.news:
			r.emptyNews()
			changed = true
		case e.Events&unix.EPOLLERR != 0:
			n, err := unix.GetsockoptInt(r.socket, unix.SOL_SOCKET, unix.SO_ERROR)
			if err == nil && n != 0 && unix.Errno(n) != unix.ENETDOWN {
				return false, fmt.Errorf("packet socket: %w", unix.Errno(n))
			}
			changed = true
		}
	}
	if changed && !begun {
		if err := r.attach(false); err != nil {
			return false, err
		}
	}
	return n == 0 && !begun && !r.ending.Load(), ctx.Err()
}

// emptyNews reads what was told about interfaces: they are looked at anyhow.
func (r *Ring) emptyNews() {
	var b [8192]byte
	for {
		if _, err := unix.Read(r.news, b[:]); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
	}
}

// A poller waits for descriptors in the runtime's poller, by an epoll of them that
// is one descriptor for it. To wait in a system call costs more: the runtime keeps a
// thread awake for some time then that looks after it.
type poller struct{ file *os.File }

func (p *poller) open() error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // for os.NewFile
		unix.Close(fd)
		return fmt.Errorf("epoll: %w", err)
	}
	p.file = os.NewFile(uintptr(fd), "epoll")
	return nil
}

func (p *poller) close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

// add has the poller wait for a descriptor too.
func (p *poller) add(fd int) error {
	conn, err := p.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	failed := conn.Control(func(epoll uintptr) {
		err = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	})
	if err = errors.Join(failed, err); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// wait waits for descriptors and returns how many are ready, which are in events. There
// are none at the deadline, zero for none, or when it was woken; over says if it is to be.
func (p *poller) wait(deadline time.Time, over func() bool, events []unix.EpollEvent) (n int, err error) {
	conn, err := p.file.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("epoll: %w", err)
	}
	if err := p.file.SetReadDeadline(deadline); err != nil {
		return 0, fmt.Errorf("epoll: %w", err)
	}
	if over() { // the deadline has taken the place of that by which it was woken
		return 0, nil
	}
	failed := conn.Read(func(epoll uintptr) bool {
		// It returns at once, so the runtime need not know of the call.
		r, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, epoll, uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
		if errno != 0 {
			err = errno
			return true
		}
		n = int(r)
		return n > 0
	})
	if errors.Is(failed, os.ErrDeadlineExceeded) {
		return 0, nil
	}
	if err = errors.Join(failed, err); err != nil {
		return 0, fmt.Errorf("epoll: %w", err)
	}
	return n, nil
}

// wake ends a wait at once. Any goroutine may call it.
func (p *poller) wake() { _ = p.file.SetReadDeadline(time.Unix(1, 0)) }
