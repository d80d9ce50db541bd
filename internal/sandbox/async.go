package sandbox

import (
	"encoding/json"
	"time"
)

// queue holds async captures. Nothing runs in the background: whoever looks at
// the account first carries out what has fallen due.
type queue struct {
	byID map[id]*task
	line []*task // in the order of their due times
	head int
	last int64 // due time of the latest
	done int64
}

type task struct {
	id     id
	body   []byte
	call   int64 // its number
	due    int64 // on the account's monotonic scale
	fail   bool
	status string // "" while it waits
	reason string
	answer json.RawMessage
}

// submit queues a capture. Only the JSON is looked at; the rest is found out when its turn comes.
func (a *Account) submit(c *call) answer {
	if !json.Valid(c.body) {
		return badRequest("the body is not JSON")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	t := &task{id: a.newID(), body: c.body, call: c.record.Number, due: a.elapsed() + int64(a.o.AsyncDelay), fail: chance(a.draw, a.o.AsyncFail)}
	if a.o.AsyncPerMinute > 0 {
		t.due = max(t.due, a.tasks.last+int64(time.Minute)/int64(a.o.AsyncPerMinute))
	}
	a.tasks.last = t.due
	a.tasks.byID[t.id] = t
	a.tasks.line = append(a.tasks.line, t)
	return ok(struct{ Status, RequestID string }{"Request accepted. Please use below request id to check the status", t.id.String()})
}

// drain carries out the async captures that have fallen due. The caller holds mu.
func (a *Account) drain() {
	q := &a.tasks
	if q.head == len(q.line) {
		return
	}
	t := a.elapsed()
	for q.head < len(q.line) && q.line[q.head].due <= t {
		next := q.line[q.head]
		q.line[q.head] = nil
		q.head++
		a.carryOut(next, a.now().Add(time.Duration(next.due-t)))
	}
	if q.head == len(q.line) {
		q.line, q.head = q.line[:0], 0
	}
}

// carryOut ends a task: Success with the sync answer, FAILURE where the
// application refused it, ERROR where the system gave up (vendor's status page).
func (a *Account) carryOut(t *task, now time.Time) {
	a.tasks.done++
	if t.fail {
		t.status, t.reason = "ERROR", "The request could not be processed because of a system error."
		return
	}
	r, no := a.parseCapture(t.body)
	if no == nil {
		r.call = t.call
		var done captureAnswer
		if done, no = a.apply(r, now); no == nil {
			t.status, t.reason, t.answer = "Success", "Request was successfully completed", ok(done).body
			return
		}
	}
	t.status, t.reason = "FAILURE", no.message
	if no.kind != "" {
		t.reason = no.kind + ": " + no.message
	}
}

// pending counts the captures in the queue. The caller holds mu.
func (a *Account) pending() int { return len(a.tasks.line) - a.tasks.head }

func (a *Account) taskStatus(c *call) answer {
	given := c.param("RequestID")
	if given == "" {
		return missing("RequestID").answer()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	v, _ := parseID(given)
	t, found := a.tasks.byID[v]
	if !found {
		return invalid("RequestID '%s' does not exist", given).answer()
	}
	var s struct {
		RequestId  string
		TaskStatus struct {
			TaskType        string
			Status          string
			StatusReason    *string
			TaskCurrentStep *string
			TaskLastStep    *string
			RequestBody     string
			Message         json.RawMessage
		}
	}
	s.RequestId = t.id.String()
	s.TaskStatus.TaskType = "Opportunity Capture"
	s.TaskStatus.Status = t.status
	s.TaskStatus.StatusReason = pointer(t.reason)
	s.TaskStatus.RequestBody = string(t.body)
	s.TaskStatus.Message = t.answer
	if t.status == "" {
		s.TaskStatus.Status = "In-Queue"
		s.TaskStatus.TaskCurrentStep = pointer("In-Queue")
	} else {
		s.TaskStatus.TaskLastStep = pointer("In-Process-Queue")
	}
	return ok(s)
}

func (a *Account) taskMetrics(*call) answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drain()
	var m struct {
		PendingMessages         int
		MaxDelayInSeconds       float64
		ProcessingratePerMinute float64 // the casing is the vendor's
	}
	m.PendingMessages = a.pending()
	if m.PendingMessages > 0 {
		last := a.tasks.line[len(a.tasks.line)-1]
		m.MaxDelayInSeconds = float64((last.due-a.elapsed())/1e6) / 1e3
	}
	minutes := min(10, max(1, float64(a.elapsed())/float64(time.Minute)))
	m.ProcessingratePerMinute = float64(int64(float64(a.tasks.done)/minutes*10)) / 10
	return ok(m)
}
