package main

import (
	"slices"
	"testing"
)

func TestCut(t *testing.T) {
	for _, test := range []struct{ rule, path, want string }{
		{"one of a capture", "a/b.pcap", "a/b"},
		{"any of a capture", "b.pcapng", "b"},
		{"any case", "b.PcAp.GZ", "b"},
		{"one of a compression and one of a capture", "b.pcap.zst", "b"},
		{"one of a compression alone", "b.xz", "b"},
		{"not two of a capture", "b.pcap.cap", "b.pcap"},
		{"not two of a compression", "b.pcap.gz.xz", "b.pcap.gz"},
		{"no other", "b.pcap.old", "b.pcap.old"},
		{"around the number of a rotated capture", "b.pcap12", "b12"},
		{"also of a compressed one", "a/ring.pcap1.gz", "a/ring1"},
		{"and of one behind a dot", "b.pcap.1", "b.1"},
		{"with the compression around that", "b.pcapng.1.gz", "b.1"},
		{"not around a number alone", "a.12", "a.12"},
		{"nor that of another extension", "b.mp4", "b.mp4"},
		{"dots within the name stay", "2026.11.23.dmp", "2026.11.23"},
		{"something of the name is left", "a/.pcap", "a/.pcap"},
		{"also of a compressed one", ".pcap.gz", ".pcap"},
		{"not of a folder", "a.pcap/b", "a.pcap/b"},
	} {
		if got := cut(test.path); got != test.want {
			t.Errorf("%s: %s: got %s, want %s", test.rule, test.path, got, test.want)
		}
	}
}

func TestOutputNames(t *testing.T) {
	for _, test := range []struct {
		rule string
		in   []string
		want []string
	}{
		{"none", nil, []string{}},
		{"alone", []string{"a.pcap"}, []string{"a_flow.csv"}},
		{"two that collide", []string{"a.pcap", "a.pcapng", "b.pcap"},
			[]string{"a.pcap_flow.csv", "a.pcapng_flow.csv", "b_flow.csv"}},
		{"not in other folders", []string{"x/a.pcap", "y/a.pcapng"}, []string{"x/a_flow.csv", "y/a_flow.csv"}},
		{"with one that has no extension", []string{"a", "a.pcap"}, []string{"a_flow.csv", "a.pcap_flow.csv"}},
		{"with the full name of another", []string{"a.pcap", "a.pcapng", "a.pcap.gz", "a.pcap.pcap"},
			[]string{"a.pcap_flow.csv", "a.pcapng_flow.csv", "a.pcap.gz_flow.csv", "a.pcap.pcap_flow.csv"}},
		{"a chain of them", []string{"a.cap", "a.pcap", "a.pcap.cap", "a.pcap.cap.cap"},
			[]string{"a.cap_flow.csv", "a.pcap_flow.csv", "a.pcap.cap_flow.csv", "a.pcap.cap.cap_flow.csv"}},
		{"a folder in the place of the manifest", []string{"flowfast-manifest.json/a.pcap", "x/flowfast-manifest.json/a.pcap"},
			[]string{"flowfast-manifest.json_/a_flow.csv", "x/flowfast-manifest.json/a_flow.csv"}},
		{"also beside one of that name", []string{"flowfast-manifest.json/a.pcap", "flowfast-manifest.json_/a.pcap"},
			[]string{"flowfast-manifest.json__/a_flow.csv", "flowfast-manifest.json_/a_flow.csv"}},
		{"the path of a folder", []string{"x/a.pcap", "x/a_flow.csv/b.pcap", "a_flow.csv/c.pcap"},
			[]string{"x/a.pcap_flow.csv", "x/a_flow.csv/b_flow.csv", "a_flow.csv/c_flow.csv"}},
	} {
		got := outputNames(test.in, "csv")
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q: got %q, want %q", test.rule, test.in, got, test.want)
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != len(test.in) {
			t.Errorf("%s: outputs are not distinct", test.rule)
		}
	}
}

func TestNamedCapture(t *testing.T) {
	for _, test := range []struct {
		path string
		want bool
	}{
		{"a/b.pcap", true}, {"b.PCAPNG", true}, {"b.pcap.gz", true},
		{"b.cap", false}, {"b.dump", false}, {"b.gz", false}, {"pcap", false}, {"b.pcap.txt", false},
		{"a/._b.pcap", false}, // kept by macOS beside b.pcap
	} {
		if got := namedCapture(test.path); got != test.want {
			t.Errorf("%s: got %v, want %v", test.path, got, test.want)
		}
	}
}
