package loader

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
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
	return s.Adopt(b.t.Context(), AdoptJob{Job: Job{Input: filepath.Base(path), InputPath: path, File: f, Mapping: m}, ByValues: values,
		Row: func(AdoptedRow) error { return nil }})
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
