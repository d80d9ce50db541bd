package account

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"leadload/internal/fault"
	"leadload/loader/pace"
)

func TestLoad(t *testing.T) {
	env := map[string]string{"KEY": "0123", "SECRET": "s", "LEADSQUARED_LIMIT": "10/5s", "LEADSQUARED_HOST": "env.example.com"}
	base := "host: api.example.com\naccess_key: ${KEY}\nsecret_key: ${SECRET}\n"
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		want       string // in the message; "" is success
	}{
		{"whole", base + "limit: 25/5s\ndaily_limit: 1000\ncheck_in: {Source: API, Location: KA}\nasync_host: a.example.com\n", 0o644, ""},
		{"keys in the environment may be read by others", base, 0o644, ""},
		{"an async key that is not set", base + "async_key: ${NOT_SET}\n", 0o644, ""},
		{"a literal key, kept to oneself", "host: h\naccess_key: 0123\nsecret_key: ${SECRET}\n", 0o600, ""},
		{"a literal key that others can read", "host: h\naccess_key: TOPSECRET\nsecret_key: ${SECRET}\n", 0o644, "can be read by others"},
		{"a literal secret that the group can read", "host: h\naccess_key: ${KEY}\nsecret_key: TOPSECRET\n", 0o640, "can be read by others"},
		{"half a literal key that others can read", "host: h\naccess_key: ${KEY}\nsecret_key: TOPSECRET${SECRET}\n", 0o644, "can be read by others"},
		{"a key made of two variables", "host: h\naccess_key: ${KEY}${SECRET}\nsecret_key: ${SECRET}\n", 0o644, ""},
		{"unknown word", base + "limits: 25/5s\n", 0o600, `:4: unknown setting "limits"`},
		{"given twice", base + "host: other\n", 0o600, ":4:"},
		{"a variable that is not set", "host: h\naccess_key: ${NOT_SET}\n", 0o600, "NOT_SET, which is not set"},
		{"empty value", base + "limit:\n", 0o600, ":4:"},
		{"limit that is none", base + "limit: fast\n", 0o600, ":4: limit"},
		{"daily limit of words", base + "daily_limit: many\n", 0o600, ":4: daily_limit"},
		{"daily limit below one", base + "daily_limit: -5\n", 0o600, ":4: daily_limit"},
		{"a list where a value belongs", base + "limit: [25]\n", 0o600, ":4: limit is not a single value"},
		{"check_in of one word", base + "check_in: yes\n", 0o600, "check_in"},
		{"no mapping", "- host\n", 0o600, "not a list of settings"},
		{"empty file", "", 0o600, "empty"},
		{"two documents", base + "---\nhost: x\n", 0o600, "more than one document"},
		{"not YAML", "host: [unclosed\n", 0o600, ":1:"},
		{"nesting without end", "host: " + strings.Repeat("[", 20_000) + "\n", 0o600, ":1: brackets are nested more than"},
		{"nesting by dashes", strings.Repeat("- ", 20_000) + "x\n", 0o600, ":1: this line is nested more than"},
		{"very many lines", strings.Repeat("host: h\n", 6000), 0o600, "lines; at most"},
		{"very large", "host: " + strings.Repeat("h", 2<<20) + "\n", 0o600, "bytes; at most"},
		{"bytes that are not UTF-8", "host: h\xff\n", 0o600, ":1: the account file is not UTF-8"},
		{"a NUL byte", "host: h\x00\n", 0o600, ":1: a NUL byte stands here"},
		{"a tab", "host: h\n\tlimit: 5/5s\n", 0o600, "account file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "account.yaml")
			check(t, os.WriteFile(path, []byte(c.text), c.mode))
			check(t, os.Chmod(path, c.mode))
			a, err := Load(path, func(k string) string { return env[k] })
			var e *fault.Fault
			switch {
			case c.want == "":
				check(t, err)
				if a.Host == "env.example.com" || a.AccessKey.IsZero() || a.SecretKey.IsZero() {
					t.Errorf("account %+v", a)
				}
			case strings.Contains(c.want, "by others") && runtime.GOOS == "windows":
			case !errors.As(err, &e) || e.Code.Trait() != fault.Usage || e.Hint == "" || !strings.Contains(e.Msg, c.want):
				t.Errorf("error %v, want %q in it and a hint", err, c.want)
			case strings.Contains(err.Error()+e.Hint, "TOPSECRET"):
				t.Errorf("the error holds a key: %v", err)
			}
		})
	}
	a, err := Load("", func(k string) string { return env[k] })
	if err != nil || a.Host != "env.example.com" || a.Limit != (pace.Limit{Calls: 10, Window: 5 * time.Second}) || !a.LimitSet {
		t.Errorf("the environment alone: %+v, %v", a, err)
	}
	env["LEADSQUARED_LIMIT"] = "nonsense"
	if _, err := Load("", func(k string) string { return env[k] }); codeOf(err) != "account.setting" {
		t.Errorf("a variable that cannot be read: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), func(string) string { return "" }); codeOf(err) != "account.missing" {
		t.Errorf("no file: %v", err)
	}
}

// A key may stand on any line, by mistake: no message shows it, and nothing keeps it.
func TestKeysOnOtherLines(t *testing.T) {
	const access, secret, other = "u$r7f3aPLANTEDaccess9b21", "5e1fPLANTEDsecret77aa0c43", "PLANTEDpassword41c8ffEE"
	env := map[string]string{"LEADSQUARED_ACCESS_KEY": access, "LEADSQUARED_SECRET_KEY": secret, "OTHER": other}
	keys := "access_key: ${LEADSQUARED_ACCESS_KEY}\nsecret_key: ${LEADSQUARED_SECRET_KEY}\n"
	for _, text := range []string{
		"host: ${LEADSQUARED_ACCESS_KEY}\n" + keys,
		"host: ${LEADSQUARED_SECRET_KEY}.leadsquared.com\n" + keys,
		"host: localhost/${LEADSQUARED_SECRET_KEY}\n" + keys,
		"host: localhost:${LEADSQUARED_SECRET_KEY}\n" + keys,
		"host: localhost\nasync_host: ${LEADSQUARED_SECRET_KEY}\n" + keys,
		"host: localhost\nlimit: ${LEADSQUARED_SECRET_KEY}\n" + keys,
		"host: localhost\nlimit: ${OTHER}/5s\n" + keys,
		"host: localhost\ndaily_limit: ${LEADSQUARED_ACCESS_KEY}\n" + keys,
		"host: localhost\ndaily_limit: ${OTHER}\n" + keys,
		"host: localhost\nname: ${LEADSQUARED_ACCESS_KEY}\n" + keys,
		"host: localhost\nname: prod ${LEADSQUARED_SECRET_KEY}\n" + keys,
		"host: localhost\nname: ${" + secret + "}\n" + keys,
		"host: localhost\nname: ${" + access + "}\n" + keys,
		"host: localhost\nasync_status_path: /${LEADSQUARED_SECRET_KEY}\n" + keys,
		"host: localhost\naccess_key: " + access + "\nsecret_key: ${" + other + "}\napi_key: " + other + "\n",
		"host: localhost\nsecret_key: \"" + other + "\n",
		"host: localhost\npassword: [" + other + "\n",
		"host: localhost\naccess_key: {a: " + other + "}\n",
	} {
		path := filepath.Join(t.TempDir(), "account.yaml")
		check(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := Load(path, func(k string) string { return env[k] })
		var e *fault.Fault
		if !errors.As(err, &e) || e.Code.Trait() != fault.Usage || e.Hint == "" {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for _, key := range []string{access, secret, other} {
			for i := range len(key) - 8 {
				if strings.Contains(strings.ToLower(e.Msg+e.Hint), strings.ToLower(key[i:i+8])) {
					t.Fatalf("%q: the error shows %q: %s (%s)", text, key[i:i+8], e.Msg, e.Hint)
				}
			}
		}
	}
	env = map[string]string{"LEADSQUARED_ACCESS_KEY": access, "LEADSQUARED_LIMIT": secret, "LEADSQUARED_SECRET_KEY": secret}
	if _, err := Load("", func(k string) string { return env[k] }); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("the environment alone: %v", err)
	}
}

// One account has one name, however its host is written, and the names that
// earlier versions gave it are still known.
func TestSpellingsOfAHost(t *testing.T) {
	of := func(host string) []string {
		a := Account{Host: host}
		a.SetKeys("u$rone", "s", "")
		return a.Names()
	}
	for _, group := range [][]string{
		{"api.example.com", " api.example.com", "API.example.com/", "https://api.example.com", "api.example.com//", "api.example.com/v2", "https://api.example.com:443/v2/", "api.example.com:0443", "api.example.com.", "api.example.com.:443"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:08080/", "HTTP://127.0.0.1:8080//", "http://127.0.0.1:8080/v2", " http://[::ffff:127.0.0.1]:8080 "},
		{"api.example.com:8443", "https://api.example.com.:8443/"},
	} {
		first := of(group[0])
		if len(first) != 1 {
			t.Errorf("%q has the names %q", group[0], first)
		}
		for _, host := range group {
			names := of(host)
			if names[0] != first[0] {
				t.Errorf("%q is %q, and %q is %q", group[0], first[0], host, names[0])
			}
			earlier := "keys:" + strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(host), "https://"), "/") + first[0][strings.LastIndexByte(first[0], ':'):]
			if names[len(names)-1] != earlier {
				t.Errorf("%q is not known by its earlier name %q: %q", host, earlier, names)
			}
		}
	}
	if of("api.example.com")[0] == of("api.example.com:8443")[0] || of("http://localhost:443")[0] == of("https://localhost")[0] {
		t.Error("two places are one account")
	}
}

func TestAccountNames(t *testing.T) {
	var a, b Account
	a.SetKeys("u$rone", "s", "")
	b.SetKeys("u$rtwo", "s", "")
	a.Host, b.Host = "https://API.example.com/", "api.example.com"
	if a.Names()[0] == b.Names()[0] {
		t.Error("two users' keys make one account")
	}
	b.SetKeys("u$rone", "other", "")
	if a.Names()[0] != b.Names()[0] || strings.Contains(a.Names()[0], "u$r") {
		t.Errorf("names %q and %q", a.Names(), b.Names())
	}
	for host, want := range map[string]bool{"http://127.0.0.1:80": true, "localhost": true, "[::1]:80": true, "api.example.com": false, "127.0.0.1.example.com": false} {
		if (&Account{Host: host}).Practice() != want {
			t.Errorf("%s: practice %v", host, !want)
		}
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func codeOf(err error) string {
	var e *fault.Fault
	if errors.As(err, &e) && e.Hint != "" {
		return string(e.Code)
	}
	return fmt.Sprint(err)
}
