package mapping

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"leadload/internal/fault"
)

// Expressions see the row's columns as texts: by name where the name is an
// identifier, as row["Deal ID"] always. Which columns an expression uses is
// read from its syntax tree, so that an unknown one is told with its nearest
// name and only those used are filled in for a row.

const (
	maxExprLength = 4000
	maxExprNodes  = 2000
	maxExprMemory = 100_000 // units of expr's own: about one an element made
	maxExprText   = 1 << 20 // bytes of a result
)

// expression is an expression of the mapping, read but not yet bound to a header.
type expression struct {
	at    *node
	uses  []use
	bound map[string]int // names that let binds, with their places
}

// use is a column named in an expression.
type use struct {
	name string
	from int  // offset in characters
	row  bool // as row["name"]
}

// expression checks what can be seen without a header.
func (p *parsing) expression(n *node) *expression {
	e := &expression{at: n}
	if utf8.RuneCountInString(n.text) > maxExprLength {
		p.at(n, "expr.long", "split it over several fields", "the expression has more than %d characters", maxExprLength)
		return nil
	}
	tree, err := parser.Parse(n.text)
	if err != nil {
		p.exprProblem(n, err)
		return nil
	}
	v := &usesVisitor{bound: map[string]int{}}
	e.bound = v.bound
	ast.Walk(&tree.Node, v)
	for _, from := range v.row {
		v.fault(from, "row stands alone", `write row["Deal ID"]`)
	}
	for _, f := range v.faults {
		p.exprAt(n, f.from, "expr.syntax", f.hint, f.name)
	}
	if len(v.faults) > 0 {
		return nil
	}
	for _, u := range v.uses {
		if _, bound := v.bound[u.name]; !bound || u.row {
			e.uses = append(e.uses, u)
		}
	}
	return e
}

// usesVisitor finds the columns that an expression names.
type usesVisitor struct {
	uses   []use
	bound  map[string]int // names that let binds
	row    []int          // offsets of row in row["…"]
	faults []struct {
		name, hint string
		from       int
	}
}

func (v *usesVisitor) fault(from int, name, hint string) {
	v.faults = append(v.faults, struct {
		name, hint string
		from       int
	}{name, hint, from})
}

// Visit implements ast.Visitor. Children come before their parents.
func (v *usesVisitor) Visit(n *ast.Node) {
	switch x := (*n).(type) {
	case *ast.IdentifierNode:
		from := x.Location().From
		switch x.Value {
		case "$env":
			v.fault(from, "$env is not available", `name columns as they are, or write row["Deal ID"]`)
		case "row":
			v.row = append(v.row, from)
		default:
			v.uses = append(v.uses, use{name: x.Value, from: from})
		}
	case *ast.MemberNode:
		id, ok := x.Node.(*ast.IdentifierNode)
		if !ok || id.Value != "row" {
			return
		}
		from := id.Location().From
		v.row = slices.DeleteFunc(v.row, func(at int) bool { return at == from })
		if s, ok := x.Property.(*ast.StringNode); ok {
			v.uses = append(v.uses, use{name: s.Value, from: from, row: true})
			return
		}
		v.fault(from, "row[…] takes the name of a column in quotes", `write row["Deal ID"]`)
	case *ast.CallNode:
		// The name of a function is no column; expr itself tells of an unknown one.
		if id, ok := x.Callee.(*ast.IdentifierNode); ok {
			from := id.Location().From
			v.uses = slices.DeleteFunc(v.uses, func(u use) bool { return u.from == from && !u.row })
		}
	case *ast.VariableDeclaratorNode:
		v.bound[x.Name] = x.Location().From
	}
}

// exprProblem tells what expr found, with its place in the YAML.
func (c *collector) exprProblem(n *node, err error) {
	msg, from := oneLine(err.Error()), 0
	var at *file.Error
	if errors.As(err, &at) {
		msg, from = oneLine(at.Message), at.From
	}
	msg = strings.ReplaceAll(msg, guard, "")
	hint := ""
	switch name, unknown := strings.CutPrefix(msg, "unknown name "); {
	case unknown && slices.Contains(disabledFunctions, name):
		msg, hint = fmt.Sprintf("unknown name %q", name), name+"() is not available: a row must come out the same tomorrow"
	case unknown:
		msg = fmt.Sprintf("unknown name %q", name)
		if near := fault.Nearest(name, functionNames()); near != "" {
			hint = fmt.Sprintf("did you mean %s(…)?", near)
		}
	case strings.HasSuffix(msg, "token EOF"):
		msg = "it ends too early"
	case strings.HasPrefix(msg, "expected bool, but got "):
		msg, hint = "it gives "+strings.TrimPrefix(msg, "expected bool, but got ")+" and must be true or false", `compare: Stage == "Test"`
	case strings.Contains(msg, "mismatched types"):
		hint = "columns are texts: write int(Quantity), float(Amount) or string(1)"
	}
	c.exprAt(n, from, "expr.syntax", hint, "the expression cannot be used: "+msg)
}

// exprAt places a fault inside an expression: in a text of one line the caret
// stands below the very character.
func (c *collector) exprAt(n *node, from int, code, hint, msg string) {
	line, col := n.line, n.col
	if line >= 1 && line <= len(c.lines) {
		text := []rune(c.lines[line-1])
		shift := 0
		if n.quoted {
			shift = 1
		}
		if at := col - 1 + shift + from; at < len(text) && strings.HasPrefix(string(text[min(len(text), col-1+shift):]), oneLine(n.text)) {
			col = at + 1
		}
	}
	c.place(line, col, code, hint, msg)
}

func functionNames() []string {
	var out []string
	for _, f := range builtin.Builtins {
		if !slices.Contains(disabledFunctions, f.Name) {
			out = append(out, f.Name)
		}
	}
	return out
}

// disabledFunctions would make the same row come out differently tomorrow, or
// hand out the environment.
var disabledFunctions = []string{"now", "get"}

// compiled is an expression bound to a header.
type compiled struct {
	program *vm.Program
	columns []int    // the columns used
	names   []string // their names in the environment, "" when they are used by row alone
	headers []string // their names in row
	at      *node
}

// bind compiles an expression against a header.
func (b *binding) bind(e *expression, wantBool bool) *compiled {
	out := &compiled{at: e.at}
	rowType := types.Map{}
	env := types.Map{"row": rowType, guard: types.TypeOf(&allowance{})}
	columns := map[string]bool{}
	ok := true
	for name, from := range e.bound {
		if len(b.index[name]) > 0 {
			b.exprAt(e.at, from, "expr.syntax", "give it another name", fmt.Sprintf("the expression cannot be used: let takes the name of the column %q", name))
			ok = false
		}
	}
	for _, u := range e.uses {
		i := b.exprColumn(e, u)
		if i < 0 {
			ok = false
			continue
		}
		b.used[i] = true
		at := slices.Index(out.columns, i)
		if at < 0 {
			out.columns = append(out.columns, i)
			out.names = append(out.names, "")
			out.headers = append(out.headers, b.header[i])
			at = len(out.columns) - 1
		}
		if !u.row {
			out.names[at] = u.name
			env[u.name], columns[u.name] = types.String, true
		}
		rowType[b.header[i]] = types.String
	}
	if !ok {
		return nil
	}
	options := []expr.Option{expr.Env(env), expr.MaxNodes(maxExprNodes)}
	options = append(options, guardOptions(e.at.text, columns)...)
	for _, name := range disabledFunctions {
		options = append(options, expr.DisableBuiltin(name))
	}
	if wantBool {
		options = append(options, expr.AsBool(), expr.WarnOnAny())
	}
	program, err := compileExpr(e.at.text, options)
	if err != nil {
		b.exprProblem(e.at, err)
		return nil
	}
	if !wantBool {
		switch t := program.Node().Type(); {
		case t == nil:
		case t.Kind() == reflect.Slice, t.Kind() == reflect.Map, t.Kind() == reflect.Array, t.Kind() == reflect.Func, t.Kind() == reflect.Struct:
			b.at(e.at, "expr.type", "make it a text, for example with join(…, \" \")", "the expression gives no text but %s", kindWord(t.Kind()))
			return nil
		}
	}
	out.program = program
	return out
}

// compileExpr guards against a crash inside the expression library: the text
// comes from a user.
func compileExpr(source string, options []expr.Option) (program *vm.Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			program, err = nil, fmt.Errorf("it cannot be compiled: %v", r)
		}
	}()
	return expr.Compile(source, options...)
}

func kindWord(k reflect.Kind) string {
	switch k {
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map:
		return "a map"
	}
	return "something else"
}

// exprColumn finds the column that an expression names.
func (b *binding) exprColumn(e *expression, u use) int {
	switch found := b.index[u.name]; len(found) {
	case 1:
		return found[0]
	case 0:
		msg := fmt.Sprintf("unknown column %q in the expression", u.name)
		valid := b.header
		hint := ""
		if near := fault.Nearest(u.name, valid); near != "" {
			hint = "did you mean " + columnInExpr(near) + "?"
		} else if !u.row && slices.Contains(functionNames(), u.name) {
			hint = "a function needs brackets: " + u.name + "(…)"
		} else {
			hint = didYouMean(u.name, valid)
		}
		b.exprAt(e.at, u.from, "mapping.unknown-column", hint, msg)
	default:
		b.exprAt(e.at, u.from, "mapping.duplicate-column", "rename one of them in the file", b.twice(u.name, found))
	}
	return -1
}

// columnInExpr writes a column's name as an expression takes it.
func columnInExpr(name string) string {
	if isIdentifier(name) {
		return name
	}
	return "row[" + strconv.Quote(name) + "]"
}

var exprWords = []string{"in", "and", "or", "not", "let", "if", "else", "matches", "contains", "startsWith", "endsWith", "nil", "true", "false", "row"}

func isIdentifier(s string) bool {
	if s == "" || slices.Contains(exprWords, s) {
		return false
	}
	for i, r := range s {
		letter := r == '_' || r == '$' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return true
}

// evaluator runs the expressions of one runner.
type evaluator struct {
	vm  vm.VM
	env map[string]any
	row map[string]any
	may allowance
}

func newEvaluator() *evaluator {
	e := &evaluator{env: map[string]any{}, row: map[string]any{}}
	e.env["row"], e.env[guard] = e.row, &e.may
	e.vm.MemoryBudget = maxExprMemory
	return e
}

func (e *evaluator) set(c *compiled, i int, text string) {
	var boxed any = text
	if c.names[i] != "" {
		e.env[c.names[i]] = boxed
	}
	e.row[c.headers[i]] = boxed
}

func (e *evaluator) run(c *compiled) (out any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	e.may.left = maxExprMade
	return e.vm.Run(c.program, e.env)
}

// resultText makes a text of an expression's result. Numbers that are no
// whole numbers are rounded to 15 significant digits as a spreadsheet shows
// them, so that 0.1 + 0.2 is 0.3.
func resultText(v any) (string, error) {
	switch x := v.(type) {
	case nil:
		return "", nil
	case string:
		if !utf8.ValidString(x) {
			return "", errors.New("the expression gives a text that is not valid UTF-8")
		}
		if len(x) > maxExprText {
			return "", fmt.Errorf("the expression gives a text of %d bytes", len(x))
		}
		return x, nil
	case bool:
		return strconv.FormatBool(x), nil
	case int:
		return strconv.Itoa(x), nil
	case int64:
		return strconv.FormatInt(x, 10), nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return "", errors.New("the expression gives no number: it divides by zero or overflows")
		}
		if math.Abs(x) >= 1e15 {
			return "", errors.New("the expression gives a number too large to be exact")
		}
		rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 15, 64), 64)
		if err != nil {
			return "", err
		}
		if rounded == 0 {
			return "0", nil // never -0
		}
		return strconv.FormatFloat(rounded, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("the expression gives no text but %s", kindWord(reflect.TypeOf(v).Kind()))
}
