package account

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"leadload/converter"
	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/target"
	"leadload/mapping"
)

// Online holds a mapping and its rows against the account's metadata. It
// serves one goroutine.
type Online struct {
	rules     map[string]*onlineRule // by the name in Record.Fields
	mandatory []*onlineRule
	skus      map[string]bool
	skuNames  []string
	nearSKU   map[string]string
	warnings  []string
}

// onlineRule is what the account asks of one field of the request body.
type onlineRule struct {
	info  mapping.FieldInfo
	field leadsquared.Field
	kind  valueKind
	sku   bool
	n     int // the row in which it was last seen filled in
}

// valueKind is how a value of the account's data type is checked.
type valueKind uint8

const (
	anyValue valueKind = iota
	numberValue
	dateValue
	boolValue
	optionValue
	optionsValue // several, separated by semicolons
	userValue
)

// kindOf reads the account's word for a data type. Words that are not known
// are not checked: the account has the last word.
func kindOf(f leadsquared.Field) valueKind {
	t := strings.ToLower(strings.ReplaceAll(f.DataType, " ", ""))
	switch {
	case strings.Contains(t, "others"): // a dropdown that takes other words too
		return anyValue
	case strings.HasPrefix(t, "multiselect"):
		if len(f.Options) > 0 {
			return optionsValue
		}
	case strings.Contains(t, "dropdown"), strings.HasPrefix(t, "select"):
		// An empty OptionSet is usual even for dropdowns (field report): nothing to check.
		if len(f.Options) > 0 {
			return optionValue
		}
	case t == "number", t == "integer", t == "decimal":
		return numberValue
	case t == "date", t == "datetime":
		return dateValue
	case t == "boolean":
		return boolValue
	case t == "activeusers":
		return userValue
	}
	return anyValue
}

// NewOnline compares a mapping with the account's metadata. The error is
// mapping.Problems: unknown schema names, read-only fields, mandatory fields
// that are not mapped, and constants that the account would not take.
func NewOnline(m *mapping.Mapping, md *Metadata) (*Online, error) {
	o := &Online{rules: map[string]*onlineRule{}, nearSKU: map[string]string{}}
	var probs mapping.Problems
	told := map[string]bool{}
	add := func(name, code, hint, format string, args ...any) {
		msg := fmt.Sprintf(format, args...)
		if told[name+"\x1f"+msg] {
			return
		}
		told[name+"\x1f"+msg] = true
		probs = append(probs, m.Problem(name, code, msg, hint))
	}
	byKind := map[mapping.FieldKind]map[string]leadsquared.Field{
		mapping.LeadField: index(md.Lead), mapping.OpportunityField: index(md.Opportunity), mapping.ActivityField: index(md.Activity),
	}
	mapped := map[mapping.FieldKind]map[string]bool{mapping.LeadField: {}, mapping.OpportunityField: {}, mapping.ActivityField: {}}
	for _, info := range m.Fields() {
		r := &onlineRule{info: info, sku: info.Kind == mapping.ActivityField && info.Schema == "ProductSku"}
		known := byKind[info.Kind]
		mapped[info.Kind][info.Schema] = true
		if !info.Member && len(known) > 0 {
			f, ok := known[info.Schema]
			if !ok {
				if names := schemaNames(known); !always(info) {
					hint := "see the account's field list under Settings"
					if n := fault.Nearest(info.Schema, names); n != "" {
						hint = fmt.Sprintf("did you mean %s (%s)?", n, known[n].DisplayName)
					}
					add(info.Name, "online.field", hint, "the account has no %s field %q", info.Kind, info.Schema)
				}
				continue
			}
			if f.ReadOnly && !strings.EqualFold(info.Schema, "ProspectID") {
				add(info.Name, "online.read-only", "take it out of the mapping", "the account does not let %s (%s) be written", info.Schema, f.DisplayName)
				continue
			}
			r.field, r.kind = f, kindOf(f)
			if f.Mandatory && info.HasConstant && info.Constant == "" {
				add(info.Name, "online.mandatory", "give it a value", "the account asks for %s (%s), and its value here is empty", info.Schema, f.DisplayName)
				continue
			}
			o.fixed(r, add)
		}
		o.rules[info.Name] = r
		if r.field.Mandatory && !leadKnown(m, info.Kind) {
			o.mandatory = append(o.mandatory, r)
		}
	}
	// The account lists the members of a sales activity among its fields. The
	// vendor's page asks for none of them, whatever the settings say.
	members := map[string]bool{}
	for _, s := range m.Target.Stored() {
		members[s.Schema] = true
	}
	for kind, list := range map[mapping.FieldKind][]leadsquared.Field{mapping.LeadField: md.Lead, mapping.OpportunityField: md.Opportunity, mapping.ActivityField: md.Activity} {
		for _, f := range list {
			if f.Mandatory && !f.ReadOnly && !mapped[kind][f.SchemaName] && !members[f.SchemaName] && !leadKnown(m, kind) {
				add("", "online.mandatory", fmt.Sprintf("map it: %s: COLUMN", f.SchemaName), "the account asks for the %s field %s (%s), which is not mapped", kind, f.SchemaName, f.DisplayName)
			}
		}
	}
	if md.HasProducts {
		o.products(md.Products, m, add)
	}
	if m.TypeVaries() {
		o.warnings = append(o.warnings, "the opportunity type comes from a column, so the fields of opportunities are not checked")
	}
	if len(probs) > 0 {
		slices.SortStableFunc(probs, func(a, b mapping.Problem) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			if a.Column != b.Column {
				return a.Column - b.Column
			}
			return strings.Compare(a.Msg, b.Msg)
		})
		return nil, probs
	}
	return o, nil
}

// leadKnown reports that rows never make a lead, so that its mandatory fields
// are filled in already.
func leadKnown(m *mapping.Mapping, kind mapping.FieldKind) bool {
	return kind == mapping.LeadField && (m.LeadMustExist || m.SearchBy == "ProspectId" || !target.For(m.Target).MakesLead())
}

// always reports fields that every account takes, listed or not.
func always(info mapping.FieldInfo) bool {
	switch info.Kind {
	case mapping.OpportunityField:
		return info.Schema == "Status" || info.Schema == "Owner"
	case mapping.LeadField:
		return slices.Contains([]string{"ProspectID", "EmailAddress", "Phone", "Mobile", "FirstName", "LastName"}, info.Schema)
	}
	return false
}

func index(list []leadsquared.Field) map[string]leadsquared.Field {
	out := make(map[string]leadsquared.Field, len(list))
	for _, f := range list {
		out[f.SchemaName] = f
	}
	return out
}

func schemaNames(known map[string]leadsquared.Field) []string {
	out := make([]string, 0, len(known))
	for n := range known {
		out = append(out, n)
	}
	slices.Sort(out) // so that the nearest of several is always the same
	return out
}

// fixed checks what a field can be whatever the row says.
func (o *Online) fixed(r *onlineRule, add func(name, code, hint, format string, args ...any)) {
	for _, v := range r.info.Outcomes {
		if p, bad := r.check(v); bad {
			add(r.info.Name, p.Code, p.Hint, "%s", p.Msg)
		}
	}
}

func (o *Online) products(list []leadsquared.Product, m *mapping.Mapping, add func(name, code, hint, format string, args ...any)) {
	if len(list) == 0 {
		o.warnings = append(o.warnings, "the account lists no products, so ProductSku is not checked")
		return
	}
	o.skus = make(map[string]bool, len(list))
	for _, p := range list {
		if p.Sku != "" {
			o.skus[p.Sku] = true
			o.skuNames = append(o.skuNames, p.Sku)
		}
	}
	for name, r := range o.rules {
		if !r.sku {
			continue
		}
		for _, v := range r.info.Outcomes {
			if p, bad := o.sku(v); bad {
				add(name, p.Code, p.Hint, "%s", p.Msg)
			}
		}
	}
}

// Warnings are what could not be checked.
func (o *Online) Warnings() []string { return o.warnings }

// Row adds what the account would not take of a row to its problems. n is a
// number of the row that no other row has, from 1 on.
func (o *Online) Row(n int, rec *mapping.Record) {
	for _, f := range rec.Fields {
		r := o.rules[f.Name]
		if r == nil {
			continue
		}
		if strings.TrimSpace(f.Value) == "" {
			continue
		}
		r.n = n
		p, bad := r.check(f.Value)
		if !bad && r.sku && o.skus != nil {
			p, bad = o.sku(f.Value)
		}
		if bad {
			p.Field, p.Column = f.Name, columnOf(r.info)
			rec.Problems = append(rec.Problems, p)
		}
	}
	for _, r := range o.mandatory {
		if r.n == n || told(rec.Problems, r.info) {
			continue
		}
		rec.Problems = append(rec.Problems, mapping.RowProblem{
			Column: columnOf(r.info), Field: r.info.Name, Code: "online.mandatory",
			Msg: fmt.Sprintf("the account asks for %s (%s), and this row has none", r.info.Schema, r.field.DisplayName), Hint: "fill it in, or give the field a default in the mapping",
		})
	}
	if len(rec.Problems) > 0 {
		rec.Body = rec.Body[:0]
	}
}

// told reports whether a fault of the row explains already why a field is empty.
func told(probs []mapping.RowProblem, info mapping.FieldInfo) bool {
	for _, p := range probs {
		if p.Field == info.Name || slices.Contains(info.Columns, p.Column) {
			return true
		}
	}
	return false
}

func columnOf(info mapping.FieldInfo) string { return strings.Join(info.Columns, " + ") }

// check holds one value against the field's metadata.
func (r *onlineRule) check(v string) (p mapping.RowProblem, bad bool) {
	v = strings.TrimSpace(v)
	if v == "" {
		return p, false
	}
	name := r.info.Schema
	if r.field.DisplayName != "" && r.field.DisplayName != name {
		name += " (" + r.field.DisplayName + ")"
	}
	fault := func(code, hint, format string, args ...any) (mapping.RowProblem, bool) {
		return mapping.RowProblem{Code: code, Msg: fmt.Sprintf(format, args...), Hint: hint}, true
	}
	switch r.kind {
	case numberValue:
		if !isPlainNumber(v) {
			return fault("online.type", "correct the cell, or set type: number in the mapping", "%s is a number in the account, and %q is none", name, v)
		}
	case dateValue:
		if !isAPITime(v) {
			return fault("online.type", "set type: datetime (or date) and a format in the mapping", "%s is a date in the account, and %q is not in its form yyyy-MM-dd HH:mm:ss", name, v)
		}
	case boolValue:
		if !slices.Contains([]string{"true", "false", "yes", "no", "1", "0"}, strings.ToLower(v)) {
			return fault("online.type", "set type: boolean in the mapping, or correct the cell", "%s is yes or no in the account, and %q is neither", name, v)
		}
	case optionValue:
		if !slices.Contains(r.field.Options, v) {
			return fault("online.option", r.optionHint(v), "%q is not among the options of %s", v, name)
		}
	case optionsValue:
		for one := range strings.SplitSeq(v, ";") {
			if one = strings.TrimSpace(one); one != "" && !slices.Contains(r.field.Options, one) {
				return fault("online.option", r.optionHint(one), "%q is not among the options of %s", one, name)
			}
		}
	case userValue:
		if why := ownerFault(v); why != "" {
			return fault("online.owner", "write the e-mail address of a user, or the user's id", "%s names a user, and %q %s", name, v, why)
		}
	case anyValue:
		if n := r.field.MaxLength; n > 0 && len(v) > n && utf8.RuneCountInString(v) > n {
			return fault("online.length", fmt.Sprintf("shorten it, or set max_length: %d and truncate: true in the mapping", n), "%s takes %d characters, and this text has %d", name, n, utf8.RuneCountInString(v))
		}
	}
	return p, false
}

// optionHint names the option that was meant, or the first few.
func (r *onlineRule) optionHint(v string) string {
	if n := fault.Nearest(v, r.field.Options); n != "" {
		return fmt.Sprintf("did you mean %q? Correct the cell, or translate it with values in the mapping", n)
	}
	some := r.field.Options
	more := ""
	if len(some) > 8 {
		some, more = some[:8], ", …"
	}
	return "the account has " + strings.Join(some, ", ") + more + "; correct the cell, or translate it with values in the mapping"
}

func (o *Online) sku(v string) (p mapping.RowProblem, bad bool) {
	if v = strings.TrimSpace(v); v == "" || o.skus[v] {
		return p, false
	}
	near, ok := o.nearSKU[v]
	if !ok {
		near = fault.Nearest(v, o.skuNames)
		if len(o.nearSKU) < 1000 { // a file of wrong SKUs must not fill the memory
			o.nearSKU[v] = near
		}
	}
	hint := "correct the SKU, or make the product in the account first"
	if near != "" {
		hint = fmt.Sprintf("did you mean %q? Correct the SKU, or make the product in the account first", near)
	}
	return mapping.RowProblem{Code: "online.sku", Msg: fmt.Sprintf("the account has no product with the SKU %q", v), Hint: hint}, true
}

// ownerFault says what is wrong with the name of a user; "" is nothing. The
// API has no call that lists users, so only the form is looked at.
func ownerFault(v string) string {
	if !strings.Contains(v, "@") {
		if strings.ContainsAny(v, " \t,;") {
			return "is neither an e-mail address nor an id"
		}
		return ""
	}
	if c, err := emails(); err == nil {
		if _, err := c.Convert(converter.Cell{Kind: converter.TextCell, Text: v}, nil); err != nil {
			return "is no e-mail address"
		}
	}
	return ""
}

var emails = sync.OnceValues(func() (*converter.Converter, error) {
	return converter.New(converter.Spec{Type: converter.Email})
})

// isPlainNumber reports digits with at most one point and a minus: the form in which the API takes numbers.
func isPlainNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(s, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!point || digits(fraction))
}

// isAPITime reports a time as the API takes it (vendor's error-handling page), or a day alone.
func isAPITime(s string) bool {
	for _, layout := range []string{"2006-01-02 15:04:05", time.DateOnly} {
		if _, err := time.Parse(layout, s); err == nil && len(s) == len(layout) {
			return true
		}
	}
	return false
}

// Fork returns an Online for another goroutine; of nil it is nil.
func (o *Online) Fork() *Online {
	if o == nil {
		return nil
	}
	c := *o
	c.rules, c.mandatory, c.nearSKU = make(map[string]*onlineRule, len(o.rules)), make([]*onlineRule, len(o.mandatory)), map[string]string{}
	for name, r := range o.rules {
		own := *r
		own.n = 0
		c.rules[name] = &own
	}
	for i, r := range o.mandatory {
		c.mandatory[i] = c.rules[r.info.Name]
	}
	return &c
}
