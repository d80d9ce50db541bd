package bulk

import (
	"context"
	"slices"
	"strings"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/line"
	"leadload/loader/send"
	"leadload/loader/target"
)

// believe ends rows by an answer of a known form: as it is where the form was proved
// and numbers its rows, otherwise as far as the account agrees.
func (b *batch) believe(ctx context.Context, list []item, answer []leadsquared.BulkRow, form leadsquared.BulkForm) error {
	learned := b.shape(b.kind)
	lost := leadsquared.Outcome{Verdict: leadsquared.InDoubt, Message: "the answer does not say for certain what became of this record"}
	for i := range list {
		if !b.calls.names(&list[i], answer[i]) {
			b.learn(b.kind, Shape{Why: "an answer names the records in another order"})
			b.doubt(list, lost)
			return nil
		}
	}
	if learned.known() && learned.Form != form {
		b.learn(b.kind, Shape{Why: "its answers have another form than before"})
		b.doubt(list, lost)
		return nil
	}
	agreed := make([]bool, len(list))
	for i := range agreed {
		agreed[i] = blind || learned.known() && form == leadsquared.BulkNumbered && b.calls.sure(answer[i])
	}
	if slices.Contains(agreed, false) {
		other, err := b.readBack(ctx, list, answer, agreed)
		if err != nil {
			b.doubt(list, lost)
			return err
		}
		if other {
			b.learn(b.kind, Shape{Why: "the ids of an answer are not those of its rows"})
			b.doubt(list, lost)
			return nil
		}
	}
	all := true
	for i := range list {
		it := &list[i]
		out := answer[i].Outcome()
		switch {
		case out.ID == "" && (b.proof || form != leadsquared.BulkNumbered) && !blind, out.Verdict == leadsquared.InDoubt, out.ID != "" && !agreed[i]:
			// A refusal, too, is believed only where a row is known to be meant.
			all = false
			if out.Message == "" {
				out.Message = lost.Message
			}
			b.endDoubt(it, out)
		case out.Verdict == leadsquared.Throttled:
			if err := b.unsent(list[i:i+1], out); err != nil {
				return err
			}
			b.back = append(b.back, it.Row)
		default:
			b.end(it.Row, b.calls.outcome(it, out))
		}
	}
	switch {
	case !b.proof:
	case all:
		b.learn(b.kind, Shape{Form: form})
	default:
		b.unproved(b.kind, "the account does not show what its answers say")
	}
	return nil
}

// readBack reads the records that an answer names until the account shows that each is
// its row's, or would have shown it. agreed gets the rows of which it does; other says
// that a record certainly is not what the answer says.
func (b *batch) readBack(ctx context.Context, list []item, answer []leadsquared.BulkRow, agreed []bool) (other bool, err error) {
	deadline := time.Now().Add(b.Patience)
	for pause := time.Second / 2; ; pause = min(2*pause, 15*time.Second) {
		var left []item
		var named []leadsquared.BulkRow
		var places []int
		for i := range list {
			if !agreed[i] && answer[i].ID != "" && !answer[i].Troubled {
				left, named, places = append(left, list[i]), append(named, answer[i]), append(places, i)
			}
		}
		if len(left) == 0 {
			return false, nil
		}
		q := b.calls.question(left, named)
		q.Memory = b.Memory
		if len(left) > proofRows && opportunities().ReadCalls(len(left), 0, b.Memory) > proofRows {
			return false, nil // as many calls as rows: they are looked up when the others are sent
		}
		back, err := opportunities().Read(ctx, b.Line, q)
		if err != nil {
			return false, err
		}
		late := false
		for n, i := range places {
			is, isOther := b.calls.shows(&list[i], named[n], back[strings.ToLower(named[n].ID)])
			if isOther {
				return true, nil
			}
			agreed[i] = is
			late = late || !is
		}
		if !late || time.Now().Add(pause).After(deadline) || line.Sleep(ctx, pause) != nil {
			return false, nil
		}
	}
}

// opportunities returns what reads the records back.
func opportunities() target.Reader { return target.For("opportunity").(target.Reader) }

var _ send.Many = (*Lane)(nil)
