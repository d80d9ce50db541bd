package leadsquared

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// countedBody counts the bytes of bodies that are being read, over all of them.
type countedBody struct {
	io.Reader
	mine      atomic.Int64
	all, peak *atomic.Int64
	read      *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.mine.Add(int64(n))
	b.read.Add(int64(n))
	for now := b.all.Add(int64(n)); ; {
		was := b.peak.Load()
		if now <= was || b.peak.CompareAndSwap(was, now) {
			return n, err
		}
	}
}

func (b *countedBody) Close() error { b.all.Add(-b.mine.Swap(0)); return nil }

// Whatever the account answers, and to however many calls at once, what is in memory is bounded.
func TestLargeAnswersShareABudget(t *testing.T) {
	one := `{"ProspectID":"l-1","EmailAddress":"a@example.com","x":"y"},`
	for name, c := range map[string]struct {
		size int
		want Verdict
	}{
		"15 MB":             {15 << 20, InDoubt},
		"nearly 1 MB":       {maxLookUpAnswer - 100, InDoubt}, // of more leads than one value names
		"one small answer":  {len(one), Applied},
		"larger than small": {mostLeads * len(one), Applied},
	} {
		t.Run(name, func(t *testing.T) {
			var all, peak, read atomic.Int64
			n := max(1, c.size/len(one))
			body := `[` + strings.TrimSuffix(strings.Repeat(one, n), ",") + `]`
			client := testClient(t, Config{Host: "api.example.com", Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, ContentLength: -1, Body: &countedBody{Reader: strings.NewReader(body), all: &all, peak: &peak, read: &read}}, nil
			})})
			const calls = 64
			var wg sync.WaitGroup
			for range calls {
				wg.Go(func() {
					if _, o := client.LeadsByEmail(context.Background(), nil, "a@example.com"); o.Verdict != c.want {
						t.Errorf("%v: %s", o.Verdict, o.Message)
					}
				})
			}
			wg.Wait()
			const slack = 4096 // what a reader takes at once
			if most := int64(answerBudget + calls*(smallAnswer+slack)); peak.Load() > most {
				t.Errorf("%d bytes of answers at once, want %d at most", peak.Load(), most)
			}
			if most := int64(calls * (maxLookUpAnswer + slack)); read.Load() > most {
				t.Errorf("%d bytes were read, want %d at most", read.Load(), most)
			}
			if !client.answers.TryAcquire(answerBudget) {
				t.Error("the budget was not given back")
			}
		})
	}
}

// A call that waits for the budget ends when its time is up, and what it has of its answer is no answer.
func TestNoCallWaitsForTheBudgetPastItsTime(t *testing.T) {
	body := `[{"ProspectID":"l-1","EmailAddress":"a@example.com","x":"` + strings.Repeat("x", smallAnswer) + `"}]`
	c := answering(t, 200, body)
	if !c.answers.TryAcquire(answerBudget) {
		t.Fatal("no budget")
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.rt = roundTrip(func(*http.Request) (*http.Response, error) { cancel(); return reply(200, body), nil })
	if _, o := c.LeadsByEmail(ctx, nil, "a@example.com"); o.Verdict != InDoubt || Code(o) != codeCut {
		t.Errorf("%v %s", o.Verdict, o.Message)
	}
}
