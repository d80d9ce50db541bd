package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"leadload/loader/ledger"
)

// mayBecome is the SQL that tests whether an operation's state allows the step
// to another. It tests a bit of a number: for a list of values SQLite makes a
// table each time the statement runs.
var mayBecome = func() (list [ledger.Missing + 1]string) {
	for to := ledger.Ready; to <= ledger.Missing; to++ {
		list[to] = "(1 << operations.state) & " + strconv.FormatInt(ledger.From(ledger.Create, to), 10) + " <> 0"
	}
	return list
}()

// Lease takes the account for one run, and the whole ledger with it: whoever had
// it before is gone. The token keeps out whoever is not gone after all.
func (l *Ledger) Lease(ctx context.Context, account int64, who ledger.Holder) (ledger.Lease, error) {
	if !l.isMine() {
		if err := l.alone(ctx, account); err != nil {
			return ledger.Lease{}, err
		}
		if err := l.begin(ctx); err != nil {
			return ledger.Lease{}, err
		}
	}
	out := ledger.Lease{Account: account}
	now := time.Now().UnixMilli()
	err := l.jot(func(w *writer) error {
		if err := l.usable(ctx); err != nil && !l.closed { // it may have been moved since it was opened
			return err
		}
		return w.row(`INSERT INTO leases (account, token, who, command, since) VALUES (?, 1, ?, ?, ?)
			ON CONFLICT (account) DO UPDATE SET token = token + 1, who = excluded.who, command = excluded.command, since = excluded.since RETURNING token`,
			account, who.Who, who.Command, now).Scan(&out.Token)
	})
	return out, err
}

// Hold returns at once: the lock of this machine outlasts whatever stops the process.
func (l *Ledger) Hold(context.Context, ledger.Lease) error { return nil }

// Fence returns nil, for the reason of Hold.
func (l *Ledger) Fence(ledger.Lease) error { return nil }

// holds returns an error unless the lease is the account's newest.
func (w *writer) holds(lease ledger.Lease) error {
	var token int64
	err := w.row("SELECT token FROM leases WHERE account = ?", lease.Account).Scan(&token)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err != nil || token != lease.Token {
		return ledger.Fenced(w.l.path)
	}
	return nil
}

// refusable runs what may refuse a caller without breaking the ledger: the
// refusal is the caller's, and everybody else's writes are committed.
func refusable(do func(*writer) error, refused *error) func(*writer) error {
	return func(w *writer) error {
		err := do(w)
		if *refused = nil; ledger.Refusal(err) {
			*refused, err = err, nil
		}
		return err
	}
}

// Recover turns what earlier leases left reserved or sending into doubt, and
// takes all that is open over.
func (l *Ledger) Recover(ctx context.Context, lease ledger.Lease) (int64, error) {
	var n int64
	now := time.Now().UnixMilli()
	err := l.jot(func(w *writer) error {
		if err := w.holds(lease); err != nil {
			return err
		}
		const open = " WHERE record IN (SELECT record FROM payloads) AND account = ?2 AND token <> ?1 AND (state > 1 AND state < 6 OR state = 12)"
		var err error
		n, err = w.changes("UPDATE operations SET token = ?1, state = ?3, ended = ?4, code = ?5, msg = ?6, hint = ?7"+open+" AND state IN (2, 3)",
			lease.Token, lease.Account, ledger.InDoubt, now, ledger.CutOffCode, ledger.CutOffMsg, ledger.DoubtHint)
		if err == nil {
			_, err = w.exec("UPDATE operations SET token = ?1"+open, lease.Token, lease.Account)
		}
		return err
	})
	return n, err
}

// An intent stands on a record with the fate that its operation needs. An
// operation that is there already must allow the step.
const (
	intent = `INSERT INTO operations (record, op, account, state, token, call, sent, attempts)
	SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, 1 FROM records WHERE id = ?1 AND (1 << fate) & ?8 <> 0` + intentAgain
	intentAgain = `
	ON CONFLICT (record, op) DO UPDATE SET attempts = CASE state WHEN 2 THEN attempts ELSE 1 END, -- counted when it was reserved
		state = excluded.state, token = excluded.token, call = excluded.call, sent = excluded.sent, ended = NULL, firm = 0, code = NULL, msg = NULL, hint = NULL, candidates = NULL
	WHERE `
)

var intents = map[ledger.State]string{ledger.Reserved: intent + mayBecome[ledger.Reserved], ledger.Sending: intent + mayBecome[ledger.Sending]}

// fates are those that a record may have for an operation on it, as bits.
func fates(op ledger.Op) (bits int64) {
	for f := ledger.Absent; f <= ledger.Matched; f++ {
		if op.On(f) {
			bits |= 1 << f
		}
	}
	return bits
}

// Intend writes down that operations may be sent at any moment, or are being sent.
func (l *Ledger) Intend(ctx context.Context, lease ledger.Lease, to ledger.State, list ...ledger.Intent) error {
	if intents[to] == "" {
		return fmt.Errorf("%w: %s is no intent", ledger.ErrState, to)
	}
	payloads := make([][]byte, len(list))
	for i := range list {
		b, err := list[i].Payload.Encode()
		if err != nil {
			return err
		}
		payloads[i] = b
	}
	if err := l.moved(); err != nil {
		return err
	}
	var fenced, refused error
	err := l.write(refusable(func(w *writer) error {
		refused = nil
		if err := w.holds(lease); err != nil {
			return err
		}
		counted := make([]bool, len(list)) // or refused
		for i, n := 0, 0; i < len(list); i += n {
			n = alikeIntents(list[i:])
			no, err := w.intendSome(lease, to, list[i:i+n], payloads[i:i+n], counted[i:i+n])
			if err != nil {
				return err
			}
			if no != nil {
				refused = no
			}
		}
		calls := int64(0)
		for i := range list {
			if !counted[i] && ledger.OwnCall(list, i) {
				calls++
			}
			if last := i == len(list)-1; calls > 0 && (last || !list[i+1].At.Equal(list[i].At)) {
				if err := w.count(lease.Account, list[i].At, calls); err != nil {
					return err
				}
				calls = 0
			}
		}
		return nil
	}, &fenced))
	return errors.Join(err, fenced, refused)
}

// intendSome writes down intents: together where they can be, or else one by one.
// counted gets which calls were counted before, and those that are refused.
func (w *writer) intendSome(lease ledger.Lease, to ledger.State, list []ledger.Intent, payloads [][]byte, counted []bool) (refused, err error) {
	if len(list) > 1 {
		if done, err := w.intendTogether(lease, to, list, payloads, counted); done || err != nil {
			return nil, err
		}
	}
	for i := range list {
		counted[i], err = w.intend(lease, to, &list[i], payloads[i])
		switch {
		case errors.Is(err, ledger.ErrState):
			refused, counted[i] = err, true
		case err != nil:
			return nil, err
		}
	}
	return refused, nil
}

// intend writes down one intent. counted says that its call was counted when it was
// reserved.
func (w *writer) intend(lease ledger.Lease, to ledger.State, in *ledger.Intent, payload []byte) (counted bool, err error) {
	if to == ledger.Sending {
		from, err := w.state(in.Record, in.Op)
		if err != nil {
			return false, err
		}
		counted = from == ledger.Reserved
	}
	if ledger.Anew(in.Op, in.Payload.Edit) {
		// What the operation before had to say is old news.
		if _, err := w.exec("DELETE FROM operations WHERE record = ? AND op = ? AND (state = 1 OR state > 5)", in.Record, in.Op); err != nil {
			return false, err
		}
	}
	n, err := w.changes(intents[to], in.Record, in.Op, lease.Account, to, lease.Token, in.Call, in.At.UnixMilli(), fates(in.Op))
	if err != nil {
		return false, err
	}
	if n == 0 {
		from, err := w.state(in.Record, in.Op)
		if err != nil {
			return false, err
		}
		return false, ledger.NoStep(in.Op, in.Record, from, to)
	}
	_, err = w.exec("INSERT INTO payloads (record, op, payload) VALUES (?,?,?) ON CONFLICT (record, op) DO UPDATE SET payload = excluded.payload", in.Record, in.Op, payload)
	return counted, err
}

// state returns where an operation stands: that of a record's creation follows
// from its fate where it has ended, others are Ready when there are none.
func (w *writer) state(record int64, op ledger.Op) (ledger.State, error) {
	var fate ledger.Fate
	var state ledger.State
	err := w.row("SELECT r.fate, coalesce(o.state, 0) FROM records r LEFT JOIN operations o ON o.record = r.id AND o.op = ? WHERE r.id = ?", op, record).Scan(&fate, &state)
	return op.Stands(fate, state), err
}

// Settle writes down what became of an operation and returns when it is on disk.
func (l *Ledger) Settle(ctx context.Context, lease ledger.Lease, o ledger.Outcome) error {
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
	t := task{do: refusable(func(w *writer) error { return w.settle(lease, &o) }, &refused)}
	if o.Claims() && !o.Unowned && !o.Words() {
		t.loaded = &loaded{lease, &o}
	}
	l.queue(ledger.Write[task]{What: t, Urgent: urgent, Done: func(err error) {
		if err == nil {
			err = refused
		}
		done(err)
	}})
}

// openOperation is an operation as settle finds it.
type openOperation struct {
	state          ledger.State
	token          int64
	sent, attempts int64
	ended          sql.NullInt64
	lead           any
	there          bool
}

func (w *writer) settle(lease ledger.Lease, o *ledger.Outcome) error {
	var was openOperation
	var fate ledger.Fate
	err := w.row("SELECT r.fate, coalesce(o.state, 0), coalesce(o.token, 0), coalesce(o.sent, 0), coalesce(o.attempts, 0), o.ended, o.lead FROM records r LEFT JOIN operations o ON o.record = r.id AND o.op = ? WHERE r.id = ?",
		o.Op, o.Record).Scan(&fate, &was.state, &was.token, &was.sent, &was.attempts, &was.ended, &was.lead)
	if err != nil {
		return err
	}
	was.there = was.state != 0
	var refused error
	was.state, refused = o.From(fate, o.Op.Stands(fate, was.state))
	if refused != nil || !was.state.Open() || was.token != lease.Token {
		// Whoever lost the lease hears that first: the states are another's now.
		if err := w.holds(lease); err != nil {
			return err
		}
	}
	if refused != nil {
		return refused
	}
	if o.Unowned || o.Claims() {
		owned, err := w.owned(lease.Account, o)
		switch {
		case err != nil:
			return err
		case owned && o.Unowned:
			return ledger.ErrOwned
		case owned:
			doubt := ledger.Borrowed(*o)
			if err := w.stay(&was, &doubt); err != nil {
				return err
			}
			return ledger.ErrBorrowed
		}
	}
	if o.State.Open() {
		return w.stay(&was, o)
	}
	if o.Op == ledger.Update {
		return w.endUpdate(lease, &was, o)
	}
	if o.Op == ledger.Delete {
		return w.endDelete(lease, &was, o)
	}
	return w.end(lease, &was, o)
}

// stay writes down that a call's fate stays open. What was sent is still needed.
func (w *writer) stay(was *openOperation, o *ledger.Outcome) error {
	var ended any
	if o.State == ledger.Missing {
		if err := w.missing(was, o); err != nil {
			return err
		}
	}
	if o.State == ledger.InDoubt && (was.state == ledger.Sending || was.state == ledger.Reserved) {
		ended = time.Now().UnixMilli() // the call has ended now, or before
	}
	var lead any
	if o.LeadID != "" {
		lead = idBytes(o.LeadID)
	}
	_, err := w.exec("UPDATE operations SET state = ?, ended = coalesce(?, ended), lead = coalesce(?, lead), request = coalesce(?, request), code = ?, msg = ?, hint = ?, candidates = ? WHERE record = ? AND op = ?",
		o.State, ended, lead, null(o.RequestID), null(o.Code), null(o.Msg), null(o.Hint), null(strings.Join(o.Candidates, " ")), o.Record, o.Op)
	if err != nil || o.Payload == nil {
		return err
	}
	payload, err := o.Payload.Encode()
	if err != nil {
		return err
	}
	_, err = w.exec("UPDATE payloads SET payload = ? WHERE record = ? AND op = ?", payload, o.Record, o.Op)
	return err
}

// missing takes the calls of an operation into account, before what was sent is sent
// again: those that a look-up did not find were sends of the row, others never left.
func (w *writer) missing(was *openOperation, o *ledger.Outcome) error {
	if was.state == ledger.InDoubt {
		if _, err := w.exec("UPDATE records SET attempts = attempts + ?, resends = resends + 1, sent = ? WHERE id = ?", was.attempts, was.sent, o.Record); err != nil {
			return err
		}
	}
	_, err := w.exec("UPDATE operations SET attempts = 0 WHERE record = ? AND op = ?", o.Record, o.Op)
	return err
}

// end writes down that a call's fate is known. The record takes it over, and
// the operation goes unless it has something to say.
func (w *writer) end(lease ledger.Lease, was *openOperation, o *ledger.Outcome) error {
	resent, attempts, sent := int64(0), was.attempts, was.sent
	switch {
	case !was.state.Open():
		attempts, sent = 0, neverSent // no call was made
	case o.State == ledger.Ready && was.state == ledger.InDoubt:
		resent = 1
	case o.State == ledger.Ready:
		attempts = 0 // it never arrived: no attempt of the row's own
	}
	var err error
	if o.State.Ended() {
		err = w.arrive(was, o, attempts, sent)
	} else if was.state.Open() {
		_, err = w.exec("UPDATE records SET attempts = attempts + ?, resends = CASE WHEN ? THEN 0 ELSE resends + ? END, sent = ? WHERE id = ?", attempts, o.Answers(was.state), resent, sent, o.Record)
	}
	if err != nil {
		return err
	}
	if was.state.Open() {
		if _, err := w.exec("DELETE FROM payloads WHERE record = ? AND op = ?", o.Record, o.Op); err != nil {
			return err
		}
	}
	if !o.Words() && o.State != ledger.Rejected {
		if was.there {
			_, err = w.exec("DELETE FROM operations WHERE record = ? AND op = ?", o.Record, o.Op)
		}
		return err
	}
	var lead any
	if o.LeadID != "" {
		lead = idBytes(o.LeadID)
	}
	_, err = w.exec(`INSERT INTO operations (record, op, account, state, token, call, sent, attempts, lead, code, msg, hint) VALUES (?,?,?,?,?,0,?,0,?,?,?,?)
		ON CONFLICT (record, op) DO UPDATE SET state = excluded.state, attempts = 0, ended = NULL, lead = coalesce(excluded.lead, lead), request = NULL, candidates = NULL, code = excluded.code, msg = excluded.msg, hint = excluded.hint`,
		o.Record, o.Op, lease.Account, o.State, lease.Token, sent, lead, null(o.Code), null(o.Msg), null(o.Hint))
	return err
}

// arrive writes into its record that a row is in the account.
func (w *writer) arrive(was *openOperation, o *ledger.Outcome, attempts, sent int64) error {
	lead := was.lead
	if o.LeadID != "" {
		lead = idBytes(o.LeadID)
	}
	_, err := w.exec("UPDATE records SET fate = ?, remote = CASE WHEN ?2 = ?3 THEN remote ELSE ?2 END, lead = coalesce(?4, lead), attempts = attempts + ?, lost = ?, sent = ? WHERE id = ?",
		o.Op.After(o.State), idBytes(o.ID), none, lead, attempts, was.ended.Valid, sent, o.Record)
	return err
}

// endUpdate writes down how far an update came. The record stays what it was:
// its prints become those of what the account has now. The operation stays as
// well, since it is all that says what became of the row.
func (w *writer) endUpdate(lease ledger.Lease, was *openOperation, o *ledger.Outcome) error {
	attempts, sent := was.attempts, was.sent
	switch {
	case !was.state.Open():
		attempts, sent = 0, neverSent
	case o.State == ledger.Ready && o.Edit == nil:
		attempts = 0 // it never arrived
	}
	if attempts != 0 {
		if _, err := w.exec("UPDATE records SET attempts = attempts + ? WHERE id = ?", attempts, o.Record); err != nil {
			return err
		}
	}
	if o.Edit != nil {
		if err := w.edited(lease, o); err != nil {
			return err
		}
		if err := w.offered(o); err != nil {
			return err
		}
	}
	return w.conclude(lease, was, o, sent, "")
}

// endDelete writes down that the fate of a deletion is known. What ended well
// leaves the record as one that was never sent: nothing of its former calls may
// make it look loaded. The operation keeps the id that it had.
func (w *writer) endDelete(lease ledger.Lease, was *openOperation, o *ledger.Outcome) error {
	var had any
	if o.State == ledger.Loaded {
		if err := w.row("SELECT remote FROM records WHERE id = ?", o.Record).Scan(&had); err != nil {
			return err
		}
		for _, text := range []string{
			"DELETE FROM operations WHERE record = ? AND op <> 2",
			"DELETE FROM payloads WHERE record = ? AND op <> 2",
			"DELETE FROM offers WHERE record = ?",
		} {
			if _, err := w.exec(text, o.Record); err != nil {
				return err
			}
		}
		if _, err := w.exec("UPDATE records SET fate = ?, remote = ? WHERE id = ?", o.Op.After(o.State), none, o.Record); err != nil {
			return err
		}
	}
	sent := was.sent
	if !was.there {
		sent = neverSent
	}
	return w.conclude(lease, was, o, sent, idText(had))
}

// conclude drops what was sent, and keeps an operation that ended with what it
// has to say. candidates is what stands in their place afterwards.
func (w *writer) conclude(lease ledger.Lease, was *openOperation, o *ledger.Outcome, sent int64, candidates string) error {
	if was.state.Open() {
		if _, err := w.exec("DELETE FROM payloads WHERE record = ? AND op = ?", o.Record, o.Op); err != nil {
			return err
		}
	}
	if o.State == ledger.Ready && !o.Words() {
		_, err := w.exec("DELETE FROM operations WHERE record = ? AND op = ?", o.Record, o.Op)
		return err
	}
	_, err := w.exec(`INSERT INTO operations (record, op, account, state, token, call, sent, attempts, code, msg, hint, candidates) VALUES (?,?,?,?,?,0,?,0,?,?,?,?)
		ON CONFLICT (record, op) DO UPDATE SET state = excluded.state, attempts = 0, ended = NULL, request = NULL, candidates = excluded.candidates, code = excluded.code, msg = excluded.msg, hint = excluded.hint`,
		o.Record, o.Op, lease.Account, o.State, lease.Token, sent, null(o.Code), null(o.Msg), null(o.Hint), null(candidates))
	return err
}

// edited takes over what an update has written, and keeps the values that it met.
func (w *writer) edited(lease ledger.Lease, o *ledger.Outcome) error {
	d := o.Edit.Digest()
	var run int64
	if err := w.row("SELECT run FROM records WHERE id = ?", o.Record).Scan(&run); err != nil {
		return err
	}
	shape, err := w.shape(d.Names, run)
	if err != nil {
		return err
	}
	if _, err := w.exec("UPDATE records SET shape = ?, prints = ?, body = ? WHERE id = ?", shape, d.Prints, d.Body[:ledger.BodySize], o.Record); err != nil {
		return err
	}
	for _, b := range o.Edit.Baselines() {
		if err := w.baseline(lease.Account, &b); err != nil {
			return err
		}
	}
	now := time.Now()
	for _, k := range o.Edit.Kept(o.State) {
		if k.At.IsZero() {
			k.At = now
		}
		if _, err := w.exec(`INSERT INTO kept (record, run, row, field, had, has, result, at) SELECT id, run, row, ?2, ?3, ?4, ?5, ?6 FROM records WHERE id = ?1
			ON CONFLICT (run, record, field) DO UPDATE SET had = CASE WHEN result = ?7 THEN had ELSE excluded.had END, has = excluded.has, result = excluded.result, at = excluded.at`,
			o.Record, k.Field, k.Had, k.Has, k.Result, k.At.UnixMilli(), ledger.ResultUpdated); err != nil {
			return err
		}
	}
	return nil
}

// Kept returns the values that the updates of a run met, in the order of its rows.
func (l *Ledger) Kept(ctx context.Context, run int64) iter.Seq2[ledger.Kept, error] {
	return func(yield func(ledger.Kept, error) bool) {
		const many = 1000
		row, record, field := -1, int64(0), ""
		for {
			page, err := l.keptAfter(ctx, run, row, record, field, many)
			if err != nil {
				yield(ledger.Kept{}, l.fault(err))
				return
			}
			for _, k := range page {
				if !yield(k, nil) {
					return
				}
				row, record, field = k.Row, k.Record, k.Field
			}
			if len(page) < many {
				return
			}
		}
	}
}

func (l *Ledger) keptAfter(ctx context.Context, run int64, row int, record int64, field string, n int) ([]ledger.Kept, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT record, run, row, field, had, has, result, at, moved, became FROM kept WHERE run = ?1 AND (row, record, field) > (?2, ?3, ?4) ORDER BY row, record, field LIMIT ?5", run, row, record, field, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []ledger.Kept
	for rows.Next() {
		var k ledger.Kept
		var at int64
		if err := rows.Scan(&k.Record, &k.Run, &k.Row, &k.Field, &k.Had, &k.Has, &k.Result, &at, &k.Moved, &k.Became); err != nil {
			return nil, err
		}
		k.At = time.UnixMilli(at).UTC()
		out = append(out, k)
	}
	return out, rows.Err()
}

// ownerOf finds the record of an account that has an id: by the first bytes, then by all.
const ownerOf = "SELECT r.id FROM records r JOIN scopes s ON s.id = r.scope WHERE substr(r.remote, 1, 6) = substr(?1, 1, 6) AND r.fate = 2 AND r.remote = ?1 AND s.account = ?2"

// Owners returns the records of the account that have one of the ids.
func (l *Ledger) Owners(ctx context.Context, account int64, ids ...string) (map[string]int64, error) {
	out := map[string]int64{}
	stmt, err := l.prepared(ctx, ownerOf)
	if err != nil {
		return nil, l.fault(err)
	}
	for _, id := range ids {
		var record int64
		err := stmt.QueryRowContext(ctx, idBytes(id), account).Scan(&record)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, l.fault(err)
		}
		out[id] = record
	}
	return out, nil
}

// Open returns operations that are in doubt, pending or missing. An operation is open
// as long as its payload is there, of which few are at any time.
func (l *Ledger) Open(ctx context.Context, q ledger.Query) ([]ledger.Operation, error) {
	rows, err := l.db.QueryContext(ctx, `
SELECT o.record, o.op, o.state, coalesce(o.code, ''), s.target, o.sent, coalesce(o.ended, 0), o.firm, r.resends, r.attempts + o.attempts, coalesce(o.lead, r.lead), coalesce(o.request, ''), r.run, r.row, coalesce(o.candidates, ''), p.payload
FROM payloads p CROSS JOIN operations o ON o.record = p.record AND o.op = p.op JOIN records r ON r.id = o.record JOIN scopes s ON s.id = r.scope
WHERE p.record > ?2 AND o.account = ?1 AND o.state IN (4, 5, 12) AND (?3 = 0 OR r.run = ?3) ORDER BY p.record, p.op LIMIT ?4`, q.Account, q.After, q.Run, q.Limit)
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	var out []ledger.Operation
	for rows.Next() {
		var o ledger.Operation
		var sent, ended int64
		var lead any
		var payload []byte
		var candidates string
		if err := rows.Scan(&o.Record, &o.Op, &o.State, &o.Code, &o.Target, &sent, &ended, &o.Firm, &o.Resends, &o.Attempts, &lead, &o.RequestID, &o.Run, &o.Number, &candidates, &payload); err != nil {
			return nil, l.fault(err)
		}
		o.Candidates = strings.Fields(candidates)
		o.Sent, o.LeadID = time.UnixMilli(sent), idText(lead)
		if ended != 0 {
			o.Ended = time.UnixMilli(ended)
		}
		if len(payload) > 0 {
			if err := o.Payload.Decode(payload); err != nil {
				return nil, &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(l.path), Msg: fmt.Sprintf("what was sent for record %d cannot be read", o.Record), Hint: corruptHint, Err: err}
			}
		}
		out = append(out, o)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, l.fault(err)
	}
	return out, l.changed(ctx, out)
}

// changed marks operations whose rows the file has with other values by now.
func (l *Ledger) changed(ctx context.Context, list []ledger.Operation) error {
	var c chunkReader
	for i := range list {
		o := &list[i]
		row, ok, err := c.row(ctx, l, o.Run, o.Number)
		if err != nil {
			return err
		}
		o.Changed = ok && row.Record == o.Record && row.Code == "row.changed"
	}
	return nil
}

// CountOpen counts an account's operations in doubt, pending and missing.
func (l *Ledger) CountOpen(ctx context.Context, account int64) (n ledger.OpenCount, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT coalesce(sum(o.state = ?), 0), coalesce(sum(o.state = ?), 0), coalesce(sum(o.state = ?), 0)
		FROM payloads p CROSS JOIN operations o ON o.record = p.record AND o.op = p.op WHERE o.account = ?`,
		ledger.InDoubt, ledger.Pending, ledger.Missing, account).Scan(&n.InDoubt, &n.Pending, &n.Missing)
	return n, l.fault(err)
}

// Newest returns the newest loaded records of an account of which it is known
// when they were made.
func (l *Ledger) Newest(ctx context.Context, account int64, prefix string, n int) ([]ledger.KnownRecord, error) {
	rows, err := l.db.QueryContext(ctx, `
SELECT r.remote, r.lead, s.target, r.sent FROM records r JOIN scopes s ON s.id = r.scope
WHERE s.account = ? AND s.target LIKE ? || '%' AND r.fate = 2 AND r.lead <> ? AND r.resends = 0 AND r.lost = 0 AND r.sent > ? ORDER BY r.id DESC LIMIT ?`,
		account, prefix, none, time.Now().Add(-24*time.Hour).UnixMilli(), n)
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	var out []ledger.KnownRecord
	for rows.Next() {
		var k ledger.KnownRecord
		var sent int64
		var remote, lead any
		if err := rows.Scan(&remote, &lead, &k.Target, &sent); err != nil {
			return nil, l.fault(err)
		}
		k.ID, k.LeadID, k.Sent = idText(remote), idText(lead), time.UnixMilli(sent)
		out = append(out, k)
	}
	return out, l.fault(rows.Err())
}

// Adopt writes records that are known to be in the account, or in doubt, from elsewhere.
func (l *Ledger) Adopt(ctx context.Context, scope int64, list []ledger.Adopted) (added int64, err error) {
	err = l.write(func(w *writer) error {
		added = 0
		shapes := shaper{w: w}
		for i := range list {
			done, err := w.adopt(&shapes, scope, &list[i])
			if err != nil {
				return err
			}
			if done {
				added++
			}
		}
		return nil
	})
	return added, err
}

// adopt writes one record, unless the ledger knows where it stands.
func (w *writer) adopt(shapes *shaper, scope int64, a *ledger.Adopted) (bool, error) {
	e := &a.Entry
	shape, err := shapes.of(e.Digest.Names)
	if err != nil {
		return false, err
	}
	e.Record, err = w.find(scope, &e.Ident)
	if err != nil {
		return false, err
	}
	if e.Record == 0 {
		if err := w.insert(shapes, 0, scope, []*ledger.Entry{e}); err != nil {
			return false, err
		}
	} else {
		state, err := w.state(e.Record, ledger.Create)
		if err != nil || !a.Takes(state) {
			return false, err
		}
		for _, table := range []string{"operations", "payloads"} {
			if _, err := w.exec("DELETE FROM "+table+" WHERE record = ? AND op = 0", e.Record); err != nil {
				return false, err
			}
		}
	}
	fate, sent := ledger.Absent, int64(neverSent)
	if a.State.Ended() {
		fate = ledger.Create.After(a.State)
	}
	if !a.Sent.IsZero() {
		sent = a.Sent.UnixMilli()
	}
	if _, err := w.exec("UPDATE records SET fate = ?, body = ?, shape = ?, prints = ?, remote = ?, lead = ?, attempts = max(attempts, ?), sent = ? WHERE id = ?",
		fate, e.Digest.Body[:ledger.BodySize], shape, e.Digest.Prints, idBytes(a.ID), idBytes(a.LeadID), a.State.Ended(), sent, e.Record); err != nil {
		return false, err
	}
	if a.State != ledger.InDoubt {
		return true, nil
	}
	payload, err := a.Payload.Encode()
	if err != nil {
		return false, err
	}
	if _, err := w.exec("INSERT INTO operations (record, op, account, state, token, call, sent, attempts, code, msg, hint, candidates) SELECT ?, 0, account, ?, 0, 0, ?, 1, ?, ?, ?, ? FROM scopes WHERE id = ?",
		e.Record, ledger.InDoubt, sent, ledger.CutOffCode, cmp.Or(a.Why, "it was in doubt in the results file that the ledger was rebuilt from"), ledger.DoubtHint, null(strings.Join(a.Candidates, " ")), scope); err != nil {
		return false, err
	}
	_, err = w.exec("INSERT INTO payloads (record, op, payload) VALUES (?, 0, ?)", e.Record, payload)
	return true, err
}

// find returns the number of the record that an identity names; 0 when there is none.
func (w *writer) find(scope int64, ident *ledger.Ident) (int64, error) {
	for hash := hashOf(scope, ident); ; hash++ {
		var id, in int64
		var tail []byte
		err := w.row("SELECT id, scope, tail FROM records WHERE hash = ?", hash).Scan(&id, &in, &tail)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return 0, nil
		case err != nil:
			return 0, err
		case in == scope && names(tail, ident):
			return id, nil
		}
	}
}

// States counts the records of all accounts by where they stand.
func (l *Ledger) States(ctx context.Context) (map[ledger.State]int64, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT r.fate, coalesce(o.state, 0), count(*) FROM records r LEFT JOIN operations o ON o.record = r.id AND o.op = 0 GROUP BY 1, 2")
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	out := map[ledger.State]int64{}
	for rows.Next() {
		var f ledger.Fate
		var s ledger.State
		var n int64
		if err := rows.Scan(&f, &s, &n); err != nil {
			return nil, l.fault(err)
		}
		out[ledger.StateOf(f, s)] += n
	}
	return out, l.fault(rows.Err())
}
