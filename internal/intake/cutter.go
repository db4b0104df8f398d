package intake

import (
	"sync"

	"github.com/flowfast/flowfast/ioutil"
)

// A cutter gives pieces the spans of the capture that is read. It is what taking
// and admitting share.
type cutter struct {
	taking  sync.Mutex      // guards what stands below
	passed  []byte          // of the capture, to be released
	spans   *ioutil.Spans   // of the capture; nil if it can't be read in spans
	stream  *ioutil.Capture // the capture, if it is cut and has not come to its end
	reading sync.WaitGroup  // spans that are being decoded

	cut bool // the capture is one that is cut; only who admits asks
}

// take gives a piece the next span of the capture, if that is read in spans. It
// may wait for a stream.
func (c *cutter) take(p *Piece, length int) {
	c.taking.Lock()
	defer c.taking.Unlock()
	switch {
	case c.stream != nil:
		p.from = c.stream
		if p.odd, p.end = c.stream.Cut(&p.span, p.many(), length); p.end != nil {
			c.stream = nil
		}
		c.reading.Add(1)
	case c.spans != nil && c.spans.Next(&p.span, length):
		p.of = c.spans
		c.reading.Add(1)
		p.passed, c.passed = c.passed, nil
	}
}

// offer lets take find the spans of a capture. A stream, which has none, is lent to so
// many readers and cut if it may be.
func (c *cutter) offer(capture *ioutil.Capture, readers int, cut bool) {
	c.taking.Lock()
	defer c.taking.Unlock()
	c.passed = nil
	if c.spans = capture.Spans(); c.spans == nil && cut && capture.Lend(readers) {
		c.stream, c.cut = capture, true
	}
}

// withhold has take find no more of the capture.
func (c *cutter) withhold() {
	c.taking.Lock()
	defer c.taking.Unlock()
	c.spans, c.stream, c.cut, c.passed = nil, nil, false, nil
}

// pass has what was read released with the next span, which is soon enough.
func (c *cutter) pass(b []byte) {
	if b == nil {
		return
	}
	c.taking.Lock()
	if c.passed != nil {
		b = c.passed[:len(c.passed)+len(b)] // which stand one behind the other
	}
	c.passed = b
	c.taking.Unlock()
}
