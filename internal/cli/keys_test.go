package cli

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
)

// The keys that are planted. No nine characters of them in a row may be found anywhere.
const (
	plantedAccess = "u$r7f3aPLANTEDaccess9b21"
	plantedSecret = "5e1fPLANTEDsecret/77+a0c43"
	plantedAsync  = "PLANTEDasync41c8ffEE"
)

// echoes are the forms in which a server gives a key back inside JSON.
var echoes = map[string]func(key string) string{
	"plain":        func(k string) string { return k },
	"URL":          func(k string) string { return url.QueryEscape(url.QueryEscape(k)) },
	"JSON escapes": func(k string) string { return each(k, `\u%04x`) },
	"slashes":      func(k string) string { return strings.ReplaceAll(k, "/", `\/`) },
	"entities":     func(k string) string { return each(k, "&#%d;") },
	"invisible":    func(k string) string { return k[:9] + "\u200b" + k[9:] },
	"base64":       func(k string) string { return base64.StdEncoding.EncodeToString([]byte("me:" + k)) },
	"hexadecimal":  func(k string) string { return hex.EncodeToString([]byte(k)) },
	"capitals":     strings.ToUpper,
	"far behind":   func(k string) string { return strings.Repeat("x", 985) + k },
}

func each(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

// echoing is an account that gives the keys back wherever it can.
func echoing(form func(string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, s := form(plantedAccess), form(plantedSecret)
		switch {
		case strings.Contains(r.URL.Path, "UserByAccessKey"):
			fmt.Fprintf(w, `{"EmailAddress":"%s@example.com","TimeZone":"UTC %s","OrgDisplayName":"%s","OrgId":"1","Role":"%s"}`, a, s, a, s)
		case strings.Contains(r.URL.Path, "Capture"):
			body, _ := io.ReadAll(r.Body)
			if bytes.Contains(body, []byte("b@example.com")) {
				fmt.Fprintf(w, `{"Status":0,"CreatedOpportunityId":"%s","RelatedProspectId":"%s"}`, a, s)
				return
			}
			w.WriteHeader(500)
			fmt.Fprintf(w, `{"ExceptionType":"MX%s","ExceptionMessage":"no: %s","Echo":"%s"}`, a, s, strings.Repeat("z", 65300)+s)
		default:
			w.WriteHeader(500)
			fmt.Fprintf(w, `{"ExceptionType":"MX%s","ExceptionMessage":"%s %s"}`, s, a, s)
		}
	})
}

// TestNoCommandShowsAKey runs every command, in success and failure, against accounts
// that echo the keys, and with keys on the wrong lines, and looks through all that it leaves.
func TestNoCommandShowsAKey(t *testing.T) {
	for name, form := range echoes {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(echoing(form))
			defer srv.Close()
			t.Chdir(t.TempDir())
			write(t, "deals.csv", "Deal,Email,Name\nD1,a@example.com,A\nD2,b@example.com,B\n")
			write(t, "m.yaml", "version: 1\ntarget: opportunity\nkey: Deal\nsearch_by: EmailAddress\nLeadDetails:\n  EmailAddress: {column: Email, type: email}\nOpportunity:\n  OpportunityEventCode: 12000\n  Fields:\n    mx_Custom_1: Name\n")
			keys := "access_key: ${LEADSQUARED_ACCESS_KEY}\nsecret_key: ${LEADSQUARED_SECRET_KEY}\nasync_key: ${LEADSQUARED_ASYNC_KEY}\n"
			write(t, "a.yaml", "host: "+srv.URL+"\nasync_host: "+srv.URL+"\nlimit: off\n"+keys)
			// These hold keys themselves, and are not looked through.
			write(t, "planted-literal.yaml", "host: "+srv.URL+"\nsecret_key: "+plantedSecret+"\naccess_key: '"+plantedAccess+"'\n")
			write(t, "planted-name.yaml", "host: "+srv.URL+"\nname: ${"+plantedAsync+"}\n"+keys)
			for i, line := range []string{"host: ${LEADSQUARED_ACCESS_KEY}", "host: localhost/${LEADSQUARED_SECRET_KEY}", "host: h\nlimit: ${LEADSQUARED_SECRET_KEY}",
				"host: h\ndaily_limit: ${LEADSQUARED_SECRET_KEY}", "host: h\nname: ${LEADSQUARED_ACCESS_KEY}", "host: h\nasync_status_path: ${LEADSQUARED_SECRET_KEY}"} {
				write(t, fmt.Sprintf("wrong%d.yaml", i), line+"\n"+keys)
			}
			env := map[string]string{"LEADSQUARED_ACCESS_KEY": plantedAccess, "LEADSQUARED_SECRET_KEY": plantedSecret, "LEADSQUARED_ASYNC_KEY": plantedAsync,
				"HOME": mustAbs(t, "home"), "XDG_STATE_HOME": mustAbs(t, "state")}
			acct := []string{"--account", "a.yaml"}
			led := append([]string{"--ledger", "l.db"}, acct...)
			commands := [][]string{
				append([]string{"import", "deals.csv", "-m", "m.yaml", "--yes", "--no-settle", "--api-log", "api.log", "-o", "r.csv", "--json"}, led...),
				append([]string{"import", "deals.csv", "-m", "m.yaml", "--yes", "--no-settle", "--ledger", "x.db", "-o", "r.xlsx", "--log-format", "json"}, acct...),
				append([]string{"settle", "--settle-after", "1ms", "--timeout", "2s"}, led...),
				append([]string{"account"}, acct...), append([]string{"account", "--json"}, acct...),
				append([]string{"check", "deals.csv", "-m", "m.yaml", "--online"}, acct...),
				append([]string{"check-in"}, acct...), append([]string{"check-out"}, acct...),
				append([]string{"init", "deals.csv", "--online"}, acct...),
				{"runs", "--ledger", "l.db"}, {"report", "1", "--ledger", "l.db", "-o", "again.xlsx"}, {"ledger", "check", "--ledger", "l.db"},
				{"import", "deals.csv", "-m", "planted-literal.yaml", "--account", "m.yaml"},
				{"check", "deals.csv", "-m", "planted-literal.yaml", "--account", "m.yaml", "--json"},
				{"account", "--account", "planted-name.yaml"},
				append([]string{"import", "deals.csv", "-m", "m.yaml", "--limit", plantedSecret}, led...),
				append([]string{"import", "deals.csv", "-m", "m.yaml", "--" + plantedAsync}, led...),
				{"account", "--account", plantedSecret},
				append([]string{"verify", "deals.csv", "-m", "m.yaml", "--settle-after", "1ms", "--timeout", "2s", "-o", "v.xlsx"}, led...),
				append([]string{"adopt", "deals.csv", "-m", "m.yaml", "--by", "values", "--settle-after", "1ms", "--timeout", "2s", "--yes"}, led...),
				append([]string{"undo", "1", "--yes", "--settle-after", "1ms", "--timeout", "2s", "-o", "u.csv"}, led...),
				append([]string{"forget", "--key", "D1", "--yes"}, led...), append([]string{"accept", "1", "--yes"}, led...),
				{"history", "D2", "--ledger", "l.db"}, append([]string{"fields", "lead"}, acct...), append([]string{"doctor"}, led...),
				append([]string{"ledger", "import", "r.csv", "-m", "m.yaml", "--ledger", "new.db"}, acct...),
				{"ledger", "join", "--account", "planted-name.yaml", "--ledger", "l.db"}, {"ledger", "join", "--account", "wrong4.yaml", "--ledger", "l.db"},
				{"ledger", "take", "--ledger", "l.db"}, {"ledger", "prune", "--keep", "1d", "--ledger", "l.db"},
				{"ledger", "take", "--ledger", "postgres://me:" + plantedSecret + "@127.0.0.1:1/x"}, {"runs", "--ledger", "postgres://me:" + plantedSecret + "@127.0.0.1:1/x"},
				{"ledger", "copy", "l.db", "copied.db"}, {"ledger", "reopen", "--ledger", "l.db"}, {"errors", plantedSecret}, {"run"}, {"schema"}, {"version"}, {"help", plantedAccess}, {"completion", "bash"}, {"completion", "fish"}, {"completion", "powershell"}, {"completion", "zsh"},
			}
			everyCommand(t, commands)
			for i := range 6 {
				commands = append(commands, []string{"account", "--account", fmt.Sprintf("wrong%d.yaml", i)}, []string{"import", "deals.csv", "-m", "m.yaml", "--ledger", "w.db", "--account", fmt.Sprintf("wrong%d.yaml", i)})
			}
			for _, args := range commands {
				var out, err bytes.Buffer
				Main(t.Context(), args, strings.NewReader(""), &out, &err, func(k string) string { return env[k] })
				hasNoPlantedKey(t, strings.Join(args, " ")+": stdout", out.String())
				hasNoPlantedKey(t, strings.Join(args, " ")+": stderr", err.String())
				if out.Len()+err.Len() == 0 {
					t.Errorf("%v says nothing", args)
				}
			}
			looked := 0
			must(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), "planted") {
					return err
				}
				text, err := os.ReadFile(path)
				looked++
				hasNoPlantedKey(t, path, string(text))
				if z, zerr := zip.NewReader(bytes.NewReader(text), int64(len(text))); zerr == nil {
					for _, f := range z.File {
						r, err := f.Open()
						if err != nil {
							return err
						}
						inner, err := io.ReadAll(r)
						if err != nil {
							return err
						}
						hasNoPlantedKey(t, path+": "+f.Name, string(inner))
					}
				}
				return err
			}))
			if looked < 8 {
				t.Errorf("only %d files were looked through", looked)
			}
		})
	}
}

// everyCommand checks that a list of calls has every command of the program. The
// practice account is left out: it knows no keys but its own.
func everyCommand(t *testing.T, calls [][]string) {
	t.Helper()
	a := &app{getenv: func(string) string { return "" }}
	var walk func(c *cobra.Command, path []string)
	walk = func(c *cobra.Command, path []string) {
		leaf := true
		for _, sub := range c.Commands() {
			leaf = false
			walk(sub, append(slices.Clone(path), sub.Name()))
		}
		if leaf && len(path) > 0 && path[0] != "sandbox" && !slices.ContainsFunc(calls, func(args []string) bool { return len(args) >= len(path) && slices.Equal(args[:len(path)], path) }) {
			t.Errorf("no call of leadload %s", strings.Join(path, " "))
		}
	}
	walk(a.root(), nil)
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	must(t, err)
	return abs
}

var (
	escapeOfJSON = regexp.MustCompile(`\\+u([0-9a-fA-F]{4})`)
	wordOfHex    = regexp.MustCompile(`[0-9a-fA-F]{18,}`)
	wordOfBase64 = regexp.MustCompile(`[A-Za-z0-9+/_-]{12,}`)
)

// hasNoPlantedKey looks for pieces of the keys in a text, in every way that a reader might read it.
func hasNoPlantedKey(t *testing.T, where, text string) {
	t.Helper()
	text = escapeOfJSON.ReplaceAllStringFunc(text, func(s string) string {
		n, _ := strconv.ParseUint(s[len(s)-4:], 16, 32)
		return string(rune(n))
	})
	text = html.UnescapeString(text)
	all := []string{text}
	unescaped := text
	for range 3 {
		unescaped = regexp.MustCompile(`%[0-9a-fA-F]{2}`).ReplaceAllStringFunc(unescaped, func(s string) string {
			b, _ := hex.DecodeString(s[1:])
			return string(b)
		})
		all = append(all, unescaped)
	}
	for _, w := range wordOfHex.FindAllString(text, 2000) {
		b, _ := hex.DecodeString(w[:len(w)/2*2])
		all = append(all, string(b))
	}
	for _, w := range wordOfBase64.FindAllString(strings.ReplaceAll(text, `\/`, "/"), 2000) {
		for cut := range 4 {
			if w := w[min(cut, len(w)):]; len(w) > 11 {
				b, _ := base64.RawStdEncoding.DecodeString(w[:len(w)/4*4])
				all = append(all, string(b))
			}
		}
	}
	for _, s := range all {
		s = strings.ToLower(strings.Map(func(r rune) rune {
			if r == '\\' || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				return -1
			}
			return r
		}, s))
		for _, key := range []string{plantedAccess, plantedSecret, plantedAsync} {
			for i := range len(key) - 8 {
				if piece := strings.ToLower(key[i : i+9]); strings.Contains(s, piece) {
					t.Fatalf("%s shows %q of a key", where, piece)
				}
			}
		}
	}
}
