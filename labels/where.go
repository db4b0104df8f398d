package labels

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
	"go.yaml.in/yaml/v3"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
)

// A condition is the expression of a rule. Columns of whole numbers are integers in
// it, other numbers real, times in seconds since the epoch, and texts texts.
type condition struct {
	program *vm.Program
	columns []*export.Column
	names   []string // by which the expression calls them
}

// compile compiles the expression of a rule.
func (r *ruleFile) compile(rule *Rule, n *yaml.Node) {
	text := rule.Where
	tree, err := parser.Parse(text)
	if err != nil {
		r.failIn(n, text, err)
		return
	}
	c := &condition{}
	env := map[string]any{}
	add := func(name string) {
		if _, ok := env[name]; ok {
			return
		}
		column := r.find(name)
		if column == nil {
			return // which the compiler tells with its place
		}
		var v export.Value
		env[name] = valueOf(column, &v)
		c.columns, c.names = append(c.columns, column), append(c.names, name)
	}
	calls := &callsColumn{}
	ast.Walk(&tree.Node, visitor(func(n *ast.Node) {
		if i, ok := (*n).(*ast.IdentifierNode); ok {
			add(i.Value)
		}
		if name, ok := calls.name(*n); ok {
			add(name)
		}
	}))
	c.program, err = expr.Compile(text, expr.Env(env), expr.AsBool(), expr.Patch(calls),
		expr.DisableBuiltin("now"), expr.DisableBuiltin("date"), expr.DisableBuiltin("duration"), expr.DisableBuiltin("timezone"))
	if err != nil {
		r.failIn(n, text, err)
		return
	}
	if len(c.columns) == 0 {
		if always, err := expr.Run(c.program, env); err != nil || always != true {
			r.fail(n, "where is always false: the rule can't match")
		}
		r.warn(n.Line, n.Column, "where does not look at any column")
	}
	rule.where = c
}

type visitor func(*ast.Node)

func (v visitor) Visit(n *ast.Node) { v(n) }

// callsColumn makes column("Flow Duration") the column of that name: so columns are
// called that have blanks in their names.
type callsColumn struct{}

func (callsColumn) name(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallNode)
	if !ok || len(call.Arguments) != 1 {
		return "", false
	}
	function, ok := call.Callee.(*ast.IdentifierNode)
	if !ok || function.Value != "column" {
		return "", false
	}
	text, ok := call.Arguments[0].(*ast.StringNode)
	if !ok {
		return "", false
	}
	return text.Value, true
}

func (c callsColumn) Visit(n *ast.Node) {
	if name, ok := c.name(*n); ok {
		ast.Patch(n, &ast.IdentifierNode{Value: name})
	}
}

// failIn tells where in the file an expression is wrong, as far as its text stands
// there as it is.
func (r *ruleFile) failIn(n *yaml.Node, text string, err error) {
	at := *n
	said := err.Error()
	var in *file.Error
	if errors.As(err, &in) {
		said = in.Message
		switch {
		case n.Style == 0 && !strings.Contains(text, "\n"):
			at.Column += in.Column
		case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 && !strings.Contains(text, "\n"):
			at.Column += in.Column + 1
		case n.Style&yaml.LiteralStyle != 0:
			at.Line += in.Line
			at.Column = 0
		}
	}
	if name, ok := strings.CutPrefix(said, "unknown name "); ok {
		said = fmt.Sprintf("no column %q; those there are, by: flowfast columns", name)
	}
	r.fail(&at, "where: %s", said)
}

func (r *ruleFile) conditions() []*export.Column {
	var all []*export.Column
	for _, rule := range r.rules {
		if rule.where != nil {
			all = append(all, rule.where.columns...)
		}
	}
	return all
}

// valueOf returns a value as expressions have it.
func valueOf(c *export.Column, v *export.Value) any {
	switch c.Kind {
	case export.Uint:
		return int(min(v.Uint, math.MaxInt64))
	case export.Int:
		return int(v.Int)
	case export.Time:
		return float64(v.Int) / 1e9
	case export.Quarters:
		return float64(v.Uint) + float64(v.Quarters&3)/4
	case export.Seconds:
		if v.None {
			return 0.0
		}
		return (float64(v.Uint) + float64(v.Quarters&3)/4) / 1e9
	case export.Text:
		return string(v.Text)
	case export.List:
		list := make([]int, len(v.List))
		for i, n := range v.List {
			list[i] = int(n)
		}
		return list
	}
	return v.Float
}

// An evaluator evaluates expressions of one flow after the other. It belongs to one
// goroutine. What a column says of a flow is computed once.
type evaluator struct {
	vm     vm.VM
	env    map[string]any
	of     map[string]uint64 // the number of the flow that env has the value of
	flow   uint64
	value  export.Value
	failed map[*Rule]failure
}

type failure struct {
	flows uint64
	first string
}

// holds tells if the expression of a rule is true of a flow. One that can't be
// evaluated is not.
func (e *evaluator) holds(r *Rule, f *flowtable.Flow) bool {
	if e.env == nil {
		e.env, e.of, e.failed = map[string]any{}, map[string]uint64{}, map[*Rule]failure{}
	}
	c := r.where
	for i, name := range c.names {
		if e.of[name] != e.flow {
			c.columns[i].Value(&e.value, f)
			e.env[name] = valueOf(c.columns[i], &e.value)
			e.of[name] = e.flow
		}
	}
	result, err := e.vm.Run(c.program, e.env)
	if err != nil {
		known := e.failed[r]
		if known.flows++; known.first == "" {
			known.first, _, _ = strings.Cut(err.Error(), "\n")
		}
		e.failed[r] = known
		return false
	}
	return result == true
}
