package main

import (
	"fmt"
	"time"

	"leadload/internal/sandbox"
)

// far is an account on another continent: 360 ms round trip, evenly spread by
// a third either way.
const (
	farLatency = 360 * time.Millisecond
	farJitter  = 120 * time.Millisecond
)

// bound is the least time between the first and the last of n calls at limit
// calls a window.
func bound(n, limit int) time.Duration {
	return sandbox.DefaultWindow * time.Duration((n+limit-1)/limit-1)
}

// paced imports n rows at 25/5s into an account and says what that saw.
func (b *bench) paced(n int, o accountOptions) (figures, ended, error) {
	o.Kept = 20 * n
	a, err := b.account(o)
	if err != nil {
		return figures{}, ended{}, err
	}
	defer a.close()
	file, err := b.file(n)
	if err != nil {
		return figures{}, ended{}, err
	}
	e, err := b.leadload(a, b.state(), file)
	if err != nil {
		return figures{}, e, err
	}
	f, err := a.figures()
	if err == nil && f.Opportunities != n {
		err = fmt.Errorf("%d opportunities in the account, want %d", f.Opportunities, n)
	}
	return f, e, err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func pacingFar(b *bench) ([]line, error) {
	n := b.either(1000, 200)
	f, _, err := b.paced(n, accountOptions{Latency: farLatency, Jitter: farJitter})
	if err != nil {
		return nil, err
	}
	ratio := bound(n, 25).Seconds() / f.sending().Seconds()
	// A short run cannot reach the target: the first windows go without the
	// round trip's credit.
	return []line{{
		what: fmt.Sprintf("%s calls at 25/5s, round trip 360 ms ± 120", count(n)), target: "≥ 0.94 of the bound, 0 throttled",
		measured: fmt.Sprintf("%s (bound %s), %d throttled", seconds(f.sending()), seconds(bound(n, 25)), f.Limited),
		ratio:    ratio, verdict: judge(ratio >= 0.94 && f.Limited == 0),
	}}, nil
}

func pacingRival(b *bench) ([]line, error) {
	const rival = 10
	n := b.either(900, 225)
	f, _, err := b.paced(n, accountOptions{Latency: farLatency, Jitter: farJitter, Rival: rival})
	if err != nil {
		return nil, err
	}
	ratio := bound(n, 25-rival).Seconds() / f.sending().Seconds()
	perMinute := float64(f.Limited) / f.sending().Minutes()
	return []line{{
		what: fmt.Sprintf("%s calls beside an integration that takes 40 %%", count(n)), target: "≥ 0.88 of the rest, ≤ 5 throttled a minute",
		measured: fmt.Sprintf("%s (bound %s), %.1f throttled a minute; the other lost %d of %d calls", seconds(f.sending()), seconds(bound(n, 25-rival)), perMinute, f.RivalLimited, f.RivalCalls+f.RivalLimited),
		ratio:    ratio, verdict: judge(ratio >= 0.88 && perMinute <= 5),
	}}, nil
}

func wrongLimit(b *bench) ([]line, error) {
	const real = 10
	n := b.either(100, 60)
	f, _, err := b.paced(n, accountOptions{Calls: real, Latency: farLatency, Jitter: farJitter})
	if err != nil {
		return nil, err
	}
	return []line{{
		what: fmt.Sprintf("%d calls, 25/5s set, the account allows 10/5s", n), target: "none throttled after one window; bound and one window",
		measured: fmt.Sprintf("%s (bound %s), %d throttled, %d of them later", seconds(f.sending()), seconds(bound(n, real)), f.Limited, f.LimitedLate),
		ratio:    bound(n, real).Seconds() / f.sending().Seconds(), verdict: judge(f.LimitedLate == 0 && f.sending() <= bound(n, real)+sandbox.DefaultWindow),
	}}, nil
}

func rows200(b *bench) ([]line, error) {
	f, e, err := b.paced(200, accountOptions{Latency: 250 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	return []line{{
		what: "200 rows at 25/5s, 250 ms latency, the whole command", target: "≤ 38 s (bound 35.3 s), 0 throttled",
		measured: fmt.Sprintf("%s, %d throttled", seconds(e.took), f.Limited),
		ratio:    35.3 / e.took.Seconds(), verdict: judge(e.took <= 38*time.Second && f.Limited == 0),
	}}, nil
}

// restart kills an import in its second window and starts it again at once.
func restart(b *bench) ([]line, error) {
	const n, killAt = 150, 40
	a, err := b.account(accountOptions{Latency: farLatency, Jitter: farJitter, Kept: 20 * n})
	if err != nil {
		return nil, err
	}
	defer a.close()
	file, err := b.file(n)
	if err != nil {
		return nil, err
	}
	state := b.state()
	// Doubtful rows of the killed process are asked about; the practice account's
	// indexes do not lag, so that there is no need to wait for them.
	first := b.leadloadCommand(a, state, file, "--settle-after", "1s")
	if err := first.Start(); err != nil {
		return nil, err
	}
	if err := a.called(b.ctx, killAt); err != nil {
		return nil, err
	}
	if err := first.Process.Kill(); err != nil {
		return nil, err
	}
	first.Wait() // "killed", as it was
	if _, err := b.leadload(a, state, file, "--settle-after", "1s"); err != nil {
		return nil, err
	}
	f, err := a.figures()
	if err != nil {
		return nil, err
	}
	return []line{{
		what: fmt.Sprintf("%d rows at 25/5s, SIGKILL after %d calls, run again", n, killAt), target: "0 throttled, each row once",
		measured: fmt.Sprintf("%d throttled, %d opportunities, %s in all (bound %s)", f.Limited, f.Opportunities, seconds(f.sending()), seconds(bound(n, 25))),
		verdict:  judge(f.Limited == 0 && f.Opportunities == n),
	}}, nil
}
