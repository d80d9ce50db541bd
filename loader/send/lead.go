package send

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/target"
	"leadload/mapping"
)

// lookup is how the lead of a row is looked up before its call. It goes into
// the ledger with the row, so that a row in doubt can be sent again without its
// mapping. Old ledgers have the same names.
type lookup struct {
	Find      bool   `json:"d,omitempty"` // the lead's id goes into the body
	MustExist bool   `json:"m,omitempty"` // the call would make the lead
	IfMissing string `json:"i,omitempty"` // as in the mapping
	IfMany    string `json:"n,omitempty"`
	LeadText  string `json:"w,omitempty"` // the value as an attribute of the lead has it, for a lead that may be made
}

func lookupOf(m *mapping.Mapping, rec *mapping.Record) lookup {
	look := lookup{Find: m.Lead.FindBy != "", MustExist: m.LeadMustExist, IfMissing: m.Lead.IfMissing, IfMany: m.Lead.IfMany}
	if look.IfMissing == "create" {
		look.LeadText = rec.LeadText
	}
	return look
}

func (l lookup) wanted() bool { return l.Find || l.MustExist }

// encode returns nil where no lead is looked up.
func (l lookup) encode() json.RawMessage {
	if !l.wanted() {
		return nil
	}
	text, err := json.Marshal(l)
	if err != nil {
		panic("send: " + err.Error()) // texts and truth values always can
	}
	return text
}

// MustExist reports whether the lead of a row that is to be made has to be there.
func MustExist(j *Row) bool {
	look, err := j.lookup(targetOf(j))
	return err == nil && look.MustExist
}

// lookup reads what encode wrote.
func (j *Row) lookup(t target.Target) (look lookup, err error) {
	if j.Payload.Lookup == nil {
		return look, nil
	}
	if j.look != nil {
		return *j.look, nil
	}
	if err = json.Unmarshal(j.Payload.Lookup, &look); err == nil && look.Find && j.again {
		// A row that was sent before has the id in its body; one that was only about to be sent has not.
		var sent leadsquared.Sent
		sent, err = t.Sent([]byte(j.Payload.Body))
		look.Find = sent.ProspectID == ""
	}
	if err != nil {
		err = &ledger.Error{Code: "ledger.corrupt", Msg: fmt.Sprintf("what was sent for record %d cannot be read", j.Record), Err: err,
			Hint: "restore the ledger from a backup, or compare the row with the account by hand"}
	}
	return look, err
}

// leadOf finds the id of the lead of a row: from memory, or by one paced
// look-up. An Outcome with a State says that the row is refused without a
// call; the error ends the run.
func (s *Sender) leadOf(ctx context.Context, j *Row, look lookup) (string, ledger.Outcome, error) {
	if j.LeadID != "" {
		return j.LeadID, ledger.Outcome{}, nil
	}
	field, value := j.Payload.LeadField, j.Payload.LeadValue
	known, err := s.rememberedLead(ctx, j)
	if err != nil || known != "" {
		return known, ledger.Outcome{}, err
	}
	refuse := func(code, hint, format string, args ...any) ledger.Outcome {
		return ledger.Outcome{Record: j.Record, State: ledger.Rejected, Code: code, Msg: fmt.Sprintf(format, args...), Hint: hint}
	}
	found, err := target.Leads(ctx, s.Line, target.Search{Field: field, Value: value})
	leads, out := found.Leads, found.Out
	switch {
	case err != nil:
		return "", ledger.Outcome{}, err
	case out.Verdict == leadsquared.Rejected:
		return "", refuse("lead.refused", "correct the value, or find the lead by another field", "the look-up of the lead by %s %q was refused: %s", field, value, out.Refusal()), nil
	case out.Verdict != leadsquared.Applied:
		o := refuse("lead.unread", "run the same command again", "the lead with %s %q could not be looked up: %s", field, value, out.Message)
		o.State = ledger.Ready // the row was not refused
		return "", o, nil
	case len(leads) == 0 && look.IfMissing == "create":
		return s.createLead(ctx, j, look)
	case len(leads) == 0:
		return "", refuse("lead.missing", "correct the value, or make the lead in the account first, and load the row again", "no lead has %s %q", field, value), nil
	case len(leads) > 1 && look.IfMany != "newest":
		ids := make([]string, len(leads))
		for i, l := range leads {
			ids[i] = l.ID
		}
		return "", refuse("lead.many", "merge the leads in the account, or write if_many: newest under lead: in the mapping", "%d leads have %s %q: %s", len(leads), field, value, strings.Join(ids, ", ")), nil
	}
	return s.newest(field, value, leads), ledger.Outcome{}, nil
}

// rememberedLead returns the id of a row's lead from an earlier look-up; "" for none.
func (s *Sender) rememberedLead(ctx context.Context, j *Row) (string, error) {
	field := j.Payload.LeadField
	name := target.LeadName(field, j.Payload.LeadValue)
	known, err := s.Ledger.Memo().Leads(ctx, s.Lease.Account, field, []string{name}, s.LeadAge)
	return known[name], err
}

// The ledger is asked at once for the leads of so many rows: of few at first, so that
// the first call does not wait, and of ever more, since each question reads most of
// the table anew.
const (
	rowsAhead     = 64
	mostRowsAhead = 2048
)

// Remembered yields rows with the leads that are known of earlier look-ups. It runs
// some rows ahead, which must not wait for anything.
func (s *Sender) Remembered(ctx context.Context, rows iter.Seq2[*Row, error]) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		var held []*Row
		most := rowsAhead
		hand := func() bool {
			err := s.recall(ctx, held)
			most = min(2*most, mostRowsAhead)
			for _, j := range held {
				if err != nil {
					return yield(nil, err)
				}
				if !yield(j, nil) {
					return false
				}
			}
			held = held[:0]
			return true
		}
		for j, err := range rows {
			if err != nil {
				if hand() {
					yield(nil, err)
				}
				return
			}
			if held = append(held, j); len(held) >= most && !hand() {
				return
			}
		}
		hand()
	}
}

// recall fills in the leads of rows that are looked up, as far as they are known.
func (s *Sender) recall(ctx context.Context, rows []*Row) error {
	byField := map[string][]string{}
	for _, j := range rows {
		if j.Op == ledger.Create && j.look != nil && j.look.wanted() {
			j.asked = true
			byField[j.Payload.LeadField] = append(byField[j.Payload.LeadField], target.LeadName(j.Payload.LeadField, j.Payload.LeadValue))
		}
	}
	for field, names := range byField {
		known, err := s.Ledger.Memo().Leads(ctx, s.Lease.Account, field, names, s.LeadAge)
		if err != nil {
			return err
		}
		for _, j := range rows {
			if j.asked && j.Payload.LeadField == field {
				j.LeadID = known[target.LeadName(field, j.Payload.LeadValue)]
			}
		}
	}
	return nil
}

// newest picks the lead that was made last, and remembers it.
func (s *Sender) newest(field, value string, leads []leadsquared.Lead) string {
	newest := slices.MaxFunc(leads, func(a, b leadsquared.Lead) int { return a.CreatedOn.Compare(b.CreatedOn) })
	s.Ledger.Memo().RememberLead(s.Lease.Account, field, target.LeadName(field, value), newest.ID)
	return newest.ID
}

// createTries bounds how often a lead is captured for one row.
const createTries = 3

// createLead makes the lead of a sales activity on the user's demand
// (if_missing: create). After the call the lead is looked up again: for its id
// and, after a lost answer, to see whether it is there. The row itself is sent
// only with an id that the account has shown.
func (s *Sender) createLead(ctx context.Context, j *Row, look lookup) (string, ledger.Outcome, error) {
	field, value := j.Payload.LeadField, j.Payload.LeadValue
	refuse := func(state ledger.State, code, hint, format string, args ...any) ledger.Outcome {
		return ledger.Outcome{Record: j.Record, State: state, Code: code, Msg: fmt.Sprintf(format, args...), Hint: hint}
	}
	attribute := value
	if look.LeadText != "" {
		attribute = look.LeadText
	}
	if !mapping.MakesLead(field) { // a mapping no longer says so; a row of an older ledger may
		return "", refuse(ledger.Rejected, "lead.uncreatable", "make the lead in the account first, or find it by EmailAddress or Phone",
			"no lead has %s %q, and the account makes leads by EmailAddress, Phone and Mobile only", field, value), nil
	}
	for try := 1; try <= createTries; try++ {
		out, err := s.Line.Make(ctx, func(ctx context.Context, slot leadsquared.Slot) leadsquared.Outcome {
			return s.Line.Client.CaptureLead(ctx, slot, field, attribute)
		})
		if err != nil {
			return "", ledger.Outcome{}, err
		}
		if out.Verdict != leadsquared.NotSent {
			s.Ledger.Memo().CountCalls(s.Lease.Account, time.Now(), 1)
		}
		switch out.Verdict {
		case leadsquared.Rejected:
			return "", refuse(ledger.Rejected, "lead.refused", "correct the value, or make the lead in the account", "the account refused to make a lead with %s %q: %s", field, value, out.Refusal()), nil
		case leadsquared.Applied:
		default:
			if err := line.Sleep(ctx, line.Backoff(try+1)); err != nil {
				return "", ledger.Outcome{}, err
			}
		}
		found, err := target.Leads(ctx, s.Line, target.Search{Field: field, Value: value})
		leads, seen := found.Leads, found.Out
		switch {
		case err != nil:
			return "", ledger.Outcome{}, err
		case seen.Verdict != leadsquared.Applied:
			return "", refuse(ledger.Ready, "lead.unread", "run the same command again", "a lead with %s %q was asked for, and could not be looked up: %s", field, value, seen.Message), nil
		case len(leads) > 1 && look.IfMany != "newest":
			return "", refuse(ledger.Rejected, "lead.many", "merge the leads in the account, or write if_many: newest under lead: in the mapping", "%d leads have %s %q since one was made", len(leads), field, value), nil
		case len(leads) > 0:
			return s.newest(field, value, leads), ledger.Outcome{}, nil
		case out.Verdict == leadsquared.Applied:
			return "", refuse(ledger.Ready, "lead.unread", "run the same command again", "the lead with %s %q was made, but the account does not show it yet", field, value), nil
		}
		// Not there: the account matches by the value before it makes a lead, so asking again cannot make two.
	}
	return "", refuse(ledger.Ready, "lead.unread", "run the same command again", "a lead with %s %q could not be made: the answers got lost", field, value), nil
}
