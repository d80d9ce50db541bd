package chaos

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	seeds    = flag.Int("chaos.seeds", 0, "long form: how many seeds to run")
	firstOne = flag.Uint64("chaos.first", 1, "the first seed")
	rowCount = flag.Int("chaos.rows", 2000, "long form: rows of each file")
)

// storm is how bad the day is.
type storm struct {
	rows        int
	kills       int
	lag         time.Duration // of the index
	settleAfter time.Duration
	timeout     time.Duration
	calm        bool // no outage and no rival
	outage      time.Duration
	hang        time.Duration
	pace        time.Duration // about how long a run takes unharmed
	limit       int           // calls a second
	bulk        string        // the form of bulk answers; "": no such calls are made
	flags       []string      // of the import, beside the usual
}

var (
	shortStorm = storm{rows: 100, kills: 2, lag: 300 * time.Millisecond, settleAfter: 400 * time.Millisecond, timeout: 400 * time.Millisecond,
		outage: 400 * time.Millisecond, hang: 600 * time.Millisecond, pace: 600 * time.Millisecond, limit: 600}
	longStorm = storm{kills: 10, lag: 5 * time.Second, settleAfter: 6 * time.Second, timeout: 2 * time.Second,
		outage: 10 * time.Second, hang: 3 * time.Second, pace: 9 * time.Second, limit: 400}
)

// form returns the storm and the seeds of the short form, or those of the long one where
// the flags ask for it.
func form(short storm, count int) (day storm, list []uint64) {
	if day = short; *seeds > 0 {
		count, day, day.rows = *seeds, longStorm, *rowCount
	}
	for i := range count {
		list = append(list, *firstOne+uint64(i))
	}
	return day, list
}

// shapesOf returns the shapes that a seed loads: all, or one of them in the long form.
func shapesOf(seed uint64) []shape {
	if i := int(seed) % len(shapes); *seeds > 0 {
		return shapes[i : i+1]
	}
	return shapes
}

// one is one load of a storm.
type one[T any] struct {
	name string
	load func(*testing.T) T
}

// sum adds up what came of loads.
type sum[T any] interface {
	*T
	add(T)
	clean() bool
	String() string
}

// storms runs loads side by side, and returns what came of all together.
func storms[T any, P sum[T]](t *testing.T, all []one[T]) (total T) {
	var mu sync.Mutex
	t.Run("seeds", func(t *testing.T) {
		for _, o := range all {
			t.Run(o.name, func(t *testing.T) {
				t.Parallel()
				got := o.load(t)
				mu.Lock()
				P(&total).add(got)
				mu.Unlock()
				t.Logf("%s: %s", o.name, P(&got).String())
				if !P(&got).clean() {
					t.Errorf("%s: not every record is as the file says exactly once, or the results file lies", o.name)
				}
			})
		}
	})
	t.Logf("in all: %s", P(&total).String())
	return total
}

// tally is what happened in one or all seeds.
type tally struct {
	faults                               map[string]int64
	rows, valid, kills, runs             int64
	throttled, outages                   int64
	duplicates, losses, strangers, lies  int64
	doubts, doubtsThere, missing, halves int64
}

func (t *tally) add(o tally) {
	if t.faults == nil {
		t.faults = map[string]int64{}
	}
	for k, v := range o.faults {
		t.faults[k] += v
	}
	t.rows, t.valid, t.kills, t.runs = t.rows+o.rows, t.valid+o.valid, t.kills+o.kills, t.runs+o.runs
	t.throttled, t.outages = t.throttled+o.throttled, t.outages+o.outages
	t.duplicates, t.losses, t.strangers, t.lies = t.duplicates+o.duplicates, t.losses+o.losses, t.strangers+o.strangers, t.lies+o.lies
	t.doubts, t.doubtsThere, t.missing, t.halves = t.doubts+o.doubts, t.doubtsThere+o.doubtsThere, t.missing+o.missing, t.halves+o.halves
}

func (t *tally) String() string {
	var b strings.Builder
	var all int64
	for _, k := range slices.Sorted(maps.Keys(t.faults)) {
		fmt.Fprintf(&b, " %s %d", k, t.faults[k])
		all += t.faults[k]
	}
	return fmt.Sprintf("%d rows (%d valid), %d runs, %d killed, %d faults (%s), %d calls throttled, %d calls into an outage: duplicates %d, losses %d, strangers %d, lines that lie %d, lines missing %d, half workbooks %d, in doubt %d",
		t.rows, t.valid, t.runs, t.kills, all, strings.TrimSpace(b.String()), t.throttled, t.outages,
		t.duplicates, t.losses, t.strangers, t.lies, t.missing, t.halves, t.doubts)
}

// clean reports that nothing is lost, doubled or told wrongly. Rows may stay in
// doubt where three calls in a row went wrong, but no more than one in 25.
func (t *tally) clean() bool {
	return t.duplicates+t.losses+t.strangers+t.lies+t.missing+t.halves == 0 && 25*t.doubts <= t.valid
}
