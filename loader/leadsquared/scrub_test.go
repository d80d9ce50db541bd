package leadsquared

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
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
		for _, o := range []Outcome{c.Make(t.Context(), nil, MakeOpportunity, sent), c.Make(t.Context(), nil, QueueOpportunity, sent), read} {
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

// disguises are the forms in which a key comes back.
func disguises(key string) map[string]string {
	each := func(f func(c byte) string) string {
		var b strings.Builder
		for i := range len(key) {
			b.WriteString(f(key[i]))
		}
		return b.String()
	}
	between := func(s string) string { return strings.Join(strings.Split(key, ""), s) }
	half := len(key) / 2
	quoted, _ := json.Marshal(key)
	return map[string]string{
		"plain":                          key,
		"in capitals":                    strings.ToUpper(key),
		"in small letters":               strings.ToLower(key),
		"in a query":                     url.QueryEscape(key),
		"in a path":                      url.PathEscape(key),
		"in a query twice":               url.QueryEscape(url.QueryEscape(key)),
		"every byte escaped in a URL":    each(func(c byte) string { return fmt.Sprintf("%%%02x", c) }),
		"every byte escaped thrice":      each(func(c byte) string { return fmt.Sprintf("%%2525%02X", c) }),
		"escaped as scripts do":          each(func(c byte) string { return fmt.Sprintf("%%u%04x", c) }),
		"in JSON":                        strings.Trim(string(quoted), `"`),
		"as escapes in JSON":             each(func(c byte) string { return fmt.Sprintf(`\u%04x`, c) }),
		"as escapes in JSON in JSON":     each(func(c byte) string { return fmt.Sprintf(`\\u%04X`, c) }),
		"with escaped slashes":           strings.ReplaceAll(key, "/", `\/`),
		"with a backslash before each":   each(func(c byte) string { return `\` + string(c) }),
		"in HTML":                        html.EscapeString(key),
		"as entities":                    each(func(c byte) string { return fmt.Sprintf("&#%d;", c) }),
		"as entities, hexadecimal":       each(func(c byte) string { return fmt.Sprintf("&#x%X;", c) }),
		"as entities in HTML in HTML":    each(func(c byte) string { return fmt.Sprintf("&amp;#%d;", c) }),
		"with a zero-width space":        key[:half] + "\u200b" + key[half:],
		"with a zero-width escape":       key[:half] + `\u200b` + key[half:],
		"with a zero-width byte in URLs": key[:half] + "%E2%80%8B" + key[half:],
		"with soft hyphens":              between("\u00ad"),
		"with a line break":              key[:half] + "\r\n" + key[half:],
		"with an escaped line break":     key[:half] + `\r\n` + key[half:],
		"with blanks":                    between(" "),
		"with blanks of a URL":           between("%20"),
		"with control characters":        between("\x00"),
		"with a byte that is no text":    key[:half] + "\xff" + key[half:],
		"with marks that turn the text":  "\u202e" + key[:half] + "\u202c" + key[half:],
		"in base64":                      base64.StdEncoding.EncodeToString([]byte(key)),
		"in base64 behind a letter":      base64.StdEncoding.EncodeToString([]byte("x" + key + "y")),
		"in base64 as a user":            base64.StdEncoding.EncodeToString([]byte("me:" + key)),
		"in base64 for URLs":             base64.RawURLEncoding.EncodeToString([]byte("??" + key + "??>")),
		"in base64 in JSON":              strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte("?>"+key)), "/", `\/`),
		"in hexadecimal digits":          hex.EncodeToString([]byte(key)),
		"in capital digits":              strings.ToUpper(hex.EncodeToString([]byte(key))),
		"in digits with colons":          each(func(c byte) string { return fmt.Sprintf("%02x:", c) }),
		"cut at the end":                 key[:len(key)-3],
		"cut after eight characters":     key[:8],
		"cut in base64":                  base64.StdEncoding.EncodeToString([]byte(key))[:12],
	}
}

// shown returns how long the longest piece of the key is that a reader finds in a
// text, whatever it is wrapped in.
func shown(text, key string) int {
	longest := 0
	for _, t := range unwrapped(text) {
		t = strings.ToLower(strings.Map(func(r rune) rune {
			if r == '\\' || r == utf8.RuneError || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				return -1
			}
			return r
		}, t))
		for i := range len(key) {
			for n := longest + 1; i+n <= len(key) && strings.Contains(t, strings.ToLower(key[i:i+n])); n++ {
				longest = n
			}
		}
	}
	return longest
}

var (
	jsonEscape  = regexp.MustCompile(`\\+u([0-9a-fA-F]{4})`)
	hexDigits   = regexp.MustCompile(`(?:[0-9a-fA-F]{2}[:]?){8,}`)
	base64Words = regexp.MustCompile(`[A-Za-z0-9+/_-]{12,}`)
)

// unwrapped reads a text in every way that a reader might.
func unwrapped(text string) []string {
	text = jsonEscape.ReplaceAllStringFunc(text, func(s string) string {
		n, _ := strconv.ParseUint(s[len(s)-4:], 16, 32)
		return string(rune(n))
	})
	text = html.UnescapeString(html.UnescapeString(text))
	text = regexp.MustCompile(`%u([0-9a-f]{4})`).ReplaceAllStringFunc(text, func(s string) string {
		n, _ := strconv.ParseUint(s[2:], 16, 32)
		return string(rune(n))
	})
	all := []string{text}
	for range 3 {
		if u, err := url.PathUnescape(text); err == nil {
			text = u
			all = append(all, text)
		}
	}
	for _, h := range hexDigits.FindAllString(text, -1) {
		if b, err := hex.DecodeString(strings.ReplaceAll(h, ":", "")); err == nil {
			all = append(all, string(b))
		}
	}
	for _, w := range base64Words.FindAllString(strings.ReplaceAll(text, `\/`, "/"), -1) {
		w = strings.NewReplacer("-", "+", "_", "/").Replace(w)
		for cut := range 4 {
			if len(w)-cut > 8 {
				b, _ := base64.RawStdEncoding.DecodeString(w[cut : cut+(len(w)-cut)/4*4])
				all = append(all, string(b))
			}
		}
	}
	return all
}

func TestVeilHidesKeysInDisguise(t *testing.T) {
	keys := []string{testAccess, testSecret, testAsync, "0f8fad5b-d9cd-469f-a165-70867728950e", `Kx+c/d=e"f'g<h!`}
	var secrets []Secret
	for _, k := range keys {
		secrets = append(secrets, NewSecret(k))
	}
	v := NewVeil(secrets...)
	for _, key := range keys {
		for name, text := range disguises(key) {
			for _, around := range [][2]string{{"", ""}, {"before ", ""}, {`{"Echo":"`, `"}`}, {"\\\\", "%"}} {
				whole := around[0] + text + around[1]
				if around[1] != "" && strings.Contains(name, "cut") {
					continue // a piece in the middle of a text is not a cut
				}
				got := v.Text(whole)
				if n := shown(got, key); n >= longKey {
					t.Errorf("%s: %q shows %d characters of %q: %q", name, whole, n, key, got)
				}
				if !strings.Contains(got, "***") || !strings.HasPrefix(got, around[0]) && around[0] != "\\\\" {
					t.Errorf("%s: %q became %q", name, whole, got)
				}
				if around[1] == `"}` && json.Valid([]byte(whole)) && !json.Valid([]byte(got)) {
					t.Errorf("%s: %q is not JSON any more: %q", name, whole, got)
				}
				if b := string(v.bytes([]byte(whole))); b != got {
					t.Errorf("%s: bytes became %q, the text %q", name, b, got)
				}
			}
		}
	}
}

// Wherever a server puts a key into its answer, no text that leaves the client holds it.
func TestNoTextOfTheClientHoldsAKey(t *testing.T) {
	quote := func(s string) string { b, _ := json.Marshal(strings.ToValidUTF8(s, "\uFFFD")); return string(b) }
	places := map[string]func(key string) (int, string){
		"message": func(k string) (int, string) {
			return 500, `{"ExceptionType":"MXa","ExceptionMessage":` + quote(k) + `}`
		},
		"message, written as it is": func(k string) (int, string) { return 500, `{"ExceptionType":"MXa","ExceptionMessage":"` + k + `"}` },
		"behind 985 characters": func(k string) (int, string) {
			return 500, `{"ExceptionType":"MXa","ExceptionMessage":` + quote(strings.Repeat("x", 985)+k) + `}`
		},
		"exception type": func(k string) (int, string) { return 500, `{"ExceptionType":` + quote("MX"+k) + `}` },
		"record's id":    func(k string) (int, string) { return 200, `{"Status":0,"CreatedOpportunityId":` + quote(k) + `}` },
		"conflicting id": func(k string) (int, string) { return 200, `{"Status":0,"ConflictedOpportunityId":` + quote(k) + `}` },
		"lead's id": func(k string) (int, string) {
			return 200, `{"Status":0,"CreatedOpportunityId":"` + anID + `","RelatedProspectId":` + quote(k) + `}`
		},
		"request id": func(k string) (int, string) { return 200, `{"RequestID":` + quote(k) + `}` },
		"across 64 KiB": func(k string) (int, string) {
			return 500, `{"ExceptionType":"MXa","Echo":"` + strings.Repeat("z", 65536-40) + k + `"}`
		},
		"plain text of 285": func(k string) (int, string) { return 400, strings.Repeat("y", 285) + k },
		"page":              func(k string) (int, string) { return 502, "<html>" + k + "</html>" },
		"host": func(k string) (int, string) {
			return 401, `{"ExceptionMessage":` + quote("use api-"+k+".leadsquared.com") + `}`
		},
	}
	for _, key := range []string{testAccess, testSecret, testAsync} {
		for form, text := range disguises(key) {
			for place, answer := range places {
				if strings.Contains(form, "cut") && place != "behind 985 characters" && place != "plain text of 285" {
					continue
				}
				status, body := answer(text)
				var e LogEntry
				c := testClient(t, Config{Host: "api.example.com", AsyncHost: "async.example.com", Log: func(l LogEntry) { e = l }, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
					return reply(status, body), nil
				})})
				_, read := c.LeadsByEmail(t.Context(), nil, "a@example.com")
				for _, o := range []Outcome{c.Make(t.Context(), nil, MakeOpportunity, nil), c.Make(t.Context(), nil, QueueOpportunity, nil), read} {
					for _, s := range []string{o.Message, o.ExceptionType, o.ID, o.LeadID, o.RequestID, o.RightHost, Code(o), string(o.Body), e.Message, string(e.ResponseBody)} {
						if len(s) > 2000 {
							s = s[len(s)-500:] // the places of the keys
						}
						if n := shown(s, key); n > longKey {
							t.Fatalf("%s, %s: %d characters of %q in %.200q", place, form, n, key, s)
						}
					}
				}
			}
		}
	}
}

func TestVeilLeavesOtherTextsAlone(t *testing.T) {
	v := NewVeil(NewSecret(testAccess), NewSecret(testSecret), NewSecret(testAsync), NewSecret("abcd"), NewSecret("no"))
	for _, s := range []string{
		"", "u", "u$r", "u$r0123", "asynckey-42-abc and more", "s3cr3t", "ABCD", "no", `{"Status":0,"CreatedOpportunityId":"` + anID + `"}`, `100 % of \u00e9 &amp; \n`, "%", "%2", "%25", `\`, `\u`, `\u12`, "&#", "&#x", "&#99999999;", "\xff\xfe",
	} {
		if got := v.Text(s); got != s {
			t.Errorf("%q became %q", s, got)
		}
		if v.Holds(s) {
			t.Errorf("%q is said to hold a key", s)
		}
	}
	if got := v.Text("xabcdx"); got != "x***x" {
		t.Errorf("a short key: %q", got)
	}
	var none *Veil
	if got := none.Text("x") + new(Veil).Text("y"); got != "xy" {
		t.Errorf("no keys: %q", got)
	}
}

func FuzzVeil(f *testing.F) {
	for _, text := range disguises(testSecret) {
		f.Add(text)
	}
	v := NewVeil(NewSecret(testAccess), NewSecret(testSecret))
	f.Fuzz(func(t *testing.T, s string) {
		got := v.Text(s)
		if v.Holds(s) != (got != s) {
			t.Errorf("%q became %q", s, got)
		}
		if strings.Contains(got, testSecret) || strings.Contains(got, testAccess) {
			t.Errorf("%q became %q", s, got)
		}
	})
}

func BenchmarkVeil(b *testing.B) {
	v := NewVeil(NewSecret(testAccess), NewSecret(testSecret), NewSecret(testAsync))
	one := `{"ProspectID":"` + anID + `","EmailAddress":"someone@example.com","mx_City":"Bengaluru","Score":54,"CreatedOn":"2015-07-31 06:35:37.000"},`
	body := []byte(strings.Repeat(one, 1000))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		v.bytes(body)
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
