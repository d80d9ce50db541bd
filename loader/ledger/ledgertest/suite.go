package ledgertest

import (
	"slices"
	"testing"
)

// Run runs the suite, or those of its tests that are named. fresh makes the place of a
// new ledger, and returns what opens it.
func Run(t *testing.T, fresh func(testing.TB) Open, only ...string) {
	ran := 0
	for _, c := range []struct {
		name string
		test func(*testing.T, func(testing.TB) Open)
	}{
		{"Decide", testDecide},
		{"OpenRowsStay", testOpenRowsStay},
		{"Steps", testSteps},
		{"OperationsBesideRecords", testOperations},
		{"Updates", testUpdates},
		{"Baselines", testBaselines},
		{"Keep", testKeep},
		{"TakenBack", testTakenBack},
		{"Forget", testForget},
		{"Accept", testAccept},
		{"Rosters", testRosters},
		{"Model", testModel},
		{"Recover", testRecover},
		{"Fence", testFence},
		{"Calls", testCalls},
		{"CallsOfSome", testCallsOfSome},
		{"Resends", testResends},
		{"NoSuchRecord", testNoSuchRecord},
		{"Owners", testOwners},
		{"Outcomes", testOutcomes},
		{"Open", testOpen},
		{"Newest", testNewest},
		{"Identities", testIdentities},
		{"Marks", testMarks},
		{"Chunks", testChunks},
		{"Errors", testErrors},
		{"Tally", testTally},
		{"Twice", testTwice},
		{"Who", testWho},
		{"Borrowed", testBorrowed},
		{"Shared", testShared},
		{"Taken", testTaken},
		{"Runs", testRuns},
		{"Trusted", testTrusted},
		{"Records", testRecords},
		{"Mappings", testMappings},
		{"Prune", testPrune},
		{"Traces", testTraces},
		{"Adopt", testAdopt},
		{"Copy", testCopy},
		{"Memo", testMemo},
		{"Together", testTogether},
	} {
		if len(only) > 0 && !slices.Contains(only, c.name) {
			continue
		}
		ran++
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh) })
	}
	if len(only) > 0 && ran != len(only) {
		t.Errorf("%d of the tests %v are in the suite", ran, only)
	}
}
