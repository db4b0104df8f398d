//go:build linux || darwin

package main

import (
	"math"
	"strings"
	"testing"
)

func TestSheet(t *testing.T) {
	s := &sheet{words: 1, header: []string{"÷", "ns"}}
	s.add("dos", "1,234")
	s.add("a flood", "5")
	var out strings.Builder
	s.print(&out)
	const want = `
| ÷       |    ns |
| ------- | ----: |
| dos     | 1,234 |
| a flood |     5 |

`
	if out.String() != want {
		t.Errorf("got %s\nwant %s", out.String(), want)
	}
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {0.000123, "0.00012"}, {0.4567, "0.46"}, {9.876, "9.88"}, {12.34, "12.3"}, {123.4, "123"},
		{1234567.8, "1,234,568"}, {-1234, "-1,234"}, {-123456, "-123,456"}, {math.NaN(), none}, {math.Inf(1), none},
	} {
		if got := number(test.v); got != test.want {
			t.Errorf("%v: %s, want %s", test.v, got, test.want)
		}
	}
}
