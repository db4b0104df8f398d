package compare

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowfast/flowfast/decode"
)

// What a row is told by.
const (
	srcIP = iota
	srcPort
	dstIP
	dstPort
	protocol
	start
	keyParts
)

// keyNames are the columns that say what a flow is, by who writes them: flowfast and
// NFStream, CICFlowMeter, the CSVs of CIC-IDS2017, and CICFlowMeter in Python. Those of
// PyFlowMeter are the ports and the protocol alone.
var keyNames = [keyParts][]string{
	srcIP:    {"src_ip", "Src IP", "Source IP"},
	srcPort:  {"src_port", "Src Port", "Source Port"},
	dstIP:    {"dst_ip", "Dst IP", "Destination IP"},
	dstPort:  {"dst_port", "Dst Port", "Destination Port"},
	protocol: {"protocol", "Protocol"},
	start:    {"start_time", "bidirectional_first_seen_ms", "Timestamp", "timestamp"},
}

// startUnits are the units of start times that a name tells.
var startUnits = map[string]int64{"start_time": 1e9, "bidirectional_first_seen_ms": 1e6}

// equivalents are columns of different programs that say the same, with what they
// are multiplied by.
var equivalents = []struct {
	name    string
	columns map[string]float64
}{
	{"duration in seconds", map[string]float64{"duration": 1, "Flow duration": 1, "Flow Duration": 1e-6, "bidirectional_duration_ms": 1e-3}},
	{"forward packets", map[string]float64{"fwd_tot_pkt": 1, "Total Fwd Packet": 1, "Total Fwd Packets": 1, "Tot Fwd Pkts": 1, "src2dst_packets": 1, "tot_fwd_pkts": 1}},
	{"backward packets", map[string]float64{"bwd_tot_pkt": 1, "Total Bwd packets": 1, "Total Backward Packets": 1, "Tot Bwd Pkts": 1, "dst2src_packets": 1, "tot_bwd_pkts": 1}},
	{"forward bytes of frames", map[string]float64{"fwd_tot_byte": 1, "src2dst_bytes": 1}},
	{"backward bytes of frames", map[string]float64{"bwd_tot_byte": 1, "dst2src_bytes": 1}},
}

// A keyer finds out what flow a row is of.
type keyer struct {
	at   [keyParts]int // columns, -1 for none
	unit int64         // nanoseconds of a unit of the start time; 0 if its size tells
}

func newKeyer(columns []string) keyer {
	var k keyer
	for part, names := range keyNames {
		k.at[part] = -1
		for _, name := range names {
			if i := slices.Index(columns, name); i >= 0 {
				k.at[part] = i
				if part == start {
					k.unit = startUnits[name]
				}
				break
			}
		}
	}
	return k
}

// common leaves only what both tables have.
func common(a, b *keyer) error {
	for part := range a.at {
		if a.at[part] < 0 || b.at[part] < 0 {
			a.at[part], b.at[part] = -1, -1
		}
	}
	// Half an endpoint would say nothing in the other direction.
	for _, of := range [2][2]int{{srcIP, dstIP}, {srcPort, dstPort}} {
		if a.at[of[0]] < 0 || a.at[of[1]] < 0 {
			for _, part := range of {
				a.at[part], b.at[part] = -1, -1
			}
		}
	}
	if a.at[srcIP] < 0 && a.at[srcPort] < 0 {
		return fmt.Errorf("the tables have no columns in common that say what flow a row is of: want addresses or ports, such as %s and %s",
			keyNames[srcIP][0], keyNames[dstPort][0])
	}
	return nil
}

// says names what rows are paired by.
func (k *keyer) says() string {
	var parts []string
	for part, name := range [keyParts]string{srcIP: "addresses", srcPort: "ports", protocol: "protocol", start: "start time"} {
		if name != "" && k.at[part] >= 0 {
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, ", ")
}

// A key is what a row is told by.
type key struct {
	tuple   []byte // endpoints in order, and the protocol
	swapped bool   // the source is the second endpoint
	start   int64  // nanoseconds since 1970
}

// of returns the key of a row, whose tuple is appended to room.
func (k *keyer) of(row [][]byte, room []byte) (key, error) {
	part := func(i int) []byte {
		if k.at[i] < 0 {
			return nil
		}
		return row[k.at[i]]
	}
	source, destination := endpoint(part(srcIP), part(srcPort)), endpoint(part(dstIP), part(dstPort))
	to := key{}
	if to.swapped = strings.Compare(source, destination) > 0; to.swapped {
		source, destination = destination, source
	}
	to.tuple = append(append(append(append(append(room, source...), ' '), destination...), ' '), protocolNumber(string(part(protocol)))...)
	if k.at[start] >= 0 {
		var err error
		if to.start, err = parseTime(string(part(start)), k.unit); err != nil {
			return key{}, err
		}
	}
	return to, nil
}

// endpoint writes an address and a port in one form.
func endpoint(ip, port []byte) string {
	text := ""
	if ip != nil {
		text = address(string(ip))
	}
	if port == nil {
		return text
	}
	number := unspaced(string(port))
	if v, err := strconv.ParseFloat(number, 64); err == nil && v == float64(int64(v)) {
		number = strconv.FormatInt(int64(v), 10) // some CSVs have 443.0
	}
	if strings.Contains(text, ":") {
		text = "[" + text + "]"
	}
	return text + ":" + number
}

// address writes an address in the form of RFC 5952, and what is none as it is.
func address(text string) string {
	text = unspaced(text)
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Unmap().String()
	}
	return text
}

// protocolNumber writes the number of a protocol that may stand there by its name.
func protocolNumber(text string) string {
	text = unspaced(text)
	if n, ok := decode.ProtocolNumber(text); ok {
		return strconv.Itoa(int(n))
	}
	return text
}

// unspaced leaves spaces out: a tuple has them between its parts.
func unspaced(text string) string { return strings.Join(strings.Fields(text), "_") }

// layouts are how programs write times without saying of which zone, which is taken for
// UTC: CICFlowMeter with a clock of twelve hours and without, and ISO 8601.
var layouts = []string{
	"02/01/2006 03:04:05 PM", "2/1/2006 3:04:05 PM", "02/01/2006 15:04:05", "2/1/2006 15:04:05", "2/1/2006 15:04",
	"2006-01-02 15:04:05", "2006-01-02T15:04:05Z07:00",
}

// parseTime returns a time in nanoseconds since 1970, of a number of units since then, or
// of a date and a time. With a unit of 0 the size of the number tells seconds,
// milliseconds, microseconds and nanoseconds apart.
func parseTime(text string, unit int64) (int64, error) {
	text = strings.TrimSpace(text)
	if ns, ok := decimalTime(text, unit); ok {
		return ns, nil
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixNano(), nil
		}
	}
	return 0, fmt.Errorf("%q is not a time: want seconds since 1970, or a date such as 2026-11-23 11:38:52 or 23/11/2026 11:38:52 AM", text)
}

func decimalTime(text string, unit int64) (int64, bool) {
	whole, part, _ := strings.Cut(text, ".")
	v, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(part) > 0 && strings.Trim(part, "0123456789") != "" {
		return 0, false
	}
	if unit == 0 {
		unit = 1e9
		for _, at := range []int64{1e11, 1e14, 1e17} { // in the year 5138, or 1973 if it were the next unit
			if v >= at || v <= -at {
				unit /= 1000
			}
		}
	}
	digits := len(strconv.FormatInt(unit, 10)) - 1
	fraction, _ := strconv.ParseInt((part + "000000000")[:digits], 10, 64) // "" is 0
	if strings.HasPrefix(whole, "-") {
		fraction = -fraction
	}
	if v > (1<<63-1)/unit || v < -(1<<63-1)/unit {
		return 0, false
	}
	return v*unit + fraction, true
}
