package loader

import (
	"context"
	"sync"
	"time"

	"leadload/converter"
	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/loader/target"
	"leadload/loader/words"
	"leadload/mapping"
)

// VerifyJob is a file to be compared with the account. Strict and Confirm of the
// Job are not used.
type VerifyJob struct {
	Job
	Leads bool // compare attributes of leads too: one call a lead
	// OnCost is told what reading costs before anything is read; it may be nil.
	OnCost func(ReadCost)
	Sink   VerifySink
}

// ReadCost is what reading the account back costs.
type ReadCost struct {
	Records int64
	Calls   int64         // at least
	Time    time.Duration // that the calls take at the limit, at best
	Limit   string
	Left    []string // what is not compared, in sentences
}

// VerifySink takes what verify finds, in the order of the file.
type VerifySink interface {
	Row(VerifiedRow) error
	Difference(Difference) error
	// Removed takes a row of an earlier run that the file no longer has.
	Removed(ledger.Row) error
}

// VerifiedRow is one row and what the account has of it.
type VerifiedRow struct {
	Row    int // as the spreadsheet counts, in the file that it first came from
	Key    string
	Result int // a place in words.Verify
	ID     string
	Note   string
	Cells  []converter.Cell
}

// Difference is one field of one row that the account has otherwise.
type Difference struct {
	Row           int
	Key, ID       string
	Field         string
	File, Account string
	SentLast      string // "" unless it equals one of the two: the ledger keeps hashes
	By            string // who changed it: one of Changers
}

// Changers are who can have changed a field since it was sent.
var Changers = []string{"file", "account", "both", "mapping"}

// VerifyResult is what verify came to, as far as it came.
type VerifyResult struct {
	Totals  words.Counts
	By      map[string]int64 // differences by who changed the field
	Removed Removed
	Calls   int64
	Notes   []string
	End     fault.Trait // the exit code
}

// Verify compares the rows of a file with what the account has of them. Nothing
// is written to the account.
func (s *Session) Verify(ctx context.Context, j VerifyJob) (VerifyResult, error) {
	v := &verifier{Session: s, job: j, shown: map[string]bool{}}
	if err := v.begin(ctx); err != nil {
		return v.end(err)
	}
	defer v.cancel(nil)
	return v.end(v.file())
}

// VerifyRun asks whether all records of a run are still in the account. Their
// values are not compared.
func (s *Session) VerifyRun(ctx context.Context, run int64, onCost func(ReadCost), sink VerifySink) (VerifyResult, error) {
	v := &verifier{Session: s, job: VerifyJob{OnCost: onCost, Sink: sink}, shown: map[string]bool{}}
	if err := v.begin(ctx); err != nil {
		return v.end(err)
	}
	defer v.cancel(nil)
	return v.end(v.run(run))
}

// verifier is one verify at work.
type verifier struct {
	*Session
	job     VerifyJob
	ctx     context.Context
	cancel  context.CancelCauseFunc
	calls   int64 // of the pacer, before
	res     VerifyResult
	reader  target.Reader
	code    int             // the opportunity type; 0: each row has its own
	sales   bool            // records are found by their leads
	fields  []string        // that a read of records brings
	compare map[string]bool // fields that are compared at all
	leads   bool
	seen    ledger.Set      // records that the file still has
	shown   map[string]bool // fields that the account showed of some record

	chunk *verifyChunk
	queue []*verifyChunk // being read, in the order of the file
	wg    sync.WaitGroup
}

// verifyRow is a row on its way.
type verifyRow struct {
	VerifiedRow
	record int64 // 0: there is nothing to read
	trace  ledger.Trace
	code   int
	values []mapping.Field
	names  []string // of the fields that prints has 4 bytes for
	prints []byte
}

func (v *verifier) begin(ctx context.Context) error {
	v.live.reset()
	v.ctx, v.cancel = v.untilTime(ctx)
	v.calls = v.pacer.State().Calls
	v.res = VerifyResult{Totals: words.Verify.Counts(), By: map[string]int64{}}
	who, err := v.company(v.ctx)
	if who != "" {
		v.res.Notes = append(v.res.Notes, who)
		v.o.Notify(who)
	}
	return err
}

func (v *verifier) end(err error) (VerifyResult, error) {
	v.cancel(err)
	v.wg.Wait()
	if cause := context.Cause(v.ctx); cause != nil && err != nil && fault.TraitOf(cause) != fault.Bug {
		err = cause
	}
	v.res.Calls = v.pacer.State().Calls - v.calls
	switch {
	case err != nil:
		v.res.End = fault.TraitOf(err)
	case v.res.Totals.Person() > 0:
		v.res.End = fault.Person
	}
	return v.res, err
}
