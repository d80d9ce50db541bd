package loader

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/words"
	"leadload/mapping"
)

func (b *bench) undo(ctx context.Context, run int64) (UndoResult, error) {
	b.t.Helper()
	s := b.connect()
	defer func() { check(b.t, s.Close()) }()
	return s.Undo(ctx, UndoJob{Run: run})
}

var modifiedOn = regexp.MustCompile(`"ModifiedOn":"[^"]*"`)

// TestUndo takes an opportunity and a sale back in trouble of all kinds, in fake time.
func TestUndo(t *testing.T) {
	page503 := func(path string, until time.Duration) func(b *bench) {
		return func(b *bench) {
			begin := time.Now()
			b.wire.before = func(req *http.Request) (*http.Response, error) {
				if strings.HasSuffix(req.URL.Path, path) && (until == 0 || time.Since(begin) < until) {
					return page(503), nil
				}
				return nil, nil
			}
		}
	}
	fail := func(how ...string) func(b *bench) {
		return func(b *bench) { check(b.t, b.account.FailNext(how...)) }
	}
	for _, c := range []struct {
		name   string
		sale   bool
		locked bool // its type allows no deletion
		set    func(b *bench)
		result int
		left   int
		atOnce bool // nothing is waited for
		waits  time.Duration
		calls  int // that take the record back
	}{
		{name: "nothing in the way", result: words.Undone, atOnce: true, calls: 1},
		{name: "its type allows no deletion", locked: true, result: words.Kept, left: 1, atOnce: true},
		{name: "the answer is lost", set: fail(sandbox.FaultLostAnswer), result: words.Undone, calls: 1},
		{name: "the request is lost", set: fail(sandbox.FaultCutBefore), result: words.Undone, waits: 90 * time.Second, calls: 2},
		{name: "a gateway's page after it was done", set: fail(sandbox.FaultBadGatewayAfter), result: words.Undone, calls: 1},
		{name: "somebody changed it", result: words.Kept, left: 1, atOnce: true, set: func(b *bench) {
			time.Sleep(2 * time.Second)
			check(b.t, b.account.EditOpportunity(b.account.Opportunities()[0].ID, "Asha", map[string]string{"Status": "Lost"}))
		}},
		{name: "the account took its two times from the clock one after the other", result: words.Undone, atOnce: true, calls: 1, set: func(b *bench) {
			modified := b.account.Opportunities()[0].CreatedOn.Truncate(time.Second).Add(400 * time.Millisecond)
			b.wire.after = func(_ *http.Request, _ []byte, resp *http.Response) *http.Response {
				body, err := io.ReadAll(resp.Body)
				check(b.t, err)
				body = modifiedOn.ReplaceAll(body, []byte(`"ModifiedOn":"`+modified.Format("2006-01-02 15:04:05.000")+`"`))
				resp.Body = io.NopCloser(bytes.NewReader(body))
				return resp
			}
		}},
		{name: "somebody deleted it", result: words.Undone, atOnce: true, set: func(b *bench) {
			check(b.t, b.account.DeleteRecord(b.account.Opportunities()[0].ID))
		}},
		{name: "a sale", sale: true, result: words.Undone, left: 1, atOnce: true, calls: 1},
		{name: "a sale, the answer is lost", sale: true, set: fail(sandbox.FaultLostAnswer), result: words.Undone, left: 1, calls: 1},
		{name: "a sale, the request is lost", sale: true, set: fail(sandbox.FaultCutBefore), result: words.Undone, left: 1, waits: 90 * time.Second, calls: 2},
		{name: "a sale that somebody changed", sale: true, result: words.Kept, left: 1, atOnce: true, set: func(b *bench) {
			check(b.t, b.account.EditSalesActivity(b.account.SalesActivities()[0].ID, "Asha", map[string]string{"mx_Custom_5": "Z"}))
		}},
		{name: "a sale whose list cannot be read for a while", sale: true, result: words.Undone, left: 1, calls: 1, set: page503("/RetrieveByLeadId", 20*time.Second)},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{Deletable: !c.locked})
			defer b.close()
			call := "Delete"
			if c.sale {
				b.mapping, call = targetForms[mapping.SalesActivity].mapping, "Cancel"
				_, err := b.account.AddLead(map[string]string{"EmailAddress": "a@example.com"})
				check(t, err)
			}
			res, err := b.load(t.Context(), b.deals("D1,a@example.com,A"))
			check(t, err)
			if c.set != nil {
				c.set(b)
			}
			begin := time.Now()
			got, err := b.undo(t.Context(), res.Run.ID)
			took := time.Since(begin)
			if err != nil || len(got.Rows) != 1 || got.Rows[0].Place != c.result {
				t.Fatalf("%v, %+v", err, got)
			}
			if n := len(b.account.Opportunities()) + len(b.account.SalesActivities()); n != c.left {
				t.Errorf("%d records in the account, want %d", n, c.left)
			}
			if c.atOnce && took > 2*time.Second || took < c.waits {
				t.Errorf("took %s, want at least %s", took, c.waits)
			}
			if n := b.wire.count(call); n != c.calls {
				t.Errorf("%d calls of %s, want %d", n, call, c.calls)
			}
			b.wire.before = nil
			again, err := b.undo(t.Context(), res.Run.ID)
			if err != nil || again.Rows[0].Place != c.result || b.wire.count(call) != c.calls {
				t.Errorf("a second undo: %v, %+v, %d calls", err, again.Rows, b.wire.count(call))
			}
			if open, err := b.led.CountOpen(t.Context(), 1); err != nil || open.InDoubt != 0 {
				t.Errorf("%d operations are in open.InDoubt (%v)", open.InDoubt, err)
			}
			loaded, err := b.load(t.Context(), b.deals("D1,a@example.com,A"))
			want := "already 1 "
			if c.result == words.Undone {
				want = "loaded 1 "
			}
			if err != nil || !strings.Contains(loaded.Totals.String(), want) {
				t.Errorf("the next import: %v, %s", err, loaded.Totals)
			}
		})
	}
}

// TestUndoUnclear says that a deletion which no read confirms stays in doubt, and
// that the next undo settles it without a second deletion.
func TestUndoUnclear(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{Deletable: true})
		defer b.close()
		res, err := b.load(t.Context(), b.deals("D1,a@example.com,A", "D2,b@example.com,B"))
		check(t, err)
		var deleted atomic.Bool
		b.wire.before = func(req *http.Request) (*http.Response, error) {
			path := req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]
			if path == "Delete" {
				deleted.Store(true)
			}
			if deleted.Load() && (path == "GetOpportunityDetails" || path == "Retrieve") {
				return &http.Response{StatusCode: 500, Header: http.Header{"Content-Type": {"application/json"}}, Body: http.NoBody}, nil
			}
			return nil, nil
		}
		b.o.OutageLimit = time.Hour
		got, err := b.undo(t.Context(), res.Run.ID)
		if err != nil || got.Totals.N[words.Failed] != 2 || got.Rows[0].Hint == "" {
			t.Fatalf("%v, %+v", err, got)
		}
		b.wire.before = nil
		got, err = b.undo(t.Context(), res.Run.ID)
		if err != nil || got.Totals.N[words.Undone] != 2 || b.wire.count("Delete") != 2 {
			t.Errorf("%v, %+v, %d deletions", err, got, b.wire.count("Delete"))
		}
	})
}

// TestUndoUntil says that an undo ends in time, and goes on where it was.
func TestUndoUntil(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{Deletable: true})
		defer b.close()
		res, err := b.load(t.Context(), b.many(100))
		check(t, err)
		b.o.Until = time.Now().Add(25 * time.Second)
		got, err := b.undo(t.Context(), res.Run.ID)
		if codeOf(err) != "run.until" || got.Totals.Sum() != 100 || got.Totals.N[words.Undone] == 0 || got.Totals.N[words.Failed] == 0 {
			t.Fatalf("%v, %s", err, got.Totals)
		}
		b.o.Until = time.Time{}
		got, err = b.undo(t.Context(), res.Run.ID)
		if err != nil || got.Totals.N[words.Undone] != 100 || b.wire.count("Delete") != 100 {
			t.Errorf("%v, %s, %d deletions", err, got.Totals, b.wire.count("Delete"))
		}
	})
}

// TestUndoUpdate puts the values back that an update replaced, in trouble of all
// kinds, in fake time.
func TestUndoUpdate(t *testing.T) {
	fail := func(how ...string) func(b *bench) {
		return func(b *bench) { check(b.t, b.account.FailNext(how...)) }
	}
	for _, c := range []struct {
		name  string
		lag   time.Duration // until reads show an update
		set   func(b *bench)
		first int           // the result
		again int           // that of a second undo
		waits time.Duration // at least
		most  time.Duration
		calls int // of the update, in both
	}{
		{name: "nothing in the way", first: words.Restored, again: words.Restored, most: 5 * time.Second, calls: 1},
		{name: "reads show it late", lag: 40 * time.Second, first: words.Restored, again: words.Restored, most: 5 * time.Second, calls: 1},
		{name: "the answer is lost", set: fail(sandbox.FaultLostAnswer), first: words.Restored, again: words.Restored, most: 5 * time.Second, calls: 1},
		{name: "the answer is lost and reads show it late", lag: 40 * time.Second, set: fail(sandbox.FaultLostAnswer), first: words.Restored, again: words.Restored,
			waits: 35 * time.Second, most: 60 * time.Second, calls: 1},
		{name: "the request is lost", set: fail(sandbox.FaultCutBefore), first: words.Restored, again: words.Restored, waits: 80 * time.Second, most: 110 * time.Second, calls: 2},
		{name: "a gateway's page before it was done, reads late", lag: 40 * time.Second, set: fail(sandbox.FaultBadGatewayBefore), first: words.Restored, again: words.Restored,
			waits: 80 * time.Second, most: 110 * time.Second, calls: 2},
		{name: "refused, and taken at the second time", first: words.Failed, again: words.Restored, most: 5 * time.Second, calls: 2, set: func(b *bench) {
			refused := false
			b.wire.before = func(req *http.Request) (*http.Response, error) {
				if strings.HasSuffix(req.URL.Path, "/OpportunityManagement.svc/Update") && !refused {
					refused = true
					return jsonAnswer(`{"Status":"Error","ExceptionType":"MXInvalidActivityFieldsException","ExceptionMessage":"the field is locked today"}`), nil
				}
				return nil, nil
			}
		}},
		{name: "the answer is lost, and somebody changed it at once", set: func(b *bench) {
			check(b.t, b.account.FailNext(sandbox.FaultLostAnswer))
			read := 0
			b.wire.before = func(req *http.Request) (*http.Response, error) {
				if b.wire.count("Update") > 1 && !strings.HasSuffix(req.URL.Path, "/Update") {
					if read++; read == 1 {
						check(b.t, b.account.EditOpportunity(b.account.Opportunities()[0].ID, "Asha", map[string]string{"mx_Custom_1": "by hand"}))
					}
				}
				return nil, nil
			}
		}, first: words.Kept, again: words.Kept, most: 110 * time.Second, calls: 1},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{UpdateLag: c.lag})
			defer b.close()
			b.mapping = strings.Replace(b.mapping, "key: Deal\n", "key: Deal\non_change: update\n", 1)
			_, err := b.load(t.Context(), b.deals("D1,a@example.com,before"))
			check(t, err)
			time.Sleep(time.Minute)
			res, err := b.load(t.Context(), b.deals("D1,a@example.com,after"))
			if err != nil || !strings.Contains(res.Totals.String(), "updated 1 ") {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			time.Sleep(2 * time.Minute)
			if c.set != nil {
				c.set(b)
			}
			began := time.Now()
			got, err := b.undo(t.Context(), res.Run.ID)
			took := time.Since(began)
			if err != nil || len(got.Rows) != 1 || got.Rows[0].Place != c.first {
				t.Fatalf("%v, %s, %+v", err, got.Totals, got.Rows)
			}
			if took < c.waits || took > c.most {
				t.Errorf("took %s, want %s to %s", took, c.waits, c.most)
			}
			time.Sleep(2 * time.Minute)
			again, err := b.undo(t.Context(), res.Run.ID)
			if err != nil || len(again.Rows) != 1 || again.Rows[0].Place != c.again {
				t.Errorf("a second undo: %v, %s, %+v", err, again.Totals, again.Rows)
			}
			if n := b.wire.count("Update") - 1; n != c.calls {
				t.Errorf("%d calls of the update, want %d", n, c.calls)
			}
			want := "before"
			if c.again == words.Kept {
				want = "by hand"
			}
			if has := b.account.Opportunities()[0].Fields["mx_Custom_1"]; has != want {
				t.Errorf("the account has %q, want %q", has, want)
			}
			if open, err := b.led.CountOpen(t.Context(), 1); err != nil || open.Sum() != 0 {
				t.Errorf("%d operations are open (%v)", open.Sum(), err)
			}
		})
	}
}

// TestUndoUpdateUnread says that values which may have been put back are failed for as
// long as no read shows them, and that undo then goes on.
func TestUndoUpdateUnread(t *testing.T) {
	all, one := []string{"GetOpportunitiesById", "GetOpportunityDetails", "Retrieve", "RetrieveRecentlyModified"}, []string{"GetOpportunityDetails", "Retrieve"}
	for _, c := range []struct {
		name    string
		fail    string
		unread  []string // calls that fail meanwhile
		results [3]int64 // restored by the first, the second and the third undo
		calls   int
	}{
		{"the answer is lost, and nothing can be read", sandbox.FaultLostAnswer, all, [3]int64{1, 0, 2}, 2},
		{"the answer is lost, and one record cannot be read", sandbox.FaultLostAnswer, one, [3]int64{1, 2, 2}, 2},
		{"the request is lost, and one record cannot be read", sandbox.FaultCutBefore, one, [3]int64{1, 1, 2}, 3},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.mapping = strings.Replace(b.mapping, "key: Deal\n", "key: Deal\non_change: update\n", 1)
			_, err := b.load(t.Context(), b.deals("D1,a@example.com,before", "D2,b@example.com,before"))
			check(t, err)
			time.Sleep(time.Minute)
			res, err := b.load(t.Context(), b.deals("D1,a@example.com,after", "D2,b@example.com,after"))
			check(t, err)
			time.Sleep(2 * time.Minute)
			check(t, b.account.FailNext(c.fail))
			b.o.OutageLimit = time.Hour
			var blind atomic.Bool
			b.wire.before = func(req *http.Request) (*http.Response, error) {
				path := req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]
				if b.wire.count("Update") == 4 {
					blind.Store(true)
				}
				if blind.Load() && slices.Contains(c.unread, path) {
					return &http.Response{StatusCode: 500, Header: http.Header{"Content-Type": {"application/json"}}, Body: http.NoBody}, nil
				}
				return nil, nil
			}
			for i, restored := range c.results {
				if i == 2 {
					b.wire.before = nil
				}
				got, err := b.undo(t.Context(), res.Run.ID)
				if err != nil || got.Totals.N[words.Restored] != restored || got.Totals.N[words.Failed] != 2-restored {
					t.Errorf("undo %d: %v, %s, %+v", i+1, err, got.Totals, got.Rows)
				}
			}
			if n := b.wire.count("Update") - 2; n != c.calls {
				t.Errorf("%d updates, want %d", n, c.calls)
			}
		})
	}
}

// TestUndoWithoutTypes says that an account which does not list its opportunity types
// is no reason to stop: its records stay, and are told.
func TestUndoWithoutTypes(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{Deletable: true, Without: []string{"/v2/OpportunityManagement.svc/GetOpportunityTypes"}})
		defer b.close()
		res, err := b.load(t.Context(), b.deals("D1,a@example.com,A", "D2,b@example.com,B"))
		check(t, err)
		got, err := b.undo(t.Context(), res.Run.ID)
		if err != nil || got.Totals.N[words.Kept] != 2 || len(got.Plan.Stays) != 2 || !strings.Contains(got.Rows[0].Why, "the account does not list the type") {
			t.Errorf("%v, %+v", err, got)
		}
		if n := b.wire.count("Delete"); n != 0 {
			t.Errorf("%d deletions were tried", n)
		}
	})
}

// TestUndoWithOtherKeys says that two accounts of one host are told apart.
func TestUndoWithOtherKeys(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		res, err := b.load(t.Context(), b.deals("D1,a@example.com,A"))
		check(t, err)
		b.o.Account.SetKeys("another-access-key", "another-secret-key", "")
		if _, err := b.undo(t.Context(), res.Run.ID); codeOf(err) != "undo.account" || !strings.Contains(err.Error(), "with another access key") {
			t.Errorf("%v", err)
		}
	})
}
