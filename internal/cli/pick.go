package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"leadload/internal/fault"
	"leadload/loader"
)

// picking is a command about rows that the ledger knows: those of a run, or those
// with keys. It changes the ledger alone.
type picking struct {
	common
	runFlags
	keys []string
	yes  bool

	verb, past string // "forget", "forgotten"
}

func (o *picking) flags(cmd *cobra.Command) {
	o.accountFlags(cmd)
	o.known = true
	f := cmd.Flags()
	f.StringArrayVar(&o.keys, "key", nil, "a row's key, as the column Key of the results has it; several times for several rows")
	f.BoolVar(&o.yes, "yes", false, "do not ask before anything is "+o.past)
	f.DurationVar(&o.waitLock, "wait-lock", 0, "how long to wait for another run of the account to end")
	o.timeout, o.settleAfter, o.outageLimit = time.Minute, time.Minute, 15*time.Minute
}

// picked reads which rows are named.
func (o *picking) picked(args []string) (p loader.Pick, err error) {
	hint := fmt.Sprintf("type leadload %s RUN, or leadload %s --key KEY; leadload runs lists the numbers", o.verb, o.verb)
	p.Keys = o.keys
	switch {
	case len(args) > 1 || len(args) == 0 && len(o.keys) == 0:
		return p, usageError(hint, "%s takes the number of one run, or keys", o.verb)
	case len(args) == 1 && len(o.keys) > 0:
		return p, usageError(hint, "a run and --key exclude each other")
	case len(args) == 1:
		p.Run, err = runNumber(args[0], hint)
	}
	return p, err
}

// withPicked connects and calls do.
func (a *app) withPicked(ctx context.Context, o *picking, do func(*connection) error) (err error) {
	k, err := a.connect(ctx, &o.common, &o.runFlags, o.verb, a.newProgress(&o.common).notice)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := k.close(); err == nil {
			err = cerr
		}
	}()
	return do(k)
}

// sayUnknown names keys that the ledger does not know.
func (a *app) sayUnknown(keys []string) {
	for _, key := range keys {
		a.say("  the ledger knows no row with the key %s in this account", key)
	}
}

// askPicked asks whether so many rows are to be changed in the ledger.
func (a *app) askPicked(ctx context.Context, o *picking, rows int64) error {
	if rows == 0 || o.yes || o.sandbox {
		return nil
	}
	if !a.canAsk() {
		return fault.New("undo.unasked", "look at the plan above, and then add --yes", "nothing was %s: there is no terminal to ask at", o.past)
	}
	return a.ask(ctx, &fault.Fault{Code: "run.declined", Msg: "nothing was " + o.past, Hint: "answer y to " + o.verb + ", or add --yes"}, "%s %s?", upper(o.verb), count(rows, "row", "rows"))
}

// endPicked prints the end of the command: its summary with --json, and its last line.
func (a *app) endPicked(o *picking, summary any, line string) {
	if o.json {
		a.told(summary)
	}
	a.lastLine(&o.common, line)
}
