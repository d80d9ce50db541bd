package loader

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadload/loader/source"
)

func TestKeySetKnowsFirstRows(t *testing.T) {
	var s keySet
	key := func(i int) (h [16]byte) {
		binary.LittleEndian.PutUint64(h[:8], uint64(i%7)) // collisions of the first half
		binary.LittleEndian.PutUint64(h[8:], uint64(i))
		return h
	}
	const n = 3000
	for i := range n {
		if got := s.add(key(i), i+2); got != i+2 {
			t.Fatalf("key %d is new, and was found in row %d", i, got)
		}
	}
	for i := range n {
		if got := s.add(key(i), n+i+2); got != i+2 {
			t.Fatalf("key %d came first in row %d, got %d", i, i+2, got)
		}
	}
}

// TestCheckKeepsTheOrder goes through more rows than fit into all batches: faults
// come in the order of the file, and no row is lost or seen twice.
func TestCheckKeepsTheOrder(t *testing.T) {
	const rows = 40*checkBatch + 3
	var b strings.Builder
	b.WriteString("Key,Email\n")
	var want []string
	for i := range rows {
		email := fmt.Sprintf("p%d@example.com", i)
		key := fmt.Sprint(i)
		switch {
		case i%10 == 3:
			email = "nobody"
			want = append(want, fmt.Sprint(i+2, " email.syntax"))
		case i%1000 == 999:
			key = "0" // repeated
			want = append(want, fmt.Sprint(i+2, " row.repeated"))
		}
		fmt.Fprintf(&b, "%s,%s\n", key, email)
	}
	path := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := source.Open(path, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := parseMapping(t, "version: 1\ntarget: opportunity\nkey: Key\nsearch_by: EmailAddress\nLeadDetails:\n  EmailAddress: Email\nOpportunity:\n  OpportunityEventCode: 12000\n  Fields: {Status: {value: Open}, mx_Custom_3: Key}\n")
	var got []string
	var seen int64
	res, err := Check(context.Background(), CheckJob{
		Job: Job{Input: path, File: f, Mapping: m}, Account: Account{Limit: DefaultLimit},
		OnFault: func(x Fault) { got = append(got, fmt.Sprint(x.Row, " ", x.Code)) },
		OnRow:   func(n int64) { seen = n },
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %d faults, want %d in the order of the file", len(got), len(want))
	}
	if seen != rows || res.Totals.Sum() != rows || res.Plan.Ready != rows-int64(len(want)) {
		t.Errorf("saw %d rows, %+v, want %d", seen, res.Totals, rows)
	}

	// Cut off in between, it ends with the cause.
	ctx, cancel := context.WithCancel(context.Background())
	_, err = Check(ctx, CheckJob{Job: Job{Input: path, File: f, Mapping: m}, Account: Account{Limit: DefaultLimit}, OnRow: func(n int64) {
		if n == 500 {
			cancel()
		}
	}})
	if err != context.Canceled {
		t.Errorf("a check that is cut off ends with %v, want %v", err, context.Canceled)
	}
}
