package ledger

import (
	"encoding/json"
	"errors"
	"time"
)

// Fate is what the account has of a record. It changes only when an operation
// on the record ends well. Its numbers are on disk and never change.
type Fate uint8

// The fates of a record.
const (
	Absent  Fate = 1 // not in the account, as far as is known
	Present Fate = 2 // in the account, under an id of its own
	Matched Fate = 3 // the account's own rule took it for a record that was there
)

// Op is what a call does with a record. Its numbers are on disk and never
// change. A record has at most one operation of each kind.
type Op uint8

// The operations.
const (
	Create Op = iota // makes the record
	Update           // writes some of its fields
	Delete           // takes it out of the account
	numOps
)

// String returns the operation's name in lower case.
func (o Op) String() string {
	switch o {
	case Create:
		return "create"
	case Update:
		return "update"
	case Delete:
		return "delete"
	}
	return "unknown operation"
}

// Step reports whether an operation may go from one state to another. All
// else is refused, so that no fault elsewhere can send a row twice or forget
// one that was sent. Stores make their conditions from it.
func Step(op Op, from, to State) bool {
	if op >= numOps || to == Duplicate && op != Create {
		return false
	}
	switch to {
	case Reserved:
		return from == Ready
	case Sending:
		return from == Ready || from == Reserved
	case Ready:
		// From InDoubt only after a look-up that found nothing. From Reserved when it never left.
		return from == Reserved || from == Sending || from == InDoubt || from == Rejected || from == Ready
	case InDoubt:
		return from == Reserved || from == Sending || from == InDoubt || from == Pending
	case Pending:
		return from == Sending || from == Reserved || from == Pending
	case Loaded, Duplicate:
		return from == Sending || from == Reserved || from == InDoubt || from == Pending
	case Rejected: // from Ready when its lead was looked up and not found
		return from == Ready || from == Sending || from == Reserved || from == InDoubt || from == Pending
	}
	return false
}

// From returns the states from which an operation may go to another, as bits.
func From(op Op, to State) (bits int64) {
	for s := Ready; s <= Rejected; s++ {
		if Step(op, s, to) {
			bits |= 1 << s
		}
	}
	return bits
}

// Open reports whether the fate of a call in this state is open: its payload
// is kept, and nothing else may be sent for the row.
func (s State) Open() bool { return s >= Reserved && s <= Pending }

// Ended reports whether an operation in this state has ended well.
func (s State) Ended() bool { return s == Loaded || s == Duplicate }

// Before returns the fate that a record must have for an operation on it.
func (o Op) Before() Fate {
	if o == Create {
		return Absent
	}
	return Present
}

// After returns the record's fate once an operation has ended well.
func (o Op) After(s State) Fate {
	switch {
	case o == Delete:
		return Absent
	case o == Create && s == Duplicate:
		return Matched
	}
	return Present
}

// StateOf joins a record's fate with the state of its creation (0: there is
// no such operation): the one word for where its row stands.
func StateOf(f Fate, creation State) State {
	switch f {
	case Present:
		return Loaded
	case Matched:
		return Duplicate
	}
	if creation == 0 {
		return Ready
	}
	return creation
}

// Payload is what was sent for a record, kept while its fate is open so that
// it can be looked for in the account, and sent again when it is not there.
type Payload struct {
	Target    string   `json:"t"`           // opportunity, opportunity-async, sales-activity
	Body      string   `json:"b"`           // the request body
	LeadField string   `json:"f,omitempty"` // what its lead is found by
	LeadValue string   `json:"v,omitempty"`
	Lead      string   `json:"l,omitempty"` // names the lead for the order of sending
	KeyFields []string `json:"k,omitempty"` // fields whose values alone identify the record
	// Lookup is how the lead is looked up before the call, in the sender's words.
	// The ledger does not read it.
	Lookup json.RawMessage `json:"u,omitempty"`
}

// UnmarshalJSON reads a payload. Older versions wrote the members of Lookup
// beside the others: a member that Payload does not have is taken into Lookup.
func (p *Payload) UnmarshalJSON(text []byte) error {
	type plain Payload
	if err := json.Unmarshal(text, (*plain)(p)); err != nil || p.Lookup != nil {
		return err
	}
	rest := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &rest); err != nil {
		return err
	}
	for _, known := range []string{"t", "b", "f", "v", "l", "k", "u"} {
		delete(rest, known)
	}
	if len(rest) == 0 {
		return nil
	}
	var err error
	p.Lookup, err = json.Marshal(rest)
	return err
}

// Encode returns the payload as stores keep it.
func (p *Payload) Encode() ([]byte, error) { return json.Marshal(p) }

// Decode reads what Encode wrote, also in an earlier version.
func (p *Payload) Decode(text []byte) error { return json.Unmarshal(text, p) }

// Intent says that an operation is about to be sent.
type Intent struct {
	Record  int64
	Op      Op
	At      time.Time // our clock: it is compared with the account's
	Call    int64     // operations of one call share its number; 0: the call is this operation's alone
	Payload Payload
}

// Outcome says what became of an operation.
type Outcome struct {
	Record          int64
	Op              Op
	State           State // Ready (certainly not applied), InDoubt, Pending, Loaded, Duplicate or Rejected
	ID              string
	LeadID          string
	RequestID       string
	Code, Msg, Hint string
	Candidates      []string
	// Unowned refuses the outcome with ErrOwned when another record of the
	// account has the ID.
	Unowned bool
}

// Words reports whether the outcome has something to say to people.
func (o *Outcome) Words() bool { return o.Code != "" || o.Msg != "" || o.Hint != "" }

// ErrState says that an operation is not in a state from which the step is
// allowed: a row is never sent while its fate is open.
var ErrState = errors.New("the record is not in a state that allows this step")

// ErrOwned says that a record of the account belongs to another row.
var ErrOwned = errors.New("another row of the ledger has this id")

// Lease is the right to send to an account. Every intent and outcome carries
// it; a store refuses them with ErrFenced once the lease is another's.
type Lease struct {
	Account int64
	Token   int64 // grows with every lease of the account
}

// Holder says who has a lease, for people.
type Holder struct {
	Who     string // user@machine and process
	Command string
}

// ErrFenced says that another run has taken the account over. Whoever gets it
// sends nothing more.
var ErrFenced = errors.New("another run has taken over this account")

// Fenced returns the *Error for a lease that is lost; where names the ledger.
func Fenced(where string) error {
	return &Error{Code: "ledger.fenced", Place: At(where), Msg: "another run has taken over this account, so this one sends nothing more",
		Hint: "wait for the other run to end and run the same command again", Err: ErrFenced}
}

// DoubtHint is what to do about a row in doubt.
const DoubtHint = "the account may have it; run leadload settle, which looks before anything is sent again"

// The words for an operation that a run left open when it was cut off.
const (
	CutOffCode = "doubt.cut-off"
	CutOffMsg  = "the run was cut off while this row was being sent"
)

// Operation is a call whose fate is open.
type Operation struct {
	Record    int64
	Op        Op
	State     State     // InDoubt or Pending
	Target    string    // of the record's scope
	Sent      time.Time // when its call began, or was about to
	Ended     time.Time // when its call had ended, at the latest; zero: not known
	Changed   bool      // the file has other values for it by now
	Resends   int       // of the row, in all its life
	Attempts  int
	LeadID    string
	RequestID string
	Run       int64
	Number    int // the row in the run that last planned it
	Payload   Payload
}

// KnownRecord is a loaded record of which it is known when it was sent.
type KnownRecord struct {
	ID, LeadID string
	Target     string // of its scope
	Sent       time.Time
}
