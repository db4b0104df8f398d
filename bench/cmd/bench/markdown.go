//go:build linux || darwin

package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// none stands where there is nothing to say.
const none = "-"

// A sheet is a Markdown table, aligned for those who read the text. The first
// words columns are on the left, the numbers behind them on the right.
type sheet struct {
	header []string
	words  int
	rows   [][]string
}

func (s *sheet) add(cells ...string) { s.rows = append(s.rows, cells) }

func (s *sheet) print(w io.Writer) {
	widths := make([]int, len(s.header))
	for _, row := range append(s.rows, s.header) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	var b strings.Builder
	line := func(row []string) {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i < s.words {
				b.WriteString("| " + cell + pad + " ")
			} else {
				b.WriteString("| " + pad + cell + " ")
			}
		}
		b.WriteString("|\n")
	}
	line(s.header)
	rule := make([]string, len(s.header))
	for i := range rule {
		rule[i] = strings.Repeat("-", widths[i])
		if i >= s.words {
			rule[i] = rule[i][1:] + ":"
		}
	}
	line(rule)
	for _, row := range s.rows {
		line(row)
	}
	fmt.Fprintf(w, "\n%s\n", b.String())
}

// number prints a number with three digits at least.
func number(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return none
	case v == 0:
		return "0"
	case math.Abs(v) < 0.01:
		return strconv.FormatFloat(v, 'g', 2, 64)
	case math.Abs(v) < 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case math.Abs(v) < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return grouped(int64(math.Round(v)))
}

// grouped prints a whole number in groups of three digits.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// millions prints a number in millions.
func millions(v float64) string {
	if math.IsNaN(v) {
		return none
	}
	return number(v / 1e6)
}

const mebi = 1 << 20
