package mapping

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"leadload/converter"
)

// Runner maps rows; it reuses its buffers and serves one goroutine.
type Runner struct {
	p     *Program
	eval  *evaluator
	cells []cleaned
	input []converter.Cell
	row   uint64 // cleaned cells of other rows are stale
	arena []byte // Key, KeyText, Lead, LeadValue and LeadText of one row
	text  []byte // joined cells
	zones map[string]*time.Location
	memos []map[string]value // by step
	rec   *Record

	judging  bool // no body is made
	seen     *Seen
	again    bool // the row was seen before
	computed bool // the value at hand is a number that an expression made
}

// cleaned is a cell after Clean, made when first asked for.
type cleaned struct {
	row  uint64
	cell *converter.Cell
	own  converter.Cell // what cell points to unless the row's own is clean
	err  error
}

// Map turns a row into rec, whose former content is lost. Slices in rec are
// valid until the next call with the same rec. A row shorter than the header
// has empty cells at its end; cells beyond the header are not looked at.
func (r *Runner) Map(cells []converter.Cell, rec *Record) {
	rec.reset()
	r.rec = rec
	r.input = cells
	r.row++

	p := r.p
	skipped := false
	if p.skip != nil {
		skipped = r.skip()
	}
	r.arena = r.arena[:0]
	keyLen, keyTextLen := r.key()
	if skipped {
		// Its key is told where it has one; a title or total row has none.
		r.setKey(string(r.arena), keyLen, keyTextLen)
		rec.Skipped, rec.Problems = true, rec.Problems[:0]
		return
	}
	rec.KeyFields, rec.Constants = p.keyFields, p.constants

	leadValue := r.values()
	if p.lead != nil {
		if p.mapping.leadRule != nil {
			leadValue = r.step(p.lead)
		}
		r.lead(leadValue, keyLen, keyTextLen)
	} else {
		r.setKey(string(r.arena), keyLen, keyTextLen)
	}
	if len(rec.Problems) > 0 {
		rec.Body = rec.Body[:0]
	}
}

// Key reads nothing but the key of a row into rec, whose former content is lost. A
// key with a faulty or an empty column is "".
func (r *Runner) Key(cells []converter.Cell, rec *Record) {
	rec.reset()
	r.rec, r.input = rec, cells
	r.row++
	r.arena = r.arena[:0]
	keyLen, keyTextLen := r.key()
	r.setKey(string(r.arena), keyLen, keyTextLen)
	rec.Problems = rec.Problems[:0]
}

// values makes the fields' values and the body of them, and returns the value
// by which the body names the lead.
func (r *Runner) values() (leadValue value) {
	p, rec := r.p, r.rec
	if r.judging {
		for i := range p.steps {
			s := &p.steps[i]
			if s.fixed && s != p.lead {
				continue
			}
			v := r.step(s)
			if s == p.lead {
				leadValue = v
			}
		}
		return leadValue
	}
	w := bodyWriter{r: r, groups: p.mapping.spec.layout, at: -1, body: append(rec.Body, '{')}
	for i := range p.steps {
		s := &p.steps[i]
		v := r.step(s)
		if s == p.lead {
			leadValue = v
		}
		if !v.present || !v.ok {
			if v.ok && !s.fixed && s.f.group != inLead && len(p.keyFields) == 0 && strings.HasPrefix(s.f.name, "mx_") {
				rec.Empty = append(rec.Empty, s.f.name)
			}
			continue
		}
		w.enter(s.f.group)
		w.body = comma(w.body)
		if s.constant != "" {
			w.body = append(w.body, s.constant...)
		} else {
			w.body = s.append(w.body, v.text)
		}
		rec.Fields = append(rec.Fields, Field{s.name, v.text})
	}
	w.enter(nil)
	rec.Body = append(w.body, '}')
	return leadValue
}

// bodyWriter writes the groups of a body in their order.
type bodyWriter struct {
	r      *Runner
	groups []*group
	at     int  // the group of the last field; -1 before the first
	opened bool // its opening is written
	body   []byte
}

// enter ends the groups before g and begins it; nil ends all.
func (w *bodyWriter) enter(g *group) {
	if w.at >= 0 && w.opened && w.groups[w.at] == g {
		return
	}
	for {
		if w.at >= 0 {
			if w.groups[w.at] == g {
				w.begin()
				return
			}
			w.end()
		}
		if w.at++; w.at == len(w.groups) {
			return
		}
		w.opened = false
		if !w.groups[w.at].optional {
			w.begin()
		}
	}
}

func (w *bodyWriter) begin() {
	if w.opened {
		return
	}
	if open := w.groups[w.at].open; open != "" {
		w.body = append(comma(w.body), open...)
	}
	w.opened = true
}

func (w *bodyWriter) end() {
	if g := w.groups[w.at]; w.opened {
		if g.tail != nil {
			w.body = g.tail(w.r, w.body)
		}
		w.body = append(w.body, g.close...)
	}
}

// comma separates what comes next from what stands before it.
func comma(body []byte) []byte {
	if last := body[len(body)-1]; last == '{' || last == '[' {
		return body
	}
	return append(body, ',')
}

// noCell is what a row has beyond its last cell.
var noCell converter.Cell

// cell returns a cleaned cell, valid until the next row. A cell with a fault
// comes back as an error.
func (r *Runner) cell(i int) (*converter.Cell, error) {
	c := &r.cells[i]
	if c.row == r.row {
		return c.cell, c.err
	}
	if i >= len(r.input) {
		return &noCell, nil
	}
	c.row = r.row
	in := &r.input[i]
	if in.Kind == converter.EmptyCell || in.Kind == converter.TextCell && isClean(in.Text) {
		c.cell, c.err = in, nil // which saves copying it, twice
		return in, nil
	}
	c.own, c.err = converter.Clean(*in)
	c.cell = &c.own
	return c.cell, c.err
}

// isClean reports a text of which Clean would leave every byte: visible ASCII
// without spaces at its ends.
func isClean(s string) bool {
	if s == "" || s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		// The high bit of a byte is set by one below a space, by DEL, and by what is no ASCII.
		if ((x-' '*ones)|(x+ones)|x)&highs != 0 {
			return false
		}
	}
	for ; i < len(s); i++ {
		if s[i]-' ' >= 0x7f-' ' {
			return false
		}
	}
	return true
}

// plain returns a cell's text as keys, expressions and joins see it.
func (r *Runner) plain(i int, conv *converter.Converter) (string, error) {
	cell, err := r.cell(i)
	if err != nil || isEmpty(cell) {
		return "", err
	}
	if cell.Kind == converter.TextCell && letterFirst(cell.Text) && (conv != r.p.keyConv || len(cell.Text) > converter.LongestNothing) {
		return cell.Text, nil
	}
	return conv.Convert(*cell, nil)
}

func (r *Runner) problem(column, field string, err error) {
	p := asProblem(err)
	r.tell(RowProblem{Column: column, Field: field, Code: p.Code, Msg: p.Msg, Hint: p.Hint})
}

func (r *Runner) fault(column, field, code, hint, format string, args ...any) {
	r.tell(RowProblem{Column: column, Field: field, Code: code, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

// tell adds a problem once: a faulty cell that serves as key, in an expression
// and in two fields is one thing to correct.
func (r *Runner) tell(p RowProblem) {
	for i := range r.rec.Problems {
		q := &r.rec.Problems[i]
		if q.Column == p.Column && q.Code == p.Code && q.Msg == p.Msg {
			return
		}
	}
	r.rec.Problems = append(r.rec.Problems, p)
}

// asProblem returns the converter's problem in an error.
func asProblem(err error) *converter.Problem {
	var p *converter.Problem
	if errors.As(err, &p) {
		return p
	}
	return &converter.Problem{Code: "row.failed", Msg: err.Error()}
}

// skip evaluates skip_when. A row for which it fails is not skipped but faulty.
func (r *Runner) skip() bool {
	out, ok := r.evaluate(r.p.skip, "skip_when")
	if !ok {
		return false
	}
	b, ok := out.(bool)
	if !ok {
		r.fault("", "", "expr.failed", "make it a comparison", "skip_when gives neither true nor false")
		return false
	}
	return b
}

// evaluate runs an expression; a failure becomes a problem of the row.
func (r *Runner) evaluate(c *compiled, label string) (any, bool) {
	ok := true
	for i, col := range c.columns {
		text, err := r.plain(col, r.p.plain)
		if err != nil {
			r.problem(c.headers[i], label, err)
			ok = false
			continue
		}
		r.eval.set(c, i, text)
	}
	if !ok {
		return nil, false
	}
	out, err := r.eval.run(c)
	if err != nil {
		r.fault(strings.Join(c.headers, " + "), label, "expr.failed", "change the expression so that it holds for such a row too", "the expression fails: %s", exprMessage(err))
		return nil, false
	}
	return out, true
}

// key appends the row's key to the arena: the joined form, then the form for
// people, and gives their ends.
func (r *Runner) key() (keyLen, keyTextLen int) {
	p := r.p
	if len(p.keys) == 0 {
		return 0, 0
	}
	start := len(r.rec.Problems)
	only := ""
	for i, col := range p.keys {
		name := p.header[col]
		text, err := r.plain(col, p.keyConv)
		switch {
		case err != nil:
			r.problem(name, "key", err)
		case text == "":
			r.fault(name, "key", "key.empty", "fill it in, or name other columns as key: a row without a key cannot be told from another", "the key column %q is empty", name)
		}
		if i > 0 {
			r.arena = append(r.arena, '\x1f')
		}
		r.arena = append(r.arena, text...)
		only = text
	}
	if len(r.rec.Problems) > start {
		r.arena = r.arena[:0]
		return 0, 0
	}
	keyLen = len(r.arena)
	if r.judging && len(p.keys) == 1 {
		r.rec.Key, r.rec.KeyText = only, only
		r.arena = r.arena[:0]
		return 0, 0
	}
	if len(p.keys) > 1 {
		for i := range keyLen {
			if c := r.arena[i]; c == '\x1f' {
				r.arena = append(r.arena, " · "...)
			} else {
				r.arena = append(r.arena, c)
			}
		}
	}
	return keyLen, len(r.arena)
}

// setKey takes Key and KeyText out of the arena's text, where it holds them.
func (r *Runner) setKey(text string, keyLen, keyTextLen int) {
	if keyTextLen == 0 {
		return
	}
	r.rec.Key = text[:keyLen]
	r.rec.KeyText = text[keyLen:keyTextLen]
	if keyTextLen == keyLen {
		r.rec.KeyText = r.rec.Key
	}
}

// lead names the row's lead. One string holds all texts of the record that are its own.
func (r *Runner) lead(v value, keyLen, keyTextLen int) {
	s := r.p.lead
	if !v.ok || v.text == "" {
		r.setKey(string(r.arena), keyLen, keyTextLen)
		return
	}
	if s.leadKind == leadPhone && !hasDigit(v.text) {
		r.fault(s.column, s.name, "lead.empty", "correct it: it names the lead", "%s holds nothing to find a lead by", quoted(v.text))
	}
	if r.judging && r.p.mapping.Lead.FindBy == "" && !r.p.mapping.LeadMustExist {
		r.setKey(string(r.arena[:keyTextLen]), keyLen, keyTextLen) // no look-up wants the lead's name
		return
	}
	field := r.leadField()
	r.arena = append(r.arena, field...)
	r.arena = append(r.arena, '=')
	r.arena = appendLead(r.arena, s.leadKind, v.text)
	leadEnd := len(r.arena)
	r.arena = appendLookup(r.arena, s.leadKind, v.text)
	valueEnd := len(r.arena)
	if s.leadKind == leadPhone {
		r.arena = append(r.arena, v.text...)
	}
	text := string(r.arena)
	r.setKey(text, keyLen, keyTextLen)
	r.rec.Lead = text[keyTextLen:leadEnd]
	r.rec.LeadField = field
	r.rec.LeadValue = text[leadEnd:valueEnd]
	r.rec.LeadText = r.rec.LeadValue
	if s.leadKind == leadPhone {
		r.rec.LeadText = text[valueEnd:]
	}
}

func (r *Runner) leadField() string {
	m := r.p.mapping
	if m.leadRule != nil {
		return m.Lead.FindBy
	}
	return orElse(m.spec.lead, m.SearchBy)
}
