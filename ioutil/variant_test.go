package ioutil

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// variantPcap writes what editcap -F nokiapcap and -F rh6_1pcap do: the ordinary
// magic, and 4 or 8 bytes more in each record header.
func variantPcap(b *builder, more, records int) (data []byte, want []string) {
	b.pcap(0xa1b2c3d4, 65535, 1)
	for i := range records {
		frame := strings.Repeat(string(rune('a'+i)), 60+i)
		b.u32(1_700_000_000+uint32(i), uint32(i)*1000, uint32(len(frame)), uint32(len(frame)))
		if more == 4 {
			b.u32(0)
		} else {
			b.u32(2).u16(0x800).bytes("\x04\x00")
		}
		b.bytes(frame)
		want = append(want, frame)
	}
	return b.Bytes(), want
}

func TestVariants(t *testing.T) {
	for _, build := range []func() *builder{littleEndian, bigEndian} {
		for _, more := range []int{4, 8} {
			for records := 1; records < 8; records++ {
				data, want := variantPcap(build(), more, records)
				mapped, err := readFile(t, file(t, data))
				streamed, err2 := readStream(t, bytes.NewReader(data))
				if err != nil || err2 != nil || !slices.Equal(mapped, streamed) {
					t.Fatalf("%d bytes more, %d records: %v, %v", more, records, err, err2)
				}
				for i, k := range mapped {
					if k.Data != want[i] || k.Time != (1_700_000_000+int64(i))*1e9+int64(i)*1e6 {
						t.Errorf("%d bytes more, record %d: %q at %d", more, i, k.Data, k.Time)
					}
				}
				if len(mapped) != records {
					t.Errorf("%d bytes more: %d records, want %d", more, len(mapped), records)
				}
			}
		}
	}
}

// TestOrdinaryStaysOrdinary cuts an ordinary file everywhere: it is never taken
// for a variant.
func TestOrdinaryStaysOrdinary(t *testing.T) {
	b := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
	for i := range uint32(4) {
		b.record(1_700_000_000+i, i, 60, strings.Repeat("x", 60))
	}
	data := b.Bytes()
	for cut := 24; cut < len(data); cut++ {
		got, _ := readBytes(t, data[:cut])
		if want := (cut - 24) / 76; len(got) != want {
			t.Errorf("cut at %d: %d packets, want %d", cut, len(got), want)
		}
	}
}

// TestDamagedLengthIsNoCut wants an error, not a cut, of a length that no
// interface has.
func TestDamagedLengthIsNoCut(t *testing.T) {
	for snapLen, damage := range map[uint32]bool{0: true, 65535: true, 300_000: true, 500_000: false} {
		data := littleEndian().pcap(0xa1b2c3d4, snapLen, 1).record(1, 2, 3, "abc").u32(1, 2, 400_000, 400_000).bytes("abc").Bytes()
		for _, way := range []string{"mapped", "streamed"} {
			got, err := readBytes(t, data)
			if way == "streamed" {
				got, err = readStream(t, bytes.NewReader(data))
			}
			if _, broken := errors.AsType[*FormatError](err); broken != damage || len(got) != 1 {
				t.Errorf("snap length %d, %s: %d packets, %v", snapLen, way, len(got), err)
			}
		}
	}
}
