package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"slices"

	"leadload/loader/ledger"
)

// offer is what stands in the table offers.
type offer struct {
	shape        int64
	body, prints []byte
}

// is reports whether two offers are the same values.
func (o *offer) is(other *offer) bool {
	return o.shape == other.shape && bytes.Equal(o.body, other.body) && bytes.Equal(o.prints, other.prints)
}

// offers keeps the values of rows that changed and are not written, and drops what
// earlier runs' rows had for records that have another row now. A record that is
// to be updated keeps an offer of the same values until the update has ended.
func (w *writer) offers(run int64, entries []ledger.Entry) error {
	first, last, any := int64(0), int64(0), false
	for i := range entries {
		if e := &entries[i]; e.Record != 0 && e.Verdict != ledger.Repeated && !e.Unfit {
			if first == 0 || e.Record < first {
				first = e.Record
			}
			last, any = max(last, e.Record), any || e.Verdict == ledger.Changed
		}
	}
	if first == 0 {
		return nil
	}
	standing, err := w.offersIn(first, last)
	if err != nil || len(standing) == 0 && !any {
		return err
	}
	shapes := shaper{w: w, run: run}
	for i := range entries {
		e := &entries[i]
		was := standing[e.Record]
		if e.Record == 0 || e.Verdict == ledger.Repeated || e.Unfit || was == nil && e.Verdict != ledger.Changed {
			continue
		}
		var now offer
		if e.Offer.Names != nil {
			if now, err = offerOf(&shapes, e.Offer); err != nil {
				return err
			}
		}
		switch same := was != nil && was.is(&now); {
		case e.Verdict == ledger.Changed:
			err = w.offer(run, e.Record, &now, same)
		case !same:
			_, err = w.exec("DELETE FROM offers WHERE record = ?", e.Record)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// offersIn reads the offers for records of numbers that lie close together.
func (w *writer) offersIn(first, last int64) (map[int64]*offer, error) {
	stmt, err := w.stmt("SELECT record, shape, body, prints FROM offers WHERE record BETWEEN ? AND ?")
	if err != nil {
		return nil, err
	}
	rows, err := stmt.Query(first, last)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out map[int64]*offer
	for rows.Next() {
		var record int64
		var o offer
		if err := rows.Scan(&record, &o.shape, &o.body, &o.prints); err != nil {
			return nil, err
		}
		if out == nil {
			out = map[int64]*offer{}
		}
		out[record] = &o
	}
	return out, rows.Err()
}

func offerOf(shapes *shaper, d ledger.Digest) (offer, error) {
	shape, err := shapes.of(d.Names)
	return offer{shape, slices.Clone(d.Body[:ledger.BodySize]), d.Prints}, err
}

// offer keeps one offer; same: it is the one that stands.
func (w *writer) offer(run, record int64, o *offer, same bool) error {
	text := `INSERT INTO offers (record, first, last, body, shape, prints) VALUES (?1,?2,?2,?3,?4,?5)
		ON CONFLICT (record) DO UPDATE SET first = excluded.first, last = excluded.last, body = excluded.body, shape = excluded.shape, prints = excluded.prints`
	if same {
		text = "UPDATE offers SET last = ?2 WHERE record = ?1"
		_, err := w.exec(text, record, run)
		return err
	}
	_, err := w.exec(text, record, run, o.body, o.shape, o.prints)
	return err
}

// offered keeps what an update has left alone, and drops the offer of one that has
// nothing left to write.
func (w *writer) offered(o *ledger.Outcome) error {
	standing, err := w.offersIn(o.Record, o.Record)
	if err != nil {
		return err
	}
	if o.State != ledger.Contested && o.State != ledger.Withheld || o.Edit.Back {
		if standing == nil {
			return nil
		}
		if o.State == ledger.Ready || o.State == ledger.Rejected {
			return nil // the account does not have the values
		}
		_, err := w.exec("DELETE FROM offers WHERE record = ?", o.Record)
		return err
	}
	var run int64
	if err := w.row("SELECT run FROM records WHERE id = ?", o.Record).Scan(&run); err != nil {
		return err
	}
	d := ledger.Digest{Names: o.Edit.Names, Prints: o.Edit.Prints}
	copy(d.Body[:], o.Edit.Body)
	now, err := offerOf(&shaper{w: w, run: run}, d)
	if err != nil {
		return err
	}
	was := standing[o.Record]
	return w.offer(run, o.Record, &now, was != nil && was.is(&now))
}

// Offers returns the values that rows have for records and that these do not have.
func (l *Ledger) Offers(ctx context.Context, records []int64) (map[int64]ledger.Offer, error) {
	out := map[int64]ledger.Offer{}
	stmt, err := l.prepared(ctx, "SELECT first, last FROM offers WHERE record = ?")
	if err != nil {
		return nil, l.fault(err)
	}
	for _, id := range records {
		var o ledger.Offer
		switch err := stmt.QueryRowContext(ctx, id).Scan(&o.First, &o.Last); {
		case err == nil:
			out[id] = o
		case !errors.Is(err, sql.ErrNoRows):
			return nil, l.fault(err)
		}
	}
	return out, nil
}

// Accept lets records be known by the values that rows have offered.
func (l *Ledger) Accept(_ context.Context, lease ledger.Lease, records []int64) (int64, error) {
	return l.leased(lease, records, func(w *writer, id int64) (bool, error) {
		n, err := w.changes(`UPDATE records SET (body, shape, prints) = (SELECT o.body, o.shape, o.prints FROM offers o WHERE o.record = records.id)
			WHERE id = ?1 AND fate IN (2, 3) AND EXISTS (SELECT 1 FROM offers o WHERE o.record = records.id)
			AND NOT EXISTS (SELECT 1 FROM payloads p WHERE p.record = records.id)
			AND EXISTS (SELECT 1 FROM scopes s WHERE s.id = records.scope AND s.account = ?2)`, id, lease.Account)
		if err != nil || n == 0 {
			return false, err
		}
		_, err = w.exec("DELETE FROM offers WHERE record = ?", id)
		return true, err
	})
}
