//go:build unix

package chaos

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// server is a PostgreSQL server of a test's own, which it may treat badly.
type server struct {
	bin, folder string
	port        int
	as          *syscall.Credential // nil: ourselves; a server does not run as root
}

// newServer starts a server, or skips the test where there can be none.
func newServer(t *testing.T) *server {
	t.Helper()
	if os.Getenv("LEADLOAD_TEST_POSTGRES") == "" {
		t.Skip("LEADLOAD_TEST_POSTGRES names no PostgreSQL server to test with")
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	check(t, err)
	if len(found) == 0 {
		t.Skip("PostgreSQL is not installed here as Debian does it, so that no server can be stopped and started")
	}
	s := &server{bin: filepath.Dir(found[len(found)-1])}
	// The folder of a test belongs to root, below whose own nobody else comes.
	s.folder, err = os.MkdirTemp("", "leadload-chaos-*")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(s.folder) })
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("there is no user postgres to run a server")
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if uerr != nil || gerr != nil {
			t.Fatal(uerr, gerr)
		}
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		check(t, os.Chown(s.folder, int(uid), int(gid)))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	s.port = l.Addr().(*net.TCPAddr).Port
	check(t, l.Close())
	s.run(t, "initdb", "-D", s.data(), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync")
	s.start(t)
	t.Cleanup(func() { s.stop(t) })
	return s
}

func (s *server) data() string { return filepath.Join(s.folder, "data") }

func (s *server) run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// start starts the server. The system keeps what a server that was stopped had
// written, so that it need not wait for the disk.
func (s *server) start(t *testing.T) {
	t.Helper()
	s.run(t, "pg_ctl", "-D", s.data(), "-l", filepath.Join(s.folder, "log"), "-w", "-t", "120",
		"-o", fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories=%s -c fsync=off -c max_connections=200", s.port, s.folder), "start")
}

// stop stops the server as a power cut does.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.run(t, "pg_ctl", "-D", s.data(), "-m", "immediate", "-w", "-t", "60", "stop")
}

// url names a database of the server through an address.
func (s *server) url(address, database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", address, database)
}

func (s *server) address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }
