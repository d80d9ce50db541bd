package leadsquared

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// roundTrip is a stand-in for the network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func reply(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func TestStandIn(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("x")}
	for _, c := range []struct {
		name   string
		rt     roundTrip
		cancel time.Duration
		want   Verdict
		code   string
		after  time.Duration
		slot   []string
	}{
		{name: "answers", rt: func(*http.Request) (*http.Response, error) { return reply(200, successBody), nil }, want: Applied, slot: []string{"wrote reused=false", "first byte"}},
		{name: "fails", rt: func(*http.Request) (*http.Response, error) { return nil, io.EOF }, want: InDoubt, code: codeReset, slot: []string{"wrote reused=false"}},
		{name: "did not send", rt: func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("down: %w", ErrNotSent) }, want: NotSent, code: codeNetwork},
		{name: "did not dial", rt: func(*http.Request) (*http.Response, error) { return nil, dial }, want: NotSent, code: codeUnreachable},
		{name: "gives nothing", rt: func(*http.Request) (*http.Response, error) { return nil, nil }, want: InDoubt, code: codeNetwork, slot: []string{"wrote reused=false"}},
		{name: "hangs", rt: func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, want: InDoubt, code: codeTimeout, after: 60 * time.Second, slot: []string{"wrote reused=false"}},
		{name: "hangs and is given up", rt: func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, cancel: 7 * time.Second, want: InDoubt, code: codeCancelled, after: 7 * time.Second, slot: []string{"wrote reused=false"}},
		{name: "calls the hooks", rt: func(r *http.Request) (*http.Response, error) {
			tr := httptrace.ContextClientTrace(r.Context())
			tr.GotConn(httptrace.GotConnInfo{Reused: true})
			tr.WroteRequest(httptrace.WroteRequestInfo{})
			time.Sleep(2 * time.Second) // the bubble's clock
			tr.GotFirstResponseByte()
			return reply(200, successBody), nil
		}, want: Applied, after: 2 * time.Second, slot: []string{"wrote reused=true", "first byte"}},
		{name: "answers slowly, byte by byte", rt: func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: slowBody{r.Context()}}, nil
		}, want: InDoubt, code: codeCut, after: 60 * time.Second, slot: []string{"wrote reused=false", "first byte"}},
		{name: "answers with a body that heeds no context", rt: func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 206, Body: &deafBody{closed: make(chan struct{})}}, nil
		}, want: InDoubt, code: codeCut, after: 60 * time.Second, slot: []string{"wrote reused=false", "first byte"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, err := New(Config{Host: "api.example.com", AccessKey: NewSecret(testAccess), SecretKey: NewSecret(testSecret), Transport: c.rt})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.cancel > 0 {
					time.AfterFunc(c.cancel, cancel)
				}
				s := &testSlot{}
				start := time.Now()
				o := n.Make(ctx, s, MakeOpportunity, []byte(`{}`))
				if o.Verdict != c.want || Code(o) != c.code {
					t.Errorf("%v %q %q, want %v %q", o.Verdict, Code(o), o.Message, c.want, c.code)
				}
				if d := time.Since(start); d != c.after || o.Ended.Sub(o.Started) != c.after {
					t.Errorf("took %v (%v told), want %v", d, o.Ended.Sub(o.Started), c.after)
				}
				s.want(t, c.slot...)
			})
		})
	}
}

type slowBody struct{ ctx context.Context }

func (b slowBody) Read(p []byte) (int, error) {
	select {
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	}
}
func (slowBody) Close() error { return nil }

// deafBody is silent until it is closed.
type deafBody struct {
	once   sync.Once
	closed chan struct{}
}

func (b *deafBody) Read(p []byte) (int, error) { <-b.closed; return 0, io.ErrClosedPipe }
func (b *deafBody) Close() error               { b.once.Do(func() { close(b.closed) }); return nil }

func TestHooksThatComeLateAreNotPassedOn(t *testing.T) {
	var tr *httptrace.ClientTrace
	slot := &testSlot{}
	c := testClient(t, Config{Host: "api.example.com", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		tr = httptrace.ContextClientTrace(r.Context())
		return nil, ErrNotSent
	})})
	c.Make(t.Context(), slot, MakeOpportunity, nil)
	tr.WroteRequest(httptrace.WroteRequestInfo{})
	tr.GotFirstResponseByte()
	slot.want(t)
}
