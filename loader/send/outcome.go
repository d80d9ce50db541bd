package send

import (
	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
)

// Outcome says what a call's verdict means for its record.
func Outcome(record int64, op ledger.Op, out leadsquared.Outcome) ledger.Outcome {
	o := ledger.Outcome{Record: record, Op: op, LeadID: out.LeadID}
	switch out.Verdict {
	case leadsquared.Applied:
		o.State, o.ID = ledger.Loaded, out.ID
		if out.Message != "" {
			o.Code, o.Msg = "account.partial", out.Message
			o.Hint = "the record is in the account; look there at what the account says it left out"
		}
	case leadsquared.Duplicate:
		o.State, o.ID = ledger.Duplicate, out.ID
		o.Code, o.Msg = "account.duplicate", "the account's duplicate rule matched the record "+out.ID+"; nothing new was made"
		o.Hint = "nothing, when the two are the same; otherwise change the rule in the account and load the row again"
	case leadsquared.Accepted:
		o.State, o.RequestID = ledger.Pending, out.RequestID
		o.Code, o.Msg = "account.pending", "the account has queued it"
		o.Hint = "run leadload settle later to learn its id"
	case leadsquared.Rejected:
		o.State, o.Code, o.Msg = ledger.Rejected, leadsquared.Code(out), out.Refusal()
		o.Hint = rejectHint(out)
	case leadsquared.InDoubt:
		o.State, o.Code = ledger.InDoubt, leadsquared.Code(out)
		o.Msg, o.Hint = "the answer was lost: "+out.Message, ledger.DoubtHint
		if out.Slow || out.Stop {
			o.Msg = "the answer does not say whether it was made: " + out.Message
		}
	default: // Throttled, NotSent, Fatal: not applied
		o.State, o.Code, o.Msg, o.Hint = ledger.Ready, leadsquared.Code(out), out.Message, fault.RunAgain
	}
	return o
}

func rejectHint(out leadsquared.Outcome) string {
	switch out.ExceptionType {
	case "MXMandatoryAttributeMissingException":
		return "map the attribute that the message names, or fill it in in this row"
	case "MXInvalidActivityFieldsException":
		return "fill in or correct the field that the message names; leadload check --online shows all such fields before anything is sent"
	case "MXDuplicateEntryException":
		return "the account has an entry with this unique value; correct the value, or update that entry in the account"
	}
	return "correct the row in the sheet Failed and load that sheet again; leadload errors explains the code"
}
