package send

import (
	"context"
	"errors"
	"iter"
	"time"

	"golang.org/x/sync/errgroup"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
)

// chunk is how many rows are reserved in one transaction when there is no
// limit to wait for; so many rows at most are in doubt after a crash, beside
// those in flight.
const chunk = 256

// ReserveAge is how long a reservation stands for its call. A row that waits
// longer, as in an outage, writes its intent down anew, so that what is
// known of its moment stays true.
const ReserveAge = 2 * time.Second

// Send sends rows side by side, those of one lead one after another in their
// order. Rows of a busy lead wait while others overtake.
func (s *Sender) Send(ctx context.Context, jobs iter.Seq2[*Row, error]) error {
	ahead := s.Unlimited
	most := s.Concurrency
	if ahead {
		most += 4 * chunk
	}
	if s.Many != nil {
		// Each call of many rows finds the rows of the next one waiting.
		most += 2 * leadsquared.MaxBulk * s.ManyAtOnce
	}
	freed := make(chan string, most+1) // every job under way frees its lead once, so a send never blocks
	g, ctx := errgroup.WithContext(ctx)
	takes, room, senders := func(Kind) int { return 0 }, func() int { return 0 }, 0
	if s.Many != nil {
		takes, room, senders = s.Many.Most, s.Line.RoomForMany, s.ManyAtOnce
	}
	work, stop := newPool(ctx, senders, takes, room)
	defer stop()
	for range s.Concurrency {
		g.Go(func() error {
			for j := work.one(); j != nil; j = work.one() {
				if err := s.handle(ctx, j, work, freed); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if s.Many != nil {
		for range s.ManyAtOnce {
			g.Go(func() error { return s.sendMany(ctx, work, freed) })
		}
	}
	g.Go(func() (err error) {
		defer work.close()
		defer func() { err = errors.Join(err, s.waiting.close()) }()
		return s.feed(ctx, jobs, work, freed, most, ahead)
	})
	err := g.Wait()
	// Workers that ended early leave reserved rows behind that never left.
	for _, j := range work.left() {
		s.unsend(j)
	}
	return err
}

// feed hands jobs to the workers until all are done.
func (s *Sender) feed(ctx context.Context, jobs iter.Seq2[*Row, error], work *pool, freed <-chan string, most int, ahead bool) error {
	next, stop := iter.Pull2(jobs)
	defer stop()
	var (
		under   int    // jobs handed out whose lead is not free again
		ready   []*Row // jobs of leads that came free
		batch   []*Row // to be reserved together
		drained bool
		behind  int // rows put behind others of their lead since the last flush
		queued  int // rows that wait behind others of their lead
	)
	release := func(lead string) error {
		under--
		work.freed()
		j, err := s.waiting.next(lead)
		if err != nil {
			return &fault.Fault{Code: "run.waiting", Msg: "waiting rows cannot be read back", Hint: fault.RunAgain, Err: err}
		}
		if j != nil {
			ready = append(ready, j)
			queued--
		}
		return nil
	}
	hand := func(k Kind, j *Row) {
		under++
		work.put(k, j)
	}
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := s.reserve(ctx, batch); err != nil {
			return err
		}
		for _, j := range batch {
			hand(Singly, j)
		}
		batch, behind = batch[:0], 0
		return nil
	}
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		// Take note of everything that is free by now.
		for more := true; more; {
			select {
			case lead := <-freed:
				if err := release(lead); err != nil {
					return err
				}
			default:
				more = false
			}
		}
		var j *Row
		switch {
		case len(ready) > 0:
			j, ready = ready[0], ready[1:]
		case under+len(batch) >= most || drained:
			if err := flush(); err != nil {
				return err
			}
			if drained && under == 0 && len(ready) == 0 {
				return nil
			}
			if len(ready) > 0 {
				continue
			}
			work.stand(true, queued > 0)
			select {
			case lead := <-freed:
				work.stand(drained, queued > 0)
				if err := release(lead); err != nil {
					return err
				}
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			continue
		default:
			var err error
			var ok bool
			if j, err, ok = next(); err != nil {
				return errors.Join(flush(), err)
			} else if !ok {
				drained = true
				continue
			}
			if s.waiting.busy(j.Payload.Lead) {
				if err := s.waiting.add(j); err != nil {
					return &fault.Fault{Code: "run.waiting", Msg: "rows that wait for an earlier row of their lead cannot be kept", Hint: "free some space in the folder for temporary files and run the same command again", Err: err}
				}
				queued++
				// A long run of one lead must not keep the others of the chunk waiting.
				if behind++; behind >= 4*chunk {
					if err := flush(); err != nil {
						return err
					}
				}
				continue
			}
			s.waiting.begin(j.Payload.Lead)
		}
		k, err := s.kindOf(ctx, j)
		if err != nil {
			return err
		}
		if !ahead || k != Singly || j.seek {
			hand(k, j)
			continue
		}
		if batch = append(batch, j); len(batch) == chunk {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// reserve writes down a chunk of intents ahead of their calls.
func (s *Sender) reserve(ctx context.Context, batch []*Row) error {
	intents := make([]ledger.Intent, 0, len(batch))
	now := time.Now()
	for _, j := range batch {
		if j.Op == ledger.Create { // others write their intent themselves, once they have looked
			intents = append(intents, ledger.Intent{Record: j.Record, Op: j.Op, At: now, Payload: j.Payload})
		}
	}
	if err := s.Ledger.Intend(ctx, s.Lease, ledger.Reserved, intents...); err != nil {
		return err
	}
	for _, j := range batch {
		j.reserved, j.at = j.Op == ledger.Create, now
	}
	return nil
}

// unsend takes back the reservation of a row that never left.
func (s *Sender) unsend(j *Row) {
	if j.reserved {
		s.Ledger.SettleLater(s.Lease, ledger.Outcome{Record: j.Record, Op: j.Op, State: ledger.Ready}, func(error) {}) // a failure leaves it in doubt, which is safe
	}
}

// handle sends one job, writes its outcome down and frees its lead.
func (s *Sender) handle(ctx context.Context, j *Row, work *pool, freed chan<- string) error {
	if ctx.Err() != nil {
		s.unsend(j)
		return nil
	}
	var out ledger.Outcome
	var err error
	reserved := j.reserved
	if j.seek {
		found := false
		if found, out, err = s.found(ctx, j, work); found {
			return nil
		}
	} else {
		out, err = s.one(ctx, j)
	}
	if out.State == 0 { // it never left, and its record is as it was
		if err == nil {
			freed <- j.Payload.Lead
		}
		return err
	}
	s.count(j, out)
	if !reserved || err != nil {
		err = errors.Join(err, s.Kept(out, s.Ledger.Settle(ctx, s.Lease, out)))
		if err == nil {
			freed <- j.Payload.Lead
		}
	} else {
		lead := j.Payload.Lead
		s.Ledger.SettleLater(s.Lease, out, func(err error) {
			if err := s.Kept(out, err); err != nil {
				s.Cancel(err)
				return
			}
			freed <- lead
		})
	}
	s.doubtLead(out, &j.Payload)
	if err == nil {
		err = s.refused(out)
	}
	return err
}

// count counts a row that came to a state.
func (s *Sender) count(j *Row, out ledger.Outcome) {
	tally := s.Tally
	if j.Op == ledger.Update {
		tally = s.Updated
	}
	tally(out.State, 1)
}

// judged is what the outcome of a row that went with others means for the run.
func (s *Sender) judged(ctx context.Context, j *Row, out ledger.Outcome) error {
	s.doubtLead(out, &j.Payload)
	if err := s.mistaken(ctx, &out); err != nil {
		return err
	}
	return s.refused(out)
}

// refused ends the run when too many rows were rejected.
func (s *Sender) refused(out ledger.Outcome) (err error) {
	if out.State == ledger.Rejected && s.MaxErrors > 0 && s.rejects.Add(1) >= s.MaxErrors {
		err = fault.New("run.max-errors", "look at the sheet Failed: when the mapping is wrong, correct it and run the same command again", "%d rows were rejected (--max-errors)", s.MaxErrors)
	}
	return err
}
