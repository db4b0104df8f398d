package engine

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/flowfast/flowfast/flowtable"
)

// A notebook notes what it is told, as a writer that takes flows.
type notebook struct{ told []string }

func (n *notebook) Write(b []byte) (int, error) {
	n.told = append(n.told, string(b))
	return len(b), nil
}

func (n *notebook) WriteFlow(*flowtable.Flow) error {
	n.told = append(n.told, "flow")
	return nil
}

func (n *notebook) Appends(rows any) bool { return rows == n }

func (n *notebook) Flush() error {
	n.told = append(n.told, "flush")
	return nil
}

func (n *notebook) AppendRow(b []byte, _ *flowtable.Flow) []byte { return append(b, "row"...) }

// TestFlowWriter wants flows to go to a writer that takes them, behind rows that came
// before, and to be flushed when it is time, once.
func TestFlowWriter(t *testing.T) {
	var to notebook
	now := time.Unix(1, 0)
	w := NewWriter(&to, &to, func(b []byte) []byte { return b }, time.Second, func() time.Time { return now })
	var f flowtable.Flow
	steps := []func() error{
		func() error { return w.Flow(&f) },
		w.Flush, w.Flush,
		func() error { return w.Rows([]byte("rows")) },
		func() error { return w.Flow(&f) },
		func() error { now = now.Add(time.Second); return w.Flush() },
		func() error { return w.Flow(&f) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"flow", "flush", "rowsrow", "flush", "flow"}; !slices.Equal(to.told, want) {
		t.Errorf("told %q, want %q", to.told, want)
	}
	to.told = nil
	other := NewWriter(&to, &notebook{}, func(b []byte) []byte { return b }, 0, nil)
	if err := errors.Join(other.Flow(&f), other.End(nil)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"row"}; !slices.Equal(to.told, want) {
		t.Errorf("of a format that is another told %q, want %q", to.told, want)
	}
}
