package loader

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/pace"
	"leadload/loader/source"
	"leadload/mapping"
)

// chunk is how many rows are reserved in one transaction when there is no
// limit to wait for; so many rows at most are in doubt after a crash, beside
// those in flight.
const chunk = 256

// reserveAge is how long a reservation stands for its call. A row that waits
// longer, as in an outage, writes its intent down anew, so that what is
// known of its moment stays true.
const reserveAge = 2 * time.Second

// send is the second pass: it sends the rows that the plan says are due.
func (r *run) send(ctx context.Context) error {
	return r.dispatch(ctx, r.dueJobs(ctx))
}

// dueJobs goes through the file again, beside the plan, and gives the rows that are due.
func (r *run) dueJobs(ctx context.Context) iter.Seq2[*job, error] {
	return func(yield func(*job, error) bool) {
		planned, stop := iter.Pull2(r.led.Planned(ctx, r.id))
		defer stop()
		rows, stopRows := iter.Pull2(r.job.File.Rows())
		defer stopRows()
		ex := newExaminer(r.job.Mapping, r.program.Runner())
		ex.brief = true
		for {
			p, err, ok := planned()
			if err != nil {
				yield(nil, err)
				return
			}
			row, rowErr, rowOK := rows()
			if !ok && !rowOK {
				return
			}
			if rowErr != nil {
				yield(nil, r.fileChanged(p.Number, rowErr))
				return
			}
			if ok != rowOK || p.Number != row.Number || p.Fingerprint != row.Fingerprint() {
				n := p.Number
				if !ok {
					n = row.Number
				}
				yield(nil, r.fileChanged(n, nil))
				return
			}
			if p.Verdict != ledger.Due || p.State != ledger.Ready {
				continue
			}
			// What only the plan needs of a row, its hashes, was made in the first pass.
			e := ledger.Entry{Number: row.Number}
			if len(row.Faults) > 0 {
				unusable(&e, row.Faults)
			} else {
				ex.cells = cellsOf(ex.cells, row)
				ex.examine(&e, ex.cells)
			}
			if e.Verdict != 0 { // the same row with the same mapping cannot turn out otherwise
				yield(nil, &Error{Kind: Broken, Code: "run.unsteady", Msg: fmt.Sprintf("row %d was mapped in two ways: %s", row.Number, e.Msg), Hint: "report this; nothing was sent from this row on"})
				return
			}
			if !yield(r.jobOf(p.Record, row, &ex.rec), nil) {
				return
			}
		}
	}
}

func (r *run) fileChanged(row int, err error) error {
	e := stopped("file.changed", "run the same command again: rows already loaded are not sent twice", "%s changed while it was being loaded, at row %d; nothing was sent from there on", r.job.Input, row)
	e.Err = err
	return e
}

// jobOf copies what the account needs out of a mapped row.
func (r *run) jobOf(record int64, row *source.Row, rec *mapping.Record) *job {
	j := &job{Record: record, Number: row.Number, Payload: ledger.Payload{
		Target: string(r.job.Mapping.Target), Body: string(rec.Body),
		LeadField: rec.LeadField, LeadValue: strings.Clone(rec.LeadValue), Lead: strings.Clone(rec.Lead),
		KeyFields: rec.KeyFields, Find: r.job.Mapping.Lead.FindBy != "", MustExist: r.job.Mapping.LeadMustExist,
		IfMissing: r.job.Mapping.Lead.IfMissing, IfMany: r.job.Mapping.Lead.IfMany,
	}}
	if j.Payload.IfMissing == "create" {
		j.Payload.LeadText = strings.Clone(rec.LeadText)
	}
	if j.Payload.Lead == "" {
		j.Payload.Lead = fmt.Sprint("record ", record) // no lead to keep an order for
	}
	return j
}

// dispatch sends jobs side by side, those of one lead one after another in
// their order. Jobs of a busy lead wait while others overtake.
func (r *run) dispatch(ctx context.Context, jobs iter.Seq2[*job, error]) error {
	ahead := r.pacer.State().Limit == pace.Unlimited
	size, most := 0, r.o.Concurrency
	if ahead {
		size, most = chunk, 4*chunk+r.o.Concurrency
	}
	work := make(chan *job, size)
	freed := make(chan string, most+1) // every job under way frees its lead once, so a send never blocks
	g, ctx := errgroup.WithContext(ctx)
	for range r.o.Concurrency {
		g.Go(func() error {
			for j := range work {
				if err := r.handle(ctx, j, freed); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() (err error) {
		defer close(work)
		defer func() { err = errors.Join(err, r.parked.close()) }()
		return r.feed(ctx, jobs, work, freed, most, ahead)
	})
	err := g.Wait()
	// Workers that ended early leave reserved rows behind that never left.
	for j := range work {
		r.unsend(j)
	}
	return err
}

// feed hands jobs to the workers until all are done.
func (r *run) feed(ctx context.Context, jobs iter.Seq2[*job, error], work chan<- *job, freed <-chan string, most int, ahead bool) error {
	next, stop := iter.Pull2(jobs)
	defer stop()
	var (
		under   int    // jobs handed out whose lead is not free again
		ready   []*job // jobs of leads that came free
		batch   []*job // to be reserved together
		drained bool
		parked  int // rows parked since the last flush
	)
	release := func(lead string) error {
		under--
		j, err := r.parked.next(lead)
		if err != nil {
			return &Error{Kind: Broken, Code: "run.waiting", Msg: "waiting rows cannot be read back", Hint: runAgain, Err: err}
		}
		if j != nil {
			ready = append(ready, j)
		}
		return nil
	}
	hand := func(j *job) error {
		for {
			select {
			case work <- j:
				under++
				return nil
			case lead := <-freed:
				if err := release(lead); err != nil {
					return err
				}
			case <-ctx.Done():
				r.unsend(j)
				return context.Cause(ctx)
			}
		}
	}
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := r.reserve(ctx, batch); err != nil {
			return err
		}
		for i, j := range batch {
			if err := hand(j); err != nil {
				for _, rest := range batch[i+1:] {
					r.unsend(rest)
				}
				return err
			}
		}
		batch, parked = batch[:0], 0
		return nil
	}
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		// Take note of everything that is free by now.
		for more := true; more; {
			select {
			case lead := <-freed:
				if err := release(lead); err != nil {
					return err
				}
			default:
				more = false
			}
		}
		var j *job
		switch {
		case len(ready) > 0:
			j, ready = ready[0], ready[1:]
		case under+len(batch) >= most || drained:
			if err := flush(); err != nil {
				return err
			}
			if drained && under == 0 && len(ready) == 0 {
				return nil
			}
			if len(ready) > 0 {
				continue
			}
			select {
			case lead := <-freed:
				if err := release(lead); err != nil {
					return err
				}
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			continue
		default:
			var err error
			var ok bool
			if j, err, ok = next(); err != nil {
				return errors.Join(flush(), err)
			} else if !ok {
				drained = true
				continue
			}
			if r.parked.busy(j.Payload.Lead) {
				if err := r.parked.add(j); err != nil {
					return &Error{Kind: Broken, Code: "run.waiting", Msg: "rows that wait for an earlier row of their lead cannot be kept", Hint: "free some space in the folder for temporary files and run the same command again", Err: err}
				}
				// A long run of one lead must not keep the others of the chunk waiting.
				if parked++; parked >= 4*chunk {
					if err := flush(); err != nil {
						return err
					}
				}
				continue
			}
			r.parked.begin(j.Payload.Lead)
		}
		if !ahead {
			if err := hand(j); err != nil {
				return err
			}
			continue
		}
		if batch = append(batch, j); len(batch) == chunk {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// reserve writes down a chunk of intents ahead of their calls.
func (r *run) reserve(ctx context.Context, batch []*job) error {
	intents := make([]ledger.Intent, len(batch))
	now := time.Now()
	for i, j := range batch {
		intents[i] = ledger.Intent{Record: j.Record, Account: r.acct, At: now, Payload: j.Payload}
	}
	if err := r.led.Reserve(ctx, intents); err != nil {
		return err
	}
	for _, j := range batch {
		j.reserved, j.at = true, now
	}
	return nil
}

// unsend takes back the reservation of a row that never left.
func (r *run) unsend(j *job) {
	if j.reserved {
		r.led.SettleLater(ledger.Outcome{Record: j.Record, State: ledger.Ready}, func(error) {}) // a failure leaves it in doubt, which is safe
	}
}

// handle sends one job, writes its outcome down and frees its lead.
func (r *run) handle(ctx context.Context, j *job, freed chan<- string) error {
	if ctx.Err() != nil {
		r.unsend(j)
		return nil
	}
	reserved := j.reserved
	out, err := r.sendJob(ctx, j)
	if out.State == 0 { // it never left, and its record is as it was
		if err == nil {
			freed <- j.Payload.Lead
		}
		return err
	}
	r.count(out)
	if !reserved || err != nil {
		err = errors.Join(err, r.led.Settle(ctx, out))
		if err == nil {
			freed <- j.Payload.Lead
		}
	} else {
		lead := j.Payload.Lead
		r.led.SettleLater(out, func(err error) {
			if err != nil {
				r.cancel(err)
				return
			}
			freed <- lead
		})
	}
	r.doubtLead(out, &j.Payload)
	if err == nil && out.State == ledger.Rejected && r.o.MaxErrors > 0 && r.rejects.Add(1) >= r.o.MaxErrors {
		err = stopped("run.max-errors", "look at the sheet Failed: when the mapping is wrong, correct it and run the same command again", "%d rows were rejected (--max-errors)", r.o.MaxErrors)
	}
	return err
}

// doubtLead forgets the lead of a row that the account refused: it may have been
// deleted or merged since an earlier run looked it up, and the next run looks again.
func (r *run) doubtLead(out ledger.Outcome, p *ledger.Payload) {
	if out.State == ledger.Rejected && (p.Find || p.MustExist) {
		r.led.ForgetLead(r.acct, p.LeadField, leadName(p.LeadField, p.LeadValue), r.began)
	}
}

// count keeps the numbers of the progress line.
func (r *run) count(out ledger.Outcome) {
	if out.State != ledger.Ready {
		r.live.rows[ledger.ResultOf(ledger.Due, out.State, false)].Add(1)
	}
}

// sendJob makes the calls for one row until its fate is known or in doubt. An
// Outcome without a State means that nothing has to be written down. The
// error ends the run; the Outcome beside it still holds.
func (r *run) sendJob(ctx context.Context, j *job) (ledger.Outcome, error) {
	none := ledger.Outcome{}
	if j.reserved {
		none = ledger.Outcome{Record: j.Record, State: ledger.Ready}
	}
	send := targetOf(mapping.Target(j.Payload.Target)).send
	body, lead := j.Payload.Body, ""
	if j.Payload.Find || j.Payload.MustExist {
		var refused ledger.Outcome
		var err error
		lead, refused, err = r.leadOf(ctx, j)
		if err != nil || refused.State != 0 {
			if refused.State == 0 {
				refused = none
			}
			return refused, err
		}
		if j.Payload.Find {
			body = string(leadsquared.WithProspectID([]byte(body), lead))
		}
	}
	again := false
	var unsent time.Time // since when it cannot be sent
	for try := 1; ; {
		if err := r.outage.wait(ctx, r.probe); err != nil {
			return none, err
		}
		c, err := r.slot(ctx, again)
		if err != nil {
			return none, err
		}
		if ctx.Err() != nil {
			c.Abort()
			return none, nil
		}
		if j.reserved && time.Since(j.at) < reserveAge {
			j.reserved = false
		} else {
			j.reserved = false
			p := j.Payload
			p.Body = body
			if err := r.led.Sending(ctx, ledger.Intent{Record: j.Record, Account: r.acct, At: time.Now(), Payload: p}); err != nil {
				c.Abort()
				return ledger.Outcome{}, err
			}
		}
		call := context.WithoutCancel(ctx)
		out := send(r.client, call, c, []byte(body))
		err = r.finish(c, out)
		o := outcomeOf(j.Record, out)
		if o.LeadID == "" && j.Payload.Target == string(mapping.SalesActivity) {
			// The account's answer leaves the lead out, but the request named it.
			if o.LeadID = lead; lead == "" {
				o.LeadID = prospectOf(j.Payload)
			}
		}
		none = ledger.Outcome{}
		if err != nil {
			return o, err
		}
		switch out.Verdict {
		case leadsquared.Throttled, leadsquared.NotSent:
			// Certainly not applied: the row is ready again, and goes again.
			if err := r.led.Settle(ctx, o); err != nil {
				return ledger.Outcome{}, err
			}
			again = out.Verdict == leadsquared.Throttled
			if !again {
				if err := sleep(ctx, backoff(try+1)); err != nil {
					return ledger.Outcome{}, err
				}
				if unsent.IsZero() {
					unsent = time.Now()
				}
				// The harmless call may get through where this one does not.
				if try++; try > notSentTries && !out.Outage || time.Since(unsent) > r.o.OutageLimit {
					return ledger.Outcome{}, stopped("account.unreachable", runAgain, "the account cannot be reached: %s", out.Message)
				}
			}
		default:
			return o, nil
		}
	}
}

// notSentTries bounds the tries of a call that fails before anything is sent,
// for a reason that is no outage.
const notSentTries = 8

// outcomeOf says what a call's verdict means for its record.
func outcomeOf(record int64, out leadsquared.Outcome) ledger.Outcome {
	o := ledger.Outcome{Record: record, LeadID: out.LeadID}
	switch out.Verdict {
	case leadsquared.Applied:
		o.State, o.ID = ledger.Loaded, out.ID
		if out.Message != "" {
			o.Code, o.Msg = "account.partial", out.Message
			o.Hint = "the record is in the account; look there at what the account says it left out"
		}
	case leadsquared.Duplicate:
		o.State, o.ID = ledger.Duplicate, out.ID
		o.Code, o.Msg = "account.duplicate", "the account's duplicate rule matched the record "+out.ID+"; nothing new was made"
		o.Hint = "nothing, when the two are the same; otherwise change the rule in the account and load the row again"
	case leadsquared.Accepted:
		o.State, o.RequestID = ledger.Pending, out.RequestID
		o.Code, o.Msg = "account.pending", "the account has queued it"
		o.Hint = "run leadload settle later to learn its id"
	case leadsquared.Rejected:
		o.State, o.Code, o.Msg = ledger.Rejected, leadsquared.Code(out), refusal(out)
		o.Hint = rejectHint(out)
	case leadsquared.InDoubt:
		o.State, o.Code = ledger.InDoubt, leadsquared.Code(out)
		o.Msg, o.Hint = "the answer was lost: "+out.Message, ledger.DoubtHint
		if out.Slow || out.Stop {
			o.Msg = "the answer does not say whether it was made: " + out.Message
		}
	default: // Throttled, NotSent, Fatal: not applied
		o.State, o.Code, o.Msg, o.Hint = ledger.Ready, leadsquared.Code(out), out.Message, runAgain
	}
	return o
}

// refusal is the account's own words, with the type of its exception.
func refusal(out leadsquared.Outcome) string {
	switch {
	case out.ExceptionType == "":
		return out.Message
	case out.Message == "":
		return out.ExceptionType
	}
	return out.ExceptionType + ": " + out.Message
}

func rejectHint(out leadsquared.Outcome) string {
	switch out.ExceptionType {
	case "MXMandatoryAttributeMissingException":
		return "map the attribute that the message names, or fill it in in this row"
	case "MXInvalidActivityFieldsException":
		return "fill in or correct the field that the message names; leadload check --online shows all such fields before anything is sent"
	case "MXDuplicateEntryException":
		return "the account has an entry with this unique value; correct the value, or update that entry in the account"
	}
	return "correct the row in the sheet Failed and load that sheet again; leadload errors explains the code"
}
