package labels

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// eve takes a line of Suricata's EVE JSON
// (https://docs.suricata.io/en/latest/output/eve/eve-json-format.html). Only alerts
// count. Addresses and Community ID are those of the packet that the alert is of, in a
// tunnel those inside.
func (s *sensorFile) eve(line []byte) error {
	more := s.own([2]string{"severity", "alert.severity"}, [2]string{"signature_id", "alert.signature_id"}, [2]string{"category", "alert.category"})
	if !bytes.Contains(line, []byte(`alert`)) {
		if !json.Valid(line) {
			return errors.New("is not a JSON object")
		}
		return nil
	}
	f, err := object(line)
	if err != nil {
		return err
	}
	if kind, _ := f("event_type"); kind != "alert" {
		return nil
	}
	text, _ := f("timestamp")
	at, err := isoTime(text)
	if err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	s.add(f, names{"src_ip", "src_port", "dest_ip", "dest_port", "proto", "community_id", more}, at, at, s.labelOf(f, "alert.signature"))
	return nil
}

// snort takes a line of Snort 3's alert_json
// (https://docs.snort.org/start/alert_logging), whose fields are chosen in its
// configuration: seconds, proto, src_addr, src_port, dst_addr and dst_port are
// needed. Its timestamp is in the zone of the sensor and has no year, if it was not
// told otherwise.
func (s *sensorFile) snort(line []byte) error {
	more := s.own([2]string{"severity", "priority"}, [2]string{"signature_id", "sid"}, [2]string{"category", "class"})
	f, err := object(line)
	if err != nil {
		return err
	}
	var from, to int64
	if text, ok := f("seconds"); ok {
		if from, err = epoch(text); err != nil {
			return fmt.Errorf("seconds: %w", err)
		}
		to = from + 1e9 - 1
	} else {
		text, _ := f("timestamp")
		if strings.Count(text, "/") != 2 || s.mapping.zone == nil {
			return fmt.Errorf("timestamp %q: want the field seconds, or timestamp with a year (snort -y) and a mapping with the zone of the sensor", text)
		}
		t, err := time.ParseInLocation("06/01/02-15:04:05.999999", text, s.mapping.zone)
		if err != nil {
			return fmt.Errorf("timestamp %q: want one such as 18/06/05-14:39:59.305988", text)
		}
		from, to = t.UnixNano(), t.UnixNano()
	}
	if _, ok := f("src_addr"); !ok { // in one with the port
		g := f
		ends := map[string]string{}
		for _, side := range []string{"src", "dst"} {
			ap, _ := g(side + "_ap")
			if at := strings.LastIndex(ap, ":"); at > 0 {
				ends[side+"_addr"], ends[side+"_port"] = strings.Trim(ap[:at], "[]"), ap[at+1:]
			}
		}
		f = func(name string) (string, bool) {
			if text, ok := ends[name]; ok {
				return text, ok
			}
			return g(name)
		}
	}
	s.add(f, names{"src_addr", "src_port", "dst_addr", "dst_port", "proto", "community_id", more}, from, to, s.labelOf(f, "msg", "rule"))
	return nil
}
