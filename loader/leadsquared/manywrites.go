package leadsquared

import (
	"context"
	"net/http"
	"strings"
)

// MaxBulk is the most records of one bulk call (vendor's page).
const MaxBulk = 25

// BulkForm is the shape of a bulk call's answer. The vendor documents none for
// opportunities; the two with RowNumber are those of its bulk calls for
// activities and leads. A form says only how an answer is laid out: whether the
// account means by it what it seems to say must be proved by reading back.
type BulkForm uint8

// The forms that are recognised.
const (
	BulkUnknown  BulkForm = iota // no word about the rows that could be read
	BulkNumbered                 // an object a row, each with a RowNumber from 1
	BulkPlaced                   // an object a row, in the order of the rows
	BulkIDs                      // an id a row, in the order of the rows; "" where there is none
)

var bulkFormNames = [...]string{"in no form", "by their row numbers", "by their places", "as ids by their places"}

// String says how the rows of an answer are read.
func (f BulkForm) String() string {
	if int(f) < len(bulkFormNames) {
		return bulkFormNames[f]
	}
	return bulkFormNames[BulkUnknown]
}

// BulkRow is what a bulk call's answer says of one row.
type BulkRow struct {
	ID            string // of the record made or changed; "" where the answer names none
	Matched       bool   // the answer says that no record was made for it: ID was there before
	Refused       bool   // the application refused this row
	ExceptionType string
	Message       string // the account's words about a refusal
}

// Outcome returns what the answer says of one row as that of a call of its own.
// It is to be believed only of an answer whose form was proved.
func (r BulkRow) Outcome() Outcome {
	o := Outcome{Status: http.StatusOK, ID: r.ID, ExceptionType: r.ExceptionType, Message: r.Message}
	application := strings.HasPrefix(strings.ToLower(r.ExceptionType), "mx")
	switch {
	case r.ID != "" && r.Matched:
		o.Verdict = Duplicate
	case r.ID != "":
		o.Verdict = Applied
	case !r.Refused:
		o.Verdict, o.code, o.Message = InDoubt, codeNoID, "the answer does not say what became of this record"
	case strings.EqualFold(r.ExceptionType, vendorLimitType), vendorLimit().MatchString(r.Message) && (application || r.ExceptionType == ""):
		o.Verdict, o.code = Throttled, codeLimit
		o.StatedCalls, o.StatedWindow = parseLimit(r.Message)
	case r.ExceptionType != "" && !application, limitType(r.ExceptionType):
		o.Verdict, o.code = InDoubt, codeServerError // not the application's own word
	default:
		o.Verdict, o.code = Rejected, codeRejected
	}
	return o
}

// Shapeless reports that a call of many records ended well and that its answer
// does not say what became of each: it has none of the forms that are known.
func Shapeless(o Outcome) bool {
	return o.Verdict == InDoubt && o.code == codeUnexpected && o.Status >= 200 && o.Status <= 299
}

// BulkUpdateOpportunities changes up to MaxBulk opportunities
// (Bulk/Update/ByOpportunityId): body is a list of {ProspectOpportunityId,
// OpportunityEventCode, Fields}, and n its length.
//
// Applied means that the answer has one of the known forms and a row for each
// of the n, no id twice and no row twice. Any other answer is InDoubt, and so
// are all its rows. A refusal of the whole call (Rejected) leaves the rows as they were.
func (c *Client) BulkUpdateOpportunities(ctx context.Context, s Slot, body []byte, n int) ([]BulkRow, BulkForm, Outcome) {
	return c.bulk(ctx, s, call{kind: kindBulk, method: http.MethodPost, path: pathBulkUpdate, body: body}, n)
}

// BulkAddOpportunities makes up to MaxBulk opportunities of leads that are
// there (Bulk/Add/ByLeadField): body is a list of {SearchByValue,
// OpportunityEventCode, OpportunityNote, Fields, …}, and n its length. Outcomes
// are as those of BulkUpdateOpportunities.
func (c *Client) BulkAddOpportunities(ctx context.Context, s Slot, searchBy string, body []byte, n int) ([]BulkRow, BulkForm, Outcome) {
	if searchBy = strings.TrimSpace(searchBy); searchBy == "" {
		return nil, BulkUnknown, invalid("no lead field to add opportunities by")
	}
	return c.bulk(ctx, s, call{kind: kindBulk, method: http.MethodPost, path: pathBulkAdd, query: values([]string{"SearchBy", searchBy}), body: body}, n)
}

func (c *Client) bulk(ctx context.Context, s Slot, k call, n int) ([]BulkRow, BulkForm, Outcome) {
	if n < 1 || n > MaxBulk {
		return nil, BulkUnknown, invalid("a bulk call takes 1 to 25 records")
	}
	o, doc := c.do(ctx, s, k)
	if o.Verdict != Applied {
		return nil, BulkUnknown, o
	}
	list, form := readBulk(doc, n)
	if form == BulkUnknown {
		o.Verdict, o.code, o.Message = InDoubt, codeUnexpected, "the answer does not say what became of each record"
		return nil, form, o
	}
	return list, form, o
}

// readBulk reads what an answer says of n rows. BulkUnknown is every answer that
// leaves a row out, names one twice, repeats an id, or cannot be read.
func readBulk(doc any, n int) ([]BulkRow, BulkForm) {
	list, ok := doc.([]any)
	if top, isObject := doc.(object); isObject {
		if list, ok = top.get("Response", "Responses", "Results", "List").([]any); !ok {
			list, ok = member(top, "Message").get("Response", "Results").([]any)
		}
	}
	if !ok || len(list) != n {
		return nil, BulkUnknown
	}
	all := make([]BulkRow, n)
	filled := make([]bool, n)
	form := BulkUnknown
	had := map[string]bool{}
	for place, v := range list {
		var row BulkRow
		at, is := place, BulkPlaced
		switch v := v.(type) {
		case object:
			if v.torn("RowNumber", "ProspectActivityId", "OpportunityId", "ExceptionType", "ExceptionMessage", "ErrorMessage") {
				return nil, BulkUnknown
			}
			if v.has("RowNumber") {
				number, whole := v.integer("RowNumber")
				if !whole || number < 1 || number > n {
					return nil, BulkUnknown
				}
				at, is = number-1, BulkNumbered
			}
			row = readBulkRow(v)
		case string:
			row, is = BulkRow{ID: identifier(v)}, BulkIDs
		case nil:
			is = BulkIDs
		default:
			return nil, BulkUnknown
		}
		if form == BulkUnknown {
			form = is
		}
		if form != is || filled[at] {
			return nil, BulkUnknown
		}
		if id := strings.ToLower(row.ID); id != "" {
			if had[id] {
				return nil, BulkUnknown
			}
			had[id] = true
		}
		all[at], filled[at] = row, true
	}
	return all, form
}

func readBulkRow(v object) BulkRow {
	row := BulkRow{
		ID:            identifier(v.get("ProspectActivityId", "OpportunityId", "ProspectOpportunityId", "CreatedOpportunityId", "Id")),
		ExceptionType: v.text("ExceptionType"),
		Message:       tidy(firstText(v.text("ExceptionMessage"), v.text("ErrorMessage"))),
	}
	for _, name := range []string{"ActivityCreated", "OpportunityCreated"} {
		if made, said := v.get(name).(bool); said && !made {
			row.Matched = row.ID != ""
		}
	}
	if row.ExceptionType == "" {
		// Some forms have the type at the head of the message.
		if head, rest, ok := strings.Cut(row.Message, ":"); ok && strings.HasPrefix(head, "MX") && !strings.Contains(head, " ") {
			row.ExceptionType, row.Message = head, strings.TrimSpace(rest)
		}
	}
	status := statusWord(v.get("Status"))
	row.Refused = row.ID == "" && (row.ExceptionType != "" || row.Message != "" || status == "error" || status == "1" || failWord(status))
	return row
}
