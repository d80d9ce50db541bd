package ledger

import (
	"errors"
	"testing"
)

// TestFrom says from which state an outcome takes its operation.
func TestFrom(t *testing.T) {
	back := &Edit{Back: true}
	for name, c := range map[string]struct {
		out     Outcome
		fate    Fate
		s, want State // want 0: refused
	}{
		"a creation that was sent":                  {Outcome{State: Loaded}, Absent, Sending, Sending},
		"a creation that has ended":                 {Outcome{State: Loaded}, Present, Loaded, 0},
		"a deletion without a call":                 {Outcome{Op: Delete, State: Loaded}, Present, Ready, Ready},
		"a deletion after one that was refused":     {Outcome{Op: Delete, State: Loaded}, Present, Rejected, Ready},
		"a deletion of what was made again":         {Outcome{Op: Delete, State: Loaded}, Present, Loaded, Ready},
		"a deletion of what is not there":           {Outcome{Op: Delete, State: Loaded}, Absent, Loaded, 0},
		"a deletion of what another rule matched":   {Outcome{Op: Delete, State: Rejected}, Matched, Ready, 0},
		"a deletion that is on":                     {Outcome{Op: Delete, State: InDoubt}, Present, Sending, Sending},
		"an update that has ended":                  {Outcome{Op: Update, State: Contested, Edit: &Edit{}}, Present, Loaded, 0},
		"an update that has ended and is put back":  {Outcome{Op: Update, State: Contested, Edit: back}, Present, Loaded, Ready},
		"an update that is being put back":          {Outcome{Op: Update, State: Loaded, Edit: back}, Present, InDoubt, InDoubt},
		"an update that is being put back, too far": {Outcome{Op: Update, State: Missing, Edit: back}, Present, InDoubt, 0},
	} {
		from, err := c.out.From(c.fate, c.s)
		if refused := c.want == 0; refused != errors.Is(err, ErrState) || !refused && (err != nil || from != c.want) {
			t.Errorf("%s: %s, %v", name, from, err)
		}
	}
}
