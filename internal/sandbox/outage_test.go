package sandbox

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestOutages(t *testing.T) {
	a := newTester(t, Options{Faults: Faults{HangFor: time.Millisecond}})
	for mode, check := range map[string]func(reply) bool{
		Outage503:    func(r reply) bool { return r.status == 503 && strings.Contains(r.body, "<html>") },
		OutageRefuse: func(r reply) bool { return r.cut },
		OutageReset:  func(r reply) bool { return r.cut },
		OutageHang:   func(r reply) bool { return r.cut },
	} {
		t.Run(mode, func(t *testing.T) {
			if err := a.SetOutage(mode); err != nil {
				t.Fatal(err)
			}
			if r := a.capture("a@example.com"); !check(r) {
				t.Errorf("got %+v", r)
			}
			if err := a.SetOutage(OutageNone); err != nil {
				t.Fatal(err)
			}
			if n := len(a.Opportunities()); n != 0 {
				t.Errorf("%d opportunities: a call was carried out in an outage", n)
			}
			a.get(authPath).has(t, 200)
		})
	}
	if a.SetOutage("flood") == nil {
		t.Error("an unknown outage was taken")
	}
	if n := a.Count(); n.Outages != 4 {
		t.Errorf("counters %+v", n)
	}
}

func TestRefusedConnections(t *testing.T) {
	a, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for range 3 {
		if r, err := wire(context.Background(), a); err != nil || r.StatusCode != 200 {
			t.Fatalf("before: %v %v", r, err)
		}
		a.SetOutage(OutageRefuse)
		a.SetOutage(OutageRefuse) // twice is once
		r, err := wire(context.Background(), a)
		var dial *net.OpError
		if !errors.As(err, &dial) || dial.Op != "dial" || (runtime.GOOS == "linux" && !errors.Is(err, syscall.ECONNREFUSED)) {
			t.Fatalf("during: %v %v, want a refused connection", r, err)
		}
		a.SetOutage(OutageNone)
	}
}

func TestRefuseEndsIdleConnections(t *testing.T) {
	a, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	client := http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	get := func() error {
		r, err := client.Get(a.URL() + "/v2/")
		if err == nil {
			r.Body.Close()
		}
		return err
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	a.SetOutage(OutageRefuse)
	if err := get(); err == nil {
		t.Error("an idle connection outlived the outage's start")
	}
	a.SetOutage(OutageNone)
	if err := get(); err != nil {
		t.Error(err)
	}
}

func TestResetOutage(t *testing.T) {
	a, err := Start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	a.SetOutage(OutageReset)
	r, err := wire(context.Background(), a)
	var dial *net.OpError
	if err == nil || errors.As(err, &dial) && dial.Op == "dial" {
		t.Errorf("got %v %v, want a reset after the request", r, err)
	}
	if a.Count().Outages != 1 {
		t.Error("the request did not arrive")
	}
}

func TestOutageFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newTester(t, Options{})
		a.OutageFor(Outage503, 10*time.Second)
		time.Sleep(9 * time.Second)
		a.get(authPath).has(t, 503)
		a.OutageFor(Outage503, 10*time.Second) // the later call counts
		time.Sleep(9 * time.Second)
		a.get(authPath).has(t, 503)
		time.Sleep(2 * time.Second)
		a.get(authPath).has(t, 200)
		a.OutageFor(Outage503, time.Second)
		a.SetOutage(Outage503) // for good
		time.Sleep(time.Hour)
		a.get(authPath).has(t, 503)
	})
}

func TestCloseEndsHangsAndLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, fault := range []string{FaultHangBefore, FaultHangAfter, "outage", "latency"} {
		t.Run(fault, func(t *testing.T) {
			o := Options{Faults: Faults{HangFor: time.Hour}}
			if fault == "latency" {
				o.Latency = time.Hour
			}
			a, err := Start(o)
			if err != nil {
				t.Fatal(err)
			}
			if fault == "outage" {
				a.OutageFor(OutageHang, time.Hour)
			} else if fault != "latency" {
				a.FailNext(fault)
			}
			failed := make(chan error)
			go func() {
				_, err := wire(context.Background(), a)
				failed <- err
			}()
			for fault != "latency" && a.Count().Calls == 0 {
				runtime.Gosched()
			}
			begun := time.Now()
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			if err := a.Close(); err != nil {
				t.Errorf("the second Close: %v", err)
			}
			if err := <-failed; err == nil {
				t.Error("the call got an answer")
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("Close took %v", took)
			}
		})
	}
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			b := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, b[:runtime.Stack(b, true)])
		}
		runtime.Gosched()
	}
}

func TestClosedAccountTakesNoCalls(t *testing.T) {
	a := newTester(t, Options{})
	a.Close()
	if !a.get(authPath).cut {
		t.Error("a closed account answered")
	}
	if err := a.SetOutage(OutageNone); err != nil {
		t.Error(err)
	}
}
