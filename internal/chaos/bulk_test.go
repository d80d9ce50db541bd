package chaos

import (
	"fmt"
	"math/rand/v2"
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
	day, list := form(shortStorm, 1)
	night, _ := nights(1)
	if *seeds > 0 {
		day.limit, night.limit = 100, 100 // few single calls, so that most rows go in bulk
	} else {
		day.rows = 300
	}
	var loads []one[tally]
	var updates []one[updateTally]
	for _, seed := range list {
		day, night := day, night
		day.bulk = bulkForms[seed%uint64(len(bulkForms))]
		night.bulk = day.bulk
		name := fmt.Sprintf("%d-%s", seed, day.bulk)
		loads = append(loads, one[tally]{name, func(t *testing.T) tally { return load(t, seed, bulkShape, day, true) }})
		updates = append(updates, one[updateTally]{name, func(t *testing.T) updateTally { return secondNight(t, seed, night) }})
	}
	t.Run("new", func(t *testing.T) {
		t.Parallel()
		storms(t, loads)
	})
	t.Run("updates", func(t *testing.T) {
		t.Parallel()
		storms(t, updates)
	})
}
