package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flowfast/flowfast/internal/need"
)

// filterExpressions are tried on all captures.
var filterExpressions = []string{
	"tcp", "udp port 53", "greater 500", "ip6 or vlan", "not tcp and len <= 100",
	"tcp[tcpflags] & tcp-syn != 0", "net 192.168.0.0/16 and src portrange 1-1023",
}

// TestFilter counts the packets that --filter leaves of every shared capture, and
// those that tcpdump itself prints. Captures that tcpdump does not read to their
// end, or for whose link type it has no such filter, are passed over, and those
// that flowfast does not know.
func TestFilter(t *testing.T) {
	captures, err := filepath.Glob(filepath.Join(sharedFolder(t, "captures"), "*"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("tcpdump"); err != nil {
		need.Missing(t, "FILTER", err)
	}
	flowfast := built(t)
	var compared, some atomic.Int64 // pairs of a capture and an expression; those that it divides
	t.Run("captures", func(t *testing.T) {
		for _, capture := range captures {
			t.Run(filepath.Base(capture), func(t *testing.T) {
				t.Parallel()
				for _, expression := range filterExpressions {
					want, ok := tcpdumpCount(capture, expression)
					if !ok {
						continue
					}
					packets, got, ok := filterCount(t, flowfast, capture, expression)
					if !ok {
						continue
					}
					if compared.Add(1); got > 0 && got < packets {
						some.Add(1)
					}
					if got != want {
						t.Errorf("%s: %d packets, tcpdump has %d", expression, got, want)
					}
				}
			})
		}
	})
	t.Logf("%d compared, %d with a part of the packets", compared.Load(), some.Load())
	if compared.Load() < 500 || some.Load() < 200 {
		t.Error("too few could be compared")
	}
}

// tcpdumpCount returns how many packets of a capture match by tcpdump.
func tcpdumpCount(capture, expression string) (n uint64, ok bool) {
	cmd := exec.Command("tcpdump", "-n", "-r", capture, "--count", "--", expression)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || strings.Contains(stderr.String(), "truncated") {
		return 0, false
	}
	_, err = fmt.Sscan(string(out), &n)
	return n, err == nil
}

// filterCount returns the packets of a capture and how many of them match.
func filterCount(t *testing.T, flowfast, capture, expression string) (packets, matching uint64, ok bool) {
	cmd := exec.Command(flowfast, "-q", "--filter", expression, "--summary", "-", capture, os.DevNull)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if strings.Contains(stderr.String(), "unknown link type") {
		return 0, 0, false
	}
	if err != nil {
		t.Errorf("%s: %v: %s", expression, err, stderr.String())
		return 0, 0, false
	}
	var summary struct {
		Packets uint64
		Classes map[string]uint64
	}
	if err := json.Unmarshal(out, &summary); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	return summary.Packets, summary.Packets - summary.Classes["left_out"], true
}
