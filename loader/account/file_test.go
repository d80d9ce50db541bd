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
		{"a tab", "host: h\n\tlimit: 5/5s\n", 0o600, "account file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "account.yaml")
			check(t, os.WriteFile(path, []byte(c.text), c.mode))
			check(t, os.Chmod(path, c.mode))
			a, err := Load(path, func(k string) string { return env[k] })
			var e *fault.Error
			switch {
			case c.want == "":
				check(t, err)
				if a.Host == "env.example.com" || a.AccessKey.IsZero() || a.SecretKey.IsZero() {
					t.Errorf("account %+v", a)
				}
			case strings.Contains(c.want, "by others") && runtime.GOOS == "windows":
			case !errors.As(err, &e) || e.Kind != fault.Usage || e.Hint == "" || !strings.Contains(e.Msg, c.want):
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
	var e *fault.Error
	if errors.As(err, &e) && e.Hint != "" {
		return e.Code
	}
	return fmt.Sprint(err)
}
