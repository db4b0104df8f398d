package labels

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// simple returns what the library returns of a document, but for tags and comments, if
// that is YAML of the simplest kind; else nil. Files of a thousand rules are so mostly,
// and the library takes 100,000 allocations to read one: longer than labelling the flows
// of a gigabyte by it. FuzzSimple compares the two.
//
// That kind is ASCII, mappings and lists by indentation, whose values stand on one line
// with their keys: plain text that begins with a letter or a digit, text in quotes
// without any in it, and [lists] and {mappings} of these. Comments have lines of their own.
func simple(text string) *yaml.Node {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\n' || c > '~' {
			return nil
		}
	}
	s := &simpleReader{text: text}
	if !s.next() || s.indent != 0 {
		return nil
	}
	root := s.block(0)
	if root == nil || root.Kind != yaml.MappingNode || s.more {
		return nil
	}
	return root
}

// A simpleReader reads a document line by line.
type simpleReader struct {
	text   string // behind line
	line   string // without what is before at
	number int    // of the line
	at     int    // bytes before line
	indent int
	more   bool        // there is a line
	depth  int         // of brackets
	nodes  []yaml.Node // that are not used yet: one allocation for many
}

// deepest is how deep brackets may be in each other, so that a file can't exhaust the
// stack.
const deepest = 8

// next goes to the next line that is neither empty nor a comment.
func (s *simpleReader) next() bool {
	for s.text != "" {
		s.line, s.text, _ = strings.Cut(s.text, "\n")
		s.number++
		rest := strings.TrimLeft(s.line, " ")
		if rest != "" && rest[0] != '#' {
			s.at = len(s.line) - len(rest)
			s.indent, s.line, s.more = s.at, rest, true
			return true
		}
	}
	s.more = false
	return false
}

// skip leaves out bytes of the line, and blanks behind them.
func (s *simpleReader) skip(n int) {
	rest := strings.TrimLeft(s.line[n:], " ")
	s.at += len(s.line) - len(rest)
	s.line = rest
}

func (s *simpleReader) node(kind yaml.Kind) *yaml.Node {
	if len(s.nodes) == 0 {
		s.nodes = make([]yaml.Node, 64)
	}
	n := &s.nodes[0]
	s.nodes = s.nodes[1:]
	n.Kind, n.Line, n.Column = kind, s.number, s.at+1
	return n
}

// block reads the list or the mapping whose lines begin behind so many blanks; nil if it
// is not simple.
func (s *simpleReader) block(indent int) *yaml.Node {
	if strings.HasPrefix(s.line, "- ") {
		return s.list(indent)
	}
	n := s.node(yaml.MappingNode)
	for {
		key := s.key()
		if key == nil {
			return nil
		}
		var value *yaml.Node
		if s.line == "" {
			if !s.next() || s.indent < indent || s.indent == indent && !strings.HasPrefix(s.line, "- ") {
				return nil // a key without a value
			}
			value = s.block(s.indent)
		} else if value = s.value(false); value != nil && s.line == "" {
			s.next()
		} else {
			return nil
		}
		if value == nil {
			return nil
		}
		n.Content = append(n.Content, key, value)
		if !s.more || s.indent < indent {
			return n
		}
		if s.indent > indent || s.line[0] == '-' {
			return nil
		}
	}
}

// list reads a list whose lines begin behind so many blanks.
func (s *simpleReader) list(indent int) *yaml.Node {
	n := s.node(yaml.SequenceNode)
	for {
		s.skip(1)
		var item *yaml.Node
		if s.line != "" && s.line[0] != '{' && s.hasKey() {
			item = s.block(s.at)
		} else if item = s.value(false); item != nil && s.line == "" {
			s.next()
		} else {
			return nil
		}
		if item == nil {
			return nil
		}
		n.Content = append(n.Content, item)
		if !s.more || s.indent < indent || s.indent == indent && !strings.HasPrefix(s.line, "-") {
			return n
		}
		if s.indent > indent || !strings.HasPrefix(s.line, "- ") {
			return nil
		}
	}
}

// keyLength returns how long the key is that the line begins with, 0 for none.
func (s *simpleReader) keyLength() int {
	i := 0
	for i < len(s.line) && i < 100 && (isAlphanumeric(s.line[i]) || s.line[i] == '_' && i > 0) {
		i++
	}
	if i == len(s.line) || s.line[i] != ':' || i+1 < len(s.line) && s.line[i+1] != ' ' {
		return 0
	}
	return i
}

func (s *simpleReader) hasKey() bool { return s.keyLength() > 0 }

// key reads a key and its colon.
func (s *simpleReader) key() *yaml.Node {
	i := s.keyLength()
	if i == 0 {
		return nil
	}
	n := s.node(yaml.ScalarNode)
	n.Value = s.line[:i]
	s.skip(i + 1)
	return n
}

// value reads a value on the line, in brackets if inside is set; nil if it is not simple.
func (s *simpleReader) value(inside bool) *yaml.Node {
	if s.line == "" {
		return nil
	}
	switch c := s.line[0]; c {
	case '[', '{':
		return s.collection(c)
	case '\'', '"':
		return s.quoted(c)
	}
	n := s.node(yaml.ScalarNode)
	i := 0
loop:
	for ; i < len(s.line); i++ {
		c := s.line[i]
		switch {
		case isAlphanumeric(c):
			continue
		case i == 0:
			return nil
		case c == ':':
			if i+1 == len(s.line) || s.line[i+1] != ':' && s.line[i+1] != '/' && !isAlphanumeric(s.line[i+1]) {
				return nil
			}
		case inside && (c == ',' || c == ']' || c == '}'):
			break loop
		case strings.IndexByte(" _./*-+", c) >= 0 || !inside && strings.IndexByte(",()=<>", c) >= 0:
		default:
			return nil
		}
	}
	n.Value = strings.TrimRight(s.line[:i], " ")
	if len(n.Value) == len("null") && strings.EqualFold(n.Value, "null") {
		return nil
	}
	s.skip(i)
	return n
}

// quoted reads a text in quotes.
func (s *simpleReader) quoted(quote byte) *yaml.Node {
	n := s.node(yaml.ScalarNode)
	n.Style = yaml.SingleQuotedStyle
	if quote == '"' {
		n.Style = yaml.DoubleQuotedStyle
	}
	i := strings.IndexByte(s.line[1:], quote)
	if i < 0 {
		return nil
	}
	if n.Value = s.line[1 : 1+i]; strings.IndexByte(n.Value, '\\') >= 0 {
		return nil
	}
	s.skip(i + 2)
	if s.line != "" && strings.IndexByte(",]}", s.line[0]) < 0 { // another quote, or a colon
		return nil
	}
	return n
}

// collection reads a list or a mapping in brackets, which has to end on the line.
func (s *simpleReader) collection(open byte) *yaml.Node {
	n := s.node(yaml.SequenceNode)
	end := byte(']')
	if open == '{' {
		n.Kind, end = yaml.MappingNode, '}'
	}
	n.Style = yaml.FlowStyle
	if s.depth++; s.depth > deepest {
		return nil
	}
	for first := true; first || s.line[0] == ','; first = false {
		s.skip(1)
		if open == '{' {
			key := s.key()
			if key == nil {
				return nil
			}
			n.Content = append(n.Content, key)
		}
		value := s.value(true)
		if value == nil || s.line == "" {
			return nil
		}
		n.Content = append(n.Content, value)
	}
	if s.line[0] != end {
		return nil
	}
	s.skip(1)
	s.depth--
	return n
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
