package intake

import (
	"math"
	"testing"
	"time"

	"github.com/flowfast/flowfast/ioutil"
)

// Bounds of time beyond 64-bit nanoseconds leave out what lies before or after
// them, which is no packet or every one.
func TestChoiceFarTimes(t *testing.T) {
	date := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
	times := []int64{math.MinInt64, -1, 0, 1795433932e9, math.MaxInt64}
	for _, test := range []struct {
		rule     string
		from, to time.Time
		want     [5]bool
	}{
		{"to the year 9999", time.Time{}, date(9999), [5]bool{true, true, true, true, true}},
		{"to the year 2300", time.Time{}, date(2300), [5]bool{true, true, true, true, true}},
		{"from the year 1600", date(1600), time.Time{}, [5]bool{true, true, true, true, true}},
		{"from the year 1600 to 1970", date(1600), date(1970), [5]bool{true, true, false, false, false}},
		{"from 1970 to the year 9999", date(1970), date(9999), [5]bool{false, false, true, true, true}},
		{"from the year 2300", date(2300), time.Time{}, [5]bool{}},
		{"to the year 1600", time.Time{}, date(1600), [5]bool{}},
	} {
		c, err := newChooser(Choice{From: test.from, To: test.to})
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range times {
			if got := c.takes(&ioutil.Record{Time: at}); got != test.want[i] {
				t.Errorf("%s: a packet of %d: got %v, want %v", test.rule, at, got, test.want[i])
			}
		}
	}
}
