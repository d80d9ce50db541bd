package loader

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/mapping"
)

// targetForms has a mapping of the columns Deal, Email and Name for each target.
var targetForms = map[mapping.Target]struct {
	mapping string
	call    string // the call that makes a record
	leads   bool   // its leads must be there
	held    func(*sandbox.Account) int
}{
	mapping.Opportunity: {dealMapping, "Capture", false, opportunities},
	mapping.OpportunityAsync: {`version: 1
target: opportunity-async
key: Deal
search_by: EmailAddress
LeadDetails: {EmailAddress: {column: Email, required: true}}
Opportunity:
  OpportunityEventCode: 12000
  Fields: {mx_Custom_1: Name}
`, "capture", false, opportunities},
	mapping.SalesActivity: {`version: 1
target: sales-activity
key: Deal
lead: {find_by: EmailAddress, column: Email}
SalesActivity:
  Status: {value: Won}
  mx_Custom_5: Name
`, "Create", true, func(a *sandbox.Account) int { return len(a.SalesActivities()) }},
}

// missing answers 404 to every call whose path ends so.
func missing(end string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		if strings.HasSuffix(r.URL.Path, end) {
			return page(404), nil
		}
		return nil, nil
	}
}

func opportunities(a *sandbox.Account) int { return len(a.Opportunities()) }

// TestEveryTarget takes each target from its mapping through a lost answer to
// the look at the account. No other target's record may come of it.
func TestEveryTarget(t *testing.T) {
	for _, target := range mapping.Targets() {
		form, ok := targetForms[target]
		if !ok {
			t.Errorf("target %s: targetForms has no mapping for it", target)
			continue
		}
		three := []string{"D1,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C"}
		for _, c := range []struct {
			name     string
			rows     []string
			fail     []string
			calls    int
			attempts int
			runs     int // until all is settled
		}{
			{"nothing goes wrong", three, nil, 3, 1, 1},
			{"answers lost", three, []string{sandbox.FaultLostAnswer, sandbox.FaultBadGatewayAfter, sandbox.FaultTruncated}, 3, 1, 1},
			{"cut before the account has it", three, []string{sandbox.FaultCutBefore}, 4, 2, 1},
			// Beside a record of the lead that is not known to be another row's, as
			// those of queued rows, a row stays in doubt for a run.
			{"one of each for one lead", []string{"D1,a@example.com,A", "D2,a@example.com,B", "D3,a@example.com,C"},
				[]string{sandbox.FaultCutBefore, sandbox.FaultLostAnswer}, 4, 2, 2},
		} {
			bubble(t, string(target)+": "+c.name, func(t *testing.T) {
				b := newBench(t, sandbox.Options{AsyncDelay: 5 * time.Second})
				defer b.close()
				b.mapping = form.mapping
				if form.leads {
					for _, email := range []string{"a@example.com", "b@example.com", "c@example.com"} {
						_, err := b.account.AddLead(map[string]string{"EmailAddress": email})
						check(t, err)
					}
				}
				check(t, b.account.FailNext(c.fail...))
				path := b.deals(c.rows...)
				var res Result
				attempts := 0
				for range c.runs {
					var err error
					res, err = b.load(t.Context(), path)
					check(t, err)
					for _, r := range b.rows(res) {
						attempts = max(attempts, r.Attempts)
					}
				}
				if n := res.Totals[ledger.ResultLoaded] + res.Totals[ledger.ResultAlready]; n != 3 {
					t.Errorf("totals %s, want 3 in the account", res.Totals)
				}
				if n := form.held(b.account); n != 3 {
					t.Errorf("the account has %d records of the target, want 3", n)
				}
				if n := opportunities(b.account) + len(b.account.SalesActivities()); n != 3 {
					t.Errorf("the account has %d records in all, want 3", n)
				}
				if n := b.wire.count(form.call); n != c.calls {
					t.Errorf("%d calls of %s, want %d", n, form.call, c.calls)
				}
				ids := map[string]bool{}
				for _, r := range b.rows(res) {
					ids[r.ID] = true
				}
				if len(ids) != 3 || ids[""] {
					t.Errorf("the rows have the ids %v, want three", slices.Collect(maps.Keys(ids)))
				}
				if attempts != c.attempts {
					t.Errorf("%d attempts at most, want %d", attempts, c.attempts)
				}
				if res, err := b.load(t.Context(), path); err != nil || res.Totals[ledger.ResultAlready] != 3 {
					t.Errorf("the same file again: %v, %s; want already 3", err, res.Totals)
				}
			})
		}
	}
}

// TestSettleSales goes through what the account may show of a sale whose answer was lost.
func TestSettleSales(t *testing.T) {
	const same = "Status"
	for _, c := range []struct {
		name   string
		fail   string
		set    func(b *bench, lead string)
		totals ledger.Counts
		held   int
		code   string
	}{
		{name: "the list of sales cannot be read", fail: sandbox.FaultLostAnswer, set: func(b *bench, _ string) { b.wire.before = missing("/RetrieveByLeadId") },
			totals: ledger.Counts{ledger.ResultInDoubt: 1}, held: 1, code: "doubt.unread"},
		{name: "the trail cannot be read: the list is enough", fail: sandbox.FaultLostAnswer, set: func(b *bench, _ string) { b.wire.before = missing("/Retrieve") },
			totals: ledger.Counts{ledger.ResultLoaded: 1}, held: 1},
		{name: "the same sale by hand an hour before: no record proves what the clock of the trail is", fail: sandbox.FaultCutBefore, set: func(b *bench, lead string) {
			_, err := b.account.AddSalesActivity(lead, map[string]string{same: "Won", "mx_Custom_5": "A"})
			check(b.t, err)
			time.Sleep(time.Hour)
		}, totals: ledger.Counts{ledger.ResultInDoubt: 1}, held: 1, code: "doubt.early"},
		{name: "another sale of the lead made meanwhile may be the row, changed", fail: sandbox.FaultCutBefore, set: func(b *bench, lead string) {
			time.AfterFunc(10*time.Second, func() {
				_, err := b.account.AddSalesActivity(lead, map[string]string{same: "Lost", "mx_Custom_5": "Z"})
				check(b.t, err)
			})
		}, totals: ledger.Counts{ledger.ResultInDoubt: 1}, held: 1, code: "doubt.similar"},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.mapping = targetForms[mapping.SalesActivity].mapping
			lead, err := b.account.AddLead(map[string]string{"EmailAddress": "a@example.com"})
			check(t, err)
			c.set(b, lead)
			check(t, b.account.FailNext(c.fail))
			res, err := b.load(t.Context(), b.deals("D1,a@example.com,A"))
			if err != nil || res.Totals != c.totals {
				t.Errorf("%v, %s; want %s", err, res.Totals, c.totals)
			}
			if n := len(b.account.SalesActivities()); n != c.held {
				t.Errorf("%d sales in the account, want %d", n, c.held)
			}
			if r := b.rows(res)[0]; c.code != "" && r.Code != c.code {
				t.Errorf("code %q (%s), want %q", r.Code, r.Error, c.code)
			}
		})
	}
}

// TestSettleQueued goes through rows that the account has queued.
func TestSettleQueued(t *testing.T) {
	mapped := targetForms[mapping.OpportunityAsync].mapping
	rows := []string{"D1,a@example.com,A", "D2,b@example.com,B"}
	bubble(t, "a lost answer waits until the queue is empty", func(t *testing.T) {
		b := newBench(t, sandbox.Options{AsyncDelay: 100 * time.Second})
		defer b.close()
		b.mapping = mapped
		check(t, b.account.FailNext(sandbox.FaultLostAnswer))
		res, err := b.load(t.Context(), b.deals(rows...))
		if err != nil || res.Totals != (ledger.Counts{ledger.ResultLoaded: 2}) || opportunities(b.account) != 2 {
			t.Errorf("%v, %s, %d in the account; want 2 loaded", err, res.Totals, opportunities(b.account))
		}
		if n := b.wire.count("capture"); n != 2 {
			t.Errorf("%d captures were queued, want 2: one that was in the queue was sent again", n)
		}
	})
	bubble(t, "a queue that cannot be read leaves the row in doubt", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.mapping = mapped
		b.wire.before = missing("/metrics")
		check(t, b.account.FailNext(sandbox.FaultCutBefore))
		res, err := b.load(t.Context(), b.deals(rows...))
		if err != nil || res.Totals != (ledger.Counts{ledger.ResultLoaded: 1, ledger.ResultInDoubt: 1}) {
			t.Errorf("%v, %s; want 1 loaded and 1 in doubt", err, res.Totals)
		}
		for _, r := range b.rows(res) {
			if r.Result == ledger.ResultInDoubt && r.Code != "doubt.unread" {
				t.Errorf("code %q, want doubt.unread", r.Code)
			}
		}
	})
	bubble(t, "an account without the queue's status says so", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.mapping = mapped
		b.o.Wait = time.Minute
		b.wire.before = missing("/status")
		res, err := b.load(t.Context(), b.deals(rows...))
		if err != nil || res.Totals != (ledger.Counts{ledger.ResultPending: 2}) {
			t.Errorf("%v, %s; want 2 pending", err, res.Totals)
		}
		if said := strings.Join(b.said, "\n"); strings.Count(said, "the account's queue could not be asked about 2 rows") != 1 || !strings.Contains(said, "async_status_path") {
			t.Errorf("told: %s", said)
		}
	})
	bubble(t, "a slow queue: the run waits as long as it is told, and settle goes on", func(t *testing.T) {
		b := newBench(t, sandbox.Options{AsyncDelay: time.Hour})
		defer b.close()
		b.mapping = mapped
		b.o.Wait = time.Minute
		begin := time.Now()
		res, err := b.load(t.Context(), b.deals(rows...))
		if err != nil || res.Totals != (ledger.Counts{ledger.ResultPending: 2}) {
			t.Fatalf("%v, %s; want 2 pending", err, res.Totals)
		}
		if took := time.Since(begin); took < time.Minute || took > 2*time.Minute {
			t.Errorf("the run took %s with --wait 1m", took)
		}
		time.Sleep(time.Hour)
		s := b.connect()
		settled, err := s.Settle(t.Context())
		check(t, err)
		check(t, s.Close())
		if settled.Before.Pending != 2 || settled.Rows[ledger.ResultPending] != 0 || settled.Rows[ledger.ResultLoaded] != 2 || opportunities(b.account) != 2 {
			t.Errorf("%+v, %d in the account", settled, opportunities(b.account))
		}
	})
	bubble(t, "an error of the account's own is left to its repeats for hours", func(t *testing.T) {
		b := newBench(t, sandbox.Options{AsyncFail: 1})
		defer b.close()
		b.mapping = mapped
		b.o.Wait = 20 * time.Minute
		res, err := b.load(t.Context(), b.deals(rows...))
		if err != nil || res.Totals != (ledger.Counts{ledger.ResultPending: 2}) {
			t.Fatalf("%v, %s; want 2 pending", err, res.Totals)
		}
		// Once at first, and once after each repeat: 30 s, 2 min 30 s and 9 min 30 s after the submit.
		if n := b.wire.count("status"); n != 2*4 {
			t.Errorf("%d questions about 2 rows in 20 minutes, want one for each repeat: %v", n, b.wire.calls)
		}
		if said := strings.Join(b.said, "\n"); strings.Count(said, "asking for results, for up to 20 min") != 1 || strings.Count(said, "which repeats them by itself at ") != 1 {
			t.Errorf("told: %s", said)
		}
		time.Sleep(leadsquared.AsyncRetrySpan)
		s := b.connect()
		settled, err := s.Settle(t.Context())
		check(t, err)
		check(t, s.Close())
		if settled.Rows[ledger.ResultPending] != 0 || settled.Rows[ledger.ResultInDoubt] != 2 {
			t.Errorf("after %s: %+v; want both in doubt", leadsquared.AsyncRetrySpan, settled)
		}
	})
}

// TestCreateLead goes through a sale whose lead is made on demand.
func TestCreateLead(t *testing.T) {
	for _, c := range []struct {
		name   string
		set    func(b *bench)
		totals ledger.Counts
		leads  int
		code   string
	}{
		{name: "made, found and used", totals: ledger.Counts{ledger.ResultLoaded: 1}, leads: 1},
		{name: "its answer is lost: it is there", set: func(b *bench) { check(b.t, b.account.FailNext(sandbox.FaultLostAnswer)) }, totals: ledger.Counts{ledger.ResultLoaded: 1}, leads: 1},
		{name: "cut before: it is asked for again", set: func(b *bench) { check(b.t, b.account.FailNext(sandbox.FaultCutBefore)) }, totals: ledger.Counts{ledger.ResultLoaded: 1}, leads: 1},
		{name: "cut every time: the row is not sent", set: func(b *bench) {
			check(b.t, b.account.FailNext(sandbox.FaultCutBefore, sandbox.FaultCutBefore, sandbox.FaultCutBefore))
		}, totals: ledger.Counts{ledger.ResultNotSent: 1}, code: "lead.unread"},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.mapping = `version: 1
target: sales-activity
key: Deal
lead: {find_by: EmailAddress, column: Email, if_missing: create}
SalesActivity: {Status: {value: Won}, mx_Custom_5: Name}
`
			if c.set != nil {
				c.set(b)
			}
			res, err := b.load(t.Context(), b.deals("D1,a@example.com,A"))
			if err != nil || res.Totals != c.totals || len(b.account.Leads()) != c.leads || len(b.account.SalesActivities()) != int(c.totals[ledger.ResultLoaded]) {
				t.Errorf("%v, %s, %d leads, %d sales; want %s and %d leads", err, res.Totals, len(b.account.Leads()), len(b.account.SalesActivities()), c.totals, c.leads)
			}
			if r := b.rows(res)[0]; c.code != "" && r.Code != c.code {
				t.Errorf("code %q (%s), want %q", r.Code, r.Error, c.code)
			}
		})
	}
}
