package leadsquared

import (
	"context"
	"strings"
)

// SalesActivity is a sales activity as the account gives it back. There is no
// date of creation in the answer.
type SalesActivity struct {
	ID string
	// Fields by schema name. Product is mx_Custom_1 (an id; ProductName is
	// derived from it), Order Value mx_Custom_2, Sales Date mx_Custom_3,
	// Sales Owner mx_Custom_4 (an id); Status by its own name.
	Fields map[string]string
}

// SalesActivitiesOf lists the sales activities of a lead (RetrieveByLeadId).
// The answer has no pages.
func (c *Client) SalesActivitiesOf(ctx context.Context, s Slot, leadID string) ([]SalesActivity, Outcome) {
	if leadID = strings.TrimSpace(leadID); leadID == "" {
		return nil, invalid("no lead id to list sales activities of")
	}
	o, doc := c.get(ctx, s, pathSalesOf, "leadId", leadID)
	if o.Verdict != Applied {
		return nil, o
	}
	list, total, ok := rows(doc, "List", "SalesActivities")
	if !ok {
		return nil, misread(o, "a list of sales activities")
	}
	if total > len(list) {
		o = misread(o, "the whole list of sales activities")
		o.code = codeIncomplete
		return nil, o
	}
	all := make([]SalesActivity, 0, len(list))
	for _, v := range list {
		row, ok := v.(object)
		if !ok {
			return nil, misread(o, "a list of sales activities")
		}
		a, ok := readSale(row)
		if a.ID == "" || !ok {
			return nil, misread(o, "a list of sales activities: one has no id or no fields")
		}
		all = append(all, a)
	}
	return all, o
}

// readSale reads one sales activity; ok is false where it has no list of fields.
func readSale(row object) (a SalesActivity, ok bool) {
	a.ID = identifier(row.get("ID", "SalesActivityId", "ProspectActivityId", "Id"))
	a.Fields = pairsOf(row.get("Fields"))
	return a, a.Fields != nil
}
