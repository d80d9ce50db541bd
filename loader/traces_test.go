package loader

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"leadload/internal/fault"
	"leadload/internal/sandbox"
	"leadload/loader/ledger"
	"leadload/loader/ledger/sqlite"
)

// TestTraces says which imports leave a trace of their ledger, and which are held by
// one.
func TestTraces(t *testing.T) {
	const name = "/ledgers/one.db"
	for _, c := range []struct {
		name   string
		first  func(b *bench) // what happens before an import with another ledger
		held   bool
		silent bool // nothing is told to the user on the way
	}{
		{"nothing happened", func(*bench) {}, false, true},
		{"an import with another ledger", func(b *bench) {
			_, err := b.load(b.t.Context(), b.deals("D1,a@example.com,A"))
			check(b.t, err)
		}, true, true},
		{"an import of nothing but refused rows", func(b *bench) {
			b.refuse("", always("no"))
			res, err := b.load(b.t.Context(), b.deals("D1,a@example.com,A"))
			check(b.t, err)
			b.wire.after = nil
			if res.Totals[ledger.ResultRejected] != 1 {
				b.t.Fatalf("the account did: %s", res.Totals)
			}
		}, false, true},
		{"an import of invalid rows", func(b *bench) {
			_, err := b.load(b.t.Context(), b.deals("D1,nobody,A"))
			check(b.t, err)
		}, false, true},
		{"an import in a session without traces", func(b *bench) {
			was := b.o.Traces
			b.o.Traces = ""
			_, err := b.load(b.t.Context(), b.deals("D1,a@example.com,A"))
			check(b.t, err)
			b.o.Traces = was
		}, false, true},
		{"a trace that is damaged", func(b *bench) {
			_, err := b.load(b.t.Context(), b.deals("D1,a@example.com,A"))
			check(b.t, err)
			files, err := filepath.Glob(filepath.Join(b.o.Traces, "*.json"))
			check(b.t, err)
			for _, f := range files {
				check(b.t, os.WriteFile(f, []byte("[{"), 0o600))
			}
			if len(files) == 0 {
				b.t.Error("there is no trace")
			}
		}, false, true},
		{"a trace that cannot be written", func(b *bench) {
			check(b.t, os.WriteFile(filepath.Join(b.dir, "file"), nil, 0o600))
			b.o.Traces = filepath.Join(b.dir, "file", "traces")
			res, err := b.load(b.t.Context(), b.deals("D1,a@example.com,A"))
			check(b.t, err)
			if res.Totals[ledger.ResultLoaded] != 1 {
				b.t.Errorf("the run came to %s", res.Totals)
			}
		}, false, false},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.o.Traces, b.o.LedgerName = filepath.Join(b.dir, "traces"), name
			c.first(b)
			if told := strings.Contains(fmt.Sprint(b.said), "cannot be remembered"); told == c.silent {
				t.Errorf("said %q", b.said)
			}
			other, err := sqlite.Open(filepath.Join(b.dir, "other.db"), sqlite.Options{Unsafe: true})
			check(t, err)
			defer other.Close()
			b.o.Ledger, b.o.LedgerName = other, "/ledgers/other.db"
			before := len(b.wire.calls)
			_, err = b.load(t.Context(), b.deals("D2,b@example.com,B"))
			f := fault.Of(err)
			if held := f != nil && f.Code == "run.new-ledger"; held != c.held || !held && err != nil {
				t.Errorf("held %v, %v", held, err)
			}
			if c.held && (len(b.wire.calls) != before || !strings.Contains(f.Msg, name) || !strings.Contains(f.Hint, "--new-ledger")) {
				t.Errorf("%d calls: %s; %s", len(b.wire.calls)-before, f.Msg, f.Hint)
			}
			if files, _ := filepath.Glob(filepath.Join(b.o.Traces, "*")); runtime.GOOS != "windows" {
				for _, path := range files {
					if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || !strings.HasSuffix(path, ".json") {
						t.Errorf("%s: %v, %v", path, info.Mode(), err)
					}
				}
			}
		})
	}
}

// TestOtherKeys holds an import with keys that the ledger does not know, where it has
// loaded into an account on the same host: the keys may have been renewed.
func TestOtherKeys(t *testing.T) {
	for _, c := range []struct {
		name  string
		first string // the row of the import before
		then  func(b *bench)
		held  bool
	}{
		{"new keys", "D1,a@example.com,A", func(b *bench) { b.o.Account.SetKeys("other", "keys", "") }, true},
		{"new keys and a name", "D1,a@example.com,A", func(b *bench) { b.o.Account.SetKeys("other", "keys", ""); b.o.Account.Name = "acme" }, true},
		{"another host", "D1,a@example.com,A", func(b *bench) { b.o.Account.Host = "http://127.0.0.2:9"; b.o.Account.SetKeys("other", "keys", "") }, false},
		{"nothing was loaded", "D1,nobody,A", func(b *bench) { b.o.Account.SetKeys("other", "keys", "") }, false},
		{"a name for the same keys", "D1,a@example.com,A", func(b *bench) { b.o.Account.Name = "acme" }, false},
	} {
		bubble(t, c.name, func(t *testing.T) {
			b := newBench(t, sandbox.Options{})
			defer b.close()
			b.o.Traces, b.o.LedgerName = filepath.Join(b.dir, "traces"), "/ledgers/one.db"
			_, err := b.load(t.Context(), b.deals(c.first))
			check(t, err)
			c.then(b)
			before := len(b.wire.calls)
			_, err = b.load(t.Context(), b.deals("D2,b@example.com,B"))
			f := fault.Of(err)
			if held := f != nil && f.Code == "run.new-ledger"; held != c.held {
				t.Errorf("held %v, %v", held, err)
			}
			if c.held && (len(b.wire.calls) != before || !strings.Contains(f.Msg, "run 1 loaded on") || !strings.Contains(f.Hint, "ledger join") || !strings.Contains(f.Hint, "--new-ledger")) {
				t.Errorf("%d calls: %s; %s", len(b.wire.calls)-before, f.Msg, f.Hint)
			}
		})
	}
}
