package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Seconds are the value of a flag: a time span above zero.
type seconds time.Duration

// Set takes digits with or without a decimal point, to the nanosecond.
func (s *seconds) Set(text string) error {
	d, err := time.ParseDuration(text + "s")
	if err != nil || d <= 0 || strings.Trim(text, "0123456789.") != "" {
		return fmt.Errorf("want seconds above 0 and up to %d, such as 600 or 0.25", math.MaxInt64/int64(time.Second))
	}
	*s = seconds(d)
	return nil
}

func (s *seconds) String() string { return "" }
func (s *seconds) Type() string   { return "seconds" }

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
