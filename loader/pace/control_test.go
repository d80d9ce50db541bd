package pace

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// between counts the times from a to b.
func between(at []time.Time, a, b time.Time) (n int) {
	for _, t := range at {
		if !t.Before(a) && t.Before(b) {
			n++
		}
	}
	return n
}

func TestCompetitorLeavesUsTheRest(t *testing.T) {
	for _, kind := range []string{"log", "log+r"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &account{kind: kind, limit: super}
				road := newPath(far, a, 1)
				p := New(Options{Limit: super})
				ctx, stop := context.WithCancel(t.Context())
				start := time.Now()
				var work sync.WaitGroup
				work.Go(func() { road.load(ctx, p, 1<<20, super.Calls+5) })

				time.Sleep(300 * second)
				compete40, stop40 := context.WithCancel(ctx)
				work.Go(func() { compete(compete40, a, 500*ms) })
				time.Sleep(300 * second)
				stop40()
				time.Sleep(300 * second)
				stop()
				work.Wait()

				at := func(s int) time.Time { return start.Add(time.Duration(s) * second) }
				before := float64(between(a.accepted, at(0), at(300))) / 1500
				during := float64(between(a.accepted, at(300), at(600))) / 900
				after := float64(between(a.accepted, at(600), at(900))) / 1500
				refused := float64(between(a.refused, at(300), at(600))) / 5
				lost := float64(a.lost) / float64(a.lost+a.others)
				recovered := 600
				for between(a.accepted, at(recovered), at(recovered+10)) < 47 && recovered < 900 {
					recovered++
				}
				t.Logf("%s: before %.3f, during %.3f of the rest, after %.3f, refused a minute %.1f, competitor loses %.1f %%, back after %d s",
					kind, before, during, after, refused, 100*lost, recovered-600)
				if n := between(a.refused, at(0), at(300)); before < 0.94 || n > 0 {
					t.Errorf("before: %.3f of the limit, %d refused", before, n)
				}
				if during < 0.88 || refused > 5 || lost > 0.05 {
					t.Errorf("during: %.3f of the rest, %.1f refused a minute, competitor loses %.3f", during, refused, lost)
				}
				if recovered-600 > 40 {
					t.Errorf("back to the full speed after %d s", recovered-600)
				}
			})
		})
	}
}

func TestStatedLimitIsAdopted(t *testing.T) {
	for _, kind := range []string{"log", "log+r"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				real := Limit{10, 5 * second}
				a := &account{kind: kind, limit: real, named: true}
				net := network{name: "constant", out: spread{fixed: 200 * ms}, back: spread{fixed: 100 * ms}}
				var told []Change
				p := New(Options{Limit: super, OnChange: func(c Change) { told = append(told, c) }})
				took := newPath(net, a, 1).load(t.Context(), p, 100, super.Calls)
				t.Logf("%s: 100 calls took %v, refused %d", kind, took, len(a.refused))
				// The bound is 45 s, and one window goes by before the account is free again.
				if took > 53*second || len(a.refused) != 15 {
					t.Errorf("took %v, %d refused", took, len(a.refused))
				}
				synctest.Wait()
				want := []Change{
					{Kind: "limit-adopted", Limit: real, Was: super, Cap: 10},
					{Kind: "paused", Limit: real, Pause: 5020 * ms, Cap: 10},
					{Kind: "resumed", Limit: real, Cap: 10},
				}
				if !slices.Equal(told, want) {
					t.Errorf("told %+v", told)
				}
			})
		})
	}
}

func TestStatedLimit(t *testing.T) {
	for _, tt := range []struct {
		name    string
		set     Limit
		reserve int
		stated  Limit
		want    Limit
		cap     int
	}{
		{"smaller", super, 0, Limit{10, 5 * second}, Limit{10, 5 * second}, 10},
		{"larger", Limit{10, 5 * second}, 0, super, super, 25},
		{"less the reserve", super, 5, Limit{20, 5 * second}, Limit{20, 5 * second}, 15},
		{"one call stays ours", super, 25, Limit{20, 5 * second}, Limit{20, 5 * second}, 1},
		{"other window", super, 0, Limit{100, 60 * second}, Limit{100, 60 * second}, 100},
		{"cap of the day", super, 0, Limit{10000, 24 * time.Hour}, super, 25},
		{"an hour", super, 0, Limit{10000, time.Hour}, super, 25},
		{"no calls", super, 0, Limit{0, 5 * second}, super, 25},
		{"the one that is set", super, 0, super, super, 25},
		{"none was set", Unlimited, 0, super, super, 25},
		{"none was set, reserve", Unlimited, 5, super, super, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New(Options{Limit: tt.set, Reserve: tt.reserve})
				c := take(t, p)
				time.Sleep(ms)
				c.Done(Limited, tt.stated)
				if s := p.State(); s.Limit != tt.want || s.Cap != tt.cap || s.Throttled != 1 {
					t.Errorf("state = %+v", s)
				}
			})
		})
	}
}

func TestLimitsNamedInTurnAreNotFollowedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Limit: super})
		adopted := 0
		for i := range 10 {
			was := p.State().Limit
			c := take(t, p)
			c.Done(Limited, Limit{10 + i%2, 5 * second})
			if p.State().Limit != was {
				adopted++
			}
		}
		if adopted != adoptionsMost {
			t.Errorf("%d adopted", adopted)
		}
	})
}

func TestWrongLimitUnnamed(t *testing.T) {
	for _, kind := range []string{"log", "log+r"} {
		synctest.Test(t, func(t *testing.T) {
			a := &account{kind: kind, limit: Limit{10, 5 * second}}
			p := New(Options{Limit: super})
			took := newPath(far, a, 1).load(t.Context(), p, 300, super.Calls)
			t.Logf("%s: 300 calls took %v (bound 145 s), refused %d", kind, took, len(a.refused))
			if took > 185*second || len(a.refused) > 60 {
				t.Errorf("%s: took %v, %d refused", kind, took, len(a.refused))
			}
		})
	}
}

// refuse has the next call refused, rtt after it starts.
func refuse(t *testing.T, p *Pacer, rtt time.Duration) {
	t.Helper()
	c := take(t, p)
	c.Wrote(true)
	time.Sleep(rtt)
	c.Done(Limited, Limit{})
}

func TestFirstRefusalOfAStartWithoutMemoryOnlyPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []Change
		p := New(Options{Limit: super, OnChange: func(c Change) { told = append(told, c) }})
		a, b, again := take(t, p), take(t, p), take(t, p)
		time.Sleep(300 * ms)
		start := time.Now()
		a.Done(Limited, Limit{})
		b.Done(Limited, Limit{})
		if s := p.State(); s.Cap != 25 || s.PausedTil.Sub(start) != 5020*ms {
			t.Errorf("state = %+v", s)
		}
		take(t, p).Done(OK, Limit{})
		if d := time.Since(start); d != 5020*ms {
			t.Errorf("next start after %v", d)
		}
		again.Done(Limited, Limit{}) // sent before the pause: the same episode
		if s := p.State(); s.Cap != 25 {
			t.Errorf("state = %+v", s)
		}
		// Only the first one.
		refuse(t, p, 300*ms)
		if s := p.State(); s.Cap >= 25 {
			t.Errorf("state = %+v", s)
		}
		synctest.Wait()
		kinds := []string{}
		for _, c := range told {
			kinds = append(kinds, c.Kind)
		}
		if !slices.Equal(kinds, []string{"paused", "resumed", "throttled"}) {
			t.Errorf("told %v", kinds)
		}
	})
}

// settled is a pacer that is past the start, where refusals only pause.
func settled(t *testing.T, o Options) *Pacer {
	p := New(o)
	take(t, p).Done(OK, Limit{})
	time.Sleep(3 * o.Limit.Window)
	return p
}

func TestRefusalCutsToWhatWasAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := settled(t, Options{Limit: super})
		var calls []*Call
		for range 25 {
			calls = append(calls, take(t, p))
		}
		time.Sleep(300 * ms)
		for i, c := range calls {
			if i < 18 {
				c.Done(OK, Limit{})
			} else {
				c.Done(Limited, Limit{})
			}
		}
		// The episode's first refusal sees six that may yet be accepted.
		if s := p.State(); s.Cap != 18 {
			t.Errorf("state = %+v", s)
		}
		// From then on calls are spaced, and slots come back 1, 2, 4 at a time.
		var starts []time.Time
		caps := []int{}
		for range 120 {
			take(t, p).Done(OK, Limit{})
			starts = append(starts, time.Now())
			if c := p.State().Cap; len(caps) == 0 || caps[len(caps)-1] != c {
				caps = append(caps, c)
			}
		}
		if gap := smallestGap(starts, 1); gap < super.Window*9/10/25 {
			t.Errorf("spaced by %v", gap)
		}
		if !slices.Equal(caps, []int{19, 21, 25}) {
			t.Errorf("caps %v", caps)
		}
		time.Sleep(smoothFor)
		start := time.Now()
		for range 25 {
			take(t, p)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("still spaced after %v: %v", smoothFor, d)
		}
	})
}

func TestRefusedProbeGoesBackAndWaitsLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := settled(t, Options{Limit: Limit{4, 5 * second}})
		refuse(t, p, 300*ms) // cut to 1: nothing else of ours was accepted
		if s := p.State(); s.Cap != 1 {
			t.Fatalf("state = %+v", s)
		}
		var waits []time.Duration
		for range 5 {
			cut := time.Now()
			c := take(t, p)
			for p.State().Cap == 1 {
				c.Done(OK, Limit{})
				c = take(t, p)
			}
			waits = append(waits, time.Since(cut))
			c.Done(Limited, Limit{})
			if s := p.State(); s.Cap != 1 {
				t.Fatalf("after a refused probe: %+v", s)
			}
		}
		for i, want := range []time.Duration{5 * second, 10 * second, 20 * second, 30 * second, 30 * second} {
			if waits[i] < want || waits[i] > want+6*second {
				t.Errorf("probe %d came %v after the cut, want %v or a slot later", i, waits[i], want)
			}
		}
		// A long time without a refusal ends the caution.
		time.Sleep(91 * second)
		for p.State().Cap < 4 {
			take(t, p).Done(OK, Limit{})
		}
		refuse(t, p, 100*ms)
		cut := time.Now()
		for cap := p.State().Cap; p.State().Cap <= cap; {
			take(t, p).Done(OK, Limit{})
		}
		if d := time.Since(cut); d > 11*second {
			t.Errorf("after a long time without a refusal the probe came %v after the cut", d)
		}
	})
}

func TestRefusalsInARowBecomePauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := settled(t, Options{Limit: Limit{1, 5 * second}})
		var pauses []time.Duration
		for range 7 {
			refuse(t, p, 100*ms)
			pause := time.Duration(0)
			if til := p.State().PausedTil; !til.IsZero() {
				pause = time.Until(til)
			}
			pauses = append(pauses, pause)
		}
		want := []time.Duration{0, 5 * second, 10 * second, 20 * second, 40 * second, 40 * second, 40 * second}
		if !slices.Equal(pauses, want) {
			t.Errorf("pauses %v, want %v", pauses, want)
		}
		c := take(t, p)
		c.Done(OK, Limit{})
		refuse(t, p, 100*ms)
		if s := p.State(); !s.PausedTil.IsZero() {
			t.Errorf("a success does not end the row: %+v", s)
		}
	})
}

func TestUnlimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Limit: Unlimited})
		start := time.Now()
		for range 1000 {
			c := take(t, p)
			c.Wrote(true)
			c.FirstByte()
			c.Done(OK, Limit{})
		}
		take(t, p).Abort()
		if s := p.State(); s.Calls != 1000 || s.Cap != -1 || s.Limit != Unlimited || p.Earliest(1e6) != 0 {
			t.Errorf("state = %+v", s)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("took %v", d)
		}
		// A refusal that names no limit stops the calls for a while, longer each time.
		for i, want := range []time.Duration{1, 2, 4, 8, 8} {
			start := time.Now()
			c, late := take(t, p), take(t, p)
			c.Done(Limited, Limit{})
			late.Done(Limited, Limit{})
			take(t, p)
			if d := time.Since(start); d != want*second {
				t.Errorf("pause %d lasted %v", i, d)
			}
		}
		// One that names a limit sets it.
		take(t, p).Done(Limited, super)
		start = time.Now()
		for range 26 {
			take(t, p).Done(OK, Limit{})
		}
		if d := time.Since(start); d != 2*5020*ms {
			t.Errorf("26 calls at the adopted limit took %v", d)
		}
	})
}

func TestReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Limit: super, Reserve: 5})
		start := time.Now()
		for range 21 {
			take(t, p).Done(OK, Limit{})
		}
		if d := time.Since(start); d != 5020*ms {
			t.Errorf("21 calls of 20 took %v", d)
		}
	})
}

func TestRefusedCallsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Limit: Limit{1, second}})
		take(t, p).Done(OK, Limit{})
		var order []string
		var work sync.WaitGroup
		for _, w := range []struct {
			name    string
			acquire func(context.Context) (*Call, error)
		}{{"a", p.Acquire}, {"b", p.Acquire}, {"head 1", p.AcquireHead}, {"head 2", p.AcquireHead}} {
			work.Go(func() {
				c, err := w.acquire(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, w.name)
				c.Done(OK, Limit{})
			})
			synctest.Wait()
		}
		work.Wait()
		if !slices.Equal(order, []string{"head 1", "head 2", "a", "b"}) {
			t.Errorf("order %v", order)
		}
	})
}

func TestEarliest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Limit: super})
		for _, tt := range []struct {
			n    int64
			want time.Duration
		}{{0, 0}, {-1, 0}, {1, 0}, {25, 0}, {26, 5 * second}, {200, 35 * second}, {1000, 195 * second}, {1 << 62, never}} {
			if got := p.Earliest(tt.n); got != tt.want {
				t.Errorf("Earliest(%d) = %v, want %v", tt.n, got, tt.want)
			}
		}
		for range 20 {
			take(t, p).Done(OK, Limit{})
		}
		time.Sleep(second)
		if got := p.Earliest(5); got != 0 {
			t.Errorf("5 more: %v", got)
		}
		if got := p.Earliest(6); got != 4020*ms {
			t.Errorf("6 more: %v", got)
		}
		if got := p.Earliest(31); got != 9020*ms {
			t.Errorf("31 more: %v", got)
		}
	})
}

func TestEarliestIsNeverLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Limit: super})
		road := newPath(calm, &account{kind: "log", limit: super}, 1)
		road.load(t.Context(), p, 130, 30)
		want := p.Earliest(400)
		if took := road.load(t.Context(), p, 400, 30); took < want || want < took*8/10 {
			t.Errorf("took %v, at best %v", took, want)
		}
	})
}

func TestChangesComeInOrderAndMayAskThePacer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *Pacer
		var kinds []string
		p = New(Options{Limit: super, OnChange: func(c Change) {
			kinds = append(kinds, c.Kind)
			if p.State().Limit != c.Limit {
				t.Errorf("state %+v at %+v", p.State(), c)
			}
			if c.Kind == "resumed" {
				take(t, p).Done(OK, Limit{}) // a slot is to be had: no lock is held
			}
		}})
		refuse(t, p, 100*ms)
		take(t, p)
		synctest.Wait()
		if !slices.Equal(kinds, []string{"paused", "resumed"}) {
			t.Errorf("told %v", kinds)
		}
	})
}

func TestNewPanicsOnNoLimit(t *testing.T) {
	for _, l := range []Limit{{}, {25, 0}, {0, second}, {-2, second}, {25, 24 * time.Hour}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New accepts %+v", l)
				}
			}()
			New(Options{Limit: l})
		}()
	}
}

// What the user has set is an upper bound: a larger limit of the account is told, once, and no more.
func TestLargerLimitIsOnlyTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := Limit{5, second}
		var told []Change
		p := New(Options{Limit: set, Most: set, OnChange: func(c Change) { told = append(told, c) }})
		start := time.Now()
		for i := range 60 {
			c, err := p.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if i == 10 || i == 20 {
				c.Done(Limited, Limit{100_000, second})
				continue
			}
			c.Done(OK, Limit{})
		}
		synctest.Wait()
		if took := time.Since(start); took < 11*second {
			t.Errorf("60 calls at %v took %v", set, took)
		}
		n := 0
		for _, c := range told {
			switch c.Kind {
			case "limit-adopted":
				t.Errorf("told %+v", c)
			case "limit-larger":
				n++
				if c.Stated != (Limit{100_000, second}) || c.Limit != set {
					t.Errorf("told %+v", c)
				}
			}
		}
		if n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}
