package sandbox

import (
	"encoding/json"
	"slices"
	"strings"
)

// maxBulk is the most records of one bulk call (vendor's page).
const maxBulk = 25

// bulkRow is one record of a bulk call that changes or makes opportunities.
type bulkRow struct {
	ProspectOpportunityId string
	SearchByValue         text
	OpportunityEventCode  number
	OpportunityNote       *text
	OpportunityOwnerEmail text
	UpdateEmptyFields     bool
	DoNotChangeOwner      bool
	Fields                []schemaValue
}

// bulkResult is what became of one row.
type bulkResult struct {
	id     string // of the record made or changed; "" where it was refused
	made   bool
	refuse *refusal
}

func (a *Account) parseBulk(c *call) ([]bulkRow, *answer) {
	var rows []bulkRow
	if no := decode(c.body, &rows); no != nil {
		out := no.answer()
		return nil, &out
	}
	if len(rows) == 0 || len(rows) > maxBulk {
		out := invalid("A bulk call takes 1 to %d records, not %d", maxBulk, len(rows)).answer()
		return nil, &out
	}
	if a.o.BulkPoison != "" {
		for _, r := range rows {
			if slices.ContainsFunc(r.Fields, func(f schemaValue) bool { return strings.Contains(f.Value, a.o.BulkPoison) }) {
				out := exception("System.ArgumentException", "Value does not fall within the expected range.")
				return nil, &out
			}
		}
	}
	return rows, nil
}

// bulkUpdate changes up to 25 opportunities. A row that is refused does not keep the others back.
func (a *Account) bulkUpdate(c *call) answer {
	rows, no := a.parseBulk(c)
	if no != nil {
		return *no
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	results := make([]bulkResult, len(rows))
	for i, r := range rows {
		v, good := parseID(r.ProspectOpportunityId)
		at, found := a.store.oppByID[v]
		switch {
		case r.ProspectOpportunityId == "":
			results[i].refuse = missing("ProspectOpportunityId")
		case !good || !found:
			results[i].refuse = invalid("Opportunity '%s' does not exist", r.ProspectOpportunityId)
		case r.OpportunityEventCode != 0 && int(a.store.opps[at].code) != int(r.OpportunityEventCode):
			results[i].refuse = invalid("Opportunity '%s' is not of the type %d", r.ProspectOpportunityId, r.OpportunityEventCode)
		default:
			fields := pairsOf(r.Fields)
			if results[i].refuse = a.checkChange(at, fields); results[i].refuse != nil {
				break
			}
			a.changeOpportunity(at, change{fields: fields, note: r.OpportunityNote, by: a.o.User.Name}, a.now())
			results[i].id = a.store.opps[at].id.String()
		}
	}
	return a.bulkAnswer(results)
}

// bulkAdd makes up to 25 opportunities of leads that are there already.
func (a *Account) bulkAdd(c *call) answer {
	field := c.param("SearchBy")
	if field == "" {
		return missing("SearchBy").answer()
	}
	if !slices.Contains(a.unique, field) && !strings.EqualFold(field, "ProspectID") {
		return invalid("SearchBy '%s' is not a unique field", field).answer()
	}
	rows, no := a.parseBulk(c)
	if no != nil {
		return *no
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	results := make([]bulkResult, len(rows))
	for i, r := range rows {
		at, found := a.store.unique[lookup{field, fold(field, r.SearchByValue)}]
		if strings.EqualFold(field, "ProspectID") {
			v, _ := parseID(r.SearchByValue)
			at, found = a.store.leadByID[v]
		}
		fields := pairsOf(r.Fields)
		switch {
		case !found:
			results[i].refuse = &refusal{kind: "MXInvalidLeadException", message: "Lead with " + field + " '" + r.SearchByValue + "' does not exist"}
			continue
		case r.OpportunityEventCode == 0:
			results[i].refuse = missing("OpportunityEventCode")
			continue
		}
		if results[i].refuse = a.checkFields(int32(r.OpportunityEventCode), fields, true); results[i].refuse != nil {
			continue
		}
		if match, hit := a.ruleMatch(int32(r.OpportunityEventCode), fields); hit {
			results[i].id = a.store.opps[match].id.String()
			continue
		}
		now := a.now().UnixNano()
		o := opportunity{id: a.newID(), lead: at, code: int32(r.OpportunityEventCode), created: now, modified: now, call: c.record.Number}
		if r.OpportunityNote != nil {
			o.note = *r.OpportunityNote
		}
		if !a.o.DropBodies {
			o.body, _ = json.Marshal(r)
		}
		a.keepOpportunity(o, fields)
		results[i].id, results[i].made = o.id.String(), true
	}
	return a.bulkAnswer(results)
}

// bulkAnswer dresses the results in the form that the options ask for. The
// vendor documents none for opportunities; "response" and "bare" are those of
// the sister calls for activities and leads.
func (a *Account) bulkAnswer(results []bulkResult) answer {
	switch a.o.BulkForm {
	case "opaque":
		return ok(struct{ Status, Message string }{"Success", "Request processed"})
	case "ids", "shuffled":
		list := make([]string, 0, len(results))
		for _, r := range results {
			list = append(list, r.id)
		}
		if a.o.BulkForm == "shuffled" {
			slices.Reverse(list)
		}
		return ok(list)
	case "bare":
		type row struct {
			RowNumber                   int
			OpportunityId               *string
			OpportunityCreated          bool
			OpportunityUpdated          bool
			ExceptionType, ErrorMessage string `json:",omitempty"`
		}
		list := make([]row, 0, len(results))
		for i, r := range results {
			one := row{RowNumber: i + 1, OpportunityId: pointer(r.id), OpportunityCreated: r.made, OpportunityUpdated: r.id != "" && !r.made}
			if r.refuse != nil {
				one.ExceptionType, one.ErrorMessage = r.refuse.kind, r.refuse.message
			}
			list = append(list, one)
		}
		return ok(list)
	}
	type row struct {
		RowNumber          int
		ProspectActivityId *string
		ActivityCreated    bool
		ExceptionMessage   *string
	}
	list := make([]row, 0, len(results))
	for i, r := range results {
		one := row{RowNumber: i + 1, ProspectActivityId: pointer(r.id), ActivityCreated: r.made}
		if r.refuse != nil {
			one.ExceptionMessage = pointer(r.refuse.kind + ": " + r.refuse.message)
		}
		list = append(list, one)
	}
	return ok(struct{ Response []row }{list})
}
