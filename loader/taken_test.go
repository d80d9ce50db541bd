package loader

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/ledger"
)

const saleMapping = `version: 1
target: sales-activity
lead: {find_by: EmailAddress, column: Email}
SalesActivity:
  Status: {value: Won}
  Revenue: {column: Deal, type: number}
  mx_Custom_5: Name
`

// taken gives the answer to the row named A the id of the record that was made before
// it, whose own answer was lost.
func (b *bench) taken() func(*http.Request, []byte, *http.Response) *http.Response {
	return func(r *http.Request, sent []byte, resp *http.Response) *http.Response {
		if !bytes.Contains(sent, []byte(`"A"`)) || !strings.HasSuffix(r.URL.Path, "/Capture") && !strings.HasSuffix(r.URL.Path, "/Create") {
			return resp
		}
		body, _ := io.ReadAll(resp.Body)
		var ids []string
		for _, o := range b.account.Opportunities() {
			ids = append(ids, o.ID)
		}
		for _, v := range b.account.SalesActivities() {
			ids = append(ids, v.ID)
		}
		own, before := ids[len(ids)-1], ids[len(ids)-2]
		return jsonAnswer(strings.ReplaceAll(string(body), own, before))
	}
}

// names counts what the account has by name.
func (b *bench) names() map[string]int {
	all := map[string]int{}
	for _, o := range b.account.Opportunities() {
		all[o.Fields["mx_Custom_1"]]++
	}
	for _, v := range b.account.SalesActivities() {
		all[v.Fields["mx_Custom_5"]]++
	}
	return all
}

// TestTakenRecords loses the answer to row B, and lets that to row A name B's record:
// B is found all the same, whatever stands in the way, and A when its file is loaded.
func TestTakenRecords(t *testing.T) {
	none := func(*http.Request) (*http.Response, error) { return nil, nil }
	for name, c := range map[string]struct {
		mapping string
		others  int // records that the lead has beside it
		hide    func(*http.Request) (*http.Response, error)
	}{
		"opportunities":                   {dealMapping, 0, none},
		"a sale of a lead with many":      {saleMapping, 60, none},
		"an opportunity of one with many": {dealMapping, 60, none},
		"the record cannot be read": {dealMapping, 0, func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/GetOpportunityDetails") {
				return page(503), nil
			}
			return nil, nil
		}},
	} {
		bubble(t, name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.mapping = c.mapping
			for _, mail := range []string{"a@example.com", "b@example.com"} {
				_, err := b.account.AddLead(map[string]string{"EmailAddress": mail})
				check(t, err)
			}
			time.Sleep(time.Hour) // the leads are older than every call
			rows := []string{"9000,a@example.com,Known"}
			for i := range c.others {
				rows = append(rows, fmt.Sprintf("%d,b@example.com,Other %d", i+1, i))
			}
			_, err := b.load(t.Context(), b.deals(rows...))
			check(t, err)
			b.o.NoSettle, b.o.Concurrency = true, 1
			check(t, b.account.FailNext(sandbox.FaultLostAnswer))
			b.wire.after = b.taken()
			path := b.deals("9001,b@example.com,B", "9002,a@example.com,A")
			res, err := b.load(t.Context(), path)
			if err != nil || res.Totals[ledger.ResultInDoubt] != 1 || res.Totals[ledger.ResultLoaded] != 1 {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			b.o.NoSettle, b.wire.after, b.wire.before = false, nil, c.hide
			_, err = b.settle(t.Context())
			check(t, err)
			if n := b.names(); n["A"] != 1 || n["B"] != 1 {
				t.Errorf("after settling the account has %v", n)
			}
			b.wire.before = nil
			for range 3 {
				if res, err = b.load(t.Context(), path); err != nil {
					t.Fatal(err)
				}
			}
			if n := b.names(); n["A"] != 1 || n["B"] != 1 || res.Totals[ledger.ResultAlready] != 2 {
				t.Errorf("in the end %s, the account has %v", res.Totals, n)
			}
			if strings.Contains(name, "sale") {
				return
			}
			b.honest(b.rows(res), map[string]string{"9001": "B", "9002": "A"})
		})
	}
}

const keySent = "    mx_Custom_2: Deal\n"

// TestMergedLead merges the lead of a row whose answer was lost into another: the row
// is found by its key, or told to be in doubt, and never sent again.
func TestMergedLead(t *testing.T) {
	for name, c := range map[string]struct {
		mapping string
		anew    bool // a later row makes the lead once more
		result  ledger.Result
	}{
		"the key is sent":                     {dealMapping + keySent, false, ledger.ResultLoaded},
		"the key is sent, the lead made anew": {dealMapping + keySent, true, ledger.ResultLoaded},
		"the key stays here":                  {dealMapping, false, ledger.ResultInDoubt},
		"the key stays here, lead made anew":  {dealMapping, true, ledger.ResultInDoubt},
	} {
		bubble(t, name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.mapping = c.mapping
			b.known()
			b.o.NoSettle = true
			check(t, b.account.FailNext(sandbox.FaultLostAnswer))
			_, err := b.load(t.Context(), b.deals("D1,a@example.com,A"))
			check(t, err)
			leads := b.account.Leads()
			check(t, b.account.MergeLeads(leads[0].ID, leads[1].ID))
			rows := []string{"D1,a@example.com,A"}
			if c.anew {
				rows = append(rows, "D2,a@example.com,C")
				_, err = b.load(t.Context(), b.deals(rows...))
				check(t, err)
			}
			b.o.NoSettle = false
			path := b.deals(rows...)
			for range 3 {
				_, err := b.load(t.Context(), path)
				check(t, err)
				time.Sleep(time.Hour)
			}
			res, err := b.load(t.Context(), path)
			check(t, err)
			want := c.result
			if want == ledger.ResultLoaded {
				want = ledger.ResultAlready
			}
			if r := b.rows(res)[0]; b.names()["A"] != 1 || r.Result != want {
				t.Errorf("the row is %s (%s), the account has %v", r.Result, r.Error, b.names())
			}
		})
	}
}

// TestLookUpsOfAnotherLead answers the look-ups for one row with what another lead has:
// that proves nothing about the row.
func TestLookUpsOfAnotherLead(t *testing.T) {
	for _, path := range []string{"/ProspectActivity.svc/Retrieve", "/GetOpportunitiesOfLead"} {
		bubble(t, path[strings.LastIndexByte(path, '/')+1:], func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.mapping = dealMapping + keySent
			own, err := b.account.AddLead(map[string]string{"EmailAddress": "a@example.com"})
			check(t, err)
			time.Sleep(time.Hour)
			b.known()
			known := b.account.Opportunities()[0].LeadID
			_, err = b.account.AddOpportunity(known, sandbox.DefaultType, "", map[string]string{"mx_Custom_1": "Somebody's", "mx_Custom_2": "W1"})
			check(t, err)
			index := emptied("/GetOpportunitiesOfLead", "/ProspectActivity.svc/Retrieve")
			b.wire.before = func(r *http.Request) (*http.Response, error) {
				if !strings.Contains(r.URL.RawQuery, own) {
					return nil, nil
				}
				if strings.HasSuffix(r.URL.Path, path) {
					r.URL.RawQuery = strings.Replace(r.URL.RawQuery, own, known, 1)
					return nil, nil
				}
				return index(r)
			}
			check(t, b.account.FailNext(sandbox.FaultLostAnswer))
			res, err := b.load(t.Context(), b.deals("D1,a@example.com,A"))
			if n := b.names(); err != nil || n["A"] != 1 || res.Totals[ledger.ResultInDoubt] != 1 {
				t.Errorf("%v, %s, the account has %v", err, res.Totals, n)
			}
		})
	}
}

// TestTakenRecordsInDoubt is TestTakenRecords where a person has to look: B stays in
// doubt with what it may be, is not sent again, and A is not told to be B's record.
func TestTakenRecordsInDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		fault  string
		ahead  time.Duration // our clock was, when B was sent
		code   string
		copies int // of B in the account
		told   int // candidates
	}{
		"a proxy posted it twice": {sandbox.FaultTwiceAndLost, 0, "doubt.twice", 2, 2},
		"our clock was set back":  {sandbox.FaultLostAnswer, 48 * time.Hour, "doubt.early", 1, 1},
	} {
		bubble(t, name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.known()
			b.o.NoSettle, b.o.Concurrency = true, 1
			check(t, b.account.FailNext(c.fault))
			b.wire.after = b.taken()
			path := b.deals("D1,b@example.com,B", "D2,a@example.com,A")
			_, err := b.load(t.Context(), path)
			check(t, err)
			b.wire.after, b.o.NoSettle = nil, false
			db, err := sql.Open("sqlite", filepath.Join(b.dir, "ledger.db"))
			check(t, err)
			defer db.Close()
			_, err = db.Exec("UPDATE operations SET sent = sent + ?1, ended = ended + ?1", c.ahead.Milliseconds())
			check(t, err)
			var res Result
			for range 3 {
				res, err = b.load(t.Context(), path)
				check(t, err)
			}
			rows := b.rows(res)
			if n := b.names(); n["A"] != 1 || n["B"] != c.copies || rows[0].Result != ledger.ResultInDoubt || rows[0].Code != c.code || len(rows[0].Candidates) != c.told {
				t.Errorf("B is %s, %s, may be %v; the account has %v", rows[0].Result, rows[0].Code, rows[0].Candidates, n)
			}
			own := b.account.Opportunities()[1+c.copies].ID
			if rows[1].Result != ledger.ResultAlready || rows[1].ID != own {
				t.Errorf("A is %s, %s and not %s", rows[1].Result, rows[1].ID, own)
			}
		})
	}
}

// TestRecordsThatSeemGone says that one read which does not know a record takes it from
// no row, as long as another read shows it.
func TestRecordsThatSeemGone(t *testing.T) {
	bubble(t, "a part of what another row says", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.mapping = strings.Replace(dealMapping, "key: Deal\n", "", 1) + "    mx_Custom_3: Deal\n"
		b.known()
		b.o.NoSettle, b.o.Concurrency = true, 1
		check(t, b.account.FailNext("", sandbox.FaultCutBefore))
		path := b.deals("R1,a@example.com,A", ",a@example.com,A")
		_, err := b.load(t.Context(), path)
		check(t, err)
		b.o.NoSettle = false
		b.wire.before = func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/GetOpportunityDetails") {
				resp := jsonAnswer(`{"Status":"Error","ExceptionType":"MXInvalidInputException","ExceptionMessage":"there is no such opportunity"}`)
				resp.StatusCode = 500
				return resp, nil
			}
			return nil, nil
		}
		_, err = b.settle(t.Context())
		check(t, err)
		b.wire.before = nil
		for range 3 {
			res, err := b.load(t.Context(), path)
			check(t, err)
			for _, r := range b.rows(res) {
				if r.Result == ledger.ResultInDoubt {
					t.Errorf("row %d is in doubt: %s", r.Number, r.Error)
				}
			}
		}
		refs := map[string]int{}
		for _, o := range b.account.Opportunities()[1:] {
			refs[o.Fields["mx_Custom_3"]]++
		}
		if len(refs) != 2 || refs["R1"] != 1 || refs[""] != 1 {
			t.Errorf("the account has %v", refs)
		}
	})
}

// TestTakenSinceTheFirstPass says that a row which was loaded when the run began, and
// whose record proves to be another's in it, is in doubt in its results.
func TestTakenSinceTheFirstPass(t *testing.T) {
	bubble(t, "one run", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.known()
		b.o.NoSettle, b.o.Concurrency = true, 1
		check(t, b.account.FailNext(sandbox.FaultLostAnswer))
		b.wire.after = b.taken()
		path := b.deals("D1,b@example.com,B", "D2,a@example.com,A")
		_, err := b.load(t.Context(), path)
		check(t, err)
		b.wire.after, b.o.NoSettle = nil, false
		res, err := b.load(t.Context(), path)
		check(t, err)
		a := b.rows(res)[1]
		if got := res.Totals; a.Result != ledger.ResultInDoubt || a.Code == "" || a.Error == "" || got[ledger.ResultInDoubt] != 1 || got[ledger.ResultLoaded] != 1 || got.Sum() != 2 {
			t.Errorf("%s; A is %s %q, %s %s", got, a.Result, a.ID, a.Code, a.Error)
		}
	})
}

// shift makes the ledger what it would be if our clock had been ahead until now.
func (b *bench) shift(ahead time.Duration) {
	b.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(b.dir, "ledger.db"))
	check(b.t, err)
	defer db.Close()
	for _, text := range []string{"UPDATE operations SET sent = sent + ?1, ended = ended + ?1", "UPDATE records SET sent = sent + ?1 WHERE sent > 0"} {
		_, err = db.Exec(text, ahead.Milliseconds())
		check(b.t, err)
	}
}

// TestOurClockWasAhead says what records that were sent in the future prove: when others
// beside them were sent, and nothing of those that were not.
func TestOurClockWasAhead(t *testing.T) {
	bubble(t, "the row was sent with them", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.o.NoSettle = true
		check(t, b.account.FailNext("", sandbox.FaultLostAnswer, sandbox.FaultCutBefore))
		path := b.deals("D1,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C")
		_, err := b.load(t.Context(), path)
		check(t, err)
		b.shift(48 * time.Hour)
		b.o.NoSettle = false
		res, err := b.load(t.Context(), path)
		if n := b.names(); err != nil || res.Totals[ledger.ResultLoaded] != 2 || n["A"] != 1 || n["B"] != 1 || n["C"] != 1 {
			t.Errorf("%v, %s, the account has %v", err, res.Totals, n)
		}
	})
	bubble(t, "the row was sent later", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		lead, err := b.account.AddLead(map[string]string{"EmailAddress": "b@example.com"})
		check(t, err)
		_, err = b.account.AddOpportunity(lead, sandbox.DefaultType, "", map[string]string{"mx_Custom_1": "B"})
		check(t, err)
		time.Sleep(40 * time.Hour)
		b.known()
		b.shift(48 * time.Hour)
		check(t, b.account.FailNext(sandbox.FaultCutBefore))
		res, err := b.load(t.Context(), b.deals("D2,b@example.com,B"))
		if n := b.names(); err != nil || res.Totals[ledger.ResultLoaded] != 1 || n["B"] != 2 {
			t.Errorf("%v, %s, the account has %v: the older record is somebody else's", err, res.Totals, n)
		}
	})
	for _, c := range []struct {
		name string
		rows []string
		want ledger.Result
	}{
		{"our clock was put right before the call", []string{"D2,b@example.com,B"}, ledger.ResultInDoubt},
		{"the same, and another row went with it", []string{"D2,b@example.com,B", "D3,c@example.com,C"}, ledger.ResultLoaded},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.known()
			b.shift(-5 * time.Minute)
			check(t, b.account.FailNext(sandbox.FaultLostAnswer))
			res, err := b.load(t.Context(), b.deals(c.rows...))
			if n := b.names(); err != nil || res.Totals[c.want] != int64(len(c.rows)) || n["B"] != 1 {
				t.Errorf("%v, %s, the account has %v", err, res.Totals, n)
			}
		})
	}
}
