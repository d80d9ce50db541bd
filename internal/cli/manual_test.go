package cli

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"leadload/internal/fault"
)

func TestRenderPage(t *testing.T) {
	got := renderPage("# Title\n\nSee [nightly](nightly.md) and [the vendor](https://example.com); a row *in doubt* is **not** sent, `a*b*`.\n\n![picture](results.png)\n\n"+
		"## Part\n\n| a | b |\n| --- | --- |\n| `x\\|y` | long |\n\n```yaml\nkey: *a*\n```\n\n- one two\n", pageWidth)
	want := "TITLE\n\nSee nightly (leadload help nightly) and the vendor (https://example.com); a row in doubt is not\nsent, `a*b*`.\n\n" +
		"Part\n----\n\n  a      b\n  `x|y`  long\n\n  key: *a*\n\n- one two\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A table that is too wide becomes a list, in which every cell stands.
func TestRenderWideTable(t *testing.T) {
	long := strings.Repeat("word ", 30)
	got := renderPage("# T\n\n| key | value | meaning |\n|---|---|---|\n| `a` |  | "+long+"|\n| `b` | text | short |\n", pageWidth)
	for _, want := range []string{"  `a`\n      meaning: word", "  `b`\n      value: text\n      meaning: short\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "value: \n") || strings.Count(got, "word") != 30 {
		t.Errorf("a cell is lost or empty:\n%s", got)
	}
}

func TestPagesFitATerminal(t *testing.T) {
	for _, topic := range topics {
		text, _ := page(topic)
		for _, wide := range []int{80, pageWidth} {
			for i, line := range strings.Split(renderPage(text, wide), "\n") {
				// Code and a table's long words stay whole.
				if n := utf8.RuneCountInString(line); n > wide && !strings.HasPrefix(line, "  ") {
					t.Errorf("%s, line %d has %d characters of %d: %s", topic, i+1, n, wide, line)
				}
			}
		}
		for i, line := range strings.Split(renderPage(text, pageWidth), "\n") {
			if strings.Contains(line, "](") || strings.Contains(line, "**") || strings.HasPrefix(line, "```") {
				t.Errorf("%s, line %d shows marks: %s", topic, i+1, line)
			}
		}
	}
}

func TestHelpFindsCommandsAndTopics(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
		code int
	}{
		{nil, []string{"Available Commands:", "leadload help TOPIC", "several-machines"}, fault.Done.Exit()},
		{[]string{"mapping"}, []string{"THE MAPPING", "LeadDetails:"}, fault.Done.Exit()},
		{[]string{"import"}, []string{"leadload import FILE... -m MAPPING", exitCodes}, fault.Done.Exit()},
		{[]string{"ledger", "check"}, []string{"leadload ledger check"}, fault.Done.Exit()},
		{[]string{"account"}, []string{"leadload account [flags]", "THE ACCOUNT", "daily_limit"}, fault.Done.Exit()},
		{[]string{"errors"}, []string{"leadload errors [CODE]", "datetime.overlap"}, fault.Done.Exit()},
		{[]string{"machines"}, []string{"did you mean leadload help several-machines?"}, fault.Usage.Exit()},
		{[]string{"nothing"}, []string{"type leadload help to see"}, fault.Usage.Exit()},
		{[]string{"mapping", "account"}, []string{"there is no help about"}, fault.Usage.Exit()},
	} {
		_, out, errs := testApp()
		code := Main(t.Context(), append([]string{"help"}, c.args...), strings.NewReader(""), out, errs, func(string) string { return "" })
		if code != c.code {
			t.Errorf("help %q: exit code %d, want %d", c.args, code, c.code)
		}
		for _, want := range c.want {
			if !strings.Contains(out.String()+errs.String(), want) {
				t.Errorf("help %q lacks %q:\n%s%s", c.args, want, out, errs)
			}
		}
	}
}

func TestHelpCompletesTopics(t *testing.T) {
	a, out, _ := testApp()
	root := a.root()
	root.SetArgs([]string{"__complete", "help", ""})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for _, want := range []string{"import", "nightly", "account", "exit-codes"} {
		if n := len(lines) - len(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return l == want })); n != 1 {
			t.Errorf("%s is offered %d times", want, n)
		}
	}
}
