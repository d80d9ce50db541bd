package ledger

import (
	"context"
	"crypto/sha256"
	"iter"
	"time"
)

// Reader is what a report reads.
type Reader interface {
	// Runs returns the runs that the query names, the newest first.
	Runs(ctx context.Context, q RunQuery) ([]Run, error)
	// Rows returns the rows of a run in the order of the file, each with what
	// is known of its record now. Run 0 has no rows. No read stays open
	// between two rows, so the run may write meanwhile.
	Rows(ctx context.Context, run int64) iter.Seq2[Row, error]
	// Errors returns the most common errors of a run's rows, at most n of
	// them, the most common first. Run 0 has none.
	Errors(ctx context.Context, run int64, n int) ([]ErrorCount, error)
	// Kept returns the values that the updates of a run met in the account, in
	// the order of its rows.
	Kept(ctx context.Context, run int64) iter.Seq2[Kept, error]
	// Gone returns the records that earlier runs of a run's file had, and that the
	// file no longer had then.
	Gone(ctx context.Context, run int64) (Set, error)
	// Named returns the rows of those of some records that are in the account now, as
	// the runs have them that planned them last: Record, Number, Key, ID, LeadID and
	// State are filled in.
	Named(ctx context.Context, records []int64) ([]Row, error)
	// Tally counts the rows of a run as they stand now; those of a run whose
	// rows were dropped, as they stood then.
	Tally(ctx context.Context, run int64) (Tally, error)
}

// Store is a ledger: the memory of every account that is loaded into. Its
// methods take batches, are safe for concurrent use, and give errors of type
// *Error. What a method has written outlasts a crash of the process; Intend,
// Settle, Adopt, End and Flush return when it outlasts a power cut as well.
//
// Contexts end waiting and reading, but never a write that has begun: what
// may be on disk must be known.
type Store interface {
	Reader

	// Batch is how many rows of a plan are best asked about and written at once where
	// each turn goes over a network; 0: a turn costs little.
	Batch() int

	// Enroll finds or makes the account that names stand for (such as
	// "keys:host:hash"), and remembers those that are new (Enrolled.Who). Display
	// is what people call it. The error says so when they stand for two.
	Enroll(ctx context.Context, display string, names []string) (account int64, err error)
	// Join makes all names stand for the account of the first one (Enrolled.Joined).
	Join(ctx context.Context, names []string) (account int64, err error)
	// Scope finds or makes the number of a target within an account, such as
	// "opportunity:12000". A key names one record within a scope.
	Scope(ctx context.Context, account int64, target string) (int64, error)
	// Find returns a scope of an account without making either; 0 when the
	// ledger has none.
	Find(ctx context.Context, names []string, target string) (scope int64, err error)

	// Lease takes the account for one run. From then on, the leases before are
	// refused. The error is a *Held where another has it and may still send.
	Lease(ctx context.Context, account int64, who Holder) (Lease, error)
	// Hold waits until the lease is certainly the caller's for a while. The error
	// is ErrFenced when it is lost.
	Hold(ctx context.Context, l Lease) error
	// Fence returns an error unless the lease is certainly the caller's at this
	// moment. It waits for nothing: it is asked right before bytes leave.
	Fence(l Lease) error
	// Recover turns what earlier leases left reserved or sending into doubt,
	// and takes all that is open over. It returns the number of rows cut off.
	Recover(ctx context.Context, l Lease) (int64, error)

	// Begin writes down that a run has begun and returns its number. It uses
	// the fields of r but ID, AccountName and those that End writes.
	Begin(ctx context.Context, r Run) (int64, error)
	// End writes down how a run ended: Ended, Calls, Throttled, Bulk, Limit, Stop, Exit,
	// Out and Did of r. Without Ended it was cut off.
	End(ctx context.Context, r Run) error

	// Known fills in what is known of the records that idents name, in their
	// order; those that are not known get ID 0. out is as long as idents, and
	// its Prints are reused.
	Known(ctx context.Context, scope int64, idents []Ident, out []Record) error
	// Recall is Known by the numbers of records.
	Recall(ctx context.Context, records []int64, out []Record) error
	// Idents returns the first 8 bytes of what names each record of a scope,
	// as little-endian numbers, and maybe other numbers. It returns nil when
	// the ledger has more records than most.
	Idents(ctx context.Context, scope int64, most int) (map[uint64]struct{}, error)
	// Marks returns the records of a scope that are in the account (Present) and of which
	// no call has anything to say, by what their rows are known by (Entry.Mark). It
	// returns nil when the ledger has more records than most.
	Marks(ctx context.Context, scope int64, most int) (*MarkSet, error)
	// Plan writes rows that Decide has decided about into a run. It makes the
	// records that are new, puts their numbers into the entries, and takes the
	// entries' values over where Replan says so, their marks where Renew does.
	// With scope 0 the rows are only noted.
	Plan(ctx context.Context, l Lease, run, scope int64, entries []Entry) error
	// Adopt writes records that are known to be in the account, or in doubt,
	// from elsewhere, without a lease. What the ledger knows already is left as
	// it is, but for rows in doubt where that is asked for (Adopted.Chosen).
	Adopt(ctx context.Context, scope int64, list []Adopted) (added int64, err error)

	// Intend writes down that operations may be sent at any moment (Reserved)
	// or are being sent (Sending), and counts their calls. It returns when
	// the intents are on disk; only then may a request leave. Where one of
	// them is refused (ErrState), the others are written.
	Intend(ctx context.Context, l Lease, to State, intents ...Intent) error
	// Settle writes down what became of an operation. Where an outcome names a
	// record that another row of the account has, the operation is in doubt instead
	// (Borrowed), and the error is ErrBorrowed.
	Settle(ctx context.Context, l Lease, o Outcome) error
	// SettleLater queues an outcome and calls done when it is on disk, which
	// may take some milliseconds longer than Settle while many come. done must
	// not wait for the ledger.
	SettleLater(l Lease, o Outcome, done func(error))
	// Owners returns the records of the account that have one of the ids.
	Owners(ctx context.Context, account int64, ids ...string) (map[string]int64, error)
	// Shared returns the records of the account that have an id which another one
	// has as well, by their ids and then by their numbers.
	Shared(ctx context.Context, account int64) ([]SharedRecord, error)
	// Disown takes id and lead from a loaded record, whose creation is in doubt from
	// then on. What was sent for it is not known any more (Outcome.Payload).
	Disown(ctx context.Context, l Lease, o Outcome) error
	// Open returns operations that are in doubt, pending or missing, by the
	// numbers of their records.
	Open(ctx context.Context, q Query) ([]Operation, error)
	// CountOpen counts an account's operations in doubt, pending and missing.
	CountOpen(ctx context.Context, account int64) (OpenCount, error)
	// Twice returns the number of ids of the account that stand on a row that a
	// run has loaded and on another record, and names one of them.
	Twice(ctx context.Context, run int64) (id string, n int64, err error)
	// Newest returns the newest loaded records of an account whose target
	// begins with prefix and whose lead is known, at most n, of the last day.
	// Those whose answer was lost are left out: when they were made is not
	// known.
	Newest(ctx context.Context, account int64, prefix string, n int) ([]KnownRecord, error)

	// Mappings returns the texts of the mappings by which runs have loaded into the
	// account of a scope, those of the newest runs first, at most n of them.
	Mappings(ctx context.Context, scope int64, n int) ([]MappingText, error)
	// Records yields the records of a scope that the query names, by their numbers.
	// Prints are valid until the next one. No read stays open between two.
	Records(ctx context.Context, q RecordQuery) iter.Seq2[Record, error]
	// Roster returns the records that runs of a whole file have had; not known: no
	// run has written it.
	Roster(ctx context.Context, f WholeFile) (all Set, known bool, err error)
	// Here returns those of some records that are in the account now.
	Here(ctx context.Context, records Set) (Set, error)
	// Enlist writes the roster of a file, as a run leaves it, and which of its records
	// the file no longer has.
	Enlist(ctx context.Context, l Lease, run int64, f WholeFile, all, gone Set) error
	// Used reports whether the ledger knows anything of an account: an import that
	// made calls, a record that is there, or a call with something to say.
	Used(ctx context.Context, account int64) (bool, error)
	// Trusted reports whether a run with a mapping, named by its hash, has loaded
	// a record into the account.
	Trusted(ctx context.Context, account int64, mapping string) (bool, error)

	// Baselines returns what is known of fields of records and leads of an account,
	// beside what stands with the records. Ids are those in the account.
	Baselines(ctx context.Context, account int64, ids []string) ([]Baseline, error)
	// SentToLeads returns what the rows of an account that were loaded sent last into
	// fields of leads: for each field of a lead the print of the newest row, with
	// the moment of its call.
	SentToLeads(ctx context.Context, account int64, leads, fields []string) ([]Baseline, error)

	// Planned returns the rows of a run that it planned to send and that have a
	// record, in the order of the file, each with what an undo must know.
	Planned(ctx context.Context, run int64) iter.Seq2[Planned, error]

	// Keyed returns the records that people know by a key, those of one account or
	// with 0 of all.
	Keyed(ctx context.Context, account int64, key string) ([]int64, error)
	// Forget makes records of the lease's account what they were before they were
	// first sent, and returns how many. One with an open operation stays as it is,
	// unless it was disowned and nobody has its payload.
	Forget(ctx context.Context, l Lease, records []int64) (int64, error)
	// Offers returns the values that rows of runs had for records and that the
	// records do not have, by their numbers.
	Offers(ctx context.Context, records []int64) (map[int64]Offer, error)
	// Accept lets records of the lease's account be known by the values that rows
	// have offered, as if they had been sent, and returns how many. One with an open
	// operation stays as it is.
	Accept(ctx context.Context, l Lease, records []int64) (int64, error)
	// History returns what the runs had to do with records, the oldest run first.
	History(ctx context.Context, records []int64) iter.Seq2[Event, error]
	// Traces returns where records are in the account, by their numbers. Those
	// that are not known are left out.
	Traces(ctx context.Context, records []int64) (map[int64]Trace, error)

	// States counts the records of all accounts by where they stand.
	States(ctx context.Context) (map[State]int64, error)
	// Wrote returns what is kept of what updates have written into records, by their
	// numbers, the newest first.
	Wrote(ctx context.Context, records []int64) (map[int64][]Kept, error)
	// Keep writes down what the account has by now of fields of updated records
	// (Moved): beside what is kept of them, or alone.
	Keep(ctx context.Context, l Lease, list []Kept) error
	// Drop forgets values that updates met before a moment (Kept), and when updates
	// wrote into records before it.
	Drop(ctx context.Context, before time.Time) error
	// Unkeep forgets the values that the updates of a run met (Kept).
	Unkeep(ctx context.Context, run int64) error
	// Prune drops the rows of runs that ended before a moment and returns
	// their number. Summaries of runs, and records, stay.
	Prune(ctx context.Context, before time.Time) (Pruned, error)
	// Check reads the whole ledger and verifies its structure.
	Check(ctx context.Context) error
	// Memo returns what is worth remembering and harmless to lose.
	Memo() Memo
	// Flush waits until everything queued so far is on disk.
	Flush() error
	// Broken returns the failure after which nothing more is written, or nil.
	Broken() error
	// Close writes what is queued and closes the ledger.
	Close() error
}

// Memo remembers leads that were looked up and calls of a day. Its writes do
// not wait for the disk: a forgotten look-up costs one call.
type Memo interface {
	// Leads returns the lead ids that look-ups found for values of a field no longer
	// ago than age, by the value. A value of which none is remembered is left out.
	Leads(ctx context.Context, account int64, field string, values []string, age time.Duration) (map[string]string, error)
	// RememberLead keeps what a look-up found. The value is kept as a hash.
	RememberLead(account int64, field, value, lead string)
	// ForgetLead drops a lead that was remembered before a moment: the account
	// may no longer know it.
	ForgetLead(account int64, field, value string, before time.Time)
	// ForgetLeads drops leads that were looked up longer than age ago, and
	// those that a former plan wanted and never looked up.
	ForgetLeads(ctx context.Context, account int64, age time.Duration) error
	// WantedLeads counts the leads of an account that a plan wants and that
	// are not known.
	WantedLeads(ctx context.Context, account int64) (int64, error)
	// CountCalls adds n calls to the account's day (UTC).
	CountCalls(account int64, at time.Time, n int64)
	// CallsOn returns the number of calls counted on the day (UTC) of at.
	CallsOn(ctx context.Context, account int64, at time.Time) (int64, error)
}

// Hidden returns what is kept of a value that need only be known again. All stores
// keep the same, since one can take over what another has.
func Hidden(value string) []byte {
	h := sha256.Sum256([]byte(value))
	return h[:16]
}

// Day returns the name of the day (UTC) in which t lies.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// RunQuery names one run by its ID, or the Newest ones.
type RunQuery struct {
	ID     int64
	Newest int
}

// MappingText is a mapping file as it was when a run used it.
type MappingText struct{ Hash, Name, Text string }

// Query names open operations of an account: those whose records have a
// number above After, at most Limit of them. With Run not 0, only those of
// rows that the run planned last.
type Query struct {
	Account, Run, After int64
	Limit               int
}

// RecordQuery names records of a scope: those in the account that imports of the
// file at Path have loaded, or those that Run is to make.
type RecordQuery struct {
	Scope int64
	Path  string
	Run   int64
}

// WholeFile names a file, or a sheet of one, whose rows are records of a scope.
type WholeFile struct {
	Scope       int64
	Path, Sheet string
}

// OpenCount is a number of open operations by state.
type OpenCount struct{ InDoubt, Pending, Missing int64 }

// Sum returns the number of all.
func (c OpenCount) Sum() int64 { return c.InDoubt + c.Pending + c.Missing }

// Adopted is a record as a results file tells of it, or the account.
type Adopted struct {
	Entry   Entry // Ident, KeyText and Digest
	State   State // Loaded, Duplicate or InDoubt
	ID      string
	LeadID  string
	Sent    time.Time // zero: not known
	Payload Payload   // for InDoubt
	// Why says why it is in doubt, and Candidates which records it may be; both may
	// be empty.
	Why        string
	Candidates []string
	// Chosen says that a person has decided: the row is no longer in doubt, if it was.
	Chosen bool
}

// Takes reports whether what the ledger knows of a row gives way: a row that it merely
// planned is not known to be anywhere.
func (a *Adopted) Takes(known State) bool {
	return known == Ready || known == Rejected || a.Chosen && known == InDoubt
}

// Planned is a row of a run that it planned to send, and where its record stands.
type Planned struct {
	Number, Line int
	Origin       int // the row in the file that it first came from
	Key          string
	Verdict      Verdict // Due or Changing
	Record       int64
	Target       string // of its scope, such as "opportunity:12000"
	Fate         Fate
	Creation     State // of its creation, where that has something to say; otherwise 0
	Change       State // of its update; 0: there is none
	ID, LeadID   string
	Sent         time.Time // when it was sent to be made; zero: never
	Run          int64     // that planned to send it last
	Undo         State     // of its deletion; 0: there is none
	UndoSent     time.Time // when that was sent
	UndoID       string    // the id that it had before a deletion that has ended well
}

// Offer says which runs' rows have values that their record does not have: the same
// values from the run First to the run Last.
type Offer struct{ First, Last int64 }

// Of reports whether the offer is what the row of a run has.
func (o Offer) Of(run int64) bool { return run >= o.First && run <= o.Last }

// Event is what a run had to do with a record.
type Event struct {
	Run    Run
	Row    Row   // as the run's report has it now
	Last   int64 // the run that planned last to send the record
	Pruned bool  // the run's rows were dropped: whether it had the record is not known
}

// Trace is where a record is in the account.
type Trace struct {
	ID, Lead string    // "" where it is not known
	Sent     time.Time // of the newest call about it; zero: not known
	Target   string    // of its scope, such as "opportunity:12000"
}

// Pruned says what Prune dropped.
type Pruned struct {
	Runs, Rows int64
	Freed      int64 // bytes
}

// Tally is the rows of a run, counted by the first pass's verdict and by where
// the records of those that are due stand; 0 is no record.
type Tally map[Verdict]map[State]int64

// Add counts rows.
func (t Tally) Add(v Verdict, s State, n int64) {
	if t[v] == nil {
		t[v] = map[State]int64{}
	}
	t[v][s] += n
}

// Counts counts the rows by their results.
func (t Tally) Counts() Counts {
	return t.by(func(v Verdict, s State) Result { return ResultOf(v, s, false) })
}

// Planned counts the rows as the first pass left them.
func (t Tally) Planned() Counts { return t.by(PlannedResult) }

func (t Tally) by(result func(Verdict, State) Result) (c Counts) {
	for v, states := range t {
		for s, n := range states {
			c.Add(result(v, s), n)
		}
	}
	return c
}
