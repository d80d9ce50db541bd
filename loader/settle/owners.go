package settle

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"leadload/internal/fault"
	values "leadload/loader/compare"
	"leadload/loader/ledger"
	"leadload/loader/target"
)

// claim is what a record of the account says of a row that the ledger takes it for.
type claim uint8

const (
	unknown claim = iota // it shows nothing of the row
	unseen               // it could not be read
	gone                 // the account says that it is not there
	its                  // it carries what was sent for the row
	others               // it carries something else
)

// claims reads records of the account, all of one target, and holds each against
// what was sent for the row that is said to have it.
func (s *Settler) claims(ctx context.Context, list []ledger.SharedRecord) ([]claim, error) {
	out := make([]claim, len(list))
	scope := target.ParseScope(list[0].Target)
	t, _ := target.Stored(scope.Kind)
	reader, can := t.(target.Reader)
	if !can {
		return out, nil
	}
	rows, known := make([]int64, len(list)), make([]ledger.Record, len(list))
	for i, r := range list {
		rows[i] = r.Record
	}
	if err := s.Ledger.Recall(ctx, rows, known); err != nil {
		return nil, err
	}
	q := target.ReadQuestion{Code: scope.Code}
	for i, k := range known {
		if id := list[i].ID; !slices.ContainsFunc(q.Wanted, func(w target.Wanted) bool { return w.ID == id }) {
			q.Wanted = append(q.Wanted, target.Wanted{ID: id, Lead: list[i].Lead})
		}
		for _, n := range k.Names {
			if reader.Shows(n) && !slices.Contains(q.Fields, n) {
				q.Fields = append(q.Fields, n)
			}
		}
	}
	read, err := reader.Read(ctx, s.Line, q)
	if err != nil {
		return nil, err
	}
	for i, k := range known {
		back := read[strings.ToLower(list[i].ID)]
		out[i] = claimOf(&k, &back)
	}
	return out, nil
}

// claimOf holds a record of the account against what was sent for a row.
func claimOf(k *ledger.Record, back *target.Back) claim {
	switch back.Presence {
	case target.Gone:
		return gone
	case target.Unread:
		return unseen
	}
	c := unknown
	for i, n := range k.Names {
		had, shown := back.Values[n]
		if !shown || len(k.Prints) < 4*i+4 {
			continue
		}
		if !values.Is(had, binary.LittleEndian.Uint32(k.Prints[4*i:])) {
			return others
		}
		if had != "" {
			c = its
		}
	}
	return c
}

// contested are records that rows have, and that do not carry what was sent for
// them, by their ids. Two answers that were exchanged leave either row with the
// record of the other.
type contested map[string]ledger.SharedRecord

func (c contested) has(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return c[id].Record != 0 })
}

// owned is a record of the account that a row has.
type owned struct{ id, lead string }

// named returns those of the records that answers have named for some rows in doubt.
func (s *Settler) named(ctx context.Context, rows []ledger.Operation) (contested, error) {
	var list []owned
	for _, rec := range rows {
		if rec.Code == ledger.BorrowedCode {
			for _, id := range rec.Candidates {
				for _, id := range ledger.Spellings(id) {
					list = append(list, owned{id: id})
				}
			}
		}
	}
	out, _, err := s.contested(ctx, rows[0].Target, list)
	return out, err
}

// maxContested bounds the records of a lead that are held against their rows
// before a row of the lead is taken for absent.
const maxContested = 2000

// contested returns those of some records that do not carry what was sent for
// the rows which have them. sure is false where that could not be read of all.
func (s *Settler) contested(ctx context.Context, scope string, some []owned) (out contested, sure bool, err error) {
	if len(some) == 0 || len(some) > maxContested {
		return nil, len(some) == 0, nil
	}
	ids, leads := make([]string, len(some)), map[string]string{}
	for i, o := range some {
		ids[i], leads[o.id] = o.id, o.lead
	}
	owners, err := s.Ledger.Owners(ctx, s.Lease.Account, ids...)
	if err != nil || len(owners) == 0 {
		return nil, true, err
	}
	var list []ledger.SharedRecord
	for _, id := range slices.Sorted(maps.Keys(owners)) {
		list = append(list, ledger.SharedRecord{ID: id, Record: owners[id], Target: scope, Lead: leads[id]})
	}
	claims, err := s.claims(ctx, list)
	if err != nil {
		return nil, false, err
	}
	out, sure = contested{}, true
	for i, r := range list {
		switch claims[i] {
		case others:
			out[r.ID] = r
		case unseen, gone: // a look shows it, so that one of two reads is wrong
			sure = false
		}
	}
	return out, sure, nil
}

// disown takes a record from the row that has it; without one it does nothing.
func (s *Settler) disown(ctx context.Context, r ledger.SharedRecord) error {
	if r.Record == 0 {
		return nil
	}
	err := s.Ledger.Disown(ctx, s.Lease, ledger.Disowned(r.Record, r.ID))
	if errors.Is(err, ledger.ErrState) { // it was, meanwhile
		return nil
	}
	if err == nil {
		s.Tally(ledger.InDoubt, 1)
		s.Notify(fmt.Sprintf("record %s belongs to another row than the account's answer said: the row that had it is in doubt until its file is loaded again", r.ID))
	}
	return err
}

// Share decides which row has a record that several rows have by the account's
// answers, as an earlier version of the program believed them. The others are in
// doubt. It returns how many.
func (s *Settler) Share(ctx context.Context) (int64, error) {
	list, err := s.Ledger.Shared(ctx, s.Lease.Account)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	var lost, unread int64
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].ID == list[0].ID {
			n++
		}
		some := list[:n]
		list = list[n:]
		claims, err := s.claims(ctx, some)
		if err != nil {
			return lost, err
		}
		if (slices.Contains(claims, unknown) || slices.Contains(claims, unseen)) && !slices.Contains(claims, its) {
			unread++
			continue
		}
		owner := slices.Index(claims, its)
		for i, r := range some {
			if i == owner {
				continue
			}
			if err := s.Ledger.Disown(ctx, s.Lease, ledger.Disowned(r.Record, r.ID)); err != nil {
				return lost, err
			}
			lost++
		}
	}
	if lost > 0 {
		s.Notify(fmt.Sprintf("%s the id of another row: whether the account has them is asked when their files are loaded again", fault.Plural(lost, "row has", "rows have")))
	}
	if unread > 0 {
		s.Notify(fmt.Sprintf("%s on several rows and cannot be read, so that nothing says whose it is: run leadload settle again later", fault.Plural(unread, "record of the account stands", "records of the account stand")))
	}
	return lost, nil
}
