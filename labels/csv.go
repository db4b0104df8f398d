package labels

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A mappingFile says what the fields of a sensor's file mean, or of a CSV: it stands
// beside it, as truth.csv.yaml beside truth.csv.
type mappingFile struct {
	Format    string            `yaml:"format"`
	Start     string            `yaml:"start"`
	End       string            `yaml:"end"`
	Duration  string            `yaml:"duration"`
	Src       string            `yaml:"src"`
	SrcPort   string            `yaml:"src_port"`
	Dst       string            `yaml:"dst"`
	DstPort   string            `yaml:"dst_port"`
	Protocol  string            `yaml:"protocol"`
	ID        string            `yaml:"community_id"`
	Label     string            `yaml:"label"`
	LabelText string            `yaml:"label_text"`
	Columns   map[string]string `yaml:"columns"`
	Layout    string            `yaml:"layout"`
	Zone      string            `yaml:"zone"`
	Slack     string            `yaml:"slack"`
	Separator string            `yaml:"separator"`
	Default   *string           `yaml:"default"`

	zone  *time.Location
	slack *time.Duration
	own   []string
}

// parseMapping reads a mapping.
func parseMapping(b []byte, file string) (m mappingFile, err error) {
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&m); err != nil && err != io.EOF {
		var many *yaml.TypeError
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		if errors.As(err, &many) {
			text = strings.Join(many.Errors, "; ")
		}
		return m, &Error{File: file, Text: text}
	}
	fail := func(format string, args ...any) (mappingFile, error) {
		return m, &Error{File: file, Text: fmt.Sprintf(format, args...)}
	}
	if m.Zone != "" {
		if m.zone, err = parseZone(m.Zone); err != nil {
			return fail("%v", err)
		}
	}
	if m.Slack != "" {
		d, err := time.ParseDuration(m.Slack)
		if err != nil || d < 0 {
			return fail("slack %q: want a time span such as 500ms or 2s", m.Slack)
		}
		m.slack = &d
	}
	for name := range m.Columns {
		if !columnName.MatchString(name) || strings.EqualFold(name, "label") || strings.EqualFold(name, "label_rule") {
			return fail("column %q: want a name of letters, digits and underscores that is not there already", name)
		}
	}
	if utf8.RuneCountInString(m.Separator) > 1 {
		return fail("separator %q: want one character", m.Separator)
	}
	if m.Layout != "" {
		if _, err := goLayout(m.Layout); err != nil {
			return fail("layout: %v", err)
		}
	}
	return m, nil
}

// goLayout translates a layout as of strptime.
func goLayout(text string) (string, error) {
	parts := map[byte]string{'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'H': "15", 'I': "03", 'M': "04", 'S': "05",
		'p': "PM", 'b': "Jan", 'z': "-0700", 'f': "999999999", '%': "%"}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			if text[i] >= '0' && text[i] <= '9' {
				return "", fmt.Errorf("%q: want no digits between", text)
			}
			b.WriteByte(text[i])
			continue
		}
		if i++; i == len(text) || parts[text[i]] == "" {
			return "", fmt.Errorf("%q: want %%Y %%m %%d %%H %%M %%S %%f, %%y %%b %%I %%p or %%z with other characters between", text)
		}
		b.WriteString(parts[text[i]])
	}
	return b.String(), nil
}

// The columns of a CSV that needs no mapping.
var plainMapping = mappingFile{Start: "start", End: "end", Duration: "duration", Src: "src", SrcPort: "src_port", Dst: "dst",
	DstPort: "dst_port", Protocol: "protocol", ID: "community_id", Label: "label"}

// csv reads comma-separated values below a header.
func (s *sensorFile) csv(in *bufio.Reader) error {
	if start, _ := in.Peek(3); string(start) == "\xef\xbb\xbf" {
		_, _ = in.Discard(3)
	}
	r := csv.NewReader(in)
	r.ReuseRecord, r.TrimLeadingSpace = true, true
	if s.mapping.Separator != "" {
		r.Comma, _ = utf8.DecodeRuneInString(s.mapping.Separator)
	}
	header, err := r.Read()
	if err == io.EOF {
		return &Error{File: s.file, Text: "is empty: want a header and records"}
	} else if err != nil {
		return s.csvError(err)
	}
	place := map[string]int{}
	for i, name := range header {
		name = strings.TrimSpace(name)
		if _, twice := place[name]; twice && name != "" {
			return &Error{File: s.file, Line: 1, Text: fmt.Sprintf("column %q is given twice", name)}
		}
		place[name] = i
	}
	m := &s.mapping
	given := m.Start != "" || m.Src != "" || m.ID != ""
	if !given {
		zone, slack, layout, text, fallback, label, columns := m.zone, m.slack, m.Layout, m.LabelText, m.Default, m.Label, m.Columns
		*m = plainMapping
		m.zone, m.slack, m.Layout, m.LabelText, m.Default, m.Columns = zone, slack, layout, text, fallback, columns
		if label != "" {
			m.Label = label
		}
		if columns == nil {
			m.Columns = map[string]string{}
			known := []string{m.Start, m.End, m.Duration, m.Src, m.SrcPort, m.Dst, m.DstPort, m.Protocol, m.ID, m.Label}
			for name := range place {
				if !slices.Contains(known, name) && columnName.MatchString(name) {
					m.Columns[name] = name
				}
			}
		}
	}
	for _, want := range []struct {
		key, name string
		needed    bool
	}{{"start", m.Start, true}, {"end", m.End, given}, {"duration", m.Duration, given}, {"src", m.Src, m.ID == "" || given && m.Src != ""},
		{"dst", m.Dst, m.ID == "" || given && m.Dst != ""}, {"src_port", m.SrcPort, given}, {"dst_port", m.DstPort, given},
		{"protocol", m.Protocol, given}, {"community_id", m.ID, given}, {"label", m.Label, m.LabelText == ""}} {
		if _, ok := place[want.name]; !ok && want.needed && (want.name != "" || want.key == "start" || want.key == "label") {
			text := fmt.Sprintf("no column %q for %s among %s", want.name, want.key, strings.Join(header, ", "))
			if !given {
				text += fmt.Sprintf("; a file %s.yaml says which columns there are", s.file)
			}
			return &Error{File: s.file, Line: 1, Text: text}
		}
	}
	for name, column := range m.Columns {
		if _, ok := place[column]; !ok {
			return &Error{File: s.file, Line: 1, Text: fmt.Sprintf("no column %q for the column %s", column, name)}
		}
	}
	more := s.own()
	layout := ""
	if m.Layout != "" {
		layout, _ = goLayout(m.Layout)
	}
	n := names{m.Src, m.SrcPort, m.Dst, m.DstPort, m.Protocol, m.ID, more}
	for {
		values, err := r.Read()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return s.csvError(err)
		}
		f := func(name string) (string, bool) {
			i, ok := place[name]
			if !ok || name == "" || i >= len(values) {
				return "", false
			}
			return strings.TrimSpace(values[i]), true
		}
		line, _ := r.FieldPos(0)
		from, to, err := s.span(f, layout)
		if err != nil {
			return &Error{File: s.file, Line: line, Text: err.Error()}
		}
		if len(s.records) >= maxRecords {
			return &Error{File: s.file, Line: line, Text: fmt.Sprintf("more than %d records", maxRecords)}
		}
		s.add(f, n, from, to, s.labelOf(f))
	}
}

func (s *sensorFile) csvError(err error) error {
	var at *csv.ParseError
	if errors.As(err, &at) {
		return &Error{File: s.file, Line: at.Line, Column: at.Column, Text: at.Err.Error()}
	}
	return err
}

// span reads when a record was.
func (s *sensorFile) span(f fields, layout string) (from, to int64, err error) {
	m := &s.mapping
	text, _ := f(m.Start)
	if from, err = s.time(text, layout); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", m.Start, err)
	}
	to = from
	if text, ok := f(m.End); ok && text != "" {
		if to, err = s.time(text, layout); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", m.End, err)
		}
	} else if text, ok := f(m.Duration); ok && text != "" {
		d, err := seconds(text)
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", m.Duration, err)
		}
		to = satAdd(from, d)
	}
	if to < from {
		return 0, 0, fmt.Errorf("the end is before the start")
	}
	return from, to, nil
}

// time reads a time of a CSV: by its layout, or in full with an offset, or as seconds
// since 1970.
func (s *sensorFile) time(text, layout string) (int64, error) {
	if layout == "" {
		if at, err := isoTime(text); err == nil {
			return at, nil
		}
		if at, err := epoch(text); err == nil {
			return at, nil
		}
		return 0, fmt.Errorf("time %q: want seconds since 1970 or a time such as 2017-07-04T09:20:00Z; a mapping says another layout and its zone", text)
	}
	zone := s.mapping.zone
	if zone == nil && !strings.Contains(layout, "-0700") {
		return 0, fmt.Errorf("time %q: its zone is not known: the key zone of the mapping says it", text)
	}
	if zone == nil {
		zone = time.UTC
	}
	t, err := time.ParseInLocation(layout, text, zone)
	if err != nil || t.Year() < 1679 || t.Year() > 2261 {
		return 0, fmt.Errorf("time %q: is not of the layout %q", text, s.mapping.Layout)
	}
	return t.UnixNano(), nil
}
