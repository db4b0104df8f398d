package workload

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Rules returns n rules of --labels about the hosts of the workloads, such as a
// researcher writes of an experiment: windows of minutes on the day of the captures,
// hosts, networks and ports, in both families of addresses. The last one is about the
// victim of floods; others come before it, and some of these match.
func Rules(n int) string {
	r := rand.New(rand.NewPCG(0x1abe15, uint64(n)))
	var b strings.Builder
	b.WriteString("zone: UTC\ndefault: BENIGN\nrules:\n")
	kinds := []string{
		"between: [10.0.%d.%d, 198.51.100.%d], ports: 443, protocols: tcp",
		"src: 10.0.%d.0/24, dst: [198.51.%d.%d, 198.51.100.0/28], dst_ports: 53, protocols: udp",
		"src: 45.%d.%d.%d",
		"between: ['2001:db8:1:%x::/64', '2001:db8:ffff::%x'], ports: [5222, %d]",
		"ports: [1%02d%02d, 2000%d], protocols: tcp",
	}
	for i := range n - 1 {
		from := r.IntN(12 * 60) // minutes
		ends := fmt.Sprintf(kinds[i%len(kinds)], r.IntN(100), r.IntN(100), r.IntN(10))
		fmt.Fprintf(&b, "  - {label: attack %d, %s, from: 2026-01-01 %02d:%02d, to: 2026-01-01 %02d:%02d}\n",
			i%20, ends, from/60*(i%2), from%60*(i%2), from/60+1, from%60)
	}
	b.WriteString("  - {label: DoS, dst: 203.0.113.80, ports: 80, protocols: tcp, from: 2026-01-01, to: 2026-01-02}\n")
	return b.String()
}
