package sandbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

var captureSeeds = []string{
	captureJSON("a@example.com", "mx_Custom_1", "x", "mx_Custom_6", "3", "Status", "Won"),
	leadBody("ProspectID", someGUID, "SearchBy", "ProspectId", "__UseUserDefinedGuid__", "true"),
	leadBody("Phone", "+91-9876543210", "SearchBy", "Phone"),
	oppBody(`"OpportunityEventCode":12000,"OverwriteFields":true`),
	`{"ProspectId":"` + someGUID + `","Status":"Open","Revenue":-1.5e3,"mx_Custom_5":"x"}`,
	`{"Parameter":{"ActivityEvent":"12000"},"Paging":{"Offset":"1","RowCount":"9"}}`,
	`{"Source":"API","AvailabilityStatus":"Offline","OtherDetails":{"a":1}}`,
	`{"LeadDetails":[{}],"Opportunity":{}}`,
	`null`, `[]`, `"`, ``,
}

// FuzzEveryCall sends a body to every endpoint. Whatever it holds, the account
// answers with HTTP 200, 400 or 500 and JSON, and what it took it can show.
func FuzzEveryCall(f *testing.F) {
	if len(captureSeeds) < 10 {
		f.Fatal("the seeds are gone")
	}
	for _, s := range captureSeeds {
		f.Add(s, "leadId="+someGUID+"&opportunityType=12000&OpportunityId="+someGUID+"&RequestID=x&code=12000&id=x&phone=91&emailaddress=x")
	}
	f.Fuzz(func(t *testing.T, body, query string) {
		a := newTester(t, Options{Calls: NoLimit, DuplicateField: "mx_Custom_1"})
		lead, err := a.AddLead(map[string]string{"ProspectID": someGUID, "EmailAddress": "a@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		for path, ep := range endpoints {
			r := a.send(ep.method, path, body, func(r *http.Request) { r.URL.RawQuery = query })
			if r.status != 200 && r.status != 400 && r.status != 500 {
				t.Fatalf("%s: HTTP %d", path, r.status)
			}
			if !json.Valid([]byte(r.body)) {
				t.Fatalf("%s: %q is not JSON", path, r.body)
			}
		}
		for _, o := range a.Opportunities() {
			a.get(oppPath+"GetOpportunityDetails?OpportunityId="+o.ID).has(t, 200)
		}
		a.post(trailPath+"?leadId="+lead, "").has(t, 200)
		a.get("/").has(t, 200)
	})
}

// FuzzPack: pairs come out of a packed string as they went in.
func FuzzPack(f *testing.F) {
	seeds := []string{"", "mx_Custom_1=x", "a=1\nb=2\na=\n=v", strings.Repeat("long", 100) + "=" + strings.Repeat("v", 300)}
	if len(seeds) == 0 {
		f.Fatal("the seeds are gone")
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var in []pair
		for line := range strings.SplitSeq(text, "\n") {
			name, value, _ := strings.Cut(line, "=")
			in = append(in, pair{name, value})
		}
		var n names
		n.number("already there")
		if out := n.unpack(n.pack(in)); !reflect.DeepEqual(in, out) {
			t.Errorf("%q became %q", in, out)
		}
	})
}

// FuzzIDs: what is read as an id is written as the same id, in lower case.
func FuzzIDs(f *testing.F) {
	seeds := []string{someGUID, strings.ToUpper(someGUID), " " + someGUID, "8eca6fa6262c43eb8cfe6e3325e2dc73", someGUID + "0", "8eca6fa6-262c-43eb-8cfe-6e3325e2dc7g"}
	taken := 0
	for _, s := range seeds {
		if _, ok := parseID(s); ok {
			taken++
		}
		f.Add(s)
	}
	if taken != 3 {
		f.Fatalf("%d of the seeds are ids, want 3", taken)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := parseID(s)
		if ok && v.String() != strings.ToLower(strings.TrimSpace(s)) {
			t.Errorf("%q became %q", s, v)
		}
	})
}

func BenchmarkCapture(b *testing.B) {
	a := newTester(b, Options{Calls: NoLimit, DropBodies: true})
	h := a.Handler()
	body := captureJSON("a@example.com", "mx_Custom_1", "Deal", "mx_Custom_3", "Website", "mx_Custom_6", "120000.50", "Status", "Open")
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", oppPath+"Capture", strings.NewReader(body))
		r.Header.Set("x-LSQ-AccessKey", a.access)
		r.Header.Set("x-LSQ-SecretKey", a.secret)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
