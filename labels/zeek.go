package labels

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// zeekNames are the fields of a connection in Zeek's logs.
var zeekNames = names{"id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "community_id", nil}

// zeekRecord takes a record of conn.log or notice.log
// (https://docs.zeek.org/en/master/logs/conn.html, notice.html). That of conn.log is
// there from ts for its duration. Its label is its field label, such as that of
// IoT-23, or else its conn_state; that of notice.log is its note.
func (s *sensorFile) zeekRecord(f fields) error {
	text, _ := f("ts")
	at, err := zeekTime(text)
	if err != nil {
		return fmt.Errorf("ts: %w", err)
	}
	to := at
	if text, ok := f("duration"); ok && text != "" {
		d, err := seconds(text)
		if err != nil {
			return fmt.Errorf("duration: %w", err)
		}
		to = satAdd(at, d)
	}
	n := zeekNames
	n.more = s.own([2]string{"zeek_uid", "uid"}, [2]string{"zeek_service", "service"})
	s.add(f, n, at, to, s.labelOf(f, "note", "label", "conn_state"))
	return nil
}

// zeekTime reads a time in one of the formats of LogAscii::json_timestamps.
func zeekTime(text string) (int64, error) {
	if strings.Contains(text, "T") {
		return isoTime(text)
	}
	return epoch(text)
}

func (s *sensorFile) zeekJSON(line []byte) error {
	f, err := object(line)
	if err != nil {
		return err
	}
	return s.zeekRecord(f)
}

// zeek reads logs in Zeek's own format, tab-separated values below a header that
// names them (https://docs.zeek.org/en/master/log-formats.html). Files may stand one
// behind the other, each with its header.
func (s *sensorFile) zeek(in *bufio.Reader) error {
	separator, unset, empty := "\t", "-", "(empty)"
	var columns []string
	var place map[string]int
	return s.lines(in, func(b []byte) error {
		line := strings.TrimSuffix(string(b), "\r")
		if strings.HasPrefix(line, "#") {
			key, value, _ := strings.Cut(line[1:], separator)
			if rest, ok := strings.CutPrefix(line, "#separator "); ok {
				var err error
				if separator, err = unescaped(rest); err != nil || separator == "" {
					return fmt.Errorf("#separator %q: want one such as \\x09", rest)
				}
				return nil
			}
			switch key {
			case "unset_field":
				unset = value
			case "empty_field":
				empty = value
			case "fields":
				columns = strings.Split(value, separator)
				place = map[string]int{}
				for i, name := range columns {
					if _, twice := place[name]; twice {
						return fmt.Errorf("#fields: %q is given twice", name)
					}
					place[name] = i
				}
				if !slices.Contains(columns, "ts") {
					return errors.New("#fields: has no ts")
				}
			}
			return nil
		}
		if columns == nil {
			return errors.New("a record before #fields")
		}
		values := strings.Split(line, separator)
		if len(values) != len(columns) {
			return fmt.Errorf("%d values: want %d, as #fields says", len(values), len(columns))
		}
		return s.zeekRecord(func(name string) (string, bool) {
			i, ok := place[name]
			if !ok || values[i] == unset {
				return "", false
			}
			if values[i] == empty {
				return "", true
			}
			text, err := unescaped(values[i])
			if err != nil {
				return values[i], true
			}
			return text, true
		})
	})
}

// unescaped reads \x09 for the byte of that number.
func unescaped(text string) (string, error) {
	if !strings.Contains(text, `\x`) {
		return text, nil
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, `\x`)
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		if len(rest) < 2 {
			return "", strconv.ErrSyntax
		}
		n, err := strconv.ParseUint(rest[:2], 16, 8)
		if err != nil {
			return "", err
		}
		b.WriteByte(byte(n))
		text = rest[2:]
	}
}
