package labels

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/flowfast/flowfast/bench/workload"
)

// outline writes what is used of nodes.
func outline(b *strings.Builder, n *yaml.Node) {
	style := n.Style & (yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle)
	fmt.Fprintf(b, "%d:%d kind %d style %d %q null=%v %s(", n.Line, n.Column, n.Kind, style, n.Value, n.Tag == "!!null", n.Anchor)
	for _, c := range n.Content {
		outline(b, c)
	}
	b.WriteString(")\n")
}

// sameTree wants what is simple to be what the library reads, and returns if it is simple.
func sameTree(t *testing.T, text string) bool {
	t.Helper()
	got := simple(text)
	if got == nil {
		return false
	}
	var want, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(&want); err != nil {
		t.Fatalf("%q is simple; the library: %v", text, err)
	}
	if err := d.Decode(&more); err == nil {
		t.Fatalf("%q is simple, and there is a second document", text)
	}
	var a, b strings.Builder
	outline(&a, got)
	outline(&b, want.Content[0])
	if a.String() != b.String() {
		t.Fatalf("%q is\n%s\nthe library has\n%s", text, &a, &b)
	}
	return true
}

var simpleTexts = []string{
	"zone: UTC\nrules:\n  - label: a b\n    ports: 1-2, 3\n    where: fwd_tot_pkt > 1 and x(1) == 2\n\n  # a comment\n  - {label: c, between: [any, ['::1', 10.0.0.0/8]], from: 2026-01-01 00:00}\n",
	"rules:\n- label: a\n  columns: {a: b}\n- label: b\n  columns:\n    c: \"d\"\n    e: f\ndefault: x\n",
	"a:\n  - b\n  - 'c'\nd: 2001:db8::/32\n",
}

// TestSimple reads documents as they are, and with something changed here and there.
func TestSimple(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const letters = "ab1 :-,[]{}'\"#\n.n~*&!|>%@`?\\"
	simple := 0
	for _, text := range append(simpleTexts, workload.Rules(12)) {
		if !sameTree(t, text) {
			t.Errorf("%q is not simple", text)
		}
		for range 20_000 {
			b := []byte(text)
			for range 1 + r.IntN(3) {
				at := r.IntN(len(b))
				switch letter := letters[r.IntN(len(letters))]; r.IntN(3) {
				case 0:
					b = append(b[:at:at], append([]byte{letter}, b[at:]...)...)
				case 1:
					b = append(b[:at:at], b[at+1:]...)
				default:
					b[at] = letter
				}
			}
			if sameTree(t, string(b)) {
				simple++
			}
		}
	}
	if simple < 1000 {
		t.Errorf("only %d of the changed documents are simple", simple)
	}
}

// FuzzSimple wants what is simple to be what the library reads.
func FuzzSimple(f *testing.F) {
	for _, text := range append(simpleTexts, workload.Rules(6)) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { sameTree(t, text) })
}
