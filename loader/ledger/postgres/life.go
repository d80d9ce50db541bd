package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

// neverSent stands for the moment of a call before there was one.
const neverSent = -1

// refusable runs what may refuse a caller without undoing what others wrote in
// the same transaction.
func refusable(do func(*unit) error, refused *error) func(*unit) error {
	return func(u *unit) error {
		err := do(u)
		if *refused = nil; ledger.Refusal(err) {
			*refused, err = err, nil
		}
		return err
	}
}

// Intend writes down that operations may be sent at any moment, or are being sent.
func (l *Ledger) Intend(_ context.Context, lease ledger.Lease, to ledger.State, list ...ledger.Intent) error {
	if to != ledger.Reserved && to != ledger.Sending {
		return fmt.Errorf("%w: %s is no intent", ledger.ErrState, to)
	}
	w := work{lease: lease.Account, records: make([]int64, len(list))}
	payloads := make([][]byte, len(list))
	for i := range list {
		b, err := list[i].Payload.Encode()
		if err != nil {
			return err
		}
		w.records[i], payloads[i] = list[i].Record, b
	}
	var fenced, refused error
	w.do = refusable(func(u *unit) error {
		refused = nil
		if err := u.holds(lease); err != nil {
			return err
		}
		for i := range list {
			if err := u.intend(lease, to, &list[i], payloads[i], ledger.OwnCall(list, i)); errors.Is(err, ledger.ErrState) {
				refused = err
			} else if err != nil {
				return err
			}
		}
		return nil
	}, &fenced)
	return errors.Join(l.write(w), fenced, refused)
}

func (u *unit) intend(lease ledger.Lease, to ledger.State, in *ledger.Intent, payload []byte, counts bool) error {
	k := opKey{in.Record, in.Op}
	from, err := u.state(k)
	if err != nil {
		return err
	}
	if !from.Open() && ledger.Anew(in.Op, in.Payload.Edit) {
		from = ledger.Ready // what the operation before had to say is old news
	}
	if !in.Op.On(u.records[in.Record].fate) || !ledger.Step(in.Op, from, to) {
		return ledger.NoStep(in.Op, in.Record, from, to)
	}
	o := u.op(k)
	if o.state != ledger.Reserved { // a reserved row's call is counted already
		o.attempts = 1
		if counts {
			u.count(lease.Account, in.At, 1)
		}
	}
	o.account, o.state, o.token, o.call, o.sent, o.ended, o.firm = lease.Account, to, lease.Token, in.Call, in.At.UnixMilli(), 0, false
	o.code, o.msg, o.hint, o.candidates = "", "", "", ""
	o.payload, o.changed = payload, true
	return nil
}

// Settle writes down what became of an operation and returns when it is on disk.
func (l *Ledger) Settle(_ context.Context, lease ledger.Lease, o ledger.Outcome) error {
	ch := make(chan error, 1)
	l.settle(lease, o, true, func(err error) { ch <- err })
	return <-ch
}

// SettleLater queues an outcome and calls done when it is on disk.
func (l *Ledger) SettleLater(lease ledger.Lease, o ledger.Outcome, done func(error)) {
	l.settle(lease, o, false, done)
}

func (l *Ledger) settle(lease ledger.Lease, o ledger.Outcome, urgent bool, done func(error)) {
	var refused error
	w := work{lease: lease.Account, records: []int64{o.Record}}
	if o.Unowned || o.Claims() {
		for _, id := range ledger.Spellings(o.ID) {
			w.ids = append(w.ids, []byte(id))
		}
	}
	w.do = refusable(func(u *unit) error { return u.settle(lease, &o) }, &refused)
	l.queue(ledger.Write[work]{What: w, Urgent: urgent, Done: func(err error) {
		if err == nil {
			err = refused
		}
		done(err)
	}})
}

func (u *unit) settle(lease ledger.Lease, out *ledger.Outcome) error {
	k := opKey{out.Record, out.Op}
	from, err := u.state(k)
	if err != nil {
		return err
	}
	from, refused := out.From(u.records[out.Record].fate, from)
	// Whoever lost the lease hears that first: the states are another's now.
	if err := u.holds(lease); err != nil {
		return err
	}
	if refused != nil {
		return refused
	}
	var borrowed error
	if (out.Unowned || out.Claims()) && u.hasOwner(lease.Account, out) {
		if out.Unowned {
			return ledger.ErrOwned
		}
		doubt := ledger.Borrowed(*out)
		out, borrowed = &doubt, ledger.ErrBorrowed
	}
	o, r := u.op(k), u.records[out.Record]
	was := *o
	was.state = from
	o.changed = true
	switch {
	case out.State.Open():
		if err := u.stay(r, o, &was, out); err != nil {
			return err
		}
	case out.Op == ledger.Delete:
		u.endDelete(lease, r, o, &was, out)
	case out.Op == ledger.Update:
		u.endUpdate(lease, r, o, &was, out)
	default:
		u.end(lease, r, o, &was, out)
	}
	return borrowed
}

// hasOwner reports whether another record of the account has the id by now.
func (u *unit) hasOwner(account int64, out *ledger.Outcome) bool {
	if out.ID == "" {
		return false
	}
	for _, spelling := range ledger.Spellings(out.ID) {
		for _, o := range u.owned[spelling] {
			if o.account == account && o.record != out.Record {
				return true
			}
		}
		for id, r := range u.records { // written in this transaction
			if id != out.Record && r.account == account && r.fate == ledger.Present && r.remote == spelling {
				return true
			}
		}
	}
	return false
}

// stay writes down that a call's fate stays open. What was sent is still needed.
func (u *unit) stay(r *record, o, was *operation, out *ledger.Outcome) error {
	o.state = out.State
	if out.State == ledger.Missing {
		// Calls that a look-up did not find were sends of the row, others never left.
		if was.state == ledger.InDoubt {
			r.changed = true
			r.attempts, r.resends, r.sent = r.attempts+was.attempts, r.resends+1, was.sent
		}
		o.attempts = 0
	}
	if out.State == ledger.InDoubt && (was.state == ledger.Sending || was.state == ledger.Reserved) {
		o.ended = time.Now().UnixMilli() // the call has ended now, or before
	}
	if out.LeadID != "" {
		o.lead = out.LeadID
	}
	if out.RequestID != "" {
		o.request = out.RequestID
	}
	o.code, o.msg, o.hint, o.candidates = out.Code, out.Msg, out.Hint, strings.Join(out.Candidates, " ")
	if out.Payload == nil {
		return nil
	}
	var err error
	o.payload, err = out.Payload.Encode()
	return err
}

// end writes down that a call's fate is known. The record takes it over, and
// the operation goes unless it has something to say.
func (u *unit) end(lease ledger.Lease, r *record, o, was *operation, out *ledger.Outcome) {
	attempts, sent, resent := was.attempts, was.sent, int64(0)
	switch {
	case !was.state.Open():
		attempts, sent = 0, neverSent // no call was made
	case out.State == ledger.Ready && was.state == ledger.InDoubt:
		resent = 1
	case out.State == ledger.Ready:
		attempts = 0 // it never arrived: no attempt of the row's own
	}
	if out.State.Ended() {
		r.changed = true
		r.fate = out.Op.After(out.State)
		if out.ID != "" {
			r.remote = out.ID
		}
		if lead := was.lead; out.LeadID != "" || lead != "" {
			if r.lead = lead; out.LeadID != "" {
				r.lead = out.LeadID
			}
		}
		r.attempts += attempts
		r.lost, r.sent = was.ended != 0, sent
	} else if was.state.Open() {
		r.changed = true
		r.attempts, r.resends, r.sent = r.attempts+attempts, r.resends+resent, sent
		if out.Answers(was.state) {
			r.resends = 0
		}
	}
	if !out.Words() && out.State != ledger.Rejected {
		*o = operation{stands: o.stands, changed: true}
		return
	}
	u.said(lease, o, was, out, sent)
	if out.LeadID != "" {
		o.lead = out.LeadID
	}
}

// said keeps the words of a call that has ended.
func (u *unit) said(lease ledger.Lease, o, was *operation, out *ledger.Outcome, sent int64) {
	if !was.stands && was.token == 0 {
		o.account, o.token, o.sent = lease.Account, lease.Token, sent
	}
	o.state, o.attempts, o.ended, o.firm, o.request, o.candidates, o.payload = out.State, 0, 0, false, "", "", nil
	o.code, o.msg, o.hint = out.Code, out.Msg, out.Hint
}

// endDelete writes down that the fate of a deletion is known. What ended well
// leaves the record as one that was never sent: nothing of its former calls may
// make it look loaded. The operation keeps the id that it had.
func (u *unit) endDelete(lease ledger.Lease, r *record, o, was *operation, out *ledger.Outcome) {
	had := ""
	if out.State == ledger.Loaded {
		had = r.remote
		for k, other := range u.ops {
			if k.record == out.Record && k.op != ledger.Delete {
				*other = operation{stands: other.stands, changed: true}
			}
		}
		r.fate, r.remote, r.changed = out.Op.After(out.State), "", true
		u.offers[out.Record] = nil
	}
	if out.State == ledger.Ready && !out.Words() {
		*o = operation{stands: o.stands, changed: true}
		return
	}
	sent := was.sent
	if !was.stands {
		sent = neverSent
	}
	u.said(lease, o, was, out, sent)
	o.candidates = had
}

// endUpdate writes down how far an update came. The record stays what it was:
// its prints become those of what the account has now. The operation stays as
// well, since it is all that says what became of the row.
func (u *unit) endUpdate(lease ledger.Lease, r *record, o, was *operation, out *ledger.Outcome) {
	attempts, sent := was.attempts, was.sent
	switch {
	case !was.state.Open():
		attempts, sent = 0, neverSent
	case out.State == ledger.Ready && out.Edit == nil:
		attempts = 0 // it never arrived
	}
	if attempts != 0 {
		r.changed = true
		r.attempts += attempts
	}
	if out.Edit != nil {
		d := out.Edit.Digest()
		r.digest = &d
		u.offerOf(r, out)
		for _, k := range out.Edit.Kept(out.State) {
			u.kept = append(u.kept, keptRow{record: out.Record, run: r.run, row: r.row, Kept: k})
		}
		for _, b := range out.Edit.Baselines() {
			u.baselines[baselineKey{lease.Account, b.ID, b.Field}] = b
		}
	}
	if out.State == ledger.Ready && !out.Words() {
		*o = operation{stands: o.stands, changed: true}
		return
	}
	u.said(lease, o, was, out, sent)
}

// Kept returns the values that the updates of a run met, in the order of its rows.
func (l *Ledger) Kept(ctx context.Context, run int64) iter.Seq2[ledger.Kept, error] {
	return func(yield func(ledger.Kept, error) bool) {
		const many = 1000
		row, record, field := int64(-1), int64(0), ""
		for {
			var page []ledger.Kept
			err := l.query(ctx, "SELECT record, run, number, field, had, has, result, at, moved, became FROM leadload.kept WHERE run = $1 AND (number, record, field) > ($2, $3, $4) ORDER BY number, record, field LIMIT $5",
				[]any{run, row, record, field, int64(many)}, func(rows pgx.Rows) error {
					page = page[:0]
					for rows.Next() {
						var k ledger.Kept
						var number, result, at, moved int64
						var had, has, became []byte
						if err := rows.Scan(&k.Record, &k.Run, &number, &k.Field, &had, &has, &result, &at, &moved, &became); err != nil {
							return err
						}
						k.Moved, k.Became = moved != 0, string(became)
						k.Row, k.Had, k.Has, k.Result, k.At = int(number), string(had), string(has), ledger.Result(result), time.UnixMilli(at).UTC()
						page = append(page, k)
					}
					return nil
				})
			if err != nil {
				yield(ledger.Kept{}, err)
				return
			}
			for _, k := range page {
				if !yield(k, nil) {
					return
				}
				row, record, field = int64(k.Row), k.Record, k.Field
			}
			if len(page) < many {
				return
			}
		}
	}
}

// ownersOf finds the records that have one of the ids, each by itself: the server
// would rather read all records than believe that few have so many ids.
const ownersOf = `SELECT r.id, s.account, r.remote FROM (SELECT DISTINCT x FROM unnest($1::bytea[]) AS t(x)) AS t CROSS JOIN LATERAL (
	SELECT o.id, o.scope, o.remote FROM leadload.records o WHERE o.remote = t.x AND o.fate = 2 AND o.remote <> '' OFFSET 0) AS r JOIN leadload.scopes s ON s.id = r.scope`

func readOwners(rows pgx.Rows, into map[string][]owner) error {
	defer rows.Close()
	for rows.Next() {
		var o owner
		var remote []byte
		if err := rows.Scan(&o.record, &o.account, &remote); err != nil {
			return err
		}
		into[string(remote)] = append(into[string(remote)], o)
	}
	return rows.Err()
}

// Owners returns the records of the account that have one of the ids.
func (l *Ledger) Owners(ctx context.Context, account int64, ids ...string) (map[string]int64, error) {
	list := make([][]byte, len(ids))
	for i, id := range ids {
		list[i] = []byte(id)
	}
	out := map[string]int64{}
	err := l.query(ctx, ownersOf, []any{list}, func(rows pgx.Rows) error {
		found := map[string][]owner{}
		if err := readOwners(rows, found); err != nil {
			return err
		}
		for id, owners := range found {
			for _, o := range owners {
				if o.account == account {
					out[id] = o.record
				}
			}
		}
		return nil
	})
	return out, err
}

// Open returns operations that are in doubt, pending or missing.
func (l *Ledger) Open(ctx context.Context, q ledger.Query) ([]ledger.Operation, error) {
	var out []ledger.Operation
	err := l.query(ctx, `SELECT o.record, o.op, o.state, o.code, s.target, o.sent, o.ended, o.firm, r.resends, r.attempts + o.attempts, CASE WHEN o.lead <> '' THEN o.lead ELSE r.lead END, o.request, r.run, r.number, o.candidates, o.payload
		FROM leadload.operations o JOIN leadload.records r ON r.id = o.record JOIN leadload.scopes s ON s.id = r.scope
		WHERE o.account = $1 AND o.state IN (4, 5, 12) AND o.record > $2 AND ($3 = 0 OR r.run = $3) ORDER BY o.record, o.op LIMIT $4`,
		[]any{q.Account, q.After, q.Run, int64(q.Limit)}, func(rows pgx.Rows) error {
			out = out[:0]
			for rows.Next() {
				var o ledger.Operation
				var op, state int16
				var sent, ended, resends, attempts, number int64
				var code, lead, request, among, payload []byte
				if err := rows.Scan(&o.Record, &op, &state, &code, &o.Target, &sent, &ended, &o.Firm, &resends, &attempts, &lead, &request, &o.Run, &number, &among, &payload); err != nil {
					return err
				}
				o.Op, o.State, o.Sent, o.Resends, o.Attempts = ledger.Op(op), ledger.State(state), time.UnixMilli(sent), int(resends), int(attempts)
				o.Code, o.LeadID, o.RequestID, o.Number, o.Candidates = string(code), string(lead), string(request), int(number), strings.Fields(string(among))
				if ended != 0 {
					o.Ended = time.UnixMilli(ended)
				}
				if len(payload) > 0 {
					if err := o.Payload.Decode(payload); err != nil {
						return &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(l.name), Msg: fmt.Sprintf("what was sent for record %d cannot be read", o.Record), Hint: corruptHint, Err: err}
					}
				}
				out = append(out, o)
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	return out, l.changed(ctx, out)
}

// CountOpen counts an account's operations in doubt, pending and missing.
func (l *Ledger) CountOpen(ctx context.Context, account int64) (n ledger.OpenCount, err error) {
	_, err = l.one(ctx, "SELECT count(*) FILTER (WHERE state = 4), count(*) FILTER (WHERE state = 5), count(*) FILTER (WHERE state = 12) FROM leadload.operations WHERE account = $1 AND state IN (4, 5, 12)",
		[]any{account}, &n.InDoubt, &n.Pending, &n.Missing)
	return n, err
}

// Newest returns the newest loaded records of an account of which it is known
// when they were made.
func (l *Ledger) Newest(ctx context.Context, account int64, prefix string, n int) ([]ledger.KnownRecord, error) {
	var out []ledger.KnownRecord
	// What was sent since then belongs to a run that went on since then, or to none.
	err := l.query(ctx, `SELECT r.remote, r.lead, s.target, r.sent FROM leadload.records r JOIN leadload.scopes s ON s.id = r.scope
		WHERE r.run IN (SELECT id FROM leadload.runs WHERE ended IS NULL OR ended > $3 UNION ALL SELECT 0)
		AND s.account = $1 AND starts_with(s.target, $2) AND r.fate = 2 AND r.lead <> '' AND r.resends = 0 AND NOT r.lost AND r.sent > $3 ORDER BY r.id DESC LIMIT $4`,
		[]any{account, prefix, time.Now().Add(-24 * time.Hour).UnixMilli(), int64(n)}, func(rows pgx.Rows) error {
			out = out[:0]
			for rows.Next() {
				var k ledger.KnownRecord
				var sent int64
				var remote, lead []byte
				if err := rows.Scan(&remote, &lead, &k.Target, &sent); err != nil {
					return err
				}
				k.ID, k.LeadID, k.Sent = string(remote), string(lead), time.UnixMilli(sent)
				out = append(out, k)
			}
			return nil
		})
	return out, err
}

// Adopt writes records that are known to be in the account, or in doubt, from elsewhere.
func (l *Ledger) Adopt(_ context.Context, scope int64, list []ledger.Adopted) (added int64, err error) {
	err = l.write(work{do: func(u *unit) (err error) {
		added, err = u.adopt(scope, list)
		return err
	}})
	return added, err
}

// States counts the records of all accounts by where they stand.
func (l *Ledger) States(ctx context.Context) (map[ledger.State]int64, error) {
	out := map[ledger.State]int64{}
	err := l.query(ctx, "SELECT r.fate, coalesce(o.state, 0), count(*) FROM leadload.records r LEFT JOIN leadload.operations o ON o.record = r.id AND o.op = 0 GROUP BY 1, 2", nil, func(rows pgx.Rows) error {
		clear(out)
		for rows.Next() {
			var fate, state int16
			var n int64
			if err := rows.Scan(&fate, &state, &n); err != nil {
				return err
			}
			out[ledger.StateOf(ledger.Fate(fate), ledger.State(state))] += n
		}
		return nil
	})
	return out, err
}
