package ledger

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
)

// Result is the word that a user reads for a row. The zero Result is no result.
type Result uint8

// The results of rows, in the order of JSON and metrics.
const (
	ResultLoaded Result = iota + 1
	ResultUpdated
	ResultAlready
	ResultDuplicate
	ResultPending
	ResultRejected
	ResultInvalid
	ResultChanged
	ResultConflict
	ResultInDoubt
	ResultNotSent
	ResultSkipped
	ResultRepeated
	ResultWouldSend   // check alone
	ResultWouldUpdate // check alone
	numResults
)

// NumResults is the size of a table that is indexed by Result.
const NumResults = int(numResults)

// results is the one table of results. Whatever the program says about a result
// comes from here: words, totals, the last line, JSON, metrics, exit codes.
// Colours stand beside their workbook, in a table indexed by Result.
var results = [NumResults]struct {
	word   string // in the workbook
	name   string // in JSON and metrics; results of one name are counted together
	last   Result // the part of the last line that counts it
	person bool   // somebody has to look at the row
}{
	ResultLoaded:    {word: "loaded", name: "loaded", last: ResultLoaded},
	ResultUpdated:   {word: "updated", name: "updated", last: ResultUpdated},
	ResultAlready:   {word: "already loaded", name: "already", last: ResultAlready},
	ResultDuplicate: {word: "duplicate", name: "duplicate", last: ResultDuplicate},
	ResultPending:   {word: "pending", name: "pending", last: ResultPending},
	ResultRejected:  {word: "rejected", name: "rejected", last: ResultRejected, person: true},
	ResultInvalid:   {word: "invalid", name: "invalid", last: ResultInvalid, person: true},
	ResultChanged:   {word: "changed", name: "changed", last: ResultChanged, person: true},
	ResultConflict:  {word: "conflict", name: "conflict", last: ResultChanged, person: true},
	ResultInDoubt:   {word: "in doubt", name: "in_doubt", last: ResultInDoubt, person: true},
	ResultNotSent:   {word: "not sent", name: "not_sent", last: ResultNotSent},
	ResultSkipped:   {word: "skipped", name: "skipped", last: ResultSkipped},
	ResultRepeated:  {word: "repeated", name: "repeated", last: ResultSkipped, person: true},
	ResultWouldSend: {word: "would send", name: "not_sent", last: ResultNotSent},

	ResultWouldUpdate: {word: "would update", name: "not_sent", last: ResultNotSent},
}

// String returns the word for r, as the workbook has it.
func (r Result) String() string { return results[r].word }

// NeedsPerson reports whether somebody has to look at a row with this result.
func (r Result) NeedsPerson() bool { return results[r].person }

// ParseResult returns the result that a workbook's word stands for.
func ParseResult(word string) (Result, bool) {
	for r := ResultLoaded; r < numResults; r++ {
		if results[r].word == word {
			return r, true
		}
	}
	return 0, false
}

// ResultOf joins the verdict of the first pass with what became of the record.
func ResultOf(v Verdict, s State, checked bool) Result {
	switch v {
	case Invalid:
		return ResultInvalid
	case Already:
		if s == InDoubt {
			return ResultInDoubt // its record proved to be another row's since the first pass
		}
		return ResultAlready
	case Skipped:
		return ResultSkipped
	case Repeated:
		return ResultRepeated
	case Changed:
		return ResultChanged
	}
	switch s {
	case Loaded:
		if v == Changing {
			return ResultUpdated
		}
		return ResultLoaded
	case Same:
		return ResultAlready
	case Contested:
		return ResultConflict
	case Withheld:
		return ResultChanged
	case Duplicate:
		return ResultDuplicate
	case Pending:
		return ResultPending
	case Rejected:
		return ResultRejected
	case InDoubt, Sending, Reserved:
		return ResultInDoubt
	}
	if checked && v == Changing {
		return ResultWouldUpdate
	}
	if checked {
		return ResultWouldSend
	}
	return ResultNotSent
}

// PlannedResult returns what the first pass says of a row. A row that an earlier
// run saw rejected would be sent again.
func PlannedResult(v Verdict, s State) Result {
	if s == Rejected {
		s = Ready
	}
	return ResultOf(v, s, true)
}

// Counts are numbers of rows by result.
type Counts [NumResults]int64

// Add counts n rows under r.
func (c *Counts) Add(r Result, n int64) { c[r] += n }

// Sum returns the number of rows counted.
func (c Counts) Sum() int64 {
	var sum int64
	for _, n := range c {
		sum += n
	}
	return sum
}

// Person returns the number of rows that somebody has to look at.
func (c Counts) Person() int64 {
	var sum int64
	for r, n := range c {
		if results[r].person {
			sum += n
		}
	}
	return sum
}

// String returns the sentence that ends every run. Its parts add up to its total.
func (c Counts) String() string {
	var parts Counts
	for r, n := range c {
		parts[results[r].last] += n
	}
	var words []string
	for r := ResultLoaded; r < numResults; r++ {
		if results[r].last == r {
			words = append(words, fmt.Sprintf("%s %d", strings.ReplaceAll(results[r].name, "_", " "), parts[r]))
		}
	}
	return fmt.Sprintf("%s of %d rows", strings.Join(words, " · "), c.Sum())
}

// Named returns the counts by their names in JSON and metrics, in a fixed order.
// They add up to Sum.
func (c Counts) Named() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for r := ResultLoaded; r < numResults; r++ {
			if first, _ := resultNamed(results[r].name); first != r {
				continue
			}
			n := c[r]
			for other := r + 1; other < numResults; other++ {
				if results[other].name == results[r].name {
					n += c[other]
				}
			}
			if !yield(results[r].name, n) {
				return
			}
		}
	}
}

// resultNamed returns the first result of a name.
func resultNamed(name string) (Result, bool) {
	for r := ResultLoaded; r < numResults; r++ {
		if results[r].name == name {
			return r, true
		}
	}
	return 0, false
}

// Text returns the counts as a store keeps them: JSON with a result's word and its
// rows; "" without any.
func (c Counts) Text() string {
	words := map[string]int64{}
	for r, n := range c {
		if n != 0 {
			words[Result(r).String()] = n
		}
	}
	if len(words) == 0 {
		return ""
	}
	text, _ := json.Marshal(words) // words and numbers
	return string(text)
}

// ParseCounts reads what Text returned. Words of a later version are left out.
func ParseCounts(text string) (c Counts) {
	var words map[string]int64
	if text == "" || json.Unmarshal([]byte(text), &words) != nil {
		return c
	}
	for word, n := range words {
		if r, ok := ParseResult(word); ok {
			c[r] = n
		}
	}
	return c
}

// MarshalJSON writes an object: the sum as "rows", then every name with its count.
func (c Counts) MarshalJSON() ([]byte, error) {
	out := fmt.Appendf(nil, `{"rows":%d`, c.Sum())
	for name, n := range c.Named() {
		out = fmt.Appendf(out, `,%q:%d`, name, n)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote. A later version may add names.
func (c *Counts) UnmarshalJSON(text []byte) error {
	var named map[string]int64
	if err := json.Unmarshal(text, &named); err != nil {
		return err
	}
	*c = Counts{}
	for name, n := range named {
		if r, ok := resultNamed(name); ok {
			c[r] = n
		}
	}
	return nil
}
