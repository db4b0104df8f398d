package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A pathText is text with file names in it, which may be any bytes. As JSON,
// which is UTF-8, it has \xff for a byte that is none, and \\ for \.
type pathText string

func (p pathText) MarshalText() ([]byte, error) {
	text := string(p)
	if utf8.ValidString(text) && !strings.Contains(text, `\`) {
		return []byte(text), nil
	}
	var b []byte
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			b = fmt.Appendf(b, `\x%02x`, text[i])
		case r == '\\':
			b = append(b, `\\`...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b, nil
}

func (p *pathText) UnmarshalText(text []byte) error {
	var b []byte
	for rest := string(text); rest != ""; {
		plain, escaped, found := strings.Cut(rest, `\`)
		b = append(b, plain...)
		rest = escaped
		switch {
		case !found:
		case strings.HasPrefix(rest, `\`):
			b, rest = append(b, '\\'), rest[1:]
		case strings.HasPrefix(rest, "x") && len(rest) >= 3:
			v, err := strconv.ParseUint(rest[1:3], 16, 8)
			if err != nil {
				return fmt.Errorf("%q: %w", text, err)
			}
			b, rest = append(b, byte(v)), rest[3:]
		default:
			return fmt.Errorf(`%q: a \ without x or \`, text)
		}
	}
	*p = pathText(b)
	return nil
}

// join returns two messages as one.
func join(a, b pathText) pathText {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// withoutName takes the name of a capture off the beginning of a message.
func withoutName(text, name string) pathText {
	return pathText(strings.TrimPrefix(text, name+": "))
}
