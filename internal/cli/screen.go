package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"leadload/loader/leadsquared"
)

// screen is the one place that writes to the program's output. Names, cells and
// answers come from others: no control character of theirs reaches a terminal, no
// mark turns the text round, and no key is shown. They are written as escapes that
// JSON knows, so that the output of --json stays what it is.
type screen struct {
	to io.Writer

	mu   sync.Mutex
	veil *leadsquared.Veil
	err  error // the first failure
}

// shownKey is how short a text must be to be shown though it is given as a key: no
// account has such a key, and a word of every sentence may be one.
const shownKey = 7

// hide keeps keys off the screen from now on, and no others.
func (s *screen) hide(keys ...leadsquared.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys = slices.DeleteFunc(slices.Clone(keys), func(k leadsquared.Secret) bool { return k.Len() <= shownKey })
	s.veil = leadsquared.NewVeil(keys...)
}

// Write writes a text. Its error is the first one of the screen, and is kept.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.to, visible(s.veil.Text(string(p)), false)); err != nil && s.err == nil {
		s.err = err
	}
	return len(p), s.err
}

func (s *screen) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// data is a screen for bytes that programs read: they are written as they are,
// unless somebody looks at them.
func (s *screen) data() io.Writer {
	if f, ok := s.to.(*os.File); ok && terminal(f) {
		return s
	}
	return (*rawScreen)(s)
}

type rawScreen screen

func (s *rawScreen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.to.Write(p)
	if err != nil && s.err == nil {
		s.err = err
	}
	return n, err
}

// data returns where the bytes of a result go when they go to standard output.
func (a *app) data() io.Writer {
	if s, ok := a.stdout.(*screen); ok {
		return s.data()
	}
	return a.stdout
}

// hide keeps an account's keys off both screens, those of the environment as well.
func (a *app) hide(keys ...leadsquared.Secret) {
	for _, v := range []string{"LEADSQUARED_ACCESS_KEY", "LEADSQUARED_SECRET_KEY", "LEADSQUARED_ASYNC_KEY"} {
		keys = append(keys, leadsquared.NewSecret(a.getenv(v)))
	}
	for _, w := range []io.Writer{a.stdout, a.stderr} {
		if s, ok := w.(*screen); ok {
			s.hide(keys...)
		}
	}
}

// fileOf returns the file behind a screen.
func fileOf(w any) (*os.File, bool) {
	if s, ok := w.(*screen); ok {
		w = s.to
	}
	f, ok := w.(*os.File)
	return f, ok
}

// visible writes what would not be seen, or would do something to a terminal, as an
// escape: \u001b. oneLine says that line breaks and tabs are no part of the text, either.
func visible(s string, oneLine bool) string {
	bad := func(r rune) bool {
		switch {
		case r == '\n' || r == '\t':
			return oneLine
		case r < ' ' || r >= 0x7f && r < 0xa0, r == '\u2028' || r == '\u2029':
			return true
		}
		return r == '\u061c' || r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
	}
	if strings.IndexFunc(s, bad) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case bad(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			b.WriteRune('\uFFFD')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plain makes the texts among args fit for one line: names may hold line breaks,
// and errors that were joined hold one for each.
func plain(args []any) []any {
	out := make([]any, len(args))
	for i, v := range args {
		switch v := v.(type) {
		case string:
			out[i] = visible(v, true)
		case error:
			out[i] = visible(strings.ReplaceAll(v.Error(), "\n", "; "), true)
		case fmt.Stringer:
			out[i] = visible(v.String(), true)
		default:
			out[i] = v
		}
	}
	return out
}
