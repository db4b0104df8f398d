package block

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"

	"github.com/flowfast/flowfast/features"
)

// Version is that of the format. Blocks of another version are refused.
const Version = 2

const magic = "FFBLOCK"

// Limits of what is read, in bytes. They are far above what is written.
const (
	maxHeader = 16 << 20
	maxTrace  = 1 << 30
	maxChunk  = 64 << 20 // compressed, and decompressed
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A Header says what is in a block.
type Header struct {
	// Options are those that say which packets are in the block and what their keys
	// are, by name and as a user would write them. Blocks in which one differs do not
	// belong together.
	Options map[string]string `json:"options"`
	// Features are the groups of features that the packets have details for.
	Features features.Set `json:"features"`
	// Bucket of Buckets, from 0 on, is where a hash of the key, which depends on Seed,
	// has put the flows.
	Bucket  int    `json:"bucket"`
	Buckets int    `json:"buckets"`
	Seed    uint64 `json:"seed"`
	// Packets is the number of packets in the block.
	Packets uint64  `json:"packets"`
	Capture Capture `json:"capture"`
}

// Differs returns what in the options of two blocks differs, "" for nothing.
func (h *Header) Differs(o *Header) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(h.Options)) {
		if h.Options[name] != o.Options[name] {
			all = append(all, fmt.Sprintf("%s %q and %q", name, h.Options[name], o.Options[name]))
		}
	}
	for _, n := range []struct {
		name string
		a, b uint64
	}{
		{"columns that need the features", uint64(h.Features), uint64(o.Features)}, {"buckets", uint64(h.Buckets), uint64(o.Buckets)},
		{"bucket", uint64(h.Bucket), uint64(o.Bucket)}, {"seed", h.Seed, o.Seed},
	} {
		if n.a != n.b {
			all = append(all, fmt.Sprintf("%s %d and %d", n.name, n.a, n.b))
		}
	}
	return strings.Join(all, "; ")
}

func (h *Header) encode() []byte {
	b, err := json.Marshal(h)
	if err != nil {
		panic(err) // numbers and strings can be encoded
	}
	return b
}
