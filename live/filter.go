package live

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Numbers of classic BPF, and of what Linux adds to it (linux/filter.h).
const (
	loadWord    = 0x20 // BPF_LD+BPF_W+BPF_ABS
	loadNumber  = 0x00 // BPF_LD+BPF_IMM
	jumpIfEqual = 0x15 // BPF_JMP+BPF_JEQ+BPF_K
	jump        = 0x05 // BPF_JMP+BPF_JA
	returnK     = 0x06 // BPF_RET+BPF_K
	returnA     = 0x16 // BPF_RET+BPF_A

	tagCustomer = 0x8100 // ETH_P_8021Q
	tagService  = 0x88a8 // ETH_P_8021AD

	outgoing = 4 // PACKET_OUTGOING: sent by this host

	beside        = 0xfffff000 // SKF_AD_OFF
	adProtocol    = beside + 0
	adPacketType  = beside + 4
	adInterface   = beside + 8
	adHardware    = beside + 28
	adTagStripped = beside + 48 // SKF_AD_VLAN_TAG_PRESENT
)

// A section is what the kernel does with the frames of an interface.
type section struct {
	index  int // of the interface; 0 for all
	filter []bpf.RawInstruction
}

// kernelFilter returns the program for the socket. Frames that the loopback sends are
// left out, since it gets each of them too; so does libpcap.
//
// A filter that was compiled for captures looks for VLAN tags in the frame. The kernel
// has mostly taken the first one out, so it lets all frames with one pass, and the
// filter is run again when the tag is back. So it is with cooked frames whose protocol
// it takes for that of a tag: it tells another one with the frame.
func kernelFilter(sections []section, loopback, snapLen int) []bpf.RawInstruction {
	var p []bpf.RawInstruction
	if loopback > 0 {
		p = append(p,
			bpf.RawInstruction{Op: loadWord, K: adPacketType},
			bpf.RawInstruction{Op: jumpIfEqual, K: outgoing, Jf: 3},
			bpf.RawInstruction{Op: loadWord, K: adInterface},
			bpf.RawInstruction{Op: jumpIfEqual, K: uint32(loopback), Jf: 1},
			bpf.RawInstruction{Op: returnK})
	}
	for _, s := range sections {
		body := s.program(snapLen)
		if s.index != 0 {
			p = append(p,
				bpf.RawInstruction{Op: loadWord, K: adInterface},
				bpf.RawInstruction{Op: jumpIfEqual, K: uint32(s.index), Jt: 1},
				bpf.RawInstruction{Op: jump, K: uint32(len(body))})
		}
		p = append(p, body...)
	}
	return append(p, bpf.RawInstruction{Op: returnK})
}

func (s *section) program(snapLen int) []bpf.RawInstruction {
	if s.filter == nil {
		return []bpf.RawInstruction{{Op: returnK, K: uint32(snapLen)}}
	}
	p := []bpf.RawInstruction{
		{Op: loadWord, K: adTagStripped},
		{Op: jumpIfEqual, Jf: 3},
		{Op: loadWord, K: adProtocol},
		{Op: jumpIfEqual, K: tagCustomer, Jt: 1},
		{Op: jumpIfEqual, K: tagService, Jf: 1},
		{Op: returnK, K: maxSnapLen},
		{Op: loadNumber},
	}
	for _, in := range s.filter {
		if in.Op == returnK && in.K != 0 {
			in.K = uint32(snapLen)
		}
		p = append(p, in)
	}
	return p
}

// Where the fields of cooked headers are, for which the kernel has loads of its own.
var (
	sllFields  = map[uint32]uint32{0: adPacketType, 2: adHardware, 14: adProtocol}
	sll2Fields = map[uint32]uint32{0: adProtocol, 4: adInterface, 8: adHardware, 10: adPacketType}
)

// uncooked returns a filter for cooked frames as the kernel can run it, which has
// only what comes after their header; false if it looks at what the kernel can't
// tell.
func uncooked(filter []bpf.RawInstruction, header uint32, fields map[uint32]uint32) ([]bpf.RawInstruction, bool) {
	p := make([]bpf.RawInstruction, 0, len(filter))
	for _, in := range filter {
		decoded := in.Disassemble()
		switch in2 := decoded.(type) {
		case bpf.LoadAbsolute:
			switch {
			case in2.Off >= header:
				in.K -= header
			default:
				k, ok := fields[in2.Off]
				if !ok {
					return nil, false
				}
				in.Op, in.K = loadWord, k
			}
		case bpf.LoadIndirect:
			if in2.Off < header {
				return nil, false
			}
			in.K -= header
		case bpf.LoadMemShift:
			if in2.Off < header {
				return nil, false
			}
			in.K -= header
		case bpf.LoadExtension:
			return nil, false // the length lacks the header
		}
		p = append(p, in)
	}
	return p, true
}

// newVM returns a filter to be run here.
func newVM(filter []bpf.RawInstruction) (*bpf.VM, error) {
	known, ok := bpf.Disassemble(filter)
	if !ok {
		return nil, fmt.Errorf("filter: an instruction that is not known")
	}
	vm, err := bpf.NewVM(known)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return vm, nil
}
