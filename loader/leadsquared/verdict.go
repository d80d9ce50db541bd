package leadsquared

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// kind is what sort of call an answer belongs to.
type kind uint8

const (
	kindRead     kind = iota // makes nothing; the caller checks the shape of the answer
	kindCapture              // makes an opportunity
	kindSale                 // makes a sales activity
	kindSubmit               // queues a capture
	kindPresence             // check-in and check-out: success has no id
	kindLead                 // makes a lead, or finds it
	kindChange               // changes or cancels a record: success may come without an id
	kindDelete               // deletes a record
	kindBulk                 // makes or changes many records; the caller reads the rows of the answer
	kinds                    // how many there are
)

// makes reports whether a call of this kind makes something that must not be
// made twice, so that "not applied" needs the account's own word.
func (k kind) makes() bool { return k != kindRead && k != kindPresence }

// listed reports that the caller reads what the answer lists, so that of the
// members of the answer only an exception counts here.
func (k kind) listed() bool { return k == kindRead || k == kindBulk }

// answer is all that is known of a call when it has ended.
type answer struct {
	kind      kind
	host      string // the host that was asked
	status    int    // 0: no answer
	header    http.Header
	body      []byte
	cut       error // the body could not be read to its end
	err       error // no answer: why
	keys      *Veil // taken out of what is decoded
	guids     bool  // the account has named records of this kind by GUIDs
	connected bool  // err: a connection was had
	wrote     bool  // err: some of the request may have left
	cancelled bool  // err: the caller gave up
}

// judge decides how a call ended. It is the one place where this is decided, and
// pure: what is not positively recognised as success is not success, and what
// is not positively known to be harmless is in doubt.
//
// The second result is the answer's JSON, as far as it is any.
func judge(a answer) (o Outcome, doc any) {
	if a.err != nil || a.status == 0 {
		o = judgeNetwork(a)
	} else {
		o, doc = judgeAnswer(a)
	}
	o.Status = a.status
	if t, err := http.ParseTime(a.header.Get("Date")); err == nil {
		o.ServerTime = t
	}
	o.Message, o.ExceptionType = tidy(o.Message), string(head([]byte(tidy(o.ExceptionType)), 200))
	return o, doc
}

func judgeAnswer(a answer) (Outcome, any) {
	if a.cut != nil {
		// Half an answer says nothing: only what the status alone decides counts.
		a.body = nil
	}
	f := readFacts(a)
	return f.judge(a), f.doc
}

func (f *facts) judge(a answer) Outcome {
	o := f.end(a)
	if o.Verdict == InDoubt && a.kind.makes() && (f.limitWords || a.status == http.StatusTooManyRequests) && !f.claimsSuccess(a.kind) {
		// Words about a limit that are not the account's own may come from a
		// gateway, or from a service that was called after the record was made.
		o.Slow, o.Stop = true, false
		if o.code != codeServerError && o.code != codeGateway && o.code != codeContradiction {
			o.code = codeLimitElsewhere
		}
		if calls, window := parseLimit(f.limitText); window >= time.Hour && f.exception == "" {
			o.StatedCalls, o.StatedWindow, o.Stop = calls, window, true // no pace is slow enough
		}
	}
	return o
}

func (f *facts) end(a answer) Outcome {
	o := &Outcome{ExceptionType: f.exception, Message: f.message, LeadID: f.lead}
	end := func(v Verdict, code, words string) Outcome {
		o.Verdict, o.code = v, code
		if o.Message == "" {
			o.Message = words
		}
		return *o
	}
	answered := fmt.Sprintf("the server answered %d %s", a.status, http.StatusText(a.status))
	success := a.status >= 200 && a.status <= 299
	makes := a.kind.makes()

	switch {
	case a.status == http.StatusUnauthorized && makes && f.madeSomething():
		o.Stop = true
		return end(InDoubt, codeContradiction, "the keys were refused, and the answer names a record")
	case a.status == http.StatusUnauthorized:
		o.RightHost = rightHost(f.message+" "+string(head(a.body, 4096)), a.host)
		if o.RightHost != "" {
			return end(Fatal, codeHost, "the keys belong to another host")
		}
		return end(Fatal, codeKeys, "the keys were refused")
	case f.limited && !f.madeSomething() && !f.claimsSuccess(a.kind):
		o.StatedCalls, o.StatedWindow = parseLimit(f.limitText)
		if o.Message == "" {
			o.Message = f.limitText
		}
		return end(Throttled, codeLimit, "over the rate limit")
	case a.status == http.StatusTooManyRequests && !f.madeSomething() && (!makes || f.bare):
		return end(Throttled, codeLimit, "over the rate limit")
	case f.torn:
		return end(InDoubt, codeContradiction, "the answer gives one name two values")
	case makes && !f.madeSomething() && !f.claimsSuccess(a.kind) && (a.status == http.StatusTooManyRequests || f.application && limitType(f.exception)):
		return end(InDoubt, codeLimitElsewhere, "over a rate limit, but not in the account's own words")
	case keysType(f.exception) && (!makes || f.application):
		return end(Fatal, codeKeys, "the keys were refused")
	case success && !f.refused && (f.odd || a.guids && f.foreignForm()):
		return end(InDoubt, codeNoID, "the answer names the record by something that is not an id")
	case success && f.status == "2" && a.kind == kindChange:
		return end(InDoubt, codePartial, "a part of the change was not made, and the answer does not say which")
	case success && f.status == "2" && !a.kind.listed(): // partial success
		return f.partial(o, end)
	case f.refused && (len(f.ids) > 0 || f.odd || f.claimsSuccess(a.kind)):
		return end(InDoubt, codeContradiction, "the answer holds success and an exception")
	case f.refused:
		return end(Rejected, codeRejected, "refused")
	case success:
		return f.success(a, o, end)
	}

	// From here on the status decides; whatever the body is, it is no word of
	// the application that we know.
	if f.html {
		o.Message = ""
		answered += " with an HTML page"
	}
	// Of a call that makes something, only the application's own JSON proves that
	// nothing was made: a gateway may lose the application's answer and send a
	// page of its own. The run stops all the same, because the page would meet
	// every row.
	refused := func(v Verdict, code string) Outcome {
		if makes && (!f.own || f.limitWords) {
			o.Stop = true
			v = InDoubt
		}
		return end(v, code, answered)
	}
	switch a.status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return refused(Rejected, codeBadRequest)
	case http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong:
		return refused(Rejected, codeTooLarge)
	case http.StatusForbidden:
		if a.cut != nil {
			return end(InDoubt, codeCut, answered+" and its text was cut short")
		}
		// Refused in front of the application: by a gateway that does not know the
		// x-api-key, a firewall or a permission. It would meet every row, so the
		// run stops before the file is burnt.
		return refused(Fatal, codeForbidden)
	case http.StatusNotFound, http.StatusGone, http.StatusMethodNotAllowed:
		return refused(Fatal, codePath)
	case http.StatusPaymentRequired, http.StatusProxyAuthRequired, http.StatusNotAcceptable, http.StatusLengthRequired,
		http.StatusUnsupportedMediaType, http.StatusMisdirectedRequest, http.StatusUpgradeRequired,
		http.StatusRequestHeaderFieldsTooLarge, http.StatusUnavailableForLegalReasons:
		return refused(Fatal, codeRequest)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		520, 521, 522, 523, 524, 525, 526, 527, 529, 530: // the last ten: proxies that could not reach the account
		o.Outage = true
		return end(InDoubt, codeGateway, answered)
	case http.StatusRequestTimeout:
		o.Outage = true
		return end(InDoubt, codeGateway, answered)
	}
	if a.status >= 300 && a.status <= 399 {
		// Where a redirect comes from is unknown: a proxy in front of the
		// account, or the application after it has done its work, as web
		// servers do that show their error page elsewhere.
		o.Outage = true
		o.Message = ""
		return end(InDoubt, codeRedirect, answered+redirectTarget(a.header))
	}
	if a.cut != nil {
		return end(InDoubt, codeCut, answered+" and its text was cut short")
	}
	if a.status == http.StatusInternalServerError {
		return end(InDoubt, codeServerError, answered)
	}
	return end(InDoubt, codeUnexpected, answered)
}

// facts are what an answer's body says, whatever its shape.
type facts struct {
	doc       any
	isJSON    bool
	html      bool
	torn      bool
	exception string // ExceptionType
	message   string // the account's words
	bare      bool   // there is no body at all
	// application says that the exception type is of the application's own (MX…).
	application bool
	// own says that the body has the form of the application's errors, without a
	// type that is not the application's.
	own     bool
	refused bool // an exception type of the application's own, or Capture's Status 1
	// limited says that the account refuses the call for its rate limit, in words that the
	// vendor documents; for a read, in any words.
	limited    bool
	limitWords bool // the answer speaks of some limit
	limitText  string
	status     string // "0", "1", "2" or a word in lower case
	ids        []string
	conflict   string // ConflictedOpportunityId
	deduped    bool   // PostDeDupActionPerformed is 3
	created    bool   // PostDeDupActionPerformed is 1
	request    string
	lead       string
	odd        bool // what stands in the place of an id is none
}

func (f *facts) madeSomething() bool { return len(f.ids) > 0 || f.conflict != "" || f.odd }

// claimsSuccess reports that the answer's Status speaks of success, whole or partial.
func (f *facts) claimsSuccess(k kind) bool {
	return k != kindRead && (f.status == "0" || f.status == "2" || f.status == "success")
}

func readFacts(a answer) *facts {
	f := &facts{bare: a.cut == nil && len(bytes.TrimSpace(a.body)) == 0}
	f.doc, f.isJSON = parseVeiled(a.body, a.keys)
	f.doc = unwrapD(f.doc)
	f.html = !f.isJSON && (bytes.HasPrefix(bytes.TrimLeft(a.body, " \t\r\n\ufeff"), []byte("<")) ||
		strings.Contains(strings.ToLower(a.header.Get("Content-Type")), "html"))
	words := string(head(a.body, 1024))
	asText := false // the body is a text, not an object
	switch v := f.doc.(type) {
	case object:
		f.readObject(a.kind, v)
	case string:
		// JSON inside a JSON string is read for refusals only, never for success.
		if inner, ok := parseVeiled([]byte(v), a.keys); ok {
			if o, ok := inner.(object); ok {
				f.readObject(kindRead, o)
				f.ids, f.conflict, f.request = nil, "", ""
			}
		}
		words, asText = v, true
	default:
		asText = !f.isJSON
	}
	if asText && !f.limited && len(words) <= 1024 {
		f.limited = vendorLimit().MatchString(words) && !f.html
		f.limitWords = limitInside().MatchString(words) || limitSmell().MatchString(words)
		if f.limited || f.limitWords {
			f.limitText = words
		}
	}
	if !a.kind.makes() && f.limitWords && (!asText || a.status == http.StatusForbidden) {
		f.limited = true // made once more, a read does no harm
	}
	if f.status == "1" && !a.kind.listed() && a.status >= 200 && a.status <= 299 {
		f.refused = true // Capture's own "failure", whatever the exception
	}
	if asText && !f.isJSON && !f.html && f.message == "" {
		f.message = tidy(string(head([]byte(words), 300)))
	}
	return f
}

func (f *facts) readObject(k kind, o object) {
	// The exception may lie one level down, as in {"Status":"Error","Message":{"ExceptionType":…}}.
	for i, level := range []object{o, member(o, "Message"), member(o, "Error"), member(o, "Response")} {
		if t := level.text("ExceptionType"); t != "" && f.exception == "" {
			f.exception = t
		}
		if m := level.text("ExceptionMessage"); m != "" && f.message == "" {
			f.message = m
		}
		f.torn = f.torn || level.torn("ExceptionType", "Status") && (i > 0 || k != kindRead)
	}
	if f.message == "" && (k != kindRead || f.exception != "" || o.has("message") && len(o.members) <= 4) {
		f.message = firstText(o.text("Message"), o.text("error_description"), o.text("Error"), o.text("StatusReason"),
			member(o, "Message").text("Message"), member(o, "Error").text("Message"))
	}
	f.status = statusWord(o.get("Status"))
	f.application = strings.HasPrefix(strings.ToLower(f.exception), "mx")
	foreign := f.exception != "" && !f.application
	switch {
	case strings.EqualFold(f.exception, vendorLimitType), vendorLimit().MatchString(f.message) && !foreign:
		f.limited, f.limitText = true, f.message
	case limitType(f.exception), !f.application && (limitInside().MatchString(f.message) || limitSmell().MatchString(f.message)):
		f.limitWords, f.limitText = true, f.message
	}
	f.refused = f.application
	f.own = !foreign && (f.status == "error" || o.has("ExceptionMessage"))
	if k.listed() {
		// A record that is read may hold members of any name; only the exception counts.
		return
	}
	f.lead = identifier(o.get("RelatedProspectId"))
	f.request = f.identifier(o.get("RequestID"))
	f.torn = f.torn || o.torn("CreatedOpportunityId", "ConflictedOpportunityId", "RequestID", "Message", "Id")
	msg := member(o, "Message")
	f.torn = f.torn || msg.torn("Id")
	for _, v := range []any{o.get("CreatedOpportunityId"), msg.get("CreatedOpportunityId", "OpportunityId", "Id"), o.get("OpportunityId", "Id")} {
		f.addID(f.identifier(v))
	}
	f.conflict = f.identifier(o.get("ConflictedOpportunityId"))
	if f.conflict == "" {
		f.conflict = f.identifier(msg.get("ConflictedOpportunityId"))
	}
	details, _ := o.get("AdditionalDetails").([]any)
	if one, ok := o.object("AdditionalDetails"); ok {
		details = []any{one}
	}
	for _, d := range details {
		d, ok := d.(object)
		if !ok {
			continue
		}
		switch n, _ := d.integer("PostDeDupActionPerformed"); n {
		case 1:
			f.created = true
			f.addID(f.identifier(d.get("ActivityId"))) // an opportunity's id is its activity's
		case 3:
			f.deduped = true
		}
	}
}

// identifier reads an id and notes what is none.
func (f *facts) identifier(v any) string {
	id, odd := readID(v)
	f.odd = f.odd || odd
	return id
}

// foreignForm reports that the answer names a record by an id of another form
// than all the account's other ids.
func (f *facts) foreignForm() bool {
	if f.conflict != "" && !isGUID(f.conflict) {
		return true
	}
	return slices.ContainsFunc(f.ids, func(id string) bool { return !isGUID(id) })
}

func (f *facts) addID(id string) {
	if id == "" {
		return
	}
	for _, had := range f.ids {
		if strings.EqualFold(had, id) {
			return
		}
	}
	f.ids = append(f.ids, id)
}

func member(o object, name string) object {
	m, _ := o.object(name)
	return m
}

func firstText(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func statusWord(v any) string {
	if n, ok := integer(v); ok {
		return strconv.Itoa(n)
	}
	return strings.ToLower(text(v))
}

type ender = func(v Verdict, code, words string) Outcome

// partial is Capture's Status 2: applied where an id proves it, and the
// account's words about the rest are kept.
func (f *facts) partial(o *Outcome, end ender) Outcome {
	switch {
	case f.conflict != "" || f.deduped:
		return f.duplicate(o, end)
	case len(f.ids) == 0:
		return end(InDoubt, codeNoID, "partial success without an id")
	}
	o.ID = f.ids[0]
	return end(Applied, codePartial, "partial success")
}

func (f *facts) duplicate(o *Outcome, end ender) Outcome {
	if f.created && len(f.ids) > 0 && !strings.EqualFold(f.ids[0], f.conflict) {
		// Made all the same: the row's record is the new one.
		o.ID = f.ids[0]
		return end(Applied, "", "made beside "+f.conflict+", which the account's duplicate rule matched")
	}
	if f.conflict == "" {
		return end(InDoubt, codeNoID, "the account found a duplicate and does not say which")
	}
	o.ID = f.conflict
	return end(Duplicate, "", "")
}

// success judges an answer with a status of 200 to 299 that holds no refusal.
func (f *facts) success(a answer, o *Outcome, end ender) Outcome {
	if a.cut != nil {
		return end(InDoubt, codeCut, fmt.Sprintf("the answer was cut short (%d)", a.status))
	}
	if len(bytes.TrimSpace(a.body)) == 0 {
		return end(InDoubt, codeEmpty, fmt.Sprintf("the answer is empty (%d)", a.status))
	}
	if f.html {
		o.Message = ""
		return end(InDoubt, codeHTML, fmt.Sprintf("the answer is an HTML page (%d)", a.status))
	}
	if !f.isJSON {
		o.Message = ""
		return end(InDoubt, codeUnreadable, fmt.Sprintf("the answer is not readable as JSON (%d)", a.status))
	}
	if a.kind.listed() {
		if f.doc == nil || isScalar(f.doc) || f.exception != "" || f.status == "error" {
			return end(InDoubt, codeUnexpected, "the answer is none of the kind asked for")
		}
		return end(Applied, "", "")
	}
	if _, ok := f.doc.(object); !ok {
		return end(InDoubt, codeUnexpected, "the answer is no JSON object")
	}
	if f.exception != "" {
		return end(InDoubt, codeServerError, "the answer holds an exception that is not the application's")
	}
	done := f.status == "0" || f.status == "success"
	switch {
	case a.kind == kindPresence && done:
		o.Message = firstText(member(f.doc.(object), "Message").text("ResponseText"), o.Message)
		return end(Applied, "", "")
	case (a.kind == kindChange || a.kind == kindDelete) && done:
		if len(f.ids) > 0 {
			o.ID = f.ids[0]
		}
		o.Message = ""
		return end(Applied, "", "")
	case done && (f.conflict != "" || f.deduped):
		return f.duplicate(o, end)
	case done && len(f.ids) > 0:
		o.Message, o.ID = "", f.ids[0]
		return end(Applied, "", "")
	case a.kind == kindSubmit && f.request != "" && !failWord(f.status):
		o.Message, o.RequestID = "", f.request
		return end(Accepted, "", "")
	case done:
		return end(InDoubt, codeNoID, "success without an id")
	}
	return end(InDoubt, codeUnexpected, "the answer says neither success nor failure")
}

func failWord(status string) bool {
	return strings.Contains(status, "error") || strings.Contains(status, "fail") || strings.Contains(status, "reject") ||
		strings.Contains(status, "denied") || strings.Contains(status, "invalid")
}

// keysType reports that an exception is about the keys themselves, whatever
// the status it came under.
func keysType(t string) bool {
	t = strings.ToLower(t)
	return strings.Contains(t, "accesskey") || strings.Contains(t, "secretkey") || strings.Contains(t, "apikey")
}

var vendorHost = lazily(`(?i)\b((?:async)?api[a-z0-9-]*\.(?:[a-z0-9-]+\.)*leadsquared\.com)(?:[^a-z0-9.-]|\.[^a-z0-9]|\.?$)`)

// rightHost returns the host that a 401 names in place of the one asked
// (vendor's authentication page: a wrong regional host is told so). Only the
// vendor's own hosts count: whoever follows the advice sends the keys there.
func rightHost(msg, asked string) string {
	for _, m := range vendorHost().FindAllStringSubmatch(msg, 8) {
		host := strings.ToLower(m[1])
		if host != strings.ToLower(asked) && !strings.HasPrefix(host, "apidocs.") {
			return host
		}
	}
	return ""
}

// redirectTarget names where a redirect points, without path and query, which may hold anything.
func redirectTarget(h http.Header) string {
	u, err := url.Parse(h.Get("Location"))
	if err != nil || u.Host == "" {
		return ""
	}
	return " to " + u.Hostname()
}

func head(b []byte, n int) []byte {
	if len(b) > n {
		return b[:n]
	}
	return b
}

// tidy makes a message fit for one line: no control characters, at most 1000 characters.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	if n := 0; len(s) > 1000 {
		for i := range s {
			if n++; n > 1000 {
				return s[:i] + "…"
			}
		}
	}
	return s
}
