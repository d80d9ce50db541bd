package loader

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/mapping"
)

// want is a row in doubt: what would be in the account if it had arrived.
type want struct {
	event int
	sent  time.Time // our clock
	body  leadsquared.Sent
	text  string   // the body, to know rows that say the same
	keys  []string // names in body whose values alone identify the record
}

// candidate is a record of the account that belongs to no row of the ledger.
type candidate struct {
	id, lead string
	event    int
	created  time.Time // the account's clock, whole seconds; zero for a sale
	readable bool      // its fields could be read
	note     string
	fields   map[string]string
	sale     bool
}

// wantsOf reads back what was sent.
func wantsOf(rows []ledger.OpenRecord) ([]want, error) {
	wants := make([]want, len(rows))
	for i, rec := range rows {
		parse := leadsquared.ParseCapture
		if mapping.Target(rec.Payload.Target) == mapping.SalesActivity {
			parse = leadsquared.ParseSale
		}
		body, err := parse([]byte(rec.Payload.Body))
		if err != nil {
			return nil, &ledger.Error{Code: "ledger.corrupt", Msg: fmt.Sprintf("what was sent for record %d cannot be read", rec.Record), Err: err,
				Hint: "restore the ledger from a backup, or compare the row with the account by hand"}
		}
		w := want{event: body.EventCode, sent: rec.Sent, body: body, text: rec.Payload.Body}
		for _, k := range rec.Payload.KeyFields {
			w.keys = append(w.keys, k[strings.LastIndexByte(k, '.')+1:])
		}
		wants[i] = w
	}
	return wants, nil
}

// prospectOf is the lead's id where the body names it.
func prospectOf(p ledger.Payload) string {
	parse := leadsquared.ParseCapture
	if mapping.Target(p.Target) == mapping.SalesActivity {
		parse = leadsquared.ParseSale
	}
	body, err := parse([]byte(p.Body))
	if err != nil {
		return ""
	}
	return body.ProspectID
}

// likeness is how far a candidate carries what was sent.
type likeness uint8

const (
	other  likeness = iota // another record
	alike                  // not the same, but too similar to be ignored
	unread                 // it cannot be read yet
	exact                  // it carries what was sent
)

// compare holds a candidate against a row.
func compare(w want, c candidate) likeness {
	if w.event != c.event {
		return other
	}
	if !c.readable {
		return unread
	}
	got := c.fields
	if c.note != "" {
		got = map[string]string{"OpportunityNote": c.note}
		for k, v := range c.fields {
			got[k] = v
		}
	}
	cmp := w.body.Compare(got)
	if len(w.keys) > 0 {
		// The key alone decides, where the account shows it.
		same, differ := 0, 0
		for _, k := range w.keys {
			if slices.Contains(cmp.Same, k) {
				same++
			}
			if slices.Contains(cmp.Differ, k) {
				differ++
			}
		}
		if differ > 0 {
			return other
		}
		if same == len(w.keys) {
			return exact
		}
	}
	switch {
	case len(cmp.Differ) == 0 && (len(cmp.Same) > 0 || !c.sale):
		// With nothing to compare, an opportunity is known by lead, type and moment.
		return exact
	case len(cmp.Same) >= len(cmp.Differ) && len(cmp.Same) > 0:
		// The account's automations may have changed a field after the record was made.
		return alike
	}
	return other
}

const (
	// clockSlack is how much earlier than its call a record may seem to have
	// been made, beyond what was measured: whole seconds, several servers.
	clockSlack = 3 * time.Second
	// wideSlack is how far clocks may be apart where nothing was measured
	// (field report: minutes).
	wideSlack = 15 * time.Minute
)

// since reports whether a record was made since the call began, by the
// account's clock.
func (s sight) since(created, sent time.Time) bool {
	if created.IsZero() {
		return true // a sale: the account does not say when it was made
	}
	return !created.Add(time.Second).Before(sent.Add(s.lo - clockSlack))
}

// sinceWide is since for clocks that differ by more than was measured.
func (s sight) sinceWide(created, sent time.Time) bool {
	return created.IsZero() || !created.Before(sent.Add(min(s.lo, 0)-wideSlack))
}

// justBefore reports whether a record seems so little older than the call
// that a clock might be to blame, even one that was measured.
func (s sight) justBefore(created, sent time.Time) bool {
	return !s.sure || !created.Before(sent.Add(s.lo-2*time.Minute))
}

// during reports whether a record was made while the call may have been under way.
func (s sight) during(created, sent time.Time) bool {
	return created.IsZero() || s.since(created, sent) && created.Before(sent.Add(s.lo+s.span+wideSlack))
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
	code, msg, hint string
}

// decide is the heart of settling: it joins the rows in doubt of one lead with
// the records that nobody owns. It is pure. A row is found when one record
// carries what was sent and was made since its call; rows that say the same
// share their records, one each; it is absent when the account was read and has
// nothing that might be it; in every other case it stays in doubt.
func decide(wants []want, s sight) []decision {
	out := make([]decision, len(wants))
	taken := map[string]bool{}
	for i := range wants {
		if out[i].kind != 0 {
			continue
		}
		// Rows that say the same are decided together.
		same := []int{i}
		for j := i + 1; j < len(wants); j++ {
			if wants[j].text == wants[i].text {
				same = append(same, j)
			}
		}
		var fits []candidate
		for _, c := range s.seen {
			if compare(wants[i], c) == exact && s.since(c.created, wants[i].sent) && !taken[c.id] {
				fits = append(fits, c)
			}
		}
		slices.SortStableFunc(fits, func(a, b candidate) int { return a.created.Compare(b.created) })
		if len(fits) > len(same) {
			for _, j := range same {
				out[j] = decision{kind: unsure, ids: idsOf(fits), code: "doubt.several",
					msg:  fmt.Sprintf("the account has %d records that carry what was sent, made since the call", len(fits)),
					hint: "look at the candidates in the account: keep one, delete or change the others, and run leadload settle"}
			}
			continue
		}
		// The last records go to the last rows: a record cannot be older than its call.
		for k, c := range slices.Backward(fits) {
			j := same[len(same)-len(fits)+k]
			if s.since(c.created, wants[j].sent) {
				out[j] = decision{kind: found, ids: []string{c.id}}
				taken[c.id] = true
			}
		}
	}
	for i, w := range wants {
		if out[i].kind != 0 {
			continue
		}
		out[i] = undecided(w, s, taken)
	}
	return out
}

// undecided says what to think of a row that no record was found for.
func undecided(w want, s sight, taken map[string]bool) decision {
	var hidden, similar, early []candidate
	for _, c := range s.seen {
		if taken[c.id] {
			continue
		}
		switch like := compare(w, c); {
		case like == unread && s.during(c.created, w.sent):
			hidden = append(hidden, c)
		case like == exact && !s.since(c.created, w.sent) && s.justBefore(c.created, w.sent):
			early = append(early, c)
		case like == alike && s.during(c.created, w.sent) && !c.sale:
			similar = append(similar, c)
		}
	}
	switch {
	case len(hidden) > 0:
		return decision{kind: later, ids: idsOf(hidden), code: "doubt.unread", msg: "the lead's trail has a record that may be it, but its fields cannot be read yet", hint: ledger.DoubtHint}
	case s.blind != "":
		d := decision{kind: later, code: "doubt.unread", msg: s.blind, hint: "run leadload settle later"}
		if !s.later {
			d.kind = unsure
		}
		return d
	case len(early) > 0:
		return decision{kind: unsure, ids: idsOf(early), code: "doubt.early", msg: "the account has a record that carries what was sent, but seems to have been made before the call",
			hint: "look at the candidate in the account: if it is this row, nothing is to be done; if not, give the row another key and load it again"}
	case len(similar) > 0:
		return decision{kind: unsure, ids: idsOf(similar), code: "doubt.similar", msg: "the account has a record of that moment that carries most of what was sent, but not all",
			hint: "look at the candidate in the account: it may be this row, changed by an automation"}
	}
	return decision{kind: absent}
}

func idsOf(cs []candidate) []string {
	ids := make([]string, len(cs))
	for i, c := range cs {
		ids[i] = c.id
	}
	return ids
}
