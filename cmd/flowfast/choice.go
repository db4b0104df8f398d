package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/spf13/pflag"
)

// packetFlags are the flags that say which packets count and whose they are.
func packetFlags(f *pflag.FlagSet, o *flowfast.Options, filter *filter, key *secret) {
	f.Var((*moment)(&o.Choice.From), "from",
		"leave out packets before `TIME`: seconds since\n1970 or 2026-11-24T12:00:00Z (default none)")
	f.Var((*moment)(&o.Choice.To), "to",
		"leave out packets from `TIME` on (default none)")
	f.Var(filter, "filter",
		"leave out packets that do not match\n`EXPRESSION`, which is compiled by tcpdump; or is\nwhat tcpdump -ddd prints; or @FILE, with an\naddress, prefix, port, range of ports or\naddress:port on each line; @FILE can be given\nbesides one of the others (default none)")
	f.Var((*sample)(&o.Keys.Sample), "sample",
		"leave out all but one of N flows, chosen by a\nhash of addresses and ports: `1/N` (default all)")
	f.BoolVar(&o.Keys.OneWay, "unidirectional", false,
		"make the two directions flows of their own")
	f.Var(key, "anonymize",
		"write other addresses that share prefixes as\nthe true ones do (Crypto-PAn): `KEY` is 64\nhexadecimal digits, or @FILE that has them\n(default none)")
}

// A moment is the value of a flag: a time.
type moment time.Time

func (m *moment) Set(text string) error {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		*m = moment(t)
		return nil
	}
	whole, part, _ := strings.Cut(text, ".")
	s, err := strconv.ParseInt(whole, 10, 64)
	ns, errPart := strconv.ParseInt((part + "000000000")[:9], 10, 64)
	if err != nil || errPart != nil || len(part) > 9 || s < -9223372036 || s > 9223372036 || strings.HasPrefix(whole, "-") && ns > 0 {
		return errors.New("want seconds since 1970, such as 1795433932.5, or a time such as 2026-11-24T12:00:00Z")
	}
	*m = moment(time.Unix(s, ns))
	return nil
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
