package target

import (
	"context"

	"leadload/loader/leadsquared"
	"leadload/mapping"
)

// Write makes the call that writes a part of a record. id is the record's, lead
// its lead's id.
func Write(ctx context.Context, c *leadsquared.Client, slot leadsquared.Slot, part mapping.Part, id, lead string, body []byte) leadsquared.Outcome {
	switch part {
	case mapping.OfLead:
		return c.UpdateLead(ctx, slot, lead, body)
	case mapping.OfSale:
		return c.UpdateSalesActivity(ctx, slot, id, body)
	case mapping.OfOpportunity:
		return c.UpdateOpportunity(ctx, slot, id, body)
	}
	panic("target: no call writes a " + string(part)) // such a part is not planned
}
