package legacy

import (
	"strconv"
	"strings"
	"time"
)

// CSV is the format of the original's tables: values separated by commas, none
// of them quoted but a label, lines that end with \n. See [Columns] for what is in them.
type CSV struct {
	// Location is the time zone of the column Timestamp, that of the machine
	// in the original; nil stands for UTC.
	Location *time.Location
}

// label is the text of the last column.
const label = "NeedManualLabel"

// AppendHeader appends the names of the columns.
func (c CSV) AppendHeader(b []byte) []byte {
	for i, column := range Columns() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, column.Name...)
	}
	return append(b, '\n')
}

// AppendRow appends the row of a flow.
func (c CSV) AppendRow(b []byte, f *Flow) []byte { return c.appendRow(b, f, f.key, label) }

// appendRow appends the row of a flow with addresses and ports of a key, and a label.
func (c CSV) appendRow(b []byte, f *Flow, of key, label string) []byte {
	r := row{b}
	r.identity(f, of, c.time(f.start))
	r.lengths(f)
	r.intervals(f)
	r.directions(f)
	r.packets(f)
	r.bulks(f)
	r.periods(f)
	return append(append(r.b, quoted(label)...), '\n')
}

// quoted returns a text as it stands in a CSV.
func quoted(text string) string {
	if strings.ContainsAny(text, ",\"\r\n") {
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return text
}

// time cuts microseconds to milliseconds first, as the original does, which
// matters before the epoch.
func (c CSV) time(t int64) time.Time {
	if c.Location == nil {
		c.Location = time.UTC
	}
	return time.UnixMilli(t / 1000).In(c.Location)
}

// A row is a line that grows by values, each with the comma behind it.
type row struct{ b []byte }

func (r *row) comma() { r.b = append(r.b, ',') }

func (r *row) int(v int64) {
	r.b = strconv.AppendInt(r.b, v, 10)
	r.comma()
}

func (r *row) ints(values ...int64) {
	for _, v := range values {
		r.int(v)
	}
}

func (r *row) real(v float64) {
	r.b = appendDouble(r.b, v)
	r.comma()
}

func (r *row) reals(values ...float64) {
	for _, v := range values {
		r.real(v)
	}
}

func (r *row) addr(a uint32) {
	for shift := 24; shift >= 0; shift -= 8 {
		r.b = strconv.AppendUint(r.b, uint64(a>>shift&0xff), 10)
		if shift > 0 {
			r.b = append(r.b, '.')
		}
	}
}

// quad appends mean, standard deviation, maximum and minimum, or four texts 0 if
// there are no samples.
func (r *row) quad(s *summary) {
	if s.n == 0 {
		r.ints(0, 0, 0, 0)
		return
	}
	r.reals(s.mean, s.deviation(), s.max, s.min)
}

// identity appends the columns Flow ID to Flow Duration.
func (r *row) identity(f *Flow, of key, start time.Time) {
	r.addr(of.src)
	r.b = append(r.b, '-')
	r.addr(of.dst)
	for _, v := range []uint64{uint64(of.srcPort), uint64(of.dstPort), uint64(of.protocol)} {
		r.b = append(r.b, '-')
		r.b = strconv.AppendUint(r.b, v, 10)
	}
	r.comma()
	r.addr(of.src)
	r.comma()
	r.int(int64(of.srcPort))
	r.addr(of.dst)
	r.comma()
	r.int(int64(of.dstPort))
	r.int(int64(of.protocol))
	r.b = start.AppendFormat(r.b, "02/01/2006 03:04:05 PM")
	r.comma()
	r.int(f.last - f.start)
}

// lengths appends the columns Total Fwd Packet to Flow Packets/s. For a duration
// of 0 the last two are infinite, or not a number.
func (r *row) lengths(f *Flow) {
	fwd, bwd := &f.fwd.lengths, &f.bwd.lengths
	r.ints(fwd.n, bwd.n)
	r.reals(fwd.sum, bwd.sum)
	for _, s := range []*summary{fwd, bwd} {
		if s.n == 0 {
			r.ints(0, 0, 0, 0)
			continue
		}
		r.reals(s.max, s.min, s.mean, s.deviation())
	}
	seconds := f.seconds()
	r.reals((fwd.sum+bwd.sum)/seconds, float64(fwd.n+bwd.n)/seconds)
}

func (f *Flow) seconds() float64 { return float64(f.last-f.start) / 1e6 }

// intervals appends the columns Flow IAT Mean to Bwd IAT Min.
func (r *row) intervals(f *Flow) {
	r.quad(&f.iat)
	for _, s := range []*summary{&f.fwd.iat, &f.bwd.iat} {
		if s.n == 0 {
			r.int(0)
		} else {
			r.real(s.sum)
		}
		r.quad(s)
	}
}

// directions appends the columns Fwd PSH Flags to Bwd Packets/s. The first
// packet, the only one whose flags are counted here, is never backward.
func (r *row) directions(f *Flow) {
	r.ints(f.firstPSH, 0, f.firstURG, 0)
	r.ints(f.fwd.headers, f.bwd.headers)
	for _, s := range []*summary{&f.fwd.lengths, &f.bwd.lengths} {
		if f.last > f.start {
			r.real(float64(s.n) / f.seconds())
		} else {
			r.real(0)
		}
	}
}

// packets appends the columns Packet Length Min to Bwd Segment Size Avg.
func (r *row) packets(f *Flow) {
	s := &f.lengths
	r.reals(s.min, s.max, s.mean, s.deviation(), s.variance())
	for _, bit := range []int{0, 1, 2, 3, 4, 5, 7, 6} { // ECE, the seventh, comes last
		r.int(f.flags[bit])
	}
	fwd, bwd := &f.fwd.lengths, &f.bwd.lengths
	r.real(float64(over(bwd.n, fwd.n)))
	r.real(s.sum / float64(fwd.n+bwd.n)) // n sizes, but n+1 in the sum
	r.real(fwd.sum / float64(fwd.n))
	if bwd.n > 0 {
		r.real(bwd.sum / float64(bwd.n))
	} else {
		r.real(0)
	}
}

// bulks appends the columns Fwd Bytes/Bulk Avg to Subflow Bwd Bytes.
func (r *row) bulks(f *Flow) {
	r.ints(0, 0, 0)
	r.ints(over(f.bulk.bytes, f.bulk.bulks), over(f.bulk.packets, f.bulk.bulks), f.bulk.rate())
	for _, s := range []*summary{&f.fwd.lengths, &f.bwd.lengths} {
		r.ints(over(s.n, f.gaps), over(int64(s.sum), f.gaps))
	}
}

// periods appends the columns FWD Init Win Bytes to Idle Min.
func (r *row) periods(f *Flow) {
	r.ints(int64(f.fwd.window), int64(f.bwd.window), f.actData, int64(f.minHeader))
	r.quad(&f.active)
	r.quad(&f.idle)
}
