package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

// unit is one transaction. It reads all that its works need in one go, lets
// them change it here one after another, and writes what changed in a few
// statements, however many rows there are. What needs no answer goes with the
// next statement that does, at the latest with the COMMIT.
type unit struct {
	l    *Ledger
	ctx  context.Context
	conn *pgx.Conn
	next turn
	head int // statements of the next turn that only begin the transaction

	tokens  map[int64]int64 // of accounts' leases
	records map[int64]*record
	ops     map[opKey]*operation
	owned   map[string][]owner // by the account's id of the record
	days    map[dayKey]int64
	kept    []keptRow
	offers  map[int64]*offer // nil: it is to go
	// baselines are to be written down, the last word about each.
	baselines map[baselineKey]ledger.Baseline
	made      map[int64]string // hashes of mappings, by runs
	ids       map[string]int64 // of shapes
}

type opKey struct {
	record int64
	op     ledger.Op
}

type dayKey struct {
	account int64
	day     string
}

type owner struct{ record, account int64 }

// record is a record as it stands, with what the unit has changed of it.
type record struct {
	account  int64
	fate     ledger.Fate
	remote   string
	lead     string
	attempts int64
	resends  int64
	sent     int64
	lost     bool
	run, row int64
	changed  bool
	digest   *ledger.Digest // to be taken over
}

// operation is an operation as it stands; one that is not there has no state.
type operation struct {
	account, token, call        int64
	state                       ledger.State
	sent, ended, attempts       int64
	firm                        bool
	lead, request               string
	code, msg, hint, candidates string
	payload                     []byte
	stands, changed             bool // stands: in the table
}

type keptRow struct {
	record, run, row int64
	ledger.Kept
}

// begin opens the transaction and reads what its works need.
func (u *unit) begin(batch []ledger.Write[work], n int64) error {
	u.tokens, u.records, u.ops, u.owned, u.days = map[int64]int64{}, map[int64]*record{}, map[opKey]*operation{}, map[string][]owner{}, map[dayKey]int64{}
	u.offers = map[int64]*offer{}
	u.baselines = map[baselineKey]ledger.Baseline{}
	var accounts, ids []int64
	var remotes [][]byte
	for i := range batch {
		w := &batch[i].What
		if w.lease != 0 {
			accounts = append(accounts, w.lease)
		}
		ids = append(ids, w.records...)
		remotes = append(remotes, w.ids...)
	}
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	u.start(n)
	if len(accounts) > 0 {
		// Under this lock nobody takes the account over until the transaction ends.
		var account, token int64
		u.add("SELECT account, token FROM leadload.leases WHERE account = ANY($1) ORDER BY account FOR SHARE", accounts).each(func() error {
			u.tokens[account] = token
			return nil
		}, &account, &token)
	}
	if len(ids) > 0 {
		u.add(`SELECT r.id, s.account, r.fate, r.remote, r.lead, r.attempts, r.resends, r.sent, r.lost, r.run, r.number FROM leadload.records r JOIN leadload.scopes s ON s.id = r.scope
			WHERE r.id = ANY($1) ORDER BY r.id FOR UPDATE OF r`, ids).read = u.readRecords
		u.add(`SELECT record, op, account, state, token, call, sent, ended, firm, attempts, lead, request, code, msg, hint, candidates FROM leadload.operations WHERE record = ANY($1)`, ids).read = u.readOps
	}
	if len(remotes) > 0 {
		u.add(ownersOf, remotes).read = func(rows pgx.Rows) error { return readOwners(rows, u.owned) }
	}
	if len(accounts)+len(ids)+len(remotes) == 0 {
		return nil
	}
	return u.turn()
}

// start begins the transaction with the next turn.
func (u *unit) start(n int64) {
	u.next.add("BEGIN")
	u.next.add(settings)
	u.add("UPDATE leadload.writers SET n = $2, at = "+now+" WHERE id = $1", u.l.id, n)
	u.head = len(u.next.list)
}

// add puts a statement into the next turn.
func (u *unit) add(text string, args ...any) *statement { return u.next.add(u.l.sql(text), args...) }

// put puts a statement into the next turn, after what the unit has changed so far.
func (u *unit) put(text string, args ...any) error {
	err := u.flush()
	if err == nil {
		u.add(text, args...)
	}
	return err
}

// exec is put with the turn, and returns how many rows the statement has touched.
func (u *unit) exec(text string, args ...any) (int64, error) {
	if err := u.flush(); err != nil {
		return 0, err
	}
	s := u.add(text, args...)
	err := u.turn()
	return s.affected, err
}

// turn makes the next turn.
func (u *unit) turn() error {
	u.head = 0
	return u.next.take(u.ctx, u.conn)
}

// row makes the next turn with a statement at its end, whose first row it returns.
func (u *unit) row(text string, args []any, dest ...any) (found bool, err error) {
	u.add(text, args...).into(&found, dest...)
	err = u.turn()
	return found, err
}

func (u *unit) readRecords(rows pgx.Rows) error {
	defer rows.Close()
	for rows.Next() {
		var id int64
		var fate int16
		var remote, lead []byte
		r := &record{}
		if err := rows.Scan(&id, &r.account, &fate, &remote, &lead, &r.attempts, &r.resends, &r.sent, &r.lost, &r.run, &r.row); err != nil {
			return err
		}
		r.fate, r.remote, r.lead = ledger.Fate(fate), string(remote), string(lead)
		u.records[id] = r
	}
	return rows.Err()
}

func (u *unit) readOps(rows pgx.Rows) error {
	defer rows.Close()
	for rows.Next() {
		var k opKey
		var op, state int16
		var lead, request, code, msg, hint, among []byte
		o := &operation{stands: true}
		if err := rows.Scan(&k.record, &op, &o.account, &state, &o.token, &o.call, &o.sent, &o.ended, &o.firm, &o.attempts, &lead, &request, &code, &msg, &hint, &among); err != nil {
			return err
		}
		k.op, o.state = ledger.Op(op), ledger.State(state)
		o.lead, o.request, o.code, o.msg, o.hint, o.candidates = string(lead), string(request), string(code), string(msg), string(hint), string(among)
		u.ops[k] = o
	}
	return rows.Err()
}

// holds returns an error unless the lease is the account's newest.
func (u *unit) holds(l ledger.Lease) error {
	if token, ok := u.tokens[l.Account]; !ok || token != l.Token {
		u.l.lease.lose(l)
		return ledger.Fenced(u.l.name)
	}
	return nil
}

// op returns an operation to be changed.
func (u *unit) op(k opKey) *operation {
	o := u.ops[k]
	if o == nil {
		o = &operation{}
		u.ops[k] = o
	}
	return o
}

// state returns where an operation stands: that of a record's creation follows
// from its fate where it has ended, others are Ready when there are none.
func (u *unit) state(k opKey) (ledger.State, error) {
	r := u.records[k.record]
	if r == nil {
		return 0, &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(u.l.name), Msg: fmt.Sprintf("there is no record %d", k.record), Hint: corruptHint}
	}
	return k.op.Stands(r.fate, u.op(k).state), nil
}

func (u *unit) count(account int64, at time.Time, n int64) {
	u.days[dayKey{account, ledger.Day(at)}] += n
}

// flush puts what has changed into the next turn.
func (u *unit) flush() error {
	if err := u.flushRecords(); err != nil {
		return err
	}
	u.flushOps()
	if len(u.days) > 0 {
		var accounts, calls []int64
		var names []string
		for _, k := range slices.SortedFunc(maps.Keys(u.days), func(a, b dayKey) int { return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.day, b.day)) }) {
			accounts, names, calls = append(accounts, k.account), append(names, k.day), append(calls, u.days[k])
		}
		u.add(`INSERT INTO leadload.days (account, day, calls) SELECT a, d, n FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS t(a, d, n)
			ON CONFLICT (account, day) DO UPDATE SET calls = days.calls + excluded.calls`, accounts, names, calls)
		clear(u.days)
	}
	u.flushKept()
	if err := u.flushOffers(); err != nil {
		return err
	}
	u.flushBaselines()
	return nil
}

// commit ends the transaction. One that has nothing to say is not begun.
func (u *unit) commit() error {
	if err := u.flush(); err != nil {
		return err
	}
	if u.head > 0 && len(u.next.list) == u.head {
		return nil
	}
	done := u.next.add("COMMIT")
	if err := u.turn(); err != nil {
		return err
	}
	if tag := done.tag.String(); tag != "COMMIT" {
		return errors.New("the database did not commit: " + tag)
	}
	return nil
}

func (u *unit) flushRecords() error {
	var ids, fates, attempts, resends, sent []int64
	var remotes, leads [][]byte
	var lost []bool
	var dids, shapes []int64
	var bodies, prints [][]byte
	for _, id := range slices.Sorted(maps.Keys(u.records)) {
		r := u.records[id]
		if r.changed {
			r.changed = false
			ids, fates, attempts, resends, sent = append(ids, id), append(fates, int64(r.fate)), append(attempts, r.attempts), append(resends, r.resends), append(sent, r.sent)
			remotes, leads, lost = append(remotes, []byte(r.remote)), append(leads, []byte(r.lead)), append(lost, r.lost)
		}
		if d := r.digest; d != nil {
			r.digest = nil
			shape, err := u.shape(d.Names, r.run)
			if err != nil {
				return err
			}
			dids, shapes, bodies, prints = append(dids, id), append(shapes, shape), append(bodies, d.Body[:ledger.BodySize]), append(prints, full(d.Prints))
		}
	}
	if len(ids) > 0 {
		u.add(`UPDATE leadload.records r SET fate = t.fate, remote = t.remote, lead = t.lead, attempts = t.attempts, resends = t.resends, sent = t.sent, lost = t.lost
			FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[], $8::boolean[]) AS t(id, fate, remote, lead, attempts, resends, sent, lost) WHERE r.id = t.id`,
			ids, fates, remotes, leads, attempts, resends, sent, lost)
	}
	if len(dids) > 0 {
		u.add(`UPDATE leadload.records r SET shape = t.shape, body = t.body, prints = t.prints
			FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) AS t(id, shape, body, prints) WHERE r.id = t.id`, dids, shapes, bodies, prints)
	}
	return nil
}

// full returns bytes that are not null.
func full(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (u *unit) flushOps() {
	var gone struct{ records, ops []int64 }
	var s struct {
		records, ops, accounts, states, tokens, calls, sent, ended, attempts []int64
		firm, open                                                           []bool
		leads, requests, codes, msgs, hints, among, payloads                 [][]byte
	}
	for _, k := range slices.SortedFunc(maps.Keys(u.ops), func(a, b opKey) int { return cmp.Or(cmp.Compare(a.record, b.record), cmp.Compare(a.op, b.op)) }) {
		o := u.ops[k]
		if !o.changed {
			continue
		}
		o.changed = false
		if o.state == 0 {
			if o.stands {
				gone.records, gone.ops = append(gone.records, k.record), append(gone.ops, int64(k.op))
			}
			o.stands = false
			continue
		}
		o.stands = true
		s.records, s.ops, s.accounts, s.states = append(s.records, k.record), append(s.ops, int64(k.op)), append(s.accounts, o.account), append(s.states, int64(o.state))
		s.tokens, s.calls, s.sent, s.ended, s.attempts = append(s.tokens, o.token), append(s.calls, o.call), append(s.sent, o.sent), append(s.ended, o.ended), append(s.attempts, o.attempts)
		s.firm, s.open = append(s.firm, o.firm), append(s.open, o.state.Open())
		s.leads, s.requests, s.codes, s.msgs = append(s.leads, []byte(o.lead)), append(s.requests, []byte(o.request)), append(s.codes, []byte(o.code)), append(s.msgs, []byte(o.msg))
		s.hints, s.among, s.payloads = append(s.hints, []byte(o.hint)), append(s.among, []byte(o.candidates)), append(s.payloads, o.payload)
	}
	if len(gone.records) > 0 {
		u.add("DELETE FROM leadload.operations o USING unnest($1::bigint[], $2::bigint[]) AS t(record, op) WHERE o.record = t.record AND o.op = t.op", gone.records, gone.ops)
	}
	if len(s.records) > 0 {
		// The payload stays as long as the operation is open, and goes with its end.
		u.add(`INSERT INTO leadload.operations AS o (record, op, account, state, token, call, sent, ended, firm, attempts, lead, request, code, msg, hint, candidates, payload)
			SELECT record, op, account, state, token, call, sent, ended, firm, attempts, lead, request, code, msg, hint, candidates, payload
			FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::boolean[], $10::bigint[],
				$11::bytea[], $12::bytea[], $13::bytea[], $14::bytea[], $15::bytea[], $16::bytea[], $17::bytea[])
				AS t(record, op, account, state, token, call, sent, ended, firm, attempts, lead, request, code, msg, hint, candidates, payload)
			ON CONFLICT (record, op) DO UPDATE SET state = excluded.state, token = excluded.token, call = excluded.call, sent = excluded.sent, ended = excluded.ended, firm = excluded.firm,
				attempts = excluded.attempts, lead = excluded.lead, request = excluded.request, code = excluded.code, msg = excluded.msg, hint = excluded.hint, candidates = excluded.candidates,
				payload = CASE WHEN excluded.state IN (2, 3, 4, 5, 12) THEN coalesce(excluded.payload, o.payload) END`,
			s.records, s.ops, s.accounts, s.states, s.tokens, s.calls, s.sent, s.ended, s.firm, s.attempts, s.leads, s.requests, s.codes, s.msgs, s.hints, s.among, s.payloads)
	}
}

func (u *unit) flushKept() {
	if len(u.kept) == 0 {
		return
	}
	// An INSERT meets no row twice: the last word about a field stands, unless an earlier one replaced a value.
	type key struct {
		run, record int64
		field       string
	}
	place := map[key]int{}
	var list []keptRow
	for _, k := range u.kept {
		at, ok := place[key{k.run, k.record, k.Field}]
		if !ok {
			place[key{k.run, k.record, k.Field}] = len(list)
			list = append(list, k)
			continue
		}
		if list[at].Result == ledger.ResultUpdated {
			k.Had = list[at].Had
		}
		list[at] = k
	}
	u.kept = u.kept[:0]
	var records, runs, rows, results, at []int64
	var fields []string
	var had, has [][]byte
	moment := time.Now().UnixMilli()
	for _, k := range list {
		written := moment
		if !k.At.IsZero() {
			written = k.At.UnixMilli()
		}
		records, runs, rows, results, at = append(records, k.record), append(runs, k.run), append(rows, k.row), append(results, int64(k.Result)), append(at, written)
		fields, had, has = append(fields, k.Field), append(had, []byte(k.Had)), append(has, []byte(k.Has))
	}
	u.add(`INSERT INTO leadload.kept AS k (record, run, number, field, had, has, result, at)
		SELECT record, run, number, field, had, has, result, at FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[], $7::bigint[], $8::bigint[]) AS t(record, run, number, field, had, has, result, at)
		ON CONFLICT (run, record, field) DO UPDATE SET had = CASE WHEN k.result = $9 THEN k.had ELSE excluded.had END, has = excluded.has, result = excluded.result, at = excluded.at`,
		records, runs, rows, fields, had, has, results, at, int64(ledger.ResultUpdated))
}
