package leadsquared

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// shortestKey is how long a key must be to be looked for: hiding a shorter
// text would only garble what is logged, and no account has such a key.
const shortestKey = 4

// scrubber replaces keys by "***", in all the forms in which they might come
// back from a server or a proxy: plain, as part of a URL, inside JSON.
type scrubber struct{ forms [][]byte }

func newScrubber(keys ...Secret) *scrubber {
	s := &scrubber{}
	s.hide(keys...)
	return s
}

func (s *scrubber) hide(keys ...Secret) {
	for _, k := range keys {
		v := k.reveal()
		if len(v) < shortestKey {
			continue
		}
		quoted, _ := json.Marshal(v)
		query := url.QueryEscape(v)
		for _, f := range []string{v, query, strings.ToLower(query), url.PathEscape(v), strings.ToLower(url.PathEscape(v)), strings.Trim(string(quoted), `"`)} {
			if b := []byte(f); !slices.ContainsFunc(s.forms, func(x []byte) bool { return bytes.Equal(x, b) }) {
				s.forms = append(s.forms, b)
			}
		}
	}
	// Longest first, so that a key which holds another leaves nothing of itself.
	slices.SortFunc(s.forms, func(a, b []byte) int { return len(b) - len(a) })
}

var stars = []byte("***")

func (s *scrubber) bytes(b []byte) []byte {
	for _, f := range s.forms {
		if bytes.Contains(b, f) {
			b = bytes.ReplaceAll(b, f, stars)
		}
	}
	return b
}

func (s *scrubber) text(t string) string {
	for _, f := range s.forms {
		if strings.Contains(t, string(f)) {
			t = strings.ReplaceAll(t, string(f), "***")
		}
	}
	return t
}
