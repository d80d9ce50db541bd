package loader

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
)

// atBulkCall does something once, when the n-th bulk call is on its way.
func (b *bench) atBulkCall(n int64, do func()) {
	var calls atomic.Int64
	b.wire.before = func(req *http.Request) (*http.Response, error) {
		if strings.Contains(req.URL.Path, "/Bulk/") && calls.Add(1) == n {
			do()
		}
		return nil, nil
	}
}

// after returns the calls that began later than a moment.
func (b *bench) after(t time.Time) (calls []string) {
	b.wire.mu.Lock()
	defer b.wire.mu.Unlock()
	for i, at := range b.wire.times {
		if at.After(t) {
			calls = append(calls, b.wire.calls[i])
		}
	}
	return calls
}

// TestBulkUntil ends a run in time: no bulk call begins later than the others may.
func TestBulkUntil(t *testing.T) {
	for _, kind := range bulkKinds {
		bubble(t, kind.name, func(t *testing.T) {
			b, path := kind.begin(t, 2000, sandbox.Options{BulkCalls: 5, Latency: time.Second})
			defer b.close()
			b.wire.calls, b.wire.times = nil, nil
			b.o.Until = time.Now().Add(30 * time.Second)
			res, err := b.bulked(5).load(t.Context(), path)
			if codeOf(err) != "run.until" || time.Now().After(b.o.Until) || b.wire.count(kind.path) < 5 {
				t.Fatalf("%v at %s of %s, %d bulk calls", err, time.Now(), b.o.Until, b.wire.count(kind.path))
			}
			if late := b.after(b.o.Until.Add(-untilMargin)); len(late) > 0 {
				t.Errorf("calls began too late to end in time: %q", late)
			}
			if n := res.Totals[kind.result]; n == 0 || n+res.Totals[ledger.ResultNotSent] != 2000 || b.named(kind.names) < int(n) {
				t.Errorf("%s, %d in the account", res.Totals, b.named(kind.names))
			}
		})
	}
}

// TestBulkInterrupted interrupts a run while bulk calls are on their way: they end and
// are written down, and nothing else begins.
func TestBulkInterrupted(t *testing.T) {
	interrupted := errors.New("interrupted")
	for _, kind := range bulkKinds {
		bubble(t, kind.name, func(t *testing.T) {
			b, path := kind.begin(t, 600, sandbox.Options{BulkCalls: 5, Latency: time.Second})
			defer b.close()
			ctx, cancel := context.WithCancelCause(t.Context())
			var at time.Time
			b.atBulkCall(4, func() { at = time.Now(); cancel(interrupted) })
			res, err := b.bulked(5).load(ctx, path)
			if !errors.Is(err, interrupted) || at.IsZero() {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			if late := b.after(at); len(late) > 0 {
				t.Errorf("calls began after the interrupt: %q", late)
			}
			done, not := res.Totals[kind.result], res.Totals[ledger.ResultNotSent]
			if there := b.done(kind.names); done < 25 || done+not != 600 || int64(there) != done {
				t.Errorf("%s, and the account has %d", res.Totals, there)
			}
			b.wire.before = nil
			time.Sleep(time.Minute)
			if res, err = b.load(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			b.exact(res, kind.names)
		})
	}
}

// done counts the records of the 600 rows of a test that have a name of a kind.
func (b *bench) done(prefix string) (n int) {
	for _, o := range b.account.Opportunities() {
		var number int
		if _, err := fmt.Sscanf(o.Fields["mx_Custom_1"], prefix+"%d", &number); err == nil && number < 600 {
			n++
		}
	}
	return n
}

// leased is a ledger whose lease another host may take.
type leased struct {
	ledger.Store
	lost     *atomic.Bool
	intended func() // after the intents of a bulk call are on disk; it may be nil
}

var errTaken = errors.New("another run has taken the account")

func (l leased) Fence(lease ledger.Lease) error {
	if l.lost.Load() {
		return errTaken
	}
	return l.Store.Fence(lease)
}

func (l leased) Hold(ctx context.Context, lease ledger.Lease) error {
	if l.lost.Load() {
		return errTaken
	}
	return l.Store.Hold(ctx, lease)
}

func (l leased) Intend(ctx context.Context, lease ledger.Lease, to ledger.State, intents ...ledger.Intent) error {
	err := l.Store.Intend(ctx, lease, to, intents...)
	if l.intended != nil && to == ledger.Sending && len(intents) > 1 {
		l.intended()
	}
	return err
}

// TestBulkFence loses the lease while bulk calls are on their way, or when the intents of
// one are on disk and it is about to leave: no other leaves.
func TestBulkFence(t *testing.T) {
	for _, kind := range bulkKinds {
		for _, moment := range []string{"on their way", "about to leave"} {
			bubble(t, kind.name+", "+moment, func(t *testing.T) {
				b, path := kind.begin(t, 600, sandbox.Options{BulkCalls: 5, Latency: time.Second})
				defer b.close()
				var lost atomic.Bool
				b.fence = func() error {
					if lost.Load() {
						return errTaken
					}
					return nil
				}
				var at time.Time
				lose := func() { at = time.Now(); lost.Store(true) }
				store := leased{Store: b.led, lost: &lost}
				if moment == "on their way" {
					b.atBulkCall(4, lose)
				} else {
					var calls atomic.Int64
					store.intended = func() {
						if calls.Add(1) == 4 {
							lose()
							time.Sleep(time.Second / 2) // calls that had passed the fence before are made
						}
					}
				}
				b.o.Ledger = store
				if res, err := b.bulked(5).load(t.Context(), path); !errors.Is(err, errTaken) {
					t.Fatalf("%v, %s", err, res.Totals)
				}
				if late := b.after(at); at.IsZero() || len(late) > 0 {
					t.Errorf("lost at %s; calls left without the lease: %q", at, late)
				}
				lost.Store(false)
				b.wire.before, b.o.Ledger = nil, b.led
				time.Sleep(time.Minute)
				res, err := b.load(t.Context(), path)
				if err != nil {
					t.Fatal(err)
				}
				b.exact(res, kind.names)
			})
		}
	}
}

// TestBulkReserve leaves a share of both limits to other integrations.
func TestBulkReserve(t *testing.T) {
	for _, kind := range bulkKinds {
		bubble(t, kind.name, func(t *testing.T) {
			b, path := kind.begin(t, 600, sandbox.Options{BulkCalls: 10})
			defer b.close()
			time.Sleep(time.Minute)
			b.wire.calls, b.wire.times = nil, nil
			b.o.Reserve = 15 // of 25, so 6 of 10
			if res, err := b.bulked(10).load(t.Context(), path); err != nil || res.Totals[kind.result] != 600 {
				t.Fatalf("%v, %s", err, res.Totals)
			}
			for _, bulk := range []bool{true, false} {
				most := map[bool]int{true: 4, false: 10}[bulk]
				var times []time.Time
				for i, path := range b.wire.calls {
					if strings.HasPrefix(path, "By") == bulk {
						times = append(times, b.wire.times[i])
					}
				}
				for i := range times {
					n := 0
					for _, at := range times[i:] {
						if at.Sub(times[i]) < 5*time.Second {
							n++
						}
					}
					if n > most {
						t.Fatalf("%d calls in one window, %d may be (bulk: %t)", n, most, bulk)
					}
				}
			}
		})
	}
}

// TestBulkThroughOutage lets the account be away for four minutes in the middle of bulk
// calls: few of them are risked, and every row ends once.
func TestBulkThroughOutage(t *testing.T) {
	for _, kind := range bulkKinds {
		for name, answer := range map[string]func() (*http.Response, error){
			"refused": func() (*http.Response, error) {
				return nil, fmt.Errorf("connection refused: %w", leadsquared.ErrNotSent)
			},
			"pages": func() (*http.Response, error) { return page(503), nil },
		} {
			bubble(t, kind.name+", "+name, func(t *testing.T) {
				b, path := kind.begin(t, 600, sandbox.Options{BulkCalls: 5})
				defer b.close()
				var calls, risked atomic.Int64
				var began atomic.Int64
				b.wire.before = func(req *http.Request) (*http.Response, error) {
					bulk := strings.Contains(req.URL.Path, "/Bulk/")
					if bulk && calls.Add(1) == 4 {
						began.Store(time.Now().UnixNano())
					}
					if at := began.Load(); at == 0 || time.Since(time.Unix(0, at)) > 4*time.Minute {
						return nil, nil
					}
					if bulk {
						risked.Add(1)
					}
					return answer()
				}
				b.said = nil
				res, err := b.bulked(5).load(t.Context(), path)
				if err != nil || res.Totals[kind.result] != 600 || b.times("answers again after") == 0 {
					t.Fatalf("%v, %s, said %q", err, res.Totals, b.said)
				}
				b.exact(res, kind.names)
				if n := risked.Load(); n > 10 {
					t.Errorf("%d bulk calls were made while the account was away", n)
				}
			})
		}
	}
}
