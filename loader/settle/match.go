package settle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/target"
)

// want is a row in doubt: what would be in the account if it had arrived.
type want struct {
	event int
	sent  time.Time // our clock
	body  leadsquared.Sent
	text  string   // the body, to know rows that say the same
	keys  []string // names in body whose values alone identify the record
	plain []string // names in body whose values are those of every row
	empty []string // names that are not in body, and are in those of other rows of the file
	// vague says that our clock was set back since the call, so that its moment is
	// not known: sent is the latest that it can be.
	vague bool
	moved bool // sent is not the moment in the ledger, but what records prove
}

// wantsOf reads back what was sent. moment says when.
func wantsOf(rows []ledger.Operation, moment func(sent time.Time) (at time.Time, exact bool)) ([]want, error) {
	wants := make([]want, len(rows))
	for i, rec := range rows {
		t, ok := target.Stored(rec.Payload.Target)
		if !ok {
			return nil, &ledger.Error{Code: "ledger.newer", Msg: fmt.Sprintf("record %d is of target %q, which this leadload does not know", rec.Record, rec.Payload.Target),
				Hint: "use the version of leadload that wrote it"}
		}
		body, err := t.Sent([]byte(rec.Payload.Body))
		if err != nil {
			return nil, &ledger.Error{Code: "ledger.corrupt", Msg: fmt.Sprintf("what was sent for record %d cannot be read", rec.Record), Err: err,
				Hint: "restore the ledger from a backup, or compare the row with the account by hand"}
		}
		at, exact := moment(rec.Sent)
		w := want{event: body.EventCode, sent: at, vague: !exact, moved: !at.Equal(rec.Sent), body: body, text: rec.Payload.Body, empty: rec.Payload.Empty}
		for _, k := range rec.Payload.KeyFields {
			w.keys = append(w.keys, schemaOf(k))
		}
		for _, k := range rec.Payload.Constants {
			w.plain = append(w.plain, schemaOf(k))
		}
		wants[i] = w
	}
	return wants, nil
}

// schemaOf returns the name in the body of what a mapping calls "Fields.mx_Custom_1".
func schemaOf(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// proves reports whether an equal value is evidence for a row: nearly all
// records have a status, and constants stand in every row.
func (w *want) proves(name string) bool {
	return !strings.EqualFold(name, "Status") && !slices.Contains(w.plain, name)
}

// likeness is how far a target.Record carries what was sent.
type likeness uint8

const (
	other  likeness = iota // another record
	alike                  // not the same, but too similar to be ignored
	unread                 // it cannot be read yet
	exact                  // it carries what was sent
)

// compare holds a target.Record against a row. keyed says that the key alone
// decided, or that the record is plainly another's; cmp is what was compared.
func compare(w want, c target.Record) (like likeness, keyed bool, cmp leadsquared.Comparison) {
	if w.event != c.Code {
		return other, false, cmp
	}
	got := c.Fields
	if c.Note != "" {
		got = map[string]string{"OpportunityNote": c.Note}
		for k, v := range c.Fields {
			got[k] = v
		}
	}
	cmp = w.body.Compare(got)
	if len(w.keys) > 0 {
		if like, decided := byKey(w, c.Readable, cmp); decided {
			return like, true, cmp
		}
	}
	if !c.Readable {
		return unread, false, cmp
	}
	if c.Untouched && w.plainlyOther(cmp) {
		return other, true, cmp
	}
	// A record that was read whole has what was stored: what it lacks was not.
	differ := len(cmp.Differ) + len(cmp.Absent) + w.filled(got)
	evidence := slices.ContainsFunc(cmp.Same, w.proves)
	most := 2*len(cmp.Same) > len(cmp.Same)+differ+len(cmp.Unknown)
	switch {
	case differ == 0 && evidence && most:
		return exact, false, cmp
	case differ == 0 && !c.Loose, len(cmp.Same) >= differ && len(cmp.Same) > 0:
		// The account's automations may have changed a field after the record was
		// made; a row that says nothing of its own may be any record of its lead.
		return alike, false, cmp
	}
	return other, false, cmp
}

// filled counts the fields that a record has and the row leaves out, though its file has
// a column for them: the record is another row's, or an automation has filled them.
func (w *want) filled(got map[string]string) (n int) {
	for name, value := range got {
		if strings.TrimSpace(value) != "" && slices.ContainsFunc(w.empty, func(e string) bool { return strings.EqualFold(e, name) }) {
			n++
		}
	}
	return n
}

// plainlyOther reports whether most of what was sent has other values in a record that is
// as it was made: no automation can have changed it.
func (w *want) plainlyOther(cmp leadsquared.Comparison) bool {
	own := func(names []string) (n int) {
		for _, name := range names {
			if w.proves(name) {
				n++
			}
		}
		return n
	}
	n := own(cmp.Other)
	return n >= 2 && n > own(cmp.Same)
}

// byKey compares by the key, where the account shows enough of it to decide.
func byKey(w want, whole bool, cmp leadsquared.Comparison) (like likeness, decided bool) {
	isKey := func(name string) bool { return slices.Contains(w.keys, name) }
	same := 0
	for _, k := range w.keys {
		switch {
		case slices.Contains(cmp.Differ, k):
			return other, true
		case slices.Contains(cmp.Same, k):
			same++
		}
	}
	switch {
	case same == len(w.keys):
		return exact, true
	case whole && slices.ContainsFunc(cmp.Absent, isKey):
		// A record without the key is another one, unless it carries all the rest.
		rest := len(cmp.Differ) == 0 && slices.ContainsFunc(cmp.Same, w.proves) && !slices.ContainsFunc(cmp.Absent, func(n string) bool { return !isKey(n) })
		if !rest {
			return other, true
		}
	}
	return other, false
}

const (
	// clockSlack is how much earlier than its call a record may seem to have
	// been made, beyond what was measured: whole seconds, several servers.
	clockSlack = 3 * time.Second
	// wideSlack is how far clocks may be apart where nothing was measured
	// (field report: minutes).
	wideSlack = 15 * time.Minute
	// believable is how far the account's clock may differ from ours by the Date
	// header alone. Beyond it one of the two is not set, or the header is another machine's.
	believable = time.Hour
	// anyZone is how far a clock is off that is right in another zone.
	anyZone = 26 * time.Hour
)

// believed reports whether lo may be true.
func (s sight) believed() bool { return s.proved || s.lo.Abs() <= believable }

// match is the least that the account's clock is ahead for saying that a record
// is a row's. A header that no record proves makes the doubt wider, and never the match.
func (s sight) match() time.Duration {
	switch {
	case s.proved:
		return s.lo
	case !s.believed():
		return 0
	}
	return max(s.lo, 0)
}

// since reports whether a record was made since the call began, by the
// account's clock.
func (s sight) since(created, sent time.Time) bool {
	if created.IsZero() {
		return true // a sale of which the account does not say when it was made
	}
	return !created.Add(time.Second).Before(sent.Add(s.match() - clockSlack))
}

// sinceWide is since for clocks that differ by more than was measured.
func (s sight) sinceWide(created, sent time.Time) bool {
	return created.IsZero() || !created.Before(s.widest(sent))
}

// widest is the earliest moment at which a call can have made a record.
func (s sight) widest(sent time.Time) time.Time {
	if !s.believed() {
		return sent.Add(-anyZone - wideSlack)
	}
	return sent.Add(min(s.lo, 0) - wideSlack)
}

// earliest is the moment from which on records are read: where nothing proves what
// the account's clock is, it may be right in another zone.
func (s sight) earliest(sent time.Time) time.Time {
	if s.proved {
		return s.widest(sent)
	}
	return sent.Add(-anyZone - wideSlack)
}

// near reports whether a record might have been made by the call even if the
// clocks are not what they seem: only records of which both moments are known
// prove how far apart they are; the Date header may come from another machine.
func (s sight) near(created, sent time.Time) bool {
	if created.IsZero() {
		return true
	}
	if s.proved {
		return !created.Before(sent.Add(s.lo - 2*time.Minute))
	}
	return s.sinceWide(created, sent)
}

// anyhow is near for an account that may write the time of its own zone: nothing
// that a record proves says that it does not.
func (s sight) anyhow(created, sent time.Time) bool {
	return s.near(created, sent) || !s.proved && !created.Before(sent.Add(-anyZone-wideSlack))
}

// during is near for a record of which nothing is known but its moment: it is
// not much younger than the call either.
func (s sight) during(created, sent time.Time) bool {
	if created.IsZero() {
		return true
	}
	ahead := s.lo
	switch {
	case !s.believed():
		ahead = anyZone
	case !s.proved:
		ahead = max(s.lo, 0)
	}
	return s.near(created, sent) && created.Before(sent.Add(ahead+s.span+wideSlack))
}

// The ends of a look at the account.
type ending uint8

const (
	found  ending = iota + 1 // it is there, with ids[0]
	absent                   // it is certainly not there
	later                    // nothing can be said yet
	unsure                   // a person has to look: ids are the candidates
)

type decision struct {
	kind            ending
	ids             []string
	fits            bool // unsure, but each candidate carries what was sent for one of the rows in doubt
	code, msg, hint string
}

// decide is the heart of settling: it joins the rows in doubt of one lead with
// the records that no row owns. It is pure. wants come in the order of their calls.
//
// A row is found when a record carries what was sent and was made since its
// call; rows that cannot be told apart share their records, one each. It is
// absent when the account was read and has nothing that might be it. In every
// other case it stays in doubt.
func decide(wants []want, s sight) []decision {
	out := make([]decision, len(wants))
	taken := map[string]bool{}
	fits := fitsOf(wants, s)
	for _, part := range partsOf(len(wants), fits) {
		s.join(wants, part, fits, out, taken)
	}
	for i, w := range wants {
		if out[i].kind == 0 {
			out[i] = undecided(w, s, taken)
		}
	}
	return out
}

// fit is a record that carries what a row sent.
type fit struct {
	at   int      // index into sight.Records
	same []string // the names that agree
}

// fitsOf returns the records that each row may be. When one row says a part of
// what another says, a record that has the whole belongs to the other.
func fitsOf(wants []want, s sight) [][]fit {
	fits := make([][]fit, len(wants))
	for i, w := range wants {
		for k, c := range s.Records {
			like, keyed, cmp := compare(w, c)
			// A key names its record for good: clocks matter less.
			if like == exact && (keyed || !c.Elsewhere) && (s.since(c.Created, w.sent) || keyed && s.near(c.Created, w.sent)) {
				fits[i] = append(fits[i], fit{k, cmp.Same})
			}
		}
	}
	kept := make([][]fit, len(wants))
	for i := range fits {
		for _, f := range fits[i] {
			better := false
			for j := range fits {
				if j == i || wants[j].text == wants[i].text {
					continue
				}
				for _, g := range fits[j] {
					better = better || g.at == f.at && len(g.same) > len(f.same) && within(f.same, g.same)
				}
			}
			if !better {
				kept[i] = append(kept[i], f)
			}
		}
	}
	return kept
}

func within(some, all []string) bool {
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return true
}

// part is rows and records that have to do with one another, and with no others.
type part struct {
	rows, seen []int
}

// partsOf takes rows and records apart into groups that share nothing.
func partsOf(rows int, fits [][]fit) []part {
	var parts []part
	done := make([]bool, rows)
	for i := range rows {
		if done[i] || len(fits[i]) == 0 {
			continue
		}
		p := part{rows: []int{i}}
		done[i] = true
		for grown := true; grown; {
			grown = false
			for _, r := range p.rows {
				for _, f := range fits[r] {
					if !slices.Contains(p.seen, f.at) {
						p.seen, grown = append(p.seen, f.at), true
					}
				}
			}
			for j := range rows {
				if done[j] || !slices.ContainsFunc(fits[j], func(f fit) bool { return slices.Contains(p.seen, f.at) }) {
					continue
				}
				done[j], grown = true, true
				p.rows = append(p.rows, j)
			}
		}
		slices.Sort(p.rows)
		parts = append(parts, p)
	}
	return parts
}

// join decides about the rows of one part.
func (s sight) join(wants []want, p part, fits [][]fit, out []decision, taken map[string]bool) {
	// Oldest first; the trail has the newest first within a second.
	slices.SortFunc(p.seen, func(a, b int) int {
		if c := s.Records[a].Created.Compare(s.Records[b].Created); c != 0 {
			return c
		}
		return b - a
	})
	ids := make([]string, len(p.seen))
	for k, at := range p.seen {
		ids[k] = s.Records[at].ID
	}
	all := func(code, msg, hint string) {
		for _, i := range p.rows {
			out[i] = decision{kind: unsure, ids: ids, fits: len(ids) > len(p.rows), code: code, msg: msg, hint: hint}
		}
	}
	is := func(i, k int) bool {
		return slices.ContainsFunc(fits[i], func(f fit) bool { return f.at == p.seen[k] })
	}
	take := func(i, k int) {
		out[i] = decision{kind: found, ids: []string{ids[k]}}
		taken[ids[k]] = true
	}
	alikes := !slices.ContainsFunc(p.rows, func(i int) bool { return wants[i].text != wants[p.rows[0]].text })
	switch {
	case len(p.seen) > 1 && len(p.rows) == 1:
		all("doubt.twice", fmt.Sprintf("the account has %d records of this one row: %s; the call was repeated on its way, or somebody made the same record", len(ids), strings.Join(ids, " and ")),
			"keep one of them, delete the others in the account, and run leadload settle")
	case len(p.seen) > len(p.rows):
		all("doubt.several", fmt.Sprintf("the account has %d records that carry what was sent, made since the call", len(p.seen)),
			"look at the candidates in the account: keep one, delete or change the others, and run leadload settle")
	case alikes:
		// Which of them arrived makes no difference, but a record cannot be older
		// than its call: the last records go to the last rows.
		for k := range slices.Backward(p.seen) {
			if i := p.rows[len(p.rows)-len(p.seen)+k]; is(i, k) {
				take(i, k)
			}
		}
	default:
		if match := matching(len(p.rows), len(p.seen), func(r, k int) bool { return is(p.rows[r], k) }); match != nil {
			for r, k := range match {
				take(p.rows[r], k)
			}
			return
		}
		all("doubt.either", fmt.Sprintf("the account has %s that may be any of %d rows in doubt, as far as the account shows them", fault.Plural(int64(len(p.seen)), "record", "records"), len(p.rows)),
			"look at the candidates in the account and load the rows that are not there under a key of their own")
	}
}

// matching joins each row with a record of its own, in order where that is
// possible. It returns nil when there are fewer records than rows, or no such joining.
func matching(rows, records int, is func(r, k int) bool) []int {
	if rows != records {
		return nil
	}
	match, owner := make([]int, rows), make([]int, records)
	for k := range owner {
		owner[k] = -1
	}
	var try func(r int, tried []bool) bool
	try = func(r int, tried []bool) bool {
		for n := range records {
			k := (r + n) % records // its own place in the order first
			if tried[k] || !is(r, k) {
				continue
			}
			tried[k] = true
			if owner[k] < 0 || try(owner[k], tried) {
				match[r], owner[k] = k, r
				return true
			}
		}
		return false
	}
	for r := range rows {
		if !try(r, make([]bool, records)) {
			return nil
		}
	}
	return match
}

// undecided says what to think of a row that no record was found for.
func undecided(w want, s sight, taken map[string]bool) decision {
	var hidden, similar, early []target.Record
	for _, c := range s.Records {
		if taken[c.ID] {
			continue
		}
		like, keyed, _ := compare(w, c)
		if c.Elsewhere && like != exact {
			continue // another lead's
		}
		switch {
		case c.Elsewhere && !keyed:
			if w.vague || s.anyhow(c.Created, w.sent) {
				similar = append(similar, c)
			}
		case like == unread && (s.during(c.Created, w.sent) || !s.proved && s.anyhow(c.Created, w.sent)):
			// Where nothing proves our clock of then, it may have been days behind.
			hidden = append(hidden, c)
		case like == exact && !s.since(c.Created, w.sent) && (w.vague || keyed || s.anyhow(c.Created, w.sent)):
			// A key names one record, however old the record is.
			early = append(early, c)
		case like == alike && (w.vague || s.during(c.Created, w.sent) || !s.proved && s.anyhow(c.Created, w.sent)),
			// A record of that lead, type and moment that no row owns may be the row
			// even when little of it agrees: a text may be cut short, a field emptied by
			// an automation. Only another key proves that it is another.
			like == other && !keyed && w.event == c.Code && !c.Created.IsZero() && s.during(c.Created, w.sent):
			similar = append(similar, c)
		}
	}
	switch {
	case len(hidden) > 0:
		return decision{kind: later, ids: idsOf(hidden), code: "doubt.unread", msg: "the lead's trail has a record that may be it, but its fields cannot be read yet", hint: ledger.DoubtHint}
	case s.Blind != "":
		d := decision{kind: later, code: cmp.Or(s.code, "doubt.unread"), msg: s.Blind, hint: "run leadload settle later"}
		if !s.Later {
			d.kind = unsure
		}
		return d
	case len(early) > 0:
		return decision{kind: unsure, ids: idsOf(early), fits: true, code: "doubt.early", msg: "the account has a record that carries what was sent, but seems to have been made before the call",
			hint: "look at the record in the account: if it is this row, nothing is to be done; if not, give the row another key and load it again"}
	case len(similar) > 0:
		return decision{kind: unsure, ids: idsOf(similar), code: "doubt.similar", msg: "the account has a record of that lead and moment that does not carry all of what was sent",
			hint: "look at the record in the account: it may be this row, changed by an automation"}
	}
	return decision{kind: absent}
}

func idsOf(cs []target.Record) []string {
	ids := make([]string, len(cs))
	for i, c := range cs {
		ids[i] = c.ID
	}
	return ids
}
