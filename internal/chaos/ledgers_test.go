package chaos

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// ledgers does to a ledger between two runs what people, backups and disks do,
// says whether a run noticed, and puts it right again.
type ledgers struct {
	t     *testing.T
	path  string
	older string // a copy of an earlier moment; "": none yet
	sent  int    // how many calls had come in by then
}

func (l *ledgers) files() []string { return []string{l.path, l.path + "-wal", l.path + "-shm"} }

func copyTo(from, to string) error {
	text, err := os.ReadFile(from)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// harm damages or replaces the ledger, lets run do its worst, and puts back what
// was there. run returns the exit code. It returns what was done; "" is nothing.
func (l *ledgers) harm(r *rand.Rand, g *gateway, run func() int) string {
	l.t.Helper()
	keep := filepath.Join(l.t.TempDir(), "kept")
	check(l.t, os.MkdirAll(keep, 0o700))
	for _, f := range l.files() {
		check(l.t, copyTo(f, filepath.Join(keep, filepath.Base(f))))
	}
	wal, err := os.Stat(l.path + "-wal")
	hasWAL := err == nil && wal.Size() > 0
	what := ""
	switch kind := r.IntN(3); {
	case kind == 0 && hasWAL:
		what = "ledgers without -wal"
		check(l.t, os.Remove(l.path+"-wal"))
	case kind == 1 && l.older != "" && g.count() > l.sent+200: // otherwise it lacks nothing: some were still under way
		what = "older ledgers put back"
		for _, f := range l.files() {
			os.Remove(f) // it may not be there
		}
		for i, f := range l.files()[:2] {
			check(l.t, copyTo(l.older+[]string{"", "-wal"}[i], f))
		}
	case kind == 2:
		what = "ledgers cut in half"
		info, err := os.Stat(l.path)
		check(l.t, err)
		check(l.t, os.Truncate(l.path, info.Size()/2))
		for _, f := range l.files()[1:] {
			os.Remove(f) // it may not be there
		}
	default:
		return ""
	}
	before := g.count()
	code := run()
	if after := g.count(); code != 2 && code != 3 || after != before {
		l.t.Errorf("%s: exit %d, %d records sent", what, code, after-before)
	}
	for _, f := range l.files() {
		os.Remove(f) // it may not be there
		check(l.t, copyTo(filepath.Join(keep, filepath.Base(f)), f))
	}
	return what
}

// remember copies the ledger as it is now, to be put back later as a backup would be.
func (l *ledgers) remember(g *gateway) {
	l.sent = g.count()
	l.older = filepath.Join(l.t.TempDir(), "older.db")
	check(l.t, copyTo(l.path, l.older))
	check(l.t, copyTo(l.path+"-wal", l.older+"-wal"))
}
