package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPageIsNotCountedAndNeedsNoKeys(t *testing.T) {
	a := newTester(t, Options{Calls: 1})
	bare := func(r *http.Request) { r.Header = http.Header{} }
	for range 3 {
		a.send("GET", "/", "", bare).has(t, 200, "<!doctype html>", "Practice Account")
		a.send("GET", "/_sandbox/page", "", bare).has(t, 200)
		a.send("GET", "/_sandbox/state", "", bare).has(t, 200)
	}
	if n := a.Count(); n.Calls != 0 {
		t.Errorf("%d calls counted", n.Calls)
	}
	a.get(authPath).has(t, 200)
	a.send("GET", "/_sandbox/else", "", bare).has(t, 404)
	a.send("PUT", "/_sandbox/state", "", bare).has(t, 405)
}

func TestPageEscapesWhatItShows(t *testing.T) {
	a := newTester(t, Options{Org: Org{Name: "<b>Acme</b>"}})
	const evil = `</script><script>alert("x")</script>`
	a.capture("a@example.com", "mx_Custom_1", evil).has(t, 200)
	r := a.get("/")
	r.has(t, 200, "a@example.com", "&lt;b&gt;Acme&lt;/b&gt;")
	if strings.Contains(r.body, "alert(\"x\")") || strings.Contains(r.body, "<b>Acme") {
		t.Error("a value reached the page as markup")
	}
	policy := r.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	if again := a.get("/").header.Get("Content-Security-Policy"); again == policy {
		t.Error("two pages have the same nonce")
	}
	for _, key := range []string{a.access, a.secret, a.async} {
		for _, path := range []string{"/", "/_sandbox/page", "/_sandbox/state"} {
			if strings.Contains(a.get(path).body, key) {
				t.Errorf("a key is on %s", path)
			}
		}
	}
}

func TestPageShowsTheLatest(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit})
	v, _ := a.AddLead(map[string]string{"Phone": "+91-9876543210"})
	for i := range 250 {
		if _, err := a.AddOpportunity(v, 12000, fmt.Sprint("deal ", i), map[string]string{"Status": "Won", "mx_Custom_10": "b", "mx_Custom_2": "a"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.AddSalesActivity(v, map[string]string{"ProductSku": "P", "Status": "Lost", "Revenue": "3"}); err != nil {
		t.Fatal(err)
	}
	a.post(userPath+"CheckIn", `{"Source":"API","AvailabilityStatus":"Away"}`).has(t, 200)
	a.SetOutage(Outage503)
	var g Glance
	a.get("/_sandbox/page").json(t, &g)
	if len(g.Records) != shownRecords || g.Records[0].Kind != "sales activity" || g.Records[0].Fields != "Revenue: 3" || g.Records[0].Status != "Lost" || g.Records[0].Type != "P" {
		t.Errorf("%d records, first %+v", len(g.Records), g.Records[0])
	}
	if r := g.Records[1]; r.Note != "deal 249" || r.Lead != "+91-9876543210" || r.Type != "12000" || r.Status != "Won" || r.Fields != "Stage: a · Product: b" || r.Twice {
		t.Errorf("second %+v", r)
	}
	if !g.CheckedIn || g.CheckedOn == "" || g.Presence != "Away" || g.Outage != Outage503 || g.Counters.Opportunities != 250 || g.Limit != NoLimit {
		t.Errorf("glance %+v", g)
	}
}

func TestPageRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Calls: 3, Window: 5 * time.Second})
		time.Sleep(100 * time.Millisecond)
		for range 5 {
			a.get(authPath)
		}
		time.Sleep(2 * time.Second)
		a.get(authPath)
		var g Glance
		a.get("/_sandbox/page").json(t, &g)
		if g.Calls[57] != 5 || g.Limited[57] != 2 || g.Calls[59] != 1 || g.InWindow != 6 || g.Limit != 3 || g.WindowSecs != 5 {
			t.Errorf("calls %v limited %v, %d in the window", g.Calls, g.Limited, g.InWindow)
		}
	})
}

func TestState(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit})
	type state struct {
		Counters        Counters
		CheckedIn       bool
		CheckedOn       *time.Time
		Leads           []Lead
		Opportunities   []Opportunity
		SalesActivities []SalesActivity
		Calls           []CallRecord
	}
	var empty state
	a.get("/_sandbox/state").json(t, &empty)
	if empty.Leads == nil || len(empty.Leads) != 0 || empty.CheckedOn != nil {
		t.Errorf("empty account: %+v", empty)
	}
	for i := range 1001 { // more than one portion
		a.capture(fmt.Sprintf("a%d@example.com", i)).has(t, 200)
	}
	a.post(salesPath+"Create", saleJSON(a.Leads()[0].ID, "")).has(t, 200)
	a.post(userPath+"CheckIn", `{"Source":"API"}`).has(t, 200)
	var full state
	a.get("/_sandbox/state").json(t, &full)
	if len(full.Leads) != 1001 || len(full.Opportunities) != 1001 || len(full.SalesActivities) != 1 || len(full.Calls) != 1003 || !full.CheckedIn || full.CheckedOn == nil {
		t.Fatalf("%d leads, %d opportunities, %d sales activities, %d calls", len(full.Leads), len(full.Opportunities), len(full.SalesActivities), len(full.Calls))
	}
	for i, o := range a.Opportunities() {
		got := full.Opportunities[i]
		if got.ID != o.ID || got.Note != o.Note || !got.CreatedOn.Equal(o.CreatedOn) || got.LeadID != o.LeadID {
			t.Fatalf("place %d: %+v, want %+v", i, got, o)
		}
		var body captureBody
		if err := json.Unmarshal(got.Body, &body); err != nil || body.Opportunity == nil {
			t.Fatalf("body %s: %v", got.Body, err)
		}
	}
}

func TestOrders(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit})
	do := func(path, body string) reply { return a.post("/_sandbox/"+path, body) }
	do("outage?mode=503", "").has(t, 200)
	a.get(authPath).has(t, 503)
	do("outage?mode=", "").has(t, 200)
	a.get(authPath).has(t, 200)
	var lead struct{ ID string }
	do("lead", `{"EmailAddress":"a@example.com"}`).json(t, &lead)
	a.get(leadPath+"Leads.GetById?id="+lead.ID).has(t, 200, "a@example.com")
	do("faults", `{"BadGatewayBefore":1,"HangFor":5000000000}`).has(t, 200)
	a.capture("a@example.com").has(t, 502)
	do("faults", `{}`).has(t, 200)
	a.capture("a@example.com").has(t, 200)
	do("limit?calls=1&window=10s", "").has(t, 200)
	a.get(authPath).has(t, 200)
	a.get(authPath).has(t, 429, "limit of 1 in 10 second(s)")
	do("limit?calls=-1", "").has(t, 200)
	do("compete?calls=3", "").has(t, 200)
	do("reset", "").has(t, 200)
	if len(a.Leads()) != 0 {
		t.Error("the reset left a lead")
	}
	for _, bad := range []string{"outage?mode=flood", "outage?mode=503&for=long", "outage?mode=503&for=-1s", "limit?calls=x", "limit?calls=0", "limit?calls=5&window=x", "compete?calls=-1", "faults", "lead", "explode"} {
		do(bad, "").has(t, 400)
	}
	do("faults", `{"Flood":1}`).has(t, 400)
	a.get("/_sandbox/reset").has(t, 404)
}

func TestOtherPagesCannotReachTheAccount(t *testing.T) {
	a, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	try := func(method, path string, edit func(*http.Request)) int {
		r, _ := http.NewRequest(method, a.URL()+path, nil)
		edit(r)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	for _, c := range []struct {
		name, method, path string
		edit               func(*http.Request)
		want               int
	}{
		{"this machine by number", "GET", "/_sandbox/state", func(*http.Request) {}, 200},
		{"this machine by name", "GET", "/_sandbox/state", func(r *http.Request) { r.Host = "localhost:1234" }, 200},
		{"this machine, IPv6", "GET", "/_sandbox/state", func(r *http.Request) { r.Host = "[::1]" }, 200},
		{"another name for this machine", "GET", "/_sandbox/state", func(r *http.Request) { r.Host = "evil.example" }, 403},
		{"another name, the page", "GET", "/", func(r *http.Request) { r.Host = "evil.example:80" }, 403},
		{"order from another site", "POST", "/_sandbox/reset", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		{"order from another origin", "POST", "/_sandbox/reset", func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, 403},
		{"order from a script", "POST", "/_sandbox/reset", func(*http.Request) {}, 200},
	} {
		if got := try(c.method, c.path, c.edit); got != c.want {
			t.Errorf("%s: HTTP %d, want %d", c.name, got, c.want)
		}
	}
}

// TestPageSearch: a text is looked for in leads, notes, values and ids, whatever its case.
func TestPageSearch(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit})
	asha, _ := a.AddLead(map[string]string{"EmailAddress": "Asha@example.com"})
	ravi, _ := a.AddLead(map[string]string{"EmailAddress": "ravi@example.com"})
	first, err := a.AddOpportunity(asha, 12000, "call back", map[string]string{"mx_Custom_1": "Deal D-100"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if _, err := a.AddOpportunity(ravi, 12000, "", map[string]string{"mx_Custom_1": fmt.Sprint("Deal D-", 200+i)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.AddSalesActivity(asha, map[string]string{"ProductSku": "P-9", "Status": "Won"}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{"": 302, "asha@": 2, "ASHA@EXAMPLE": 2, "d-100": 1, "CALL BACK": 1, "p-9": 1, "ravi": 300, first: 1, "nothing like it": 0, " d-100 ": 1} {
		g := a.glance(query)
		if g.Found != want || len(g.Records) != min(want, shownRecords) {
			t.Errorf("%q: %d found and %d shown, want %d", query, g.Found, len(g.Records), want)
		}
	}
	if err := a.DeleteRecord(first); err != nil {
		t.Fatal(err)
	}
	if g := a.glance("d-100"); g.Found != 0 {
		t.Error("a deleted record is shown")
	}
	if g := a.glance(""); g.Found != 301 {
		t.Errorf("%d records are left, want 301", g.Found)
	}
}

// TestPageMarksTwins: what stands there twice is marked, what differs is not.
func TestPageMarksTwins(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit})
	asha, _ := a.AddLead(map[string]string{"EmailAddress": "asha@example.com"})
	ravi, _ := a.AddLead(map[string]string{"EmailAddress": "ravi@example.com"})
	add := func(lead, name string) string {
		id, err := a.AddOpportunity(lead, 12000, "", map[string]string{"mx_Custom_1": name})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	one, two := add(asha, "A"), add(asha, "A")
	add(asha, "B")
	add(ravi, "A")
	sale := func() {
		if _, err := a.AddSalesActivity(ravi, map[string]string{"ProductSku": "P", "Status": "Open"}); err != nil {
			t.Fatal(err)
		}
	}
	sale()
	marked := func() (n int) {
		for _, r := range a.glance("").Records {
			if r.Twice {
				n++
			}
		}
		return n
	}
	if n := marked(); n != 2 {
		t.Errorf("%d records are marked, want 2", n)
	}
	sale()
	if n := marked(); n != 4 {
		t.Errorf("%d records are marked, want 4", n)
	}
	if err := a.EditOpportunity(one, "Asha", map[string]string{"mx_Custom_1": "A2"}); err != nil {
		t.Fatal(err)
	}
	for _, r := range a.glance("").Records {
		if r.ID == one && (r.Changes != 1 || r.Fields != "Opportunity Name: A2" || r.Values[0] != (Value{"mx_Custom_1", "Opportunity Name", "A2"})) || r.ID == two && r.Twice {
			t.Errorf("after an edit: %+v", r)
		}
	}
}

// BenchmarkPage answers for an account of 100,000 records.
func BenchmarkPage(b *testing.B) {
	a, err := Start(Options{Calls: NoLimit})
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	for i := range 100_000 {
		v := ""
		if i%3 == 0 {
			v, _ = a.AddLead(map[string]string{"EmailAddress": fmt.Sprintf("lead%d@example.com", i)})
		} else {
			v = a.store.leads[len(a.store.leads)-1].id.String()
		}
		if _, err := a.AddOpportunity(v, 12000, "", map[string]string{"mx_Custom_1": fmt.Sprint("Deal ", i), "mx_Custom_6": "1200.50", "Status": "Won", "mx_Custom_2": "Closed Won", "mx_Custom_5": "asked to call back on Monday"}); err != nil {
			b.Fatal(err)
		}
	}
	for name, query := range map[string]string{"all": "", "found": "deal 50000", "nothing": "no such text", "an id": a.store.opps[0].id.String()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				a.glance(query)
			}
		})
	}
}
