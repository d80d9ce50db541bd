package mapping

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/file"

	"leadload/converter"
)

// Runner maps rows; it reuses its buffers and serves one goroutine.
type Runner struct {
	p     *Program
	eval  *evaluator
	cells []cleaned
	input []converter.Cell
	row   uint64 // cleaned cells of other rows are stale
	arena []byte // Key, KeyText, Lead and LeadValue of one row
	text  []byte // joined cells
	zones map[string]*time.Location
	memos []map[string]value // by step
	rec   *Record
}

// cleaned is a cell after Clean, made when first asked for.
type cleaned struct {
	row  uint64
	cell *converter.Cell
	own  converter.Cell // what cell points to unless the row's own is clean
	err  error
}

// value is what a step came to.
type value struct {
	text    string
	present bool // goes into the body
	ok      bool // no problem was found
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
	rec.KeyFields = p.keyFields

	body := rec.Body
	var leadValue value
	capture := p.mapping.isCapture()
	body = append(body, '{')
	part := inLeadRule // none yet
	for i := range p.steps {
		s := &p.steps[i]
		v := r.step(s)
		if s == p.lead {
			leadValue = v
		}
		if !v.present || !v.ok {
			continue
		}
		if capture {
			body = r.open(body, &part, s.f.part)
		} else if len(body) > 1 {
			body = append(body, ',')
		}
		if s.constant != "" {
			body = append(body, s.constant...)
		} else {
			body = s.append(body, v.text)
		}
		rec.Fields = append(rec.Fields, Field{s.name, v.text})
	}
	if capture {
		body = r.close(body, part)
	}
	rec.Body = append(body, '}')

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

// open begins the group of the body that a field belongs to.
func (r *Runner) open(body []byte, now *part, next part) []byte {
	if *now == next {
		return append(body, ',')
	}
	switch next {
	case inLead:
		body = append(body, `"LeadDetails":[`...)
	case inOpportunity:
		body = r.endLead(body, *now)
		body = append(body, `"Opportunity":{`...)
	case inFields:
		if *now == inOpportunity {
			body = append(body, `,"Fields":[`...)
		} else {
			body = r.endLead(body, *now)
			body = append(body, `"Opportunity":{"Fields":[`...)
		}
	}
	*now = next
	return body
}

// endLead ends LeadDetails with what tells the account how to use it.
func (r *Runner) endLead(body []byte, now part) []byte {
	if now != inLead {
		body = append(body, `"LeadDetails":[`...)
	} else {
		body = append(body, ',')
	}
	m := r.p.mapping
	if m.SearchBy == "ProspectId" {
		// The account takes an id as the lead's own only with this pair
		// (vendor's page on capture).
		body = append(body, `{"Attribute":"__UseUserDefinedGuid__","Value":"true"},`...)
		r.rec.Fields = append(r.rec.Fields, Field{"LeadDetails.__UseUserDefinedGuid__", "true"})
	}
	body = append(body, `{"Attribute":"SearchBy","Value":`...)
	body = appendJSON(body, m.SearchBy)
	r.rec.Fields = append(r.rec.Fields, Field{"LeadDetails.SearchBy", m.SearchBy})
	return append(body, `}],`...)
}

// close ends a capture's body with its switches.
func (r *Runner) close(body []byte, now part) []byte {
	switch now {
	case inFields:
		body = append(body, ']')
	case inOpportunity:
	default:
		body = r.endLead(body, now)
		body = append(body, `"Opportunity":{`...)
	}
	for _, s := range r.p.mapping.switches {
		if body[len(body)-1] != '{' {
			body = append(body, ',')
		}
		text := "false"
		if s.on {
			text = "true"
		}
		body = appendJSON(body, s.name)
		body = append(body, ':')
		body = append(body, text...)
		r.rec.Fields = append(r.rec.Fields, Field{switchLabels[s.name], text})
	}
	return append(body, '}')
}

var switchLabels = func() map[string]string {
	out := map[string]string{}
	for _, name := range switchNames {
		out[name] = "Opportunity." + name
	}
	return out
}()

// noCell is what a row has beyond its last cell.
var noCell converter.Cell

// cell gives a cleaned cell, valid until the next row. A cell with a fault
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
	for i := 0; i < len(s); i++ {
		if s[i]-' ' >= 0x7f-' ' {
			return false
		}
	}
	return true
}

// plain gives a cell's text as keys, expressions and joins see it.
func (r *Runner) plain(i int, conv *converter.Converter) (string, error) {
	cell, err := r.cell(i)
	if err != nil || isEmpty(cell) {
		return "", err
	}
	if cell.Kind == converter.TextCell && letterFirst(cell.Text) {
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

// asProblem gives the converter's problem in an error.
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

// evaluate runs an expression; what goes wrong is told as a problem of the row.
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
	}
	if len(r.rec.Problems) > start {
		r.arena = r.arena[:0]
		return 0, 0
	}
	keyLen = len(r.arena)
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

// setKey takes Key and KeyText out of the arena's text.
func (r *Runner) setKey(text string, keyLen, keyTextLen int) {
	r.rec.Key = text[:keyLen]
	r.rec.KeyText = text[keyLen:keyTextLen]
	if keyTextLen == keyLen {
		r.rec.KeyText = r.rec.Key
	}
}

// lead names the row's lead. One string holds all four texts.
func (r *Runner) lead(v value, keyLen, keyTextLen int) {
	s := r.p.lead
	if !v.ok || v.text == "" {
		r.setKey(string(r.arena), keyLen, keyTextLen)
		return
	}
	field := r.leadField()
	r.arena = append(r.arena, field...)
	r.arena = append(r.arena, '=')
	valueAt := len(r.arena)
	r.arena = appendLead(r.arena, s.leadKind, v.text)
	if len(r.arena) == valueAt {
		r.fault(s.column, s.name, "lead.empty", "correct it: it names the lead", "%s holds nothing to find a lead by", quoted(v.text))
	}
	leadEnd := len(r.arena)
	r.arena = appendLookup(r.arena, s.leadKind, v.text)
	text := string(r.arena)
	r.setKey(text, keyLen, keyTextLen)
	r.rec.Lead = text[keyTextLen:leadEnd]
	r.rec.LeadField = field
	r.rec.LeadValue = text[leadEnd:]
}

func (r *Runner) leadField() string {
	m := r.p.mapping
	switch {
	case m.leadRule != nil:
		return m.Lead.FindBy
	case m.isCapture():
		return m.SearchBy
	}
	return "ProspectId"
}

// step makes the value of one field.
func (r *Runner) step(s *step) value {
	f := s.f
	if s.fixed {
		return value{text: f.value, present: s.constant != "", ok: true}
	}
	var made converter.Cell
	cell, err := &made, error(nil)
	switch {
	case s.col >= 0:
		cell, err = r.cell(s.col)
	case s.expr != nil:
		out, ok := r.evaluate(s.expr, s.name)
		if !ok {
			return value{}
		}
		text, fault := resultText(out)
		if fault != nil {
			r.fault(s.column, s.name, "expr.failed", "change the expression so that it holds for such a row too", "%v", fault)
			return value{}
		}
		made, err = converter.Clean(converter.Cell{Kind: converter.TextCell, Text: text})
	default:
		made, err = r.joined(s)
	}
	if err != nil {
		r.problem(s.column, s.name, err)
		return value{}
	}
	if isEmpty(cell) {
		return r.emptyValue(s)
	}
	return r.convert(s, cell)
}

// joined puts columns together. Empty cells are left out, so that no
// separator stands alone.
func (r *Runner) joined(s *step) (converter.Cell, error) {
	r.text = r.text[:0]
	only, count := "", 0
	for _, col := range s.join {
		text, err := r.plain(col, r.p.plain)
		if err != nil {
			return converter.Cell{}, err
		}
		if text == "" {
			continue
		}
		if count > 0 {
			r.text = append(r.text, s.f.separator...)
		}
		r.text = append(r.text, text...)
		only = text
		count++
	}
	switch count {
	case 0:
		return converter.Cell{}, nil
	case 1:
		return converter.Cell{Kind: converter.TextCell, Text: only}, nil
	}
	return converter.Clean(converter.Cell{Kind: converter.TextCell, Text: string(r.text)})
}

func (r *Runner) emptyValue(s *step) value {
	f := s.f
	switch {
	case f.hasDef:
		return value{text: f.def, present: true, ok: true}
	case f.required || f.needed || f.empty == "reject":
		hint := "fill it in"
		if f.status {
			hint = "fill it in, or give the field a default"
		}
		r.fault(s.column, s.name, "row.required", hint, "%s needs a value and %s is empty", s.name, s.origin())
		return value{}
	case f.empty == "send":
		return value{present: true, ok: true}
	}
	return value{ok: true}
}

// origin says in words where a value comes from.
func (s *step) origin() string {
	switch {
	case s.col >= 0:
		return "the column " + strconv.Quote(s.column)
	case s.expr != nil:
		return "its expression"
	}
	return s.column
}

// isEmpty reports a cell that holds nothing.
func isEmpty(c *converter.Cell) bool { return c.Kind == converter.EmptyCell || c.Text == "" }

// letterFirst reports a text that begins with a letter of A to Z: it can be
// neither a number in scientific notation nor a spreadsheet's error, so that
// as plain text it stays what it is.
func letterFirst(s string) bool {
	c := s[0] | 0x20
	return 'a' <= c && c <= 'z'
}

func (r *Runner) convert(s *step, cell *converter.Cell) value {
	if cell.Kind == converter.TextCell {
		if s.asIs && letterFirst(cell.Text) {
			return value{text: cell.Text, present: true, ok: true}
		}
		if s.memo {
			return r.remember(s, cell)
		}
	}
	return r.convertAnew(s, cell)
}

// memoSize bounds what a runner remembers of one field.
const memoSize = 256

// remember converts a text once: a field with values has few different ones,
// and finding out that one is not listed is what takes long.
func (r *Runner) remember(s *step, cell *converter.Cell) value {
	memo := r.memos[s.id]
	if v, ok := memo[cell.Text]; ok {
		return v
	}
	v := r.convertAnew(s, cell)
	if v.ok && len(memo) < memoSize && len(cell.Text) <= 200 {
		if memo == nil {
			memo = map[string]value{}
			r.memos[s.id] = memo
		}
		v.text = strings.Clone(v.text) // a row's texts lie in memory that is used again
		memo[strings.Clone(cell.Text)] = v
	}
	return v
}

func (r *Runner) convertAnew(s *step, cell *converter.Cell) value {
	f := s.f
	var loc *time.Location
	if s.zoneCol >= 0 {
		var ok bool
		if loc, ok = r.zone(s); !ok {
			return value{}
		}
	}
	text, err := f.conv.Convert(*cell, loc)
	if err != nil {
		p := asProblem(err)
		if f.hasDef && p.Code == unlistedCode && len(f.spec.Values) > 0 {
			return value{text: f.def, present: true, ok: true}
		}
		r.problem(s.column, s.name, p)
		return value{}
	}
	if f.status {
		word, known := status(text)
		if !known {
			r.fault(s.column, s.name, "status.unknown", "map it with values: {"+quotedYAML(text)+": Open}, Won or Lost", "Status must be Open, Won or Lost, not %s", quoted(text))
			return value{}
		}
		text = word
	}
	switch {
	case f.json != jsonNumber:
	case !isNumberText(text):
		r.fault(s.column, s.name, "number.format", "write plain digits", "%s is no number that can be sent", quoted(text))
		return value{}
	case f.name == "OpportunityEventCode" && (len(text) > 9 || text[0] == '-' || text == "0"):
		r.fault(s.column, s.name, "event-code.range", "use the code of an opportunity type", "%s cannot be an opportunity type's code", quoted(text))
		return value{}
	}
	if text == "" {
		return r.emptyValue(s)
	}
	return value{text: text, present: true, ok: true}
}

// unlistedCode is the converter's code for a text that is not in values.
const unlistedCode = "value.unknown"

// maxZones bounds what a column of zones can make a runner remember.
const maxZones = 1000

// zone reads the zone of a row from its column; nil is the field's own.
func (r *Runner) zone(s *step) (*time.Location, bool) {
	name := r.p.header[s.zoneCol]
	text, err := r.plain(s.zoneCol, r.p.plain)
	if err != nil {
		r.problem(name, s.name, err)
		return nil, false
	}
	if text == "" {
		if s.f.hasZone {
			return nil, true
		}
		r.fault(name, s.name, "timezone.empty", "fill it in, or set timezone: at the top of the mapping", "the time zone in column %q is empty", name)
		return nil, false
	}
	if loc := r.zones[text]; loc != nil {
		return loc, true
	}
	loc, err := converter.LoadZone(text)
	if err != nil {
		r.fault(name, s.name, "timezone.unknown", "use a name such as Asia/Kolkata", "%v", err)
		return nil, false
	}
	if r.zones == nil || len(r.zones) >= maxZones {
		r.zones = map[string]*time.Location{}
	}
	r.zones[strings.Clone(text)] = loc
	return loc, true
}

// exprMessage is what went wrong in an expression, without the picture of it.
func exprMessage(err error) string {
	var fault *file.Error
	if errors.As(err, &fault) {
		return oneLine(fault.Message)
	}
	return oneLine(err.Error())
}

// quoted gives a text for a message, bounded.
func quoted(s string) string {
	const limit = 60
	n := 0
	for i := range s {
		if n == limit {
			return strconv.Quote(s[:i]) + "…"
		}
		n++
	}
	return strconv.Quote(s)
}
