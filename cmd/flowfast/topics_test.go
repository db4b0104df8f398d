package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestTopics wants each topic to show something that fits a terminal, but for code
// and words that can't be broken, and without what only Markdown means.
func TestTopics(t *testing.T) {
	for _, topic := range topics {
		var b strings.Builder
		if err := topic.write(&b); err != nil || b.Len() < 300 {
			t.Errorf("topic %s: %d bytes, %v", topic.name, b.Len(), err)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimRight(line, "\n")
			code := strings.HasPrefix(line, "    ")
			if n := utf8.RuneCountInString(line); n > helpWidth && !code {
				t.Errorf("topic %s: a line has %d characters: %s", topic.name, n, line)
			}
			if !code && strings.ContainsAny(line, "`") || strings.Contains(line, "](") {
				t.Errorf("topic %s: marks of Markdown: %s", topic.name, line)
			}
		}
	}
}

func TestPlainText(t *testing.T) {
	const page = "# Page\n\nA `word` and a [link](other.md),\n[far](https://example.org/) too.\n\n## Part\n\n- one two three four\n- 5\n\nSo:\n\n" +
		"    code `as is`\n\n| a | b |\n| --- | --- |\n| `x` | one two three four |\n\n## Next\n\nrest\n\n<!-- generated: x -->\n\nnot this\n"
	for _, test := range []struct{ section, want string }{
		{"", "PAGE\n\nA word and a link,\nfar\n(https://example.org/)\ntoo.\n\nPART\n\n- one two three four\n- 5\n\nSo:\n\n    code `as is`\n\na  b\nx  one two three\n   four\n\nNEXT\n\nrest\n"},
		{"Part", "PART\n\n- one two three four\n- 5\n\nSo:\n\n    code `as is`\n\na  b\nx  one two three\n   four\n"},
	} {
		if got := plainText([]byte(page), test.section, 20); got != test.want {
			t.Errorf("section %q: got\n%s\nwant\n%s", test.section, got, test.want)
		}
	}
}
