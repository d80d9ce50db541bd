package reports

import (
	"fmt"

	"leadload/loader/ledger"
)

// oneCauseRows is from how many rows on a reason that all of them share is
// taken for the mapping's.
const oneCauseRows = 3

// OneCause reports whether every row that could have been loaded failed, and
// all for the same reason: then the mapping is wrong, and not the rows. errs
// are the two most common errors.
func OneCause(t ledger.Totals, errs []ledger.ErrorCount) bool {
	failed := t.Invalid + t.Rejected
	return failed >= oneCauseRows && t.Loaded+t.Already+t.Duplicate+t.Pending+t.InDoubt+t.NotSent+t.Changed == 0 &&
		len(errs) > 0 && errs[0].Count >= failed
}

// advice is the Summary's third line: what to do next, with the command.
func (j *job) advice(t *tally, errs []ledger.ErrorCount) string {
	c := t.totals
	next := ""
	if len(j.Next) > 0 {
		next = ": " + j.Next[0]
	}
	fix := c.Invalid + c.Rejected
	switch {
	case OneCause(c, errs):
		again := "load"
		if j.Run.Command == "check" {
			again = "check"
		}
		return fmt.Sprintf("Next: every row fails for the same reason, so correct the mapping and not the rows. Then %s the file again%s", again, next)
	case j.Run.Command == "check" && fix > 0:
		return fmt.Sprintf("Next: correct the %s of the sheet Failed in your file, or load the others now%s", counted(fix, "row"), next)
	case j.Run.Command == "check" && t.wouldSend > 0:
		return "Next: load the file" + next
	case c.NotSent-t.wouldSend > 0:
		return fmt.Sprintf("Next: %s not sent. Run the same command again%s", was(c.NotSent-t.wouldSend), next)
	case fix > 0:
		return fmt.Sprintf("Next: correct the %s on the sheet Failed, in the filled cells, and load that sheet%s", counted(fix, "row"), next)
	case c.InDoubt+c.Pending > 0:
		return fmt.Sprintf("Next: ask the account about %s in doubt or pending%s", counted(c.InDoubt+c.Pending, "row"), next)
	case c.Changed+c.Repeated > 0:
		return fmt.Sprintf("Next: look at the %s on the sheet Failed; nothing is left to send.", counted(c.Changed+c.Repeated, "row"))
	}
	return "Nothing is left to do."
}

// was is a number of rows with its verb.
func was(n int64) string {
	if n == 1 {
		return "1 row was"
	}
	return thousands(n) + " rows were"
}
