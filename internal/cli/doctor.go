package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"leadload/converter"
	"leadload/internal/fault"
	"leadload/loader/account"
	"leadload/loader/ledger"
	"leadload/loader/ledger/postgres"
)

func (a *app) doctorCommand() *cobra.Command {
	var o accountOptions
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "look at ledger, account, clock, disk, rights; say what to do",
		Long: `Look at everything that a load needs, and change nothing: which ledger, whose it
is, how large, its last runs; the account file, whether the account answers, its
clock and its limit; the time zone data; the free disk. Each line that is not
well says what to do. The exit code is 0 when nothing is wrong.`,
		Example: `  leadload doctor
  sudo -u crm leadload doctor --account /srv/crm/account.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runDoctor(cmd.Context(), &o) },
	}
	o.plainAccountFlags(cmd)
	o.addLedger(cmd.Flags())
	return cmd
}

// finding is one line of the doctor's.
type finding struct {
	What  string `json:"what"`
	State string `json:"state"` // ok, note, wrong
	Text  string `json:"text"`
	Do    string `json:"what_to_do,omitempty"`
}

// findings are the lines so far, and the worst end that they foretell.
type findings struct {
	list []finding
	end  fault.Trait
}

func (f *findings) ok(what, format string, args ...any) {
	f.list = append(f.list, finding{What: what, State: "ok", Text: fmt.Sprintf(format, args...)})
}

func (f *findings) note(what, do, format string, args ...any) {
	f.list = append(f.list, finding{What: what, State: "note", Text: fmt.Sprintf(format, args...), Do: do})
}

func (f *findings) wrong(what string, err error) {
	_, msg, hint := fault.Words(err)
	f.list = append(f.list, finding{What: what, State: "wrong", Text: msg, Do: hint})
	f.end = max(f.end, fault.TraitOf(err))
}

func (a *app) runDoctor(ctx context.Context, o *accountOptions) error {
	f := &findings{end: fault.Done}
	a.lookAtLedger(ctx, &o.common, f)
	a.lookAtAccount(ctx, &o.common, f)
	f.ok("zone data", "%s", converter.ZoneRelease())
	for i := range f.list {
		f.list[i].Do = a.applies(f.list[i].Do)
	}
	if o.json {
		if err := a.printJSON(map[string]any{"version": 1, "command": "doctor", "findings": f.list, "exit_code": f.end.Exit()}); err != nil {
			return err
		}
	} else {
		if _, err := io.WriteString(a.stdout, f.table(columns(a.stdout))); err != nil {
			return err
		}
	}
	if f.end != fault.Done {
		return &exit{f.end}
	}
	return nil
}

// table is the findings for people, in lines of so many characters; 0 is as
// long as they are.
func (f *findings) table(wide int) string {
	state, what := 0, 0
	for _, x := range f.list {
		state, what = max(state, len(x.State)), max(what, len(x.What))
	}
	var b strings.Builder
	for _, x := range f.list {
		head := fmt.Sprintf("%-*s  %-*s  ", state, x.State, what, x.What)
		indent := strings.Repeat(" ", len(head))
		row := func(head, text string) {
			text = visible(text, true)
			if wide > 0 && utf8.RuneCountInString(text)+len(head) > wide {
				text = breakBelow(text, len(head), indent, wide)
			}
			b.WriteString(head + text + "\n")
		}
		row(head, x.Text)
		if x.Do != "" {
			row(indent, "→ "+x.Do)
		}
	}
	return b.String()
}

// lookAtLedger looks at the ledger, its folder and its last runs.
func (a *app) lookAtLedger(ctx context.Context, c *common, f *findings) {
	path, err := a.ledgerPath(c)
	if err != nil {
		f.wrong("ledger", err)
		return
	}
	if postgres.IsURL(path) {
		led, err := a.openStore(ctx, path, c.ledger != "", storeOptions{readOnly: true, patience: time.Second})
		if err != nil {
			f.wrong("ledger", err)
			return
		}
		defer led.Close()
		f.ok("ledger", "%s can be reached", led.Path())
		a.lookAtRuns(ctx, led, f)
		return
	}
	if strings.Contains(path, "://") {
		f.wrong("ledger", usageError("name a file, or a database as postgres://USER@HOST/DATABASE", "the ledger is named by a URL of a kind that is not known"))
		return
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	folder := filepath.Dir(path)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		f.note("ledger", "the first import begins it; if there were loads before, name their ledger with --ledger or run as the same user", "%s is not there", path)
		for folder != filepath.Dir(folder) && !isDir(folder) {
			folder = filepath.Dir(folder) // the import makes what is missing
		}
	} else if err != nil {
		f.wrong("ledger", usageError("check your rights to the folder", "%s cannot be looked at: %s", path, fault.Pathless(err)))
		return
	} else {
		text := fmt.Sprintf("%s, %s, last written %s", path, sizeOf(info.Size()), info.ModTime().Local().Format("2006-01-02 15:04"))
		owner, mine := ownerOf(info)
		if owner != "" {
			text += ", of " + owner
		}
		if mine {
			f.ok("ledger", "%s", text)
		} else {
			f.note("ledger", "run as "+owner+", such as sudo -u "+owner+" leadload …, so that there is one ledger", "%s; you are somebody else", text)
		}
		if led, err := a.openStore(ctx, path, false, storeOptions{readOnly: true}); err != nil {
			f.wrong("runs", err)
		} else {
			a.lookAtRuns(ctx, led, f)
			led.Close()
		}
	}
	probe, err := os.CreateTemp(folder, ".leadload-doctor-*")
	if err == nil {
		err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	}
	if err != nil {
		f.wrong("rights", usageError("give the user who loads write access to the folder, or name another ledger with --ledger", "no file can be made in %s: %s", folder, fault.Pathless(err)))
	} else {
		f.ok("rights", "files can be made in %s", folder)
	}
	if free, ok := freeSpace(folder); ok {
		if free < lowDisk {
			f.note("disk", "free some space: a full disk stops a load, which goes on when it is run again", "%s are free in %s", sizeOf(int64(free)), folder)
		} else {
			f.ok("disk", "%s are free in %s", sizeOf(int64(free)), folder)
		}
	}
}

// lowDisk is little for a ledger and a results workbook of a large file.
const lowDisk = 1 << 30

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// lookAtRuns tells the newest runs of a ledger.
func (a *app) lookAtRuns(ctx context.Context, led ledger.Reader, f *findings) {
	runs, err := led.Runs(ctx, ledger.RunQuery{Newest: 3})
	if err != nil {
		f.wrong("runs", err)
		return
	}
	if len(runs) == 0 {
		f.ok("runs", "none yet")
	}
	for _, r := range runs {
		text := fmt.Sprintf("%d: %s %s, %s, by %s", r.ID, r.Command, r.Input, r.Started.Local().Format("2006-01-02 15:04"), r.Who)
		switch {
		case r.Ended.IsZero():
			f.note("runs", "if it is not running now, run the same command again: it goes on where it was cut off", "%s, has no end", text)
		case r.Exit == fault.Stopped.Exit():
			f.note("runs", "run the same command again", "%s, stopped early: %s", text, r.Stop)
		case r.Exit == fault.Person.Exit():
			f.note("runs", "open "+r.Out+", sheet Failed", "%s, some rows need a person", text)
		default:
			f.ok("runs", "%s, exit code %d", text, r.Exit)
		}
	}
}

// lookAtAccount reads the account's settings and asks the account who it is.
func (a *app) lookAtAccount(ctx context.Context, c *common, f *findings) {
	if !c.sandbox {
		if c.account == "" && a.getenv("LEADSQUARED_HOST") == "" {
			f.note("account", "name one with --account FILE, or set LEADSQUARED_HOST and the keys; leadload init --samples writes an example", "no account is named")
			return
		}
		acct, err := account.Load(c.account, a.getenv)
		if err != nil {
			f.wrong("account", err)
			return
		}
		f.ok("settings", "host %s, limit %s", acct.Host, acct.Limit)
	}
	k, err := a.connectBriefly(ctx, c)
	if err != nil {
		f.wrong("account", err)
		return
	}
	defer k.close()
	begin := time.Now()
	about, err := k.session.About(ctx)
	if err != nil {
		f.wrong("account", err)
		return
	}
	f.ok("account", "%s answers (%s), as %s of %s", k.account.Host, time.Since(begin).Round(time.Millisecond), about.Self.Email, about.Self.Org)
	if about.HasAhead {
		if d := about.Ahead; d > time.Minute || d < -time.Minute {
			f.note("clock", "set this machine's clock, by NTP for instance", "the account's is %s", ahead(d))
		} else {
			f.ok("clock", "the account's is %s", ahead(d))
		}
	}
	for _, w := range accountWarnings(about, k) {
		if !strings.HasPrefix(w, "the clocks differ") { // told above
			f.note("account", "", "%s", w)
		}
	}
}

// sizeOf writes a number of bytes as people read it.
func sizeOf(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KB", (n+1023)>>10)
}
