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
	second  *reread // that r reads from, if something is read twice
	helpers *atomic.Int32
	ahead   *ahead  // reads members, or pieces of one; nil if z or rest does
	rest    *member // of which ahead reads or has read pieces
	front   bool    // z has read the header of a member, and no more
	alone   bool    // members are not read ahead any more
	pieces  seldom  // members are in pieces
	joined  seldom  // members are read ahead without knowing where they end
	ended   string  // what stood behind the end
}

func openGzip(r *bufio.Reader, helpers *atomic.Int32) (io.Reader, func(), error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	z.Multistream(false)
	return &gzipReader{z: z, r: r, helpers: helpers, front: true}, func() {}, nil
}

func (g *gzipReader) Read(b []byte) (int, error) {
	for g.ended == "" {
		if g.front {
			g.front = false
			g.inPieces()
		}
		switch {
		case g.ahead != nil:
			if n := g.ahead.Read(b); n > 0 {
				if g.rest != nil {
					g.rest.add(b[:n])
				}
				return n, nil
			}
			g.behind()
			if g.rest != nil {
				continue
			}
		default:
			var z io.Reader = g.z
			if g.rest != nil {
				z = g.rest
			}
			n, err := z.Read(b)
			if err != io.EOF || n > 0 {
				return n, ignoreEOF(n, err)
			}
			if g.rest = nil; g.members() {
				continue
			}
		}
		if err := g.next(); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// inPieces begins to read pieces ahead if the member is in pieces. So it does also
// without helpers, as it is not known yet at the front of a file whether there will be.
func (g *gzipReader) inPieces() {
	if g.r.Size() < readLen || !g.pieces.now() {
		return
	}
	p, err := piecesOf(g.r)
	if g.pieces.was(p != nil); p == nil && (err == nil || err == io.EOF) {
		return
	}
	g.r, g.second = goBack(g.r, g.second, nil, err)
	g.rest = &member{}
	if p == nil {
		g.rest.goOn(g.r, 0)
		return
	}
	g.ahead = &ahead{r: g.r, second: g.second, split: p, guessed: true, helpers: g.helpers}
}

// members begins to read the members ahead that come next, if there are helpers.
func (g *gzipReader) members() bool {
	if g.alone || g.helpers.Load() <= 1 {
		return false
	}
	head, _ := g.r.Peek(bgzfHeader)
	switch {
	case (bgzf{}).length(head) > 0:
		g.ahead = &ahead{r: g.r, second: g.second, split: bgzf{}, helpers: g.helpers}
	case (joined{}).begin(head) == 0 && g.joined.now():
		g.ahead = &ahead{r: g.r, second: g.second, split: joined{}, guessed: true, helpers: g.helpers}
	}
	return g.ahead != nil
}

// behind goes on without ahead.
func (g *gzipReader) behind() {
	a := g.ahead
	g.r, g.second, g.ahead = a.behind(), a.second, nil
	switch a.split.(type) {
	case *pieces:
		g.rest.goOn(g.r, a.taken)
	case joined:
		g.joined.was(a.right > 0)
		g.alone = a.failed
	default:
		g.alone = a.failed
	}
}

// seldom says when to try what has failed: the more often it has in a row, the less.
type seldom struct{ failed, wait int }

func (s *seldom) now() bool {
	s.wait--
	return s.wait < 0
}

func (s *seldom) was(right bool) {
	if s.failed = 2*s.failed + 1; right {
		s.failed = 0
	}
	s.wait = s.failed
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
		g.front = true
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
