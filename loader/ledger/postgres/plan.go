package postgres

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

// shape is what the prints of some records are of.
type shape struct {
	names   []string
	mapping string // the hash of the one that made them
	form    ledger.Form
}

// shapeKey names a list of field names and the mapping that made their values.
func shapeKey(mapping, joined string) string { return mapping + "\x1d" + joined }

// madeBy returns the hash of the mapping of a run; "" for run 0.
func (u *unit) madeBy(run int64) (string, error) {
	if made, ok := u.made[run]; ok || run == 0 {
		return made, nil
	}
	var hash []byte
	if _, err := u.row("SELECT mapping_hash FROM leadload.runs WHERE id = $1", []any{run}, &hash); err != nil {
		return "", err
	}
	if u.made == nil {
		u.made = map[int64]string{}
	}
	u.made[run] = string(hash)
	return string(hash), nil
}

// shape finds or makes the number of a list of field names whose values a run's
// mapping has made.
func (u *unit) shape(names []string, run int64) (int64, error) {
	mapping, err := u.madeBy(run)
	if err != nil {
		return 0, err
	}
	l, joined := u.l, strings.Join(names, "\x1f")
	key := shapeKey(mapping, joined)
	l.mu.Lock()
	id := l.ids[key]
	l.mu.Unlock()
	if id == 0 {
		id = u.ids[key]
	}
	if id != 0 {
		return id, nil
	}
	hash := sha256.Sum256([]byte(key))
	u.add("INSERT INTO leadload.shapes (hash, mapping, names) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING", hash[:], []byte(mapping), []byte(joined))
	if _, err := u.row("SELECT id FROM leadload.shapes WHERE hash = $1", []any{hash[:]}, &id); err != nil {
		return 0, err
	}
	// Others remember it once somebody reads it: this transaction may be undone.
	if u.ids == nil {
		u.ids = map[string]int64{}
	}
	u.ids[key] = id
	return id, nil
}

// learn reads the shapes that are not known yet.
func (l *Ledger) learn(ctx context.Context, ids []int64) error {
	l.mu.Lock()
	ids = slices.DeleteFunc(ids, func(id int64) bool { _, known := l.shapes[id]; return known })
	l.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	return l.query(ctx, "SELECT id, mapping, names, form FROM leadload.shapes WHERE id = ANY($1)", []any{ids}, func(rows pgx.Rows) error {
		for rows.Next() {
			var id int64
			var mapping, joined []byte
			var form int16
			if err := rows.Scan(&id, &mapping, &joined, &form); err != nil {
				return err
			}
			s := shape{mapping: string(mapping), form: ledger.Form(form)}
			if len(joined) > 0 {
				s.names = strings.Split(string(joined), "\x1f")
			}
			l.mu.Lock()
			l.shapes[id] = s
			if s.form == ledger.Canonical { // no other is made here
				l.ids[shapeKey(s.mapping, string(joined))] = id
			}
			l.mu.Unlock()
		}
		return nil
	})
}

const knownColumns = `SELECT c.id, c.ident, c.fate, c.body, c.shape, c.prints, c.remote, c.lead, coalesce(o.state, 0), coalesce(u.state, 0)
	FROM leadload.records c LEFT JOIN leadload.operations o ON o.record = c.id AND o.op = 0 LEFT JOIN leadload.operations u ON u.record = c.id AND u.op = 1 `

// recall runs a query of knownColumns. at returns the places that a record belongs to.
func (l *Ledger) recall(ctx context.Context, where string, args []any, out []ledger.Record, at func(id int64, ident []byte) []int) error {
	for i := range out {
		out[i] = ledger.Record{Prints: out[i].Prints[:0]}
	}
	shapes := map[int]int64{}
	err := l.query(ctx, knownColumns+where, args, func(rows pgx.Rows) error {
		for rows.Next() {
			var id, of int64
			var ident, body, prints, remote, lead []byte
			var fate, creation, changing int16
			if err := rows.Scan(&id, &ident, &fate, &body, &of, &prints, &remote, &lead, &creation, &changing); err != nil {
				return err
			}
			for _, i := range at(id, ident) {
				o := &out[i]
				o.ID, o.Fate, o.Creation, o.Remote, o.Lead, o.Changing = id, ledger.Fate(fate), ledger.State(creation), string(remote), string(lead), ledger.State(changing)
				o.Prints = append(o.Prints[:0], prints...)
				copy(o.Body[:], body)
				shapes[i] = of
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var ids []int64
	for _, id := range shapes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if err := l.learn(ctx, slices.Compact(ids)); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, id := range shapes {
		s := l.shapes[id]
		out[i].Names, out[i].Form, out[i].Mapping = s.names, s.form, s.mapping
	}
	return nil
}

// Known fills in what is known of the records that idents name.
func (l *Ledger) Known(ctx context.Context, scope int64, idents []ledger.Ident, out []ledger.Record) error {
	if len(idents) == 0 {
		return nil
	}
	list := make([][]byte, len(idents))
	places := make(map[ledger.Ident][]int, len(idents))
	for i := range idents {
		list[i] = idents[i][:]
		places[idents[i]] = append(places[idents[i]], i)
	}
	return l.recall(ctx, "WHERE c.scope = $1 AND c.ident = ANY($2)", []any{scope, list}, out, func(_ int64, ident []byte) []int { return places[ledger.Ident(ident)] })
}

// Recall is Known by the numbers of records.
func (l *Ledger) Recall(ctx context.Context, records []int64, out []ledger.Record) error {
	places := make(map[int64][]int, len(records))
	for i, id := range records {
		places[id] = append(places[id], i)
	}
	return l.recall(ctx, "WHERE c.id = ANY($1)", []any{records}, out, func(id int64, _ []byte) []int { return places[id] })
}

// Idents returns the first 8 bytes of what names each record of a scope.
func (l *Ledger) Idents(ctx context.Context, scope int64, most int) (map[uint64]struct{}, error) {
	var n int64
	if _, err := l.one(ctx, "SELECT count(*) FROM (SELECT 1 FROM leadload.records WHERE scope = $1 LIMIT $2) AS t", []any{scope, int64(most) + 1}, &n); err != nil || n > int64(most) {
		return nil, err
	}
	set := make(map[uint64]struct{}, n)
	err := l.query(ctx, "SELECT ident FROM leadload.records WHERE scope = $1", []any{scope}, func(rows pgx.Rows) error {
		for rows.Next() {
			var ident []byte
			if err := rows.Scan(&ident); err != nil {
				return err
			}
			set[le64(ident)] = struct{}{}
		}
		return nil
	})
	return set, err
}

// Marks returns the records of a scope that are in the account, by their marks.
func (l *Ledger) Marks(ctx context.Context, scope int64, most int) (set *ledger.MarkSet, err error) {
	var n int64
	if _, err := l.one(ctx, "SELECT count(*) FROM (SELECT 1 FROM leadload.records WHERE scope = $1 LIMIT $2) AS t", []any{scope, int64(most) + 1}, &n); err != nil || n > int64(most) {
		return nil, err
	}
	var last int64
	if _, err := l.one(ctx, "SELECT coalesce(max(id), 0) FROM leadload.records WHERE scope = $1", []any{scope}, &last); err != nil || last > 8*int64(most) {
		return nil, err // they lie too far apart among others
	}
	err = l.query(ctx, "SELECT id, body FROM leadload.records r WHERE scope = $1 AND fate = 2 AND NOT EXISTS (SELECT 1 FROM leadload.operations o WHERE o.record = r.id)", []any{scope}, func(rows pgx.Rows) error {
		set = ledger.NewMarkSet(last)
		for rows.Next() {
			var record int64
			var mark []byte
			if err := rows.Scan(&record, &mark); err != nil {
				return err
			}
			set.Add(record, mark)
		}
		return nil
	})
	return set, err
}

func le64(b []byte) (n uint64) {
	for k := 7; k >= 0; k-- {
		n = n<<8 | uint64(b[k])
	}
	return n
}

// Plan writes rows that were decided about into a run.
func (l *Ledger) Plan(_ context.Context, lease ledger.Lease, run, scope int64, entries []ledger.Entry) error {
	w := work{do: func(u *unit) error { return u.plan(lease, run, scope, entries) }}
	if scope != 0 {
		w.lease = lease.Account
	}
	var fenced error
	w.do = refusable(w.do, &fenced)
	return errors.Join(l.write(w), fenced)
}

func (u *unit) plan(lease ledger.Lease, run, scope int64, entries []ledger.Entry) error {
	if scope != 0 {
		if err := u.holds(lease); err != nil {
			return err
		}
		if err := u.planRecords(lease, run, scope, entries); err != nil {
			return err
		}
		if err := u.planOffers(run, entries); err != nil {
			return err
		}
	}
	for i := range entries {
		for _, k := range entries[i].Moved {
			u.kept = append(u.kept, keptRow{record: k.Record, run: run, row: int64(k.Row), Kept: k})
		}
	}
	var runs, firsts []int64
	var rows, words [][]byte
	for part := range slices.Chunk(entries, ledger.ChunkRows) {
		first := part[0].Number
		runs, firsts = append(runs, run), append(firsts, int64(first))
		rows, words = append(rows, ledger.PackRows(make([]byte, 0, 10*len(part)), first, part)), append(words, ledger.PackWords(part))
	}
	if len(runs) == 0 {
		return nil
	}
	return u.put("INSERT INTO leadload.chunks (run, first, rows, words) SELECT run, first, rows, words FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) AS t(run, first, rows, words)", runs, firsts, rows, words)
}

// planRecords makes the records of new rows, and brings others up to date.
func (u *unit) planRecords(lease ledger.Lease, run, scope int64, entries []ledger.Entry) error {
	var fresh []*ledger.Entry
	var ids, numbers, replanned, rows, shapes, changing, renewed []int64
	var bodies, prints, marks [][]byte
	var fields []string
	var values [][]byte
	wanted := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		if e.Verdict == ledger.Due && e.State == ledger.Ready && e.WantField != "" && !wanted[e.WantField+"\x00"+e.WantValue] {
			wanted[e.WantField+"\x00"+e.WantValue] = true
			fields, values = append(fields, e.WantField), append(values, ledger.Hidden(e.WantValue))
		}
		switch {
		case e.Verdict == ledger.Changing:
			ids, numbers = append(ids, e.Record), append(numbers, int64(e.Number))
			if !e.State.Open() {
				changing = append(changing, e.Record)
			}
		case e.Renew && e.Verdict == ledger.Already:
			mark := e.Mark()
			renewed, marks = append(renewed, e.Record), append(marks, mark[:])
		case e.Verdict != ledger.Due:
		case e.Record == 0:
			fresh = append(fresh, e)
		case e.Replan:
			shape, err := u.shape(e.Digest.Names, run)
			if err != nil {
				return err
			}
			replanned, rows, shapes = append(replanned, e.Record), append(rows, int64(e.Number)), append(shapes, shape)
			mark := e.Mark()
			bodies, prints = append(bodies, mark[:]), append(prints, full(e.Digest.Prints))
		default:
			ids, numbers = append(ids, e.Record), append(numbers, int64(e.Number))
		}
	}
	if len(fields) > 0 {
		// A lead that is wanted and not yet known stands in the table without
		// an id, so that a plan can count distinct look-ups.
		if err := u.put("INSERT INTO leadload.leads (account, field, value, lead, found) SELECT $1, field, value, '', 0 FROM unnest($2::text[], $3::bytea[]) AS t(field, value) ON CONFLICT (account, field, value) DO NOTHING", lease.Account, fields, values); err != nil {
			return err
		}
	}
	if len(ids) > 0 {
		if err := u.put("UPDATE leadload.records r SET run = $1, number = t.number FROM unnest($2::bigint[], $3::bigint[]) AS t(id, number) WHERE r.id = t.id", run, ids, numbers); err != nil {
			return err
		}
	}
	if len(renewed) > 0 {
		if _, err := u.exec("UPDATE leadload.records r SET body = t.body FROM unnest($1::bigint[], $2::bytea[]) AS t(id, body) WHERE r.id = t.id", renewed, marks); err != nil {
			return err
		}
	}
	if len(replanned) > 0 {
		n, err := u.exec(`UPDATE leadload.records r SET run = $1, number = t.number, shape = t.shape, body = t.body, prints = t.prints
			FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[]) AS t(id, number, shape, body, prints)
			WHERE r.id = t.id AND r.fate = 1 AND NOT EXISTS (SELECT 1 FROM leadload.operations o WHERE o.record = r.id AND o.state IN (2, 3, 4, 5, 12))`, run, replanned, rows, shapes, bodies, prints)
		if err != nil {
			return err
		}
		if n != int64(len(replanned)) {
			return fmt.Errorf("%w: %d of %d rows", ledger.ErrPlanned, int64(len(replanned))-n, len(replanned))
		}
		// What an earlier call had to say of a row that is sent anew is old news.
		if err := u.put("DELETE FROM leadload.operations WHERE op = 0 AND record = ANY($1)", replanned); err != nil {
			return err
		}
	}
	if len(changing) > 0 {
		if err := u.put("DELETE FROM leadload.operations WHERE op = 1 AND record = ANY($1)", changing); err != nil {
			return err
		}
	}
	if len(fresh) > 0 {
		if err := u.insert(run, scope, fresh); err != nil {
			return err
		}
	}
	for i := range entries {
		if e := &entries[i]; e.Record == 0 && e.SameAs > 0 {
			e.Record = entries[e.SameAs-1].Record
		}
	}
	return nil
}

// insert makes records, numbered in the order of the file.
func (u *unit) insert(run, scope int64, fresh []*ledger.Entry) error {
	n := len(fresh)
	ids, err := u.numbers("SELECT nextval('leadload.record_numbers') FROM generate_series(1, $1::bigint)", int64(n))
	if err != nil {
		return err
	}
	slices.Sort(ids)
	idents, bodies, prints, keys := make([][]byte, n), make([][]byte, n), make([][]byte, n), make([][]byte, n)
	shapes, numbers := make([]int64, n), make([]int64, n)
	for i, e := range fresh {
		if shapes[i], err = u.shape(e.Digest.Names, run); err != nil {
			return err
		}
		mark := e.Mark()
		idents[i], bodies[i], prints[i], keys[i], numbers[i] = e.Ident[:], mark[:], full(e.Digest.Prints), []byte(e.KeyText), int64(e.Number)
	}
	made, err := u.exec(`INSERT INTO leadload.records (id, scope, ident, fate, body, shape, prints, sent, run, number, key)
		SELECT id, $1, ident, 1, body, shape, prints, -1, $2, number, key
		FROM unnest($3::bigint[], $4::bytea[], $5::bytea[], $6::bigint[], $7::bytea[], $8::bigint[], $9::bytea[]) AS t(id, ident, body, shape, prints, number, key)
		ON CONFLICT (scope, ident) DO NOTHING`, scope, run, ids, idents, bodies, shapes, prints, numbers, keys)
	if err != nil {
		return err
	}
	if made != int64(n) {
		return fmt.Errorf("%w: %d of %d rows", ledger.ErrPlanned, int64(n)-made, n)
	}
	for i, e := range fresh {
		e.Record = ids[i]
	}
	return nil
}

// adopt writes records, unless the ledger knows where they stand.
func (u *unit) adopt(scope int64, list []ledger.Adopted) (added int64, err error) {
	idents := make([][]byte, len(list))
	for i := range list {
		idents[i] = list[i].Entry.Ident[:]
	}
	var account int64
	u.add("SELECT account FROM leadload.scopes WHERE id = $1", scope).into(nil, &account)
	known := map[ledger.Ident]*adoptee{}
	var id int64
	var ident []byte
	var fate, state int16
	u.add(`SELECT r.id, r.ident, r.fate, coalesce((SELECT o.state FROM leadload.operations o WHERE o.record = r.id AND o.op = 0), 0)
		FROM leadload.records r WHERE r.scope = $1 AND r.ident = ANY($2) ORDER BY r.id FOR UPDATE OF r`, scope, idents).each(func() error {
		known[ledger.Ident(ident)] = &adoptee{id: id, state: ledger.StateOf(ledger.Fate(fate), ledger.State(state))}
		return nil
	}, &id, &ident, &fate, &state)
	if err := u.turn(); err != nil {
		return 0, err
	}
	var fresh []*ledger.Entry
	var taken []*ledger.Adopted
	var loose []int64 // records whose creation has nothing to say any more
	for i := range list {
		a := &list[i]
		k := known[a.Entry.Ident]
		switch {
		case k == nil:
			known[a.Entry.Ident] = &adoptee{state: a.State}
			fresh = append(fresh, &a.Entry)
		case k.id == 0 || !a.Takes(k.state):
			continue
		default:
			a.Entry.Record, k.state = k.id, a.State
			loose = append(loose, k.id)
		}
		taken = append(taken, a)
	}
	if len(loose) > 0 {
		if err := u.put("DELETE FROM leadload.operations WHERE op = 0 AND record = ANY($1)", loose); err != nil {
			return 0, err
		}
	}
	if len(fresh) > 0 {
		if err := u.insert(0, scope, fresh); err != nil {
			return 0, err
		}
	}
	var ids, fates, shapes, sents, attempts []int64
	var bodies, prints, remotes, leads [][]byte
	for _, a := range taken {
		shape, err := u.shape(a.Entry.Digest.Names, 0)
		if err != nil {
			return 0, err
		}
		fate, sent, tries := ledger.Absent, int64(neverSent), int64(0)
		if a.State.Ended() {
			fate, tries = ledger.Create.After(a.State), 1
		}
		if !a.Sent.IsZero() {
			sent = a.Sent.UnixMilli()
		}
		ids, fates, shapes, sents, attempts = append(ids, a.Entry.Record), append(fates, int64(fate)), append(shapes, shape), append(sents, sent), append(attempts, tries)
		bodies, prints = append(bodies, a.Entry.Digest.Body[:ledger.BodySize]), append(prints, full(a.Entry.Digest.Prints))
		remotes, leads = append(remotes, []byte(a.ID)), append(leads, []byte(a.LeadID))
		if a.State == ledger.InDoubt {
			payload, err := a.Payload.Encode()
			if err != nil {
				return 0, err
			}
			u.ops[opKey{a.Entry.Record, ledger.Create}] = &operation{account: account, state: ledger.InDoubt, sent: sent, attempts: 1, code: ledger.CutOffCode,
				msg: cmp.Or(a.Why, "it was in doubt in the results file that the ledger was rebuilt from"), hint: ledger.DoubtHint, candidates: strings.Join(a.Candidates, " "), payload: payload, changed: true}
		}
	}
	if len(ids) > 0 {
		if err := u.put(`UPDATE leadload.records r SET fate = t.fate, shape = t.shape, body = t.body, prints = t.prints, remote = t.remote, lead = t.lead, attempts = greatest(r.attempts, t.attempts), sent = t.sent
			FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bigint[], $9::bigint[]) AS t(id, fate, shape, body, prints, remote, lead, attempts, sent) WHERE r.id = t.id`,
			ids, fates, shapes, bodies, prints, remotes, leads, attempts, sents); err != nil {
			return 0, err
		}
	}
	return int64(len(taken)), nil
}

// adoptee is a record that is to be adopted: id 0 is a new one.
type adoptee struct {
	id    int64
	state ledger.State
}
