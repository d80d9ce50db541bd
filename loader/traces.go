package loader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
)

// trace says that an import has loaded into an account, with a ledger.
type trace struct {
	Ledger string    `json:"ledger"` // its path, or the address of a database
	Last   time.Time `json:"last"`   // when the newest import began
}

// traceFiles are where the traces of the session's account are kept, one file for
// each of its names.
func (s *Session) traceFiles() (paths []string) {
	if s.o.Traces == "" {
		return nil
	}
	for _, name := range s.o.Account.Names() {
		paths = append(paths, filepath.Join(s.o.Traces, nameHash(name)+".json"))
	}
	return paths
}

// readTraces returns what a file has; nothing where it is not there or damaged: it
// only warns.
func readTraces(path string) (list []trace) {
	text, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(text, &list) != nil {
		return nil
	}
	return list
}

// writeTraces replaces a file of traces. It is there whole or not at all.
func writeTraces(path string, list []trace) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "traces-*") // 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		os.Remove(temp.Name())
	}
	return err
}

// remember leaves a trace of an import that is about to send. It reports whether
// the account had none of this ledger.
func (s *Session) remember(at time.Time) (fresh bool) {
	for _, path := range s.traceFiles() {
		list := readTraces(path)
		i := slices.IndexFunc(list, func(t trace) bool { return t.Ledger == s.o.LedgerName })
		if i < 0 {
			fresh, i = true, len(list)
			list = append(list, trace{Ledger: s.o.LedgerName})
		}
		list[i].Last = at
		if err := writeTraces(path, list); err != nil {
			s.o.Notify(fmt.Sprintf("that this account is loaded with the ledger %s cannot be remembered: %v", s.o.LedgerName, fault.Pathless(err)))
		}
	}
	return fresh
}

// unremember takes the trace back of an import by which nothing came into the account.
func (s *Session) unremember() {
	for _, path := range s.traceFiles() {
		list := slices.DeleteFunc(readTraces(path), func(t trace) bool { return t.Ledger == s.o.LedgerName })
		if err := writeTraces(path, list); err != nil {
			s.o.Notify(fmt.Sprintf("the note about the ledger %s cannot be taken back: %v", s.o.LedgerName, fault.Pathless(err)))
		}
	}
}

// arrived reports whether a run's rows came into the account, or may have.
func arrived(rows ledger.Counts) bool {
	for _, r := range [...]ledger.Result{ledger.ResultLoaded, ledger.ResultUpdated, ledger.ResultAlready, ledger.ResultDuplicate, ledger.ResultPending, ledger.ResultInDoubt, ledger.ResultChanged, ledger.ResultConflict} {
		if rows[r] > 0 {
			return true
		}
	}
	return false
}

// otherKeys returns the newest import by which rows came into an account of the
// session's host that has other keys; nil: there is none. Keys that were renewed make
// another account of one that has no name.
func (s *Session) otherKeys(ctx context.Context) (*ledger.Run, error) {
	host, err := leadsquared.HostName(s.o.Account.Host)
	if err != nil {
		return nil, nil // nothing can be sent there
	}
	runs, err := s.led.Runs(ctx, ledger.RunQuery{Newest: 1000})
	if err != nil {
		return nil, err
	}
	for i := range runs {
		r := &runs[i]
		if r.Command != "import" || r.Account == s.acct || r.Calls == 0 || r.Did.Sum() > 0 && !arrived(r.Did) {
			continue
		}
		if at, err := leadsquared.HostName(r.AccountName); err == nil && at == strings.TrimPrefix(host, "http://") {
			return r, nil
		}
	}
	return nil, nil
}

// begun holds an import with a ledger that knows nothing of the account, where
// something else knows of earlier imports: the rows would be loaded a second time.
func (s *Session) begun(ctx context.Context, j *Job) error {
	if j.NewLedger || s.o.Traces == "" {
		return nil
	}
	if used, err := s.led.Used(ctx, s.acct); err != nil || used {
		return err
	}
	var newest, own trace // of another ledger, and of this one as it was
	for _, path := range s.traceFiles() {
		for _, t := range readTraces(path) {
			switch {
			case t.Ledger == s.o.LedgerName:
				own = t
			case t.Last.After(newest.Last):
				newest = t
			}
		}
	}
	const all = "where the rows are to be loaded all the same, add --new-ledger"
	if newest.Ledger != "" {
		hint := fmt.Sprintf("use that ledger: --ledger %s; %s", newest.Ledger, all)
		if _, err := os.Stat(newest.Ledger); errors.Is(err, fs.ErrNotExist) && filepath.IsAbs(newest.Ledger) {
			hint = fmt.Sprintf("that ledger is no longer there: put it back, or find the rows in the account with leadload adopt; %s", all)
		}
		return fault.New("run.new-ledger", hint, "the ledger %s knows nothing of this account, and an import on %s loaded into it with the ledger %s. Nothing was sent",
			s.o.LedgerName, newest.Last.Local().Format("2 January 2006"), newest.Ledger)
	}
	old, err := s.otherKeys(ctx)
	if err != nil {
		return err
	}
	if old != nil {
		return fault.New("run.new-ledger", fmt.Sprintf("where only the keys have changed, write a name into the account file and type leadload ledger join --account FILE, once with the old keys and once with the new ones; or find the rows in the account with leadload adopt; %s", all),
			"the ledger %s knows nothing of an account with these keys, and run %d loaded on %s into one on this host with other keys. Nothing was sent", s.o.LedgerName, old.ID, old.Started.Local().Format("2 January 2006"))
	}
	results := ""
	if j.Beside != nil {
		var err error
		if results, err = j.Beside(s.o.Account.Display()); err != nil {
			return err
		}
	}
	if results == "" && own.Ledger == "" {
		return nil
	}
	if results == "" {
		return fault.New("run.new-ledger", "put the lost one back, or write its rows into this one: leadload ledger import RESULTS, or leadload adopt; "+all,
			"the ledger %s knows nothing of this account, and an import on %s loaded into it with a ledger of this name, which was lost. Nothing was sent", s.o.LedgerName, own.Last.Local().Format("2 January 2006"))
	}
	return fault.New("run.new-ledger", fmt.Sprintf("use the ledger of that load with --ledger, or write its rows into this one: leadload ledger import %s, or leadload adopt; %s", results, all),
		"the ledger %s knows nothing of this account, and %s names rows that were loaded into it. Nothing was sent", s.o.LedgerName, results)
}
