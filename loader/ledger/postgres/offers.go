package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
)

// offer is the values of a row that its record does not have.
type offer struct {
	run    int64
	digest ledger.Digest
}

// planOffers keeps the values of rows that changed and are not written, and drops
// what earlier runs' rows had for records that have another row now. A record that
// is to be updated keeps an offer of the same values until the update has ended.
func (u *unit) planOffers(run int64, entries []ledger.Entry) error {
	l := u.l
	if l.offering.run != run {
		// Nobody else writes offers for the account meanwhile.
		var some bool
		if _, err := u.row("SELECT EXISTS (SELECT 1 FROM leadload.offers)", nil, &some); err != nil {
			return err
		}
		l.offering.run, l.offering.some = run, some
	}
	var stale, changing, shapes []int64
	var bodies, prints [][]byte
	for i := range entries {
		switch e := &entries[i]; {
		case e.Record == 0 || e.Verdict == ledger.Repeated || e.Unfit:
		case e.Verdict == ledger.Changed:
			u.offers[e.Record] = &offer{run, e.Offer}
		case e.Verdict == ledger.Changing && e.Offer.Names != nil:
			shape, err := u.shape(e.Offer.Names, run)
			if err != nil {
				return err
			}
			changing, shapes, bodies, prints = append(changing, e.Record), append(shapes, shape), append(bodies, e.Offer.Body[:ledger.BodySize]), append(prints, full(e.Offer.Prints))
		default:
			stale = append(stale, e.Record)
		}
	}
	if !l.offering.some {
		return nil
	}
	if len(stale) > 0 {
		if err := u.put("DELETE FROM leadload.offers WHERE record = ANY($1)", stale); err != nil {
			return err
		}
	}
	if len(changing) > 0 {
		return u.put(`DELETE FROM leadload.offers o USING unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) AS t(record, shape, body, prints)
			WHERE o.record = t.record AND NOT (o.shape = t.shape AND o.body = t.body AND o.prints = t.prints)`, changing, shapes, bodies, prints)
	}
	return nil
}

// offerOf keeps what an update has left alone, and drops the offer of one that has
// nothing left to write.
func (u *unit) offerOf(r *record, out *ledger.Outcome) {
	switch e := out.Edit; {
	case (out.State == ledger.Contested || out.State == ledger.Withheld) && !e.Back:
		d := ledger.Digest{Names: e.Names, Prints: e.Prints}
		copy(d.Body[:], e.Body)
		u.offers[out.Record] = &offer{r.run, d}
	case out.State != ledger.Ready && out.State != ledger.Rejected: // else the account does not have the values
		u.offers[out.Record] = nil
	}
}

func (u *unit) flushOffers() error {
	var gone, records, runs, shapes []int64
	var bodies, prints [][]byte
	for _, id := range slices.Sorted(maps.Keys(u.offers)) {
		o := u.offers[id]
		if o == nil {
			gone = append(gone, id)
			continue
		}
		shape, err := u.shape(o.digest.Names, o.run)
		if err != nil {
			return err
		}
		records, runs, shapes = append(records, id), append(runs, o.run), append(shapes, shape)
		bodies, prints = append(bodies, slices.Clone(o.digest.Body[:ledger.BodySize])), append(prints, full(o.digest.Prints))
	}
	clear(u.offers)
	if len(gone) > 0 {
		u.add("DELETE FROM leadload.offers WHERE record = ANY($1)", gone)
	}
	if len(records) > 0 {
		u.add(`INSERT INTO leadload.offers AS o (record, first, last, body, shape, prints)
			SELECT record, run, run, body, shape, prints FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[], $5::bytea[]) AS t(record, run, body, shape, prints)
			ON CONFLICT (record) DO UPDATE SET first = CASE WHEN o.body = excluded.body AND o.shape = excluded.shape AND o.prints = excluded.prints THEN o.first ELSE excluded.first END,
				last = excluded.last, body = excluded.body, shape = excluded.shape, prints = excluded.prints`, records, runs, bodies, shapes, prints)
	}
	return nil
}

// Offers returns the values that rows have for records and that these do not have.
func (l *Ledger) Offers(ctx context.Context, records []int64) (map[int64]ledger.Offer, error) {
	out := map[int64]ledger.Offer{}
	err := l.query(ctx, "SELECT record, first, last FROM leadload.offers WHERE record = ANY($1)", []any{records}, func(rows pgx.Rows) error {
		var record int64
		var o ledger.Offer
		_, err := pgx.ForEachRow(rows, []any{&record, &o.First, &o.Last}, func() error {
			out[record] = o
			return nil
		})
		return err
	})
	return out, err
}

// Accept lets records be known by the values that rows have offered.
func (l *Ledger) Accept(_ context.Context, lease ledger.Lease, records []int64) (int64, error) {
	return l.leased(lease, func(u *unit) ([]int64, error) {
		return u.numbers(`UPDATE leadload.records r SET body = o.body, shape = o.shape, prints = o.prints FROM leadload.offers o
			WHERE r.id = ANY($1) AND o.record = r.id AND r.fate IN (2, 3) AND NOT EXISTS (SELECT 1 FROM leadload.operations x WHERE x.record = r.id AND x.state IN (2, 3, 4, 5, 12))
			AND EXISTS (SELECT 1 FROM leadload.scopes s WHERE s.id = r.scope AND s.account = $2) RETURNING r.id`, records, lease.Account)
	}, "offers")
}
