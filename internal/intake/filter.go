package intake

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/net/bpf"

	"github.com/flowfast/flowfast/decode"
)

// Filters are the programs of a filter for the link types that were met.
type filters struct {
	filter func(linkType uint32) ([]bpf.RawInstruction, error)
	mu     sync.Mutex
	of     map[uint32]matcher
}

func (f *filters) get(linkType uint32) matcher {
	f.mu.Lock()
	defer f.mu.Unlock()
	m, ok := f.of[linkType]
	if !ok {
		m = newMatcher(f.filter, linkType)
		f.of[linkType] = m
	}
	return m
}

// refused returns the errors of link types that have no filter, and whether
// none of those that can be decoded has one.
func (c *chooser) refused(declared []uint32) (err error, all bool) {
	if c == nil || c.filters == nil {
		return nil, false
	}
	var errs []error
	known := 0
	for _, linkType := range declared {
		if !decode.KnownLinkType(linkType) {
			continue
		}
		known++
		if m := c.filters.get(linkType); m.err != nil {
			errs = append(errs, m.err)
		}
	}
	return errors.Join(errs...), known > 0 && len(errs) == known
}

// A matcher is a filter's program for a link type. Copies share the programs,
// which nothing changes.
type matcher struct {
	linkType uint32
	err      error // why there is no program
	whole    *bpf.VM
	// cut is for frames that were cut by the snap length, nil if that is no
	// matter: see behindLength.
	cut   *bpf.VM
	frame []byte // one that was cut, behind its length, or with another byte order
}

func newMatcher(filter func(linkType uint32) ([]bpf.RawInstruction, error), linkType uint32) matcher {
	m := matcher{linkType: linkType}
	raw, err := filter(linkType)
	if err != nil {
		m.err = err
		return m
	}
	program, ok := bpf.Disassemble(raw)
	if !ok {
		m.err = errors.New("filter: an instruction that is not known")
		return m
	}
	if m.whole, err = bpf.NewVM(program); err == nil && slices.Contains(program, bpf.Instruction(wireLength)) {
		m.cut, err = bpf.NewVM(behindLength(program))
	}
	if err != nil {
		m.err = fmt.Errorf("filter: %w", err)
	}
	return m
}

// matches reports whether the program takes a frame, of which what was captured
// is given, and its original length.
func (m *matcher) matches(frame []byte, length uint32) bool {
	if m.err != nil {
		return false
	}
	vm, before := m.whole, 0
	if m.cut != nil && int(length) != len(frame) {
		vm, before = m.cut, lengthSize
	}
	if swapped := m.linkType == linkNull && isBigEndian(frame); swapped || before > 0 {
		m.frame = append(binary.BigEndian.AppendUint32(m.frame[:0], length)[:before], frame...)
		frame = m.frame
		if swapped {
			slices.Reverse(frame[before : before+4])
		}
	}
	n, err := vm.Run(frame)
	return err == nil && n > 0
}

// linkNull is the link type of BSD null (https://www.tcpdump.org/linktypes.html):
// an address family in the byte order of the machine that captured, before the IP
// header. A program expects one order.
const linkNull = 0

// isBigEndian tells if the family in front of a frame is big-endian; families are
// small.
func isBigEndian(frame []byte) bool {
	return len(frame) >= 4 && frame[0]|frame[1] == 0 && frame[2]|frame[3] != 0
}

// wireLength is the instruction that loads the original length of a frame
// (BPF_LD+BPF_W+BPF_LEN), which bpf.VM takes for the captured one.
var wireLength = bpf.LoadExtension{Num: bpf.ExtLen}

const lengthSize = 4

// behindLength returns a program for frames that stand behind their original
// lengths, in lengthSize bytes.
func behindLength(program []bpf.Instruction) []bpf.Instruction {
	moved := slices.Clone(program)
	for i := range moved {
		switch in := moved[i].(type) {
		case bpf.LoadAbsolute:
			in.Off += lengthSize
			moved[i] = in
		case bpf.LoadIndirect:
			in.Off += lengthSize
			moved[i] = in
		case bpf.LoadMemShift:
			in.Off += lengthSize
			moved[i] = in
		case bpf.LoadExtension:
			if in == wireLength {
				moved[i] = bpf.LoadAbsolute{Off: 0, Size: lengthSize}
			}
		}
	}
	return moved
}
