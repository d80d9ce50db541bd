package leadsquared

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// MaxIDs is the most ids that one OpportunitiesByID call takes (vendor's page).
const MaxIDs = 2000

// OpportunitiesByID reads many opportunities of one type at once
// (GetOpportunitiesById): up to MaxIDs ids, the named columns of each. The
// records come in any order, those that the account does not know are left out,
// and so may be a record that was made a moment ago: match by ID. Among the
// columns may be ModifiedOn and CreatedOn (assumed; zero where the answer lacks
// them). An account that does not have the call answers Fatal with status 404,
// 405 or 410.
func (c *Client) OpportunitiesByID(ctx context.Context, s Slot, eventCode int, ids, include []string) ([]Opportunity, Outcome) {
	if len(ids) == 0 || len(ids) > MaxIDs || eventCode == 0 || len(include) == 0 {
		return nil, invalid("opportunities are read by 1 to 2,000 ids of one type, with at least one column")
	}
	type search struct {
		EventCode          int
		ProspectActivityId []string
		Columns            columns
	}
	body := struct{ SearchParameters []search }{[]search{{eventCode, ids, columns{strings.Join(include, ",")}}}}
	o, doc := c.post(ctx, s, pathOpportunitiesByID, body)
	if o.Verdict != Applied {
		return nil, o
	}
	groups, ok := doc.([]any)
	if one, single := doc.(object); single {
		groups, ok = []any{one}, true // a wrapper that other calls of the vendor leave out for one group
	}
	if !ok {
		return nil, misread(o, "a list of opportunities by type")
	}
	open := make(map[string]bool, len(ids)) // asked for, and not answered yet
	for _, id := range ids {
		open[strings.ToLower(strings.TrimSpace(id))] = true
	}
	var all []Opportunity
	for _, g := range groups {
		group, ok := g.(object)
		if !ok {
			return nil, misread(o, "a list of opportunities by type")
		}
		list, _, ok := rows(group, "Opportunities", "List")
		if !ok {
			return nil, misread(o, "a list of opportunities by type")
		}
		for _, v := range list {
			row, ok := v.(object)
			if !ok {
				return nil, misread(o, "a list of opportunities by type")
			}
			opp := readOpportunity(row)
			opp.LeadID = identifier(row.get("ProspectId", "RelatedProspectId"))
			if !open[strings.ToLower(opp.ID)] {
				return nil, misread(o, "the opportunities that were asked for, each once")
			}
			delete(open, strings.ToLower(opp.ID))
			all = append(all, opp)
		}
	}
	return all, o
}

// SpanRows is the most records of a page of RecentlyModified (field report).
const SpanRows = 1000

// SpanPage is a page of the opportunities of a type that were modified in a span of time.
type SpanPage struct {
	Total int // RecordCount: of the whole span
	List  []Opportunity
}

// RecentlyModified reads a page, from 1 on, of the opportunities of a type that
// were modified between from and to, whole seconds, both included
// (RetrieveRecentlyModified), newest first. A record that is modified while one
// pages leaves a span that ends in the past, and later pages then shift: the
// caller fixes to before the first page, counts distinct ids against Total, and
// reads the span since then afterwards.
func (c *Client) RecentlyModified(ctx context.Context, s Slot, eventCode int, from, to time.Time, page int) (SpanPage, Outcome) {
	o, doc := c.post(ctx, s, pathRecentlyModified, spanBody(eventCode, from, to, page, SpanRows, true))
	if o.Verdict != Applied {
		return SpanPage{}, o
	}
	top, isObject := doc.(object)
	list, total, ok := rows(doc, "ProspectActivities", "List")
	if isObject && page > 1 && !ok {
		// Past the end the list may be empty or missing beside a count.
		if n, counted := top.integer("RecordCount"); counted && n > 0 && n <= (page-1)*SpanRows && len(asList(top.get("ProspectActivities", "List"))) == 0 {
			return SpanPage{Total: n}, o
		}
	}
	if !ok {
		return SpanPage{}, misread(o, "a page of opportunities")
	}
	p := SpanPage{Total: max(total, len(list))}
	for _, v := range list {
		row, ok := v.(object)
		if !ok {
			return SpanPage{}, misread(o, "a page of opportunities")
		}
		opp := readOpportunity(row)
		if opp.ID == "" {
			return SpanPage{}, misread(o, "a page of opportunities: one has no id")
		}
		p.List = append(p.List, opp)
	}
	return p, o
}

// CountOfType counts the opportunities of a type that were created between
// from and to (CustomActivity/RetrieveByActivityEvent). It costs one call,
// whatever the number.
func (c *Client) CountOfType(ctx context.Context, s Slot, eventCode int, from, to time.Time) (int, Outcome) {
	o, doc := c.post(ctx, s, pathByActivityEvent, spanBody(eventCode, from, to, 1, 1, false))
	if o.Verdict != Applied {
		return 0, o
	}
	list, total, ok := rows(doc, "List", "ProspectActivities")
	top, isObject := doc.(object)
	if !ok || !isObject || !top.has("RecordCount") || total > 0 && len(list) == 0 {
		return 0, misread(o, "a count of opportunities")
	}
	for _, v := range list {
		if row, ok := v.(object); !ok || readOpportunity(row).ID == "" {
			return 0, misread(o, "a count of opportunities: one has no id")
		}
	}
	return total, o
}

// spanTime is how the spans of reads are written: whole seconds, UTC.
const spanTime = "2006-01-02 15:04:05"

func spanBody(eventCode int, from, to time.Time, page, size int, custom bool) any {
	type parameter struct {
		FromDate, ToDate    string
		ActivityEvent       int
		IncludeCustomFields int `json:",omitempty"`
	}
	type sorting struct {
		ColumnName string
		Direction  int
	}
	p := parameter{FromDate: from.UTC().Format(spanTime), ToDate: to.UTC().Format(spanTime), ActivityEvent: eventCode}
	if custom {
		p.IncludeCustomFields = 1
	}
	return struct {
		Parameter parameter
		Paging    paging
		Sorting   sorting
	}{p, paging{max(page, 1), size}, sorting{"CreatedOn", 1}}
}

// SalesActivity reads one sales activity (RetrieveActivity). Numbers come with
// two decimals (vendor's page).
func (c *Client) SalesActivity(ctx context.Context, s Slot, id string) (SalesActivity, Outcome) {
	if id = strings.TrimSpace(id); id == "" {
		return SalesActivity{}, invalid("no sales activity id to read")
	}
	o, doc := c.do(ctx, s, call{method: http.MethodGet, path: pathSale, query: values([]string{"activityId", id})})
	if o.Verdict != Applied {
		return SalesActivity{}, o
	}
	if list, ok := doc.([]any); ok && len(list) == 1 {
		doc = list[0]
	}
	row, ok := doc.(object)
	if !ok {
		return SalesActivity{}, misread(o, "a sales activity")
	}
	a, ok := readSale(row)
	if !ok || len(a.Fields) == 0 {
		return SalesActivity{}, misread(o, "a sales activity: it has no fields")
	}
	if a.ID == "" {
		a.ID = id
	}
	if !strings.EqualFold(a.ID, id) {
		return SalesActivity{}, misread(o, "the sales activity asked for")
	}
	return a, o
}
