package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"leadload/converter"
	"leadload/internal/fault"
)

// The targets that make opportunities: at once, or by the account's queue.
const (
	Opportunity      Target = "opportunity"
	OpportunityAsync Target = "opportunity-async"
)

var (
	opportunity      = capture(Opportunity)
	opportunityAsync = capture(OpportunityAsync)
)

// capture is the spec of a target whose body is that of a capture.
func capture(name Target) spec {
	return spec{
		name: name, many: "captures", typed: true,
		takes:  []string{"search_by", "lead_must_exist"},
		groups: captureGroups,
		layout: []*group{inLead, inOpportunity, inFields, behindFields},
		parse:  (*parsing).capture,
		draft:  (*draft).capture,
	}
}

var captureGroups = []key{
	{name: "LeadDetails", shape: shapeFields, need: "in every capture", instead: "set target: opportunity, or write SalesActivity",
		doc: "the lead's attributes by schema name", example: "{EmailAddress: Email}"},
	{name: "Opportunity", shape: shapeSettings, keys: opportunityKeys, intro: "The members of a capture. Below `LeadDetails` and `Opportunity.Fields` stand the account's own schema names.", need: "in every capture", instead: "set target: opportunity, or write SalesActivity",
		doc: "the opportunity", example: "{OpportunityEventCode: 12000}"},
}

var (
	inLead        = &group{label: "LeadDetails", part: OfLead, kind: LeadField, fixed: leadKeysKnown, open: `"LeadDetails":[`, close: `]`, named: "Attribute", tail: (*Runner).leadTail}
	inOpportunity = &group{label: "Opportunity", part: OfOpportunity, kind: OpportunityField, fixed: opportunityKeys, open: `"Opportunity":{`}
	inFields      = &group{label: "Fields", part: OfOpportunity, kind: OpportunityField, fixed: opportunityFields, open: `"Fields":[`, close: `]`, named: "SchemaName", optional: true}
	behindFields  = &group{close: `}`, tail: (*Runner).switchTail} // of Opportunity
)

var opportunityKeys = []key{
	{name: "OpportunityEventCode", shape: shapeEventCode, typ: "integer", types: []string{"integer"}, number: true, need: "yes", doc: "the opportunity type's code: a number, or {column: …}", example: "12000", unchanged: "the account cannot make an opportunity one of another type"},
	{name: "OpportunityNote", shape: shapeField, doc: "a note", example: "Remarks"},
	{name: "OpportunityDateTime", shape: shapeField, typ: "datetime", types: []string{"datetime"}, doc: "the opportunity's time; its type is datetime", example: "{column: Created at, format: dd/MM/yyyy HH:mm}", unchanged: "the account's update does not take it, and no read shows it"},
	{name: "Fields", shape: shapeFields, doc: "the opportunity's fields by schema name; Status takes Open, Won and Lost", example: "{mx_Custom_1: Deal name}"},
	{name: "OverwriteFields", shape: shapeBool, doc: "overwrite the fields of an opportunity that the account's duplicate rule finds; not together with UpdateEmptyFields", example: "false"},
	{name: "UpdateEmptyFields", shape: shapeBool, doc: "fill the empty fields of an opportunity that the account's duplicate rule finds", example: "true"},
	{name: "DoNotPostDuplicateActivity", shape: shapeBool, doc: "post no activity when a duplicate is found", example: "true"},
	{name: "DoNotChangeOwner", shape: shapeBool, doc: "leave the owner as it is", example: "true"},
}

// opportunityFields are the fields of an opportunity that every account has.
var opportunityFields = []key{{name: "Status", types: []string{"text"}, status: true}}

// switchNames are the members of a capture that are true or false for all rows.
var switchNames = []string{"OverwriteFields", "UpdateEmptyFields", "DoNotPostDuplicateActivity", "DoNotChangeOwner"}

// capture reads LeadDetails and Opportunity.
func (p *parsing) capture(top settings) {
	m := p.m
	m.LeadMustExist = top.isTrue("lead_must_exist")
	if n := top.values["LeadDetails"]; n != nil {
		p.leadDetails(n, top)
	} else if !top.written("LeadDetails") && !top.meant("LeadDetails") {
		p.at(top.at, "mapping.missing", "add LeadDetails: {EmailAddress: …}", "LeadDetails is missing: a capture must say whose opportunity it is")
	}
	n := top.values["Opportunity"]
	if n == nil {
		if !top.written("Opportunity") && !top.meant("Opportunity") {
			p.at(top.at, "mapping.missing", "add Opportunity: {OpportunityEventCode: …}", "Opportunity is missing")
		}
		return
	}
	s := p.group(n, "Opportunity", opportunityKeys, nil)
	if v := s.values["OpportunityEventCode"]; v != nil {
		p.eventCode(s.keys["OpportunityEventCode"], v)
	} else if !s.written("OpportunityEventCode") && !s.meant("OpportunityEventCode") {
		p.at(n, "mapping.missing", "add OpportunityEventCode with the code of the opportunity type", "Opportunity.OpportunityEventCode is missing")
	}
	for _, name := range []string{"OpportunityNote", "OpportunityDateTime"} {
		if v := s.values[name]; v != nil {
			p.add(p.field(inOpportunity, s.keys[name], v))
		}
	}
	if v := s.values["Fields"]; v != nil {
		p.opportunityFields(v)
	}
	for _, name := range switchNames {
		if s.has(name) {
			m.switches = append(m.switches, switchValue{name, s.isTrue(name)})
		}
	}
	if s.isTrue("OverwriteFields") && s.isTrue("UpdateEmptyFields") {
		p.at(s.keys["UpdateEmptyFields"], "mapping.combination", "keep one of the two", "OverwriteFields and UpdateEmptyFields cannot both be true: the account refuses it")
	}
}

func (p *parsing) leadDetails(n *node, top settings) {
	m := p.m
	if len(n.entries) == 0 {
		p.at(n, "mapping.missing", "add EmailAddress or Phone", "LeadDetails maps no attribute")
		return
	}
	var mapped []string
	fields := map[string]*field{}
	for _, e := range n.entries {
		name := e.key.text
		if !p.attributeName(e.key) {
			continue
		}
		if isProspectID(name) {
			name = "ProspectID"
		}
		if fields[name] != nil {
			p.at(e.key, "yaml.duplicate", "keep one of the two", "ProspectID is given twice")
			continue
		}
		f := p.field(inLead, e.key, e.value)
		if f == nil {
			continue
		}
		f.name = name
		fields[name] = f
		mapped = append(mapped, name)
		p.add(f)
	}
	m.SearchBy = p.searchBy(top, n, mapped)
	search := m.SearchBy
	if isProspectID(search) {
		search = "ProspectID"
	}
	if f := fields[search]; f != nil {
		p.mustHave(f, "the account finds the lead by it")
		f.search = true
		if f.constant() {
			p.at(f.key, "mapping.combination", "take it from a column", "every row would belong to one lead: %s is the same for all rows", f.name)
		}
	}
	if isProspectID(m.SearchBy) {
		m.SearchBy = "ProspectId"
	} else if fields["ProspectID"] != nil && m.SearchBy != "" {
		p.warn("LeadDetails.ProspectID is sent but the lead is searched by %s; the account may ignore the id", m.SearchBy)
	}
	for _, name := range []string{"Phone", "Mobile"} {
		if f := fields[name]; f != nil && f.typeName == "text" {
			p.warn("LeadDetails.%s is sent as written; with type: phone it gets the shape +91-9876543210 by which the account matches leads", name)
		}
	}
}

func (p *parsing) warn(format string, args ...any) {
	p.m.warnings = append(p.m.warnings, fmt.Sprintf(format, args...))
}

// attributeName checks the name of a lead attribute.
func (p *parsing) attributeName(n *node) bool {
	switch name := n.text; {
	case name == "SearchBy":
		p.at(n, "mapping.field-name", "write search_by: … at the top of the mapping", "SearchBy is added by leadload")
		return false
	case strings.EqualFold(name, "__UseUserDefinedGuid__"):
		p.at(n, "mapping.field-name", "leave it out", "__UseUserDefinedGuid__ is added by leadload when search_by is ProspectId")
		return false
	case !isSchemaName(name):
		p.at(n, "mapping.field-name", "use the field's schema name, as the account's settings show it", "%q is no schema name", name)
		return false
	}
	if isProspectID(n.text) || strings.HasPrefix(n.text, "mx_") || slices.Contains(leadAttributes, n.text) {
		return true
	}
	if near := fault.Nearest(n.text, leadAttributes); near != "" {
		if strings.EqualFold(fault.Fold(near), fault.Fold(n.text)) {
			p.at(n, "mapping.field-name", fmt.Sprintf("did you mean %q?", near), "unknown lead attribute %q: schema names are case-sensitive", n.text)
			return false
		}
		p.at(n, "mapping.field-name", fmt.Sprintf("did you mean %q?", near), "unknown lead attribute %q", n.text)
		return false
	}
	if strings.HasPrefix(strings.ToLower(n.text), "mx_") {
		p.at(n, "mapping.field-name", fmt.Sprintf("did you mean %q?", "mx_"+n.text[3:]), "unknown lead attribute %q: schema names are case-sensitive", n.text)
		return false
	}
	return true
}

// searchBy finds the attribute that names the lead. It may be left out when
// there is no choice.
func (p *parsing) searchBy(top settings, leadDetails *node, mapped []string) string {
	n := top.values["search_by"]
	if n == nil {
		if top.written("search_by") {
			return ""
		}
		email, phone := slices.Contains(mapped, "EmailAddress"), slices.Contains(mapped, "Phone")
		switch {
		case len(mapped) < len(leadDetails.entries), top.meant("search_by"):
			return "" // an attribute or the key itself has a fault, which has been told
		case email && !phone:
			p.warn("search_by is not set; the lead is found by EmailAddress")
			return "EmailAddress"
		case phone && !email:
			p.warn("search_by is not set; the lead is found by Phone")
			return "Phone"
		}
		p.at(leadDetails, "mapping.missing", "add search_by: EmailAddress (or another mapped unique field)", "search_by is missing: it says by which attribute the account finds the lead")
		return ""
	}
	if slices.Contains(mapped, n.text) || isProspectID(n.text) && slices.Contains(mapped, "ProspectID") {
		return n.text
	}
	for _, e := range leadDetails.entries {
		if e.key.text == n.text {
			return "" // it is there and its own fault has been told
		}
	}
	hint := fmt.Sprintf("map it: LeadDetails: {%s: …}", n.text)
	if near := fault.Nearest(n.text, mapped); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if len(mapped) > 0 {
		hint += "; mapped now: " + strings.Join(mapped, ", ")
	}
	p.at(n, "mapping.search-by", hint, "search_by names %q, which LeadDetails does not map", n.text)
	return ""
}

func (p *parsing) opportunityFields(n *node) {
	for _, e := range n.entries {
		name := e.key.text
		switch {
		case !isSchemaName(name):
			p.at(e.key, "mapping.field-name", "use the field's schema name, as the account's settings show it", "%q is no schema name", name)
			continue
		case strings.HasPrefix(strings.ToLower(name), "mx_custom_") && !strings.HasPrefix(name, "mx_Custom_"):
			p.at(e.key, "mapping.field-name", fmt.Sprintf("did you mean %q?", "mx_Custom_"+name[10:]), "unknown field %q: schema names are case-sensitive", name)
			continue
		case name != "Status" && strings.EqualFold(name, "Status"), name != "Owner" && strings.EqualFold(name, "Owner"):
			p.at(e.key, "mapping.field-name", fmt.Sprintf("did you mean %q?", strings.ToUpper(name[:1])+strings.ToLower(name[1:])), "unknown field %q: schema names are case-sensitive", name)
			continue
		case findKey(opportunityKeys, name) != nil:
			p.at(e.key, "mapping.field-name", "indent it like Fields", "%s goes beside Fields, not below it", name)
			continue
		}
		p.add(p.field(inFields, e.key, e.value))
	}
}

// eventCode reads the opportunity type: a plain number is meant as such and
// not as the name of a column.
func (p *parsing) eventCode(at, v *node) {
	if v.kind != scalarNode {
		f := p.field(inOpportunity, at, v)
		if f == nil {
			return
		}
		p.mustHave(f, "the account asks for it")
		if f.hasValue && f.conv != nil {
			p.m.EventCode = p.code(f.values["value"], f.value)
		}
		p.add(f)
		return
	}
	if v.text == fillIn {
		p.at(v, "mapping.fill-in", "the account's settings list the codes below Opportunities > Opportunity Types", "OpportunityEventCode is still to be filled in")
		return
	}
	if !isDigits(v.text) {
		p.at(v, "mapping.event-code", "write the number of the opportunity type, or {column: "+v.text+"}", "OpportunityEventCode must be a number, not %q", v.text)
		return
	}
	f := &field{group: inOpportunity, known: inOpportunity.field(at.text), name: at.text, key: at, typeName: "integer", json: jsonNumber, needed: true, hasValue: true, value: v.text}
	f.settings = settings{at: v, values: map[string]*node{"value": v}, keys: map[string]*node{}}
	f.spec = converter.Spec{Type: converter.Integer}
	p.m.EventCode = p.code(v, v.text)
	p.add(f)
}

func (p *parsing) code(at *node, text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1_000_000_000 || len(text) > 1 && text[0] == '0' {
		p.at(at, "mapping.event-code", "the account's settings list the codes below Opportunities > Opportunity Types", "%q cannot be an opportunity type's code", text)
		return 0
	}
	return n
}

func isDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

// leadTail ends LeadDetails with the pairs that say how the account uses it.
func (r *Runner) leadTail(body []byte) []byte {
	m := r.p.mapping
	if m.SearchBy == "ProspectId" {
		// The account takes an id as the lead's own only with this pair
		// (vendor's page on capture).
		body = append(comma(body), `{"Attribute":"__UseUserDefinedGuid__","Value":"true"}`...)
		r.rec.Fields = append(r.rec.Fields, Field{"LeadDetails.__UseUserDefinedGuid__", "true"})
	}
	body = append(comma(body), `{"Attribute":"SearchBy","Value":`...)
	body = appendJSON(body, m.SearchBy)
	r.rec.Fields = append(r.rec.Fields, Field{"LeadDetails.SearchBy", m.SearchBy})
	return append(body, '}')
}

// switchTail ends Opportunity with its switches.
func (r *Runner) switchTail(body []byte) []byte {
	for _, s := range r.p.mapping.switches {
		text := "false"
		if s.on {
			text = "true"
		}
		body = appendJSON(comma(body), s.name)
		body = append(body, ':')
		body = append(body, text...)
		r.rec.Fields = append(r.rec.Fields, Field{switchLabels[s.name], text})
	}
	return body
}

var switchLabels = func() map[string]string {
	out := map[string]string{}
	for _, name := range switchNames {
		out[name] = "Opportunity." + name
	}
	return out
}()
