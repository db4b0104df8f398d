package flowtable

import "math"

// A Time is nanoseconds since the Unix epoch, UTC.
type Time int64

const (
	minTime = Time(math.MinInt64)
	maxTime = Time(math.MaxInt64)
)

// since returns t - u in nanoseconds, and 0 if t is before u.
func (t Time) since(u Time) uint64 {
	if t <= u {
		return 0
	}
	return uint64(t) - uint64(u)
}

// Cut returns the time cut down to a whole multiple of a resolution in nanoseconds. With
// a resolution of 0 it is the time itself, as where the multiple may be no Time.
func (t Time) Cut(resolution int64) Time {
	r := Time(resolution)
	if r <= 0 || t < minTime+r {
		return t
	}
	past := t % r
	if past < 0 {
		past += r
	}
	return t - past
}

// Window is the number of packets that [Clock] looks back at least.
const Window = 1 << 16

// A Clock follows the timestamps of a capture, which need not be in order.
// The zero Clock has seen none.
type Clock struct {
	// Latest is the latest time seen.
	Latest Time
	// Earliest is the earliest time seen.
	Earliest Time
	// Horizon is the smallest time among the packets of the running window of
	// 65,536 and of the one before it. A capture whose packets are displaced
	// by less than a window has no packet before its horizon.
	Horizon Time
	// Back counts the packets that were stamped before the horizon, and
	// LongestBack is the farthest that one of them was from the latest time.
	Back        uint64
	LongestBack uint64
	// Disorder is how far packets may be stamped before the latest time, in
	// nanoseconds: the horizon follows the latest time at that distance, in steps
	// of a tenth of a second, where that is later than the windows have it. 0
	// stands for as far as they like, which leaves it to the windows.
	Disorder uint64
	// Recent is the latest time since the last step back.
	Recent Time

	size   int  // packets of a window; 0 before the first packet
	left   int  // packets to come in the running window
	window Time // smallest time of the running window
}

func newClock(size int, first Time) Clock {
	return Clock{Latest: first, Earliest: first, Recent: first, Horizon: minTime, size: size, left: size, window: maxTime}
}

// Tick takes in the time of the next packet. It returns false, and takes in
// nothing, if the packet was stamped before the horizon: then the flows that
// finished before the horizon must leave the table first, and [Clock.StepBack]
// go before the next Tick.
func (c *Clock) Tick(t Time) bool {
	if c.size == 0 {
		disorder := c.Disorder
		*c = newClock(Window, t)
		c.Disorder = disorder
	}
	if t < c.Horizon {
		return false
	}
	c.window = min(c.window, t)
	c.Latest = max(c.Latest, t)
	c.Earliest = min(c.Earliest, t)
	if c.left--; c.left == 0 {
		c.Horizon, c.window, c.left = max(c.Horizon, c.window), maxTime, c.size
	}
	c.Recent = max(c.Recent, t)
	c.follow(c.Recent)
	return true
}

// horizonStep is the least that the horizon moves by with the latest time.
const horizonStep = 1e8

// follow brings the horizon after a time at the distance of Disorder. It returns
// false where it need not move.
func (c *Clock) follow(t Time) bool {
	if c.Disorder == 0 || t < minTime+Time(c.Disorder) || (t-Time(c.Disorder)).since(c.Horizon) < horizonStep {
		return false
	}
	c.Horizon = t - Time(c.Disorder)
	return true
}

// tickAll takes in the next n packets at once, whose times lie between earliest
// and latest. It returns false, and takes in nothing, where they need a Tick
// each.
func (c *Clock) tickAll(n int, earliest, latest Time) bool {
	if n > c.left || n == 0 || earliest < c.Horizon {
		return n == 0
	}
	if before := c.Horizon; c.follow(max(latest, c.Recent)) {
		c.Horizon = before
		return false
	}
	c.window = min(c.window, earliest)
	c.Latest, c.Recent = max(c.Latest, latest), max(c.Recent, latest)
	c.Earliest = min(c.Earliest, earliest)
	if c.left -= n; c.left == 0 {
		c.Horizon, c.window, c.left = c.window, maxTime, c.size
	}
	return true
}

// StepBack moves the horizon back to t, the time that Tick refused.
func (c *Clock) StepBack(t Time) {
	c.Back++
	c.LongestBack = max(c.LongestBack, c.Latest.since(t))
	c.Horizon, c.Recent = t, t
}

// ClockAfter returns a clock that has seen so many packets, whose times are not known.
// Its horizon is right as soon as it has seen a whole window of others.
func ClockAfter(packets uint64) Clock {
	c := Clock{Latest: minTime, Earliest: maxTime, Recent: minTime, Horizon: minTime, size: Window, window: maxTime}
	c.left = Window - int(packets%Window)
	return c
}
