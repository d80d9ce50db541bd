//go:build unix

package chaos

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"leadload/internal/sandbox"
)

var hostSeeds = flag.Int("chaos.hosts", 0, "long form of the storm over three hosts: how many seeds to run")

// season is how bad the days of several hosts are.
type season struct {
	rows, hosts int
	events      int // kills, stops and cuts before there is peace
	restarts    int // of the server
	lease       time.Duration
	limit       int // calls a second
	lag         time.Duration
	settleAfter time.Duration
	timeout     time.Duration
}

var (
	shortSeason = season{rows: 120, hosts: 3, events: 3, restarts: 1, lease: 2 * time.Second, limit: 100, lag: 200 * time.Millisecond, settleAfter: time.Second, timeout: time.Second}
	longSeason  = season{rows: 1000, hosts: 3, events: 9, restarts: 2, lease: 4 * time.Second, limit: 200, lag: 500 * time.Millisecond, settleAfter: 2 * time.Second, timeout: 2 * time.Second}
)

// road is the network of one host: to the account and to the database.
type road struct {
	mu    sync.Mutex
	cut   bool
	woken chan struct{}     // closed when the cut ends
	sent  []time.Time       // when requests to the account began
	conns map[net.Conn]bool // that are open
}

// lead opens a way from a socket over the road to an address.
func (r *road) lead(t *testing.T, socket, to string, account bool) {
	l, err := net.Listen("unix", socket)
	check(t, err)
	t.Cleanup(func() {
		l.Close()
		r.mu.Lock()
		defer r.mu.Unlock()
		for c := range r.conns {
			c.Close()
		}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(c, to, account)
		}
	}()
}

// block cuts the road or opens it again. While it is cut nothing arrives, and
// nobody is told so.
func (r *road) block(cut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case cut && !r.cut:
		r.woken = make(chan struct{})
	case !cut && r.cut:
		close(r.woken)
	}
	r.cut = cut
}

// pass waits until the road is open.
func (r *road) pass() {
	r.mu.Lock()
	cut, woken := r.cut, r.woken
	r.mu.Unlock()
	if cut {
		<-woken
	}
}

func (r *road) serve(c net.Conn, to string, account bool) {
	defer c.Close()
	r.pass()
	s, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer s.Close()
	r.mu.Lock()
	r.conns[c], r.conns[s] = true, true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.conns, c)
		delete(r.conns, s)
		r.mu.Unlock()
	}()
	go r.copy(c, s, false)
	r.copy(s, c, account)
}

// copy carries bytes; requests says that each request begins with a piece of its own.
func (r *road) copy(to, from net.Conn, requests bool) {
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		at := time.Now()
		if requests && (bytes.HasPrefix(buf[:n], []byte("POST ")) || bytes.HasPrefix(buf[:n], []byte("GET "))) {
			r.mu.Lock()
			r.sent = append(r.sent, at)
			r.mu.Unlock()
		}
		r.pass()
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				from.Close()
				return
			}
		}
		if err != nil {
			to.Close()
			return
		}
	}
}

// holder is who had the lease from a moment on.
type holder struct {
	at    time.Time
	token int64
	pid   int
}

// TestChaosOfHosts loads one file from three hosts that share a ledger, each with
// its own home and network, while they are killed, stopped past their leases and
// cut off, and while the database is stopped as by a power cut.
func TestChaosOfHosts(t *testing.T) {
	srv := newServer(t)
	if err := exec.Command("ip", "netns", "list").Run(); err != nil || os.Getuid() != 0 {
		t.Skip("hosts with networks of their own need root and the program ip")
	}
	list := []uint64{*firstOne}
	days := shortSeason
	if *hostSeeds > 0 {
		list, days = nil, longSeason
		for i := range *hostSeeds {
			list = append(list, *firstOne+uint64(i))
		}
		if rows := flag.Lookup("chaos.rows"); rows.Value.String() != rows.DefValue {
			days.rows = *rowCount
		}
	}
	var total tally
	var intruders, stopped, cut, takeovers, restarts int
	for _, seed := range list {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := &world{t: t, srv: srv, days: days, seed: seed, r: rand.New(rand.NewPCG(seed, 77))}
			got := w.run()
			total.add(got)
			intruders, stopped, cut, takeovers, restarts = intruders+w.intruders, stopped+w.stopped, cut+w.cut, takeovers+w.takeovers, restarts+w.restarts
			t.Logf("seed %d: %s; stopped %d, cut off %d, leases %d, server stopped %d, calls without the lease %d", seed, got.String(), w.stopped, w.cut, w.takeovers, w.restarts, w.intruders)
			if !got.clean() || got.throttled > 0 || w.intruders > 0 {
				t.Errorf("seed %d: not every row is in the account exactly once, or two hosts were calling", seed)
			}
		})
	}
	t.Logf("in all %d seeds: %s; stopped %d, cut off %d, leases %d, server stopped %d, calls without the lease %d", len(list), total.String(), stopped, cut, takeovers, restarts, intruders)
}

// world is one seed.
type world struct {
	t    *testing.T
	srv  *server
	days season
	seed uint64
	r    *rand.Rand

	account  *sandbox.Account
	database string
	shape    shape
	rows     []row

	mu   sync.Mutex
	pids map[int]int // hosts by their processes
	got  tally

	stopped, cut, takeovers, restarts, intruders int
}

// host is one machine.
type host struct {
	n     int
	home  string
	road  *road
	space string // the name of its network
	env   []string
}

func (w *world) run() tally {
	t := w.t
	w.shape = shapes[int(w.seed)%len(shapes)]
	w.rows = w.shape.make(w.days.rows, w.r)
	w.pids = map[int]int{}
	w.got = tally{rows: int64(len(w.rows)), faults: map[string]int64{}}
	var err error
	w.account, err = sandbox.Start(sandbox.Options{
		Calls: w.days.limit, Window: time.Second, Latency: 5 * time.Millisecond, Jitter: 5 * time.Millisecond, IndexLag: w.days.lag, AsyncDelay: w.days.lag / 2,
		TrailOffset: []string{"page", "offset"}[w.seed/2%2],
		Faults:      sandbox.Faults{LostAnswer: 0.01, CutBefore: 0.01, BadGatewayAfter: 0.005, Truncated: 0.005, ReadCut: 0.005, HangFor: time.Second, Seed: w.seed},
	})
	check(t, err)
	defer w.account.Close()
	if w.shape.sales {
		known := map[string]bool{}
		for _, row := range w.rows {
			if mail := row.cells[1]; !known[mail] {
				known[mail] = true
				_, err := w.account.AddLead(map[string]string{"EmailAddress": mail})
				check(t, err)
			}
		}
	}
	w.database = fmt.Sprintf("seed_%d", w.seed)
	w.exec("postgres", "CREATE DATABASE "+w.database)
	hosts := make([]*host, w.days.hosts)
	for i := range hosts {
		hosts[i] = w.host(i)
	}
	w.watch(hosts[0])

	// The bad days: every host loads the same file again and again.
	storm, over := context.WithCancel(t.Context())
	var left sync.WaitGroup
	for _, h := range hosts {
		left.Go(func() {
			r := rand.New(rand.NewPCG(w.seed, uint64(h.n)))
			for n := 0; n < w.days.events && storm.Err() == nil; n++ {
				w.harm(h, r)
			}
		})
	}
	for range w.days.restarts {
		wait(storm, w.days.lease+time.Duration(w.r.Int64N(int64(2*w.days.lease))))
		w.srv.stop(t)
		wait(storm, time.Duration(w.r.Int64N(int64(w.days.lease))))
		w.srv.start(t)
		w.restarts++
	}
	left.Wait()
	over()

	// Then in peace, until nothing is left to do.
	h, before := hosts[0], ""
	for try := 0; ; try++ {
		out, code := w.load(h, nil)
		if code == 0 || code == 4 && (bytes.Contains(out, []byte("in doubt 0 · not sent 0 ")) || bytes.Contains(out, []byte("not sent 0 ")) && endOf(string(out)) == before) {
			break
		}
		if before = endOf(string(out)); try >= 6 {
			t.Errorf("still not done after %d runs in peace:\n%s", try, out)
			break
		}
	}
	count := w.account.Count()
	w.got.throttled, w.got.outages = count.Limited, count.Outages
	maps.Copy(w.got.faults, count.Faults)
	verify(t, &w.got, h.home, w.rows, contents(w.account, w.shape))
	w.holders(hosts)
	return w.got
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// exec runs a statement on the server itself.
func (w *world) exec(database, text string) {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.srv.url(w.srv.address(), database))
	check(w.t, err)
	defer conn.Close(w.t.Context())
	_, err = conn.Exec(w.t.Context(), text)
	check(w.t, err)
}

// host sets a machine up, with a network of its own: its loopback leads to account
// and database over the road alone.
func (w *world) host(n int) *host {
	t := w.t
	h := &host{n: n, home: t.TempDir(), road: &road{conns: map[net.Conn]bool{}}, space: fmt.Sprintf("leadload-%d-%d", os.Getpid(), n)}
	check(t, writeCSV(filepath.Join(h.home, "deals.csv"), w.shape.header, w.rows))
	check(t, os.WriteFile(filepath.Join(h.home, "deals.yaml"), []byte(w.shape.mapping), 0o600))
	h.env = slices.Concat(environment(w.account, h.home), []string{"LEADLOAD_LEDGER=" + w.srv.url(w.srv.address(), w.database), leaseMark + "=" + w.days.lease.String()})
	var ways []string
	ports := map[string]bool{}
	for i, address := range []string{w.account.URL(), w.account.AsyncURL(), "postgres://" + w.srv.address()} {
		u, err := url.Parse(address)
		check(t, err)
		if ports[u.Port()] {
			continue // both lead to one server
		}
		ports[u.Port()] = true
		socket := filepath.Join(w.srv.folder, fmt.Sprintf("road-%d-%d-%d", w.seed, n, i))
		h.road.lead(t, socket, u.Host, i < 2)
		ways = append(ways, u.Port()+"="+socket)
	}
	ip := func(args ...string) {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v %s", strings.Join(args, " "), err, out)
		}
	}
	ip("netns", "add", h.space)
	t.Cleanup(func() { ip("netns", "del", h.space) })
	ip("netns", "exec", h.space, "ip", "link", "set", "lo", "up")
	cmd := exec.Command("ip", "netns", "exec", h.space, os.Args[0])
	cmd.Env = []string{roadMark + "=" + strings.Join(ways, ",")}
	in, ierr := cmd.StdinPipe()
	out, oerr := cmd.StdoutPipe()
	check(t, errors.Join(ierr, oerr, cmd.Start()))
	t.Cleanup(func() {
		in.Close()
		cmd.Wait() // it ends with its input
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("no way out of a host: %q, %v", line, err)
	}
	return h
}

// watch lets the database write down every lease.
func (w *world) watch(h *host) {
	// An import that finds no row makes the ledger.
	if out, code := w.process(h, nil, "import", "deals.csv", "-m", "deals.yaml", "--yes", "--rows", "1", "-o", "none.csv"); code != 2 {
		w.t.Fatalf("exit %d:\n%s", code, out)
	}
	for _, text := range []string{
		"CREATE TABLE public.seen (at timestamptz NOT NULL, token bigint NOT NULL, who text NOT NULL)",
		`CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.token <> OLD.token THEN INSERT INTO public.seen VALUES (clock_timestamp(), NEW.token, convert_from(NEW.who, ''UTF8'')); END IF; RETURN NEW; END'`,
		"CREATE TRIGGER note AFTER UPDATE ON leadload.leases FOR EACH ROW EXECUTE FUNCTION public.note()",
	} {
		w.exec(w.database, text)
	}
	h.road.mu.Lock()
	h.road.sent = nil
	h.road.mu.Unlock()
}

// load loads the file once.
func (w *world) load(h *host, during func(*os.Process, <-chan struct{})) ([]byte, int) {
	w.mu.Lock()
	w.got.runs++
	w.mu.Unlock()
	return w.process(h, during, "import", "deals.csv", "-m", "deals.yaml", "--limit", fmt.Sprintf("%d/1s", w.days.limit), "--timeout", w.days.timeout.String(),
		"--settle-after", w.days.settleAfter.String(), "--wait", "30s", "--wait-lock", "60s", "--yes")
}

// process runs leadload on a host. during is called beside it.
func (w *world) process(h *host, during func(*os.Process, <-chan struct{}), args ...string) ([]byte, int) {
	cmd := exec.Command("ip", slices.Concat([]string{"netns", "exec", h.space, os.Args[0]}, args)...)
	cmd.Dir, cmd.Env = h.home, h.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		w.t.Error(err)
		return nil, 1
	}
	w.mu.Lock()
	w.pids[cmd.Process.Pid] = h.n
	w.mu.Unlock()
	ended := make(chan struct{})
	var beside sync.WaitGroup
	if during != nil {
		beside.Go(func() { during(cmd.Process, ended) })
	}
	err := cmd.Wait()
	close(ended)
	beside.Wait()
	var ee *exec.ExitError
	if errors.As(err, &ee) && !ee.Exited() {
		return out.Bytes(), -1
	}
	return out.Bytes(), exitOf(err)
}

// harm starts a load on a host and does something to it.
func (w *world) harm(h *host, r *rand.Rand) {
	later := func(ended <-chan struct{}) bool {
		select {
		case <-ended:
			return false
		case <-time.After(time.Duration(r.Int64N(int64(3 * time.Second)))):
			return true
		}
	}
	long := w.days.lease + w.days.lease/2
	kind := r.IntN(3)
	out, code := w.load(h, func(p *os.Process, ended <-chan struct{}) {
		if !later(ended) {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		switch kind {
		case 0:
			p.Kill()
			w.got.kills++
		case 1:
			if p.Signal(syscall.SIGSTOP) == nil {
				w.stopped++
				time.AfterFunc(long, func() { p.Signal(syscall.SIGCONT) }) // it may have been killed
			}
		case 2:
			h.road.block(true)
			w.cut++
			time.AfterFunc(long, func() { h.road.block(false) })
		}
	})
	if code == 1 || code == 2 {
		w.t.Errorf("host %d ended with exit code %d:\n%s", h.n, code, out)
	}
	h.road.pass()
}

// holders counts the calls that began while another host had the lease.
func (w *world) holders(hosts []*host) {
	t := w.t
	conn, err := pgx.Connect(t.Context(), w.srv.url(w.srv.address(), w.database))
	check(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "SELECT at, token, who FROM public.seen ORDER BY token")
	check(t, err)
	var list []holder
	for rows.Next() {
		var x holder
		var who string
		check(t, rows.Scan(&x.at, &x.token, &who))
		_, err := fmt.Sscanf(who, "process %d on", &x.pid)
		check(t, err)
		list = append(list, x)
	}
	check(t, rows.Err())
	w.takeovers = len(list)
	for _, h := range hosts {
		h.road.mu.Lock()
		sent := h.road.sent
		h.road.mu.Unlock()
		for _, at := range sent {
			// The road reads late what has left in time, when the machine is busy.
			at = at.Add(-w.days.lease / 8)
			i, _ := slices.BinarySearchFunc(list, at, func(x holder, at time.Time) int { return x.at.Compare(at) })
			for i > 0 && i < len(list) && !list[i].at.Before(at) {
				i--
			}
			if i >= len(list) {
				i = len(list) - 1
			}
			// Within the allowance two holders are possible: the one at its beginning, and the one now.
			mine := false
			for j := i; j < len(list) && (j == i || list[j].at.Before(at.Add(w.days.lease/8))); j++ {
				mine = mine || w.pids[list[j].pid] == h.n
			}
			if !mine {
				w.intruders++
				t.Errorf("host %d called at %s, while the lease %d was host %d's since %s", h.n, at.Format(time.StampMilli), list[i].token, w.pids[list[i].pid], list[i].at.Format(time.StampMilli))
			}
		}
	}
}
