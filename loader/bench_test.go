package loader

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/account"
	"leadload/loader/ledger"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/pace"
	"leadload/loader/source"
	"leadload/mapping"
)

// BenchmarkImport loads a file over real HTTP into a practice account without
// a limit: with a durable ledger, and with one that leaves it to the system
// when to write. The difference is what durability costs.
func BenchmarkImport(b *testing.B) {
	const rows = 5000
	for _, c := range []struct {
		name string
		o    sqlite.Options
	}{{"durable", sqlite.Options{}}, {"unsafe", sqlite.Options{Unsafe: true}}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var spent time.Duration
			for b.Loop() {
				dir := b.TempDir()
				a, err := sandbox.Start(sandbox.Options{Calls: sandbox.NoLimit, DropBodies: true})
				check(b, err)
				path := filepath.Join(dir, "deals.csv")
				text := []byte("Deal,Email,Name\n")
				for i := range rows {
					text = fmt.Appendf(text, "D%d,own%d@example.com,Deal %d\n", i, i, i)
				}
				check(b, os.WriteFile(path, text, 0o600))
				led, err := sqlite.Open(filepath.Join(dir, "ledger.db"), c.o)
				check(b, err)
				o := Options{Account: account.Account{Host: a.URL(), AsyncHost: a.AsyncURL(), Limit: pace.Unlimited}, Ledger: led}
				access, secret, async := a.Keys()
				o.Account.SetKeys(access, secret, async)
				s, err := Connect(b.Context(), o)
				check(b, err)
				m, err := mapping.Parse("deals.yaml", []byte(dealMapping))
				check(b, err)
				f, err := source.Open(path, source.Options{})
				check(b, err)
				begin := time.Now()
				res, err := s.Import(b.Context(), Job{Input: "deals.csv", File: f, Mapping: m})
				spent += time.Since(begin)
				if err != nil || res.Totals[ledger.ResultLoaded] != rows {
					b.Fatal(err, res.Totals)
				}
				check(b, f.Close())
				check(b, s.Close())
				check(b, led.Close())
				check(b, a.Close())
			}
			b.ReportMetric(float64(rows)*float64(b.N)/spent.Seconds(), "rows/s")
		})
	}
}
