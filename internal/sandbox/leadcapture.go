package sandbox

import (
	"slices"
	"strings"
)

// captureLead makes a lead, or finds it by SearchBy. With LeadUpdateBehavior
// DoNotUpdate a lead that is there stays as it is.
func (a *Account) captureLead(c *call) answer {
	var details []attribute
	if no := decode(c.body, &details); no != nil {
		return no.answer()
	}
	var attributes []pair
	searchBy := ""
	for _, d := range details {
		switch d.Attribute {
		case "":
			return (&refusal{bad: true, message: "a lead detail has no Attribute"}).answer()
		case "SearchBy":
			searchBy = d.Value
		default:
			attributes = append(attributes, pair{d.Attribute, d.Value})
		}
	}
	if email := strings.TrimSpace(valueOf(attributes, "EmailAddress")); email != "" && !isEmail(email) {
		return exception("MXInvalidEmailException", "'"+email+"' is not a valid email address")
	}
	if searchBy == "" {
		searchBy = "EmailAddress"
	}
	if !slices.Contains([]string{"EmailAddress", "Phone", "Mobile"}, searchBy) {
		return invalid("SearchBy '%s' is not a unique field", searchBy).answer()
	}
	value := fold(searchBy, valueOf(attributes, searchBy))
	if value == "" {
		return missing(searchBy).answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	at, found := a.store.unique[lookup{searchBy, value}]
	switch {
	case !found:
		at = a.store.addLead(a.newID(), attributes, a.unique, a.now())
	case c.param("LeadUpdateBehavior") != "DoNotUpdate":
		a.store.updateLead(at, attributes, a.unique)
	}
	return success(a.store.leads[at].id.String())
}
