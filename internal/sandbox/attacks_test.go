package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func (s *tester) faults(f Faults) {
	s.Helper()
	if err := s.SetFaults(f); err != nil {
		s.Fatal(err)
	}
}

func TestForeignAnswersFollowTheCommit(t *testing.T) {
	for _, c := range []struct {
		name string
		f    Faults
	}{{FaultForeignLimit, Faults{ForeignLimit: 1}}, {FaultGatewayRefusal, Faults{GatewayRefusal: 1}}} {
		a := newTester(t, Options{Calls: NoLimit, Faults: c.f})
		for n := range 5 {
			if r := a.capture("a@example.com"); r.status == 200 && !strings.Contains(r.body, "limit") || len(a.Opportunities()) != n+1 {
				t.Errorf("%s: %d %s, %d records", c.name, r.status, r.body, len(a.Opportunities()))
			}
		}
		if n := a.Count().Faults[c.name]; n != 5 {
			t.Errorf("%d times %s", n, c.name)
		}
	}
}

func TestProxiesPostTwice(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit, Faults: Faults{PostedTwice: 1}})
	lead, err := a.AddLead(map[string]string{"EmailAddress": "a@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	a.capture("a@example.com")
	a.post(salesPath+"Create", `{"ProspectId":"`+lead+`","Status":"Won"}`)
	opps, sales := a.Opportunities(), a.SalesActivities()
	if len(opps) != 2 || len(sales) != 2 || opps[0].Call != 1 || opps[1].Call != 1 || sales[0].Call != 2 || sales[1].Call != 2 {
		t.Errorf("%+v, %+v", opps, sales)
	}
	if c := a.Calls(); len(c) != 2 || c[1].Number != 2 {
		t.Errorf("%+v", c)
	}
}

func TestAnswersOfOtherCalls(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit, Faults: Faults{OtherAnswer: 1}})
	first := a.capture("a@example.com")
	second := a.capture("b@example.com")
	if first.status != 200 || second.body != first.body || len(a.Opportunities()) != 2 {
		t.Errorf("%s, then %s, %d records", first.body, second.body, len(a.Opportunities()))
	}
	a.faults(Faults{CachedAnswer: 1})
	if third := a.capture("c@example.com"); third.status != 200 || strings.Contains(third.body, "null,\"Conflicted") || len(a.Opportunities()) != 2 {
		t.Errorf("a cache: %s, %d records", third.body, len(a.Opportunities()))
	}
}

func TestLyingLookUps(t *testing.T) {
	clock := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := newTester(t, Options{Calls: NoLimit, Clock: func() time.Time { return clock }})
	one, other := a.captured("a@example.com"), a.captured("b@example.com")
	trail := func(lead string) string {
		return a.post(trailPath+"?leadId="+lead, `{"Parameter":{"ActivityEvent":12000}}`).body
	}
	lying := func(f Faults) Faults { f.Lying = []string{trailPath}; return f }
	for _, c := range []struct {
		name  string
		f     Faults
		later time.Duration
		shown bool
	}{
		{"nothing", Faults{ReadEmpty: 1}, time.Hour, false},
		{"as it was before", Faults{ReadStale: 1, StaleFor: 10 * time.Second}, 5 * time.Second, false},
		{"as it was when it was there", Faults{ReadStale: 1, StaleFor: 10 * time.Second}, 15 * time.Second, true},
	} {
		now := clock
		clock = clock.Add(c.later)
		a.faults(lying(c.f))
		if got := trail(one.RelatedProspectId); strings.Contains(got, one.CreatedOpportunityId) != c.shown {
			t.Errorf("%s: %s", c.name, got)
		}
		if r := a.get(leadPath + "Leads.GetByEmailaddress?emailaddress=a@example.com"); !strings.Contains(r.body, one.RelatedProspectId) {
			t.Errorf("%s: a look-up that does not lie: %s", c.name, r.body)
		}
		clock = now
	}
	a.faults(lying(Faults{ReadOther: 1}))
	trail(other.RelatedProspectId)
	if got := trail(one.RelatedProspectId); !strings.Contains(got, other.CreatedOpportunityId) {
		t.Errorf("another's: %s", got)
	}
	if err := a.SetFaults(Faults{Lying: []string{"/nowhere"}}); err == nil {
		t.Error("a path that is none was taken")
	}
}

func TestDateHeaderOfAnotherMachine(t *testing.T) {
	clock := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := newTester(t, Options{Clock: func() time.Time { return clock }, DateSkew: func() time.Duration { return -time.Hour }})
	r := a.get(authPath)
	if got := r.header.Get("Date"); got != clock.Add(-time.Hour).Format(http.TimeFormat) {
		t.Errorf("Date: %s", got)
	}
}

func TestMergeLeads(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit})
	one, other := a.captured("a@example.com"), a.captured("b@example.com")
	if err := a.MergeLeads(other.RelatedProspectId, one.RelatedProspectId); err != nil {
		t.Fatal(err)
	}
	if l := a.Leads(); len(l) != 1 || l[0].ID != other.RelatedProspectId {
		t.Errorf("%+v", l)
	}
	for _, o := range a.Opportunities() {
		if o.LeadID != other.RelatedProspectId {
			t.Errorf("%+v", o)
		}
	}
	if r := a.get(leadPath + "Leads.GetByEmailaddress?emailaddress=a@example.com"); r.body != "[]" {
		t.Errorf("its address: %s", r.body)
	}
	if again := a.captured("a@example.com"); again.RelatedProspectId == one.RelatedProspectId || again.RelatedProspectId == other.RelatedProspectId {
		t.Errorf("a capture by its address met lead %s", again.RelatedProspectId)
	}
	if a.MergeLeads(other.RelatedProspectId, other.RelatedProspectId) == nil || a.MergeLeads(one.RelatedProspectId, other.RelatedProspectId) == nil {
		t.Error("a lead was merged into itself, or into one that is gone")
	}
}
