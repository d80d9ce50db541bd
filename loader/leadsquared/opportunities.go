package leadsquared

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Opportunity is an opportunity as the account gives it back.
type Opportunity struct {
	ID         string
	LeadID     string            // RelatedProspectId; "" where the answer leaves it out
	EventCode  int               // 0 where the answer leaves it out
	Note       string            // OpportunityNote
	CreatedOn  time.Time         // UTC; zero where the answer has none that can be read
	ModifiedOn time.Time         // likewise
	Fields     map[string]string // by schema name; null is ""
}

// OpportunityPage is a page of opportunities. Their list is index-backed and lags:
// what was made minutes ago may be missing from it (field report).
type OpportunityPage struct {
	Total int // RecordCount: of all pages
	List  []Opportunity
}

const opportunityRows = 100

// OpportunitiesOfLead lists the opportunities of a lead of one type
// (GetOpportunitiesOfLead). Page 0 asks with an empty body for what the account
// gives unasked; pages from 1 have up to 100. With Total greater than what
// the pages brought, the list is not whole.
func (c *Client) OpportunitiesOfLead(ctx context.Context, s Slot, leadID string, eventCode, page int) (OpportunityPage, Outcome) {
	if leadID = strings.TrimSpace(leadID); leadID == "" {
		return OpportunityPage{}, invalid("no lead id to list opportunities of")
	}
	query := []string{"leadId", leadID}
	if eventCode != 0 { // optional on the vendor's page, needed in practice
		query = append(query, "opportunityType", strconv.Itoa(eventCode))
	}
	var body any
	if page > 0 {
		body = struct{ Paging paging }{paging{page, opportunityRows}}
	}
	return ask(ctx, c, s, postCall(pathOpportunitiesOf, body, query...), func(o Outcome, doc any) (OpportunityPage, Outcome) {
		p, o := opportunities(o, doc, page)
		if o.Verdict == Applied && ofOthers(doc, leadID, "List", "Opportunities") {
			return OpportunityPage{}, misread(o, "the list of opportunities asked for: all are another lead's")
		}
		return p, o
	})
}

// OpportunitiesByLeadField lists the opportunities of the lead that a unique
// field names (GetOpportunitiesByUniqueLeadField), from page 1, 100 a page. The
// lead's own fields asked for by include come among Fields; with field among them, an
// answer of a lead that does not carry the value is InDoubt. An empty list says
// that no opportunity is found, not that there is no such lead.
func (c *Client) OpportunitiesByLeadField(ctx context.Context, s Slot, field, value string, page int, include ...string) (OpportunityPage, Outcome) {
	field, value = strings.TrimSpace(field), strings.TrimSpace(value)
	if field == "" || value == "" {
		return OpportunityPage{}, invalid("no lead field and value to list opportunities by")
	}
	body := struct {
		Parameter lookup
		Columns   *columns `json:",omitempty"`
		Paging    paging
	}{Parameter: lookup{field, value, "="}, Paging: paging{max(page, 1), opportunityRows}}
	if len(include) > 0 {
		body.Columns = &columns{strings.Join(include, ",")}
	}
	return ask(ctx, c, s, postCall(pathOpportunitiesBy, body), func(o Outcome, doc any) (OpportunityPage, Outcome) {
		p, o := opportunities(o, doc, page)
		for _, opp := range p.List {
			if got, _ := lookUp(opp.Fields, field); slices.Contains(include, field) && !SameValue(value, got) {
				return OpportunityPage{}, misread(o, "a list of the opportunities asked for: the lead of one has another "+field)
			}
		}
		return p, o
	})
}

func opportunities(o Outcome, doc any, page int) (OpportunityPage, Outcome) {
	if o.Verdict != Applied {
		return OpportunityPage{}, o
	}
	if top, ok := doc.(object); ok && page > 1 {
		if n, _ := top.integer("RecordCount"); n > 0 && n <= (page-1)*opportunityRows && len(asList(top.get("List"))) == 0 {
			return OpportunityPage{Total: n}, o // past the end
		}
	}
	list, total, ok := rows(doc, "List", "Opportunities")
	if !ok {
		return OpportunityPage{}, misread(o, "a list of opportunities")
	}
	p := OpportunityPage{Total: max(total, len(list))}
	for _, v := range list {
		row, ok := v.(object)
		if !ok {
			return OpportunityPage{}, misread(o, "a list of opportunities")
		}
		opp := readOpportunity(row)
		if opp.ID == "" {
			return OpportunityPage{}, misread(o, "a list of opportunities: one has no id")
		}
		p.List = append(p.List, opp)
	}
	return p, o
}

func asList(v any) []any {
	l, _ := v.([]any)
	return l
}

// Opportunity reads one opportunity whole (GetOpportunityDetails).
func (c *Client) Opportunity(ctx context.Context, s Slot, id string) (Opportunity, Outcome) {
	if id = strings.TrimSpace(id); id == "" {
		return Opportunity{}, invalid("no opportunity id to read")
	}
	return ask(ctx, c, s, getCall(pathOpportunity, "OpportunityId", id), func(o Outcome, doc any) (Opportunity, Outcome) {
		return opportunity(o, doc, id)
	})
}

func opportunity(o Outcome, doc any, id string) (Opportunity, Outcome) {
	if o.Verdict != Applied {
		return Opportunity{}, o
	}
	if l, ok := doc.([]any); ok && len(l) == 1 {
		doc = l[0]
	}
	row, ok := doc.(object)
	if !ok {
		return Opportunity{}, misread(o, "an opportunity")
	}
	if len(pairsOf(row.get("Fields"))) == 0 {
		return Opportunity{}, misread(o, "an opportunity: it has no fields")
	}
	opp := readOpportunity(row)
	if opp.ID == "" {
		opp.ID = id
	}
	if !strings.EqualFold(opp.ID, id) {
		return Opportunity{}, misread(o, "the opportunity asked for")
	}
	return opp, o
}

// readOpportunity reads the flat objects of lists and the Fields[] of details.
func readOpportunity(row object) Opportunity {
	opp := Opportunity{
		ID:     identifier(row.get("OpportunityId", "ProspectOpportunityId", "ProspectActivityId", "Id")),
		LeadID: identifier(row.get("RelatedProspectId", "ProspectId")),
		Fields: flat(row),
	}
	maps.Copy(opp.Fields, pairsOf(row.get("Fields")))
	first := func(names ...string) string {
		for _, n := range names {
			if v, ok := lookUp(opp.Fields, n); ok && v != "" {
				return v
			}
		}
		return ""
	}
	opp.Note = first("OpportunityNote", "ActivityEvent_Note", "Note")
	opp.CreatedOn, _ = parseTime(first("CreatedOn"))
	opp.ModifiedOn, _ = parseTime(first("ModifiedOn"))
	opp.EventCode, _ = integer(first("OpportunityEvent", "OpportunityEventCode", "EventCode", "ActivityEvent"))
	if opp.LeadID == "" {
		opp.LeadID = identifier(first("RelatedProspectId"))
	}
	return opp
}
