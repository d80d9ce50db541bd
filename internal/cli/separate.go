package cli

import (
	"os"
	"path/filepath"
	"strconv"

	"leadload/loader/ledger/postgres"
)

// used is a file that a command is told to use.
type used struct {
	what, path, flag string
	info             os.FileInfo // nil: it is not there
}

// separate is common.separate for a command that is about to begin.
func (a *app) separate(c *common, files []string) error {
	c.files = files
	ledger := ""
	if !c.sandbox || c.ledger != "" {
		ledger, _ = a.ledgerPath(c) // what is wrong with it is told when it is opened
	}
	return c.separate(ledger)
}

// separate refuses one file for two things, one of which writes it: a log or
// metrics in the place of the ledger would destroy it.
func (c *common) separate(ledger string) error {
	var written, all []used
	add := func(writes bool, what, path, flag string) {
		if path == "" || path == "-" {
			return
		}
		u := used{what: what, path: path, flag: flag}
		if abs, err := filepath.Abs(path); err == nil {
			u.path = abs
		}
		u.info, _ = os.Stat(path)
		if u.info != nil && !u.info.Mode().IsRegular() {
			return // a device or a pipe takes whatever comes
		}
		if all = append(all, u); writes {
			written = append(written, u)
		}
	}
	if postgres.IsURL(ledger) {
		ledger = ""
	}
	add(true, "the ledger", ledger, "--ledger")
	if ledger != "" {
		add(true, "the ledger", ledger+"-wal", "--ledger")
		add(true, "the ledger", ledger+"-shm", "--ledger")
	}
	add(true, "the metrics file", c.metrics, "--metrics-file")
	add(true, "the API log", c.apiLog, "--api-log")
	if c.apiLog != "" {
		for n := 1; n <= 5; n++ { // where its former files go
			add(true, "the API log", c.apiLog+"."+strconv.Itoa(n), "--api-log")
		}
	}
	add(false, "the mapping", c.mapping, "-m")
	add(false, "the account file", c.account, "--account")
	for _, f := range c.files {
		add(false, "an input", f, "")
	}
	for _, w := range written {
		for _, u := range all {
			same := u.path == w.path || u.info != nil && w.info != nil && os.SameFile(u.info, w.info)
			if same && u.what != w.what {
				c.metrics = "" // or the command's end would be written there
				return usageError("name another file with "+w.flag, "%s and %s are one file: %q", u.what, w.what, w.path)
			}
		}
	}
	return nil
}
