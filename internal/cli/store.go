package cli

import (
	"context"
	"errors"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/ledger/postgres"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/pace"
)

// store is an open ledger with a name for people.
type store interface {
	ledger.Copier
	Made() bool // it was not there before
}

// storeOptions say how to open a ledger.
type storeOptions struct {
	readOnly, mustExist bool
	instead             string        // what to do where a ledger that must exist is missing; "" is to name another or to load first
	closed              bool          // also one that was moved
	alone               bool          // no run may use it at the same time; a database sees to that itself
	seen                string        // folder of the numbers of the newest runs of ledgers; "": an older ledger is as good
	take                bool          // a ledger that lacks something is taken as it is
	patience            time.Duration // how long a database may be away; 0 is 15 min
	notify              func(string)  // may be nil
}

// openStore opens the ledger that a flag or a variable names: a file, or a
// database. flag says that it was the flag, which everybody on the machine can
// read in the list of processes.
func (a *app) openStore(ctx context.Context, name string, flag bool, o storeOptions) (store, error) {
	if !postgres.IsURL(name) {
		led, err := sqlite.Open(name, sqlite.Options{ReadOnly: o.readOnly, MustExist: o.mustExist, Instead: o.instead, Closed: o.closed, Seen: o.seen, Take: o.take, Notify: o.notify})
		if err == nil && o.alone {
			if err = led.Alone(ctx); err != nil {
				err = errors.Join(err, led.Close())
			}
		}
		if err != nil {
			return nil, err
		}
		return led, nil
	}
	// A variable stands for its flag, and is nobody else's to read.
	if flag && name != a.getenv("LEADLOAD_LEDGER") && postgres.HasPassword(name) {
		return nil, usageError("leave the password out of the URL: set PGPASSWORD, or write it into ~/.pgpass or a service file",
			"--ledger holds a password, which everybody on this machine can read in the list of processes")
	}
	led, err := postgres.Open(ctx, name, postgres.Options{ReadOnly: o.readOnly, MustExist: o.mustExist, Instead: o.instead, Closed: o.closed, Patience: o.patience, Notify: o.notify})
	if err != nil {
		return nil, err
	}
	return led, nil
}

// sharedPace returns what opens the memory of the pace in the ledger's database;
// nil where the ledger is a file. A command without a ledger shares it as well.
func (a *app) sharedPace(ctx context.Context, c *common, k *connection, notify func(string)) (func(string) (pace.Store, error), error) {
	led := k.led
	if led == nil && !c.sandbox {
		name, err := a.ledgerPath(c)
		if err != nil || !postgres.IsURL(name) {
			return nil, err
		}
		// It is no reason to do without the command that the database is away.
		if k.paced, err = a.openStore(ctx, name, c.ledger != "", storeOptions{readOnly: true, patience: time.Second}); err != nil {
			notify("the pace of other machines is not known: " + err.Error())
			return nil, nil
		}
		led = k.paced
	}
	if shared, ok := led.(*postgres.Ledger); ok {
		return shared.Pace, nil
	}
	return nil, nil
}
