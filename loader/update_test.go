package loader

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/ledger"
)

var updatingMapping = strings.Replace(dealMapping, "search_by:", "on_change: update\nsearch_by:", 1)

// changedBench has n rows loaded, a second ago at least, and a file in which all
// of them have another name.
func changedBench(t *testing.T, n int, so sandbox.Options) (*bench, string) {
	b := newBench(t, so)
	b.mapping = updatingMapping
	if res, err := b.load(t.Context(), b.many(n)); err != nil || res.Totals[ledger.ResultLoaded] != int64(n) {
		t.Fatalf("%v, %s", err, res.Totals)
	}
	time.Sleep(10 * time.Second) // of the bubble
	b.wire.calls, b.wire.times = nil, nil
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("D%d,own%d@example.com,New %d", i, i, i)
	}
	return b, b.deals(rows...)
}

// paced returns how long n calls take that have nothing to wait for but the limit:
// captures of rows, by another account of the same limit and latency.
func (b *bench) paced(n int) time.Duration {
	other := newBench(b.t, sandbox.Options{Latency: 250 * time.Millisecond, DropBodies: true})
	defer other.close()
	path, begin := other.many(n), time.Now()
	_, err := other.load(b.t.Context(), path)
	check(b.t, err)
	return time.Since(begin)
}

// named returns how many opportunities have a name with a beginning.
func (b *bench) named(prefix string) (n int) {
	for _, o := range b.account.Opportunities() {
		if strings.HasPrefix(o.Fields["mx_Custom_1"], prefix) {
			n++
		}
	}
	return n
}

func TestCallsOfANight(t *testing.T) {
	bubble(t, "2,000 updates", func(t *testing.T) {
		b, path := changedBench(t, 2000, sandbox.Options{Latency: 250 * time.Millisecond, DropBodies: true})
		defer b.close()
		begin := time.Now()
		res, err := b.load(t.Context(), path)
		if err != nil || res.Totals[ledger.ResultUpdated] != 2000 || b.named("New ") != 2000 {
			t.Fatalf("%v, %s, %d written", err, res.Totals, b.named("New "))
		}
		looks := b.wire.count("GetOpportunitiesById")
		if n := len(b.wire.calls); n > 2020 || looks < 14 || n != 2000+looks {
			t.Errorf("%d calls, %d of them looks; want at most 2,020", n, looks)
		}
		took := time.Since(begin)
		alone := b.paced(len(b.wire.calls))
		if took > alone*101/100 {
			t.Errorf("it took %s; the limit alone takes %s for so many calls", took, alone)
		}
		t.Logf("%d calls, %d of them looks, in %s; the limit alone takes %s", len(b.wire.calls), looks, took, alone)
		res, err = b.load(t.Context(), path)
		if n := len(b.wire.calls); err != nil || res.Totals[ledger.ResultAlready] != 2000 || n != 2000+looks {
			t.Errorf("a night without a change: %v, %s, %d calls", err, res.Totals, n-2000-looks)
		}
	})
}

// TestALookServesForAShortWhile lets the account be busy for so long between look
// and write that somebody has changed a record meanwhile.
func TestALookServesForAShortWhile(t *testing.T) {
	bubble(t, "busy", func(t *testing.T) {
		b, path := changedBench(t, 60, sandbox.Options{})
		defer b.close()
		ids := map[string]string{}
		for _, o := range b.account.Opportunities() {
			ids[o.Fields["mx_Custom_1"]] = o.ID
		}
		var mu sync.Mutex // calls go side by side
		var busy time.Time
		writes := 0
		b.wire.before = func(req *http.Request) (*http.Response, error) {
			if !strings.HasSuffix(req.URL.Path, "/OpportunityManagement.svc/Update") {
				return nil, nil
			}
			mu.Lock()
			defer mu.Unlock()
			if writes++; writes == 30 {
				busy = time.Now().Add(45 * time.Second)
				check(t, b.account.EditOpportunity(ids["Deal 55"], "Asha", map[string]string{"mx_Custom_1": "by hand"}))
			}
			if time.Now().Before(busy) {
				return jsonAnswer(`{"Status":"Error","ExceptionType":"MXAPIRateLimitExceededException","ExceptionMessage":"API calls exceeded the limit of 25 in 5 second(s)"}`), nil
			}
			return nil, nil
		}
		res, err := b.load(t.Context(), path)
		if err != nil || res.Totals[ledger.ResultUpdated] != 59 || res.Totals[ledger.ResultConflict] != 1 {
			t.Fatalf("%v, %s", err, res.Totals)
		}
		if b.named("by hand") != 1 || b.named("New ") != 59 {
			t.Error("what was set by hand is lost")
		}
	})
}

func TestWaysToLook(t *testing.T) {
	const many, one, pages, trail = "GetOpportunitiesById", "GetOpportunityDetails", "RetrieveRecentlyModified", "Retrieve"
	for _, c := range []struct {
		name    string
		without []string
		broken  []string
		updated int64
	}{
		{"many at once", nil, nil, 20},
		{"by pages", []string{"/v2/OpportunityManagement.svc/" + many}, nil, 20},
		{"one by one", []string{"/v2/OpportunityManagement.svc/" + many, "/v2/ProspectActivity.svc/" + pages}, nil, 20},
		{"not at all: nothing is written", []string{"/v2/OpportunityManagement.svc/" + many, "/v2/ProspectActivity.svc/" + pages}, []string{one, trail}, 0},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b, path := changedBench(t, 20, sandbox.Options{Without: c.without})
			defer b.close()
			b.wire.before = func(req *http.Request) (*http.Response, error) {
				for _, p := range c.broken {
					if strings.HasSuffix(req.URL.Path, "/"+p) {
						return jsonAnswer(`{"surprise":[1]}`), nil
					}
				}
				return nil, nil
			}
			res, err := b.load(t.Context(), path)
			if err != nil || res.Totals[ledger.ResultUpdated] != c.updated || res.Totals[ledger.ResultNotSent] != 20-c.updated {
				t.Errorf("%v, %s", err, res.Totals)
			}
			if n := b.named("New "); int64(n) != c.updated || int64(b.wire.count("Update")) != c.updated {
				t.Errorf("%d written with %d calls, want %d", n, b.wire.count("Update"), c.updated)
			}
			for _, r := range b.rows(res) {
				if c.updated == 0 && (r.Code != "row.unread" || r.Hint == "") {
					t.Errorf("row %d: %s %s", r.Number, r.Code, r.Error)
					break
				}
			}
		})
	}
}

// TestLookAgain has somebody at work on a record while it is updated.
func TestLookAgain(t *testing.T) {
	for _, c := range []struct {
		name, path string // the edit comes right after the nth call of this path
		call       int64
		field      string
		rows       int
		told       string
		name7      string // of the record in the end
	}{
		{"the same field, after the write", "/OpportunityManagement.svc/Update", 20, "mx_Custom_1", 20, "row 9, Fields.mx_Custom_1 of ", "by hand"},
		{"another field, before the write", "/OpportunityManagement.svc/GetOpportunitiesById", 1, "Status", 20, "row 9, Fields.Status of ", "New 7"},
		{"another field, after the write", "/OpportunityManagement.svc/Update", 20, "Status", 20, "row 9, Fields.Status of ", "New 7"},
		{"of the only record that was updated", "/OpportunityManagement.svc/Update", 1, "mx_Custom_1", 1, "row 9, Fields.mx_Custom_1 of ", "by hand"},
		{"a field that is not in the mapping", "/OpportunityManagement.svc/Update", 20, "mx_Custom_4", 20, "", "New 7"},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.mapping = updatingMapping + "    Status: {value: Open}\n"
			rows := func(name string, changed int) string {
				out := make([]string, 20)
				for i := range out {
					n := name
					if changed == 1 && i != 7 {
						n = "Deal"
					}
					out[i] = fmt.Sprintf("D%d,own%d@example.com,%s %d", i, i, n, i)
				}
				return b.deals(out...)
			}
			if res, err := b.load(t.Context(), rows("Deal", 20)); err != nil || res.Totals[ledger.ResultLoaded] != 20 {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			time.Sleep(10 * time.Second)
			id := ""
			for _, o := range b.account.Opportunities() {
				if o.Fields["mx_Custom_1"] == "Deal 7" {
					id = o.ID
				}
			}
			var calls atomic.Int64
			b.wire.after = func(req *http.Request, _ []byte, resp *http.Response) *http.Response {
				if strings.HasSuffix(req.URL.Path, c.path) && calls.Add(1) == c.call {
					check(t, b.account.EditOpportunity(id, "Asha", map[string]string{c.field: "by hand"}))
				}
				return resp
			}
			b.said = nil
			res, err := b.load(t.Context(), rows("New", c.rows))
			said := strings.Join(b.said, "\n")
			if err != nil || res.Totals[ledger.ResultUpdated] != int64(c.rows) {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			if c.told == "" && strings.Contains(said, "changed in the account") || !strings.Contains(said, c.told) || c.told != "" && !strings.Contains(said, "1 field has changed in the account while the updates ran: ") {
				t.Errorf("said %q", said)
			}
			moved := 0
			for k, err := range b.led.Kept(t.Context(), res.Run.ID) {
				check(t, err)
				if k.Moved {
					moved++
					if k.Row != 9 || k.Became != "by hand" || k.Field != "Fields."+c.field {
						t.Errorf("kept %+v", k)
					}
				}
			}
			if moved != min(len(c.told), 1) {
				t.Errorf("%d fields are kept as moved", moved)
			}
			if b.named(c.name7) == 0 {
				t.Errorf("no record is named %q", c.name7)
			}
		})
	}
}

// TestLookAgainAfterACut has a run cut off before it could look again.
func TestLookAgainAfterACut(t *testing.T) {
	bubble(t, "the next run looks", func(t *testing.T) {
		b, path := changedBench(t, 20, sandbox.Options{})
		defer b.close()
		ctx, cancel := context.WithCancelCause(t.Context())
		var writes atomic.Int64
		b.wire.after = func(req *http.Request, _ []byte, resp *http.Response) *http.Response {
			if strings.HasSuffix(req.URL.Path, "/OpportunityManagement.svc/Update") {
				if writes.Add(1) == 20 {
					for _, o := range b.account.Opportunities() {
						if o.Fields["mx_Custom_1"] == "New 7" {
							check(t, b.account.EditOpportunity(o.ID, "Asha", map[string]string{"mx_Custom_1": "by hand"}))
						}
					}
					cancel(errors.New("the machine is needed"))
				}
			}
			return resp
		}
		b.load(ctx, path)
		b.said = nil
		for night := range 2 {
			res, err := b.load(t.Context(), path)
			said := strings.Join(b.said, "\n")
			if err != nil || strings.Contains(said, "1 field has changed in the account while the updates ran: row 9, Fields.mx_Custom_1 of ") != (night == 0) {
				t.Errorf("run %d after the cut: %v, %s, said %q", night+1, err, res.Totals, said)
			}
			b.said = nil
		}
	})
}

// TestRowsOfOneLeadWriteItOnce has several deals of one lead whose city changed.
func TestRowsOfOneLeadWriteItOnce(t *testing.T) {
	bubble(t, "five deals", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.mapping = strings.Replace(updatingMapping, "Opportunity:\n", "  mx_City: Name\nOpportunity:\n", 1)
		file := func(city string) string {
			var rows []string
			for i := range 5 {
				rows = append(rows, fmt.Sprintf("D%d,asha@example.com,%s", i, city))
			}
			return b.deals(rows...)
		}
		if res, err := b.load(t.Context(), file("Pune")); err != nil || res.Totals[ledger.ResultLoaded] != 5 {
			t.Fatalf("%v, %s", err, res.Totals)
		}
		time.Sleep(10 * time.Second)
		res, err := b.load(t.Context(), file("Delhi"))
		if err != nil || res.Totals[ledger.ResultUpdated] != 5 || b.named("Delhi") != 5 || b.account.Leads()[0].Attributes["mx_City"] != "Delhi" {
			t.Errorf("%v, %s", err, res.Totals)
		}
		if n := b.wire.count("Lead.Update"); n != 1 {
			t.Errorf("the lead was written %d times", n)
		}
		if n := b.wire.count("Leads.GetById"); n != 1 {
			t.Errorf("the lead was read %d times", n)
		}
	})
}

// TestLeadHasOneBaseline has two deals of one lead, with one city each. What the
// other deal's row sent is nobody's change; what a person sets is one.
func TestLeadHasOneBaseline(t *testing.T) {
	for _, c := range []struct {
		name  string
		night func(b *bench) // between the nights; nil: nothing
		first []string       // cities of the rows of further nights before the last
		last  string
		want  ledger.Result
		city  string
	}{
		{"the other row was made later", nil, nil, "Agra", ledger.ResultUpdated, "Agra"},
		{"the other row changed it on another night", nil, []string{"Pune,Goa"}, "Agra", ledger.ResultUpdated, "Agra"},
		{"this one, and then the other", nil, []string{"Surat,Delhi", "Surat,Goa"}, "Agra", ledger.ResultUpdated, "Agra"},
		{"a person set it", func(b *bench) {
			check(b.t, b.account.EditLead(b.account.Leads()[0].ID, "Asha", map[string]string{"mx_City": "Kochi"}))
		}, nil, "Agra", ledger.ResultConflict, "Kochi"},
		{"a person set it back to what this row sent", func(b *bench) {
			check(b.t, b.account.EditLead(b.account.Leads()[0].ID, "Asha", map[string]string{"mx_City": "Pune"}))
		}, nil, "Agra", ledger.ResultConflict, "Pune"},
		{"the row now has what the other one sent", nil, nil, "Delhi", ledger.ResultAlready, "Delhi"},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.mapping = strings.Replace(updatingMapping, "Opportunity:\n", "  mx_City: Name\nOpportunity:\n", 1)
			b.mapping = strings.Replace(b.mapping, "mx_Custom_1: Name", "mx_Custom_1: Deal", 1)
			night := func(first, second string) Result {
				t.Helper()
				res, err := b.load(t.Context(), b.deals("D0,asha@example.com,"+first, "D1,asha@example.com,"+second))
				check(t, err)
				time.Sleep(time.Minute) // of the bubble
				return res
			}
			night("Pune", "Delhi")
			other := "Delhi"
			for _, cities := range c.first {
				first, second, _ := strings.Cut(cities, ",")
				if res := night(first, second); res.Totals[ledger.ResultUpdated] == 0 {
					t.Fatalf("%s: %s", cities, res.Totals)
				}
				other = second
			}
			if c.night != nil {
				c.night(b)
			}
			if res := night(c.last, other); b.rows(res)[0].Result != c.want {
				t.Errorf("the row is %s, want %s", b.rows(res)[0].Result, c.want)
			}
			if city := b.account.Leads()[0].Attributes["mx_City"]; city != c.city {
				t.Errorf("the lead's city is %s, want %s", city, c.city)
			}
		})
	}
}
