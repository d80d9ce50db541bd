package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// text is a JSON string, or null for an empty one. The vendor's values are
// strings: a number is a mistake, which encoding/json reports.
type text = string

type attribute struct {
	Attribute string
	Value     text
}

type schemaValue struct {
	SchemaName string
	Value      text
}

// captureBody is the body of Capture, sync and async.
type captureBody struct {
	LeadDetails []attribute
	Opportunity *struct {
		OpportunityEventCode       *int
		OpportunityNote            text
		OpportunityDateTime        text
		Fields                     []schemaValue
		OverwriteFields            bool
		UpdateEmptyFields          bool
		DoNotPostDuplicateActivity bool
		DoNotChangeOwner           bool
	}
}

// request is a capture that has passed every check that needs no look at the account.
type request struct {
	searchBy   string // schema name; "ProspectID" for a search by lead id
	searchFor  string
	leadID     id
	attributes []pair
	code       int32
	note       string
	dateTime   string
	fields     []pair
	switches   switches
	raw        []byte
	call       int64
}

type switches struct {
	OverwriteFields            bool
	UpdateEmptyFields          bool
	DoNotPostDuplicateActivity bool
	DoNotChangeOwner           bool
}

// refusal is the account saying no to a body.
type refusal struct {
	bad           bool // HTTP 400: not the shape that the API page describes
	kind, message string
}

func (r *refusal) answer() answer {
	if r.bad {
		return badRequest(r.message)
	}
	return exception(r.kind, r.message)
}

func invalid(format string, args ...any) *refusal {
	return &refusal{kind: "MXInvalidInputException", message: fmt.Sprintf(format, args...)}
}

func missing(name string) *refusal {
	return &refusal{kind: "MXMandatoryAttributeMissingException", message: fmt.Sprintf("'%s' is mandatory", name)}
}

// decode reads one JSON value strictly: unknown names and anything after it are wrong.
func decode(body []byte, into any) *refusal {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return &refusal{bad: true, message: err.Error()}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &refusal{bad: true, message: "there is something after the JSON body"}
	}
	return nil
}

func (a *Account) parseCapture(body []byte) (*request, *refusal) {
	var b captureBody
	if no := decode(body, &b); no != nil {
		return nil, no
	}
	if b.LeadDetails == nil || b.Opportunity == nil {
		return nil, &refusal{bad: true, message: "LeadDetails and Opportunity are both needed"}
	}
	r := &request{raw: body, note: b.Opportunity.OpportunityNote, dateTime: b.Opportunity.OpportunityDateTime}
	if no := a.parseLead(r, b.LeadDetails); no != nil {
		return nil, no
	}
	o := b.Opportunity
	r.switches = switches{o.OverwriteFields, o.UpdateEmptyFields, o.DoNotPostDuplicateActivity, o.DoNotChangeOwner}
	if o.OverwriteFields && o.UpdateEmptyFields {
		return nil, invalid("OverwriteFields and UpdateEmptyFields cannot both be true")
	}
	if o.OpportunityEventCode == nil {
		return nil, missing("OpportunityEventCode")
	}
	if *o.OpportunityEventCode <= 0 || *o.OpportunityEventCode > 1<<30 {
		return nil, invalid("Opportunity type with code '%d' does not exist", *o.OpportunityEventCode)
	}
	r.code = int32(*o.OpportunityEventCode)
	if r.dateTime != "" && !isInputTime(r.dateTime) {
		return nil, invalid("OpportunityDateTime '%s' is not valid: the format is yyyy-MM-dd HH:mm:ss", r.dateTime)
	}
	r.fields = make([]pair, 0, len(o.Fields))
	for _, f := range o.Fields {
		if f.SchemaName == "" {
			return nil, &refusal{bad: true, message: "a field has no SchemaName"}
		}
		r.fields = append(r.fields, pair{f.SchemaName, f.Value})
	}
	return r, a.checkFields(r.code, r.fields, true)
}

// parseLead reads LeadDetails: the pairs that say how to search, and the lead's own attributes.
func (a *Account) parseLead(r *request, details []attribute) *refusal {
	var searchBy, prospectID, ownID string
	r.attributes = make([]pair, 0, len(details))
	for _, d := range details {
		switch d.Attribute {
		case "":
			return &refusal{bad: true, message: "a lead detail has no Attribute"}
		case "SearchBy":
			searchBy = d.Value
		case "ProspectID":
			prospectID = d.Value
		case "__UseUserDefinedGuid__":
			ownID = d.Value
		default:
			r.attributes = append(r.attributes, pair{d.Attribute, d.Value})
		}
	}
	if searchBy == "" {
		return missing("SearchBy")
	}
	email := strings.TrimSpace(valueOf(r.attributes, "EmailAddress"))
	if email != "" && !isEmail(email) {
		return &refusal{kind: "MXInvalidEmailException", message: fmt.Sprintf("'%s' is not a valid email address", email)}
	}
	if strings.EqualFold(searchBy, "ProspectId") {
		// Field report: the attribute is ProspectID, SearchBy is ProspectId, and no other way round works.
		if searchBy != "ProspectId" {
			return invalid("'%s' is not a valid value for SearchBy", searchBy)
		}
		if prospectID == "" {
			return missing("ProspectID")
		}
		if !strings.EqualFold(ownID, "true") {
			return invalid("A search by ProspectId needs __UseUserDefinedGuid__")
		}
		v, ok := parseID(prospectID)
		if !ok {
			return invalid("ProspectID '%s' is not a valid GUID", prospectID)
		}
		r.searchBy, r.leadID = "ProspectID", v
		return nil
	}
	if !slices.Contains(a.unique, searchBy) {
		return invalid("SearchBy '%s' is not a unique field", searchBy)
	}
	r.searchBy, r.searchFor = searchBy, fold(searchBy, valueOf(r.attributes, searchBy))
	if r.searchFor == "" {
		return missing(searchBy)
	}
	return nil
}

// checkFields looks at an opportunity's fields with the type's metadata; a type
// the account does not know has none. whole is false for an update, which may leave mandatory fields out.
func (a *Account) checkFields(code int32, fields []pair, whole bool) *refusal {
	t := a.typeOf(int(code))
	if t == nil && a.o.StrictTypes {
		return invalid("Opportunity type with code '%d' does not exist", code)
	}
	if s := valueOf(fields, "Status"); s != "" && !slices.Contains(statuses, strings.TrimSpace(s)) {
		return invalid("Status '%s' is not valid: accepted values are Open, Won and Lost", s)
	}
	for _, m := range a.mandatory(t) {
		given := slices.ContainsFunc(fields, func(p pair) bool { return p.name == m })
		if (whole || given) && strings.TrimSpace(valueOf(fields, m)) == "" {
			dataType := "String"
			if t != nil {
				dataType = fieldOf(t.Fields, m).DataType
			}
			return &refusal{kind: "MXInvalidActivityFieldsException", message: fmt.Sprintf("Field name : '%s' of datatype : '%s' is mandatory.", m, dataType)}
		}
	}
	if t == nil {
		return nil
	}
	for _, p := range fields {
		i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.SchemaName == p.name })
		if i < 0 {
			if a.o.StrictFields {
				return &refusal{kind: "MXInvalidActivityFieldsException", message: fmt.Sprintf("Field name : '%s' does not exist.", p.name)}
			}
			continue
		}
		f := t.Fields[i]
		if why := checkValue(f, p.value); why != "" {
			return invalid("%s", why)
		}
		if !a.o.StrictFields || strings.TrimSpace(p.value) == "" {
			continue
		}
		if f.ReadOnly {
			return &refusal{kind: "MXInvalidActivityFieldsException", message: fmt.Sprintf("Field name : '%s' is read only.", p.name)}
		}
		if f.DataType == "Dropdown" && len(f.Options) > 0 && !slices.Contains(f.Options, strings.TrimSpace(p.value)) {
			return invalid("'%s' is not an option of field '%s'", p.value, p.name)
		}
	}
	return nil
}

// mandatory lists the schema names that a type cannot do without.
func (a *Account) mandatory(t *Type) []string {
	list := a.o.Mandatory
	if t == nil {
		return list
	}
	for _, f := range t.Fields {
		if f.Mandatory && !slices.Contains(list, f.SchemaName) {
			list = append(slices.Clip(list), f.SchemaName)
		}
	}
	return list
}

// isEmail is a rough look at an address: one @, a dotted domain, no white space.
func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || strings.ContainsAny(s, " \t\r\n,;<>()\"") || strings.Contains(domain, "@") {
		return false
	}
	dot := strings.LastIndexByte(domain, '.')
	return dot > 0 && dot < len(domain)-1 && !strings.Contains(s, "..")
}

// captureAnswer is the answer of Capture. Status is a number, or a string on some accounts (field report).
type captureAnswer struct {
	Status                  any
	PrimaryAction           int
	SecondaryAction         int
	ExceptionType           *string
	ExceptionMessage        *string
	RequestId               string
	RelatedProspectId       *string
	IsUnique                bool
	CreatedOpportunityId    *string
	ConflictedOpportunityId *string
	AdditionalDetails       []additional
	switches
}

type additional struct {
	PostDeDupActionPerformed int // 1: created, 3: a duplicate was detected
	ActivityId               string
}

func (a *Account) capture(c *call) answer {
	r, no := a.parseCapture(c.body)
	if no == nil {
		var done captureAnswer
		a.mu.Lock()
		a.drain()
		r.call = c.record.Number
		done, no = a.apply(r, a.now())
		a.mu.Unlock()
		if no == nil {
			return ok(done)
		}
	}
	if a.o.RejectForm == "200" && !no.bad {
		a.mu.Lock()
		v := a.newID().String()
		a.mu.Unlock()
		out := ok(captureAnswer{Status: a.status(1), ExceptionType: &no.kind, ExceptionMessage: &no.message, RequestId: v, AdditionalDetails: []additional{}})
		out.refused = true
		return out
	}
	return no.answer()
}

func (a *Account) status(n int) any {
	if a.o.StatusAsString {
		return strconv.Itoa(n)
	}
	return n
}

// apply carries a capture out: lead, duplicate rule, opportunity. Either all
// of it happens or, with a refusal, none. The caller holds mu.
func (a *Account) apply(r *request, now time.Time) (captureAnswer, *refusal) {
	s := a.store
	at, found := int32(0), false
	if r.searchBy == "ProspectID" {
		at, found = s.leadByID[r.leadID]
	} else {
		at, found = s.unique[lookup{r.searchBy, r.searchFor}]
	}
	if email := fold("EmailAddress", valueOf(r.attributes, "EmailAddress")); email != "" {
		// An e-mail address is one lead's alone, whatever the search went by.
		if other, taken := s.unique[lookup{"EmailAddress", email}]; taken && (!found || other != at) {
			return captureAnswer{}, &refusal{kind: "MXDuplicateEntryException", message: "A Lead with same Email Address already exists."}
		}
	}
	if found {
		s.updateLead(at, r.attributes, a.unique)
	} else {
		v := r.leadID
		if r.searchBy != "ProspectID" {
			v = a.newID()
		}
		at = s.addLead(v, r.attributes, a.unique, now)
	}
	leadID := s.leads[at].id.String()
	done := captureAnswer{
		Status: a.status(0), PrimaryAction: 1, SecondaryAction: 1, RequestId: a.newID().String(),
		RelatedProspectId: &leadID, switches: r.switches, IsUnique: true,
	}
	if match, hit := a.ruleMatch(r.code, r.fields); hit {
		o := &s.opps[match]
		if r.switches.OverwriteFields || r.switches.UpdateEmptyFields {
			a.changeOpportunity(match, change{fields: r.fields, onlyEmpty: r.switches.UpdateEmptyFields, by: a.o.User.Name}, now)
		}
		conflict := o.id.String()
		done.IsUnique = false
		done.ConflictedOpportunityId = &conflict
		done.AdditionalDetails = []additional{{3, conflict}}
		return done, nil
	}
	o := opportunity{id: a.newID(), lead: at, code: r.code, created: now.UnixNano(), modified: now.UnixNano(), note: r.note, dateTime: r.dateTime, call: r.call}
	if !a.o.DropBodies {
		o.body = r.raw
	}
	a.keepOpportunity(o, r.fields)
	created := o.id.String()
	done.CreatedOpportunityId = &created
	done.AdditionalDetails = []additional{{1, created}}
	if p := a.o.PartialField; p != "" && slices.ContainsFunc(r.fields, func(f pair) bool { return f.name == p }) {
		kind, message := "MXInvalidActivityFieldsException", fmt.Sprintf("Field name : '%s' was not updated.", p)
		done.Status, done.ExceptionType, done.ExceptionMessage = a.status(2), &kind, &message
	}
	return done, nil
}

// keepOpportunity stores a new opportunity and what the duplicate rule needs. The caller holds mu.
func (a *Account) keepOpportunity(o opportunity, fields []pair) {
	a.rewrite(fields)
	o.fields = a.store.names.pack(fields)
	at := a.store.addOpportunity(o)
	if a.o.DuplicateField == "" {
		return
	}
	if v := strings.TrimSpace(valueOf(fields, a.o.DuplicateField)); v != "" {
		if _, taken := a.store.rule[ruleKey{o.code, v}]; !taken {
			a.store.rule[ruleKey{o.code, v}] = at
		}
	}
}

// ruleMatch finds the opportunity that the account's duplicate rule takes for the same. The caller holds mu.
func (a *Account) ruleMatch(code int32, fields []pair) (int32, bool) {
	if a.o.DuplicateField == "" {
		return 0, false
	}
	v := strings.TrimSpace(valueOf(fields, a.o.DuplicateField))
	if v == "" {
		return 0, false
	}
	at, hit := a.store.rule[ruleKey{code, v}]
	return at, hit
}

// success is the plain answer of calls that make or change one record.
func success(recordID string) answer {
	var s struct {
		Status  string
		Message struct{ Id string }
	}
	s.Status, s.Message.Id = "Success", recordID
	return ok(s)
}
