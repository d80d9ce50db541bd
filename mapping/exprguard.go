package mapping

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"
)

// The expression library computes as Go does: whole numbers wrap around,
// 12 * 1.1 is 13.200000000000001, 1 / 0 is +Inf, and a text may grow to
// gigabytes inside one call. Operators and functions of which a row's value
// could suffer are replaced in the syntax tree by guarded ones of the same
// meaning. Their names begin with a sign that no expression can write.

const guard = "·"

// maxExprMade is how many bytes of text one evaluation may make.
const maxExprMade = 16 << 20

// allowance counts the bytes of text that an evaluation makes. It is handed to
// the guarded functions as their first argument.
type allowance struct{ left int }

var errTooMuchText = errors.New("it makes too much text")

func (a *allowance) take(n int) error {
	if n < 0 || n > maxExprText || n > a.left {
		return errTooMuchText
	}
	a.left -= n
	return nil
}

// texts joins what was made, once it is known to fit.
func (a *allowance) made(s string) (any, error) {
	if err := a.take(len(s)); err != nil {
		return nil, err
	}
	return s, nil
}

// guardedCall is a function that takes the place of another one.
type guardedCall struct {
	name  string
	args  string // kinds of the arguments: s text, n whole number, l list, x anything that is no text or any
	least int    // how many arguments there must be
	call  func(a *allowance, args []any) (any, error)
	types []any
}

// suits reports whether arguments are of the kinds that the call takes, or may
// be. Others are left to the library, which then says what is wrong with them.
func (g *guardedCall) suits(args []reflect.Type) bool {
	if len(args) < g.least || len(args) > len(g.args) {
		return false
	}
	texts, others := 0, 0 // of an addition
	for i, t := range args {
		if t == nil || t.Kind() == reflect.Interface {
			continue
		}
		if t.PkgPath() != "" {
			return false // a time or a duration
		}
		k := t.Kind()
		number := k >= reflect.Int && k <= reflect.Float64
		switch g.args[i] {
		case 's':
			if k != reflect.String {
				return false
			}
		case 'n':
			if k != reflect.Int {
				return false
			}
		case 'l':
			if k != reflect.Slice && k != reflect.Array {
				return false
			}
		default:
			switch {
			case g.name == "string" || g.name == "toJSON":
			case k == reflect.String && g.name == "+":
				texts++
			case k == reflect.String && (g.name == "int" || g.name == "float"):
			case !number:
				return false
			default:
				others++
			}
		}
	}
	return texts == 0 || others == 0
}

// guarded are the functions that stand in for operators and the library's own.
var guarded = []guardedCall{
	{"+", "xx", 2, add, []any{new(func(*allowance, int, int) int), new(func(*allowance, int, float64) float64), new(func(*allowance, float64, int) float64),
		new(func(*allowance, float64, float64) float64), new(func(*allowance, string, string) string), new(func(*allowance, any, any) any)}},
	{"-", "xx", 2, arithmetic("-"), numbers},
	{"*", "xx", 2, arithmetic("*"), numbers},
	{"/", "xx", 2, arithmetic("/"), []any{new(func(*allowance, any, any) float64)}},
	{"^", "xx", 2, arithmetic("^"), []any{new(func(*allowance, any, any) float64)}},
	{"negative", "x", 1, func(_ *allowance, args []any) (any, error) { return combine("-", 0, args[0]) }, unary},
	{"abs", "x", 1, func(_ *allowance, args []any) (any, error) {
		if v, ok := args[0].(int); ok && v < 0 {
			return combine("-", 0, v)
		} else if ok {
			return v, nil
		}
		return noiseless(math.Abs(runtime.ToFloat64(args[0])))
	}, unary},
	{"int", "x", 1, toInt, []any{new(func(*allowance, any) int)}},
	{"float", "x", 1, toFloat, []any{new(func(*allowance, any) float64)}},
	{"sum", "l", 1, sum, []any{new(func(*allowance, []any) any), new(func(*allowance, any) any)}},
	{"mean", "l", 1, mean, []any{new(func(*allowance, any) float64)}},
	{"string", "x", 1, func(a *allowance, args []any) (any, error) {
		v, err := rounded(a, args[0])
		if err != nil {
			return nil, err
		}
		return a.made(fmt.Sprint(v))
	}, []any{new(func(*allowance, any) string)}},
	{"toJSON", "x", 1, func(a *allowance, args []any) (any, error) {
		v, err := rounded(a, args[0])
		if err != nil {
			return nil, err
		}
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return nil, err
		}
		return a.made(string(b))
	}, []any{new(func(*allowance, any) string)}},
	{"upper", "s", 1, onText(strings.ToUpper), []any{new(func(*allowance, string) string)}},
	{"lower", "s", 1, onText(strings.ToLower), []any{new(func(*allowance, string) string)}},
	{"toBase64", "s", 1, onText(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }), []any{new(func(*allowance, string) string)}},
	{"split", "ssn", 2, func(a *allowance, args []any) (any, error) { return split(a, strings.SplitN, args) }, lists},
	{"splitAfter", "ssn", 2, func(a *allowance, args []any) (any, error) { return split(a, strings.SplitAfterN, args) }, lists},
	{"replace", "sssn", 3, replace, []any{new(func(*allowance, string, string, string) string), new(func(*allowance, string, string, string, int) string)}},
	{"repeat", "sn", 2, func(a *allowance, args []any) (any, error) {
		s, n := args[0].(string), args[1].(int)
		if n < 0 {
			return nil, fmt.Errorf("repeat takes a number from 0 on, not %d", n)
		}
		if n > 0 && len(s) > maxExprText/n {
			return nil, errTooMuchText
		}
		return a.made(strings.Repeat(s, n))
	}, []any{new(func(*allowance, string, int) string)}},
	{"join", "ls", 1, join, []any{new(func(*allowance, []string) string), new(func(*allowance, []any) string), new(func(*allowance, []string, string) string), new(func(*allowance, []any, string) string)}},
}

var (
	numbers = []any{new(func(*allowance, int, int) int), new(func(*allowance, int, float64) float64), new(func(*allowance, float64, int) float64),
		new(func(*allowance, float64, float64) float64), new(func(*allowance, any, any) any)}
	unary = []any{new(func(*allowance, int) int), new(func(*allowance, float64) float64), new(func(*allowance, any) any)}
	lists = []any{new(func(*allowance, string, string) []string), new(func(*allowance, string, string, int) []string)}
)

var (
	errWrap  = errors.New("a whole number grows too large")
	errNoNum = errors.New("it gives no number: it divides by zero or overflows")
	errLarge = errors.New("a number grows too large to be exact")
)

// noiseless returns a result without the noise of binary fractions: 15 digits
// are what a spreadsheet shows too. What is no number is an error.
func noiseless(f float64) (float64, error) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return 0, errNoNum
	case f == math.Trunc(f) || math.Abs(f) >= 1e15:
		return f, nil
	}
	return strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64)
}

func add(a *allowance, args []any) (any, error) {
	if s, ok := args[0].(string); ok {
		if t, ok := args[1].(string); ok {
			if err := a.take(len(s) + len(t)); err != nil {
				return nil, err
			}
			return s + t, nil
		}
	}
	return combine("+", args[0], args[1])
}

func arithmetic(op string) func(*allowance, []any) (any, error) {
	return func(_ *allowance, args []any) (any, error) { return combine(op, args[0], args[1]) }
}

// combine computes as the library does and refuses what is not exact.
func combine(op string, x, y any) (any, error) {
	a, wholeA := x.(int)
	b, wholeB := y.(int)
	if wholeA && wholeB {
		switch op {
		case "+":
			if c := a + b; (c > a) == (b > 0) {
				return c, nil
			}
			return nil, errWrap
		case "-":
			if c := a - b; (c < a) == (b > 0) {
				return c, nil
			}
			return nil, errWrap
		case "*":
			if a == 0 || b == 0 {
				return 0, nil
			}
			if c := a * b; c/b == a && !(a == -1 && b == math.MinInt) && !(b == -1 && a == math.MinInt) {
				return c, nil
			}
			return nil, errWrap
		}
	}
	var v any
	switch op {
	case "+":
		v = runtime.Add(x, y)
	case "-":
		v = runtime.Subtract(x, y)
	case "*":
		v = runtime.Multiply(x, y)
	case "/":
		v = runtime.Divide(x, y)
	case "^":
		v = runtime.Exponent(x, y)
	}
	if f, ok := v.(float64); ok {
		return noiseless(f)
	}
	return v, nil
}

// toInt is int(): what is not a whole number is cut, as the library does.
func toInt(_ *allowance, args []any) (any, error) {
	switch x := args[0].(type) {
	case float64:
		f, err := noiseless(x)
		if err != nil {
			return nil, err
		}
		if math.Abs(f) >= 1e15 {
			return nil, errLarge
		}
		return int(f), nil
	case string:
		n, err := strconv.Atoi(x)
		if err != nil {
			return nil, fmt.Errorf("invalid operation: int(%s)", quoted(x))
		}
		return n, nil
	}
	return runtime.ToInt(args[0]), nil
}

// toFloat is float(), which takes no text such as NaN, Inf or 0x1p4 for a number.
func toFloat(_ *allowance, args []any) (any, error) {
	s, isText := args[0].(string)
	if !isText {
		return noiseless(runtime.ToFloat64(args[0]))
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.ContainsAny(s, "xXnNiI_") {
		return nil, fmt.Errorf("invalid operation: float(%s)", quoted(s))
	}
	return f, nil
}

// elements returns the elements of a list.
func elements(list any) ([]any, error) {
	v := reflect.ValueOf(list)
	if k := v.Kind(); k != reflect.Slice && k != reflect.Array {
		return nil, fmt.Errorf("a list is asked for, not %T", list)
	}
	out := make([]any, v.Len())
	for i := range out {
		out[i] = v.Index(i).Interface()
	}
	return out, nil
}

func sum(_ *allowance, args []any) (any, error) {
	list, err := elements(args[0])
	var total any = 0
	for _, v := range list {
		if err == nil {
			total, err = combine("+", total, v)
		}
	}
	return total, err
}

func mean(a *allowance, args []any) (any, error) {
	list, err := elements(args[0])
	if err != nil || len(list) == 0 {
		return 0.0, err
	}
	total, err := sum(a, args)
	if err != nil {
		return nil, err
	}
	return combine("/", total, len(list))
}

// rounded returns a value whose numbers are written without noise, those in
// lists and maps too. The texts in it are counted, as they will be written.
func rounded(a *allowance, v any) (any, error) {
	switch x := v.(type) {
	case string:
		return x, a.take(len(x))
	case float64:
		text, err := resultText(x)
		return json.Number(text), err
	case []string:
		for _, s := range x {
			if err := a.take(len(s)); err != nil {
				return nil, err
			}
		}
		return x, nil
	case []any:
		out := make([]any, len(x))
		for i := range x {
			var err error
			if out[i], err = rounded(a, x[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(x))
		for k := range x {
			var err error
			if out[k], err = rounded(a, x[k]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

func onText(f func(string) string) func(*allowance, []any) (any, error) {
	return func(a *allowance, args []any) (any, error) { return a.made(f(args[0].(string))) }
}

func split(a *allowance, f func(string, string, int) []string, args []any) (any, error) {
	n := -1
	if len(args) == 3 {
		n = args[2].(int)
	}
	s := args[0].(string)
	if err := a.take(16 * min(len(s), strings.Count(s, args[1].(string))+1)); err != nil { // a text's head in memory
		return nil, err
	}
	return f(s, args[1].(string), n), nil
}

func replace(a *allowance, args []any) (any, error) {
	s, from, to, n := args[0].(string), args[1].(string), args[2].(string), -1
	if len(args) == 4 {
		n = args[3].(int)
	}
	times := strings.Count(s, from)
	if n >= 0 {
		times = min(times, n)
	}
	if grow := len(to) - len(from); grow > 0 && times > (maxExprText-min(len(s), maxExprText))/grow {
		return nil, errTooMuchText
	}
	return a.made(strings.Replace(s, from, to, n))
}

func join(a *allowance, args []any) (any, error) {
	glue := ""
	if len(args) == 2 {
		glue = args[1].(string)
	}
	list, err := elements(args[0])
	if err != nil {
		return nil, err
	}
	size := 0
	parts := make([]string, len(list))
	for i, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("join takes texts, not %T: write map(list, string(#))", v)
		}
		if size += len(s) + len(glue); size > maxExprText+len(glue) {
			return nil, errTooMuchText
		}
		parts[i] = s
	}
	return a.made(strings.Join(parts, glue))
}

// guards replaces operators and functions in the tree of one expression.
type guards struct {
	types   map[ast.Node]reflect.Type // of what was replaced
	columns map[string]bool           // names that stand for a cell's text
	plain   bool                      // no call and so no loop is in the expression
}

// shortSum is how many cells and constants may be added without a guard: the
// text is no longer than they are together.
const shortSum = 8

// leaves returns how many cells and constants a sum of texts has, a large
// number for one of anything else.
func (g *guards) leaves(n ast.Node) int {
	switch x := n.(type) {
	case *ast.StringNode:
		return 1
	case *ast.IdentifierNode:
		if g.columns[x.Value] {
			return 1
		}
	case *ast.MemberNode:
		if id, ok := x.Node.(*ast.IdentifierNode); ok && id.Value == "row" {
			return 1
		}
	case *ast.BinaryNode:
		if x.Operator == "+" {
			return g.leaves(x.Left) + g.leaves(x.Right)
		}
	}
	return shortSum + 1
}

// typeOf returns a node's type, nil when it is not known.
func (g *guards) typeOf(n ast.Node) reflect.Type {
	if t, replaced := g.types[n]; replaced {
		return t
	}
	return n.Type()
}

// Reset and ShouldRepeat make the library run this visitor last, with one
// check of types behind it: a second one would pass over the arguments of calls.
func (g *guards) Reset() {}

// ShouldRepeat is never true: nothing is left to replace.
func (g *guards) ShouldRepeat() bool { return false }

// Visit implements ast.Visitor. Children come before their parents.
func (g *guards) Visit(n *ast.Node) {
	name, args := "", []ast.Node(nil)
	switch x := (*n).(type) {
	case *ast.BinaryNode:
		name, args = x.Operator, []ast.Node{x.Left, x.Right}
		if name == "**" {
			name = "^"
		}
		if name == "+" && g.plain && g.leaves(x) <= shortSum {
			return
		}
	case *ast.UnaryNode:
		if x.Operator != "-" {
			return
		}
		if _, literal := x.Node.(*ast.IntegerNode); literal {
			return
		}
		name, args = "negative", []ast.Node{x.Node}
	case *ast.BuiltinNode:
		name, args = x.Name, x.Arguments
		if name == "sum" && len(args) == 2 {
			args = []ast.Node{&ast.BuiltinNode{Name: "map", Arguments: args}}
		}
	default:
		return
	}
	types := make([]reflect.Type, len(args))
	for i, a := range args {
		types[i] = g.typeOf(a)
	}
	for i := range guarded {
		if call := &guarded[i]; call.name == name && call.suits(types) {
			all := append([]ast.Node{&ast.IdentifierNode{Value: guard}}, args...)
			was := g.typeOf(*n)
			ast.Patch(n, &ast.CallNode{Callee: &ast.IdentifierNode{Value: guard + name}, Arguments: all})
			// With a type of its own, a call's arguments would not be checked.
			(*n).SetType(nil)
			g.types[*n] = was
			return
		}
	}
}

// guardOptions are what an expression is compiled with, so that it is guarded.
func guardOptions(source string, columns map[string]bool) []expr.Option {
	out := []expr.Option{expr.Patch(&guards{types: map[ast.Node]reflect.Type{}, columns: columns, plain: !strings.ContainsAny(source, "(#|")})}
	for _, g := range guarded {
		out = append(out, expr.Function(guard+g.name, func(args ...any) (any, error) { return g.call(args[0].(*allowance), args[1:]) }, g.types...))
	}
	return out
}
