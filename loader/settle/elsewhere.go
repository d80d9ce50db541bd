package settle

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/target"
)

// pages are the records of a type that the account has made since the first call of a
// round and that no row has, whatever their leads. They are read once a round, and
// only when a lead may have been merged into another.
type pages struct {
	turn   chan struct{} // one reads, the others wait for what it has read
	since  time.Time     // the first call of the round
	byCode map[int]*unowned
}

type unowned struct {
	list         []target.Record
	whole, again bool
}

func (p *pages) begin(groups []*group, moment func(sent, now time.Time) (time.Time, bool)) {
	now := time.Now()
	p.turn, p.since, p.byCode = make(chan struct{}, 1), now, map[int]*unowned{}
	for _, g := range groups {
		for _, rec := range g.rows {
			at, exact := moment(rec.Sent, now)
			if !exact {
				p.since = time.Time{}
				return
			}
			if at.Before(p.since) {
				p.since = at
			}
		}
	}
}

// elsewhere looks for rows without their lead: a lead that the account does not find,
// or that is younger than the call, may be another one than the call met. Theirs may have
// been merged into one that nobody knows here.
func (s *Settler) elsewhere(ctx context.Context, t target.Target, wants []want, leads leadsSeen, seen *sight) error {
	pager, can := t.(target.Pager)
	lo, proved := s.clockLo(wants...)
	if !can || leads.why != "" || leads.found && !leads.made.IsZero() && leads.made.Before(sight{lo: lo, proved: proved}.widest(wants[0].sent)) {
		return nil
	}
	codes := map[int]bool{}
	for _, w := range wants {
		codes[w.event] = true
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		all, err := s.unowned(ctx, pager, code)
		if err != nil {
			return err
		}
		if all.again || !all.whole && slices.ContainsFunc(wants, func(w want) bool { return w.vague }) {
			seen.Blind, seen.Later = "its lead may have been merged into another, and the account's records cannot be read page by page just now", true
			return nil
		}
		for _, c := range all.list {
			known := slices.ContainsFunc(seen.Records, func(r target.Record) bool { return strings.EqualFold(r.ID, c.ID) })
			like := func(w want) bool { l, _, _ := compare(w, c); return l == exact }
			c.Elsewhere = !slices.ContainsFunc(leads.ids, func(id string) bool { return strings.EqualFold(id, c.Lead) })
			if !known && slices.ContainsFunc(wants, like) {
				seen.Records = append(seen.Records, c)
			}
		}
	}
	return nil
}

// unowned returns the records of a type that no row has.
func (s *Settler) unowned(ctx context.Context, t target.Pager, code int) (*unowned, error) {
	s.pages.turn <- struct{}{}
	defer func() { <-s.pages.turn }()
	if all := s.pages.byCode[code]; all != nil {
		return all, nil
	}
	all := &unowned{}
	var batch []target.Record
	flush := func() error {
		ids := make([]string, 0, len(batch))
		for _, r := range batch {
			ids = append(ids, ledger.Spellings(r.ID)...)
		}
		owners, err := s.Ledger.Owners(ctx, s.Lease.Account, ids...)
		for _, r := range batch {
			if !slices.ContainsFunc(ledger.Spellings(r.ID), func(id string) bool { return owners[id] != 0 }) {
				all.list = append(all.list, r)
			}
		}
		batch = batch[:0]
		return err
	}
	since := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // before every record of every account
	if !s.pages.since.IsZero() {
		lo, proved := s.clockLo()
		since = sight{lo: lo, proved: proved}.widest(s.pages.since)
	}
	var failed error
	whole, again, err := t.Since(ctx, s.Line, code, since, func(r target.Record) {
		if batch = append(batch, r); len(batch) == 1000 && failed == nil {
			failed = flush()
		}
	})
	if err == nil {
		err = failed
	}
	if err == nil {
		err = flush()
	}
	if err != nil {
		return nil, err
	}
	all.whole, all.again = whole, again
	s.pages.byCode[code] = all
	return all, nil
}
