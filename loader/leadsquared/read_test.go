package leadsquared

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

// answering gives a client whose every call is answered with status and body.
func answering(t testing.TB, status int, body string) *Client {
	return testClient(t, Config{Host: "api.example.com", AsyncHost: "async.example.com", Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return reply(status, body), nil
	})})
}

// allReads are the reads by name; the value is nil where the call gave its zero value.
var allReads = map[string]func(context.Context, *Client) (any, Outcome){
	"LeadsByEmail": func(ctx context.Context, c *Client) (any, Outcome) { return c.LeadsByEmail(ctx, nil, "a@example.com") },
	"LeadsByPhone": func(ctx context.Context, c *Client) (any, Outcome) { return c.LeadsByPhone(ctx, nil, "+91-9876543210") },
	"LeadByID":     func(ctx context.Context, c *Client) (any, Outcome) { return c.LeadByID(ctx, nil, "l-1") },
	"LeadsBy":      func(ctx context.Context, c *Client) (any, Outcome) { return c.LeadsBy(ctx, nil, "mx_Code", "C-7") },
	"OpportunitiesByID": func(ctx context.Context, c *Client) (any, Outcome) {
		return c.OpportunitiesByID(ctx, nil, 12000, []string{"o-1", "O-2"}, []string{"Status", "ModifiedOn"})
	},
	"RecentlyModified": func(ctx context.Context, c *Client) (any, Outcome) {
		return c.RecentlyModified(ctx, nil, 12000, at("2026-07-31 00:00:00"), at("2026-08-01 00:00:00"), 1)
	},
	"CountOfType": func(ctx context.Context, c *Client) (any, Outcome) {
		return c.CountOfType(ctx, nil, 12000, at("2026-07-31 00:00:00"), at("2026-08-01 00:00:00"))
	},
	"SalesActivity": func(ctx context.Context, c *Client) (any, Outcome) { return c.SalesActivity(ctx, nil, "s-1") },
	"TrailPage":     func(ctx context.Context, c *Client) (any, Outcome) { return c.TrailPage(ctx, nil, "l-1", 12000, 0) },
	"OpportunitiesOfLead": func(ctx context.Context, c *Client) (any, Outcome) {
		return c.OpportunitiesOfLead(ctx, nil, "l-1", 12000, 0)
	},
	"OpportunitiesByLeadField": func(ctx context.Context, c *Client) (any, Outcome) {
		return c.OpportunitiesByLeadField(ctx, nil, "Mobile", "1", 1, "FirstName")
	},
	"Opportunity":             func(ctx context.Context, c *Client) (any, Outcome) { return c.Opportunity(ctx, nil, "o-1") },
	"SalesActivitiesOf":       func(ctx context.Context, c *Client) (any, Outcome) { return c.SalesActivitiesOf(ctx, nil, "l-1") },
	"CaptureStatus":           func(ctx context.Context, c *Client) (any, Outcome) { return c.CaptureStatus(ctx, nil, "r-1") },
	"QueueMetrics":            func(ctx context.Context, c *Client) (any, Outcome) { return c.QueueMetrics(ctx, nil) },
	"Self":                    func(ctx context.Context, c *Client) (any, Outcome) { return c.Self(ctx, nil) },
	"OpportunityTypes":        func(ctx context.Context, c *Client) (any, Outcome) { return c.OpportunityTypes(ctx, nil) },
	"OpportunityTypeMetadata": func(ctx context.Context, c *Client) (any, Outcome) { return c.OpportunityTypeMetadata(ctx, nil, 12000) },
	"SalesActivitySettings":   func(ctx context.Context, c *Client) (any, Outcome) { return c.SalesActivitySettings(ctx, nil) },
	"LeadFields":              func(ctx context.Context, c *Client) (any, Outcome) { return c.LeadFields(ctx, nil) },
	"Products":                func(ctx context.Context, c *Client) (any, Outcome) { return c.Products(ctx, nil, 1) },
	"CheckedIn":               func(ctx context.Context, c *Client) (any, Outcome) { return c.CheckedIn(ctx, nil) },
}

// No answer but the right one is Applied: what looks like nothing is not taken for "nothing there".
func TestReadsRefuseWhatTheyDoNotKnow(t *testing.T) {
	for _, body := range []string{
		``, ` `, `null`, `true`, `0`, `"[]"`, `""`, `{}`, `{"Status":"Error"}`, `{"Status":"Success"}`, `{"RecordCount":3}`, `{"RecordCount":3,"List":[],"ProspectActivities":null,"Fields":[]}`,
		`{"RecordCount":-1,"List":[],"ProspectActivities":[],"Fields":[]}`,
		`[null]`, `[1]`, `["x"]`, `[{}]`, `[[]x`, `[{"ProspectID":null,"ID":"","EventCode":null,"SchemaName":""}]`,
		`{"List":[{}],"RecordCount":1,"ProspectActivities":[{}],"Fields":[{}]}`, `{"List":{},"ProspectActivities":{},"Fields":{},"TaskStatus":[]}`,
		`{"TaskStatus":{"Status":"?"}}`, `{"IsCheckedIn":"maybe"}`, `{"PendingMessages":"many"}`, `<html></html>`, `OK`, `{"ExceptionType":"SqlException"}`,
	} {
		for name, read := range allReads {
			v, o := read(t.Context(), answering(t, 200, body))
			// A trail's page past the end and a page of a list past the end have a count and no entries.
			if name == "TrailPage" && strings.HasPrefix(body, `{"RecordCount":3`) {
				if page := v.(TrailPage); o.Verdict != Applied || page.Total != 3 {
					t.Errorf("%s of %s: %v %+v", name, body, o.Verdict, v)
				}
				continue
			}
			if o.Verdict != InDoubt || !reflect.ValueOf(v).IsZero() || o.Message == "" {
				t.Errorf("%s of %s: %v %+v %q", name, body, o.Verdict, v, o.Message)
			}
		}
	}
}

func TestReadsPassOnRefusals(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   Verdict
	}{
		{500, `{"Status":"Error","ExceptionType":"MXInvalidInputException","ExceptionMessage":"no"}`, Rejected},
		{200, `{"Status":"Error","ExceptionType":"MXAPIRateLimitExceededException"}`, Throttled},
		{401, ``, Fatal}, {404, ``, Fatal}, {405, ``, Fatal}, {502, ``, InDoubt},
	} {
		for name, read := range allReads {
			v, o := read(t.Context(), answering(t, c.status, c.body))
			if o.Verdict != c.want || !reflect.ValueOf(v).IsZero() {
				t.Errorf("%s under %d: %v %+v", name, c.status, o.Verdict, v)
			}
		}
	}
}

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05.999", s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestReads(t *testing.T) {
	oneLead := []Lead{{ID: "l-1", Attributes: map[string]string{"ProspectID": "l-1", "mx_Code": "C-7", "EmailAddress": "", "Score": "54", "CreatedOn": "2015-07-31 06:35:37.000"}, CreatedOn: at("2015-07-31 06:35:37")}}
	flatLead := `{"ProspectID":"l-1","mx_Code":"C-7","EmailAddress":null,"Score":54,"CreatedOn":"2015-07-31 06:35:37.000"}`
	noOpps := OpportunityPage{}
	opp := Opportunity{ID: "o-1", LeadID: "l-1", EventCode: 12000, Note: "a note", CreatedOn: at("2026-07-31 05:33:50")}
	for _, c := range []struct {
		name, read, body string
		want             any
	}{
		{"leads, none", "LeadsByEmail", `[]`, []Lead{}},
		{"leads, flat", "LeadByID", `[` + flatLead + `]`, oneLead},
		{"leads by e-mail", "LeadsByEmail", `[{"ProspectID":"l-1","EmailAddress":"A@Example.com"}]`, []Lead{{ID: "l-1", Attributes: map[string]string{"ProspectID": "l-1", "EmailAddress": "A@Example.com"}}}},
		{"leads by phone", "LeadsByPhone", `[{"ProspectID":"l-1","Mobile":"98765 43210"}]`, []Lead{{ID: "l-1", Attributes: map[string]string{"ProspectID": "l-1", "Mobile": "98765 43210"}}}},
		{"leads, nested once more", "LeadByID", `[[` + flatLead + `]]`, oneLead},
		{"leads in a list", "LeadByID", `{"RecordCount":1,"List":[` + flatLead + `]}`, oneLead},
		{"leads, none, in a list", "LeadByID", `{"RecordCount":0,"List":null}`, []Lead{}},
		{"leads, none, without a list", "LeadByID", `{"RecordCount":"0"}`, []Lead{}},
		{"leads, one alone", "LeadByID", flatLead, oneLead},
		{"leads inside d", "LeadByID", `{"d":[` + flatLead + `]}`, oneLead},
		{"leads as properties", "LeadsBy", `{"RecordCount":1,"Leads":[{"LeadPropertyList":[{"Attribute":"ProspectID","Value":"l-1"},{"Attribute":"mx_Code","Value":"C-7"},{"Attribute":"EmailAddress","Value":null},{"Attribute":"Score","Value":"54"},{"Attribute":"CreatedOn","Value":"2015-07-31 06:35:37.000"}]}]}`, oneLead},
		{"leads with names in other case", "LeadByID", `[{"prospectid":"l-1"}]`, []Lead{{ID: "l-1", Attributes: map[string]string{"prospectid": "l-1"}}}},

		{"trail, none", "TrailPage", `{"RecordCount":0,"ProspectActivities":[]}`, TrailPage{}},
		{"trail, none, null", "TrailPage", `{"RecordCount":0,"ProspectActivities":null}`, TrailPage{}},
		{"trail, whole", "TrailPage", `{"RecordCount":"2","ProspectActivities":[{"Id":"a-1","EventCode":12000,"CreatedOn":"2026-07-31 05:33:50","Data":[{"Key":"Status","Value":"Open"},{"Key":"mx_Custom_1","Value":null}]},{"ID":"a-2","EventCode":"12000","CreatedOn":"2026-07-31 05:33:51.123","ActivityFields":{"Status":"Won"}}]}`,
			TrailPage{Total: 2, Activities: []Activity{
				{ID: "a-1", EventCode: 12000, CreatedOn: at("2026-07-31 05:33:50"), Data: map[string]string{"Status": "Open", "mx_Custom_1": ""}},
				{ID: "a-2", EventCode: 12000, CreatedOn: at("2026-07-31 05:33:51.123"), Data: map[string]string{"Status": "Won"}},
			}}},
		{"trail without codes and count", "TrailPage", `{"ProspectActivities":[{"Id":"a-1","CreatedOn":"7/31/2026 5:33:50 AM"}]}`,
			TrailPage{Total: 1, Activities: []Activity{{ID: "a-1", EventCode: 12000, CreatedOn: at("2026-07-31 05:33:50"), Data: map[string]string{}}}}},

		{"opportunities, none", "OpportunitiesOfLead", `{"RecordCount":0,"List":[]}`, noOpps},
		{"opportunities, none, null", "OpportunitiesOfLead", `{"RecordCount":0,"List":null}`, noOpps},
		{"opportunities as a bare array", "OpportunitiesOfLead", `[{"OpportunityId":"o-1"}]`, OpportunityPage{Total: 1, List: []Opportunity{{ID: "o-1", Fields: map[string]string{"OpportunityId": "o-1"}}}}},
		{"opportunities, a page of more", "OpportunitiesByLeadField", `{"RecordCount":2,"List":[{"OpportunityId":"o-1","RelatedProspectId":"l-1","OpportunityEvent":"12000","OpportunityNote":"a note","CreatedOn":"7/31/2026 5:33:50 AM"}]}`,
			OpportunityPage{Total: 2, List: []Opportunity{withFields(opp, "OpportunityId", "o-1", "RelatedProspectId", "l-1", "OpportunityEvent", "12000", "OpportunityNote", "a note", "CreatedOn", "7/31/2026 5:33:50 AM")}}},
		{"opportunity", "Opportunity", `{"ID":"O-1","Name":"Deal","Fields":[{"SchemaName":"ActivityEvent_Note","Value":"a note"},{"SchemaName":"RelatedProspectId","Value":"l-1"},{"SchemaName":"EventCode","Value":12000},{"SchemaName":"CreatedOn","Value":"2026-07-31 05:33:50.000"},{"SchemaName":"mx_Custom_1","Value":null}]}`,
			withFields(Opportunity{ID: "O-1", LeadID: "l-1", EventCode: 12000, Note: "a note", CreatedOn: opp.CreatedOn}, "ID", "O-1", "Name", "Deal", "ActivityEvent_Note", "a note", "RelatedProspectId", "l-1", "EventCode", "12000", "CreatedOn", "2026-07-31 05:33:50.000", "mx_Custom_1", "")},
		{"opportunity without its id", "Opportunity", `{"Fields":[{"SchemaName":"Status","Value":"Open"}]}`, withFields(Opportunity{ID: "o-1"}, "Status", "Open")},
		{"opportunity, fields as members", "Opportunity", `{"ID":"O-1","Fields":{"Status":"Open"}}`, withFields(Opportunity{ID: "O-1"}, "ID", "O-1", "Status", "Open")},

		{"sales, none", "SalesActivitiesOf", `[]`, []SalesActivity{}},
		{"sales", "SalesActivitiesOf", `[{"ID":"s-1","Name":"x","Fields":[{"SchemaName":"Status","Value":"Open"},{"SchemaName":"mx_Custom_2","Value":3.00},{"SchemaName":"mx_Custom_9","Value":null}]}]`, []SalesActivity{{ID: "s-1", Fields: map[string]string{"Status": "Open", "mx_Custom_2": "3.00", "mx_Custom_9": ""}}}},

		{"sale", "SalesActivity", `{"ID":"S-1","Fields":[{"SchemaName":"mx_Custom_2","Value":"3.00"}]}`, SalesActivity{ID: "S-1", Fields: map[string]string{"mx_Custom_2": "3.00"}}},
		{"sale, fields as members", "SalesActivity", `{"ID":"S-1","Fields":{"mx_Custom_2":"3.00"}}`, SalesActivity{ID: "S-1", Fields: map[string]string{"mx_Custom_2": "3.00"}}},
		{"sale without its id, in a list", "SalesActivity", `[{"Fields":[{"SchemaName":"Status","Value":"Cancelled"}]}]`, SalesActivity{ID: "s-1", Fields: map[string]string{"Status": "Cancelled"}}},

		{"many, none known", "OpportunitiesByID", `[{"EventCode":12000,"RecordCount":0,"Opportunities":[]}]`, []Opportunity(nil)},
		{"many, no group", "OpportunitiesByID", `[]`, []Opportunity(nil)},
		{"many, another order and case", "OpportunitiesByID", `[{"EventCode":12000,"RecordCount":2,"Opportunities":[{"ProspectId":"l-2","ProspectActivityId":"o-2","Status":"Won","ModifiedOn":"4/6/2023 3:23:45 PM"},{"ProspectId":"l-1","ProspectActivityId":"O-1","Status":null}]}]`,
			[]Opportunity{withFields(Opportunity{ID: "o-2", LeadID: "l-2", ModifiedOn: at("2023-04-06 15:23:45")}, "ProspectId", "l-2", "ProspectActivityId", "o-2", "Status", "Won", "ModifiedOn", "4/6/2023 3:23:45 PM"),
				withFields(Opportunity{ID: "O-1", LeadID: "l-1"}, "ProspectId", "l-1", "ProspectActivityId", "O-1", "Status", "")}},
		{"many, one group alone", "OpportunitiesByID", `{"EventCode":12000,"RecordCount":1,"Opportunities":[{"ProspectActivityId":"o-1"}]}`, []Opportunity{withFields(Opportunity{ID: "o-1"}, "ProspectActivityId", "o-1")}},

		{"modified, none", "RecentlyModified", `{"RecordCount":0,"ProspectActivities":[]}`, SpanPage{}},
		{"modified", "RecentlyModified", `{"RecordCount":7,"ProspectActivities":[{"Id":"o-1","RelatedProspectId":"l-1","CreatedOn":"2026-07-31T05:33:50.123Z","ModifiedOn":"/Date(1785476031000+0000)/","Fields":[{"Key":"ActivityEvent_Note","Value":"a note"},{"Key":"mx_Custom_1","Value":"x"}]}]}`,
			SpanPage{Total: 7, List: []Opportunity{withFields(Opportunity{ID: "o-1", LeadID: "l-1", Note: "a note", CreatedOn: at("2026-07-31 05:33:50.123"), ModifiedOn: at("2026-07-31 05:33:51")},
				"Id", "o-1", "RelatedProspectId", "l-1", "CreatedOn", "2026-07-31T05:33:50.123Z", "ModifiedOn", "/Date(1785476031000+0000)/", "ActivityEvent_Note", "a note", "mx_Custom_1", "x")}}},
		{"modified, fields as members", "RecentlyModified", `{"RecordCount":1,"ProspectActivities":[{"Id":"{11111111-2222-4333-8444-555555555555}","Fields":{"mx_Custom_1":"x","mx_Custom_2":null}}]}`,
			SpanPage{Total: 1, List: []Opportunity{withFields(Opportunity{ID: "11111111-2222-4333-8444-555555555555"}, "Id", "{11111111-2222-4333-8444-555555555555}", "mx_Custom_1", "x", "mx_Custom_2", "")}}},
		{"count", "CountOfType", `{"RecordCount":5352,"List":[{"ProspectActivityId":"o-1"}]}`, 5352},
		{"count, none", "CountOfType", `{"RecordCount":0}`, 0},
		{"count as a text", "CountOfType", `{"RecordCount":"2","List":[{"ProspectActivityId":"o-1"}]}`, 2},

		{"queue", "QueueMetrics", `{"PendingMessages":"12","MaxDelayInSeconds":90,"ProcessingratePerMinute":24.8}`, Queue{12, 90 * time.Second, 24.8}},
		{"queue with other names", "QueueMetrics", `{"pendingMessages":0,"ProcessingRatePerMinute":"24.8"}`, Queue{0, 0, 24.8}},
		{"self", "Self", `{"Id":"u-1","Name":"Yogesh","PassPhrase":"y@example.com","Role":"Administrator","EmailAddress":null,"TimeZone":"Asia/Kolkata","OrgDisplayName":"Education 101","OrgId":"org-1","LSQCommonServiceURLs":{"api":"https://api-in21.leadsquared.com/v2","app":"in21.leadsquared.com"}}`,
			Self{ID: "u-1", Name: "Yogesh", Email: "y@example.com", Role: "Administrator", TimeZone: "Asia/Kolkata", Org: "Education 101", OrgID: "org-1", APIHost: "api-in21.leadsquared.com"}},
		{"self without hosts", "Self", `{"EmailAddress":"a@example.com","LSQCommonServiceURLs":null}`, Self{Email: "a@example.com"}},
		{"types", "OpportunityTypes", `[{"EventCode":12000,"DisplayName":"Deal","CanDelete":true},{"Code":"12001","Name":"Loan","CanDelete":0}]`, []OpportunityType{{12000, "Deal", true}, {12001, "Loan", false}}},
		{"types in a list", "OpportunityTypes", `{"List":[{"OpportunityEventCode":12000,"OpportunityName":"Deal"}]}`, []OpportunityType{{12000, "Deal", false}}},
		{"metadata", "OpportunityTypeMetadata", `{"EventCode":12005,"Fields":[{"SchemaName":"Status","DisplayName":"Status","DataType":"SearchableDropdown","IsMandatory":true,"IsReadOnly":false,"OptionSet":"[{\"IsDefault\":true,\"Text\":\"\",\"Value\":\"Open\"},{\"Value\":\"Won\"}]","MaxFieldLength":200},{"SchemaName":"mx_Custom_2","OptionSet":"","IsReadOnly":"1","MaxFieldLength":null}]}`,
			[]Field{{SchemaName: "Status", DisplayName: "Status", DataType: "SearchableDropdown", Mandatory: true, MaxLength: 200, Options: []string{"Open", "Won"}}, {SchemaName: "mx_Custom_2", ReadOnly: true}}},
		{"settings", "SalesActivitySettings", `{"ID":"","Fields":[{"SchemaName":"mx_Custom_1","DisplayName":"Product","DataType":"Product","IsMandatory":true}]}`, []Field{{SchemaName: "mx_Custom_1", DisplayName: "Product", DataType: "Product", Mandatory: true}}},
		{"lead fields", "LeadFields", `[{"SchemaName":"LeadType","DisplayName":"Object Type","DataType":"Select","IsMandatory":true,"Options":[{"Value":"OT_0"},{"Value":"OT_1"}],"MaxLength":"50"}]`, []Field{{SchemaName: "LeadType", DisplayName: "Object Type", DataType: "Select", Mandatory: true, MaxLength: 50, Options: []string{"OT_0", "OT_1"}}}},
		{"products", "Products", `{"RecordCount":3,"List":[{"ProductId":"p-1","ProductSku":"Product#01","Name":"API Product"}]}`, ProductPage{3, []Product{{"p-1", "Product#01", "API Product"}}}},
		{"products, none", "Products", `{"RecordCount":0,"List":[]}`, ProductPage{}},
		{"checked in", "CheckedIn", `{"IsCheckedIn":true,"LastCheckedOn":"2017-11-22 07:44:45"}`, CheckInState{true, at("2017-11-22 07:44:45")}},
		{"checked out, never in", "CheckedIn", `{"IsCheckedIn":"false","LastCheckedOn":null}`, CheckInState{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, o := allReads[c.read](t.Context(), answering(t, 200, c.body))
			if o.Verdict != Applied {
				t.Fatalf("%v %q", o.Verdict, o.Message)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func withFields(o Opportunity, pairs ...string) Opportunity {
	o.Fields = map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		o.Fields[pairs[i]] = pairs[i+1]
	}
	return o
}

func TestReadsThatWouldMislead(t *testing.T) {
	for _, c := range []struct{ name, read, body string }{
		{"leads that do not carry the value", "LeadsBy", `[{"ProspectID":"l-1","mx_Code":"C-7"},{"ProspectID":"l-2","mx_Code":"C-8"}]`},
		{"leads without the field asked for", "LeadsBy", `[{"ProspectID":"l-1"}]`},
		{"an activity without an id", "TrailPage", `{"RecordCount":1,"ProspectActivities":[{"EventCode":12000,"CreatedOn":"2026-07-31 05:33:50"}]}`},
		{"an activity without a date", "TrailPage", `{"RecordCount":1,"ProspectActivities":[{"Id":"a","EventCode":12000}]}`},
		{"an activity with a date of another kind", "TrailPage", `{"RecordCount":1,"ProspectActivities":[{"Id":"a","EventCode":12000,"CreatedOn":"yesterday"}]}`},
		{"a list of fewer sales than it counts", "SalesActivitiesOf", `{"RecordCount":2,"List":[{"ID":"s","Fields":[]}]}`},
		{"another opportunity", "Opportunity", `{"ID":"o-2","Fields":[{"SchemaName":"Status","Value":"Open"}]}`},
		{"an opportunity without fields", "Opportunity", `{"ID":"o-1"}`},
		{"many, one that was not asked for", "OpportunitiesByID", `[{"RecordCount":1,"Opportunities":[{"ProspectActivityId":"o-3"}]}]`},
		{"many, one twice", "OpportunitiesByID", `[{"RecordCount":2,"Opportunities":[{"ProspectActivityId":"o-1"},{"ProspectActivityId":"O-1"}]}]`},
		{"many, one without id", "OpportunitiesByID", `[{"RecordCount":1,"Opportunities":[{"Status":"Won"}]}]`},
		{"many, a count without a list", "OpportunitiesByID", `[{"RecordCount":2}]`},
		{"many, a word", "OpportunitiesByID", `["o-1"]`},
		{"modified, no id", "RecentlyModified", `{"RecordCount":1,"ProspectActivities":[{"CreatedOn":"2026-07-31 05:33:50"}]}`},
		{"modified, a count without a list", "RecentlyModified", `{"RecordCount":3}`},
		{"a count that is none", "CountOfType", `{"List":[]}`},
		{"two counts of a type", "CountOfType", `{"RecordCount":3,"recordcount":4}`},
		{"another sale", "SalesActivity", `{"ID":"s-2","Fields":[{"SchemaName":"Status","Value":"Open"}]}`},
		{"a sale without fields", "SalesActivity", `{"ID":"s-1","Fields":[]}`},
		{"another request's status", "CaptureStatus", `{"RequestId":"r-2","TaskStatus":{"Status":"Success"}}`},
		{"an empty schema", "LeadFields", `[]`},
		{"two counts", "OpportunitiesOfLead", `{"RecordCount":0,"recordcount":2,"List":[]}`},
		{"two lists", "OpportunitiesOfLead", `{"RecordCount":0,"List":[],"list":[{"OpportunityId":"o-1"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v, o := allReads[c.read](t.Context(), answering(t, 200, c.body)); o.Verdict != InDoubt {
				t.Errorf("%v %+v", o.Verdict, v)
			}
		})
	}
}

func TestPagesPastTheEnd(t *testing.T) {
	c := answering(t, 200, `{"RecordCount":150,"List":[]}`)
	if p, o := c.OpportunitiesOfLead(t.Context(), nil, "l", 12000, 3); o.Verdict != Applied || p.Total != 150 || p.List != nil {
		t.Errorf("%v %+v", o.Verdict, p)
	}
	if _, o := c.OpportunitiesOfLead(t.Context(), nil, "l", 12000, 2); o.Verdict != InDoubt {
		t.Errorf("page 2 of 150 is empty and %v", o.Verdict)
	}
	if p, o := c.Products(t.Context(), nil, 2); o.Verdict != Applied || p.Total != 150 {
		t.Errorf("%v %+v", o.Verdict, p)
	}
}

// A lead that does not carry the value asked for may be anybody's.
func TestAnotherLeadIsNoAnswer(t *testing.T) {
	const good = `{"ProspectID":"l-1","EmailAddress":"a@example.com","Phone":"+91-9876543210","mx_Code":"C-7"}`
	for call, bad := range map[string][]string{
		"LeadsByEmail": {
			`{"ProspectID":"l-2","EmailAddress":"other@example.com"}`, `{"ProspectID":"l-2","EmailAddress":null}`, `{"ProspectID":"l-2"}`,
			`{"ProspectID":"l-2","EmailAddress":"a@example.com.example.net"}`,
		},
		"LeadsByPhone": {
			`{"ProspectID":"l-2","Phone":"+91-9876543211"}`, `{"ProspectID":"l-2","Phone":"43210"}`, `{"ProspectID":"l-2","Phone":""}`, `{"ProspectID":"l-2"}`,
			`{"ProspectID":"l-2","mx_Code":"+91-9876543210"}`,
		},
		"LeadByID": {`{"ProspectID":"l-2"}`, `{"ProspectID":"l-11"}`},
		"LeadsBy":  {`{"ProspectID":"l-2","mx_Code":"C-8"}`, `{"ProspectID":"l-2"}`},
	} {
		if _, o := allReads[call](t.Context(), answering(t, 200, `[`+good+`]`)); o.Verdict != Applied {
			t.Errorf("%s of the lead asked for: %v %q", call, o.Verdict, o.Message)
		}
		for _, b := range bad {
			for _, body := range []string{`[` + b + `]`, `[` + good + `,` + b + `]`} {
				if v, o := allReads[call](t.Context(), answering(t, 200, body)); o.Verdict != InDoubt || len(v.([]Lead)) != 0 {
					t.Errorf("%s of %s: %v %v", call, body, o.Verdict, v)
				}
			}
		}
	}
}

func TestCallsWithoutSenseAreNotMade(t *testing.T) {
	made := 0
	c := testClient(t, Config{Host: "api.example.com", AsyncHost: "async.example.com", Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		made++
		return reply(200, `[]`), nil
	})})
	ctx := t.Context()
	lat := 91.0
	for name, do := range map[string]func() Outcome{
		"no e-mail":          func() Outcome { _, o := c.LeadsByEmail(ctx, nil, " "); return o },
		"no phone":           func() Outcome { _, o := c.LeadsByPhone(ctx, nil, "+-"); return o },
		"no lead id":         func() Outcome { _, o := c.LeadByID(ctx, nil, ""); return o },
		"no field":           func() Outcome { _, o := c.LeadsBy(ctx, nil, "", "x"); return o },
		"no value":           func() Outcome { _, o := c.LeadsBy(ctx, nil, "mx_Code", " "); return o },
		"no e-mail by field": func() Outcome { _, o := c.LeadsBy(ctx, nil, "EmailAddress", " "); return o },
		"no trail":           func() Outcome { _, o := c.TrailPage(ctx, nil, "", 1, 0); return o },
		"no lead":            func() Outcome { _, o := c.OpportunitiesOfLead(ctx, nil, "", 1, 0); return o },
		"no lead field":      func() Outcome { _, o := c.OpportunitiesByLeadField(ctx, nil, "", "", 0); return o },
		"no opportunity":     func() Outcome { _, o := c.Opportunity(ctx, nil, ""); return o },
		"no lead of sales":   func() Outcome { _, o := c.SalesActivitiesOf(ctx, nil, ""); return o },
		"no sale":            func() Outcome { _, o := c.SalesActivity(ctx, nil, " "); return o },
		"no ids":             func() Outcome { _, o := c.OpportunitiesByID(ctx, nil, 12000, nil, []string{"x"}); return o },
		"no columns":         func() Outcome { _, o := c.OpportunitiesByID(ctx, nil, 12000, []string{"x"}, nil); return o },
		"too many ids": func() Outcome {
			_, o := c.OpportunitiesByID(ctx, nil, 12000, make([]string, MaxIDs+1), []string{"x"})
			return o
		},
		"no lead to update":      func() Outcome { return c.UpdateLead(ctx, nil, "", nil) },
		"nothing to delete":      func() Outcome { return c.DeleteOpportunity(ctx, nil, " ") },
		"nothing to cancel":      func() Outcome { return c.CancelSalesActivity(ctx, nil, "", "x") },
		"no rows":                func() Outcome { _, _, o := c.BulkUpdateOpportunities(ctx, nil, nil, 0); return o },
		"too many rows":          func() Outcome { _, _, o := c.BulkUpdateOpportunities(ctx, nil, nil, MaxBulk+1); return o },
		"no field to add by":     func() Outcome { _, _, o := c.BulkAddOpportunities(ctx, nil, "", nil, 1); return o },
		"no request":             func() Outcome { _, o := c.CaptureStatus(ctx, nil, ""); return o },
		"check-in from nowhere":  func() Outcome { return c.CheckIn(ctx, nil, Presence{}) },
		"check-in as busy":       func() Outcome { return c.CheckIn(ctx, nil, Presence{Source: "API", AvailabilityStatus: "Busy"}) },
		"check-out as online":    func() Outcome { return c.CheckOut(ctx, nil, Presence{Source: "API", AvailabilityStatus: "Online"}) },
		"check-in off the globe": func() Outcome { return c.CheckIn(ctx, nil, Presence{Source: "API", Latitude: &lat}) },
	} {
		if o := do(); o.Verdict != Rejected || Code(o) != codeInvalid || o.Message == "" {
			t.Errorf("%s: %v %s %q", name, o.Verdict, Code(o), o.Message)
		}
	}
	if made != 0 {
		t.Errorf("%d calls were made", made)
	}
}

func TestRequestBodies(t *testing.T) {
	var got string
	c := testClient(t, Config{Host: "api.example.com", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		b, _ := io.ReadAll(r.Body)
		got = string(b)
		return reply(200, `[]`), nil
	})})
	ctx := t.Context()
	lat, long := 38.578624, -121.497595
	for _, x := range []struct {
		name string
		do   func()
		want string
	}{
		{"trail", func() { c.TrailPage(ctx, nil, "l", 12000, 50) }, `{"Parameter":{"ActivityEvent":12000},"Paging":{"Offset":"50","RowCount":"50"}}`},
		{"trail of all codes", func() { c.TrailPage(ctx, nil, "l", 0, 0) }, `{"Parameter":{},"Paging":{"Offset":"0","RowCount":"50"}}`},
		{"opportunities unasked", func() { c.OpportunitiesOfLead(ctx, nil, "l", 0, 0) }, ``},
		{"opportunities by page", func() { c.OpportunitiesOfLead(ctx, nil, "l", 0, 2) }, `{"Paging":{"PageIndex":2,"PageSize":100}}`},
		{"opportunities by field", func() { c.OpportunitiesByLeadField(ctx, nil, "Mobile", "+91-8271229832", 0, "ProspectId", "FirstName") }, `{"Parameter":{"LookupName":"Mobile","LookupValue":"+91-8271229832","SqlOperator":"="},"Columns":{"Include_CSV":"ProspectId,FirstName"},"Paging":{"PageIndex":1,"PageSize":100}}`},
		{"leads by field", func() { c.LeadsBy(ctx, nil, "mx_Code", "C-7") }, `{"Parameter":{"LookupName":"mx_Code","LookupValue":"C-7","SqlOperator":"="},"Columns":{"Include_CSV":"ProspectID,EmailAddress,Phone,CreatedOn,mx_Code"},"Paging":{"PageIndex":1,"PageSize":25}}`},
		{"products", func() { c.Products(ctx, nil, 2) }, `{"Parameter":{"SearchText":""},"Paging":{"PageIndex":2,"PageSize":200}}`},
		{"check-in, whole", func() {
			c.CheckIn(ctx, nil, Presence{Source: "API", Location: "KA", Latitude: &lat, Longitude: &long, AvailabilityStatus: "online", OtherDetails: map[string]string{"k": "v"}})
		}, `{"Source":"API","Location":"KA","Latitude":38.578624,"Longitude":-121.497595,"AvailabilityStatus":"online","OtherDetails":{"k":"v"}}`},
		{"check-out, least", func() { c.CheckOut(ctx, nil, Presence{Source: "API", AvailabilityStatus: "OFFLINE"}) }, `{"Source":"API","AvailabilityStatus":"OFFLINE"}`},
	} {
		got = "none"
		if x.do(); got != x.want {
			t.Errorf("%s: body %s, want %s", x.name, got, x.want)
		}
		if got != "" && !json.Valid([]byte(got)) {
			t.Errorf("%s: not JSON", x.name)
		}
	}
}

func TestTasks(t *testing.T) {
	task := func(status, reason, message string) string {
		return fmt.Sprintf(`{"RequestId":"r-1","TaskStatus":{"TaskType":"Opportunity Capture","Status":%q,"StatusReason":%q,"TaskCurrentStep":null,"TaskLastStep":"x","RequestBody":"{}","Message":%s}}`, status, reason, message)
	}
	done := `{"Status":0,"CreatedOpportunityId":"` + anID + `","RelatedProspectId":"l-1"}`
	quoted, _ := json.Marshal(done)
	for _, c := range []struct {
		name, body string
		want       Verdict
		id, typ    string
		words      string
	}{
		{"waiting", task("In-Queue", "", "null"), Accepted, "", "", ""},
		{"waiting, other case", task("IN-QUEUE", "", "null"), Accepted, "", "", ""},
		{"being worked off", task("In-Process-Queue", "", "null"), Accepted, "", "", ""},
		{"done", task("Success", "Request was successfully completed", done), Applied, anID, "", ""},
		{"done, answer as a text", task("Success", "x", string(quoted)), Applied, anID, "", ""},
		{"done, a duplicate", task("Success", "x", `{"Status":0,"ConflictedOpportunityId":"`+otherID+`"}`), Duplicate, otherID, "", ""},
		{"done, but refused", task("Success", "x", `{"Status":1,"ExceptionType":"MXInvalidInputException","ExceptionMessage":"no"}`), Rejected, "", "MXInvalidInputException", "no"},
		{"done without an answer", task("Success", "x", "null"), InDoubt, "", "", "without an answer"},
		{"done without an id", task("Success", "x", `{"Status":0}`), InDoubt, "", "", ""},
		{"failed by the application", task("FAILURE", "bad", `{"Status":1,"ExceptionType":"MXInvalidInputException","ExceptionMessage":"no"}`), Rejected, "", "MXInvalidInputException", "no"},
		{"failed, type in the reason", task("FAILURE", "MXDuplicateEntryException: there already", "null"), Rejected, "", "MXDuplicateEntryException", "there already"},
		{"failed, words only", task("FAILURE", "mandatory field missing", "null"), Rejected, "", "", "mandatory field"},
		{"error of the vendor's own", task("ERROR", "Unable to connect to DB", "null"), InDoubt, "", "", "Unable to connect"},
		{"error by the application", task("ERROR", "[MXInvalidInputException] x", "null"), Rejected, "", "MXInvalidInputException", ""},
		{"failed and yet made", task("FAILURE", "x", done), InDoubt, "", "", ""},
		{"another word for done", task("Completed", "x", done), Applied, anID, "", ""},
		{"flat", `{"RequestId":"r-1","Status":"In-Queue"}`, Accepted, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, o := answering(t, 200, c.body).CaptureStatus(t.Context(), nil, "r-1")
			if o.Verdict != Applied {
				t.Fatalf("%v %q", o.Verdict, o.Message)
			}
			r := got.Result
			if r.Verdict != c.want || r.ID != c.id || r.ExceptionType != c.typ || !strings.Contains(r.Message, c.words) {
				t.Errorf("%v %q %q %q", r.Verdict, r.ID, r.ExceptionType, r.Message)
			}
			if got.Pending() != (c.want == Accepted) || got.RequestID != "r-1" {
				t.Errorf("%+v", got)
			}
			if c.want == Applied && r.LeadID != "l-1" {
				t.Errorf("lead %q", r.LeadID)
			}
			if c.want == InDoubt && Code(r) == "" {
				t.Error("no code")
			}
		})
	}
}

func TestTimesOfAnswers(t *testing.T) {
	want := at("2026-12-03 17:04:05")
	for _, s := range []string{"2026-12-03 17:04:05", "2026-12-03 17:04:05.000", " 2026-12-03T17:04:05 ", "2026-12-03T17:04:05Z", "2026-12-03T22:34:05+05:30", "12/3/2026 5:04:05 PM", "12/03/2026 17:04:05", fmt.Sprintf("/Date(%d)/", want.UnixMilli()), fmt.Sprintf("/Date(%d+0530)/", want.UnixMilli())} {
		if got, ok := parseTime(s); !ok || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%q is %v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "null", "yesterday", "0001-01-01 00:00:00", "31/12/2026 10:00:00 AM", "/Date(x)/", "/Date(-5)/", "2026-13-01 00:00:00"} {
		if got, ok := parseTime(s); ok {
			t.Errorf("%q is read as %v", s, got)
		}
	}
}

func FuzzReads(f *testing.F) {
	seeds := []string{`[]`, `{}`, `null`, `{"RecordCount":0,"List":[]}`, `{"d":{"RecordCount":1,"ProspectActivities":[{"Id":"a","CreatedOn":"2026-01-01 00:00:00"}]}}`,
		`[[{"ProspectID":"x","prospectid":"y"}]]`, `{"TaskStatus":{"Status":"Success","Message":"{}"}}`, `{"Fields":[{"SchemaName":"a","OptionSet":"[1,\"x\",{\"Value\":2}]"}]}`, "\xef\xbb\xbf[1]", strings.Repeat("[", 200) + strings.Repeat("]", 200)}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o := Outcome{Verdict: Applied, Status: 200}
		doc, ok := parseJSON(body)
		if !ok {
			return
		}
		doc = unwrapD(doc)
		if l, o := leads(o, doc); o.Verdict == Applied {
			for _, x := range l {
				if x.ID == "" {
					t.Error("a lead without an id")
				}
			}
		} else if l != nil {
			t.Error("leads of an unusable answer")
		}
		if p, o := readTrail(o, doc, 1); o.Verdict == Applied {
			if p.Total < len(p.Activities) {
				t.Errorf("%d activities of %d", len(p.Activities), p.Total)
			}
			for _, a := range p.Activities {
				if a.ID == "" || a.CreatedOn.IsZero() {
					t.Errorf("%+v", a)
				}
			}
		}
		opportunities(o, doc, 0)
		fields(o, doc)
		if task, o := readTask(o, doc, "r"); o.Verdict == Applied && task.Result.Verdict == Applied && task.Result.ID == "" {
			t.Error("a task is done without an id")
		}
	})
}

// Nobody is advised to send the keys to a host that is not the vendor's.
func TestOnlyTheVendorsHostIsTheRightOne(t *testing.T) {
	for host, want := range map[string]string{
		"https://api-us11.leadsquared.com/v2/": "api-us11.leadsquared.com", "api.leadsquared.com": "api.leadsquared.com",
		"https://portal.example.net": "", "https://api.leadsquared.com.example.net": "", "https://notleadsquared.com": "", "https://api.leadsquared.com:8443": "", "http://127.0.0.1:9": "",
	} {
		u, o := answering(t, 200, `{"EmailAddress":"a@example.com","LSQCommonServiceURLs":{"api":"`+host+`"}}`).Self(t.Context(), nil)
		if o.Verdict != Applied || u.APIHost != want {
			t.Errorf("%s: %v, right host %q, want %q", host, o.Verdict, u.APIHost, want)
		}
	}
}

func TestOpportunitiesOfAnotherLeadAreNoAnswer(t *testing.T) {
	for body, want := range map[string]Verdict{
		`{"RecordCount":1,"List":[{"OpportunityId":"o-1","RelatedProspectId":"l-1","mx_Code":"c-7"}]}`: Applied,
		`{"RecordCount":1,"List":[{"OpportunityId":"o-1","RelatedProspectId":"l-1","mx_Code":"C-8"}]}`: InDoubt,
		`{"RecordCount":1,"List":[{"OpportunityId":"o-1","RelatedProspectId":"l-1"}]}`:                 InDoubt,
		`{"RecordCount":0,"List":[]}`: Applied,
	} {
		if _, o := answering(t, 200, body).OpportunitiesByLeadField(t.Context(), nil, "mx_Code", "C-7", 1, "mx_Code"); o.Verdict != want {
			t.Errorf("%s: %v, want %v", body, o.Verdict, want)
		}
	}
}
