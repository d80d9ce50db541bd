package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"leadload/converter"
	"leadload/internal/fault"
)

// Compile checks the mapping against the columns of a file. letters are the
// columns' letters in the spreadsheet, for messages; without them the first
// column is A. The error is Problems.
func (m *Mapping) Compile(header []string, letters ...string) (*Program, error) {
	b := &binding{letters: letters, collector: newCollector(m.Name, m.text), header: make([]string, len(header)), index: make(map[string][]int, len(header)), used: make([]bool, len(header))}
	for i, name := range header {
		b.header[i] = strings.TrimSpace(name)
		if b.header[i] != "" {
			b.index[b.header[i]] = append(b.index[b.header[i]], i)
		}
	}
	p := &Program{mapping: m, header: b.header, warnings: slices.Clone(m.warnings)}
	p.bind(b)
	if err := b.err(); err != nil {
		return nil, err
	}
	for i, used := range b.used {
		if !used {
			name := b.header[i]
			if name == "" {
				name = "column " + b.letter(i)
			}
			p.unused = append(p.unused, name)
		}
	}
	p.layOut()
	return p, nil
}

// binding resolves the names of columns.
type binding struct {
	*collector
	header  []string
	letters []string
	index   map[string][]int
	used    []bool // by a field, a key, an expression or ignore
}

// letter returns a column's letter in the spreadsheet.
func (b *binding) letter(i int) string {
	if i < len(b.letters) {
		return b.letters[i]
	}
	return columnLetters(i)
}

// column gives the position of the column that n names, or -1.
func (b *binding) column(n *node, by string) int {
	name := strings.TrimSpace(n.text)
	switch found := b.index[name]; len(found) {
	case 1:
		b.used[found[0]] = true
		return found[0]
	case 0:
		b.at(n, "mapping.unknown-column", columnHint(name, b.header), "%s names the column %q, which the file does not have", by, name)
	default:
		b.at(n, "mapping.duplicate-column", "rename one of them in the file", "%s", b.twice(name, found))
		for _, i := range found {
			b.used[i] = true
		}
	}
	return -1
}

func (b *binding) twice(name string, found []int) string {
	places := make([]string, len(found))
	for i, at := range found {
		places[i] = b.letter(at)
	}
	return fmt.Sprintf("the file has several columns named %q: %s", name, strings.Join(places, " and "))
}

func columnHint(name string, header []string) string {
	var named []string
	for _, h := range header {
		if h != "" {
			named = append(named, h)
		}
	}
	if near := fault.Nearest(name, named); near != "" {
		if fault.Fold(near) == fault.Fold(name) {
			return fmt.Sprintf("did you mean %q? names of columns are compared letter by letter, case and spaces too", near)
		}
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(named) == 0 {
		return "the file's header is empty"
	}
	if len(named) > 30 {
		named = append(named[:30:30], "…")
	}
	return "the file has: " + strings.Join(named, ", ")
}

// columnLetters gives a column's name as a spreadsheet shows it: A is 0.
func columnLetters(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}

// Program is a mapping compiled against a header. It is safe for concurrent use.
type Program struct {
	mapping   *Mapping
	header    []string
	unused    []string
	reads     []bool // by column: a field, a key or an expression uses it
	warnings  []string
	keys      []int
	keyConv   *converter.Converter
	plain     *converter.Converter // text of cells in keys, expressions and joins
	skip      *compiled
	steps     []step
	lead      *step // what the lead is found by; it may be one of steps
	keyFields []string
	constants []string
	exprs     bool
}

// step makes one field of the body.
type step struct {
	f        *field
	id       int    // its position among the steps; the look-up's field comes last
	name     string // as Record.Fields has it
	column   string // the input's column for problems; several are joined by " + "
	col      int    // -1: none
	join     []int
	expr     *compiled
	zoneCol  int // -1: none
	leadKind leadKind
	prefix   string // JSON before the value
	suffix   string // JSON after it
	constant string // JSON of the whole step when no row changes it
	fixed    bool
	pass     bool // plain text: the value is the cell's text
	asIs     bool // … and nothing else is asked of it
	memo     bool // conversions are worth remembering
	unseen   bool // a value that is written anew, and only for the body
}

// Unused are the columns that the mapping neither uses nor ignores.
func (p *Program) Unused() []string { return slices.Clip(p.unused) }

// Reads reports for each column of the header whether a field, a key or an
// expression uses it.
func (p *Program) Reads() []bool { return slices.Clone(p.reads) }

// Warnings are remarks on the mapping that do not stop a run.
func (p *Program) Warnings() []string { return slices.Clip(p.warnings) }

// bind resolves all columns and compiles all expressions.
func (p *Program) bind(b *binding) {
	m := p.mapping
	p.plain, _ = converter.New(converter.Spec{Type: converter.Text})
	p.keyConv, _ = converter.New(converter.Spec{Type: converter.Text, Identifies: true})
	for _, n := range m.keyNodes {
		if i := b.column(n, "key"); i >= 0 {
			p.keys = append(p.keys, i)
		}
	}
	if m.skipWhen != nil {
		p.skip = b.bind(m.skipWhen, true)
		p.exprs = true
	}
	for _, f := range m.fields {
		s := p.step(b, f)
		s.id = len(p.steps)
		p.steps = append(p.steps, s)
	}
	switch {
	case m.leadRule != nil:
		s := p.step(b, m.leadRule)
		s.id = len(p.steps)
		s.leadKind = leadKindOf(m.Lead.FindBy)
		p.lead = &s
	default:
		for i := range p.steps {
			if p.steps[i].f.search {
				p.steps[i].leadKind = leadKindOf(p.steps[i].f.name)
				p.lead = &p.steps[i]
			}
		}
	}
	p.reads = slices.Clone(b.used)
	for _, n := range m.ignore {
		name := strings.TrimSpace(n.text)
		found := b.index[name]
		if len(found) == 0 {
			b.at(n, "mapping.unknown-column", columnHint(name, b.header), "ignore names the column %q, which the file does not have", name)
		}
		for _, i := range found {
			b.used[i] = true // a name given twice is ignored twice
		}
	}
	p.keyFields, p.constants = p.findKeyFields(), p.findConstants()
}

func (p *Program) step(b *binding, f *field) step {
	s := step{f: f, name: f.label(), col: -1, zoneCol: -1}
	var columns []string
	if f.column != nil {
		s.col = b.column(f.column, f.label())
		columns = append(columns, strings.TrimSpace(f.column.text))
	}
	for _, n := range f.join {
		if i := b.column(n, f.label()); i >= 0 {
			s.join = append(s.join, i)
		}
		columns = append(columns, strings.TrimSpace(n.text))
	}
	if f.zoneColumn != nil {
		s.zoneCol = b.column(f.zoneColumn, f.label())
	}
	if f.expr != nil {
		s.expr = b.bind(f.expr, false)
		p.exprs = true
		if s.expr != nil {
			columns = append(columns, s.expr.headers...)
		}
	}
	s.column = strings.Join(columns, " + ")
	s.pass = f.spec.Type == converter.Text && len(f.spec.Values) == 0 && f.spec.Case == ""
	s.asIs = s.pass && f.spec.MaxLength == 0 && !f.status
	s.memo = len(f.spec.Values) > 0 || f.status
	switch f.spec.Type {
	case converter.DateTime, converter.Date, converter.Phone:
		s.unseen = !f.status && f.json == jsonText && !f.search
	}
	return s
}

// findKeyFields names the fields that show the key in the account: each key
// column must have one that carries its text unchanged, and none is the lead's.
func (p *Program) findKeyFields() []string {
	var out []string
	for _, k := range p.keys {
		found := ""
		for i := range p.steps {
			s := &p.steps[i]
			plain := s.col == k && s.pass && s.f.spec.MaxLength == 0 && !s.f.hasDef && !s.f.status
			if plain && s.f.group != inLead && s.f.json == jsonText && !s.f.search {
				found = s.name
				break
			}
		}
		if found == "" {
			return nil
		}
		out = append(out, found)
	}
	return out
}

// findConstants names the fields that have one value in every row.
func (p *Program) findConstants() []string {
	var out []string
	for i := range p.steps {
		if s := &p.steps[i]; s.f.hasValue && s.f.value != "" {
			out = append(out, s.name)
		}
	}
	return out
}

// layOut prepares the JSON around each value.
func (p *Program) layOut() {
	for i := range p.steps {
		s := &p.steps[i]
		name := string(appendJSON(nil, s.f.name))
		s.prefix = name + ":"
		if named := s.f.group.named; named != "" {
			s.prefix, s.suffix = `{"`+named+`":`+name+`,"Value":`, `}`
		}
		if s.f.hasValue {
			s.fixed = true
			if s.f.value != "" || s.f.empty == "send" {
				s.constant = string(s.append(nil, s.f.value))
			}
		}
	}
}

// append appends the field's JSON.
func (s *step) append(dst []byte, value string) []byte {
	dst = append(dst, s.prefix...)
	if s.f.json == jsonText {
		dst = appendJSON(dst, value)
	} else {
		dst = append(dst, value...)
	}
	return append(dst, s.suffix...)
}

// Judge gives a runner that finds the same faults as Runner's and names the
// row's key and, where it is looked up, its lead, but makes no body: Body and
// Fields stay empty, and all texts of the record are valid as long as the
// row's cells.
func (p *Program) Judge() *Runner {
	r := p.Runner()
	r.judging = true
	return r
}

// Runner gives a runner for one goroutine.
func (p *Program) Runner() *Runner {
	r := &Runner{p: p, cells: make([]cleaned, len(p.header)), memos: make([]map[string]value, len(p.steps)+1), seen: newSeen(p)}
	if p.exprs {
		r.eval = newEvaluator()
	}
	return r
}

// isNumberText reports a JSON number in plain digits, so that a conversion
// can never break the body.
func isNumberText(s string) bool {
	t := strings.TrimPrefix(s, "-")
	whole, frac, point := strings.Cut(t, ".")
	if !isDigits(whole) || len(whole) > 1 && whole[0] == '0' || point && !isDigits(frac) {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}
