// Package ledger is the memory of leadload: which row of which file became
// which record of which account, written down before and after every call.
//
// It holds what every such memory has in common, and no database: the life of
// a row (Step), what is to be done with a row of a file (Decide, Planner), the
// interface that a Store has to meet, and the goroutine that lets many calls
// share one commit (Group). Package sqlite is the store in a file; ledgertest
// is the suite that every store must pass.
//
// A record is what the account has of a row. An operation is one call about a
// record, with a state of its own, so that the refusal of a call never changes
// what is known of its record. An operation's intent is on disk before its
// request leaves, its outcome after; a run that was cut off therefore leaves
// no row whose fate is unknown and unmarked.
//
//	acct, err := store.Enroll(ctx, "api-in21.leadsquared.com", names)
//	lease, err := store.Lease(ctx, acct, who)
//	scope, err := store.Scope(ctx, acct, "opportunity:12000")
//	run, err := store.Begin(ctx, ledger.Run{Account: acct, …})
//	p := ledger.Planner{Store: store, Lease: lease, Run: run, Scope: scope}
//	err = p.Plan(ctx, entries)                                 // first pass over the file
//	err = store.Intend(ctx, lease, ledger.Sending, intent)     // before a request
//	err = store.Settle(ctx, lease, outcome)                    // after it
//	for row, err := range store.Rows(ctx, run) { … }           // the report
package ledger

import (
	"cmp"
	"fmt"
	"time"

	"leadload/internal/fault"
)

// State is where an operation stands. Its numbers are on disk and never change.
type State uint8

// The states of an operation.
const (
	Ready     State = 1 // never sent, or certainly not applied
	Reserved  State = 2 // may be sent at any moment: its chunk is committed ahead
	Sending   State = 3 // the request may have left
	InDoubt   State = 4 // the request left and its answer is not known
	Pending   State = 5 // queued by the account under a request id
	Loaded    State = 6 // in the account, with an id
	Duplicate State = 7 // the account's own rule matched a record that was there
	Rejected  State = 8 // the account refused it

	// Further ends of updates.
	Same      State = 9  // nothing was to be done: the account has the values
	Contested State = 10 // somebody changed a field in the account since: it was left alone
	Withheld  State = 11 // a field cannot be written: a person has to

	Missing State = 12 // sent, and certainly not in the account: what was sent is kept, to be sent again
)

// numStates is the size of a table that is indexed by State.
const numStates = int(Missing) + 1

// String returns the state's name in lower case.
func (s State) String() string {
	switch s {
	case Ready:
		return "ready"
	case Reserved:
		return "reserved"
	case Sending:
		return "sending"
	case InDoubt:
		return "in doubt"
	case Pending:
		return "pending"
	case Loaded:
		return "loaded"
	case Duplicate:
		return "duplicate"
	case Rejected:
		return "rejected"
	case Same:
		return "same"
	case Contested:
		return "contested"
	case Withheld:
		return "withheld"
	case Missing:
		return "to be sent again"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Verdict is what the first pass decided about one row of a run. Its numbers
// are on disk and never change.
type Verdict uint8

// The verdicts of the first pass.
const (
	Due      Verdict = 1 // to be sent, settled or polled: the record's state is the row's result
	Invalid  Verdict = 2 // cannot be sent as it is written
	Already  Verdict = 3 // in the account since an earlier run
	Skipped  Verdict = 4 // left out by skip_when or --rows
	Repeated Verdict = 5 // a second line with the same key
	Changed  Verdict = 6 // same key as a loaded record, other values: reported
	Changing Verdict = 7 // same key as a loaded record, other values: to be updated
)

// Run is one run of a command over one file.
type Run struct {
	ID          int64
	Account     int64     // the ledger's number of the account
	AccountName string    // as people know it: the host, or the organisation
	Command     string    // "import", "check", "settle"
	Input       string    // the file as the user named it; "" for settle
	InputPath   string    // absolute, so that a report can find it again; "" for standard input
	Sheet       string    // XLSX
	Mapping     string    // the mapping file as the user named it
	MappingPath string    // absolute
	MappingHash string    // hex SHA-256
	MappingText string    // kept by Begin, and read back by Mappings alone
	Target      string    // opportunity, opportunity-async, sales-activity
	Timezone    string    // the mapping's zone
	Who         string    // user@machine
	Version     string    // of leadload
	Limit       string    // "25/5s", "off" or "25/5s + bulk 5/5s", as it was at the end
	Started     time.Time // UTC
	Ended       time.Time // zero: still running, or cut off
	Calls       int64     // calls made, throttled ones too
	Throttled   int64
	Bulk        int64  // of Calls, those that took many records
	Stop        string // why the run ended early, in words; "" when it did not
	Exit        int    // exit code
	Did         Counts // what became of its rows, as they stood when it ended; empty: not known
	Out         string // the results file
}

// Row is one row of a run, as the report shows it.
type Row struct {
	Number      int // as the spreadsheet counts
	Line        int // CSV: physical line
	Origin      int // the row in the file that it first came from
	Fingerprint uint64
	Verdict     Verdict
	Record      int64 // 0: none
	State       State // where the record stands; 0: there is none
	Result      Result
	ID          string // the record in the account
	LeadID      string
	RequestID   string
	Code        string // stable code of the error
	Error       string
	Hint        string // what to do
	Attempts    int
	SentAt      time.Time // UTC; zero: never sent
	Key         string    // as people read it
	Candidates  []string  // in doubt: ids in the account that it might be
}

// ErrorCount is an error and the number of rows that have it.
type ErrorCount struct {
	Code    string
	Example string // the message of the first such row
	Row     int    // its number in the file that it first came from
	Hint    string
	Count   int64
}

// Error is a fault of the ledger itself. Its code is one of Codes.
type Error = fault.Fault

// At is the place of a fault of the ledger at path, or of a store of another name.
func At(path string) fault.Place { return fault.Place{File: "ledger " + path} }

// NotThere is the fault of a ledger that must be there and is not. instead says
// what to do; "" is to name another or to load first.
func NotThere(path, msg, instead string) *Error {
	return &Error{Code: "ledger.missing", Place: At(path), Msg: msg, Hint: cmp.Or(instead, "name the right ledger with --ledger, or load a file first")}
}

// Codes are the codes that an Error of this package can have.
var Codes = []string{
	"ledger.missing", "ledger.unreadable", "ledger.corrupt", "ledger.empty", "ledger.newer",
	"ledger.foreign", "ledger.copy", "ledger.readonly", "ledger.full", "ledger.busy", "ledger.write", "ledger.fenced", "ledger.pruned", "ledger.two-accounts", "ledger.torn", "ledger.older", "ledger.replaced",
}

// RowCodes are the codes that this package gives to rows.
var RowCodes = []string{"row.changed", "row.repeated", "row.unfit", CutOffCode}
