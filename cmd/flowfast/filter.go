package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/bpf"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
)

// A filter is the value of a flag: a filter as tcpdump -ddd prints it, or an
// expression, which tcpdump compiles for each link type that is met. There is no
// other whole compiler of the language that needs no C. Or it is a list of
// addresses and ports in a file, or one of those and a list.
type filter struct {
	program    []bpf.RawInstruction
	expression string
	file       string // of the list
	list       *flowfast.Endpoints
	digest     string // of the file
}

func (f *filter) Set(text string) error {
	if file, isFile := strings.CutPrefix(text, "@"); isFile {
		switch {
		case file == "":
			return errors.New("want the name of a file after @")
		case f.file != "":
			return errors.New("a second list: one file can have the lines of both")
		}
		f.file = file
		return nil
	}
	if f.program != nil || f.expression != "" {
		return errors.New("a second expression: one can be '(…) and (…)', and a list can be @FILE")
	}
	first, _, lines := strings.Cut(strings.TrimSpace(text), "\n")
	if !lines {
		first, _, lines = strings.Cut(first, ",")
	}
	if _, err := strconv.Atoi(first); lines && err == nil {
		f.program, err = parseProgram(text)
		return err
	}
	f.expression = strings.TrimSpace(text)
	if f.expression == "" {
		return errors.New("want an expression of tcpdump's, such as 'tcp port 80'")
	}
	return nil
}

func (f *filter) String() string { return "" }
func (f *filter) Type() string   { return "expression" }

// read reads the list.
func (f *filter) read() error {
	if f.file == "" {
		return nil
	}
	in, err := os.Open(f.file)
	if err != nil {
		return fmt.Errorf("--filter: %s", message(err))
	}
	defer in.Close()
	sum := sha256.New()
	if f.list, err = flowfast.ParseEndpoints(io.TeeReader(in, sum), f.file); err != nil {
		return fmt.Errorf("--filter: %w", err)
	}
	f.digest = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// text writes the filter as the flag takes it, "" for none; of a list the digest.
func (f *filter) text() string {
	var text strings.Builder
	text.WriteString(f.expression)
	if f.program != nil {
		fmt.Fprint(&text, len(f.program))
		for _, i := range f.program {
			fmt.Fprintf(&text, ",%d %d %d %d", i.Op, i.Jt, i.Jf, i.K)
		}
	}
	if f.file != "" {
		if text.Len() > 0 {
			text.WriteByte(' ')
		}
		text.WriteString("@sha256:" + f.digest)
	}
	return text.String()
}

// programs returns what gives the programs for link types, nil if there is no
// filter. tcpdump compiles once for each, until the context ends.
func (f *filter) programs(ctx context.Context) flowfast.Filter {
	switch {
	case f.program != nil:
		return func(uint32) ([]bpf.RawInstruction, error) { return f.program, nil }
	case f.expression == "":
		return nil
	}
	type compiled struct {
		program []bpf.RawInstruction
		err     error
	}
	var mu sync.Mutex
	of := map[uint32]compiled{}
	return func(linkType uint32) ([]bpf.RawInstruction, error) {
		mu.Lock()
		defer mu.Unlock()
		c, ok := of[linkType]
		if !ok {
			c.program, c.err = compile(ctx, f.expression, linkType)
			of[linkType] = c
		}
		return c.program, c.err
	}
}

// checkFilter returns an error if no link type has such a filter.
func checkFilter(of flowfast.Filter) error {
	if of == nil {
		return nil
	}
	const raw, radiotap = 101, 127 // what these and Ethernet know is all there is
	_, err := of(decode.LinkEthernet)
	for _, linkType := range []uint32{raw, radiotap} {
		if err != nil && !errors.Is(err, errSlow) {
			if _, other := of(linkType); other == nil {
				return nil
			}
		}
	}
	return err
}

// compileLimit is how long tcpdump may take to compile an expression. An expression
// as people write them takes it a hundredth of a second; the time grows with the
// square of the number of alternatives.
var compileLimit = time.Minute

// errSlow is the error of an expression that takes longer.
var errSlow = errors.New("has not compiled the expression")

// compile lets tcpdump compile an expression for a link type: that of an empty
// capture, since expressions mean less for an interface (which IPv6 is on a
// loopback depends on the system).
func compile(ctx context.Context, expression string, linkType uint32) ([]bpf.RawInstruction, error) {
	path, err := exec.LookPath("tcpdump")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/tcpdump") // not in everybody's path
	}
	if err != nil {
		return nil, errors.New("--filter: tcpdump, which compiles expressions, was not found; the output of tcpdump -ddd on another machine can be given instead")
	}
	if linkType == 14 { // OpenBSD's number of raw IP, which others do not know
		linkType = 101
	}
	capture := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	capture = append(capture, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	capture = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(capture, 262144), linkType)
	limited, cancel := context.WithTimeout(ctx, compileLimit)
	defer cancel()
	cmd := exec.CommandContext(limited, path, "-r", "-", "-ddd", "--", expression)
	cmd.WaitDelay = time.Second // for what a process of its own holds open
	endWithThis(cmd)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(capture), &stderr
	// Linux ends the child with the thread that started it.
	runtime.LockOSThread()
	out, err := cmd.Output()
	runtime.UnlockOSThread()
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, fmt.Errorf("--filter: %w", context.Cause(ctx))
	case limited.Err() != nil:
		return nil, fmt.Errorf("--filter: tcpdump %w within %v; a long list of addresses and ports is quick as a file, with --filter @FILE", errSlow, compileLimit)
	default:
		return nil, fmt.Errorf("--filter: for link type %d tcpdump says: %s", linkType, reason(stderr.String(), err))
	}
	program, err := parseProgram(string(out))
	if err != nil {
		return nil, fmt.Errorf("--filter: for link type %d: %w", linkType, err)
	}
	return program, nil
}

// reason returns what tcpdump says of an error, or else the error.
func reason(said string, err error) string {
	for line := range strings.Lines(said) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "tcpdump: "); ok && !strings.HasPrefix(rest, "WARNING") {
			return rest
		}
	}
	return err.Error()
}

// parseProgram reads what tcpdump -ddd prints: the number of instructions and
// then four numbers for each, in lines or with commas between.
func parseProgram(text string) ([]bpf.RawInstruction, error) {
	bad := errors.New("want a number of instructions, and so many times four numbers, as tcpdump -ddd prints them")
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ',' })
	if len(lines) < 2 {
		return nil, bad
	}
	if n, err := strconv.Atoi(strings.TrimSpace(lines[0])); err != nil || n != len(lines)-1 {
		return nil, bad
	}
	var program []bpf.RawInstruction
	for _, line := range lines[1:] {
		var op uint16
		var jt, jf uint8
		var k uint32
		if n, err := fmt.Sscan(line, &op, &jt, &jf, &k); n != 4 || err != nil || len(strings.Fields(line)) != 4 {
			return nil, bad
		}
		program = append(program, bpf.RawInstruction{Op: op, Jt: jt, Jf: jf, K: k})
	}
	known, ok := bpf.Disassemble(program)
	if !ok {
		return nil, errors.New("the filter has an instruction that is not known")
	}
	if _, err := bpf.NewVM(known); err != nil {
		return nil, err
	}
	return program, nil
}
