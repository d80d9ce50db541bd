// Package update changes records that the account has: it reads what is there,
// judges each field, and writes those that the file alone has changed.
//
// A change belongs here when it is about the order of looking and writing: how
// long a look serves, which calls an update makes, what a lost answer means.
// What three values of a field say is in package compare, and which call writes
// a field in package mapping.
//
// There is no call that writes only where nothing has changed meanwhile. A look
// therefore serves for a short while, and a person who works in the account
// between look and write is the one who cannot be seen.
package update

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"leadload/internal/fault"
	"leadload/loader/compare"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/send"
	"leadload/loader/target"
	"leadload/mapping"
)

// Served is how long a look at a record serves for writing it.
const Served = 30 * time.Second

// Updater changes records of one account. It is safe for concurrent use once its
// fields are set.
type Updater struct {
	Line   *line.Line
	Ledger ledger.Store
	Lease  ledger.Lease
	// Overwrite writes also what somebody has changed in the account since.
	Overwrite bool
	// Served is how long a look serves; 0 is the constant of that name. Where the
	// limit allows less than a call in that time it must be longer.
	Served time.Duration
	// Patience is how long a change may take until reads show it.
	Patience time.Duration
	Memory   target.Memory // may be nil
	Notify   func(string)
	Tally    func(ledger.State, int64)

	blind bool // tests write without having looked

	mu    sync.Mutex
	leads map[string]uint32 // lead and field → print of what this run wrote there
	seen  map[string]seen   // id in lower case → what the last look showed
}

// wrote remembers what a row has written into its lead: the account shows it late,
// and other rows of the lead ask for the same.
func (u *Updater) wrote(lead string, c *ledger.FieldChange) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.leads == nil {
		u.leads = map[string]uint32{}
	}
	u.leads[strings.ToLower(lead)+" "+c.Field] = compare.Print(c.Value)
}

// written returns the print of what this run wrote into a field of a lead; 0: nothing.
func (u *Updater) written(lead, field string) uint32 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.leads[strings.ToLower(lead)+" "+field]
}

// shareLead takes what another row of the lead has written meanwhile for done.
func (u *Updater) shareLead(e *ledger.Edit) {
	for i := range e.Changes {
		if c := &e.Changes[i]; c.Part == string(mapping.OfLead) && !c.Done && e.LeadID != "" && u.written(e.LeadID, c.Field) == compare.Print(c.Value) {
			c.Done, c.Why = true, ""
		}
	}
}

func (u *Updater) served() time.Duration { return max(u.Served, Served) }

// stale reports whether what is known of a part's values is too old to write it.
func (u *Updater) stale(e *ledger.Edit, part mapping.Part) bool {
	if part == mapping.OfLead {
		return time.Since(e.Leads) > u.served()
	}
	return time.Since(e.Read) > u.served()
}

// ready returns the part that is to be written now, looked at lately; "" when none
// is left. A lead is looked at when its turn comes, since that takes a call of its own.
func (u *Updater) ready(ctx context.Context, p *ledger.Payload) (mapping.Part, error) {
	e := p.Edit
	for {
		part := next(e)
		switch {
		case e.Read.IsZero() && (needs(e, mapping.OfLead, false) || e.LeadID == ""), part != "" && part != mapping.OfLead && u.stale(e, part):
			if err := u.Look(ctx, []*ledger.Payload{p}); err != nil {
				return "", err
			}
			continue
		case part != "" && part != mapping.OfLead:
			return part, nil
		}
		u.shareLead(e)
		if part = next(e); part == "" && !(e.Leads.IsZero() && needs(e, mapping.OfLead, true)) {
			return "", nil
		}
		if !u.stale(e, mapping.OfLead) {
			return part, nil
		}
		if err := u.lookAtLead(ctx, e); err != nil {
			return "", err
		}
	}
}

// next returns the part that is to be written now; "" when there is none.
func next(e *ledger.Edit) mapping.Part {
	for i := range e.Changes {
		if c := &e.Changes[i]; !c.Done && c.Why == "" && compare.Finding(c.Finding) == compare.Send {
			return mapping.Part(c.Part)
		}
	}
	return ""
}

// Send makes the calls of one update until its fate is known or in doubt. An
// Outcome without a State means that nothing has to be written down. The error
// ends the run; the Outcome beside it still holds.
func (u *Updater) Send(ctx context.Context, record int64, p *ledger.Payload) (ledger.Outcome, error) {
	e := p.Edit
	none := ledger.Outcome{}
	refusal := none
	again := false
	var unsent line.Unsent
	for {
		part, err := u.ready(ctx, p)
		if err != nil {
			return none, err
		}
		if part == "" {
			return ended(record, e, refusal), nil
		}
		if err := u.Line.Ready(ctx); err != nil {
			return none, err
		}
		c, err := u.Line.Slot(ctx, again)
		if err != nil {
			return none, err
		}
		if ctx.Err() != nil {
			u.Line.Abort(c)
			return none, nil
		}
		if u.stale(e, part) { // the place was long in coming
			u.Line.Abort(c)
			continue
		}
		tried(e, part, true)
		if err := u.Ledger.Intend(ctx, u.Lease, ledger.Sending, ledger.Intent{Record: record, Op: ledger.Update, At: time.Now(), Payload: *p}); err != nil {
			u.Line.Abort(c)
			return none, err
		}
		out := target.Write(context.WithoutCancel(ctx), u.Line.Client, c, part, e.ID, e.LeadID, part.Update(nil, e.ID, e.LeadID, fieldsOf(e, part)))
		err = u.Line.Finish(c, out)
		o := send.Outcome(record, ledger.Update, out)
		o.ID, o.LeadID = "", ""
		again = false
		switch out.Verdict {
		case leadsquared.Applied, leadsquared.Duplicate, leadsquared.Accepted:
			u.done(e, part)
			if o.Words() && refusal.State == 0 {
				refusal = ledger.Outcome{Code: o.Code, Msg: o.Msg, Hint: o.Hint}
			}
		case leadsquared.Rejected:
			refused(e, part, out.Refusal())
			refusal = o
		case leadsquared.Throttled, leadsquared.NotSent:
			tried(e, part, false)
			if serr := u.Ledger.Settle(ctx, u.Lease, o); serr != nil || err != nil {
				return none, cmp.Or(err, serr)
			}
			if again = out.Verdict == leadsquared.Throttled; again {
				continue
			}
			if err := u.Line.Pause(ctx, &unsent, out); err != nil {
				return none, err
			}
			continue
		default: // in doubt, or the end of the run
			o.Edit = nil
			return o, err
		}
		if err != nil {
			return ended(record, e, refusal), err
		}
		if next(e) != "" || e.Leads.IsZero() && needs(e, mapping.OfLead, true) {
			// Each part is written down before the next one leaves.
			if err := u.Ledger.Settle(ctx, u.Lease, ledger.Outcome{Record: record, Op: ledger.Update, State: ledger.Ready, Edit: e}); err != nil {
				return none, err
			}
		}
	}
}

// Stands returns the outcome as it is written down. The update whose values were to
// be put back has ended well, however far that came.
func Stands(o ledger.Outcome) ledger.Outcome {
	if o.Edit != nil && o.Edit.Back && !o.State.Open() && o.State != ledger.Ready {
		o.State = ledger.Loaded
	}
	return o
}

// ended returns what became of an update that has nothing left to write. refused
// is the account's refusal of a part, or what it had to say beside a success.
func ended(record int64, e *ledger.Edit, refused ledger.Outcome) ledger.Outcome {
	o := ledger.Outcome{Record: record, Op: ledger.Update, State: ledger.Same, Edit: e}
	var contested, withheld, unread, whys []string
	wrote := false
	for i := range e.Changes {
		c := &e.Changes[i]
		switch {
		case c.Wrote:
			wrote = true
		case c.Done:
		case c.Why != "" && compare.Finding(c.Finding) == compare.Unread && c.Part != "":
			unread, whys = append(unread, c.Field), append(whys, c.Why)
		case c.Why != "":
			withheld = append(withheld, c.Field+": "+c.Why)
		case compare.Finding(c.Finding) == compare.Conflict:
			contested = append(contested, c.Field)
		}
	}
	if wrote {
		o.State, o.Code, o.Msg, o.Hint = ledger.Loaded, refused.Code, refused.Msg, refused.Hint
	}
	switch {
	case refused.State == ledger.Rejected:
		o.State, o.Code, o.Msg, o.Hint = ledger.Rejected, refused.Code, refused.Msg, refused.Hint
	case e.Gone:
		o.State, o.Code = ledger.Withheld, "row.gone"
		o.Msg = fmt.Sprintf("loaded before as %s, which was deleted in the account", e.ID)
		o.Hint = "nothing is made again by itself; give the row a new key to make a new record"
	case len(contested) > 0:
		o.State, o.Code = ledger.Contested, "row.conflict"
		o.Msg = fmt.Sprintf("%s changed in the file, and somebody changed it in the account to something else, which was left alone: the sheet Changes has both values", strings.Join(contested, ", "))
		o.Hint = "decide which is right: correct the file, add --on-conflict overwrite to send what the file has, or leave the account as it is with leadload accept"
	case len(withheld) > 0:
		o.State, o.Code = ledger.Withheld, "row.changed"
		o.Msg = fmt.Sprintf("loaded before as %s with other values: %s", e.ID, strings.Join(withheld, "; "))
		o.Hint = "change it in the account and type leadload accept, or give the row a new key if it is a new record"
	case len(unread) > 0:
		// Nothing is written that was not looked at.
		o.State, o.Code = ledger.Ready, "row.unread"
		o.Msg = fmt.Sprintf("%s changed, and what the account has could not be read: %s", strings.Join(unread, ", "), whys[0])
		o.Hint = fault.RunAgain
	}
	return o
}
