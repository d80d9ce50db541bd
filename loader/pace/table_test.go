package pace

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeClock is a clock that a bubble drives.
func fakeClock(boot string) Clock {
	read := func() int64 { return time.Now().UnixNano() }
	return Clock{Boot: boot, Read: read, Wall: read}
}

func tableFor(t *testing.T, path string, c Clock) *Table {
	t.Helper()
	tab, err := openTable(path, "practice", c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
	})
	return tab
}

// kill ends the process that p stands for: it says nothing more to its table.
func kill(p *Pacer, road *path, stop context.CancelFunc) {
	p.mu.Lock()
	if t := p.shared.table; t != nil {
		t.mu.Lock()
		t.pend = nil
		t.mu.Unlock()
		p.shared.table = nil
	}
	p.mu.Unlock()
	road.dead.Store(true)
	stop()
}

func TestCallsOfAFormerProcessHoldTheirSlots(t *testing.T) {
	for _, tt := range []struct {
		name string
		was  Clock
	}{
		{"same boot", fakeClock("boot")},
		// Its clock began at another time.
		{"other boot", Clock{"earlier", func() int64 { return time.Now().UnixNano() - int64(time.Hour) }, fakeClock("").Wall}},
		{"wall clock before", fakeClock("")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "calls.db")
				limit := Limit{3, 5 * second}
				former := New(Options{Limit: limit, Table: tableFor(t, path, tt.was)})
				for i := range 3 {
					if i > 0 {
						time.Sleep(2 * second)
					}
					take(t, former).Done(OK, Limit{})
				}
				synctest.Wait()

				p := New(Options{Limit: limit, Table: tableFor(t, path, fakeClock("boot"))})
				start := time.Now()
				var starts []time.Duration
				for range 3 {
					take(t, p).Done(OK, Limit{})
					starts = append(starts, time.Since(start))
				}
				if !slices.Equal(starts, []time.Duration{1020 * ms, 3020 * ms, 5020 * ms}) {
					t.Errorf("starts %v", starts)
				}
				synctest.Wait()
			})
		})
	}
}

func TestOpenCallsOfADeadProcessEndByPresumption(t *testing.T) {
	for _, tt := range []struct {
		name string
		call func(c *Call)
		want time.Duration
	}{
		{"not written", func(c *Call) {}, 20020 * ms},
		{"written", func(c *Call) { c.Wrote(true) }, 15020 * ms},
		{"answered", func(c *Call) { c.Wrote(true); c.FirstByte() }, 5020 * ms},
		{"aborted", func(c *Call) { c.Abort() }, 0},
		{"refused", func(c *Call) { c.Wrote(true); c.FirstByte(); c.Done(Limited, Limit{}) }, 5020 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "calls.db")
				limit := Limit{1, 5 * second}
				tt.call(take(t, New(Options{Limit: limit, Table: tableFor(t, path, fakeClock("boot"))})))
				synctest.Wait()

				p := New(Options{Limit: limit, Table: tableFor(t, path, fakeClock("boot"))})
				start := time.Now()
				take(t, p)
				if d := time.Since(start); d != tt.want {
					t.Errorf("next start after %v, want %v", d, tt.want)
				}
				synctest.Wait()
			})
		})
	}
}

func TestRestartAfterKill(t *testing.T) {
	for _, tt := range []struct {
		name   string
		strict bool
		kind   string
		after  time.Duration
	}{
		{"between two waves", false, "log+r", 20300 * ms},
		{"in a wave", false, "log", 21200 * ms},
		{"strict", true, "log+r", 21200 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "calls.db")
				a := &account{kind: tt.kind, limit: super}
				ctx, stop := context.WithCancel(t.Context())
				former := New(Options{Limit: super, Strict: tt.strict, Table: tableFor(t, file, fakeClock("boot"))})
				road := newPath(calm, a, 1)
				var work sync.WaitGroup
				work.Go(func() { road.load(ctx, former, 1000, 30) })
				time.Sleep(tt.after)
				kill(former, road, stop)
				work.Wait()
				before := len(a.accepted)

				p := New(Options{Limit: super, Strict: tt.strict, Table: tableFor(t, file, fakeClock("boot"))})
				took := newPath(calm, a, 2).load(t.Context(), p, 100, 30)
				t.Logf("%d calls before the kill, then 100 in %v (bound 15 s on a free account), refused %d", before, took, len(a.refused))
				if len(a.refused) > 0 {
					t.Errorf("%d refused", len(a.refused))
				}
				// A call that was under way is presumed to be answered after 10 s.
				if took > 31*second {
					t.Errorf("took %v", took)
				}
				synctest.Wait()
			})
		})
	}
}

// idleSlots watches pacers that share one limit, until stop is closed. It returns
// the longest time for which a slot was free while a call waited.
func idleSlots(stop <-chan struct{}, slots int, pacers []*Pacer) (longest time.Duration) {
	const step = 10 * ms
	var idle time.Duration
	for {
		select {
		case <-stop:
			return longest
		case <-time.After(step):
		}
		free, waiting := slots, 0
		for _, p := range pacers {
			s := p.State()
			free -= s.InUse
			waiting += s.Waiting
		}
		if free <= 0 || waiting == 0 {
			idle = 0
			continue
		}
		idle += step
		longest = max(longest, idle)
	}
}

func TestTwoProcessesShareTheLimit(t *testing.T) {
	const kind = "log+r"
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "calls.db")
		a := &account{kind: kind, limit: super}
		start := time.Now()
		took := make([]time.Duration, 2)
		pacers := make([]*Pacer, len(took))
		var least atomic.Int64 // calls of the slower process when the faster one ends
		var work, watch sync.WaitGroup
		for i := range pacers {
			pacers[i] = New(Options{Limit: super, Table: tableFor(t, file, fakeClock("boot"))})
			// 190 calls in all leave room in the last window, so that a lost slot
			// does not hide in the total.
			work.Go(func() {
				took[i] = newPath(calm, a, uint64(i)).load(t.Context(), pacers[i], 95, 30)
				least.CompareAndSwap(0, pacers[1-i].State().Calls)
			})
		}
		stop := make(chan struct{})
		var idle time.Duration
		watch.Go(func() { idle = idleSlots(stop, super.Calls, pacers) })
		work.Wait()
		close(stop)
		watch.Wait()
		synctest.Wait()
		all := time.Since(start)
		t.Logf("%s: 2 x 95 calls took %v (%v, %v), bound 35 s, refused %d, smallest gap %v, a slot idle for %v at most",
			kind, all, took[0], took[1], len(a.refused), smallestGap(a.arrived, 25), idle)
		if len(a.refused) > 0 {
			t.Errorf("%d calls were refused", len(a.refused))
		}
		if gap := smallestGap(a.arrived, 25); gap < super.Window {
			t.Errorf("26 calls arrived within %v", gap)
		}
		if idle > 200*ms {
			t.Errorf("a slot was idle for %v while a call waited", idle)
		}
		if all > 40*second {
			t.Errorf("took %v, want at least 0.90 of the limit", all)
		}
		if n := least.Load(); n < 75 {
			t.Errorf("not fair: one process had made %d calls when the other had made all 95", n)
		}
	})
}

// rounds opens a table for a test of single transactions.
func rounds(t *testing.T) (round func(a ask) told) {
	tab := tableFor(t, filepath.Join(t.TempDir(), "calls.db"), fakeClock("boot"))
	return func(a ask) told {
		t.Helper()
		a.first, a.cap, a.hold, a.past, a.release = 1, 2, 5*second, 5020*ms, never
		a.presume, a.set = 10*second, super
		r, err := tab.round(a)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

// A process that starts one call and keeps another waiting claims the waiting
// time of the latter alone.
func TestStartedCallNoLongerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		round := rounds(t)
		t0 := time.Now().UnixNano()
		time.Sleep(second)
		if r := round(ask{owner: 1, want: 2, free: 1, since: []int64{t0, t0 + int64(200*ms)}}); r.started != 1 || !r.waits {
			t.Fatalf("the first process started %d calls, waits: %v; want 1 of 2", r.started, r.waits)
		}
		if r := round(ask{owner: 2, want: 1, free: 2, since: []int64{t0 + int64(100*ms)}}); r.started != 1 {
			t.Errorf("the second process yielded to a call that has started; it looks again in %v", r.look)
		}
	})
}

// What a process says of itself can be out of date, so one that yields to it
// looks again soon.
func TestYieldingIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		round := rounds(t)
		t0 := time.Now().UnixNano()
		time.Sleep(second)
		if r := round(ask{owner: 1, want: 1, free: 0, since: []int64{t0}}); r.started != 0 || r.look < second {
			t.Fatalf("the first process started %d calls and looks again in %v; want none, and no look soon", r.started, r.look)
		}
		if r := round(ask{owner: 2, want: 1, free: 1, since: []int64{t0 + 1}}); r.started != 0 || r.look > yield+lateness {
			t.Errorf("the second process started %d calls and looks again in %v; want none, and %v at most", r.started, r.look, yield+lateness)
		}
	})
}

// A process that waits looks again when a slot of its own becomes free.
func TestOwnSlotEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tab := tableFor(t, filepath.Join(t.TempDir(), "calls.db"), fakeClock("boot"))
		r, err := tab.round(ask{owner: 1, first: 1, want: 1, cap: 1, hold: 5 * second, past: 5020 * ms, release: 700 * ms,
			presume: 10 * second, set: super, since: []int64{time.Now().UnixNano()}})
		if err != nil {
			t.Fatal(err)
		}
		if r.started != 0 || r.look != 700*ms {
			t.Errorf("started %d calls, looks again in %v; want none, and 700ms", r.started, r.look)
		}
	})
}

func TestCutIsSharedAndRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "calls.db")
		one := New(Options{Limit: super, Table: tableFor(t, file, fakeClock("boot"))})
		two := New(Options{Limit: super, Table: tableFor(t, file, fakeClock("boot"))})
		var calls []*Call
		for range 12 {
			calls = append(calls, take(t, one))
		}
		other := take(t, two)
		time.Sleep(300 * ms)
		for _, c := range calls[2:] {
			c.Done(OK, Limit{})
		}
		calls[0].Done(Limited, Limit{})
		calls[1].Done(Limited, Limit{})
		synctest.Wait()
		cut := one.State().Cap
		if cut > 12 {
			t.Fatalf("cap %d", cut)
		}
		other.Done(Limited, Limit{}) // sent before the cut: the same episode
		take(t, two).Done(OK, Limit{})
		synctest.Wait()
		if c := two.State().Cap; c > cut+1 || c < cut-2 { // with one probe
			t.Errorf("the other process has a cap of %d, after a cut to %d", c, cut)
		}
		third := New(Options{Limit: super, Table: tableFor(t, file, fakeClock("boot"))})
		if c := third.State().Cap; c != two.State().Cap {
			t.Errorf("a later process has a cap of %d, want %d", c, two.State().Cap)
		}
		time.Sleep(2 * smoothFor)
		fourth := New(Options{Limit: super, Table: tableFor(t, file, fakeClock("boot"))})
		if c := fourth.State().Cap; c != 25 {
			t.Errorf("long after it a process has a cap of %d", c)
		}
		synctest.Wait()
	})
}

func TestAdoptedLimitIsSharedAndRemembered(t *testing.T) {
	for _, set := range []Limit{super, Unlimited} {
		synctest.Test(t, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "calls.db")
			real := Limit{10, 5 * second}
			one := New(Options{Limit: set, Table: tableFor(t, file, fakeClock("boot"))})
			two := New(Options{Limit: set, Table: tableFor(t, file, fakeClock("boot"))})
			take(t, two).Done(OK, Limit{})
			take(t, one).Done(Limited, real)
			synctest.Wait()
			if set != Unlimited { // no limit, no look at the table
				take(t, two).Done(OK, Limit{})
				if s := two.State(); s.Limit != real || s.Cap != 10 {
					t.Errorf("the other process: %+v", s)
				}
			}
			synctest.Wait()
			var mu sync.Mutex
			var told []Change
			later := New(Options{Limit: set, Reserve: 2, Table: tableFor(t, file, fakeClock("boot")), OnChange: func(c Change) {
				mu.Lock()
				told = append(told, c)
				mu.Unlock()
			}})
			if s := later.State(); s.Limit != real || s.Cap != 8 {
				t.Errorf("a later process: %+v", s)
			}
			take(t, later).Done(OK, Limit{})
			synctest.Wait()
			mu.Lock()
			if len(told) == 0 || told[0].Kind != "limit-adopted" || told[0].Was != set || told[0].Limit != real {
				t.Errorf("told %+v", told)
			}
			mu.Unlock()

			other := New(Options{Limit: Limit{20, 5 * second}, Table: tableFor(t, file, fakeClock("boot"))})
			if s := other.State(); s.Limit.Calls != 20 {
				t.Errorf("after the user set another limit: %+v", s)
			}
			time.Sleep(adoptedFor + second)
			tomorrow := New(Options{Limit: set, Table: tableFor(t, file, fakeClock("boot"))})
			if s := tomorrow.State(); s.Limit != set {
				t.Errorf("a day later: %+v", s)
			}
			synctest.Wait()
		})
	}
}

func TestWallClockThatIsSet(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, time.Hour, -50 * ms} {
		t.Run(by.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "calls.db")
				set := time.Duration(0)
				read := func() int64 { return time.Now().Add(set).UnixNano() }
				clk := Clock{Read: read, Wall: read}
				limit := Limit{2, 5 * second}
				one := New(Options{Limit: limit, Table: tableFor(t, file, clk)})
				two := New(Options{Limit: limit, Table: tableFor(t, file, clk)})
				take(t, one).Done(OK, Limit{})
				take(t, two).Done(OK, Limit{})
				synctest.Wait()
				time.Sleep(4 * second)
				set = by
				start := time.Now()
				take(t, two).Done(OK, Limit{})
				take(t, one).Done(OK, Limit{})
				synctest.Wait()
				// Its own call frees a slot after 1.02 s; the other's is held for
				// a window from the time of the change on.
				took := time.Since(start)
				if took < 1020*ms || took > 6200*ms {
					t.Errorf("the next two started after %v", took)
				}
			})
		})
	}
}

func TestCallsFromTheFutureEndNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "calls.db")
		ahead := func() int64 { return time.Now().Add(time.Hour).UnixNano() }
		limit := Limit{1, 5 * second}
		take(t, New(Options{Limit: limit, Table: tableFor(t, file, Clock{Read: ahead, Wall: ahead})})).Done(OK, Limit{})
		synctest.Wait()
		start := time.Now()
		take(t, New(Options{Limit: limit, Table: tableFor(t, file, fakeClock(""))})).Done(OK, Limit{})
		if d := time.Since(start); d != 5020*ms {
			t.Errorf("next start after %v", d)
		}
		synctest.Wait()
	})
}

func TestLosingTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "calls.db")
		tab := tableFor(t, path, fakeClock("boot"))
		var mu sync.Mutex
		var told []Change
		p := New(Options{Limit: super, Table: tab, OnChange: func(c Change) {
			mu.Lock()
			told = append(told, c)
			mu.Unlock()
		}})
		take(t, p).Done(OK, Limit{})
		synctest.Wait()
		tab.io.Lock()
		if _, err := tab.store.(*file).conn.ExecContext(t.Context(), "DROP TABLE call"); err != nil {
			t.Fatal(err)
		}
		tab.io.Unlock()
		for range 24 {
			take(t, p).Done(OK, Limit{})
		}
		start := time.Now()
		take(t, p).Done(OK, Limit{})
		if d := time.Since(start); d != 5020*ms {
			t.Errorf("the limit was kept for %v after the loss", d)
		}
		synctest.Wait()
		mu.Lock()
		if len(told) != 1 || told[0].Kind != "memory-lost" || told[0].Err == nil || !strings.Contains(told[0].Err.Error(), "calls.db") {
			t.Errorf("told %+v", told)
		}
		mu.Unlock()
	})
}

func TestClosingTheTableInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "calls.db")
		tab := tableFor(t, file, fakeClock("boot"))
		p := New(Options{Limit: Limit{1, 5 * second}, Table: tab, OnChange: func(c Change) { t.Errorf("told %+v", c) }})
		c := take(t, p)
		c.Wrote(true)
		c.Done(OK, Limit{})
		if err := tab.Close(); err != nil { // with news that is not written yet
			t.Fatal(err)
		}
		start := time.Now()
		take(t, New(Options{Limit: Limit{1, 5 * second}, Table: tableFor(t, file, fakeClock("boot"))})).Done(OK, Limit{})
		if d := time.Since(start); d != 5020*ms {
			t.Errorf("a later process started after %v", d)
		}
		take(t, p)
		synctest.Wait()
	})
}

func TestOpenTableErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := filepath.Join(dir, "ledger.db")
	db, err := sql.Open("sqlite", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE call (id)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, says string }{
		{"not a database", write("text.db", strings.Repeat("this is not a database\n", 100)), "not a database"},
		{"another program's database", foreign, "another kind"},
		{"a folder", dir, filepath.Base(dir)},
		{"below a file", filepath.Join(write("file", ""), "calls.db"), "file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, _ := os.ReadFile(tt.path)
			tab, err := OpenTable(tt.path, "practice")
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v, want %q in it", err, tt.says)
			}
			if after, _ := os.ReadFile(tt.path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
			var told []Change
			p := New(Options{Limit: super, Table: tab, OnChange: func(c Change) { told = append(told, c) }})
			take(t, p).Done(OK, Limit{})
			take(t, p).Done(OK, Limit{})
			if len(told) != 1 || told[0].Kind != "memory-lost" || !errors.Is(told[0].Err, err) {
				t.Errorf("told %+v", told)
			}
		})
	}
}

func TestTableFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder", "calls %20?#é.db")
	tab, err := OpenTable(path, "api.example.com u$r-secret")
	if err != nil {
		t.Fatal(err)
	}
	p := New(Options{Limit: super, Table: tab})
	for range 30 {
		c, err := p.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.Abort()
	}
	take(t, p).Done(OK, Limit{})
	if runtime.GOOS != "windows" {
		for _, side := range []string{"", "-wal", "-shm"} {
			info, err := os.Stat(path + side)
			if err != nil {
				t.Fatal(err)
			}
			if m := info.Mode().Perm(); m != 0o600 {
				t.Errorf("%q has mode %o", path+side, m)
			}
		}
	}
	if err := tab.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tab.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("secret")) {
		t.Error("the account's name is in the file")
	}
}

func TestManyOpenTheTableAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			tab, err := OpenTable(path, "practice")
			if err != nil {
				t.Error(err)
				return
			}
			p := New(Options{Limit: Limit{500, second}, Table: tab, OnChange: func(c Change) { t.Errorf("told %+v", c) }})
			for range 5 {
				take(t, p).Done(OK, Limit{})
			}
			if err := tab.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
}
