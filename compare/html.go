package compare

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/dustin/go-humanize"

	"github.com/flowfast/flowfast/report"
)

//go:embed page.html
var pageText string

var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"comma": humanize.Comma, "decade": Decade, "join": strings.Join, "quoted": quoted,
	}).Parse(pageText))
})

// WriteHTML writes what came of a comparison as a page that loads nothing.
func (r *Result) WriteHTML(to io.Writer) error {
	return page().Execute(to, struct {
		*Result
		Style    template.CSS
		PairedBy string
		EqualIn  string
		Verdict  string
		Unequal  int64
		Changed  []columnView
	}{r, template.CSS(report.Style()), r.pairedBy(), r.equalIn(), r.verdict(), r.Pairs - r.Equal, r.views()})
}

func (r *Result) verdict() string {
	if r.Same() {
		return "The tables are equal"
	}
	return "The tables differ"
}

// A columnView is a column with what the page draws of it.
type columnView struct {
	*Column
	AbsoluteText, RelativeText, GreaterText string
	Share                                   string
	Bars                                    []histogramBar
}

type histogramBar struct {
	Name   string
	N      int64
	Height float64 // percent
	X      float64
}

func (r *Result) views() []columnView {
	var all []columnView
	for _, c := range r.Different() {
		v := columnView{Column: c, AbsoluteText: c.absolute(), RelativeText: c.relative(), GreaterText: c.greater()}
		v.Share = fmt.Sprintf("%.1f %%", 100*float64(c.Differ)/float64(max(r.Pairs, 1)))
		most := int64(0)
		for _, n := range c.Histogram {
			most = max(most, n)
		}
		for i, n := range c.Histogram {
			if n > 0 {
				v.Bars = append(v.Bars, histogramBar{Decade(i), n, float64(100*n) / float64(most), float64(100*i) / decades})
			}
		}
		all = append(all, v)
	}
	return all
}
