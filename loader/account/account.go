// Package account is what is known of a LeadSquared account before and beside a
// run: which one it is and how fast it may be called, from its file and the
// environment, and what it says of its fields, kept for a day.
//
// A change belongs here when it adds a word to the account file, or something
// that check --online compares with the account.
package account

import (
	"net"
	"strings"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/pace"
)

// Account says which LeadSquared account to load into, and how fast.
type Account struct {
	Name        string // optional: names the account for the ledger for good, whatever its keys
	Host        string
	AsyncHost   string
	AccessKey   leadsquared.Secret
	SecretKey   leadsquared.Secret
	AsyncKey    leadsquared.Secret
	Limit       pace.Limit // 25 calls in 5 s unless set: the vendor's rate-limit page
	LimitSet    bool
	BulkLimit   pace.Limit // of the calls that take many records; zero: none are made
	DailyLimit  int64      // 0: none
	CheckIn     map[string]any
	StatusPath  string // async API; "" is the usual path
	MetricsPath string

	hasAsyncKey bool
	identity    string               // names the account for the ledger when it has no Name: host and a hash of the access key
	veiled      []leadsquared.Secret // values that came out of variables, which no message quotes
}

// SetKeys sets the three keys.
func (a *Account) SetKeys(access, secret, async string) {
	for key, v := range map[string]string{"access_key": access, "secret_key": secret, "async_key": async} {
		_ = accountKeys[key](a, v) // keys may be any text
	}
}

// NameOnly names the account for the ledger, whatever its host and keys.
func (a *Account) NameOnly(name string) { a.Name, a.identity = name, "" }

// Names are what the ledger knows the account by. The hash of the access key
// tells two accounts on one host apart without keeping the key. The host has one
// form, however it is written; the form of earlier versions, the text of the
// setting, follows, so that a ledger of theirs is still known.
func (a *Account) Names() []string {
	var out []string
	if a.Name != "" {
		out = append(out, "name:"+a.Name)
	}
	if a.identity == "" {
		return out
	}
	out = append(out, a.place())
	if earlier := "keys:" + strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(a.Host), "https://"), "/") + ":" + a.identity; earlier != a.place() {
		out = append(out, earlier)
	}
	return out
}

// Place names the account by host and keys alone, whatever it is called.
func (a *Account) Place() string {
	if a.identity == "" {
		return "name:" + a.Name
	}
	return a.place()
}

func (a *Account) place() string {
	host, err := leadsquared.HostName(a.Host)
	if err != nil {
		host = strings.ToLower(a.Host) // nothing can be sent there
	}
	return "keys:" + host + ":" + a.identity
}

// Keys are the account's keys, for hiding them.
func (a *Account) Keys() []leadsquared.Secret {
	return []leadsquared.Secret{a.AccessKey, a.SecretKey, a.AsyncKey}
}

// Veil returns a Veil over all that no message about the account's settings may
// quote: its keys, and every value that came out of a variable.
func (a *Account) Veil() *leadsquared.Veil {
	return leadsquared.NewVeil(append(a.Keys(), a.veiled...)...)
}

// BareHost is the host without scheme, port and path.
func (a *Account) BareHost() string {
	h := strings.ToLower(strings.TrimSpace(a.Host))
	if _, rest, ok := strings.Cut(h, "://"); ok {
		h = rest
	}
	h, _, _ = strings.Cut(h, "/")
	if host, _, err := net.SplitHostPort(h); err == nil {
		h = host
	}
	return h
}

// Practice reports whether the account is served by this machine, so that
// no one has to be asked before something is sent to it.
func (a *Account) Practice() bool {
	h := a.BareHost()
	ip := net.ParseIP(strings.Trim(h, "[]"))
	return strings.EqualFold(h, "localhost") || ip != nil && ip.IsLoopback()
}

// AsyncProblem reports what the async API still needs; nil means nothing.
func (a *Account) AsyncProblem() error {
	switch {
	case a.AsyncHost == "":
		return fault.New("account.async", "write async_host: asyncapi-in21.leadsquared.com (your region's) into the account file, or set LEADSQUARED_ASYNC_HOST", "target opportunity-async needs the async host")
	case !a.hasAsyncKey:
		return fault.New("account.async", "write async_key: ${LEADSQUARED_ASYNC_KEY} into the account file, or set LEADSQUARED_ASYNC_KEY; the key comes from the vendor's support", "target opportunity-async needs the async key (x-api-key)")
	}
	return nil
}

// Display is what people call the account.
func (a *Account) Display() string {
	if a.Name != "" {
		return a.Name
	}
	return strings.TrimPrefix(strings.TrimPrefix(a.Host, "https://"), "http://")
}

// DefaultLimit is the limit of most accounts (vendor's rate-limit page).
var DefaultLimit = pace.Limit{Calls: 25, Window: 5e9}
