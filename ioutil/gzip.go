package ioutil

import (
	"bufio"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
)

// A gzipReader reads the members of a gzip file. What stands behind the last is
// left out, as gzip does it: zeros silently there, garbage with a warning.
type gzipReader struct {
	z       *gzip.Reader
	r       *bufio.Reader
	helpers *atomic.Int32
	ahead   *ahead // reads members; nil if z does
	alone   bool   // z reads all that is to come
	ended   string // what stood behind the end
}

func openGzip(r *bufio.Reader, helpers *atomic.Int32) (io.Reader, func(), error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	z.Multistream(false)
	return &gzipReader{z: z, r: r, helpers: helpers}, func() {}, nil
}

func (g *gzipReader) Read(b []byte) (int, error) {
	for g.ended == "" {
		if g.ahead != nil {
			if n := g.ahead.Read(b); n > 0 {
				return n, nil
			}
			g.r, g.alone, g.ahead = g.ahead.behind(), g.ahead.failed, nil
		} else {
			n, err := g.z.Read(b)
			if err != io.EOF || n > 0 {
				return n, ignoreEOF(n, err)
			}
			if !g.alone && g.helpers.Load() > 1 {
				if head, _ := g.r.Peek(bgzfHeader); (bgzf{}).length(head) > 0 {
					g.ahead = &ahead{r: g.r, split: bgzf{}, helpers: g.helpers}
					continue
				}
			}
		}
		if err := g.next(); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// next begins the next member, or takes leave of what stands behind the last.
func (g *gzipReader) next() error {
	head, err := g.r.Peek(2)
	switch {
	case len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b:
		if err := g.z.Reset(g.r); err != nil {
			return midStream(err)
		}
		g.z.Multistream(false)
	case len(head) == 0:
		return err
	default:
		zeros, garbage, err := behindEnd(g.r)
		if err != nil {
			return err
		}
		if g.ended = zerosBehind(zeros); garbage {
			g.ended = garbageBehind
		}
	}
	return nil
}

func (g *gzipReader) note() string { return g.ended }

// ignoreEOF leaves an end that came with data to the next Read.
func ignoreEOF(n int, err error) error {
	if n > 0 && err == io.EOF {
		return nil
	}
	return err
}

// behindEnd reads what stands behind the end of compressed data: how many zeros,
// and whether something else.
func behindEnd(r *bufio.Reader) (zeros int64, garbage bool, err error) {
	for ; ; zeros++ {
		switch b, err := r.ReadByte(); {
		case err == io.EOF:
			return zeros, false, nil
		case err != nil:
			return zeros, false, err
		case b != 0:
			return zeros, true, nil
		}
	}
}

const garbageBehind = "trailing garbage behind the end: left out"

func zerosBehind(n int64) string {
	return fmt.Sprintf("%d zero bytes behind the end: left out", n)
}
