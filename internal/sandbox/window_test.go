package sandbox

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWindowAgainstPlainCounting compares the ring with a count over all arrivals.
func TestWindowAgainstPlainCounting(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 400 {
		calls, length := 1+r.IntN(6), int64(5+r.IntN(40))
		rejects := r.IntN(2) == 0
		w := newWindow(calls, time.Duration(length), rejects)
		b := busiest{length: length}
		var counted, all []int64
		most, now := 0, int64(0)
		for range 200 {
			now += int64(r.IntN(12))
			in := func(times []int64) (n int) {
				for _, at := range times {
					if at > now-length {
						n++
					}
				}
				return n
			}
			want := in(counted) < calls
			if got := w.arrive(now); got != want {
				t.Fatalf("round %d: %d calls in %d, rejects %v: arrival at %d accepted %v, want %v", round, calls, length, rejects, now, got, want)
			}
			if want || rejects {
				counted = append(counted, now)
			}
			all = append(all, now)
			most = max(most, in(all))
			b.arrive(now)
			if b.most != most || b.within(now) != in(all) {
				t.Fatalf("round %d: busiest is %d and holds %d, want %d and %d", round, b.most, b.within(now), most, in(all))
			}
		}
	}
}

func TestLimitSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Calls: 3, Window: 5 * time.Second})
		try := func(want int) {
			t.Helper()
			a.get(leadPath+"Leads.GetById?id=x").has(t, want)
		}
		try(200) // at 0 s
		time.Sleep(4 * time.Second)
		try(200)
		try(200)
		try(429)
		time.Sleep(time.Second - 1)
		try(429)
		time.Sleep(time.Nanosecond) // at 5 s the first call is out of the window
		try(200)
		try(429)
		time.Sleep(4 * time.Second) // at 9 s two more are
		try(200)
		try(200)
		try(429)
		n := a.Count()
		if n.Limited != 4 || n.Reads != 6 || n.Calls != 10 {
			t.Errorf("counters %+v", n)
		}
		if n.MaxInWindow != 6 { // 4 s to 5 s: two, one turned away twice; then one and one turned away
			t.Errorf("most in a window is %d, want 6", n.MaxInWindow)
		}
	})
}

func TestRejectedCallsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Calls: 1, Window: 5 * time.Second, RejectedCount: true})
		a.get(authPath).has(t, 200)
		time.Sleep(3 * time.Second)
		a.get(authPath).has(t, 429)
		time.Sleep(3 * time.Second)
		a.get(authPath).has(t, 429) // the first is out of the window, the one turned away is not
		time.Sleep(5 * time.Second)
		a.get(authPath).has(t, 200)
	})
}

func TestOverLimitForms(t *testing.T) {
	const body = `{"Status":"Error","ExceptionType":"MXAPIRateLimitExceededException","ExceptionMessage":"API calls exceeded the limit of 2 in 5 second(s)"}`
	for _, c := range []struct {
		form   string
		status int
		body   string
	}{{"", 429, body}, {"429", 429, body}, {"200", 200, body}, {"403", 403, body}, {"500", 500, body}, {"bare", 429, ""}} {
		t.Run("form "+c.form, func(t *testing.T) {
			a := newTester(t, Options{Calls: 2, LimitForm: c.form})
			a.get(authPath).has(t, 200)
			a.capture("a@example.com").has(t, 200)
			r := a.capture("a@example.com")
			if r.status != c.status || r.body != c.body {
				t.Errorf("HTTP %d %s", r.status, r.body)
			}
			if r.header.Get("Retry-After") != "" {
				t.Error("the account sends no Retry-After")
			}
			if n := len(a.Opportunities()); n != 1 {
				t.Errorf("%d opportunities: a call over the limit was carried out", n)
			}
			if last := a.Calls()[2]; !last.Limited || last.Status != c.status {
				t.Errorf("call record %+v", last)
			}
		})
	}
}

func TestEveryEndpointSharesTheLimit(t *testing.T) {
	for path, ep := range endpoints {
		a := newTester(t, Options{Calls: 1})
		if ep.bulk {
			a.send(ep.method, path, "") // a bulk call counts in the bucket of its own
		}
		a.get(authPath).has(t, 200)
		r := a.send(ep.method, path, "")
		if r.status != 429 {
			t.Errorf("%s %s: HTTP %d, want 429", ep.method, path, r.status)
		}
	}
	a := newTester(t, Options{Calls: 1})
	a.get("/v2/Nothing").has(t, 404)
	a.get("/v2/Nothing").has(t, 429)
}

func TestCallsWithWrongKeysDoNotUseTheLimit(t *testing.T) {
	a := newTester(t, Options{Calls: 1})
	a.send("GET", authPath, "", func(r *http.Request) { r.Header.Del("x-LSQ-SecretKey") }).has(t, 401)
	a.get(authPath).has(t, 200)
}

func TestSetLimit(t *testing.T) {
	a := newTester(t, Options{})
	if err := a.SetLimit(1, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	a.get(authPath).has(t, 200)
	a.get(authPath).has(t, 429, "limit of 1 in 10 second(s)")
	for _, c := range []struct {
		calls  int
		window time.Duration
	}{{0, time.Second}, {-2, time.Second}, {5, 0}} {
		if a.SetLimit(c.calls, c.window) == nil {
			t.Errorf("limit of %d in %v taken without complaint", c.calls, c.window)
		}
	}
	if err := a.SetLimit(NoLimit, time.Second); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		a.get(authPath).has(t, 200)
	}
}

func TestDailyCap(t *testing.T) {
	now := time.Date(2024, 3, 1, 23, 0, 0, 0, time.UTC)
	a := newTester(t, Options{Calls: NoLimit, DailyCap: 2, Clock: func() time.Time { return now }})
	a.get(authPath).has(t, 200)
	a.get(authPath).has(t, 200)
	a.capture("a@example.com").has(t, 429, "MXAPIRateLimitExceededException", "daily limit of 2")
	now = now.Add(time.Hour)
	a.capture("a@example.com").has(t, 200)
	if n := a.Count(); n.Capped != 1 || n.Limited != 0 {
		t.Errorf("counters %+v", n)
	}
}

func TestCompeteWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Calls: 10, Window: 5 * time.Second})
		a.CompeteWith(4)
		served := 0
		for range 200 { // 40 s, five calls a second
			if a.get(authPath).status == 200 {
				served++
			}
			time.Sleep(200 * time.Millisecond)
		}
		n := a.Count()
		if total := n.RivalCalls + n.RivalLimited; total < 31 || total > 33 {
			t.Errorf("the rival made %d calls in 40 s, want 32", total)
		}
		if sum := served + int(n.RivalCalls); sum < 80 || sum > 90 {
			t.Errorf("%d calls were served in 40 s at 10 in 5 s", sum)
		}
		if n.RivalCalls == 0 || n.RivalLimited == 0 {
			t.Errorf("rival got %d and lost %d: it shares one window with us", n.RivalCalls, n.RivalLimited)
		}
		if n.MaxInWindow != 25 {
			t.Errorf("most in a window is %d: only our own calls belong there", n.MaxInWindow)
		}
		a.CompeteWith(0)
		time.Sleep(5 * time.Second)
		for range 10 {
			a.get(authPath).has(t, 200)
		}
	})
}

func TestRivalOfAnUnlimitedAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Calls: NoLimit})
		a.CompeteWith(5)
		time.Sleep(10 * time.Second)
		a.get(authPath).has(t, 200)
		a.CompeteWith(0)
		if n := a.Count(); n.RivalCalls != 11 || n.RivalLimited != 0 {
			t.Errorf("counters %+v", n)
		}
	})
}

func TestRivalAfterALongSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Calls: 10, Window: 5 * time.Second})
		a.CompeteWith(10)
		time.Sleep(24 * time.Hour)
		a.get(authPath).has(t, 429)
		if n := a.Count().RivalCalls; n < 172000 || n > 173000 {
			t.Errorf("the rival made %d calls in a day, want about 172800", n)
		}
	})
}

func TestLatencyIsSplitAroundTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Latency: 2 * time.Second})
		begun := time.Now()
		done := make(chan reply)
		go func() { done <- a.capture("a@example.com") }()
		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		if a.Count().Calls != 0 {
			t.Error("counted before half of the latency had passed")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if len(a.Opportunities()) != 1 {
			t.Error("not carried out after half of the latency")
		}
		(<-done).has(t, 200)
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("the call took %v, want 2s", took)
		}
	})
}

func TestJitterVariesTheLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Calls: NoLimit, Latency: 100 * time.Millisecond, Jitter: 60 * time.Millisecond})
		low, high := time.Hour, time.Duration(0)
		for range 300 {
			begun := time.Now()
			a.get(authPath).has(t, 200)
			low, high = min(low, time.Since(begun)), max(high, time.Since(begun))
		}
		if low < 40*time.Millisecond || low > 60*time.Millisecond || high > 160*time.Millisecond || high < 140*time.Millisecond {
			t.Errorf("calls took %v to %v, want 40ms to 160ms", low, high)
		}
	})
}

// TestAGoneClientDoesNotUndoItsCall: once a request has arrived, its client's death changes nothing.
func TestAGoneClientDoesNotUndoItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Latency: time.Second})
		ctx, cancel := newContext()
		go func() {
			time.Sleep(100 * time.Millisecond)
			cancel()
		}()
		a.send("POST", oppPath+"Capture", captureJSON("a@example.com"), func(r *http.Request) { *r = *r.WithContext(ctx) }).has(t, 200)
		if len(a.Opportunities()) != 1 {
			t.Error("the record is missing")
		}
	})
}

func TestPerSecondForgetsAfterAMinute(t *testing.T) {
	var p perSecond
	s := int64(time.Second)
	p.count(5*s, false)
	p.count(5*s+1, true)
	p.count(64*s, false)
	calls, limited := p.lastMinute(64 * s)
	if calls[0] != 2 || limited[0] != 1 || calls[59] != 1 {
		t.Errorf("calls %v, limited %v", calls, limited)
	}
	if calls, _ := p.lastMinute(65 * s); strings.Count(fmt.Sprint(calls), "2") != 0 {
		t.Errorf("a second outlived its minute: %v", calls)
	}
}
