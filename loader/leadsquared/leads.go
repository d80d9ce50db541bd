package leadsquared

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Lead is a lead as a look-up gives it.
type Lead struct {
	ID         string            // ProspectID
	Attributes map[string]string // by schema name; null is ""
	CreatedOn  time.Time         // UTC; zero where the answer has none that can be read
	ModifiedOn time.Time         // likewise
}

// LeadsByEmail looks a lead up by its e-mail address
// (Leads.GetByEmailaddress). No lead is an empty list. An answer with a lead
// of another address is InDoubt.
func (c *Client) LeadsByEmail(ctx context.Context, s Slot, email string) ([]Lead, Outcome) {
	if email = strings.TrimSpace(email); email == "" {
		return nil, invalid("no e-mail address to look up")
	}
	return c.leadsWith(ctx, s, getCall(pathLeadsByEmail, "emailaddress", email), "e-mail address", func(l Lead) bool {
		got, _ := lookUp(l.Attributes, "EmailAddress")
		return strings.EqualFold(strings.TrimSpace(got), email)
	})
}

// LeadsByPhone looks leads up by phone (RetrieveLeadByPhoneNumber), in the
// fields Phone and Mobile only. Everything but digits is left out of the request,
// as the vendor's page asks; with or without country code. The page says that of
// several leads with one phone the account gives only the one that was
// active last, so one lead in the answer is no proof that there is one. An
// answer with a lead that has the number in no phone field is InDoubt.
func (c *Client) LeadsByPhone(ctx context.Context, s Slot, phone string) ([]Lead, Outcome) {
	digits := digitsOf(phone)
	if digits == "" {
		return nil, invalid("no phone number to look up")
	}
	return c.leadsWith(ctx, s, getCall(pathLeadsByPhone, "phone", digits), "phone number", func(l Lead) bool {
		for name, value := range l.Attributes {
			name = strings.ToLower(name)
			if (strings.Contains(name, "phone") || strings.Contains(name, "mobile")) && samePhoneDigits(digits, digitsOf(value)) {
				return true
			}
		}
		return false
	})
}

// LeadByID looks a lead up by its id (Leads.GetById). No lead is an empty
// list; accounts have also answered with an exception, which is Rejected.
func (c *Client) LeadByID(ctx context.Context, s Slot, id string) ([]Lead, Outcome) {
	if id = strings.TrimSpace(id); id == "" {
		return nil, invalid("no lead id to look up")
	}
	return c.leadsWith(ctx, s, getCall(pathLeadByID, "id", id), "id", func(l Lead) bool { return strings.EqualFold(l.ID, id) })
}

// LeadsBy looks leads up by a field, with the call that suits it: the three
// above for EmailAddress, Phone or Mobile, and ProspectID; "search leads by criteria"
// (Leads.Get) for every other schema name.
//
// Leads.Get is known to ignore a filter that it does not understand and to
// answer with any leads (field report). So the field is asked for in the
// answer, and an answer with a lead that does not carry the value is InDoubt.
// At most 25 leads are given.
func (c *Client) LeadsBy(ctx context.Context, s Slot, field, value string) ([]Lead, Outcome) {
	switch strings.ToLower(strings.TrimSpace(field)) {
	case "":
		return nil, invalid("no lead field to look up by")
	case "emailaddress":
		return c.LeadsByEmail(ctx, s, value)
	case "phone", "mobile":
		return c.LeadsByPhone(ctx, s, value)
	case "prospectid":
		return c.LeadByID(ctx, s, value)
	}
	if value = strings.TrimSpace(value); value == "" {
		return nil, invalid("no value of " + field + " to look up")
	}
	k := postCall(pathLeadsBy, struct {
		Parameter lookup
		Columns   columns
		Paging    paging
	}{
		Parameter: lookup{field, value, "="},
		Columns:   columns{"ProspectID,EmailAddress,Phone,CreatedOn," + field},
		Paging:    paging{1, 25},
	})
	return c.leadsWith(ctx, s, k, field, func(l Lead) bool {
		got, _ := lookUp(l.Attributes, field)
		return SameValue(value, got)
	})
}

// leadsWith is leads for a look-up by a value. Every lead of the answer must carry
// it: an index that lags, a merged lead or a cache may answer with another lead,
// and a record posted to that one is lost.
func (c *Client) leadsWith(ctx context.Context, s Slot, k call, what string, carries func(Lead) bool) ([]Lead, Outcome) {
	return ask(ctx, c, s, k, func(o Outcome, doc any) ([]Lead, Outcome) {
		list, o := leads(o, doc)
		for _, l := range list {
			if !carries(l) {
				return nil, misread(o, "a list of the leads asked for: one of them has another "+what)
			}
		}
		return list, o
	})
}

// samePhoneDigits compares the digits of two phones, of which one may lack the country code.
func samePhoneDigits(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return a == b && a != "" || len(a) >= 7 && len(b)-len(a) <= 4 && strings.HasSuffix(b, strings.TrimLeft(a, "0"))
}

// mostLeads is more than any value that is to name a lead can find.
const mostLeads = 200

// leads reads an array of leads: flat objects, or objects with a
// LeadPropertyList of attributes and values.
func leads(o Outcome, doc any) ([]Lead, Outcome) {
	if o.Verdict != Applied {
		return nil, o
	}
	if one, single := doc.(object); single && one.has("ProspectID", "LeadPropertyList") {
		doc = []any{one} // an answer about one lead without the list around it
	}
	list, total, ok := rows(doc, "List", "Leads", "Lead")
	if !ok || total > len(list) && len(list) == 0 {
		return nil, misread(o, "a list of leads")
	}
	if len(list) > mostLeads {
		return nil, misread(o, fmt.Sprintf("one of the leads asked for: it lists %d", len(list)))
	}
	all := make([]Lead, 0, len(list))
	for _, v := range list {
		row, ok := v.(object)
		if !ok {
			return nil, misread(o, "a list of leads")
		}
		l := Lead{}
		if l.Attributes = pairsOf(row.get("LeadPropertyList")); l.Attributes == nil {
			l.Attributes = flat(row)
		}
		id, _ := lookUp(l.Attributes, "ProspectID")
		if l.ID = identifier(id); l.ID == "" {
			return nil, misread(o, "a list of leads: one has no ProspectID")
		}
		created, _ := lookUp(l.Attributes, "CreatedOn")
		modified, _ := lookUp(l.Attributes, "ModifiedOn")
		l.ModifiedOn, _ = parseTime(modified)
		l.CreatedOn, _ = parseTime(created)
		all = append(all, l)
	}
	return all, o
}

// lookUp finds a name in any case.
func lookUp(m map[string]string, name string) (string, bool) {
	if v, ok := m[name]; ok {
		return v, true
	}
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}
