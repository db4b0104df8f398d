//go:build !linux

package fault

import "testing"

func TestProcess(t *testing.T) {
	t.Skip("faults around a process are made with what Linux has: tmpfs, /proc, namespaces")
}
