package sqlite

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"leadload/loader/ledger"
)

// Where rows are sent by the thousand, most of a statement's time is not the row's. So
// intents, and rows that are loaded, are written in statements of many where nothing
// is odd about them. Whatever is odd goes the way of one row, which decides: these
// statements only do what that would have done for each.

// sizes are how many rows a statement takes, so that there are few statements.
var sizes = [...]int{64, 16, 4}

// sized returns the greatest of sizes that n rows fill, or 1.
func sized(n int) int {
	for _, size := range sizes {
		if n >= size {
			return size
		}
	}
	return 1
}

// texts makes the text of a statement for each of the sizes, and for one row.
func texts(of func(n int) string) map[int]string {
	m := map[int]string{1: of(1)}
	for _, n := range sizes {
		m[n] = of(n)
	}
	return m
}

// numbered returns n groups of values, of which each has some that are its own: their
// numbers follow those of the values that all share.
func numbered(n, shared, own int, group func(own []any) string) string {
	groups := make([]string, n)
	for i := range groups {
		names := make([]any, own)
		for k := range names {
			names[k] = fmt.Sprintf("?%d", shared+i*own+k+1)
		}
		groups[i] = group(names)
	}
	return strings.Join(groups, ",")
}

var (
	standMany = texts(func(n int) string {
		return "SELECT r.id, r.fate, coalesce(o.state, 0), coalesce(o.token, 0), coalesce(o.sent, 0), coalesce(o.attempts, 0), o.ended, o.lead FROM records r LEFT JOIN operations o ON o.record = r.id AND o.op = ?1 WHERE r.id IN (" +
			numbered(n, 1, 1, one) + ") ORDER BY r.id"
	})
	ownedMany = texts(func(n int) string {
		return "SELECT 1 FROM records WHERE fate = 2 AND substr(remote, 1, 6) IN (" + numbered(n, 0, 1, func(own []any) string { return fmt.Sprintf("substr(%s, 1, 6)", own...) }) +
			") AND remote IN (" + numbered(n, 0, 1, one) + ") LIMIT 1"
	})
	dropPayloads = texts(func(n int) string {
		return "DELETE FROM payloads WHERE op = 0 AND record IN (" + numbered(n, 0, 1, one) + ")"
	})
	dropOperations = texts(func(n int) string {
		return "DELETE FROM operations WHERE op = 0 AND record IN (" + numbered(n, 0, 1, one) + ")"
	})
	intendMany = map[ledger.State]map[int]string{ledger.Reserved: intentsTo(ledger.Reserved), ledger.Sending: intentsTo(ledger.Sending)}
	wantLeads  = texts(func(n int) string {
		return "INSERT INTO leads (account, field, value, lead, found) VALUES " + numbered(n, 1, 2, func(own []any) string { return fmt.Sprintf("(?1,%s,%s,'',0)", own...) }) + " ON CONFLICT DO NOTHING"
	})
	keepPayloads = texts(func(n int) string {
		return "INSERT INTO payloads (record, op, payload) VALUES " + numbered(n, 1, 2, func(own []any) string { return fmt.Sprintf("(%s,?1,%s)", own...) }) +
			" ON CONFLICT (record, op) DO UPDATE SET payload = excluded.payload"
	})
)

func one(own []any) string { return own[0].(string) }

func intentsTo(to ledger.State) map[int]string {
	return texts(func(n int) string {
		return "INSERT INTO operations (record, op, account, state, token, call, sent, attempts) VALUES " +
			numbered(n, 6, 1, func(own []any) string { return fmt.Sprintf("(%s,?1,?2,?3,?4,?5,?6,1)", own...) }) + intentAgain + mayBecome[to]
	})
}

// loaded is a row that has come into the account, with nothing to be said about it.
type loaded struct {
	lease ledger.Lease
	o     *ledger.Outcome
}

// alike returns how many of the first tasks go together.
func alike(tasks []ledger.Write[task]) int {
	n := 0
	ids := map[string]bool{}
	for n < min(len(tasks), sizes[0]) {
		l := tasks[n].What.loaded
		if l == nil || l.lease != tasks[0].What.loaded.lease {
			break
		}
		// Two outcomes of one record, or with one id, are told apart by the way of one row.
		spelled := ledger.Spellings(l.o.ID)
		if id := spelled[len(spelled)-1]; ids[id] {
			break
		} else {
			ids[id] = true
		}
		n++
	}
	return sized(n)
}

// stand is where an operation and its record stand.
type stand struct {
	record int64
	fate   ledger.Fate
	openOperation
}

// stands reads where the operations of some records stand, in the order of the
// records. It reports false where one of them is not there.
func (w *writer) stands(op ledger.Op, records []int64, out []stand) (bool, error) {
	s, err := w.stmt(standMany[len(records)])
	if err != nil {
		return false, err
	}
	args := append(w.args[:0], op)
	for _, r := range records {
		args = append(args, r)
	}
	w.args = args
	rows, err := s.Query(args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		st := &out[n]
		if err := rows.Scan(&st.record, &st.fate, &st.state, &st.token, &st.sent, &st.attempts, &st.ended, &st.lead); err != nil {
			return false, err
		}
	}
	return n == len(records), rows.Err()
}

// together writes down that rows are loaded, unless anything is odd about one of them.
func (w *writer) together(tasks []ledger.Write[task]) (done bool, err error) {
	lease := tasks[0].What.loaded.lease
	list := make([]*ledger.Outcome, len(tasks))
	records := make([]int64, len(tasks))
	for i := range tasks {
		list[i] = tasks[i].What.loaded.o
	}
	slices.SortFunc(list, func(a, b *ledger.Outcome) int { return cmp.Compare(a.Record, b.Record) })
	for i, o := range list {
		records[i] = o.Record
	}
	was := make([]stand, len(list))
	if ok, err := w.stands(ledger.Create, records, was); !ok || err != nil {
		return false, err
	}
	for i, o := range list {
		st := &was[i]
		from, refused := o.From(st.fate, o.Op.Stands(st.fate, st.state))
		if refused != nil || !from.Open() || st.token != lease.Token {
			return false, nil
		}
	}
	if owned, err := w.anyOwned(list); owned || err != nil {
		return false, err
	}
	// One statement for all of them would take longer: it makes a table of the values first.
	for i, o := range list {
		if err := w.arrive(&was[i].openOperation, o, was[i].attempts, was[i].sent); err != nil {
			return false, err
		}
	}
	args := w.args[:0]
	for _, r := range records {
		args = append(args, r)
	}
	w.args = args
	for _, text := range []map[int]string{dropPayloads, dropOperations} {
		if _, err := w.exec(text[len(list)], args...); err != nil {
			return false, err
		}
	}
	return true, nil
}

// anyOwned reports whether any record has the id of one of some outcomes.
func (w *writer) anyOwned(list []*ledger.Outcome) (bool, error) {
	for spelling, more := 0, true; more; spelling++ {
		args := w.args[:0]
		more = false
		for _, o := range list {
			ids := ledger.Spellings(o.ID)
			args = append(args, idBytes(ids[min(spelling, len(ids)-1)]))
			more = more || spelling < len(ids)-1
		}
		w.args = args
		var some int
		switch err := w.row(ownedMany[len(list)], args...).Scan(&some); err {
		case nil:
			return true, nil
		case sql.ErrNoRows:
		default:
			return false, err
		}
	}
	return false, nil
}

// alikeIntents returns how many of the first intents go together.
func alikeIntents(list []ledger.Intent) int {
	n := 0
	for n < min(len(list), sizes[0]) {
		in, first := &list[n], &list[0]
		if in.Op != first.Op || in.Call != first.Call || !in.At.Equal(first.At) || ledger.Anew(in.Op, in.Payload.Edit) {
			break
		}
		n++
	}
	return sized(n)
}

// intendTogether writes down intents, unless anything is odd about one of them.
// counted gets which of their calls were counted when they were reserved.
func (w *writer) intendTogether(lease ledger.Lease, to ledger.State, list []ledger.Intent, payloads [][]byte, counted []bool) (done bool, err error) {
	op := list[0].Op
	records := make([]int64, len(list))
	for i := range list {
		records[i] = list[i].Record
	}
	was := make([]stand, len(list))
	if ok, err := w.stands(op, records, was); !ok || err != nil {
		return false, err // or one of them is there twice
	}
	allowed := ledger.From(ledger.Create, to)
	for _, st := range was {
		if !op.On(st.fate) || st.state != 0 && 1<<st.state&allowed == 0 {
			return false, nil
		}
	}
	args := append(w.args[:0], op, lease.Account, to, lease.Token, list[0].Call, list[0].At.UnixMilli())
	for _, r := range records {
		args = append(args, r)
	}
	w.args = args
	if n, err := w.changes(intendMany[to][len(list)], args...); err != nil || n != int64(len(list)) {
		return false, cmp.Or(err, fmt.Errorf("%d of %d intents were written", n, len(list)))
	}
	args = append(args[:0], op)
	for i, r := range records {
		args = append(args, r, payloads[i])
	}
	w.args = args
	if _, err := w.exec(keepPayloads[len(list)], args...); err != nil {
		return false, err
	}
	for i, r := range records {
		at, _ := slices.BinarySearchFunc(was, r, func(st stand, r int64) int { return cmp.Compare(st.record, r) })
		counted[i] = to == ledger.Sending && was[at].state == ledger.Reserved
	}
	return true, nil
}
