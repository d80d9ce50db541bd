package mapping

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"leadload/converter"
)

// jsonKind is how a value is written in the body.
type jsonKind uint8

const (
	jsonText jsonKind = iota
	jsonNumber
	jsonBool
)

// field is one field of the mapping, checked, with its conversion compiled.
type field struct {
	group *group
	name  string // schema name, as it is sent
	key   *node  // where the name stands
	known *key   // what is known of it; nil for a field of the account's own
	settings

	column    *node
	join      []*node
	separator string
	expr      *expression
	value     string // the value of all rows, when hasValue
	hasValue  bool

	typeName   string
	spec       converter.Spec
	conv       *converter.Converter
	zoneColumn *node
	zoneName   string
	hasZone    bool // a zone stands by for an empty cell of zoneColumn

	def      string // converted
	hasDef   bool
	required bool // asked for by the mapping
	needed   bool // asked for by the API
	empty    string
	search   bool // it names the lead
	kept     bool // on_change: ignore
	status   bool // Open, Won or Lost
	json     jsonKind
}

func (f *field) constant() bool { return f.hasValue }

// label names the field for a message.
func (f *field) label() string {
	if f.group == inLeadRule {
		return inLeadRule.label
	}
	return f.group.label + "." + f.name
}

// setting gives the place of a setting, or else of the field.
func (f *field) setting(name string) *node {
	if n := f.keys[name]; n != nil {
		return n
	}
	return f.key
}

// columns lists the columns that the field names outright; those of an
// expression are known once it is compiled.
func (f *field) columns() []*node {
	var out []*node
	if f.column != nil {
		out = append(out, f.column)
	}
	out = append(out, f.join...)
	if f.zoneColumn != nil {
		out = append(out, f.zoneColumn)
	}
	return out
}

// ownType returns the type of a field whose meaning is known, and the types
// that it may have; none means all.
func (k *key) ownType() (typ string, types []string) {
	if k == nil || k.typ == "" && k.types == nil {
		return "text", nil
	}
	return orElse(k.typ, "text"), k.types
}

// field reads one field: a column's name, or settings. It gives nil when
// there is nothing to go on with.
func (p *parsing) field(where *group, at, v *node) *field {
	f := &field{group: where, name: at.text, key: at, separator: " "}
	if isProspectID(f.name) && where == inLead {
		f.name = "ProspectID"
	}
	f.known = where.field(f.name)
	f.status = f.known != nil && f.known.status
	if f.known != nil && f.known.number {
		f.json = jsonNumber
	}
	label := f.label()
	switch v.kind {
	case nullNode:
		if !v.told {
			p.at(v, "mapping.empty", "name a column, write {value: …}, or leave the field out", "%q has no value", at.text)
		}
		return nil
	case listNode:
		p.at(v, "mapping.shape", "to put columns together, write {join: [First, Second]}", "%q must be a column or settings, not a list", at.text)
		return nil
	case scalarNode:
		if strings.TrimSpace(v.text) == "" {
			p.at(v, "mapping.empty", "name a column, write {value: …}, or leave the field out", "%q is empty", at.text)
			return nil
		}
		if v.text == fillIn {
			p.at(v, "mapping.fill-in", "name a column, write {value: …}, or leave the field out", "%q is still to be filled in", at.text)
			return nil
		}
		f.settings = settings{at: v, values: map[string]*node{"column": v}, keys: map[string]*node{}}
	default:
		f.settings = p.group(v, label, fieldKeys, nil)
	}
	before := len(p.found)
	p.origin(f, v)
	p.conversion(f)
	if len(p.found) == before {
		p.constants(f)
	}
	return f
}

// origin reads where the value comes from.
func (p *parsing) origin(f *field, v *node) {
	var given []string
	for _, name := range []string{"column", "value", "expr", "join"} {
		if f.has(name) || f.written(name) {
			given = append(given, name)
		}
	}
	switch {
	case len(given) == 0 && f.meant("column", "value", "expr", "join"):
	case len(given) == 0:
		hint := "add column: …, value: …, expr: … or join: […]"
		p.at(f.key, "mapping.missing", hint, "%s does not say where its value comes from", f.label())
	case len(given) > 1:
		p.at(f.setting(given[1]), "mapping.combination", "keep one of them", "%s takes its value from %s and %s; one is possible", f.label(), given[0], given[1])
	}
	f.column = f.values["column"]
	f.join = items(f.values["join"])
	if f.has("separator") {
		f.separator = f.text("separator")
	}
	if len(f.join) == 0 && !f.written("join") {
		p.only(f, "separator", "join")
	}
	if n := f.values["expr"]; n != nil {
		f.expr = p.expression(n)
	}
	if f.has("value") {
		f.hasValue = true
		for _, name := range []string{"values", "default", "required"} {
			if f.written(name) {
				p.at(f.setting(name), "mapping.combination", "leave it out", "%q has no meaning beside value, which is the same for all rows", name)
			}
		}
	}
	f.required = f.isTrue("required")
	f.kept = f.text("on_change") == "ignore"
	f.empty = f.text("empty")
	switch {
	case f.required && (f.empty == "omit" || f.empty == "send"):
		p.at(f.setting("empty"), "mapping.combination", "keep one of the two", "required and empty: %s contradict each other", f.empty)
	case f.empty != "" && f.has("default"):
		p.at(f.setting("empty"), "mapping.combination", "keep one of the two", "default fills every empty cell, so that empty: %s never applies", f.empty)
	case f.empty == "send" && f.json == jsonNumber:
		p.at(f.setting("empty"), "mapping.combination", "leave empty out", "%s is a number and cannot be sent empty", f.label())
	case f.empty == "send" && f.group == inFields && f.name == "Owner":
		p.at(f.setting("empty"), "mapping.combination", "leave empty out", "an empty Owner can break the account's automations; it is always left out")
	case f.empty == "send" && f.status:
		p.at(f.setting("empty"), "mapping.combination", "leave empty out", "%s takes Open, Won or Lost and cannot be sent empty", f.label())
	}
	if n := f.values["value"]; n != nil && strings.TrimSpace(n.text) == "" && f.empty != "send" {
		p.at(n, "mapping.empty", "leave the field out, or add empty: send", "the value of %s is empty", f.label())
	}
}

// only tells of a setting that has no meaning without another.
func (p *parsing) only(f *field, name, with string) {
	if f.written(name) {
		p.at(f.setting(name), "mapping.combination", fmt.Sprintf("add %s, or leave %s out", with, name), "%q has no meaning without %s", name, with)
	}
}

// conversion compiles the type and what goes with it.
func (p *parsing) conversion(f *field) {
	own, fixed := f.known.ownType()
	f.typeName = own
	if f.has("type") {
		f.typeName = f.text("type")
		if fixed != nil && !slices.Contains(fixed, f.typeName) {
			p.at(f.values["type"], "mapping.type", "leave type out, or write type: "+fixed[0], "%s cannot be of type %s", f.label(), f.typeName)
			f.typeName = own
		}
	}
	if f.written("type") && !f.has("type") {
		return // which settings fit cannot be said
	}
	typ := converter.Type(max(0, slices.Index(typeNames, f.typeName)))
	f.spec = converter.Spec{Type: typ, Case: f.text("case"), MaxLength: f.number("max_length"), Truncate: f.isTrue("truncate")}
	ok := true
	fits := func(name string, types ...converter.Type) {
		if f.written(name) && !slices.Contains(types, typ) {
			words := make([]string, len(types))
			for i, t := range types {
				words[i] = typeNames[t]
			}
			p.at(f.setting(name), "mapping.combination", fmt.Sprintf("leave %s out, or set type: %s", name, words[0]),
				"%q is for %s, not for %s", name, strings.Join(words, " and "), f.typeName)
			ok = false
		}
	}
	fits("format", converter.DateTime, converter.Date)
	fits("timezone", converter.DateTime)
	fits("dst", converter.DateTime)
	fits("region", converter.Phone)
	fits("decimal", converter.Number, converter.Integer)
	fits("percent", converter.Number, converter.Integer)
	fits("words", converter.Number, converter.Integer)
	fits("values", converter.Text)
	fits("truncate", converter.Text)
	if f.text("case") != "lower" || typ != converter.Email {
		fits("case", converter.Text)
	}
	if f.written("truncate") && !f.written("max_length") {
		p.at(f.setting("truncate"), "mapping.combination", "add max_length: the number of characters", "truncate needs max_length")
		ok = false
	}
	if f.has("max_length") && f.number("max_length") == 0 {
		p.at(f.values["max_length"], "mapping.range", "", "max_length must be at least 1")
		ok = false
	}
	switch typ {
	case converter.DateTime:
		ok = p.zone(f) && ok
		ok = p.formats(f) && ok
	case converter.Date:
		ok = p.formats(f) && ok
	case converter.Phone:
		f.spec.Region = f.text("region")
	case converter.Number, converter.Integer:
		f.spec.Decimal = p.decimal
		if f.has("decimal") {
			f.spec.Decimal = f.text("decimal")[0]
		}
		f.spec.Percent = map[string]converter.Percent{"fraction": converter.PercentFraction, "points": converter.PercentPoints}[f.text("percent")]
		f.spec.Words = f.isTrue("words")
	case converter.Text:
		ok = p.options(f) && ok
		f.spec.Identifies = p.isKeyColumn(f.column)
	}
	if !ok {
		return
	}
	conv, err := converter.New(f.spec)
	if err != nil {
		at := f.key
		for _, name := range []string{"region", "values", "format", "case", "max_length", "type"} {
			if n := f.values[name]; n != nil {
				at = n
				break
			}
		}
		p.at(at, "mapping.setting", "", "%s: %v", f.label(), err)
		return
	}
	f.conv = conv
}

func (p *parsing) isKeyColumn(n *node) bool {
	return n != nil && slices.Contains(p.m.Key, strings.TrimSpace(n.text))
}

// zone reads the zone of a datetime field: its own, a column's, the mapping's.
func (p *parsing) zone(f *field) bool {
	loc := p.m.zone
	f.zoneName = p.m.Timezone
	f.hasZone = loc != nil
	switch n := f.values["timezone"]; {
	case n == nil && f.written("timezone"):
		return false
	case n == nil:
	case n.kind == mapNode:
		s := p.group(n, "timezone", []key{{name: "column", shape: shapeColumn}}, nil)
		f.zoneColumn = s.values["column"]
		if f.zoneColumn == nil {
			if !s.written("column") {
				p.at(n, "mapping.missing", "write timezone: {column: …}", "timezone does not name its column")
			}
			return false
		}
		if loc == nil {
			loc = time.UTC // stands in; a row without a zone of its own is refused
		}
	default:
		own, ok := p.location(n)
		if !ok {
			return false
		}
		loc, f.zoneName, f.hasZone = own, n.text, true
	}
	if loc == nil {
		if p.m.text != "" && p.zoneGiven() {
			return false // the mapping's zone is faulty, which has been told
		}
		p.at(f.key, "mapping.missing", "add timezone: Asia/Kolkata (the zone of the file's timestamps) at the top of the mapping", "%s is a datetime and no time zone is known", f.label())
		return false
	}
	f.spec.Location = loc
	f.spec.DST = map[string]converter.DST{"earlier": converter.Earlier, "later": converter.Later}[f.text("dst")]
	return true
}

func (p *parsing) zoneGiven() bool {
	for _, q := range p.found {
		if q.Code == "mapping.timezone" {
			return true
		}
	}
	return false
}

// maxFormats bounds the patterns of a field: each is held against every other.
const maxFormats = 24

// formats checks each pattern by itself, so that the faulty one can be shown.
func (p *parsing) formats(f *field) bool {
	n := f.values["format"]
	if n == nil {
		return !f.written("format")
	}
	ok := true
	if list := items(n); len(list) > maxFormats {
		p.at(list[maxFormats], "mapping.range", "keep those that the file has", "%q lists %d patterns; at most %d are tried", "format", len(list), maxFormats)
		return false
	}
	for _, item := range items(n) {
		_, err := converter.New(converter.Spec{Type: f.spec.Type, Formats: []string{item.text}, Location: time.UTC})
		if err != nil {
			p.at(item, "mapping.format", "", "%v", err)
			ok = false
			continue
		}
		f.spec.Formats = append(f.spec.Formats, item.text)
	}
	return ok
}

// options reads values and, for Status, checks what they give.
func (p *parsing) options(f *field) bool {
	n := f.values["values"]
	if n == nil {
		return !f.written("values")
	}
	ok := true
	for _, e := range n.entries {
		to := e.value.text
		if f.status {
			word, known := status(to)
			if !known {
				p.at(e.value, "mapping.status", "write Open, Won or Lost; the stage goes into a custom field", "Status cannot be %q", to)
				ok = false
				continue
			}
			to = word
		}
		f.spec.Values = append(f.spec.Values, converter.Option{From: e.key.text, To: to})
	}
	return ok
}

// constants converts value and default, which no row can change.
func (p *parsing) constants(f *field) {
	if f.conv == nil {
		return
	}
	for _, name := range []string{"value", "default"} {
		n := f.values[name]
		if n == nil {
			continue
		}
		if name == "default" && f.zoneColumn != nil && !f.hasZone {
			p.at(n, "mapping.combination", "add timezone: at the top of the mapping", "a default needs a zone that does not come from a column")
			continue
		}
		v, err := p.convertText(f, n.text)
		if err != nil {
			hint := err.Hint
			p.at(n, "mapping.constant", hint, "%s of %s: %s", name, f.label(), err.Msg)
			continue
		}
		if f.status && v != "" {
			word, known := status(v)
			if !known {
				p.at(n, "mapping.status", "write Open, Won or Lost; the stage goes into a custom field", "Status cannot be %q", n.text)
				continue
			}
			v = word
		}
		if name == "value" {
			f.value = v
		} else {
			f.def, f.hasDef = v, true
		}
	}
}

// convertText converts a text of the mapping itself: it is the account's word
// already, so that values do not apply to it.
func (p *parsing) convertText(f *field, text string) (string, *converter.Problem) {
	spec := f.spec
	spec.Values = nil
	conv, err := converter.New(spec)
	if err != nil {
		return "", &converter.Problem{Msg: err.Error()}
	}
	cell, err := converter.Clean(converter.Cell{Kind: converter.TextCell, Text: text})
	if err == nil {
		if cell.Kind == converter.EmptyCell {
			return "", nil
		}
		text, err = conv.Convert(cell, nil)
	}
	if err != nil {
		return "", asProblem(err)
	}
	return text, nil
}

// status gives the account's spelling of a status.
func status(s string) (string, bool) {
	for _, name := range statusNames {
		if strings.EqualFold(strings.TrimSpace(s), name) {
			return name, true
		}
	}
	return s, false
}
