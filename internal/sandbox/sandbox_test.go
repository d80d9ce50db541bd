package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// tester talks to an account without a network, so that it also works in a synctest bubble.
type tester struct {
	testing.TB
	*Account
}

func newTester(t testing.TB, o Options) *tester {
	t.Helper()
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return &tester{t, a}
}

// reply is an answer, or the lack of one.
type reply struct {
	status int
	body   string
	header http.Header
	cut    bool
}

func (r reply) has(t testing.TB, status int, parts ...string) {
	t.Helper()
	if r.cut {
		t.Fatalf("the connection was cut; want HTTP %d", status)
	}
	if r.status != status {
		t.Fatalf("HTTP %d, want %d: %s", r.status, status, r.body)
	}
	for _, p := range parts {
		if !strings.Contains(r.body, p) {
			t.Errorf("answer lacks %q: %s", p, r.body)
		}
	}
}

func (r reply) json(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("%v in %q", err, r.body)
	}
}

// send makes a call with good keys; edit changes the request first.
func (s *tester) send(method, path, body string, edit ...func(*http.Request)) (got reply) {
	s.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("x-LSQ-AccessKey", s.access)
	r.Header.Set("x-LSQ-SecretKey", s.secret)
	r.Header.Set("x-api-key", s.async)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range edit {
		f(r)
	}
	w := httptest.NewRecorder()
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			got = reply{cut: true}
		}
	}()
	s.Handler().ServeHTTP(w, r)
	return reply{status: w.Code, body: w.Body.String(), header: w.Result().Header}
}

func (s *tester) get(path string) reply        { s.Helper(); return s.send("GET", path, "") }
func (s *tester) post(path, body string) reply { s.Helper(); return s.send("POST", path, body) }

func (s *tester) capture(email string, fields ...string) reply {
	s.Helper()
	return s.post(oppPath+"Capture", captureJSON(email, fields...))
}

// captureJSON is a capture by e-mail; fields are name, value, name, value.
func captureJSON(email string, fields ...string) string {
	list := []string{}
	for i := 0; i+1 < len(fields); i += 2 {
		list = append(list, fmt.Sprintf(`{"SchemaName":%q,"Value":%q}`, fields[i], fields[i+1]))
	}
	return fmt.Sprintf(`{"LeadDetails":[{"Attribute":"EmailAddress","Value":%q},{"Attribute":"SearchBy","Value":"EmailAddress"}],
		"Opportunity":{"OpportunityEventCode":12000,"OpportunityNote":"a note","OpportunityDateTime":"2020-12-05 12:13:44","Fields":[%s]}}`, email, strings.Join(list, ","))
}

// captured is the parts of Capture's answer that the tests look at.
type captured struct {
	Status                  json.RawMessage
	ExceptionType           string
	ExceptionMessage        string
	RequestId               string
	RelatedProspectId       string
	IsUnique                bool
	CreatedOpportunityId    string
	ConflictedOpportunityId string
	AdditionalDetails       []additional
	OverwriteFields         bool
	DoNotChangeOwner        bool
}

func (s *tester) captured(email string, fields ...string) captured {
	s.Helper()
	r := s.capture(email, fields...)
	r.has(s, 200)
	var c captured
	r.json(s, &c)
	return c
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]Options{
		"a public address":        {Listen: "0.0.0.0:0"},
		"every address":           {Listen: ":0"},
		"no port":                 {Listen: "127.0.0.1"},
		"unknown limit form":      {LimitForm: "418"},
		"unknown date header":     {DateHeader: "moon"},
		"unknown trail offset":    {TrailOffset: "row"},
		"unknown trail count":     {TrailCount: "some"},
		"unknown reject form":     {RejectForm: "201"},
		"fault rate above one":    {Faults: Faults{LostAnswer: 1.1}},
		"fault rate below zero":   {Faults: Faults{ReadCut: -0.1}},
		"fault rates above one":   {Faults: Faults{LostAnswer: 0.6, CutBefore: 0.6}},
		"hang for less than none": {Faults: Faults{HangFor: -1}},
		"async failures over one": {AsyncFail: 2},
		"negative latency":        {Latency: -1},
		"negative window":         {Window: -1},
		"calls below -1":          {Calls: -2},
		"negative cap":            {DailyCap: -1},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := Start(o)
			if err == nil {
				a.Close()
				t.Fatal("taken without complaint")
			}
		})
	}
}

func TestPracticeKeysLookReal(t *testing.T) {
	a, b := newTester(t, Options{}), newTester(t, Options{})
	access, secret, async := a.Keys()
	if !strings.HasPrefix(access, "u$r") || len(secret) < 20 || len(async) < 20 {
		t.Errorf("keys %q %q %q", access, secret, async)
	}
	if other, _, _ := b.Keys(); other == access {
		t.Error("two accounts have the same key")
	}
	c := newTester(t, Options{AccessKey: "a$b", SecretKey: "s", AsyncKey: "x"})
	if access, secret, async := c.Keys(); access != "a$b" || secret != "s" || async != "x" {
		t.Errorf("given keys became %q %q %q", access, secret, async)
	}
}

func TestKeys(t *testing.T) {
	drop := func(names ...string) func(*http.Request) {
		return func(r *http.Request) {
			for _, n := range names {
				r.Header.Del(n)
			}
		}
	}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	query := func(access, secret string) func(*http.Request) {
		return func(r *http.Request) {
			q := r.URL.Query()
			q.Set("accessKey", access)
			q.Set("secretKey", secret)
			r.URL.RawQuery = q.Encode()
		}
	}
	const sync, status = leadPath + "Leads.GetById?id=x", submitPath + "/metrics"
	a := newTester(t, Options{Calls: NoLimit})
	for _, c := range []struct {
		name   string
		method string
		path   string
		edit   []func(*http.Request)
		want   int
	}{
		{"headers", "GET", sync, nil, 200},
		{"no keys", "GET", sync, []func(*http.Request){drop("x-LSQ-AccessKey", "x-LSQ-SecretKey")}, 401},
		{"wrong access key", "GET", sync, []func(*http.Request){set("x-LSQ-AccessKey", "u$rX")}, 401},
		{"wrong secret key", "GET", sync, []func(*http.Request){set("x-LSQ-SecretKey", "X")}, 401},
		{"secret key alone", "GET", sync, []func(*http.Request){drop("x-LSQ-AccessKey")}, 401},
		{"query", "GET", sync, []func(*http.Request){drop("x-LSQ-AccessKey", "x-LSQ-SecretKey"), query(a.access, a.secret)}, 200},
		{"wrong query", "GET", sync, []func(*http.Request){drop("x-LSQ-AccessKey", "x-LSQ-SecretKey"), query("a", a.secret)}, 401},
		{"good query does not mend wrong headers", "GET", sync, []func(*http.Request){set("x-LSQ-SecretKey", "X"), query(a.access, a.secret)}, 401},
		{"sync without x-api-key", "GET", sync, []func(*http.Request){drop("x-api-key")}, 200},
		{"async status with x-api-key alone", "GET", status, []func(*http.Request){drop("x-LSQ-AccessKey", "x-LSQ-SecretKey")}, 200},
		{"async status without x-api-key", "GET", status, []func(*http.Request){drop("x-api-key")}, 401},
		{"async status with a wrong x-api-key", "GET", status, []func(*http.Request){set("x-api-key", "X")}, 401},
		{"async capture without x-api-key", "POST", submitPath, []func(*http.Request){drop("x-api-key")}, 401},
		{"async capture without the other keys", "POST", submitPath, []func(*http.Request){drop("x-LSQ-AccessKey", "x-LSQ-SecretKey")}, 401},
		{"async paths have no v2", "GET", "/v2" + status, nil, 404},
		{"unknown path", "GET", "/v2/OpportunityManagement.svc/Opportunity.Get", nil, 404},
		{"unknown path with wrong keys", "GET", "/v2/Nothing", []func(*http.Request){set("x-LSQ-SecretKey", "X")}, 401},
		{"GET on a POST call", "GET", oppPath + "GetOpportunitiesOfLead?leadId=x&opportunityType=12000", nil, 405},
		{"POST on a GET call", "POST", oppPath + "GetOpportunityDetails", nil, 405},
	} {
		t.Run(c.name, func(t *testing.T) { a.send(c.method, c.path, "", c.edit...).has(t, c.want) })
	}
	if n := a.Count(); n.Unauthorized != 11 || n.Refused != 15 {
		t.Errorf("counted %d unauthorized and %d refused, want 11 and 15", n.Unauthorized, n.Refused)
	}
	for _, c := range a.Calls() {
		if q, _ := url.QueryUnescape(c.Query); strings.Contains(q, a.access) || strings.Contains(q, a.secret) {
			t.Errorf("keys in the call record %+v", c)
		}
	}
}

func TestDeactivatedUser(t *testing.T) {
	a := newTester(t, Options{Deactivated: true})
	a.get(authPath).has(t, 401, "inactive")
	a.capture("a@example.com").has(t, 401)
	if len(a.Leads()) != 0 {
		t.Error("a refused capture left a lead")
	}
}

func TestWrongHostNamesTheRightOne(t *testing.T) {
	a := newTester(t, Options{RightHost: "api-us11.leadsquared.com"})
	a.capture("a@example.com").has(t, 401, "api-us11.leadsquared.com")
	a.get(authPath).has(t, 200, `"api":"api-us11.leadsquared.com"`)
}

func TestMalformedBodiesAnswer400(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit})
	good := captureJSON("a@example.com")
	for name, body := range map[string]string{
		"not JSON":               `{`,
		"empty":                  ``,
		"an array":               `[]`,
		"two values":             good + good,
		"unknown name":           strings.Replace(good, `"OpportunityNote"`, `"OpportunityNotes"`, 1),
		"value is a number":      strings.Replace(good, `"Value":"a@example.com"`, `"Value":7`, 1),
		"event code is a string": strings.Replace(good, `12000`, `"12000"`, 1),
		"no opportunity":         `{"LeadDetails":[]}`,
		"no lead details":        `{"Opportunity":{"OpportunityEventCode":12000}}`,
	} {
		t.Run(name, func(t *testing.T) { a.post(oppPath+"Capture", body).has(t, 400, "Error") })
	}
	t.Run("content type", func(t *testing.T) {
		a.send("POST", oppPath+"Capture", good, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }).has(t, 400)
	})
	t.Run("content type with charset", func(t *testing.T) {
		a.send("POST", oppPath+"Capture", good, func(r *http.Request) { r.Header.Set("Content-Type", "Application/JSON; charset=utf-8") }).has(t, 200)
	})
	if n := len(a.Opportunities()); n != 1 {
		t.Errorf("%d opportunities, want the 1 good one", n)
	}
}

func TestAccountClock(t *testing.T) {
	clock := func() time.Time { return time.Date(2024, 2, 29, 23, 59, 58, 987654321, time.FixedZone("", 19800)) }
	a := newTester(t, Options{Clock: clock, Skew: 3 * time.Minute})
	want := time.Date(2024, 2, 29, 18, 32, 58, 987654321, time.UTC)
	c := a.captured("a@example.com")
	if got := a.Opportunities()[0].CreatedOn; !got.Equal(want) {
		t.Errorf("created %v, want %v", got, want)
	}
	r := a.post(trailPath+"?leadId="+c.RelatedProspectId, "")
	r.has(t, 200, `"CreatedOn":"2024-02-29 18:32:58"`)
	if got := r.header.Get("Date"); got != "Thu, 29 Feb 2024 18:32:58 GMT" {
		t.Errorf("Date is %q", got)
	}
	b := newTester(t, Options{Clock: clock, DateHeader: "real"})
	if got := b.get(leadPath + "LeadsMetaData.Get").header.Get("Date"); got != "" {
		t.Errorf("Date is %q where net/http should set it", got)
	}
}

func TestOverTheNetwork(t *testing.T) {
	a, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if !strings.HasPrefix(a.URL(), "http://127.0.0.1:") || a.AsyncURL() != a.URL() {
		t.Fatalf("URLs %q %q", a.URL(), a.AsyncURL())
	}
	r, _ := http.NewRequest("GET", a.URL()+authPath, nil)
	r.Header.Set("x-LSQ-AccessKey", a.access)
	r.Header.Set("x-LSQ-SecretKey", a.secret)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != 200 || !strings.Contains(string(b), `"TimeZone":"Asia/Kolkata"`) {
		t.Errorf("HTTP %d %s", answer.StatusCode, b)
	}
	if c := a.Calls(); len(c) != 1 || c[0].Status != 200 || c[0].Path != authPath {
		t.Errorf("call records %+v", c)
	}
}

func TestRingKeepsTheLatest(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit, KeptCalls: 3})
	for i := range 5 {
		a.get(fmt.Sprintf("/v2/%d", i))
	}
	got := ""
	for _, c := range a.Calls() {
		got += c.Path
	}
	if got != "/v2/2/v2/3/v2/4" {
		t.Errorf("kept %s", got)
	}
}

// TestConcurrentUse lets everything happen at once; the race detector is the judge, and the sums must agree.
func TestConcurrentUse(t *testing.T) {
	a, err := Start(Options{Calls: NoLimit, DuplicateField: "mx_Custom_2", IndexLag: time.Millisecond, Faults: Faults{BadGatewayBefore: .1, EmptyBody: .1}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	s := &tester{t, a}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 40 {
				s.capture(fmt.Sprintf("a%d@example.com", i%5), "mx_Custom_1", fmt.Sprint(w, i))
				s.post(submitPath, captureJSON(fmt.Sprintf("b%d@example.com", i)))
				s.get(leadPath + "Leads.GetByEmailaddress?emailaddress=a1@example.com")
				s.get("/_sandbox/page")
				switch i {
				case 10:
					s.get("/_sandbox/state")
				case 20:
					a.CompeteWith(w)
				case 30:
					a.Opportunities()
					a.Leads()
					a.Calls()
				}
			}
		})
	}
	wg.Wait()
	n := a.Count()
	if n.Creates != 640 || n.Reads != 320 || n.Calls != 960 || n.Leads > 45 || int64(n.Opportunities) != 640-n.Faults[FaultBadGatewayBefore] {
		t.Errorf("counters %+v", n)
	}
}
