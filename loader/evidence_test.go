package loader

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/ledger"
)

// emptied answers reads in the account's place with nothing, as an index does that
// lags for ever.
func emptied(paths ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		for _, p := range paths {
			if strings.HasSuffix(r.URL.Path, p) {
				if strings.Contains(p, "Leads") {
					return jsonAnswer("[]"), nil
				}
				return jsonAnswer(`{"RecordCount":0,"ProspectActivities":[],"List":[]}`), nil
			}
		}
		return nil, nil
	}
}

// TestAbsenceNeedsAWitness says that "nothing there" is believed only of an account
// that shows what it must know, in this run and in every later one.
func TestAbsenceNeedsAWitness(t *testing.T) {
	for name, hide := range map[string]func(*http.Request) (*http.Response, error){
		"trail and index show nothing":                  emptied("/ProspectActivity.svc/Retrieve", "/GetOpportunitiesOfLead", "/GetOpportunitiesByUniqueLeadField", "/RetrieveRecentlyModified"),
		"the searches for the lead show nothing":        emptied("/Leads.GetByEmailaddress", "/GetOpportunitiesByUniqueLeadField"),
		"only the index can be read, and shows nothing": emptied("/GetOpportunitiesOfLead", "/ProspectActivity.svc/Retrieve", "/RetrieveRecentlyModified"),
	} {
		bubble(t, name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.wire.before = hide
			check(t, b.account.FailNext(sandbox.FaultLostAnswer, sandbox.FaultLostAnswer))
			path := b.deals("D1,a@example.com,A", "D2,b@example.com,B")
			res, err := b.load(t.Context(), path)
			if err != nil || res.Totals[ledger.ResultInDoubt] != 2 || b.account.Count().Opportunities != 2 {
				t.Errorf("%v, %s, %d in the account", err, res.Totals, b.account.Count().Opportunities)
			}
			b.wire.before = nil // it shows them at last
			res, err = b.load(t.Context(), path)
			if err != nil || res.Totals[ledger.ResultLoaded] != 2 || b.account.Count().Opportunities != 2 {
				t.Errorf("when it shows them: %v, %s, %d in the account", err, res.Totals, b.account.Count().Opportunities)
			}
		})
	}
}

// TestTrailOfOtherKinds says that a trail whose entries all have another code is no
// proof that the row is not there.
func TestTrailOfOtherKinds(t *testing.T) {
	bubble(t, "the trail", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.known()
		index := emptied("/GetOpportunitiesOfLead")
		b.wire.before = func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/ProspectActivity.svc/Retrieve") {
				return jsonAnswer(`{"RecordCount":1,"ProspectActivities":[{"Id":"11111111-2222-4333-8444-555555555555","EventCode":99,"CreatedOn":"` + time.Now().UTC().Format(time.DateTime) + `"}]}`), nil
			}
			return index(r)
		}
		check(t, b.account.FailNext(sandbox.FaultLostAnswer))
		res, err := b.load(t.Context(), b.deals("D1,a@example.com,A"))
		if err != nil || res.Totals[ledger.ResultInDoubt] != 1 || b.account.Count().Opportunities != 2 {
			t.Errorf("%v, %s, %d in the account", err, res.Totals, b.account.Count().Opportunities)
		}
	})
}

// TestAtMostTwoResends says that a row which never shows in the account is sent three
// times in all its life, however often the file is loaded.
func TestAtMostTwoResends(t *testing.T) {
	bubble(t, "five runs", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.known()
		var sent int
		b.wire.before = func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/Capture") {
				sent++
				return nil, errors.New("reset")
			}
			return nil, nil
		}
		path := b.deals("D1,a@example.com,A")
		for range 5 {
			res, err := b.load(t.Context(), path)
			if err != nil || res.Totals[ledger.ResultInDoubt] != 1 {
				t.Fatalf("%v, %s", err, res.Totals)
			}
		}
		if sent != 3 {
			t.Errorf("sent %d times, want 3", sent)
		}
	})
}

// TestMissingRowsAreSent says that a row which was found missing and could not be
// sent again just then is sent by the next settle, and by the import of another file.
func TestMissingRowsAreSent(t *testing.T) {
	for _, by := range []string{"settle", "another file", "another file without settling"} {
		bubble(t, by, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.known()
			b.o.NoSettle = true
			check(t, b.account.FailNext(sandbox.FaultCutBefore))
			_, err := b.load(t.Context(), b.deals("D1,a@example.com,A"))
			check(t, err)
			b.o.NoSettle = false
			b.wire.before = func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/Capture") {
					return &http.Response{StatusCode: 401, Header: http.Header{"Content-Type": {"application/json"}}, Body: http.NoBody}, nil
				}
				return nil, nil
			}
			s := b.connect()
			res, err := s.Settle(t.Context())
			check(t, s.Close())
			if err == nil || res.Rows[ledger.ResultNotSent] != 1 || res.End == 0 {
				t.Fatalf("the account refuses: %v, %+v", err, res)
			}
			b.wire.before = nil
			if by == "settle" {
				s = b.connect()
				res, err = s.Settle(t.Context())
				check(t, s.Close())
				if err != nil || res.Before.Missing != 1 || res.Rows[ledger.ResultLoaded] != 1 || res.End != 0 {
					t.Errorf("%v, %+v", err, res)
				}
			} else {
				b.o.NoSettle = strings.HasSuffix(by, "without settling")
				_, err = b.load(t.Context(), b.deals("D9,c@example.com,C"))
				check(t, err)
			}
			if open, err := b.led.CountOpen(t.Context(), 1); err != nil || open.Sum() != 0 {
				t.Errorf("open: %+v, %v", open, err)
			}
			var names []string
			for _, o := range b.account.Opportunities() {
				names = append(names, o.Fields["mx_Custom_1"])
			}
			if want := map[bool]string{true: "Known A", false: "Known A C"}[by == "settle"]; len(names) != len(strings.Fields(want)) || !strings.Contains(strings.Join(names, " "), "A") {
				t.Errorf("the account has %v, want %s", names, want)
			}
		})
	}
}
