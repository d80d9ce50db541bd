package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Payload is what was sent for a record, kept while its fate is open so that
// it can be looked for in the account, and sent again when it is not there.
type Payload struct {
	Target    string   `json:"t"`           // opportunity, opportunity-async, sales-activity
	Body      string   `json:"b"`           // the request body
	LeadField string   `json:"f,omitempty"` // what its lead is found by
	LeadValue string   `json:"v,omitempty"`
	LeadText  string   `json:"w,omitempty"` // LeadValue as an attribute of the lead has it, for a lead that may be made
	Lead      string   `json:"l,omitempty"` // names the lead for the order of sending
	KeyFields []string `json:"k,omitempty"` // fields whose values alone identify the record
	Find      bool     `json:"d,omitempty"` // the lead's id is found by LeadField and put into Body
	MustExist bool     `json:"m,omitempty"` // the lead must be there before the call
	IfMissing string   `json:"i,omitempty"` // the lead rule of the mapping
	IfMany    string   `json:"n,omitempty"`
}

// Intent says that a record is about to be sent.
type Intent struct {
	Record  int64
	Account int64
	At      time.Time
	Payload Payload
}

// Outcome says what became of a record.
type Outcome struct {
	Record          int64
	State           State // Ready (certainly not applied), InDoubt, Pending, Loaded, Duplicate or Rejected
	ID              string
	LeadID          string
	RequestID       string
	Code, Msg, Hint string
	Candidates      []string
}

// ErrState says that a record is not in a state from which the step is
// allowed: a row is never sent while its fate is open.
var ErrState = errors.New("the record is not in a state that allows this step")

// step is the life of a record: from which states a state may be reached.
// Anything else is refused, so that no fault elsewhere can send a row twice
// or forget one that was sent.
func step(from, to State) bool {
	switch to {
	case Reserved:
		return from == Ready
	case Sending:
		return from == Ready || from == Reserved
	case Ready:
		// from InDoubt only after a look-up that found nothing, or a reserved row that never left
		return from == Reserved || from == Sending || from == InDoubt || from == Rejected || from == Ready
	case InDoubt:
		return from == Reserved || from == Sending || from == InDoubt || from == Pending
	case Pending:
		return from == Sending || from == Reserved || from == Pending
	case Loaded, Duplicate:
		return from == Sending || from == Reserved || from == InDoubt || from == Pending
	case Rejected: // from Ready when its lead was looked up and not found
		return from == Ready || from == Sending || from == Reserved || from == InDoubt || from == Pending
	}
	return false
}

// mayBecome is the SQL that tests whether a record's state allows the step to
// another. It tests a bit of a number: for a list of values SQLite makes a table each
// time the statement runs, which takes as long as the update itself.
var mayBecome = func() (list [Rejected + 1]string) {
	for to := Ready; to <= Rejected; to++ {
		from := 0
		for s := Ready; s <= Rejected; s++ {
			if step(s, to) {
				from |= 1 << s
			}
		}
		list[to] = "(1 << state) & " + strconv.Itoa(from) + " <> 0"
	}
	return list
}()

// Reserve writes down that rows may be sent at any moment. It returns when
// all intents are on disk.
func (l *Ledger) Reserve(ctx context.Context, intents []Intent) error {
	return l.intend(intents, Reserved)
}

// Sending writes down that one row is being sent and counts its call. It
// returns when the intent is on disk; only then may the request leave.
func (l *Ledger) Sending(ctx context.Context, in Intent) error {
	return l.intend([]Intent{in}, Sending)
}

func (l *Ledger) intend(intents []Intent, to State) error {
	payloads := make([][]byte, len(intents))
	for i := range intents {
		b, err := json.Marshal(intents[i].Payload)
		if err != nil {
			return err
		}
		payloads[i] = b
	}
	var refused error
	err := l.write(func(w *writer) error {
		refused = nil
		if to == Reserved {
			var err error
			refused, err = w.reserve(intents, payloads)
			return err
		}
		for i, in := range intents {
			from, err := w.state(in.Record)
			if err != nil {
				return err
			}
			if !step(from, to) {
				refused = fmt.Errorf("%w: record %d is %s, not to be %s", ErrState, in.Record, from, to)
				continue
			}
			attempt := 1
			if from == Reserved {
				attempt = 0 // counted when it was reserved
			}
			if _, err := w.exec("UPDATE records SET state = ?, payload = ?, sent = ?, ended = NULL, attempts = attempts + ?, code = NULL, msg = NULL, hint = NULL, candidates = NULL WHERE id = ?",
				to, payloads[i], in.At.UnixMilli(), attempt, in.Record); err != nil {
				return err
			}
			if attempt > 0 {
				if err := w.count(in.Account, in.At, 1); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return refused
}

// reserve is intend for a chunk of rows, one statement each: the state is
// tested by the statement that changes it, and the calls are counted together.
func (w *writer) reserve(intents []Intent, payloads [][]byte) (refused, err error) {
	calls := int64(0)
	for i, in := range intents {
		res, err := w.exec("UPDATE records SET state = ?, payload = ?, sent = ?, ended = NULL, attempts = attempts + 1, code = NULL, msg = NULL, hint = NULL, candidates = NULL WHERE id = ? AND "+mayBecome[Reserved],
			Reserved, payloads[i], in.At.UnixMilli(), in.Record)
		if err != nil {
			return refused, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return refused, err
		}
		if n == 0 {
			if refused, err = w.refuse(in.Record, Reserved); err != nil {
				return refused, err
			}
		}
		calls += n
		if last := i == len(intents)-1; calls > 0 && (last || intents[i+1].Account != in.Account || !intents[i+1].At.Equal(in.At)) {
			if err := w.count(in.Account, in.At, calls); err != nil {
				return refused, err
			}
			calls = 0
		}
	}
	return refused, nil
}

// refuse is the error for a record that is not in a state from which to may be reached.
func (w *writer) refuse(record int64, to State) (refused, err error) {
	from, err := w.state(record)
	if err != nil {
		return nil, err
	}
	return fmt.Errorf("%w: record %d is %s, not to be %s", ErrState, record, from, to), nil
}

func (w *writer) state(record int64) (State, error) {
	var s State
	err := w.row("SELECT state FROM records WHERE id = ?", record).Scan(&s)
	return s, err
}

// Settle writes down what became of a record and returns when it is on disk.
func (l *Ledger) Settle(ctx context.Context, o Outcome) error {
	ch := make(chan error, 1)
	l.settleSoon(o, true, func(err error) { ch <- err })
	return <-ch
}

// SettleLater queues an outcome and calls done when it is on disk, which may
// take some milliseconds longer than Settle while many come. done must not
// wait for the ledger.
func (l *Ledger) SettleLater(o Outcome, done func(error)) { l.settleSoon(o, false, done) }

func (l *Ledger) settleSoon(o Outcome, urgent bool, done func(error)) {
	var refused error
	l.enqueue(op{do: func(w *writer) error {
		refused = nil
		err := w.settle(o)
		if errors.Is(err, ErrState) {
			refused, err = err, nil
		}
		return err
	}, done: func(err error) {
		if err == nil {
			err = refused
		}
		done(err)
	}, urgent: urgent})
}

func (w *writer) settle(o Outcome) error {
	q := "UPDATE records SET state = ?, remote = coalesce(?, remote), lead = coalesce(?, lead), request = coalesce(?, request), code = ?, msg = ?, hint = ?, candidates = ?"
	args := [...]any{o.State, null(o.ID), null(o.LeadID), null(o.RequestID), null(o.Code), null(o.Msg), null(o.Hint), null(strings.Join(o.Candidates, " ")), o.Record, nil}
	if o.State == Loaded || o.State == Duplicate || o.State == Rejected {
		// As most rows end: what is written does not hang on the state before, which
		// the statement itself tests.
		res, err := w.exec(q+", payload = NULL WHERE id = ? AND "+mayBecome[o.State], args[:9]...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		refused, err := w.refuse(o.Record, o.State)
		return errors.Join(err, refused)
	}
	from, err := w.state(o.Record)
	if err != nil {
		return err
	}
	if !step(from, o.State) {
		return fmt.Errorf("%w: record %d is %s, not to be %s", ErrState, o.Record, from, o.State)
	}
	n := 9
	switch o.State {
	case InDoubt:
		// What was sent is still needed. The call has ended now, or before.
		q += ", ended = coalesce(?10, ended)"
		if n = 10; from == Sending || from == Reserved {
			args[9] = time.Now().UnixMilli()
		}
	case Pending:
		// what was sent is still needed
	case Ready:
		q += ", payload = NULL, request = NULL, ended = NULL"
		if from == InDoubt {
			q += ", resends = resends + 1"
		} else {
			q += ", attempts = max(attempts - 1, 0)" // it never arrived: no attempt of the row's own
		}
	}
	_, err = w.exec(q+" WHERE id = ?9", args[:n]...)
	return err
}

// ErrOwned says that a record of the account belongs to another row.
var ErrOwned = errors.New("another row of the ledger has this id")

// Claim makes a doubtful record Loaded under an id that no other record of
// the account has; it is ErrOwned otherwise.
func (l *Ledger) Claim(ctx context.Context, account int64, o Outcome) error {
	var refused error
	err := l.write(func(w *writer) error {
		refused = nil
		var owner int64
		err := w.row("SELECT c.id FROM records c JOIN scopes s ON s.id = c.scope WHERE c.remote = ? AND s.account = ? AND c.id <> ? AND c.state = ?", o.ID, account, o.Record, Loaded).Scan(&owner)
		switch {
		case err == nil:
			refused = ErrOwned
			return nil
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		o.State = Loaded
		err = w.settle(o)
		if errors.Is(err, ErrState) {
			refused, err = err, nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return refused
}

// Owned reports whether a row of the account has the id.
func (l *Ledger) Owned(ctx context.Context, account int64, id string) (bool, error) {
	var n int
	err := l.db.QueryRowContext(ctx, "SELECT count(*) FROM records c JOIN scopes s ON s.id = c.scope WHERE c.remote = ? AND s.account = ? AND c.state = ?", id, account, Loaded).Scan(&n)
	return n > 0, l.fault(err)
}

// Recover turns what a run that was cut off left behind into doubt: rows
// reserved or sending may or may not be in the account. It is called while the
// account's lock is held, when no other run can be sending. It gives their number.
func (l *Ledger) Recover(ctx context.Context, account int64) (int64, error) {
	var n int64
	err := l.jot(func(w *writer) error {
		r, err := w.exec(`UPDATE records SET state = ?, ended = ?, code = 'doubt.cut-off', msg = 'the run was cut off while this row was being sent', hint = ?
			WHERE scope IN (SELECT id FROM scopes WHERE account = ?) AND state IN (?, ?) AND state > 1 AND state < 6`, InDoubt, time.Now().UnixMilli(), DoubtHint, account, Reserved, Sending)
		if err != nil {
			return err
		}
		n, err = r.RowsAffected()
		return err
	})
	return n, err
}

// DoubtHint is what to do about a row in doubt.
const DoubtHint = "the account may have it; run leadload settle, which looks before anything is sent again"

// OpenRecord is a record whose fate is open.
type OpenRecord struct {
	Record    int64
	State     State // InDoubt or Pending
	Target    string
	Sent      time.Time // when its call began, or was about to
	Ended     time.Time // when its call had ended, at the latest; zero: not known
	Changed   bool      // the file has other values for it by now
	Resends   int
	Attempts  int
	LeadID    string
	RequestID string
	Run       int64
	Number    int // the row in the run that last planned it
	Payload   Payload
}

// OpenRecords gives the records of an account that are in doubt or pending,
// oldest first, at most n of them with a number above after. With run not 0,
// only those that the run planned.
func (l *Ledger) OpenRecords(ctx context.Context, account, run, after int64, n int) ([]OpenRecord, error) {
	rows, err := l.db.QueryContext(ctx, `
SELECT c.id, c.state, s.target, coalesce(c.sent, 0), coalesce(c.ended, 0), c.resends, c.attempts, coalesce(c.lead, ''), coalesce(c.request, ''), c.run, c.row, c.payload,
	coalesce(x.record = c.id AND x.code = 'row.changed', 0)
FROM records c JOIN scopes s ON s.id = c.scope LEFT JOIN run_rows x ON x.run = c.run AND x.n = c.row
WHERE s.account = ?1 AND c.state IN (4, 5) AND c.state > 1 AND c.state < 6 AND c.id > ?2 AND (?3 = 0 OR c.run = ?3) ORDER BY c.id LIMIT ?4`, account, after, run, n)
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	var out []OpenRecord
	for rows.Next() {
		var r OpenRecord
		var sent, ended int64
		var payload []byte
		if err := rows.Scan(&r.Record, &r.State, &r.Target, &sent, &ended, &r.Resends, &r.Attempts, &r.LeadID, &r.RequestID, &r.Run, &r.Number, &payload, &r.Changed); err != nil {
			return nil, l.fault(err)
		}
		r.Sent = time.UnixMilli(sent)
		if ended != 0 {
			r.Ended = time.UnixMilli(ended)
		}
		if len(payload) > 0 {
			if err := json.Unmarshal(payload, &r.Payload); err != nil {
				return nil, &Error{Code: "ledger.corrupt", Path: l.path, Msg: fmt.Sprintf("what was sent for record %d cannot be read", r.Record), Hint: corruptHint, Err: err}
			}
		}
		out = append(out, r)
	}
	return out, l.fault(rows.Err())
}

// CountOpen counts an account's records in doubt and pending.
func (l *Ledger) CountOpen(ctx context.Context, account int64) (inDoubt, pending int64, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT coalesce(sum(c.state = 4), 0), coalesce(sum(c.state = 5), 0) FROM records c JOIN scopes s ON s.id = c.scope
		WHERE s.account = ? AND c.state IN (4, 5) AND c.state > 1 AND c.state < 6`, account).Scan(&inDoubt, &pending)
	return inDoubt, pending, l.fault(err)
}

// KnownRecord is a loaded record of which it is known when it was sent.
type KnownRecord struct {
	ID, LeadID string
	Target     string // of its scope
	Sent       time.Time
}

// LastLoaded gives the newest loaded records of an account whose target begins with
// prefix and whose lead is known, at most n, of the last day. Those whose answer was
// lost are left out: when they were made is not known.
func (l *Ledger) LastLoaded(ctx context.Context, account int64, prefix string, n int) ([]KnownRecord, error) {
	rows, err := l.db.QueryContext(ctx, `
SELECT c.remote, c.lead, s.target, c.sent FROM records c JOIN scopes s ON s.id = c.scope
WHERE s.account = ? AND s.target LIKE ? || '%' AND c.state = 6 AND c.lead IS NOT NULL AND c.resends = 0 AND c.ended IS NULL AND c.sent > ? ORDER BY c.id DESC LIMIT ?`,
		account, prefix, time.Now().Add(-24*time.Hour).UnixMilli(), n)
	if err != nil {
		return nil, l.fault(err)
	}
	defer rows.Close()
	var out []KnownRecord
	for rows.Next() {
		var k KnownRecord
		var sent int64
		if err := rows.Scan(&k.ID, &k.LeadID, &k.Target, &sent); err != nil {
			return nil, l.fault(err)
		}
		k.Sent = time.UnixMilli(sent)
		out = append(out, k)
	}
	return out, l.fault(rows.Err())
}
