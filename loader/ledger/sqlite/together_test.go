package sqlite

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
)

// dump returns all that a ledger says of records and their operations.
func (f *fixture) dump() string {
	f.T.Helper()
	var b strings.Builder
	for _, q := range []string{
		"SELECT id, fate, hex(remote), hex(lead), attempts, resends, sent, lost FROM records ORDER BY id",
		"SELECT record, op, state, token, call, sent, ended IS NULL, attempts, hex(lead), code, candidates FROM operations ORDER BY record, op",
		"SELECT record, op, hex(payload), 0 FROM payloads ORDER BY record, op",
		"SELECT account, day, calls FROM days",
	} {
		rows, err := f.l.db.QueryContext(f.T.Context(), q)
		check(f.T, err)
		columns, err := rows.Columns()
		check(f.T, err)
		for rows.Next() {
			values := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			check(f.T, rows.Scan(into...))
			fmt.Fprintln(&b, values...)
		}
		check(f.T, rows.Err())
		fmt.Fprintln(&b)
	}
	return b.String()
}

// TestTogetherIsOneByOne writes the same intents and outcomes together and one by one,
// with odd ones among them: the ledger says the same afterwards, and so do the errors.
func TestTogetherIsOneByOne(t *testing.T) {
	const rows = 150
	used := map[string]bool{} // statements of many
	for seed := range uint64(12) {
		odds := []int{60, 600, 6000}[seed%3]
		at := time.Now().Truncate(time.Millisecond)
		run := func(together bool) (string, []string) {
			r := rand.New(rand.NewPCG(seed, 1))
			f := &fixture{}
			path := filepath.Join(t.TempDir(), "ledger.db")
			f.Fixture = ledgertest.New(t, func(t testing.TB) ledger.Store { f.l = open(t, path, Options{Unsafe: true}); return f.l })
			entries := make([]ledger.Entry, rows+20)
			for i := range entries {
				entries[i] = ledgertest.Entry(i+2, fmt.Sprint("K", i), "x", fmt.Sprint(i))
			}
			entries = f.Plan(f.Run(), entries...)
			intend := func(to ledger.State, list ...ledger.Intent) (said []string) {
				if together {
					return []string{fmt.Sprint(f.l.Intend(t.Context(), f.Lease, to, list...) != nil)}
				}
				return []string{fmt.Sprint(f.oneByOne(to, list) != nil)}
			}
			var said []string
			intentOf := func(record, call int64) ledger.Intent {
				return ledger.Intent{Record: record, At: at, Call: call, Payload: ledger.Payload{Target: "opportunity", Body: fmt.Sprint(record), Lead: "x"}}
			}
			// Some records are somewhere already.
			for _, e := range entries[rows:] {
				said = append(said, intend(ledger.Sending, intentOf(e.Record, 0))...)
				o := ledger.Outcome{Record: e.Record, State: ledger.Loaded, ID: ledgertest.GUID(int(e.Record))}
				if e.Record%2 == 0 {
					o.Code = "account.partial" // its operation stays
				}
				check(t, f.l.Settle(t.Context(), f.Lease, o))
			}
			var list []ledger.Intent
			for i, e := range entries[:rows] {
				switch odd := r.IntN(odds); {
				case odd == 0 && i > 20:
					list = append(list, intentOf(entries[rows].Record, 0)) // loaded: refused
				case odd == 1 && i > 20:
					list = append(list, list[len(list)-1]) // twice
				case odd < 8:
					said = append(said, intend(ledger.Reserved, intentOf(e.Record, 0))...)
				}
				list = append(list, intentOf(e.Record, entries[i/25*25].Record*int64(seed%2))) // or each a call of its own
			}
			said = append(said, intend(ledger.Sending, list...)...)
			var outcomes []ledger.Outcome
			var last string
			for _, e := range entries[:rows] {
				o := ledger.Outcome{Record: e.Record, State: ledger.Loaded, ID: ledgertest.GUID(int(e.Record)), LeadID: ledgertest.GUID(1000 + int(e.Record))}
				switch r.IntN(odds) {
				case 0:
					o.State, o.ID, o.Code = ledger.InDoubt, "", "doubt.lost"
				case 1:
					o.State, o.ID, o.Code = ledger.Rejected, "", "account.rejected"
				case 2:
					o.ID = ledgertest.GUID(int(entries[rows+1].Record)) // another row's
				case 3:
					o.ID = strings.ToUpper(ledgertest.GUID(int(entries[rows+2].Record))) // the same, written in another way
				case 4:
					if last != "" {
						o.ID = last // of a row of the same answer
					}
				case 5:
					o.LeadID = ""
				case 6:
					o.Record = entries[rows+3].Record // not open
				case 9:
					o.Record = entries[rows+4].Record
				case 7:
					o.ID = "no-guid-" + o.ID
				case 8:
					o.Code, o.Msg = "account.partial", "one field was left out"
				}
				last = o.ID
				outcomes = append(outcomes, o)
			}
			outcomes = append(outcomes, outcomes[0])
			errs := make([]string, len(outcomes))
			if together {
				started, release := make(chan struct{}), make(chan struct{})
				f.l.urgent(func(*writer) error { close(started); <-release; return nil }, func(error) {})
				<-started
				var wg sync.WaitGroup
				wg.Add(len(outcomes))
				for i, o := range outcomes {
					f.l.SettleLater(f.Lease, o, func(err error) { errs[i] = fmt.Sprint(err); wg.Done() })
				}
				close(release)
				wg.Wait()
				for _, text := range []map[int]string{dropPayloads, keepPayloads} {
					for _, n := range sizes {
						used[text[n]] = used[text[n]] || f.l.w.stmts[text[n]] != nil
					}
				}
			} else {
				for i, o := range outcomes {
					errs[i] = fmt.Sprint(f.l.Settle(t.Context(), f.Lease, o))
				}
			}
			check(t, f.l.Flush())
			check(t, f.l.Check(t.Context()))
			return f.dump(), append(said, errs...)
		}
		want, said := run(false)
		got, saidTogether := run(true)
		if !slices.Equal(said, saidTogether) {
			for i := range said {
				if said[i] != saidTogether[i] {
					t.Errorf("seed %d, answer %d: together %q, one by one %q", seed, i, saidTogether[i], said[i])
				}
			}
		}
		if got != want {
			a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
			for i := range a {
				if i >= len(b) || a[i] != b[i] {
					t.Fatalf("seed %d, line %d: together %q, one by one %q", seed, i, b[min(i, len(b)-1)], a[i])
				}
			}
		}
	}
	for text, was := range used {
		if !was {
			t.Errorf("never written together: %.60s…", text)
		}
	}
}

// oneByOne writes intents by the statements of one row.
func (f *fixture) oneByOne(to ledger.State, list []ledger.Intent) (refused error) {
	check(f.T, f.l.write(func(w *writer) error {
		calls := int64(0)
		for i := range list {
			payload, err := list[i].Payload.Encode()
			if err != nil {
				return err
			}
			counted, err := w.intend(f.Lease, to, &list[i], payload)
			switch {
			case ledger.Refusal(err):
				refused = err
			case err != nil:
				return err
			case !counted && ledger.OwnCall(list, i):
				calls++
			}
		}
		return w.count(f.Lease.Account, list[0].At, calls)
	}))
	return refused
}
