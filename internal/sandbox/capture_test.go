package sandbox

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

const someGUID = "8eca6fa6-262c-43eb-8cfe-6e3325e2dc73"

// leadBody is a capture with LeadDetails given as attribute, value, attribute, value.
func leadBody(details ...string) string {
	list := []string{}
	for i := 0; i+1 < len(details); i += 2 {
		list = append(list, fmt.Sprintf(`{"Attribute":%q,"Value":%q}`, details[i], details[i+1]))
	}
	return fmt.Sprintf(`{"LeadDetails":[%s],"Opportunity":{"OpportunityEventCode":12000,"Fields":[]}}`, strings.Join(list, ","))
}

func oppBody(opportunity string) string {
	return `{"LeadDetails":[{"Attribute":"EmailAddress","Value":"a@example.com"},{"Attribute":"SearchBy","Value":"EmailAddress"}],"Opportunity":{` + opportunity + `}}`
}

func TestCaptureTheVendorsExample(t *testing.T) {
	a := newTester(t, Options{})
	r := a.post(oppPath+"Capture", `{"LeadDetails":[{"Attribute":"EmailAddress","Value":"johndoe@example.com"},{"Attribute":"mx_City","Value":"Bangalore"},
		{"Attribute":"SearchBy","Value":"EmailAddress"}],"Opportunity":{"OpportunityEventCode":12231,"OpportunityNote":"Opportunity capture api",
		"OpportunityDateTime":"2020-12-05 12:13:44","Fields":[{"SchemaName":"mx_Custom_1","Value":"1"},{"SchemaName":"mx_Custom_2","Value":"1"}]}}`)
	r.has(t, 200)
	var c captured
	r.json(t, &c)
	guid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if string(c.Status) != "0" || !guid.MatchString(c.CreatedOpportunityId) || !guid.MatchString(c.RelatedProspectId) || !guid.MatchString(c.RequestId) || !c.IsUnique || c.ConflictedOpportunityId != "" {
		t.Errorf("answer %s", r.body)
	}
	if len(c.AdditionalDetails) != 1 || c.AdditionalDetails[0] != (additional{1, c.CreatedOpportunityId}) {
		t.Errorf("details %+v", c.AdditionalDetails)
	}
	for _, name := range []string{"PrimaryAction", "SecondaryAction", "ExceptionType", "ExceptionMessage", "ConflictedOpportunityId", "OverwriteFields", "UpdateEmptyFields", "DoNotPostDuplicateActivity", "DoNotChangeOwner"} {
		if !strings.Contains(r.body, `"`+name+`":`) {
			t.Errorf("answer lacks %s: %s", name, r.body)
		}
	}
	o := a.Opportunities()
	if len(o) != 1 || o[0].ID != c.CreatedOpportunityId || o[0].LeadID != c.RelatedProspectId || o[0].EventCode != 12231 || o[0].Note != "Opportunity capture api" ||
		o[0].DateTime != "2020-12-05 12:13:44" || len(o[0].Fields) != 2 || o[0].Fields["mx_Custom_1"] != "1" || !strings.Contains(string(o[0].Body), "Bangalore") {
		t.Errorf("held %+v", o)
	}
	l := a.Leads()
	if len(l) != 1 || l[0].ID != c.RelatedProspectId || len(l[0].Attributes) != 2 || l[0].Attributes["mx_City"] != "Bangalore" || l[0].CreatedOn.IsZero() {
		t.Errorf("leads %+v", l)
	}
}

func TestCaptureRefuses(t *testing.T) {
	mail := func(address string) string { return leadBody("EmailAddress", address, "SearchBy", "EmailAddress") }
	for _, c := range []struct {
		name, body, kind, message string
	}{
		{"no SearchBy", leadBody("EmailAddress", "a@example.com"), "MXMandatoryAttributeMissingException", "'SearchBy' is mandatory"},
		{"no lead details at all", leadBody(), "MXMandatoryAttributeMissingException", "'SearchBy'"},
		{"SearchBy names what is not there", leadBody("Phone", "+91-9876543210", "SearchBy", "EmailAddress"), "MXMandatoryAttributeMissingException", "'EmailAddress'"},
		{"SearchBy names what is blank", leadBody("Phone", " ", "SearchBy", "Phone"), "MXMandatoryAttributeMissingException", "'Phone'"},
		{"SearchBy names what is not unique", leadBody("mx_City", "Pune", "SearchBy", "mx_City"), "MXInvalidInputException", "mx_City"},
		{"SearchBy in another case", leadBody("EmailAddress", "a@example.com", "SearchBy", "emailaddress"), "MXInvalidInputException", "emailaddress"},
		{"e-mail without a domain", mail("a@"), "MXInvalidEmailException", "a@"},
		{"e-mail without a dot", mail("a@example"), "MXInvalidEmailException", "a@example"},
		{"e-mail with a space", mail("a b@example.com"), "MXInvalidEmailException", "a b@"},
		{"two e-mails", mail("a@example.com,b@example.com"), "MXInvalidEmailException", ""},
		{"bad e-mail beside a phone", leadBody("Phone", "+91-1", "EmailAddress", "none", "SearchBy", "Phone"), "MXInvalidEmailException", "none"},
		{"lead id with the other casing", leadBody("ProspectID", someGUID, "SearchBy", "ProspectID", "__UseUserDefinedGuid__", "true"), "MXInvalidInputException", "ProspectID"},
		{"lead id under the other name", leadBody("ProspectId", someGUID, "SearchBy", "ProspectId", "__UseUserDefinedGuid__", "true"), "MXMandatoryAttributeMissingException", "'ProspectID'"},
		{"lead id without the switch", leadBody("ProspectID", someGUID, "SearchBy", "ProspectId"), "MXInvalidInputException", "__UseUserDefinedGuid__"},
		{"lead id that is none", leadBody("ProspectID", "17", "SearchBy", "ProspectId", "__UseUserDefinedGuid__", "true"), "MXInvalidInputException", "17"},
		{"no event code", oppBody(`"Fields":[]`), "MXMandatoryAttributeMissingException", "'OpportunityEventCode'"},
		{"event code zero", oppBody(`"OpportunityEventCode":0`), "MXInvalidInputException", "'0'"},
		{"both switches", oppBody(`"OpportunityEventCode":12000,"OverwriteFields":true,"UpdateEmptyFields":true`), "MXInvalidInputException", "OverwriteFields"},
		{"milliseconds", oppBody(`"OpportunityEventCode":12000,"OpportunityDateTime":"2020-12-05 12:13:44.000"`), "MXInvalidInputException", "2020-12-05 12:13:44.000"},
		{"ISO time", oppBody(`"OpportunityEventCode":12000,"OpportunityDateTime":"2020-12-05T12:13:44"`), "MXInvalidInputException", ""},
		{"date alone", oppBody(`"OpportunityEventCode":12000,"OpportunityDateTime":"2020-12-05"`), "MXInvalidInputException", ""},
		{"30 February", oppBody(`"OpportunityEventCode":12000,"OpportunityDateTime":"2020-02-30 00:00:00"`), "MXInvalidInputException", ""},
		{"24 o'clock", oppBody(`"OpportunityEventCode":12000,"OpportunityDateTime":"2020-02-03 24:00:00"`), "MXInvalidInputException", ""},
		{"unknown status", captureJSON("a@example.com", "Status", "Closed"), "MXInvalidInputException", "Closed"},
		{"status in another case", captureJSON("a@example.com", "Status", "open"), "MXInvalidInputException", "open"},
		{"number with a comma", captureJSON("a@example.com", "mx_Custom_6", "1,200"), "MXInvalidInputException", "1,200"},
		{"number that is none", captureJSON("a@example.com", "mx_Custom_6", "NaN"), "MXInvalidInputException", "NaN"},
		{"number with an exponent", captureJSON("a@example.com", "mx_Custom_6", "1e9"), "MXInvalidInputException", "1e9"},
		{"datetime field with milliseconds", captureJSON("a@example.com", "mx_Custom_11", "2020-12-05 12:13:44.000"), "MXInvalidInputException", "mx_Custom_11"},
		{"date field with slashes", captureJSON("a@example.com", "mx_Custom_8", "05/12/2020"), "MXInvalidInputException", "mx_Custom_8"},
		{"text too long", captureJSON("a@example.com", "mx_Custom_3", strings.Repeat("ü", 201)), "MXInvalidInputException", "201"},
		{"empty mandatory field", captureJSON("a@example.com", "mx_Custom_19", " "), "MXInvalidActivityFieldsException", "Field name : 'mx_Custom_19' of datatype : 'String' is mandatory."},
		{"missing mandatory field", captureJSON("a@example.com"), "MXInvalidActivityFieldsException", "mx_Custom_19"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{}
			if strings.Contains(c.name, "mandatory") {
				o.Mandatory = []string{"mx_Custom_19"}
			}
			a := newTester(t, o)
			a.post(oppPath+"Capture", c.body).has(t, 500, `{"Status":"Error","ExceptionType":"`+c.kind+`"`, c.message)
			if len(a.Leads()) != 0 || len(a.Opportunities()) != 0 {
				t.Error("something was created")
			}
			o.RejectForm = "200"
			b := newTester(t, o)
			r := b.post(oppPath+"Capture", c.body)
			r.has(t, 200, c.message)
			var got captured
			r.json(t, &got)
			if string(got.Status) != "1" || got.ExceptionType != c.kind || got.CreatedOpportunityId != "" {
				t.Errorf("answer %s", r.body)
			}
		})
	}
}

func TestCaptureTakes(t *testing.T) {
	for name, body := range map[string]string{
		"the least":                   oppBody(`"OpportunityEventCode":12000`),
		"null values":                 oppBody(`"OpportunityEventCode":12000,"OpportunityNote":null,"Fields":[{"SchemaName":"mx_Custom_1","Value":null}]`),
		"a date alone in a date":      captureJSON("a@example.com", "mx_Custom_8", "2024-02-29"),
		"a datetime in a date":        captureJSON("a@example.com", "mx_Custom_8", "2024-02-29 10:00:00"),
		"200 characters of 400 bytes": captureJSON("a@example.com", "mx_Custom_3", strings.Repeat("ü", 200)),
		"a field nobody knows":        captureJSON("a@example.com", "mx_Custom_99", "x"),
		"an unlisted option":          captureJSON("a@example.com", "mx_Custom_2", "Elsewhere"),
		"another event code":          strings.Replace(captureJSON("a@example.com"), "12000", "12001", 1),
		"one switch":                  oppBody(`"OpportunityEventCode":12000,"OverwriteFields":true,"DoNotChangeOwner":true`),
		"a negative number":           captureJSON("a@example.com", "mx_Custom_6", "-12.5"),
		"an address with a plus":      captureJSON("a+b@example.co.in"),
	} {
		t.Run(name, func(t *testing.T) {
			a := newTester(t, Options{})
			a.post(oppPath+"Capture", body).has(t, 200, `"Status":0`)
		})
	}
}

func TestStrictAccounts(t *testing.T) {
	types := newTester(t, Options{StrictTypes: true})
	types.post(oppPath+"Capture", strings.Replace(captureJSON("a@example.com"), "12000", "12001", 1)).has(t, 500, "12001")
	types.capture("a@example.com").has(t, 200)

	fields := newTester(t, Options{StrictFields: true})
	fields.capture("a@example.com", "mx_Custom_99", "x").has(t, 500, "MXInvalidActivityFieldsException", "mx_Custom_99")
	fields.capture("a@example.com", "mx_Custom_2", "Elsewhere").has(t, 500, "Elsewhere")
	fields.capture("a@example.com", "mx_Custom_20", "x").has(t, 500, "read only")
	fields.capture("a@example.com", "mx_Custom_2", "Negotiation", "mx_Custom_10", "Anything").has(t, 200)
}

func TestStatusAsString(t *testing.T) {
	a := newTester(t, Options{StatusAsString: true, PartialField: "mx_Custom_5", RejectForm: "200"})
	a.capture("a@example.com").has(t, 200, `"Status":"0"`)
	a.capture("a@example.com", "mx_Custom_5", "x").has(t, 200, `"Status":"2"`)
	a.capture("none").has(t, 200, `"Status":"1"`)
}

func TestPartialSuccessHasAnID(t *testing.T) {
	a := newTester(t, Options{PartialField: "mx_Custom_5"})
	c := a.captured("a@example.com", "mx_Custom_5", "x")
	if string(c.Status) != "2" || c.CreatedOpportunityId == "" || !strings.Contains(c.ExceptionMessage, "mx_Custom_5") {
		t.Errorf("answer %+v", c)
	}
	if len(a.Opportunities()) != 1 {
		t.Error("nothing was created")
	}
}

func TestRepeatsMakeSecondRecords(t *testing.T) {
	a := newTester(t, Options{})
	first, second := a.captured("a@example.com"), a.captured("a@example.com")
	if !second.IsUnique || first.CreatedOpportunityId == second.CreatedOpportunityId || first.RelatedProspectId != second.RelatedProspectId {
		t.Errorf("answers %+v and %+v", first, second)
	}
	if len(a.Opportunities()) != 2 || len(a.Leads()) != 1 {
		t.Errorf("%d opportunities, %d leads", len(a.Opportunities()), len(a.Leads()))
	}
}

func TestLeadMatching(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second []string
		leads         int
	}{
		{"same e-mail", []string{"EmailAddress", "a@example.com", "SearchBy", "EmailAddress"}, []string{"EmailAddress", "a@example.com", "SearchBy", "EmailAddress"}, 1},
		{"e-mail in another case", []string{"EmailAddress", "Asha@Example.com", "SearchBy", "EmailAddress"}, []string{"EmailAddress", " asha@example.COM", "SearchBy", "EmailAddress"}, 1},
		{"other e-mail", []string{"EmailAddress", "a@example.com", "SearchBy", "EmailAddress"}, []string{"EmailAddress", "b@example.com", "SearchBy", "EmailAddress"}, 2},
		{"same phone", []string{"Phone", "+91-9876543210", "SearchBy", "Phone"}, []string{"Phone", "+91-9876543210", "SearchBy", "Phone"}, 1},
		{"phone without the hyphen makes a second lead", []string{"Phone", "+91-9876543210", "SearchBy", "Phone"}, []string{"Phone", "+919876543210", "SearchBy", "Phone"}, 2},
		{"bare phone makes a second lead", []string{"Phone", "+91-9876543210", "SearchBy", "Phone"}, []string{"Phone", "9876543210", "SearchBy", "Phone"}, 2},
		{"mobile is not phone", []string{"Phone", "+91-9876543210", "SearchBy", "Phone"}, []string{"Mobile", "+91-9876543210", "SearchBy", "Mobile"}, 2},
		{"another unique field", []string{"mx_Customer_Id", "C1", "SearchBy", "mx_Customer_Id"}, []string{"mx_Customer_Id", "C1", "SearchBy", "mx_Customer_Id"}, 1},
		{"the lead's own id", []string{"ProspectID", someGUID, "SearchBy", "ProspectId", "__UseUserDefinedGuid__", "true"},
			[]string{"ProspectID", strings.ToUpper(someGUID), "SearchBy", "ProspectId", "__UseUserDefinedGuid__", "true"}, 1},
		{"found by e-mail that a phone search brought", []string{"Phone", "+91-1", "EmailAddress", "a@example.com", "SearchBy", "Phone"}, []string{"EmailAddress", "a@example.com", "SearchBy", "EmailAddress"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newTester(t, Options{})
			a.post(oppPath+"Capture", leadBody(c.first...)).has(t, 200)
			a.post(oppPath+"Capture", leadBody(c.second...)).has(t, 200)
			if n := len(a.Leads()); n != c.leads {
				t.Errorf("%d leads, want %d", n, c.leads)
			}
		})
	}
}

func TestALeadMadeByIDKeepsIt(t *testing.T) {
	a := newTester(t, Options{})
	a.post(oppPath+"Capture", leadBody("ProspectID", someGUID, "SearchBy", "ProspectId", "__UseUserDefinedGuid__", "TRUE", "FirstName", "Asha")).has(t, 200, someGUID)
	l := a.Leads()
	if len(l) != 1 || l[0].ID != someGUID || len(l[0].Attributes) != 1 || l[0].Attributes["FirstName"] != "Asha" {
		t.Errorf("leads %+v", l)
	}
}

func TestAnEmailIsOneLeadsAlone(t *testing.T) {
	a := newTester(t, Options{})
	a.post(oppPath+"Capture", leadBody("EmailAddress", "a@example.com", "SearchBy", "EmailAddress")).has(t, 200)
	a.post(oppPath+"Capture", leadBody("EmailAddress", "A@example.com", "Phone", "+91-1", "SearchBy", "Phone")).has(t, 500, "MXDuplicateEntryException")
	a.post(oppPath+"Capture", leadBody("EmailAddress", "b@example.com", "Phone", "+91-2", "SearchBy", "Phone")).has(t, 200)
	a.post(oppPath+"Capture", leadBody("EmailAddress", "a@example.com", "Phone", "+91-2", "SearchBy", "Phone")).has(t, 500, "MXDuplicateEntryException")
	if len(a.Leads()) != 2 || len(a.Opportunities()) != 2 {
		t.Errorf("%d leads, %d opportunities", len(a.Leads()), len(a.Opportunities()))
	}
}

func TestAMatchedLeadIsUpdated(t *testing.T) {
	a := newTester(t, Options{})
	a.post(oppPath+"Capture", leadBody("EmailAddress", "a@example.com", "SearchBy", "EmailAddress", "mx_City", "Pune", "Phone", "+91-1")).has(t, 200)
	a.post(oppPath+"Capture", leadBody("EmailAddress", "a@example.com", "SearchBy", "EmailAddress", "mx_City", "Delhi", "FirstName", "Asha", "Phone", "")).has(t, 200)
	got := a.Leads()[0].Attributes
	if got["mx_City"] != "Delhi" || got["FirstName"] != "Asha" || got["Phone"] != "+91-1" {
		t.Errorf("attributes %v", got)
	}
	// A new phone is found, the old one is not.
	a.post(oppPath+"Capture", leadBody("EmailAddress", "a@example.com", "SearchBy", "EmailAddress", "Phone", "+91-2222")).has(t, 200)
	a.get(leadPath+"RetrieveLeadByPhoneNumber?phone=2222").has(t, 200, "a@example.com")
	if r := a.get(leadPath + "RetrieveLeadByPhoneNumber?phone=1"); r.body != "[]" {
		t.Errorf("the old phone finds %s", r.body)
	}
}

func TestDuplicateRule(t *testing.T) {
	a := newTester(t, Options{DuplicateField: "mx_Custom_1"})
	first := a.captured("a@example.com", "mx_Custom_1", "Deal 1", "mx_Custom_3", "Web")
	r := a.capture("a@example.com", "mx_Custom_1", " Deal 1", "mx_Custom_3", "Fair", "mx_Custom_4", "Price")
	var again captured
	r.has(t, 200, `"CreatedOpportunityId":null`)
	r.json(t, &again)
	if string(again.Status) != "0" || again.ConflictedOpportunityId != first.CreatedOpportunityId || again.IsUnique || again.AdditionalDetails[0].PostDeDupActionPerformed != 3 {
		t.Errorf("answer %s", r.body)
	}
	fields := func() map[string]string { return a.Opportunities()[0].Fields }
	if got := fields(); len(a.Opportunities()) != 1 || got["mx_Custom_3"] != "Web" {
		t.Errorf("a duplicate changed the record: %v", got)
	}
	with := func(name string) {
		body := captureJSON("a@example.com", "mx_Custom_1", "Deal 1", "mx_Custom_3", "Fair", "mx_Custom_4", "Price")
		a.post(oppPath+"Capture", strings.Replace(body, `"Opportunity":{`, `"Opportunity":{"`+name+`":true,`, 1)).has(t, 200, first.CreatedOpportunityId, `"`+name+`":true`)
	}
	with("UpdateEmptyFields")
	if got := fields(); got["mx_Custom_3"] != "Web" || got["mx_Custom_4"] != "Price" {
		t.Errorf("after UpdateEmptyFields: %v", got)
	}
	with("OverwriteFields")
	if got := fields(); got["mx_Custom_3"] != "Fair" {
		t.Errorf("after OverwriteFields: %v", got)
	}
	if c := a.captured("a@example.com", "mx_Custom_1", "Deal 2"); c.CreatedOpportunityId == "" {
		t.Error("another value is no duplicate")
	}
	if c := a.captured("a@example.com"); c.CreatedOpportunityId == "" {
		t.Error("no value is no duplicate")
	}
	a.post(oppPath+"Capture", strings.Replace(captureJSON("a@example.com", "mx_Custom_1", "Deal 1"), "12000", "12001", 1)).has(t, 200, `"ConflictedOpportunityId":null`)
	if n := len(a.Opportunities()); n != 4 {
		t.Errorf("%d opportunities, want 4", n)
	}
}

func TestUpdateOpportunity(t *testing.T) {
	a := newTester(t, Options{Mandatory: []string{"mx_Custom_1"}, DuplicateField: "mx_Custom_3"})
	v := a.captured("a@example.com", "mx_Custom_1", "Deal", "mx_Custom_3", "old").CreatedOpportunityId
	update := func(id, rest string) reply {
		return a.post(oppPath+"Update", fmt.Sprintf(`{"ProspectOpportunityId":%q%s}`, id, rest))
	}
	r := update(v, `,"OpportunityNote":"new note","Fields":[{"SchemaName":"Status","Value":"Won"},{"SchemaName":"mx_Custom_3","Value":"new"}]`)
	if want := `{"Status":"Success","Message":{"Id":"` + v + `"}}`; r.body != want {
		t.Errorf("answer %s, want %s", r.body, want)
	}
	if o := a.Opportunities()[0]; o.Note != "new note" || o.Fields["Status"] != "Won" || o.Fields["mx_Custom_1"] != "Deal" {
		t.Errorf("held %+v", o)
	}
	// The duplicate rule follows the update.
	a.capture("a@example.com", "mx_Custom_1", "Deal", "mx_Custom_3", "new").has(t, 200, `"ConflictedOpportunityId":"`+v)
	a.capture("a@example.com", "mx_Custom_1", "Deal", "mx_Custom_3", "old").has(t, 200, `"ConflictedOpportunityId":null`)

	update(someGUID, "").has(t, 500, "MXInvalidInputException")
	update("", "").has(t, 500, "MXMandatoryAttributeMissingException")
	update(v, `,"Fields":[{"SchemaName":"Status","Value":"Done"}]`).has(t, 500, "Done")
	update(v, `,"Fields":[{"SchemaName":"mx_Custom_1","Value":""}]`).has(t, 500, "MXInvalidActivityFieldsException")
	update(v, `,"Opportunity":{}`).has(t, 400)
}

func TestDropBodies(t *testing.T) {
	a := newTester(t, Options{DropBodies: true})
	a.capture("a@example.com", "mx_Custom_1", "x").has(t, 200)
	if o := a.Opportunities()[0]; o.Body != nil || o.Fields["mx_Custom_1"] != "x" {
		t.Errorf("held %+v", o)
	}
}

func TestReset(t *testing.T) {
	a := newTester(t, Options{Products: []Product{{SKU: "P"}}, DuplicateField: "mx_Custom_1"})
	first := a.captured("a@example.com", "mx_Custom_1", "x")
	a.post(userPath+"CheckIn", `{"Source":"API"}`).has(t, 200)
	a.Reset()
	if n := a.Count(); n.Calls != 0 || n.Leads != 0 || n.Opportunities != 0 || len(a.Calls()) != 0 {
		t.Errorf("counters %+v", n)
	}
	if in, last := a.Checked(); in || !last.IsZero() {
		t.Error("still checked in")
	}
	again := a.captured("a@example.com", "mx_Custom_1", "x")
	if again.RelatedProspectId == first.RelatedProspectId || again.CreatedOpportunityId == "" {
		t.Errorf("something of before is left: %+v", again)
	}
	a.post(salesPath+"RetrieveProducts", "").has(t, 200, `"ProductSku":"P"`)
}

func TestMandatoryByMetadata(t *testing.T) {
	a := newTester(t, Options{
		Mandatory:   []string{"mx_Custom_2"},
		Types:       []Type{{Code: DefaultType, Name: "Deal", Fields: []Field{{SchemaName: "mx_Custom_1", DataType: "Number", Mandatory: true}, {SchemaName: "mx_Custom_2"}}}},
		SalesFields: []Field{{SchemaName: "mx_Custom_1", Mandatory: true}, {SchemaName: "mx_Custom_5", DataType: "String", Mandatory: true}},
	})
	a.capture("a@example.com", "mx_Custom_2", "x").has(t, 500, "Field name : 'mx_Custom_1' of datatype : 'Number' is mandatory.")
	a.capture("a@example.com", "mx_Custom_1", "1").has(t, 500, "mx_Custom_2")
	a.capture("a@example.com", "mx_Custom_1", "1", "mx_Custom_2", "x").has(t, 200)
	if n := strings.Count(a.get(oppPath+"GetOpportunityTypeMetadata?code=12000").body, `"IsMandatory":true`); n != 2 {
		t.Errorf("%d fields are mandatory, want 2", n)
	}
	v := a.Leads()[0].ID
	a.post(salesPath+"Create", saleJSON(v, "")).has(t, 500, "MXInvalidActivityFieldsException", "mx_Custom_5")
	a.post(salesPath+"Create", saleJSON(v, `,"mx_Custom_5":"x"`)).has(t, 200)
	a.post(salesPath+"Update", fmt.Sprintf(`{"Id":%q,"Status":"Open"}`, a.SalesActivities()[0].ID)).has(t, 200)
}

func TestRefusalsAreCounted(t *testing.T) {
	for _, form := range []string{"500", "200"} {
		a := newTester(t, Options{RejectForm: form})
		a.capture("none")
		a.capture("a@example.com")
		if n := a.Count(); n.Refused != 1 || n.Creates != 2 {
			t.Errorf("form %s: counters %+v", form, n)
		}
	}
}
