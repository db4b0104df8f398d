//go:build linux || darwin

package main

import (
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A panel is curves over one pair of axes: one in powers of a base, and a unit,
// from zero.
type panel struct {
	title, unit string
	axis        string
	base        float64
	equal       bool // a grey line shows where both axes are equal
	curves      []curve
}

type curve struct {
	name string
	x, y []float64
}

func (c *curve) add(x, y float64) {
	c.x = append(c.x, x)
	c.y = append(c.y, y)
}

// Sizes of the plot in pixels.
const (
	panelWidth  = 460
	panelHeight = 340
	leftMargin  = 80
	rightMargin = 20
	topMargin   = 70 // title and legend
	lowMargin   = 52
	plotWidth   = panelWidth - leftMargin - rightMargin
	plotHeight  = panelHeight - topMargin - lowMargin
)

// colours differ in brightness too, for those who don't see the hue, and so do
// the dashes.
var (
	colours = []string{"#0b3c78", "#c2570c", "#2a9d8f", "#8a5fbf", "#b8336a", "#666"}
	dashes  = []string{"none", "6 3", "2 3", "8 3 2 3"}
)

// draw writes panels to a file of the folder for plots, if there is one.
func (r *runner) draw(name string, panels []panel) error {
	if r.svg == "" {
		return nil
	}
	if err := os.MkdirAll(r.svg, 0o777); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(r.svg, name))
	if err != nil {
		return err
	}
	return errors.Join(plot(f, panels), f.Close())
}

// plot writes panels side by side as an SVG.
func plot(w io.Writer, panels []panel) error {
	var b strings.Builder
	width := panelWidth * len(panels)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="#222">`+"\n",
		width, panelHeight, width, panelHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, panelHeight)
	for i := range panels {
		fmt.Fprintf(&b, `<g transform="translate(%d 0)">`+"\n", i*panelWidth)
		panels[i].draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *panel) draw(b *strings.Builder) {
	low, high, top := p.bounds()
	x := func(v float64) float64 {
		return leftMargin + plotWidth*(p.log(v)-low)/(high-low)
	}
	y := func(v float64) float64 { return topMargin + plotHeight*(1-v/top) }
	fmt.Fprintf(b, `<text x="%d" y="20" font-size="14" font-weight="bold">%s</text>`+"\n", leftMargin, html.EscapeString(p.title))
	for e := math.Ceil(low); e <= high; e++ {
		at := x(math.Pow(p.base, e))
		fmt.Fprintf(b, `<path d="M%.1f %d v%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			at, topMargin, plotHeight, at, topMargin+plotHeight+18, p.power(int(e)))
	}
	for v := 0.0; v <= top*1.001; v += step(top) {
		fmt.Fprintf(b, `<path d="M%d %.1f h%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			leftMargin, y(v), plotWidth, leftMargin-6, y(v)+4, tick(v, top))
	}
	fmt.Fprintf(b, `<path d="M%d %d v%d h%d" fill="none" stroke="#222"/>`+"\n", leftMargin, topMargin, plotHeight, plotWidth)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", leftMargin+plotWidth/2, panelHeight-12, html.EscapeString(p.axis))
	fmt.Fprintf(b, `<text transform="translate(14 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n",
		topMargin+plotHeight/2, html.EscapeString(p.unit))
	if p.equal {
		p.drawEqual(b, low, min(high, p.log(top)), x, y)
	}
	columns := 2
	if len(p.curves) > 4 {
		columns = 3
	}
	for i := range p.curves {
		p.curves[i].draw(b, i, columns, x, y)
	}
}

// drawEqual draws the line where both axes are equal, between two logarithms.
func (p *panel) drawEqual(b *strings.Builder, from, to float64, x, y func(float64) float64) {
	const parts = 32 // the line is curved
	b.WriteString(`<path d="M`)
	for i := range parts + 1 {
		v := math.Pow(p.base, from+(to-from)*float64(i)/parts)
		fmt.Fprintf(b, "%.1f %.1f ", x(v), y(v)) // after M, points are joined by lines
	}
	b.WriteString(`" fill="none" stroke="#bbb" stroke-width="2"/>` + "\n")
}

// draw draws a curve, and its line of the legend.
func (c *curve) draw(b *strings.Builder, i, columns int, x, y func(float64) float64) {
	colour, dash := colours[i%len(colours)], dashes[i%len(dashes)]
	at := leftMargin + i%columns*plotWidth/columns
	line := 38 + i/columns*16
	fmt.Fprintf(b, `<path d="M%d %d h26" stroke="%s" stroke-width="2" stroke-dasharray="%s"/><text x="%d" y="%d">%s</text>`+"\n",
		at, line-4, colour, dash, at+32, line, html.EscapeString(c.name))
	var path strings.Builder
	for k := range c.x {
		verb := "L"
		if k == 0 {
			verb = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f ", verb, x(c.x[k]), y(c.y[k]))
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2" stroke-dasharray="%s"/>`+"\n", strings.TrimSpace(path.String()), colour, dash)
	for k := range c.x {
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(c.x[k]), y(c.y[k]), colour)
	}
}

// bounds returns the range of the axes: the powers of the base around what one of
// them shows, and a round number above every value of the other.
func (p *panel) bounds() (low, high, top float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, c := range p.curves {
		for k := range c.x {
			low = min(low, math.Floor(p.log(c.x[k])))
			high = max(high, p.log(c.x[k]))
			top = max(top, c.y[k])
		}
	}
	if math.IsInf(low, 0) {
		low, high = 0, 0
	}
	if top == 0 {
		top = 1
	}
	return low, max(high, low+1), math.Ceil(top/step(top)) * step(top)
}

// step returns the distance between the lines of an axis up to top: 1, 2 or 5
// times a power of ten, for four to ten lines.
func step(top float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(top)))
	switch {
	case top/unit < 2:
		return unit / 5
	case top/unit < 4:
		return unit / 2
	}
	return unit
}

// log returns the logarithm to the base.
func (p *panel) log(v float64) float64 {
	if p.base == 2 {
		return math.Log2(v)
	}
	return math.Log10(v)
}

// tick writes a value of an axis up to top.
func tick(v, top float64) string {
	if step(top) < 1 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return grouped(int64(math.Round(v)))
}

// power writes a power of the base: of ten as such, of two as a number.
func (p *panel) power(e int) string {
	if p.base == 2 {
		return strconv.Itoa(1 << e)
	}
	return "10" + strings.Map(func(r rune) rune { return []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[r-'0'] }, fmt.Sprint(e))
}
