package flowfast

import (
	"fmt"

	"github.com/flowfast/flowfast/internal/cryptopan"
)

// prepare returns what one goroutine does with each flow before it is given out or
// formatted; it returns false for one that is not.
func (r *Run) prepare() func(*Flow) bool {
	var label func(*Flow) bool
	if r.options.Labeler != nil {
		label = r.options.Labeler()
	}
	key := r.key
	if label == nil && key == nil && r.options.Meter == nil {
		return func(f *Flow) bool {
			r.tunnels.see(f)
			return true
		}
	}
	return func(f *Flow) bool {
		if r.options.Meter == nil {
			r.tunnels.see(f)
		}
		if label != nil && !label(f) {
			return false
		}
		if key != nil {
			anonymize(f, key)
		}
		return true
	}
}

// anonymize gives a flow other addresses.
func anonymize(f *Flow, k *cryptopan.Key) {
	if f.V6 {
		f.Src.Hi, f.Src.Lo = k.V6(f.Src.Hi, f.Src.Lo)
		f.Dst.Hi, f.Dst.Lo = k.V6(f.Dst.Hi, f.Dst.Lo)
		return
	}
	f.Src.Lo, f.Dst.Lo = uint64(k.V4(uint32(f.Src.Lo))), uint64(k.V4(uint32(f.Dst.Lo)))
}

// newKey returns the key of addresses, nil for none.
func newKey(key []byte) (*cryptopan.Key, error) {
	if key == nil {
		return nil, nil
	}
	k, err := cryptopan.New(key)
	if err != nil {
		return nil, fmt.Errorf("anonymize: %w", err)
	}
	return k, nil
}
