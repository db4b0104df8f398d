package main

import (
	"math"
	"math/big"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/flowfast/flowfast"
)

// parsers are the values that flags take as text. Each has a line: what it makes
// of a text, as a number, a text for that number, and what else says that the
// text means, within what; nothing, if it is no such value.
var parsers = map[string]struct {
	set  func(text string) (int64, error)
	text func(int64) string
	twin func(text string) (n *big.Int, within int64)
}{
	"seconds": {func(s string) (int64, error) { v := new(seconds); err := v.Set(s); return int64(*v), err }, decimal, secondsTwin},
	"count":   {func(s string) (int64, error) { v := new(count); err := v.Set(s); return int64(*v), err }, digits, digitsTwin},
	"size":    {func(s string) (int64, error) { v := new(size); err := v.Set(s); return int64(*v), err }, digits, sizeTwin},
}

// sizeTwin reads a number of bytes with a unit, rounded down, of no less than
// the least bound.
func sizeTwin(text string) (n *big.Int, within int64) {
	m := regexp.MustCompile(`(?i)^([0-9]+\.?[0-9]*|\.[0-9]+)(?:([kmgtpe]?)(i?)b?)$`).FindStringSubmatch(text)
	if m == nil || m[2] == "" && m[3] != "" {
		return nil, 0
	}
	r, ok := new(big.Rat).SetString("0" + strings.TrimSuffix(m[1], "."))
	if !ok {
		return nil, 0
	}
	thousand := int64(1000)
	if m[3] != "" {
		thousand = 1024
	}
	for range strings.Index("kmgtpe", strings.ToLower(m[2])) + len(m[2]) {
		r.Mul(r, new(big.Rat).SetInt64(thousand))
	}
	n = new(big.Int).Quo(r.Num(), r.Denom())
	if strings.Contains(m[1], ".") {
		within = 1 + n.Int64()>>50 // it is a float64 on the way
	}
	if n.IsInt64() && n.Int64() < flowfast.MinMemory {
		return nil, 0
	}
	return n, within
}

func digits(n int64) string { return strconv.FormatInt(n, 10) }

func digitsTwin(text string) (n *big.Int, within int64) {
	if !regexp.MustCompile(`^\+?[0-9]+$`).MatchString(text) {
		return nil, 0
	}
	n, _ = new(big.Int).SetString(text, 10)
	return n, 0
}

// decimal writes nanoseconds as seconds.
func decimal(n int64) string {
	return big.NewRat(n, 1e9).FloatString(9)
}

// decimalTwin reads seconds as nanoseconds, rounded down. Beyond nine decimals
// the parser may be one away.
func decimalTwin(text string) (n *big.Int, within int64) {
	if !regexp.MustCompile(`^([0-9]+\.?[0-9]*|\.[0-9]+)$`).MatchString(text) {
		return nil, 0
	}
	if _, decimals, _ := strings.Cut(text, "."); len(decimals) > 9 {
		within = 1
	}
	r, ok := new(big.Rat).SetString("0" + strings.TrimSuffix(text, "."))
	if !ok {
		return nil, 0
	}
	r.Mul(r, big.NewRat(1e9, 1))
	return new(big.Int).Quo(r.Num(), r.Denom()), within
}

// secondsTwin reads nanoseconds with units as well.
func secondsTwin(text string) (n *big.Int, within int64) {
	const part = `([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)`
	if !regexp.MustCompile(`^(` + part + `)+$`).MatchString(text) {
		return decimalTwin(text)
	}
	units := map[string]int64{"ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}
	sum := new(big.Rat)
	for _, m := range regexp.MustCompile(part).FindAllStringSubmatch(text, -1) {
		r, _ := new(big.Rat).SetString("0" + strings.TrimSuffix(m[1], "."))
		sum.Add(sum, r.Mul(r, new(big.Rat).SetInt64(units[m[2]])))
		within++ // each is rounded down
	}
	return new(big.Int).Quo(sum.Num(), sum.Denom()), within
}

// FuzzFlags gives any text to every flag that parses one. What is taken is a
// number above zero, the one that the twin reads, and can be written so that it
// is taken again; what is refused leaves the value alone and can't be read.
func FuzzFlags(f *testing.F) {
	for _, text := range []string{"600", "0.25", "1e3", "+5", "-1", "0", "", " 1", "9223372036.854775807", "9223372036.854775808",
		"9223372036854775807", "0.0000000001", ".5", "5.", ".", "1.2.3", "0x10", "1_000", "1h", "1h30m", "+1m", "0s", "1.5ms", "9999999h", "1us1µs", "1m 2s", "\u0663", "256MiB", "1.5GiB", "0.1TB", "64MiB", "67108863", "9EB", "1,5GB", "2 GB", "1\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1000 {
			return
		}
		for name, p := range parsers {
			n, err := p.set(text)
			want, within := p.twin(text)
			if err != nil {
				if n != 0 || err.Error() == "" || printable(err.Error()) != err.Error() {
					t.Errorf("%s: %q: %d beside error %q", name, text, n, err)
				}
				if want != nil && want.Sign() > 0 && want.IsInt64() && want.Int64() < math.MaxInt64-within && want.Int64() > within {
					t.Errorf("%s: %q: error %v, want %d", name, text, err, want)
				}
				continue
			}
			if n <= 0 || want == nil || !want.IsInt64() || max(n, want.Int64())-min(n, want.Int64()) > within {
				t.Errorf("%s: %q is %d, want %v", name, text, n, want)
			}
			if again, err := p.set(p.text(n)); again != n || err != nil {
				t.Errorf("%s: %q is %d; written as %q that is %d, %v", name, text, n, p.text(n), again, err)
			}
		}
	})
}

// FuzzOutputNames takes lines for the captures of a folder: their outputs are
// distinct, stay in the folder of their capture, and are named after it.
func FuzzOutputNames(f *testing.F) {
	for _, names := range []string{"a.pcap", "a.pcap\na.pcapng\na", "x/a.cap.gz\nx/a.CAP\nx/a_flow.csv", ".pcap\n..pcap\n...pcap.gz",
		"a.pcap\na.pcapng\na.pcap.gz\na.pcap.pcap", "a\\b.pcap\na/b.pcap", "a \n a\n\ta.pcap\xff", "..a/b.pcap.gz.pcap"} {
		f.Add(names)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var captures []string
		for path := range strings.SplitSeq(text, "\n") {
			// As a walk through a folder gives them.
			if path != "." && filepath.IsLocal(path) && filepath.Clean(path) == path && !strings.Contains(path, "\x00") &&
				!slices.Contains(captures, path) && len(captures) < 50 {
				captures = append(captures, path)
			}
		}
		names := outputNames(captures, "csv")
		if len(names) != len(captures) {
			t.Fatalf("%d names for %d captures", len(names), len(captures))
		}
		users := map[string]int{}
		for i, name := range names {
			capture := captures[i]
			if before, twice := users[fold(name)]; twice && fold(capture) != fold(captures[before]) {
				t.Errorf("%q and %q both go to %q", captures[before], capture, name)
			}
			users[fold(name)] = i
			base, isOutput := strings.CutSuffix(filepath.Base(name), suffix+"csv")
			switch {
			case !filepath.IsLocal(name) || filepath.Clean(name) != name || filepath.Dir(name) != filepath.Dir(capture):
				t.Errorf("%q goes to %q: another folder", capture, name)
			case !isOutput || base == "" || !strings.HasPrefix(filepath.Base(capture), base):
				t.Errorf("%q goes to %q: another name", capture, name)
			}
		}
	})
}

// FuzzPrintable takes any text for the name of a file: what is printed shows,
// acts on no terminal, and stays what it is when it is printed again. What
// shows already is left alone.
func FuzzPrintable(f *testing.F) {
	for _, text := range []string{"a b.pcap", "\x1b[2J", "\xff\xfe", "\u202e", "\ufffd", "\u00a0", "\u200b", "e\u0301", "\t\r\n\x00", "\\n", "\U0010ffff", "\u2028"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := printable(text)
		shows := utf8.ValidString(text)
		for _, r := range text {
			shows = shows && (r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r))
		}
		if !utf8.ValidString(got) {
			t.Errorf("%q: %q is not UTF-8", text, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Z, r) && r != ' ' || !unicode.IsGraphic(r) {
				t.Errorf("%q: %q has %U", text, got, r)
			}
		}
		if shows != (got == text) {
			t.Errorf("%q shows: %v; but is printed as %q", text, shows, got)
		}
		if again := printable(got); again != got {
			t.Errorf("%q is printed as %q, and that as %q", text, got, again)
		}
	})
}
