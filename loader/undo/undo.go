// Package undo takes back what a run made and changed in the account.
//
// A record is taken back only when the run made it, no later run has written it,
// and the account shows that nobody has changed it since. Each deletion is an
// operation of the ledger: its intent is on disk before the call and its outcome
// after, so that an undo which was cut off goes on where it was. Whether a record
// is gone is believed from a read alone, never from the answer to the deletion.
package undo

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"leadload/internal/fault"
	"leadload/loader/compare"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/send"
	"leadload/loader/target"
	"leadload/loader/update"
	"leadload/loader/words"
	"leadload/mapping"
)

// Undoer takes back rows of one account.
type Undoer struct {
	Line        *line.Line
	Ledger      ledger.Store
	Lease       ledger.Lease
	Updater     *update.Updater // puts values back
	Concurrency int
	Patience    time.Duration // from a call until reads show what it did
	Memory      target.Memory // may be nil
	Notify      func(string)
	Done        func() // told of each item that was taken back or could not be; may be nil

	types map[int]leadsquared.OpportunityType
}

// Open is the result of an Item that is still to be taken back.
const Open = -1

// Item is a row of the run and what becomes of it.
type Item struct {
	ledger.Planned
	Kept   []ledger.Kept // values that the run's update replaced
	Result int           // a place in words.Undo, or Open
	Why    string        // of words.Kept and words.Failed
	Hint   string
	// Stays says that the record's type does not allow a deletion.
	Stays bool

	payload *ledger.Payload // puts values back; nil: the record is taken out
}

// Restores reports whether values are put back, rather than a record taken out.
func (it *Item) Restores() bool { return it.Verdict == ledger.Changing }

// told counts an item that Do is through with.
func (u *Undoer) told() {
	if u.Done != nil {
		u.Done()
	}
}

func (it *Item) keep(format string, args ...any) {
	it.Result, it.Why = words.Kept, fmt.Sprintf(format, args...)
}

func (it *Item) fail(why string) {
	it.Result, it.Why, it.Hint = words.Failed, why, AgainHint
}

// AgainHint is what to do about an item that failed.
const AgainHint = "run undo again: what was taken back is not touched twice"

// Plan reads what the account has of the open items, and says what becomes of
// those that are to stay. The error ends the command.
func (u *Undoer) Plan(ctx context.Context, items []*Item) error {
	if err := u.look(ctx, items); err != nil {
		return err
	}
	return u.lookAtValues(ctx, items)
}

// look reads the records that are to be taken out.
func (u *Undoer) look(ctx context.Context, items []*Item) error {
	groups := map[string][]*Item{}
	var order []string
	for _, it := range items {
		if it.Result != Open || it.Restores() {
			continue
		}
		if groups[it.Target] == nil {
			order = append(order, it.Target)
		}
		groups[it.Target] = append(groups[it.Target], it)
	}
	for _, name := range order {
		if err := u.lookAt(ctx, target.ParseScope(name), groups[name]); err != nil {
			return err
		}
	}
	return nil
}

// takerOf returns how records of a scope are taken back.
func takerOf(s target.Scope) (target.Taker, bool) {
	t, known := target.Stored(s.Kind)
	taker, can := t.(target.Taker)
	return taker, known && can
}

// lookAt is look for the records of one scope.
func (u *Undoer) lookAt(ctx context.Context, scope target.Scope, items []*Item) error {
	taker, can := takerOf(scope)
	if !can {
		for _, it := range items {
			it.keep("this version of leadload cannot take back a %s", scope)
		}
		return nil
	}
	if scope.Kind == string(mapping.Opportunity) && scope.Code == 0 {
		for _, it := range items {
			it.keep("the mapping takes its type from a column, and the ledger does not keep it")
			it.Hint, it.Stays = "delete it in the account, and then run leadload forget with its key", true
		}
		return nil
	}
	stays := ""
	if scope.Code != 0 {
		if u.types == nil {
			var err error
			if u.types, err = target.TypesToDelete(ctx, u.Line); err != nil {
				return err
			}
		}
		switch t, listed := u.types[scope.Code]; {
		case !listed: // a deletion has no way back, so it is not tried
			stays = fmt.Sprintf("whether its type %d allows a deletion is not known: the account does not list the type", scope.Code)
		case !t.CanDelete:
			stays = fmt.Sprintf("the account allows no deletion of its type %d", scope.Code)
		}
	}
	records := make([]int64, len(items))
	for i, it := range items {
		records[i] = it.Record
	}
	known := make([]ledger.Record, len(items))
	if err := u.Ledger.Recall(ctx, records, known); err != nil {
		return err
	}
	q := target.ReadQuestion{Code: scope.Code, Memory: u.Memory, Since: items[0].Sent}
	asked := map[string]bool{}
	for i, it := range items {
		q.Wanted = append(q.Wanted, target.Wanted{ID: it.ID, Lead: it.LeadID})
		if lo, _, _ := u.Line.Ahead(); it.Sent.Add(lo).Before(q.Since) {
			q.Since = it.Sent.Add(lo)
		}
		for _, n := range known[i].Names {
			if !asked[n] && taker.Shows(n) {
				asked[n] = true
				q.Fields = append(q.Fields, n)
			}
		}
	}
	if scope.Code == 0 && !asked["SalesActivity.Status"] {
		q.Fields = append(q.Fields, "SalesActivity.Status") // a cancelled one says so there
	}
	q.Since = q.Since.Add(-time.Minute)
	got, err := taker.Read(ctx, u.Line, q)
	if err != nil {
		return err
	}
	for i, it := range items {
		back := got[strings.ToLower(it.ID)]
		if it.LeadID == "" {
			it.LeadID = back.Lead
		}
		switch {
		case back.Presence == target.Gone, taker.Cancelled(back):
			it.Why = gone
		case it.Undo.Open():
			// Whether its call was made is asked when the others are taken back.
		case back.Presence != target.Present:
			it.fail("what the account has could not be read: " + back.Why)
		case stays != "":
			it.keep("%s", stays)
			it.Hint, it.Stays = "delete it in the account, and then run leadload forget with its key", true
		default:
			it.changedSince(taker, back, &known[i])
		}
	}
	return nil
}

// gone marks an item that needs no call.
const gone = "it was no longer in the account"

// changedSince keeps a record that somebody has changed since the run made it.
func (it *Item) changedSince(taker target.Taker, back target.Back, known *ledger.Record) {
	switch as, certain := back.AsMade(); {
	case certain && as:
		return
	case certain:
		it.keep("somebody changed it in the account at %s UTC", back.Modified.UTC().Format(time.DateTime))
		return
	}
	// The account does not say for certain whether it was changed.
	for k, name := range known.Names {
		value, shown := back.Values[name]
		if shown && taker.Shows(name) && 4*k+4 <= len(known.Prints) && !compare.Is(value, printAt(known.Prints, k)) {
			it.keep("%s is %q in the account, which is not what was sent", name, value)
			return
		}
	}
}

func printAt(prints []byte, i int) uint32 {
	p := prints[4*i : 4*i+4]
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}

// served is how long a look at a record serves for taking it back.
const served = update.Served

// Do takes back the open items of a plan that was made at a moment. Items that
// it does not reach stay Open. The error ends the command.
func (u *Undoer) Do(ctx context.Context, items []*Item, planned time.Time) error {
	var open []*Item
	for _, it := range items {
		if it.Result == Open {
			open = append(open, it)
		}
	}
	// In small parts, each of which was looked at a short while before.
	for len(open) > 0 {
		n := min(len(open), chunk)
		part := open[:n]
		open = open[n:]
		if time.Since(planned) > served {
			if err := u.Plan(ctx, part); err != nil {
				return err
			}
		}
		if err := u.part(ctx, part); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
	}
	if err := u.settle(ctx, items); err != nil {
		return err
	}
	return u.settleValues(ctx, items)
}

// chunk is how many records one look before their deletion is about. At the
// usual limit they take a quarter of a minute.
const chunk = 40

func (u *Undoer) part(ctx context.Context, items []*Item) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(u.Concurrency, 1))
	for _, it := range items {
		if it.Result != Open || it.Undo.Open() {
			continue
		}
		g.Go(func() error {
			var err error
			switch {
			case it.Restores():
				err = u.restore(ctx, it)
			case it.Why == gone:
				err = u.ended(it, gone)
			default:
				err = u.take(ctx, it)
			}
			if err == nil {
				u.told()
			}
			return err
		})
	}
	return g.Wait()
}

// ended writes down that a record is no longer in the account.
func (u *Undoer) ended(it *Item, how string) error {
	o := ledger.Outcome{Record: it.Record, Op: ledger.Delete, State: ledger.Loaded, Code: "undo.done", Msg: how}
	if err := u.Ledger.Settle(context.Background(), u.Lease, o); err != nil {
		return err
	}
	it.Result, it.Why, it.Undo = words.Undone, "", ledger.Loaded
	return nil
}

// take deletes or cancels one record and looks whether it is gone.
func (u *Undoer) take(ctx context.Context, it *Item) error {
	scope := target.ParseScope(it.Target)
	taker, _ := takerOf(scope)
	calls, can := taker.Calls(ledger.Delete)
	if !can {
		it.keep("this version of leadload cannot take back a %s", scope)
		return nil
	}
	payload := ledger.Payload{Target: scope.Kind, Body: it.ID}
	var unsent line.Unsent
	for again := false; ; {
		if err := u.Line.Ready(ctx); err != nil {
			return err
		}
		slot, err := u.Line.Slot(ctx, again)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			u.Line.Abort(slot)
			return context.Cause(ctx)
		}
		if err := u.Ledger.Intend(ctx, u.Lease, ledger.Sending, ledger.Intent{Record: it.Record, Op: ledger.Delete, At: time.Now(), Payload: payload}); err != nil {
			u.Line.Abort(slot)
			return err
		}
		it.UndoSent = time.Now()
		out := calls.Make(context.WithoutCancel(ctx), u.Line.Client, slot, []target.Item{{ID: it.ID}})[0]
		err = u.Line.Finish(slot, out)
		o := send.Outcome(it.Record, ledger.Delete, out)
		o.ID, o.LeadID = "", ""
		switch out.Verdict {
		case leadsquared.Throttled, leadsquared.NotSent:
			o.Code, o.Msg, o.Hint = "", "", "" // it certainly was not made
			if serr := u.Ledger.Settle(ctx, u.Lease, o); serr != nil || err != nil {
				return cmp.Or(err, serr)
			}
			if again = out.Verdict == leadsquared.Throttled; again {
				continue
			}
			if err := u.Line.Pause(ctx, &unsent, out); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			// A write that had left and got a page may have been made.
			it.doubt("the answer to its deletion was lost: " + out.Message)
			return cmp.Or(err, u.doubted(it))
		}
		return u.looked(ctx, it, out)
	}
}

// looked says what became of a call by what the account shows.
func (u *Undoer) looked(ctx context.Context, it *Item, out leadsquared.Outcome) error {
	taken, why, err := u.taken(ctx, it, target.Trails{})
	switch {
	case err != nil:
		it.doubt("whether it is gone could not be read")
		return cmp.Or(err, u.doubted(it))
	case taken == target.TakenBack:
		return u.ended(it, "taken back by leadload undo")
	case taken == target.StillThere && out.Verdict == leadsquared.Rejected:
		it.fail("the account refused it: " + out.Refusal())
		o := ledger.Outcome{Record: it.Record, Op: ledger.Delete, State: ledger.Rejected, Code: leadsquared.Code(out), Msg: it.Why}
		return u.Ledger.Settle(context.WithoutCancel(ctx), u.Lease, o)
	case taken == target.StillThere:
		it.doubt("the account still shows it")
	default:
		it.doubt("whether it is gone is not clear: " + why)
	}
	return u.doubted(it)
}

// doubt leaves the fate of an item open. It is looked at once more at the end.
func (it *Item) doubt(why string) {
	it.fail(why)
	it.Undo = ledger.InDoubt
}

func (u *Undoer) doubted(it *Item) error {
	return u.Ledger.Settle(context.Background(), u.Lease, ledger.Outcome{Record: it.Record, Op: ledger.Delete, State: ledger.InDoubt, Code: "undo.doubt", Msg: it.Why, Hint: it.Hint})
}

func (u *Undoer) taken(ctx context.Context, it *Item, trails target.Trails) (target.Taking, string, error) {
	scope := target.ParseScope(it.Target)
	taker, can := takerOf(scope)
	if !can {
		return target.Unclear, "this version of leadload does not know a " + scope.String(), nil
	}
	return taker.Taken(ctx, u.Line, scope.Code, target.Wanted{ID: it.ID, Lead: it.LeadID}, trails)
}

// settle looks at what is in doubt until the account shows it gone, or until it
// would have shown it. What is still there then is taken back once more.
func (u *Undoer) settle(ctx context.Context, items []*Item) error {
	var open []*Item
	for _, it := range items {
		if it.Undo == ledger.InDoubt && !it.Restores() {
			open = append(open, it)
		}
	}
	if len(open) == 0 {
		return nil
	}
	u.Notify(fmt.Sprintf("%s in doubt: the account is asked whether they are gone", fault.Plural(int64(len(open)), "deletion is", "deletions are")))
	for pause := time.Second; len(open) > 0; pause = min(2*pause, 15*time.Second) {
		var left []*Item
		trails := target.Trails{}
		for _, it := range open {
			taken, why, err := u.taken(ctx, it, trails)
			switch {
			case err != nil:
				return err
			case taken == target.TakenBack:
				if err := u.ended(it, "taken back by leadload undo"); err != nil {
					return err
				}
				u.told()
			case time.Since(it.UndoSent) < u.Patience:
				left = append(left, it)
			case taken == target.StillThere:
				o := ledger.Outcome{Record: it.Record, Op: ledger.Delete, State: ledger.Ready}
				if err := u.Ledger.Settle(ctx, u.Lease, o); err != nil {
					return err
				}
				it.Result, it.Undo = Open, 0
				if err := u.Plan(ctx, []*Item{it}); err != nil || it.Result != Open {
					if err != nil {
						return err
					}
					continue
				}
				if err := u.part(ctx, []*Item{it}); err != nil {
					return err
				}
			default:
				it.fail("whether it is gone is not clear: " + why)
			}
		}
		if open = left; len(open) > 0 {
			if err := line.Sleep(ctx, pause); err != nil {
				return err
			}
		}
	}
	return nil
}

// partOf returns the call that writes a field of a target.
func partOf(kind, field string) mapping.Part {
	switch {
	case strings.HasPrefix(field, "LeadDetails."):
		return mapping.OfLead
	case kind == string(mapping.SalesActivity):
		return mapping.OfSale
	}
	return mapping.OfOpportunity
}
