package send

import (
	"context"
	"strings"
	"sync"
	"unicode"

	"leadload/internal/fault"
	"leadload/loader/ledger"
)

// sameRefusal counts the answers from the first one on, as long as each is the
// same refusal.
type sameRefusal struct {
	mu   sync.Mutex
	n    int64
	kind string
	over bool // an answer was another one
}

// add counts an answer and returns how many there were, all alike; 0 once one was not.
func (r *sameRefusal) add(o *ledger.Outcome) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch o.State {
	case ledger.Rejected:
		kind := o.Code + " " + wording(o.Msg)
		r.over = r.over || r.n > 0 && kind != r.kind
		r.kind = kind
	case ledger.Loaded, ledger.Duplicate, ledger.Pending:
		r.over = true
	default:
		return 0 // no answer about the row
	}
	r.n++
	if r.over {
		return 0
	}
	return r.n
}

// wording is a refusal without the values of its row: what stands in quotes, and
// words with a digit or an @ that are no names of fields.
func wording(msg string) string {
	var out []string
	quote := "" // that is open
	for w := range strings.FieldsSeq(msg) {
		switch {
		case quote != "":
			if strings.HasSuffix(strings.TrimRight(w, ".,;:)"), quote) {
				quote = ""
			}
		case w[0] == '"' || w[0] == '\'':
			if !strings.Contains(w[1:], w[:1]) {
				quote = w[:1]
			}
		case strings.HasPrefix(w, "mx_"), !strings.ContainsFunc(w, func(r rune) bool { return r == '@' || unicode.IsDigit(r) }):
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}

// mistaken ends the run when the account has refused nothing but rows so far, all
// for one reason: then the mapping is wrong, and the next rows would meet the same.
func (s *Sender) mistaken(ctx context.Context, o *ledger.Outcome) error {
	if s.MaxSame == 0 || s.same.add(o) != s.MaxSame {
		return nil
	}
	if s.Trusted != nil {
		if trusted, err := s.Trusted(context.WithoutCancel(ctx)); err != nil || trusted {
			return err
		}
	}
	return fault.New("run.same-error", "correct the mapping, not the cells, and run the same command again; with --max-same-error 0 the run goes on all the same",
		"the first %d answers are all the same refusal, and nothing was loaded with this mapping yet: %s", s.MaxSame, o.Msg)
}
