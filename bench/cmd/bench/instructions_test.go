//go:build linux || darwin

package main

import (
	"testing"
)

func TestReadCounts(t *testing.T) {
	if n, err := readPerf([]byte("# noise\n1234567,,instructions:u,812345,100.00,,\n")); n != 1234567 || err != nil {
		t.Errorf("perf: %d, %v", n, err)
	}
	for _, bad := range []string{"", "<not supported>,,instructions:u,0,100.00,,\n"} {
		if _, err := readPerf([]byte(bad)); err == nil {
			t.Errorf("perf: %q: no error", bad)
		}
	}
	if n, err := readCallgrind([]byte("==12== Events    : Ir\n==12== Collected : 80137790\n==12== \n")); n != 80137790 || err != nil {
		t.Errorf("callgrind: %d, %v", n, err)
	}
	if _, err := readCallgrind([]byte("==12== valgrind: Illegal instruction\n")); err == nil {
		t.Error("callgrind without a count: no error")
	}
}
