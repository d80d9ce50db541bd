//go:build unix

package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
)

// pooler starts PgBouncer before a server, with one session for all clients: whoever
// keeps one between two transactions stops all others. It returns the URL that goes
// through it.
func pooler(t *testing.T, to string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		t.Skip("the program pgbouncer is not installed")
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "leadload-pooler-*") // nobody else comes below the folder of a test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	_, port, _ := net.SplitHostPort(at)
	l.Close()
	login := "user=" + u.User.Username()
	if password, _ := u.User.Password(); password != "" {
		login += " password='" + strings.ReplaceAll(password, "'", "''") + "'"
	}
	config := fmt.Sprintf(`[databases]
%[1]s = host=%[2]s port=%[3]s dbname=%[1]s %[4]s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %[5]s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 1
max_client_conn = 100
`, strings.TrimPrefix(u.Path, "/"), u.Hostname(), u.Port(), login, port)
	file := filepath.Join(dir, "pooler.ini")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, file)
	cmd.Dir = dir
	if os.Getuid() == 0 { // as whom it refuses to run
		as, err := user.Lookup("nobody")
		if err != nil {
			t.Skip("there is no user nobody to run pgbouncer")
		}
		uid, uerr := strconv.ParseUint(as.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(as.Gid, 10, 32)
		if err := errors.Join(uerr, gerr, os.Chown(dir, int(uid), int(gid)), os.Chown(file, int(uid), int(gid))); err != nil {
			t.Fatal(err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	for try := 1; ; try++ {
		c, err := net.Dial("tcp", at)
		if err == nil {
			c.Close()
			break
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("pgbouncer: %v\n%s", err, said.String())
		default:
			pause(1)
		}
	}
	u.Host = at
	return u.String()
}

// TestBehindAPooler says that nothing hangs on a session: the ledger is the same where
// each transaction of each client gets the same one. A copy between two databases
// needs two at once, and is left out.
func TestBehindAPooler(t *testing.T) {
	through := pooler(t, server(t))
	ledgertest.Run(t, func(t testing.TB) ledgertest.Open {
		name := schema(t, through)
		return func(t testing.TB) ledger.Store {
			l, err := Open(t.Context(), through, Options{schema: name})
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
	}, "OpenRowsStay", "OperationsBesideRecords", "Recover", "Fence", "Calls", "Owners", "Open", "Chunks", "Who", "Runs", "Prune", "Memo", "Together")
	t.Run("the lease of two hosts", func(t *testing.T) {
		name := schema(t, through)
		open := func() *Ledger {
			l, err := Open(t.Context(), through, Options{schema: name})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			return l
		}
		first, second := open(), open()
		take := func(l *Ledger) (ledger.Lease, error) {
			account, err := l.Enroll(t.Context(), "api.example.com", []string{"keys:api.example.com:1"})
			if err != nil {
				t.Fatal(err)
			}
			return l.Lease(t.Context(), account, ledger.Holder{Who: "a host", Command: "import"})
		}
		if _, err := take(first); err != nil {
			t.Fatal(err)
		}
		var held *ledger.Held
		if _, err := take(second); !errors.As(err, &held) {
			t.Fatalf("the second host: %v", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := take(second); err != nil {
			t.Errorf("after the first host has ended: %v", err)
		}
	})
	t.Run("the pace of two hosts", func(t *testing.T) {
		name := schema(t, through)
		l, a := host(t, through, name, slow)
		_, b := host(t, through, name, slow)
		one := acquire(t, a)
		acquire(t, b)
		acquire(t, a)
		got := make(chan error)
		go func() {
			_, err := b.Acquire(t.Context())
			got <- err
		}()
		waits(t, l, 1)
		one.Abort()
		if err := <-got; err != nil {
			t.Error(err)
		}
	})
}
