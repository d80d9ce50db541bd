package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"leadload/internal/fault"
	"leadload/loader/ledger"
)

func TestBreakLines(t *testing.T) {
	const last = "loaded 412 · updated 7 · already 20 · duplicate 2 · pending 0 · rejected 5 · in doubt 0 of 456 rows → deals-results.xlsx"
	for _, c := range []struct{ name, text, want string }{
		{"short", "  nothing to send", "  nothing to send"},
		{"a sentence", "  3 rows are in doubt, because an answer was lost", "  3 rows are in doubt,\n    because an answer\n    was lost"},
		{"a word longer than the line", "  see /a/very/long/path/to/a/file/that/ends/nowhere now", "  see /a/very/long/path/to/a/file/that/ends/nowhere\n    now"},
		{"a command is one line", "  next: leadload import deals-results.xlsx --sheet Failed", "  next: leadload import deals-results.xlsx --sheet Failed"},
		{"lines of its own", "one\ntwo words that are too long here", "one\ntwo words that are too\n  long here"},
		{"no word at all", strings.Repeat(" ", 30), strings.Repeat(" ", 30) + ""},
	} {
		if got := breakLines(c.text, 24); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	for _, wide := range []int{60, 80, 120} {
		got := breakLines(last, wide)
		for l := range strings.SplitSeq(got, "\n") {
			if utf8.RuneCountInString(l) > wide {
				t.Errorf("%d characters in a line of %d: %q", utf8.RuneCountInString(l), wide, l)
			}
		}
		if strings.Join(strings.Fields(got), " ") != last {
			t.Errorf("a word was lost: %q", got)
		}
	}
}

// TestFindingsFitTheTerminal: a long finding goes on below its own column.
func TestFindingsFitTheTerminal(t *testing.T) {
	f := &findings{}
	f.ok("disk", "63.4 GB are free")
	f.note("account", "name one with --account FILE", "no limit is set, so 25/5s is assumed")
	for wide, want := range map[int]string{
		0:  "ok    disk     63.4 GB are free\nnote  account  no limit is set, so 25/5s is assumed\n               → name one with --account FILE\n",
		40: "ok    disk     63.4 GB are free\nnote  account  no limit is set, so 25/5s\n               is assumed\n               → name one with --account\n               FILE\n",
	} {
		if got := f.table(wide); got != want {
			t.Errorf("in %d columns:\n%s\nwant\n%s", wide, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for _, c := range []struct {
		t    ledger.Counts
		want string
	}{
		{ledger.Counts{ledger.ResultLoaded: 10}, "loaded 10 of 10 rows"},
		{ledger.Counts{ledger.ResultLoaded: 10, ledger.ResultRejected: 20, ledger.ResultInvalid: 3}, "loaded 10 · rejected 20 · invalid 3 of 33 rows"},
		{ledger.Counts{ledger.ResultInDoubt: 100}, "in doubt 100 of 100 rows"},
		{ledger.Counts{}, "0 rows"},
	} {
		if got := short(c.t); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestCut(t *testing.T) {
	for in, want := range map[string]string{"short": "short", "one two three four five": "one two three…", "अआइईउऊऋएऐओऔकखगघचछज": "अआइईउऊऋएऐओऔकखगघच…"} {
		if got := cut(in, 17); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestFirstParts(t *testing.T) {
	const text = "4 of 32 rows · 1.2 calls/s (limit 2/3s) · about 40 s left"
	for wide, want := range map[int]string{100: text, 40: "4 of 32 rows · 1.2 calls/s (limit 2/3s)", 20: "4 of 32 rows", 3: "4 of 32 rows"} {
		if got := firstParts(text, wide); got != want {
			t.Errorf("in %d: %q, want %q", wide, got, want)
		}
	}
}

func TestFoldTable(t *testing.T) {
	const text = "RUN  FILE       ROWS\n1    deals.csv  loaded 412 · updated 7 of 456 rows\n12   deals.csv  loaded 4 of 4 rows\n"
	for wide, want := range map[int]string{
		0:   text,
		120: text,
		46:  "RUN  FILE       ROWS\n1    deals.csv  loaded 412 · updated 7 of 456\n                rows\n12   deals.csv  loaded 4 of 4 rows\n",
		30:  "RUN  FILE       ROWS\n1    deals.csv\n    loaded 412 · updated 7 of\n    456 rows\n12   deals.csv\n    loaded 4 of 4 rows\n",
	} {
		if got := foldTable(text, "ROWS", wide); got != want {
			t.Errorf("%d columns: got\n%s\nwant\n%s", wide, got, want)
		}
	}
}

// TestAsk says that an interrupt ends a question that nobody answers.
func TestAsk(t *testing.T) {
	declined := fault.New("run.declined", "", "nothing was sent")
	for answer, want := range map[string]error{"y\n": nil, "YES\n": nil, "n\n": declined, "\n": declined, "": declined} {
		a, _, _ := testApp()
		a.stdin = strings.NewReader(answer)
		if err := a.ask(t.Context(), declined, "Send?"); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%q: %v", answer, err)
		}
	}
	a, _, _ := testApp()
	in, out := io.Pipe()
	defer out.Close()
	a.stdin = in
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if err := a.ask(ctx, declined, "Send?"); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt: %v", err)
	}
}
