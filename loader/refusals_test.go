package loader

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/ledger"
)

// TestWordsOfOthersAreNoProof lets the account make the record and somebody
// else answer: a service that the account called, a gateway, a page of a cache.
// The row is looked up before anything is sent again, so that each row stands in
// the account once.
func TestWordsOfOthersAreNoProof(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		kind   string
		body   string
		stops  bool
	}{
		{name: "service behind, 429 inside 500", status: 500, kind: "application/json", body: `{"Status":"Error","ExceptionType":"System.Net.WebException","ExceptionMessage":"The remote server returned an error: (429) Too Many Requests."}`},
		{name: "gateway's JSON under 502", status: 502, kind: "application/json", body: `{"message":"Too many requests"}`},
		{name: "queue behind", status: 500, kind: "application/json", body: `{"ExceptionType":"Queue.ThrottlingException","ExceptionMessage":"Rate exceeded"}`},
		{name: "webhook's limit under 200", status: 200, kind: "application/json", body: `{"Status":"Error","ExceptionMessage":"rate limit of the webhook exceeded"}`},
		{name: "page under 429", status: 429, kind: "text/html", body: "<html>slow down</html>"},
		{name: "gateway's JSON under 429", status: 429, kind: "application/json", body: `{"message":"Too Many Requests"}`},
		{name: "the vendor's sentence in the middle", status: 429, kind: "application/json", body: `{"Status":"Error","ExceptionMessage":"webhook: API calls exceeded the limit of 25 in 5 second(s)"}`},
		{name: "keys of a service behind", status: 500, kind: "application/json", body: `{"ExceptionType":"Sms.InvalidApiKeyException"}`},
		{name: "page under 400", status: 400, kind: "text/html", body: "<html>x</html>", stops: true},
		{name: "page under 403", status: 403, kind: "text/html", body: "<html>x</html>", stops: true},
		{name: "page under 404", status: 404, kind: "text/html", body: "<html>x</html>", stops: true},
		{name: "page under 413", status: 413, kind: "text/html", body: "<html>x</html>", stops: true},
		{name: "403 without a word", status: 403, stops: true},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.o.Concurrency = 1
			answered := map[string]bool{}
			b.wire.after = func(req *http.Request, body []byte, resp *http.Response) *http.Response {
				if !strings.HasSuffix(req.URL.Path, "/Capture") || answered[string(body)] {
					return resp
				}
				answered[string(body)] = true
				return &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {c.kind}}, Body: io.NopCloser(strings.NewReader(c.body))}
			}
			path := b.many(3)
			res, err := b.load(t.Context(), path)
			if stopped := err != nil; stopped != c.stops {
				t.Fatalf("the run ended with %v, %s", err, res.Totals)
			}
			if c.stops && (res.Totals[ledger.ResultInDoubt] != 1 || res.Totals[ledger.ResultNotSent] != 2) {
				t.Errorf("stopped with %s", res.Totals)
			}
			for n := 0; err != nil && n < 5; n++ {
				res, err = b.load(t.Context(), path)
			}
			if err != nil || res.Totals[ledger.ResultInDoubt]+res.Totals[ledger.ResultNotSent]+res.Totals[ledger.ResultRejected] != 0 {
				t.Errorf("in the end %v, %s", err, res.Totals)
			}
			if n := b.account.Count().Opportunities; n != 3 {
				t.Errorf("%d records of 3 rows", n)
			}
		})
	}
}

// TestForeignLimitsSlowTheCallsDown says that words about a limit that may be
// somebody else's make the calls fewer, though the row is in doubt.
func TestForeignLimitsSlowTheCallsDown(t *testing.T) {
	bubble(t, "gateway", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		var n atomic.Int64
		b.wire.before = func(req *http.Request) (*http.Response, error) {
			if n.Add(1) == 3 {
				return &http.Response{StatusCode: 429, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("<html>slow down</html>"))}, nil
			}
			return nil, nil
		}
		res, err := b.load(t.Context(), b.many(60))
		if err != nil || res.Totals[ledger.ResultLoaded] != 60 || res.Run.Throttled != 1 {
			t.Errorf("%v, %s, %d throttled", err, res.Totals, res.Run.Throttled)
		}
	})
}

// TestEndlessTrailEnds says that one row in doubt costs a bounded number of calls,
// however much the account says to have of its lead, and is then left to a person.
func TestEndlessTrailEnds(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(n int) string // to a page of the trail
	}{
		{"new entries on every page", func(n int) string {
			var b strings.Builder
			for i := range 50 {
				fmt.Fprintf(&b, `,{"Id":"a-%d-%d","EventCode":12000,"CreatedOn":"2001-01-01 00:00:00"}`, n, i)
			}
			return `{"RecordCount":1000000000,"ProspectActivities":[` + b.String()[1:] + `]}`
		}},
		{"young records that cannot be read", func(n int) string {
			var b strings.Builder
			for i := range 5000 {
				fmt.Fprintf(&b, `,{"Id":"a-%d","EventCode":12000,"CreatedOn":"%s"}`, i, time.Now().UTC().Format(time.DateTime))
			}
			return `{"RecordCount":5000,"ProspectActivities":[` + b.String()[1:] + `]}`
		}},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			n, lost := 0, false
			b.wire.before = func(req *http.Request) (*http.Response, error) {
				switch {
				case strings.HasSuffix(req.URL.Path, "/Retrieve"):
					n++
					return jsonAnswer(c.answer(n)), nil
				case strings.HasSuffix(req.URL.Path, "/GetOpportunityDetails"):
					return jsonAnswer("{}"), nil
				}
				return nil, nil
			}
			b.wire.after = func(req *http.Request, _ []byte, resp *http.Response) *http.Response {
				if strings.HasSuffix(req.URL.Path, "/Capture") && !lost {
					lost = true
					return page(502)
				}
				return resp
			}
			res, err := b.load(t.Context(), b.many(1))
			if err != nil || res.Totals[ledger.ResultInDoubt] != 1 {
				t.Errorf("%v, %s", err, res.Totals)
			}
			if n := len(b.wire.calls); n > 700 {
				t.Errorf("%d calls for one row", n)
			}
		})
	}
}

// A look-up whose answer is longer than a lead can be is no answer, and no sign that
// the account is away: the run goes on with the other rows.
func TestLookUpThatAnswersTooMuch(t *testing.T) {
	bubble(t, "one lead of three", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.mapping = strings.Replace(b.mapping, "search_by:", "lead_must_exist: true\nsearch_by:", 1)
		for i := range 3 {
			_, err := b.account.AddLead(map[string]string{"EmailAddress": fmt.Sprintf("own%d@example.com", i)})
			check(t, err)
		}
		b.wire.before = func(req *http.Request) (*http.Response, error) {
			if strings.Contains(req.URL.RawQuery, "own1") {
				return jsonAnswer("[" + strings.Repeat(" ", 2<<20) + "]"), nil
			}
			return nil, nil
		}
		res, err := b.load(t.Context(), b.many(3))
		if err != nil || res.Totals[ledger.ResultLoaded] != 2 || res.Totals[ledger.ResultNotSent] != 1 {
			t.Errorf("%v, %s", err, res.Totals)
		}
		if n := len(b.wire.calls); n > 6 {
			t.Errorf("%d calls", n)
		}
	})
}
