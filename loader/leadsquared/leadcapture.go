package leadsquared

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// CaptureLead makes a lead that has one attribute, a unique one, and leaves a
// lead that carries it already as it is. Field is EmailAddress, Phone or
// Mobile: the account matches by no other (vendor's page on capturing leads).
//
// Since the account matches before it makes anything, a second call for the same value
// makes no second lead. The answer has an id under two names whose meaning the
// vendor's page leaves open: look the lead up to learn its id.
func (c *Client) CaptureLead(ctx context.Context, s Slot, field, value string) Outcome {
	type pair struct{ Attribute, Value string }
	body, err := json.Marshal([]pair{{field, value}, {"SearchBy", field}})
	if err != nil {
		return invalid("the lead cannot be written as JSON")
	}
	o, _ := c.do(ctx, s, call{
		kind: kindLead, method: http.MethodPost, path: pathLeadCapture,
		query: url.Values{"LeadUpdateBehavior": {"DoNotUpdate"}}, body: body,
	})
	return o
}
