//go:build linux || darwin

package peers

import (
	"strings"

	"github.com/flowfast/flowfast/bench/workload"
)

// isFlood says whether most packets of a workload begin a flow.
func isFlood(name string) bool { return name == "dos" || strings.HasPrefix(name, "flood") }

// scaleOf returns the scale at which a workload has at most so many packets:
// the largest of top, a half, a fifth, a tenth of it and so on. Few scales, so
// that peers share captures. 0 packets stands for any number.
func scaleOf(name string, top float64, most int) float64 {
	fits := func(scale float64) bool { return most <= 0 || workload.Packets(name, scale) <= most }
	for part := 1.0; ; part *= 10 {
		for _, n := range []float64{1, 2, 5} {
			if scale := top / (part * n); fits(scale) {
				return scale
			}
		}
		if part > 1e9 { // floodN has N packets at any scale
			return top
		}
	}
}
