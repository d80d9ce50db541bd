package target

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"leadload/internal/fault"
	"leadload/internal/sandbox"
	"leadload/loader/leadsquared"
	"leadload/loader/line"
	"leadload/loader/pace"
	"leadload/mapping"
)

// network joins a client to a practice account without sockets.
type network struct {
	handler http.Handler
	before  func(call string) *http.Response // may answer in the account's place
	mu      sync.Mutex
	calls   map[string]int    // by the last part of the path
	bodies  map[string][]byte // of the first call of each
}

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	call := req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]
	n.mu.Lock()
	n.calls[call]++
	n.mu.Unlock()
	if n.before != nil {
		if resp := n.before(call); resp != nil {
			return resp, nil
		}
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	if n.bodies[call] == nil {
		n.bodies[call] = body
	}
	n.mu.Unlock()
	in := req.Clone(req.Context())
	in.Body, in.RequestURI = io.NopCloser(bytes.NewReader(body)), req.URL.RequestURI()
	rec := httptest.NewRecorder()
	n.handler.ServeHTTP(rec, in)
	return rec.Result(), nil
}

// memory is a Memory that forgets nothing.
type memory map[string]bool

func (m memory) Missing(call string) bool { return m[call] }
func (m memory) SetMissing(call string)   { m[call] = true }

func connect(t *testing.T, o sandbox.Options) (*sandbox.Account, *network, *line.Line) {
	t.Helper()
	o.Calls = sandbox.NoLimit
	a, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	n := &network{handler: a.Handler(), calls: map[string]int{}, bodies: map[string][]byte{}}
	access, secret, async := a.Keys()
	c, err := leadsquared.New(leadsquared.Config{Host: "http://127.0.0.1:9", AccessKey: leadsquared.NewSecret(access), SecretKey: leadsquared.NewSecret(secret), AsyncKey: leadsquared.NewSecret(async), Transport: n})
	if err != nil {
		t.Fatal(err)
	}
	p := pace.New(pace.Options{Limit: pace.Unlimited})
	return a, n, line.New(line.Options{Client: c, Pacer: p, OutageLimit: time.Minute, Notify: func(string) {}})
}

// deals puts n opportunities on one lead each, oldest first.
func deals(t *testing.T, a *sandbox.Account, n int) (all []Wanted) {
	t.Helper()
	for i := range n {
		lead, err := a.AddLead(map[string]string{"EmailAddress": fmt.Sprintf("a%d@example.com", i)})
		if err != nil {
			t.Fatal(err)
		}
		id, err := a.AddOpportunity(lead, 12000, fmt.Sprint("note ", i), map[string]string{"mx_Custom_1": fmt.Sprint("deal ", i), "mx_Custom_6": "3"})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, Wanted{ID: strings.ToUpper(id), Lead: lead})
	}
	return all
}

var dealFields = []string{"Fields.mx_Custom_1", "Fields.mx_Custom_6", "Fields.mx_Custom_9", "Opportunity.OpportunityNote", "Opportunity.OpportunityDateTime", "LeadDetails.EmailAddress"}

// TestReadBack reads the same records by every way that an account may leave open.
func TestReadBack(t *testing.T) {
	const opportunities, activities = "/v2/OpportunityManagement.svc/", "/v2/ProspectActivity.svc/"
	for _, c := range []struct {
		name    string
		without []string
		records int // in the account
		asked   int
		calls   map[string]int
		memory  memory
	}{
		{"many ids a call", nil, 2500, 2500, map[string]int{callByID: 2}, memory{}},
		{"pages", []string{opportunities + callByID}, 2500, 2500, map[string]int{callByID: 1, callModified: 4}, memory{callByID: true}},
		{"one by one, since pages are more calls", []string{opportunities + callByID}, 2500, 3, map[string]int{callByID: 1, callModified: 1, "GetOpportunityDetails": 3}, memory{callByID: true}},
		{"one by one", []string{opportunities + callByID, activities + callModified}, 4, 4, map[string]int{callByID: 1, callModified: 1, "GetOpportunityDetails": 4}, memory{callByID: true, callModified: true}},
		{"one alone", nil, 1, 1, map[string]int{"GetOpportunityDetails": 1}, memory{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, n, l := connect(t, sandbox.Options{Without: c.without})
				since := time.Now()
				all := deals(t, a, c.records)[:c.asked]
				time.Sleep(time.Hour)
				m := memory{}
				got, err := opportunity{}.Read(t.Context(), l, ReadQuestion{Code: 12000, Wanted: all, Fields: dealFields, Since: since, Memory: m})
				if err != nil {
					t.Fatal(err)
				}
				for i, w := range all {
					b := got[strings.ToLower(w.ID)]
					if b.Presence != Present || b.ID != w.ID || b.Values["Fields.mx_Custom_1"] != fmt.Sprint("deal ", i) || b.Values["Fields.mx_Custom_6"] != "3.00" || b.Values["Opportunity.OpportunityNote"] != fmt.Sprint("note ", i) {
						t.Fatalf("record %d: %+v", i, b)
					}
					if b.Modified.IsZero() || b.Lead != w.Lead {
						t.Errorf("record %d: modified %v, lead %q", i, b.Modified, b.Lead)
					}
					if len(b.Values) > 4 {
						t.Errorf("record %d has values that were not asked for or cannot be shown: %v", i, b.Values)
					}
				}
				if len(got) != len(all) || fmt.Sprint(n.calls) != fmt.Sprint(c.calls) || fmt.Sprint(m) != fmt.Sprint(c.memory) {
					t.Errorf("%d records by %v, remembered %v; want %v, %v", len(got), n.calls, m, c.calls, c.memory)
				}
				// What is not to be had is not asked for again.
				before := n.calls[callByID]
				if _, err := (opportunity{}).Read(t.Context(), l, ReadQuestion{Code: 12000, Wanted: all[:1], Memory: m}); err != nil || len(c.memory) > 0 && n.calls[callByID] != before {
					t.Errorf("%v, asked again for what the account does not have", err)
				}
			})
		})
	}
}

func TestReadBackOfRecordsThatAreGone(t *testing.T) {
	for _, form := range []string{"500", "404", "empty"} {
		t.Run(form, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, _, l := connect(t, sandbox.Options{GoneForm: form})
				all := deals(t, a, 4)
				if err := a.DeleteRecord(all[1].ID); err != nil {
					t.Fatal(err)
				}
				nobody := Wanted{ID: "00000000-0000-4000-8000-000000000001"}
				got, err := opportunity{}.Read(t.Context(), l, ReadQuestion{Code: 12000, Wanted: append(all, nobody), Fields: dealFields})
				if err != nil {
					t.Fatal(err)
				}
				for i, w := range all {
					want := Present
					if i == 1 {
						want = Gone
					}
					if b := got[strings.ToLower(w.ID)]; b.Presence != want {
						t.Errorf("record %d: %+v", i, b)
					}
				}
				// Without its lead nothing but the application's own word proves that a record is gone.
				want := map[string]Presence{"500": Gone, "404": Gone, "empty": Unread}[form]
				if b := got[nobody.ID]; b.Presence != want || (b.Why == "") != (want == Gone) {
					t.Errorf("a record that never was: %+v", b)
				}
			})
		})
	}
}

// Where the account's program fails on a record that was deleted, that is no outage:
// nothing is waited for, nothing is repeated, and no other call asks whether it is back.
func TestManyRecordsThatAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n, l := connect(t, sandbox.Options{})
		all := deals(t, a, 40)
		for _, w := range all[:20] {
			if err := a.DeleteRecord(w.ID); err != nil {
				t.Fatal(err)
			}
		}
		n.before = func(call string) *http.Response {
			if call == "GetOpportunityDetails" {
				return &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"Status":"Error","ExceptionType":"NullReferenceException","ExceptionMessage":"Object reference not set to an instance of an object."}`))}
			}
			return nil
		}
		began := time.Now()
		got, err := opportunity{}.Read(t.Context(), l, ReadQuestion{Code: 12000, Wanted: all, Fields: dealFields})
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range all {
			if gone := got[strings.ToLower(w.ID)].Presence == Gone; gone != (i < 20) {
				t.Errorf("record %d: %+v", i, got[strings.ToLower(w.ID)])
			}
		}
		if took := time.Since(began); took > time.Second || n.calls["GetOpportunityDetails"] != 20 || n.calls["UserByAccessKey.Get"] != 0 {
			t.Errorf("%v, calls %v", took, n.calls)
		}
	})
}

// A read of many records on which the account's own program fails is no outage:
// the next way is taken at once, and no harmless call asks whether it is back.
func TestManyReadsThatFail(t *testing.T) {
	for _, c := range []struct {
		name  string
		fails []string
		calls map[string]int
	}{
		{"by id", []string{callByID}, map[string]int{callByID: 1, callModified: 2}},
		{"by id and in pages", []string{callByID, callModified}, map[string]int{callByID: 1, callModified: 1, "GetOpportunityDetails": 40}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, n, l := connect(t, sandbox.Options{})
				all := deals(t, a, 40)
				time.Sleep(time.Hour)
				n.before = func(call string) *http.Response {
					if slices.Contains(c.fails, call) {
						return &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"Status":"Error","ExceptionType":"ArgumentNullException","ExceptionMessage":"Value cannot be null."}`))}
					}
					return nil
				}
				began := time.Now()
				got, err := opportunity{}.Read(t.Context(), l, ReadQuestion{Code: 12000, Wanted: all, Fields: dealFields, Since: began.Add(-2 * time.Hour)})
				if err != nil {
					t.Fatal(err)
				}
				for i, w := range all {
					if b := got[strings.ToLower(w.ID)]; b.Presence != Present {
						t.Errorf("record %d: %+v", i, b)
					}
				}
				if took := time.Since(began); took > time.Second || fmt.Sprint(n.calls) != fmt.Sprint(c.calls) {
					t.Errorf("%v, calls %v, want %v", took, n.calls, c.calls)
				}
			})
		})
	}
}

// Where nobody knows when the oldest record was made, all are read, from a day on
// that the account's database has.
func TestPagesSinceEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n, l := connect(t, sandbox.Options{Without: []string{"/v2/OpportunityManagement.svc/" + callByID}})
		all := deals(t, a, 40)
		time.Sleep(time.Hour)
		got, err := opportunity{}.Read(t.Context(), l, ReadQuestion{Code: 12000, Wanted: all, Fields: dealFields})
		if err != nil || len(got) != 40 {
			t.Errorf("%d records, %v", len(got), err)
		}
		if body := string(n.bodies[callModified]); !strings.Contains(body, `"FromDate":"1999-12-31 23:59:59"`) {
			t.Errorf("asked for %s", body)
		}
	})
}

// An answer that cannot be used proves nothing about the records.
func TestReadBackBehindAGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n, l := connect(t, sandbox.Options{})
		all := deals(t, a, 3)
		n.before = func(call string) *http.Response {
			if call == "GetOpportunityDetails" || call == callByID || call == callModified {
				return &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"Status":"Error","ExceptionType":"System.Exception","ExceptionMessage":"?"}`))}
			}
			return nil
		}
		got, err := opportunity{}.Read(t.Context(), l, ReadQuestion{Code: 12000, Wanted: all})
		var stop *fault.Fault
		if err != nil {
			if !errors.As(err, &stop) {
				t.Fatal(err)
			}
			return // an account that answers no read at all ends the run
		}
		for _, w := range all {
			if b := got[strings.ToLower(w.ID)]; b.Presence != Unread || b.Why == "" {
				t.Errorf("%+v", b)
			}
		}
	})
}

// A record that is modified between two pages leaves the span, and the pages
// behind it shift by one.
func TestPagesThatShift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n, l := connect(t, sandbox.Options{})
		since := time.Now()
		all := deals(t, a, 2500)
		time.Sleep(time.Hour)
		edits := 0
		n.before = func(call string) *http.Response {
			time.Sleep(2 * time.Second)
			if call == callModified && edits < 3 {
				// The newest records stand on the first page.
				if err := a.EditOpportunity(all[len(all)-1-edits].ID, "Meera", map[string]string{"mx_Custom_1": "hers"}); err != nil {
					t.Error(err)
				}
				edits++
			}
			return nil
		}
		seen := map[string]string{}
		err := Pages(t.Context(), l, 12000, since, nil, func(o leadsquared.Opportunity) { seen[o.ID] = o.Fields["mx_Custom_1"] })
		if err != nil {
			t.Fatal(err)
		}
		if len(seen) != len(all) || edits != 3 {
			t.Errorf("%d records of %d seen, %d edits", len(seen), len(all), edits)
		}
		for i := range 3 {
			if got := seen[strings.ToLower(all[len(all)-1-i].ID)]; got != "hers" {
				t.Errorf("an edited record was read as %q", got)
			}
		}
	})
}

// Where records move between the pages at every try, nobody may believe that all were seen.
func TestPagesThatNeverStandStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, n, l := connect(t, sandbox.Options{})
		since := time.Now()
		all := deals(t, a, 2500)
		time.Sleep(time.Hour)
		dropped := 0
		n.before = func(call string) *http.Response {
			time.Sleep(2 * time.Second)
			return nil
		}
		inner := n.handler
		n.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			inner.ServeHTTP(rec, r)
			body := rec.Body.String()
			if i := strings.Index(body, `"Id":"`); strings.HasSuffix(r.URL.Path, callModified) && strings.Contains(body, `"RecordCount":2500`) && i > 0 && dropped < 10 {
				// One record hides behind another: the page shows one id twice.
				first, second := body[i:i+44], strings.Index(body[i+44:], `"Id":"`)+i+44
				body = body[:second] + first + body[second+44:]
				dropped++
			}
			w.WriteHeader(rec.Code)
			io.WriteString(w, body)
		})
		err := Pages(t.Context(), l, 12000, since, nil, func(leadsquared.Opportunity) {})
		var stop *fault.Fault
		if !errors.As(err, &stop) || stop.Code.Trait() != fault.Stopped || stop.Code != "account.pages" {
			t.Fatalf("%d records, %d pages spoilt: %v", len(all), dropped, err)
		}
	})
}

func TestReadBackOfSales(t *testing.T) {
	for _, form := range []string{"500", "404", "empty"} {
		synctest.Test(t, func(t *testing.T) {
			a, n, l := connect(t, sandbox.Options{GoneForm: form})
			var all []Wanted
			add := func(lead string) {
				id, err := a.AddSalesActivity(lead, map[string]string{"ProductSku": "SKU-7", "Revenue": "1200.5", "Status": "Won", "SalesDate": "2026-01-31 10:30:00", "SalesOwnerEmail": "practice@example.com", "mx_Custom_5": "INV-1"})
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, Wanted{ID: id, Lead: lead})
			}
			for i := range 2 {
				lead, err := a.AddLead(map[string]string{"EmailAddress": fmt.Sprintf("a%d@example.com", i)})
				if err != nil {
					t.Fatal(err)
				}
				for range 3 {
					add(lead)
				}
			}
			single, err := a.AddLead(map[string]string{"EmailAddress": "single@example.com"})
			if err != nil {
				t.Fatal(err)
			}
			add(single)
			if err := a.DeleteRecord(all[2].ID); err != nil {
				t.Fatal(err)
			}
			fields := []string{"SalesActivity.ProductSku", "SalesActivity.Revenue", "SalesActivity.SalesDate", "SalesActivity.Status", "SalesActivity.mx_Custom_5", "SalesActivity.SalesOwnerEmail"}
			got, err := sale{}.Read(t.Context(), l, ReadQuestion{Wanted: all, Fields: fields})
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range all {
				b := got[strings.ToLower(w.ID)]
				if i == 2 {
					if b.Presence != Gone {
						t.Errorf("a deleted sale, read back as %s: %+v", form, b)
					}
					continue
				}
				if b.Presence != Present || b.Values["SalesActivity.ProductSku"] != "SKU-7" || b.Values["SalesActivity.Revenue"] != "1200.50" || b.Values["SalesActivity.Status"] != "Won" || b.Values["SalesActivity.mx_Custom_5"] != "INV-1" {
					t.Errorf("sale %d: %+v", i, b)
				}
				if _, shown := b.Values["SalesActivity.SalesOwnerEmail"]; shown {
					t.Error("an owner's e-mail address is said to be shown")
				}
			}
			// Two leads, the deleted one and the lead with one sale, and one page of products.
			if n.calls["RetrieveByLeadId"] > 3 || n.calls["RetrieveActivity"] != 2 || n.calls["RetrieveProducts"] != 1 {
				t.Errorf("calls %v", n.calls)
			}
		})
	}
}

// The clock that the account writes into its records may run ahead although the
// Date header shows nothing of it.
func TestPagesUnderAnotherClock(t *testing.T) {
	for _, skew := range []time.Duration{-3 * time.Hour, 4 * time.Minute, 6 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			a, _, l := connect(t, sandbox.Options{Skew: skew, DateHeader: "real"})
			time.Sleep(24 * time.Hour)
			all := deals(t, a, 3)
			seen := map[string]bool{}
			if err := Pages(t.Context(), l, 12000, beginning, nil, func(o leadsquared.Opportunity) { seen[o.ID] = true }); err != nil || len(seen) != len(all) {
				t.Errorf("a clock that is %v ahead: %d records of %d, %v", skew, len(seen), len(all), err)
			}
		})
	}
}

func TestAsMade(t *testing.T) {
	at := func(s string) time.Time {
		when, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct {
		name, created, modified string
		as, certain             bool
	}{
		{"the same moment", "2026-01-31 10:00:00", "2026-01-31 10:00:00", true, true},
		{"modified before it was made", "2026-01-31 10:00:00.5", "2026-01-31 10:00:00", true, true},
		{"two looks at the clock", "2026-01-31 10:00:00.998", "2026-01-31 10:00:01.002", true, false},
		{"one time in whole seconds", "2026-01-31 10:00:00", "2026-01-31 10:00:00.870", true, false},
		{"a second later", "2026-01-31 10:00:00", "2026-01-31 10:00:01", false, true},
	} {
		if as, certain := (Back{Created: at(c.created), Modified: at(c.modified)}).AsMade(); as != c.as || certain != c.certain {
			t.Errorf("%s: %v, %v", c.name, as, certain)
		}
	}
	if _, certain := (Back{Created: at("2026-01-31 10:00:00")}).AsMade(); certain {
		t.Error("certain without the second time")
	}
}

// An account without a list of products shows ids of products alone: the SKU is
// not known then, and all else is read.
func TestReadBackWithoutProducts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, l := connect(t, sandbox.Options{Without: []string{"/v2/SalesActivity.svc/RetrieveProducts"}})
		lead, err := a.AddLead(map[string]string{"EmailAddress": "a@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		id, err := a.AddSalesActivity(lead, map[string]string{"ProductSku": "SKU-7", "Status": "Won", "mx_Custom_5": "INV-1"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := sale{}.Read(t.Context(), l, ReadQuestion{Wanted: []Wanted{{ID: id, Lead: lead}}, Fields: []string{"SalesActivity.ProductSku", "SalesActivity.mx_Custom_5"}})
		b := got[strings.ToLower(id)]
		if _, sku := b.Value("SalesActivity.ProductSku"); err != nil || sku || b.Values["SalesActivity.mx_Custom_5"] != "INV-1" {
			t.Errorf("%v %+v", err, b)
		}
	})
}

func TestCancelled(t *testing.T) {
	for status, want := range map[string]bool{"Cancelled": true, "CANCELED": true, " cancelled ": true, "Won": false, "": false} {
		got := sale{}.Cancelled(Back{Presence: Present, Values: map[string]string{statusField: status}})
		if taken := takingOf(leadsquared.SalesActivity{Fields: map[string]string{"Status": status}}) == TakenBack; got != want || taken != want {
			t.Errorf("status %q: %v, %v", status, got, taken)
		}
	}
}

func TestReadLeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _, l := connect(t, sandbox.Options{})
		lead, err := a.AddLead(map[string]string{"EmailAddress": "a@example.com", "mx_City": "Pune"})
		if err != nil {
			t.Fatal(err)
		}
		const nobody = "00000000-0000-4000-8000-000000000001"
		got, err := ReadLeads(t.Context(), l, []string{lead, nobody})
		if city, shown := got[lead].Value("LeadDetails.MX_city"); city != "Pune" || !shown {
			t.Errorf("an attribute in another case: %q, %v", city, shown)
		}
		if err != nil || got[lead].Values["LeadDetails.mx_City"] != "Pune" || got[lead].Presence != Present || got[nobody].Presence != Gone {
			t.Errorf("%v %+v", err, got)
		}
	})
}

// Every target can be read back, or says that it cannot.
func TestEveryTargetCanBeReadBack(t *testing.T) {
	for _, name := range mapping.Targets() {
		of, _ := Stored(string(name))
		r, ok := of.(Reader)
		if !ok {
			t.Errorf("target %s cannot be read back", name)
			continue
		}
		if r.Shows("LeadDetails.EmailAddress") || r.ReadCalls(4000, 10, nil) == 0 {
			t.Errorf("target %s: shows a lead's attribute as its own, or costs nothing", name)
		}
	}
}
