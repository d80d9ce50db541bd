// Package send sends rows: those of one lead in their order, others side by
// side, each after its intent is on disk.
//
// A change belongs here when it is about the order of rows, about the lead that
// must be known first, or about what is written down around a call. Which call
// a target makes is in package target, its pace in package line.
package send

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/target"
	"leadload/mapping"
)

// Row is one row on its way to the account.
type Row struct {
	Record  int64          `json:"r"`
	Number  int            `json:"n"` // row as the spreadsheet counts
	Op      ledger.Op      `json:"o,omitempty"`
	Payload ledger.Payload `json:"p"`
	LeadID  string         `json:"-"` // of its lead, once it was looked up; it goes in a call of many rows then
	// New is its object of a call that makes many records, once a Many has looked whether
	// it fits in one.
	New      *mapping.NewAmongMany `json:"-"`
	reserved bool
	again    bool      // it was in doubt
	asked    bool      // the ledger was asked for its lead
	look     *lookup   // what Payload.Lookup says, where it need not be read
	seek     bool      // its lead is looked up, and then it waits for a call of many rows
	at       time.Time // when it was reserved
}

// RowOf copies what the account needs out of a mapped row.
func RowOf(m *mapping.Mapping, record int64, number int, rec *mapping.Record) *Row {
	j := &Row{Record: record, Number: number, Payload: ledger.Payload{
		Target: string(m.Target), Body: string(rec.Body),
		LeadField: rec.LeadField, LeadValue: strings.Clone(rec.LeadValue), Lead: strings.Clone(rec.Lead),
		KeyFields: rec.KeyFields, Constants: rec.Constants, Empty: slices.Clone(rec.Empty),
	}}
	look := lookupOf(m, rec)
	j.look, j.Payload.Lookup = &look, look.encode()
	if j.Payload.Lead == "" {
		j.Payload.Lead = fmt.Sprint("record ", record) // no lead to keep an order for
	}
	return j
}

// Sender sends the rows of one run. Its exported fields are set before the
// first row is sent.
type Sender struct {
	Line        *line.Line
	Ledger      ledger.Store
	Lease       ledger.Lease
	Began       time.Time
	Unlimited   bool // there is no limit to wait for
	Concurrency int
	MaxErrors   int64 // stop after so many rejected rows; 0 is never
	// MaxSame ends the run when the first so many answers are all the same
	// refusal; 0 is never. Trusted reports whether the mapping has loaded
	// something before, so that it is not the mapping that is wrong.
	MaxSame int64
	Trusted func(context.Context) (bool, error)
	// Many makes calls that take many rows, ManyAtOnce of them side by side; nil: none are made.
	Many       Many
	ManyAtOnce int
	LeadAge    time.Duration
	// Update makes the calls of one update, and returns as one does.
	Update func(ctx context.Context, record int64, p *ledger.Payload) (ledger.Outcome, error)
	// Tally gets how many rows came to a state, or with a minus left it.
	Tally func(ledger.State, int64)
	// Updated is Tally for rows that are updated.
	Updated func(ledger.State, int64)
	// Cancel ends the run when the ledger fails to keep an outcome.
	Cancel context.CancelCauseFunc

	rejects    atomic.Int64
	same       sameRefusal
	neighbours neighbours
	waiting    waiting
}

// Again sends a row that is certainly not in the account, and writes down what
// became of it.
func (s *Sender) Again(ctx context.Context, rec *ledger.Operation) error {
	j := &Row{Record: rec.Record, Number: rec.Number, Op: rec.Op, Payload: rec.Payload, again: true}
	out, err := s.one(ctx, j)
	back(j, &out)
	if out.State != 0 {
		s.Tally(out.State, 1)
		s.doubtLead(out, &rec.Payload)
		if serr := s.Kept(out, s.Ledger.Settle(ctx, s.Lease, out)); err == nil {
			err = serr
		}
	}
	return err
}

// back keeps what was sent of a row that was in doubt and did not leave this time:
// nobody else has it any more.
func back(j *Row, o *ledger.Outcome) {
	if j.again && o.State == ledger.Ready {
		o.State = ledger.Missing
	}
}

// one makes the calls for one row until its fate is known or in doubt. An
// Outcome without a State means that nothing has to be written down. The
// error ends the run; the Outcome beside it still holds.
func (s *Sender) one(ctx context.Context, j *Row) (ledger.Outcome, error) {
	none := ledger.Outcome{}
	if j.Op == ledger.Update {
		return s.Update(ctx, j.Record, &j.Payload)
	}
	if j.reserved {
		none = ledger.Outcome{Record: j.Record, Op: j.Op, State: ledger.Ready}
	}
	name := mapping.Target(j.Payload.Target)
	t := targetOf(j)
	calls, ok := t.Calls(j.Op)
	if !ok { // such a row is not planned
		panic(fmt.Sprintf("send: target %s has no call to %s record %d", name, j.Op, j.Record))
	}
	body, lead := j.Payload.Body, ""
	look, err := j.lookup(t)
	if err != nil {
		return none, err
	}
	if look.wanted() {
		var refused ledger.Outcome
		if lead, refused, err = s.leadOf(ctx, j, look); err != nil || refused.State != 0 {
			if refused.State == 0 {
				refused = none
			}
			return refused, err
		}
		if look.Find {
			body = string(name.Create(nil, []byte(body), lead))
		}
	}
	again := false
	var unsent line.Unsent
	for {
		if err := s.Line.Ready(ctx); err != nil {
			return none, err
		}
		c, err := s.Line.Slot(ctx, again)
		if err != nil {
			return none, err
		}
		if ctx.Err() != nil {
			s.Line.Abort(c)
			return none, nil
		}
		if j.reserved && time.Since(j.at) < ReserveAge {
			j.reserved = false
		} else {
			j.reserved = false
			p := j.Payload
			p.Body = body
			if err := s.Ledger.Intend(ctx, s.Lease, ledger.Sending, ledger.Intent{Record: j.Record, Op: j.Op, At: time.Now(), Payload: p}); err != nil {
				s.Line.Abort(c)
				return ledger.Outcome{}, err
			}
		}
		call := context.WithoutCancel(ctx)
		out := calls.Make(call, s.Line.Client, c, []target.Item{{Body: []byte(body)}})[0]
		err = s.Line.Finish(c, out)
		o := Outcome(j.Record, j.Op, out)
		if o.LeadID == "" && !t.MakesLead() {
			// The account's answer leaves the lead out, but the request named it.
			if o.LeadID = lead; lead == "" {
				sent, _ := t.Sent([]byte(body)) // without the id the row is as good
				o.LeadID = sent.ProspectID
			}
		}
		none = ledger.Outcome{}
		if err == nil {
			err = s.Doubt(ctx, &o)
		}
		if err == nil {
			err = s.mistaken(ctx, &o)
		}
		if err != nil {
			return o, err
		}
		switch out.Verdict {
		case leadsquared.Throttled, leadsquared.NotSent:
			// Certainly not applied: the row is ready again, and goes again.
			back(j, &o)
			if err := s.Ledger.Settle(ctx, s.Lease, o); err != nil {
				return ledger.Outcome{}, err
			}
			again = out.Verdict == leadsquared.Throttled
			if !again {
				if err := s.Line.Pause(ctx, &unsent, out); err != nil {
					return ledger.Outcome{}, err
				}
			}
		default:
			return o, nil
		}
	}
}

func targetOf(j *Row) target.Target { return target.For(mapping.Target(j.Payload.Target)) }

// doubtLead forgets the lead of a row that the account refused: it may have been
// deleted or merged since an earlier run looked it up, and the next run looks again.
func (s *Sender) doubtLead(out ledger.Outcome, p *ledger.Payload) {
	if out.State == ledger.Rejected && p.Lookup != nil {
		s.Ledger.Memo().ForgetLead(s.Lease.Account, p.LeadField, target.LeadName(p.LeadField, p.LeadValue), s.Began)
	}
}
