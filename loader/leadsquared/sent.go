package leadsquared

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Pair is one value of a request body.
type Pair struct{ Name, Value string }

// Sent is what a request body asked the account to store, for comparing it
// with what the account gives back.
type Sent struct {
	// Of a capture.
	EventCode int
	Note      string
	DateTime  string // OpportunityDateTime
	SearchBy  string // the attribute by which the account finds the lead
	Lead      []Pair // the lead's attributes, without SearchBy and the __ switches

	// Of a sales activity.
	ProspectID string // of a capture: the lead's ProspectID where it is given

	// Fields are the record's own, in the body's order: those of
	// Opportunity.Fields, or all members of a sales activity but ProspectId.
	Fields []Pair

	stored map[string]string // by name; what Compare looks for
}

// LeadValue gives a lead attribute by its name in any case.
func (s Sent) LeadValue(attribute string) string {
	for _, p := range s.Lead {
		if strings.EqualFold(p.Name, attribute) {
			return p.Value
		}
	}
	return ""
}

// ParseCapture reads the body of a capture.
func ParseCapture(body []byte) (Sent, error) {
	top, err := bodyObject(body)
	if err != nil {
		return Sent{}, err
	}
	opp, ok := top.object("Opportunity")
	if !ok {
		return Sent{}, errors.New("the body of a capture has no Opportunity")
	}
	code, ok := opp.integer("OpportunityEventCode")
	if !ok {
		return Sent{}, errors.New("the body of a capture has no OpportunityEventCode")
	}
	s := Sent{EventCode: code, Note: fieldText(opp.get("OpportunityNote")), DateTime: opp.text("OpportunityDateTime")}
	for _, v := range asList(top.get("LeadDetails")) {
		o, _ := v.(object)
		name, value := o.text("Attribute"), fieldText(o.get("Value"))
		switch {
		case name == "", strings.HasPrefix(name, "__"):
		case strings.EqualFold(name, "SearchBy"):
			s.SearchBy = value
		default:
			if strings.EqualFold(name, "ProspectID") {
				s.ProspectID = value
			}
			s.Lead = append(s.Lead, Pair{name, value})
		}
	}
	for _, v := range asList(opp.get("Fields")) {
		o, _ := v.(object)
		if name := o.text("SchemaName"); name != "" {
			s.Fields = append(s.Fields, Pair{name, fieldText(o.get("Value"))})
		}
	}
	return s, nil
}

// Flat says what the members of a flat body are called.
type Flat struct {
	Lead string // the lead's id
	// Stored are the schema names under which the account gives back what was
	// sent, by their names in the body and where they differ; "" is a value that
	// comes back in another form.
	Stored map[string]string
}

// ParseFlat reads a body whose fields are its members, as that of a sales activity.
func ParseFlat(body []byte, form Flat) (Sent, error) {
	top, err := bodyObject(body)
	if err != nil {
		return Sent{}, err
	}
	s := Sent{stored: form.Stored}
	for _, m := range top.members {
		name, v := m.name, m.value
		switch {
		case strings.EqualFold(name, form.Lead):
			s.ProspectID = identifier(v)
		case isScalar(v):
			s.Fields = append(s.Fields, Pair{name, fieldText(v)})
		}
	}
	return s, nil
}

func bodyObject(body []byte) (object, error) {
	v, ok := parseJSON(body)
	if !ok {
		return object{}, errors.New("the body is not JSON")
	}
	o, ok := v.(object)
	if !ok {
		return object{}, errors.New("the body is not a JSON object")
	}
	return o, nil
}

// Comparison is what became of the values sent, by their names.
type Comparison struct {
	Same    []string
	Differ  []string
	Absent  []string // the answer does not carry the field
	Unknown []string // the answer has the field in a form that cannot be compared
	// Other are those of Differ whose value is plainly another one: no part of what was
	// sent, no other form of it, not rounded, and not empty.
	Other []string
}

// Compare holds what was sent against the fields of a record of the account:
// Activity.Data, Opportunity.Fields or SalesActivity.Fields. Empty values that
// were sent are left out. An opportunity's note is compared as "OpportunityNote".
func (s Sent) Compare(got map[string]string) Comparison {
	var c Comparison
	put := func(name string, known, same bool) {
		switch {
		case !known:
			c.Absent = append(c.Absent, name)
		case same:
			c.Same = append(c.Same, name)
		default:
			c.Differ = append(c.Differ, name)
		}
	}
	if s.Note != "" {
		known, same := false, false
		for _, n := range []string{"OpportunityNote", "ActivityEvent_Note", "Note"} {
			// An empty note under one name may stand under another.
			if v, ok := lookUp(got, n); ok && v != "" {
				known, same = true, SameValue(s.Note, v)
				break
			}
		}
		put("OpportunityNote", known, same)
	}
	for _, p := range s.Fields {
		if strings.TrimSpace(p.Value) == "" {
			continue
		}
		name := p.Name
		if to, ok := lookUp(s.stored, name); ok {
			if name = to; strings.EqualFold(p.Name, "ProductSku") {
				// The product comes back as an id, and as a name that is derived from it,
				// nobody says how: a name without the SKU proves nothing.
				v, _ := lookUp(got, "ProductName")
				if containsWord(v, strings.TrimSpace(p.Value)) {
					c.Same = append(c.Same, p.Name)
				} else {
					c.Unknown = append(c.Unknown, p.Name)
				}
				continue
			}
			if name == "" {
				c.Unknown = append(c.Unknown, p.Name)
				continue
			}
		}
		v, known := lookUp(got, name)
		same := SameValue(p.Value, v)
		put(p.Name, known, same)
		if known && !same && plainlyOther(p.Value, v) {
			c.Other = append(c.Other, p.Name)
		}
	}
	return c
}

// plainlyOther reports whether an account that was sent one value cannot have made the
// other of it. Times have zones, users have ids and addresses, and an option may be
// kept under a number: of these nothing is known.
func plainlyOther(sent, got string) bool {
	sent, got = strings.ToLower(strings.TrimSpace(sent)), strings.ToLower(strings.TrimSpace(got))
	if sent == "" || got == "" || strings.Contains(sent, got) || strings.Contains(got, sent) {
		return false
	}
	a, aErr := strconv.ParseFloat(sent, 64)
	b, bErr := strconv.ParseFloat(got, 64)
	switch {
	case (aErr == nil) != (bErr == nil):
		return false
	case aErr == nil:
		return math.Abs(a-b) > 1 && math.Abs(a-b) > math.Max(math.Abs(a), math.Abs(b))/50
	}
	for _, v := range []string{sent, got} {
		if strings.ContainsAny(v, "@:") || len(v) >= 8 && strings.Trim(v, "0123456789abcdef-/.") == "" {
			return false
		}
	}
	return true
}

// containsWord reports whether word stands in s in any case, with no letter or
// digit on either side of it.
func containsWord(s, word string) bool {
	s, word = strings.ToLower(s), strings.ToLower(word)
	if word == "" {
		return false
	}
	part := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[i+len(word):])
		if !part(before) && !part(after) {
			return true
		}
		from = i + 1
	}
}
