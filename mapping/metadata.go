package mapping

import (
	"slices"
	"strings"
	"time"

	"leadload/converter"
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
		switch f.part {
		case inLead, inLeadRule:
			info.Kind = LeadField
			info.Schema = f.name
		case inSales:
			info.Kind = ActivityField
			info.Member = !isSalesCustom(f.name)
		default:
			info.Kind = OpportunityField
			info.Member = f.part == inOpportunity
		}
		if f.part == inLeadRule {
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

// Nearest gives the name closest to s, or "" when none is close enough to be
// what was meant: for schema names, owners and products of the account.
func Nearest(s string, names []string) string { return nearest(s, names) }

// Timestamp is a datetime field whose value comes from a column, for showing
// sample conversions.
type Timestamp struct {
	Name      string   // as in Record.Fields
	Column    string   // the column's name
	Index     int      // its position in the header
	Zone      string   // the zone of its local times; "" when only ZoneIndex has it
	ZoneIndex int      // the column that holds the zone, or -1
	Formats   []string // as the mapping has them
	conv      *converter.Converter
}

// Timestamps lists the datetime fields that come from one column each.
func (p *Program) Timestamps() []Timestamp {
	var out []Timestamp
	for i := range p.steps {
		s := &p.steps[i]
		if s.col < 0 || s.f.spec.Type != converter.DateTime || s.f.conv == nil {
			continue
		}
		out = append(out, Timestamp{
			Name: s.name, Column: s.column, Index: s.col, Zone: s.f.zoneName, ZoneIndex: s.zoneCol,
			Formats: slices.Clone(s.f.spec.Formats), conv: s.f.conv,
		})
	}
	return out
}

// Sample converts a row's cell: local is the clock it was read from with its
// offset ("2025-12-31 23:30:00 +05:30"), utc is what is sent. ok is false for
// an empty cell and for one that cannot be converted.
func (t *Timestamp) Sample(cells []converter.Cell) (local, utc string, ok bool) {
	cell, loc, ok := t.read(cells)
	if !ok {
		return "", "", false
	}
	var err error
	if utc, err = t.conv.Convert(cell, loc); err != nil {
		return "", "", false
	}
	if local, err = t.conv.Local(cell, loc); err != nil {
		return "", "", false
	}
	return local, utc, true
}

// AmbiguousDayMonth says what a row's cell tells about the order of day and
// month: ambiguous when it would be another valid day with the two swapped,
// decided when it would not. A column with ambiguous cells and no decided one
// may be read the wrong way round.
func (t *Timestamp) AmbiguousDayMonth(cells []converter.Cell) (ambiguous, decided bool) {
	if t.Index >= len(cells) || cells[t.Index].Kind != converter.TextCell {
		return false, false
	}
	cell, err := converter.Clean(cells[t.Index])
	if err != nil || cell.Kind == converter.EmptyCell {
		return false, false
	}
	return t.conv.AmbiguousDayMonth(cell.Text)
}

func (t *Timestamp) read(cells []converter.Cell) (cell converter.Cell, loc *time.Location, ok bool) {
	if t.Index >= len(cells) {
		return cell, nil, false
	}
	cell, err := converter.Clean(cells[t.Index])
	if err != nil || cell.Kind == converter.EmptyCell || cell.Text == "" {
		return cell, nil, false
	}
	if t.ZoneIndex >= 0 && t.ZoneIndex < len(cells) {
		zone, err := converter.Clean(cells[t.ZoneIndex])
		if err != nil {
			return cell, nil, false
		}
		if zone.Text != "" {
			if loc, err = converter.LoadZone(zone.Text); err != nil {
				return cell, nil, false
			}
		} else if t.Zone == "" {
			return cell, nil, false
		}
	}
	return cell, loc, true
}
