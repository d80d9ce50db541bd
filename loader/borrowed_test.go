package loader

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"leadload/internal/fault"
	"leadload/internal/sandbox"
	"leadload/loader/ledger"
)

var createdID = regexp.MustCompile(`"CreatedOpportunityId":"([^"]*)"`)

// renamed puts another id into the answers to captures: other gets the id that the
// account gave, and the number of the capture.
func renamed(other func(id string, n int) string) func(*http.Request, []byte, *http.Response) *http.Response {
	var mu sync.Mutex // calls end side by side
	n := 0
	return func(r *http.Request, _ []byte, resp *http.Response) *http.Response {
		if !strings.HasSuffix(r.URL.Path, "/OpportunityManagement.svc/Capture") {
			return resp
		}
		body, _ := io.ReadAll(resp.Body) // of a recorder: it cannot fail
		mu.Lock()
		defer mu.Unlock()
		if m := createdID.FindSubmatch(body); m != nil {
			n++
			body = bytes.Replace(body, m[1], []byte(other(string(m[1]), n)), 1)
		}
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return resp
	}
}

// honest checks that every row which is told to be loaded has the record that
// carries its name, and that the account has each name once.
func (b *bench) honest(rows []ledger.Row, names map[string]string) {
	b.t.Helper()
	has := map[string]string{}
	times := map[string]int{}
	for _, o := range b.account.Opportunities() {
		has[o.ID] = o.Fields["mx_Custom_1"]
		times[o.Fields["mx_Custom_1"]]++
	}
	for _, r := range rows {
		if name := names[r.Key]; (r.Result == ledger.ResultLoaded || r.Result == ledger.ResultAlready) && has[r.ID] != name {
			b.t.Errorf("row %s is told to be %s, which says %q and not %q", r.Key, r.ID, has[r.ID], name)
		}
	}
	for name, n := range times {
		if n > 1 {
			b.t.Errorf("%d records say %q", n, name)
		}
	}
}

// TestBorrowedIDs answers with ids of other rows, and ids that are none: no such
// row is told to be loaded by them, none is sent twice, and all are in the
// account in the end.
func TestBorrowedIDs(t *testing.T) {
	names := map[string]string{"D1": "A", "D2": "B", "D3": "C"}
	files := []string{"D1,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C"}
	for name, c := range map[string]struct {
		other func(b *bench) func(id string, n int) string
	}{
		"one id for all": {func(*bench) func(string, int) string {
			first := ""
			return func(id string, n int) string {
				if n == 1 {
					first = id
				}
				return first
			}
		}},
		"the id of an earlier run": {func(b *bench) func(string, int) string {
			old := b.account.Opportunities()[0].ID
			return func(string, int) string { return strings.ToUpper(old) }
		}},
		"the answer of the call before": {func(b *bench) func(string, int) string {
			before := b.account.Opportunities()[0].ID
			return func(id string, _ int) string { id, before = before, id; return id }
		}},
		"an id of another form": {func(*bench) func(string, int) string {
			return func(id string, _ int) string { return strings.ReplaceAll(id, "-", "")[:20] }
		}},
		"a replacement character": {func(*bench) func(string, int) string {
			return func(id string, _ int) string { return id[:10] + "\ufffd" + id[11:] }
		}},
		"a control character": {func(*bench) func(string, int) string {
			return func(id string, _ int) string { return id[:10] + `\u0007` + id[11:] }
		}},
	} {
		bubble(t, name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.known()
			b.wire.after = renamed(c.other(b))
			path := b.deals(files...)
			b.o.NoSettle = true
			res, err := b.load(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			b.honestly(res, names, name)
			b.wire.after = nil
			b.o.NoSettle = false
			for range 3 { // a row that lost its record is looked up once its file is there
				_, err := b.settle(t.Context())
				check(t, err)
				res, err = b.load(t.Context(), path)
				check(t, err)
			}
			b.honest(b.rows(res), names)
			if got := res.Totals; got[ledger.ResultLoaded]+got[ledger.ResultAlready] != 3 || b.account.Count().Opportunities != 4 {
				t.Errorf("in the end %s, %d records", got, b.account.Count().Opportunities)
			}
		})
	}
}

// honestly checks the first run: of an answer that took another row's id before
// that row had it, nobody can know.
func (b *bench) honestly(res Result, names map[string]string, what string) {
	b.t.Helper()
	if what != "the answer of the call before" {
		b.honest(b.rows(res), names)
	}
	if res.Totals[ledger.ResultInDoubt] == 0 {
		b.t.Errorf("%s: no row is in doubt", res.Totals)
	}
}

func (b *bench) settle(ctx context.Context) (SettleResult, error) {
	b.t.Helper()
	s := b.connect()
	defer func() { check(b.t, s.Close()) }()
	return s.Settle(ctx)
}

// TestSharedIDsAreMended says that rows which an earlier version let have one id
// are taken apart by settle, and found again when their file is loaded.
func TestSharedIDsAreMended(t *testing.T) {
	names := map[string]string{"D1": "A", "D2": "B", "D3": "C"}
	for name, owner := range map[string]string{"the first row's": "A", "the last row's": "C", "nobody's": "Known"} {
		bubble(t, name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.known()
			path := b.deals("D1,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C")
			_, err := b.load(t.Context(), path)
			check(t, err)
			db, err := sql.Open("sqlite", filepath.Join(b.dir, "ledger.db"))
			check(t, err)
			defer db.Close()
			for _, o := range b.account.Opportunities() {
				if o.Fields["mx_Custom_1"] == owner {
					_, err := db.Exec("UPDATE records SET remote = unhex(?) WHERE key <> 'D0'", strings.ReplaceAll(o.ID, "-", ""))
					check(t, err)
				}
			}
			set, err := b.settle(t.Context())
			lost := int64(2)
			if owner == "Known" {
				lost = 3
			}
			if err != nil || set.Rows[ledger.ResultInDoubt] != lost || set.End != fault.Person || !strings.Contains(strings.Join(b.said, "\n"), "the id of another row") {
				t.Errorf("settle: %v, %s, end %d, said %q", err, set.Rows, set.End, b.said)
			}
			res, err := b.load(t.Context(), path)
			if got := res.Totals; err != nil || got[ledger.ResultLoaded] != lost || got[ledger.ResultAlready] != 3-lost || b.account.Count().Opportunities != 4 {
				t.Errorf("load: %v, %s, %d records", err, got, b.account.Count().Opportunities)
			}
			b.honest(b.rows(res), names)
		})
	}
}
