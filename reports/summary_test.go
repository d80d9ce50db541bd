package reports

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"leadload/loader/ledger"
)

// TestJSON compares the summary with testdata/summary.json, on which people's
// programs rely.
func TestJSON(t *testing.T) {
	j := every()
	s, err := j.summarize(context.Background(), filepath.Join("out", "deals-results.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	s.ResultsFile = "out/deals-results.xlsx"
	s.Error = &Failure{Code: "account.keys", Message: "the account refused the keys", Hint: "check LEADSQUARED_ACCESS_KEY"}
	var b bytes.Buffer
	if err := WriteJSON(&b, s); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "summary.json")
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))) {
		t.Errorf("got\n%s\nwant\n%s", b.Bytes(), want)
	}
	var back Summary
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("read back %+v, %v", back, err)
	}
}

// TestJSONOfNothing: what a program meets when a run never began is the same
// shape, with lists that are lists.
func TestJSONOfNothing(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSON(&b, Summary{Duration: math.NaN(), CallsPerS: math.Inf(1), ExitCode: 2, File: "a<b>&c.csv"}); err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"version": 1.0, "errors": []any{}, "next": []any{}, "ended": nil, "duration_s": 0.0, "calls_per_s": 0.0, "exit_code": 2.0, "results_file": "", "file": "a<b>&c.csv",
	} {
		if got, ok := m[name]; !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v, want %#v", name, got, want)
		}
	}
	if strings.Contains(b.String(), "\\u003c") {
		t.Error("< is escaped as for HTML")
	}
}

func TestSummarizeWhileRunning(t *testing.T) {
	j := every()
	j.Run.Ended = time.Time{}
	s, err := j.summarize(context.Background(), "")
	if err != nil || s.Ended != nil || s.Duration != 0 || s.CallsPerS != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := Summarize(context.Background(), Report{}, ""); err != nil || s.Totals.Sum() != 0 {
		t.Errorf("of nothing: %+v, %v", s, err)
	}
}

// TestMetrics compares the metrics with testdata/metrics.prom.
func TestMetrics(t *testing.T) {
	j := every()
	s, err := j.summarize(context.Background(), "deals-results.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	s.File = `C:\new "deals".csv`
	if filepath.Separator == '/' {
		s.File = "/home/asha/" + s.File
	}
	path := filepath.Join(t.TempDir(), "leadload.prom")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteMetrics(path, s); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "metrics.prom")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Separator == '/' && !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// The collector's grammar, as far as it is used here.
	sample := regexp.MustCompile(`^[a-z_]+\{([a-z_]+="(\\.|[^"\\\n])*",?)*\} -?[0-9.]+$`)
	for l := range strings.Lines(string(got)) {
		l = strings.TrimSuffix(l, "\n")
		if !strings.HasPrefix(l, "# ") && !sample.MatchString(l) {
			t.Errorf("%q is no sample", l)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v; want the metrics alone", len(entries), err)
	}
}

func TestMetricsFail(t *testing.T) {
	var own *Error
	err := WriteMetrics(filepath.Join(t.TempDir(), "gone", "x.prom"), Summary{})
	if !errors.As(err, &own) || own.Code != "results.metrics" || own.Hint == "" || !strings.Contains(err.Error(), "x.prom") {
		t.Errorf("%v", err)
	}
}

func TestHeadline(t *testing.T) {
	for _, c := range []struct {
		name, command string
		totals        ledger.Counts
		want          string
	}{
		{"all loaded", "import", ledger.Counts{ledger.ResultLoaded: 1000, ledger.ResultAlready: 200, ledger.ResultDuplicate: 34}, "All 1,234 rows are in the account · 34 matched what was there."},
		{"one row", "import", ledger.Counts{ledger.ResultLoaded: 1}, "The one row is in the account."},
		{"one fails", "import", ledger.Counts{ledger.ResultLoaded: 9, ledger.ResultRejected: 1}, "9 of 10 rows in the account · 1 needs a person."},
		{"all sorts", "import", ledger.Counts{ledger.ResultLoaded: 1, ledger.ResultRejected: 1, ledger.ResultInvalid: 1, ledger.ResultInDoubt: 1, ledger.ResultChanged: 1, ledger.ResultRepeated: 1, ledger.ResultPending: 2, ledger.ResultNotSent: 3, ledger.ResultSkipped: 4}, "1 of 15 rows in the account · 1 there with other values · 5 need a person · 2 pending · 3 not sent · 4 skipped."},
		{"nothing", "import", ledger.Counts{}, "There was no row to load."},
		{"nothing open", "settle", ledger.Counts{}, "No row was open."},
		{"check", "check", ledger.Counts{ledger.ResultWouldSend: 40, ledger.ResultAlready: 5, ledger.ResultInvalid: 2}, "Nothing was sent. 40 of 47 rows would be sent · 5 already in the account · 2 need a person."},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := &job{Report: Report{Run: ledger.Run{Command: c.command}}}
			if got := j.headline(&tally{totals: c.totals}); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestCalls: nobody reads a breach of the limit from how the calls are told.
func TestCalls(t *testing.T) {
	at := time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		run  ledger.Run
		want string
	}{
		{ledger.Run{Calls: 5, Limit: "25/5s", Started: at, Ended: at.Add(200 * time.Millisecond)}, "5 calls in 0.2 s; limit 25 in 5 s"},
		{ledger.Run{Calls: 1, Limit: "off", Started: at, Ended: at.Add(time.Second)}, "1 call in 1.0 s; limit off"},
		{ledger.Run{Calls: 1448, Throttled: 3, Limit: "100/1m0s", Started: at, Ended: at.Add(94 * time.Second)}, "1,448 calls in 1 min 34 s; limit 100 in 1 min; 3 throttled"},
		{ledger.Run{Calls: 7, Limit: "25/5s", Started: at}, "7 calls; limit 25 in 5 s"},
		{ledger.Run{Command: "check", Limit: "25/5s"}, "none: a check sends nothing"},
	} {
		if got := calls(c.run); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestAdvice: the third line says what to do, with the command.
func TestAdvice(t *testing.T) {
	same := []ledger.ErrorCount{{Code: "datetime.format", Count: 40}}
	for _, c := range []struct {
		name, command string
		totals        ledger.Counts
		errs          []ledger.ErrorCount
		want          string
	}{
		{"all loaded", "import", ledger.Counts{ledger.ResultLoaded: 9, ledger.ResultAlready: 2, ledger.ResultDuplicate: 1, ledger.ResultSkipped: 4}, nil, "Nothing is left to do."},
		{"not sent", "import", ledger.Counts{ledger.ResultLoaded: 9, ledger.ResultNotSent: 1, ledger.ResultRejected: 1}, nil, "Next: 1 row was not sent. Run the same command again: CMD"},
		{"to be corrected", "import", ledger.Counts{ledger.ResultLoaded: 9, ledger.ResultRejected: 1, ledger.ResultInvalid: 2, ledger.ResultInDoubt: 3}, nil, "Next: correct the 3 rows on the sheet Failed, in the filled cells, and load that sheet: CMD"},
		{"in doubt", "import", ledger.Counts{ledger.ResultLoaded: 9, ledger.ResultInDoubt: 1, ledger.ResultPending: 3}, nil, "Next: ask the account about 4 rows in doubt or pending: CMD"},
		{"changed", "import", ledger.Counts{ledger.ResultLoaded: 9, ledger.ResultChanged: 1}, nil, "Next: look at the 1 row on the sheet Failed; nothing is left to send."},
		{"conflicts", "import", ledger.Counts{ledger.ResultUpdated: 9, ledger.ResultConflict: 2, ledger.ResultChanged: 1}, nil, "Next: decide the 2 rows in conflict on the sheet Changes: correct the file, or send what it has with --on-conflict overwrite"},
		{"the mapping", "import", ledger.Counts{ledger.ResultInvalid: 38, ledger.ResultRejected: 2, ledger.ResultSkipped: 5, ledger.ResultRepeated: 2}, same, "Next: every row fails for the same reason, so correct the mapping and not the rows. Then load the file again: CMD"},
		{"the mapping, checked", "check", ledger.Counts{ledger.ResultInvalid: 40}, same, "Next: every row fails for the same reason, so correct the mapping and not the rows. Then check the file again: CMD"},
		{"the mapping, and a few rows", "import", ledger.Counts{ledger.ResultInvalid: 44}, same, "Next: every row fails, and nearly all for the same reason, so correct the mapping first. Then load the file again: CMD"},
		{"leads that are not there", "import", ledger.Counts{ledger.ResultRejected: 40}, []ledger.ErrorCount{{Code: "lead.missing", Count: 40}}, "Next: correct the 40 rows on the sheet Failed, in the filled cells, and load that sheet: CMD"},
		{"two reasons", "import", ledger.Counts{ledger.ResultInvalid: 45}, same, "Next: correct the 45 rows on the sheet Failed, in the filled cells, and load that sheet: CMD"},
		{"one is good", "import", ledger.Counts{ledger.ResultInvalid: 40, ledger.ResultLoaded: 1}, same, "Next: correct the 40 rows on the sheet Failed, in the filled cells, and load that sheet: CMD"},
		{"two rows prove nothing", "import", ledger.Counts{ledger.ResultInvalid: 2}, []ledger.ErrorCount{{Count: 2}}, "Next: correct the 2 rows on the sheet Failed, in the filled cells, and load that sheet: CMD"},
		{"a check", "check", ledger.Counts{ledger.ResultInvalid: 1, ledger.ResultWouldSend: 5}, nil, "Next: correct the 1 row of the sheet Failed in your file, or load the others now: CMD"},
		{"a check of rows to update", "check", ledger.Counts{ledger.ResultAlready: 5, ledger.ResultWouldUpdate: 1}, nil, "Next: load the file: CMD"},
		{"a good check", "check", ledger.Counts{ledger.ResultWouldSend: 5}, nil, "Next: load the file: CMD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := &job{Report: Report{Run: ledger.Run{Command: c.command}, Next: []string{"CMD"}}}
			if got := j.advice(&tally{totals: c.totals}, c.errs); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0 s", 1500 * time.Millisecond: "1.5 s", 59 * time.Second: "59 s", 94 * time.Second: "1 min 34 s",
		19800 * time.Second: "5 h 30 min 00 s", 3599900 * time.Millisecond: "1 h 00 min 00 s",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q, want %q", n, got, want)
		}
	}
	if got := cutRunes("añb c", 4); got != "añb…" {
		t.Errorf("cutRunes gives %q", got)
	}
	if got := width("ab\nहि陈伟\nc"); got != 6 {
		t.Errorf("width %d, want 6", got)
	}
}
