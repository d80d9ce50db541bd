package loader

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leadload/internal/fault"
	"leadload/internal/sandbox"
	"leadload/loader/account"
	"leadload/loader/ledger"
	"leadload/loader/words"
)

// oddBulk rewrites the records in the answers to a bulk read.
func (b *bench) oddBulk(rewrite func(list []map[string]any) []map[string]any) {
	b.wire.after = func(req *http.Request, _ []byte, resp *http.Response) *http.Response {
		if !strings.HasSuffix(req.URL.Path, "/GetOpportunitiesById") || resp.StatusCode != 200 {
			return resp
		}
		var groups []struct {
			EventCode     int
			RecordCount   int
			Opportunities []map[string]any
		}
		if err := json.NewDecoder(resp.Body).Decode(&groups); err != nil || len(groups) != 1 {
			b.t.Errorf("%v, %d groups", err, len(groups))
		}
		groups[0].Opportunities = rewrite(groups[0].Opportunities)
		groups[0].RecordCount = len(groups[0].Opportunities)
		text, err := json.Marshal(groups)
		check(b.t, err)
		return jsonAnswer(string(text))
	}
}

// TestVerifyOddAnswers reads an account back whose bulk read answers in its own way.
func TestVerifyOddAnswers(t *testing.T) {
	const rows = 120
	moment := "2026-01-31 10:30:00"
	shapes := []string{"1/31/2026 10:30:00 AM", "2026-01-31T10:30:00Z", "/Date(1769855400000+0000)/", "2026-01-31 10:30:00.000"}
	for _, c := range []struct {
		name    string
		rewrite func([]map[string]any) []map[string]any
		calls   int64 // at most
	}{
		{"as it is documented", func(l []map[string]any) []map[string]any { return l }, 1},
		{"a bound of 50 records", func(l []map[string]any) []map[string]any { return l[:min(len(l), 50)] }, 22},
		{"all but a few", func(l []map[string]any) []map[string]any { return l[:len(l)-3] }, 4},
		{"in another order", func(l []map[string]any) []map[string]any { slices.Reverse(l); return l }, 1},
		{"ids in capitals", func(l []map[string]any) []map[string]any {
			for _, o := range l {
				o["ProspectActivityId"] = strings.ToUpper(fmt.Sprint(o["ProspectActivityId"]))
			}
			return l
		}, 1},
		{"moments in four shapes", func(l []map[string]any) []map[string]any {
			for i, o := range l {
				o["mx_Custom_1"] = shapes[i%len(shapes)]
			}
			return l
		}, 1},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.o.Account.Limit.Calls = 1000
			check(t, b.account.SetLimit(1000, 5*time.Second))
			var list []string
			for i := range rows {
				list = append(list, fmt.Sprintf("D%d,own%d@example.com,%s", i, i, moment))
			}
			path := b.deals(list...)
			if res, err := b.load(t.Context(), path); err != nil || res.Totals[ledger.ResultLoaded] != rows {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			b.oddBulk(c.rewrite)
			got, all, err := b.verify(path)
			if err != nil || got.Totals.N[words.Same] != rows || got.End != fault.Done || got.Calls > c.calls {
				t.Errorf("%v, %s, %d calls, %+v", err, got.Totals, got.Calls, all.differs[:min(len(all.differs), 2)])
			}
		})
	}
	bubble(t, "a record that nobody asked for", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		path := b.deals("D1,a@example.com,A", "D2,b@example.com,B")
		_, err := b.load(t.Context(), path)
		check(t, err)
		b.oddBulk(func(l []map[string]any) []map[string]any {
			l[1]["ProspectActivityId"] = "11111111-1111-4111-8111-111111111111"
			return l
		})
		// Such an answer is no answer: the records are read in another way.
		got, _, err := b.verify(path)
		if err != nil || got.Totals.N[words.Same] != 2 {
			t.Errorf("%v, %s", err, got.Totals)
		}
	})
}

// TestVerifyMovingPages ends with exit code 3 where somebody edits records for as long
// as their pages are read, so that not every record is seen.
func TestVerifyMovingPages(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{Without: []string{"/v2/OpportunityManagement.svc/GetOpportunitiesById"}})
		defer b.close()
		b.o.Account.Limit.Calls = 1000
		check(t, b.account.SetLimit(1000, 5*time.Second))
		path := b.many(1100)
		_, err := b.load(t.Context(), path)
		check(t, err)
		time.Sleep(time.Hour)
		all := b.account.Opportunities()
		n := 0
		b.wire.after = func(req *http.Request, _ []byte, resp *http.Response) *http.Response {
			if strings.HasSuffix(req.URL.Path, "/RetrieveRecentlyModified") {
				for range 7 {
					n++
					check(b.t, b.account.EditOpportunity(all[n*31%len(all)].ID, "Asha", map[string]string{"mx_Custom_12": fmt.Sprint(n)}))
				}
			}
			return resp
		}
		got, _, err := b.verify(path)
		if codeOf(err) != "account.pages" || got.End != fault.Stopped || got.End.Exit() != 3 {
			t.Errorf("%v, %s, end %v", err, got.Totals, got.End)
		}
	})
}

// TestLacks remembers over runs, for a day, which calls an account does not have.
func TestLacks(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		o := Options{StateDir: t.TempDir(), Account: account.Account{Host: "https://api.example.com"}}
		other := Options{StateDir: o.StateDir, Account: account.Account{Host: "https://api-2.example.com"}}
		o.Account.SetKeys("u$r1", "secret", "")
		other.Account.SetKeys("u$r2", "secret", "")
		lacksOf(o).SetMissing("GetOpportunitiesById")
		for _, c := range []struct {
			wait  time.Duration
			of    Options
			knows bool
		}{{0, o, true}, {0, other, false}, {23 * time.Hour, o, true}, {time.Hour, o, false}} {
			time.Sleep(c.wait)
			if m := lacksOf(c.of); m.Missing("GetOpportunitiesById") != c.knows || m.any() != c.knows || m.Missing("Bulk") {
				t.Errorf("after %s: remembered %v, want %v", c.wait, m.calls, c.knows)
			}
		}
		files, err := filepath.Glob(filepath.Join(o.StateDir, "lacks", "*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, err)
		}
		check(t, os.WriteFile(files[0], []byte("{"), 0o600))
		if m := lacksOf(o); m.any() {
			t.Errorf("a broken file: %v", m.calls)
		}
	})
}
