package sandbox

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLeadLookups(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit})
	add := func(attributes map[string]string) string {
		v, err := a.AddLead(attributes)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	asha := add(map[string]string{"EmailAddress": "Asha@Example.com", "Phone": "+91-9876543210", "FirstName": " Asha "})
	twin := add(map[string]string{"Mobile": "+91-9876543210"})
	bare := add(map[string]string{"Phone": "5551234567"})
	by := func(call, name, value string) string {
		return leadPath + call + "?" + name + "=" + url.QueryEscape(value)
	}
	for _, c := range []struct {
		name, path string
		want       []string
	}{
		{"e-mail", by("Leads.GetByEmailaddress", "emailaddress", "Asha@Example.com"), []string{asha}},
		{"e-mail in another case", by("Leads.GetByEmailaddress", "emailaddress", "asha@example.com "), []string{asha}},
		{"parameter in another case", by("Leads.GetByEmailaddress", "EmailAddress", "asha@example.com"), []string{asha}},
		{"unknown e-mail", by("Leads.GetByEmailaddress", "emailaddress", "b@example.com"), nil},
		{"phone with country code", by("RetrieveLeadByPhoneNumber", "phone", "919876543210"), []string{asha, twin}},
		{"phone without country code", by("RetrieveLeadByPhoneNumber", "phone", "9876543210"), []string{asha, twin}},
		{"phone as stored finds nobody", by("RetrieveLeadByPhoneNumber", "phone", "+91-9876543210"), nil},
		{"phone with spaces finds nobody", by("RetrieveLeadByPhoneNumber", "phone", "98765 43210"), nil},
		{"bare phone", by("RetrieveLeadByPhoneNumber", "phone", "5551234567"), []string{bare}},
		{"a country code that was never stored", by("RetrieveLeadByPhoneNumber", "phone", "15551234567"), nil},
		{"id", by("Leads.GetById", "id", asha), []string{asha}},
		{"id in capitals", by("Leads.GetById", "id", strings.ToUpper(asha)), []string{asha}},
		{"unknown id", by("Leads.GetById", "id", someGUID), nil},
		{"id that is none", by("Leads.GetById", "id", "17"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := a.get(c.path)
			r.has(t, 200)
			var got []map[string]string
			r.json(t, &got)
			if got == nil || len(got) != len(c.want) {
				t.Fatalf("got %s, want %d leads", r.body, len(c.want))
			}
			for i := range got {
				if got[i]["ProspectID"] != c.want[i] {
					t.Errorf("got %v", got)
				}
			}
		})
	}
	a.get(by("Leads.GetById", "id", asha)).has(t, 200, `"FirstName":"Asha"`, `"EmailAddress":"Asha@Example.com"`, `"Phone":"+91-9876543210"`, `"CreatedOn":"`)
	for _, p := range []string{"Leads.GetByEmailaddress", "RetrieveLeadByPhoneNumber", "Leads.GetById"} {
		a.get(leadPath+p).has(t, 500, "MXMandatoryAttributeMissingException")
	}
}

func TestAddLeadAndOpportunityByHand(t *testing.T) {
	a := newTester(t, Options{})
	v, err := a.AddLead(map[string]string{"ProspectID": someGUID, "EmailAddress": "a@example.com"})
	if err != nil || v != someGUID {
		t.Fatalf("lead %q, %v", v, err)
	}
	for name, attributes := range map[string]map[string]string{
		"again":           {"ProspectID": someGUID},
		"id that is none": {"ProspectID": "17"},
	} {
		if _, err := a.AddLead(attributes); err == nil {
			t.Errorf("%s: taken without complaint", name)
		}
	}
	o, err := a.AddOpportunity(v, 12000, "note", map[string]string{"mx_Custom_1": "Deal"})
	if err != nil {
		t.Fatal(err)
	}
	a.get(oppPath+"GetOpportunityDetails?OpportunityId="+o).has(t, 200, `"Value":"Deal"`)
	for _, nobody := range []string{"17", "00000000-0000-0000-0000-000000000000"} {
		if _, err := a.AddOpportunity(nobody, 12000, "", nil); err == nil {
			t.Errorf("an opportunity was put on lead %s", nobody)
		}
		if _, err := a.AddSalesActivity(nobody, nil); err == nil {
			t.Errorf("a sales activity was put on lead %s", nobody)
		}
	}
}

type trailAnswer struct {
	RecordCount        int
	ProspectActivities []activity
}

func (s *tester) trailOf(leadID, body string) trailAnswer {
	s.Helper()
	r := s.post(trailPath+"?leadId="+leadID, body)
	r.has(s, 200)
	var got trailAnswer
	r.json(s, &got)
	return got
}

func TestTrail(t *testing.T) {
	a := newTester(t, Options{IndexLag: time.Hour})
	c := a.captured("a@example.com", "mx_Custom_1", " Deal ", "mx_Custom_2", "Negotiation", "mx_Custom_6", "3", "Status", "Won")
	got := a.trailOf(c.RelatedProspectId, `{"Parameter":{"ActivityEvent":12000},"Paging":{"Offset":"0","RowCount":"25"}}`)
	if got.RecordCount != 1 || len(got.ProspectActivities) != 1 {
		t.Fatalf("got %+v: the trail does not lag", got)
	}
	e := got.ProspectActivities[0]
	if e.Id != c.CreatedOpportunityId || e.EventCode != 12000 || e.RelatedProspectId != c.RelatedProspectId {
		t.Errorf("got %+v", e)
	}
	if _, err := time.Parse(time.DateTime, e.CreatedOn); err != nil || len(e.CreatedOn) != 19 {
		t.Errorf("CreatedOn %q does not have whole seconds", e.CreatedOn)
	}
	if data := fmt.Sprint(e.Data); data != fmt.Sprintf("[{mx_Custom_1 Deal} {mx_Custom_2 Negotiation} {Status Won} {Owner %s}]", a.o.User.ID) {
		t.Errorf("data %s: the trail carries few fields", data)
	}
	if n := a.trailOf(c.RelatedProspectId, `{"Parameter":{"ActivityEvent":12001}}`).RecordCount; n != 0 {
		t.Errorf("%d of another type", n)
	}
	if n := a.trailOf(someGUID, "").RecordCount; n != 0 {
		t.Errorf("%d of an unknown lead", n)
	}
	a.post(trailPath, "").has(t, 500, "'leadId' is mandatory")
	a.post(trailPath+"?leadId="+someGUID, `{"Paging":{"Offset":"x"}}`).has(t, 400)
}

func TestTrailHoldsSalesActivities(t *testing.T) {
	a := newTester(t, Options{})
	c := a.captured("a@example.com")
	if _, err := a.AddSalesActivity(c.RelatedProspectId, map[string]string{"Status": "Won"}); err != nil {
		t.Fatal(err)
	}
	if got := a.trailOf(c.RelatedProspectId, ""); got.RecordCount != 2 || got.ProspectActivities[0].EventCode != SalesEvent {
		t.Errorf("whole trail %+v", got)
	}
	if got := a.trailOf(c.RelatedProspectId, `{"Parameter":{"ActivityEvent":30}}`); got.RecordCount != 1 || fmt.Sprint(got.ProspectActivities[0].Data) != "[{Status Won}]" {
		t.Errorf("sales alone %+v", got)
	}
	if got := a.trailOf(c.RelatedProspectId, `{"Parameter":{"ActivityEvent":12000}}`); got.RecordCount != 1 {
		t.Errorf("opportunities alone %+v", got)
	}
}

func TestTrailPaging(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      Options
		paging string
		first  int // position of the first entry, newest is 0
		rows   int
		count  int
	}{
		{"no paging is 25", Options{}, `{}`, 0, 25, 60},
		{"first page", Options{}, `{"Paging":{"Offset":"0","RowCount":"25"}}`, 0, 25, 60},
		{"page number 1", Options{}, `{"Paging":{"Offset":"1","RowCount":"25"}}`, 25, 25, 60},
		{"page number 2", Options{}, `{"Paging":{"Offset":2,"RowCount":25}}`, 50, 10, 60},
		{"past the end", Options{}, `{"Paging":{"Offset":3,"RowCount":25}}`, 60, 0, 60},
		{"absurd offset", Options{}, `{"Paging":{"Offset":"2147483647","RowCount":"1000"}}`, 60, 0, 60},
		{"negative offset", Options{}, `{"Paging":{"Offset":"-1","RowCount":"10"}}`, 0, 10, 60},
		{"items to pass over", Options{TrailOffset: "offset"}, `{"Paging":{"Offset":"25","RowCount":"25"}}`, 25, 25, 60},
		{"one item to pass over", Options{TrailOffset: "offset"}, `{"Paging":{"Offset":"1","RowCount":"10"}}`, 1, 10, 60},
		{"count of the page", Options{TrailCount: "page"}, `{"Paging":{"Offset":2,"RowCount":25}}`, 50, 10, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Clock = func() time.Time { return time.Unix(1e9, 0) } // order does not hang on the clock
			a := newTester(t, c.o)
			v, _ := a.AddLead(map[string]string{"EmailAddress": "a@example.com"})
			var ids []string
			for range 60 {
				o, err := a.AddOpportunity(v, 12000, "", nil)
				if err != nil {
					t.Fatal(err)
				}
				ids = append([]string{o}, ids...)
			}
			got := a.trailOf(v, c.paging)
			if got.RecordCount != c.count || len(got.ProspectActivities) != c.rows {
				t.Fatalf("RecordCount %d and %d rows, want %d and %d", got.RecordCount, len(got.ProspectActivities), c.count, c.rows)
			}
			for i, e := range got.ProspectActivities {
				if e.Id != ids[c.first+i] {
					t.Fatalf("row %d is not entry %d", i, c.first+i)
				}
			}
		})
	}
}

func TestOpportunitiesOfALead(t *testing.T) {
	a := newTester(t, Options{})
	c := a.captured("a@example.com", "mx_Custom_1", " Deal ", "mx_Custom_6", "3", "mx_Custom_8", "2024-02-29", "mx_Custom_11", "2024-02-29 10:00:00", "mx_Custom_99", "x")
	path := oppPath + "GetOpportunitiesOfLead?leadId=" + c.RelatedProspectId
	r := a.post(path+"&opportunityType=12000", "")
	r.has(t, 200)
	var got struct {
		RecordCount int
		List        []map[string]any
	}
	r.json(t, &got)
	if got.RecordCount != 1 || len(got.List) != 1 {
		t.Fatalf("got %s", r.body)
	}
	row := got.List[0]
	for name, want := range map[string]any{
		"OpportunityId": c.CreatedOpportunityId, "RelatedProspectId": c.RelatedProspectId, "Status": "Open", "Owner": a.o.User.ID,
		"OpportunityNote": "a note", "mx_Custom_1": "Deal", "mx_Custom_6": "3.00", "mx_Custom_8": "2024-02-29 00:00:00.000",
		"mx_Custom_11": "2024-02-29 10:00:00.000", "mx_Custom_99": "x", "mx_Custom_3": nil,
	} {
		if row[name] != want {
			t.Errorf("%s is %v, want %v", name, row[name], want)
		}
	}
	if s, _ := row["CreatedOn"].(string); len(s) != len(outputTime) {
		t.Errorf("CreatedOn is %v: answers carry milliseconds", row["CreatedOn"])
	}
	if _, has := row["Fields"]; has {
		t.Error("the rows are flat")
	}
	a.get(path+"&opportunityType=12000").has(t, 405)
	a.post(path, "").has(t, 500, "'opportunityType' is mandatory")
	a.post(path+"&opportunityType=x", "").has(t, 500, "MXInvalidInputException")
	a.post(oppPath+"GetOpportunitiesOfLead?opportunityType=12000", "").has(t, 500, "'leadId' is mandatory")
	a.post(path+"&opportunityType=12001", "").has(t, 200, `{"RecordCount":0,"List":[]}`)
	a.post(oppPath+"GetOpportunitiesOfLead?opportunityType=12000&leadId="+someGUID, "").has(t, 200, `{"RecordCount":0,"List":[]}`)
	for range 2 {
		a.capture("a@example.com").has(t, 200)
	}
	a.post(path+"&opportunityType=12000", `{"Paging":{"PageIndex":2,"PageSize":2}}`).has(t, 200, `"RecordCount":1`, c.CreatedOpportunityId)
	a.post(path+"&opportunityType=12000", `{"Paging":{"PageIndex":1,"PageSize":1},"Sorting":{"ColumnName":"CreatedOn","Direction":"0"}}`).has(t, 200, c.CreatedOpportunityId)
}

func TestIndexLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{IndexLag: 5 * time.Second})
		c := a.captured("a@example.com", "mx_Custom_1", "Deal")
		search := `{"Parameter":{"LookupName":"EmailAddress","LookupValue":"a@example.com","SqlOperator":"="},"Columns":{"Include_CSV":"mx_Custom_1"},"Paging":{"PageIndex":1,"PageSize":25}}`
		look := func(want int) {
			t.Helper()
			count := fmt.Sprintf(`{"RecordCount":%d,`, want)
			a.post(oppPath+"GetOpportunitiesOfLead?opportunityType=12000&leadId="+c.RelatedProspectId, "").has(t, 200, count)
			a.post(oppPath+"GetOpportunitiesByUniqueLeadField", search).has(t, 200, count)
			if r := a.get(oppPath + "GetOpportunityDetails?OpportunityId=" + c.CreatedOpportunityId); (r.status == 200) != (want == 1) {
				t.Errorf("details: HTTP %d %s", r.status, r.body)
			}
			a.get(leadPath+"Leads.GetByEmailaddress?emailaddress=a@example.com").has(t, 200, c.RelatedProspectId)
			if n := a.trailOf(c.RelatedProspectId, "").RecordCount; n != 1 {
				t.Errorf("the trail has %d", n)
			}
		}
		look(0)
		time.Sleep(4900 * time.Millisecond)
		look(0)
		time.Sleep(100 * time.Millisecond)
		look(1)
	})
}

func TestOpportunityDetails(t *testing.T) {
	a := newTester(t, Options{})
	c := a.captured("a@example.com", "mx_Custom_1", " Deal ", "mx_Custom_6", "3.5", "mx_Custom_7", "120000.125", "mx_Custom_99", "x", "Status", "Lost")
	r := a.get(oppPath + "GetOpportunityDetails?opportunityId=" + c.CreatedOpportunityId)
	r.has(t, 200)
	var got struct {
		ID, RelatedProspectId, OpportunityNote, OpportunityDateTime string
		Fields                                                      []struct {
			SchemaName, DisplayName, DataType string
			Value                             *string
		}
	}
	r.json(t, &got)
	if got.ID != c.CreatedOpportunityId || got.RelatedProspectId != c.RelatedProspectId || got.OpportunityNote != "a note" || got.OpportunityDateTime != "2020-12-05 12:13:44.000" {
		t.Errorf("got %s", r.body)
	}
	values := map[string]string{}
	for _, f := range got.Fields {
		if _, twice := values[f.SchemaName]; twice || f.SchemaName == "" || f.DataType == "" || f.DisplayName == "" {
			t.Errorf("field %+v", f)
		}
		values[f.SchemaName] = "<null>"
		if f.Value != nil {
			values[f.SchemaName] = *f.Value
		}
	}
	for name, want := range map[string]string{
		"ActivityEvent_Note": "a note", "Status": "Lost", "mx_Custom_1": "Deal", "mx_Custom_6": "3.50", "mx_Custom_7": "120000.125",
		"mx_Custom_99": "x", "mx_Custom_5": "<null>", "Owner": a.o.User.ID,
	} {
		if values[name] != want {
			t.Errorf("%s is %q, want %q", name, values[name], want)
		}
	}
	a.get(oppPath+"GetOpportunityDetails").has(t, 500, "'OpportunityId' is mandatory")
	a.get(oppPath+"GetOpportunityDetails?OpportunityId="+someGUID).has(t, 500, "does not exist")
}

func TestOpportunitiesByUniqueLeadField(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit})
	r := a.post(oppPath+"Capture", leadBody("EmailAddress", "a@example.com", "Phone", "+91-9876543210", "mx_Customer_Id", "C1", "FirstName", "Asha", "SearchBy", "EmailAddress"))
	var c captured
	r.json(t, &c)
	search := func(name, value, rest string) reply {
		return a.post(oppPath+"GetOpportunitiesByUniqueLeadField", fmt.Sprintf(`{"Parameter":{"LookupName":%q,"LookupValue":%q%s}}`, name, value, rest))
	}
	for name, value := range map[string]string{"EmailAddress": "A@example.com", "Phone": "+91-9876543210", "mx_Customer_Id": "C1", "ProspectId": c.RelatedProspectId} {
		search(name, value, `,"SqlOperator":"="`).has(t, 200, `"RecordCount":1`, c.CreatedOpportunityId)
	}
	search("Phone", "9876543210", "").has(t, 200, `{"RecordCount":0,"List":[]}`)
	search("FirstName", "Asha", "").has(t, 500, "not a unique field")
	search("", "x", "").has(t, 500, "'LookupName' is mandatory")
	search("EmailAddress", "a@example.com", `,"SqlOperator":"like"`).has(t, 500, "SqlOperator")
	a.post(oppPath+"GetOpportunitiesByUniqueLeadField", "").has(t, 400)
	a.post(oppPath+"GetOpportunitiesByUniqueLeadField", `{"Parameter":{"LookupName":"EmailAddress","LookupValue":"a@example.com","SqlOperator":"="},"Columns":{"Include_CSV":"ProspectId, FirstName"}}`).
		has(t, 200, `"FirstName":"Asha"`, `"ProspectId":"`+c.RelatedProspectId)
}

func TestMetadata(t *testing.T) {
	a := newTester(t, Options{Mandatory: []string{"mx_Custom_1"}})
	a.get(oppPath+"GetOpportunityTypes").has(t, 200, `12000`)
	r := a.get(oppPath + "GetOpportunityTypeMetadata?code=12000")
	r.has(t, 200)
	var got struct{ Fields []fieldAnswer }
	r.json(t, &got)
	by := map[string]fieldAnswer{}
	for _, f := range got.Fields {
		by[f.SchemaName] = f
	}
	for n := 1; n <= 20; n++ {
		if f := by[fmt.Sprintf("mx_Custom_%d", n)]; f.DisplayName == "" || f.DataType == "" || f.MaxFieldLength == 0 || f.IsMandatory != (n == 1) || f.IsReadOnly != (n == 20) {
			t.Errorf("mx_Custom_%d: %+v", n, f)
		}
	}
	var options []struct{ Value string }
	if err := json.Unmarshal([]byte(by["Status"].OptionSet), &options); err != nil || fmt.Sprint(options) != "[{Open} {Won} {Lost}]" {
		t.Errorf("status options %q: %v", by["Status"].OptionSet, err)
	}
	if by["mx_Custom_10"].DataType != "Dropdown" || by["mx_Custom_10"].OptionSet != "" {
		t.Errorf("mx_Custom_10: %+v", by["mx_Custom_10"])
	}
	a.get(oppPath+"GetOpportunityTypeMetadata?code=12001").has(t, 500, "12001")
	a.get(leadPath+"LeadsMetaData.Get").has(t, 200, `"SchemaName":"EmailAddress","DisplayName":"Email","DataType":"Email"`, `"SchemaName":"mx_Customer_Id"`)
	r = a.get(salesPath + "RetrieveSetting")
	r.has(t, 200)
	got.Fields = nil
	r.json(t, &got)
	if len(got.Fields) != 16 || !strings.Contains(r.body, `"mx_Custom_15"`) {
		t.Errorf("sales fields %s", r.body)
	}
	b := newTester(t, Options{Types: []Type{{Code: 12001, Name: "Loan", Fields: []Field{{SchemaName: "mx_Custom_1", DisplayName: "Name", DataType: "String", MaxLength: 5}}}}})
	b.get(oppPath+"GetOpportunityTypeMetadata?code=12001").has(t, 200, `"MaxFieldLength":5`)
	b.post(oppPath+"Capture", strings.Replace(captureJSON("a@example.com", "mx_Custom_1", "123456"), "12000", "12001", 1)).has(t, 500, "the maximum is 5")
}

func TestShownValues(t *testing.T) {
	for _, c := range []struct{ dataType, value, want string }{
		{"String", "  a  b ", "a  b"},
		{"String", "2020-12-05 12:13:44", "2020-12-05 12:13:44"},
		{"Number", "3", "3.00"},
		{"Number", "-0.5", "-0.50"},
		{"Number", "1.250", "1.25"},
		{"Number", "1.2345", "1.2345"},
		{"Number", "12345678901234567890.12", "12345678901234567890.12"},
		{"Number", "007", "7.00"},
		{"Number", "much", "much"},
		{"DateTime", "2020-12-05 12:13:44", "2020-12-05 12:13:44.000"},
		{"Date", "2020-12-05", "2020-12-05 00:00:00.000"},
		{"Date", "", ""},
	} {
		if got := shown(Field{DataType: c.dataType}, c.value); got != c.want {
			t.Errorf("%s %q is shown as %q, want %q", c.dataType, c.value, got, c.want)
		}
	}
}
