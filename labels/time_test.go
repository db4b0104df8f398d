package labels

import (
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The forms of times as regular expressions, which are slower by far.
var (
	clockForm  = regexp.MustCompile(`^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:\s*([AaPp])\.?[Mm]\.?)?$`)
	momentForm = regexp.MustCompile(`(?s)^(\d{4}-\d{2}-\d{2})(?:[Tt ]\s*(.*?))?\s*([Zz]|[+-]\d{2}:?\d{2})?$`)
	epochForm  = regexp.MustCompile(`^\d{9,11}(\.\d{1,9})?$`)
)

// slowClock is a parseClock by regular expression.
func slowClock(text string) (c clock, ok, good bool) {
	m := clockForm.FindStringSubmatch(text)
	if m == nil {
		return 0, false, true
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	second, _ := strconv.Atoi(m[3])
	part, _ := strconv.Atoi((m[4] + "000000000")[:9])
	if m[5] != "" {
		if hour < 1 || hour > 12 {
			return 0, true, false
		}
		hour %= 12
		if strings.EqualFold(m[5], "p") {
			hour += 12
		}
	}
	c = clock(hour)*clock(time.Hour) + clock(minute)*clock(time.Minute) + clock(second)*clock(time.Second) + clock(part)
	return c, true, minute < 60 && second < 60 && c <= day
}

// slowMoment is a parseMoment by regular expressions, of which nothing is left where
// it would return an error.
func slowMoment(text string) (m moment, good bool) {
	m.text = text
	if epochForm.MatchString(text) {
		whole, part, _ := strings.Cut(text, ".")
		s, _ := strconv.ParseInt(whole, 10, 64)
		ns, _ := strconv.ParseInt((part + "000000000")[:9], 10, 64)
		m.at, m.exact = s*1e9+ns, true
		return m, s <= 9_223_372_035
	}
	if c, ok, good := slowClock(text); ok {
		m.clock = c
		return m, good
	}
	parts := momentForm.FindStringSubmatch(text)
	if parts == nil {
		return m, false
	}
	d, err := time.Parse("2006-01-02", parts[1])
	if err != nil {
		return m, false
	}
	m.isDay, m.day = true, date{d.Year(), d.Month(), d.Day()}
	if parts[2] != "" {
		c, ok, good := slowClock(parts[2])
		if !ok || !good {
			return m, false
		}
		m.clock = c
	}
	if parts[3] != "" {
		zone := time.UTC
		if !strings.EqualFold(parts[3], "z") {
			if zone, err = parseZone(parts[3]); err != nil {
				return m, false
			}
		}
		at, err := instants(m.day, m.clock, zone)
		if err != nil {
			return m, false
		}
		m.at, m.exact = at[0], true
	}
	return m, true
}

// sameMoment wants a text to be read as the regular expressions read it.
func sameMoment(t *testing.T, text string) {
	t.Helper()
	got, err := parseMoment(text)
	want, good := slowMoment(text)
	if (err == nil) != good || good && got != want {
		t.Errorf("%q is %+v, error %v; want %+v, %v", text, got, err, want, good)
	}
}

// TestMoments reads times with something changed here and there.
func TestMoments(t *testing.T) {
	texts := []string{"2017-07-04 09:20", "2017-10-29 2:30 AM", "09:20", "9:20:01.25 p.m.", "1500000000.5", "2017-07-04T24:00:00Z",
		"2017-03-26 02:30:00-03:00", "2017-03-26\t+0330", "2017-02-29", "9223372035", "2016-02-29t  0:00:00.123456789 z", "12:00AM", "0000-01-01", ""}
	const letters = "0123456789 :-+.TtZzAaPpMm\t\n"
	r := rand.New(rand.NewPCG(1, 2))
	for _, text := range texts {
		sameMoment(t, text)
		for range 20_000 {
			b := []byte(text)
			for range 1 + r.IntN(3) {
				at := r.IntN(len(b) + 1)
				switch letter := letters[r.IntN(len(letters))]; {
				case at == len(b) || r.IntN(3) == 0:
					b = append(b[:at:at], append([]byte{letter}, b[at:]...)...)
				case r.IntN(2) == 0:
					b = append(b[:at:at], b[at+1:]...)
				default:
					b[at] = letter
				}
			}
			sameMoment(t, string(b))
		}
	}
}
