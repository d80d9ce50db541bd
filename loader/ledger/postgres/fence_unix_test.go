//go:build unix

package postgres

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
)

// TestStopped says that a holder that is stopped past its lease, between an
// intent that is written and its call, sends nothing when it goes on: another
// has taken the account over by then. Without the fence it sends.
func TestStopped(t *testing.T) {
	url := server(t)
	for _, c := range []struct {
		name   string
		fenced bool
		want   int64
	}{{"fenced", true, 0}, {"without the fence", false, 1}} {
		t.Run(c.name, func(t *testing.T) {
			var calls atomic.Int64
			account := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				fmt.Fprint(w, "{}")
			}))
			defer account.Close()
			name := schema(t, url)
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			holder := exec.CommandContext(t.Context(), self, "-test.run", "^TestHolder$")
			holder.Env = append(os.Environ(), "LEADLOAD_HOLDER="+name, "LEADLOAD_HOLDER_ACCOUNT="+account.URL, fmt.Sprint("LEADLOAD_HOLDER_FENCED=", c.fenced))
			in, ierr := holder.StdinPipe()
			out, oerr := holder.StdoutPipe()
			if err := errors.Join(ierr, oerr, holder.Start()); err != nil {
				t.Fatal(err)
			}
			defer holder.Wait()
			defer in.Close()
			words := bufio.NewScanner(out)
			expect := func(word string) {
				t.Helper()
				for words.Scan() {
					if strings.HasPrefix(words.Text(), word) {
						return
					}
				}
				t.Fatalf("the holder never said %q", word)
			}
			expect("intent")
			if err := holder.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			other, err := Open(t.Context(), url, Options{schema: name, lease: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			acct, err := other.Enroll(t.Context(), "api.example.com", []string{"keys:api.example.com:1"})
			if err != nil {
				t.Fatal(err)
			}
			var lease ledger.Lease
			refused := 0
			for {
				lease, err = other.Lease(t.Context(), acct, ledger.Holder{Who: "another host"})
				var held *ledger.Held
				if !errors.As(err, &held) {
					break
				}
				if refused++; held.Who != "the holder" || held.Since.IsZero() {
					t.Errorf("held by %v", held)
				}
				pause(1)
			}
			if err != nil || refused == 0 {
				t.Fatalf("the lease of a holder that was alive a moment ago: refused %d times, %v", refused, err)
			}
			if n, err := other.Recover(t.Context(), lease); err != nil || n != 1 {
				t.Errorf("%d rows are cut off, %v; want 1", n, err)
			}
			open, err := other.Open(t.Context(), ledger.Query{Account: acct, Limit: 9})
			if err != nil || len(open) != 1 {
				t.Fatalf("open %+v, %v", open, err)
			}
			// The call may have left at the end of the lease and last as long as its timeout.
			if o := open[0]; !o.Firm || time.Until(o.Ended) < 30*time.Second || time.Until(o.Ended) > time.Minute {
				t.Errorf("its call has ended in %s, by the lease: %v; want nearly 1m0s", time.Until(o.Ended), o.Firm)
			}
			fmt.Fprintln(in, "go")
			if err := holder.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			expect("called")
			expect("fenced")
			if n := calls.Load(); n != c.want {
				t.Errorf("%d calls came to the account, want %d", n, c.want)
			}
		})
	}
}

// TestHolder is the holder of TestStopped.
func TestHolder(t *testing.T) {
	name := os.Getenv("LEADLOAD_HOLDER")
	if name == "" {
		t.Skip("it is run by TestStopped")
	}
	f := ledgertest.New(t, func(t testing.TB) ledger.Store {
		l, err := Open(t.Context(), server(t), Options{schema: name, lease: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
	var err error
	f.Lease, err = f.Store.Lease(t.Context(), f.Acct, ledger.Holder{Who: "the holder", Command: "import", Timeout: time.Minute})
	f.Check(err)
	c := leadsquared.Config{Host: os.Getenv("LEADLOAD_HOLDER_ACCOUNT"), AccessKey: leadsquared.NewSecret("access"), SecretKey: leadsquared.NewSecret("secret")}
	if os.Getenv("LEADLOAD_HOLDER_FENCED") == "true" {
		c.Fence = func() error { return f.Store.Fence(f.Lease) }
	}
	client, err := leadsquared.New(c)
	f.Check(err)
	e := f.Plan(f.Run(), ledgertest.Entry(2, "A", "x", "1"), ledgertest.Entry(3, "B", "x", "2"))
	f.Check(f.Sending(e[0].Record))
	fmt.Println("intent")
	bufio.NewReader(os.Stdin).ReadString('\n')
	_, out := client.Self(t.Context(), nil)
	fmt.Println("called:", out.Verdict)
	for what, err := range map[string]error{
		"an intent":  f.Sending(e[1].Record),
		"an outcome": f.Settle(e[0].Record, ledger.Loaded, ledgertest.GUID(1)),
		"the lease":  f.Store.Hold(t.Context(), f.Lease),
	} {
		if !errors.Is(err, ledger.ErrFenced) {
			fmt.Println("not refused:", what, err)
			return
		}
	}
	fmt.Println("fenced")
}

// TestGivenBack says that a lease that was given back is free at once, and that
// the calls under it have ended.
func TestGivenBack(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	open := func(t testing.TB) ledger.Store {
		l, err := Open(t.Context(), url, Options{schema: name})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	f := ledgertest.New(t, open)
	other := open(t)
	defer other.Close()
	if _, err := other.Lease(t.Context(), f.Acct, ledger.Holder{}); !errors.As(err, new(*ledger.Held)) {
		t.Fatalf("a lease that is another's: %v", err)
	}
	e := f.Plan(f.Run(), ledgertest.Entry(2, "A", "x", "1"))
	f.Check(f.Sending(e[0].Record))
	f.Check(f.Store.Close())
	lease, err := other.Lease(t.Context(), f.Acct, ledger.Holder{})
	f.Check(err)
	if n, err := other.Recover(t.Context(), lease); err != nil || n != 1 {
		t.Errorf("%d recovered, %v", n, err)
	}
	list, err := other.Open(t.Context(), ledger.Query{Account: f.Acct, Limit: 9})
	f.Check(err)
	if len(list) != 1 || time.Until(list[0].Ended) > 0 {
		t.Errorf("open %+v", list)
	}
}
