package compare

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A csvReader reads CSV (RFC 4180), with the names of the columns in the first line.
type csvReader struct {
	in    *csv.Reader
	names []string
	file  string
}

func newCSV(in io.Reader, file string) (reader, error) {
	r := &csvReader{in: csv.NewReader(in), file: file}
	r.in.ReuseRecord = true
	head, err := r.in.Read()
	if err != nil {
		return nil, r.wrong(err)
	}
	for i, name := range head {
		name = strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")) // the CSVs of CIC-IDS2017 have spaces there
		for n := 2; slices.Contains(r.names, name); n++ {            // and one name twice
			name = fmt.Sprintf("%s.%d", strings.TrimSpace(head[i]), n)
		}
		r.names = append(r.names, name)
	}
	return r, nil
}

func (r *csvReader) wrong(err error) error {
	var at *csv.ParseError
	if errors.As(err, &at) {
		text := fmt.Sprintf("column %d: %v", at.Column, at.Err)
		if errors.Is(err, csv.ErrFieldCount) {
			text = fmt.Sprintf("want %d values, as many as there are columns", len(r.names))
		}
		return &Error{r.file, at.Line, text}
	}
	return &Error{File: r.file, Text: err.Error()}
}

func (r *csvReader) columns() []string { return r.names }

func (r *csvReader) next(row [][]byte) error {
	values, err := r.in.Read()
	if err == io.EOF {
		return err
	}
	if err != nil {
		return r.wrong(err)
	}
	for i, v := range values {
		row[i] = append(row[i][:0], v...)
	}
	return nil
}

// A jsonReader reads an object a line. Those of all lines have the members of the
// first.
type jsonReader struct {
	in    *bufio.Reader
	file  string
	line  int
	names []string
	at    map[string]int
	first []byte
}

func newJSONLines(in *bufio.Reader, file string) (reader, error) {
	r := &jsonReader{in: in, file: file, at: map[string]int{}}
	var err error
	if r.first, err = r.read(); err != nil {
		return nil, err
	}
	err = r.members(r.first, func(name string, _ []byte) error {
		r.at[name] = len(r.names)
		r.names = append(r.names, name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, unlike(r.names, file)
}

func (r *jsonReader) columns() []string { return r.names }

// read reads a line that is not empty.
func (r *jsonReader) read() ([]byte, error) {
	const most = 64 << 20
	for {
		var line []byte
		for {
			part, err := r.in.ReadSlice('\n')
			line = append(line, part...)
			if err == nil || err == io.EOF && len(line) > 0 {
				break
			}
			if err == io.EOF {
				return nil, err
			}
			if err != bufio.ErrBufferFull {
				return nil, &Error{File: r.file, Text: err.Error()}
			}
			if len(line) > most {
				return nil, &Error{r.file, r.line + 1, "the line is longer than 64 MiB"}
			}
		}
		r.line++
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
	}
}

// members gives the names and the values of an object.
func (r *jsonReader) members(line []byte, take func(name string, value []byte) error) error {
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return &Error{r.file, r.line, "want an object"}
	}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err == nil {
			err = d.Decode(&value)
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return &Error{r.file, r.line, err.Error()}
		}
		if err := take(name.(string), value); err != nil { // the decoder wants a string there
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return &Error{r.file, r.line, err.Error()}
	}
	return nil
}

func (r *jsonReader) next(row [][]byte) error {
	line := r.first
	if r.first = nil; line == nil {
		var err error
		if line, err = r.read(); err != nil {
			return err
		}
	}
	n := 0
	err := r.members(line, func(name string, value []byte) error {
		i, ok := r.at[name]
		if !ok {
			return &Error{r.file, r.line, fmt.Sprintf("has %q, which the first line has not", name)}
		}
		n++
		switch {
		case value[0] == '"':
			var text string
			if err := json.Unmarshal(value, &text); err != nil {
				return &Error{r.file, r.line, err.Error()}
			}
			row[i] = append(row[i][:0], text...)
		case string(value) == "null":
			row[i] = row[i][:0]
		default:
			row[i] = append(row[i][:0], value...)
		}
		return nil
	})
	if err == nil && n != len(r.names) {
		err = &Error{r.file, r.line, fmt.Sprintf("has %d members, and the first line %d", n, len(r.names))}
	}
	return err
}
