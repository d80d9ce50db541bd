package ledger

import (
	"fmt"
	"slices"
	"strings"
)

// Enrolled is what a ledger knows of the names of an account that is about to be used.
type Enrolled struct {
	Known map[string]int64   // of the names in question, whose they are
	All   map[int64][]string // the names of each account in Known
	Text  map[int64]string   // what people call these accounts
}

// Who returns which account names stand for; 0 is a new one. The error is a
// *Error with code ledger.two-accounts where they stand for two, or where the
// name that people gave stands for an account of another host: a copied account
// file must not make two accounts one, nor one account two.
func (e Enrolled) Who(names []string) (int64, error) {
	var found []int64
	keys := false
	for _, n := range names {
		// Host and keys have several spellings, of which the first one known decides.
		a, isKeys := e.Known[n], hostOf(n) != ""
		if a == 0 || isKeys && keys {
			continue
		}
		if keys = keys || isKeys; !slices.Contains(found, a) {
			found = append(found, a)
		}
	}
	const give = "give the account file a name of its own, or the host and keys that belong to its name"
	switch {
	case len(found) == 0:
		return 0, nil
	case len(found) > 1:
		return 0, &Error{Code: "ledger.two-accounts", Msg: fmt.Sprintf("%s is account %s of this ledger, and %s is account %s", spoken(e.first(names, found[0])), e.called(found[0]), spoken(e.first(names, found[1])), e.called(found[1])),
			Hint: give + "; where they are one account, type leadload ledger join --account FILE"}
	}
	hosts := map[string]bool{}
	for _, n := range e.All[found[0]] {
		if host := hostOf(n); host != "" {
			hosts[host] = true
		}
	}
	given := ""
	for _, n := range names {
		host := hostOf(n)
		if host != "" && (hosts[host] || e.Known[n] != 0) {
			return found[0], nil
		}
		if given == "" {
			given = host
		}
	}
	if given == "" || len(hosts) == 0 {
		return found[0], nil
	}
	return 0, &Error{Code: "ledger.two-accounts", Msg: fmt.Sprintf("%s is account %s of this ledger, and the account file names the host %s", spoken(names[0]), e.called(found[0]), given),
		Hint: give + "; where the account has moved to that host, type leadload ledger join --account FILE"}
}

// first returns the first of the names that an account has.
func (e Enrolled) first(names []string, account int64) string {
	return names[slices.IndexFunc(names, func(n string) bool { return e.Known[n] == account })]
}

// called says what people call an account and on which host it is.
func (e Enrolled) called(account int64) string {
	text := fmt.Sprintf("%q", e.Text[account])
	for _, n := range e.All[account] {
		if host := hostOf(n); host != "" && host != e.Text[account] {
			return text + " on " + host
		}
	}
	return text
}

// hostOf returns the host of a name that is made of host and keys; "" of another.
func hostOf(name string) string {
	rest, ok := strings.CutPrefix(name, "keys:")
	if !ok {
		return ""
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		rest = rest[:i]
	}
	return strings.TrimPrefix(strings.TrimPrefix(rest, "https://"), "http://")
}

// spoken returns a name as people know it.
func spoken(name string) string {
	if n, ok := strings.CutPrefix(name, "name:"); ok {
		return fmt.Sprintf("the name %q", n)
	}
	return "host " + hostOf(name) + " with these keys"
}

// Joined returns the account that all names are to stand for from now on: that of
// the name that people gave. has reports whether an account has a record. The
// error is a *Error where that would hide rows.
func (e Enrolled) Joined(names []string, has func(account int64) (bool, error)) (int64, error) {
	if len(names) < 2 || hostOf(names[0]) != "" {
		return 0, &Error{Code: "usage", Msg: "the account file has no name that could join its accounts", Hint: "write name: … into the account file, as it is in the others"}
	}
	into := e.Known[names[0]]
	for _, n := range names[1:] {
		other := e.Known[n]
		if into == 0 {
			into = other
		}
		if other == 0 || other == into {
			continue
		}
		rows, err := has(other)
		if err != nil {
			return 0, err
		}
		if rows {
			return 0, &Error{Code: "ledger.two-accounts", Msg: fmt.Sprintf("account %s and account %s both have rows, which cannot be joined", e.called(into), e.called(other)),
				Hint: "leave name out of the account file to go on with the second; load the results of the first into it with leadload ledger import RESULTS -m MAPPING"}
		}
	}
	if into == 0 {
		return 0, &Error{Code: "usage", Msg: "the ledger knows no account by these names", Hint: "load a file first; check --account and --ledger"}
	}
	return into, nil
}
