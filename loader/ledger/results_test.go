package ledger

import (
	"encoding/json"
	"testing"
)

// every holds another number of rows for each result.
func every() (c Counts) {
	for r := ResultLoaded; r < numResults; r++ {
		c.Add(r, 1<<r)
	}
	return c
}

func TestEveryResultIsInTheTable(t *testing.T) {
	words := map[string]Result{}
	for r := ResultLoaded; r < numResults; r++ {
		row := results[r]
		if row.word == "" || row.name == "" {
			t.Fatalf("result %d has no word or no name", r)
		}
		if other, ok := words[row.word]; ok {
			t.Errorf("results %d and %d are both %q", other, r, row.word)
		}
		words[row.word] = r
		if results[row.last].last != row.last {
			t.Errorf("%s is counted under %s, which is not a part of the last line", r, row.last)
		}
		if got, ok := ParseResult(r.String()); !ok || got != r {
			t.Errorf("%q is read as %s, %v", r.String(), got, ok)
		}
	}
	if r, ok := ParseResult("lost"); ok || r != 0 {
		t.Errorf("an unknown word is read as %s", r)
	}
	if results[0].word != "" {
		t.Errorf("no result has the word %q", results[0].word)
	}
}

func TestCounts(t *testing.T) {
	c := every()
	if c.Sum() != 1<<numResults-2 {
		t.Errorf("sum %d", c.Sum())
	}
	const person = 1<<ResultRejected + 1<<ResultInvalid + 1<<ResultInDoubt + 1<<ResultRepeated + 1<<ResultChanged + 1<<ResultConflict
	if c.Person() != person {
		t.Errorf("%d rows need a person, want %d", c.Person(), person)
	}
	const line = "loaded 2 · updated 4 · already 8 · duplicate 16 · pending 32 · rejected 64 · invalid 128 · changed 768 · in doubt 1024 · not sent 51200 · skipped 12288 of 65534 rows"
	if c.String() != line {
		t.Errorf("got  %s\nwant %s", c, line)
	}
}

func TestCountsAsJSON(t *testing.T) {
	text, err := json.Marshal(every())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"rows":65534,"loaded":2,"updated":4,"already":8,"duplicate":16,"pending":32,"rejected":64,"invalid":128,"changed":256,"conflict":512,"in_doubt":1024,"not_sent":51200,"skipped":4096,"repeated":8192}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	var back Counts
	if err := json.Unmarshal([]byte(`{"rows":9,"loaded":4,"not_sent":5,"later":1}`), &back); err != nil {
		t.Fatal(err)
	}
	if back != (Counts{ResultLoaded: 4, ResultNotSent: 5}) {
		t.Errorf("read back %v", back)
	}
	if err := json.Unmarshal([]byte(`[]`), &back); err == nil {
		t.Error("a list is read as counts")
	}
}

// A row's result follows from two decisions; every pair has one.
func TestResultOf(t *testing.T) {
	for v, want := range map[Verdict]Result{Invalid: ResultInvalid, Already: ResultAlready, Skipped: ResultSkipped, Repeated: ResultRepeated, Changed: ResultChanged} {
		for s := State(0); s <= Rejected; s++ {
			want := want
			if v == Already && s == InDoubt {
				want = ResultInDoubt
			}
			if got := ResultOf(v, s, false); got != want {
				t.Errorf("verdict %d, %s: %s, want %s", v, s, got, want)
			}
		}
	}
	for s, want := range map[State]struct{ run, check, plan Result }{
		0:         {ResultNotSent, ResultWouldSend, ResultWouldSend},
		Ready:     {ResultNotSent, ResultWouldSend, ResultWouldSend},
		Reserved:  {ResultInDoubt, ResultInDoubt, ResultInDoubt},
		Sending:   {ResultInDoubt, ResultInDoubt, ResultInDoubt},
		InDoubt:   {ResultInDoubt, ResultInDoubt, ResultInDoubt},
		Pending:   {ResultPending, ResultPending, ResultPending},
		Loaded:    {ResultLoaded, ResultLoaded, ResultLoaded},
		Duplicate: {ResultDuplicate, ResultDuplicate, ResultDuplicate},
		Rejected:  {ResultRejected, ResultRejected, ResultWouldSend},
	} {
		if got := ResultOf(Due, s, false); got != want.run {
			t.Errorf("%s in a run: %s, want %s", s, got, want.run)
		}
		if got := ResultOf(Due, s, true); got != want.check {
			t.Errorf("%s in a check: %s, want %s", s, got, want.check)
		}
		if got := PlannedResult(Due, s); got != want.plan {
			t.Errorf("%s in a plan: %s, want %s", s, got, want.plan)
		}
	}
}
