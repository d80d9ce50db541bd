package words

import (
	"encoding/json"
	"testing"
)

func TestCounts(t *testing.T) {
	for _, c := range []struct {
		name   string
		table  Table
		add    map[int]int64
		line   string
		person int64
		json   string
	}{
		{"verify", Verify, map[int]int64{Same: 280, Differs: 4, Missing: 1, NotLoaded: 5, VerifySkipped: 12},
			"same 280 · differs 4 · missing 1 · not loaded 5 · unreadable 0 · skipped 12 of 302 rows", 10,
			`{"rows":302,"same":280,"differs":4,"missing":1,"not_loaded":5,"unreadable":0,"skipped":12}`},
		{"adopt", Adopt, map[int]int64{Adopted: 283, KnownBefore: 5, Absent: 12, Several: 2},
			"adopted 283 · known 5 · absent 12 · several 2 · skipped 0 of 302 rows", 2,
			`{"rows":302,"adopted":283,"known":5,"absent":12,"several":2,"skipped":0}`},
		{"ledger import", LedgerImport, map[int]int64{WrittenDown: 7, NotThere: 1, NeverLoaded: 1, Unmapped: 2},
			"restored 7 · known 0 · in doubt 0 · missing 1 · not loaded 1 · no longer mapped 2 · unreadable 0 of 11 rows", 3,
			`{"rows":11,"restored":7,"known":0,"in_doubt":0,"missing":1,"not_loaded":1,"no_longer_mapped":2,"unreadable":0}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := c.table.Counts()
			for r, rows := range c.add {
				n.Add(r, rows)
			}
			text, err := json.Marshal(n)
			if n.String() != c.line || n.Person() != c.person || string(text) != c.json || err != nil {
				t.Errorf("%s, %d for a person, %s (%v)", n, n.Person(), text, err)
			}
		})
	}
}
