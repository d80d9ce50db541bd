package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
)

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
// once more when it is loaded.
func BenchmarkPlan(b *testing.B) {
	const rows = 8 * planBatch
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		entries := manyEntries(rows)
		var spent time.Duration
		for b.Loop() {
			f := newFixture(b)
			begin := time.Now()
			planAll(f.Fixture, f.Run(), entries)
			spent += time.Since(begin)
			check(b, f.l.Close())
		}
		perSecond(b, rows, spent)
	})
	b.Run("again", func(b *testing.B) {
		b.ReportAllocs()
		entries := manyEntries(rows)
		f := newFixture(b)
		planAll(f.Fixture, f.Run(), entries)
		sendAll(f.Fixture, entries)
		var spent time.Duration
		for b.Loop() {
			begin := time.Now()
			planAll(f.Fixture, f.Run(), entries)
			spent += time.Since(begin)
		}
		perSecond(b, rows, spent)
	})
}

// BenchmarkSend takes planned rows through their life: reserved by chunks,
// settled one by one as their answers come. Durable or not is what the disk costs.
func BenchmarkSend(b *testing.B) {
	const rows = 4096
	for name, o := range map[string]Options{"durable": {}, "unsafe": {Unsafe: true}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var spent time.Duration
			for b.Loop() {
				path := filepath.Join(b.TempDir(), "l.db")
				f := ledgertest.New(b, func(t testing.TB) ledger.Store { return open(t, path, o) })
				entries := manyEntries(rows)
				planAll(f, f.Run(), entries)
				begin := time.Now()
				sendAll(f, entries)
				spent += time.Since(begin)
				check(b, f.Store.Close())
			}
			perSecond(b, rows, spent)
		})
	}
}

// BenchmarkRows reads a run's rows as the results file does.
func BenchmarkRows(b *testing.B) {
	const rows = 16 * planBatch
	f := newFixture(b)
	entries := manyEntries(rows)
	run := f.Run()
	planAll(f.Fixture, run, entries)
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

// BenchmarkIdents reads what names all records, as a check does.
func BenchmarkIdents(b *testing.B) {
	const rows = 64 * planBatch
	f := newFixture(b)
	planAll(f.Fixture, f.Run(), manyEntries(rows))
	for b.Loop() {
		set, err := f.l.Idents(b.Context(), f.Scope, rows)
		if err != nil || len(set) != rows {
			b.Fatal(len(set), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/record")
}
