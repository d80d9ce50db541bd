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

// CreateAmongMany appends the object by which a call that makes many opportunities
// of existing leads makes the one of a capture's body, and returns the lead
// attribute that all objects of a call must share. It reports false where such a
// call does not take all of the body: another attribute of the lead, a time, a
// switch of captures alone. A lead that is found by its id goes singly as well,
// since the vendor's page speaks of lead fields.
func CreateAmongMany(dst, body []byte) (_ []byte, searchBy string, fits bool) {
	var b captureBody
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(&b) != nil {
		return dst, "", false
	}
	if _, err := d.Token(); err != io.EOF {
		return dst, "", false
	}
	o := amongMany{OpportunityEventCode: b.Opportunity.OpportunityEventCode, OpportunityNote: b.Opportunity.OpportunityNote,
		UpdateEmptyFields: b.Opportunity.UpdateEmptyFields, DoNotChangeOwner: b.Opportunity.DoNotChangeOwner, Fields: b.Opportunity.Fields}
	attribute := ""
	for _, p := range b.LeadDetails {
		switch {
		case p.Attribute == "SearchBy":
			searchBy = p.Value
		case attribute != "":
			return dst, "", false
		default:
			attribute, o.SearchByValue = p.Attribute, p.Value
		}
	}
	if searchBy == "" || attribute != searchBy || isProspectID(searchBy) || o.SearchByValue == "" || o.OpportunityEventCode == "" {
		return dst, "", false
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // as in every other body
	if e.Encode(o) != nil {
		return dst, "", false
	}
	return append(dst, bytes.TrimRight(out.Bytes(), "\n")...), searchBy, true
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
