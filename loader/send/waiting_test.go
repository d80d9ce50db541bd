package send

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"

	"leadload/loader/ledger"
)

func waitingRow(n int, lead string) *Row {
	return &Row{Record: int64(n), Number: n, Payload: ledger.Payload{Lead: lead, Body: fmt.Sprintf(`{"n":%d,"text":"zwölf \" \n"}`, n)}}
}

// TestWaitingKeepsOrder mixes rows of several leads, in memory and on disk.
func TestWaitingKeepsOrder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var p waiting
	r := rand.New(rand.NewPCG(1, 1))
	leads := []string{"a", "b", "c"}
	for _, l := range leads {
		p.begin(l)
	}
	added, taken := map[string][]int{}, map[string][]int{}
	take := func(l string) bool {
		j, err := p.next(l)
		check(t, err)
		if j == nil {
			return false
		}
		if j.Payload.Lead != l || j.Payload.Body != waitingRow(j.Number, l).Payload.Body {
			t.Fatalf("row %d came back as %+v", j.Number, j)
		}
		taken[l] = append(taken[l], j.Number)
		return true
	}
	for n := range 3 * keptInMemory {
		l := leads[r.IntN(3)]
		check(t, p.add(waitingRow(n, l)))
		added[l] = append(added[l], n)
		if l := leads[r.IntN(3)]; r.IntN(3) == 0 && len(added[l]) > len(taken[l]) {
			take(l)
		}
		if p.count > keptInMemory {
			t.Fatalf("%d rows in memory", p.count)
		}
	}
	if p.file == nil {
		t.Error("nothing went to disk")
	}
	for _, l := range leads {
		for take(l) {
		}
		if fmt.Sprint(added[l]) != fmt.Sprint(taken[l]) {
			t.Errorf("lead %s: order lost", l)
		}
		if p.busy(l) {
			t.Errorf("lead %s is still busy", l)
		}
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); runtime.GOOS != "windows" && len(left) != 0 {
		t.Errorf("the file has a name: %v; after a crash it would stay", left)
	}
	check(t, p.close())
	check(t, p.close())
}

func TestWaitingOnAFullDisk(t *testing.T) {
	t.Setenv("TMPDIR", "/does/not/exist")
	t.Setenv("TMP", `Z:\does\not\exist`)
	var p waiting
	p.begin("a")
	var err error
	for n := 0; err == nil && n <= keptInMemory; n++ {
		err = p.add(waitingRow(n, "a"))
	}
	if err == nil || p.count != keptInMemory {
		t.Errorf("error %v with %d rows in memory", err, p.count)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
