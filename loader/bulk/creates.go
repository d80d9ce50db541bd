package bulk

import (
	"context"
	"slices"
	"strings"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/send"
	"leadload/loader/target"
	"leadload/mapping"
)

// creates makes opportunities of leads that are there.
type creates struct{ *Lane }

// items leaves rows out that find their leads by another field than the first.
func (m creates) items(_ context.Context, rows []*send.Row) (list []item, others []*send.Row, err error) {
	var by string
	var code int
	leads := map[string]bool{}
	for _, j := range rows {
		o := object(j)
		if o != nil && len(list) == 0 {
			by, code = o.SearchBy, o.Code
		}
		lead := strings.ToLower(j.LeadID)
		// Two spellings may turn out to be one lead, and records are told apart by theirs.
		if o == nil || o.SearchBy != by || o.Code != code || leads[lead] {
			others = append(others, j)
			continue
		}
		leads[lead] = true
		list = append(list, item{Row: j, object: o.Object})
	}
	return list, others, nil
}

// object returns the object of a row in a call that makes many; nil where it does not fit.
func object(j *send.Row) *mapping.NewAmongMany {
	if j.New == nil {
		if o, fits := mapping.CreateAmongMany([]byte(j.Payload.Body)); fits {
			j.New = &o
		}
	}
	return j.New
}

func (m creates) make(ctx context.Context, slot leadsquared.Slot, list []item) ([]leadsquared.BulkRow, leadsquared.BulkForm, leadsquared.Outcome) {
	return m.Line.Client.BulkAddOpportunities(ctx, slot, list[0].New.SearchBy, array(list), len(list))
}

func (m creates) tried(*send.Row, bool) {}

func (m creates) outcome(it *item, out leadsquared.Outcome) ledger.Outcome {
	o := send.Outcome(it.Record, it.Op, out)
	o.LeadID = it.LeadID
	return o
}

func (m creates) names(*item, leadsquared.BulkRow) bool { return true }

// question leaves the leads out, so that the answer has to name them.
func (m creates) question(list []item, rows []leadsquared.BulkRow) target.ReadQuestion {
	q := target.ReadQuestion{Code: list[0].New.Code, Fields: []string{"Opportunity.OpportunityNote"}, Since: list[0].began.Add(-wide)}
	for i := range list {
		q.Wanted = append(q.Wanted, target.Wanted{ID: rows[i].ID})
		for _, p := range list[i].sent().Fields {
			if f := "Fields." + p.Name; !slices.Contains(q.Fields, f) {
				q.Fields = append(q.Fields, f)
			}
		}
	}
	return q
}

// wide is how far the account's clock may be apart from ours (field report: minutes).
const wide = 15 * time.Minute

// sure is content with the id of a record: nobody knew it before the call.
func (m creates) sure(leadsquared.BulkRow) bool { return true }

// shows reports whether a record belongs to the lead of a row, carries what was sent
// and was made since, or before if the answer says so. A record of another lead is
// another row's.
func (m creates) shows(it *item, r leadsquared.BulkRow, b target.Back) (is, other bool) {
	if b.Presence != target.Present || b.Lead == "" {
		return false, false
	}
	if !strings.EqualFold(b.Lead, it.LeadID) {
		return false, true
	}
	got := make(map[string]string, len(b.Values))
	for name, value := range b.Values {
		got[name[strings.IndexByte(name, '.')+1:]] = value
	}
	c := it.sent().Compare(got)
	fresh := b.Created.IsZero() || !b.Created.Before(it.began.Add(-wide))
	return fresh != r.Matched && len(c.Differ) == 0 && len(c.Absent) == 0, false
}

// untouched looks whether a call that failed as a whole has made nothing: the trails
// of the leads are immediate, and none of them may have a record that no row owns.
// Otherwise the rows are in doubt.
func (m creates) untouched(ctx context.Context, b *batch, list []item) ([]*send.Row, error) {
	for i := range list {
		it := &list[i]
		trail, why, err := target.Trail(ctx, m.Line, it.LeadID, it.New.Code)
		if err != nil || why != "" {
			return nil, err
		}
		for _, a := range trail {
			owners, err := m.Ledger.Owners(ctx, m.Lease.Account, a.ID)
			if err != nil || len(owners) == 0 {
				return nil, err
			}
		}
	}
	m.mu.Lock()
	m.harmless[send.Creates] = true
	m.mu.Unlock()
	rows := rowsOf(list)
	return rows, b.unsent(list, leadsquared.Outcome{Verdict: leadsquared.NotSent})
}
