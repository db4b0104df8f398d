package labels

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// randomFlows returns flows among few hosts, in both directions, within some minutes
// around the epoch.
func randomFlows(r *rand.Rand, n int) []flowtable.Flow {
	flows := make([]flowtable.Flow, n)
	for i := range flows {
		f := &flows[i]
		f.V6 = r.IntN(2) == 0
		f.Src, f.Dst = decode.Addr{Lo: r.Uint64N(30)}, decode.Addr{Lo: r.Uint64N(30)}
		if f.V6 {
			f.Src.Hi, f.Dst.Hi = r.Uint64N(2), r.Uint64N(2)
		}
		f.SrcPort, f.DstPort, f.Protocol = uint16(r.IntN(1<<16)), uint16(r.IntN(1<<16)), 6
		f.Start = flowtable.Time(r.Int64N(int64(10*time.Minute))) - flowtable.Time(5*time.Minute)
		f.Last = f.Start + flowtable.Time(r.Int64N(int64(20*time.Second)))
		f.Fwd.Packets = 1
	}
	return flows
}

// naiveSplit is what the documentation of Splits says, in numbers without limits.
func naiveSplit(text string, seed uint64, unit byte, name ...any) string {
	var b bytes.Buffer
	for _, v := range append([]any{seed, []byte{'s', unit}}, name...) {
		if err := binary.Write(&b, binary.BigEndian, v); err != nil {
			panic(err)
		}
	}
	share := new(big.Rat).SetFrac(new(big.Int).SetUint64(xxhash.Sum64(b.Bytes())>>11), new(big.Int).Lsh(big.NewInt(1), 53))
	sum := new(big.Rat)
	for part := range strings.SplitSeq(text, ",") {
		name, v, _ := strings.Cut(part, "=")
		n, _ := new(big.Rat).SetString(v)
		if sum.Add(sum, n); share.Cmp(sum) < 0 {
			return name
		}
	}
	return "beyond"
}

// TestSplits holds the splits of random flows against those of the naive model.
func TestSplits(t *testing.T) {
	const shares = "train=0.7,val=0.15,test=0.15"
	const block, gap = 60, 7 // seconds
	r := rand.New(rand.NewPCG(1, 2))
	for seed := range uint64(5) {
		of := func(f *flowtable.Flow, u Unit) string {
			s, err := ParseSplits(shares)
			if err != nil {
				t.Fatal(err)
			}
			s.Seed, s.Unit, s.Block, s.Gap = seed, u, block*time.Second, gap*time.Second
			return append([]string{""}, s.Names()...)[s.of(f, s.OfCapture("a/b.pcap"))]
		}
		flows := randomFlows(r, 2000)
		counts := map[string]int{}
		for i := range flows {
			f := &flows[i]
			back := *f
			back.Src, back.Dst, back.SrcPort, back.DstPort = f.Dst, f.Src, f.DstPort, f.SrcPort

			a, b, version := f.Src, f.Dst, byte(4)
			if b.Hi < a.Hi || b.Hi == a.Hi && b.Lo < a.Lo {
				a, b = b, a
			}
			if f.V6 {
				version = 6
			}
			want := naiveSplit(shares, seed, 1, version, a.Hi, a.Lo, b.Hi, b.Lo)
			if got := of(f, UnitHostPair); got != want || of(&back, UnitHostPair) != want {
				t.Fatalf("flow %+v by host pair: %s, and %s the other way round; want %s", f, got, of(&back, UnitHostPair), want)
			}
			want = naiveSplit(shares, seed, 0, []byte{6, version}, f.Src.Hi, f.Src.Lo, f.Dst.Hi, f.Dst.Lo, int64(f.Start), uint64(0), f.SrcPort, f.DstPort, uint16(0))
			if got := of(f, UnitFlow); got != want {
				t.Fatalf("flow %+v by flow: %s, want %s", f, got, want)
			}
			counts[want]++
			if got, want := of(f, UnitCapture), naiveSplit(shares, seed, 3, []byte("a/b.pcap")); got != want {
				t.Fatalf("by capture: %s, want %s", got, want)
			}
			want = "?"
			for at := int64(f.Start); ; at += int64(time.Second) { // every second, and the last moment
				at = min(at, int64(f.Last)+int64(gap*time.Second))
				in := naiveSplit(shares, seed, 2, int64(math.Floor(float64(at)/1e9/block)))
				if want != "?" && want != in {
					want = ""
					break
				}
				if want = in; at == int64(f.Last)+int64(gap*time.Second) {
					break
				}
			}
			if got := of(f, UnitTime); got != want {
				t.Fatalf("flow from %d to %d by time: %q, want %q", f.Start, f.Last, got, want)
			}
		}
		for i := range flows { // what could be one flow is on one side
			for k := range flows[:i] {
				a, b := &flows[i], &flows[k]
				if a.Start > b.Start {
					a, b = b, a
				}
				if x, y := of(a, UnitTime), of(b, UnitTime); x != y && x != "" && y != "" && b.Start-a.Last <= flowtable.Time(gap*time.Second) {
					t.Fatalf("flows %d to %d and %d to %d are in %s and %s", a.Start, a.Last, b.Start, b.Last, x, y)
				}
				if i > 300 {
					break
				}
			}
		}
		for name, share := range map[string]float64{"train": 0.7, "val": 0.15, "test": 0.15} {
			const n = 2000
			if off := math.Abs(float64(counts[name])-n*share) / math.Sqrt(n*share*(1-share)); off > 5 {
				t.Errorf("seed %d: %d of %d flows in %s: %.1f standard deviations from the share", seed, counts[name], n, name, off)
			}
		}
	}
}

// TestParseSplits wants what can't be meant to be refused.
func TestParseSplits(t *testing.T) {
	for _, text := range []string{"", "train", "train=", "=1", "train=0.5", "train=0.5,test=0.6", "train=0.5,train=0.5", "a=0,b=1", "a=-1,b=2", "a=NaN"} {
		if s, err := ParseSplits(text); err == nil {
			t.Errorf("%q is taken as %v", text, s.ends)
		}
	}
	for _, text := range []string{"all=1", "a=0.1,b=0.2,c=0.7", "a=.5, b=.5"} {
		if _, err := ParseSplits(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestThinning wants one in so many flows of a label to stay, the same ones in any
// order, and what comes of it to be told.
func TestThinning(t *testing.T) {
	set := &Set{fallback: flowtable.Label{Name: "benign"}}
	splits, err := ParseSplits("a=0.5,b=0.5")
	if err != nil {
		t.Fatal(err)
	}
	plan := Plan{Rules: set, Splits: splits, Thin: &Thinning{OneOf: map[string]uint64{"benign": 10}}}
	flows := randomFlows(rand.New(rand.NewPCG(3, 4)), 5000)
	run := plan.Begin(Capture{})
	label := run.Labeler()
	kept := map[int]bool{}
	for i := range flows {
		kept[i] = label(&flows[i])
	}
	again := plan.Begin(Capture{})
	labels := []func(*flowtable.Flow) bool{again.Labeler(), again.Labeler()}
	n := 0
	for i := len(flows) - 1; i >= 0; i-- {
		if labels[i%2](&flows[i]) != kept[i] {
			t.Fatalf("flow %d is kept in one order and not in the other", i)
		}
		if kept[i] {
			n++
		}
	}
	if n < 400 || n > 600 {
		t.Errorf("%d of 5000 flows stay, want one in ten", n)
	}
	for _, r := range []*Run{run, again} {
		c := r.Counts()
		sum := c.Splits[0].Flows + c.Splits[1].Flows
		if len(c.Thinned) != 1 || c.Thinned[0] != (Thinned{"benign", 10, 5000, uint64(n)}) || c.Labels[0].Flows != uint64(n) || sum != uint64(n) || c.Splits[2].Flows != 0 {
			t.Errorf("%+v, want %d of 5000 flows", c, n)
		}
	}
	if allocated := testing.AllocsPerRun(100, func() { label(&flows[0]) }); allocated != 0 {
		t.Errorf("%v allocations for a flow", allocated)
	}
}

// TestSecret wants the choice to be another with each secret, and the same with the
// same one: of splits and of flows that stay.
func TestSecret(t *testing.T) {
	flows := randomFlows(rand.New(rand.NewPCG(5, 6)), 1000)
	choice := func(secret string) (text string) {
		s, err := ParseSplits("a=0.5,b=0.5")
		if err != nil {
			t.Fatal(err)
		}
		thin := Thinning{}
		if secret != "" {
			s.Secret, thin.Secret = []byte(secret), []byte(secret)
		}
		var splits, kept strings.Builder
		for i := range flows {
			splits.WriteByte('0' + s.of(&flows[i], 0))
			fmt.Fprint(&kept, thin.keeps(&flows[i], 2))
		}
		return splits.String() + kept.String()
	}
	seen := map[string]string{}
	for _, secret := range []string{"", "one", "another"} {
		got := choice(secret)
		for _, part := range []string{got[:len(flows)], got[len(flows):]} {
			if of, twice := seen[part]; twice {
				t.Errorf("the secrets %q and %q choose the same", of, secret)
			}
			seen[part] = secret
		}
		if choice(secret) != got {
			t.Errorf("the secret %q chooses twice in two ways", secret)
		}
	}
}

// TestNearestSeed wants the seed that is proposed to share captures out as it says.
func TestNearestSeed(t *testing.T) {
	s, err := ParseSplits("train=0.6,val=0.2,test=0.2")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"monday", "tuesday", "wednesday", "thursday", "friday"}
	seed, counts, ok := s.Nearest(names)
	if !ok || counts[0] != 3 || counts[1] != 1 || counts[2] != 1 {
		t.Fatalf("seed %d: %v, want 3, 1 and 1 captures", seed, counts)
	}
	s.Seed = seed
	for _, name := range names {
		counts[s.OfCapture(name)-1]--
	}
	if counts[0] != 0 || counts[1] != 0 || counts[2] != 0 {
		t.Errorf("seed %d does not share captures out as it is said to", seed)
	}
	if _, _, ok := s.Nearest(names[:2]); ok {
		t.Error("a seed for two captures and three splits")
	}
}
