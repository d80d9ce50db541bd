package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"
	"time"

	"leadload/loader/pace"
)

// calls is the memory of an account's pace: who calls, since when, and what was
// learned of its limit. Its transactions are as durable as the ledger's: after a
// restart of the server the account still counts what was called before.
type calls struct {
	line
	l       *Ledger
	account []byte // a hash
	lock    int64  // the number of the account's lock

	// The server's clock is elapsed and this. Each word of the server says between
	// which bounds it lies.
	offset atomic.Int64
	apart  time.Duration // the closest bounds so far
	moved  bool
}

const (
	// The server's clock was set, or it is another server's, when it has moved by
	// more than this against ours.
	clockMoved = 100 * time.Millisecond
	// What is older than this is of no use to anybody.
	oldCalls, oldPace = time.Hour, 30 * 24 * time.Hour
	// nanos is the server's clock in Unix nanoseconds.
	nanos = "(extract(epoch from clock_timestamp()) * 1000000)::bigint * 1000"
)

// Pace opens the memory of an account's pace, which all machines share. account
// is any name that is the same for all of them. It writes, also where the ledger
// is opened for reading.
func (l *Ledger) Pace(account string) (pace.Store, error) {
	sum := sha256.Sum256([]byte(account))
	c := &calls{l: l, account: sum[:12], lock: int64(binary.BigEndian.Uint64(sum[12:])), apart: time.Hour}
	err := l.patiently(context.Background(), func() error {
		err := c.begin()
		if err != nil {
			c.drop()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	c.moved = false // nothing was known of its clock before
	return c, nil
}

// begin asks for the server's clock some times, and drops what is old.
func (c *calls) begin() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := c.connect(ctx, c.l); err != nil {
		return err
	}
	for range 4 {
		var at int64
		asked := elapsed()
		var t turn
		t.add("SELECT "+nanos).into(nil, &at)
		if err := t.take(ctx, c.conn); err != nil {
			return err
		}
		c.heard(asked, at, elapsed())
	}
	before := c.read()
	b := &turn{}
	b.add(c.l.sql("DELETE FROM leadload.pace_calls WHERE sent < $1"), before-int64(oldCalls))
	b.add(c.l.sql("DELETE FROM leadload.pacers WHERE seen < $1"), before-int64(oldCalls))
	b.add(c.l.sql("DELETE FROM leadload.paces WHERE at < $1"), before-int64(oldPace))
	return b.take(ctx, c.conn)
}

// heard takes in what the server said its time was between two moments of ours.
func (c *calls) heard(asked time.Duration, at int64, answered time.Duration) {
	low, high := at-int64(answered), at-int64(asked)
	offset := c.offset.Load()
	switch {
	case offset < low-int64(clockMoved) || offset > high+int64(clockMoved):
		offset, c.moved, c.apart = (low+high)/2, true, time.Hour
	case answered-asked < c.apart:
		offset = (low + high) / 2 // nobody has said it better
	}
	c.apart = min(c.apart, answered-asked)
	c.offset.Store(min(max(offset, low), high))
}

func (c *calls) read() int64 { return int64(elapsed()) + c.offset.Load() }

// Clock returns the server's clock, as far as it is known here.
func (c *calls) Clock() pace.Clock { return pace.Clock{Read: c.read, Wall: c.read} }

// Close gives the connection up.
func (c *calls) Close() error {
	c.drop()
	return nil
}

// Round makes one transaction. While the database is away it waits, and every
// call with it.
func (c *calls) Round(news []pace.News, by pace.Asker, decide func(*pace.Book) (pace.Changes, error)) error {
	return c.l.patiently(context.Background(), func() error {
		err := c.transact(news, by, decide)
		if err != nil {
			c.drop()
		}
		return err
	})
}

// paceSettings are those of a round: whoever is stopped in the middle of one keeps
// the others from calling for so long.
var paceSettings = settingsOf(30*time.Second, 3*time.Second)

// transact makes one attempt. A COMMIT whose answer is lost does no harm: what the
// attempt wrote it writes again.
func (c *calls) transact(news []pace.News, by pace.Asker, decide func(*pace.Book) (pace.Changes, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if err := c.connect(ctx, c.l); err != nil {
		return err
	}
	b := &turn{}
	b.add("BEGIN")
	b.add(paceSettings)
	b.add("SELECT pg_advisory_xact_lock($1)", c.lock)
	c.tell(b, news)
	var book pace.Book
	if decide == nil {
		b.add("COMMIT")
		return b.take(ctx, c.conn)
	}
	c.ask(b, by, &book)
	var at int64
	b.add("SELECT "+nanos).into(nil, &at)
	asked := elapsed()
	if err := b.take(ctx, c.conn); err != nil {
		return err
	}
	c.heard(asked, at, elapsed())
	book.Moved, book.Apart = c.moved, c.apart
	ch, err := decide(&book)
	if err != nil {
		return err
	}
	b = &turn{}
	c.write(b, by, ch)
	b.add("COMMIT")
	if err := b.take(ctx, c.conn); err != nil {
		return err
	}
	c.moved = false
	return nil
}

// tell writes news, of each call in one row.
func (c *calls) tell(b *turn, news []pace.News) {
	type id struct{ owner, seq int64 }
	at := map[id]int{}
	var owners, seqs, wrote, resp []int64
	var limited, over []bool
	for _, n := range news {
		i, ok := at[id{n.Owner, n.Seq}]
		if !ok {
			i = len(owners)
			at[id{n.Owner, n.Seq}] = i
			owners, seqs, wrote, resp, limited, over = append(owners, n.Owner), append(seqs, n.Seq), append(wrote, 0), append(resp, 0), append(limited, false), append(over, false)
		}
		switch n.Kind {
		case pace.Wrote:
			wrote[i] = n.At
		case pace.Answered:
			resp[i] = n.At
		case pace.Refused:
			limited[i] = true
		case pace.Over:
			over[i] = true
		}
	}
	if len(owners) == 0 {
		return
	}
	b.add(c.l.sql(`UPDATE leadload.pace_calls c SET wrote = coalesce(nullif(t.wrote, 0), c.wrote), resp = coalesce(nullif(t.resp, 0), c.resp), limited = c.limited OR t.limited
		FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[], $7::boolean[]) AS t(owner, seq, wrote, resp, limited, gone)
		WHERE c.account = $1 AND c.owner = t.owner AND c.seq = t.seq AND NOT t.gone`), c.account, owners, seqs, wrote, resp, limited, over)
	b.add(c.l.sql(`DELETE FROM leadload.pace_calls c USING unnest($2::bigint[], $3::bigint[], $4::boolean[]) AS t(owner, seq, gone)
		WHERE c.account = $1 AND c.owner = t.owner AND c.seq = t.seq AND t.gone`), c.account, owners, seqs, over)
}

// ask reads what a pacer needs.
func (c *calls) ask(b *turn, by pace.Asker, book *pace.Book) {
	var r pace.CallRow
	b.add(c.l.sql("SELECT owner, seq, sent, wrote, resp, limited FROM leadload.pace_calls WHERE account = $1 AND owner <> $2"), c.account, by.Owner).each(func() error {
		book.Calls = append(book.Calls, r)
		return nil
	}, &r.Owner, &r.Seq, &r.Sent, &r.Wrote, &r.Resp, &r.Limited)
	var p pace.PacerRow
	var trip int64
	b.add(c.l.sql("SELECT owner, seen, trip, since, until FROM leadload.pacers WHERE account = $1"), c.account).each(func() error {
		p.Trip = time.Duration(trip)
		book.Pacers = append(book.Pacers, p)
		return nil
	}, &p.Owner, &p.Seen, &trip, &p.Since, &p.Until)
	b.add(c.l.sql("SELECT version, at, state FROM leadload.paces WHERE account = $1 AND calls = $2 AND span = $3"), c.account, int64(by.Set.Calls), int64(by.Set.Window)).into(nil, &book.State.Version, &book.State.At, &book.State.Text)
}

// write writes what was decided.
func (c *calls) write(b *turn, by pace.Asker, ch pace.Changes) {
	if ch.EndAll != 0 {
		b.add(c.l.sql("UPDATE leadload.pace_calls SET sent = $2, wrote = CASE WHEN wrote IS NOT NULL THEN $2::bigint END, resp = CASE WHEN resp IS NOT NULL THEN $2::bigint END WHERE account = $1"), c.account, ch.EndAll)
	}
	type columns struct {
		owners, seqs, sent []int64
		wrote, resp        []*int64
	}
	of := func(list []pace.CallRow) (s columns) {
		for i := range list {
			r := &list[i]
			s.owners, s.seqs, s.sent = append(s.owners, r.Owner), append(s.seqs, r.Seq), append(s.sent, r.Sent)
			var wrote, resp *int64
			if r.Wrote.Valid {
				wrote = &r.Wrote.Int64
			}
			if r.Resp.Valid {
				resp = &r.Resp.Int64
			}
			s.wrote, s.resp = append(s.wrote, wrote), append(s.resp, resp)
		}
		return s
	}
	if len(ch.Restamp) > 0 {
		s := of(ch.Restamp)
		b.add(c.l.sql(`UPDATE leadload.pace_calls c SET sent = t.sent, wrote = t.wrote, resp = t.resp FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) AS t(owner, seq, sent, wrote, resp)
			WHERE c.account = $1 AND c.owner = t.owner AND c.seq = t.seq`), c.account, s.owners, s.seqs, s.sent, s.wrote, s.resp)
	}
	if len(ch.Over) > 0 {
		s := of(ch.Over)
		b.add(c.l.sql("DELETE FROM leadload.pace_calls c USING unnest($2::bigint[], $3::bigint[]) AS t(owner, seq) WHERE c.account = $1 AND c.owner = t.owner AND c.seq = t.seq"), c.account, s.owners, s.seqs)
	}
	if p := ch.Pacer; p != nil {
		b.add(c.l.sql(`INSERT INTO leadload.pacers (account, owner, seen, trip, since, until) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (account, owner) DO UPDATE SET seen = excluded.seen, trip = excluded.trip, since = excluded.since, until = excluded.until`), c.account, p.Owner, p.Seen, int64(p.Trip), p.Since, p.Until)
	}
	if s := ch.State; s != nil {
		b.add(c.l.sql(`INSERT INTO leadload.paces (account, calls, span, version, at, state) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (account, calls, span) DO UPDATE SET version = excluded.version, at = excluded.at, state = excluded.state`), c.account, int64(by.Set.Calls), int64(by.Set.Window), s.Version, s.At, s.Text)
	}
	if len(ch.Start) > 0 {
		s := of(ch.Start)
		// There already, where the answer to a COMMIT was lost.
		b.add(c.l.sql(`INSERT INTO leadload.pace_calls (account, owner, seq, sent) SELECT $1, owner, seq, sent FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS t(owner, seq, sent)
			ON CONFLICT (account, owner, seq) DO UPDATE SET sent = excluded.sent, wrote = NULL, resp = NULL, limited = false`), c.account, s.owners, s.seqs, s.sent)
	}
}
