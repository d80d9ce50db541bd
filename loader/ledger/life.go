package ledger

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/s2"
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
	if op >= numOps || to == Duplicate && op != Create || to > Rejected && to < Missing && op != Update {
		return false
	}
	switch to {
	case Reserved:
		return from == Ready || from == Missing
	case Sending:
		return from == Ready || from == Reserved || from == Missing
	case Ready:
		// From InDoubt only after a look-up that found nothing. From Reserved when it never left.
		return from == Reserved || from == Sending || from == InDoubt || from == Rejected || from == Ready || from == Missing
	case Missing:
		// From Sending when a row that was missing did not leave after all.
		return op == Create && (from == InDoubt || from == Reserved || from == Sending || from == Missing)
	case InDoubt:
		return from == Reserved || from == Sending || from == InDoubt || from == Pending
	case Pending:
		return from == Sending || from == Reserved || from == Pending
	case Loaded, Duplicate:
		if from == Ready {
			// A deletion: a look has shown that the record is gone. An update: its parts
			// have ended one by one.
			return op == Delete || op == Update
		}
		return from == Sending || from == Reserved || from == InDoubt || from == Pending
	case Rejected, Same, Contested, Withheld: // from Ready when a look was enough, from Missing when its lead was not found
		return from == Ready || from == Missing && to == Rejected || from == Sending || from == Reserved || from == InDoubt || from == Pending
	}
	return false
}

// From returns the states from which an operation may go to another, as bits.
func From(op Op, to State) (bits int64) {
	for s := Ready; int(s) < numStates; s++ {
		if Step(op, s, to) {
			bits |= 1 << s
		}
	}
	return bits
}

// Open reports whether the fate of a call in this state is open: its payload
// is kept, and nothing else may be sent for the row.
func (s State) Open() bool { return s >= Reserved && s <= Pending || s == Missing }

// Ended reports whether an operation in this state has ended well.
func (s State) Ended() bool { return s == Loaded || s == Duplicate }

// On reports whether an operation may be made on a record with this fate. What
// the account's own rule matched can be updated, and is never taken out again.
func (o Op) On(f Fate) bool {
	switch o {
	case Create:
		return f == Absent
	case Update:
		return f == Present || f == Matched
	}
	return f == Present
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

// Stands returns where an operation on a record of this fate stands; s is 0 where
// there is none. That of a creation follows from the fate where it has ended, others
// are Ready then.
func (o Op) Stands(f Fate, s State) State {
	if o == Create {
		return StateOf(f, s)
	}
	return cmp.Or(s, Ready)
}

// Anew reports whether an operation is made anew, however one of its kind has ended
// before: a deletion of a record that was made again, an update that is put back.
func Anew(op Op, e *Edit) bool { return op == Delete || e != nil && e.Back }

// Payload is what was sent for a record, kept while its fate is open so that
// it can be looked for in the account, and sent again when it is not there.
type Payload struct {
	Target    string   `json:"t"`           // opportunity, opportunity-async, sales-activity
	Body      string   `json:"b"`           // the request body
	LeadField string   `json:"f,omitempty"` // what its lead is found by
	LeadValue string   `json:"v,omitempty"`
	Lead      string   `json:"l,omitempty"` // names the lead for the order of sending
	KeyFields []string `json:"k,omitempty"` // fields whose values alone identify the record
	Constants []string `json:"c,omitempty"` // fields that have one value in every row, and so identify none
	// Empty are schema names of fields that other rows of the file have, and this one
	// leaves out: a record that has them is hardly this row's.
	Empty []string `json:"o,omitempty"`
	// Lookup is how the lead is looked up before the call, in the sender's words.
	// The ledger does not read it.
	Lookup json.RawMessage `json:"u,omitempty"`
	// Edit is what an update writes; nil: this is none.
	Edit *Edit `json:"e,omitempty"`
}

// Edit is an update of a record, as far as it has come. It holds all that is
// needed to look at the account again and to go on.
type Edit struct {
	ID      string        `json:"i"`           // the record in the account
	LeadID  string        `json:"l,omitempty"` // its lead; "" where it is not known
	Code    int           `json:"c,omitempty"` // the opportunity type
	Own     bool          `json:"o,omitempty"` // the record was made by this ledger's call
	Key     string        `json:"k,omitempty"` // of the row, as people read it
	Changes []FieldChange `json:"f"`
	Read    time.Time     `json:"r,omitzero"`     // when the record was looked at; zero: not yet
	Leads   time.Time     `json:"z,omitzero"`     // when its lead was looked at
	Gone    bool          `json:"g,omitempty"`    // it was not there then
	Back    bool          `json:"back,omitempty"` // it puts back what an update that has ended replaced
	Base    []Baseline    `json:"d,omitempty"`    // what is known of the record's fields and of its lead's
	// Names, Prints and Body are the record's once all changes are made. Prints
	// of the fields in Changes are those of their new values.
	Names  []string `json:"n"`
	Prints []byte   `json:"p"`
	Body   []byte   `json:"b"`
}

// FieldChange is one field of an Edit.
type FieldChange struct {
	Field string `json:"n"`
	Part  string `json:"t,omitempty"` // the call that writes it; "" where none does
	Value string `json:"v"`           // the file's
	Sent  uint32 `json:"s,omitempty"` // print of what was sent last; 0: never sent
	Had   string `json:"h,omitempty"` // the account's value when it was read
	// Finding is what the values say (package compare), once they were read.
	Finding uint8  `json:"g,omitempty"`
	Why     string `json:"w,omitempty"` // why it was not written
	Tried   bool   `json:"a,omitempty"` // a call with it may have left
	Done    bool   `json:"d,omitempty"` // the account has the value
	Wrote   bool   `json:"x,omitempty"` // a call of ours put it there
	// At is when the account had it at the latest: when the answer came, or when the
	// call left whose answer was lost.
	At time.Time `json:"m,omitzero"`
}

// Digest returns what the record is to be known by as far as the edit has come: a
// field that was not written keeps the print of what was sent last.
func (e *Edit) Digest() Digest {
	open := map[string]uint32{}
	all := true
	for i := range e.Changes {
		if c := &e.Changes[i]; !c.Done {
			open[c.Field], all = c.Sent, false
		}
	}
	d := Digest{}
	if all {
		copy(d.Body[:], e.Body)
		d.Names, d.Prints = e.Names, e.Prints
		return d
	}
	for i, n := range e.Names {
		sent, isOpen := open[n]
		switch {
		case !isOpen:
			d.Names, d.Prints = append(d.Names, n), append(d.Prints, e.Prints[4*i:4*i+4]...)
		case sent != 0:
			d.Names, d.Prints = append(d.Names, n), binary.LittleEndian.AppendUint32(d.Prints, sent)
		}
	}
	return d
}

// Kept returns the values that the edit met: those it replaced and those it left
// alone. s is how it ended.
func (e *Edit) Kept(s State) []Kept {
	var out []Kept
	for i := range e.Changes {
		c := &e.Changes[i]
		k := Kept{Field: c.Field, Had: c.Had, Has: c.Value, At: c.At}
		switch {
		case c.Wrote:
			k.Result = ResultUpdated
		case c.Done:
			continue // nothing was replaced
		case s == Ready:
			continue // it goes on
		case e.Back:
			continue // what the update replaced stays kept, so that it can be put back later
		case s == Rejected && c.Tried:
			k.Result = ResultRejected
		case c.Why != "":
			k.Result = ResultChanged
		default:
			k.Result = ResultConflict
		}
		out = append(out, k)
	}
	return out
}

// Kept is a value that an update met in the account, kept for a while so that it
// can be put back and be seen.
type Kept struct {
	Record   int64
	Run      int64
	Row      int // in the run
	Field    string
	Had, Has string // the account's and the file's
	Result   Result
	At       time.Time // when it was written, or else when it was kept
	// Moved says that the account had another value again after the run's updates:
	// Became. Without a field of Had and Has, the update did not write it.
	Moved  bool
	Became string
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
	for _, known := range []string{"t", "b", "f", "v", "l", "k", "c", "u", "e", "o"} {
		delete(rest, known)
	}
	if len(rest) == 0 {
		return nil
	}
	var err error
	p.Lookup, err = json.Marshal(rest)
	return err
}

// packedForm begins a payload in the form that stores keep today; an older one is
// JSON. Packed are the length of the JSON of all but the body, that JSON and the body.
// It takes half the room, so that it fits beside others into a page of a database.
const packedForm = 1

// mostPayload bounds what a damaged payload can ask for.
const mostPayload = 1 << 28

// ErrPayload says that a payload is damaged.
var ErrPayload = errors.New("what was sent is damaged")

// Encode returns the payload as stores keep it.
func (p *Payload) Encode() ([]byte, error) {
	rest := *p
	rest.Body = ""
	words, err := json.Marshal(&rest)
	if err != nil {
		return nil, err
	}
	plain := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen32+len(words)+len(p.Body)), uint64(len(words)))
	plain = append(append(plain, words...), p.Body...)
	out := make([]byte, 1+s2.MaxEncodedLen(len(plain)))
	out[0] = packedForm
	return out[:1+len(s2.Encode(out[1:], plain))], nil
}

// Decode reads what Encode wrote, also in an earlier version.
func (p *Payload) Decode(text []byte) error {
	if len(text) == 0 || text[0] != packedForm {
		return json.Unmarshal(text, p)
	}
	text = text[1:]
	if n, err := s2.DecodedLen(text); err != nil || n > mostPayload {
		return ErrPayload
	}
	plain, err := s2.Decode(nil, text)
	if err != nil {
		return ErrPayload
	}
	words, n := binary.Uvarint(plain)
	if n <= 0 || words > uint64(len(plain)-n) {
		return ErrPayload
	}
	plain = plain[n:]
	if err := json.Unmarshal(plain[:words], p); err != nil {
		return err
	}
	p.Body = string(plain[words:])
	return nil
}

// Intent says that an operation is about to be sent.
type Intent struct {
	Record  int64
	Op      Op
	At      time.Time // our clock: it is compared with the account's
	Call    int64     // operations of one call share its number and stand together; 0: the call is this operation's alone
	Payload Payload
}

// OwnCall reports whether the i-th of some intents is a call of its own, and not one
// more operation of the call before.
func OwnCall(list []Intent, i int) bool {
	return list[i].Call == 0 || i == 0 || list[i-1].Call != list[i].Call
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
	// Edit is an update as far as it has come: its digest becomes the record's,
	// and the values that it met are kept.
	Edit *Edit
	// Payload is what was sent, for a doubt of which the ledger has nothing.
	Payload *Payload
}

// From returns the state from which the outcome takes its operation, where that stands
// at a state and its record has this fate. The error is ErrState where it may not.
func (o *Outcome) From(f Fate, s State) (State, error) {
	if !s.Open() && Anew(o.Op, o.Edit) {
		if o.Op == Delete && !o.Op.On(f) {
			return s, fmt.Errorf("%w: record %d is not there to be taken out", ErrState, o.Record)
		}
		s = Ready // what the one before had to say is old news
	}
	if !Step(o.Op, s, o.State) {
		return s, NoStep(o.Op, o.Record, s, o.State)
	}
	return s, nil
}

// Answers reports whether the account has refused the call of an operation that stood
// at a state: it knows the row, and has it not. Sends that were never found are counted
// from there on.
func (o *Outcome) Answers(from State) bool {
	return o.State == Rejected && (from == Reserved || from == Sending || from == Pending)
}

// Words reports whether the outcome has something to say to people.
func (o *Outcome) Words() bool { return o.Code != "" || o.Msg != "" || o.Hint != "" }

// ErrState says that an operation is not in a state from which the step is
// allowed: a row is never sent while its fate is open.
var ErrState = errors.New("the record is not in a state that allows this step")

// NoStep returns the ErrState of an operation that may not go from one state to another.
func NoStep(op Op, record int64, from, to State) error {
	return fmt.Errorf("%w: %s of record %d is %s, not to be %s", ErrState, op, record, from, to)
}

// ErrOwned says that a record of the account belongs to another row.
var ErrOwned = errors.New("another row of the ledger has this id")

// ErrPlanned says that another run has planned a row meanwhile.
var ErrPlanned = errors.New("another run has planned the same row meanwhile")

// Refusal reports whether an error refuses its caller alone: what others write in the
// same transaction is committed.
func Refusal(err error) bool {
	return errors.Is(err, ErrState) || errors.Is(err, ErrOwned) || errors.Is(err, ErrFenced) || errors.Is(err, ErrBorrowed)
}

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
	Timeout time.Duration // how long one of its calls may take
}

// Held says that another has the lease of an account, which is not over.
type Held struct {
	Holder
	Since time.Time
	Left  time.Duration // until it is over, unless it is renewed
	// Elsewhere says that it is another account whose run has the whole ledger.
	Elsewhere bool
}

// Error says who has the lease.
func (h *Held) Error() string {
	return fmt.Sprintf("%s (leadload %s) since %s", h.Who, h.Command, h.Since.Local().Format(time.DateTime))
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
	State     State     // InDoubt, Pending or Missing
	Code      string    // what was said of it last
	Target    string    // of the record's scope
	Sent      time.Time // when its call began, or was about to
	Ended     time.Time // when its call had ended, at the latest; zero: not known
	Firm      bool      // Ended is by the end of its lease, whenever it was sent
	Changed   bool      // the file has other values for it by now
	Resends   int       // of the row, since the account refused it last
	Attempts  int
	LeadID    string
	RequestID string
	Run       int64
	Number    int // the row in the run that last planned it
	// Candidates are ids in the account that it might have.
	Candidates []string
	Payload    Payload // without a Target where what was sent is not known
}

// KnownRecord is a loaded record of which it is known when it was sent.
type KnownRecord struct {
	ID, LeadID string
	Target     string // of its scope
	Sent       time.Time
}
