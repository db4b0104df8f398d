package live

import (
	"testing"

	"golang.org/x/net/bpf"
)

// A filter for cooked frames looks behind their header, or at what the kernel tells of
// it, or else is not for the kernel.
func TestUncooked(t *testing.T) {
	for _, c := range []struct {
		name string
		in   bpf.Instruction
		want bpf.Instruction // nil if it is refused
	}{
		{"the protocol", bpf.LoadAbsolute{Off: 0, Size: 2}, bpf.LoadExtension{Num: bpf.ExtProto}},
		{"the type of the packet", bpf.LoadAbsolute{Off: 10, Size: 1}, bpf.LoadExtension{Num: bpf.ExtType}},
		{"an address of the link", bpf.LoadAbsolute{Off: 12, Size: 4}, nil},
		{"the protocol of IPv4", bpf.LoadAbsolute{Off: 29, Size: 1}, bpf.LoadAbsolute{Off: 9, Size: 1}},
		{"a port", bpf.LoadIndirect{Off: 22, Size: 2}, bpf.LoadIndirect{Off: 2, Size: 2}},
		{"the length of the header", bpf.LoadMemShift{Off: 20}, bpf.LoadMemShift{Off: 0}},
		{"the length of the frame", bpf.LoadExtension{Num: bpf.ExtLen}, nil},
		{"a jump", bpf.Jump{Skip: 1}, bpf.Jump{Skip: 1}},
	} {
		raw, err := c.in.Assemble()
		if err != nil {
			t.Fatal(err)
		}
		got, ok := uncooked([]bpf.RawInstruction{raw}, 20, sll2Fields)
		if ok != (c.want != nil) || ok && got[0].Disassemble() != c.want {
			t.Errorf("%s: got %v, %v, want %v", c.name, got, ok, c.want)
		}
	}
}

// The names of interfaces, and sizes that make no sense, are refused on every system.
func TestOptions(t *testing.T) {
	for _, c := range []struct {
		names []string
		o     Options
	}{
		{nil, Options{}},
		{[]string{""}, Options{}},
		{[]string{"any", "lo"}, Options{}},
		{[]string{"lo", "lo"}, Options{}},
		{[]string{"0123456789abcdef"}, Options{}},
		{[]string{"lo"}, Options{SnapLen: -1}},
		{[]string{"lo"}, Options{SnapLen: 262145}},
		{[]string{"lo"}, Options{Memory: -1}},
	} {
		if err := c.o.check(c.names); err == nil {
			t.Errorf("%q, %+v: no error", c.names, c.o)
		}
	}
	if o := (Options{}); o.check([]string{"lo", "eth0"}) != nil || o.SnapLen != 262144 || o.Memory != 32<<20 {
		t.Errorf("the default is %+v", o)
	}
}
