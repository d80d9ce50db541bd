package ledger

import (
	"errors"
	"fmt"
	"strings"
)

// BorrowedCode is that of a row whose answer named the record of another row.
const BorrowedCode = "doubt.borrowed-id"

// ErrBorrowed says that an answer named the record of another row, so that it
// proves nothing about its own. The operation was written down as one in doubt.
var ErrBorrowed = errors.New("the answer named the record of another row")

// Claims reports whether an outcome says that a record of the account is the
// row's, so that no other row may have its id.
func (o *Outcome) Claims() bool { return o.Op == Create && o.State == Loaded && o.ID != "" }

// Spellings returns the ids as which another answer may have named a record.
func Spellings(id string) []string {
	if plain := strings.ToLower(strings.Trim(id, "{}")); plain != id {
		return []string{id, plain}
	}
	return []string{id}
}

// Borrowed returns what an outcome is when its id is that of another row's record.
func Borrowed(o Outcome) Outcome {
	return Outcome{Record: o.Record, Op: o.Op, State: InDoubt, RequestID: o.RequestID, Candidates: []string{o.ID}, Code: BorrowedCode,
		Msg: fmt.Sprintf("the answer named record %s, which another row has: it says nothing about this row", o.ID), Hint: DoubtHint}
}

// Disowned returns what a loaded row is when its record is not its own.
func Disowned(record int64, id string) Outcome {
	return Outcome{Record: record, State: InDoubt, Candidates: []string{id}, Code: BorrowedCode,
		Msg:  fmt.Sprintf("it was told to be record %s, which is another row's: whether the account has this row is not known", id),
		Hint: "load its file again: the account is asked about the row before it is sent"}
}

// SharedRecord is a record whose id another record of the account has as well.
type SharedRecord struct {
	ID     string
	Record int64
	Target string // of its scope
	Lead   string
}
