package leadsquared

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A server that gives the keys back gives them to nobody else.
func TestKeysAreHidden(t *testing.T) {
	var entries []LogEntry
	all := testAccess + " " + testSecret + " " + testAsync + " u%24r0123456789abcdef s3cr3t%2Fwith%2Bsigns%26more s3cr3t\\u0026"
	for _, body := range []string{
		`{"Status":"Error","ExceptionType":"MXInvalidInputException","ExceptionMessage":"` + strings.ReplaceAll(all, `\`, `\\`) + `"}`,
		`<html>` + all + `</html>`,
		all,
		`{"Status":1,"ExceptionMessage":"s3cr3t\/with+signs\u0026more"}`,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, body)
		}))
		c := testClient(t, Config{Host: srv.URL, AsyncHost: srv.URL, Log: func(e LogEntry) { entries = append(entries, e) }})
		sent := []byte(`{"note":"` + testSecret + `"}`)
		_, read := c.LeadsByEmail(t.Context(), nil, testAsync+"@example.com")
		for _, o := range []Outcome{c.CaptureOpportunity(t.Context(), nil, sent), c.SubmitOpportunity(t.Context(), nil, sent), read} {
			hasNoKey(t, o.Message)
			if strings.Contains(body, "<html>") || body == all {
				hasNoKey(t, string(o.Body))
			}
		}
		srv.Close()
	}
	if len(entries) != 12 {
		t.Fatalf("%d entries", len(entries))
	}
	for _, e := range entries {
		hasNoKey(t, e.Signature, e.Params, string(e.RequestBody), e.Message)
	}
}

func hasNoKey(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for _, k := range []string{testAccess, testSecret, testAsync, "u%24r0123456789abcdef", "s3cr3t%2Fwith%2Bsigns%26more", "s3cr3t%2fwith"} {
			if strings.Contains(text, k) {
				t.Errorf("%q holds the key %q", text, k)
			}
		}
	}
}

func TestSecretsPrintNothing(t *testing.T) {
	s := NewSecret(testSecret)
	c := testClient(t, Config{Host: "api.example.com"})
	text, _ := s.MarshalText()
	for _, got := range []string{
		s.String(), s.GoString(), s.LogValue().String(), string(text),
		fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s),
		fmt.Sprintf("%v %+v %#v", struct{ s Secret }{s}, struct{ S Secret }{s}, []Secret{s}),
		fmt.Sprintf("%v %+v %#v %s", c, c, c, c),
		fmt.Sprintf("%+v", Config{AccessKey: s}),
		fmt.Sprintf("%#v %+v", struct{ c *Client }{c}, c.keys),
	} {
		hasNoKey(t, got)
	}
	if NewSecret("").IsZero() != true || (Secret{}).IsZero() != true || s.IsZero() {
		t.Error("IsZero")
	}
}
