package chaos

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/internal/sandbox"
)

// TestChaosAdopt loses the ledger in the middle of a load whose answers were lost.
// Somebody types rows in by hand, and some deals are there twice. After adopt, the
// import makes what is missing: no second record, and no row without one. With
// -chaos.seeds it has 5,000 rows a seed.
func TestChaosAdopt(t *testing.T) {
	rows := 300
	if *seeds > 0 {
		rows = 5000
	}
	_, list := form(shortStorm, 1)
	for _, seed := range list {
		for _, way := range []string{"key", "values", "values of rows without a key"} {
			t.Run(fmt.Sprintf("%d-%s", seed, way), func(t *testing.T) {
				t.Parallel()
				adoptAfterLoss(t, seed, rows, way)
			})
		}
	}
}

func adoptAfterLoss(t *testing.T, seed uint64, rows int, way string) {
	const typed, twice = 20, 3
	r := rand.New(rand.NewPCG(seed, 45))
	a, err := sandbox.Start(sandbox.Options{Calls: sandbox.NoLimit, Latency: 2 * time.Millisecond, DropBodies: true, IndexLag: 200 * time.Millisecond,
		Skew: time.Duration(int(seed%3)-1) * 90 * time.Second, TrailOffset: []string{"page", "offset"}[seed%2]})
	check(t, err)
	defer a.Close()
	p := newProgram(t, a)
	mapped := dealsMapping
	by := []string{"--by", "key"}
	if way != "key" {
		by[1] = "values"
	}
	if strings.HasSuffix(way, "without a key") {
		mapped = strings.Replace(strings.Replace(mapped, "key: Deal\n", "", 1), "on_change: update\n", "", 1)
	}
	p.write("deals.yaml", mapped)
	all := make([][]string, rows)
	for i := range all {
		all[i] = []string{fmt.Sprint("D", i), fmt.Sprintf("p%d@example.com", r.IntN(rows/3)), fmt.Sprint("note ", i%50), []string{"Open", "Won"}[r.IntN(2)], fmt.Sprintf("%d.%02d", r.IntN(9000)+1, r.IntN(100))}
	}
	p.table("deals.csv", dealsHeader, all)
	// The load comes so far, then the machine is gone with its ledger.
	check(t, a.SetFaults(badDay(seed)))
	load := []string{"import", "deals.csv", "-m", "deals.yaml", "--limit", "off", "--concurrency", "8", "-q", "--yes", "--settle-after", "300ms", "--timeout", "1s"}
	for !p.killed(int64(rows)*3/4, load...) {
		t.Fatalf("the load ended before it could be killed")
	}
	<-time.After(time.Second) // what had left has arrived
	check(t, os.RemoveAll(filepath.Join(p.dir, "state")))
	faults := a.Count().Faults
	check(t, a.SetFaults(sandbox.Faults{}))
	there := map[string]int{}
	for _, o := range a.Opportunities() {
		there[o.Fields["mx_Custom_1"]]++
	}
	loaded := len(there)
	// Somebody types in rows that were not loaded, in another spelling, and loads
	// three deals a second time.
	perm := r.Perm(rows)
	var byHand, again [][]string
	for _, i := range perm {
		row := append([]string(nil), all[i]...)
		switch {
		case there[row[0]] == 0 && len(byHand) < typed:
			row[4] = strings.TrimSuffix(row[4], "0")
			byHand = append(byHand, row)
		case there[row[0]] == 1 && len(again) < twice:
			again = append(again, row)
		}
	}
	p.table("hand.csv", dealsHeader, append(append([][]string(nil), byHand...), again...))
	p.run(0, "import", "hand.csv", "-m", "deals.yaml", "--limit", "off", "-q", "--yes", "--ledger", "other.db")
	check(t, os.RemoveAll(filepath.Join(p.dir, "state")))
	<-time.After(400 * time.Millisecond) // reads show them
	before := len(a.Opportunities())

	adopt := p.run(4, append([]string{"adopt", "deals.csv", "-m", "deals.yaml", "--limit", "off", "-q", "--settle-after", "300ms"}, by...)...)
	found := loaded + len(byHand) - twice
	if want := fmt.Sprintf("adopted %d · known 0 · absent %d · several %d · skipped 0 of %d rows", found, rows-loaded-len(byHand), twice, rows); !strings.HasPrefix(adopt, want) {
		t.Errorf("%s, want %s", adopt, want)
	}
	if n := len(a.Opportunities()); n != before {
		t.Errorf("adopt made %d records", n-before)
	}
	last := p.run(4, load...)
	if want := fmt.Sprintf("loaded %d · updated 0 · already %d · duplicate 0 · pending 0 · rejected 0 · invalid 0 · changed 0 · in doubt %d · ", rows-loaded-len(byHand), found, twice); !strings.HasPrefix(last, want) {
		t.Errorf("%s, want %s", last, want)
	}
	second, missing := 0, 0
	got := map[string]int{}
	for _, o := range a.Opportunities() {
		got[o.Fields["mx_Custom_1"]]++
	}
	for _, row := range again {
		got[row[0]]-- // made twice on purpose
	}
	for _, row := range all {
		switch n := got[row[0]]; {
		case n > 1:
			second += n - 1
		case n < 1:
			missing++
		}
	}
	t.Logf("seed %d, by %s: %d rows, %d loaded before the ledger was lost (faults %v), %d typed by hand, %d there twice: %s; then %s; %d second records, %d missing",
		seed, way, rows, loaded, faults, len(byHand), len(again), adopt, last, second, missing)
	if second+missing > 0 || len(got) != rows || len(byHand) != typed || len(again) != twice {
		t.Errorf("%d records of %d rows: %d second, %d missing", len(a.Opportunities()), rows, second, missing)
	}
}
