package ioutil

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestInterfaces(t *testing.T) {
	b := littleEndian().section()
	named := b.option(2, "eth0") + b.option(3, "wide area") + b.option(9, "\x09") + b.option(0, "")
	binary := b.option(3, strings.Repeat("é", 200)) + b.option(9, "\xa0")
	ng := b.iface(1, 96, named).iface(101, 0, binary).enhanced(0, 1, 4, "data").section().iface(113, 5, "").Bytes()
	many := littleEndian().section()
	for range maxInterfacesKept + 7 {
		many.iface(1, 0, "")
	}
	for _, test := range []struct {
		name string
		data []byte
		want []Interface
		more int
	}{
		{"pcap", littleEndian().pcap(0xa1b2c3d4, 96, 101).Bytes(), []Interface{{LinkType: 101, SnapLen: 96, Resolution: 1e-6}}, 0},
		{"pcap in nanoseconds", littleEndian().pcap(0xa1b23c4d, 0, 1).Bytes(), []Interface{{LinkType: 1, Resolution: 1e-9}}, 0},
		{"snoop", []byte(snoopMagic + "\x00\x00\x00\x02\x00\x00\x00\x04"), []Interface{{LinkType: 1, Resolution: 1e-6}}, 0},
		{"pcapng", ng, []Interface{
			{"eth0", "wide area", 1, 96, 1e-9},
			{"", strings.Repeat("é", 128), 101, 0, math.Ldexp(1, -32)},
			{"", "", 113, 5, 1e-6},
		}, 0},
		{"more than are kept", many.Bytes(), slices.Repeat([]Interface{{LinkType: 1, Resolution: 1e-6}}, maxInterfacesKept), 7},
	} {
		c, err := Open(file(t, test.data))
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		for err == nil {
			_, err = c.Read(make([]Record, 4))
		}
		if got, more := c.Interfaces(); !slices.Equal(got, test.want) || more != test.more {
			t.Errorf("%s: %v and %d more (%v), want %v and %d", test.name, head(got), more, err, head(test.want), test.more)
		}
		c.Close()
	}
}

func head(all []Interface) string { return fmt.Sprintf("%d: %+v", len(all), all[:min(len(all), 4)]) }
