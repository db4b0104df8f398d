//go:build linux || darwin

package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestPlot wants well-formed XML with every point inside its panel.
func TestPlot(t *testing.T) {
	p := panel{title: "a < b", unit: "ns/packet", axis: "open flows", base: 10, curves: make([]curve, 4)}
	for i := range p.curves {
		p.curves[i].name = "curve & " + strconv.Itoa(i)
		for _, flows := range floods {
			p.curves[i].add(float64(flows), float64(300+i*100))
		}
	}
	var out bytes.Buffer
	if err := plot(&out, []panel{p, {title: "empty", unit: "x", base: 10}}); err != nil {
		t.Fatal(err)
	}
	circles := 0
	for d := xml.NewDecoder(&out); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != "circle" {
			continue
		}
		circles++
		x, _ := strconv.ParseFloat(e.Attr[0].Value, 64)
		y, _ := strconv.ParseFloat(e.Attr[1].Value, 64)
		if x < leftMargin || x > leftMargin+plotWidth+0.1 || y < topMargin || y > topMargin+plotHeight {
			t.Errorf("a point at %v, %v", x, y)
		}
	}
	if circles != 4*len(floods) {
		t.Errorf("%d points, want %d", circles, 4*len(floods))
	}
}

// TestPowersOfTwo wants a tick at each number of workers, and all points of more
// curves than the legend has columns for.
func TestPowersOfTwo(t *testing.T) {
	p := panel{title: "speed-up", axis: "workers", base: 2, equal: true, curves: make([]curve, 6)}
	for i := range p.curves {
		for _, n := range []float64{1, 2, 4, 8, 16} {
			p.curves[i].add(n, n*0.9)
		}
	}
	var out strings.Builder
	if err := plot(&out, []panel{p}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">1</text>", ">2</text>", ">4</text>", ">8</text>", ">16</text>", ">workers</text>"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s", want)
		}
	}
	if n := strings.Count(out.String(), "<circle"); n != 30 {
		t.Errorf("%d points, want 30", n)
	}
}

func TestStep(t *testing.T) {
	for _, top := range []float64{0.03, 1, 1.99, 2, 3.5, 4, 7, 9.99, 10, 416, 12345} {
		if lines := top / step(top); lines < 3.9 || lines > 10 {
			t.Errorf("top %v: %v lines, want 4 to 10", top, lines)
		}
	}
}

// TestDraw draws into a folder that is not there yet.
func TestDraw(t *testing.T) {
	r := runner{options: options{svg: filepath.Join(t.TempDir(), "a", "b")}}
	if err := r.draw("plot.svg", []panel{{title: "empty", unit: "x", base: 10}}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(r.svg, "plot.svg")); err != nil || info.Size() == 0 {
		t.Errorf("%v, error %v", info, err)
	}
}
