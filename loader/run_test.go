package loader

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadload/internal/fault"
	"leadload/internal/sandbox"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/pace"
)

// bubble runs a test in fake time.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestOutage(t *testing.T) {
	refused := func(until time.Time) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) {
			if time.Now().Before(until) {
				return nil, fmt.Errorf("connection refused: %w", leadsquared.ErrNotSent)
			}
			return nil, nil
		}
	}
	bubble(t, "refused for four minutes: it waits and goes on", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		path := b.many(60)
		begin := time.Now()
		b.wire.before = refused(begin.Add(4 * time.Minute))
		res, err := b.load(t.Context(), path)
		if err != nil || res.Totals[ledger.ResultLoaded] != 60 || b.account.Count().Opportunities != 60 {
			t.Fatalf("%v, %s", err, res.Totals)
		}
		var asked []time.Time
		for i, p := range b.wire.calls {
			if p == "UserByAccessKey.Get" {
				asked = append(asked, b.wire.times[i])
			}
		}
		if len(asked) < 6 || len(asked) > 30 {
			t.Errorf("the account was asked %d times in four minutes", len(asked))
		}
		first, last := asked[1].Sub(asked[0]), asked[len(asked)-1].Sub(asked[len(asked)-2])
		if last < 10*first || last > 31*time.Second {
			t.Errorf("waits grow from %s to %s", first, last)
		}
		if said := strings.Join(b.said, "\n"); !strings.Contains(said, "waiting for it to come back") || !strings.Contains(said, "answers again after") {
			t.Errorf("told: %s", said)
		}
	})
	for name, answer := range map[string]func() (*http.Response, error){
		"a proxy's 503 page": func() (*http.Response, error) { return page(503), nil },
		"connections cut":    func() (*http.Response, error) { return nil, errors.New("reset") },
		"a page of somebody": func() (*http.Response, error) { return page(200), nil },
	} {
		bubble(t, "few rows are risked: "+name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			path := b.many(300)
			until := time.Now().Add(5 * time.Minute)
			b.wire.before = func(*http.Request) (*http.Response, error) {
				if time.Now().Before(until) {
					return answer()
				}
				return nil, nil
			}
			b.o.NoSettle = true
			res, err := b.load(t.Context(), path)
			if err != nil || res.Totals[ledger.ResultInDoubt] == 0 || res.Totals[ledger.ResultInDoubt] > 30 || res.Totals[ledger.ResultLoaded]+res.Totals[ledger.ResultInDoubt] != 300 {
				t.Errorf("%v, %s", err, res.Totals)
			}
			b.o.NoSettle = false
			res, err = b.load(t.Context(), path)
			if err != nil || res.Totals[ledger.ResultInDoubt]+res.Totals[ledger.ResultNotSent] > 0 || b.account.Count().Opportunities != 300 {
				t.Errorf("settled: %v, %s, %d in the account", err, res.Totals, b.account.Count().Opportunities)
			}
		})
	}
	bubble(t, "longer than --outage-limit", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		begin := time.Now()
		b.wire.before = refused(begin.Add(time.Hour))
		res, err := b.load(t.Context(), b.many(60))
		if took := time.Since(begin); codeOf(err) != "account.unreachable" || took < 15*time.Minute || took > 17*time.Minute || res.Totals[ledger.ResultNotSent] != 60 {
			t.Errorf("%v after %s, %s", err, took, res.Totals)
		}
	})
	bubble(t, "only the sending call fails: the limit holds all the same", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.wire.before = func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/Capture") {
				return page(502), nil
			}
			return nil, nil
		}
		res, err := b.load(t.Context(), b.many(400))
		if codeOf(err) != "account.unreachable" || res.Totals[ledger.ResultInDoubt] > 120 || res.Totals[ledger.ResultNotSent]+res.Totals[ledger.ResultInDoubt] != 400 {
			t.Errorf("%v, %s", err, res.Totals)
		}
	})
	bubble(t, "details that are never shown: the list of the lead has the fields, too", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		check(t, b.account.FailNext(sandbox.FaultLostAnswer))
		b.wire.before = func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/GetOpportunityDetails") {
				return page(404), nil
			}
			return nil, nil
		}
		res, err := b.load(t.Context(), b.deals("D1,a@example.com,A", "D2,b@example.com,B"))
		if err != nil || res.Totals[ledger.ResultLoaded] != 2 || len(b.account.Opportunities()) != 2 {
			t.Errorf("%v, %s", err, res.Totals)
		}
	})
	bubble(t, "reads that never work do not hold the run for ever", func(t *testing.T) {
		b := newBench(t, sandbox.Options{Faults: sandbox.Faults{}})
		defer b.close()
		check(t, b.account.FailNext(sandbox.FaultLostAnswer))
		b.wire.before = func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/GetOpportunityDetails") || strings.HasSuffix(r.URL.Path, "/GetOpportunitiesOfLead") {
				return page(502), nil
			}
			return nil, nil
		}
		begin := time.Now()
		res, err := b.load(t.Context(), b.deals("D1,a@example.com,A", "D2,b@example.com,B"))
		if err != nil || res.Totals[ledger.ResultInDoubt] != 1 || time.Since(begin) > time.Hour {
			t.Errorf("%v, %s after %s", err, res.Totals, time.Since(begin))
		}
		if r := b.rows(res); len(r[0].Candidates)+len(r[1].Candidates) != 1 {
			t.Errorf("candidates: %+v", r)
		}
	})
}

func TestStopsAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		o    sandbox.Options
		path string
		hint string
	}{
		"401": {sandbox.Options{Deactivated: true}, "", "check the access key"},
		"404": {sandbox.Options{}, "404", "check host"},
	} {
		bubble(t, name, func(t *testing.T) {
			b := newBench(t, c.o)
			defer b.close()
			if c.path != "" {
				b.wire.before = func(*http.Request) (*http.Response, error) { return page(404), nil }
			}
			res, err := b.load(t.Context(), b.many(200))
			var e *fault.Fault
			if !errors.As(err, &e) || e.Code.Trait() != fault.Stopped || !strings.Contains(e.Hint, c.hint) || len(b.wire.calls) > 25 || res.Totals[ledger.ResultNotSent]+res.Totals[ledger.ResultInDoubt] != 200 {
				t.Errorf("%v after %d calls, %s", err, len(b.wire.calls), res.Totals)
			}
		})
	}
}

func TestMaxErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{Mandatory: []string{"mx_Custom_7"}})
		defer b.close()
		b.o.MaxErrors = 5
		res, err := b.load(t.Context(), b.many(200))
		if codeOf(err) != "run.max-errors" || res.Totals[ledger.ResultRejected] < 5 || res.Totals[ledger.ResultRejected] > 5+25 || res.Totals[ledger.ResultRejected]+res.Totals[ledger.ResultNotSent] != 200 {
			t.Errorf("%v, %s", err, res.Totals)
		}
	})
}

func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.o.Until = time.Now().Add(30 * time.Second)
		res, err := b.load(t.Context(), b.many(400))
		if codeOf(err) != "run.until" || time.Now().After(b.o.Until) || res.Totals[ledger.ResultLoaded] == 0 || res.Totals[ledger.ResultLoaded]+res.Totals[ledger.ResultNotSent] != 400 {
			t.Errorf("%v at %s of %s, %s", err, time.Now(), b.o.Until, res.Totals)
		}
	})
}

func TestThrottledRowsGoAgain(t *testing.T) {
	for _, form := range []string{"429", "200", "403", "500", "bare"} {
		bubble(t, form, func(t *testing.T) {
			b := newBench(t, sandbox.Options{Calls: 5, LimitForm: form})
			defer b.close()
			b.o.MaxErrors = 1
			res, err := b.load(t.Context(), b.many(60))
			if err != nil || res.Totals[ledger.ResultLoaded] != 60 || res.Run.Throttled == 0 || b.account.Count().Opportunities != 60 {
				t.Errorf("%v, %s, %d throttled", err, res.Totals, res.Run.Throttled)
			}
			for _, r := range b.rows(res) {
				if r.Attempts != 1 {
					t.Errorf("row %d counts %d attempts", r.Number, r.Attempts)
				}
			}
		})
	}
}

func TestDailyLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.o.Account.DailyLimit = 40
		path := b.many(60)
		res, err := b.load(t.Context(), path)
		if codeOf(err) != "account.daily-limit" || res.Totals[ledger.ResultLoaded] != 40 {
			t.Fatalf("%v, %s", err, res.Totals)
		}
		// Another process knows what the first has used up.
		if res, err = b.load(t.Context(), path); codeOf(err) != "account.daily-limit" || res.Totals[ledger.ResultLoaded] != 0 || res.Totals[ledger.ResultAlready] != 40 {
			t.Errorf("the same day: %v, %s", err, res.Totals)
		}
		time.Sleep(24 * time.Hour)
		if res, err = b.load(t.Context(), path); err != nil || res.Totals[ledger.ResultLoaded] != 20 {
			t.Errorf("the next day: %v, %s", err, res.Totals)
		}
	})
}

// TestOrderOfALead says that rows of one lead arrive in the order of the file,
// however the lead is written, and that others overtake a long run of them.
func TestOrderOfALead(t *testing.T) {
	for _, limit := range []pace.Limit{pace.Unlimited, {Calls: 25, Window: 100 * time.Millisecond}} {
		bubble(t, limit.String(), func(t *testing.T) {
			b := newBench(t, sandbox.Options{Calls: sandbox.NoLimit})
			defer b.close()
			b.o.Account.Limit = limit
			const burst, others = 600, 40
			var rows []string
			for i := range burst {
				rows = append(rows, fmt.Sprintf("B%d,%s,Deal %05d", i, []string{"one@example.com", "One@Example.com", " one@example.com "}[i%3], i))
			}
			for i := range others {
				rows = append(rows, fmt.Sprintf("O%d,own%d@example.com,other", i, i))
			}
			res, err := b.load(t.Context(), b.deals(rows...))
			if err != nil || res.Totals[ledger.ResultLoaded] != burst+others {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			last, seen, late := "", 0, 0
			for at, o := range b.account.Opportunities() {
				name := o.Fields["mx_Custom_1"]
				if name == "other" {
					if seen++; at > burst/2 {
						late++
					}
					continue
				}
				if name <= last {
					t.Fatalf("%s arrived after %s", name, last)
				}
				last = name
			}
			if seen != others || late > 0 {
				t.Errorf("%d of %d other rows waited for the burst", late, others)
			}
			if n := b.account.Count().Leads; n != others+1 {
				t.Errorf("%d leads", n)
			}
		})
	}
}

func TestFileChangesBetweenThePasses(t *testing.T) {
	for name, c := range map[string]struct {
		rows   []string
		loaded int64
	}{
		"a value":   {[]string{"D1,a@example.com,A", "D2,b@example.com,CHANGED", "D3,c@example.com,C"}, 1},
		"a row":     {[]string{"D1,a@example.com,A"}, 1},
		"one more":  {[]string{"D1,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C", "D4,d@example.com,D"}, 3},
		"the first": {[]string{"X,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C"}, 0},
	} {
		bubble(t, name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			path := b.deals("D1,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C")
			b.confirm = func(Plan) error {
				b.deals(c.rows...)
				return nil
			}
			res, err := b.load(t.Context(), path)
			// What is added below is not seen at all: the file is read up to its former end.
			if err == nil && name != "one more" || int64(b.account.Count().Opportunities) > c.loaded {
				t.Errorf("%v, %s, %d in the account", err, res.Totals, b.account.Count().Opportunities)
			}
			b.confirm = nil
			if res, err = b.load(t.Context(), path); err != nil || res.Totals[ledger.ResultNotSent] > 0 {
				t.Errorf("again: %v, %s", err, res.Totals)
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	bubble(t, "while sending: what is in flight is finished", func(t *testing.T) {
		b := newBench(t, sandbox.Options{Latency: 2 * time.Second})
		defer b.close()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		path := b.many(100)
		res, err := b.load(ctx, path)
		if !errors.Is(err, context.Canceled) || res.Totals[ledger.ResultLoaded] == 0 || res.Totals[ledger.ResultInDoubt] > 0 || res.Totals[ledger.ResultLoaded] != int64(b.account.Count().Opportunities) {
			t.Errorf("%v, %s, %d in the account", err, res.Totals, b.account.Count().Opportunities)
		}
		if res, err = b.load(t.Context(), path); err != nil || b.account.Count().Opportunities != 100 {
			t.Errorf("again: %v, %s", err, res.Totals)
		}
	})
	bubble(t, "with rows reserved ahead: none is left in doubt", func(t *testing.T) {
		b := newBench(t, sandbox.Options{Latency: 2 * time.Second, Calls: sandbox.NoLimit})
		defer b.close()
		b.o.Account.Limit = pace.Unlimited
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		res, err := b.load(ctx, b.many(1000))
		if !errors.Is(err, context.Canceled) || res.Totals[ledger.ResultInDoubt] > 0 || res.Totals[ledger.ResultNotSent] == 0 || res.Totals[ledger.ResultLoaded] != int64(b.account.Count().Opportunities) {
			t.Errorf("%v, %s, %d in the account", err, res.Totals, b.account.Count().Opportunities)
		}
	})
	bubble(t, "while it waits to settle: doubts stay", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.known()
		check(t, b.account.FailNext(sandbox.FaultCutBefore))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Second, cancel)
		path := b.deals("D1,a@example.com,A")
		res, err := b.load(ctx, path)
		if !errors.Is(err, context.Canceled) || res.Totals[ledger.ResultInDoubt] != 1 || b.account.Count().Opportunities != 1 {
			t.Errorf("%v, %s", err, res.Totals)
		}
		if res, err = b.load(t.Context(), path); err != nil || res.Totals[ledger.ResultLoaded] != 1 || b.account.Count().Opportunities != 2 {
			t.Errorf("again: %v, %s", err, res.Totals)
		}
	})
}

func TestDeclined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		path := b.deals("D1,a@example.com,A", "D2,nobody,B")
		b.confirm = func(p Plan) error {
			if p.Ready() != 1 || p.Rows[ledger.ResultInvalid] != 1 || p.Calls != 1 {
				t.Errorf("plan %+v", p)
			}
			return errors.New("no")
		}
		if _, err := b.load(t.Context(), path); err == nil || err.Error() != "no" || len(b.wire.calls) > 0 {
			t.Errorf("%v, calls %v", err, b.wire.calls)
		}
	})
}

// TestTrouble goes through what can happen to one row in doubt, from end to end.
func TestTrouble(t *testing.T) {
	const row = "D1,a@example.com,A"
	for _, c := range []struct {
		name   string
		o      sandbox.Options
		fail   []string
		set    func(b *bench)
		totals ledger.Counts
		holds  int
		code   string
		known  bool // the ledger knows of another record that the account has
	}{
		{name: "answer lost", fail: []string{sandbox.FaultLostAnswer}, totals: ledger.Counts{ledger.ResultLoaded: 1}, holds: 1},
		{name: "cut before", known: true, fail: []string{sandbox.FaultCutBefore}, totals: ledger.Counts{ledger.ResultLoaded: 1}, holds: 2},
		{name: "cut before, and the account has shown nothing yet", fail: []string{sandbox.FaultCutBefore}, totals: ledger.Counts{ledger.ResultInDoubt: 1}, code: "doubt.no-lead"},
		{name: "lost twice", known: true, fail: []string{sandbox.FaultCutBefore, sandbox.FaultHangAfter}, totals: ledger.Counts{ledger.ResultLoaded: 1}, holds: 2},
		{name: "never arrives", known: true, fail: []string{sandbox.FaultCutBefore, sandbox.FaultCutBefore, sandbox.FaultBadGatewayBefore}, totals: ledger.Counts{ledger.ResultInDoubt: 1}, holds: 1, code: "doubt.never-arrives"},
		{name: "settling is off", fail: []string{sandbox.FaultLostAnswer}, set: func(b *bench) { b.o.NoSettle = true }, totals: ledger.Counts{ledger.ResultInDoubt: 1}, holds: 1},
		{name: "index lags behind the first look", o: sandbox.Options{IndexLag: 80 * time.Second}, fail: []string{sandbox.FaultLostAnswer}, totals: ledger.Counts{ledger.ResultLoaded: 1}, holds: 1},
		{name: "index never shows it", o: sandbox.Options{IndexLag: 48 * time.Hour}, fail: []string{sandbox.FaultLostAnswer}, totals: ledger.Counts{ledger.ResultInDoubt: 1}, holds: 1, code: "doubt.unread"},
		{name: "the account's clock is behind, and no record proves it", o: sandbox.Options{Skew: -4 * time.Minute}, fail: []string{sandbox.FaultLostAnswer}, totals: ledger.Counts{ledger.ResultInDoubt: 1}, holds: 1, code: "doubt.early"},
		{name: "the account's clock is ahead", o: sandbox.Options{Skew: 4 * time.Minute}, fail: []string{sandbox.FaultLostAnswer}, totals: ledger.Counts{ledger.ResultLoaded: 1}, holds: 1},
		{name: "a clock that the Date header hides", o: sandbox.Options{Skew: -4 * time.Minute, DateHeader: "real"}, fail: []string{sandbox.FaultLostAnswer}, totals: ledger.Counts{ledger.ResultInDoubt: 1}, holds: 1, code: "doubt.early"},
		{name: "the same record by hand, long before", known: true, fail: []string{sandbox.FaultCutBefore}, set: func(b *bench) {
			lead, err := b.account.AddLead(map[string]string{"EmailAddress": "a@example.com"})
			check(b.t, err)
			_, err = b.account.AddOpportunity(lead, 12000, "", map[string]string{"mx_Custom_1": "A"})
			check(b.t, err)
			time.Sleep(time.Hour)
		}, totals: ledger.Counts{ledger.ResultLoaded: 1}, holds: 3},
		{name: "the key is sent, and a record with it is a minute older", fail: []string{sandbox.FaultLostAnswer}, o: sandbox.Options{Skew: -4 * time.Minute, DateHeader: "real"}, set: func(b *bench) {
			b.mapping += "    mx_Custom_2: Deal\n"
		}, totals: ledger.Counts{ledger.ResultLoaded: 1}, holds: 1},
		{name: "the key stands in the trail before the index shows the rest", fail: []string{sandbox.FaultLostAnswer}, o: sandbox.Options{IndexLag: 48 * time.Hour}, set: func(b *bench) {
			b.mapping += "    mx_Custom_2: Deal\n"
		}, totals: ledger.Counts{ledger.ResultLoaded: 1}, holds: 1},
		{name: "the trail cannot be read", fail: []string{sandbox.FaultCutBefore}, set: func(b *bench) {
			b.wire.before = func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/Retrieve") {
					return page(404), nil
				}
				return nil, nil
			}
			_, err := b.account.AddLead(map[string]string{"EmailAddress": "a@example.com"})
			check(b.t, err)
		}, totals: ledger.Counts{ledger.ResultInDoubt: 1}, code: "doubt.unread"},
		{name: "the look-up of the lead cannot be read, the search knows it", fail: []string{sandbox.FaultLostAnswer}, set: func(b *bench) {
			b.wire.before = func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/Leads.GetByEmailaddress") {
					return page(404), nil
				}
				return nil, nil
			}
		}, totals: ledger.Counts{ledger.ResultLoaded: 1}, holds: 1},
		{name: "no look-up of the lead works, nothing is sent again", fail: []string{sandbox.FaultCutBefore}, set: func(b *bench) {
			b.wire.before = func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/Leads.GetByEmailaddress") || strings.HasSuffix(r.URL.Path, "/GetOpportunitiesByUniqueLeadField") {
					return page(404), nil
				}
				return nil, nil
			}
		}, totals: ledger.Counts{ledger.ResultInDoubt: 1}, code: "doubt.unread"},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, c.o)
			defer b.close()
			if c.known {
				b.known()
			}
			if c.set != nil {
				c.set(b)
			}
			check(t, b.account.FailNext(c.fail...))
			res, err := b.load(t.Context(), b.deals(row))
			if err != nil || res.Totals != c.totals || b.account.Count().Opportunities != c.holds {
				t.Errorf("%v, %s, %d in the account; want %s and %d", err, res.Totals, b.account.Count().Opportunities, c.totals, c.holds)
			}
			if r := b.rows(res)[0]; c.code != "" && (r.Code != c.code || r.Error == "" || r.Hint == "") {
				t.Errorf("told %q %q %q, want %s", r.Code, r.Error, r.Hint, c.code)
			}
		})
	}
}

// TestSettleWaits says that the account is not asked before its indexes had
// their time, counted from the end of the call: a call that was given up may
// still be carried out.
func TestSettleWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		check(t, b.account.FailNext(sandbox.FaultHangAfter))
		b.o.Timeout = 20 * time.Second
		begin := time.Now()
		_, err := b.load(t.Context(), b.deals("D1,a@example.com,A"))
		check(t, err)
		for i, p := range b.wire.calls {
			if p == "Retrieve" && b.wire.times[i].Sub(begin) < 80*time.Second {
				t.Errorf("asked after %s, want the 20 s of the call and 60 s more", b.wire.times[i].Sub(begin))
			}
		}
		if b.wire.count("Retrieve") == 0 {
			t.Error("the trail was not read")
		}
	})
}

// TestChangedInDoubt says that a row whose values were corrected after its
// answer was lost is not sent again as it was.
func TestChangedInDoubt(t *testing.T) {
	for _, fault := range []string{sandbox.FaultCutBefore, sandbox.FaultLostAnswer} {
		bubble(t, fault, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.known()
			b.o.NoSettle = true
			check(t, b.account.FailNext(fault))
			path := b.deals("D1,a@example.com,wrong")
			_, err := b.load(t.Context(), path)
			check(t, err)
			b.o.NoSettle = false
			b.deals("D1,a@example.com,right")
			res, err := b.load(t.Context(), path)
			check(t, err)
			res2, err := b.load(t.Context(), path)
			check(t, err)
			held := b.account.Opportunities()[1:]
			if len(held) != 1 {
				t.Fatalf("%d in the account; %s, %s", len(held), res.Totals, res2.Totals)
			}
			want, totals := "wrong", ledger.Counts{ledger.ResultChanged: 1}
			if fault == sandbox.FaultCutBefore {
				want, totals = "right", ledger.Counts{ledger.ResultLoaded: 1}
			}
			if got := held[0].Fields["mx_Custom_1"]; got != want || res2.Totals != totals {
				t.Errorf("the account has %q; %s, %s", got, res.Totals, res2.Totals)
			}
		})
	}
}

// TestSettleCommand says that Settle finds what earlier runs left, whichever file it was of.
func TestSettleCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.o.NoSettle = true
		check(t, b.account.FailNext(sandbox.FaultLostAnswer, sandbox.FaultCutBefore))
		_, err := b.load(t.Context(), b.deals("D1,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C"))
		check(t, err)
		b.o.NoSettle = false
		s := b.connect()
		res, err := s.Settle(t.Context())
		check(t, err)
		check(t, s.Close())
		if res.Before.InDoubt != 2 || res.Rows[ledger.ResultInDoubt] != 0 || res.Rows[ledger.ResultLoaded] != 2 || b.account.Count().Opportunities != 3 {
			t.Errorf("%+v, %d in the account", res, b.account.Count().Opportunities)
		}
	})
}

// TestManyFilesInOneSession says that numbers begin anew with each file.
func TestManyFilesInOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		s := b.connect()
		for i := range 2 {
			res, err := b.loadIn(t.Context(), s, b.deals(fmt.Sprintf("D%d,a@example.com,A", i), fmt.Sprintf("E%d,b@example.com,A", i)))
			if err != nil || res.Totals[ledger.ResultLoaded] != 2 || s.Snapshot().Done() != 2 {
				t.Errorf("%v, %s, %+v", err, res.Totals, s.Snapshot())
			}
		}
		check(t, s.Close())
	})
}

// TestOneIDForAllRows says that an account which gives every record the same id
// does not go unnoticed: one row has it at most, the others are in doubt.
func TestOneIDForAllRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.wire.before = func(r *http.Request) (*http.Response, error) {
			if !strings.HasSuffix(r.URL.Path, "/Capture") {
				return nil, nil
			}
			return jsonAnswer(`{"Status":0,"CreatedOpportunityId":"11111111-1111-4111-8111-111111111111","RelatedProspectId":"21111111-1111-4111-8111-111111111111"}`), nil
		}
		b.o.NoSettle = true
		res, err := b.load(t.Context(), b.deals("D1,a@example.com,A", "D2,b@example.com,B", "D3,c@example.com,C"))
		if err != nil || res.End != fault.Person || res.Totals[ledger.ResultLoaded] != 1 || res.Totals[ledger.ResultInDoubt] != 2 {
			t.Errorf("%v, end %d, %s", err, res.End, res.Totals)
		}
		for _, r := range b.rows(res) {
			if r.Result == ledger.ResultInDoubt && (r.Code != ledger.BorrowedCode || !strings.Contains(r.Error, "11111111-1111") || !strings.Contains(r.Hint, "leadload settle")) {
				t.Errorf("row %+v", r)
			}
		}
	})
}

func TestEmptyFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		path := b.deals()
		check(t, os.WriteFile(path, []byte("Deal,Email,Name\n"), 0o600))
		if _, err := b.load(t.Context(), path); codeOf(err) != "file.no-rows" {
			t.Errorf("error %v", err)
		}
	})
}

// TestALeadThatIsGoneIsLookedUpAgain says that a remembered lead which the
// account no longer knows costs a row one run, not thirty days.
func TestALeadThatIsGoneIsLookedUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.mapping = `version: 1
target: sales-activity
key: Deal
lead: {find_by: EmailAddress, column: Email}
SalesActivity:
  ProductSku: {value: SKU-1}
  Status: {value: Won}
`
		_, err := b.account.AddLead(map[string]string{"EmailAddress": "asha@example.com"})
		check(t, err)
		s := b.connect()
		b.led.Memo().RememberLead(s.acct, "EmailAddress", "asha@example.com", "00000000-0000-0000-0000-000000000bad")
		check(t, errors.Join(b.led.Flush(), s.Close()))
		time.Sleep(time.Hour)
		path := b.deals("D1,Asha@example.com,x")
		res, err := b.load(t.Context(), path)
		if err != nil || res.Totals[ledger.ResultRejected] != 1 {
			t.Fatalf("%v, %s", err, res.Totals)
		}
		if res, err = b.load(t.Context(), path); err != nil || res.Totals[ledger.ResultLoaded] != 1 {
			t.Errorf("again: %v, %s", err, res.Totals)
		}
		if n := len(b.account.SalesActivities()); n != 1 {
			t.Errorf("%d sales", n)
		}
	})
}
