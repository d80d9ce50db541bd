package undo

import (
	"testing"

	"leadload/loader/ledger"
)

// The account takes moments in one form only, and shows them in several.
func TestRestoringWritesValuesAsTheyAreSent(t *testing.T) {
	it := &Item{}
	it.Target = "opportunity:12000"
	it.Kept = []ledger.Kept{
		{Field: "Fields.mx_Custom_8", Had: "2/1/2025 7:31:00 PM", Has: "2025-05-05 04:30:00"},
		{Field: "Opportunity.OpportunityNote", Had: "a &amp; b", Has: "new"},
	}
	e := restoring(it, &ledger.Record{}).Edit
	for i, want := range []string{"2025-02-01 19:31:00", "a & b"} {
		if got := e.Changes[i].Value; got != want {
			t.Errorf("%s: %q, want %q", e.Changes[i].Field, got, want)
		}
	}
}
