package leadsquared

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// AsyncRetrySpan is how long the vendor itself goes on repeating a queued
// request that failed for a reason of its own, counted from the submit: ten
// tries over about ten hours (async page). Until then nobody else may send
// the row again.
const AsyncRetrySpan = 10 * time.Hour

// asyncRepeats are the vendor's own pauses before it repeats such a request
// (async page).
var asyncRepeats = []time.Duration{30 * time.Second, 2 * time.Minute, 7 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	45 * time.Minute, time.Hour, 90 * time.Minute, 2 * time.Hour, 3 * time.Hour}

// AsyncNextRepeat returns how long after its submit the vendor next repeats a
// request that has failed so far, when so much time has passed since. After
// the last repeat it returns AsyncRetrySpan.
func AsyncNextRepeat(since time.Duration) time.Duration {
	at := time.Duration(0)
	for _, pause := range asyncRepeats {
		if at += pause; at > since {
			return at
		}
	}
	return AsyncRetrySpan
}

// Task is the state of a queued capture.
type Task struct {
	RequestID string
	Status    string // as written: "In-Queue", "Success", "FAILURE", "ERROR"
	Reason    string // StatusReason
	// Result is the end of the capture in the words of a sync call: Accepted while
	// it waits; Applied, Duplicate, Rejected or InDoubt when it has ended. An
	// ERROR without an exception of the application's own (MX…) is InDoubt: the
	// vendor may still repeat it, up to AsyncRetrySpan after the submit.
	Result Outcome
}

// Pending reports that the request waits in the queue.
func (t Task) Pending() bool { return t.Result.Verdict == Accepted }

// CaptureStatus asks how a queued capture stands.
func (c *Client) CaptureStatus(ctx context.Context, s Slot, requestID string) (Task, Outcome) {
	if requestID = strings.TrimSpace(requestID); requestID == "" {
		return Task{}, invalid("no request id to ask about")
	}
	o, doc := c.do(ctx, s, call{
		method: http.MethodGet, path: c.statusPath, query: url.Values{"RequestID": {requestID}}, async: true, asyncKeyOnly: true,
	})
	if o.Verdict != Applied {
		return Task{}, o
	}
	t, o := readTask(o, doc, requestID)
	t.Status, t.Reason = c.keys.Text(t.Status), c.keys.Text(t.Reason)
	c.veil(&t.Result)
	return t, o
}

func readTask(o Outcome, doc any, requestID string) (Task, Outcome) {
	top, ok := doc.(object)
	if !ok {
		return Task{}, misread(o, "the status of a request")
	}
	state, ok := top.object("TaskStatus")
	if !ok {
		if state = top; identifier(top.get("RequestId")) == "" {
			return Task{}, misread(o, "the status of a request")
		}
	}
	t := Task{RequestID: identifier(top.get("RequestId")), Status: state.text("Status"), Reason: tidy(state.text("StatusReason"))}
	if t.RequestID == "" {
		t.RequestID = requestID
	}
	if t.Status == "" || !strings.EqualFold(t.RequestID, requestID) {
		return Task{}, misread(o, "the status of this request")
	}
	// Message is the answer that a sync call would have had; seen as JSON inside a string elsewhere in the API.
	inner, isObject := state.object("Message")
	if s, isText := state.get("Message").(string); isText {
		if v, ok := parseJSON([]byte(s)); ok {
			inner, isObject = v.(object)
		}
	}
	r := Outcome{Status: o.Status, Body: o.Body, Started: o.Started, Ended: o.Ended, ServerTime: o.ServerTime, Message: t.Reason, RequestID: t.RequestID}
	if isObject {
		f := &facts{doc: inner, isJSON: true}
		f.readObject(kindCapture, inner)
		f.refused = f.refused || f.status == "1"
		j := f.judge(answer{kind: kindCapture, status: http.StatusOK, body: []byte("{}")})
		r.Verdict, r.code, r.ID, r.LeadID, r.ExceptionType = j.Verdict, j.code, j.ID, j.LeadID, j.ExceptionType
		if j.Message != "" {
			r.Message = tidy(j.Message)
		}
	}
	word := strings.ToLower(t.Status)
	switch {
	case word == "success" && isObject:
		// Throttled has no meaning for a queue that is worked off by the vendor.
		if r.Verdict == Throttled {
			r.Verdict, r.code = InDoubt, codeContradiction
		}
	case word == "success":
		r.Verdict, r.code = InDoubt, codeNoID
		r.Message = "success without an answer that names the record"
	case word == "failure" || word == "error":
		switch {
		case r.ID != "": // the inner answer says that something was made
			r.Verdict, r.code, r.ID = InDoubt, codeContradiction, ""
		case isObject && r.Verdict == Rejected:
		case strings.HasPrefix(mxWord(t.Reason), "MX"):
			r.Verdict, r.code, r.ExceptionType = Rejected, codeRejected, mxWord(t.Reason)
		case word == "failure":
			r.Verdict, r.code = Rejected, codeRejected
		default:
			r.Verdict, r.code = InDoubt, codeServerError
		}
	case strings.Contains(word, "queue"), strings.Contains(word, "process"), strings.Contains(word, "progress"), strings.Contains(word, "pending"), strings.Contains(word, "retry"):
		r = Outcome{Verdict: Accepted, RequestID: t.RequestID, Status: o.Status, Started: o.Started, Ended: o.Ended, ServerTime: o.ServerTime, Message: t.Reason}
	case r.ID != "" && (r.Verdict == Applied || r.Verdict == Duplicate):
		// Another word for the end; the answer names the record.
	default:
		return Task{}, misread(o, "the status of a request: its status is unknown")
	}
	t.Result = r
	return t, o
}

// mxWord finds an exception type of the application's own in a text.
func mxWord(s string) string {
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	}) {
		if strings.HasPrefix(word, "MX") && strings.HasSuffix(word, "Exception") {
			return word
		}
	}
	return ""
}

// Queue is the state of the async API's queue.
type Queue struct {
	Pending   int           // PendingMessages, approximate
	MaxDelay  time.Duration // MaxDelayInSeconds
	PerMinute float64       // requests worked off a minute, over the last ten
}

// QueueMetrics asks for the state of the capture queue.
func (c *Client) QueueMetrics(ctx context.Context, s Slot) (Queue, Outcome) {
	o, doc := c.do(ctx, s, call{method: http.MethodGet, path: c.metricsPath, async: true, asyncKeyOnly: true})
	if o.Verdict != Applied {
		return Queue{}, o
	}
	top, _ := doc.(object)
	pending, ok := top.integer("PendingMessages")
	if !ok || pending < 0 {
		return Queue{}, misread(o, "the metrics of a queue")
	}
	q := Queue{Pending: pending, PerMinute: max(decimal(top.get("ProcessingratePerMinute")), 0)}
	if sec := decimal(top.get("MaxDelayInSeconds")); sec > 0 && sec < 1e8 {
		q.MaxDelay = time.Duration(sec * float64(time.Second))
	}
	return q, o
}
