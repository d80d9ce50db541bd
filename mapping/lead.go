package mapping

import "strings"

// How a row's lead is named. Two rows whose leads are spelt differently must
// come out equal here, or they would overtake each other and make two leads.

// leadKeysKnown are the lead's attributes whose types are known.
var leadKeysKnown = []key{
	{name: "EmailAddress", typ: "email", types: []string{"email", "text"}},
	{name: "Phone", types: []string{"phone", "text"}},
	{name: "ProspectID", types: []string{"text"}, unchanged: "it names another lead"},
}

// inLeadRule has what a record's lead is looked up by. It is not in the body.
var inLeadRule = &group{label: "lead", kind: LeadField, fixed: leadKeysKnown}

// leadKind is how a lead's value is made comparable.
type leadKind uint8

const (
	leadOther leadKind = iota
	leadEmail
	leadPhone
	leadID
)

func leadKindOf(attribute string) leadKind {
	switch {
	case attribute == "EmailAddress":
		return leadEmail
	case attribute == "Phone" || attribute == "Mobile":
		return leadPhone
	case isProspectID(attribute):
		return leadID
	}
	return leadOther
}

// appendLead appends the comparable form of a lead's value.
func appendLead(dst []byte, kind leadKind, value string) []byte {
	switch kind {
	case leadPhone:
		return appendDigits(dst, value)
	case leadID, leadEmail:
		for i := 0; i < len(value); i++ {
			if value[i] >= 0x80 {
				return append(dst, strings.ToLower(value)...)
			}
		}
		for i := 0; i < len(value); i++ {
			c := value[i]
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
		}
		return dst
	}
	// Other unique fields are matched by the account without regard to case
	// (assumption); taking two leads for one only makes their rows wait.
	return append(dst, strings.ToLower(value)...)
}

// appendLookup appends what a look-up takes: for a phone its digits without
// signs and spaces (vendor's page on look-ups), otherwise the value.
func appendLookup(dst []byte, kind leadKind, value string) []byte {
	if kind == leadPhone {
		return appendDigits(dst, value)
	}
	return append(dst, value...)
}

func hasDigit(s string) bool {
	return strings.ContainsAny(s, "0123456789")
}

func appendDigits(dst []byte, value string) []byte {
	for i := 0; i < len(value); i++ {
		if '0' <= value[i] && value[i] <= '9' {
			dst = append(dst, value[i])
		}
	}
	return dst
}
