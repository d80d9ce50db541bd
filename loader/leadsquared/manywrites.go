package leadsquared

import (
	"context"
	"net/http"
	"slices"
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
	ID       string // of the record made or changed; "" where the answer names none
	Matched  bool   // the answer says that no record was made for it: ID was there before
	Refused  bool   // the application refused this row
	Troubled bool   // the answer names a record, and a failure beside it
	// Done says that the answer has a word of success for the row, or a place for a
	// failure and nothing in it. An id alone is no such word: that of a change may be
	// the one that the request named.
	Done          bool
	idle          bool // the answer says that the record was not changed
	ExceptionType string
	Message       string // the account's words about a refusal
}

// Outcome returns what the answer says of one row as that of a call of its own.
// It is to be believed only of an answer whose form was proved.
func (r BulkRow) Outcome() Outcome {
	o := Outcome{Status: http.StatusOK, ID: r.ID, ExceptionType: r.ExceptionType, Message: r.Message}
	application := ofApplication(r.ExceptionType)
	switch {
	case r.Troubled:
		o.Verdict, o.code, o.ID = InDoubt, codeContradiction, ""
		if o.Message == "" {
			o.Message = "the answer names a record and a failure"
		}
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
	rows, form, out := c.bulk(ctx, s, call{kind: kindBulk, method: http.MethodPost, path: pathBulkUpdate, body: body}, n)
	for i := range rows {
		if r := &rows[i]; r.Troubled && ofApplication(r.ExceptionType) {
			r.ID, r.Refused, r.Troubled = "", true, false // it names the record that was not changed
		} else if r.ID != "" && r.idle {
			r.Troubled, r.Done = true, false
		}
	}
	return rows, form, out
}

// ofApplication reports that an exception is of the application's own, and no accident.
func ofApplication(exception string) bool {
	return strings.HasPrefix(strings.ToLower(exception), "mx")
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

// readBulkRow reads what an answer says of one row. What is not certain to be success
// is taken for trouble, by whatever name: the row is looked up then.
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
	trouble, words, made := false, "", false
	for _, m := range v.members {
		name := strings.ToLower(m.name)
		done, failed := bulkWord(name, m.value)
		row.Done = row.Done || done
		if said, isFlag := m.value.(bool); isFlag && said {
			made = made || done
		} else if isFlag && strings.HasSuffix(name, "updated") {
			row.idle = true
		}
		if failed && words == "" && !isStatus(name) {
			words = troubleWords(m.value)
		}
		trouble = trouble || failed || len(m.other) > 0
	}
	if row.Message == "" && trouble {
		row.Message = tidy(firstText(words, v.text("Message")))
	}
	row.Done, row.idle = row.Done && !trouble, row.idle && !made
	row.Troubled = trouble && row.ID != ""
	// Without a word about the reason the row is looked up, and gets one in a call of its own.
	row.Refused = row.ID == "" && (row.ExceptionType != "" || row.Message != "")
	return row
}

// bulkWord returns what one member of an answer, whose name is in lower case, says of
// its row: success, failure, or nothing about either.
func bulkWord(name string, v any) (done, failed bool) {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(name, p) })
	}
	said, isWord := v.(bool)
	if s, isText := v.(string); isText && (strings.EqualFold(s, "true") || strings.EqualFold(s, "false")) {
		said, isWord = strings.EqualFold(s, "true"), true
	}
	switch {
	case has("exception", "error", "fail", "reason", "reject", "invalid"):
		return isNoTrouble(v), !isNoTrouble(v)
	case isWord && has("success", "succeeded"):
		return said, !said
	case isWord && has("updated", "created"):
		return said, false
	case isStatus(name):
		word := statusWord(v)
		switch n, isNumber := integer(v); {
		case isNumber:
			return n == 0 || n >= 200 && n <= 299, n == 1 || n == 2 || n >= 300
		case word == "success" || word == "ok" || word == "created" || word == "updated":
			return true, false
		}
		return false, failWord(word)
	}
	return false, false
}

// isStatus reports that a member holds a word or a number for how it went, and no reason.
func isStatus(name string) bool {
	return strings.Contains(name, "status") && !strings.Contains(name, "reason")
}

// isNoTrouble reports that what stands in the place of a failure is none.
func isNoTrouble(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case object:
		return len(v.members) == 0
	}
	switch strings.ToLower(text(v)) {
	case "", "0", "false", "none", "null", "no", "ok", "success":
		return true
	}
	return false
}

// troubleWords returns the words of a failure, wherever in its place they are.
func troubleWords(v any) string {
	switch v := v.(type) {
	case []any:
		if len(v) > 0 {
			return troubleWords(v[0])
		}
	case object:
		return firstText(v.text("Message"), v.text("ExceptionMessage"), v.text("ErrorMessage"), v.text("Description"))
	case string:
		if !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
			return text(v)
		}
	}
	return ""
}
