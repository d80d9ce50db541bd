package leadsquared

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	anID    = "caf2201a-ead4-4cd7-8a0e-16791c31d905"
	otherID = "5f2d0f3e-11aa-4f30-9a00-000000000abc"
)

// answerCase is one way in which a call can end.
type answerCase struct {
	name   string
	kind   kind
	status int
	body   string
	header http.Header
	cut    error
	want   Outcome // Verdict, ID, RequestID, LeadID, ExceptionType, StatedCalls, StatedWindow, RightHost, Outage, Slow and Stop are compared
	code   string
	words  string // part of the message
}

var htmlHeader = http.Header{"Content-Type": {"text/html; charset=utf-8"}}

const html502 = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"

func limited(calls int, window time.Duration) Outcome {
	return Outcome{Verdict: Throttled, StatedCalls: calls, StatedWindow: window}
}

func limitedAs(t string, calls int, window time.Duration) Outcome {
	o := limited(calls, window)
	o.ExceptionType = t
	return o
}

func answerCases() []answerCase {
	const rate = "MXAPIRateLimitExceededException"
	inDoubt := Outcome{Verdict: InDoubt}
	outage := Outcome{Verdict: InDoubt, Outage: true}
	slow := Outcome{Verdict: InDoubt, Slow: true}
	stop := Outcome{Verdict: InDoubt, Stop: true}
	applied := Outcome{Verdict: Applied, ID: anID}
	rejected := func(t string) Outcome { return Outcome{Verdict: Rejected, ExceptionType: t} }
	id := `"` + anID + `"`
	return []answerCase{
		// Capture, success.
		{name: "capture with status 0 and an id", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":` + id + `,"RelatedProspectId":"` + otherID + `","IsUnique":true,"ExceptionType":null,"ConflictedOpportunityId":null,"AdditionalDetails":[{"PostDeDupActionPerformed":1,"ActivityId":` + id + `}]}`, want: Outcome{Verdict: Applied, ID: anID, LeadID: otherID}},
		{name: "capture with status 0 as a text", kind: kindCapture, status: 200, body: `{"Status":"0","CreatedOpportunityId":` + id + `}`, want: applied},
		{name: "capture with status 0 as a text with blanks", kind: kindCapture, status: 200, body: `{"Status":" 0 ","CreatedOpportunityId":` + id + `}`, want: applied},
		{name: "capture with status 0.0", kind: kindCapture, status: 200, body: `{"Status":0.0,"CreatedOpportunityId":` + id + `}`, want: applied},
		{name: "capture under 201", kind: kindCapture, status: 201, body: `{"Status":0,"CreatedOpportunityId":` + id + `}`, want: applied},
		{name: "capture whose id is the activity's", kind: kindCapture, status: 200, body: `{"Status":0,"AdditionalDetails":[{"PostDeDupActionPerformed":"1","ActivityId":` + id + `}]}`, want: applied},
		{name: "capture in the shape of the other calls", kind: kindCapture, status: 200, body: `{"Status":"Success","Message":{"Id":` + id + `}}`, want: applied},
		{name: "capture with names in other case", kind: kindCapture, status: 200, body: `{"status":0,"createdOpportunityId":` + id + `}`, want: applied},
		{name: "capture with a byte order mark", kind: kindCapture, status: 200, body: "\xef\xbb\xbf" + `{"Status":0,"CreatedOpportunityId":` + id + `}`, want: applied},
		{name: "capture inside d", kind: kindCapture, status: 200, body: `{"d":{"Status":0,"CreatedOpportunityId":` + id + `}}`, want: applied},
		{name: "capture with its status twice, alike", kind: kindCapture, status: 200, body: `{"Status":0,"status":"0","CreatedOpportunityId":` + id + `}`, want: applied},
		{name: "capture with an id twice, once null", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":null,"createdopportunityid":` + id + `}`, want: applied},
		{name: "capture whose note speaks of the limit", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":` + id + `,"Message":"API calls exceeded the limit of 25 in 5 second(s)"}`, want: applied},
		{name: "capture of HTML type that is JSON", kind: kindCapture, status: 200, header: htmlHeader, body: `{"Status":0,"CreatedOpportunityId":` + id + `}`, want: applied},

		// Capture, success that is none.
		{name: "status 0 without an id", kind: kindCapture, status: 200, body: `{"Status":0}`, want: inDoubt, code: codeNoID},
		{name: "status 0 with an empty id", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":"  "}`, want: inDoubt, code: codeNoID},
		{name: "status 0 with the all-zero id", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":"00000000-0000-0000-0000-000000000000"}`, want: inDoubt, code: codeNoID},
		{name: "status 0 with an id that is a boolean", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":true}`, want: inDoubt, code: codeNoID},
		{name: "an id without a status", kind: kindCapture, status: 200, body: `{"CreatedOpportunityId":` + id + `}`, want: inDoubt, code: codeUnexpected},
		{name: "success without an id", kind: kindCapture, status: 200, body: `{"Status":"Success","Message":{"AffectedRows":1}}`, want: inDoubt, code: codeNoID},
		{name: "two statuses that differ", kind: kindCapture, status: 200, body: `{"Status":0,"status":1,"CreatedOpportunityId":` + id + `}`, want: inDoubt, code: codeContradiction},
		{name: "two ids that differ", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":` + id + `,"CREATEDOPPORTUNITYID":"` + otherID + `"}`, want: inDoubt, code: codeContradiction},
		{name: "status 0 with an exception", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":` + id + `,"ExceptionType":"MXInvalidInputException"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "MXInvalidInputException"}, code: codeContradiction},
		{name: "status 3", kind: kindCapture, status: 200, body: `{"Status":3,"CreatedOpportunityId":` + id + `}`, want: inDoubt, code: codeUnexpected},
		{name: "status true", kind: kindCapture, status: 200, body: `{"Status":true,"CreatedOpportunityId":` + id + `}`, want: inDoubt, code: codeUnexpected},
		{name: "success under 500", kind: kindCapture, status: 500, body: `{"Status":0,"CreatedOpportunityId":` + id + `}`, want: inDoubt, code: codeServerError},
		{name: "success under 429", kind: kindCapture, status: 429, body: `{"Status":0,"CreatedOpportunityId":` + id + `}`, want: inDoubt},
		{name: "200 and only a request id", kind: kindCapture, status: 200, body: `{"RequestId":"r-1"}`, want: inDoubt, code: codeUnexpected},

		// Capture, refused.
		{name: "status 1 with an MX type", kind: kindCapture, status: 200, body: `{"Status":1,"ExceptionType":"MXInvalidActivityFieldsException","ExceptionMessage":"Field name : 'mx_Custom_19' of datatype : 'String' is mandatory."}`, want: rejected("MXInvalidActivityFieldsException"), code: "account.MXInvalidActivityFieldsException", words: "mx_Custom_19"},
		{name: "status 1 as a text", kind: kindCapture, status: 200, body: `{"Status":"1","ExceptionMessage":"no"}`, want: rejected(""), code: codeRejected, words: "no"},
		{name: "status 1 with another type", kind: kindCapture, status: 200, body: `{"Status":1,"ExceptionType":"System.ArgumentNullException"}`, want: rejected("System.ArgumentNullException"), code: "account.ArgumentNullException"},
		{name: "status 1 bare", kind: kindCapture, status: 200, body: `{"Status":1}`, want: rejected(""), code: codeRejected},
		{name: "status 1 with the conflicting id", kind: kindCapture, status: 200, body: `{"Status":1,"ConflictedOpportunityId":` + id + `}`, want: rejected(""), code: codeRejected},
		{name: "status 1 with an id made", kind: kindCapture, status: 200, body: `{"Status":1,"CreatedOpportunityId":` + id + `}`, want: inDoubt, code: codeContradiction},
		{name: "status 1 and the rate limit's type", kind: kindCapture, status: 200, body: `{"Status":1,"ExceptionType":"` + rate + `","ExceptionMessage":"API calls exceeded the limit of 20 in 5 second(s)"}`, want: limitedAs(rate, 20, 5*time.Second), code: codeLimit},
		{name: "status 1 and the rate limit's message", kind: kindCapture, status: 200, body: `{"Status":1,"ExceptionMessage":"API calls exceeded the limit of 10 in 5 second(s)"}`, want: limited(10, 5*time.Second)},
		{name: "duplicate entry", kind: kindCapture, status: 500, body: `{"Status":"Error","ExceptionType":"MXDuplicateEntryException","ExceptionMessage":"A Lead with same Email already exists."}`, want: rejected("MXDuplicateEntryException"), code: "account.MXDuplicateEntryException", words: "same Email"},
		{name: "exception one level down", kind: kindCapture, status: 200, body: `{"Status":"Error","Message":{"ExceptionType":"MXInvalidInputException","ExceptionMessage":"bad"}}`, want: rejected("MXInvalidInputException"), words: "bad"},
		{name: "exception with names in lower case", kind: kindCapture, status: 500, body: `{"status":"error","exceptionType":"mxInvalidInputException"}`, want: rejected("mxInvalidInputException")},
		{name: "MX type under 200", kind: kindCapture, status: 200, body: `{"Status":"Error","ExceptionType":"MXMandatoryAttributeMissingException","ExceptionMessage":"'leadId' is mandatory for updating lead"}`, want: rejected("MXMandatoryAttributeMissingException")},
		{name: "MX type under 403", kind: kindCapture, status: 403, body: `{"Status":"Error","ExceptionType":"MXPermissionException"}`, want: rejected("MXPermissionException")},
		{name: "MX type under 404", kind: kindCapture, status: 404, body: `{"Status":"Error","ExceptionType":"MXEntityNotFoundException"}`, want: rejected("MXEntityNotFoundException")},
		{name: "MX type under 503", kind: kindCapture, status: 503, body: `{"Status":"Error","ExceptionType":"MXInvalidInputException"}`, want: rejected("MXInvalidInputException")},
		{name: "a length limit is no rate limit", kind: kindCapture, status: 500, body: `{"Status":"Error","ExceptionType":"MXFieldLimitExceededException","ExceptionMessage":"the note exceeded the limit of 200 in 1 second field"}`, want: rejected("MXFieldLimitExceededException")},
		{name: "a row that quotes the limit's words is refused", kind: kindCapture, status: 500, body: `{"Status":"Error","ExceptionType":"MXInvalidInputException","ExceptionMessage":"value 'API calls exceeded the limit of 25 in 5 second(s)' is too long"}`, want: rejected("MXInvalidInputException")},
		{name: "success and an MX type without an id", kind: kindCapture, status: 200, body: `{"Status":"Success","ExceptionType":"MXInvalidInputException"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "MXInvalidInputException"}, code: codeContradiction},
		{name: "an exception about the keys", kind: kindCapture, status: 500, body: `{"Status":"Error","ExceptionType":"MXInvalidAccessKeyException","ExceptionMessage":"no such key"}`, want: Outcome{Verdict: Fatal, ExceptionType: "MXInvalidAccessKeyException"}, code: codeKeys},

		// Capture, partial.
		{name: "status 2 with an id", kind: kindCapture, status: 200, body: `{"Status":2,"CreatedOpportunityId":` + id + `,"ExceptionType":"MXInvalidInputException","ExceptionMessage":"lead field mx_City was not updated"}`, want: Outcome{Verdict: Applied, ID: anID, ExceptionType: "MXInvalidInputException"}, code: codePartial, words: "mx_City"},
		{name: "status 2 as a text with an id", kind: kindCapture, status: 200, body: `{"Status":"2","CreatedOpportunityId":` + id + `}`, want: applied, code: codePartial, words: "partial"},
		{name: "status 2 without an id", kind: kindCapture, status: 200, body: `{"Status":2,"ExceptionMessage":"the opportunity was not made"}`, want: inDoubt, code: codeNoID},
		{name: "status 2 and the rate limit without an id", kind: kindCapture, status: 200, body: `{"Status":2,"ExceptionType":"` + rate + `"}`, want: Outcome{Verdict: InDoubt, ExceptionType: rate}, code: codeNoID},

		// Duplicates.
		{name: "conflicting id", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":null,"ConflictedOpportunityId":` + id + `,"IsUnique":false}`, want: Outcome{Verdict: Duplicate, ID: anID}},
		{name: "conflicting id and action 3", kind: kindCapture, status: 200, body: `{"Status":0,"ConflictedOpportunityId":` + id + `,"AdditionalDetails":[{"PostDeDupActionPerformed":3,"ActivityId":"` + otherID + `"}]}`, want: Outcome{Verdict: Duplicate, ID: anID}},
		{name: "conflicting id is the created one", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":` + id + `,"ConflictedOpportunityId":` + id + `}`, want: Outcome{Verdict: Duplicate, ID: anID}},
		{name: "conflicting id beside one made", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":` + id + `,"ConflictedOpportunityId":"` + otherID + `","AdditionalDetails":[{"PostDeDupActionPerformed":1,"ActivityId":` + id + `}]}`, want: applied, words: otherID},
		{name: "action 3 without the conflicting id", kind: kindCapture, status: 200, body: `{"Status":0,"AdditionalDetails":[{"PostDeDupActionPerformed":3,"ActivityId":` + id + `}]}`, want: inDoubt, code: codeNoID},
		{name: "status 2 with a conflicting id", kind: kindCapture, status: 200, body: `{"Status":2,"ConflictedOpportunityId":` + id + `}`, want: Outcome{Verdict: Duplicate, ID: anID}},

		// Sales activities.
		{name: "sale", kind: kindSale, status: 200, body: `{"Status":"Success","Message":{"Id":` + id + `}}`, want: applied},
		{name: "sale with ID in capitals", kind: kindSale, status: 200, body: `{"Status":"success","Message":{"ID":` + id + `}}`, want: applied},
		{name: "sale with a number for an id", kind: kindSale, status: 200, body: `{"Status":"Success","Message":{"Id":1016}}`, want: Outcome{Verdict: Applied, ID: "1016"}},
		{name: "sale without an id", kind: kindSale, status: 200, body: `{"Status":"Success","Message":{}}`, want: inDoubt, code: codeNoID},
		{name: "sale whose message is a text", kind: kindSale, status: 200, body: `{"Status":"Success","Message":"Created"}`, want: inDoubt, code: codeNoID},
		{name: "sale refused", kind: kindSale, status: 500, body: `{"Status":"Error","ExceptionType":"MXMandatoryAttributeMissingException","ExceptionMessage":"'Status' is mandatory"}`, want: rejected("MXMandatoryAttributeMissingException")},
		{name: "sale with an error that names no type", kind: kindSale, status: 200, body: `{"Status":"Error","ExceptionMessage":"unknown"}`, want: inDoubt, code: codeUnexpected},
		{name: "sale with an exception of the server", kind: kindSale, status: 200, body: `{"Status":"Error","ExceptionType":"SqlException","ExceptionMessage":"timeout"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "SqlException"}, code: codeServerError},

		// The async API.
		{name: "queued under RequestID", kind: kindSubmit, status: 200, body: `{"Status":"Request accepted. Please use below request id to check the status","RequestID":"8eca6fa6-262c-43eb-8cfe-6e3325e2dc73"}`, want: Outcome{Verdict: Accepted, RequestID: "8eca6fa6-262c-43eb-8cfe-6e3325e2dc73"}},
		{name: "queued under RequestId", kind: kindSubmit, status: 200, body: `{"RequestId":"r-1"}`, want: Outcome{Verdict: Accepted, RequestID: "r-1"}},
		{name: "queued under 202", kind: kindSubmit, status: 202, body: `{"RequestID":"r-1"}`, want: Outcome{Verdict: Accepted, RequestID: "r-1"}},
		{name: "queued without an id", kind: kindSubmit, status: 200, body: `{"Status":"Request accepted."}`, want: inDoubt, code: codeUnexpected},
		{name: "queued with a failing status", kind: kindSubmit, status: 200, body: `{"Status":"Request rejected","RequestID":"r-1"}`, want: inDoubt, code: codeUnexpected},
		{name: "submit answered like a sync call", kind: kindSubmit, status: 200, body: `{"Status":0,"RequestId":"r-1","CreatedOpportunityId":` + id + `}`, want: applied},
		{name: "submit refused", kind: kindSubmit, status: 400, body: `{"Status":"Error","ExceptionType":"MXInvalidInputException"}`, want: rejected("MXInvalidInputException")},
		{name: "x-api-key unknown to the gateway", kind: kindSubmit, status: 403, body: `{"message":"Forbidden"}`, want: stop, code: codeForbidden, words: "Forbidden"},
		{name: "gateway's own throttling", kind: kindSubmit, status: 429, body: `{"message":"Too Many Requests"}`, want: slow, code: codeLimitElsewhere},
		{name: "gateway's time-out", kind: kindSubmit, status: 504, body: `{"message":"Endpoint request timed out"}`, want: outage, code: codeGateway},

		// The rate limit in all its shapes.
		{name: "limit under 200", kind: kindCapture, status: 200, body: `{"Status":"Error","ExceptionType":"` + rate + `","ExceptionMessage":"API calls exceeded the limit of 20 in 5 second(s)"}`, want: limitedAs(rate, 20, 5*time.Second), code: codeLimit},
		{name: "limit under 403", kind: kindCapture, status: 403, body: `{"Status":"Error","ExceptionType":"` + rate + `","ExceptionMessage":"API calls exceeded the limit of 72 in 5 second(s)"}`, want: limitedAs(rate, 72, 5*time.Second)},
		{name: "limit under 429", kind: kindCapture, status: 429, body: `{"Status":"Error","ExceptionType":"` + rate + `","ExceptionMessage":"API calls exceeded the limit of 25 in 5 second(s)"}`, want: limitedAs(rate, 25, 5*time.Second)},
		{name: "limit under 500", kind: kindCapture, status: 500, body: `{"Status":"Error","ExceptionType":"` + rate + `","ExceptionMessage":"API calls exceeded the limit of 2 in 5 second(s)"}`, want: limitedAs(rate, 2, 5*time.Second)},
		{name: "limit in other case", kind: kindCapture, status: 200, body: `{"status":"ERROR","exceptiontype":"mxapiratelimitexceededexception","exceptionmessage":"api calls EXCEEDED the limit of 15 in 5 seconds"}`, want: limitedAs("mxapiratelimitexceededexception", 15, 5*time.Second)},
		{name: "limit by message alone", kind: kindCapture, status: 200, body: `{"Status":"Error","ExceptionMessage":"API calls exceeded the limit of 10 in 5 second(s)"}`, want: limited(10, 5*time.Second)},
		{name: "limit under Message as a text", kind: kindCapture, status: 200, body: `{"Status":"Error","Message":"API calls exceeded the limit of 10 in 5 second(s)"}`, want: limited(10, 5*time.Second)},
		{name: "limit one level down", kind: kindCapture, status: 200, body: `{"Status":"Error","Message":{"ExceptionType":"` + rate + `","ExceptionMessage":"API calls exceeded the limit of 10 in 5 second(s)"}}`, want: limitedAs(rate, 10, 5*time.Second)},
		{name: "limit as a JSON text", kind: kindCapture, status: 200, body: `"API calls exceeded the limit of 25 in 5 second(s)"`, want: limited(25, 5*time.Second)},
		{name: "limit as JSON inside a JSON text", kind: kindCapture, status: 200, body: `"{\"Status\":\"Error\",\"ExceptionType\":\"` + rate + `\"}"`, want: limitedAs(rate, 0, 0)},
		{name: "limit as plain text under 403", kind: kindCapture, status: 403, body: `API calls exceeded the limit of 25 in 5 second(s)`, want: limited(25, 5*time.Second)},
		{name: "limit as plain text under 200", kind: kindCapture, status: 200, body: `API calls exceeded the limit of 25 in 5 second(s)`, want: limited(25, 5*time.Second)},
		{name: "limit as a page under 403", kind: kindCapture, status: 403, header: htmlHeader, body: `<html><body>API calls exceeded the limit of 25 in 5 second(s)</body></html>`, want: slow},
		{name: "limit by type alone", kind: kindCapture, status: 500, body: `{"Status":"Error","ExceptionType":"` + rate + `"}`, want: limitedAs(rate, 0, 0)},
		{name: "bare 429", kind: kindCapture, status: 429, want: limited(0, 0), code: codeLimit},
		{name: "429 with a page", kind: kindCapture, status: 429, header: htmlHeader, body: "<html>slow down</html>", want: slow, code: codeLimitElsewhere},
		{name: "429 cut short", kind: kindCapture, status: 429, body: `{"Sta`, cut: io.ErrUnexpectedEOF, want: slow},
		{name: "limit of a minute", kind: kindCapture, status: 429, body: `{"ExceptionMessage":"API calls exceeded the limit of 100 in 1 minute(s)"}`, want: limited(100, time.Minute)},
		{name: "limit of the day", kind: kindCapture, status: 200, body: `{"Status":"Error","ExceptionType":"` + rate + `","ExceptionMessage":"API calls exceeded the limit of 10000 in 1 day(s)"}`, want: limitedAs(rate, 10000, 24*time.Hour)},
		{name: "limit of the day, grouped, in seconds", kind: kindCapture, status: 429, body: `{"ExceptionMessage":"API calls exceeded the limit of 1,00,000 in 86400 second(s)"}`, want: limited(100000, 24*time.Hour)},
		{name: "limit of the day in hours", kind: kindCapture, status: 429, body: `{"ExceptionMessage":"API calls exceeded the limit of 10000 in 24 hours"}`, want: limited(10000, 24*time.Hour)},
		{name: "daily limit by its name", kind: kindCapture, status: 403, body: `{"Status":"Error","ExceptionMessage":"Daily API call limit of 10000 has been exceeded"}`, want: Outcome{Verdict: InDoubt, StatedCalls: 10000, StatedWindow: 24 * time.Hour, Slow: true, Stop: true}, code: codeDailyLimit},
		{name: "daily limit without a number", kind: kindRead, status: 200, body: `{"Status":"Error","ExceptionType":"` + rate + `","ExceptionMessage":"Daily API limit reached"}`, want: limitedAs(rate, 0, 24*time.Hour)},
		{name: "limit in a read", kind: kindRead, status: 200, body: `{"Status":"Error","ExceptionType":"` + rate + `","ExceptionMessage":"API calls exceeded the limit of 20 in 5 second(s)"}`, want: limitedAs(rate, 20, 5*time.Second)},
		{name: "a stated limit past all reason", kind: kindCapture, status: 429, body: `{"ExceptionMessage":"API calls exceeded the limit of 99999999999999 in 999999999 month(s)"}`, want: limited(0, 0)},

		// Words about a limit that are not the account's own: the calls slow down, and the row is in doubt.
		{name: "a service behind says too many requests", kind: kindCapture, status: 500, body: `{"Status":"Error","ExceptionType":"System.Net.WebException","ExceptionMessage":"The remote server returned an error: (429) Too Many Requests."}`, want: Outcome{Verdict: InDoubt, ExceptionType: "System.Net.WebException", Slow: true}, code: codeServerError},
		{name: "a gateway says too many requests", kind: kindCapture, status: 502, body: `{"message":"Too many requests"}`, want: Outcome{Verdict: InDoubt, Outage: true, Slow: true}, code: codeGateway},
		{name: "a queue behind throttles", kind: kindCapture, status: 500, body: `{"ExceptionType":"Queue.ThrottlingException","ExceptionMessage":"Rate exceeded"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "Queue.ThrottlingException", Slow: true}},
		{name: "a queue behind throttles, under 200", kind: kindSale, status: 200, body: `{"ExceptionType":"Queue.ThrottlingException","ExceptionMessage":"Rate exceeded"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "Queue.ThrottlingException", Slow: true}},
		{name: "a webhook's limit under 200", kind: kindCapture, status: 200, body: `{"Status":"Error","ExceptionMessage":"rate limit of the webhook exceeded"}`, want: slow, code: codeLimitElsewhere},
		{name: "the sentence after other words", kind: kindCapture, status: 500, body: `{"Status":"Error","ExceptionMessage":"webhook: API calls exceeded the limit of 25 in 5 second(s)"}`, want: slow},
		{name: "the sentence in a foreign exception", kind: kindCapture, status: 500, body: `{"ExceptionType":"Crm.RemoteException","ExceptionMessage":"API calls exceeded the limit of 25 in 5 second(s)"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "Crm.RemoteException", Slow: true}},
		{name: "nearly the sentence", kind: kindCapture, status: 429, body: `{"Status":"Error","ExceptionMessage":"Your API requests exceeded the limit"}`, want: slow, code: codeLimitElsewhere},
		{name: "429 with another refusal", kind: kindCapture, status: 429, body: `{"Status":"Error","ExceptionType":"MXInvalidInputException"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "MXInvalidInputException", Slow: true}},
		{name: "429 with an empty object", kind: kindSale, status: 429, body: `{}`, want: slow},
		{name: "429 with a text", kind: kindSubmit, status: 429, body: `slow down`, want: slow},
		{name: "another limit's type of the application", kind: kindCapture, status: 500, body: `{"ExceptionType":"MXThrottledException","ExceptionMessage":"x"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "MXThrottledException", Slow: true}, code: codeLimitElsewhere},
		{name: "503 that asks to slow down", kind: kindCapture, status: 503, body: `<Error><Code>SlowDown</Code></Error>`, want: Outcome{Verdict: InDoubt, Outage: true, Slow: true}},
		{name: "a lead's capture meets a gateway's limit", kind: kindLead, status: 429, body: `{"message":"Too Many Requests"}`, want: slow},
		{name: "a read meets a gateway's limit", kind: kindRead, status: 429, body: `{"message":"Too Many Requests"}`, want: limited(0, 0)},
		{name: "a day's cap of a service behind", kind: kindCapture, status: 500, body: `{"ExceptionType":"Sms.QuotaException","ExceptionMessage":"daily API limit of 100 exceeded"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "Sms.QuotaException", Slow: true}},
		{name: "429 without a body, blanks apart", kind: kindCapture, status: 429, body: " \r\n", want: limited(0, 0), code: codeLimit},
		{name: "429 with a record's id", kind: kindCapture, status: 429, body: `{"CreatedOpportunityId":` + id + `}`, want: slow},

		// What a gateway or a service behind says is no proof that nothing was made.
		{name: "400 with a page", kind: kindCapture, status: 400, header: htmlHeader, body: "<html>x</html>", want: stop, code: codeBadRequest},
		{name: "404 with a page, sale", kind: kindSale, status: 404, header: htmlHeader, body: "<html>x</html>", want: stop, code: codePath},
		{name: "413 with a page", kind: kindCapture, status: 413, header: htmlHeader, body: "<html>x</html>", want: stop, code: codeTooLarge},
		{name: "405 with JSON of a gateway", kind: kindCapture, status: 405, body: `{"message":"Method Not Allowed"}`, want: stop, code: codePath},
		{name: "400 with the exception of a service behind", kind: kindCapture, status: 400, body: `{"Status":"Error","ExceptionType":"Sms.BadRequestException"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "Sms.BadRequestException", Stop: true}},
		{name: "400 in the application's form", kind: kindCapture, status: 400, body: `{"Status":"Error","ExceptionMessage":"the body is malformed"}`, want: rejected(""), code: codeBadRequest, words: "malformed"},
		{name: "403 in the application's form", kind: kindCapture, status: 403, body: `{"Status":"Error","ExceptionMessage":"no permission"}`, want: Outcome{Verdict: Fatal}, code: codeForbidden},
		{name: "an exception about the keys of a service behind", kind: kindCapture, status: 500, body: `{"Status":"Error","ExceptionType":"Sms.InvalidApiKeyException"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "Sms.InvalidApiKeyException"}, code: codeServerError},
		{name: "an exception about the keys of a service behind, under 200", kind: kindSale, status: 200, body: `{"ExceptionType":"Sms.InvalidApiKeyException"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "Sms.InvalidApiKeyException"}},
		{name: "403 for a read", kind: kindRead, status: 403, header: htmlHeader, body: "<html>x</html>", want: Outcome{Verdict: Fatal}, code: codeForbidden},
		{name: "401 with a record's id", kind: kindCapture, status: 401, body: `{"CreatedOpportunityId":` + id + `}`, want: stop, code: codeContradiction},

		// Only the vendor's hosts are advised.
		{name: "401 that names somebody's host", kind: kindCapture, status: 401, body: `{"ExceptionMessage":"see https://portal.example.net/help"}`, want: Outcome{Verdict: Fatal}, code: codeKeys},
		{name: "401 that names a host like the vendor's", kind: kindRead, status: 401, body: `use host: api-us11.leadsquared.com.example.net or api.notleadsquared.com`, want: Outcome{Verdict: Fatal}, code: codeKeys},

		// What stands in the place of an id and is none.
		{name: "an id with a control character", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":"caf2201a-ead4-4cd7\u001b-8a0e-16791c31d905"}`, want: inDoubt, code: codeNoID},
		{name: "an id with bytes that are no text", kind: kindCapture, status: 200, body: "{\"Status\":0,\"CreatedOpportunityId\":\"caf2201a-\xff\xfed4\"}", want: inDoubt, code: codeNoID},
		{name: "an id with U+FFFD", kind: kindSale, status: 200, body: `{"Status":"Success","Message":{"Id":"10\ufffd6"}}`, want: inDoubt, code: codeNoID},
		{name: "a GUID with a letter past f", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":"caf2201a-ead4-4cd7-8a0e-16791c31g905"}`, want: inDoubt, code: codeNoID},
		{name: "a GUID that lost a dash", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":"caf2201aead4-4cd7-8a0e-16791c31d905"}`, want: inDoubt, code: codeNoID},
		{name: "a GUID that lost a digit", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":"caf2201a-ead4-4cd7-8a0e-16791c31d90"}`, want: inDoubt, code: codeNoID},
		{name: "a sentence for an id", kind: kindSale, status: 200, body: `{"Status":"Success","Message":{"Id":"see the log"}}`, want: inDoubt, code: codeNoID},
		{name: "a hidden key for an id", kind: kindSale, status: 200, body: `{"Status":"Success","Message":{"Id":"***"}}`, want: inDoubt, code: codeNoID},
		{name: "an id that turns the text round", kind: kindSale, status: 200, body: `{"Status":"Success","Message":{"Id":"10\u202e16"}}`, want: inDoubt, code: codeNoID},
		{name: "a conflicting id that is none", kind: kindCapture, status: 200, body: `{"Status":0,"ConflictedOpportunityId":"caf2201a ead4"}`, want: inDoubt, code: codeNoID},
		{name: "status 2 with an id that is none", kind: kindCapture, status: 200, body: `{"Status":2,"CreatedOpportunityId":"caf\t2201a"}`, want: inDoubt, code: codeNoID},
		{name: "a request id that is none", kind: kindSubmit, status: 200, body: `{"RequestID":"8eca6fa6\n262c"}`, want: inDoubt, code: codeNoID},
		{name: "the limit beside an id that is none", kind: kindCapture, status: 200, body: `{"Status":"Error","ExceptionType":"` + rate + `","CreatedOpportunityId":"caf2201a ead4"}`, want: Outcome{Verdict: InDoubt, ExceptionType: rate}, code: codeContradiction},
		{name: "a lead's id that is none is left out", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":` + id + `,"RelatedProspectId":"5f2d0f3e-\ufffd"}`, want: applied},
		{name: "an id in braces", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":"{` + anID + `}"}`, want: Outcome{Verdict: Applied, ID: anID}},

		// The status decides.
		{name: "400 with an MX type", kind: kindCapture, status: 400, body: `{"Status":"Error","ExceptionType":"MXInvalidInputException"}`, want: rejected("MXInvalidInputException"), code: "account.MXInvalidInputException"},
		{name: "400 with a text", kind: kindCapture, status: 400, body: "Unexpected character encountered while parsing value", want: stop, code: codeBadRequest, words: "Unexpected character"},
		{name: "400 bare", kind: kindCapture, status: 400, want: stop, code: codeBadRequest},
		{name: "413", kind: kindCapture, status: 413, want: stop, code: codeTooLarge},
		{name: "422", kind: kindCapture, status: 422, want: stop, code: codeBadRequest},
		{name: "401 bare", kind: kindCapture, status: 401, want: Outcome{Verdict: Fatal}, code: codeKeys},
		{name: "401 that names another host", kind: kindCapture, status: 401, body: `{"Status":"Error","ExceptionType":"MXUnauthorizedAccessException","ExceptionMessage":"Please use api-us11.leadsquared.com for this account"}`, want: Outcome{Verdict: Fatal, ExceptionType: "MXUnauthorizedAccessException", RightHost: "api-us11.leadsquared.com"}, code: codeHost},
		{name: "401 that names another host as a URL", kind: kindRead, status: 401, body: `Use https://api-ir31.leadsquared.com/v2/ instead of https://api-in21.leadsquared.com`, want: Outcome{Verdict: Fatal, RightHost: "api-ir31.leadsquared.com"}, code: codeHost},
		{name: "401 that names a host of its own", kind: kindRead, status: 401, body: `{"ExceptionMessage":"wrong host, use http://127.0.0.1:9090"}`, want: Outcome{Verdict: Fatal}, code: codeKeys},
		{name: "401 that names a foreign host that begins with api", kind: kindRead, status: 401, body: `{"ExceptionMessage":"wrong host, use https://api.example.net"}`, want: Outcome{Verdict: Fatal}, code: codeKeys},
		{name: "401 that names our own host", kind: kindRead, status: 401, body: `{"ExceptionMessage":"keys are not valid on api-in21.leadsquared.com, see https://apidocs.leadsquared.com/authentication"}`, want: Outcome{Verdict: Fatal}, code: codeKeys},
		{name: "401 with a page", kind: kindCapture, status: 401, header: htmlHeader, body: "<html>no</html>", want: Outcome{Verdict: Fatal}, code: codeKeys},
		{name: "401 cut short", kind: kindCapture, status: 401, body: "{", cut: io.ErrUnexpectedEOF, want: Outcome{Verdict: Fatal}, code: codeKeys},
		{name: "403 with a page", kind: kindCapture, status: 403, header: htmlHeader, body: "<html>Request blocked</html>", want: stop, code: codeForbidden},
		{name: "403 bare", kind: kindCapture, status: 403, want: stop, code: codeForbidden},
		{name: "403 cut short", kind: kindCapture, status: 403, body: `{"Exception`, cut: io.ErrUnexpectedEOF, want: inDoubt, code: codeCut},
		{name: "404", kind: kindCapture, status: 404, body: "<html>not found</html>", want: stop, code: codePath},
		{name: "405", kind: kindRead, status: 405, want: Outcome{Verdict: Fatal}, code: codePath},
		{name: "415", kind: kindCapture, status: 415, want: stop, code: codeRequest},
		{name: "407 of a proxy", kind: kindCapture, status: 407, want: stop, code: codeRequest},
		{name: "408", kind: kindCapture, status: 408, want: outage, code: codeGateway},
		{name: "409", kind: kindCapture, status: 409, want: inDoubt, code: codeUnexpected},
		{name: "301 to another host", kind: kindCapture, status: 301, header: http.Header{"Location": {"https://login.example.com/?accessKey=x"}}, want: outage, code: codeRedirect, words: "to login.example.com"},
		{name: "302 to an error page", kind: kindCapture, status: 302, header: http.Header{"Location": {"/Error.aspx"}}, want: outage, code: codeRedirect},
		{name: "304", kind: kindRead, status: 304, want: outage, code: codeRedirect},
		{name: "500 with another exception", kind: kindCapture, status: 500, body: `{"Status":"Error","ExceptionType":"NullReferenceException","ExceptionMessage":"Object reference not set"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "NullReferenceException"}, code: codeServerError},
		{name: "500 with status 1", kind: kindCapture, status: 500, body: `{"Status":1}`, want: inDoubt, code: codeServerError},
		{name: "500 bare", kind: kindCapture, status: 500, want: inDoubt, code: codeServerError},
		{name: "500 with a page", kind: kindCapture, status: 500, header: htmlHeader, body: "<html>MXInvalidInputException API calls exceeded the limit of 25 in 5 second(s)</html>", want: slow, code: codeServerError},
		{name: "501", kind: kindCapture, status: 501, want: inDoubt},
		{name: "502 with a page", kind: kindCapture, status: 502, header: htmlHeader, body: html502, want: outage, code: codeGateway},
		{name: "502 with a page of no type", kind: kindSale, status: 502, body: html502, want: outage, code: codeGateway},
		{name: "503 bare", kind: kindCapture, status: 503, want: outage, code: codeGateway},
		{name: "504 bare", kind: kindSubmit, status: 504, want: outage, code: codeGateway},
		{name: "520 of a proxy", kind: kindCapture, status: 520, want: outage, code: codeGateway},
		{name: "101", kind: kindCapture, status: 101, want: inDoubt},

		// Answers that are none.
		{name: "200 with a page", kind: kindCapture, status: 200, header: htmlHeader, body: "<html>maintenance</html>", want: inDoubt, code: codeHTML},
		{name: "200 empty", kind: kindCapture, status: 200, want: inDoubt, code: codeEmpty},
		{name: "200 blank", kind: kindSale, status: 200, body: " \r\n", want: inDoubt, code: codeEmpty},
		{name: "204", kind: kindCapture, status: 204, want: inDoubt, code: codeEmpty},
		{name: "200 with half a JSON", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":"caf2201a`, want: inDoubt, code: codeUnreadable},
		{name: "200 with a JSON and more", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":` + id + `}{`, want: inDoubt, code: codeUnreadable},
		{name: "200 null", kind: kindCapture, status: 200, body: `null`, want: inDoubt, code: codeUnexpected},
		{name: "200 array", kind: kindCapture, status: 200, body: `[{"Status":0,"CreatedOpportunityId":` + id + `}]`, want: inDoubt, code: codeUnexpected},
		{name: "200 number", kind: kindCapture, status: 200, body: `0`, want: inDoubt, code: codeUnexpected},
		{name: "200 text", kind: kindCapture, status: 200, body: `"` + anID + `"`, want: inDoubt, code: codeUnexpected},
		{name: "200 with the success inside a text", kind: kindCapture, status: 200, body: `"{\"Status\":0,\"CreatedOpportunityId\":\"` + anID + `\"}"`, want: inDoubt, code: codeUnexpected},
		{name: "200 empty object", kind: kindSale, status: 200, body: `{}`, want: inDoubt, code: codeUnexpected},
		{name: "200 with plain text", kind: kindSale, status: 200, body: `OK`, want: inDoubt, code: codeUnreadable},
		{name: "200 cut after all was said", kind: kindCapture, status: 200, body: `{"Status":0,"CreatedOpportunityId":` + id + `}`, cut: io.ErrUnexpectedEOF, want: inDoubt, code: codeCut},
		{name: "200 too long", kind: kindCapture, status: 200, body: `{"Status":0`, cut: errTooLong, want: inDoubt, code: codeCut},
		{name: "500 cut short", kind: kindCapture, status: 500, body: `{"Status":"Error","ExceptionType":"MXInvalidInputException"}`, cut: io.ErrUnexpectedEOF, want: inDoubt, code: codeCut},

		// Reads.
		{name: "read of an array", kind: kindRead, status: 200, body: `[]`, want: Outcome{Verdict: Applied}},
		{name: "read of an object", kind: kindRead, status: 200, body: `{"RecordCount":0,"List":[]}`, want: Outcome{Verdict: Applied}},
		{name: "read of a record that has a status", kind: kindRead, status: 200, body: `{"Status":"1","Message":"API calls exceeded the limit of 25 in 5 second(s)","OpportunityId":` + id + `,"Owner":"x","Fields":[]}`, want: Outcome{Verdict: Applied}},
		{name: "read of null", kind: kindRead, status: 200, body: `null`, want: inDoubt, code: codeUnexpected},
		{name: "read of a text", kind: kindRead, status: 200, body: `"x"`, want: inDoubt, code: codeUnexpected},
		{name: "read of a page", kind: kindRead, status: 200, header: htmlHeader, body: "<html>", want: inDoubt, code: codeHTML},
		{name: "read of an error without a type", kind: kindRead, status: 200, body: `{"Status":"Error"}`, want: inDoubt, code: codeUnexpected},
		{name: "read refused", kind: kindRead, status: 500, body: `{"Status":"Error","ExceptionType":"MXInvalidInputException","ExceptionMessage":"leadId is not valid"}`, want: rejected("MXInvalidInputException")},
		{name: "read with an exception of the server", kind: kindRead, status: 200, body: `{"ExceptionType":"SqlException"}`, want: Outcome{Verdict: InDoubt, ExceptionType: "SqlException"}},

		// Check-in.
		{name: "checked in", kind: kindPresence, status: 200, body: `{"Status":"Success","Message":{"ResponseText":"User successfully checked in on 2017-10-31 09:54:06"}}`, want: Outcome{Verdict: Applied}, words: "successfully checked in"},
		{name: "check-in without a word of success", kind: kindPresence, status: 200, body: `{"Message":{"ResponseText":"?"}}`, want: inDoubt, code: codeUnexpected},
		{name: "check-in refused", kind: kindPresence, status: 500, body: `{"Status":"Error","ExceptionType":"MXInvalidInputException"}`, want: rejected("MXInvalidInputException")},
	}
}

func TestJudgeAnswers(t *testing.T) {
	cases := answerCases()
	if len(cases) < 100 {
		t.Fatalf("only %d answers", len(cases))
	}
	names := map[string]bool{}
	for _, c := range cases {
		if names[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		names[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			got, _ := judge(answer{kind: c.kind, host: "api-in21.leadsquared.com", status: c.status, header: c.header, body: []byte(c.body), cut: c.cut})
			checkOutcome(t, got, c.want)
			if got.Status != c.status {
				t.Errorf("status %d, want %d", got.Status, c.status)
			}
			if c.code != "" && Code(got) != c.code {
				t.Errorf("code %q, want %q", Code(got), c.code)
			}
			if !strings.Contains(got.Message, c.words) {
				t.Errorf("message %q does not hold %q", got.Message, c.words)
			}
			if got.Verdict != Applied && got.Verdict != Duplicate && got.Verdict != Accepted && got.Message == "" {
				t.Error("no message")
			}
			if strings.Contains(got.Message, "accessKey") {
				t.Errorf("message %q holds a query", got.Message)
			}
		})
	}
}

func checkOutcome(t *testing.T, got, want Outcome) {
	t.Helper()
	type key struct {
		Verdict                                Verdict
		ID, LeadID, RequestID, Type, RightHost string
		Calls                                  int
		Window                                 time.Duration
		Outage, Slow, Stop                     bool
	}
	of := func(o Outcome) key {
		return key{o.Verdict, o.ID, o.LeadID, o.RequestID, o.ExceptionType, o.RightHost, o.StatedCalls, o.StatedWindow, o.Outage, o.Slow, o.Stop}
	}
	if of(got) != of(want) {
		t.Errorf("got  %+v\nwant %+v\nmessage %q", of(got), of(want), got.Message)
	}
}

func TestJudgeNetwork(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	read := func(err error) error { return &net.OpError{Op: "read", Net: "tcp", Err: err} }
	sys := func(e syscall.Errno) error { return os.NewSyscallError("connect", e) }
	notSent := Outcome{Verdict: NotSent, Outage: true}
	for _, c := range []struct {
		name      string
		err       error
		connected bool
		wrote     bool
		cancelled bool
		want      Outcome
		code      string
	}{
		{name: "refused", err: dial(sys(syscall.ECONNREFUSED)), want: notSent, code: codeRefused},
		{name: "refused inside a url.Error with a key", err: &url.Error{Op: "Post", URL: "https://h/?secretKey=verysecret", Err: dial(sys(syscall.ECONNREFUSED))}, want: notSent, code: codeRefused},
		{name: "no such host", err: dial(&net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}), want: notSent, code: codeDNS},
		{name: "DNS time-out", err: dial(&net.DNSError{Err: "i/o timeout", Name: "h", IsTimeout: true}), want: notSent, code: codeDNS},
		{name: "connect time-out", err: dial(os.ErrDeadlineExceeded), want: notSent, code: codeTimeout},
		{name: "no route", err: dial(sys(syscall.ENETUNREACH)), want: notSent, code: codeUnreachable},
		{name: "reset while connecting", err: dial(sys(syscall.ECONNRESET)), want: notSent, code: codeUnreachable},
		{name: "handshake broken", err: &tlsError{io.EOF}, want: notSent, code: codeTLS},
		{name: "handshake alert", err: &tlsError{tls.AlertError(40)}, want: notSent, code: codeTLS},
		{name: "no TLS there", err: &tlsError{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}}, want: notSent, code: codeTLS},
		{name: "handshake time-out", err: &tlsError{context.DeadlineExceeded}, want: notSent, code: codeTimeout},
		{name: "unknown authority", err: &tlsError{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}, want: Outcome{Verdict: Fatal}, code: codeCertificate},
		{name: "another host's certificate", err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}, want: Outcome{Verdict: Fatal}, code: codeCertificate},
		{name: "expired certificate", err: &tlsError{x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}}, want: Outcome{Verdict: Fatal}, code: codeCertificate},
		{name: "given up before the dial", err: context.Canceled, cancelled: true, want: Outcome{Verdict: NotSent}, code: codeCancelled},
		{name: "given up while waiting", err: context.Canceled, connected: true, wrote: true, cancelled: true, want: Outcome{Verdict: InDoubt}, code: codeCancelled},
		{name: "caller's deadline while waiting", err: context.DeadlineExceeded, connected: true, wrote: true, cancelled: true, want: Outcome{Verdict: InDoubt}, code: codeTimeout},
		{name: "kept connection was dead", err: errors.New("http: server closed idle connection"), connected: true, want: Outcome{Verdict: NotSent}, code: codeStale},
		{name: "sealed connection", err: fmt.Errorf("http: %w", errSealed), connected: true, want: Outcome{Verdict: NotSent}, code: codeStale},
		{name: "proxy is down", err: &net.OpError{Op: "proxyconnect", Err: dial(sys(syscall.ECONNREFUSED))}, want: notSent, code: codeRefused},
		{name: "proxy refuses", err: errors.New("Forbidden"), want: notSent, code: codeNetwork},
		{name: "stand-in says nothing was sent", err: fmt.Errorf("test: %w", ErrNotSent), want: notSent, code: codeNetwork},
		{name: "EOF in place of an answer", err: io.EOF, connected: true, wrote: true, want: Outcome{Verdict: InDoubt}, code: codeReset},
		{name: "reset in place of an answer", err: read(sys(syscall.ECONNRESET)), connected: true, wrote: true, want: Outcome{Verdict: InDoubt}, code: codeReset},
		{name: "broken pipe in the middle", err: read(sys(syscall.EPIPE)), connected: true, wrote: true, want: Outcome{Verdict: InDoubt}, code: codeReset},
		{name: "no answer in time", err: context.DeadlineExceeded, connected: true, wrote: true, want: Outcome{Verdict: InDoubt, Outage: true}, code: codeTimeout},
		{name: "read time-out", err: read(os.ErrDeadlineExceeded), connected: true, wrote: true, want: Outcome{Verdict: InDoubt, Outage: true}, code: codeTimeout},
		{name: "malformed answer", err: errors.New("malformed HTTP response \"x\""), connected: true, wrote: true, want: Outcome{Verdict: InDoubt}, code: codeNetwork},
		{name: "neither answer nor error", want: notSent, code: codeNetwork},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, doc := judge(answer{kind: kindCapture, host: "api.example.com", err: c.err, connected: c.connected, wrote: c.wrote, cancelled: c.cancelled})
			checkOutcome(t, got, c.want)
			if Code(got) != c.code {
				t.Errorf("code %q, want %q", Code(got), c.code)
			}
			if doc != nil {
				t.Error("there is an answer")
			}
			if got.Message == "" || strings.Contains(got.Message, "secret") {
				t.Errorf("message %q", got.Message)
			}
		})
	}
}

func TestCodesAreKnown(t *testing.T) {
	known := map[string]bool{}
	for _, c := range Codes {
		if known[c] {
			t.Errorf("%q twice", c)
		}
		known[c] = true
	}
	for _, c := range answerCases() {
		o, _ := judge(answer{kind: c.kind, status: c.status, header: c.header, body: []byte(c.body), cut: c.cut})
		code := Code(o)
		if code != "" && !known[code] && !strings.HasPrefix(code, codeException+typeWord(o.ExceptionType)) {
			t.Errorf("%s: code %q is not among Codes", c.name, code)
		}
	}
}

func TestCodeOfOutcomesMadeByHand(t *testing.T) {
	for _, c := range []struct {
		o    Outcome
		want string
	}{
		{Outcome{Verdict: Applied}, ""},
		{Outcome{Verdict: Duplicate}, ""},
		{Outcome{Verdict: Accepted}, ""},
		{Outcome{Verdict: Rejected, ExceptionType: "MXDuplicateEntryException"}, "account.MXDuplicateEntryException"},
		{Outcome{Verdict: Rejected, ExceptionType: "a b\n=cmd"}, "account.abcmd"},
		{Outcome{Verdict: Rejected, Status: 400}, codeBadRequest},
		{Outcome{Verdict: Rejected}, codeRejected},
		{Outcome{Verdict: Throttled}, codeLimit},
		{Outcome{Verdict: Throttled, StatedCalls: 25, StatedWindow: 5 * time.Second}, codeLimit},
		{Outcome{Verdict: Throttled, StatedWindow: 24 * time.Hour}, codeDailyLimit},
		{Outcome{Verdict: Fatal, Status: 401}, codeKeys},
		{Outcome{Verdict: Fatal, Status: 401, RightHost: "x"}, codeHost},
		{Outcome{Verdict: Fatal, Status: 403}, codeForbidden},
		{Outcome{Verdict: Fatal, Status: 404}, codePath},
		{Outcome{Verdict: Fatal}, codeCertificate},
		{Outcome{Verdict: NotSent}, codeNetwork},
		{Outcome{}, codeNetwork},
		{Outcome{Status: 500}, codeServerError},
		{Outcome{Status: 502}, codeGateway},
		{Outcome{Status: 302}, codeRedirect},
		{Outcome{Status: 200}, codeUnexpected},
	} {
		if got := Code(c.o); got != c.want {
			t.Errorf("Code(%+v) = %q, want %q", c.o, got, c.want)
		}
	}
}

func TestVerdictNames(t *testing.T) {
	for v, want := range map[Verdict]string{InDoubt: "in doubt", Applied: "applied", NotSent: "not sent", Fatal: "fatal", 99: "verdict 99"} {
		if v.String() != want {
			t.Errorf("%d is %q, want %q", v, v, want)
		}
	}
}

func TestServerTimeIsRead(t *testing.T) {
	o, _ := judge(answer{status: 200, body: []byte("[]"), header: http.Header{"Date": {"Sun, 22 Nov 2026 05:00:00 GMT"}}})
	if want := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC); !o.ServerTime.Equal(want) {
		t.Errorf("server time %v, want %v", o.ServerTime, want)
	}
}

func TestMessagesAreTidy(t *testing.T) {
	if got := tidy("a\r\n\tb\x00c\u2028d" + strings.Repeat("é", 2000)); strings.ContainsAny(got, "\r\n\t\x00\u2028") || len([]rune(got)) > 1001 {
		t.Errorf("tidy gives %d characters: %.20q", len([]rune(got)), got)
	}
}

// FuzzJudge looks for answers that break what the loader relies on.
func FuzzJudge(f *testing.F) {
	n := 0
	for _, c := range answerCases() {
		ct := ""
		if c.header != nil {
			ct = c.header.Get("Content-Type")
		}
		f.Add(uint8(c.kind), c.status, ct, []byte(c.body), c.cut != nil)
		n++
	}
	if n < 100 {
		f.Fatalf("only %d seeds", n)
	}
	f.Fuzz(func(t *testing.T, k uint8, status int, contentType string, body []byte, cut bool) {
		a := answer{kind: kind(k % 5), host: "api-in21.leadsquared.com", status: status, header: http.Header{"Content-Type": {contentType}}, body: body}
		if cut {
			a.cut = io.ErrUnexpectedEOF
		}
		o, _ := judge(a)
		creates := a.kind == kindCapture || a.kind == kindSale || a.kind == kindSubmit
		switch {
		case creates && (o.Verdict == Applied || o.Verdict == Duplicate) && (o.ID == "" || cut || status < 200 || status > 299):
			t.Errorf("%v with id %q under %d, cut %v", o.Verdict, o.ID, status, cut)
		case o.Verdict == Accepted && (o.RequestID == "" || a.kind != kindSubmit):
			t.Errorf("accepted with request id %q for kind %d", o.RequestID, a.kind)
		case o.Verdict == NotSent && status != 0:
			t.Error("not sent, with an answer")
		case status >= 500 && readFacts(a).html && o.Verdict != InDoubt:
			t.Errorf("a page under %d is %v", status, o.Verdict)
		case cut && status >= 500 && o.Verdict != InDoubt:
			t.Errorf("half an answer under %d is %v", status, o.Verdict)
		case int(o.Verdict) >= len(verdictNames):
			t.Errorf("verdict %d", o.Verdict)
		case o.StatedCalls < 0 || o.StatedWindow < 0 || o.StatedWindow > 400*24*time.Hour:
			t.Errorf("stated limit %d in %v", o.StatedCalls, o.StatedWindow)
		case strings.ContainsAny(o.Message, "\r\n\x00") || len([]rune(o.Message)) > 1001:
			t.Errorf("message %q", o.Message)
		}
		if code := Code(o); code == "" && o.Verdict != Applied && o.Verdict != Duplicate && o.Verdict != Accepted {
			t.Errorf("%v has no code", o.Verdict)
		} else if strings.ContainsAny(code, " \n=") {
			t.Errorf("code %q", code)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	body := []byte(`{"Status":0,"PrimaryAction":null,"SecondaryAction":null,"ExceptionType":null,"ExceptionMessage":null,"RequestId":"r","RelatedProspectId":"` + otherID + `","IsUnique":true,"CreatedOpportunityId":"` + anID + `","ConflictedOpportunityId":null,"AdditionalDetails":[{"PostDeDupActionPerformed":1,"ActivityId":"` + anID + `"}],"OverwriteFields":false,"UpdateEmptyFields":false,"DoNotPostDuplicateActivity":false,"DoNotChangeOwner":false}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if o, _ := judge(answer{kind: kindCapture, status: 200, body: body}); o.Verdict != Applied {
			b.Fatal(o)
		}
	}
}
