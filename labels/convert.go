package labels

import (
	"bufio"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// conversions are what data sets were published with.
var conversions = map[string]func(*conversion) error{
	"unsw-nb15": (*conversion).unsw,
	"cic-csv":   (*conversion).cic,
	"ctu13":     (*conversion).ctu13,
	"mawilab":   (*conversion).mawilab,
}

// Conversions returns the names of what [Convert] reads.
func Conversions() []string { return slices.Sorted(maps.Keys(conversions)) }

// A conversion is a file on its way to one of --labels.
type conversion struct {
	in   *bufio.Reader
	file string
	zone *time.Location // nil if it was not said
	to   io.Writer
}

// Convert writes what a data set was published with as a file of records or of rules.
// The zone is that of the file's clock, where its times name none; "" if it is not
// said.
func Convert(from, file, zone string, to io.Writer) error {
	take := conversions[from]
	if take == nil {
		return fmt.Errorf("--from %q: want one of %s", from, strings.Join(Conversions(), ", "))
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	out := bufio.NewWriter(to)
	c := &conversion{in: bufio.NewReaderSize(in, 1<<20), file: file, to: out}
	if zone != "" {
		if c.zone, err = parseZone(zone); err != nil {
			return err
		}
	}
	if err := take(c); err != nil {
		return err
	}
	return out.Flush()
}

// records reads a CSV whose header has the given columns, of which one can have several
// names with | between, and hands each record over.
func (c *conversion) records(columns []string, take func(value func(column int) string, write func(...string) error) error) error {
	if start, _ := c.in.Peek(3); string(start) == "\xef\xbb\xbf" {
		_, _ = c.in.Discard(3)
	}
	r := csv.NewReader(c.in)
	r.ReuseRecord, r.LazyQuotes, r.FieldsPerRecord = true, true, -1
	fail := func(text string) error {
		line, _ := r.FieldPos(0)
		return &Error{File: c.file, Line: line, Text: text}
	}
	header, err := r.Read()
	if err == io.EOF {
		return &Error{File: c.file, Text: "is empty"}
	} else if err != nil {
		return (&sensorFile{file: c.file}).csvError(err)
	}
	place := make([]int, len(columns))
	for i, name := range columns {
		names := strings.Split(name, "|")
		place[i] = slices.IndexFunc(header, func(h string) bool {
			return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
		})
		if place[i] < 0 {
			return fail(fmt.Sprintf("no column %q among %s", names[0], strings.Join(header, ", ")))
		}
	}
	w := csv.NewWriter(c.to)
	for {
		values, err := r.Read()
		if err == io.EOF {
			w.Flush()
			return w.Error()
		} else if err != nil {
			return (&sensorFile{file: c.file}).csvError(err)
		}
		err = take(func(column int) string {
			if at := place[column]; at < len(values) {
				return strings.TrimSpace(values[at])
			}
			return ""
		}, func(values ...string) error { return w.Write(values) })
		if err != nil {
			return fail(err.Error())
		}
	}
}

// header writes the names of the columns that a CSV needs no mapping for.
func (c *conversion) header(more ...string) error {
	_, err := fmt.Fprintln(c.to, strings.Join(append([]string{"start", "end", "src", "src_port", "dst", "dst_port", "protocol", "label"}, more...), ","))
	return err
}

// unsw reads UNSW-NB15_GT.csv, the ground truth of UNSW-NB15 (Moustafa, Slay, 2015): a
// record for each attack, with whole seconds since 1970. So a record ends with its last
// second.
func (c *conversion) unsw() error {
	if err := c.header("subcategory"); err != nil {
		return err
	}
	return c.records([]string{"Start time", "Last time", "Attack category", "Attack subcategory", "Protocol", "Source IP", "Source Port", "Destination IP", "Destination Port"},
		func(value func(int) string, write func(...string) error) error {
			for i := range 2 {
				if n, err := strconv.ParseUint(value(i), 10, 33); err != nil || n == 0 {
					return fmt.Errorf("time %q: want whole seconds since 1970", value(i))
				}
			}
			return write(value(0), value(1)+".999999999", value(5), value(6), value(7), value(8), value(4), strings.Join(strings.Fields(value(2)), " "), value(3))
		})
}

// ctu13 reads a labelled binetflow file of CTU-13 (García, Grill, Stiborek, Zunino,
// 2014), which Argus wrote: times are those of a clock whose zone the file does not
// say. Its label is made one of Botnet, Normal and Background; the column detail has
// it whole.
func (c *conversion) ctu13() error {
	if c.zone == nil {
		return errors.New("ctu13: the file does not name the zone of its times: give --zone, and look for one record in the capture")
	}
	if err := c.header("detail"); err != nil {
		return err
	}
	return c.records([]string{"StartTime", "Dur", "Proto", "SrcAddr", "Sport", "DstAddr", "Dport", "Label"},
		func(value func(int) string, write func(...string) error) error {
			start, err := time.ParseInLocation("2006/01/02 15:04:05.999999", value(0), c.zone)
			if err != nil {
				return fmt.Errorf("time %q: want one such as 2011/08/10 09:46:59.607825", value(0))
			}
			d, err := seconds(value(1))
			if err != nil {
				return fmt.Errorf("duration %w", err)
			}
			label := "Background"
			detail := strings.TrimPrefix(value(7), "flow=")
			if strings.Contains(detail, "Botnet") {
				label = "Botnet"
			} else if strings.Contains(detail, "Normal") {
				label = "Normal"
			}
			stamp := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
			return write(stamp(start), stamp(start.Add(time.Duration(d))), value(3), value(4), value(5), value(6), value(2), label, detail)
		})
}

// An admd is what MAWILab publishes of a day (Fontugne, Borgnat, Abry, Fukuda, 2010):
// anomalies, each with slices of the traffic.
type admd struct {
	Anomalies []struct {
		Type   string `xml:"type,attr"`
		Value  string `xml:"value,attr"`
		Slices []struct {
			Filters []struct {
				Src      string `xml:"src_ip,attr"`
				SrcPort  string `xml:"src_port,attr"`
				Dst      string `xml:"dst_ip,attr"`
				DstPort  string `xml:"dst_port,attr"`
				Protocol string `xml:"proto,attr"`
			} `xml:"filter"`
			From admdTime `xml:"from"`
			To   admdTime `xml:"to"`
		} `xml:"slice"`
	} `xml:"anomaly"`
}

type admdTime struct {
	Seconds string `xml:"sec,attr"`
	Micros  string `xml:"usec,attr"`
}

func (t admdTime) nanoseconds() (int64, error) {
	s, err := strconv.ParseUint(t.Seconds, 10, 33)
	micros, errMicros := uint64(0), error(nil)
	if t.Micros != "" {
		micros, errMicros = strconv.ParseUint(t.Micros, 10, 20)
	}
	if err != nil || errMicros != nil || micros > 999_999 {
		return 0, fmt.Errorf("time %q and %q: want seconds since 1970 and microseconds", t.Seconds, t.Micros)
	}
	return int64(s)*1e9 + int64(micros)*1e3, nil
}

// A writtenRule is a rule as it is written.
type writtenRule struct {
	Label     string            `yaml:"label"`
	Name      string            `yaml:"name"`
	From      string            `yaml:"from"`
	To        string            `yaml:"to"`
	Src       string            `yaml:"src,omitempty"`
	Dst       string            `yaml:"dst,omitempty"`
	SrcPorts  string            `yaml:"src_ports,omitempty"`
	DstPorts  string            `yaml:"dst_ports,omitempty"`
	Protocols string            `yaml:"protocols,omitempty"`
	Columns   map[string]string `yaml:"columns"`
}

// mawilab writes a rule for each filter. What is labelled anomalous comes first, then
// what is suspicious, then notices: of several that match, the gravest holds.
func (c *conversion) mawilab() error {
	const most = 256 << 20
	limited := &io.LimitedReader{R: c.in, N: most}
	var a admd
	d := xml.NewDecoder(limited)
	if err := d.Decode(&a); err != nil {
		line, column := d.InputPos()
		if limited.N == 0 {
			err = fmt.Errorf("more than %d bytes", most)
		}
		return &Error{File: c.file, Line: line, Column: column, Text: "is no admd: " + err.Error()}
	}
	var rules []writtenRule
	for i, anomaly := range a.Anomalies {
		for k, slice := range anomaly.Slices {
			from, err := slice.From.nanoseconds()
			to, errTo := slice.To.nanoseconds()
			if err = errors.Join(err, errTo); err != nil || to < from {
				return &Error{File: c.file, Text: fmt.Sprintf("anomaly %d, slice %d: %v", i+1, k+1, cmpError(err, errors.New("ends before it begins")))}
			}
			for n, f := range slice.Filters {
				r := writtenRule{
					Label: anomaly.Type, Name: fmt.Sprintf("anomaly-%d-%d-%d", i+1, k+1, n+1),
					From: inUTC(from), To: inUTC(to + 1000),
					Src: f.Src, Dst: f.Dst, SrcPorts: f.SrcPort, DstPorts: f.DstPort, Protocols: f.Protocol,
					Columns: map[string]string{"anomaly": strconv.Itoa(i + 1), "anomaly_value": anomaly.Value},
				}
				rules = append(rules, r)
			}
		}
	}
	grave := []string{"anomalous", "suspicious", "notice", "benign"}
	slices.SortStableFunc(rules, func(a, b writtenRule) int {
		place := func(label string) int {
			if i := slices.Index(grave, label); i >= 0 {
				return i
			}
			return len(grave)
		}
		return place(a.Label) - place(b.Label)
	})
	e := yaml.NewEncoder(c.to)
	e.SetIndent(2)
	file := struct {
		Title   string            `yaml:"title"`
		Default string            `yaml:"default"`
		Columns map[string]string `yaml:"columns"`
		Rules   []writtenRule     `yaml:"rules"`
	}{"MAWILab", "benign", map[string]string{"anomaly": "", "anomaly_value": ""}, rules}
	if rules == nil {
		file.Rules = []writtenRule{}
	}
	if err := e.Encode(file); err != nil {
		return err
	}
	return e.Close()
}

func inUTC(at int64) string { return time.Unix(0, at).UTC().Format(time.RFC3339Nano) }
