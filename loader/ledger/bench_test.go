package ledger

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const benchBatch = 512 // as the first pass has it

// benchEntries are rows of ten fields with a key.
func benchEntries(n int) []Entry {
	var d Digester
	names := [...]string{"LeadDetails.EmailAddress", "LeadDetails.Phone", "LeadDetails.FirstName", "Opportunity.OpportunityNote", "Opportunity.OpportunityDateTime",
		"Fields.mx_Custom_1", "Fields.mx_Custom_2", "Fields.Status", "Fields.mx_Custom_6", "Fields.mx_Custom_9"}
	out := make([]Entry, n)
	for i := range out {
		key := fmt.Sprintf("D-%07d", i)
		out[i] = Entry{Number: i + 2, Line: i + 2, Origin: i + 2, Fingerprint: uint64(i), HasKey: true, KeyText: key, Identity: HashIdentity(key),
			Digest: d.Digest(len(names), func(k int) (string, string) { return names[k], fmt.Sprint(key, k) })}
	}
	return out
}

func benchPlan(f *fixture, entries []Entry) {
	f.t.Helper()
	run := f.run()
	for i := 0; i < len(entries); i += benchBatch {
		batch := entries[i:min(i+benchBatch, len(entries))]
		for k := range batch {
			batch[k].Verdict, batch[k].State = 0, 0
		}
		f.plan(run, batch...)
	}
}

func perSecond(b *testing.B, rows int, spent time.Duration) {
	b.ReportMetric(float64(rows)*float64(b.N)/spent.Seconds(), "rows/s")
}

// BenchmarkOpen makes a ledger, or opens one that is there.
func BenchmarkOpen(b *testing.B) {
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		dir := b.TempDir()
		for i := 0; b.Loop(); i++ {
			l, err := Open(filepath.Join(dir, fmt.Sprint(i, ".db")), Options{})
			check(b, err)
			check(b, l.Close())
		}
	})
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		path := filepath.Join(b.TempDir(), "l.db")
		check(b, fixtureAt(b, path).l.Close())
		for b.Loop() {
			l, err := Open(path, Options{})
			check(b, err)
			check(b, l.Close())
		}
	})
}

// BenchmarkPlan plans a file that is new to the ledger, and the same file
// once more. The profile is SQLite's: an insert or a look-up by the identity, and
// the row of the run.
func BenchmarkPlan(b *testing.B) {
	const rows = 8 * benchBatch
	entries := benchEntries(rows)
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		var spent time.Duration
		for b.Loop() {
			f := newFixture(b)
			begin := time.Now()
			benchPlan(f, entries)
			spent += time.Since(begin)
			check(b, f.l.Close())
		}
		perSecond(b, rows, spent)
	})
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		f := newFixture(b)
		benchPlan(f, entries)
		var spent time.Duration
		for b.Loop() {
			begin := time.Now()
			benchPlan(f, entries)
			spent += time.Since(begin)
		}
		perSecond(b, rows, spent)
	})
}

// BenchmarkSend takes planned rows through their life: reserved by chunks,
// settled one by one as their answers come. Durable or not is what the disk costs.
func BenchmarkSend(b *testing.B) {
	const rows, chunk = 4096, 128
	for name, o := range map[string]Options{"durable": {}, "unsafe": {Unsafe: true}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			body := fmt.Sprintf("%0600d", 0)
			var spent time.Duration
			for b.Loop() {
				f := &fixture{t: b, l: open(b, filepath.Join(b.TempDir(), "l.db"), o)}
				var err error
				f.acct, err = f.l.Account(b.Context(), "api.example.com", []string{"keys:api.example.com:1"})
				check(b, err)
				f.scope, err = f.l.Scope(b.Context(), f.acct, "opportunity:12000")
				check(b, err)
				entries := benchEntries(rows)
				benchPlan(f, entries)
				begin := time.Now()
				var wg sync.WaitGroup
				for i := 0; i < rows; i += chunk {
					intents := make([]Intent, chunk)
					at := time.Now()
					for k := range intents {
						intents[k] = Intent{Record: entries[i+k].Record, Account: f.acct, At: at, Payload: Payload{Target: "opportunity", Body: body, Lead: "x"}}
					}
					check(b, f.l.Reserve(b.Context(), intents))
					wg.Add(chunk)
					for k := range intents {
						f.l.SettleLater(Outcome{Record: intents[k].Record, State: Loaded, ID: fmt.Sprintf("%08x-72a4-4f31-9d06-%012x", uint32(i+k)*2654435761, i+k)}, func(err error) {
							if err != nil {
								b.Error(err)
							}
							wg.Done()
						})
					}
				}
				wg.Wait()
				spent += time.Since(begin)
				check(b, f.l.Close())
			}
			perSecond(b, rows, spent)
		})
	}
}

// BenchmarkRows reads a run's rows as the results file does.
func BenchmarkRows(b *testing.B) {
	const rows = 16 * benchBatch
	f := newFixture(b)
	entries := benchEntries(rows)
	benchPlan(f, entries)
	var run int64
	check(b, f.l.db.QueryRow("SELECT max(id) FROM runs").Scan(&run))
	b.ReportAllocs()
	begin := time.Now()
	for b.Loop() {
		n := 0
		for _, err := range f.l.Rows(b.Context(), run) {
			check(b, err)
			n++
		}
		if n != rows {
			b.Fatalf("%d rows, want %d", n, rows)
		}
	}
	perSecond(b, rows, time.Since(begin))
}

// BenchmarkPreview decides about a file of which the ledger knows nothing,
// beside other rows: asked for each row, and once it knows its names.
func BenchmarkPreview(b *testing.B) {
	const rows = 8 * benchBatch
	entries := benchEntries(2 * rows)
	f := newFixture(b)
	benchPlan(f, entries[:rows])
	for _, learnt := range []bool{false, true} {
		b.Run(map[bool]string{false: "asked", true: "learnt"}[learnt], func(b *testing.B) {
			b.ReportAllocs()
			begin := time.Now()
			for b.Loop() {
				p, err := f.l.Preview(b.Context(), []string{"keys:api.example.com:1"}, "opportunity:12000")
				check(b, err)
				if learnt {
					check(b, p.learn(b.Context()))
				}
				for i := range entries[rows:] {
					e := &entries[rows+i]
					e.Verdict, e.Fresh = 0, !p.Known(e)
					check(b, p.Decide(b.Context(), e))
				}
				check(b, p.Close())
			}
			perSecond(b, rows, time.Since(begin))
		})
	}
}
