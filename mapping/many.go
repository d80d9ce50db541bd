package mapping

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"
)

// UpdateAmongMany appends the object by which a call that changes many
// opportunities writes fields of one. It reports false where it does not take one
// of the fields: of an opportunity it takes those below Fields, and no note.
func UpdateAmongMany(dst []byte, id string, code int, fields []Field) ([]byte, bool) {
	if id == "" || code == 0 || len(fields) == 0 {
		return dst, false
	}
	for _, f := range fields {
		if !strings.HasPrefix(f.Name, inFields.label+".") {
			return dst, false
		}
	}
	dst = appendMember(append(dst, '{'), "ProspectOpportunityId", id)
	dst = strconv.AppendInt(append(dst, `,"OpportunityEventCode":`...), int64(code), 10)
	dst = append(append(dst, ','), inFields.open...)
	return append(append(appendNamed(dst, inFields.named, fields), inFields.close...), '}'), true
}

// captureBody has the members of a capture that a call which makes many
// opportunities takes as well. Any other member keeps a row out of such a call.
type captureBody struct {
	LeadDetails []struct{ Attribute, Value string }
	Opportunity struct {
		OpportunityEventCode                json.Number
		OpportunityNote                     *string
		UpdateEmptyFields, DoNotChangeOwner *bool
		Fields                              []struct{ SchemaName, Value string }
	}
}

// amongMany is one object of a call that makes many opportunities.
type amongMany struct {
	SearchByValue                       string
	OpportunityEventCode                json.Number
	OpportunityNote                     *string `json:",omitempty"`
	UpdateEmptyFields, DoNotChangeOwner *bool   `json:",omitempty"`
	Fields                              []struct{ SchemaName, Value string }
}

// NewAmongMany is a new opportunity as one object of a call that makes many of them,
// of leads that are there.
type NewAmongMany struct {
	Object   []byte
	SearchBy string // the lead attribute that all objects of a call must share
	Code     int
}

// CreateAmongMany returns the object that makes the opportunity of a capture's body. It
// reports false where such a call does not take all of the body: another attribute of
// the lead, a time, a switch of captures alone. A lead that is found by its id goes
// singly as well, since the vendor's page speaks of lead fields.
func CreateAmongMany(body []byte) (NewAmongMany, bool) {
	if n, ok := cutAmongMany(body); ok {
		return n, true
	}
	return readAmongMany(body)
}

// readAmongMany is CreateAmongMany for any body.
func readAmongMany(body []byte) (NewAmongMany, bool) {
	var b captureBody
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(&b) != nil {
		return NewAmongMany{}, false
	}
	if _, err := d.Token(); err != io.EOF {
		return NewAmongMany{}, false
	}
	o := amongMany{OpportunityEventCode: b.Opportunity.OpportunityEventCode, OpportunityNote: b.Opportunity.OpportunityNote,
		UpdateEmptyFields: b.Opportunity.UpdateEmptyFields, DoNotChangeOwner: b.Opportunity.DoNotChangeOwner, Fields: b.Opportunity.Fields}
	var n NewAmongMany
	attribute := ""
	for _, p := range b.LeadDetails {
		switch {
		case p.Attribute == "SearchBy":
			n.SearchBy = p.Value
		case attribute != "":
			return NewAmongMany{}, false
		default:
			attribute, o.SearchByValue = p.Attribute, p.Value
		}
	}
	code, err := strconv.Atoi(o.OpportunityEventCode.String())
	if n.SearchBy == "" || attribute != n.SearchBy || isProspectID(n.SearchBy) || o.SearchByValue == "" || err != nil {
		return NewAmongMany{}, false
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // as in every other body
	if e.Encode(o) != nil {
		return NewAmongMany{}, false
	}
	n.Object, n.Code = bytes.TrimRight(out.Bytes(), "\n"), code
	return n, true
}

// cutAmongMany is CreateAmongMany for a body as this package writes them: the object
// is cut out of it. It reports false for every other body, whether it fits or not.
func cutAmongMany(body []byte) (n NewAmongMany, ok bool) {
	c := cutter{rest: body}
	var attribute, value []byte
	c.lit(`{"LeadDetails":[`)
	for more := true; more && !c.bad; more = c.next(',') {
		c.lit(`{"Attribute":`)
		name := c.text()
		c.lit(`,"Value":`)
		v := c.text()
		c.lit(`}`)
		switch {
		case string(name) == `"SearchBy"`:
			n.SearchBy = string(bytes.Trim(v, `"`))
		case attribute != nil:
			return n, false
		default:
			attribute, value = name, v
		}
	}
	c.lit(`],"Opportunity":{"OpportunityEventCode":`)
	code := c.number()
	var note, fields []byte
	if c.has(`,"OpportunityNote":`) {
		note = c.text()
	}
	start := c.rest
	c.lit(`,"Fields":[`)
	for more := true; more && !c.bad; more = c.next(',') {
		c.lit(`{"SchemaName":`)
		c.text()
		c.lit(`,"Value":`)
		c.text()
		c.lit(`}`)
	}
	c.lit(`]`)
	if c.bad {
		return n, false
	}
	fields = start[:len(start)-len(c.rest)]
	c.lit(`}}`)
	var err error
	n.Code, err = strconv.Atoi(string(code))
	if c.bad || err != nil || len(c.rest) > 0 || len(value) == len(`""`) || isProspectID(n.SearchBy) || n.SearchBy == "" ||
		len(attribute) != len(n.SearchBy)+2 || string(attribute[1:len(attribute)-1]) != n.SearchBy || bytes.IndexByte(attribute, '\\') >= 0 {
		return n, false
	}
	o := make([]byte, 0, len(body))
	o = append(append(o, `{"SearchByValue":`...), value...)
	o = append(append(o, `,"OpportunityEventCode":`...), code...)
	if note != nil {
		o = append(append(o, `,"OpportunityNote":`...), note...)
	}
	n.Object = append(append(o, fields...), '}')
	return n, true
}

// cutter goes through a text of JSON that is written without spaces.
type cutter struct {
	rest []byte
	bad  bool // something else stood there
}

// has goes over a word that stands next, and reports whether it did.
func (c *cutter) has(word string) bool {
	if c.bad || len(c.rest) < len(word) || string(c.rest[:len(word)]) != word {
		return false
	}
	c.rest = c.rest[len(word):]
	return true
}

// next is has for one byte.
func (c *cutter) next(b byte) bool {
	if c.bad || len(c.rest) == 0 || c.rest[0] != b {
		return false
	}
	c.rest = c.rest[1:]
	return true
}

// lit goes over a word that has to stand next.
func (c *cutter) lit(word string) { c.bad = !c.has(word) }

// text goes over a JSON text and returns it with its quotes.
func (c *cutter) text() []byte {
	if c.bad || len(c.rest) == 0 || c.rest[0] != '"' {
		c.bad = true
		return nil
	}
	for i := 1; i < len(c.rest); i++ {
		switch c.rest[i] {
		case '\\':
			i++
		case '"':
			text := c.rest[:i+1]
			c.rest = c.rest[i+1:]
			return text
		}
	}
	c.bad = true
	return nil
}

// number goes over the digits of a number.
func (c *cutter) number() []byte {
	n := 0
	for n < len(c.rest) && c.rest[n] >= '0' && c.rest[n] <= '9' {
		n++
	}
	digits := c.rest[:n]
	c.rest, c.bad = c.rest[n:], c.bad || n == 0
	return digits
}

// AmongMany says why new records of a mapping do not go in a call that makes many, in
// words that follow "because"; "" where they do. Rows in which the field that it
// names is empty go in such calls all the same.
func (m *Mapping) AmongMany() string {
	switch {
	case m.Target != Opportunity:
		return "its target is " + string(m.Target)
	case !m.LeadMustExist:
		return "lead_must_exist is not true"
	case isProspectID(m.SearchBy):
		return "search_by is no lead field"
	}
	for _, f := range m.fields {
		switch {
		case f.group == inLead && !f.search:
			return f.group.label + "." + f.name + " goes with single calls alone"
		case f.group == inOpportunity && f.name == "OpportunityDateTime":
			return "OpportunityDateTime goes with single calls alone"
		}
	}
	for _, s := range m.switches {
		if s.name == "OverwriteFields" || s.name == "DoNotPostDuplicateActivity" {
			return s.name + " goes with single calls alone"
		}
	}
	return ""
}
