package labels

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// cic reads the labelled CSVs of CIC-IDS2017 (GeneratedLabelledFlows), CIC-DDoS2019 and
// the files of CSE-CIC-IDS2018 that have addresses, which CICFlowMeter wrote. A record
// covers its flow: from the moment, second or minute of its time to the duration behind
// the end of that.
//
// Times are those of clocks in Fredericton, where the captures were made, if no zone is
// said: of days before months, with or without seconds, in hours from 1 to 12 without AM
// and PM (https://github.com/ahlashkari/CICFlowMeter/issues/173); those of CIC-DDoS2019
// have years first and 24 hours. Captures end before seven in the evening and begin
// after seven, so that hours below seven are those after noon.
func (c *conversion) cic() error {
	zone := c.zone
	if zone == nil {
		var err error
		if zone, err = time.LoadLocation("America/Moncton"); err != nil {
			return err
		}
	}
	if err := c.header(); err != nil {
		return err
	}
	columns := []string{"Timestamp", "Flow Duration", "Source IP|Src IP", "Source Port|Src Port", "Destination IP|Dst IP", "Destination Port|Dst Port", "Protocol", "Label"}
	return c.records(columns, func(value func(int) string, write func(...string) error) error {
		label := dashes.Replace(strings.ToValidUTF8(value(7), "-"))
		if label == "" && value(0) == "" || label == "Label" { // lines without values, and headers again
			return nil
		}
		start, span, err := cicTime(value(0), zone)
		if err == nil && (start.Year() < 1970 || start.Year() > 2200) {
			err = fmt.Errorf("timestamp %q: want a year from 1970 to 2200", value(0))
		}
		if err != nil {
			return err
		}
		micros, err := strconv.ParseFloat(value(1), 64)
		if err != nil || micros > 1e12 {
			return fmt.Errorf("flow duration %q: want microseconds", value(1))
		}
		last := start.Add(span - 1 + time.Duration(max(micros, 0))*time.Microsecond)
		return write(start.UTC().Format(time.RFC3339Nano), last.UTC().Format(time.RFC3339Nano), value(2), value(3), value(4), value(5), value(6), label)
	})
}

// dashes are what became of the dash in "Web Attack – XSS".
var dashes = strings.NewReplacer("\uFFFD", "-", "–", "-")

var cicClock = regexp.MustCompile(`^(\d{1,2}/\d{1,2}/\d{4}) (\d{1,2}):(\d{2})(:\d{2})?( [AP]M)?$`)

// cicTime returns the time of a record, and how long clocks show it.
func cicTime(text string, zone *time.Location) (at time.Time, span time.Duration, err error) {
	if at, err := time.ParseInLocation("2006-01-02 15:04:05.999999", text, zone); err == nil {
		if strings.Contains(text, ".") {
			return at, time.Microsecond, nil
		}
		return at, time.Second, nil
	}
	m := cicClock.FindStringSubmatch(text)
	if m == nil {
		return at, 0, fmt.Errorf("timestamp %q: want one such as 4/7/2017 9:20, 14/02/2018 02:01:34 or 2018-12-01 10:51:39.813448", text)
	}
	hour, _ := strconv.Atoi(m[2])
	switch {
	case m[5] != "":
		if hour %= 12; m[5] == " PM" {
			hour += 12
		}
	case hour > 0 && hour < 7:
		hour += 12
	}
	seconds := m[4]
	if span = time.Second; seconds == "" {
		seconds, span = ":00", time.Minute
	}
	at, err = time.ParseInLocation("2/1/2006 15:04:05", fmt.Sprintf("%s %d:%s%s", m[1], hour, m[3], seconds), zone)
	if err != nil {
		err = fmt.Errorf("timestamp %q: %w", text, err)
	}
	return at, span, err
}
