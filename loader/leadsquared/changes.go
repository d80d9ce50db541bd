package leadsquared

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// The calls that change what is there. Their outcome is Applied only where the
// account says so in its own words; whether a record has the new values is
// known for certain by reading it back, which may show the old ones for a
// while (up to 90 s, field report).

// UpdateOpportunity changes an opportunity (OpportunityManagement.svc/Update).
// The body is flat: ProspectOpportunityId, OpportunityNote, Fields; what it
// leaves out stays as it is. An answer that names another record than id is InDoubt.
func (c *Client) UpdateOpportunity(ctx context.Context, s Slot, id string, body []byte) Outcome {
	o, _ := c.do(ctx, s, call{kind: kindChange, method: http.MethodPost, path: pathOpportunityUpdate, body: body})
	return changed(o, id)
}

// UpdateSalesActivity changes a sales activity (SalesActivity.svc/Update). The
// vendor's page names no Status among what it takes. AffectedRows is 0 beside
// Success in the vendor's own example, so that it proves nothing.
func (c *Client) UpdateSalesActivity(ctx context.Context, s Slot, id string, body []byte) Outcome {
	o, _ := c.do(ctx, s, call{kind: kindChange, method: http.MethodPost, path: pathSaleUpdate, body: body})
	return changed(o, id)
}

// UpdateLead changes attributes of a lead (LeadManagement.svc/Lead.Update). The
// body is a list of {Attribute, Value}.
func (c *Client) UpdateLead(ctx context.Context, s Slot, leadID string, body []byte) Outcome {
	if leadID = strings.TrimSpace(leadID); leadID == "" {
		return invalid("no lead id to update")
	}
	o, _ := c.do(ctx, s, call{kind: kindChange, method: http.MethodPost, path: pathLeadUpdate, query: values([]string{"leadId", leadID}), body: body})
	return changed(o, leadID)
}

// changed doubts a change whose answer names another record than the one asked for.
func changed(o Outcome, id string) Outcome {
	if o.Verdict == Applied && o.ID != "" && !strings.EqualFold(o.ID, strings.TrimSpace(id)) {
		o.Verdict, o.code, o.Message = InDoubt, codeContradiction, "the answer names another record than the one that was changed"
	}
	if o.Verdict == Applied {
		o.ID = id
	}
	return o
}

// DeleteOpportunity deletes an opportunity (OpportunityManagement.svc/Delete, a
// GET). Applied means that the account says IsSuccessful: it answers Success
// without it, and without deleting anything, where it does not know the
// parameter (field report). There is no way back.
func (c *Client) DeleteOpportunity(ctx context.Context, s Slot, id string) Outcome {
	if id = strings.TrimSpace(id); id == "" {
		return invalid("no opportunity id to delete")
	}
	o, doc := c.do(ctx, s, call{kind: kindDelete, method: http.MethodGet, path: pathOpportunityDelete, query: values([]string{"Id", id})})
	if o.Verdict != Applied {
		return o
	}
	answer, _ := doc.(object)
	if !answer.flag("IsSuccessful") && !member(answer, "Message").flag("IsSuccessful") {
		o.Verdict, o.code, o.Message = InDoubt, codeUnexpected, "the answer does not say that the record was deleted"
		return o
	}
	o.ID = id
	return o
}

// CancelSalesActivity cancels a sales activity (SalesActivity.svc/Cancel). The
// account has no deletion of one. Outcome.ID is that of the record which the
// account makes to cancel it, not the one that was cancelled.
func (c *Client) CancelSalesActivity(ctx context.Context, s Slot, id, note string) Outcome {
	if id = strings.TrimSpace(id); id == "" {
		return invalid("no sales activity id to cancel")
	}
	body, _ := json.Marshal(struct {
		ID   string `json:"activityId"`
		Note string `json:"activityEventNote"`
	}{id, note})
	o, _ := c.do(ctx, s, call{kind: kindChange, method: http.MethodPost, path: pathSaleCancel, body: body})
	return o
}
