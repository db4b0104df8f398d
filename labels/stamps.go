package labels

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// isoTime reads a time with its offset.
func isoTime(text string) (int64, error) {
	for _, layout := range []string{"2006-01-02T15:04:05.999999999-0700", time.RFC3339Nano} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 1678 && t.Year() < 2262 {
			return t.UnixNano(), nil
		}
	}
	return 0, fmt.Errorf("%q: want a time such as 2017-04-07T22:24:37.251547+0100", text)
}

// epoch reads seconds since 1970, exactly as they stand; milliseconds, microseconds
// and nanoseconds are told by their size.
func epoch(text string) (int64, error) {
	whole, part, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.Trim(part, "0123456789") != "" {
		if f, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(f) < 9e9 { // with an exponent
			return int64(f * 1e9), nil
		}
		return 0, fmt.Errorf("%q: want seconds since 1970", text)
	}
	unit := int64(1)
	for _, limit := range []int64{9_000_000_000_000_000, 9_000_000_000_000, 9_000_000_000} {
		if n > limit || n < -limit {
			break
		}
		unit *= 1000
	}
	if unit < 1e9 {
		return n * unit, nil
	}
	fraction, err := strconv.ParseInt((part + "000000000")[:9], 10, 64)
	if strings.HasPrefix(whole, "-") {
		fraction = -fraction
	}
	return n*1e9 + fraction, err
}

// seconds reads a span of time, exactly.
func seconds(text string) (int64, error) {
	whole, part, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || n > 9e9 || strings.Trim(part, "0123456789") != "" {
		if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 0 && f < 9e9 {
			return int64(f * 1e9), nil
		}
		return 0, fmt.Errorf("%q: want a number of seconds", text)
	}
	fraction, _ := strconv.ParseInt((part + "000000000")[:9], 10, 64)
	return n*1e9 + fraction, nil
}
