package labels

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
)

// sensorSet reads text as the file of a sensor.
func sensorSet(t testing.TB, text, mapping string) (*Set, *sensorFile) {
	t.Helper()
	m, err := parseMapping([]byte(mapping), "m.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := readSensor(strings.NewReader(text), "s", m)
	if err != nil {
		t.Fatal(err)
	}
	set, err := join([]source{s}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set, s
}

func labelOf(set *Set, f flowtable.Flow) string {
	label := Plan{Rules: set}.Begin(Capture{}).Labeler()
	label(&f)
	return strings.TrimSpace(f.Label.Name + " " + strings.Join(f.Label.More, ","))
}

var second5 = time.Unix(1_500_000_005, 0)

// TestSensors reads lines as the sensors' documents show them, with the fields that a
// join takes, and wants them at the flow and at no other.
func TestSensors(t *testing.T) {
	of := func(src, dst string, srcPort, dstPort uint16, protocol uint8) flowtable.Flow {
		return flowOf(src, dst, srcPort, dstPort, protocol, second5, second5.Add(time.Second))
	}
	tcp := of("10.0.0.1", "10.0.0.2", 1000, 80, 6)
	back := of("10.0.0.2", "10.0.0.1", 80, 1000, 6)
	v6 := of("2001:db8::1", "2001:db8::2", 1000, 53, 17)
	ping := of("10.0.0.1", "10.0.0.2", 8, 0, 1)
	ping6 := of("2001:db8::1", "2001:db8::2", 128, 129, 58)
	zeek := "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
	conn := "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\tconn_state\n"
	for _, test := range []struct {
		name, text, mapping string
		f                   flowtable.Flow
		want                string
	}{
		// Suricata: doc/userguide/output/eve/eve-json-format.rst.
		{"eve", `{"timestamp":"2017-07-14T04:40:05.000000+0200","event_type":"alert","src_ip":"10.0.0.1","src_port":1000,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":7,"rev":1,"signature":"S","category":"C","severity":3}}`, "", tcp, "S 3,7,C"},
		{"eve, the other way", `{"timestamp":"2017-07-14T02:40:05.5+0000","event_type":"alert","src_ip":"10.0.0.1","src_port":1000,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","alert":{"signature":"S"}}`, "", back, "S ,,"},
		{"eve, too early", `{"timestamp":"2017-07-14T02:40:04.998+0000","event_type":"alert","src_ip":"10.0.0.1","src_port":1000,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","alert":{"signature":"S"}}`, "", tcp, ","},
		{"eve, too early but for the slack", `{"timestamp":"2017-07-14T02:40:04.998+0000","event_type":"alert","src_ip":"10.0.0.1","src_port":1000,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","alert":{"signature":"S"}}`, "slack: 2ms", tcp, "S ,,"},
		{"eve, IPv6", `{"timestamp":"2017-07-14T02:40:05+0000","event_type":"alert","src_ip":"2001:0db8:0000:0000:0000:0000:0000:0001","src_port":1000,"dest_ip":"2001:db8::2","dest_port":53,"proto":"UDP","alert":{"signature":"S"}}`, "", v6, "S ,,"},
		{"eve, ICMP", `{"timestamp":"2017-07-14T02:40:05+0000","event_type":"alert","src_ip":"10.0.0.1","dest_ip":"10.0.0.2","proto":"ICMP","icmp_type":8,"icmp_code":0,"alert":{"signature":"S"}}`, "", ping, "S ,,"},
		{"eve, ICMPv6", `{"timestamp":"2017-07-14T02:40:05+0000","event_type":"alert","src_ip":"2001:db8::1","dest_ip":"2001:db8::2","proto":"IPv6-ICMP","icmp_type":128,"alert":{"signature":"S"}}`, "", ping6, "S ,,"},
		{"eve, in a tunnel", `{"timestamp":"2017-07-14T02:40:05+0000","event_type":"alert","src_ip":"10.0.0.1","src_port":1000,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","tunnel":{"src_ip":"192.0.2.1","src_port":0,"dest_ip":"192.0.2.2","dest_port":0,"proto":"GRE","depth":0},"alert":{"signature":"S"}}`, "", tcp, "S ,,"},
		{"eve, by Community ID alone", fmt.Sprintf(`{"timestamp":"2017-07-14T02:40:05+0000","event_type":"alert","community_id":%q,"proto":"TCP","alert":{"signature":"S"}}`, export.AppendCommunityID(nil, &tcp)), "", back, "S ,,"},
		{"eve, another flow", `{"timestamp":"2017-07-14T02:40:05+0000","event_type":"alert","src_ip":"10.0.0.1","src_port":1001,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","alert":{"signature":"S"}}`, "", tcp, ","},
		{"eve, the first of two", `{"timestamp":"2017-07-14T02:40:05.7+0000","event_type":"alert","src_ip":"10.0.0.1","src_port":1000,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","alert":{"signature":"A"}}` + "\n" +
			`{"timestamp":"2017-07-14T02:40:05.1+0000","event_type":"alert","src_ip":"10.0.0.1","src_port":1000,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","alert":{"signature":"B"}}`, "", tcp, "A ,,"},
		{"eve, a mapping", `{"timestamp":"2017-07-14T02:40:05+0000","event_type":"alert","src_ip":"10.0.0.1","src_port":1000,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP","alert":{"signature":"S","category":"C"},"host":"h"}`,
			"label: alert.category\ncolumns: {sensor: host}", tcp, "C h"},
		// Zeek: docs.zeek.org, log-formats and logs/conn, logs/notice.
		{"zeek", zeek + conn + "1500000005.000000\tC1\t10.0.0.1\t1000\t10.0.0.2\t80\ttcp\thttp\t0.5\tSF\n", "", tcp, "SF C1,http"},
		{"zeek, unset and before", zeek + conn + "1500000000.000000\tC1\t10.0.0.1\t1000\t10.0.0.2\t80\ttcp\t-\t5.0\tS0\n", "", tcp, "S0 C1,"},
		{"zeek, over before", zeek + conn + "1500000000.000000\tC1\t10.0.0.1\t1000\t10.0.0.2\t80\ttcp\t-\t4.9\tS0\n", "", tcp, ","},
		{"zeek, another order, more fields and a second header", zeek + conn + "#fields\tnew\tproto\tid.resp_p\tid.resp_h\tid.orig_p\tid.orig_h\tts\tlabel\nx\ttcp\t80\t10.0.0.2\t1000\t10.0.0.1\t1500000005.5\tMalicious\n", "", tcp, "Malicious ,"},
		{"zeek, another separator", "#separator |\n#unset_field|-\n#fields|ts|id.orig_h|id.orig_p|id.resp_h|id.resp_p|proto|note\n1500000005.1|10.0.0.1|8|10.0.0.2|0|icmp|Scan::X\n", "", ping, "Scan::X ,"},
		{"zeek, JSON, ISO 8601", `{"ts":"2017-07-14T02:40:05.000000Z","uid":"C1","id.orig_h":"2001:db8::1","id.orig_p":128,"id.resp_h":"2001:db8::2","id.resp_p":129,"proto":"icmp","conn_state":"OTH"}`, "", ping6, "OTH C1,"},
		{"zeek, JSON, seconds", `{"ts":1500000005.123456,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":1000,"id.resp_h":"10.0.0.2","id.resp_p":80,"proto":"tcp","duration":1e-05,"conn_state":"SF"}`, "", tcp, "SF C1,"},
		{"zeek, JSON, milliseconds", `{"ts":1500000005123,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":1000,"id.resp_h":"10.0.0.2","id.resp_p":80,"proto":"tcp","note":"N"}`, "", tcp, "N C1,"},
		// Snort 3: docs.snort.org/start/alert_logging.
		{"snort", `{ "seconds" : 1500000005, "proto" : "TCP", "src_addr" : "10.0.0.1", "src_port" : 1000, "dst_addr" : "10.0.0.2", "dst_port" : 80, "msg" : "M", "sid" : 1, "priority" : 2, "class" : "none" }`, "", tcp, "M 2,1,none"},
		{"snort, IPv6 with ports", `{ "seconds" : 1500000004, "proto" : "UDP", "src_ap" : "[2001:db8::1]:1000", "dst_ap" : "[2001:db8::2]:53", "rule" : "1:2:3" }`, "slack: 1s", v6, "1:2:3 ,,"},
		{"snort, a year and a zone", `{ "timestamp" : "17/07/14-04:40:05.500000", "proto" : "TCP", "src_addr" : "10.0.0.1", "src_port" : 1000, "dst_addr" : "10.0.0.2", "dst_port" : 80, "msg" : "M" }`, "zone: Europe/Berlin", tcp, "M ,,"},
		// CSV.
		{"csv without protocols", "start,src,src_port,dst,dst_port,label\n1500000005,10.0.0.2,80,10.0.0.1,1000,L\n", "", tcp, "L"},
		{"csv of whole milliseconds", "start,duration,src,src_port,dst,dst_port,protocol,label,more\n1500000000000,6,10.0.0.2,80,10.0.0.1,1000,6,L,\"a,b\"\n", "", tcp, "L a,b"},
	} {
		set, _ := sensorSet(t, test.text+"\n", test.mapping)
		if got := labelOf(set, test.f); got != strings.TrimSpace(test.want) && (test.want != "," || strings.Trim(got, ",") != "") {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestRecords wants every record to be counted once.
func TestRecords(t *testing.T) {
	alert := func(at, src, rest string) string {
		return fmt.Sprintf(`{"timestamp":"2017-07-14T02:40:%s+0000","event_type":"alert","src_ip":"10.0.0.%s","src_port":1000,"dest_ip":"10.0.0.2","dest_port":80,"proto":"TCP"%s,"alert":{"signature":"S"}}`, at, src, rest)
	}
	text := strings.Join([]string{
		alert("05", "1", ""), alert("06", "1", ""), alert("09", "1", ""), alert("05", "9", ""),
		alert("05", "1", `,"community_id":"1:ofanotherseed="`),
		`{"timestamp":"2017-07-14T02:40:05+0000","event_type":"alert","alert":{"signature":"S"}}`,
		`{"timestamp":"2017-07-14T02:40:05+0000","event_type":"alert","src_ip":"10.0.0.1","dest_ip":"10.0.0.2","proto":"TCP","alert":{"signature":"S"}}`,
		`{"timestamp":"2017-07-14T02:40:05+0000","event_type":"dns"}`,
	}, "\n")
	set, _ := sensorSet(t, text, "")
	var sum Counts
	for range 2 { // captures; what one of them has is found
		run := Plan{Rules: set}.Begin(Capture{})
		label := run.Labeler()
		f := flowOf("10.0.0.1", "10.0.0.2", 1000, 80, 6, second5, second5.Add(time.Second))
		label(&f)
		sum.Add(run.Counts())
	}
	r := sum.Records[0]
	got := fmt.Sprint(r.Records, r.Matched, r.OtherTime, r.NoFlow, r.Unusable)
	want := "5 3 1 1 map[community_id is not that of the addresses with seed 0; they are used:1 no addresses:1 no ports:1]"
	if got != want {
		t.Errorf("records %s, want %s", got, want)
	}
}

func TestSensorErrors(t *testing.T) {
	for _, test := range []struct{ text, mapping, want string }{
		{"{\"event_type\":\"dns\"}\n{\n", "", "s:2: is not a JSON object"},
		{`{"event_type":"alert","timestamp":"yesterday"}`, "", `s:1: timestamp: "yesterday"`},
		{"#separator \\x09\n1\t2\n", "", "s:2: a record before #fields"},
		{"#separator \\x09\n#fields\tts\tuid\n1\n", "", "s:3: 1 values: want 2"},
		{"#separator \\x09\n#fields\tuid\n", "", "s:2: #fields: has no ts"},
		{"#separator \\x09\n#fields\tts\nnow\n", "", `s:3: ts: "now": want seconds since 1970`},
		{"#separator \\xzz\n", "", "s:1: #separator"},
		{"start,src,dst,label\n1,10.0.0.1\n", "", "s:2:"},
		{"start,src,dst,label\nnoon,10.0.0.1,10.0.0.2,x\n", "", `s:2: start: time "noon"`},
		{"start,end,src,dst,label\n2,1,10.0.0.1,10.0.0.2,x\n", "", "s:2: the end is before the start"},
		{"a,b\n", "start: c\nlabel: b", `s:1: no column "c" for start among a, b`},
		{"a,b\n01/02/2020,x\n", "start: a\nlabel: b\nlayout: '%d/%m/%Y'", "s:2: a: time \"01/02/2020\": its zone is not known"},
		{"", "", "s: is empty"},
		{`{"timestamp":"06/05-14:39:59.305988","proto":"TCP"}`, "", `s:1: timestamp "06/05-14:39:59.305988": want the field seconds`},
	} {
		m, err := parseMapping([]byte(test.mapping), "m.yaml")
		if err == nil {
			_, err = readSensor(strings.NewReader(test.text), "s", m)
		}
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: error %v, want %q", test.text, err, test.want)
		}
	}
	for _, test := range []struct{ text, want string }{
		{"start: a\nstrat: b\n", "line 2: field strat not found"},
		{"zone: x\n", `zone "x"`}, {"slack: -1s\n", "slack"}, {"layout: '%q'\n", "layout"}, {"separator: ab\n", "separator"},
		{"columns: {label: x}\n", `column "label"`},
	} {
		if _, err := parseMapping([]byte(test.text), "m.yaml"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want %q", test.text, err, test.want)
		}
	}
}

const cicHeader = "Flow ID, Src IP, Src Port, Dst IP, Dst Port, Protocol, Timestamp, Flow Duration, Label\n"

// cicFlow returns a flow from the attacker of CIC-IDS2017 at a time.
func cicFlow(at string) flowtable.Flow {
	start, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		panic(err)
	}
	return flowOf("172.16.0.1", "192.168.10.50", 3000, 80, 6, start, start)
}

// TestConvert wants what converted files say to be read as such.
func TestConvert(t *testing.T) {
	dir := t.TempDir()
	f := flowOf("175.45.176.0", "149.171.126.16", 13284, 80, 6, time.Unix(1421927414, 0), time.Unix(1421927414, 0))
	for _, test := range []struct {
		from, zone, text, ext string
		f                     flowtable.Flow
		want                  string
	}{
		{"unsw-nb15", "", "Start time,Last time,Attack category,Attack subcategory,Protocol,Source IP,Source Port,Destination IP,Destination Port,Attack Name,Attack Reference,.\n" +
			"1421927413,1421927414, Reconnaissance ,HTTP,tcp,175.45.176.0,13284,149.171.126.16,80,\"Domino (https://x)\",-,.\n", "csv", f, "Reconnaissance HTTP"},
		{"ctu13", "Europe/Prague", "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label\n" +
			"2015/01/22 12:50:10.000000,4.5,tcp,149.171.126.16,0x50,  <->,175.45.176.0,13284,S_RA,0,0,4,276,156,flow=From-Botnet-V42-TCP\n", "csv",
			f, "Botnet From-Botnet-V42-TCP"},
		{"ctu13", "UTC", "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label\n" +
			"2015/01/22 12:50:10.000000,3.5,tcp,149.171.126.16,80,  <->,175.45.176.0,13284,S_RA,0,0,4,276,156,flow=Normal\n", "csv", f, ""},
		{"cic-csv", "", cicHeader + "x,172.16.0.1,3000,192.168.10.50,80,6,7/7/2017 3:30,1000000,Web Attack \x96 XSS\n,,,,,,,,\n", "csv", cicFlow("2017-07-07T18:30:59.5Z"), "Web Attack - XSS"},
		{"cic-csv", "", cicHeader + "x,172.16.0.1,3000,192.168.10.50,80,6,7/7/2017 3:30,1000000,a\n", "csv", cicFlow("2017-07-07T06:30:30Z"), ""},
		{"cic-csv", "", cicHeader + "x,172.16.0.1,3000,192.168.10.50,80,6,7/7/2017 12:30,-1,a\n", "csv", cicFlow("2017-07-07T15:30:00Z"), "a"},
		{"cic-csv", "", cicHeader + "x,172.16.0.1,3000,192.168.10.50,80,6,03/07/2017 08:55:58,0,BENIGN\n", "csv", cicFlow("2017-07-03T11:55:58.9Z"), "BENIGN"},
		{"cic-csv", "", cicHeader + "x,172.16.0.1,3000,192.168.10.50,80,6,14/02/2018 02:01:34,0,SSH\n", "csv", cicFlow("2018-02-14T18:01:34Z"), "SSH"},
		{"cic-csv", "", cicHeader + "x,172.16.0.1,3000,192.168.10.50,80,6,14/02/2018 02:01:34 AM,0,SSH\n", "csv", cicFlow("2018-02-14T06:01:34Z"), "SSH"},
		{"cic-csv", "UTC", cicHeader + "x,172.16.0.1,3000,192.168.10.50,80,6,14/02/2018 09:01:34,0,SSH\n", "csv", cicFlow("2018-02-14T09:01:36Z"), ""},
		{"cic-csv", "", strings.ReplaceAll(cicHeader, "Src", "Source") + "x,172.16.0.1,3000,192.168.10.50,80,6,2018-12-01 10:51:39.813448,5,DrDoS_DNS\n", "csv", cicFlow("2018-12-01T14:51:39.813448Z"), "DrDoS_DNS"},
		{"mawilab", "", `<?xml version="1.0"?><admd:annotation xmlns:admd="http://www.fukuda-lab.org/mawilab"><anomaly type="notice" value="2,x"><slice><filter dst_port="80"/><from sec="1421927400" usec="0"/><to sec="1421927500"/></slice></anomaly>` +
			`<anomaly type="anomalous" value="1.5,ptpposcaHTTP"><slice><filter src_ip="175.45.176.0" dst_ip="149.171.126.16" dst_port="80"/><from sec="1421927400" usec="5"/><to sec="1421927414" usec="0"/></slice></anomaly></admd:annotation>`,
			"yaml", f, "anomalous 2,1.5,ptpposcaHTTP"},
	} {
		in := filepath.Join(dir, "in")
		if err := os.WriteFile(in, []byte(test.text), 0o666); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := Convert(test.from, in, test.zone, &b); err != nil {
			t.Errorf("%s: %v", test.from, err)
			continue
		}
		out := filepath.Join(dir, "out."+test.ext)
		if err := os.WriteFile(out, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		set, _, err := Load([]string{out})
		if err != nil {
			t.Errorf("%s: %v in\n%s", test.from, err, &b)
			continue
		}
		if got := labelOf(set, test.f); got != test.want {
			t.Errorf("%s: %q, want %q, of\n%s", test.from, got, test.want, &b)
		}
		os.Remove(out)
	}
	in := filepath.Join(dir, "in")
	for _, test := range []struct{ from, text, want string }{
		{"ctu13", "", "--zone"}, {"unsw-nb15", "a,b\n", `in:1: no column "Start time"`}, {"mawilab", "<a><b></a>", "in:1:11: is no admd"}, {"x", "", "want one of cic-csv, ctu13, mawilab, unsw-nb15"},
		{"cic-csv", "Dst Port,Protocol,Timestamp,Flow Duration,Label\n", `no column "Source IP"`}, {"cic-csv", cicHeader + "x,1.2.3.4,1,1.2.3.5,2,6,2017/7/7,0,a\n", `timestamp "2017/7/7"`},
		{"mawilab", `<a><anomaly><slice><from sec="x"/></slice></anomaly></a>`, "anomaly 1, slice 1: time"},
	} {
		if err := os.WriteFile(in, []byte(test.text), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := Convert(test.from, in, "", &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s of %q: error %v, want %q", test.from, test.text, err, test.want)
		}
	}
}
