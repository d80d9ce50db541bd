package mapping

import (
	"slices"
	"strings"
)

// FieldKind says whose field a FieldInfo is.
type FieldKind string

// The kinds of field, each with metadata of its own in the account.
const (
	LeadField        FieldKind = "lead"        // LeadsMetaData.Get
	OpportunityField FieldKind = "opportunity" // GetOpportunityTypeMetadata
	ActivityField    FieldKind = "activity"    // SalesActivity RetrieveSetting
)

// FieldInfo describes one field of the request body, for checking a mapping
// against the account's metadata.
type FieldInfo struct {
	Name      string    // as in Record.Fields: "Fields.mx_Custom_1"
	Schema    string    // "mx_Custom_1"
	Kind      FieldKind // whose field it is
	Columns   []string  // where its value comes from; none for a constant
	Type      string    // text, number, integer, datetime, date, email, phone or boolean
	Required  bool      // a row without a value is refused
	MaxLength int       // in characters; 0 is no limit
	Truncate  bool      // longer values are cut
	Constant  string    // the value of all rows, when HasConstant
	// HasConstant tells a constant from a field that has none; an empty constant is sent as such.
	HasConstant bool
	// Outcomes are the values that values, default or value can give; nil when any text can come.
	Outcomes []string
	// Member reports a member of the request body itself, such as OpportunityNote
	// or ProductSku, which the account's metadata does not list under this name.
	Member bool
	// Line and Column are the field's place in the mapping file.
	Line, Column int
}

// Fields lists the fields of the request body in its order. SearchBy and the
// switches of a capture are no fields.
func (m *Mapping) Fields() []FieldInfo {
	out := make([]FieldInfo, 0, len(m.fields)+1)
	for _, f := range m.allFields() {
		info := FieldInfo{
			Name: f.label(), Schema: f.name, Type: f.typeName,
			Required: (f.required || f.needed || f.empty == "reject") && !f.hasDef, MaxLength: f.spec.MaxLength, Truncate: f.spec.Truncate,
			Constant: f.value, HasConstant: f.hasValue, Line: f.key.line, Column: f.key.col,
		}
		info.Kind = f.group.kind
		info.Member = f.group.named == "" && f.known != nil && f.group != inLeadRule && f.known.name != customFieldKey
		if f.group == inLeadRule {
			info.Schema = m.Lead.FindBy
		}
		for _, n := range f.columns() {
			if n != f.zoneColumn {
				info.Columns = append(info.Columns, strings.TrimSpace(n.text))
			}
		}
		if f.expr != nil {
			for _, u := range f.expr.uses {
				if !slices.Contains(info.Columns, u.name) {
					info.Columns = append(info.Columns, u.name)
				}
			}
		}
		info.Outcomes = f.outcomes()
		out = append(out, info)
	}
	return out
}

// outcomes lists what a field can be when that is known beforehand.
func (f *field) outcomes() []string {
	var out []string
	add := func(s string) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	switch {
	case f.hasValue:
		add(f.value)
	case len(f.spec.Values) > 0:
		for _, o := range f.spec.Values {
			add(o.To)
		}
		add(f.def)
	case f.status:
		return slices.Clone(statusNames)
	}
	return out
}

// Problem makes a problem at a field's place, for what the account's metadata
// brings to light. The place is the mapping's as a whole when name is unknown.
func (m *Mapping) Problem(name, code, msg, hint string) Problem {
	c := newCollector(m.Name, m.text)
	line, col := 1, 1
	for _, f := range m.allFields() {
		if f.label() == name {
			line, col = f.key.line, f.key.col
		}
	}
	c.place(line, col, code, hint, msg)
	return c.found[0]
}

// Uses reports whether the mapping has a field of this schema name.
func (m *Mapping) Uses(schema string) bool {
	return slices.ContainsFunc(m.Fields(), func(f FieldInfo) bool { return f.Schema == schema })
}
