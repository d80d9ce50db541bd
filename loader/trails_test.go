package loader

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"leadload/internal/sandbox"
	"leadload/loader/ledger"
	"leadload/loader/words"
)

// TestDeletedRecordsInTrails counts the calls where one lead has many records that
// were deleted and that its trail keeps.
func TestDeletedRecordsInTrails(t *testing.T) {
	const n = 30
	load := func(t *testing.T, o sandbox.Options) (*bench, Result, string) {
		o.Deletable, o.KeepTrails = true, true
		b := newBench(t, o)
		var rows []string
		for i := range n {
			rows = append(rows, fmt.Sprintf("D%d,a@example.com,N%d", i, i))
		}
		path := b.deals(rows...)
		res, err := b.load(t.Context(), path)
		check(t, err)
		return b, res, path
	}
	gone := func(t *testing.T, b *bench) {
		for _, o := range b.account.Opportunities() {
			check(t, b.account.DeleteRecord(o.ID))
		}
	}
	bubble(t, "verify", func(t *testing.T) {
		b, _, path := load(t, sandbox.Options{GoneForm: "empty"})
		defer b.close()
		gone(t, b)
		got, _, err := b.verify(path)
		if err != nil || got.Totals.N[words.Unreadable] != n {
			t.Errorf("%v, %s", err, got.Totals)
		}
		if trails := b.wire.count("Retrieve"); trails > 2 {
			t.Errorf("the trail of one lead was read %d times", trails)
		}
	})
	bubble(t, "undo", func(t *testing.T) {
		b, res, _ := load(t, sandbox.Options{GoneForm: "empty"})
		defer b.close()
		got, err := b.undo(t.Context(), res.Run.ID)
		if err != nil || got.Totals.N[words.Failed] != n {
			t.Errorf("%v, %s", err, got.Totals)
		}
		if trails := b.wire.count("Retrieve"); trails > n+12 { // one after each deletion, then one a round
			t.Errorf("the trail of one lead was read %d times", trails)
		}
	})
	bubble(t, "settle", func(t *testing.T) {
		b, res, _ := load(t, sandbox.Options{})
		defer b.close()
		s := b.connect()
		_, err := s.Forget(t.Context(), ForgetJob{Pick: Pick{Run: res.Run.ID}, Confirm: func(ForgetPlan) error { return nil }})
		check(t, err)
		check(t, s.Close())
		deleted := map[string]bool{}
		for _, o := range b.account.Opportunities() {
			deleted[o.ID] = true
		}
		gone(t, b)
		b.wire.before = func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/GetOpportunityDetails") && deleted[req.URL.Query().Get("OpportunityId")] {
				return &http.Response{StatusCode: 500, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
			}
			return nil, nil
		}
		check(t, b.account.FailNext(sandbox.FaultLostAnswer))
		got, err := b.load(t.Context(), b.deals("D99,a@example.com,New"))
		if err != nil || got.Totals[ledger.ResultLoaded] != 1 {
			t.Errorf("an account that answers so for deleted records was taken for one that is away: %v, %s", err, got.Totals)
		}
		if reads := b.wire.count("GetOpportunityDetails"); reads > 2*n+1 {
			t.Errorf("%d reads of %d records", reads, n+1)
		}
		if len(b.account.Opportunities()) != 1 {
			t.Errorf("%d records", len(b.account.Opportunities()))
		}
	})
}
