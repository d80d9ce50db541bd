package loader

import (
	"context"
	"errors"
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
			tries := laterTries
			if r.id != 0 && rec.Run != r.id {
				tries = 1 // another file's: a look is worth while, but no long wait
			}
			if rec.State != ledger.InDoubt || asked[rec.Record] >= tries {
				continue
			}
			name := rec.Target + "\x00" + rec.Payload.Lead
			g := groups[name]
			if g == nil {
				g = &group{}
				groups[name] = g
			}
			g.rows = append(g.rows, rec)
			due := r.endOf(rec).Add(r.o.SettleAfter)
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
	results := make(chan settled, len(list))
	var waitErr error
	for _, one := range list {
		// Earlier doubts first; a wait for a later one holds nobody back.
		if waitErr = sleep(gctx, time.Until(one.due)); waitErr != nil {
			break
		}
		g.Go(func() error {
			done, err := r.settleGroup(gctx, one)
			results <- done
			return err
		})
	}
	err := g.Wait()
	close(results)
	var again [][]ledger.OpenRecord
	for done := range results {
		for id, n := range done.tried {
			asked[id] += n
		}
		if len(done.absent) > 0 {
			again = append(again, done.absent)
		}
	}
	if err == nil {
		err = waitErr
	}
	if err != nil {
		return rows, err
	}
	return rows, r.resendAll(ctx, again)
}

// endOf is when the call of a row had ended at the latest: until then, the
// account may still have been about to make the record.
func (r *run) endOf(rec ledger.OpenRecord) time.Time {
	latest := rec.Sent.Add(reserveAge + r.o.Timeout)
	if rec.Ended.IsZero() || rec.Ended.After(latest) {
		return latest
	}
	return rec.Ended
}

// settled is what became of a group.
type settled struct {
	// tried says for each row that stays in doubt what to add to its tries: 1 to
	// ask again later, more to leave it to a person.
	tried  map[int64]int
	absent []ledger.OpenRecord // certainly not there
}

// settleGroup asks the account about the rows in doubt of one lead.
func (r *run) settleGroup(ctx context.Context, g *group) (settled, error) {
	done := settled{tried: map[int64]int{}}
	slices.SortFunc(g.rows, func(a, b ledger.OpenRecord) int { return a.Sent.Compare(b.Sent) })
	wants, err := wantsOf(g.rows)
	if err != nil {
		return done, err
	}
	sight, err := r.lookAt(ctx, g.rows, wants)
	if err != nil {
		return done, err
	}
	for i, d := range decide(wants, sight) {
		rec := g.rows[i]
		switch d.kind {
		case found:
			err := r.led.Claim(ctx, r.acct, ledger.Outcome{Record: rec.Record, ID: d.ids[0], LeadID: sight.leadOf(d.ids[0])})
			if errors.Is(err, ledger.ErrOwned) { // taken by a row settled beside this one: look again
				done.tried[rec.Record] = 1
				continue
			}
			if err != nil {
				return done, err
			}
			r.live.rows[ledger.ResultInDoubt].Add(-1)
			r.live.rows[ledger.ResultLoaded].Add(1)
		case absent:
			done.absent = append(done.absent, rec)
		default:
			done.tried[rec.Record] = 1
			if d.kind == unsure {
				done.tried[rec.Record] = laterTries
			}
			err := r.led.Settle(ctx, ledger.Outcome{Record: rec.Record, State: ledger.InDoubt, Code: d.code, Msg: d.msg, Hint: d.hint, Candidates: d.ids})
			if err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// resendAll sends rows again that are certainly not in the account, those of
// one lead one after another. It begins when all looks are over: a record
// that is just being made must not be taken for that of another row.
func (r *run) resendAll(ctx context.Context, groups [][]ledger.OpenRecord) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Concurrency)
	for _, rows := range groups {
		if context.Cause(gctx) != nil {
			break
		}
		g.Go(func() error {
			for _, rec := range rows {
				if err := r.resend(gctx, rec); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// resend sends one row again.
func (r *run) resend(ctx context.Context, rec ledger.OpenRecord) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	o := ledger.Outcome{Record: rec.Record, State: ledger.Ready, Code: "doubt.not-there", Msg: "the account does not have it", Hint: runAgain}
	switch {
	case rec.Changed:
		o.Msg, o.Hint = "the account does not have it, and the file has other values for it by now", "run the same command again: the row is sent as the file has it now"
	case rec.Resends >= maxResends:
		o.Code, o.Msg = "doubt.never-arrives", fmt.Sprintf("sent %d times and never found in the account", rec.Attempts)
		o.Hint = "check the connection and run the same command again"
	}
	if err := r.led.Settle(ctx, o); err != nil {
		return err
	}
	r.live.rows[ledger.ResultInDoubt].Add(-1)
	if rec.Changed || rec.Resends >= maxResends {
		return nil
	}
	j := &job{Record: rec.Record, Number: rec.Number, Payload: rec.Payload}
	if strings.Contains(rec.Payload.Body, `"ProspectId"`) {
		j.Payload.Find = false // the lead that was found stands in the body
	}
	out, err := r.sendJob(ctx, j)
	if out.State != 0 {
		r.count(out)
		r.doubtLead(out, &rec.Payload)
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
	// proved says that lo was measured on records, and not on the Date header
	// alone, which may come from another clock.
	proved bool
	span   time.Duration // how long after its call a record may have been made by it
}

func (s sight) leadOf(id string) string {
	for _, c := range s.seen {
		if c.id == id {
			return c.lead
		}
	}
	return ""
}

// lookAt reads what the account has of the lead of some rows. The error ends the run.
func (r *run) lookAt(ctx context.Context, rows []ledger.OpenRecord, wants []want) (sight, error) {
	s, err := r.see(ctx, rows, wants)
	// Each of these reads has told the account's time; in a run whose every answer was lost they are the first to.
	s.lo, s.proved = r.clockLo()
	return s, err
}

func (r *run) see(ctx context.Context, rows []ledger.OpenRecord, wants []want) (sight, error) {
	s := sight{span: r.o.Timeout + r.o.SettleAfter}
	leads, blind, err := r.leadsOf(ctx, rows)
	if err != nil {
		return s, err
	}
	s.lo, s.proved = r.clockLo() // for the width of what is read
	if blind != "" {
		s.blind, s.later = blind, true
		return s, nil
	}
	t := targetOf(mapping.Target(rows[0].Payload.Target))
	err = t.see(r, ctx, &s, look{leads: leads, wants: wants, oldest: rows[0].Sent})
	return s, err
}

// look is what the account is asked about.
type look struct {
	leads  []string
	wants  []want
	oldest time.Time // when the first of them was sent
}

// seeQueued is seeOpportunities for captures that may still be queued.
func (r *run) seeQueued(ctx context.Context, s *sight, l look) error {
	if err := r.queueEmpty(ctx, s); err != nil {
		return err
	}
	return r.seeOpportunities(ctx, s, l)
}

// seeOpportunities reads the trails of leads for opportunities that no row owns.
func (r *run) seeOpportunities(ctx context.Context, s *sight, l look) error {
	events := map[int]bool{}
	for _, w := range l.wants {
		events[w.event] = true
	}
	for _, lead := range l.leads {
		for event := range events {
			trail, why, err := r.trail(ctx, lead, event)
			if err != nil {
				return err
			}
			if why != "" {
				s.blind, s.later = why, true
				continue
			}
			for _, a := range trail {
				if !s.sinceWide(a.CreatedOn, l.oldest) {
					continue
				}
				owned, err := r.led.Owned(ctx, r.acct, a.ID)
				if err != nil {
					return err
				}
				if owned {
					continue
				}
				c := candidate{id: a.ID, lead: lead, event: event, created: a.CreatedOn}
				opp, out, err := try(ctx, r.Session, with(r.client.Opportunity, a.ID))
				if err != nil {
					return err
				}
				if out.Verdict == leadsquared.Applied {
					c.readable, c.note, c.fields = true, opp.Note, opp.Fields
				} else {
					c.fields = a.Data // few, but the key may be among them
				}
				s.seen = append(s.seen, c)
			}
			if len(s.seen) < len(l.wants) {
				if err := r.secondSight(ctx, s, lead, event, l.oldest); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// secondSight asks the account's index for opportunities that the trail did
// not show, before a row is taken for absent. The index lags, so that only what
// it has means anything; that it cannot be read means nothing.
func (r *run) secondSight(ctx context.Context, s *sight, lead string, event int, oldest time.Time) error {
	page, out, err := try(ctx, r.Session, func(ctx context.Context, slot leadsquared.Slot) (leadsquared.OpportunityPage, leadsquared.Outcome) {
		return r.client.OpportunitiesOfLead(ctx, slot, lead, event, 0)
	})
	if err != nil || out.Verdict != leadsquared.Applied {
		return err
	}
	for _, o := range page.List {
		known := slices.ContainsFunc(s.seen, func(c candidate) bool { return strings.EqualFold(c.id, o.ID) })
		if known || o.CreatedOn.IsZero() || !s.sinceWide(o.CreatedOn, oldest) {
			continue
		}
		owned, err := r.led.Owned(ctx, r.acct, o.ID)
		if err != nil {
			return err
		}
		if !owned {
			s.seen = append(s.seen, candidate{id: o.ID, lead: lead, event: event, created: o.CreatedOn, readable: true, note: o.Note, fields: o.Fields})
		}
	}
	return nil
}

// seeSales reads the sales activities of leads that no row owns.
func (r *run) seeSales(ctx context.Context, s *sight, l look) error {
	for _, lead := range l.leads {
		sales, out, err := try(ctx, r.Session, with(r.client.SalesActivitiesOf, lead))
		if err != nil {
			return err
		}
		if out.Verdict != leadsquared.Applied {
			s.blind, s.later = "the sales activities of its lead could not be read: "+out.Message, true
			continue
		}
		var fresh []candidate
		for _, a := range sales {
			owned, err := r.led.Owned(ctx, r.acct, a.ID)
			if err != nil {
				return err
			}
			if !owned {
				fresh = append(fresh, candidate{id: a.ID, lead: lead, readable: true, fields: a.Fields, sale: true})
			}
		}
		if fresh, err = r.dateSales(ctx, lead, sales, fresh); err != nil {
			return err
		}
		for _, c := range fresh {
			if s.sinceWide(c.created, l.oldest) {
				s.seen = append(s.seen, c)
			}
		}
	}
	return nil
}

// salesEvent is the activity code of sales on a lead's trail (field report).
const salesEvent = 30

// dateSales takes the moments of sales from the lead's trail, where the trail
// has them, and adds sales that the trail has and the list does not show yet.
func (r *run) dateSales(ctx context.Context, lead string, listed []leadsquared.SalesActivity, fresh []candidate) ([]candidate, error) {
	trail, why, err := r.trail(ctx, lead, salesEvent)
	if err != nil || why != "" {
		return fresh, err // the list has been read; without the trail its sales have no date
	}
	for _, a := range trail {
		known := slices.ContainsFunc(listed, func(l leadsquared.SalesActivity) bool { return strings.EqualFold(l.ID, a.ID) })
		if !known {
			owned, err := r.led.Owned(ctx, r.acct, a.ID)
			if err != nil {
				return fresh, err
			}
			if !owned {
				fresh = append(fresh, candidate{id: a.ID, lead: lead, created: a.CreatedOn, sale: true})
			}
			continue
		}
		for i := range fresh {
			if strings.EqualFold(fresh[i].id, a.ID) {
				fresh[i].created = a.CreatedOn
			}
		}
	}
	return fresh, nil
}

// queueEmpty makes sight blind while the async queue may still hold the rows.
func (r *run) queueEmpty(ctx context.Context, s *sight) error {
	q, out, err := try(ctx, r.Session, r.client.QueueMetrics)
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
	made := targetOf(mapping.Target(p.Target)).makesLead
	found, err := r.findLeads(ctx, leadSearch{field: p.LeadField, value: p.LeadValue, made: made, patient: true})
	switch {
	case err != nil:
		return nil, "", err
	case found.out.Verdict != leadsquared.Applied:
		return nil, "its lead could not be looked up: " + found.out.Message, nil
	case len(found.leads) == 0 && found.lagging && time.Since(rows[len(rows)-1].Sent) < unsureBefore:
		return nil, "the account's search does not know its lead, but it may lag by minutes", nil
	case len(found.leads) == 0 && !found.lagging && made && !strings.EqualFold(p.LeadField, "EmailAddress"):
		// A search by a field of the account's own may not know a lead that was made just now.
		return r.leadsByEmail(ctx, rows)
	}
	return leadIDs(ids, found.leads), "", nil
}

// leadsByEmail finds the leads whose e-mail addresses were sent with some rows.
func (r *run) leadsByEmail(ctx context.Context, rows []ledger.OpenRecord) (ids []string, blind string, err error) {
	for _, rec := range rows {
		body, err := targetOf(mapping.Target(rec.Payload.Target)).parse([]byte(rec.Payload.Body))
		email := body.LeadValue("EmailAddress")
		if err != nil || email == "" {
			continue // a body that cannot be read is reported by wantsOf
		}
		found, err := r.findLeads(ctx, leadSearch{field: "EmailAddress", value: email, patient: true})
		if err != nil {
			return nil, "", err
		}
		if found.out.Verdict != leadsquared.Applied {
			return nil, "its lead could not be looked up: " + found.out.Message, nil
		}
		ids = leadIDs(ids, found.leads)
	}
	return ids, "", nil
}

func leadIDs(ids []string, leads []leadsquared.Lead) []string {
	for _, l := range leads {
		if !slices.Contains(ids, l.ID) {
			ids = append(ids, l.ID)
		}
	}
	return ids
}

// trail reads the whole activity trail of a lead. why says why it could not be read.
func (r *run) trail(ctx context.Context, lead string, event int) (all []leadsquared.Activity, why string, err error) {
	reader := r.client.NewTrailReader(event)
	for offset, more := reader.Next(); more; offset, more = reader.Next() {
		page, out, err := try(ctx, r.Session, func(ctx context.Context, slot leadsquared.Slot) (leadsquared.TrailPage, leadsquared.Outcome) {
			return r.client.TrailPage(ctx, slot, lead, event, offset)
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

// clockLo is the least that the account's clock may be ahead of ours, and
// whether records prove it.
func (r *run) clockLo() (time.Duration, bool) {
	if lo, ok := r.calibrated(); ok {
		return lo, true
	}
	lo, _, _ := r.clock.ahead()
	return lo, false
}
