package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/flowfast/flowfast/decode"
)

// grouped writes a whole number with commas between the thousands.
func grouped(n uint64) string {
	if n > math.MaxInt64 {
		return strconv.FormatUint(n, 10)
	}
	return humanize.Comma(int64(n))
}

// short writes a number with three digits and a prefix of the SI: 1.58 k.
func short(v float64, unit string) string {
	if v == 0 {
		return joined("0", unit)
	}
	value, prefix := humanize.ComputeSI(v)
	if v < 1 {
		value, prefix = v, ""
	}
	return joined(threeDigits(value), prefix+unit)
}

// threeDigits writes a number with three digits, or all those before the point.
func threeDigits(v float64) string {
	if v >= 999.5 {
		return grouped(uint64(v + 0.5))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func joined(number, unit string) string {
	if unit == "" {
		return number
	}
	return number + "\u00a0" + unit // no line ends between them
}

// bytesText writes a number of bytes.
func bytesText(n uint64) string { return short(float64(n), "B") }

// span writes a time span with three digits.
func span(ns uint64) string {
	for _, u := range []struct {
		unit string
		ns   float64
	}{{"d", 86400e9}, {"h", 3600e9}, {"min", 60e9}, {"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if float64(ns) >= 2*u.ns || u.unit == "s" && ns >= 1e9 || u.unit == "ms" && ns >= 1e6 || u.unit == "µs" && ns >= 1e3 {
			return joined(threeDigits(float64(ns)/u.ns), u.unit)
		}
	}
	return joined(strconv.FormatUint(ns, 10), "ns")
}

// percent writes the share of a part, and says of what is little that it is not none.
func percent(part, whole uint64) string {
	if whole == 0 {
		return "–"
	}
	p := 100 * float64(part) / float64(whole)
	switch {
	case part > 0 && p < 0.05:
		return "<\u200a0.1\u00a0%"
	case part < whole && p > 99.95:
		return ">\u200a99.9\u00a0%"
	}
	return fmt.Sprintf("%.1f\u00a0%%", p)
}

// protocolName returns the name of an IP protocol, its number if it has none.
func protocolName(number uint8) string {
	if name := (decode.Unread{Kind: decode.IPProtocol, Number: uint16(number)}).Name(); name != "" {
		return name
	}
	return "protocol " + strconv.Itoa(int(number))
}

// serviceNames are what ports are registered for, of those that captures have most
// (IANA, Service Name and Transport Protocol Port Number Registry).
var serviceNames = map[uint16]string{
	20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "domain", 67: "bootps", 68: "bootpc", 69: "tftp",
	80: "http", 88: "kerberos", 110: "pop3", 111: "sunrpc", 123: "ntp", 135: "epmap", 137: "netbios-ns", 138: "netbios-dgm",
	139: "netbios-ssn", 143: "imap", 161: "snmp", 162: "snmptrap", 179: "bgp", 389: "ldap", 443: "https", 445: "microsoft-ds",
	465: "submissions", 500: "isakmp", 502: "mbap", 514: "syslog", 515: "printer", 546: "dhcpv6-client", 547: "dhcpv6-server",
	554: "rtsp", 587: "submission", 631: "ipp", 636: "ldaps", 853: "domain-s", 873: "rsync", 993: "imaps", 995: "pop3s",
	1080: "socks", 1194: "openvpn", 1433: "ms-sql-s", 1521: "ncube-lm", 1701: "l2tp", 1723: "pptp", 1883: "mqtt", 1900: "ssdp",
	2049: "nfs", 2152: "gtp-user", 3074: "xbox", 3128: "squid", 3306: "mysql", 3389: "ms-wbt-server", 3478: "stun", 3544: "teredo",
	4500: "ipsec-nat-t", 4789: "vxlan", 5060: "sip", 5061: "sips", 5222: "xmpp-client", 5353: "mdns", 5355: "llmnr",
	5432: "postgresql", 5672: "amqp", 5683: "coap", 5900: "rfb", 6379: "redis", 6667: "ircu-3", 8080: "http-alt",
	8443: "pcsync-https", 8883: "secure-mqtt", 9092: "XmlIpcRegSvc", 9100: "hp-pdl-datastr", 11211: "memcache",
	27017: "mongodb", 51820: "wireguard",
}

// moment writes a time, of which at least the step to the next one is seen.
func moment(ns, step int64) string {
	t := time.Unix(0, ns).UTC()
	switch {
	case step%86400e9 == 0:
		return t.Format("2\u00a0Jan\u00a02006")
	case step%60e9 == 0:
		return t.Format("15:04")
	case step%1e9 == 0:
		return t.Format("15:04:05")
	case step%1e6 == 0:
		return t.Format("15:04:05.000")
	}
	return t.Format("15:04:05.000000")
}

// tickMoment writes a time for an axis, whose other ticks are whole steps away: only as
// much as tells them apart.
func tickMoment(ns, step int64) string {
	t := time.Unix(0, ns).UTC()
	const day = 86400e9
	switch {
	case step >= 50*day:
		return t.Format("Jan\u00a02006")
	case step%day == 0:
		return t.Format("2\u00a0Jan")
	case step%1e9 == 0:
		return moment(ns, step)
	}
	digits := 1
	for unit := int64(1e8); step%unit != 0; unit /= 10 {
		digits++
	}
	return t.Format("04:05." + strings.Repeat("0", digits))
}

// fullMoment writes a time with its date.
func fullMoment(ns, step int64) string {
	if step%86400e9 == 0 {
		return moment(ns, step)
	}
	return time.Unix(0, ns).UTC().Format("2006-01-02 ") + moment(ns, step)
}
