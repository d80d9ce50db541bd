package bulk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader"
	"leadload/loader/account"
	"leadload/loader/bulk"
	"leadload/loader/ledger"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/pace"
	"leadload/loader/source"
	"leadload/mapping"
)

const text = `version: 1
target: opportunity
key: Deal
search_by: EmailAddress
lead_must_exist: true
LeadDetails:
  EmailAddress: {column: Email, type: email, required: true}
Opportunity:
  OpportunityEventCode: 12000
  Fields:
    mx_Custom_1: Name
`

// wrongIDs loads 60 new rows in bulk into an account and returns how many of them the
// ledger knows by the id of another row's record.
func wrongIDs(t *testing.T, form string) (wrong int, said []string) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// Real sockets: windows are short so that nothing waits.
	a, err := sandbox.Start(sandbox.Options{Calls: sandbox.NoLimit, BulkCalls: sandbox.NoLimit, BulkForm: form})
	check(err)
	defer a.Close()
	led, err := sqlite.Open(filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{Unsafe: true})
	check(err)
	defer led.Close()
	acct := account.Account{Host: a.URL(), Limit: pace.Limit{Calls: 1000, Window: time.Second}, BulkLimit: pace.Limit{Calls: 1000, Window: time.Second}}
	acct.SetKeys(a.Keys())
	s, err := loader.Connect(t.Context(), loader.Options{Account: acct, Ledger: led, Patience: time.Second, SettleAfter: time.Second, Notify: func(s string) { said = append(said, s) }})
	check(err)
	defer s.Close()
	file := "Deal,Email,Name\n"
	for i := range 60 {
		_, err := a.AddLead(map[string]string{"EmailAddress": fmt.Sprintf("own%d@example.com", i)})
		check(err)
		file += fmt.Sprintf("D%d,own%d@example.com,Deal %d\n", i, i, i)
	}
	path := filepath.Join(t.TempDir(), "deals.csv")
	check(os.WriteFile(path, []byte(file), 0o600))
	m, err := mapping.Parse("deals.yaml", []byte(text))
	check(err)
	f, err := source.Open(path, source.Options{})
	check(err)
	defer f.Close()
	res, err := s.Import(t.Context(), loader.Job{Input: "deals.csv", InputPath: path, File: f, Mapping: m})
	check(err)
	names := map[string]string{}
	for _, o := range a.Opportunities() {
		names[o.ID] = o.Fields["mx_Custom_1"]
	}
	for r, err := range led.Rows(t.Context(), res.Run.ID) {
		check(err)
		if r.Result == ledger.ResultLoaded && names[r.ID] != "Deal "+strings.TrimPrefix(r.Key, "D") {
			wrong++
		}
	}
	return wrong, said
}

// TestReadingBackKeepsIDsOnTheirRows shows what the first call is read back for: an
// account that names the ids in another order would put them on the wrong rows.
func TestReadingBackKeepsIDsOnTheirRows(t *testing.T) {
	if wrong, said := wrongIDs(t, "shuffled"); wrong != 0 || !strings.Contains(fmt.Sprint(said), "cannot be read: single calls") {
		t.Errorf("%d rows have the id of another, said %q", wrong, said)
	}
	bulk.Believe(t)
	if wrong, _ := wrongIDs(t, "shuffled"); wrong < 2 {
		t.Errorf("without the read-back %d rows have the id of another: this test proves nothing", wrong)
	}
	if wrong, _ := wrongIDs(t, "ids"); wrong != 0 {
		t.Errorf("%d rows have the id of another although the account names them in order", wrong)
	}
}
