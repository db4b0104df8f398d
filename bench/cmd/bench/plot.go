//go:build linux || darwin

package main

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// A panel is curves over one pair of axes: open flows, in powers of ten, and a
// unit, from zero.
type panel struct {
	title, unit string
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
	colours = []string{"#0b3c78", "#c2570c", "#2a9d8f", "#8a5fbf"}
	dashes  = []string{"none", "6 3", "2 3", "8 3 2 3"}
)

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
		return leftMargin + plotWidth*(math.Log10(v)-low)/(high-low)
	}
	y := func(v float64) float64 { return topMargin + plotHeight*(1-v/top) }
	fmt.Fprintf(b, `<text x="%d" y="20" font-size="14" font-weight="bold">%s</text>`+"\n", leftMargin, html.EscapeString(p.title))
	for e := math.Ceil(low); e <= high; e++ {
		at := x(math.Pow(10, e))
		fmt.Fprintf(b, `<path d="M%.1f %d v%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			at, topMargin, plotHeight, at, topMargin+plotHeight+18, power(int(e)))
	}
	for v := 0.0; v <= top*1.001; v += step(top) {
		fmt.Fprintf(b, `<path d="M%d %.1f h%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			leftMargin, y(v), plotWidth, leftMargin-6, y(v)+4, grouped(int64(math.Round(v))))
	}
	fmt.Fprintf(b, `<path d="M%d %d v%d h%d" fill="none" stroke="#222"/>`+"\n", leftMargin, topMargin, plotHeight, plotWidth)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">open flows</text>`+"\n", leftMargin+plotWidth/2, panelHeight-12)
	fmt.Fprintf(b, `<text transform="translate(14 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n",
		topMargin+plotHeight/2, html.EscapeString(p.unit))
	for i := range p.curves {
		p.curves[i].draw(b, i, x, y)
	}
}

// draw draws a curve, and its line of the legend.
func (c *curve) draw(b *strings.Builder, i int, x, y func(float64) float64) {
	colour, dash := colours[i%len(colours)], dashes[i%len(dashes)]
	at := leftMargin + i%2*plotWidth/2
	line := 38 + i/2*16
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

// bounds returns the range of the axes: the powers of ten around the open
// flows, and a round number above every value.
func (p *panel) bounds() (low, high, top float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, c := range p.curves {
		for k := range c.x {
			low = min(low, math.Floor(math.Log10(c.x[k])))
			high = max(high, math.Log10(c.x[k]))
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

// power writes a power of ten.
func power(e int) string {
	return "10" + strings.Map(func(r rune) rune { return []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[r-'0'] }, fmt.Sprint(e))
}
