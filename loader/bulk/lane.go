// Package bulk makes the calls that take many records, beside those of one.
//
// The vendor documents no answer to them, so that the lane proves itself: its first
// call to an account carries two records, which are read back. Only where answer
// and account agree, row by row, is the form of the answer trusted, for a day. Where
// a form does not number its rows, every call is read back like that. What is not
// certain is in doubt and looked up; an account whose answers cannot be read gets
// calls of one record.
//
// A change belongs here when it is about what such an answer means. Which rows go
// together is in package send, and whether an update may be written in package update.
package bulk

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/pace"
	"leadload/loader/send"
	"leadload/loader/target"
	"leadload/loader/update"
	"leadload/mapping"
)

// proofRows is how many records the first call carries.
const proofRows = 2

// blind makes tests believe every answer.
var blind bool

// proofTries bounds the first calls whose answers were lost before anything was learned.
const proofTries = 3

// Shape is what was learned of the answers to one of the calls.
type Shape struct {
	Form leadsquared.BulkForm `json:"form,omitempty"`
	// Why says why such calls are not made; "" means that they are.
	Why string `json:"why,omitempty"`
}

// known reports whether anything was learned.
func (s Shape) known() bool { return s != Shape{} }

// Lane makes the calls of one account that take many records. It is safe for concurrent
// use once its fields are set. It is a send.Many.
type Lane struct {
	Line     *line.Line
	Ledger   ledger.Store
	Lease    ledger.Lease
	Updater  *update.Updater // looks at records before they are changed
	Memory   target.Memory   // may be nil
	Patience time.Duration   // how long a read may show a record as it was
	Notify   func(string)
	// Learned is what is known of the account's answers; Learn keeps what is new.
	Learned [2]Shape
	Learn   func(send.Kind, Shape)

	mu       sync.Mutex
	proving  [2]bool
	tries    [2]int
	harmless [2]bool // refusals of whole calls have been seen to change nothing
}

// Kind returns the call of many records that a row fits in.
func (l *Lane) Kind(j *send.Row) send.Kind {
	switch {
	case j.Payload.Target != string(mapping.Opportunity):
	case j.Op == ledger.Update:
		if l.shape(send.Updates).Why == "" {
			if _, fits := l.Updater.AmongMany(j.Payload.Edit); fits {
				return send.Updates
			}
		}
	case j.Op == ledger.Create:
		if l.shape(send.Creates).Why == "" && send.MustExist(j) && object(j) != nil {
			return send.Creates
		}
	}
	return send.Singly
}

// Most returns how many rows the next call of a kind takes.
func (l *Lane) Most(k send.Kind) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s := l.Learned[k]; {
	case s.Why != "" || l.proving[k]:
		return 0
	case !s.known():
		return proofRows
	}
	return leadsquared.MaxBulk
}

// Begin says that a call of a kind is about to take its rows.
func (l *Lane) Begin(k send.Kind) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s := l.Learned[k]; {
	case s.Why != "" || l.proving[k]:
		return false
	case !s.known():
		l.proving[k] = true
	}
	return true
}

func (l *Lane) shape(k send.Kind) Shape {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Learned[k]
}

// learn keeps what a call has shown of its answers.
func (l *Lane) learn(k send.Kind, s Shape) {
	l.mu.Lock()
	was := l.Learned[k]
	if was.Why != "" {
		s = was
	}
	l.Learned[k] = s
	l.mu.Unlock()
	if s == was {
		return
	}
	if l.Learn != nil {
		l.Learn(k, s)
	}
	if s.Why != "" {
		l.Notify(fmt.Sprintf("bulk answers of this account cannot be read: single calls (%s: %s)", k, s.Why))
	}
}

// unproved takes note of a first call that has shown nothing. After some of them no
// more are made.
func (l *Lane) unproved(k send.Kind, why string) {
	l.mu.Lock()
	l.tries[k]++
	spent := l.tries[k] >= proofTries
	l.mu.Unlock()
	if spent {
		l.learn(k, Shape{Why: why})
	}
}

// Send sends rows, no two of one lead, each after its intent is on disk.
func (l *Lane) Send(ctx context.Context, c *pace.Call, k send.Kind, rows []*send.Row, end func(*send.Row, ledger.Outcome)) (back []*send.Row, err error) {
	proof := !l.shape(k).known()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.proving[k] = l.proving[k] && !proof
	}()
	b := &batch{Lane: l, kind: k, end: end, proof: proof, splits: mostSplits}
	if k == send.Updates {
		b.calls = updates{l}
	} else {
		b.calls = creates{l}
	}
	err = b.send(ctx, c, rows)
	return b.back, err
}

// calls is what the two calls of many records differ in.
type calls interface {
	// items returns the rows that still fit, each with its object, and the others.
	items(ctx context.Context, rows []*send.Row) (list []item, others []*send.Row, err error)
	make(ctx context.Context, slot leadsquared.Slot, list []item) ([]leadsquared.BulkRow, leadsquared.BulkForm, leadsquared.Outcome)
	// tried notes that a row is about to leave, or that it certainly has not arrived.
	tried(j *send.Row, tried bool)
	// outcome returns what an answer means that is believed.
	outcome(it *item, out leadsquared.Outcome) ledger.Outcome
	// names reports whether an answer may be that of a row.
	names(it *item, r leadsquared.BulkRow) bool
	// question asks for the records that an answer names.
	question(list []item, rows []leadsquared.BulkRow) target.ReadQuestion
	// sure reports whether an answer says what became of a row, so that where the form
	// is proved nothing need be read back.
	sure(r leadsquared.BulkRow) bool
	// shows reports whether a record is what a row has made of it, as the answer says;
	// other, that it certainly is that of another row.
	shows(it *item, r leadsquared.BulkRow, b target.Back) (is, other bool)
	// untouched looks whether a call that failed as a whole has changed nothing. It
	// returns the rows that are to be sent again; beside an error no row has ended.
	untouched(ctx context.Context, b *batch, list []item) (again []*send.Row, err error)
}

// item is a row with its object of a call.
type item struct {
	*send.Row
	object []byte
	began  time.Time         // of the call
	parsed *leadsquared.Sent // what sent has read
}

// sent returns what a new record is made of.
func (it *item) sent() *leadsquared.Sent {
	if it.parsed == nil {
		sent, _ := leadsquared.ParseCapture([]byte(it.Payload.Body)) // a body of which there is an object can be read
		it.parsed = &sent
	}
	return it.parsed
}

// batch is rows that go together, until each has an outcome or goes singly.
type batch struct {
	*Lane
	calls  calls
	kind   send.Kind
	end    func(*send.Row, ledger.Outcome)
	proof  bool
	splits int // calls that may still be made for halves
	back   []*send.Row
}

// mostSplits bounds the calls for the halves of one batch: enough to find one row,
// and another.
const mostSplits = 16

// send makes one call with rows, and those for its halves where the account refuses
// it as a whole.
func (b *batch) send(ctx context.Context, c *pace.Call, rows []*send.Row) error {
	again := false
	var unsent line.Unsent
	for {
		list, others, err := b.calls.items(ctx, rows)
		b.back = append(b.back, others...)
		rows = rowsOf(list)
		if err != nil || len(list) < 2 || ctx.Err() != nil {
			// A single row has a call of its own.
			b.back = append(b.back, rows...)
			b.Line.Abort(c)
			return err
		}
		out, answer, form, err := b.call(ctx, c, list)
		switch {
		case out.Verdict == leadsquared.Throttled && !b.provedHarmless() && b.kind == send.Creates && err == nil:
			// That nothing was made is the vendor's word about other calls.
			if rows, err = b.lookAgain(ctx, list, out); err != nil || len(rows) == 0 {
				return err
			}
		case out.Verdict == leadsquared.Throttled, out.Verdict == leadsquared.NotSent:
			err = cmp.Or(err, b.unsent(list, out))
		case err != nil && out.Verdict == leadsquared.Fatal:
			return cmp.Or(err, b.unsent(list, out))
		case line.MissingPath(out):
			b.learn(b.kind, Shape{Why: "the account does not have the call"})
			b.doubt(list, out)
		case line.KeysRefused(out):
			if err := b.keysServe(ctx); err != nil {
				// Keys that are refused everywhere: the run ends, and no row has arrived.
				return cmp.Or(b.unsent(list, out), err)
			}
			fallthrough
		case line.Barred(out):
			b.learn(b.kind, Shape{Why: fmt.Sprintf("the call is not let through, with HTTP status %d", out.Status)})
			b.doubt(list, out)
		case leadsquared.Shapeless(out):
			b.learn(b.kind, Shape{Why: "an answer does not say what became of each record"})
			b.doubt(list, out)
		case whole(out):
			return cmp.Or(err, b.halve(ctx, list, out))
		case out.Verdict == leadsquared.Applied:
			return cmp.Or(err, b.believe(ctx, list, answer, form))
		default:
			b.doubt(list, out)
			if b.proof {
				b.unproved(b.kind, "the answers to its first calls were lost")
			}
		}
		if err != nil || out.Verdict != leadsquared.Throttled && out.Verdict != leadsquared.NotSent {
			return err
		}
		if again = out.Verdict == leadsquared.Throttled; !again {
			if err := b.Line.Pause(ctx, &unsent, out); err != nil {
				return err
			}
		}
		if c, err = b.Line.SlotMany(ctx, again); err != nil {
			return err
		}
	}
}

// keysServe makes a harmless call with the keys that a call of many records was refused
// for; the error says that they are refused there, too. No call of the kind begins
// meanwhile, nor later: the run ends, or its rows go singly.
func (b *batch) keysServe(ctx context.Context) error {
	b.mu.Lock()
	b.proving[b.kind] = true
	b.mu.Unlock()
	_, _, err := line.Try(ctx, b.Line, b.Line.Client.Self)
	return err
}

func rowsOf(list []item) []*send.Row {
	rows := make([]*send.Row, len(list))
	for i := range list {
		rows[i] = list[i].Row
	}
	return rows
}

// call makes one call. Its intents are on disk before it leaves.
func (b *batch) call(ctx context.Context, c *pace.Call, list []item) (leadsquared.Outcome, []leadsquared.BulkRow, leadsquared.BulkForm, error) {
	now := time.Now()
	intents := make([]ledger.Intent, len(list))
	for i := range list {
		list[i].began = now
		b.calls.tried(list[i].Row, true)
		intents[i] = ledger.Intent{Record: list[i].Record, Op: list[i].Op, At: now, Call: list[0].Record, Payload: list[i].Payload}
	}
	if err := b.Ledger.Intend(ctx, b.Lease, ledger.Sending, intents...); err != nil {
		b.Line.Abort(c)
		return leadsquared.Outcome{Verdict: leadsquared.Fatal, Message: err.Error()}, nil, 0, err
	}
	rows, form, out := b.calls.make(context.WithoutCancel(ctx), c, list)
	return out, rows, form, b.Line.FinishMany(c, out)
}

// doubt ends rows whose answer does not say what became of them.
func (b *batch) doubt(list []item, out leadsquared.Outcome) {
	for i := range list {
		b.endDoubt(&list[i], out)
	}
}

func (b *batch) endDoubt(it *item, out leadsquared.Outcome) {
	out.Verdict, out.ID = leadsquared.InDoubt, ""
	o := send.Outcome(it.Record, it.Op, out)
	if it.Op == ledger.Create {
		o.LeadID = it.LeadID
	}
	b.end(it.Row, o)
}

// unsent writes down that rows certainly did not arrive: they are as they were.
func (b *batch) unsent(list []item, out leadsquared.Outcome) error {
	outcomes := make([]ledger.Outcome, len(list))
	for i := range list {
		b.calls.tried(list[i].Row, false)
		outcomes[i] = send.Outcome(list[i].Record, list[i].Op, out)
		outcomes[i].State = ledger.Ready
	}
	return b.settle(outcomes)
}

// settle writes outcomes down together, and waits until all are on disk.
func (l *Lane) settle(outcomes []ledger.Outcome) error {
	errs := make(chan error, len(outcomes))
	for _, o := range outcomes {
		l.Ledger.SettleLater(l.Lease, o, func(err error) { errs <- err })
	}
	var err error
	for range outcomes {
		err = cmp.Or(err, <-errs)
	}
	return err
}

// whole reports whether the account has refused a call as a whole: in its own words,
// or with an exception that is not about a row.
func whole(out leadsquared.Outcome) bool {
	return out.Verdict == leadsquared.Rejected ||
		out.Verdict == leadsquared.InDoubt && out.ExceptionType != "" && out.Status == 500 && !out.Slow && !out.Stop
}

// provedHarmless reports whether refusals of whole calls have changed nothing.
func (b *batch) provedHarmless() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.harmless[b.kind]
}

// lookAgain looks what a call has done that failed as a whole, unless that is known.
// It returns the rows that are to be sent again; they are as they were.
func (b *batch) lookAgain(ctx context.Context, list []item, out leadsquared.Outcome) ([]*send.Row, error) {
	if b.provedHarmless() && out.Verdict != leadsquared.InDoubt {
		return rowsOf(list), b.unsent(list, out)
	}
	again, err := b.calls.untouched(ctx, b, list)
	if err != nil {
		b.doubt(list, out)
		return nil, err
	}
	if again == nil {
		b.doubt(list, out)
	}
	return again, nil
}

// halve sends the halves of a batch that the account refuses as a whole, until the
// row that it refuses is alone. That row goes singly, and so gets its own words.
func (b *batch) halve(ctx context.Context, list []item, out leadsquared.Outcome) error {
	rows, err := b.lookAgain(ctx, list, out)
	if err != nil {
		return err
	}
	if b.proof {
		b.unproved(b.kind, "its first calls were refused: "+out.Refusal())
	}
	halves := [][]*send.Row{rows[:len(rows)/2], rows[len(rows)/2:]}
	for i, half := range halves {
		if len(half) < 2 || b.splits <= 0 || ctx.Err() != nil {
			b.back = append(b.back, half...)
			continue
		}
		b.splits--
		c, err := b.Line.SlotMany(ctx, false)
		if err == nil {
			err = b.send(ctx, c, half)
		}
		if err != nil {
			for _, rest := range halves[i+1:] {
				b.back = append(b.back, rest...)
			}
			return err
		}
	}
	return nil
}
