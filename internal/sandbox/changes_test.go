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

func (s *tester) details(id string) reply {
	s.Helper()
	return s.get(oppPath + "GetOpportunityDetails?OpportunityId=" + id)
}

func (s *tester) update(id, name, value string) reply {
	s.Helper()
	return s.post(oppPath+"Update", fmt.Sprintf(`{"ProspectOpportunityId":%q,"Fields":[{"SchemaName":%q,"Value":%q}]}`, id, name, value))
}

func TestReadsShowAnUpdateLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{UpdateLag: 30 * time.Second})
		v := a.captured("a@example.com", "mx_Custom_1", "old").CreatedOpportunityId
		a.update(v, "mx_Custom_1", "middle").has(t, 200)
		time.Sleep(20 * time.Second)
		a.update(v, "mx_Custom_1", "new").has(t, 200)
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{0, "old"}, {11 * time.Second, "middle"}, {20 * time.Second, "new"}} {
			time.Sleep(step.after)
			a.details(v).has(t, 200, `"Value":"`+step.want+`"`)
			a.post(oppPath+"GetOpportunitiesById", fmt.Sprintf(`{"SearchParameters":[{"EventCode":12000,"ProspectActivityId":[%q],"Columns":{"Include_CSV":"mx_Custom_1"}}]}`, v)).has(t, 200, `"mx_Custom_1":"`+step.want+`"`)
		}
		if got := a.Opportunities()[0].Fields["mx_Custom_1"]; got != "new" {
			t.Errorf("the account holds %q", got)
		}
		if h := a.Revisions(v); len(h) != 2 || h[0].Before["mx_Custom_1"] != "old" || h[1].Before["mx_Custom_1"] != "middle" || h[0].By != "Practice User" {
			t.Errorf("revisions %+v", h)
		}
	})
}

func TestBlanksOfAnUpdate(t *testing.T) {
	for _, clears := range []bool{false, true} {
		a := newTester(t, Options{BlanksClear: clears})
		v := a.captured("a@example.com", "mx_Custom_1", "old").CreatedOpportunityId
		a.update(v, "mx_Custom_1", "").has(t, 200)
		want := "old"
		if clears {
			want = ""
		}
		if got := a.Opportunities()[0].Fields["mx_Custom_1"]; got != want {
			t.Errorf("BlanksClear %v: %q, want %q", clears, got, want)
		}
	}
}

func TestLockedFieldsRefuseTheWholeUpdate(t *testing.T) {
	a := newTester(t, Options{Locked: []string{"mx_Custom_2", "mx_City"}})
	c := a.captured("a@example.com", "mx_Custom_1", "old")
	v := c.CreatedOpportunityId
	a.post(oppPath+"Update", fmt.Sprintf(`{"ProspectOpportunityId":%q,"Fields":[{"SchemaName":"mx_Custom_1","Value":"new"},{"SchemaName":"mx_Custom_2","Value":"x"}]}`, v)).has(t, 500, "MXInvalidActivityFieldsException", "mx_Custom_2")
	if got := a.Opportunities()[0].Fields["mx_Custom_1"]; got != "old" {
		t.Errorf("a refused update changed a field to %q", got)
	}
	a.post(leadPath+"Lead.Update?leadId="+c.RelatedProspectId, `[{"Attribute":"mx_City","Value":"Pune"}]`).has(t, 500, "mx_City")
}

func TestUpdateALead(t *testing.T) {
	a := newTester(t, Options{})
	one, other := a.captured("a@example.com", "mx_Custom_1", "x"), a.captured("b@example.com", "mx_Custom_1", "x")
	path := leadPath + "Lead.Update?leadId=" + one.RelatedProspectId
	a.post(path, `[{"Attribute":"mx_City","Value":"Pune"},{"Attribute":"Phone","Value":"+91-9876543210"}]`).has(t, 200, `"AffectedRows":1`)
	if got := a.Leads()[0].Attributes; got["mx_City"] != "Pune" || got["EmailAddress"] != "a@example.com" {
		t.Errorf("lead %v", got)
	}
	a.get(leadPath+"RetrieveLeadByPhoneNumber?phone=9876543210").has(t, 200, one.RelatedProspectId)
	a.post(path, `[{"Attribute":"EmailAddress","Value":"b@example.com"}]`).has(t, 500, "MXDuplicateEntryException")
	a.post(leadPath+"Lead.Update?leadId="+someGUID, `[{"Attribute":"mx_City","Value":"Pune"}]`).has(t, 500, "MXInvalidLeadException")
	if n := len(a.Revisions(other.RelatedProspectId)); n != 0 {
		t.Errorf("the other lead has %d revisions", n)
	}
}

func TestDeleteAnOpportunity(t *testing.T) {
	types := []Type{{Code: 12000, Name: "Deal", CanDelete: true}, {Code: 12001, Name: "Policy"}}
	for form, want := range map[string]int{"500": 500, "404": 404, "empty": 200} {
		a := newTester(t, Options{Types: types, GoneForm: form})
		v := a.captured("a@example.com", "mx_Custom_1", "x").CreatedOpportunityId
		a.get(oppPath+"Delete?OpportunityId="+v).has(t, 200, `"IsSuccessful":false`)
		a.details(v).has(t, 200, "mx_Custom_1")
		a.get(oppPath+"Delete?Id="+v).has(t, 200, `"IsSuccessful":true`)
		a.details(v).has(t, want)
		if n := a.Count(); n.Opportunities != 0 || len(a.Opportunities()) != 0 {
			t.Errorf("%d opportunities are left", n.Opportunities)
		}
		a.get(oppPath+"Delete?Id="+v).has(t, 500, "does not exist")
	}
	a := newTester(t, Options{Types: types})
	lead := a.captured("a@example.com", "mx_Custom_1", "x").RelatedProspectId
	v, err := a.AddOpportunity(lead, 12001, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	a.get(oppPath+"Delete?Id="+v).has(t, 500, "MXUnAuthorizedAccessException")
	a.get(oppPath+"GetOpportunityTypes").has(t, 200, `"CanDelete":true`, `"CanDelete":false`)
	// An administrator deletes what the API may not.
	if err := a.DeleteRecord(v); err != nil {
		t.Fatal(err)
	}
	a.details(v).has(t, 500)
}

func TestCancelASalesActivity(t *testing.T) {
	a := newTester(t, Options{})
	lead, err := a.AddLead(map[string]string{"EmailAddress": "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	a.post(salesPath+"Create", saleJSON(lead, "")).has(t, 200)
	v := a.SalesActivities()[0].ID
	r := a.post(salesPath+"Cancel", fmt.Sprintf(`{"activityId":%q,"activityEventNote":"loaded by mistake"}`, v))
	r.has(t, 200, "Success")
	if strings.Contains(r.body, v) {
		t.Error("the answer carries the id of the record itself, not of a new one")
	}
	a.get(salesPath+"RetrieveByLeadId?leadId="+lead).has(t, 200, `"Value":"Cancelled"`)
	a.get(salesPath+"RetrieveActivity?activityId="+v).has(t, 200, `"Value":"Cancelled"`)
	a.post(salesPath+"Cancel", fmt.Sprintf(`{"activityId":%q}`, v)).has(t, 500, "already")
	a.get(salesPath+"RetrieveActivity?activityId="+someGUID).has(t, 500, "does not exist")
}

func TestAPersonsHand(t *testing.T) {
	a := newTester(t, Options{})
	c := a.captured("a@example.com", "mx_Custom_1", "old")
	if err := a.EditOpportunity(c.CreatedOpportunityId, "Meera", map[string]string{"mx_Custom_1": "mine", "OpportunityNote": "called"}); err != nil {
		t.Fatal(err)
	}
	if err := a.EditLead(c.RelatedProspectId, "Meera", map[string]string{"mx_City": "Pune"}); err != nil {
		t.Fatal(err)
	}
	o := a.Opportunities()[0]
	if o.Fields["mx_Custom_1"] != "mine" || o.Note != "called" || !o.ModifiedOn.After(o.CreatedOn) {
		t.Errorf("held %+v", o)
	}
	if h := a.Revisions(o.ID); len(h) != 1 || h[0].By != "Meera" || h[0].Before["OpportunityNote"] != "a note" {
		t.Errorf("revisions %+v", h)
	}
	a.post(pagePath+"edit?by=Ravi&id="+o.ID, `{"mx_Custom_1":"his"}`).has(t, 200)
	a.get(pagePath+"revisions?id="+o.ID).has(t, 200, "Meera", "Ravi")
	a.post(pagePath+"edit?id="+someGUID, `{}`).has(t, 400)
	sale, err := a.AddSalesActivity(c.RelatedProspectId, map[string]string{"ProductSku": "P", "Revenue": "3"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.EditSalesActivity(sale, "Meera", map[string]string{"Revenue": "4"}); err != nil {
		t.Fatal(err)
	}
	if s := a.SalesActivities()[0]; s.Revenue != "4" {
		t.Errorf("sale %+v", s)
	}
	if err := a.DeleteRecord(sale); err != nil || len(a.SalesActivities()) != 0 {
		t.Errorf("%v, %d sales activities", err, len(a.SalesActivities()))
	}
	for what, err := range map[string]error{
		"opportunity": a.EditOpportunity(someGUID, "x", nil), "sale": a.EditSalesActivity(someGUID, "x", nil),
		"lead": a.EditLead(someGUID, "x", nil), "record": a.DeleteRecord(someGUID),
	} {
		if err == nil {
			t.Errorf("an unknown %s was changed", what)
		}
	}
}

func TestManyOpportunitiesByID(t *testing.T) {
	clock := time.Date(2023, 4, 6, 15, 23, 45, 678e6, time.UTC)
	a := newTester(t, Options{Clock: func() time.Time { return clock }, Types: []Type{{Code: 12000, Name: "Deal", Fields: []Field{
		{SchemaName: "mx_Custom_1", DataType: "String"}, {SchemaName: "mx_Custom_6", DataType: "Number"}, {SchemaName: "mx_Custom_7", DataType: "Boolean"}}}}})
	v := a.captured("a@example.com", "mx_Custom_1", " padded ", "mx_Custom_6", "3", "mx_Custom_7", "true").CreatedOpportunityId
	w := a.captured("b@example.com", "mx_Custom_1", "second").CreatedOpportunityId
	body := func(columns string, ids ...string) string {
		list, _ := json.Marshal(ids)
		return fmt.Sprintf(`{"SearchParameters":[{"EventCode":12000,"ProspectActivityId":%s,"Columns":{"Include_CSV":%q}}]}`, list, columns)
	}
	r := a.post(oppPath+"GetOpportunitiesById", body("CreatedOn,ModifiedOn,mx_Custom_1,mx_Custom_6,mx_Custom_7,OpportunityNote", v, w, someGUID, v))
	r.has(t, 200, `"RecordCount":2`, `"CreatedOn":"4/6/2023 3:23:45 PM"`, `"mx_Custom_1":"padded"`, `"mx_Custom_6":"3.00"`, `"mx_Custom_7":"1"`, `"OpportunityNote":"a note"`, `"EmailAddress":"a@example.com"`)
	if strings.Index(r.body, w) > strings.Index(r.body, v) {
		t.Error("the answer keeps the order of the ids; the account promises none")
	}
	for _, bad := range []string{
		`{"SearchParameters":[]}`, body("", v), body("mx_Custom_1"), strings.Replace(body("mx_Custom_1", v), "12000", "0", 1),
		body("mx_Custom_1", make([]string, maxIDs+1)...),
	} {
		a.post(oppPath+"GetOpportunitiesById", bad).has(t, 500)
	}
}

func TestPagesOfATimeSpan(t *testing.T) {
	clock := time.Date(2026, 1, 1, 10, 0, 0, 900e6, time.UTC)
	a := newTester(t, Options{Clock: func() time.Time { return clock }})
	var ids []string
	for i := range 5 {
		ids = append(ids, a.captured(fmt.Sprintf("a%d@example.com", i), "mx_Custom_1", fmt.Sprint("deal ", i)).CreatedOpportunityId)
		clock = clock.Add(time.Minute)
	}
	a.update(ids[0], "mx_Custom_1", "changed").has(t, 200)
	ask := func(what, from, to string, page int) reply {
		return a.post(activityPath+what, fmt.Sprintf(`{"Parameter":{"FromDate":%q,"ToDate":%q,"ActivityEvent":12000,"IncludeCustomFields":1},"Paging":{"PageIndex":%d,"PageSize":2},"Sorting":{"ColumnName":"CreatedOn","Direction":1}}`, from, to, page))
	}
	const modified, created = "RetrieveRecentlyModified", "CustomActivity/RetrieveByActivityEvent"
	r := ask(modified, "2026-01-01 00:00:00", "2026-01-02 00:00:00", 1)
	r.has(t, 200, `"RecordCount":5`, `"CreatedOn":"2026-01-01T10:04:00.900Z"`, `{"Key":"mx_Custom_1","Value":"deal 4"}`)
	ask(modified, "2026-01-01 10:05:00", "2026-01-01 10:05:00", 1).has(t, 200, `"RecordCount":1`, ids[0], "changed")
	ask(created, "2026-01-01 10:05:00", "2026-01-01 10:05:00", 1).has(t, 200, `{"RecordCount":0}`)
	ask(created, "2026-01-01 10:00:00", "2026-01-01 10:04:00", 3).has(t, 200, `"RecordCount":5`, ids[0])
	ask(created, "yesterday", "2026-01-01 10:04:00", 1).has(t, 500, "FromDate")
}

func TestCallsThatTheAccountDoesNotHave(t *testing.T) {
	a := newTester(t, Options{Without: []string{oppPath + "GetOpportunitiesById"}})
	a.post(oppPath+"GetOpportunitiesById", "{}").has(t, 404)
	a.get(authPath).has(t, 200)
}

func TestFaultsHitChangesToo(t *testing.T) {
	a := newTester(t, Options{})
	v := a.captured("a@example.com", "mx_Custom_1", "old").CreatedOpportunityId
	if err := a.FailNext(FaultLostAnswer, FaultBadGatewayBefore); err != nil {
		t.Fatal(err)
	}
	if r := a.update(v, "mx_Custom_1", "one"); !r.cut {
		t.Errorf("HTTP %d", r.status)
	}
	if got := a.Opportunities()[0].Fields["mx_Custom_1"]; got != "one" {
		t.Errorf("the lost answer's update: %q", got)
	}
	a.update(v, "mx_Custom_1", "two").has(t, 502)
	if got := a.Opportunities()[0].Fields["mx_Custom_1"]; got != "one" {
		t.Errorf("the update that a gateway kept back: %q", got)
	}
}

func TestBulkCalls(t *testing.T) {
	const updates, adds = oppPath + "Bulk/Update/ByOpportunityId", oppPath + "Bulk/Add/ByLeadField?SearchBy=EmailAddress"
	row := func(id, value string) string {
		return fmt.Sprintf(`{"ProspectOpportunityId":%q,"OpportunityEventCode":12000,"Fields":[{"SchemaName":"mx_Custom_1","Value":%q}]}`, id, value)
	}
	made := func(email, value string) string {
		return fmt.Sprintf(`{"SearchByValue":%q,"OpportunityEventCode":12000,"Fields":[{"SchemaName":"mx_Custom_1","Value":%q}]}`, email, value)
	}
	for form, want := range map[string]string{
		"response": `{"Response":[{"RowNumber":1,"ProspectActivityId":"%[1]s","ActivityCreated":false,"ExceptionMessage":null},{"RowNumber":2,"ProspectActivityId":null,"ActivityCreated":false,"ExceptionMessage":"MXInvalidInputException: `,
		"bare":     `[{"RowNumber":1,"OpportunityId":"%[1]s","OpportunityCreated":false,"OpportunityUpdated":true},{"RowNumber":2,"OpportunityId":null,"OpportunityCreated":false,"OpportunityUpdated":false,"ExceptionType":"MXInvalidInputException"`,
		"ids":      `["%[1]s","","%[2]s"]`,
		"shuffled": `["%[2]s","","%[1]s"]`,
		"opaque":   `{"Status":"Success","Message":"Request processed"}`,
	} {
		t.Run(form, func(t *testing.T) {
			a := newTester(t, Options{BulkForm: form, BulkCalls: 10})
			v := a.captured("a@example.com", "mx_Custom_1", "x").CreatedOpportunityId
			w := a.captured("b@example.com", "mx_Custom_1", "x").CreatedOpportunityId
			a.post(updates, "["+row(v, "one")+","+row(someGUID, "two")+","+row(w, "three")+"]").has(t, 200, strings.ReplaceAll(strings.ReplaceAll(want, "%[1]s", v), "%[2]s", w))
			if o := a.Opportunities(); o[0].Fields["mx_Custom_1"] != "one" || o[1].Fields["mx_Custom_1"] != "three" {
				t.Errorf("held %+v", o)
			}
			a.post(adds, "["+made("a@example.com", "new")+","+made("nobody@example.com", "lost")+"]").has(t, 200)
			if o := a.Opportunities(); len(o) != 3 || o[2].Fields["mx_Custom_1"] != "new" || len(a.Leads()) != 2 {
				t.Errorf("%d opportunities of %d leads", len(o), len(a.Leads()))
			}
		})
	}
	a := newTester(t, Options{BulkCalls: 1, BulkPoison: "#BAD"})
	v := a.captured("a@example.com", "mx_Custom_1", "x").CreatedOpportunityId
	a.post(updates, "["+row(v, "one")+","+row(v, "a #BAD one")+"]").has(t, 500, "System.ArgumentException")
	if got := a.Opportunities()[0].Fields["mx_Custom_1"]; got != "x" {
		t.Errorf("a refused batch changed a field to %q", got)
	}
	a.post(updates, "["+row(v, "one")+"]").has(t, 429, "limit of 1 in 5 second")
	a.get(authPath).has(t, 200) // the single calls have their own bucket
	b := newTester(t, Options{BulkCalls: NoLimit})
	b.post(updates, "["+strings.Repeat(row(v, "x")+",", maxBulk)+row(v, "x")+"]").has(t, 500, "1 to 25")
	b.post(updates, "[]").has(t, 500)
	b.post(oppPath+"Bulk/Add/ByLeadField", "[]").has(t, 500, "SearchBy")
	b.post(oppPath+"Bulk/Add/ByLeadField?SearchBy="+url.QueryEscape("mx_City"), "[]").has(t, 500, "unique")
}
