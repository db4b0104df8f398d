package cryptopan

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// sample is the key of the sample that comes with the authors' implementation.
var sample = []byte{21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
	216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2}

func v4(t *testing.T, k *Key, address string) string {
	a := netip.MustParseAddr(address).As4()
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], k.V4(binary.BigEndian.Uint32(a[:])))
	return netip.AddrFrom4(b).String()
}

// TestPublished has addresses of the authors' sample_trace_raw.dat and
// sample_trace_sanitized.dat.
func TestPublished(t *testing.T) {
	k, err := New(sample)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range [][2]string{
		{"128.11.68.132", "135.242.180.132"}, {"129.118.74.4", "134.136.186.123"}, {"130.132.252.244", "133.68.164.234"},
		{"141.223.7.43", "141.167.8.160"}, {"141.233.145.108", "141.129.237.235"}, {"152.163.225.39", "151.140.114.167"},
		{"156.29.3.236", "147.225.12.42"}, {"165.247.96.84", "162.9.99.234"}, {"166.107.77.190", "160.132.178.185"},
		{"192.102.249.13", "252.138.62.131"}, {"192.215.32.125", "252.43.47.189"}, {"192.233.80.103", "252.25.108.8"},
		{"192.41.57.43", "252.222.221.184"}, {"193.150.244.223", "253.169.52.216"},
	} {
		if got := v4(t, k, test[0]); got != test[1] {
			t.Errorf("%s: got %s, want %s", test[0], got, test[1])
		}
	}
}

// TestPrefixes wants common prefixes to stay as long as they were.
func TestPrefixes(t *testing.T) {
	k, err := New(sample)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		a, b := r.Uint32(), r.Uint32()
		b = a ^ b>>r.IntN(32)
		if got, want := bits.LeadingZeros32(k.V4(a)^k.V4(b)), bits.LeadingZeros32(a^b); got != want {
			t.Fatalf("%08x and %08x share %d bits, then %d", a, b, want, got)
		}
		common := func(hi, lo uint64) int {
			if hi != 0 {
				return bits.LeadingZeros64(hi)
			}
			return 64 + bits.LeadingZeros64(lo)
		}
		hi, lo := r.Uint64(), r.Uint64()
		hi2, lo2 := hi, lo^r.Uint64()>>r.IntN(64)
		if r.IntN(2) == 0 {
			hi2 ^= r.Uint64() >> r.IntN(64)
		}
		h1, l1 := k.V6(hi, lo)
		h2, l2 := k.V6(hi2, lo2)
		if got, want := common(h1^h2, l1^l2), common(hi^hi2, lo^lo2); got != want {
			t.Fatalf("%016x%016x and %016x%016x share %d bits, then %d", hi, lo, hi2, lo2, want, got)
		}
	}
}

func TestBadKey(t *testing.T) {
	if _, err := New(sample[:31]); err == nil {
		t.Error("no error for 31 bytes")
	}
}
