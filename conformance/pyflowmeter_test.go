package conformance

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestPyFlowMeter compares the profile pyflowmeter with rows that PyFlowMeter
// itself wrote. The quirks of the original that follow from a row are put back
// first, by the numbers of the rules in its specification:
//
//	1.4  no row of IPv6, nor of what is in a tunnel
//	2.3  between equal ports all packets are forward
//	3    the first packet of a row has a gap of 0
//	4    the flags are counted in reversed order
//
// What remains stands in the table of differences.
func TestPyFlowMeter(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedFolder(t, "peer-rows", "pyflowmeter"), "*.csv"))
	if err != nil {
		t.Fatal(err)
	}
	known := readDifferences(t, filepath.Join("testdata", "pyflowmeter.tsv"))
	var total tally
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".csv")
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		want, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		header, got := profileRows(t, filepath.Join(sharedFolder(t, "captures"), name), "pyflowmeter", 0, "nfstream:ip_version", "start_time")
		if columns := header[:len(header)-2]; !slices.Equal(want[0], columns) {
			t.Fatalf("%s: columns\n%v, want\n%v", name, columns, want[0])
		}
		c := comparePyFlowMeter(header, want[1:], got)
		total.add(c)
		known.check(t, name, c)
	}
	known.end(t)
	total.checkReadme(t, "PyFlowMeter", 0)
	t.Logf("%s", &total)
}

// comparePyFlowMeter pairs rows by protocol and ports, and where there are
// several by most values that agree.
func comparePyFlowMeter(header []string, want, got [][]string) *tally {
	c := &tally{}
	column := func(name string) int { return slices.Index(header, name) }
	key := func(row []string) string { return strings.Join(row[column("protocol"):column("dst_port")+1], " ") }
	open := map[string][][]string{}
	first := math.Inf(1) // start of the first flow
	for _, row := range got {
		start, _ := strconv.ParseFloat(row[column("start_time")], 64)
		first = min(first, start)
		if row[column("ip_version")] == "6" {
			c.outside++
			continue
		}
		putBack(header, row)
		open[key(row)] = append(open[key(row)], row)
	}
	header = header[:len(header)-2]
	same := func(ours []string) func(column, want, got string) bool {
		real := func(i int) float64 {
			v, _ := strconv.ParseFloat(ours[i], 64)
			return v
		}
		noise := max(1, real(len(header)+1)+real(0)-first) * 0x1p-52
		return func(name, want, got string) bool {
			deviation := 0.0
			if i := strings.LastIndexByte(name, '_'); i > 0 && strings.Contains(name, "_iat_") {
				deviation = real(column(name[:i] + "_std"))
			}
			return samePyValue(name, want, got, deviation, noise)
		}
	}
	agree := func(a, b []string) (n int) {
		same := same(b)
		for i, name := range header {
			if same(name, a[i], b[i]) {
				n++
			}
		}
		return n
	}
	var rest [][]string
	for _, least := range []int{len(header), 0} {
		for _, row := range want {
			rows := open[key(row)]
			best, most := -1, least-1
			for i, ours := range rows {
				if n := agree(row, ours); n > most {
					best, most = i, n
				}
			}
			if best < 0 {
				rest = append(rest, row)
				continue
			}
			c.compareRow(header, row, rows[best], same(rows[best]))
			open[key(row)] = slices.Delete(rows, best, best+1)
		}
		if least > 0 {
			want, rest = rest, nil
		}
	}
	for _, row := range rest {
		c.theirs++
		c.example("only theirs: %s", row)
	}
	for _, rows := range open {
		for _, row := range rows {
			c.ours++
			c.example("only ours: %s", row)
		}
	}
	return c
}

// samePyValue tells if two values are the same but for what PyFlowMeter loses:
// a time is a floating-point number of seconds since the capture's first frame
// (rule 1.3), and is off by noise; so are the times between packets, and their
// moments more so. Where all of them are equal, but for noise, skewness and
// kurtosis mean nothing.
func samePyValue(column, want, got string, deviation, noise float64) bool {
	if sameValue(column, want, got) {
		return true
	}
	w, g, ok := numbers(want, got)
	if !ok {
		return false
	}
	allowed := 0.0
	switch isTime := column == "duration" || strings.Contains(column, "_iat_"); {
	case strings.HasSuffix(column, "_skewness") || strings.HasSuffix(column, "_kurtosis"):
		allowed = 1e-12 * max(1, math.Abs(w))
		if isTime && deviation > 4*noise {
			allowed = 20 * noise / deviation * max(1, math.Abs(w))
		} else if isTime {
			allowed = math.Inf(1)
		}
	case isTime:
		allowed = 4 * noise
	}
	return math.Abs(w-g) <= allowed
}

// putBack gives a row the quirks of PyFlowMeter that follow from it.
func putBack(header, row []string) {
	at := func(name string) *string { return &row[slices.Index(header, name)] }
	number := func(name string) float64 {
		v, _ := strconv.ParseFloat(*at(name), 64)
		return v
	}
	set := func(name string, v float64) { *at(name) = strconv.FormatFloat(v, 'g', -1, 64) }
	read := func(prefix string, n float64) (s moments) {
		if n > 0 {
			s = moments{n: n, mean: number(prefix + "mean"), min: number(prefix + "min"), max: number(prefix + "max")}
			deviation := number(prefix + "std")
			s.m2 = n * deviation * deviation
			s.m3 = n * number(prefix+"skewness") * deviation * deviation * deviation
			s.m4 = n * (number(prefix+"kurtosis") + 3) * math.Pow(deviation, 4)
		}
		return s
	}
	write := func(prefix string, s moments) {
		set(prefix+"mean", s.mean)
		set(prefix+"std", math.Sqrt(s.m2/max(1, s.n)))
		skewness, kurtosis := 0.0, -3.0
		if s.m2 > 0 {
			skewness = math.Sqrt(s.n) * s.m3 / math.Pow(s.m2, 1.5)
			kurtosis = s.n*s.m4/(s.m2*s.m2) - 3
		}
		set(prefix+"skewness", skewness)
		set(prefix+"kurtosis", kurtosis)
		set(prefix+"min", s.min)
		set(prefix+"max", s.max)
	}

	fwd, bwd := number("fwd_tot_pkt"), number("bwd_tot_pkt")
	sizes := [2]moments{read("fwd_pkt_size_", fwd), read("bwd_pkt_size_", bwd)}
	gaps := [2]moments{read("fwd_iat_", fwd-1), read("bwd_iat_", bwd)}
	gaps[0] = gaps[0].with(moments{n: 1})
	for _, d := range []string{"fwd", "bwd"} {
		flags := []string{"FIN", "SYN", "RST", "PUSH", "ACK", "URG", "ECE", "CWE"} // from the lowest bit
		count := map[string]string{}
		for i, flag := range flags {
			count[flag] = *at(d + "_" + flags[7-i] + "_cnt")
		}
		// The header has CWE before ECE.
		count["CWE"], count["ECE"] = count["ECE"], count["CWE"]
		for _, flag := range flags {
			*at(d + "_" + flag + "_cnt") = count[flag]
		}
	}
	if *at("src_port") == *at("dst_port") {
		sizes = [2]moments{sizes[0].with(sizes[1])}
		gaps = [2]moments{gaps[0].with(gaps[1])}
		for _, name := range header {
			if what, ok := strings.CutPrefix(name, "bwd_"); ok && (strings.HasPrefix(what, "tot_") || strings.HasSuffix(what, "_cnt")) {
				set("fwd_"+what, number("fwd_"+what)+number(name))
				set(name, 0)
			}
		}
	}
	for i, d := range []string{"fwd", "bwd"} {
		write(d+"_pkt_size_", sizes[i])
		write(d+"_iat_", gaps[i])
	}
}

// Moments are those of a sample: mean, sums of powers of the differences from
// it, and extremes.
type moments struct{ n, mean, m2, m3, m4, min, max float64 }

// with returns the moments of two samples together (Pébay, Formulas for Robust,
// One-Pass Parallel Computation of Covariances and Arbitrary-Order Statistical
// Moments, 2008, 2.1).
func (a moments) with(b moments) moments {
	if a.n == 0 || b.n == 0 {
		if a.n == 0 {
			return b
		}
		return a
	}
	n, d := a.n+b.n, b.mean-a.mean
	return moments{
		n:    n,
		mean: a.mean + d*b.n/n,
		m2:   a.m2 + b.m2 + d*d*a.n*b.n/n,
		m3:   a.m3 + b.m3 + d*d*d*a.n*b.n*(a.n-b.n)/(n*n) + 3*d*(a.n*b.m2-b.n*a.m2)/n,
		m4: a.m4 + b.m4 + math.Pow(d, 4)*a.n*b.n*(a.n*a.n-a.n*b.n+b.n*b.n)/(n*n*n) +
			6*d*d*(a.n*a.n*b.m2+b.n*b.n*a.m2)/(n*n) + 4*d*(a.n*b.m3-b.n*a.m3)/n,
		min: min(a.min, b.min),
		max: max(a.max, b.max),
	}
}
