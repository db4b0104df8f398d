package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/live"
)

// stuckAfter is how long a read or a write may take while the run is well.
const stuckAfter = 30 * time.Second

// A pulse tells whether the ring is read and rows are written.
type pulse struct {
	now     func() time.Time
	read    atomic.Int64 // when the ring was read last, in nanoseconds since the epoch
	writing atomic.Int64 // since when rows are being written, 0 if they are not
}

func newPulse() *pulse {
	p := &pulse{now: time.Now}
	p.read.Store(p.now().UnixNano())
	return p
}

// stuck returns what takes longer than a limit, nil if nothing does.
func (p *pulse) stuck(limit time.Duration) error {
	now := p.now().UnixNano()
	if since := p.writing.Load(); since > 0 && now-since > int64(limit) {
		return fmt.Errorf("writing rows takes %v so far", time.Duration(now-since).Round(time.Second))
	}
	if since := p.read.Load(); now-since > int64(limit) {
		return fmt.Errorf("the ring was not read for %v", time.Duration(now-since).Round(time.Second))
	}
	return nil
}

// A pulsing is a ring that tells when it is read.
type pulsing struct {
	*live.Ring
	pulse *pulse
}

func (p pulsing) Read(ctx context.Context, packets []flowfast.Packet) (int, error) {
	p.pulse.read.Store(p.pulse.now().UnixNano())
	return p.Ring.Read(ctx, packets)
}

// SetPatience has the ring read every second or more often: with a long --flush a
// silent wire would look like a run that hangs.
func (p pulsing) SetPatience(d time.Duration) { p.Ring.SetPatience(min(d, time.Second)) }

// A writing is where rows go, and tells while they do.
type writing struct {
	flushWriter
	pulse *pulse
}

func (w writing) Write(b []byte) (int, error) {
	w.pulse.writing.Store(w.pulse.now().UnixNano())
	defer w.pulse.writing.Store(0)
	return w.flushWriter.Write(b)
}

func (w writing) Flush() error {
	w.pulse.writing.Store(w.pulse.now().UnixNano())
	defer w.pulse.writing.Store(0)
	return w.flushWriter.Flush()
}

// A notifier tells systemd how a service is (sd_notify(3)). Nil tells nobody.
type notifier struct {
	conn  net.Conn
	every time.Duration // between two signs of life, 0 for none
}

// newNotifier returns a notifier, nil if nobody has asked for one.
func newNotifier() *notifier {
	path := os.Getenv("NOTIFY_SOCKET") // with an @ before a name that is no path, as package net has it
	if path == "" {
		return nil
	}
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return nil // who asked has gone
	}
	n := &notifier{conn: conn}
	micros, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if pid := os.Getenv("WATCHDOG_PID"); err == nil && micros > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		n.every = time.Duration(micros) * time.Microsecond / 2
	}
	return n
}

func (n *notifier) send(state string) {
	if n != nil {
		_, _ = n.conn.Write([]byte(state))
	}
}

// watch gives signs of life as long as the pulse is well, until what it returns is
// called.
func (n *notifier) watch(p *pulse) (stop func()) {
	if n == nil || n.every == 0 {
		return func() {}
	}
	ticker, done := time.NewTicker(n.every), make(chan struct{})
	go func() {
		for {
			select {
			case <-ticker.C:
				if err := p.stuck(n.every); err != nil {
					n.send("STATUS=" + err.Error())
				} else {
					n.send("WATCHDOG=1")
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
	}
}
