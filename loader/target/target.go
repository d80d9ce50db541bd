// Package target says what a row can become in the account: how it is called
// for, how it is found again, and what the account says of its fields.
//
// One file a target, one line a target in the table below, and package mapping
// has a file for its body. A change belongs here when it concerns one target,
// or a call that only some targets have. Changing and deleting records are
// further cases of Calls, many records a call are its Max, and reading a record
// back by its id is a method beside Look. Nothing outside asks which target it
// has before it; what differs is a method here.
package target

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/mapping"
)

// Target is all that the loader must know of one target.
type Target interface {
	// Scope returns the part of the account within which a key names one record.
	Scope(m *mapping.Mapping) Scope
	// Calls returns how an operation is called for. It reports false where the
	// account has no such call, or none that is safe to make.
	Calls(op ledger.Op) (Calls, bool)
	// Sent reads what the body of a creation asked the account to store.
	Sent(body []byte) (leadsquared.Sent, error)
	// MakesLead reports that a creation makes the lead where there is none. The lead
	// may then be younger than every look-up of leads shows.
	MakesLead() bool
	// Look reads which records the account has that may be those asked for. The
	// error ends the run; what could not be read is in the Sight.
	Look(ctx context.Context, l *line.Line, q Question) (Sight, error)
	// Fields reads what the account says of the fields that a mapping uses.
	Fields(ctx context.Context, l *line.Line, m *mapping.Mapping) (Fields, error)
	// Known reads what helps to draft a mapping. code is the opportunity type, or 0.
	Known(ctx context.Context, l *line.Line, code int) (Known, error)
}

// Queued is a Target whose calls are queued by the account and asked about later.
type Queued interface {
	Target
	// Status reads how a queued call stands.
	Status(ctx context.Context, l *line.Line, requestID string) (leadsquared.Task, leadsquared.Outcome, error)
	// Queue reads how full the queue is.
	Queue(ctx context.Context, l *line.Line) (leadsquared.Queue, leadsquared.Outcome, error)
}

// table has the targets by their names in a mapping.
var table = map[mapping.Target]Target{
	mapping.Opportunity:      opportunity{},
	mapping.OpportunityAsync: queued{},
	mapping.SalesActivity:    sale{},
}

// For returns a target of a mapping. It panics on an unknown one: to treat it
// as another would make the wrong records.
func For(name mapping.Target) Target {
	if t := table[name]; t != nil {
		return t
	}
	panic("target: nothing is known of target " + string(name))
}

// Stored returns a target by the name that a ledger has. It reports false for
// one that only another version of the program knows.
func Stored(name string) (Target, bool) {
	t := table[mapping.Target(name)]
	return t, t != nil
}

// Calls is how an operation is called for.
type Calls struct {
	Max  int // records that one call takes
	Make func(ctx context.Context, c *leadsquared.Client, slot leadsquared.Slot, items []Item) []leadsquared.Outcome
}

// Item is one record of a call.
type Item struct {
	ID   string // of a record that is there; "" of one that is to be made
	Body []byte
}

// creation is the Calls of a target that makes one record a call and does nothing else.
func creation(op ledger.Op, m leadsquared.Making) (Calls, bool) {
	if op != ledger.Create {
		return Calls{}, false
	}
	return Calls{Max: 1, Make: func(ctx context.Context, c *leadsquared.Client, slot leadsquared.Slot, items []Item) []leadsquared.Outcome {
		return []leadsquared.Outcome{c.Make(ctx, slot, m, items[0].Body)}
	}}, true
}

// deletion is the Calls of a call that takes one record back.
func deletion(call func(*leadsquared.Client, context.Context, leadsquared.Slot, string) leadsquared.Outcome) Calls {
	return Calls{Max: 1, Make: func(ctx context.Context, c *leadsquared.Client, slot leadsquared.Slot, items []Item) []leadsquared.Outcome {
		return []leadsquared.Outcome{call(c, ctx, slot, items[0].ID)}
	}}
}

// Scope is a part of the account within which a key names one record.
type Scope struct {
	Kind string // "opportunity", "sales-activity"
	Code int    // the opportunity type; 0 means none
}

// String writes a scope as the ledger keeps it: "opportunity:12000".
func (s Scope) String() string {
	if s.Kind == opportunityKind || s.Code != 0 {
		return fmt.Sprintf("%s:%d", s.Kind, s.Code)
	}
	return s.Kind
}

// Event returns the event code under which a scope's records stand on their leads' trails.
func (s Scope) Event() int {
	if s.Kind == string(mapping.SalesActivity) {
		return salesEvent
	}
	return s.Code
}

// ParseScope reads what String wrote.
func ParseScope(text string) Scope {
	kind, code, _ := strings.Cut(text, ":")
	n, _ := strconv.Atoi(code) // none: 0
	return Scope{kind, n}
}

// OfOpportunities reports whether the records of a scope are opportunities.
func (s Scope) OfOpportunities() bool { return s.Kind == opportunityKind }

// Question is what a Look is to find out.
type Question struct {
	Leads []string  // ids
	Codes []int     // event codes of the records, each once
	Count int       // how many records are missed
	Since time.Time // older records do not matter unless they may carry a key; by the account's clock
	// Whole asks for what is read only when something seems to be missed, too.
	Whole bool
	Keys  []string // schema names whose values identify a record whatever its age
	// Owned reports whether a record of a lead belongs to a row of the ledger.
	Owned func(ctx context.Context, lead, id string) (bool, error)
	// Peek is what was read before; nil: nothing.
	Peek *Peek
}

// Sight is what the account shows of some leads.
type Sight struct {
	Records []Record // that no row owns
	// Blind says why nothing can be concluded from what is missing; "" when what
	// is not seen is not there.
	Blind string
	// Later says that asking again in a while may help.
	Later bool
	// Shown says that the account has shown something of the leads: what is missing
	// beside it is missing.
	Shown bool
	// Reads is how many different calls have answered about each lead, at least.
	Reads int
	// Short says that a call was left out because nothing seemed to be missed (Question.Whole).
	Short bool
}

func (s *Sight) blind(why string) { s.Blind, s.Later = why, true }

// Record is a record of the account that belongs to no row of the ledger.
type Record struct {
	ID, Lead string
	Code     int       // its event code; 0 means none
	Created  time.Time // the account's clock, whole seconds; zero: not known
	Readable bool      // its fields could be read
	Note     string
	Fields   map[string]string
	// Untouched says that nobody has changed it since it was made, automations among them.
	Untouched bool
	// Elsewhere says that it was found without its lead, which may be another one than
	// that of the rows asked about.
	Elsewhere bool
	// Loose says that lead and moment do not make it the record of a row: there
	// must be a field that agrees.
	Loose bool
}

// fresh reports whether a record is young enough for the question.
func (q *Question) fresh(created time.Time) bool { return created.IsZero() || !created.Before(q.Since) }

// Fields is what the account says of its fields and products.
type Fields struct {
	Lead        []leadsquared.Field   `json:"lead,omitempty"`
	Opportunity []leadsquared.Field   `json:"opportunity,omitempty"`
	Activity    []leadsquared.Field   `json:"activity,omitempty"`
	Products    []leadsquared.Product `json:"products,omitempty"`
	// HasProducts reports that products were asked for: an account may have none.
	HasProducts bool `json:"has_products,omitempty"`
}

// Known is what the account knows that makes the draft of a mapping better.
type Known struct {
	Fields
	Code  int                           // as asked for, or the account's only type
	Types []leadsquared.OpportunityType // of which one is to be chosen
}
