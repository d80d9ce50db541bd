package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// change is what somebody does to an opportunity.
type change struct {
	fields    []pair
	note      *string // nil leaves the note as it is
	onlyEmpty bool    // only where there is no value yet
	by        string  // who does it
}

// changeOpportunity carries a change out and keeps what was there before. The caller holds mu.
func (a *Account) changeOpportunity(at int32, c change, now time.Time) {
	o := &a.store.opps[at]
	before := a.store.names.unpack(o.fields)
	a.rewrite(c.fields)
	after, changed := mergeBlanks(before, c.fields, c.onlyEmpty, a.o.BlanksClear && !c.onlyEmpty)
	if c.note != nil && *c.note != o.note && (*c.note != "" || a.o.BlanksClear) {
		changed = true
	} else {
		c.note = nil
	}
	if !changed {
		return
	}
	a.store.history[o.id] = append(a.store.history[o.id], revision{at: now.UnixNano(), by: c.by, modified: o.modified, note: o.note, values: o.fields})
	o.fields, o.modified = a.store.names.pack(after), now.UnixNano()
	if c.note != nil {
		o.note = *c.note
	}
	if f := a.o.DuplicateField; f != "" {
		was, is := strings.TrimSpace(valueOf(before, f)), strings.TrimSpace(valueOf(after, f))
		if was != is {
			if a.store.rule[ruleKey{o.code, was}] == at {
				delete(a.store.rule, ruleKey{o.code, was})
			}
			if _, taken := a.store.rule[ruleKey{o.code, is}]; !taken {
				a.store.rule[ruleKey{o.code, is}] = at
			}
		}
	}
}

// rewrite puts what the account makes of values in their place.
func (a *Account) rewrite(fields []pair) {
	for i, f := range fields {
		if made, rewritten := a.o.Rewrites[f.name][f.value]; rewritten {
			fields[i].value = made
		}
	}
}

// changeSale is changeOpportunity for a sales activity.
func (a *Account) changeSale(at int32, values []pair, by string, now time.Time) {
	s := &a.store.sales[at]
	after, changed := mergeBlanks(a.store.names.unpack(s.values), values, false, a.o.BlanksClear)
	if !changed {
		return
	}
	a.store.history[s.id] = append(a.store.history[s.id], revision{at: now.UnixNano(), by: by, values: s.values})
	s.values = a.store.names.pack(after)
}

// changeLead is changeOpportunity for a lead.
func (a *Account) changeLead(at int32, attributes []pair, by string, now time.Time) {
	l := &a.store.leads[at]
	before := l.attributes
	a.store.updateLead(at, attributes, a.unique)
	if l.attributes != before {
		a.store.history[l.id] = append(a.store.history[l.id], revision{at: now.UnixNano(), by: by, values: before})
	}
}

// late is an opportunity as reads show it: as it was before the changes that they have not caught up with.
func (a *Account) late(o opportunity) opportunity {
	if a.o.UpdateLag == 0 {
		return o
	}
	since := a.now().UnixNano() - int64(a.o.UpdateLag)
	h := a.store.history[o.id]
	for i := len(h) - 1; i >= 0 && h[i].at > since; i-- {
		o.fields, o.note, o.modified = h[i].values, h[i].note, h[i].modified
	}
	return o
}

// lateSale is late for a sales activity.
func (a *Account) lateSale(s sale) sale {
	if a.o.UpdateLag == 0 {
		return s
	}
	since := a.now().UnixNano() - int64(a.o.UpdateLag)
	h := a.store.history[s.id]
	for i := len(h) - 1; i >= 0 && h[i].at > since; i-- {
		s.values = h[i].values
	}
	return s
}

// notThere is the answer for a record that is unknown or was deleted: field reports have all three forms.
func (a *Account) notThere(what, given string) answer {
	switch a.o.GoneForm {
	case "404":
		return failure(http.StatusNotFound, "MXInvalidInputException", fmt.Sprintf("%s '%s' does not exist", what, given))
	case "empty":
		return ok(struct{ Fields []string }{[]string{}})
	}
	return invalid("%s '%s' does not exist", what, given).answer()
}

// locked refuses fields that no update may change.
func (a *Account) locked(names []pair) *refusal {
	for _, p := range names {
		if slices.Contains(a.o.Locked, p.name) {
			return &refusal{kind: "MXInvalidActivityFieldsException", message: fmt.Sprintf("Field name : '%s' cannot be updated.", p.name)}
		}
	}
	return nil
}

// updateOpportunity takes a flat body: ProspectOpportunityId, OpportunityNote, Fields.
func (a *Account) updateOpportunity(c *call) answer {
	var b struct {
		ProspectOpportunityId text
		OpportunityNote       *text
		Fields                []schemaValue
	}
	if no := decode(c.body, &b); no != nil {
		return no.answer()
	}
	if b.ProspectOpportunityId == "" {
		return missing("ProspectOpportunityId").answer()
	}
	fields := pairsOf(b.Fields)
	a.mu.Lock()
	defer a.mu.Unlock()
	v, good := parseID(b.ProspectOpportunityId)
	at, found := a.store.oppByID[v]
	if !good || !found {
		return invalid("Opportunity '%s' does not exist", b.ProspectOpportunityId).answer()
	}
	if no := a.checkChange(at, fields); no != nil {
		return no.answer()
	}
	a.changeOpportunity(at, change{fields: fields, note: b.OpportunityNote, by: a.o.User.Name}, a.now())
	return success(a.store.opps[at].id.String())
}

func pairsOf(fields []schemaValue) []pair {
	pairs := make([]pair, 0, len(fields))
	for _, f := range fields {
		pairs = append(pairs, pair{f.SchemaName, f.Value})
	}
	return pairs
}

func (a *Account) checkChange(at int32, fields []pair) *refusal {
	if no := a.locked(fields); no != nil {
		return no
	}
	return a.checkFields(a.store.opps[at].code, fields, false)
}

// deleteOpportunity deletes where the type allows it. With a parameter of
// another name nothing is deleted, and no error comes (field report).
func (a *Account) deleteOpportunity(c *call) answer {
	type done struct {
		Status  string
		Message struct{ IsSuccessful bool }
	}
	out := done{Status: "Success"}
	given := c.param("Id")
	if given == "" {
		return ok(out)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v, good := parseID(given)
	at, found := a.store.oppByID[v]
	if !good || !found {
		return invalid("Opportunity '%s' does not exist", given).answer()
	}
	if t := a.typeOf(int(a.store.opps[at].code)); t == nil || !t.CanDelete {
		return exception("MXUnAuthorizedAccessException", "Opportunities of this type cannot be deleted")
	}
	a.forgetOpportunity(at)
	out.Message.IsSuccessful = true
	return ok(out)
}

// forgetOpportunity takes an opportunity out of every index. The caller holds mu.
func (a *Account) forgetOpportunity(at int32) {
	o := &a.store.opps[at]
	o.gone = true
	a.store.gone.opps++
	delete(a.store.oppByID, o.id)
	l := &a.store.leads[o.lead]
	l.opportunities = slices.DeleteFunc(l.opportunities, func(i int32) bool { return i == at })
	if a.o.KeepTrails {
		a.store.gone.trails = append(a.store.gone.trails, at)
	}
	if f := a.o.DuplicateField; f != "" {
		key := ruleKey{o.code, strings.TrimSpace(valueOf(a.store.names.unpack(o.fields), f))}
		if a.store.rule[key] == at {
			delete(a.store.rule, key)
		}
	}
}

// cancelSale marks a sales activity as cancelled. The answer carries the id of
// a new record; the old one then reads with the status Cancelled (assumed).
func (a *Account) cancelSale(c *call) answer {
	var b struct {
		ActivityID   text `json:"activityId"`
		ActivityNote text `json:"activityEventNote"`
	}
	if no := decode(c.body, &b); no != nil {
		return no.answer()
	}
	if b.ActivityID == "" {
		return missing("activityId").answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v, good := parseID(b.ActivityID)
	at, found := a.store.saleByID[v]
	if !good || !found {
		return invalid("Sales activity '%s' does not exist", b.ActivityID).answer()
	}
	if valueOf(a.store.names.unpack(a.store.sales[at].values), "Status") == statusCancelled {
		return invalid("Sales activity '%s' is cancelled already", b.ActivityID).answer()
	}
	a.changeSale(at, []pair{{"Status", statusCancelled}}, a.o.User.Name, a.now())
	return success(a.newID().String())
}

const statusCancelled = "Cancelled"

// updateLead takes a list of attributes, as Lead.Capture does.
func (a *Account) updateLead(c *call) answer {
	var b []attribute
	if no := decode(c.body, &b); no != nil {
		return no.answer()
	}
	given := c.param("leadId")
	if given == "" {
		return missing("leadId").answer()
	}
	attributes := make([]pair, 0, len(b))
	for _, d := range b {
		if d.Attribute == "" {
			return (&refusal{bad: true, message: "a lead detail has no Attribute"}).answer()
		}
		attributes = append(attributes, pair{d.Attribute, d.Value})
	}
	if email := strings.TrimSpace(valueOf(attributes, "EmailAddress")); email != "" && !isEmail(email) {
		return exception("MXInvalidEmailException", "'"+email+"' is not a valid email address")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v, good := parseID(given)
	at, found := a.store.leadByID[v]
	if !good || !found {
		return exception("MXInvalidLeadException", fmt.Sprintf("Lead '%s' does not exist", given))
	}
	if no := a.locked(attributes); no != nil {
		return no.answer()
	}
	for _, field := range a.unique {
		value := fold(field, valueOf(attributes, field))
		if other, taken := a.store.unique[lookup{field, value}]; value != "" && taken && other != at {
			return exception("MXDuplicateEntryException", "A Lead with same "+field+" already exists.")
		}
	}
	a.changeLead(at, attributes, a.o.User.Name, a.now())
	return ok(struct {
		Status  string
		Message struct{ AffectedRows int }
	}{"Success", struct{ AffectedRows int }{1}})
}

// A person's hand in the account: none of these is a call of the API.

// EditOpportunity changes an opportunity as a person does in the account's own pages.
// The name OpportunityNote stands for the note.
func (a *Account) EditOpportunity(opportunityID, by string, fields map[string]string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	v, _ := parseID(opportunityID)
	at, found := a.store.oppByID[v]
	if !found {
		return fmt.Errorf("there is no opportunity %q", opportunityID)
	}
	c := change{by: by}
	for name, value := range fields {
		if name == "OpportunityNote" {
			c.note = &value
			continue
		}
		c.fields = append(c.fields, pair{name, value})
	}
	a.changeOpportunity(at, c, a.now())
	return nil
}

// EditSalesActivity changes a sales activity as a person does, by the names of the request body.
func (a *Account) EditSalesActivity(saleID, by string, values map[string]string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	v, _ := parseID(saleID)
	at, found := a.store.saleByID[v]
	if !found {
		return fmt.Errorf("there is no sales activity %q", saleID)
	}
	a.addProduct(Product{SKU: values["ProductSku"]})
	a.changeSale(at, pairsIn(values), by, a.now())
	return nil
}

// EditLead changes a lead as a person does.
func (a *Account) EditLead(leadID, by string, attributes map[string]string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, err := a.leadAt(leadID)
	if err != nil {
		return err
	}
	a.changeLead(at, pairsIn(attributes), by, a.now())
	return nil
}

func pairsIn(values map[string]string) []pair {
	var pairs []pair
	for _, name := range slices.Sorted(maps.Keys(values)) { // equal records are equal in their order too
		pairs = append(pairs, pair{name, values[name]})
	}
	return pairs
}

// edit changes the record or lead of an id as a person does.
func (a *Account) edit(id, by string, fields map[string]string) error {
	a.mu.Lock()
	v, _ := parseID(id)
	_, opportunity := a.store.oppByID[v]
	_, sale := a.store.saleByID[v]
	a.mu.Unlock()
	switch {
	case opportunity:
		return a.EditOpportunity(id, by, fields)
	case sale:
		return a.EditSalesActivity(id, by, fields)
	}
	return a.EditLead(id, by, fields)
}

// DeleteRecord deletes an opportunity or a sales activity as an administrator
// does, whatever its type allows.
func (a *Account) DeleteRecord(recordID string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	v, _ := parseID(recordID)
	if at, found := a.store.oppByID[v]; found {
		a.forgetOpportunity(at)
		return nil
	}
	at, found := a.store.saleByID[v]
	if !found {
		return fmt.Errorf("there is no record %q", recordID)
	}
	s := &a.store.sales[at]
	s.gone = true
	a.store.gone.sales++
	delete(a.store.saleByID, v)
	l := &a.store.leads[s.lead]
	l.sales = slices.DeleteFunc(l.sales, func(i int32) bool { return i == at })
	return nil
}

// Revision is one change of a record.
type Revision struct {
	At     time.Time // by the account's clock, UTC
	By     string    // who made it: the name of the keys' user for calls of the API
	Before map[string]string
}

// Revisions lists the changes of a record, oldest first, each with what was there before it.
func (a *Account) Revisions(recordID string) []Revision {
	a.mu.Lock()
	defer a.mu.Unlock()
	v, _ := parseID(recordID)
	var all []Revision
	for _, r := range a.store.history[v] {
		before := asMap(a.store.names.unpack(r.values))
		if r.note != "" {
			before["OpportunityNote"] = r.note
		}
		all = append(all, Revision{At: time.Unix(0, r.at).UTC(), By: r.by, Before: before})
	}
	return all
}
