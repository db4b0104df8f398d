package report

import (
	"encoding/binary"

	"github.com/axiomhq/hyperloglog"
	"github.com/cespare/xxhash/v2"

	"github.com/flowfast/flowfast/decode"
)

// fanPrecision is that of the sketches: 2^11 registers, a standard error of
// 1.04/sqrt(2^11) = 2.3 % (Flajolet and others, HyperLogLog, 2007). Up to some
// thousand the sketches keep hashes of 25 bits, and are as good as exact.
const fanPrecision = 11

// fanError is the standard error of the numbers of destinations, in percent.
const fanError = 2.3

// A fan is what is counted of a source besides. The zero one is empty.
type fan struct {
	tcp, halfOpen    uint64 // flows of TCP; those of them that were not opened from its side
	hosts, endpoints distinct
}

// A distinct counts different values. Most sources have one destination, for which
// there is no sketch.
type distinct struct {
	only   uint64
	any    bool
	sketch *hyperloglog.Sketch
}

func (d *distinct) add(hash uint64) {
	switch {
	case !d.any:
		d.only, d.any = hash, true
	case d.sketch != nil:
		d.sketch.InsertHash(hash)
	case hash != d.only:
		d.grow()
		d.sketch.InsertHash(hash)
	}
}

func (d *distinct) grow() {
	d.sketch, _ = hyperloglog.NewSketch(fanPrecision, true) // the precision is one that there is
	d.sketch.InsertHash(d.only)
}

func (d *distinct) merge(o *distinct) {
	switch {
	case !o.any:
	case o.sketch == nil:
		d.add(o.only)
	case d.sketch == nil && !d.any:
		*d = *o
	default:
		if d.sketch == nil {
			d.grow()
		}
		_ = d.sketch.Merge(o.sketch) // the precisions are the same
	}
}

func (d *distinct) count() uint64 {
	switch {
	case d.sketch != nil:
		return d.sketch.Estimate()
	case d.any:
		return 1
	}
	return 0
}

// add takes in a flow of the source.
func (f *fan) add(r *record) {
	if r.protocol == decode.TCP {
		f.tcp++
		if outcomeOf(r).unopened() {
			f.halfOpen++
		}
	}
	var b [19]byte
	binary.LittleEndian.PutUint64(b[0:], r.dst.addr.Hi)
	binary.LittleEndian.PutUint64(b[8:], r.dst.addr.Lo)
	f.hosts.add(xxhash.Sum64(b[:16]))
	binary.LittleEndian.PutUint16(b[16:], r.dstPort)
	b[18] = r.protocol
	f.endpoints.add(xxhash.Sum64(b[:]))
}

func (f *fan) merge(o *fan) {
	f.tcp += o.tcp
	f.halfOpen += o.halfOpen
	f.hosts.merge(&o.hosts)
	f.endpoints.merge(&o.endpoints)
}
