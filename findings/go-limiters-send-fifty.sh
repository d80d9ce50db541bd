#!/usr/bin/env bash
# Limiters for Go, set to 25 calls in 5 s.
#
# Versions   x/time 0.16.0, uber ratelimit 0.3.1, failsafe-go 0.9.8, sethvargo/go-limiter
#            0.7.1, ulule/limiter 3.11.2, throttled 2.15.0, x/sync 0.24.0; Go 1.26.
# Guess      A server never sees more than 25 calls in any 5 s.
# Behaviour  Buckets and windows send up to 50, even spacing sends a 26th. A limiter
#            counts when a call starts, and the server when it arrives. After a pause
#            a bucket is full and refills at once.
#            Only a slot that is held until the answer, and 5 s more, keeps 25.
# Why it matters   A limit set to the account's limit still gets calls throttled.
#
# 85 POSTs on 127.0.0.1 for each limiter, all side by side, in about 20 s:
#   cold    85 at once
#   idle    3, then 9 s of nothing, then 60
#   late    1, then 4.6 s of nothing, then 60
#   jitter  85 at once, each with 0 to 200 ms on its way
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOFLAGS=-mod=mod
cat > go.mod <<'EOF'
module finding

go 1.26

require (
	github.com/failsafe-go/failsafe-go v0.9.8
	github.com/sethvargo/go-limiter v0.7.1
	github.com/throttled/throttled/v2 v2.15.0
	github.com/ulule/limiter/v3 v3.11.2
	go.uber.org/ratelimit v0.3.1
	golang.org/x/sync v0.24.0
	golang.org/x/time v0.16.0
)
EOF
cat > main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/sethvargo/go-limiter/memorystore"
	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/memstore"
	"github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/store/memory"
	uber "go.uber.org/ratelimit"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

const (
	calls  = 25
	window = 5 * time.Second
)

// do makes a call when the limiter allows it.
type do func(call func())

func wait(f func()) do { return func(call func()) { f(); call() } }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var limiters = []struct {
	name string
	kept bool // no server sees more than 25
	make func() do
}{
	{"slot until the answer + 5.02 s (x/sync semaphore 0.24.0)", true, func() do {
		s := semaphore.NewWeighted(calls)
		return func(call func()) {
			s.Acquire(context.Background(), 1)
			call()
			time.AfterFunc(window+20*time.Millisecond, func() { s.Release(1) })
		}
	}},
	{"slot for 5 s from the start (x/sync semaphore 0.24.0)", false, func() do {
		s := semaphore.NewWeighted(calls)
		return wait(func() { s.Acquire(context.Background(), 1); time.AfterFunc(window, func() { s.Release(1) }) })
	}},
	{"x/time/rate 0.16.0, burst 25", false, func() do {
		l := rate.NewLimiter(rate.Every(window/calls), calls)
		return wait(func() { l.Wait(context.Background()) })
	}},
	{"x/time/rate 0.16.0, burst 1", false, func() do {
		l := rate.NewLimiter(rate.Every(window/calls), 1)
		return wait(func() { l.Wait(context.Background()) })
	}},
	{"uber ratelimit 0.3.1", false, func() do { l := uber.New(calls, uber.Per(window)); return wait(func() { l.Take() }) }},
	{"uber ratelimit 0.3.1, without slack", false, func() do {
		l := uber.New(calls, uber.Per(window), uber.WithoutSlack)
		return wait(func() { l.Take() })
	}},
	{"failsafe-go 0.9.8, bursty", false, func() do {
		l := ratelimiter.NewBursty[any](calls, window)
		return wait(func() { l.AcquirePermit(context.Background()) })
	}},
	{"failsafe-go 0.9.8, smooth", false, func() do {
		l := ratelimiter.NewSmooth[any](calls, window)
		return wait(func() { l.AcquirePermit(context.Background()) })
	}},
	{"sethvargo/go-limiter 0.7.1", false, func() do {
		s := must(memorystore.New(&memorystore.Config{Tokens: calls, Interval: window}))
		return wait(func() {
			for range 10000 {
				_, _, reset, ok, err := s.Take(context.Background(), "account")
				if err != nil || ok {
					return
				}
				time.Sleep(time.Until(time.Unix(0, int64(reset))) + time.Millisecond)
			}
		})
	}},
	{"ulule/limiter 3.11.2", false, func() do {
		l := limiter.New(memory.NewStore(), limiter.Rate{Period: window, Limit: calls})
		return wait(func() {
			for range 10000 {
				c, err := l.Get(context.Background(), "account")
				if err != nil || !c.Reached {
					return
				}
				time.Sleep(max(time.Until(time.Unix(c.Reset, 0)), time.Millisecond))
			}
		})
	}},
	{"throttled 2.15.0, GCRA with burst 25", false, func() do {
		l := must(throttled.NewGCRARateLimiterCtx(must(memstore.NewCtx(10)), throttled.RateQuota{MaxRate: throttled.PerDuration(calls, window), MaxBurst: calls - 1}))
		return wait(func() {
			for range 10000 {
				limited, r, err := l.RateLimitCtx(context.Background(), "account", 1)
				if err != nil || !limited {
					return
				}
				time.Sleep(r.RetryAfter)
			}
		})
	}},
}

var scenarios = []struct {
	name   string
	first  int
	pause  time.Duration
	then   int
	jitter time.Duration
}{
	{"cold", 85, 0, 0, 0},
	{"idle", 3, 9 * time.Second, 60, 0},
	{"late", 1, 4600 * time.Millisecond, 60, 0},
	{"jitter", 85, 0, 0, 200 * time.Millisecond},
}

// most returns how many calls arrived in the fullest 5 s.
func most(l do, first int, pause time.Duration, then int, jitter time.Duration) (int, time.Duration) {
	var mu sync.Mutex
	var at []time.Time
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		io.Copy(io.Discard, r.Body)
		mu.Lock()
		at = append(at, now)
		mu.Unlock()
	}))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	began := time.Now()
	batch := func(n int) {
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				l(func() {
					time.Sleep(rand.N(jitter + 1))
					resp, err := client.Post(server.URL, "application/json", strings.NewReader(`{"a":1}`))
					if err == nil {
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
				})
			})
		}
		wg.Wait()
	}
	batch(first)
	if then > 0 {
		time.Sleep(pause)
		batch(then)
	}
	took := time.Since(began)
	best := 0
	for i := range at {
		n := 0
		for j := range at {
			if d := at[j].Sub(at[i]); d >= 0 && d < window {
				n++
			}
		}
		best = max(best, n)
	}
	return best, took
}

func main() {
	found := make([][4]int, len(limiters))
	cold := make([]time.Duration, len(limiters))
	var wg sync.WaitGroup
	for i, l := range limiters {
		for j, s := range scenarios {
			wg.Go(func() {
				n, took := most(l.make(), s.first, s.pause, s.then, s.jitter)
				found[i][j] = n
				if j == 0 {
					cold[i] = took
				}
			})
		}
	}
	wg.Wait()
	fmt.Println("Most arrivals in any 5 s:")
	fmt.Println("| limiter | cold | idle | late | jitter | 85 cold calls took |\n| --- | --- | --- | --- | --- | --- |")
	changed := false
	for i, l := range limiters {
		f := found[i]
		worst := max(f[0], f[1], f[2], f[3])
		fmt.Printf("| %s | %d | %d | %d | %d | %.1f s |\n", l.name, f[0], f[1], f[2], f[3], cold[i].Seconds())
		if (worst <= calls) != l.kept {
			changed = true
			fmt.Printf("CHANGED: %s was seen to keep 25: %v\n", l.name, l.kept)
		}
	}
	if changed {
		os.Exit(1)
	}
}
EOF
go version
go mod tidy >/dev/null 2>&1 || { go mod tidy; exit 1; }
go run .
