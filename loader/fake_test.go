package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"leadload/internal/fault"
	"leadload/internal/sandbox"
	"leadload/loader/account"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/pace"
	"leadload/loader/source"
	"leadload/mapping"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wire is a network without sockets between the client and a practice
// account, so that whole runs fit into a bubble of fake time.
type wire struct {
	handler http.Handler
	// before may answer in the account's place, or fail; nil, nil lets the call through.
	before func(*http.Request) (*http.Response, error)
	// after may put another answer in the place of the account's, which has done its work.
	after func(req *http.Request, body []byte, resp *http.Response) *http.Response

	mu    sync.Mutex
	calls []string // paths, in the order of their calls
	times []time.Time
}

func (w *wire) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	w.mu.Lock()
	w.calls = append(w.calls, req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:])
	w.times = append(w.times, time.Now())
	w.mu.Unlock()
	if w.before != nil {
		if resp, err := w.before(req); resp != nil || err != nil {
			return resp, err
		}
	}
	var body []byte
	if req.Body != nil {
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				panic(p)
			}
			resp, err = nil, io.ErrUnexpectedEOF
			if req.Context().Err() != nil {
				err = req.Context().Err()
			}
		}
	}()
	in := req.Clone(req.Context())
	in.Body, in.RequestURI = io.NopCloser(bytes.NewReader(body)), req.URL.RequestURI()
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, in)
	if err := req.Context().Err(); err != nil {
		return nil, err // who has given the call up does not get its answer
	}
	resp = rec.Result()
	if w.after != nil {
		resp = w.after(req, body, resp)
	}
	return resp, nil
}

func (w *wire) count(path string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.calls {
		if p == path {
			n++
		}
	}
	return n
}

func page(status int) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(strings.NewReader("<html>proxy</html>"))}
}

// bench is a file, a practice account and a session between them.
type bench struct {
	t       *testing.T
	dir     string
	mapping string
	account *sandbox.Account
	wire    *wire
	led     ledger.Store
	o       Options
	said    []string
	sayMu   sync.Mutex
	confirm func(Plan) error
	newest  bool         // adopt takes the newest of several records
	fence   func() error // asked before the bytes of a call; it may be nil
}

const dealMapping = `version: 1
target: opportunity
key: Deal
search_by: EmailAddress
LeadDetails:
  EmailAddress: {column: Email, type: email, required: true}
Opportunity:
  OpportunityEventCode: 12000
  Fields:
    mx_Custom_1: Name
`

func newBench(t *testing.T, so sandbox.Options) *bench {
	t.Helper()
	if so.Latency == 0 {
		so.Latency = 50 * time.Millisecond
	}
	a, err := sandbox.New(so)
	check(t, err)
	b := &bench{t: t, dir: t.TempDir(), mapping: dealMapping, account: a, wire: &wire{handler: a.Handler()}}
	b.led, err = sqlite.Open(filepath.Join(b.dir, "ledger.db"), sqlite.Options{Unsafe: true}) // durability has tests of its own
	check(t, err)
	access, secret, async := a.Keys()
	b.o = Options{Account: account.Account{Host: "http://127.0.0.1:9", AsyncHost: "http://127.0.0.1:9", Limit: pace.Limit{Calls: 25, Window: 5 * time.Second}}, Ledger: b.led}
	b.o.Account.SetKeys(access, secret, async)
	b.o.Notify = func(s string) {
		b.sayMu.Lock()
		defer b.sayMu.Unlock()
		b.said = append(b.said, s)
	}
	return b
}

// close ends everything that has goroutines, so that a bubble can end.
func (b *bench) close() {
	check(b.t, b.led.Close())
	check(b.t, b.account.Close())
}

func (b *bench) connect() *Session {
	b.t.Helper()
	o := b.o
	timeout := o.Timeout
	if timeout == 0 {
		timeout = time.Minute
	}
	var err error
	o.client, err = leadsquared.New(leadsquared.Config{Host: o.Account.Host, AsyncHost: o.Account.AsyncHost, AccessKey: o.Account.AccessKey,
		SecretKey: o.Account.SecretKey, AsyncKey: o.Account.AsyncKey, Timeout: timeout, Transport: b.wire, Fence: b.fence})
	check(b.t, err)
	s, err := Connect(b.t.Context(), o)
	check(b.t, err)
	return s
}

// deals writes a file of rows "deal,email,name".
func (b *bench) deals(rows ...string) string {
	b.t.Helper()
	path := filepath.Join(b.dir, "deals.csv")
	check(b.t, os.WriteFile(path, []byte("Deal,Email,Name\n"+strings.Join(rows, "\n")+"\n"), 0o600))
	return path
}

func (b *bench) many(n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = fmt.Sprintf("D%d,own%d@example.com,Deal %d", i, i, i)
	}
	return b.deals(rows...)
}

// load runs an import of a file as a process of its own would.
func (b *bench) load(ctx context.Context, path string) (Result, error) {
	b.t.Helper()
	s := b.connect()
	defer func() { check(b.t, s.Close()) }()
	return b.loadIn(ctx, s, path)
}

func (b *bench) loadIn(ctx context.Context, s *Session, path string) (Result, error) {
	b.t.Helper()
	m, err := mapping.Parse("deals.yaml", []byte(b.mapping))
	check(b.t, err)
	f, err := source.Open(path, source.Options{})
	check(b.t, err)
	defer f.Close()
	return s.Import(ctx, Job{Input: "deals.csv", InputPath: path, File: f, Mapping: m, Update: m.Updates, Confirm: b.confirm})
}

func (b *bench) rows(res Result) []ledger.Row {
	b.t.Helper()
	var out []ledger.Row
	for r, err := range b.led.Rows(context.Background(), res.Run.ID) {
		check(b.t, err)
		out = append(out, r)
	}
	return out
}

// known loads a record of another lead, so that the account has something to
// show that the ledger knows of.
func (b *bench) known() {
	b.t.Helper()
	res, err := b.load(b.t.Context(), b.deals("D0,known@example.com,Known"))
	if err != nil || res.Totals[ledger.ResultLoaded] != 1 {
		b.t.Fatal(err, res.Totals)
	}
}

func codeOf(err error) string {
	var e *fault.Fault
	if errors.As(err, &e) {
		if e.Hint == "" {
			return string(e.Code) + " without a hint"
		}
		return string(e.Code)
	}
	return fmt.Sprint(err)
}

func jsonAnswer(text string) *http.Response {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text))}
}

func parseMapping(t *testing.T, text string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Parse("m.yaml", []byte(text))
	check(t, err)
	return m
}
