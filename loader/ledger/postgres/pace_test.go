package postgres

import (
	"context"
	"testing"
	"time"

	"leadload/loader/pace"
)

// host opens a ledger as another machine would, and a pacer on it.
func host(t testing.TB, url, name string, limit pace.Limit) (*Ledger, *pace.Pacer) {
	t.Helper()
	l, err := Open(t.Context(), url, Options{schema: name})
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Pace("practice")
	if err != nil {
		t.Fatal(err)
	}
	table := pace.NewTable(s)
	t.Cleanup(func() {
		if err := table.Close(); err != nil {
			t.Error(err)
		}
		l.Close()
	})
	return l, pace.New(pace.Options{Limit: limit, Table: table, OnChange: func(c pace.Change) {
		if c.Kind == "memory-lost" {
			t.Errorf("told %+v", c)
		}
	}})
}

// acquire takes a slot that is free.
func acquire(t testing.TB, p *pace.Pacer) *pace.Call {
	t.Helper()
	c, err := p.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// waits returns once n hosts have said in the database that calls of theirs wait.
func waits(t testing.TB, l *Ledger, n int64) {
	t.Helper()
	for {
		var got int64
		if _, err := l.one(t.Context(), "SELECT count(*) FROM leadload.pacers WHERE until > 0", nil, &got); err != nil {
			t.Fatal(err)
		}
		if got == n {
			return
		}
		pause(0)
	}
}

var slow = pace.Limit{Calls: 3, Window: 50 * time.Minute}

// TestPaceIsShared says that the slots of one host are not there for another,
// until they are given up.
func TestPaceIsShared(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	l, a := host(t, url, name, slow)
	_, b := host(t, url, name, slow)
	first, second := acquire(t, a), acquire(t, a)
	acquire(t, b).Wrote(false)
	got := make(chan *pace.Call)
	go func() {
		c, err := b.Acquire(t.Context())
		if err != nil {
			t.Error(err)
		}
		got <- c
	}()
	waits(t, l, 1)
	select {
	case <-got:
		t.Fatal("the account has three slots, and four calls have begun")
	default:
	}
	first.Abort()
	if c := <-got; c == nil {
		t.Fatal("no call")
	}
	second.Wrote(true)
	second.FirstByte()
	second.Done(pace.OK, pace.Limit{})
}

// call makes a call that the account answers.
func call(t testing.TB, p *pace.Pacer, r pace.Result, stated pace.Limit) {
	t.Helper()
	c := acquire(t, p)
	c.Wrote(true)
	c.FirstByte()
	c.Done(r, stated)
}

// TestPaceIsTakenOver says that a host knows the calls that another has made just
// before.
func TestPaceIsTakenOver(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	l, a := host(t, url, name, slow)
	for range 3 {
		call(t, a, pace.OK, pace.Limit{})
	}
	_, b := host(t, url, name, slow)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := b.Acquire(ctx)
		ended <- err
	}()
	waits(t, l, 1)
	cancel()
	if err := <-ended; err == nil {
		t.Error("a call has begun in the window of the host before")
	}
}

// TestLimitIsTakenOver says that a host knows the limit that another has learned.
func TestLimitIsTakenOver(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	learned := pace.Limit{Calls: 2, Window: 50 * time.Minute}
	l, a := host(t, url, name, slow)
	call(t, a, pace.Limited, learned)
	for n := int64(0); n == 0; pause(0) { // it is written beside the calls
		if _, err := l.one(t.Context(), "SELECT count(*) FROM leadload.paces", nil, &n); err != nil {
			t.Fatal(err)
		}
	}
	_, b := host(t, url, name, slow)
	if s := b.State(); s.Limit != learned {
		t.Errorf("the limit is %s, want %s", s.Limit, learned)
	}
}

// TestPaceAfterALostCommit says that a round whose COMMIT was lost starts as many
// calls as are in the table.
func TestPaceAfterALostCommit(t *testing.T) {
	url := server(t)
	for _, lose := range []string{"before", "after"} {
		t.Run(lose, func(t *testing.T) {
			p, through := newProxy(t, url)
			l, a := host(t, through, schema(t, url), slow)
			p.mu.Lock()
			p.lose = lose
			p.mu.Unlock()
			for range 3 {
				acquire(t, a)
			}
			var n int64
			if _, err := l.one(t.Context(), "SELECT count(*) FROM leadload.pace_calls", nil, &n); err != nil || n != 3 {
				t.Errorf("%d calls are in the table, %v; want 3", n, err)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.lost != 1 {
				t.Errorf("%d COMMITs were lost", p.lost)
			}
		})
	}
}

// TestClockOfAServer says what is known of a server's clock after each of its words.
func TestClockOfAServer(t *testing.T) {
	c := &calls{apart: time.Hour}
	at := func(asked, answered time.Duration, ahead time.Duration) {
		c.heard(asked, int64((asked+answered)/2+ahead), answered)
	}
	at(0, 100*time.Millisecond, time.Hour)
	if !c.moved {
		t.Error("a clock of which nothing was known has not moved")
	}
	c.moved = false
	at(time.Second, time.Second+2*time.Millisecond, time.Hour)
	if got := time.Duration(c.offset.Load()); got != time.Hour || c.apart != 2*time.Millisecond || c.moved {
		t.Errorf("%v ahead, within %v, moved: %v", got, c.apart, c.moved)
	}
	at(time.Minute, time.Minute+50*time.Millisecond, time.Hour) // a slow answer says nothing new
	if got := time.Duration(c.offset.Load()); got != time.Hour || c.moved {
		t.Errorf("%v ahead after a slow answer, moved: %v", got, c.moved)
	}
	at(time.Hour, time.Hour+2*time.Millisecond, time.Hour+20*time.Millisecond) // quartz
	if got := time.Duration(c.offset.Load()); got != time.Hour+19*time.Millisecond || c.moved {
		t.Errorf("%v ahead after an hour, moved: %v", got, c.moved)
	}
	at(time.Hour, time.Hour+2*time.Millisecond, -time.Minute)
	if got := time.Duration(c.offset.Load()); got != -time.Minute || !c.moved {
		t.Errorf("%v ahead after it was set, moved: %v", got, c.moved)
	}
}
