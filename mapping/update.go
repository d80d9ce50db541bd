package mapping

import "strings"

// Part is a call of an update: it writes some of a record's fields.
type Part string

// The parts of an update.
const (
	OfOpportunity Part = "opportunity"
	OfLead        Part = "lead"
	OfSale        Part = "sales activity"
)

// Change says what becomes of a field of a record that is loaded, where the
// file has another value for it.
type Change struct {
	// Part is the call that writes the field; "" where none does.
	Part Part
	// Why says why no call writes it.
	Why string
	// Blocks says that nothing of the row may be written: it names another lead.
	Blocks bool
	// Ignored says that the field is never looked at again.
	Ignored bool
}

// anotherLead is why a row is left to a person whose lead is another one now.
const anotherLead = "the row names another lead now"

// ChangeOf returns what becomes of a field, by its name in Record.Fields, or
// "lead" for the value that a sale's lead is found by.
func (m *Mapping) ChangeOf(field string) Change {
	if field == inLeadRule.label {
		return Change{Why: anotherLead, Blocks: true}
	}
	for _, f := range m.fields {
		if len(field) == len(f.group.label)+1+len(f.name) && strings.HasSuffix(field, f.name) && strings.HasPrefix(field, f.group.label) {
			switch {
			case f.kept:
				return Change{Ignored: true}
			case f.search:
				return Change{Why: anotherLead, Blocks: true}
			case f.known != nil && f.known.unchanged != "":
				return Change{Why: f.known.unchanged}
			}
			return Change{Part: f.group.part}
		}
	}
	return Change{Ignored: true} // how the account is to use the others; no value of the row
}

// Update appends the body of the call that writes fields of a record. Only
// these change. id is the record's, lead its lead's id, where it is known.
func (p Part) Update(dst []byte, id, lead string, fields []Field) []byte {
	switch p {
	case OfLead:
		return append(appendNamed(append(dst, '['), "Attribute", fields), ']')
	case OfSale:
		dst = appendMember(append(dst, '{'), "Id", id)
		if lead != "" {
			dst = appendMember(comma(dst), "ProspectId", lead)
		}
		for _, f := range fields {
			dst = appendMember(comma(dst), f.column(), f.Value)
			if k := inSales.field(f.column()); k != nil && k.number && isPlainNumber(f.Value) {
				dst = append(dst[:len(dst)-len(f.Value)-2], f.Value...)
			}
		}
		return append(dst, '}')
	}
	dst = appendMember(append(dst, '{'), "ProspectOpportunityId", id)
	var pairs []Field
	for _, f := range fields {
		if strings.HasPrefix(f.Name, inFields.label+".") {
			pairs = append(pairs, f)
			continue
		}
		dst = appendMember(comma(dst), f.column(), f.Value)
	}
	if pairs != nil {
		dst = append(comma(dst), inFields.open...)
		dst = append(appendNamed(dst, inFields.named, pairs), inFields.close...)
	}
	return append(dst, '}')
}

// column is the account's name of a field: what stands behind its group.
func (f Field) column() string { return f.Name[strings.IndexByte(f.Name, '.')+1:] }

// appendNamed appends {"SchemaName": name, "Value": value} for each field.
func appendNamed(dst []byte, named string, fields []Field) []byte {
	for _, f := range fields {
		dst = appendMember(append(comma(dst), '{'), named, f.column())
		dst = append(appendMember(comma(dst), "Value", f.Value), '}')
	}
	return dst
}

func appendMember(dst []byte, name, value string) []byte {
	return appendJSON(append(appendJSON(dst, name), ':'), value)
}

// isPlainNumber reports digits with at most one point, as a converted number is.
func isPlainNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(s, ".")
	return isDigits(whole) && (!point || isDigits(fraction)) && (whole == "0" || whole[0] != '0')
}
