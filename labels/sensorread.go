package labels

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// readSensor reads a file of a sensor, whose first line says which.
func readSensor(in io.Reader, file string, mapping mappingFile) (*sensorFile, error) {
	s := &sensorFile{file: file, mapping: mapping, unusable: map[string]uint64{}}
	b := bufio.NewReaderSize(in, 1<<20)
	start, err := b.Peek(1 << 16)
	if err != nil && err != io.EOF {
		return nil, err
	}
	s.format = mapping.Format
	if s.format == "" {
		s.format = formatOf(start)
	}
	switch s.format {
	case "eve":
		err = s.lines(b, s.eve)
	case "snort":
		err = s.lines(b, s.snort)
	case "zeek-json":
		err = s.lines(b, s.zeekJSON)
	case "zeek":
		err = s.zeek(b)
	case "csv":
		err = s.csv(b)
	default:
		err = &Error{File: file, Text: fmt.Sprintf("format %q: want eve, zeek, zeek-json, snort or csv", s.format)}
	}
	if err == nil && len(s.records) == 0 && len(s.unusable) == 0 {
		s.warnings = append(s.warnings, file+": has no records that give a label")
	}
	return s, err
}

// formatOf tells the format by the first line.
func formatOf(start []byte) string {
	start = bytes.TrimPrefix(start, []byte("\xef\xbb\xbf"))
	line, _, _ := bytes.Cut(bytes.TrimLeft(start, " \t\r\n"), []byte("\n"))
	switch {
	case bytes.HasPrefix(line, []byte("#separator")), bytes.HasPrefix(line, []byte("#fields")):
		return "zeek"
	case !bytes.HasPrefix(line, []byte("{")):
		return "csv"
	case bytes.Contains(line, []byte(`"event_type"`)):
		return "eve"
	case bytes.Contains(line, []byte(`"uid"`)), bytes.Contains(line, []byte(`"id.orig_h"`)), bytes.Contains(line, []byte(`"_path"`)), bytes.Contains(line, []byte(`"ts"`)):
		return "zeek-json"
	}
	return "snort"
}

const maxLine = 16 << 20

// lines hands every line that is not empty to take, whose error gets its number.
func (s *sensorFile) lines(in *bufio.Reader, take func(line []byte) error) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(make([]byte, 1<<16), maxLine)
	number := 0
	for scanner.Scan() {
		number++
		line := bytes.TrimSpace(scanner.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := take(line); err != nil {
			return &Error{File: s.file, Line: number, Text: err.Error()}
		}
		if len(s.records) > maxRecords {
			return &Error{File: s.file, Line: number, Text: fmt.Sprintf("more than %d records", maxRecords)}
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return &Error{File: s.file, Line: number + 1, Text: fmt.Sprintf("a line of more than %d bytes", maxLine)}
	}
	return scanner.Err()
}

// object reads a line of JSON, whose nested names have points between.
func object(line []byte) (fields, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var all map[string]any
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("is not a JSON object: %w", err)
	}
	return func(name string) (string, bool) {
		if v, ok := all[name]; ok {
			return textOf(v)
		}
		var at any = all
		for part := range strings.SplitSeq(name, ".") {
			m, ok := at.(map[string]any)
			if !ok {
				return "", false
			}
			at = m[part]
		}
		return textOf(at)
	}, nil
}

func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// labelOf returns the label of a record: the field that the mapping names, or else the
// first of others that is there.
func (s *sensorFile) labelOf(f fields, others ...string) string {
	if s.mapping.Label != "" {
		others = []string{s.mapping.Label}
	}
	for _, name := range others {
		if text, ok := f(name); ok && text != "" {
			return text
		}
	}
	return ""
}

// own returns the names of the file's own columns, and sets them: those of the
// mapping, or else others.
func (s *sensorFile) own(others ...[2]string) []string {
	if s.names == nil {
		if s.mapping.Columns != nil {
			others = nil
			for _, name := range slices.Sorted(maps.Keys(s.mapping.Columns)) {
				others = append(others, [2]string{name, s.mapping.Columns[name]})
			}
		}
		s.names = []string{}
		for _, o := range others {
			s.names = append(s.names, o[0])
			s.mapping.own = append(s.mapping.own, o[1])
		}
	}
	return s.mapping.own
}
