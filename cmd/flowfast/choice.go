package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/spf13/pflag"
)

// keyFlags are the flags that say which packets have flows, and which are of one.
func keyFlags(f *pflag.FlagSet, o *flowfast.Options) {
	f.Var(text{&o.Protocols}, "protocols",
		"IP protocols that have flows: all, or `NAMES` and numbers such as tcp,udp,icmp,icmpv6,sctp,47 (default tcp,udp)")
	f.Var(text{&o.Tunnels}, "decap",
		"look into UDP tunnels: all, or `NAMES` of vxlan, geneve, gtpu, l2tp, teredo, l2tpv3 (over IP too) (default none)")
	f.Var(text{&o.Keys.Encapsulation}, "key",
		"separate flows with the same addresses and ports by their encapsulation: all, or `PARTS` of vlan, mpls, tunnel (default none)")
}

// packetFlags are the flags that say which packets count and whose they are.
func packetFlags(f *pflag.FlagSet, o *flowfast.Options, filter *filter) {
	f.Var((*moment)(&o.Choice.From), "from",
		"leave out packets before `TIME`: 2026-11-24, '2026-11-24 12:00' (UTC) or ...+01:00, or seconds since 1970 (default none)")
	f.Var((*moment)(&o.Choice.To), "to",
		"leave out packets at `TIME` and later (default none)")
	f.Var(filter, "filter",
		"leave out packets that do not match `EXPRESSION`: one of tcpdump's, the output of tcpdump -ddd, or @FILE, a list of addresses and ports; a list and one of the others can be given together (default none)")
	f.Var((*sample)(&o.Keys.Sample), "sample",
		"keep `1/N` of the flows, chosen by a hash of addresses and ports (default all)")
}

func directionFlag(f *pflag.FlagSet, o *flowfast.Options) {
	f.BoolVar(&o.Keys.OneWay, "unidirectional", false,
		"make each direction a flow of its own")
}

func anonymizeFlag(f *pflag.FlagSet, key *secret) {
	f.Var(key, "anonymize",
		"replace addresses with others that share prefixes as the true ones do (Crypto-PAn); `KEY` is 64 hexadecimal digits, or @FILE that holds them (default none)")
}

// A moment is the value of a flag: a time.
type moment time.Time

// Set takes a day, with or without a time of day and an offset from UTC, which is
// the zone of what has none; or seconds since 1970.
func (m *moment) Set(text string) error {
	t, ok := parseMoment(text)
	if !ok {
		return errors.New("want a time such as 2026-11-24, '2026-11-24 12:00' or 2026-11-24T12:00:00+01:00 (UTC if it names no offset), or seconds since 1970, such as 1795433932.5")
	}
	if t.Unix() < -lastMoment || t.Unix() > lastMoment {
		return errors.New("want a time between the years 1677 and 2262")
	}
	*m = moment(t)
	return nil
}

// lastMoment is what 64 bits of nanoseconds can say, in seconds.
const lastMoment = math.MaxInt64 / int64(time.Second)

func parseMoment(text string) (t time.Time, ok bool) {
	for _, clock := range []string{"", " 15:04", "T15:04", " 15:04:05", "T15:04:05"} { // a fraction is taken too
		for _, offset := range []string{"", "Z07:00", "Z0700"} {
			if t, err := time.Parse(time.DateOnly+clock+offset, text); err == nil {
				return t, true
			}
		}
	}
	whole, part, _ := strings.Cut(text, ".")
	s, err := strconv.ParseInt(whole, 10, 64)
	ns, errPart := strconv.ParseInt((part + "000000000")[:9], 10, 64)
	if err != nil || errPart != nil || len(part) > 9 || strings.HasPrefix(whole, "-") && ns > 0 {
		return t, false
	}
	return time.Unix(s, ns), true
}

func (m *moment) String() string { return "" }
func (m *moment) Type() string   { return "time" }

// A sample is the value of a flag: one in so many.
type sample uint64

func (s *sample) Set(text string) error {
	rest, ok := strings.CutPrefix(text, "1/")
	n, err := strconv.ParseUint(rest, 10, 64)
	if !ok || err != nil || n == 0 {
		return errors.New("want one in a number of flows, such as 1/100")
	}
	*s = sample(n)
	return nil
}

func (s *sample) String() string { return "" }
func (s *sample) Type() string   { return "sample" }

// A secret is the value of a flag: a key, or the file that it is in. It is looked
// at by itself and not where flags are taken: errors there print the value.
type secret struct {
	given bool
	text  string
	file  string // "" if the key stands on the command line
}

func (s *secret) Set(text string) error {
	*s = secret{given: true, text: text}
	s.file, _ = strings.CutPrefix(text, "@")
	if s.file == text {
		s.file = ""
	}
	return nil
}

func (s *secret) String() string { return "" }
func (s *secret) Type() string   { return "key" }

// key returns the key, nil for none. Its errors do not tell it.
func (s *secret) key() ([]byte, error) {
	if !s.given {
		return nil, nil
	}
	text := s.text
	if strings.HasPrefix(text, "@") {
		const most = 1 << 10 // bytes: more than a key with space around
		f, err := os.Open(s.file)
		if err != nil {
			return nil, fmt.Errorf("--anonymize: %w", err)
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, most+1))
		if err != nil {
			return nil, fmt.Errorf("--anonymize: %w", err)
		}
		if len(b) > most {
			return nil, fmt.Errorf("--anonymize: %s: more than a key: want 64 hexadecimal digits", s.file)
		}
		text = strings.TrimSpace(string(b))
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != 32 {
		return nil, errors.New("--anonymize: want 64 hexadecimal digits, or @ and the name of a file that has them")
	}
	return key, nil
}

// usageText returns the text of an error in the arguments, without what could be a
// key whose flag is misspelt: the value of a flag that is not known, and what looks
// like a part of a key.
func usageText(err error) string {
	text := err.Error()
	var unknown *pflag.NotExistError
	var bad *pflag.InvalidSyntaxError
	if errors.As(err, &unknown) || errors.As(err, &bad) {
		text, _, _ = strings.Cut(text, "=")
	}
	return manyDigits.ReplaceAllString(text, "…")
}

var manyDigits = regexp.MustCompile("[0-9A-Fa-f]{16,}")

// fingerprint names a secret without telling it, "" for none.
func fingerprint(key []byte) string {
	if key == nil {
		return ""
	}
	sum := sha256.Sum256(append([]byte("flowfast --anonymize "), key...))
	return hex.EncodeToString(sum[:8])
}
