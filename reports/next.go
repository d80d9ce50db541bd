package reports

import (
	"fmt"

	"leadload/loader/ledger"
)

// oneCauseRows is from how many rows on a reason that all of them share is
// taken for the mapping's.
const oneCauseRows = 3

// OneCause reports whether every row that could have been loaded failed, and
// nine in ten or more for the same reason: then the mapping is wrong, and not
// the rows. Of rows that were not sent nobody knows, so that the refusals of
// those that were sent decide. errs are the most common errors, the first of
// them at least.
//
// Leads that are not there are the account's want and not the mapping's.
func OneCause(t ledger.Counts, errs []ledger.ErrorCount) bool {
	if len(errs) > 0 && errs[0].Code == "lead.missing" {
		return false
	}
	failed := t[ledger.ResultInvalid] + t[ledger.ResultRejected]
	if n := t[ledger.ResultNotSent]; n > 0 {
		others := t.Sum() - failed - n - t[ledger.ResultSkipped] - t[ledger.ResultRepeated]
		return t[ledger.ResultRejected] >= oneCauseRows && others == 0 && len(errs) > 0 && errs[0].Count >= t[ledger.ResultRejected] && errs[0].Count > t[ledger.ResultInvalid]
	}
	return failed >= oneCauseRows && t.Sum()-failed-t[ledger.ResultSkipped]-t[ledger.ResultRepeated] == 0 &&
		len(errs) > 0 && errs[0].Count*10 >= failed*9
}

// advice is the Summary's third line: what to do next, with the command.
func (j *job) advice(t *tally, errs []ledger.ErrorCount) string {
	c := t.totals
	next := ""
	if len(j.Next) > 0 {
		next = ": " + j.Next[0]
	}
	fix := c[ledger.ResultInvalid] + c[ledger.ResultRejected]
	switch {
	case OneCause(c, errs):
		again := "load"
		if j.Run.Command == "check" {
			again = "check"
		}
		what := "every row fails for the same reason, so correct the mapping and not the rows"
		switch {
		case c[ledger.ResultNotSent] > 0:
			what = "the account refuses every row for the same reason, so correct the mapping and not the rows"
		case errs[0].Count < fix:
			what = "every row fails, and nearly all for the same reason, so correct the mapping first"
		}
		return fmt.Sprintf("Next: %s. Then %s the file again%s", what, again, next)
	case j.Run.Command == "check" && fix > 0:
		return fmt.Sprintf("Next: correct the %s of the sheet Failed in your file, or load the others now%s", counted(fix, "row"), next)
	case j.Run.Command == "check" && c[ledger.ResultWouldSend]+c[ledger.ResultWouldUpdate] > 0:
		return "Next: load the file" + next
	case c[ledger.ResultNotSent] > 0:
		return fmt.Sprintf("Next: %s not sent. Run the same command again%s", was(c[ledger.ResultNotSent]), next)
	case fix > 0:
		return fmt.Sprintf("Next: correct the %s on the sheet Failed, in the filled cells, and load that sheet%s", counted(fix, "row"), next)
	case c[ledger.ResultInDoubt]+c[ledger.ResultPending] > 0:
		return fmt.Sprintf("Next: ask the account about %s in doubt or pending%s", counted(c[ledger.ResultInDoubt]+c[ledger.ResultPending], "row"), next)
	case c[ledger.ResultConflict] > 0:
		return fmt.Sprintf("Next: decide the %s in conflict on the sheet Changes: correct the file, or send what it has with --on-conflict overwrite", counted(c[ledger.ResultConflict], "row"))
	case c[ledger.ResultChanged]+c[ledger.ResultRepeated] > 0:
		return fmt.Sprintf("Next: look at the %s on the sheet Failed; nothing is left to send.", counted(c[ledger.ResultChanged]+c[ledger.ResultRepeated], "row"))
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
