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
	sum := back.Totals
	if sum.Loaded+sum.Already+sum.Duplicate+sum.Pending+sum.Rejected+sum.Invalid+sum.InDoubt+sum.NotSent+sum.Skipped+sum.Repeated+sum.Changed != sum.Rows {
		t.Errorf("%+v does not add up", sum)
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
	if s, err := Summarize(context.Background(), Report{}, ""); err != nil || s.Totals.Rows != 0 {
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
		totals        ledger.Totals
		wouldSend     int64
		want          string
	}{
		{"all loaded", "import", ledger.Totals{Loaded: 1000, Already: 200, Duplicate: 34}, 0, "All 1,234 rows are in the account."},
		{"one row", "import", ledger.Totals{Loaded: 1}, 0, "The one row is in the account."},
		{"one fails", "import", ledger.Totals{Loaded: 9, Rejected: 1}, 0, "9 of 10 rows in the account · 1 needs a person."},
		{"all sorts", "import", ledger.Totals{Loaded: 1, Rejected: 1, Invalid: 1, InDoubt: 1, Changed: 1, Repeated: 1, Pending: 2, NotSent: 3, Skipped: 4}, 0, "1 of 15 rows in the account · 5 need a person · 2 pending · 3 not sent · 4 skipped."},
		{"nothing", "import", ledger.Totals{}, 0, "There was no row to load."},
		{"nothing open", "settle", ledger.Totals{}, 0, "No row was open."},
		{"check", "check", ledger.Totals{NotSent: 40, Already: 5, Invalid: 2}, 40, "Nothing was sent. 40 of 47 rows would be sent · 5 already in the account · 2 need a person."},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := &job{Report: Report{Run: ledger.Run{Command: c.command}}}
			if got := j.headline(&tally{totals: c.totals, wouldSend: c.wouldSend}); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestPerSecond(t *testing.T) {
	for limit, want := range map[string]float64{
		"25/5s": 5, "10/1m": 1.0 / 6, "off": 0, "": 0, "25": 0, "x/5s": 0, "25/x": 0, "25/0s": 0, "25/-5s": 0,
	} {
		if got := perSecond(limit); math.Abs(got-want) > 1e-9 {
			t.Errorf("perSecond(%q) = %v, want %v", limit, got, want)
		}
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
