package labels

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Window is a span of time in nanoseconds since the epoch: From is in it, To is
// not.
type Window struct{ From, To int64 }

const (
	always = math.MinInt64
	never  = math.MaxInt64
)

// A When says which flows a window takes.
type When uint8

const (
	Overlaps When = iota // some moment between the first packet and the last is in it
	Starts               // the first packet is in it
	Inside               // the first packet and the last are
)

var whens = [...]string{"overlaps", "starts", "inside"}

func (w When) String() string { return whens[w] }

// takes tells if a flow from start to last is taken by a window.
func (w When) takes(in Window, start, last int64) bool {
	switch w {
	case Starts:
		return in.From <= start && start < in.To
	case Inside:
		return in.From <= start && last < in.To
	}
	return start < in.To && in.From <= last
}

// implies tells if what is taken as w says is also taken as o says.
func (w When) implies(o When) bool { return w >= o }

var offsetZone = regexp.MustCompile(`^([+-])(\d{2}):?(\d{2})$`)

// parseZone takes the name of a zone in the IANA database, or an offset such as
// -03:00.
func parseZone(text string) (*time.Location, error) {
	if m := offsetZone.FindStringSubmatch(text); m != nil {
		hours, _ := strconv.Atoi(m[2])
		minutes, _ := strconv.Atoi(m[3])
		if hours > 15 || minutes > 59 {
			return nil, fmt.Errorf("offset %q: want one up to 15:59", text)
		}
		s := hours*3600 + minutes*60
		if m[1] == "-" {
			s = -s
		}
		return time.FixedZone(text, s), nil
	}
	if text == "" || strings.EqualFold(text, "local") {
		return nil, fmt.Errorf("zone %q: want a name such as America/Halifax, an offset such as -03:00, or UTC", text)
	}
	zone, err := time.LoadLocation(text)
	if err != nil {
		return nil, fmt.Errorf("zone %q is not in the IANA database: want a name such as America/Halifax, an offset such as -03:00, or UTC", text)
	}
	return zone, nil
}

// A date is a day without a zone.
type date struct {
	year  int
	month time.Month
	day   int
}

func (d date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day) }

func (d date) next() date {
	y, m, day := time.Date(d.year, d.month, d.day+1, 0, 0, 0, 0, time.UTC).Date()
	return date{y, m, day}
}

func parseDate(text string) (date, error) {
	t, err := time.Parse("2006-01-02", text)
	if err != nil {
		return date{}, fmt.Errorf("date %q: want one such as 2017-07-04", text)
	}
	y, m, d := t.Date()
	return date{y, m, d}, nil
}

// parseDates takes a day, or the first and the last of a range: 2017-07-03..2017-07-07.
func parseDates(text string) ([]date, error) {
	from, to, isRange := strings.Cut(text, "..")
	first, err := parseDate(strings.TrimSpace(from))
	if err != nil || !isRange {
		return []date{first}, err
	}
	last, err := parseDate(strings.TrimSpace(to))
	if err != nil {
		return nil, err
	}
	const most = 3660
	var all []date
	for d := first; ; d = d.next() {
		all = append(all, d)
		if d == last {
			return all, nil
		}
		if len(all) > most || d.String() > last.String() {
			return nil, fmt.Errorf("dates %q: the last has to be after the first, by ten years at most", text)
		}
	}
}

// A clock is a time of day: nanoseconds since midnight as clocks show them, up to
// and with 24:00.
type clock int64

const day = clock(24 * time.Hour)

var clockText = regexp.MustCompile(`^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:\s*([AaPp])\.?[Mm]\.?)?$`)

func parseClock(text string) (clock, bool, error) {
	m := clockText.FindStringSubmatch(text)
	if m == nil {
		return 0, false, nil
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	second, _ := strconv.Atoi(m[3])
	part, _ := strconv.Atoi((m[4] + "000000000")[:9])
	bad := fmt.Errorf("time of day %q: want one from 00:00 to 24:00, or from 12:00 AM to 11:59 PM", text)
	if m[5] != "" {
		if hour < 1 || hour > 12 {
			return 0, true, bad
		}
		hour %= 12
		if strings.EqualFold(m[5], "p") {
			hour += 12
		}
	}
	c := clock(hour)*clock(time.Hour) + clock(minute)*clock(time.Minute) + clock(second)*clock(time.Second) + clock(part)
	if minute > 59 || second > 59 || c > day {
		return 0, true, bad
	}
	return c, true, nil
}

// A moment is a time as a file has it: in full, or a time of day.
type moment struct {
	text  string
	day   date
	clock clock
	isDay bool  // day is set: else the rule has dates
	at    int64 // where exact
	exact bool  // it names its offset, or is seconds since the epoch
}

var (
	dayAndClock = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})(?:[Tt ]\s*(.*?))?\s*([Zz]|[+-]\d{2}:?\d{2})?$`)
	epochText   = regexp.MustCompile(`^\d{9,11}(\.\d{1,9})?$`)
)

func parseMoment(text string) (moment, error) {
	m := moment{text: text}
	const year = len("2017")
	full := len(text) > year && text[year] == '-' // which spares the other patterns
	if !full && epochText.MatchString(text) {
		whole, part, _ := strings.Cut(text, ".")
		s, _ := strconv.ParseInt(whole, 10, 64)
		ns, _ := strconv.ParseInt((part + "000000000")[:9], 10, 64)
		if s > 9_223_372_035 {
			return m, fmt.Errorf("time %q: beyond the year 2262", text)
		}
		m.at, m.exact = s*1e9+ns, true
		return m, nil
	}
	if !full {
		if c, ok, err := parseClock(text); ok {
			m.clock = c
			return m, err
		}
	}
	parts := dayAndClock.FindStringSubmatch(text)
	if parts == nil {
		return m, fmt.Errorf("time %q: want one such as 2017-07-04 09:20, 2017-07-04T09:20:00-03:00, seconds since 1970, or, with dates, 09:20", text)
	}
	var err error
	if m.day, err = parseDate(parts[1]); err != nil {
		return m, err
	}
	m.isDay = true
	if parts[2] != "" {
		var ok bool
		if m.clock, ok, err = parseClock(parts[2]); err != nil || !ok {
			return m, cmpError(err, fmt.Errorf("time %q: want one such as 2017-07-04 09:20", text))
		}
	}
	if parts[3] != "" {
		zone := time.UTC
		if !strings.EqualFold(parts[3], "z") {
			if zone, err = parseZone(parts[3]); err != nil {
				return m, err
			}
		}
		at, err := instants(m.day, m.clock, zone)
		if err != nil {
			return m, err
		}
		m.at, m.exact = at[0], true
	}
	return m, nil
}

func cmpError(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

var errGap = errors.New("is a time that no clock shows")

// instants returns when clocks in a zone show a time: once, twice where they were
// put back, never where they were put forward, which is errGap.
func instants(d date, c clock, zone *time.Location) ([]int64, error) {
	if d.year < 1679 || d.year > 2261 {
		return nil, fmt.Errorf("%v: want a year from 1679 to 2261", d)
	}
	shown := time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC).Add(time.Duration(c))
	var all []int64
	// Zones are at most 15 hours off, and never change twice within so little time.
	for _, near := range []time.Duration{-26 * time.Hour, 0, 26 * time.Hour} {
		_, offset := shown.Add(near).In(zone).Zone()
		at := shown.Add(-time.Duration(offset) * time.Second)
		if _, now := at.In(zone).Zone(); now == offset && !slices.Contains(all, at.UnixNano()) {
			all = append(all, at.UnixNano())
		}
	}
	slices.Sort(all)
	if len(all) == 0 {
		return nil, errGap
	}
	return all, nil
}
