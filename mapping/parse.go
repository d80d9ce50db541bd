package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadload/converter"
	"leadload/internal/fault"
)

// parsing turns the tree of a YAML file into a Mapping.
type parsing struct {
	*collector
	m       *Mapping
	decimal byte
}

// settings is a group of keys whose names and shapes have been checked.
type settings struct {
	at      *node
	values  map[string]*node
	keys    map[string]*node // where each name stands
	unknown []string         // names that the table does not have
}

// meant reports that an unknown key was probably meant to be name, so that
// its absence need not be told as well.
func (s settings) meant(names ...string) bool {
	for _, u := range s.unknown {
		if fault.Nearest(u, names) != "" {
			return true
		}
	}
	return false
}

func (s settings) has(name string) bool { return s.values[name] != nil }

// written reports whether the key is in the file, even if its value is invalid.
func (s settings) written(name string) bool { return s.keys[name] != nil }

func (s settings) text(name string) string {
	if n := s.values[name]; n != nil {
		return n.text
	}
	return ""
}

func (s settings) isTrue(name string) bool { return strings.EqualFold(s.text(name), "true") }

func (s settings) number(name string) int {
	n, _ := strconv.Atoi(s.text(name)) // its shape has been checked
	return n
}

// group reads a group of keys by its table. Whatever is wrong with a key's
// name or shape is told, and the key is left out.
func (p *parsing) group(n *node, what string, table []key, fits func(*key) bool) settings {
	s := settings{at: n, values: map[string]*node{}, keys: map[string]*node{}}
	if n.kind != mapNode {
		if !n.told {
			p.at(n, "mapping.shape", "write its keys below it, indented", "%s must be a group of keys, not %s", what, n.describe())
		}
		return s
	}
	valid := names(table, fits)
	for _, e := range n.entries {
		k := findKey(table, e.key.text)
		if k == nil {
			p.unknownKey(e.key, what, table, valid)
			s.unknown = append(s.unknown, e.key.text)
			continue
		}
		s.keys[e.key.text] = e.key
		if fits != nil && !fits(k) {
			p.at(e.key, "mapping.target", k.instead, "%q does not go with target %s", k.name, p.m.Target)
			continue
		}
		if p.shaped(k, e.key, e.value) {
			s.values[e.key.text] = e.value
		}
	}
	return s
}

func (p *parsing) unknownKey(at *node, what string, table []key, valid []string) {
	hint := didYouMean(at.text, valid)
	switch {
	case strings.HasPrefix(at.text, "mx_Custom_") && customNumber(at.text) > 0 && what == "SalesActivity":
		hint = "mx_Custom_1 to mx_Custom_4 are product, order value, date and owner: use ProductSku, Revenue, SalesDate and SalesOwnerEmail"
	case what == "Opportunity" && isSchemaName(at.text) && (strings.HasPrefix(at.text, "mx_") || at.text == "Status" || at.text == "Owner"):
		hint = fmt.Sprintf("the opportunity's fields go below Opportunity.Fields: move %s there", at.text)
	case what == "the mapping" && below(table, at.text) != "":
		hint = fmt.Sprintf("%s goes below %s, indented", at.text, below(table, at.text))
	case isFieldPlace(what) && what != "lead" && strings.HasPrefix(at.text, "time") && strings.Contains(at.text, "column"):
		hint = "write timezone: {column: …}"
	}
	p.at(at, "mapping.unknown-key", hint, "unknown key %q in %s", at.text, what)
}

// below names the group of a target, among the keys of the top, that has the key.
func below(table []key, name string) string {
	for _, k := range table {
		if k.intro != "" && findKey(k.keys, name) != nil {
			return k.name
		}
	}
	return ""
}

func isFieldPlace(what string) bool {
	return what == "lead" || strings.Contains(what, ".")
}

// shaped checks a value against its key's shape.
func (p *parsing) shaped(k *key, at, v *node) bool {
	if v.kind == nullNode {
		if !v.told {
			p.at(v, "mapping.empty", "give it a value, or leave the key out", "%q has no value", at.text)
		}
		return false
	}
	if v.kind == scalarNode && v.text == fillIn {
		p.at(v, "mapping.fill-in", orElse(k.doc, "name a column"), "%q is still to be filled in", at.text)
		return false
	}
	wrong := func(want, hint string) bool {
		p.at(v, "mapping.shape", hint, "%q must be %s, not %s", at.text, want, v.describe())
		return false
	}
	switch k.shape {
	case shapeText, shapeExpr, shapeColumn:
		if v.kind != scalarNode {
			hint := ""
			if k.name == "column" && v.kind == listNode {
				hint = "to put columns together, write join: [First, Second]"
			}
			return wrong("a text", hint)
		}
		if strings.TrimSpace(v.text) == "" && !emptyAllowed(k.name) {
			p.at(v, "mapping.empty", "give it a value, or leave the key out", "%q is empty", at.text)
			return false
		}
	case shapeBool:
		if v.kind != scalarNode || !strings.EqualFold(v.text, "true") && !strings.EqualFold(v.text, "false") {
			return wrong("true or false", "")
		}
	case shapeInt:
		if v.kind != scalarNode {
			return wrong("a whole number", "")
		}
		if n, err := strconv.Atoi(v.text); err != nil || n < 0 || n > 1_000_000_000 || v.text[0] == '+' {
			return wrong("a whole number", "")
		}
	case shapeEnum:
		if v.kind != scalarNode {
			return wrong("one of "+strings.Join(k.enum, ", "), "")
		}
		if !slices.Contains(k.enum, v.text) {
			p.at(v, "mapping.choice", didYouMean(v.text, k.enum), "%q cannot be %q", at.text, v.text)
			return false
		}
	case shapeTexts, shapeColumns:
		return p.texts(at, v)
	case shapePairs:
		return p.pairs(at, v)
	case shapeZone:
		if v.kind == listNode {
			return wrong("a zone, or {column: …}", "")
		}
	case shapeSettings, shapeFields:
		if v.kind != mapNode {
			return wrong("a group of keys", "write its keys below it, indented")
		}
	}
	return true
}

// emptyAllowed reports the keys whose text may be empty.
func emptyAllowed(name string) bool {
	return name == "value" || name == "separator" || name == "delimiter"
}

func (p *parsing) texts(at, v *node) bool {
	list := items(v)
	if v.kind == mapNode {
		p.at(v, "mapping.shape", "", "%q must be a text or a list of texts, not %s", at.text, v.describe())
		return false
	}
	if len(list) == 0 {
		p.at(v, "mapping.empty", "give it a value, or leave the key out", "%q is an empty list", at.text)
		return false
	}
	ok := true
	seen := map[string]bool{}
	for _, item := range list {
		switch {
		case item.told:
			ok = false
		case item.kind != scalarNode:
			p.at(item, "mapping.shape", "", "each entry of %q must be a text, not %s", at.text, item.describe())
			ok = false
		case strings.TrimSpace(item.text) == "":
			p.at(item, "mapping.empty", "", "an entry of %q is empty", at.text)
			ok = false
		case seen[item.text]:
			p.at(item, "mapping.repeated", "keep one of the two", "%q lists %q twice", at.text, item.text)
			ok = false
		}
		seen[item.text] = true
	}
	return ok
}

// items gives a list's entries, or the one that stands in its place.
func items(v *node) []*node {
	if v == nil {
		return nil
	}
	if v.kind == listNode {
		return v.items
	}
	return []*node{v}
}

func (p *parsing) pairs(at, v *node) bool {
	if v.kind != mapNode {
		p.at(v, "mapping.shape", "write {from: to, from: to}", "%q must be pairs of texts, not %s", at.text, v.describe())
		return false
	}
	if len(v.entries) == 0 {
		p.at(v, "mapping.empty", "give it a value, or leave the key out", "%q is empty", at.text)
		return false
	}
	ok := true
	for _, e := range v.entries {
		if e.value.kind != scalarNode {
			if !e.value.told {
				p.at(e.value, "mapping.shape", "", "%q of %q must be a text, not %s", e.key.text, at.text, e.value.describe())
			}
			ok = false
		} else if strings.TrimSpace(e.value.text) == "" {
			p.at(e.value, "mapping.empty", "", "%q of %q is empty", e.key.text, at.text)
			ok = false
		}
	}
	return ok
}

// mapping reads the whole file.
func (p *parsing) mapping(root *node) {
	if root.kind != mapNode {
		p.at(root, "mapping.shape", "begin with version: 1 and target: opportunity", "a mapping is a group of keys, not %s", root.describe())
		return
	}
	p.version(root)
	var fits func(*key) bool // all keys, where the target is not known
	known := p.target(root)
	if known {
		fits = p.m.spec.has
	}
	top := p.group(root, "the mapping", topKeys, fits)
	m := p.m

	if n := top.values["timezone"]; n != nil {
		if loc, ok := p.location(n); ok {
			m.Timezone, m.zone = n.text, loc
		}
	}
	if n := top.values["input"]; n != nil {
		p.input(n)
	}
	m.keyNodes = items(top.values["key"])
	for _, n := range m.keyNodes {
		m.Key = append(m.Key, strings.TrimSpace(n.text))
	}
	m.Set = strings.TrimSpace(top.text("set"))
	m.Updates = top.text("on_change") == "update"
	m.ignore = items(top.values["ignore"])
	if n := top.values["skip_when"]; n != nil {
		m.skipWhen = p.expression(n)
	}
	if !known {
		return
	}
	m.spec.parse(p, top)
	p.ignoredButUsed()
}

func (p *parsing) version(root *node) {
	v := root.get("version")
	switch {
	case v == nil:
		p.at(root, "mapping.version", "add version: 1 as the first line", "the mapping does not say its version")
	case v.kind == scalarNode && v.text != "1":
		p.at(v, "mapping.version", "set version: 1", "version %q is not known; this leadload reads version 1", v.text)
	}
}

// target reads the target; known is false when the rest of the file cannot be
// judged.
func (p *parsing) target(root *node) (known bool) {
	t := root.get("target")
	switch {
	case t == nil:
		p.at(root, "mapping.target", "add target: "+TargetWords(), "the mapping does not say its target")
		return false
	case t.kind != scalarNode || !slices.Contains(targetNames, t.text):
		return false // its shape is told with the other keys
	}
	p.m.Target = Target(t.text)
	p.m.spec = specOf(p.m.Target)
	return true
}

// location reads the name of a zone.
func (p *parsing) location(n *node) (*time.Location, bool) {
	loc, err := converter.LoadZone(strings.TrimSpace(n.text))
	if err == nil {
		return loc, true
	}
	p.at(n, "mapping.timezone", "", "%v", err)
	return nil, false
}

func (p *parsing) input(n *node) {
	s := p.group(n, "input", inputKeys, nil)
	in := &p.m.Input
	in.Sheet = s.text("sheet")
	in.Encoding = s.text("encoding")
	in.Decimal = s.text("decimal")
	in.Delimiter = s.text("delimiter")
	if in.Delimiter == "tab" {
		in.Delimiter = "\t"
	}
	if s.has("header_row") {
		in.HeaderRow = s.number("header_row")
		if in.HeaderRow < 1 || in.HeaderRow > 1_048_576 {
			p.at(s.values["header_row"], "mapping.range", "the first row of a file is 1", "%q must be from 1 to 1048576", "header_row")
		}
	}
	if in.Decimal != "" {
		p.decimal = in.Decimal[0]
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// mustHave makes a field needed in every row.
func (p *parsing) mustHave(f *field, why string) {
	if f.empty != "" && f.empty != "reject" {
		p.at(f.setting("empty"), "mapping.combination", "leave empty out", "%s cannot be empty: %s", f.label(), why)
	}
	if f.written("required") && f.has("required") && !f.required {
		p.at(f.setting("required"), "mapping.combination", "leave required out", "%s cannot be optional: %s", f.label(), why)
	}
	f.needed = true
}

func (p *parsing) add(f *field) {
	if f != nil {
		p.m.fields = append(p.m.fields, f)
	}
}

// ignoredButUsed tells of columns that are both ignored and mapped.
func (p *parsing) ignoredButUsed() {
	used := map[string]string{}
	for _, n := range p.m.keyNodes {
		used[strings.TrimSpace(n.text)] = "key"
	}
	for _, f := range p.m.allFields() {
		for _, n := range f.columns() {
			used[strings.TrimSpace(n.text)] = f.label()
		}
	}
	for _, n := range p.m.ignore {
		if by, both := used[strings.TrimSpace(n.text)]; both {
			p.at(n, "mapping.combination", "take it out of ignore", "column %q is ignored and yet used by %s", n.text, by)
		}
	}
}

// allFields are the body's fields and the one by which a lead is found.
func (m *Mapping) allFields() []*field {
	if m.leadRule == nil {
		return m.fields
	}
	return append(slices.Clip(m.fields), m.leadRule)
}
