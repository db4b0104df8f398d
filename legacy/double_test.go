package legacy

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// TestAppendDouble has texts of Double.toString.
func TestAppendDouble(t *testing.T) {
	for _, test := range []struct {
		v    float64
		want string
	}{
		{0, "0.0"},
		{math.Copysign(0, -1), "-0.0"},
		{1, "1.0"},
		{-1, "-1.0"},
		{41, "41.0"},
		{0.1, "0.1"},
		{0.001, "0.001"},
		{math.Nextafter(0.001, 0), "9.999999999999998E-4"},
		{0.0001, "1.0E-4"},
		{9999999, "9999999.0"},
		{math.Nextafter(1e7, 0), "9999999.999999998"},
		{1e7, "1.0E7"},
		{15019773, "1.5019773E7"},
		{-15019773, "-1.5019773E7"},
		{1e23, "1.0E23"},
		{133.1164903383499, "133.1164903383499"},
		{166666.66666666666, "166666.66666666666"},
		{math.MaxFloat64, "1.7976931348623157E308"},
		{math.Inf(1), "Infinity"},
		{math.Inf(-1), "-Infinity"},
		{math.NaN(), "NaN"},
	} {
		if got := string(appendDouble(nil, test.v)); got != test.want {
			t.Errorf("%g: got %s, want %s", test.v, got, test.want)
		}
	}
}

// FuzzAppendDouble checks the layout, and that the text gives the number back.
func FuzzAppendDouble(f *testing.F) {
	f.Add(0.001)
	f.Add(1e7)
	f.Fuzz(func(t *testing.T, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
		text := string(appendDouble(nil, v))
		digits, exponent, ok := strings.Cut(text, "E")
		whole, fraction, point := strings.Cut(strings.TrimPrefix(digits, "-"), ".")
		if !point || whole == "" || fraction == "" || ok && (len(whole) > 1 || exponent == "0") {
			t.Errorf("%g: got %s", v, text)
		}
		if back, err := strconv.ParseFloat(text, 64); err != nil || math.Float64bits(back) != math.Float64bits(v) {
			t.Errorf("%g: got %s, which is %g (%v)", v, text, back, err)
		}
	})
}
