package postgres

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

// leases are those that this open ledger has, as far as it can be certain of
// them without a word from the database.
type leases struct {
	mu   sync.Mutex
	held map[int64]*held // by account
	stop chan struct{}   // ends the renewals; nil: there are none
	done chan struct{}
}

type held struct {
	token int64
	until time.Duration // on our clock: it is certainly ours before
	lost  bool
}

// lose notes that a lease is another's.
func (h *leases) lose(l ledger.Lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if x := h.held[l.Account]; x != nil && x.token == l.Token {
		x.lost = true
	}
}

// certain notes until when a lease is certainly ours.
func (h *leases) certain(l ledger.Lease, until time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held == nil {
		h.held = map[int64]*held{}
	}
	if x := h.held[l.Account]; x != nil && x.token == l.Token {
		x.until = max(x.until, until)
		return
	}
	h.held[l.Account] = &held{token: l.Token, until: until}
}

// look returns for how long a lease is certainly ours, and whether it is lost.
func (h *leases) look(l ledger.Lease) (left time.Duration, lost bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.held[l.Account]
	if x == nil || x.token != l.Token || x.lost {
		return 0, true
	}
	return x.until - elapsed(), false
}

// sure is how long after a word to the database a lease is surely ours.
func (l *Ledger) sure() time.Duration { return l.o.lease - l.o.lease/20 }

// Lease takes the account for one run. A lease that another holds and that is
// not over is refused with a *ledger.Held.
func (l *Ledger) Lease(ctx context.Context, account int64, who ledger.Holder) (ledger.Lease, error) {
	out := ledger.Lease{Account: account}
	var refused *ledger.Held
	var asked time.Duration
	err := l.write(work{do: func(u *unit) error {
		refused, asked = nil, elapsed()
		marks := marksInto(u.add(marksOf))
		u.add(`INSERT INTO leadload.leases (account, token, holder, who, command, since, until, timeout, ended) VALUES ($1, 0, '', '', '', 0, 0, 0, 0) ON CONFLICT (account) DO NOTHING`, account)
		var holder, name, command []byte
		var since, until, timeout, now_ int64
		u.add("SELECT token, holder, who, command, since, until, timeout FROM leadload.leases WHERE account = $1 FOR UPDATE", account).
			into(nil, &out.Token, &holder, &name, &command, &since, &until, &timeout)
		// Asked under the lock: a wait for it is no time that the holder had.
		if _, err := u.row("SELECT "+now, nil, &now_); err != nil {
			return err
		}
		if err := l.usable(marks); err != nil { // it may have been moved since it was opened
			return err
		}
		if until > now_ && !bytes.Equal(holder, l.id) {
			refused = &ledger.Held{Holder: ledger.Holder{Who: string(name), Command: string(command)}, Since: time.UnixMilli(since), Left: time.Duration(until-now_) * time.Millisecond}
			return nil
		}
		if until > now_ {
			until, timeout = now_, 0 // our own: nobody else's calls are under way
		}
		out.Token++
		return u.put("UPDATE leadload.leases SET token = $2, holder = $3, who = $4, command = $5, since = $6, until = $6::bigint + $7::bigint, timeout = $8, ended = greatest(ended, $9) WHERE account = $1",
			account, out.Token, l.id, []byte(who.Who), []byte(who.Command), now_, l.o.lease.Milliseconds(), who.Timeout.Milliseconds(), until+timeout)
	}})
	if err != nil {
		return ledger.Lease{}, err
	}
	if refused != nil {
		return ledger.Lease{}, refused
	}
	l.lease.certain(out, asked+l.sure())
	l.lease.mu.Lock()
	defer l.lease.mu.Unlock()
	if l.lease.stop == nil {
		l.lease.stop, l.lease.done = make(chan struct{}), make(chan struct{})
		go l.renewals(l.lease.stop, l.lease.done)
	}
	return out, nil
}

// Holder returns who has the lease of an account; nil is nobody.
func (l *Ledger) Holder(ctx context.Context, account int64) (*ledger.Held, error) {
	var name, command []byte
	var since, left int64
	found, err := l.one(ctx, "SELECT who, command, since, until - "+now+" FROM leadload.leases WHERE account = $1 AND until > "+now, []any{account}, &name, &command, &since, &left)
	if err != nil || !found {
		return nil, err
	}
	return &ledger.Held{Holder: ledger.Holder{Who: string(name), Command: string(command)}, Since: time.UnixMilli(since), Left: time.Duration(left) * time.Millisecond}, nil
}

// renewals renews all leases while the ledger is open. It has no part in the
// group's transactions, which wait for a database that is away.
func (l *Ledger) renewals(stop, done chan struct{}) {
	defer close(done)
	t := time.NewTicker(l.o.lease / 4)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
		}
		for _, x := range l.leases() {
			ctx, cancel := context.WithTimeout(context.Background(), l.o.lease/4)
			l.renew(ctx, x) // what fails is tried again; the lease runs down meanwhile
			cancel()
		}
	}
}

func (l *Ledger) leases() (out []ledger.Lease) {
	l.lease.mu.Lock()
	defer l.lease.mu.Unlock()
	for account, x := range l.lease.held {
		if !x.lost {
			out = append(out, ledger.Lease{Account: account, Token: x.token})
		}
	}
	return out
}

// renew asks the database for more time. A lease that ran out is ours as long
// as nobody has taken it.
func (l *Ledger) renew(ctx context.Context, x ledger.Lease) error {
	asked := elapsed()
	// A renewal that a restart of the server could undo would leave two holders.
	var t turn
	s := t.add(l.sql("UPDATE leadload.leases SET until = greatest(until, "+now+" + $3::bigint) FROM (SELECT set_config('synchronous_commit', 'on', true) AS durable) AS s WHERE account = $1 AND token = $2 AND s.durable = 'on'"),
		x.Account, x.Token, l.o.lease.Milliseconds())
	if err := l.pooled(ctx, func(conn *pgx.Conn) error { return t.take(ctx, conn) }); err != nil {
		return err
	}
	if s.affected == 0 {
		l.lease.lose(x)
		return ledger.Fenced(l.name)
	}
	l.lease.certain(x, asked+l.sure())
	return nil
}

// Fence returns an error unless the lease is certainly ours at this moment, by a
// clock that runs on while the machine sleeps or the process is stopped.
func (l *Ledger) Fence(x ledger.Lease) error {
	left, lost := l.lease.look(x)
	if lost || left <= 0 {
		return ledger.Fenced(l.name)
	}
	return nil
}

// Hold waits until the lease is certainly ours for a while.
func (l *Ledger) Hold(ctx context.Context, x ledger.Lease) error {
	until := time.Now().Add(l.o.Patience)
	for try := 1; ; try++ {
		left, lost := l.lease.look(x)
		if lost {
			return ledger.Fenced(l.name)
		}
		if left > l.o.lease/2 {
			if try > 1 {
				l.back()
			}
			return nil
		}
		err := l.renew(ctx, x)
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, ledger.ErrFenced):
			return err
		case !transient(err) || time.Now().After(until):
			return l.fault(err)
		}
		if try > 2 {
			l.tellAway(err)
		}
		pause(try)
	}
}

// Recover turns what earlier leases left reserved or sending into doubt, and
// takes all that is open over. The calls of whoever had the lease had ended by
// their timeout after the lease was over.
func (l *Ledger) Recover(_ context.Context, lease ledger.Lease) (int64, error) {
	var cut *statement
	var fenced error
	err := l.write(work{lease: lease.Account, do: refusable(func(u *unit) error {
		if err := u.holds(lease); err != nil {
			return err
		}
		// Our clock, less what the server says has passed since.
		cut = u.add("UPDATE leadload.operations SET token = $2, state = 4, ended = $3 - (SELECT "+now+" - ended FROM leadload.leases WHERE account = $1), firm = true, code = $4, msg = $5, hint = $6 WHERE account = $1 AND token <> $2 AND state IN (2, 3)",
			lease.Account, lease.Token, time.Now().UnixMilli(), []byte(ledger.CutOffCode), []byte(ledger.CutOffMsg), []byte(ledger.DoubtHint))
		u.add("UPDATE leadload.operations SET token = $2 WHERE account = $1 AND token <> $2 AND state IN (2, 3, 4, 5, 12)", lease.Account, lease.Token)
		return nil
	}, &fenced)})
	if err := errors.Join(err, fenced); err != nil {
		return 0, err
	}
	return cut.affected, nil
}

// giveBack ends the leases of this ledger, so that others need not wait for
// their time. What cannot be given back runs down.
func (l *Ledger) giveBack() error {
	l.lease.mu.Lock()
	stop, done := l.lease.stop, l.lease.done
	l.lease.stop = nil
	l.lease.mu.Unlock()
	if stop == nil {
		return nil
	}
	close(stop)
	<-done
	if l.Broken() != nil {
		return nil // told already, to whoever wrote
	}
	return l.write(work{do: func(u *unit) error {
		return u.put("UPDATE leadload.leases SET until = least(until, "+now+"), timeout = 0 WHERE holder = $1", l.id)
	}})
}
