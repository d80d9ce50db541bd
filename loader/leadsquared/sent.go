package leadsquared

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

	sale bool
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

// ParseSale reads the body of a sales activity.
func ParseSale(body []byte) (Sent, error) {
	top, err := bodyObject(body)
	if err != nil {
		return Sent{}, err
	}
	s := Sent{sale: true}
	for _, m := range top.members {
		name, v := m.name, m.value
		switch {
		case strings.EqualFold(name, "ProspectId"):
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

// saleNames are the schema names under which a sales activity gives back what
// was posted (vendor's "sales activities by lead id"). SalesOwnerEmail comes back as a
// user's id, so that it cannot be compared.
var saleNames = map[string]string{
	"revenue": "mx_Custom_2", "salesdate": "mx_Custom_3", "salesowner": "mx_Custom_4", "salesowneremail": "",
}

// Comparison is what became of the values sent, by their names.
type Comparison struct {
	Same    []string
	Differ  []string
	Unknown []string // the answer does not carry the field, or not in a form that can be compared
}

// Compare holds what was sent against the fields of a record of the account:
// Activity.Data, Opportunity.Fields or SalesActivity.Fields. Empty values that
// were sent are left out. An opportunity's note is compared as "OpportunityNote".
func (s Sent) Compare(got map[string]string) Comparison {
	var c Comparison
	put := func(name string, known, same bool) {
		switch {
		case !known:
			c.Unknown = append(c.Unknown, name)
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
		if s.sale {
			if to, ok := saleNames[strings.ToLower(name)]; ok {
				name = to
			}
			if strings.EqualFold(name, "ProductSku") {
				// The product comes back as an id, and as a name that is derived from it,
				// nobody says how: a name without the SKU proves nothing.
				v, _ := lookUp(got, "ProductName")
				same := containsWord(v, strings.TrimSpace(p.Value))
				put(p.Name, same, same)
				continue
			}
		}
		v, known := lookUp(got, name)
		put(p.Name, known, SameValue(p.Value, v))
	}
	return c
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

// WithProspectID puts the lead's id first into a sales activity's body that
// has none; a body that has one, or is no JSON object, comes back as it is.
func WithProspectID(body []byte, id string) []byte {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' || !json.Valid(body) {
		return body
	}
	top, err := bodyObject(body)
	if err != nil || identifier(top.get("ProspectId")) != "" {
		return body
	}
	var members map[string]json.RawMessage
	rest := bytes.TrimLeft(trimmed[1:], " \t\r\n")
	if top.has("ProspectId") { // there, but empty: taken out, or it would come twice
		if json.Unmarshal(body, &members) != nil {
			return body
		}
		rest = withoutMember(top, members)
	}
	quoted, err := json.Marshal(id)
	if err != nil {
		return body
	}
	out := make([]byte, 0, len(body)+len(quoted)+16)
	out = append(out, `{"ProspectId":`...)
	out = append(out, quoted...)
	if rest[0] != '}' {
		out = append(out, ',')
	}
	return append(out, rest...)
}

// withoutMember writes an object's members but ProspectId, and the closing brace.
func withoutMember(top object, members map[string]json.RawMessage) []byte {
	var b bytes.Buffer
	for _, m := range top.members {
		name := m.name
		raw, ok := members[name]
		if strings.EqualFold(name, "ProspectId") || !ok {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		quoted, _ := json.Marshal(name)
		fmt.Fprintf(&b, "%s:%s", quoted, raw)
	}
	b.WriteByte('}')
	return b.Bytes()
}
