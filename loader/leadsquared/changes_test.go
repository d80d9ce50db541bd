package leadsquared

import (
	"reflect"
	"testing"
)

func TestChanges(t *testing.T) {
	const id, other = "9d2a1c1e-6a43-4d1d-9b5a-0a4b0f3c7e11", "1f0e8a52-9c57-4a0e-8c55-3a3b7f3d2c22"
	type do func(c *Client) Outcome
	update := func(c *Client) Outcome { return c.UpdateOpportunity(t.Context(), nil, id, []byte(`{}`)) }
	sale := func(c *Client) Outcome { return c.UpdateSalesActivity(t.Context(), nil, id, []byte(`{}`)) }
	lead := func(c *Client) Outcome { return c.UpdateLead(t.Context(), nil, id, []byte(`[]`)) }
	remove := func(c *Client) Outcome { return c.DeleteOpportunity(t.Context(), nil, id) }
	cancel := func(c *Client) Outcome { return c.CancelSalesActivity(t.Context(), nil, id, "a note") }
	for _, c := range []struct {
		name   string
		do     do
		status int
		body   string
		want   Verdict
		code   string
		id     string
	}{
		{"an update", update, 200, `{"Status":"Success","Message":{"Id":"` + id + `"}}`, Applied, "", id},
		{"an update that names no record", update, 200, `{"Status":"Success"}`, Applied, "", id},
		{"an update of another record", update, 200, `{"Status":"Success","Message":{"Id":"` + other + `"}}`, InDoubt, codeContradiction, other},
		{"a refused update", update, 500, `{"Status":"Error","ExceptionType":"MXInvalidInputException","ExceptionMessage":"no"}`, Rejected, "account.MXInvalidInputException", ""},
		{"a refused update under 200", update, 200, `{"Status":"Error","ExceptionType":"MXInvalidInputException","ExceptionMessage":"no"}`, Rejected, "account.MXInvalidInputException", ""},
		{"a part of an update", update, 200, `{"Status":2,"Message":{"Id":"` + id + `"}}`, InDoubt, codePartial, ""},
		{"an update in the wrong form", update, 500, `{"Status":"Error","ExceptionType":"System.ArgumentNullException","ExceptionMessage":"Value cannot be null."}`, InDoubt, codeServerError, ""},
		{"an update behind a page", update, 200, `<html></html>`, InDoubt, codeHTML, ""},
		{"an update without an answer", update, 200, ``, InDoubt, codeEmpty, ""},
		{"an update over the limit", update, 429, `{"Status":"Error","ExceptionType":"MXAPIRateLimitExceededException","ExceptionMessage":"API calls exceeded the limit of 25 in 5 second(s)"}`, Throttled, codeLimit, ""},
		{"an update under a gateway's 404", update, 404, `<html></html>`, InDoubt, codePath, ""},
		{"a sale", sale, 200, `{"Status":"Success","Message":{"AffectedRows":0}}`, Applied, "", id},
		{"a lead", lead, 200, `{"Status":"Success","Message":{"AffectedRows":1}}`, Applied, "", id},
		{"a lead that is not there", lead, 500, `{"Status":"Error","ExceptionType":"MXInvalidLeadException","ExceptionMessage":"no"}`, Rejected, "account.MXInvalidLeadException", ""},
		{"a deletion", remove, 200, `{"Status":"Success","Message":{"IsSuccessful":true}}`, Applied, "", id},
		{"a deletion that deleted nothing", remove, 200, `{"Status":"Success","Message":{"IsSuccessful":false}}`, InDoubt, codeUnexpected, ""},
		{"a deletion that says nothing", remove, 200, `{"Status":"Success"}`, InDoubt, codeUnexpected, ""},
		{"a refused deletion", remove, 401, ``, Fatal, codeKeys, ""},
		{"a cancellation", cancel, 200, `{"Status":"Success","Message":{"Id":"` + other + `"}}`, Applied, "", other},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := c.do(answering(t, c.status, c.body))
			if o.Verdict != c.want || Code(o) != c.code || o.ID != c.id {
				t.Errorf("%v %q id %q, want %v %q id %q (%s)", o.Verdict, Code(o), o.ID, c.want, c.code, c.id, o.Message)
			}
		})
	}
}

func TestBulkAnswers(t *testing.T) {
	const a, b, c = "9d2a1c1e-6a43-4d1d-9b5a-0a4b0f3c7e11", "1f0e8a52-9c57-4a0e-8c55-3a3b7f3d2c22", "7b3c9d10-2e44-4f7a-a3b8-6d5e4c3b2a33"
	refused := BulkRow{Refused: true, ExceptionType: "MXInvalidInputException", Message: "no such deal"}
	three := []BulkRow{{ID: a}, refused, {ID: c}}
	for _, x := range []struct {
		name, body string
		form       BulkForm
		want       []BulkRow
	}{
		{"response", `{"Response":[{"RowNumber":1,"ProspectActivityId":"` + a + `","ActivityCreated":true,"ExceptionMessage":null},{"RowNumber":2,"ProspectActivityId":null,"ExceptionMessage":"MXInvalidInputException: no such deal"},{"RowNumber":3,"ProspectActivityId":"` + c + `"}]}`, BulkNumbered, three},
		{"numbered in another order", `[{"RowNumber":3,"OpportunityId":"` + c + `"},{"RowNumber":1,"OpportunityId":"` + a + `"},{"RowNumber":2,"ExceptionType":"MXInvalidInputException","ErrorMessage":"no such deal"}]`, BulkNumbered, three},
		{"by place", `[{"Id":"` + a + `"},{"ExceptionType":"MXInvalidInputException","ErrorMessage":"no such deal"},{"Id":"` + c + `"}]`, BulkPlaced, three},
		{"ids", `["` + a + `","` + b + `","` + c + `"]`, BulkIDs, []BulkRow{{ID: a}, {ID: b}, {ID: c}}},
		{"ids, one missing", `["` + a + `",null,"` + c + `"]`, BulkIDs, []BulkRow{{ID: a}, {}, {ID: c}}},
		{"a row too few", `[{"RowNumber":1,"OpportunityId":"` + a + `"},{"RowNumber":2,"OpportunityId":"` + b + `"}]`, BulkUnknown, nil},
		{"a row number twice", `[{"RowNumber":1,"OpportunityId":"` + a + `"},{"RowNumber":1,"OpportunityId":"` + b + `"},{"RowNumber":3,"OpportunityId":"` + c + `"}]`, BulkUnknown, nil},
		{"a row number that is not there", `[{"RowNumber":0,"OpportunityId":"` + a + `"},{"RowNumber":1,"OpportunityId":"` + b + `"},{"RowNumber":2,"OpportunityId":"` + c + `"}]`, BulkUnknown, nil},
		{"an id twice", `["` + a + `","` + a + `","` + c + `"]`, BulkUnknown, nil},
		{"two forms in one", `[{"RowNumber":1,"OpportunityId":"` + a + `"},{"OpportunityId":"` + b + `"},{"OpportunityId":"` + c + `"}]`, BulkUnknown, nil},
		{"two ids in one row", `[{"OpportunityId":"` + a + `","opportunityid":"` + b + `"},{"OpportunityId":"` + b + `"},{"OpportunityId":"` + c + `"}]`, BulkUnknown, nil},
		{"opaque", `{"Status":"Success","Message":"Request processed"}`, BulkUnknown, nil},
		{"numbers", `[1,2,3]`, BulkUnknown, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			for call, do := range map[string]func(*Client) ([]BulkRow, BulkForm, Outcome){
				"update": func(n *Client) ([]BulkRow, BulkForm, Outcome) {
					return n.BulkUpdateOpportunities(t.Context(), nil, []byte(`[]`), 3)
				},
				"add": func(n *Client) ([]BulkRow, BulkForm, Outcome) {
					return n.BulkAddOpportunities(t.Context(), nil, "EmailAddress", []byte(`[]`), 3)
				},
			} {
				got, form, o := do(answering(t, 200, x.body))
				want := Applied
				if x.form == BulkUnknown {
					want = InDoubt
				}
				for i := range got {
					got[i].Done = false // a test of its own
				}
				if o.Verdict != want || form != x.form || !reflect.DeepEqual(got, x.want) {
					t.Errorf("%s: %v, %v, %+v", call, o.Verdict, form, got)
				}
			}
		})
	}
	for name, x := range map[string]struct {
		status int
		body   string
		want   Verdict
	}{
		"refused as a whole":       {500, `{"Status":"Error","ExceptionType":"MXInvalidInputException","ExceptionMessage":"no"}`, Rejected},
		"a system exception":       {500, `{"Status":"Error","ExceptionType":"System.ArgumentException","ExceptionMessage":"no"}`, InDoubt},
		"over the bulk limit":      {429, `{"Status":"Error","ExceptionType":"MXAPIRateLimitExceededException","ExceptionMessage":"API calls exceeded the limit of 1 in 5 second(s)"}`, Throttled},
		"success and an exception": {200, `{"Status":"Success","ExceptionType":"MXInvalidInputException","Response":[]}`, InDoubt},
		"a page":                   {200, `<html></html>`, InDoubt},
		"not to be had":            {404, `<html></html>`, InDoubt},
	} {
		if _, _, o := answering(t, x.status, x.body).BulkUpdateOpportunities(t.Context(), nil, []byte(`[]`), 3); o.Verdict != x.want {
			t.Errorf("%s: %v %s", name, o.Verdict, o.Message)
		}
	}
}

// TestBulkRows reads what answers say of one row beside a good one. The id of a change
// is the one that the request named: it proves nothing.
func TestBulkRows(t *testing.T) {
	const a, b = "9d2a1c1e-6a43-4d1d-9b5a-0a4b0f3c7e11", "1f0e8a52-9c57-4a0e-8c55-3a3b7f3d2c22"
	const id, none = `"OpportunityId":"` + b + `"`, `"OpportunityId":null`
	for _, x := range []struct {
		row         string
		add, update Verdict
		done        bool // for the update
		words       string
	}{
		{id, Applied, Applied, false, ""},
		{id + `,"ExceptionMessage":null`, Applied, Applied, true, ""},
		{id + `,"Errors":[],"StatusCode":200`, Applied, Applied, true, ""},
		{id + `,"OpportunityCreated":false,"OpportunityUpdated":true`, Duplicate, Duplicate, true, ""},
		{id + `,"Status":"Success"`, Applied, Applied, true, ""},
		{id + `,"Status":"Open"`, Applied, Applied, false, ""},
		{id + `,"IsSuccess":true`, Applied, Applied, true, ""},
		{id + `,"IsSuccess":false`, InDoubt, InDoubt, false, "the answer names a record and a failure"},
		{id + `,"IsSuccess":"false"`, InDoubt, InDoubt, false, "the answer names a record and a failure"},
		{id + `,"OpportunityCreated":false,"OpportunityUpdated":false`, Duplicate, InDoubt, false, ""},
		{id + `,"Status":"Failed"`, InDoubt, InDoubt, false, "the answer names a record and a failure"},
		{id + `,"StatusCode":400,"Error":"no such value"`, InDoubt, InDoubt, false, "no such value"},
		{id + `,"FailureReason":"no such value"`, InDoubt, InDoubt, false, "no such value"},
		{id + `,"ErrorMessage":"no such value"`, InDoubt, InDoubt, false, "no such value"},
		{id + `,"ExceptionType":"MXInvalidInputException","ErrorMessage":"no such value"`, InDoubt, Rejected, false, "no such value"},
		{id + `,"ExceptionMessage":"MXInvalidInputException: no such value"`, InDoubt, Rejected, false, "no such value"},
		{none, InDoubt, InDoubt, false, ""},
		{none + `,"Status":"Failed"`, InDoubt, InDoubt, false, ""},
		{none + `,"Status":"Failed","Reason":"no such value"`, Rejected, Rejected, false, "no such value"},
		{none + `,"Error":{"Code":"7","Message":"no such value"}`, Rejected, Rejected, false, "no such value"},
		{none + `,"Errors":["no such value"]`, Rejected, Rejected, false, "no such value"},
	} {
		body := `[{"RowNumber":1,"OpportunityId":"` + a + `","IsSuccess":true},{"RowNumber":2,` + x.row + `}]`
		added, _, _ := answering(t, 200, body).BulkAddOpportunities(t.Context(), nil, "EmailAddress", []byte(`[]`), 2)
		changed, _, _ := answering(t, 200, body).BulkUpdateOpportunities(t.Context(), nil, []byte(`[]`), 2)
		if len(added) != 2 || len(changed) != 2 {
			t.Errorf("%s: not read", x.row)
			continue
		}
		if o := added[1].Outcome(); o.Verdict != x.add || x.words != "" && o.Message != x.words {
			t.Errorf("%s: a new record: %v, %q", x.row, o.Verdict, o.Message)
		}
		if o := changed[1].Outcome(); o.Verdict != x.update || x.words != "" && o.Message != x.words || changed[1].Done != x.done {
			t.Errorf("%s: a change: %v, %q, done %v", x.row, o.Verdict, o.Message, changed[1].Done)
		}
	}
}
