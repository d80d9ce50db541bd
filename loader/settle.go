package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/mapping"
)

const (
	maxResends   = 2 // sends of a row after look-ups that found nothing
	settleAtOnce = 4 // leads asked about side by side
	// laterTries is how often a lead is asked about again when the account knows
	// of a record but does not show it yet.
	laterTries = 4
	// unsureBefore is how long the account's search by other fields may lag
	// behind: only after it does "nothing found" mean anything there.
	unsureBefore = 10 * time.Minute
)

// settleAndPoll ends a run: rows in doubt are looked up in the account, those
// that are not there are sent again, and the async queue is asked for results.
func (r *run) settleAndPoll(ctx context.Context) error {
	if r.o.NoSettle {
		return nil
	}
	asked := map[int64]int{} // records looked at, and how often to no avail
	for {
		n, err := r.settleRound(ctx, asked)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	return r.poll(ctx)
}

// group is the rows in doubt of one lead.
type group struct {
	due  time.Time
	rows []ledger.OpenRecord
}

// settleRound looks at every row in doubt that is not given up, and gives
// their number.
func (r *run) settleRound(ctx context.Context, asked map[int64]int) (int, error) {
	groups := map[string]*group{}
	for after := int64(0); ; {
		page, err := r.led.OpenRecords(ctx, r.acct, 0, after, 1000)
		if err != nil {
			return 0, err
		}
		for _, rec := range page {
			after = rec.Record
			if rec.State != ledger.InDoubt || asked[rec.Record] >= laterTries {
				continue
			}
			name := rec.Target + "\x00" + rec.Payload.Lead
			g := groups[name]
			if g == nil {
				g = &group{}
				groups[name] = g
			}
			g.rows = append(g.rows, rec)
			due := rec.Sent.Add(r.o.SettleAfter)
			if n := asked[rec.Record]; n > 0 {
				due = time.Now().Add(r.o.SettleAfter / 2)
			}
			if due.After(g.due) {
				g.due = due
			}
		}
		if len(page) < 1000 {
			break
		}
	}
	if len(groups) == 0 {
		return 0, nil
	}
	list := make([]*group, 0, len(groups))
	rows := 0
	for _, g := range groups {
		list = append(list, g)
		rows += len(g.rows)
	}
	slices.SortFunc(list, func(a, b *group) int { return a.due.Compare(b.due) })
	r.live.phase.Store(Settling)
	if wait := time.Until(list[len(list)-1].due); wait > time.Second {
		r.o.Notify(fmt.Sprintf("%s in doubt: the account is asked about them, for up to %d s", plural(int64(rows), "row is", "rows are"), int(wait/time.Second)+1))
	} else {
		r.o.Notify(fmt.Sprintf("%s in doubt: the account is asked about them", plural(int64(rows), "row is", "rows are")))
	}
	if err := r.calibrate(ctx); err != nil {
		return 0, err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(settleAtOnce)
	results := make(chan map[int64]int, len(list))
	var waitErr error
	for _, one := range list {
		// Earlier doubts first; a wait for a later one holds nobody back.
		if waitErr = sleep(gctx, time.Until(one.due)); waitErr != nil {
			break
		}
		g.Go(func() error {
			tried, err := r.settleGroup(gctx, one)
			results <- tried
			return err
		})
	}
	err := g.Wait()
	close(results)
	for tried := range results {
		for id, n := range tried {
			asked[id] += n
		}
	}
	if err == nil {
		err = waitErr
	}
	return rows, err
}

// settleGroup asks the account about the rows in doubt of one lead. It gives
// for each row that stays in doubt what to add to its tries: 1 to ask again
// later, more to leave it to a person.
func (r *run) settleGroup(ctx context.Context, g *group) (map[int64]int, error) {
	slices.SortFunc(g.rows, func(a, b ledger.OpenRecord) int { return a.Sent.Compare(b.Sent) })
	wants, err := wantsOf(g.rows)
	if err != nil {
		return nil, err
	}
	sight, err := r.look(ctx, g.rows, wants)
	if err != nil {
		return nil, err
	}
	tried := map[int64]int{}
	for i, d := range decide(wants, sight) {
		rec := g.rows[i]
		switch d.kind {
		case found:
			err := r.led.Claim(ctx, r.acct, ledger.Outcome{Record: rec.Record, ID: d.ids[0], LeadID: sight.leadOf(d.ids[0]), Code: "", Msg: ""})
			if err == ledger.ErrOwned { // taken by a row settled beside this one: look again
				tried[rec.Record] = 1
				continue
			}
			if err != nil {
				return tried, err
			}
			r.live.inDoubt.Add(-1)
			r.live.loaded.Add(1)
		case absent:
			if rec.Resends >= maxResends {
				tried[rec.Record] = laterTries
				err := r.led.Settle(ctx, ledger.Outcome{Record: rec.Record, State: ledger.Ready, Code: "doubt.never-arrives",
					Msg: fmt.Sprintf("sent %d times and never found in the account", rec.Attempts), Hint: "check the connection and run the same command again"})
				if err != nil {
					return tried, err
				}
				continue
			}
			if err := r.resend(ctx, rec); err != nil {
				return tried, err
			}
		default:
			tried[rec.Record] = 1
			if d.kind == unsure {
				tried[rec.Record] = laterTries
			}
			err := r.led.Settle(ctx, ledger.Outcome{Record: rec.Record, State: ledger.InDoubt, Code: d.code, Msg: d.msg, Hint: d.hint, Candidates: d.ids})
			if err != nil {
				return tried, err
			}
		}
	}
	return tried, nil
}

// resend sends a row again that the account certainly does not have.
func (r *run) resend(ctx context.Context, rec ledger.OpenRecord) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := r.led.Settle(ctx, ledger.Outcome{Record: rec.Record, State: ledger.Ready, Code: "doubt.not-there", Msg: "the account does not have it", Hint: runAgain}); err != nil {
		return err
	}
	j := &job{Record: rec.Record, Number: rec.Number, Payload: rec.Payload}
	if strings.Contains(rec.Payload.Body, `"ProspectId"`) {
		j.Payload.Find = false // the lead that was found stands in the body
	}
	r.live.inDoubt.Add(-1)
	out, err := r.sendJob(ctx, j)
	if out.State != 0 {
		r.count(out)
		if serr := r.led.Settle(ctx, out); err == nil {
			err = serr
		}
	}
	return err
}

// sight is what the account shows about a group's lead.
type sight struct {
	// blind says why nothing can be concluded from what is missing; "" when
	// what is not seen is not there.
	blind string
	// later says that asking again in a while may help.
	later bool
	seen  []candidate
	lo    time.Duration // how far the account's clock is ahead of ours, at least
	sure  bool          // lo was measured
	span  time.Duration // how long after its call a record may have been made by it
}

func (s sight) leadOf(id string) string {
	for _, c := range s.seen {
		if c.id == id {
			return c.lead
		}
	}
	return ""
}

// look reads what the account has of the lead of some rows. The error ends the run.
func (r *run) look(ctx context.Context, rows []ledger.OpenRecord, wants []want) (sight, error) {
	s := sight{span: r.o.Timeout + r.o.SettleAfter}
	s.lo, s.sure = r.clockLo()
	leads, blind, err := r.leadsOf(ctx, rows)
	if err != nil {
		return s, err
	}
	if blind != "" {
		s.blind, s.later = blind, true
		return s, nil
	}
	if mapping.Target(rows[0].Payload.Target) == mapping.SalesActivity {
		return s, r.lookAtSales(ctx, &s, leads)
	}
	if mapping.Target(rows[0].Payload.Target) == mapping.OpportunityAsync {
		if err := r.queueEmpty(ctx, &s); err != nil {
			return s, err
		}
	}
	oldest := rows[0].Sent
	for _, lead := range leads {
		events := map[int]bool{}
		for _, w := range wants {
			events[w.event] = true
		}
		for event := range events {
			trail, why, err := r.trail(ctx, lead, event)
			if err != nil {
				return s, err
			}
			if why != "" {
				s.blind, s.later = why, true
				continue
			}
			for _, a := range trail {
				if !s.sinceWide(a.CreatedOn, oldest) {
					continue
				}
				owned, err := r.led.Owned(ctx, r.acct, a.ID)
				if err != nil {
					return s, err
				}
				if owned {
					continue
				}
				c := candidate{id: a.ID, lead: lead, event: event, created: a.CreatedOn}
				var opp leadsquared.Opportunity
				out, err := r.lookUp(ctx, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
					opp, o = r.client.Opportunity(ctx, slot, a.ID)
					return o
				})
				if err != nil {
					return s, err
				}
				if out.Verdict == leadsquared.Applied {
					c.readable, c.note, c.fields = true, opp.Note, opp.Fields
				}
				s.seen = append(s.seen, c)
			}
		}
	}
	return s, nil
}

func (r *run) lookAtSales(ctx context.Context, s *sight, leads []string) error {
	for _, lead := range leads {
		var sales []leadsquared.SalesActivity
		out, err := r.lookUp(ctx, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
			sales, o = r.client.SalesActivitiesOf(ctx, slot, lead)
			return o
		})
		if err != nil {
			return err
		}
		if out.Verdict != leadsquared.Applied {
			s.blind, s.later = "the sales activities of its lead could not be read: "+out.Message, true
			continue
		}
		for _, a := range sales {
			owned, err := r.led.Owned(ctx, r.acct, a.ID)
			if err != nil {
				return err
			}
			if !owned {
				s.seen = append(s.seen, candidate{id: a.ID, lead: lead, readable: true, fields: a.Fields, sale: true})
			}
		}
	}
	return nil
}

// queueEmpty makes sight blind while the async queue may still hold the rows.
func (r *run) queueEmpty(ctx context.Context, s *sight) error {
	var q leadsquared.Queue
	out, err := r.lookUp(ctx, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
		q, o = r.client.QueueMetrics(ctx, slot)
		return o
	})
	switch {
	case err != nil:
		return err
	case out.Verdict != leadsquared.Applied:
		s.blind = "whether the account's queue still holds it could not be read: " + out.Message
	case q.Pending > 0:
		s.blind = fmt.Sprintf("the account's queue still holds %d requests, and this row may be among them", q.Pending)
	}
	s.later = s.later || s.blind != ""
	return nil
}

// leadsOf finds the ids of the lead of some rows. No ids without a reason
// means that there is no such lead, and so no record either.
func (r *run) leadsOf(ctx context.Context, rows []ledger.OpenRecord) (ids []string, blind string, err error) {
	for _, rec := range rows {
		if rec.LeadID != "" && !slices.Contains(ids, rec.LeadID) {
			ids = append(ids, rec.LeadID)
		}
		if id := prospectOf(rec.Payload); id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		return ids, "", nil
	}
	p := rows[0].Payload
	if p.LeadField == "" || p.LeadValue == "" {
		return nil, "what its lead is found by is not known", nil
	}
	var leads []leadsquared.Lead
	out, err := r.lookUp(ctx, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
		leads, o = r.client.LeadsBy(ctx, slot, p.LeadField, p.LeadValue)
		return o
	})
	if err != nil {
		return nil, "", err
	}
	if out.Verdict == leadsquared.Applied {
		for _, l := range leads {
			ids = append(ids, l.ID)
		}
		return ids, "", nil
	}
	// Another way to the lead of an opportunity; its answer lags, so that an empty one proves nothing for a while.
	if mapping.Target(p.Target) == mapping.SalesActivity {
		return nil, "its lead could not be looked up: " + out.Message, nil
	}
	var page leadsquared.OpportunityPage
	again, err := r.lookUp(ctx, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
		page, o = r.client.OpportunitiesByLeadField(ctx, slot, p.LeadField, p.LeadValue, 1)
		return o
	})
	if err != nil {
		return nil, "", err
	}
	if again.Verdict != leadsquared.Applied {
		return nil, "its lead could not be looked up: " + out.Message, nil
	}
	for _, o := range page.List {
		if o.LeadID != "" && !slices.Contains(ids, o.LeadID) {
			ids = append(ids, o.LeadID)
		}
	}
	if len(ids) == 0 && time.Since(rows[len(rows)-1].Sent) < unsureBefore {
		return nil, "the account's search does not know its lead, but it may lag by minutes", nil
	}
	return ids, "", nil
}

// trail reads the whole activity trail of a lead. why says why it could not be read.
func (r *run) trail(ctx context.Context, lead string, event int) (all []leadsquared.Activity, why string, err error) {
	reader := r.client.NewTrailReader(event)
	for offset, more := reader.Next(); more; offset, more = reader.Next() {
		var page leadsquared.TrailPage
		out, err := r.lookUp(ctx, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
			page, o = r.client.TrailPage(ctx, slot, lead, event, offset)
			return o
		})
		if err != nil {
			return nil, "", err
		}
		if out.Verdict != leadsquared.Applied {
			return nil, "the activity trail of its lead could not be read: " + out.Message, nil
		}
		reader.Add(page)
	}
	all, err = reader.Activities()
	if err != nil {
		return nil, "the activity trail of its lead could not be read: " + err.Error(), nil
	}
	return all, "", nil
}

// lookUp reads for settling. A path that the account does not have is a read
// that failed, and no reason to stop the run.
func (r *run) lookUp(ctx context.Context, call func(context.Context, leadsquared.Slot) leadsquared.Outcome) (leadsquared.Outcome, error) {
	out, err := r.read(ctx, call)
	if err != nil && out.Verdict == leadsquared.Fatal && out.Status == 404 {
		err = nil
	}
	return out, err
}

// clockLo is the least that the account's clock may be ahead of ours.
func (r *run) clockLo() (time.Duration, bool) {
	if lo, ok := r.calibrated(); ok {
		return lo, true
	}
	lo, _, known := r.clock.ahead()
	return lo, known
}
