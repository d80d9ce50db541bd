package pace

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func paced(b *testing.B, p *Pacer) {
	c, err := p.Acquire(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	c.Wrote(true)
	c.FirstByte()
	c.Done(OK, Limit{})
}

// BenchmarkUnlimited is what a call costs where pacing is off.
func BenchmarkUnlimited(b *testing.B) {
	p := New(Options{Limit: Unlimited})
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			paced(b, p)
		}
	})
	b.Run("many", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				paced(b, p)
			}
		})
	})
}

// BenchmarkLimited is what a call costs besides its wait: the limit is one that
// is not reached.
func BenchmarkLimited(b *testing.B) {
	p := New(Options{Limit: Limit{maxCalls, 100 * ms}})
	b.ReportAllocs()
	for b.Loop() {
		paced(b, p)
	}
}

// BenchmarkSteady is a call with all slots taken and eight calls waiting, at a
// limit that is high enough for the machine to be what limits it.
func BenchmarkSteady(b *testing.B) {
	p := New(Options{Limit: Limit{20000, 10 * ms}})
	b.ReportAllocs()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			paced(b, p)
		}
	})
}

// BenchmarkTable is the part of a high limit that is left when a table has to
// be told of every call: 1000 calls in 1 s, answers after 20 ms.
func BenchmarkTable(b *testing.B) {
	for _, limit := range []Limit{super, {72, 5 * second}, {1000, second}} {
		b.Run(limit.String(), func(b *testing.B) {
			tab, err := OpenTable(filepath.Join(b.TempDir(), "calls.db"), "practice")
			if err != nil {
				b.Fatal(err)
			}
			defer tab.Close()
			n := 3 * limit.Calls
			for b.Loop() {
				p := New(Options{Limit: limit, Table: tab})
				start := time.Now()
				var work sync.WaitGroup
				for range n {
					work.Go(func() {
						c, err := p.Acquire(b.Context())
						if err != nil {
							b.Error(err)
							return
						}
						c.Wrote(true)
						time.Sleep(20 * ms)
						c.FirstByte()
						c.Done(OK, Limit{})
					})
				}
				work.Wait()
				bound := 2 * limit.Window
				b.ReportMetric(bound.Seconds()/time.Since(start).Seconds(), "of-the-limit")
				b.StopTimer()
				time.Sleep(limit.Window + 2*guard)
				b.StartTimer()
			}
		})
	}
}

// BenchmarkLoopback makes 100 calls at 25 in 5 s over real connections to a
// server with delays like those of a far account, in real time: 16 s a round.
func BenchmarkLoopback(b *testing.B) {
	for _, strict := range []bool{false, true} {
		name := "credit"
		if strict {
			name = "strict"
		}
		b.Run(name, func(b *testing.B) {
			const n = 100
			a := &account{kind: "log+r", limit: super}
			var mu sync.Mutex
			dice := rand.New(rand.NewPCG(1, 2))
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				out, proc, back := far.out.draw(dice), far.proc.draw(dice), far.back.draw(dice)
				mu.Unlock()
				time.Sleep(out)
				if !a.call(true) {
					time.Sleep(back)
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				time.Sleep(proc + back)
			}))
			defer srv.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: super.Calls}}
			defer client.CloseIdleConnections()
			for b.Loop() {
				p := New(Options{Limit: super, Strict: strict})
				start := time.Now()
				var work sync.WaitGroup
				left := make(chan struct{}, n)
				for range n {
					left <- struct{}{}
				}
				close(left)
				for range super.Calls + 5 {
					work.Go(func() {
						for range left {
							loopbackCall(b, p, client, srv.URL)
						}
					})
				}
				work.Wait()
				took := time.Since(start)
				b.ReportMetric((15+0.36)/took.Seconds(), "of-the-limit")
				b.ReportMetric(float64(p.State().Throttled), "refused")
			}
			b.ReportMetric(smallestGap(a.arrived, super.Calls).Seconds(), "s-smallest-gap")
		})
	}
}

func loopbackCall(b *testing.B, p *Pacer, client *http.Client, url string) {
	c, err := p.Acquire(b.Context())
	if err != nil {
		b.Error(err)
		return
	}
	reused := false
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		GotConn:              func(i httptrace.GotConnInfo) { reused = i.Reused },
		WroteRequest:         func(httptrace.WroteRequestInfo) { c.Wrote(reused) },
		GotFirstResponseByte: c.FirstByte,
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		b.Error(err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		c.Done(Failed, Limit{})
		b.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusTooManyRequests {
		c.Done(Limited, Limit{})
	} else {
		c.Done(OK, Limit{})
	}
}

// BenchmarkOpenTable is what a start-up pays for the memory of the calls.
func BenchmarkOpenTable(b *testing.B) {
	path := filepath.Join(b.TempDir(), "calls.db")
	for b.Loop() {
		tab, err := OpenTable(path, "practice")
		if err != nil {
			b.Fatal(err)
		}
		New(Options{Limit: super, Table: tab})
		if err := tab.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
