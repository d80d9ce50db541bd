package loader

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/ledger"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/source"
	"leadload/loader/words"
	"leadload/mapping"
)

// adopt looks for the rows of a file as a process of its own would.
func (b *bench) adopt(path string, values bool) (AdoptResult, error) {
	b.t.Helper()
	s := b.connect()
	defer func() { check(b.t, s.Close()) }()
	m, err := mapping.Parse("deals.yaml", []byte(b.mapping))
	check(b.t, err)
	f, err := source.Open(path, source.Options{})
	check(b.t, err)
	defer f.Close()
	return s.Adopt(b.t.Context(), AdoptJob{Job: Job{Input: filepath.Base(path), InputPath: path, File: f, Mapping: m}, ByValues: values, Newest: b.newest,
		Row: func(AdoptedRow) error { return nil }})
}

// TestAdoptTakesRowsOutOfDoubt loads a row whose call was repeated on its way, and one
// whose answer was lost. The first has two records and stays in doubt until somebody
// takes the newest, which an undo leaves alone; the second is the import's to settle.
func TestAdoptTakesRowsOutOfDoubt(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{Deletable: true})
		defer b.close()
		b.mapping += "    mx_Custom_12: Deal\n"
		b.o.SettleAfter = time.Second
		b.known()
		path := b.deals("D1,a@example.com,A", "D2,b@example.com,B")
		b.wire.after = func(req *http.Request, body []byte, resp *http.Response) *http.Response {
			if !strings.HasSuffix(req.URL.Path, "/Capture") {
				return resp
			}
			if strings.Contains(string(body), "a@example.com") {
				time.Sleep(2 * time.Second)
				again := req.Clone(req.Context())
				again.Body = io.NopCloser(strings.NewReader(string(body)))
				b.wire.handler.ServeHTTP(httptest.NewRecorder(), again)
			}
			return page(502)
		}
		b.o.NoSettle = true
		first, err := b.load(t.Context(), path)
		if err != nil || first.Totals[ledger.ResultInDoubt] != 2 || len(b.account.Opportunities()) != 4 {
			t.Fatalf("%v, %s, %d records", err, first.Totals, len(b.account.Opportunities()))
		}
		b.wire.after, b.o.NoSettle = nil, false
		time.Sleep(time.Minute)
		var newest sandbox.Opportunity
		for _, o := range b.account.Opportunities() {
			if o.Fields["mx_Custom_12"] == "D1" && o.CreatedOn.After(newest.CreatedOn) {
				newest = o
			}
		}
		for _, c := range []struct {
			newest                  bool
			adopted, known, several int64
		}{{false, 0, 1, 1}, {true, 1, 1, 0}, {true, 0, 2, 0}} {
			b.newest = c.newest
			got, err := b.adopt(path, false)
			if n := got.Totals.N; err != nil || n[words.Adopted] != c.adopted || n[words.KnownBefore] != c.known || n[words.Several] != c.several {
				t.Fatalf("--take newest %v: %v, %s", c.newest, err, got.Totals)
			}
		}
		res, err := b.load(t.Context(), path)
		rows := b.rows(res)
		if err != nil || res.Totals[ledger.ResultInDoubt] != 0 || len(b.account.Opportunities()) != 4 || !strings.EqualFold(rows[0].ID, newest.ID) || rows[1].ID == "" {
			t.Errorf("%v, %s, %d records, %+v", err, res.Totals, len(b.account.Opportunities()), rows)
		}
		if _, err := b.undo(t.Context(), first.Run.ID); err != nil {
			t.Error(err)
		}
		if !slices.ContainsFunc(b.account.Opportunities(), func(o sandbox.Opportunity) bool { return o.ID == newest.ID }) {
			t.Error("an undo has deleted the record that somebody took")
		}
	})
}

// lose begins a new ledger in the place of a lost one.
func (b *bench) lose() {
	b.t.Helper()
	check(b.t, b.led.Close())
	var err error
	b.led, err = sqlite.Open(filepath.Join(b.dir, fmt.Sprintf("ledger-%d.db", time.Now().UnixNano())), sqlite.Options{Unsafe: true})
	check(b.t, err)
	b.o.Ledger = b.led
}

// TestAdoptEveryTarget loses a ledger in the middle of a load whose answers were
// lost. After adopt, the import sends exactly the rest.
func TestAdoptEveryTarget(t *testing.T) {
	for _, target := range mapping.Targets() {
		bubble(t, string(target), func(t *testing.T) {
			form := targetForms[target]
			b := newBench(t, sandbox.Options{AsyncDelay: 5 * time.Second, IndexLag: 30 * time.Second})
			defer b.close()
			b.mapping = form.mapping
			b.o.NoSettle, b.o.SettleAfter = true, 90*time.Second
			for i := range 5 {
				_, err := b.account.AddLead(map[string]string{"EmailAddress": fmt.Sprintf("a%d@example.com", i)})
				check(t, err)
			}
			time.Sleep(time.Minute) // the leads are known to every search
			rows := []string{"D0,a0@example.com,A", "D1,a1@example.com,B", "D2,a2@example.com,C", "D3,a3@example.com,D"}
			check(t, b.account.FailNext(sandbox.FaultLostAnswer, sandbox.FaultBadGatewayAfter))
			_, err := b.load(t.Context(), b.deals(rows...))
			check(t, err)
			time.Sleep(6 * time.Second) // the account's queue is empty
			b.lose()
			path := b.deals(append(rows, "D4,a4@example.com,E")...)
			got, err := b.adopt(path, true)
			if err != nil || got.Totals.N[words.Adopted] != 4 || got.Totals.N[words.Absent] != 1 {
				t.Fatalf("%v, %s", err, got.Totals)
			}
			b.o.NoSettle = false
			res, err := b.load(t.Context(), path)
			if err != nil || res.Totals[ledger.ResultAlready] != 4 || res.Totals[ledger.ResultLoaded] != 1 || form.held(b.account) != 5 {
				t.Errorf("%v, %s, %d records", err, res.Totals, form.held(b.account))
			}
		})
	}
}

// TestAdoptDoubtsPages looks for rows in pages that do not show what is there, or that
// contradict themselves. The lists of the leads are asked then.
func TestAdoptDoubtsPages(t *testing.T) {
	for _, c := range []struct {
		name string
		page string // in the place of the account's
	}{
		{"empty pages", `{"RecordCount":0,"ProspectActivities":[]}`},
		{"records without their fields", `{"RecordCount":1,"ProspectActivities":[{"Id":"11111111-2222-4333-8444-555555555555"}]}`},
		{"a count that is never reached", `{"RecordCount":7,"ProspectActivities":[{"Id":"11111111-2222-4333-8444-555555555555"}]}`},
		{"a page that cannot be read", `{"Records":"many"}`},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.mapping += "    mx_Custom_12: Deal\n"
			b.o.Account.Limit.Calls, b.o.SettleAfter = 1000, time.Second
			check(t, b.account.SetLimit(1000, 5*time.Second))
			path := b.many(asked + 30)
			_, err := b.load(t.Context(), path)
			check(t, err)
			b.lose()
			b.wire.after = func(req *http.Request, _ []byte, resp *http.Response) *http.Response {
				if strings.HasSuffix(req.URL.Path, "/RetrieveRecentlyModified") {
					resp.Body = io.NopCloser(strings.NewReader(c.page))
				}
				return resp
			}
			got, err := b.adopt(path, false)
			if err != nil || got.Totals.N[words.Adopted] != asked+30 {
				t.Errorf("%v, %s", err, got.Totals)
			}
		})
	}
}

// TestAdoptInPages counts the calls of a file of many rows by the field that carries the key.
func TestAdoptInPages(t *testing.T) {
	for _, c := range []struct {
		name  string
		more  string // in the mapping
		calls int64
		code  string
	}{
		{"in pages", "    mx_Custom_12: Deal\n", 8, ""},
		{"no field carries the key", "", 0, "usage"},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.mapping += c.more
			b.o.Account.Limit.Calls, b.o.SettleAfter = 1000, time.Second
			check(t, b.account.SetLimit(1000, 5*time.Second))
			path := b.many(2500)
			_, err := b.load(t.Context(), path)
			check(t, err)
			b.lose()
			got, err := b.adopt(path, false)
			if c.code != "" {
				if codeOf(err) != c.code || !strings.Contains(fmt.Sprint(err), "no field of the record carries the key") {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || got.Totals.N[words.Adopted] != 2500 || got.Calls > c.calls {
				t.Errorf("%v, %s, %d calls", err, got.Totals, got.Calls)
			}
		})
	}
}
