package leadsquared

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	defaultTimeout = 60 * time.Second
	defaultMaxIdle = 32

	maxCreateAnswer = 1 << 20  // an answer to a call that makes something
	maxLookUpAnswer = 1 << 20  // one lead, one record, one state
	maxPageAnswer   = 4 << 20  // a page of a list
	maxReadAnswer   = 16 << 20 // metadata, and reads of many records
	maxKeptAnswer   = 64 << 10 // Outcome.Body

	// An answer takes up to forty times its size once it is read into maps. So
	// answers of more than smallAnswer share one budget while they are read.
	smallAnswer  = 32 << 10
	answerBudget = 4 << 20
)

// Client makes calls. It is safe for concurrent use.
type Client struct {
	base, async   string // "https://host"
	access        Secret
	secret        Secret
	asyncKey      Secret
	timeout       time.Duration
	log           func(LogEntry)
	fence         func() error
	rt            http.RoundTripper
	hooks         bool // rt calls the hooks of httptrace
	keys          *Veil
	statusPath    string
	metricsPath   string
	trailMeanings trailMemory
	guids         [kinds]atomic.Bool  // the account names records by GUIDs
	answers       *semaphore.Weighted // bytes of large answers that are being read
}

// String names the client by its host.
func (c *Client) String() string { return "leadsquared client of " + c.Host() }

// Format gives String for every verb, so that no verb digs out the keys.
func (c *Client) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// New checks the configuration. The error names the setting to mend.
func New(c Config) (*Client, error) {
	base, err := parseHost(c.Host, syncHost)
	if err != nil {
		return nil, err
	}
	var async string
	if strings.TrimSpace(c.AsyncHost) != "" {
		if async, err = parseHost(c.AsyncHost, asyncHost); err != nil {
			return nil, err
		}
	}
	for _, k := range []struct {
		key, env string
		secret   Secret
		needed   bool
	}{
		{"access_key", "LEADSQUARED_ACCESS_KEY", c.AccessKey, true},
		{"secret_key", "LEADSQUARED_SECRET_KEY", c.SecretKey, true},
		{"async_key", "LEADSQUARED_ASYNC_KEY", c.AsyncKey, false},
	} {
		v := k.secret.reveal()
		switch {
		case v == "" && k.needed:
			return nil, fmt.Errorf("no %s: set %s in the account file or %s", k.key, k.key, k.env)
		case strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
			return nil, fmt.Errorf("%s holds a space, a line break or a letter that no key has: copy it again, without quotes, into %s of the account file or %s", k.key, k.key, k.env)
		}
	}
	if c.Timeout < 0 {
		return nil, fmt.Errorf("timeout %s is negative: give a time such as 60s", c.Timeout)
	}
	if c.MaxIdle < 0 {
		return nil, fmt.Errorf("%d idle connections are not possible: give 0 or more", c.MaxIdle)
	}
	n := &Client{
		base: base, async: async,
		access: c.AccessKey, secret: c.SecretKey, asyncKey: c.AsyncKey,
		timeout: c.Timeout, log: c.Log, rt: c.Transport, fence: c.Fence,
		keys: NewVeil(c.AccessKey, c.SecretKey, c.AsyncKey), answers: semaphore.NewWeighted(answerBudget),
	}
	if n.timeout == 0 {
		n.timeout = defaultTimeout
	}
	if n.statusPath, err = asyncPath(c.StatusPath, defaultPathTaskStatus, "status path"); err != nil {
		return nil, err
	}
	if n.metricsPath, err = asyncPath(c.MetricsPath, defaultPathTaskMetrics, "metrics path"); err != nil {
		return nil, err
	}
	if n.rt == nil {
		maxIdle := c.MaxIdle
		if maxIdle == 0 {
			maxIdle = defaultMaxIdle
		}
		n.rt = newTransport(maxIdle, nil, c.Fence)
	}
	_, n.hooks = n.rt.(*http.Transport)
	return n, nil
}

func asyncPath(path, fallback, what string) (string, error) {
	switch {
	case path == "":
		return fallback, nil
	case !strings.HasPrefix(path, "/"), strings.ContainsAny(path, "?#@ \r\n\t"):
		return "", fmt.Errorf("%s %q is not a path: it begins with / and has no query, such as %s", what, path, fallback)
	}
	return path, nil
}

// Host is the sync host, without scheme.
func (c *Client) Host() string { return bareHost(c.base) }

// CloseIdle closes the connections that no call uses.
func (c *Client) CloseIdle() {
	if t, ok := c.rt.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// call is one call to make.
type call struct {
	kind   kind
	method string
	path   string
	query  url.Values
	body   []byte
	async  bool
	// asyncKeyOnly leaves the account's keys out: Status and Metrics ask only for x-api-key.
	asyncKeyOnly bool
}

// do makes one call: at most one request, no redirect followed, nothing
// repeated. The second result is the answer as JSON, for reads that were Applied.
func (c *Client) do(ctx context.Context, s Slot, k call) (Outcome, any) {
	o, doc, done := c.exchange(ctx, s, k)
	done()
	return o, doc
}

// ask is do for a call that many make side by side: the answer counts against the
// budget until read has made of it what the caller needs.
func ask[T any](ctx context.Context, c *Client, s Slot, k call, read func(Outcome, any) (T, Outcome)) (T, Outcome) {
	o, doc, done := c.exchange(ctx, s, k)
	defer done()
	return read(o, doc)
}

// exchange is do; done gives back the budget of the answer.
func (c *Client) exchange(ctx context.Context, s Slot, k call) (_ Outcome, _ any, done func()) {
	started := time.Now()
	base, host := c.base, bareHost(c.base)
	if k.async {
		base, host = c.async, bareHost(c.async)
	}
	done = func() {}
	give := func(v Verdict, code, msg string) (Outcome, any, func()) {
		return Outcome{Verdict: v, Message: msg, code: code, Started: started, Ended: time.Now()}, nil, done
	}
	switch {
	case k.async && base == "":
		return give(Fatal, codeSetup, "no async host: set async_host in the account file or LEADSQUARED_ASYNC_HOST")
	case k.async && c.asyncKey.IsZero():
		return give(Fatal, codeSetup, "no async key: set async_key in the account file or LEADSQUARED_ASYNC_KEY")
	case ctx.Err() != nil:
		// No call starts on a context that is over.
		return give(NotSent, codeCancelled, "the call was given up")
	case c.fence != nil && c.fence() != nil:
		return give(NotSent, codeCancelled, "the account is not certainly this run's to call")
	}

	ctx2, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	w := &wire{slot: s}
	defer w.end()
	req, err := c.request(httptrace.WithClientTrace(ctx2, w.trace()), base, k)
	if err != nil {
		return give(Fatal, codeSetup, "the request could not be built")
	}

	a := answer{kind: k.kind, host: host, guids: c.guids[k.kind].Load()}
	resp, err := c.rt.RoundTrip(req)
	if err == nil && resp == nil {
		err = errors.New("the transport gave neither an answer nor an error")
	}
	if err != nil {
		a.err = err
		a.connected, a.wrote = w.gotConn(), w.mayHaveLeft(err, c.hooks)
		a.cancelled = ctx.Err() != nil
		if a.wrote {
			w.tellWrote()
		}
	} else {
		w.tellFirst()
		a.status, a.header = resp.StatusCode, resp.Header
		// With 101 net/http gives the connection away, and neither it nor the
		// context ends a read from it any more: no call of ours asks for another
		// protocol, so its body is not read. For every other status, too, the
		// body is closed when the time is up.
		switch {
		case resp.Body == nil:
		case resp.StatusCode == http.StatusSwitchingProtocols:
			a.cut = errors.Join(errSwitched, resp.Body.Close())
		default:
			stop := context.AfterFunc(ctx2, func() { resp.Body.Close() })
			a.body, done, a.cut = c.readBody(ctx2, resp, k.most())
			stop()
		}
	}
	// Keys are taken out of the answer as it came, before anything is cut or
	// decoded, and once more out of what was read from it.
	a.body, a.keys = c.keys.bytes(a.body), c.keys
	o, doc := judge(a)
	if (o.Verdict == Applied || o.Verdict == Duplicate) && isGUID(o.ID) {
		c.guids[k.kind].Store(true)
	}
	o.Started, o.Ended, o.TooLong = started, time.Now(), o.Verdict == InDoubt && errors.Is(a.cut, errTooLong)
	c.veil(&o)
	o.Body = a.body
	if len(o.Body) > maxKeptAnswer {
		o.Body = bytes.Clone(o.Body[:maxKeptAnswer]) // or the whole answer would be kept
	}
	if c.log != nil {
		c.log(LogEntry{
			Time:         started,
			Signature:    k.method + " " + c.keys.Text(base+k.path),
			Params:       c.keys.Text(k.query.Encode()),
			RequestBody:  c.keys.bytes(k.body),
			Status:       o.Status,
			ResponseBody: o.Body,
			Verdict:      o.Verdict,
			Message:      o.Message,
			Duration:     o.Ended.Sub(started),
		})
	}
	if !k.kind.listed() && k.kind != kindDelete || o.Verdict != Applied {
		return o, nil, done
	}
	return o, doc, done
}

// veil takes the keys out of an outcome's texts.
func (c *Client) veil(o *Outcome) {
	for _, s := range [...]*string{&o.Message, &o.ExceptionType, &o.RightHost, &o.ID, &o.LeadID, &o.RequestID} {
		*s = c.keys.Text(*s)
	}
}

func (c *Client) request(ctx context.Context, base string, k call) (*http.Request, error) {
	target := base + k.path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, k.method, target, nil)
	if err != nil {
		return nil, err
	}
	// A request with a body and no GetBody is never sent a second time by
	// net/http. A GET gets a body too, an empty one: without any, net/http
	// repeats it on its own when a kept connection breaks, unseen by the pacer.
	req.Body, req.GetBody = io.NopCloser(bytes.NewReader(k.body)), nil
	req.ContentLength = int64(len(k.body))
	if len(k.body) == 0 && k.method == http.MethodPost {
		req.Body, req.ContentLength = http.NoBody, 0 // says "Content-Length: 0"; a POST is not repeated either way
	}
	h := req.Header
	h.Set("Accept", "application/json")
	h.Set("User-Agent", "leadload")
	if k.method == http.MethodPost {
		h.Set("Content-Type", "application/json")
	}
	if !k.asyncKeyOnly {
		h.Set("x-LSQ-AccessKey", c.access.reveal())
		h.Set("x-LSQ-SecretKey", c.secret.reveal())
	}
	if k.async {
		h.Set("x-api-key", c.asyncKey.reveal())
	}
	return req, nil
}

var errSwitched = errors.New("the host wants to speak another protocol")

var errTooLong = errors.New("the answer is too long")

// most is how long the answer to a call may be.
func (k *call) most() int64 {
	if k.kind != kindRead {
		return maxCreateAnswer
	}
	switch k.path {
	case pathLeadsByEmail, pathLeadsByPhone, pathLeadByID, pathLeadsBy, pathOpportunity, pathSale, pathSelf, pathCheckedIn:
		return maxLookUpAnswer
	case pathTrail, pathOpportunitiesOf, pathOpportunitiesBy, pathSalesOf, pathProducts:
		return maxPageAnswer
	}
	if k.async {
		return maxLookUpAnswer
	}
	return maxReadAnswer
}

// readBody reads an answer of at most so many bytes. done gives back what a large
// one took of the budget.
func (c *Client) readBody(ctx context.Context, resp *http.Response, most int64) (b []byte, done func(), err error) {
	defer resp.Body.Close()
	done = func() {}
	small := min(most, smallAnswer)
	b, err = io.ReadAll(io.LimitReader(resp.Body, small+1))
	if err == nil && int64(len(b)) > small && small < most {
		weight := min(most, answerBudget)
		if n := resp.ContentLength; n >= 0 {
			weight = min(weight, n)
		}
		if err = c.answers.Acquire(ctx, weight); err != nil {
			return b, done, err
		}
		done = func() { c.answers.Release(weight) }
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(resp.Body, most+1-int64(len(b))))
		b = append(b, rest...)
	}
	if err == nil && int64(len(b)) > most {
		err = errTooLong
	}
	return b, done, err
}
