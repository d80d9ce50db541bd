package loader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/ledger"
	"leadload/loader/pace"
)

// existing makes the account take new rows of existing leads alone, whose leads the
// ledger knows: an earlier run has looked them up.
func (b *bench) existing(n int) {
	b.t.Helper()
	b.mapping = strings.Replace(updatingMapping, "search_by:", "lead_must_exist: true\nsearch_by:", 1)
	s := b.connect()
	defer func() { check(b.t, s.Close()) }()
	for i := range n {
		id, err := b.account.AddLead(map[string]string{"EmailAddress": fmt.Sprintf("own%d@example.com", i)})
		check(b.t, err)
		b.led.Memo().RememberLead(s.acct, "EmailAddress", fmt.Sprintf("own%d@example.com", i), id)
	}
	check(b.t, b.led.Flush())
}

// bulked allows bulk calls, as many as the account does.
func (b *bench) bulked(calls int) *bench {
	b.o.Account.BulkLimit = pace.Limit{Calls: calls, Window: 5 * time.Second}
	return b
}

// exact fails unless every row of the file is in the account once, with the name that
// it has in the file, and under the id that the ledger knows it by.
func (b *bench) exact(res Result, prefix string) {
	b.t.Helper()
	byID := map[string]sandbox.Opportunity{}
	seen := map[string]int{}
	for _, o := range b.account.Opportunities() {
		byID[o.ID] = o
		seen[o.Fields["mx_Custom_1"]]++
	}
	for name, n := range seen {
		if n > 1 {
			b.t.Errorf("%q is in the account %d times", name, n)
		}
	}
	for _, r := range b.rows(res) {
		want := prefix + strings.TrimPrefix(r.Key, "D")
		if r.Result == ledger.ResultInDoubt {
			if seen[want] != 0 {
				b.t.Errorf("row %d is in doubt, and the account has it", r.Number)
			}
			continue
		}
		if got := byID[r.ID].Fields["mx_Custom_1"]; got != want {
			b.t.Errorf("row %d: its id is that of %q, not of %q", r.Number, got, want)
		}
	}
}

func TestBulkIsAsFastAsBothLimits(t *testing.T) {
	for _, calls := range []int{5, 10} {
		o := sandbox.Options{Latency: 250 * time.Millisecond, DropBodies: true, BulkCalls: calls}
		bubble(t, fmt.Sprintf("updates, bulk %d/5s", calls), func(t *testing.T) {
			b, path := changedBench(t, 3000, o)
			defer b.close()
			begin := time.Now()
			res, err := b.bulked(calls).load(t.Context(), path)
			if err != nil || res.Totals[ledger.ResultUpdated] != 3000 || b.named("New ") != 3000 {
				t.Fatalf("%v, %s, %d written", err, res.Totals, b.named("New "))
			}
			b.exact(res, "New ")
			b.quick(res, time.Since(begin), calls)
		})
		bubble(t, fmt.Sprintf("new rows, bulk %d/5s", calls), func(t *testing.T) {
			b := newBench(t, o).bulked(calls)
			defer b.close()
			b.existing(3000)
			begin := time.Now()
			res, err := b.load(t.Context(), b.many(3000))
			if err != nil || res.Totals[ledger.ResultLoaded] != 3000 {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			b.exact(res, "Deal ")
			b.quick(res, time.Since(begin), calls)
		})
	}
}

// quick fails where 3,000 rows took longer than nine tenths of both limits allow.
func (b *bench) quick(res Result, took time.Duration, calls int) {
	b.t.Helper()
	single := 600 * time.Second
	factor, bound := single.Seconds()/took.Seconds(), float64(25+25*calls)/25
	b.t.Logf("%s: %.2f times as fast as 25 calls in 5 s (bound %.1f), %d calls, said: %q", took, factor, bound, len(b.wire.calls), b.said)
	if factor < bound*5/6 || res.Run.Throttled != 0 {
		b.t.Errorf("%.2f times as fast, %d throttled; want at least %.2f and none", factor, res.Run.Throttled, bound*5/6)
	}
}

// bulkKinds are the two calls that take many records, each with n rows to send.
var bulkKinds = []struct {
	name, path string
	names      string // of the records once they are sent
	begin      func(*testing.T, int, sandbox.Options) (b *bench, path string)
	result     ledger.Result
}{
	{"updates", "ByOpportunityId", "New ", changedBench, ledger.ResultUpdated},
	{"new rows", "ByLeadField", "Deal ", func(t *testing.T, n int, o sandbox.Options) (*bench, string) {
		b := newBench(t, o)
		b.existing(n + 1)
		// Something that the account has to show, where rows are looked for.
		if res, err := b.load(t.Context(), b.deals(fmt.Sprintf("D%d,own%d@example.com,Deal %d", n, n, n))); err != nil || res.Totals[ledger.ResultLoaded] != 1 {
			t.Fatal(err, res.Totals)
		}
		return b, b.many(n)
	}, ledger.ResultLoaded},
}

// times counts how often something was said.
func (b *bench) times(words string) (n int) {
	for _, s := range b.said {
		if strings.Contains(s, words) {
			n++
		}
	}
	return n
}

const unreadable = "bulk answers of this account cannot be read: single calls"

func TestBulkAnswersProveThemselves(t *testing.T) {
	for _, kind := range bulkKinds {
		for _, form := range []string{"response", "bare", "ids", "shuffled", "opaque"} {
			bubble(t, kind.name+", "+form, func(t *testing.T) {
				b, path := kind.begin(t, 200, sandbox.Options{BulkForm: form, BulkCalls: 10, UpdateLag: 3 * time.Second})
				defer b.close()
				b.wire.calls, b.said = nil, nil
				res, err := b.bulked(10).load(t.Context(), path)
				if err != nil || res.Totals[kind.result] != 200 || res.Totals.Person() != 0 {
					t.Fatalf("%v, %s, said %q", err, res.Totals, b.said)
				}
				b.exact(res, kind.names)
				reads := form != "shuffled" && form != "opaque"
				if bulk := b.wire.count(kind.path); reads && bulk < 5 || !reads && bulk != 1 {
					t.Errorf("%d bulk calls", bulk)
				}
				if n := b.times(unreadable); n > 1 || reads == (n == 1) {
					t.Errorf("said: %q", b.said)
				}
				t.Logf("%d calls, %d of them bulk, said %q", len(b.wire.calls), b.wire.count(kind.path), b.said)
			})
		}
	}
}

// TestBulkThroughFaults loses answers before and after the account has done its work.
func TestBulkThroughFaults(t *testing.T) {
	for _, kind := range bulkKinds {
		for seed := range uint64(4) {
			bubble(t, fmt.Sprintf("%s, seed %d", kind.name, seed), func(t *testing.T) {
				b, path := kind.begin(t, 400, sandbox.Options{BulkCalls: 10, UpdateLag: 3 * time.Second, IndexLag: 5 * time.Second, BulkForm: []string{"response", "bare", "ids"}[seed%3]})
				defer b.close()
				check(t, b.account.SetFaults(sandbox.Faults{LostAnswer: .05, CutBefore: .02, BadGatewayAfter: .05, BadGatewayBefore: .02, Truncated: .05, EmptyBody: .05, Seed: seed}))
				b.bulked(10)
				b.o.OutageLimit = time.Hour
				var res Result
				var err error
				for range 4 {
					if res, err = b.load(t.Context(), path); err != nil {
						t.Fatal(err)
					}
				}
				for _, r := range b.rows(res) {
					// A call that is cut three times in a row leaves its row to a person.
					if r.Result != ledger.ResultAlready && !strings.Contains(r.Error, "never found in the account") {
						t.Errorf("row %d: %s, %s, sent %d times, said %q", r.Number, r.Result, r.Error, r.Attempts, b.said)
					}
				}
				b.exact(res, kind.names)
				// A lane whose first answers are all lost is left, and says so.
				if n := b.wire.count(kind.path); n < 5 && (n == 0 || b.times(unreadable) == 0) {
					t.Errorf("%d bulk calls, said %q", n, b.said)
				}
			})
		}
	}
}

// TestBulkOfAPoisonedRow lets the account refuse a whole call for one of its rows, in its
// own words and with an exception of its machinery.
func TestBulkOfAPoisonedRow(t *testing.T) {
	for _, kind := range bulkKinds {
		for _, words := range []string{"", "MXInvalidInputException"} {
			bubble(t, kind.name+" "+words, func(t *testing.T) {
				b, path := kind.begin(t, 100, sandbox.Options{BulkCalls: 10, BulkPoison: "77"})
				defer b.close()
				if words != "" {
					b.wire.after = func(req *http.Request, body []byte, resp *http.Response) *http.Response {
						if resp.StatusCode == 500 && strings.Contains(req.URL.Path, "/Bulk/") {
							resp.Body = io.NopCloser(strings.NewReader(`{"Status":"Error","ExceptionType":"` + words + `","ExceptionMessage":"Invalid input"}`))
						}
						return resp
					}
				}
				b.wire.calls = nil
				res, err := b.bulked(10).load(t.Context(), path)
				if err != nil || res.Totals[kind.result] != 100 {
					t.Fatalf("%v, %s, said %q", err, res.Totals, b.said)
				}
				b.exact(res, kind.names)
				if n := b.wire.count(kind.path); n < 6 || n > 24 {
					t.Errorf("%d bulk calls", n)
				}
				if res.Totals[ledger.ResultInDoubt] != 0 || b.times("in doubt") != 0 {
					t.Errorf("said %q", b.said)
				}
				t.Logf("%d calls, %d of them bulk", len(b.wire.calls), b.wire.count(kind.path))
			})
		}
	}
}

// TestBulkPartial lets the account refuse some rows of a call.
func TestBulkPartial(t *testing.T) {
	for _, form := range []string{"response", "bare"} {
		bubble(t, form, func(t *testing.T) {
			b := newBench(t, sandbox.Options{BulkCalls: 10, BulkForm: form, StrictFields: true}).bulked(10)
			defer b.close()
			b.existing(60)
			b.mapping += "    mx_Custom_2: City\n"
			var rows []string
			for i := range 60 {
				city := ""
				if i%20 == 10 {
					city = strings.Repeat("x", 300)
				}
				rows = append(rows, fmt.Sprintf("D%d,own%d@example.com,Deal %d,%s", i, i, i, city))
			}
			path := b.deals(rows...)
			text, err := os.ReadFile(path)
			check(t, err)
			check(t, os.WriteFile(path, []byte(strings.Replace(string(text), "Name\n", "Name,City\n", 1)), 0o600))
			res, err := b.load(t.Context(), path)
			if err != nil || res.Totals[ledger.ResultLoaded] != 57 || res.Totals[ledger.ResultRejected] != 3 {
				t.Fatalf("%v, %s, said %q", err, res.Totals, b.said)
			}
			for _, r := range b.rows(res) {
				if r.Result == ledger.ResultRejected {
					t.Log(r.Number, r.Error)
				}
			}
			t.Logf("%d calls, %d of them bulk", len(b.wire.calls), b.wire.count("ByLeadField"))
		})
	}
}

// TestBulkThrottled turns bulk calls away in every form that is known, before and, for
// the first, after the account has begun with them.
func TestBulkThrottled(t *testing.T) {
	for _, kind := range bulkKinds {
		for _, form := range []string{"429", "200", "403", "500", "bare"} {
			bubble(t, kind.name+" "+form, func(t *testing.T) {
				b, path := kind.begin(t, 200, sandbox.Options{BulkCalls: 2, LimitForm: form})
				defer b.close()
				b.said = nil
				res, err := b.bulked(10).load(t.Context(), path)
				if err != nil || res.Totals[kind.result] != 200 {
					t.Fatalf("%v, %s, said %q", err, res.Totals, b.said)
				}
				b.exact(res, kind.names)
				if n := b.times("in doubt"); n != 0 {
					t.Errorf("said %q", b.said)
				}
				if adopted := b.times("limit of bulk calls is 2/5s"); form != "bare" && adopted != 1 {
					t.Errorf("said %q", b.said)
				}
				if s := b.times("its limit is"); s != 0 {
					t.Errorf("the limit of single calls was changed: %q", b.said)
				}
			})
		}
	}
}

// bulkRows returns the e-mail addresses of each bulk call that makes records, of each
// path's tail.
func (b *bench) watchBatches() func() [][]string {
	var mu sync.Mutex
	var batches [][]string
	b.wire.before = func(req *http.Request) (*http.Response, error) {
		if !strings.Contains(req.URL.Path, "/Bulk/") {
			return nil, nil
		}
		body, err := io.ReadAll(req.Body)
		check(b.t, err)
		req.Body = io.NopCloser(bytes.NewReader(body))
		var rows []struct{ SearchByValue, ProspectOpportunityId string }
		check(b.t, json.Unmarshal(body, &rows))
		var names []string
		for _, r := range rows {
			names = append(names, r.SearchByValue+r.ProspectOpportunityId)
		}
		mu.Lock()
		defer mu.Unlock()
		batches = append(batches, names)
		return nil, nil
	}
	return func() [][]string { mu.Lock(); defer mu.Unlock(); return batches }
}

func TestBulkKeepsTheOrderOfALead(t *testing.T) {
	bubble(t, "a few leads", func(t *testing.T) {
		b := newBench(t, sandbox.Options{BulkCalls: 10}).bulked(10)
		defer b.close()
		b.existing(30)
		batches := b.watchBatches()
		var rows []string
		for i := range 300 {
			rows = append(rows, fmt.Sprintf("D%d,own%d@example.com,Deal %d", i, i%30, i))
		}
		res, err := b.load(t.Context(), b.deals(rows...))
		if err != nil || res.Totals[ledger.ResultLoaded] != 300 {
			t.Fatalf("%v, %s, said %q", err, res.Totals, b.said)
		}
		b.exact(res, "Deal ")
		sizes := 0
		for _, batch := range batches() {
			seen := map[string]bool{}
			for _, lead := range batch {
				if seen[lead] {
					t.Errorf("two rows of %s go in one call", lead)
				}
				seen[lead] = true
			}
			sizes += len(batch)
		}
		if sizes < 100 {
			t.Errorf("%d rows in %d bulk calls", sizes, len(batches()))
		}
		// The account made the records of each lead in the order of the file.
		last := map[string]int{}
		for _, o := range b.account.Opportunities() {
			var n int
			fmt.Sscanf(o.Fields["mx_Custom_1"], "Deal %d", &n)
			if before, seen := last[o.LeadID]; seen && before > n {
				t.Errorf("row %d was made before row %d of its lead", before, n)
			}
			last[o.LeadID] = n
		}
	})
}

// TestBulkOfOneLead loads rows that all wait for one another.
func TestBulkOfOneLead(t *testing.T) {
	for _, leads := range []int{1, 2} {
		bubble(t, fmt.Sprint(leads), func(t *testing.T) {
			b := newBench(t, sandbox.Options{BulkCalls: 10}).bulked(10)
			defer b.close()
			b.existing(leads)
			var rows []string
			for i := range 20 {
				rows = append(rows, fmt.Sprintf("D%d,own%d@example.com,Deal %d", i, i%leads, i))
			}
			res, err := b.load(t.Context(), b.deals(rows...))
			if err != nil || res.Totals[ledger.ResultLoaded] != 20 {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			b.exact(res, "Deal ")
		})
	}
}

// TestBulkLastRowsDoNotWait loads few rows where one bulk call fits into a window: the
// others go singly beside it, and the run ends with them.
func TestBulkLastRowsDoNotWait(t *testing.T) {
	for n, within := range map[int]time.Duration{1: time.Second, 3: time.Second, 12: time.Second, 30: 6 * time.Second} {
		bubble(t, fmt.Sprint(n), func(t *testing.T) {
			b := newBench(t, sandbox.Options{BulkCalls: 1}).bulked(1)
			defer b.close()
			b.existing(n)
			begin := time.Now()
			res, err := b.load(t.Context(), b.many(n))
			if took := time.Since(begin); err != nil || res.Totals[ledger.ResultLoaded] != int64(n) || took > within {
				t.Errorf("%v, %s, %s", err, res.Totals, took)
			}
		})
	}
}

// TestBulkWhatFits sends rows singly that a bulk call does not take whole.
func TestBulkWhatFits(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		bulk           bool
	}{
		{"the lead must exist", "", "", true},
		{"the lead may be made", "lead_must_exist: true\n", "", false},
		{"another attribute of the lead", "LeadDetails:\n", "LeadDetails:\n  FirstName: Name\n", false},
		{"a time", "  Fields:\n", "  OpportunityDateTime: {value: \"2024-05-01 10:00:00\", format: yyyy-MM-dd HH:mm:ss, timezone: UTC}\n  Fields:\n", false},
		{"a switch of captures", "  Fields:\n", "  DoNotPostDuplicateActivity: true\n  Fields:\n", false},
		{"a switch of both", "  Fields:\n", "  DoNotChangeOwner: true\n  Fields:\n", true},
		{"a note", "  Fields:\n", "  OpportunityNote: Name\n  Fields:\n", true},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{BulkCalls: 10}).bulked(10)
			defer b.close()
			b.existing(60)
			b.mapping = strings.Replace(b.mapping, c.from, c.to, 1)
			res, err := b.load(t.Context(), b.many(60))
			if err != nil || res.Totals[ledger.ResultLoaded] != 60 {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			if n := b.wire.count("ByLeadField"); n > 0 != c.bulk {
				t.Errorf("%d bulk calls", n)
			}
			for _, o := range b.account.Opportunities() {
				if c.name == "a note" && o.Note != o.Fields["mx_Custom_1"] {
					t.Errorf("the note of %s is %q", o.Fields["mx_Custom_1"], o.Note)
				}
			}
		})
	}
	bubble(t, "a changed note", func(t *testing.T) {
		b := newBench(t, sandbox.Options{BulkCalls: 10}).bulked(10)
		defer b.close()
		b.mapping = strings.Replace(updatingMapping, "  Fields:\n", "  OpportunityNote: Name\n  Fields:\n", 1)
		for i, want := range []ledger.Result{ledger.ResultLoaded, ledger.ResultUpdated} {
			rows := make([]string, 60)
			for k := range rows {
				rows[k] = fmt.Sprintf("D%d,own%d@example.com,Deal %d %d", k, k, k, i)
			}
			if res, err := b.load(t.Context(), b.deals(rows...)); err != nil || res.Totals[want] != 60 {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			time.Sleep(time.Minute)
		}
		if n := b.wire.count("ByOpportunityId"); n != 0 {
			t.Errorf("%d bulk calls", n)
		}
	})
}

// TestBulkShapeIsKeptForADay proves the form of answers once, and remembers for a day
// what was learned.
func TestBulkShapeIsKeptForADay(t *testing.T) {
	bubble(t, "numbered", func(t *testing.T) {
		b := newBench(t, sandbox.Options{BulkCalls: 10}).bulked(10)
		defer b.close()
		b.o.StateDir = t.TempDir()
		b.existing(200)
		reads := func(from, to int) int {
			rows := []string{}
			for i := from; i < to; i++ {
				rows = append(rows, fmt.Sprintf("D%d,own%d@example.com,Deal %d", i, i, i))
			}
			before := b.wire.count("GetOpportunitiesById")
			res, err := b.load(t.Context(), b.deals(rows...))
			if err != nil || res.Totals[ledger.ResultLoaded] != int64(to-from) || b.wire.count("ByLeadField") == 0 {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			return b.wire.count("GetOpportunitiesById") - before
		}
		if n := reads(0, 60); n != 1 {
			t.Errorf("the first call was read back %d times", n)
		}
		if n := reads(60, 120); n != 0 {
			t.Errorf("the form was proved a second time, by %d calls", n)
		}
		time.Sleep(25 * time.Hour)
		if n := reads(120, 180); n != 1 {
			t.Errorf("a day later the first call was read back %d times", n)
		}
	})
	bubble(t, "not there", func(t *testing.T) {
		b := newBench(t, sandbox.Options{BulkCalls: 10, Without: []string{"/v2/OpportunityManagement.svc/Bulk/Add/ByLeadField"}}).bulked(10)
		defer b.close()
		b.o.StateDir = t.TempDir()
		b.existing(120)
		for range 2 {
			res, err := b.load(t.Context(), b.many(60))
			if err != nil || res.Totals[ledger.ResultLoaded]+res.Totals[ledger.ResultAlready] != 60 {
				t.Fatalf("%v, %s, %q", err, res.Totals, b.said)
			}
			b.exact(res, "Deal ")
		}
		if n := b.wire.count("ByLeadField"); n != 1 || b.times(unreadable) != 1 {
			t.Errorf("%d bulk calls, said %q", n, b.said)
		}
	})
}

// TestBulkLostCall loses the answer of one call of 25 that the account has carried out,
// and counts the calls that settle it: the details of its records are read together.
// What that read does not show, or shows otherwise, is read as ever.
func TestBulkLostCall(t *testing.T) {
	kind := bulkKinds[1]
	const together, alone, trail = "GetOpportunitiesById", "GetOpportunityDetails", "Retrieve"
	for _, c := range []struct {
		name    string
		answer  func(body string) (status int, _ string) // to the read of many
		details int
	}{
		{"read together", func(body string) (int, string) { return 200, body }, 0},
		{"the account has no such call", func(string) (int, string) { return 404, "not found" }, 25},
		{"it shows nothing yet", func(string) (int, string) { return 200, "[]" }, 25},
		{"it shows values of another time", func(body string) (int, string) { return 200, strings.ReplaceAll(body, `"Deal `, `"Former `) }, 25},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b, path := kind.begin(t, 100, sandbox.Options{BulkCalls: 10})
			defer b.close()
			lost := 0
			b.wire.after = func(req *http.Request, body []byte, resp *http.Response) *http.Response {
				b.wire.mu.Lock()
				defer b.wire.mu.Unlock()
				n := bytes.Count(body, []byte("SearchByValue"))
				switch {
				case strings.HasSuffix(req.URL.Path, kind.path) && n == 25 && lost == 0:
					lost, b.wire.calls = n, nil // what comes now settles it
					return page(502)
				case strings.HasSuffix(req.URL.Path, together) && lost > 0:
					text, err := io.ReadAll(resp.Body)
					if err != nil {
						t.Error(err)
					}
					status, answer := c.answer(string(text))
					return &http.Response{StatusCode: status, Header: resp.Header, Body: io.NopCloser(strings.NewReader(answer))}
				}
				return resp
			}
			res, err := b.bulked(10).load(t.Context(), path)
			if err != nil || res.Totals[kind.result] != 100 || lost != 25 {
				t.Fatalf("%v, %s, %d lost, said %q", err, res.Totals, lost, b.said)
			}
			b.exact(res, kind.names)
			if n := b.wire.count(together); n != 1 {
				t.Errorf("%d reads of many records", n)
			}
			if n := b.wire.count(alone); n != c.details {
				t.Errorf("%d reads of one record, want %d", n, c.details)
			}
			// The trails as ever, and two for the account's clock; once more where a look is made again.
			if n, most := b.wire.count(trail), 27+c.details; n < 25 || n > most {
				t.Errorf("%d trails, want 25 to %d", n, most)
			}
		})
	}
}

// TestBulkNotLetThrough has something in front of the account, or its rights, refuse bulk
// calls alone: the rows of the first are looked up, and all goes singly, which is said once.
func TestBulkNotLetThrough(t *testing.T) {
	refusals := map[string]func() *http.Response{
		"400":                             func() *http.Response { return page(400) },
		"403":                             func() *http.Response { return page(403) },
		"404":                             func() *http.Response { return page(404) },
		"401":                             func() *http.Response { return page(401) },
		"401 in the words of the account": unauthorized,
	}
	for _, kind := range bulkKinds {
		for name, refusal := range refusals {
			for _, from := range []int{1, 3} { // the first call, or one whose answers are proved
				bubble(t, fmt.Sprintf("%s, %s, call %d", kind.name, name, from), func(t *testing.T) {
					b, path := kind.begin(t, 200, sandbox.Options{BulkCalls: 1})
					defer b.close()
					var calls atomic.Int64
					b.wire.before = func(req *http.Request) (*http.Response, error) {
						if strings.Contains(req.URL.Path, "/Bulk/") && calls.Add(1) >= int64(from) {
							return refusal(), nil
						}
						return nil, nil
					}
					b.said = nil
					res, err := b.bulked(1).load(t.Context(), path)
					if err != nil || res.Totals[kind.result] != 200 || b.wire.count(kind.path) != from || b.times(unreadable) != 1 || b.times("; what is left takes at least ") != 1 {
						t.Fatalf("%v, %s, %d bulk calls, said %q", err, res.Totals, b.wire.count(kind.path), b.said)
					}
					b.exact(res, kind.names)
				})
			}
		}
	}
}

func unauthorized() *http.Response {
	resp := jsonAnswer(`{"Status":"Error","ExceptionType":"MXUnAuthorizedAccessException","ExceptionMessage":"You are not authorized"}`)
	resp.StatusCode = 401
	return resp
}

// TestBulkKeysRefused takes the keys back in the middle of bulk calls: the run ends with
// that, nothing is held against bulk calls, and later every row is there once.
func TestBulkKeysRefused(t *testing.T) {
	for _, kind := range bulkKinds {
		bubble(t, kind.name, func(t *testing.T) {
			b, path := kind.begin(t, 200, sandbox.Options{BulkCalls: 5})
			defer b.close()
			b.o.StateDir = t.TempDir()
			var calls, after atomic.Int64
			b.wire.before = func(req *http.Request) (*http.Response, error) {
				if strings.Contains(req.URL.Path, "/Bulk/") {
					calls.Add(1)
				}
				if calls.Load() < 3 {
					return nil, nil
				}
				after.Add(1)
				return unauthorized(), nil
			}
			b.said = nil
			res, err := b.bulked(5).load(t.Context(), path)
			if codeOf(err) != "account.keys" || res.Totals[ledger.ResultInDoubt] != 0 || b.times(unreadable) != 0 {
				t.Fatalf("%v, %s, said %q", err, res.Totals, b.said)
			}
			if n := after.Load(); n > 40 {
				t.Errorf("%d calls were made with keys that are refused", n)
			}
			b.wire.before, b.wire.calls = nil, nil
			time.Sleep(time.Minute)
			if res, err = b.load(t.Context(), path); err != nil || b.wire.count(kind.path) == 0 {
				t.Fatalf("%v, %s, said %q", err, res.Totals, b.said)
			}
			b.exact(res, kind.names)
		})
	}
}

// TestBulkNewRowsCalledOld lets the account call records old that it has just made: such an
// answer fails the proof, and no row counts as a duplicate.
func TestBulkNewRowsCalledOld(t *testing.T) {
	kind := bulkKinds[1]
	bubble(t, "", func(t *testing.T) {
		b, path := kind.begin(t, 60, sandbox.Options{BulkCalls: 10})
		defer b.close()
		called := 0
		b.wire.after = func(req *http.Request, _ []byte, resp *http.Response) *http.Response {
			if strings.HasSuffix(req.URL.Path, kind.path) {
				text, err := io.ReadAll(resp.Body)
				check(t, err)
				old := bytes.ReplaceAll(text, []byte(`"ActivityCreated":true`), []byte(`"ActivityCreated":false`))
				called += bytes.Count(old, []byte(`"ActivityCreated":false`))
				resp.Body = io.NopCloser(bytes.NewReader(old))
			}
			return resp
		}
		res, err := b.bulked(10).load(t.Context(), path)
		if err != nil || res.Totals[kind.result] != 60 || called == 0 {
			t.Fatalf("%v, %s, %d rows called old, said %q", err, res.Totals, called, b.said)
		}
		b.exact(res, kind.names)
	})
}

// TestBulkRefusedChangeNamesItsRecord lets the account answer a bulk update with the id of
// every record, also of one that it did not change, and with ever fewer words about it.
// No row counts as updated whose record does not have the values.
func TestBulkRefusedChangeNamesItsRecord(t *testing.T) {
	for name, words := range map[string]string{
		"its reason":  `,"ExceptionType":"MXInvalidInputException","ErrorMessage":"no such value"`,
		"a flag":      `,"OpportunityUpdated":false`,
		"a status":    `,"Status":"Failed"`,
		"not a word":  ``,
		"other words": `,"FailureReason":"no such value"`,
	} {
		bubble(t, name, func(t *testing.T) {
			b, path := bulkKinds[0].begin(t, 100, sandbox.Options{BulkCalls: 10})
			defer b.close()
			poisoned := ""
			b.wire.before = func(req *http.Request) (*http.Response, error) {
				if !strings.Contains(req.URL.Path, "/Bulk/") {
					return nil, nil
				}
				body, err := io.ReadAll(req.Body)
				check(t, err)
				var rows []struct {
					ProspectOpportunityId string
					Fields                []struct{ Value string }
				}
				check(t, json.Unmarshal(body, &rows))
				var kept []json.RawMessage
				var all []json.RawMessage
				check(t, json.Unmarshal(body, &all))
				var answer []string
				for i, r := range rows {
					said := `,"OpportunityUpdated":true`
					if name == "not a word" {
						said = ""
					}
					if strings.HasSuffix(r.Fields[0].Value, "7") {
						said, poisoned = words, r.ProspectOpportunityId
					} else {
						kept = append(kept, all[i])
					}
					answer = append(answer, fmt.Sprintf(`{"RowNumber":%d,"OpportunityId":%q%s}`, i+1, r.ProspectOpportunityId, said))
				}
				change, err := json.Marshal(kept)
				check(t, err)
				in := req.Clone(req.Context())
				in.Body, in.RequestURI = io.NopCloser(bytes.NewReader(change)), req.URL.RequestURI()
				b.wire.handler.ServeHTTP(httptest.NewRecorder(), in)
				return jsonAnswer("[" + strings.Join(answer, ",") + "]"), nil
			}
			res, err := b.bulked(10).load(t.Context(), path)
			check(t, err)
			if poisoned == "" {
				t.Fatal("all these rows went singly")
			}
			has := map[string]string{}
			for _, o := range b.account.Opportunities() {
				has[o.ID] = o.Fields["mx_Custom_1"]
			}
			for _, r := range b.rows(res) {
				if want := "New " + strings.TrimPrefix(r.Key, "D"); r.Result == ledger.ResultUpdated && has[r.ID] != want {
					t.Errorf("row %d counts as updated, and its record has %q", r.Number, has[r.ID])
				}
			}
			if n := res.Totals[ledger.ResultUpdated]; n < 90 {
				t.Errorf("%s, said %q", res.Totals, b.said)
			}
		})
	}
}
