package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"

	"leadload/loader/leadsquared"
)

const nasty = "x\x1b]0;title\x07\u202e\u009b31m\r\n\u2028second\u2066 \xff.csv"

func TestNothingRawReachesTheScreen(t *testing.T) {
	raw := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool {
			return unicode.IsControl(r) && r != '\n' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\u2028'
		})
	}
	for name, say := range map[string]func(a *app){
		"say":              func(a *app) { a.say("%s was changed", nasty) },
		"an error":         func(a *app) { a.fail("leadload: %v", errors.New(nasty)) },
		"joined errors":    func(a *app) { a.fail("leadload: %v", errors.Join(errors.New("one"), errors.New("two"))) },
		"explain":          func(a *app) { a.explain(usageError("type "+nasty, "%s", nasty)) },
		"an unknown error": func(a *app) { a.explain(errors.New(nasty)) },
	} {
		for _, format := range []string{"text", "json"} {
			var out, err bytes.Buffer
			a := &app{stdout: &screen{to: &out}, stderr: &screen{to: &err}, getenv: func(string) string { return "" }, logFormat: format}
			say(a)
			lines := strings.Split(strings.TrimSuffix(err.String(), "\n"), "\n")
			if want := map[bool]int{true: 2, false: 1}[strings.HasPrefix(name, "explain")]; raw(err.String()) || len(lines) > want+1 || err.Len() == 0 {
				t.Errorf("%s, %s: %q", name, format, err.String())
			}
			for _, l := range lines {
				if format == "json" && !json.Valid([]byte(l)) {
					t.Errorf("%s: %q is not JSON", name, l)
				}
			}
		}
	}
	var out bytes.Buffer
	a := &app{stdout: &screen{to: &out}, stderr: &out, getenv: func(string) string { return "" }}
	if err := a.printJSON(map[string]string{"name": nasty}); err != nil || raw(out.String()) {
		t.Errorf("%v: %q", err, out.String())
	}
	var back map[string]string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["name"] != strings.ToValidUTF8(nasty, "\uFFFD") {
		t.Errorf("%v: %q became %q", err, nasty, back["name"])
	}
	if got := visible("नमस्ते क्\u200dष 👩\u200d💻 ä\tb\n", false); got != "नमस्ते क्\u200dष 👩\u200d💻 ä\tb\n" {
		t.Errorf("plain text became %q", got)
	}
}

func TestScreenHidesKeysAndKeepsItsFailure(t *testing.T) {
	var out bytes.Buffer
	s := &screen{to: &out}
	s.hide(leadsquared.NewSecret("u$rPLANTED0123456789"))
	s.Write([]byte("the key u$rPLANTED0123456789 and u%24rplanted0123456789\n"))
	if got := out.String(); strings.Contains(strings.ToLower(got), "planted") || s.failed() != nil {
		t.Errorf("%q, %v", got, s.failed())
	}
	full := errors.New("full")
	s = &screen{to: failing{full}}
	if _, err := s.Write([]byte("x")); !errors.Is(err, full) || !errors.Is(s.failed(), full) {
		t.Errorf("%v, %v", err, s.failed())
	}
	if _, err := s.data().Write([]byte("x")); !errors.Is(err, full) {
		t.Errorf("data: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// What could not be written to standard output is never exit code 0.
func TestOutputThatCannotBeWritten(t *testing.T) {
	for _, args := range [][]string{{"errors"}, {"schema"}, {"version"}, {"errors", "--json"}, {"help"}} {
		var err bytes.Buffer
		if code := Main(t.Context(), args, strings.NewReader(""), failing{errors.New("no space left on device")}, &err, func(string) string { return "" }); code == 0 || code == 2 || err.Len() == 0 {
			t.Errorf("%v: exit %d, %q", args, code, err.String())
		}
	}
}
