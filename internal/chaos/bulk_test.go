package chaos

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"leadload/internal/sandbox"
)

// bulkCalls is how many bulk calls a second the account of a storm takes.
func (d storm) bulkCalls() int { return max(d.limit/20, 5) }

// bulked makes the account of a storm take bulk calls.
func (d storm) bulked(o sandbox.Options) sandbox.Options {
	if d.bulk != "" {
		o.BulkForm, o.BulkCalls, o.BulkWindow = d.bulk, d.bulkCalls(), time.Second
		o.Mandatory = []string{"mx_Custom_1"} // single rows of a call are refused
	}
	return o
}

func (d storm) bulkFlags() []string {
	if d.bulk == "" {
		return nil
	}
	return []string{"--bulk-limit", fmt.Sprintf("%d/1s", d.bulkCalls())}
}

// bulkForms are the answers to bulk calls that can be read, and those that cannot.
var bulkForms = []string{"response", "bare", "ids", "response", "shuffled", "bare", "opaque"}

// bulkShape has rows of existing leads, some of which the account refuses.
var bulkShape = shape{name: "bulk", header: dealHeader,
	mapping: capture("opportunity", "key: Deal ID\nlead_must_exist: true\n", "    mx_Custom_2: Deal ID\n"),
	make: func(n int, r *rand.Rand) []row {
		rows := deals(true, true)(n, r)
		for i := range rows {
			if rows[i].content != "" && r.IntN(33) == 0 {
				rows[i].cells[2], rows[i].content, rows[i].refused = "", "", true
			}
		}
		return rows
	}}

// TestChaosBulk loads new rows and updates through storms, up to 25 of them a call.
func TestChaosBulk(t *testing.T) {
	list := []uint64{*firstOne}
	day, night := shortStorm, shortStorm
	day.rows, night.rows = 300, 200
	if *seeds > 0 {
		list, day, night = nil, longStorm, longStorm
		day.rows, night.rows, night.lag = *rowCount, *rowCount, 2*time.Second
		day.limit, night.limit = 100, 100 // few single calls, so that most rows go in bulk
		for i := range *seeds {
			list = append(list, *firstOne+uint64(i))
		}
	}
	var mu sync.Mutex
	var loads tally
	var nights updateTally
	t.Run("seeds", func(t *testing.T) {
		for _, seed := range list {
			form := bulkForms[seed%uint64(len(bulkForms))]
			t.Run(fmt.Sprintf("%d-new-%s", seed, form), func(t *testing.T) {
				t.Parallel()
				day := day
				day.bulk = form
				got := load(t, seed, bulkShape, day, true)
				mu.Lock()
				loads.add(got)
				mu.Unlock()
				t.Logf("seed %d: %s", seed, got.String())
				if !got.clean() {
					t.Errorf("seed %d: not every row is in the account exactly once, or the results file lies", seed)
				}
			})
			t.Run(fmt.Sprintf("%d-updates-%s", seed, form), func(t *testing.T) {
				t.Parallel()
				night := night
				night.bulk = form
				got := secondNight(t, seed, night)
				mu.Lock()
				nights.add(got)
				mu.Unlock()
				t.Logf("seed %d: %s", seed, got.String())
				if got.overwritten+got.wrong+got.lies+got.seconds > 0 {
					t.Errorf("seed %d: not every record ends as the rule says", seed)
				}
			})
		}
	})
	t.Logf("new rows: %s", loads.String())
	t.Logf("updates: %s", nights.String())
}
