package account

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/pace"
	"leadload/mapping"
)

// accountKeys are the words of an account file, each with its setter. The
// file's texts are taken as written, so that a key such as 0123 stays itself.
var accountKeys = map[string]func(a *Account, v string) error{
	"name":       func(a *Account, v string) error { a.Name = v; return nil },
	"host":       func(a *Account, v string) error { a.Host = v; return nil },
	"async_host": func(a *Account, v string) error { a.AsyncHost = v; return nil },
	"access_key": func(a *Account, v string) error {
		a.AccessKey = leadsquared.NewSecret(v)
		h := sha256.Sum256([]byte(v))
		a.identity = hex.EncodeToString(h[:8])
		return nil
	},
	"secret_key": func(a *Account, v string) error { a.SecretKey = leadsquared.NewSecret(v); return nil },
	"async_key": func(a *Account, v string) error {
		a.AsyncKey, a.hasAsyncKey = leadsquared.NewSecret(v), v != ""
		return nil
	},
	"limit": func(a *Account, v string) error {
		l, err := pace.ParseLimit(v)
		a.Limit, a.LimitSet = l, true
		return err
	},
	"bulk_limit": func(a *Account, v string) (err error) {
		a.BulkLimit, err = ParseBulkLimit(v)
		return err
	},
	"daily_limit": func(a *Account, v string) error {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n <= 0 {
			return fmt.Errorf("%q is not a number of calls above 0", v)
		}
		a.DailyLimit = n
		return nil
	},
	"async_status_path":  func(a *Account, v string) error { a.StatusPath = v; return nil },
	"async_metrics_path": func(a *Account, v string) error { a.MetricsPath = v; return nil },
}

// environment lists the variables, each with the word of the account file that it stands for.
var environment = []struct{ variable, key string }{
	{"LEADSQUARED_HOST", "host"},
	{"LEADSQUARED_ASYNC_HOST", "async_host"},
	{"LEADSQUARED_ACCESS_KEY", "access_key"},
	{"LEADSQUARED_SECRET_KEY", "secret_key"},
	{"LEADSQUARED_ASYNC_KEY", "async_key"},
	{"LEADSQUARED_LIMIT", "limit"},
	{"LEADSQUARED_BULK_LIMIT", "bulk_limit"},
}

// ParseBulkLimit reads the limit of the calls that take many records, such as
// "5/5s". "off" is the zero Limit: no such calls are made.
func ParseBulkLimit(v string) (pace.Limit, error) {
	l, err := pace.ParseLimit(v)
	if l == pace.Unlimited {
		return pace.Limit{}, nil
	}
	return l, err
}

// Load reads an account file, or the environment alone when path is
// "". Values of the form ${NAME} are taken from the environment, and a
// variable of the environment stands in for a word that the file leaves out.
// A file that holds a literal key must not be readable by others. The error
// quotes no key, and no value that came out of a variable: a key may stand on any line.
func Load(path string, getenv func(string) string) (Account, error) {
	a := Account{Limit: DefaultLimit}
	for _, e := range environment {
		a.veiled = append(a.veiled, leadsquared.NewSecret(getenv(e.variable)))
	}
	err := a.read(path, getenv)
	if err == nil {
		err = a.keysOnOtherLines()
	}
	var e *fault.Fault
	if errors.As(err, &e) {
		v := a.Veil()
		return a, &fault.Fault{Code: e.Code, Msg: v.Text(e.Msg), Hint: v.Text(e.Hint)}
	}
	return a, err
}

func (a *Account) read(path string, getenv func(string) string) error {
	set := map[string]bool{}
	if path != "" {
		if err := a.load(path, getenv, set); err != nil {
			return err
		}
	}
	for _, e := range environment {
		v := getenv(e.variable)
		if v == "" || set[e.key] {
			continue
		}
		if err := accountKeys[e.key](a, v); err != nil {
			return fault.New("account.setting", "correct the variable", "environment variable %s: %v", e.variable, bare(err))
		}
	}
	return nil
}

// keysOnOtherLines refuses a key in a setting that is shown to people or kept in the ledger.
func (a *Account) keysOnOtherLines() error {
	var keys []leadsquared.Secret
	for _, k := range a.Keys() {
		if k.Len() >= 8 { // a shorter one may be a part of a name by chance
			keys = append(keys, k)
		}
	}
	v := leadsquared.NewVeil(keys...)
	for _, s := range [...]struct{ key, value string }{
		{"name", a.Name}, {"host", a.Host}, {"async_host", a.AsyncHost}, {"async_status_path", a.StatusPath}, {"async_metrics_path", a.MetricsPath},
	} {
		if v.Holds(s.value) {
			return fault.New("account.setting", "keys belong to access_key, secret_key and async_key alone; a key that was shown to others should be replaced in the account", "%s holds one of the account's keys", s.key)
		}
	}
	return nil
}

// IsFile reports whether a text is an account file: YAML that has a word which only
// an account file has, and no word that it does not have.
func IsFile(text []byte) bool {
	var words map[string]any
	if yaml.Unmarshal(text, &words) != nil {
		return false
	}
	own := false
	for w := range words {
		if accountKeys[w] == nil && w != "check_in" {
			return false
		}
		own = own || w == "host" || w == "access_key" || w == "secret_key"
	}
	return own
}

var (
	variable     = regexp.MustCompile(`\$\{([^}]*)\}`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// keyLike is a line that holds a key by its name.
	keyLike = regexp.MustCompile(`(?im)^[^:#]*(?:key|secret|token|password)[^:#]*:[ \t]*["']?([^"'\r\n]+)`)
)

func (a *Account) load(path string, getenv func(string) string, set map[string]bool) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New("account.missing", "check the path given with --account", "account file %q: there is no such file", path)
	}
	if err != nil {
		return fault.New("account.unreadable", "check your rights to the file", "account file %q cannot be read: %v", path, fault.Pathless(err))
	}
	for _, m := range keyLike.FindAllSubmatch(text, -1) {
		a.veiled = append(a.veiled, leadsquared.NewSecret(strings.TrimSpace(string(m[1]))))
	}
	fail := func(line int, hint, format string, args ...any) error {
		return fault.New("account.setting", hint, "account file %s:%d: %s", path, line, fmt.Sprintf(format, args...))
	}
	if p := mapping.YAMLFault("account file", text); p != nil {
		return fail(p.Line, cmp.Or(p.Hint, "leadload help account shows the form"), "%s", p.Msg)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		line := 1
		var se *yaml.SyntaxError
		if errors.As(err, &se) && se.Token != nil && se.Token.Position != nil {
			line = se.Token.Position.Line
			return fail(line, "leadload help account shows the form", "%s", se.Message)
		}
		return fail(line, "leadload help account shows the form", "it is not YAML")
	}
	if len(file.Docs) > 1 {
		return fail(1, "keep one account a file", "it holds more than one document")
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return fail(1, "leadload help account shows the form", "it is empty")
	}
	m, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok {
		return fail(1, "leadload help account shows the form", "it is not a list of settings such as host: …")
	}
	literal := ""
	for _, kv := range m.Values {
		key, line := kv.Key.String(), kv.Key.GetToken().Position.Line
		if set[key] {
			return fail(line, "keep one of the two", "%q is given twice", key)
		}
		set[key] = true
		if key == "check_in" {
			if err := yaml.NodeToValue(kv.Value, &a.CheckIn); err != nil {
				return fail(line, "write it as check_in: {Source: API, Location: KA}", "check_in is not a list of values")
			}
			continue
		}
		setter := accountKeys[key]
		if setter == nil && (key == "version" || key == "target") {
			return fail(line, "give the mapping with -m, and the account file with --account", "it is a mapping")
		}
		if setter == nil {
			return fail(line, "the words are host, async_host, access_key, secret_key, async_key, limit, bulk_limit, daily_limit, check_in, name"+didYouMean(key), "unknown setting %q", key)
		}
		if _, ok := kv.Value.(ast.ScalarNode); !ok {
			return fail(line, "write it as "+key+": VALUE", "%s is not a single value", key)
		}
		raw := scalarText(kv.Value)
		if strings.HasSuffix(key, "_key") && strings.TrimSpace(variable.ReplaceAllString(raw, "")) != "" {
			literal = key
		}
		missing := ""
		value := variable.ReplaceAllStringFunc(raw, func(s string) string {
			v := getenv(s[2 : len(s)-1])
			if v == "" && missing == "" {
				missing = s[2 : len(s)-1]
			}
			a.veiled = append(a.veiled, leadsquared.NewSecret(v))
			return v
		})
		if missing != "" {
			// An async key is needed by one target alone; the client asks for it then.
			if key == "async_key" || key == "async_host" {
				continue
			}
			if !variableName.MatchString(missing) {
				return fail(line, "write ${NAME}, with the name of a variable and not its value", "%s needs an environment variable, but no variable has the name between the braces", key)
			}
			return fail(line, "export "+missing+"=… in the shell or the job that runs leadload", "%s needs the environment variable %s, which is not set", key, missing)
		}
		if value == "" {
			return fail(line, "give it a value or delete the line", "%s is empty", key)
		}
		if err := setter(a, value); err != nil {
			return fail(line, "correct the value", "%s: %v", key, bare(err))
		}
	}
	if literal != "" && runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			return fault.New("account.readable", "type chmod 600 "+path+", or keep keys in the environment: "+literal+": ${LEADSQUARED_"+strings.ToUpper(literal)+"}",
				"account file %q holds %s and can be read by others (mode %04o)", path, literal, info.Mode().Perm())
		}
	}
	return nil
}

// scalarText is a scalar as written: 0123 stays 0123.
func scalarText(n ast.Node) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	if l, ok := n.(*ast.LiteralNode); ok {
		return l.Value.Value
	}
	return string(bytes.TrimSpace([]byte(n.GetToken().Value)))
}

// didYouMean names the setting that was meant, where one is close.
func didYouMean(key string) string {
	near := fault.Nearest(key, slices.Sorted(maps.Keys(accountKeys)))
	if near == "" {
		return ""
	}
	return "; did you mean " + near + "?"
}

// bare takes the code and the hint off an error that becomes part of another.
func bare(err error) error {
	var e *fault.Fault
	if errors.As(err, &e) {
		return errors.New(e.Msg)
	}
	return err
}
