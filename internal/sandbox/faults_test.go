package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func newContext() (context.Context, context.CancelFunc) {
	return context.WithCancel(context.Background())
}

// wire posts a capture over a connection of its own.
func wire(ctx context.Context, a *Account) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", a.URL()+oppPath+"Capture", strings.NewReader(captureJSON("a@example.com")))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("x-LSQ-AccessKey", a.access)
	r.Header.Set("x-LSQ-SecretKey", a.secret)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return client.Do(r)
}

func TestFaultsOnTheWire(t *testing.T) {
	for _, c := range []struct {
		fault     string
		committed bool
		check     func(*testing.T, *http.Response, error)
	}{
		{FaultLostAnswer, true, func(t *testing.T, r *http.Response, err error) {
			if !errors.Is(err, io.EOF) {
				t.Errorf("got %v and %v, want an early end", r, err)
			}
		}},
		{FaultCutBefore, false, func(t *testing.T, r *http.Response, err error) {
			if !errors.Is(err, syscall.ECONNRESET) && (err == nil || !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "forcibly closed")) {
				t.Errorf("got %v and %v, want a reset", r, err)
			}
		}},
		{FaultBadGatewayAfter, true, badGatewayPage},
		{FaultBadGatewayBefore, false, badGatewayPage},
		{FaultHangAfter, true, noAnswer},
		{FaultHangBefore, false, noAnswer},
		{FaultEmptyBody, true, func(t *testing.T, r *http.Response, err error) {
			if err != nil || r.StatusCode != 200 {
				t.Fatalf("got %v and %v, want 200", r, err)
			}
			if b, err := io.ReadAll(r.Body); len(b) != 0 || err != nil {
				t.Errorf("body %q, %v", b, err)
			}
		}},
	} {
		t.Run(c.fault, func(t *testing.T) {
			a, err := Start(Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			if err := a.FailNext(c.fault); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
			defer cancel()
			answer, err := wire(ctx, a)
			if answer != nil {
				defer answer.Body.Close()
			}
			c.check(t, answer, err)
			if got := len(a.Opportunities()) == 1; got != c.committed {
				t.Errorf("committed %v, want %v", got, c.committed)
			}
			if n := a.Count().Faults[c.fault]; n != 1 {
				t.Errorf("%d faults counted", n)
			}
			if rec := a.Calls(); len(rec) != 1 || rec[0].Fault != c.fault {
				t.Errorf("call records %+v", rec)
			}
		})
	}
}

func badGatewayPage(t *testing.T, r *http.Response, err error) {
	if err != nil || r.StatusCode != 502 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
		t.Errorf("got %v and %v, want an HTML 502", r, err)
	}
}

func noAnswer(t *testing.T, r *http.Response, err error) {
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v and %v, want silence", r, err)
	}
}

// TestTruncatedAnswers: by turns an answer that ends before its announced length, and one that is whole but not JSON.
func TestTruncatedAnswers(t *testing.T) {
	a, err := Start(Options{Faults: Faults{Truncated: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	early, whole := 0, 0
	for range 4 {
		r, err := wire(context.Background(), a)
		if err != nil || r.StatusCode != 200 {
			t.Fatalf("got %v and %v", r, err)
		}
		b, err := io.ReadAll(r.Body)
		r.Body.Close()
		if !bytes.HasPrefix(b, []byte(`{"Status":0,`)) || bytes.HasSuffix(b, []byte("}")) {
			t.Errorf("body %q is not half an answer", b)
		}
		switch {
		case err == nil:
			whole++
		case errors.Is(err, io.ErrUnexpectedEOF):
			early++
		default:
			t.Error(err)
		}
	}
	if early != 2 || whole != 2 {
		t.Errorf("%d ended early and %d were whole, want two each", early, whole)
	}
	if n := len(a.Opportunities()); n != 4 {
		t.Errorf("%d opportunities, want 4", n)
	}
}

func TestFaultRatesAndSeeds(t *testing.T) {
	f := Faults{LostAnswer: .03, CutBefore: .03, BadGatewayAfter: .02, BadGatewayBefore: .02, Truncated: .01, EmptyBody: .01, Seed: 7}
	run := func(seed uint64, calls int) (string, Counters) {
		f.Seed = seed
		a := newTester(t, Options{Calls: NoLimit, Faults: f})
		var order strings.Builder
		for range calls {
			a.capture("a@example.com")
		}
		for _, c := range a.Calls() {
			order.WriteString(c.Fault + ",")
		}
		return order.String(), a.Count()
	}
	first, _ := run(7, 300)
	if again, _ := run(7, 300); again != first {
		t.Error("the same seed gave other faults")
	}
	if other, _ := run(8, 300); other == first {
		t.Error("another seed gave the same faults")
	}
	_, n := run(7, 1500)
	lost := n.Faults[FaultCutBefore] + n.Faults[FaultBadGatewayBefore]
	if int64(n.Opportunities) != 1500-lost {
		t.Errorf("%d opportunities, %d calls cut before the commit, of 1500", n.Opportunities, lost)
	}
	for _, r := range f.onCreate() {
		got := float64(n.Faults[r.name]) / 1500
		if got < r.of*.6-.001 || got > r.of*1.4+.001 {
			t.Errorf("%s: %.4f of the calls, want about %.3f", r.name, got, r.of)
		}
	}
}

func TestFaultsLeaveOtherCallsAlone(t *testing.T) {
	a := newTester(t, Options{Calls: 3, Faults: Faults{LostAnswer: 1}})
	a.get(authPath).has(t, 200)
	a.post(userPath+"CheckIn", `{"Source":"API"}`).has(t, 200)
	if !a.capture("a@example.com").cut {
		t.Error("the answer was not lost")
	}
	a.capture("a@example.com").has(t, 429) // a throttled call was certainly not applied: no fault may say otherwise
	if n := a.Count(); n.Faults[FaultLostAnswer] != 1 || n.Opportunities != 1 {
		t.Errorf("counters %+v", n)
	}
}

func TestReadFaults(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit, Faults: Faults{ReadCut: .5, ReadBadGateway: .5}})
	cut, bad := 0, 0
	for range 100 {
		switch r := a.get(leadPath + "Leads.GetById?id=x"); {
		case r.cut:
			cut++
		case r.status == 502:
			bad++
		default:
			t.Fatalf("HTTP %d", r.status)
		}
	}
	if cut < 30 || bad < 30 {
		t.Errorf("%d cut, %d bad gateways of 100", cut, bad)
	}
	a.capture("a@example.com").has(t, 200)
}

func TestFailNext(t *testing.T) {
	a := newTester(t, Options{})
	if err := a.FailNext("Flood"); err == nil {
		t.Error("an unknown fault was taken")
	}
	if err := a.FailNext("", FaultBadGatewayAfter, FaultEmptyBody); err != nil {
		t.Fatal(err)
	}
	a.capture("a@example.com").has(t, 200, "CreatedOpportunityId")
	a.get(authPath).has(t, 200)
	a.capture("a@example.com").has(t, 502)
	if r := a.capture("a@example.com"); r.status != 200 || r.body != "" {
		t.Errorf("HTTP %d %q, want an empty 200", r.status, r.body)
	}
	a.capture("a@example.com").has(t, 200, "CreatedOpportunityId")
}

func TestSetFaults(t *testing.T) {
	a := newTester(t, Options{Faults: Faults{BadGatewayBefore: 1}})
	a.capture("a@example.com").has(t, 502)
	if err := a.SetFaults(Faults{LostAnswer: 2}); err == nil {
		t.Error("a rate of 2 was taken")
	}
	if err := a.SetFaults(Faults{}); err != nil {
		t.Fatal(err)
	}
	a.capture("a@example.com").has(t, 200)
}

func TestHangEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Faults: Faults{HangFor: 7 * time.Second}})
		a.FailNext(FaultHangBefore, FaultHangAfter)
		for committed := range 2 {
			begun := time.Now()
			if r := a.capture("a@example.com"); !r.cut {
				t.Errorf("HTTP %d, want a cut", r.status)
			}
			if took := time.Since(begun); took != 7*time.Second {
				t.Errorf("held for %v, want 7s", took)
			}
			if n := len(a.Opportunities()); n != committed {
				t.Errorf("%d opportunities, want %d", n, committed)
			}
		}
	})
}

func TestHangEndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{})
		a.FailNext(FaultHangAfter)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		begun := time.Now()
		a.send("POST", oppPath+"Capture", captureJSON("a@example.com"), func(r *http.Request) { *r = *r.WithContext(ctx) })
		if took := time.Since(begun); took != time.Second {
			t.Errorf("held for %v, want 1s", took)
		}
	})
}
