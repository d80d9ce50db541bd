package leadsquared

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	testAccess = "u$r0123456789abcdef"
	testSecret = "s3cr3t/with+signs&more"
	testAsync  = "asynckey-42-abcdef"

	successBody = `{"Status":0,"CreatedOpportunityId":"` + anID + `"}`
)

func testClient(t testing.TB, c Config) *Client {
	t.Helper()
	if c.AccessKey.IsZero() {
		c.AccessKey, c.SecretKey, c.AsyncKey = NewSecret(testAccess), NewSecret(testSecret), NewSecret(testAsync)
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.CloseIdle)
	return n
}

// testSlot records what it is told.
type testSlot struct {
	mu    sync.Mutex
	calls []string
}

func (s *testSlot) Wrote(reused bool) { s.add(fmt.Sprintf("wrote reused=%v", reused)) }
func (s *testSlot) FirstByte()        { s.add("first byte") }

func (s *testSlot) add(c string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
}

func (s *testSlot) want(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if fmt.Sprint(s.calls) != fmt.Sprint(want) {
		t.Errorf("slot was told %q, want %q", s.calls, want)
	}
}

// rawServer serves connections by hand, so that it can break them where it likes.
type rawServer struct {
	net.Listener
	requests atomic.Int64
}

// serveRaw calls handle with each request; false closes the connection.
func serveRaw(t *testing.T, handle func(n int64, c net.Conn, r *http.Request) bool) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{Listener: l}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				br := bufio.NewReader(c)
				for {
					r, err := http.ReadRequest(br)
					if err != nil {
						return
					}
					io.Copy(io.Discard, r.Body)
					if !handle(s.requests.Add(1), c, r) {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() { l.Close() })
	return s
}

func (s *rawServer) url() string { return "http://" + s.Addr().String() }

func answerRaw(c net.Conn, body string) {
	fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// The server answers the first request, reads the second on the kept connection and
// closes. The second must be seen once, whatever its method.
func TestNothingIsSentTwice(t *testing.T) {
	calls := map[string]func(*Client, Slot) Outcome{
		"a POST with a body": func(c *Client, s Slot) Outcome {
			return c.Make(t.Context(), s, MakeOpportunity, []byte(`{"a":1}`))
		},
		"a POST without a body": func(c *Client, s Slot) Outcome {
			_, o := c.OpportunitiesOfLead(t.Context(), s, "l", 12000, 0)
			return o
		},
		"a GET": func(c *Client, s Slot) Outcome {
			_, o := c.Self(t.Context(), s)
			return o
		},
	}
	for name, do := range calls {
		t.Run(name, func(t *testing.T) {
			s := serveRaw(t, func(n int64, c net.Conn, _ *http.Request) bool {
				if n == 1 {
					answerRaw(c, successBody)
					return true
				}
				return false
			})
			c := testClient(t, Config{Host: s.url()})
			if o := c.Make(t.Context(), nil, MakeOpportunity, []byte(`{}`)); o.Verdict != Applied {
				t.Fatal(o.Verdict, o.Message)
			}
			slot := &testSlot{}
			o := do(c, slot)
			if o.Verdict != InDoubt || Code(o) != codeReset {
				t.Errorf("%v (%s, %s), want in doubt (%s)", o.Verdict, Code(o), o.Message, codeReset)
			}
			if n := s.requests.Load(); n != 2 {
				t.Errorf("the server saw %d requests, want 2", n)
			}
			slot.want(t, "wrote reused=true")
		})
	}

	// What net/http does of its own with a bare GET shows that the test can fail.
	t.Run("net/http repeats a bare GET", func(t *testing.T) {
		s := serveRaw(t, func(n int64, c net.Conn, _ *http.Request) bool {
			if n == 1 || n == 3 {
				answerRaw(c, successBody)
				return true
			}
			return false
		})
		tr := newTransport(4, nil, nil)
		defer tr.CloseIdleConnections()
		for range 2 {
			r, _ := http.NewRequest(http.MethodGet, s.url(), nil)
			resp, err := tr.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		if n := s.requests.Load(); n != 3 {
			t.Errorf("the server saw %d requests, want 3", n)
		}
	})
}

func TestKeysAreInHeadersOnly(t *testing.T) {
	type seen struct {
		line   string
		header http.Header
	}
	var mu sync.Mutex
	var got []seen
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got = append(got, seen{r.Method + " " + r.URL.String(), r.Header})
		mu.Unlock()
		io.WriteString(w, `{}`)
	}))
	defer srv.Close()
	c := testClient(t, Config{Host: srv.URL, AsyncHost: srv.URL})
	ctx := t.Context()
	for _, call := range []struct {
		line        string
		do          func()
		keys, async bool
	}{
		{"POST /v2/OpportunityManagement.svc/Capture", func() { c.Make(ctx, nil, MakeOpportunity, []byte(`{}`)) }, true, false},
		{"POST /v2/SalesActivity.svc/Create", func() { c.Make(ctx, nil, MakeSalesActivity, []byte(`{}`)) }, true, false},
		{"POST /opportunity/capture", func() { c.Make(ctx, nil, QueueOpportunity, []byte(`{}`)) }, true, true},
		{"GET /opportunity/capture/status?RequestID=r-1", func() { c.CaptureStatus(ctx, nil, "r-1") }, false, true},
		{"GET /opportunity/capture/metrics", func() { c.QueueMetrics(ctx, nil) }, false, true},
		{"GET /v2/LeadManagement.svc/Leads.GetByEmailaddress?emailaddress=a%2Bb%40example.com", func() { c.LeadsByEmail(ctx, nil, " a+b@example.com ") }, true, false},
		{"GET /v2/LeadManagement.svc/RetrieveLeadByPhoneNumber?phone=919876543210", func() { c.LeadsByPhone(ctx, nil, "+91-98765 43210") }, true, false},
		{"GET /v2/LeadManagement.svc/Leads.GetById?id=l-1", func() { c.LeadByID(ctx, nil, "l-1") }, true, false},
		{"POST /v2/LeadManagement.svc/Leads.Get", func() { c.LeadsBy(ctx, nil, "mx_Code", "7") }, true, false},
		{"POST /v2/ProspectActivity.svc/Retrieve?leadId=l-1", func() { c.TrailPage(ctx, nil, "l-1", 12000, 0) }, true, false},
		{"POST /v2/OpportunityManagement.svc/GetOpportunitiesOfLead?leadId=l-1&opportunityType=12000", func() { c.OpportunitiesOfLead(ctx, nil, "l-1", 12000, 0) }, true, false},
		{"POST /v2/OpportunityManagement.svc/GetOpportunitiesByUniqueLeadField", func() { c.OpportunitiesByLeadField(ctx, nil, "Mobile", "1", 1) }, true, false},
		{"GET /v2/OpportunityManagement.svc/GetOpportunityDetails?OpportunityId=o-1", func() { c.Opportunity(ctx, nil, "o-1") }, true, false},
		{"GET /v2/SalesActivity.svc/RetrieveByLeadId?leadId=l-1", func() { c.SalesActivitiesOf(ctx, nil, "l-1") }, true, false},
		{"GET /v2/OpportunityManagement.svc/GetOpportunityTypes", func() { c.OpportunityTypes(ctx, nil) }, true, false},
		{"GET /v2/OpportunityManagement.svc/GetOpportunityTypeMetadata?code=12000", func() { c.OpportunityTypeMetadata(ctx, nil, 12000) }, true, false},
		{"GET /v2/SalesActivity.svc/RetrieveSetting", func() { c.SalesActivitySettings(ctx, nil) }, true, false},
		{"GET /v2/LeadManagement.svc/LeadsMetaData.Get", func() { c.LeadFields(ctx, nil) }, true, false},
		{"POST /v2/SalesActivity.svc/RetrieveProducts", func() { c.Products(ctx, nil, 1) }, true, false},
		{"GET /v2/Authentication.svc/UserByAccessKey.Get", func() { c.Self(ctx, nil) }, true, false},
		{"POST /v2/UserManagement.svc/User/CheckIn", func() { c.CheckIn(ctx, nil, Presence{Source: "API"}) }, true, false},
		{"POST /v2/UserManagement.svc/User/CheckOut", func() { c.CheckOut(ctx, nil, Presence{Source: "API"}) }, true, false},
		{"GET /v2/UserManagement.svc/User/CheckinStatus", func() { c.CheckedIn(ctx, nil) }, true, false},
	} {
		got = nil
		call.do()
		if len(got) != 1 {
			t.Errorf("%s: %d requests", call.line, len(got))
			continue
		}
		g := got[0]
		if g.line != call.line {
			t.Errorf("request %q, want %q", g.line, call.line)
		}
		has := func(name, value string, want bool) {
			t.Helper()
			if !want {
				value = ""
			}
			if v := g.header.Get(name); v != value {
				t.Errorf("%s: header %s is %q, want %q", call.line, name, v, value)
			}
		}
		has("x-LSQ-AccessKey", testAccess, call.keys)
		has("x-LSQ-SecretKey", testSecret, call.keys)
		has("x-api-key", testAsync, call.async)
		has("Idempotency-Key", "", true)
		has("X-Idempotency-Key", "", true)
		has("Accept", "application/json", true)
		has("Content-Type", "application/json", strings.HasPrefix(call.line, "POST"))
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var other atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { other.Add(1) }))
	defer target.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, target.URL+"/x?accessKey=1", status)
		}))
		c := testClient(t, Config{Host: srv.URL})
		o := c.Make(t.Context(), nil, MakeOpportunity, []byte(`{}`))
		if o.Verdict != InDoubt || o.Status != status || strings.Contains(o.Message, "accessKey") {
			t.Errorf("%d: %v %d %q", status, o.Verdict, o.Status, o.Message)
		}
		if _, o := c.Self(t.Context(), nil); o.Verdict != InDoubt {
			t.Errorf("%d: a read is %v", status, o.Verdict)
		}
		srv.Close()
	}
	if n := other.Load(); n != 0 {
		t.Errorf("the redirect was followed %d times", n)
	}
}

func TestSlotHearsOfBothEnds(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, successBody)
	}))
	defer srv.Close()
	c := testClient(t, Config{Host: srv.URL})
	for _, want := range []string{"wrote reused=false", "wrote reused=true"} {
		s := &testSlot{}
		o := c.Make(t.Context(), s, MakeOpportunity, []byte(`{}`))
		if o.Verdict != Applied || o.ID != anID || o.Status != 200 {
			t.Fatalf("%v %q %s", o.Verdict, o.ID, o.Message)
		}
		if o.Started.IsZero() || o.Ended.Before(o.Started) || o.ServerTime.IsZero() {
			t.Errorf("times %v %v %v", o.Started, o.Ended, o.ServerTime)
		}
		s.want(t, want, "first byte")
	}
}

func TestNoConnectionIsNotSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	l.Close()

	closing := serveClosing(t)
	for _, c := range []struct {
		name, host, code string
	}{
		{"nobody listens", "http://" + gone, codeRefused},
		{"the handshake is cut", "https://" + closing, codeTLS},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &testSlot{}
			o := testClient(t, Config{Host: c.host}).Make(t.Context(), s, MakeOpportunity, []byte(`{}`))
			if o.Verdict != NotSent || !o.Outage || Code(o) != c.code {
				t.Errorf("%v outage=%v %s %q", o.Verdict, o.Outage, Code(o), o.Message)
			}
			s.want(t)
		})
	}
	t.Run("a context that is over", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s := &testSlot{}
		o := testClient(t, Config{Host: "http://" + gone}).Make(ctx, s, MakeOpportunity, []byte(`{}`))
		if o.Verdict != NotSent || o.Outage || Code(o) != codeCancelled {
			t.Errorf("%v outage=%v %s", o.Verdict, o.Outage, Code(o))
		}
		s.want(t)
	})
	t.Run("plain http on a TLS port's host", func(t *testing.T) {
		srv := httptest.NewServer(http.NotFoundHandler())
		defer srv.Close()
		o := testClient(t, Config{Host: strings.Replace(srv.URL, "http:", "https:", 1)}).Make(t.Context(), nil, MakeOpportunity, []byte(`{}`))
		if o.Verdict != NotSent || Code(o) != codeTLS {
			t.Errorf("%v %s %q", o.Verdict, Code(o), o.Message)
		}
	})
}

// serveClosing reads a little of every connection and closes it.
func serveClosing(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 16))
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestLostAnswersAreInDoubt(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for _, c := range []struct {
		name   string
		handle func(c net.Conn) bool
		code   string
		outage bool
		slot   []string
		hangs  bool
	}{
		{"closed without an answer", func(net.Conn) bool { return false }, codeReset, false, []string{"wrote reused=false"}, false},
		{"reset without an answer", func(c net.Conn) bool { c.(*net.TCPConn).SetLinger(0); return false }, codeReset, false, []string{"wrote reused=false"}, false},
		{"no answer in time", func(net.Conn) bool { <-hang; return false }, codeTimeout, true, []string{"wrote reused=false"}, true},
		{"half a header", func(c net.Conn) bool { io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-"); return false }, codeNetwork, false, []string{"wrote reused=false", "first byte"}, false},
		{"half a body", func(c net.Conn) bool {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"+successBody)
			return false
		}, codeCut, false, []string{"wrote reused=false", "first byte"}, false},
		{"a body that hangs", func(c net.Conn) bool {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"+successBody)
			<-hang
			return false
		}, codeCut, false, []string{"wrote reused=false", "first byte"}, true},
		{"half a chunk", func(c net.Conn) bool {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{\"Status\":0")
			return false
		}, codeCut, false, []string{"wrote reused=false", "first byte"}, false},
		{"not HTTP", func(c net.Conn) bool { io.WriteString(c, "220 smtp.example.com ESMTP\r\n"); return false }, codeNetwork, false, []string{"wrote reused=false", "first byte"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			timeout := 10 * time.Second
			if c.hangs {
				timeout = 1500 * time.Millisecond
			}
			s := serveRaw(t, func(_ int64, conn net.Conn, _ *http.Request) bool { return c.handle(conn) })
			slot := &testSlot{}
			o := testClient(t, Config{Host: s.url(), Timeout: timeout}).Make(t.Context(), slot, MakeOpportunity, []byte(`{"a":1}`))
			if o.Verdict != InDoubt || Code(o) != c.code || o.Outage != c.outage {
				t.Errorf("%v %s outage=%v %q, want in doubt %s outage=%v", o.Verdict, Code(o), o.Outage, o.Message, c.code, c.outage)
			}
			slot.want(t, c.slot...)
			if n := s.requests.Load(); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// A transport whose connections have no counter: what was sent is not known.
func TestUncountedConnectionIsInDoubt(t *testing.T) {
	s := serveRaw(t, func(int64, net.Conn, *http.Request) bool { return false })
	slot := &testSlot{}
	o := testClient(t, Config{Host: s.url(), Transport: &http.Transport{}}).Make(t.Context(), slot, MakeOpportunity, []byte(`{}`))
	if o.Verdict != InDoubt {
		t.Errorf("%v %q", o.Verdict, o.Message)
	}
	slot.want(t, "wrote reused=false")

	w := &wire{slot: slot}
	w.trace().GotConn(httptrace.GotConnInfo{Conn: &pipeConn{}})
	if !w.mayHaveLeft(io.EOF, true) || !w.gotConn() {
		t.Error("an uncounted connection was had, and nothing may have left")
	}
}

// The connection breaks while the request is still being written.
func TestPartOfARequestIsInDoubt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		io.CopyN(io.Discard, c, 100_000)
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}()
	o := testClient(t, Config{Host: "http://" + l.Addr().String()}).Make(t.Context(), nil, MakeOpportunity, make([]byte, 16<<20))
	if o.Verdict != InDoubt || Code(o) != codeReset {
		t.Errorf("%v %s %q", o.Verdict, Code(o), o.Message)
	}
}

func TestGivenUpWhileWaitingIsInDoubt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serveRaw(t, func(_ int64, c net.Conn, _ *http.Request) bool {
		cancel()
		c.Read(make([]byte, 1)) // until the client hangs up
		return false
	})
	o := testClient(t, Config{Host: s.url()}).Make(ctx, nil, MakeOpportunity, []byte(`{}`))
	if o.Verdict != InDoubt || Code(o) != codeCancelled || o.Outage {
		t.Errorf("%v %s outage=%v", o.Verdict, Code(o), o.Outage)
	}
}

// A server that closes kept connections at any moment: what it has seen is
// applied or in doubt, and never "not sent".
func TestDeadKeptConnections(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%v", secure), func(t *testing.T) {
			var seen atomic.Int64
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen.Add(1)
				io.WriteString(w, successBody)
			}))
			c := startServer(t, srv, secure)
			count := map[Verdict]int64{}
			for i := range 60 {
				o := c.Make(t.Context(), nil, MakeOpportunity, []byte(`{}`))
				count[o.Verdict]++
				if o.Verdict == NotSent && o.Outage {
					t.Errorf("a dead connection is called an outage: %s %q", Code(o), o.Message)
				}
				if i%2 == 0 {
					srv.CloseClientConnections()
				}
			}
			if n := seen.Load(); n < count[Applied] || n > count[Applied]+count[InDoubt] {
				t.Errorf("the server saw %d: %v", n, count)
			}
			if count[Applied] < 25 || count[Applied]+count[InDoubt]+count[NotSent] != 60 {
				t.Errorf("%v", count)
			}
		})
	}
}

// startServer starts a test server, with TLS if asked, and gives a client that trusts it.
func startServer(t testing.TB, srv *httptest.Server, secure bool) *Client {
	t.Helper()
	tr := newTransport(8, nil, nil)
	if secure {
		srv.Config.ErrorLog = log.New(io.Discard, "", 0) // tells of every client that does not trust it
		srv.EnableHTTP2 = true
		srv.StartTLS()
		pool := x509.NewCertPool()
		pool.AddCert(srv.Certificate())
		tr = newTransport(8, pool, nil)
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return testClient(t, Config{Host: srv.URL, Transport: tr})
}

func TestTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 {
			t.Errorf("protocol %s, want HTTP/1.1", r.Proto)
		}
		io.WriteString(w, successBody)
	}))
	c := startServer(t, srv, true)
	for range 2 {
		if o := c.Make(t.Context(), nil, MakeOpportunity, []byte(`{}`)); o.Verdict != Applied {
			t.Fatalf("%v %q", o.Verdict, o.Message)
		}
	}

	t.Run("a certificate that nobody vouches for stops the run", func(t *testing.T) {
		s := &testSlot{}
		o := testClient(t, Config{Host: srv.URL}).Make(t.Context(), s, MakeOpportunity, []byte(`{}`))
		if o.Verdict != Fatal || Code(o) != codeCertificate || o.Outage {
			t.Errorf("%v %s %q", o.Verdict, Code(o), o.Message)
		}
		s.want(t)
	})
	t.Run("lost answer", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			panic(http.ErrAbortHandler)
		}))
		if o := startServer(t, srv, true).Make(t.Context(), nil, MakeOpportunity, []byte(`{}`)); o.Verdict != InDoubt {
			t.Errorf("%v %q", o.Verdict, o.Message)
		}
	})
}

func TestAnswersAreBounded(t *testing.T) {
	big := `{"Status":0,"CreatedOpportunityId":"` + anID + `","x":"` + strings.Repeat("x", maxCreateAnswer) + `"}`
	list := `[{"ProspectID":"l-1","x":"` + strings.Repeat("x", maxCreateAnswer/2) + `"}]`
	c := testClient(t, Config{Host: "api.example.com", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		switch r.URL.Path {
		case pathCapture:
			return reply(200, big), nil
		case pathLeadByID:
			return reply(200, list), nil
		}
		return &http.Response{StatusCode: 200, Body: io.NopCloser(endless{})}, nil
	})})
	if o := c.Make(t.Context(), nil, MakeOpportunity, []byte(`{}`)); o.Verdict != InDoubt || Code(o) != codeCut || len(o.Body) > maxKeptAnswer {
		t.Errorf("%v %s, %d bytes kept", o.Verdict, Code(o), len(o.Body))
	}
	if l, o := c.LeadByID(t.Context(), nil, "l-1"); o.Verdict != Applied || len(l) != 1 || len(o.Body) != maxKeptAnswer {
		t.Errorf("%v %q, %d leads, %d bytes kept", o.Verdict, o.Message, len(l), len(o.Body))
	}
	if _, o := c.Self(t.Context(), nil); o.Verdict != InDoubt || Code(o) != codeCut {
		t.Errorf("%v %s", o.Verdict, Code(o))
	}
}

// endless is an answer of blanks that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestCompressedAnswerIsRead(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		io.WriteString(z, successBody)
		z.Close()
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(b.Bytes())
	}))
	defer srv.Close()
	if o := testClient(t, Config{Host: srv.URL}).Make(t.Context(), nil, MakeOpportunity, []byte(`{}`)); o.Verdict != Applied {
		t.Errorf("%v %q", o.Verdict, o.Message)
	}
}

func BenchmarkCall(b *testing.B) {
	for _, secure := range []bool{false, true} {
		b.Run(fmt.Sprintf("tls=%v", secure), func(b *testing.B) {
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				io.WriteString(w, successBody)
			}))
			c := startServer(b, srv, secure)
			body := bytes.Repeat([]byte("x"), 1024)
			slot := &testSlot{}
			b.ReportAllocs()
			for b.Loop() {
				slot.calls = slot.calls[:0]
				if o := c.Make(b.Context(), slot, MakeOpportunity, body); o.Verdict != Applied {
					b.Fatal(o.Message)
				}
			}
		})
	}
	b.Run("stand-in", func(b *testing.B) {
		c := testClient(b, Config{Host: "api.example.com", Transport: roundTrip(func(*http.Request) (*http.Response, error) { return reply(200, successBody), nil })})
		b.ReportAllocs()
		for b.Loop() {
			c.Make(b.Context(), nil, MakeOpportunity, nil)
		}
	})
}

// An account that names its records by GUIDs does not name the next one by a number.
func TestAnIDOfAnotherFormThanItsNeighbours(t *testing.T) {
	ids := []string{anID, otherID, "1016", anID}
	n := 0
	c := testClient(t, Config{Host: "api.example.com", Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		n++
		return reply(200, `{"Status":0,"CreatedOpportunityId":"`+ids[n-1]+`"}`), nil
	})})
	for i, want := range []Verdict{Applied, Applied, InDoubt, Applied} {
		if o := c.Make(t.Context(), nil, MakeOpportunity, nil); o.Verdict != want {
			t.Errorf("answer %d with id %q is %v, want %v", i+1, ids[i], o.Verdict, want)
		}
	}
}

// After 101 the connection is no longer net/http's, and no deadline holds for it: nothing is read from it.
func TestSwitchingProtocolsEndsTheCall(t *testing.T) {
	closed := make(chan struct{})
	s := serveRaw(t, func(_ int64, c net.Conn, r *http.Request) bool {
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		io.Copy(io.Discard, c) // silence, until the client closes
		close(closed)
		return false
	})
	c := testClient(t, Config{Host: s.url(), Timeout: time.Hour})
	if o := c.Make(t.Context(), nil, MakeOpportunity, []byte(`{}`)); o.Verdict != InDoubt || o.Status != 101 {
		t.Errorf("%v under %d: %s", o.Verdict, o.Status, o.Message)
	}
	<-closed
}
