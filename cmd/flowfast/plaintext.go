package main

import (
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	gfm "github.com/yuin/goldmark/extension/ast"
	markdown "github.com/yuin/goldmark/text"
)

// plainText shows a page in Markdown, up to the mark of what is generated, as plain
// text of a width. With a section it is what stands under that heading of the second
// level.
func plainText(page []byte, section string, width int) string {
	page = []byte(strings.Split(string(page), "<!-- generated")[0])
	root := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(markdown.NewReader(page))
	p := plain{source: page, width: width}
	within := section == ""
	for block := root.FirstChild(); block != nil; block = block.NextSibling() {
		if heading, ok := block.(*ast.Heading); ok && section != "" && heading.Level <= 2 {
			within = p.inline(heading) == section
		}
		if within {
			p.block(block, "", "")
		}
	}
	return p.out.String()
}

// A plain writes Markdown as plain text.
type plain struct {
	source []byte
	width  int
	out    strings.Builder
}

// block writes a block, with what stands in front of its first line and in front of
// the others.
func (p *plain) block(n ast.Node, first, other string) {
	switch n := n.(type) {
	case *ast.Heading:
		p.gap()
		title := p.inline(n)
		if n.Level <= 2 {
			title = strings.ToUpper(title)
		}
		p.out.WriteString(title + "\n")
	case *ast.Paragraph, *ast.TextBlock:
		if n.Kind() == ast.KindParagraph && first == other {
			p.gap()
		}
		p.lines(wrapped(p.inline(n), p.width-len(other)), first, other)
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		p.gap()
		for i := range n.Lines().Len() {
			line := n.Lines().At(i)
			p.out.WriteString(strings.TrimRight(other+"    "+string(line.Value(p.source)), "\n") + "\n")
		}
	case *ast.List:
		p.gap()
		for item := n.FirstChild(); item != nil; item = item.NextSibling() {
			first := other + "- "
			for block := item.FirstChild(); block != nil; block = block.NextSibling() {
				p.block(block, first, other+"  ")
				first = other + "  "
			}
		}
	case *gfm.Table:
		p.gap()
		p.table(n)
	}
}

// gap writes an empty line between blocks.
func (p *plain) gap() {
	if p.out.Len() > 0 {
		p.out.WriteByte('\n')
	}
}

func (p *plain) lines(lines []string, first, other string) {
	for _, line := range lines {
		p.out.WriteString(first + line + "\n")
		first = other
	}
}

// inline returns the text of a block, without marks.
func (p *plain) inline(n ast.Node) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Value(p.source))
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.AutoLink:
			b.Write(c.URL(p.source))
		case *ast.Link:
			b.WriteString(p.inline(c))
			if target := string(c.Destination); strings.Contains(target, "://") && n.Kind() != gfm.KindTableCell { // where there is room
				b.WriteString(" (" + target + ")")
			}
		default:
			b.WriteString(p.inline(c))
		}
	}
	return b.String()
}

// table writes a table, whose widest columns are broken into lines where it is wider
// than the page.
func (p *plain) table(n *gfm.Table) {
	var rows [][]string
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, p.inline(cell))
		}
		if strings.Join(cells, "") != "" {
			rows = append(rows, cells)
		}
	}
	if len(rows) > 0 {
		p.out.WriteString(aligned(rows, p.width))
	}
}

// aligned writes rows in columns, whose widest are broken into lines where they take
// more than a width together.
func aligned(rows [][]string, width int) string {
	const between = 2
	widths := make([]int, len(rows[0]))
	longest := make([]int, len(rows[0])) // words
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			for word := range strings.FieldsSeq(cell) {
				longest[i] = max(longest[i], utf8.RuneCountInString(word))
			}
		}
	}
	total := between * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > width; total-- {
		widest := -1
		for i, w := range widths {
			if w > longest[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break // nothing is left to break
		}
		widths[widest]--
	}
	var b strings.Builder
	for _, row := range rows {
		cells, height := make([][]string, len(row)), 0
		for i, cell := range row {
			cells[i] = wrapped(cell, widths[i])
			height = max(height, len(cells[i]))
		}
		for at := range height {
			var line strings.Builder
			for i := range cells {
				part := ""
				if at < len(cells[i]) {
					part = cells[i][at]
				}
				line.WriteString(part + strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(part))+between))
			}
			b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		}
	}
	return b.String()
}
