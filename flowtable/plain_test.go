package flowtable

import (
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/internal/mutate"
)

// plainFrames are frames that are plain, of TCP and UDP in IPv4 and IPv6, with and
// without a tag, in both directions.
func plainFrames() (frames [][]byte) {
	const (
		macs = "02005e00000102005e000002"
		tcp  = "c0a801bb" + "01020304" + "05060708" + "5018ffff00000000"
		udp  = "c0a80035" + "00080000"
	)
	low, high := "0a000001", "c0000202"
	low6, high6 := "20010db8000000000000000000000001", "20010db8000000010000000000000001"
	add := func(text string) {
		frame, err := hex.DecodeString(macs + text)
		if err != nil {
			panic(err)
		}
		frames = append(frames, frame)
	}
	for _, tag := range []string{"", "81000064"} {
		for range 2 {
			add(tag + "0800" + "4500002812340000" + "40060000" + low + high + tcp)
			add(tag + "0800" + "4500002412340000" + "40110000" + low + high + udp + "0102030405060708")
			add(tag + "86dd" + "6000000000140640" + low6 + high6 + tcp)
			add(tag + "86dd" + "6000000000101140" + low6 + high6 + udp + "0102030405060708")
			low, high, low6, high6 = high, low, high6, low6
		}
	}
	return frames
}

// FuzzPlain compares a batch that takes plain frames, one or many at a time, with one
// that is given the headers of all.
func FuzzPlain(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	all := plainFrames()
	for i, seed := range all {
		f.Add(seed, uint32(len(seed)), int64(i), i%2 > 0)
		for k, frame := range mutate.Many(r, 10, seed, all[(i+1)%len(all)]) {
			f.Add(frame, uint32(len(frame)+k), int64(-k), i%2 > 0)
		}
	}
	// A header of TCP that is longer than what was on the wire of its packet.
	cut := slices.Clone(all[len(all)/2])
	cut[18+3], cut[18+20+12] = 44, 6<<4
	f.Add(cut, uint32(18+40), int64(0), false)
	usual, _ := mustNew(f, Options{})
	seeded, _ := mustNew(f, Options{})
	seeded.Part(1)
	linked, _ := mustNew(f, Options{Features: features.Options{Set: features.Link}})
	tagged, _ := mustNew(f, Options{Keys: Keys{Encapsulation: decode.VLANTags}, Features: features.Options{Set: features.Link | features.Sizes}})
	f.Fuzz(func(t *testing.T, frame []byte, wireLen uint32, at int64, fine bool) {
		frame = slices.Clip(frame)
		for _, gate := range []*Gate{usual, seeded, linked, tagged} {
			for _, tables := range []int{1, 3} {
				quick, many, slow := gate.NewBatch(tables), gate.NewBatch(tables), gate.NewBatch(tables)
				var mem []byte
				var frames []Frame
				add := func(frame []byte, at Time) {
					if !quick.AddPlain(decode.LinkEthernet, frame, at, wireLen, fine) {
						addHeaders(quick, frame, at, wireLen, fine)
					}
					addHeaders(slow, frame, at, wireLen, fine)
					frames = append(frames, Frame{int64(at), uint32(len(mem)), uint32(len(frame)), wireLen})
					mem = append(mem, frame...)
				}
				add(all[2], 0) // what is left of it must not shine through
				quick.Reset()
				slow.Reset()
				mem, frames = nil, nil
				taken := quick.AddPlain(decode.LinkEthernet, frame, Time(at), wireLen, fine)
				quick.Reset()
				known := slices.ContainsFunc(all, func(p []byte) bool { return slices.Equal(p, frame) })
				if known && !taken && (gate != tagged || frame[12] != 0x81) {
					t.Fatalf("% x: not plain", frame)
				}
				add(frame, Time(at))
				add(all[0], Time(at)-1) // earlier, and later
				add(all[2], Time(at)+1)
				add(frame, Time(at)+1)
				add(all[5], Time(at)+2)
				for rest := frames; len(rest) > 0; {
					n := many.AddFrames(mem, rest, fine)
					if rest = rest[n:]; len(rest) > 0 {
						f := &rest[0]
						addHeaders(many, slices.Clip(mem[f.At:f.At+f.CapLen]), Time(f.Time), wireLen, fine)
						rest = rest[1:]
					}
				}
				wantBatch(t, frame, quick, slow)
				wantBatch(t, frame, many, slow)
			}
		}
	})
}

// addHeaders adds a frame by its headers.
func addHeaders(b *Batch, frame []byte, at Time, wireLen uint32, fine bool) {
	var d decode.Packet
	var decoder *decode.Decoder
	if b.hasher.Encapsulation != 0 {
		decoder = &decode.Decoder{Encapsulation: b.hasher.Encapsulation}
	}
	decoder.Decode(&d, 1, frame, wireLen)
	b.Add(&d, at, wireLen, fine)
	if b.Detailed() {
		b.AddDetails(&d, 1, frame)
	}
}

// wantBatch compares batches that a frame was added to.
func wantBatch(t *testing.T, frame []byte, quick, slow *Batch) {
	t.Helper()
	// Of packets that are of no flow nobody reads the key.
	for i := range slow.packets {
		if p, q := &slow.packets[i], &quick.packets[i]; p.key.rest&ofFlow == 0 && q.key.rest == p.key.rest && q.time == p.time && q.len == p.len {
			*q = *p
		}
	}
	if !slices.Equal(quick.packets, slow.packets) {
		t.Fatalf("% x:\nplain   %x\nheaders %x", frame, quick.packets, slow.packets)
	}
	if quick.Classes != slow.Classes || quick.earliest != slow.earliest || quick.latest != slow.latest ||
		quick.latestOfFlow != slow.latestOfFlow || quick.inOrder != slow.inOrder {
		t.Fatalf("% x: %+v, want %+v", frame, quick, slow)
	}
	for i := range quick.shares {
		if !slices.Equal(quick.shares[i], slow.shares[i]) {
			t.Fatalf("% x: share %d is %v, want %v", frame, i, quick.shares[i], slow.shares[i])
		}
	}
	for i := range slow.packets {
		if slow.packets[i].key.rest&ofFlow == 0 {
			continue
		}
		if got, want := quick.encapsulation(i), slow.encapsulation(i); got != want {
			t.Fatalf("% x: packet %d is in %x, want %x", frame, i, got, want)
		}
		if slow.features&features.Link != 0 && *quick.links.at(i) != *slow.links.at(i) {
			t.Fatalf("% x: packet %d has %v, want %v", frame, i, *quick.links.at(i), *slow.links.at(i))
		}
	}
	if len(quick.fragments) != len(slow.fragments) {
		t.Fatalf("% x: %d fragments, want %d", frame, len(quick.fragments), len(slow.fragments))
	}
}

// TestPlainKeys sees that batches whose keys are not the usual ones leave plain
// frames to those who have read the headers.
func TestPlainKeys(t *testing.T) {
	frame := plainFrames()[0]
	for want, k := range map[string]Keys{
		"plain": {}, "one way": {OneWay: true}, "a sample": {Sample: 2}, "details": {}, "origins": {},
	} {
		o := Options{Keys: k}
		if want == "details" {
			o.Features.Set = features.Link | features.IP
		}
		o.Origins = want == "origins"
		gate, _ := mustNew(t, o)
		if got := gate.NewBatch(1).AddPlain(1, frame, 0, uint32(len(frame)), false); got != (want == "plain") {
			t.Errorf("%s: AddPlain returned %t", want, got)
		}
	}
	if gate, _ := mustNew(t, Options{}); gate.NewBatch(1).AddPlain(101, frame, 0, uint32(len(frame)), false) {
		t.Error("another link type: AddPlain returned true")
	}
}

// TestFramesWithoutRoom adds frames of which none is plain to a batch that has no room
// left for them.
func TestFramesWithoutRoom(t *testing.T) {
	gate, _ := mustNew(t, Options{})
	b := gate.NewBatch(1)
	arp := make([]byte, 60)
	arp[12], arp[13] = 8, 6
	for added := range MaxBatch {
		if b.AddFrames(arp, []Frame{{CapLen: 60, OrigLen: 60}}, false) != 0 || b.Len() != added {
			t.Fatalf("%d packets in the batch, %d were added", b.Len(), added)
		}
		addHeaders(b, arp, 0, 60, false)
	}
}

// TestOriginsOfPackets adds packets that were not taken where flows have origins.
func TestOriginsOfPackets(t *testing.T) {
	gate, table := mustNew(t, Options{Origins: true})
	b := gate.NewBatch(1)
	for _, p := range []decode.Packet{{Class: decode.NotIP}, {Proto: 17}} {
		b.Add(&p, 0, 60, false)
	}
	b.AddTaken(&Taken{Proto: 6, Origin: Origin{Place: 5, Packet: 7}})
	gate.Admit(b)
	for i := range b.Steps() {
		table.Add(b, 0, i)
	}
	table.End(gate.Latest())
	var f Flow
	for s := (Step{Due: All}); table.Next(&s, &f); {
		if want := map[uint8]Origin{17: {}, 6: {Place: 5, Packet: 7}}[f.Protocol]; f.Origin != want {
			t.Errorf("protocol %d: origin %+v, want %+v", f.Protocol, f.Origin, want)
		}
	}
}
