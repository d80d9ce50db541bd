package pace

import (
	"flag"
	"fmt"
	"slices"
	"testing"
)

var seeds = flag.Int("pace.seeds", 2, "seeds for each cell of the table of TestEfficiency; 60 for figures to quote")

// TestEfficiency measures, in virtual time, how much of the limit is used:
// (W·(⌈N/L⌉−1) + mean round trip) / time taken, 25 calls in 5 s, the median and
// the 5 % quantile over seeds and kinds of account. -v prints the table.
func TestEfficiency(t *testing.T) {
	kinds := []string{"aligned", "first", "log", "log+r", "bucket"}
	for _, tt := range []struct {
		net    network
		strict bool
		n      int
		floor  float64 // for the median
	}{
		{far, true, 100, .86}, {far, false, 100, .88},
		{far, true, 250, .88}, {far, false, 250, .91},
		{far, true, 1000, .90}, {far, false, 1000, .94},
		{near, true, 100, .91}, {near, false, 100, .91},
		{near, true, 250, .93}, {near, false, 250, .94},
		{near, true, 1000, .945}, {near, false, 1000, .95},
		{wild, true, 100, .65}, {wild, false, 100, .65},
		{wild, true, 250, .77}, {wild, false, 250, .77},
		{wild, true, 1000, .85}, {wild, false, 1000, .86},
		{slow, true, 1000, .58}, {slow, false, 1000, .61},
	} {
		name := fmt.Sprintf("%s/N=%d/strict=%v", tt.net.name, tt.n, tt.strict)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var effs []float64
			refused, runs := 0, 0
			gap := 1000 * second
			for seed := range *seeds {
				for _, kind := range kinds {
					r := simulate(t, tt.net, kind, Options{Limit: super, Strict: tt.strict}, tt.n, uint64(seed))
					effs = append(effs, r.eff)
					gap = min(gap, r.gap)
					runs++
					if r.refused > 0 {
						refused++
					}
				}
			}
			slices.Sort(effs)
			median, low := effs[len(effs)/2], effs[len(effs)/20]
			t.Logf(name+": median %.3f  5%% %.3f  runs with a refusal %d of %d  smallest gap %v", median, low, refused, runs, gap)
			if median < tt.floor {
				t.Errorf("median efficiency %.3f, want %.3f", median, tt.floor)
			}
			if tt.strict && (refused > 0 || gap < super.Window) {
				t.Errorf("strict: %d runs with a refusal, smallest gap %v", refused, gap)
			}
			// A stall and a freeze in one call outlast the presumption.
			if refused > runs/50 {
				t.Errorf("%d of %d runs with a refusal, smallest gap %v", refused, runs, gap)
			}
		})
	}
}
