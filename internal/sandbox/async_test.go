package sandbox

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

type taskAnswer struct {
	RequestId  string
	TaskStatus struct {
		TaskType, Status, RequestBody               string
		StatusReason, TaskCurrentStep, TaskLastStep *string
		Message                                     *captured
	}
}

func (s *tester) submit(body string) string {
	s.Helper()
	r := s.post(submitPath, body)
	r.has(s, 200, `"Status":"Request accepted. Please use below request id to check the status"`)
	var got struct{ RequestID string }
	r.json(s, &got)
	return got.RequestID
}

func (s *tester) task(requestID string) taskAnswer {
	s.Helper()
	r := s.get(submitPath + "/status?RequestID=" + requestID)
	r.has(s, 200)
	var got taskAnswer
	r.json(s, &got)
	return got
}

func TestAsyncCapture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{AsyncDelay: 10 * time.Second})
		body := captureJSON("a@example.com", "mx_Custom_1", "Deal")
		v := a.submit(body)
		if got := a.task(v); got.TaskStatus.Status != "In-Queue" || got.TaskStatus.Message != nil || got.RequestId != v || got.TaskStatus.TaskType != "Opportunity Capture" {
			t.Errorf("at once: %+v", got)
		}
		a.get(submitPath+"/metrics").has(t, 200, `"PendingMessages":1`, `"MaxDelayInSeconds":10`, `"ProcessingratePerMinute":`)
		time.Sleep(9 * time.Second)
		if n := len(a.Opportunities()); n != 0 {
			t.Errorf("%d opportunities before their time", n)
		}
		time.Sleep(6 * time.Second)
		got := a.task(v).TaskStatus
		if got.Status != "Success" || got.Message == nil || *got.StatusReason != "Request was successfully completed" || got.RequestBody != body {
			t.Fatalf("in the end: %+v", got)
		}
		o := a.Opportunities()
		if len(o) != 1 || o[0].ID != got.Message.CreatedOpportunityId || string(got.Message.Status) != "0" {
			t.Errorf("held %+v, answered %+v", o, got.Message)
		}
		if age := time.Since(o[0].CreatedOn); age != 5*time.Second {
			t.Errorf("made %v ago: it was due 5s ago, whenever somebody looked", age)
		}
		a.get(submitPath+"/metrics").has(t, 200, `"PendingMessages":0`, `"MaxDelayInSeconds":0`, `"ProcessingratePerMinute":1`)
	})
}

func TestAsyncRefusals(t *testing.T) {
	a := newTester(t, Options{})
	a.post(submitPath, "{").has(t, 400)
	got := a.task(a.submit(captureJSON("none"))).TaskStatus
	if got.Status != "FAILURE" || got.Message != nil || *got.StatusReason != "MXInvalidEmailException: 'none' is not a valid email address" {
		t.Errorf("got %+v", got)
	}
	if got := a.task(a.submit(`{}`)).TaskStatus; got.Status != "FAILURE" {
		t.Errorf("got %+v", got)
	}
	a.get(submitPath+"/status?RequestID="+someGUID).has(t, 500, "MXInvalidInputException")
	a.get(submitPath+"/status").has(t, 500, "'RequestID' is mandatory")
	a.get(submitPath+"/status?requestid="+a.submit(captureJSON("a@example.com"))).has(t, 200, "Success")
}

func TestAsyncSystemErrors(t *testing.T) {
	a := newTester(t, Options{Calls: NoLimit, AsyncFail: .3})
	failed := 0
	for i := range 200 {
		switch got := a.task(a.submit(captureJSON(fmt.Sprintf("a%d@example.com", i)))).TaskStatus; got.Status {
		case "ERROR":
			failed++
		case "Success":
		default:
			t.Fatalf("status %q", got.Status)
		}
	}
	if failed < 30 || failed > 90 {
		t.Errorf("%d of 200 failed, want about 60", failed)
	}
	if n := len(a.Opportunities()); n != 200-failed {
		t.Errorf("%d opportunities, %d failures, of 200", n, failed)
	}
}

func TestAsyncDuplicateRule(t *testing.T) {
	a := newTester(t, Options{DuplicateField: "mx_Custom_1"})
	first := a.task(a.submit(captureJSON("a@example.com", "mx_Custom_1", "x"))).TaskStatus.Message
	again := a.task(a.submit(captureJSON("a@example.com", "mx_Custom_1", "x"))).TaskStatus.Message
	if again.ConflictedOpportunityId != first.CreatedOpportunityId || again.ConflictedOpportunityId == "" {
		t.Errorf("first %+v, again %+v", first, again)
	}
}

func TestALostSubmitIsInTheQueue(t *testing.T) {
	a := newTester(t, Options{})
	a.FailNext(FaultLostAnswer, FaultCutBefore)
	for range 2 {
		if !a.post(submitPath, captureJSON("a@example.com")).cut {
			t.Error("the answer was not lost")
		}
	}
	if n := len(a.Opportunities()); n != 1 {
		t.Errorf("%d opportunities, want 1", n)
	}
}

func TestAsyncKeepsItsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Calls: NoLimit, AsyncDelay: time.Second})
		for i := range 30 {
			a.submit(captureJSON("a@example.com", "mx_Custom_1", fmt.Sprint(i)))
			time.Sleep(100 * time.Millisecond)
		}
		if n := a.Count(); n.Pending != 9 && n.Pending != 10 {
			t.Errorf("%d pending", n.Pending)
		}
		time.Sleep(time.Second)
		for i, o := range a.Opportunities() {
			if o.Fields["mx_Custom_1"] != fmt.Sprint(i) {
				t.Fatalf("place %d holds %s", i, o.Fields["mx_Custom_1"])
			}
		}
		if n := a.Count(); n.Pending != 0 || n.Opportunities != 30 {
			t.Errorf("counters %+v", n)
		}
	})
}

func TestAsyncRateIsCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{Calls: NoLimit, AsyncPerMinute: 60})
		for range 90 {
			a.submit(captureJSON("a@example.com"))
		}
		a.get(submitPath+"/metrics").has(t, 200, `"PendingMessages":90`, `"MaxDelayInSeconds":90`)
		time.Sleep(30 * time.Second)
		a.get(submitPath+"/metrics").has(t, 200, `"PendingMessages":60`, `"MaxDelayInSeconds":60`)
		time.Sleep(time.Minute)
		if n := a.Count(); n.Pending != 0 || n.Opportunities != 90 {
			t.Errorf("counters %+v", n)
		}
		time.Sleep(time.Hour) // an idle queue saves nothing up
		v := a.submit(captureJSON("a@example.com"))
		if got := a.task(v).TaskStatus.Status; got != "Success" {
			t.Errorf("status %q", got)
		}
	})
}
