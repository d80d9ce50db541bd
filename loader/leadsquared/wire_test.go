package leadsquared

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
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
	"testing/synctest"
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
			return c.CaptureOpportunity(t.Context(), s, []byte(`{"a":1}`))
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
			if o := c.CaptureOpportunity(t.Context(), nil, []byte(`{}`)); o.Verdict != Applied {
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
		tr := newTransport(4, nil)
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
		{"POST /v2/OpportunityManagement.svc/Capture", func() { c.CaptureOpportunity(ctx, nil, []byte(`{}`)) }, true, false},
		{"POST /v2/SalesActivity.svc/Create", func() { c.CreateSalesActivity(ctx, nil, []byte(`{}`)) }, true, false},
		{"POST /opportunity/capture", func() { c.SubmitOpportunity(ctx, nil, []byte(`{}`)) }, true, true},
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
		o := c.CaptureOpportunity(t.Context(), nil, []byte(`{}`))
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
		o := c.CaptureOpportunity(t.Context(), s, []byte(`{}`))
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
			o := testClient(t, Config{Host: c.host}).CaptureOpportunity(t.Context(), s, []byte(`{}`))
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
		o := testClient(t, Config{Host: "http://" + gone}).CaptureOpportunity(ctx, s, []byte(`{}`))
		if o.Verdict != NotSent || o.Outage || Code(o) != codeCancelled {
			t.Errorf("%v outage=%v %s", o.Verdict, o.Outage, Code(o))
		}
		s.want(t)
	})
	t.Run("plain http on a TLS port's host", func(t *testing.T) {
		srv := httptest.NewServer(http.NotFoundHandler())
		defer srv.Close()
		o := testClient(t, Config{Host: strings.Replace(srv.URL, "http:", "https:", 1)}).CaptureOpportunity(t.Context(), nil, []byte(`{}`))
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
			o := testClient(t, Config{Host: s.url(), Timeout: timeout}).CaptureOpportunity(t.Context(), slot, []byte(`{"a":1}`))
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

func TestGivenUpWhileWaitingIsInDoubt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serveRaw(t, func(_ int64, c net.Conn, _ *http.Request) bool {
		cancel()
		c.Read(make([]byte, 1)) // until the client hangs up
		return false
	})
	o := testClient(t, Config{Host: s.url()}).CaptureOpportunity(ctx, nil, []byte(`{}`))
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
				o := c.CaptureOpportunity(t.Context(), nil, []byte(`{}`))
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
	tr := newTransport(8, nil)
	if secure {
		srv.Config.ErrorLog = log.New(io.Discard, "", 0) // tells of every client that does not trust it
		srv.EnableHTTP2 = true
		srv.StartTLS()
		pool := x509.NewCertPool()
		pool.AddCert(srv.Certificate())
		tr = newTransport(8, pool)
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
		if o := c.CaptureOpportunity(t.Context(), nil, []byte(`{}`)); o.Verdict != Applied {
			t.Fatalf("%v %q", o.Verdict, o.Message)
		}
	}

	t.Run("a certificate that nobody vouches for stops the run", func(t *testing.T) {
		s := &testSlot{}
		o := testClient(t, Config{Host: srv.URL}).CaptureOpportunity(t.Context(), s, []byte(`{}`))
		if o.Verdict != Fatal || Code(o) != codeCertificate || o.Outage {
			t.Errorf("%v %s %q", o.Verdict, Code(o), o.Message)
		}
		s.want(t)
	})
	t.Run("lost answer", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			panic(http.ErrAbortHandler)
		}))
		if o := startServer(t, srv, true).CaptureOpportunity(t.Context(), nil, []byte(`{}`)); o.Verdict != InDoubt {
			t.Errorf("%v %q", o.Verdict, o.Message)
		}
	})
}

func TestAnswersAreBounded(t *testing.T) {
	big := `{"Status":0,"CreatedOpportunityId":"` + anID + `","x":"` + strings.Repeat("x", maxCreateAnswer) + `"}`
	list := `[{"ProspectID":"l-1","x":"` + strings.Repeat("x", maxCreateAnswer) + `"}]`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case pathCapture:
			io.WriteString(w, big)
		case pathLeadByID:
			io.WriteString(w, list)
		default:
			for range maxReadAnswer>>20 + 1 {
				io.WriteString(w, strings.Repeat(" ", 1<<20))
			}
		}
	}))
	defer srv.Close()
	c := testClient(t, Config{Host: srv.URL})
	if o := c.CaptureOpportunity(t.Context(), nil, []byte(`{}`)); o.Verdict != InDoubt || Code(o) != codeCut || len(o.Body) > maxKeptAnswer {
		t.Errorf("%v %s, %d bytes kept", o.Verdict, Code(o), len(o.Body))
	}
	if l, o := c.LeadByID(t.Context(), nil, "l-1"); o.Verdict != Applied || len(l) != 1 || len(o.Body) != maxKeptAnswer {
		t.Errorf("%v %q, %d leads, %d bytes kept", o.Verdict, o.Message, len(l), len(o.Body))
	}
	if _, o := c.Self(t.Context(), nil); o.Verdict != InDoubt {
		t.Errorf("%v", o.Verdict)
	}
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
	if o := testClient(t, Config{Host: srv.URL}).CaptureOpportunity(t.Context(), nil, []byte(`{}`)); o.Verdict != Applied {
		t.Errorf("%v %q", o.Verdict, o.Message)
	}
}

// A server that gives the keys back gives them to nobody else.
func TestKeysAreHidden(t *testing.T) {
	var entries []LogEntry
	all := testAccess + " " + testSecret + " " + testAsync + " u%24r0123456789abcdef s3cr3t%2Fwith%2Bsigns%26more s3cr3t\\u0026"
	for _, body := range []string{
		`{"Status":"Error","ExceptionType":"MXInvalidInputException","ExceptionMessage":"` + strings.ReplaceAll(all, `\`, `\\`) + `"}`,
		`<html>` + all + `</html>`,
		all,
		`{"Status":1,"ExceptionMessage":"s3cr3t\/with+signs\u0026more"}`,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, body)
		}))
		c := testClient(t, Config{Host: srv.URL, AsyncHost: srv.URL, Log: func(e LogEntry) { entries = append(entries, e) }})
		sent := []byte(`{"note":"` + testSecret + `"}`)
		_, read := c.LeadsByEmail(t.Context(), nil, testAsync+"@example.com")
		for _, o := range []Outcome{c.CaptureOpportunity(t.Context(), nil, sent), c.SubmitOpportunity(t.Context(), nil, sent), read} {
			hasNoKey(t, o.Message)
			if strings.Contains(body, "<html>") || body == all {
				hasNoKey(t, string(o.Body))
			}
			hasNoKey(t, o.Err("x").Error())
		}
		srv.Close()
	}
	if len(entries) != 12 {
		t.Fatalf("%d entries", len(entries))
	}
	for _, e := range entries {
		hasNoKey(t, e.Signature, e.Params, string(e.RequestBody), e.Message)
	}
}

func hasNoKey(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for _, k := range []string{testAccess, testSecret, testAsync, "u%24r0123456789abcdef", "s3cr3t%2Fwith%2Bsigns%26more", "s3cr3t%2fwith"} {
			if strings.Contains(text, k) {
				t.Errorf("%q holds the key %q", text, k)
			}
		}
	}
}

func TestSecretsPrintNothing(t *testing.T) {
	s := NewSecret(testSecret)
	c := testClient(t, Config{Host: "api.example.com"})
	text, _ := s.MarshalText()
	for _, got := range []string{
		s.String(), s.GoString(), s.LogValue().String(), string(text),
		fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s),
		fmt.Sprintf("%v %+v %#v", struct{ s Secret }{s}, struct{ S Secret }{s}, []Secret{s}),
		fmt.Sprintf("%v %+v %#v %s", c, c, c, c),
		fmt.Sprintf("%+v", Config{AccessKey: s}),
		fmt.Sprintf("%#v %+v", struct{ c *Client }{c}, c.keys),
	} {
		hasNoKey(t, got)
	}
	if NewSecret("").IsZero() != true || (Secret{}).IsZero() != true || s.IsZero() {
		t.Error("IsZero")
	}
}

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
				o := n.CaptureOpportunity(ctx, s, []byte(`{}`))
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

// pipeConn counts nothing itself and writes as much as it is told to.
type pipeConn struct {
	net.Conn
	take  int
	err   error
	block chan struct{}
}

func (c *pipeConn) Write(p []byte) (int, error) {
	if c.block != nil {
		<-c.block
	}
	return min(c.take, len(p)), c.err
}

func TestCountedConn(t *testing.T) {
	t.Run("nothing written is sealed", func(t *testing.T) {
		c := &countedConn{Conn: &pipeConn{take: 100}}
		if !c.unmoved(0) {
			t.Fatal("moved")
		}
		if n, err := c.Write([]byte("x")); n != 0 || !errors.Is(err, errSealed) {
			t.Errorf("a sealed connection took %d bytes: %v", n, err)
		}
	})
	t.Run("a part written is counted", func(t *testing.T) {
		c := &countedConn{Conn: &pipeConn{take: 1, err: io.ErrShortWrite}}
		c.Write([]byte("xyz"))
		if c.unmoved(0) {
			t.Error("unmoved")
		}
		if !c.unmoved(1) {
			t.Error("moved since the mark")
		}
	})
	t.Run("a failed write of nothing does not count", func(t *testing.T) {
		c := &countedConn{Conn: &pipeConn{err: io.ErrClosedPipe}}
		c.Write([]byte("xyz"))
		if !c.unmoved(0) {
			t.Error("moved")
		}
	})
	t.Run("a write under way counts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			block := make(chan struct{})
			c := &countedConn{Conn: &pipeConn{err: io.ErrClosedPipe, block: block}}
			done := make(chan struct{})
			go func() { c.Write([]byte("x")); close(done) }()
			synctest.Wait()
			if c.unmoved(0) {
				t.Error("unmoved while a write is under way")
			}
			close(block)
			<-done
		})
	})
	t.Run("above TLS the ciphertext counts", func(t *testing.T) {
		raw := &countedConn{Conn: &pipeConn{take: 100}}
		c := &countedConn{Conn: raw, below: raw}
		raw.Write([]byte("alert")) // not by way of c
		if !c.unmoved(0) {
			t.Error("an alert counts as a request")
		}
		c = &countedConn{Conn: raw, below: raw}
		c.Write([]byte("x"))
		if c.unmoved(0) {
			t.Error("unmoved")
		}
	})
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
				if o := c.CaptureOpportunity(b.Context(), slot, body); o.Verdict != Applied {
					b.Fatal(o.Message)
				}
			}
		})
	}
	b.Run("stand-in", func(b *testing.B) {
		c := testClient(b, Config{Host: "api.example.com", Transport: roundTrip(func(*http.Request) (*http.Response, error) { return reply(200, successBody), nil })})
		b.ReportAllocs()
		for b.Loop() {
			c.CaptureOpportunity(b.Context(), nil, nil)
		}
	})
}
