package update

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/compare"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/line"
	"leadload/loader/pace"
	"leadload/mapping"
)

// network joins a client to a practice account without sockets.
type network struct{ handler http.Handler }

func (n network) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	in := req.Clone(req.Context())
	in.Body, in.RequestURI = io.NopCloser(bytes.NewReader(body)), req.URL.RequestURI()
	rec := httptest.NewRecorder()
	n.handler.ServeHTTP(rec, in)
	return rec.Result(), nil
}

// desk is an account with one opportunity, which the ledger has loaded.
type desk struct {
	*Updater
	account *sandbox.Account
	record  int64
	id      string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	a, err := sandbox.New(sandbox.Options{Calls: sandbox.NoLimit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	access, secret, async := a.Keys()
	c, err := leadsquared.New(leadsquared.Config{Host: "http://127.0.0.1:9", AccessKey: leadsquared.NewSecret(access), SecretKey: leadsquared.NewSecret(secret), AsyncKey: leadsquared.NewSecret(async), Transport: network{a.Handler()}})
	if err != nil {
		t.Fatal(err)
	}
	l := line.New(line.Options{Client: c, Pacer: pace.New(pace.Options{Limit: pace.Unlimited}), OutageLimit: time.Minute, Notify: func(string) {}})
	out, err := l.Make(t.Context(), func(ctx context.Context, slot leadsquared.Slot) leadsquared.Outcome {
		return c.Make(ctx, slot, leadsquared.MakeOpportunity, []byte(`{"LeadDetails":[{"Attribute":"EmailAddress","Value":"asha@example.com"},{"Attribute":"SearchBy","Value":"EmailAddress"}],`+
			`"Opportunity":{"OpportunityEventCode":12000,"Fields":[{"SchemaName":"mx_Custom_1","Value":"D1"},{"SchemaName":"Status","Value":"Open"}]}}`))
	})
	if err != nil || out.Verdict != leadsquared.Applied {
		t.Fatalf("%v, %+v", err, out)
	}
	f := ledgertest.New(t, func(t testing.TB) ledger.Store {
		l, err := sqlite.Open(filepath.Join(t.TempDir(), "l.db"), sqlite.Options{Unsafe: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	})
	record := f.Plan(f.Run(), ledgertest.Entry(2, "D1", "Fields.Status", "Open"))[0].Record
	f.Load(record, out.ID)
	u := &Updater{Line: l, Ledger: f.Store, Lease: f.Lease, Patience: time.Second, Notify: func(string) {}, Tally: func(ledger.State, int64) {}}
	return &desk{u, a, record, out.ID}
}

// won is an update of the stage to Won, which was Open when it was sent.
func (d *desk) won() *ledger.Payload {
	return &ledger.Payload{Target: string(mapping.Opportunity), Edit: &ledger.Edit{
		ID: d.id, Code: 12000, Names: []string{"Fields.Status"}, Prints: []byte{1, 2, 3, 4}, Body: make([]byte, 16),
		Changes: []ledger.FieldChange{{Field: "Fields.Status", Part: string(mapping.OfOpportunity), Value: "Won", Sent: compare.Print("Open")}},
	}}
}

func (d *desk) stage() string { return d.account.Opportunities()[0].Fields["Status"] }

// TestLookIsWhatKeepsHands shows what an update does to a value that somebody has
// set, with the look and without it.
func TestLookIsWhatKeepsHands(t *testing.T) {
	for _, c := range []struct {
		name      string
		blind     bool
		overwrite bool
		state     ledger.State
		stage     string
	}{
		{"with the look", false, false, ledger.Contested, "Lost"},
		{"with the look, to overwrite", false, true, ledger.Loaded, "Won"},
		{"without the look", true, false, ledger.Loaded, "Won"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.blind, d.Overwrite = c.blind, c.overwrite
			if err := d.account.EditOpportunity(d.id, "Asha", map[string]string{"Status": "Lost"}); err != nil {
				t.Fatal(err)
			}
			p := d.won()
			p.Edit.Own = false // it may have been touched in the second in which it was made
			o, err := d.Send(t.Context(), d.record, p)
			if err != nil || o.State != c.state || d.stage() != c.stage {
				t.Errorf("%v, %s, %s; want %s, %s", err, o.State, d.stage(), c.state, c.stage)
			}
			if !c.blind && p.Edit.Changes[0].Had != "Lost" {
				t.Errorf("the account had %q", p.Edit.Changes[0].Had)
			}
		})
	}
}

// TestSettleLooksFirst leaves an update in doubt, in every way that its record may
// stand afterwards.
func TestSettleLooksFirst(t *testing.T) {
	for _, c := range []struct {
		name   string
		hand   string // what stands there when it is looked at; "": as it was loaded
		gone   bool
		state  ledger.State
		writes int
		stage  string
	}{
		{"it arrived", "Won", false, ledger.Loaded, 0, "Won"},
		{"it did not", "", false, ledger.Loaded, 1, "Won"},
		{"somebody set something else", "Lost", false, ledger.Contested, 0, "Lost"},
		{"the record is gone", "", true, ledger.Withheld, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.Patience = 10 * time.Millisecond
			if c.hand != "" {
				if err := d.account.EditOpportunity(d.id, "x", map[string]string{"Status": c.hand}); err != nil {
					t.Fatal(err)
				}
			}
			if c.gone {
				if err := d.account.DeleteRecord(d.id); err != nil {
					t.Fatal(err)
				}
			}
			p := d.won()
			p.Edit.Changes[0].Tried, p.Edit.Changes[0].Finding = true, uint8(compare.Send)
			if err := d.Ledger.Intend(t.Context(), d.Lease, ledger.Sending, ledger.Intent{Record: d.record, Op: ledger.Update, At: time.Now(), Payload: *p}); err != nil {
				t.Fatal(err)
			}
			if err := d.Ledger.Settle(t.Context(), d.Lease, ledger.Outcome{Record: d.record, Op: ledger.Update, State: ledger.InDoubt}); err != nil {
				t.Fatal(err)
			}
			if err := d.Settle(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			known := make([]ledger.Record, 1)
			if err := d.Ledger.Recall(t.Context(), []int64{d.record}, known); err != nil || known[0].Changing != c.state || known[0].Fate != ledger.Present {
				t.Errorf("%v; the update is %s, want %s; the record is %+v", err, known[0].Changing, c.state, known[0])
			}
			writes := 0
			for _, call := range d.account.Calls() {
				if strings.HasSuffix(call.Path, "OpportunityManagement.svc/Update") {
					writes++
				}
			}
			if writes != c.writes || !c.gone && d.stage() != c.stage {
				t.Errorf("written %d times, %s; want %d, %s", writes, d.stage(), c.writes, c.stage)
			}
		})
	}
}

// TestLeadIsLearnedFromItsRecord updates the lead of a record whose lead the ledger
// does not know.
func TestLeadIsLearnedFromItsRecord(t *testing.T) {
	d := newDesk(t)
	p := d.won()
	p.Edit.Names = []string{"LeadDetails.mx_City"}
	p.Edit.Changes = []ledger.FieldChange{{Field: "LeadDetails.mx_City", Part: string(mapping.OfLead), Value: "Delhi"}}
	o, err := d.Send(t.Context(), d.record, p)
	if city := d.account.Leads()[0].Attributes["mx_City"]; err != nil || o.State != ledger.Loaded || city != "Delhi" {
		t.Errorf("%v, %s, %s; the lead's city is %q", err, o.State, o.Msg, city)
	}
}

// TestDateOfOurWrite says which dates of a record's last change prove that it was ours.
func TestDateOfOurWrite(t *testing.T) {
	d := newDesk(t)
	at := time.Now()
	for _, c := range []struct {
		name     string
		modified time.Time
		at       time.Time
		want     bool
	}{
		{"while the call was under way", at.Add(-300 * time.Millisecond), at, true},
		{"in whole seconds", at.Truncate(time.Second), at, true},
		{"later", at.Add(3 * time.Second), at, false},
		{"long before: the read does not show the call yet", at.Add(-time.Minute), at, false},
		{"nobody knows when we wrote", at, time.Time{}, false},
		{"the account has no date", time.Time{}, at, false},
	} {
		if got := d.ours(c.modified, c.at); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
