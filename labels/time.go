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
	if !isDate(text) {
		return date{}, fmt.Errorf("date %q: want one such as 2017-07-04", text)
	}
	d := date{int(digits(text[:4])), time.Month(digits(text[5:7])), int(digits(text[8:]))}
	if y, m, day := time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC).Date(); d != (date{y, m, day}) {
		return date{}, fmt.Errorf("date %q: want one such as 2017-07-04", text)
	}
	return d, nil
}

const dateLength = len("2017-07-04")

// isDate tells if a text has digits and dashes as a date has.
func isDate(text string) bool {
	return len(text) == dateLength && text[4] == '-' && text[7] == '-' &&
		areDigits(text[:4], 4, 4) && areDigits(text[5:7], 2, 2) && areDigits(text[8:], 2, 2)
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

// parseClock takes a time such as 9:20, 09:20:00.5 or 2:01 PM; it returns false for a
// text that is of another form.
func parseClock(text string) (clock, bool, error) {
	rest, half := cutHalf(text)
	hours, rest, _ := strings.Cut(rest, ":")
	minutes, rest, hasSeconds := strings.Cut(rest, ":")
	seconds, part, hasPart := strings.Cut(rest, ".")
	if !areDigits(hours, 1, 2) || !areDigits(minutes, 2, 2) || hasSeconds && !areDigits(seconds, 2, 2) || hasPart && !areDigits(part, 1, 9) {
		return 0, false, nil
	}
	hour, minute, second := digits(hours), digits(minutes), digits(seconds)
	outside := minute > 59 || second > 59
	if half != 0 {
		outside = outside || hour < 1 || hour > 12
		if hour %= 12; half == 'p' {
			hour += 12
		}
	}
	c := clock(hour)*clock(time.Hour) + clock(minute)*clock(time.Minute) + clock(second)*clock(time.Second) + clock(nanoseconds(part))
	if outside || c > day {
		return 0, true, fmt.Errorf("time of day %q: want one from 00:00 to 24:00, or from 12:00 AM to 11:59 PM", text)
	}
	return c, true, nil
}

// blanks are those that may stand between the parts of a time.
const blanks = " \t\n\f\r"

// cutHalf takes AM or PM from the end of a time, and returns the rest and 'a', 'p' or 0.
func cutHalf(text string) (rest string, half byte) {
	rest = strings.TrimSuffix(text, ".")
	if n := len(rest) - 1; n < 0 || rest[n]|0x20 != 'm' {
		return text, 0
	}
	rest = strings.TrimSuffix(rest[:len(rest)-1], ".")
	if rest == "" {
		return text, 0
	}
	if half = rest[len(rest)-1] | 0x20; half != 'a' && half != 'p' {
		return text, 0
	}
	return strings.TrimRight(rest[:len(rest)-1], blanks), half
}

// areDigits tells if a text is digits, at least some and at most others.
func areDigits(text string, least, most int) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return least <= len(text) && len(text) <= most
}

// digits returns the number that at most eleven digits write.
func digits(text string) (n int64) {
	for i := range len(text) {
		n = n*10 + int64(text[i]-'0')
	}
	return n
}

// nanoseconds returns what digits behind a point write, at most nine.
func nanoseconds(part string) int64 {
	n := digits(part)
	for range 9 - len(part) {
		n *= 10
	}
	return n
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

func parseMoment(text string) (moment, error) {
	m := moment{text: text}
	if whole, part, hasPart := strings.Cut(text, "."); areDigits(whole, 9, 11) && (!hasPart || areDigits(part, 1, 9)) {
		s := digits(whole)
		if s > 9_223_372_035 {
			return m, fmt.Errorf("time %q: beyond the year 2262", text)
		}
		m.at, m.exact = s*1e9+nanoseconds(part), true
		return m, nil
	}
	if c, ok, err := parseClock(text); ok {
		m.clock = c
		return m, err
	}
	wrong := func() error {
		return fmt.Errorf("time %q: want one such as 2017-07-04 09:20, 2017-07-04T09:20:00-03:00, seconds since 1970, or, with dates, 09:20", text)
	}
	if len(text) < dateLength || !isDate(text[:dateLength]) {
		return m, wrong()
	}
	var err error
	if m.day, err = parseDate(text[:dateLength]); err != nil {
		return m, err
	}
	m.isDay = true
	rest, offset := cutOffset(text[dateLength:])
	if rest != "" {
		if strings.IndexByte("Tt ", rest[0]) < 0 {
			return m, wrong()
		}
		rest = strings.TrimLeft(rest[1:], blanks)
	}
	if rest != "" {
		var ok bool
		if m.clock, ok, err = parseClock(rest); err != nil || !ok {
			return m, cmpError(err, fmt.Errorf("time %q: want one such as 2017-07-04 09:20", text))
		}
	}
	if offset != "" {
		zone := time.UTC
		if !strings.EqualFold(offset, "z") {
			if zone, err = parseZone(offset); err != nil {
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

// cutOffset takes an offset, or Z, from the end of a time, and the blanks before it.
func cutOffset(text string) (rest, offset string) {
	at := len(text)
	if n := len(text) - 1; n >= 0 && text[n]|0x20 == 'z' {
		at = n
	} else if i := strings.LastIndexAny(text, "+-"); i >= 0 && offsetZone.MatchString(text[i:]) {
		at = i
	}
	return strings.TrimRight(text[:at], blanks), text[at:]
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
	if zone == time.UTC {
		return []int64{shown.UnixNano()}, nil
	}
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
