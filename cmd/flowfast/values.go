package main

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
)

// Seconds are the value of a flag: a time span above zero.
type seconds time.Duration

// Set takes digits with or without a decimal point, to the nanosecond, or with
// units: 90s, 1h30m.
func (s *seconds) Set(text string) error {
	given := text
	if strings.Trim(text, "0123456789.") == "" {
		given += "s"
	}
	d, err := time.ParseDuration(given)
	if err != nil || d <= 0 || strings.HasPrefix(text, "+") {
		return fmt.Errorf("want seconds above 0 and up to %d, such as 600, 0.25 or 10m", math.MaxInt64/int64(time.Second))
	}
	*s = seconds(d)
	return nil
}

func (s *seconds) String() string { return "" }
func (s *seconds) Type() string   { return "seconds" }

// An orNone is the value of a flag: a time span, or none.
type orNone time.Duration

func (o *orNone) Set(text string) error {
	if text == "none" {
		*o = 0
		return nil
	}
	if err := (*seconds)(o).Set(text); err != nil {
		return fmt.Errorf("%w, or none", err)
	}
	return nil
}

func (o *orNone) String() string { return "" }
func (o *orNone) Type() string   { return "seconds" }

// A size is the value of a flag: a number of bytes.
type size int64

// Set takes a number of bytes with or without a unit, such as 500MB or 1.5GiB.
func (s *size) Set(text string) error {
	n, err := bytesOf(text)
	if err != nil || n < flowfast.MinMemory {
		return fmt.Errorf("want %d MiB at least, such as 512MiB or 8GB", flowfast.MinMemory>>20)
	}
	*s = size(n)
	return nil
}

// bytesOf reads a number of bytes with or without a unit.
func bytesOf(text string) (int64, error) {
	// ParseBytes passes over commas and spaces: 1,5GB would be 15.
	odd := strings.ContainsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	n, err := humanize.ParseBytes(text)
	if err == nil && (odd || n > math.MaxInt64) {
		err = errors.New("want a number of bytes, such as 512MiB")
	}
	return int64(n), err
}

func (s *size) String() string { return "" }
func (s *size) Type() string   { return "size" }

// A tcpEnd is the value of a flag: what closes TCP flows.
type tcpEnd flowtable.TCPEnd

func (t *tcpEnd) Set(text string) error {
	by, ok := map[string]flowtable.TCPEnd{
		"none": 0, "fin": flowtable.EndFIN, "rst": flowtable.EndRST, "fin-rst": flowtable.EndFIN | flowtable.EndRST,
	}[text]
	if !ok {
		return errors.New("want none, fin, rst or fin-rst")
	}
	*t = tcpEnd(by)
	return nil
}

func (t *tcpEnd) String() string { return "" }
func (t *tcpEnd) Type() string   { return "how" }

// A formatName is the value of a flag: the name of a format of rows.
type formatName command

func (f *formatName) Set(text string) error {
	named, ok := export.FormatNamed(text)
	if !ok {
		return fmt.Errorf("want one of %s", strings.Join(export.FormatNames(), ", "))
	}
	f.format = named
	return nil
}

func (f *formatName) String() string { return "" }
func (f *formatName) Type() string   { return "format" }

// A text is the value of a flag that takes its text itself.
type text struct{ encoding.TextUnmarshaler }

func (t text) Set(s string) error { return t.UnmarshalText([]byte(s)) }
func (t text) String() string     { return "" }
func (t text) Type() string       { return "text" }

// A count is the value of a flag: a whole number above zero.
type count int

func (c *count) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return errors.New("want a whole number above 0")
	}
	*c = count(n)
	return nil
}

func (c *count) String() string { return "" }
func (c *count) Type() string   { return "count" }

// A timeUnit is the value of a flag: the unit of times in formats that have a type of
// them.
type timeUnit struct{ of time.Duration } // 0 is a nanosecond

const nanoseconds, microseconds = "ns", "us"

func (u *timeUnit) Set(text string) error {
	switch text {
	case nanoseconds:
		u.of = 0
	case microseconds:
		u.of = time.Microsecond
	default:
		return errors.New("want ns or us")
	}
	return nil
}

// text writes the unit as the flag takes it.
func (u *timeUnit) text() string {
	if u.of == 0 {
		return nanoseconds
	}
	return microseconds
}

func (u *timeUnit) String() string { return "" }
func (u *timeUnit) Type() string   { return "unit" }
