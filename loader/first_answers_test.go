package loader

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"leadload/internal/sandbox"
	"leadload/loader/ledger"
	"leadload/loader/pace"
)

// TestWrongKeysCostOneCall loads with keys that the account refuses. With and
// without a limit, the first call goes alone, so that it is the only one.
func TestWrongKeysCostOneCall(t *testing.T) {
	for _, limit := range []pace.Limit{pace.Unlimited, {Calls: 25, Window: 5 * time.Second}} {
		bubble(t, limit.String(), func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.o.Account.Limit = limit
			b.o.Account.SetKeys("wrong", "wrong", "")
			if _, err := b.load(t.Context(), b.many(500)); codeOf(err) != "account.keys" {
				t.Errorf("the run ended with %v (%s)", err, codeOf(err))
			}
			if n := len(b.wire.calls); n != 1 {
				t.Errorf("%d calls were made", n)
			}
		})
	}
}

// TestCallsFollowAnswers counts the calls in flight: never more than the answers
// so far and one, until as many have come as may be in flight.
func TestCallsFollowAnswers(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.o.Account.Limit, b.o.Concurrency = pace.Unlimited, 16
		answers, flying, most := 0, 0, 0
		b.wire.before = func(*http.Request) (*http.Response, error) {
			b.wire.mu.Lock()
			defer b.wire.mu.Unlock()
			if flying++; answers < 15 && flying > answers+1 {
				t.Errorf("%d calls in flight after %d answers", flying, answers)
			}
			most = max(most, flying)
			return nil, nil
		}
		b.wire.after = func(_ *http.Request, _ []byte, resp *http.Response) *http.Response {
			b.wire.mu.Lock()
			defer b.wire.mu.Unlock()
			flying, answers = flying-1, answers+1
			return resp
		}
		res, err := b.load(t.Context(), b.many(300))
		check(t, err)
		if res.Totals[ledger.ResultLoaded] != 300 || most != 16 {
			t.Errorf("%s, and at most %d calls in flight", res.Totals, most)
		}
	})
}

// refuse lets the account refuse rows whose body holds a text.
func (b *bench) refuse(text string, why func(n int) string) (sent *int) {
	sent = new(int)
	b.wire.after = func(req *http.Request, body []byte, resp *http.Response) *http.Response {
		b.wire.mu.Lock()
		defer b.wire.mu.Unlock()
		if !strings.HasSuffix(req.URL.Path, "/Capture") || !strings.Contains(string(body), text) {
			return resp
		}
		*sent++
		return jsonAnswer(fmt.Sprintf(`{"Status":"Error","ExceptionType":"MXInvalidActivityFieldsException","ExceptionMessage":%q}`, why(*sent)))
	}
	return sent
}

func always(why string) func(int) string { return func(int) string { return why } }

// TestTheMappingIsWrong ends the run after as many equal refusals as it may have,
// and only while the mapping has loaded nothing.
func TestTheMappingIsWrong(t *testing.T) {
	const invalid = "Invalid field mx_Custom_1"
	for _, c := range []struct {
		name  string
		why   func(int) string
		max   int64
		first int // rows that are loaded by an earlier run
		stops bool
	}{
		{name: "one refusal", why: always(invalid), max: 20, stops: true},
		{name: "one refusal with the values of rows", why: func(n int) string { return fmt.Sprintf(`value "Deal %d" of own%d@example.com is not allowed`, n, n) }, max: 20, stops: true},
		{name: "two refusals", why: func(n int) string { return []string{invalid, "Owner not found"}[n%2] }, max: 20},
		{name: "never", why: always(invalid), max: 0},
		{name: "loaded before", why: always(invalid), max: 20, first: 1},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.o.MaxSame, b.o.Concurrency = c.max, 4
			if c.first > 0 {
				_, err := b.load(t.Context(), b.deals("F,first@example.com,First"))
				check(t, err)
			}
			sent := b.refuse("own", c.why)
			res, err := b.load(t.Context(), b.many(40))
			if stopped := codeOf(err) == "run.same-error"; stopped != c.stops || !c.stops && err != nil {
				t.Fatalf("the run ended with %v", err)
			}
			if !c.stops && *sent != 40 || c.stops && (*sent < 20 || *sent > 28) {
				t.Errorf("%d rows were sent: %s", *sent, res.Totals)
			}
			if c.stops && res.End.Exit() != 3 {
				t.Errorf("exit %d", res.End.Exit())
			}
		})
	}
}

// TestOldRefusalsGoLast loads a file anew of which twenty rows were refused: the
// others are sent before them, so that the run is not ended by old refusals.
func TestOldRefusalsGoLast(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		b := newBench(t, sandbox.Options{})
		defer b.close()
		b.o.Concurrency = 1
		b.refuse("own", always("Invalid field mx_Custom_1"))
		_, err := b.load(t.Context(), b.many(20))
		check(t, err)
		b.o.MaxSame = 20
		rows := make([]string, 25)
		for i := range rows {
			rows[i] = fmt.Sprintf("D%d,own%d@example.com,Deal %d", i, i, i)
			if i >= 20 {
				rows[i] = fmt.Sprintf("D%d,new%d@example.com,Deal %d", i, i, i)
			}
		}
		res, err := b.load(t.Context(), b.deals(rows...))
		check(t, err)
		if res.Totals[ledger.ResultLoaded] != 5 || res.Totals[ledger.ResultRejected] != 20 {
			t.Errorf("%s", res.Totals)
		}
	})
}
