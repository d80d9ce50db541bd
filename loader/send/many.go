package send

import (
	"context"
	"sync"

	"leadload/loader/ledger"
	"leadload/loader/pace"
)

// Kind is a call that takes many rows. The rows of one call are of one kind.
type Kind uint8

// The calls that take many rows.
const (
	Updates Kind = iota // change records
	Creates             // make records of leads that are there
	kinds
	Singly // none: the row goes in a call of its own
)

// String returns the kind in lower case.
func (k Kind) String() string { return [...]string{"updates", "new records", "", "singly"}[k] }

// Many makes the calls that take many rows. It is safe for concurrent use.
type Many interface {
	// Kind returns the call that a row fits in as things stand, or Singly. A new
	// record's lead need not be known yet.
	Kind(j *Row) Kind
	// Most returns how many rows the next call of a kind takes: 0 for none now, at
	// least 2 otherwise.
	Most(k Kind) int
	// Begin says that a call of a kind is about to take its rows. It reports false
	// where another has begun meanwhile that has to end first.
	Begin(k Kind) bool
	// Send sends rows, no two of one lead, each after its intent is on disk. c is the
	// place of the first call. Of each row that has an outcome end is called, once;
	// back are the others: they are as they were, and go singly. The error ends the run.
	Send(ctx context.Context, c *pace.Call, k Kind, rows []*Row, end func(*Row, ledger.Outcome)) (back []*Row, err error)
}

// kindOf returns the call that a row goes in. A row whose lead must be found first
// goes singly as far as that.
func (s *Sender) kindOf(ctx context.Context, j *Row) (Kind, error) {
	if s.Many == nil || j.again {
		return Singly, nil
	}
	k := s.Many.Kind(j)
	if k != Creates || j.LeadID != "" {
		return k, nil
	}
	if !j.asked {
		known, err := s.rememberedLead(ctx, j)
		if err != nil {
			return Singly, err
		}
		j.LeadID = known
	}
	if j.LeadID == "" {
		j.seek = true
		return Singly, nil
	}
	return k, nil
}

// found looks a row's lead up and puts the row where those wait whose lead is known.
// It reports false where the row has an outcome already, or ends here.
func (s *Sender) found(ctx context.Context, j *Row, p *pool) (bool, ledger.Outcome, error) {
	j.seek = false
	defer p.sought()
	look, err := j.lookup(targetOf(j))
	if err != nil {
		return false, ledger.Outcome{}, err
	}
	lead, refused, err := s.leadOf(ctx, j, look)
	if err != nil || refused.State != 0 {
		return false, refused, err
	}
	j.LeadID = lead
	p.putBack(s.Many.Kind(j), j)
	return true, ledger.Outcome{}, nil
}

// sendMany makes calls of many rows until the pool is closed.
func (s *Sender) sendMany(ctx context.Context, p *pool, freed chan<- string) error {
	for {
		if !p.worth() {
			return nil
		}
		c, err := s.Line.SlotMany(p.open, false)
		if p.open.Err() != nil && ctx.Err() == nil {
			// All rows are done, and there is nothing left to wait for.
			if err == nil {
				s.Line.Abort(c)
			}
			return nil
		}
		if err != nil {
			return err
		}
		k, rows := p.fill(s.Many.Begin)
		if rows == nil {
			s.Line.Abort(c)
			p.rest()
			continue
		}
		var mu sync.Mutex
		var first error
		fail := func(err error) {
			mu.Lock()
			defer mu.Unlock()
			if first == nil {
				first = err
			}
		}
		var written sync.WaitGroup
		back, err := s.Many.Send(ctx, c, k, rows, func(j *Row, o ledger.Outcome) {
			if err := s.Doubt(ctx, &o); err != nil {
				fail(err)
			}
			s.count(j, o)
			written.Add(1)
			s.Ledger.SettleLater(s.Lease, o, func(err error) {
				defer written.Done()
				if err := s.Kept(o, err); err != nil {
					fail(err)
					return
				}
				freed <- j.Payload.Lead
			})
			fail(s.judged(ctx, j, o))
		})
		written.Wait()
		for _, j := range back {
			if err == nil && ctx.Err() == nil {
				p.putBack(Singly, j)
			}
		}
		p.rest()
		if err == nil {
			err = first
		}
		if err != nil {
			return err
		}
	}
}
