package mapping

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/file"

	"leadload/converter"
)

// value is what a step came to.
type value struct {
	text    string
	present bool // goes into the body
	ok      bool // no problem was found
	// unlisted: the default stands in for a word that values does not list.
	unlisted bool
}

// step makes the value of one field.
func (r *Runner) step(s *step) value {
	f := s.f
	if s.fixed {
		return value{text: f.value, present: s.constant != "", ok: true}
	}
	var cell *converter.Cell
	if s.col >= 0 { // the most frequent way, without a detour
		c, err := r.cell(s.col)
		if err != nil {
			r.problem(s.column, s.name, err)
			return value{}
		}
		cell, r.computed = c, false
	} else {
		var made converter.Cell
		c, ok := r.source(s, &made)
		if !ok {
			return value{}
		}
		cell = c
	}
	if isEmpty(cell) {
		return r.emptyValue(s)
	}
	v := r.convert(s, cell)
	if v.unlisted && !r.again {
		r.seen.word(s.id, cell.Text, 1)
	}
	return v
}

// source returns the cell that a step converts, cleaned; made holds it where
// the row does not. ok is false when there is none, which has been told.
func (r *Runner) source(s *step, made *converter.Cell) (cell *converter.Cell, ok bool) {
	r.computed = false
	var err error
	switch {
	case s.col >= 0:
		cell, err = r.cell(s.col)
	case s.expr != nil:
		out, ok := r.evaluate(s.expr, s.name)
		if !ok {
			return nil, false
		}
		text, fault := resultText(out)
		if fault != nil {
			r.fault(s.column, s.name, "expr.failed", "change the expression so that it holds for such a row too", "%v", fault)
			return nil, false
		}
		_, isText := out.(string)
		r.computed = !isText
		*made, err = converter.Clean(converter.Cell{Kind: converter.TextCell, Text: text})
		cell = made
	default:
		*made, err = r.joined(s)
		cell = made
	}
	if err != nil {
		r.problem(s.column, s.name, err)
		return nil, false
	}
	return cell, true
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
// as plain text it stays what it is, unless it is a short word for nothing.
func letterFirst(s string) bool {
	c := s[0] | 0x20
	return 'a' <= c && c <= 'z'
}

func (r *Runner) convert(s *step, cell *converter.Cell) value {
	if cell.Kind == converter.TextCell {
		if s.asIs && letterFirst(cell.Text) {
			if len(cell.Text) <= converter.LongestNothing && !r.again {
				r.seen.fields[s.id].Word(cell.Text)
			}
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
	if r.judging && s.unseen {
		if err := f.conv.CheckSeen(*cell, loc, r.evidence(s)); err != nil {
			r.problem(s.column, s.name, err)
			return value{}
		}
		return value{ok: true}
	}
	text, err := f.conv.ConvertSeen(*cell, loc, r.evidence(s))
	if err != nil {
		p := asProblem(err)
		unlisted := p.Code == unlistedCode && len(f.spec.Values) > 0
		word, own := "", false
		if unlisted && f.status {
			word, own = status(cell.Text)
		}
		switch {
		case own:
			text = word // the account's own three words need no list
		case unlisted && f.hasDef:
			return value{text: f.def, present: true, ok: true, unlisted: true}
		default:
			r.problem(s.column, s.name, p)
			return value{}
		}
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
