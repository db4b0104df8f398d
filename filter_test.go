package flowfast_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"golang.org/x/net/bpf"

	"github.com/flowfast/flowfast"
)

// datagram is an IPv4 datagram with a UDP header from a port.
func datagram(port uint16) []byte {
	b := []byte{0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}
	return append(binary.BigEndian.AppendUint16(b, port), 0, 53, 0, 8, 0, 0)
}

// filtered returns the source ports of the flows in a capture that a filter
// leaves, and the error at the end.
func filtered(t *testing.T, capture []byte, filter flowfast.Filter) (ports []uint16, classes flowfast.Classes, last error) {
	run, err := flowfast.NewReader(flowfast.Options{Choice: flowfast.Choice{Filter: filter}}, bytes.NewReader(capture), "made")
	if err != nil {
		return nil, classes, err
	}
	for f, err := range run.Flows(context.Background()) {
		if last = err; f != nil {
			ports = append(ports, f.SrcPort)
		}
	}
	slices.Sort(ports)
	return ports, run.Summary().Classes, last
}

func assembled(t *testing.T, program ...bpf.Instruction) flowfast.Filter {
	raw, err := bpf.Assemble(program)
	if err != nil {
		t.Fatal(err)
	}
	return filterOf(raw...)
}

// TestFilterLength wants the length that a program loads to be the original one,
// and what is loaded from the frame to be where it was.
func TestFilterLength(t *testing.T) {
	var capture bytes.Buffer
	w := pcapgo.NewWriter(&capture)
	if err := w.WriteFileHeader(262144, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	for i, length := range []int{28, 500, 501, 1500} {
		info := gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: 28, Length: length}
		if err := w.WritePacket(info, datagram(uint16(1000+i))); err != nil {
			t.Fatal(err)
		}
	}
	accept := []bpf.Instruction{bpf.RetConstant{Val: 1}, bpf.RetConstant{Val: 0}}
	for _, test := range []struct {
		rule    string
		program []bpf.Instruction
		want    []uint16
	}{
		{"greater than 500", []bpf.Instruction{
			bpf.LoadExtension{Num: bpf.ExtLen}, bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: 500, SkipFalse: 1}}, []uint16{1002, 1003}},
		{"greater than 500, and a port by the length of the IP header", []bpf.Instruction{
			bpf.LoadExtension{Num: bpf.ExtLen}, bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: 500, SkipFalse: 4},
			bpf.LoadMemShift{Off: 0}, bpf.LoadIndirect{Off: 0, Size: 2}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 1003, SkipFalse: 1}}, []uint16{1003}},
		{"less than 600, and the protocol", []bpf.Instruction{
			bpf.LoadExtension{Num: bpf.ExtLen}, bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: 600, SkipTrue: 3},
			bpf.LoadAbsolute{Off: 9, Size: 1}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 17, SkipFalse: 1}}, []uint16{1000, 1001, 1002}},
		{"what was not captured matches nothing", []bpf.Instruction{
			bpf.LoadExtension{Num: bpf.ExtLen}, bpf.LoadAbsolute{Off: 28, Size: 1}}, nil},
		{"the last captured byte", []bpf.Instruction{
			bpf.LoadExtension{Num: bpf.ExtLen}, bpf.LoadAbsolute{Off: 27, Size: 1}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipFalse: 1}},
			[]uint16{1000, 1001, 1002, 1003}},
	} {
		ports, classes, err := filtered(t, capture.Bytes(), assembled(t, slices.Concat(test.program, accept)...))
		if err != nil || !slices.Equal(ports, test.want) || classes.LeftOut != uint64(4-len(test.want)) {
			t.Errorf("%s: ports %v, %d left out, %v; want %v", test.rule, ports, classes.LeftOut, err, test.want)
		}
	}
}

// TestFilterByteOrder wants a program for BSD null to match frames of both byte
// orders.
func TestFilterByteOrder(t *testing.T) {
	var capture bytes.Buffer
	w := pcapgo.NewWriter(&capture)
	if err := w.WriteFileHeader(262144, layers.LinkTypeNull); err != nil {
		t.Fatal(err)
	}
	for i, family := range []string{"\x02\x00\x00\x00", "\x00\x00\x00\x02"} {
		frame := append([]byte(family), datagram(uint16(1000+i))...)
		info := gopacket.CaptureInfo{Timestamp: time.Unix(0, 0), CaptureLength: len(frame), Length: len(frame) + i}
		if err := w.WritePacket(info, frame); err != nil {
			t.Fatal(err)
		}
	}
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: 0, Size: 4}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x02000000, SkipFalse: 3},
		bpf.LoadAbsolute{Off: 13, Size: 1}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 17, SkipFalse: 1},
		bpf.RetConstant{Val: 1}, bpf.RetConstant{Val: 0}}
	ports, _, err := filtered(t, capture.Bytes(), assembled(t, program...))
	if err != nil || !slices.Equal(ports, []uint16{1000, 1001}) {
		t.Errorf("ports %v, %v", ports, err)
	}
	program = append([]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtLen}}, program...)
	if ports, _, err = filtered(t, capture.Bytes(), assembled(t, program...)); err != nil || !slices.Equal(ports, []uint16{1000, 1001}) {
		t.Errorf("with the length: ports %v, %v", ports, err)
	}
}

// TestFilterPerLinkType wants each link type to have its own program, and the
// packets of one without to be left out, with an error.
func TestFilterPerLinkType(t *testing.T) {
	var capture bytes.Buffer
	w, err := pcapgo.NewNgWriter(&capture, layers.LinkTypeRaw)
	if err != nil {
		t.Fatal(err)
	}
	null, err := w.AddInterface(pcapgo.NgInterface{LinkType: layers.LinkTypeNull})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		frame, number := datagram(uint16(1000+i)), i%2*null
		if number == null {
			frame = append([]byte{2, 0, 0, 0}, frame...)
		}
		info := gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: len(frame), Length: len(frame), InterfaceIndex: number}
		if err := w.WritePacket(info, frame); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	// The low byte of the source port: even on raw IP, odd on null.
	byLink := func(link uint32) ([]bpf.RawInstruction, error) {
		at := map[uint32]uint32{101: 21, 0: 25}[link]
		return bpf.Assemble([]bpf.Instruction{bpf.LoadAbsolute{Off: at, Size: 1},
			bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: 1005 % 256, SkipFalse: 1}, bpf.RetConstant{Val: 1}, bpf.RetConstant{Val: 0}})
	}
	if ports, _, err := filtered(t, capture.Bytes(), byLink); err != nil || !slices.Equal(ports, []uint16{1006, 1007, 1008, 1009}) {
		t.Errorf("ports %v, %v", ports, err)
	}

	bad := errors.New("no program for it")
	refuse := func(links ...uint32) flowfast.Filter {
		return func(link uint32) ([]bpf.RawInstruction, error) {
			if slices.Contains(links, link) {
				return nil, bad
			}
			return byLink(link)
		}
	}
	ports, classes, err := filtered(t, capture.Bytes(), refuse(0))
	if !errors.Is(err, bad) || !strings.HasPrefix(err.Error(), "made: ") || !slices.Equal(ports, []uint16{1006, 1008}) || classes.LeftOut != 8 {
		t.Errorf("ports %v, %d left out, %v", ports, classes.LeftOut, err)
	}
	if ports, _, err = filtered(t, capture.Bytes(), refuse(0, 101)); !errors.Is(err, bad) || ports != nil {
		t.Errorf("ports %v, %v", ports, err)
	}
}
