package export

import "testing"

// TestQuantileNames wants a name of its own for each quantile, in percent.
func TestQuantileNames(t *testing.T) {
	for q, want := range map[float64]string{
		0: "p0", 1: "p100", 0.5: "p50", 0.05: "p5", 0.95: "p95", 0.999: "p99.9", 0.29: "p29", 0.1: "p10", 0.001: "p0.1",
		0.025: "p2.5", 0.9999999999: "p99.99999999", 1e-9: "p0.0000001", 0.123456781: "p12.3456781", 0.12345678: "p12.345678",
	} {
		columns := Quantiles([]float64{q})
		names := [4]string{"fwd_pkt_size_", "fwd_iat_", "bwd_pkt_size_", "bwd_iat_"}
		for i, c := range columns {
			if c.Name != names[i]+want {
				t.Errorf("%v: got %s, want %s", q, c.Name, names[i]+want)
			}
		}
	}
}
