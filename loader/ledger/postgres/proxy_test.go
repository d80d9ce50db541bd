package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
	"leadload/loader/pace"
)

// proxy stands between a ledger and its server, and loses what it is told to lose.
type proxy struct {
	l      net.Listener
	server string

	mu      sync.Mutex
	conns   map[net.Conn]bool
	lose    string // "": nothing; "before" or "after": the next COMMIT, on its way there or its answer
	lost    int
	down    bool
	short   int           // after so many bytes of answers one is cut short, with its connection; 0: never
	slow    time.Duration // each answer comes so much later
	turns   int           // that clients have begun: what they sent after an answer
	refused chan struct{} // gets a word for each connection that was refused, as far as there is room
}

// newProxy starts a proxy and returns it with the URL that goes through it.
func newProxy(t testing.TB, to string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{l: l, server: u.Host, conns: map[net.Conn]bool{}, refused: make(chan struct{}, 100)}
	t.Cleanup(func() {
		l.Close()
		p.cut(false)
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	u.Host = l.Addr().String()
	return p, u.String()
}

func (p *proxy) serve(c net.Conn) {
	defer c.Close()
	p.mu.Lock()
	down := p.down
	p.mu.Unlock()
	if down {
		select {
		case p.refused <- struct{}{}:
		default:
		}
		return
	}
	s, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer s.Close()
	p.mu.Lock()
	p.conns[c], p.conns[s] = true, true
	p.mu.Unlock()
	answers := make(chan struct{})
	swallow := make(chan struct{})
	var answered atomic.Bool
	answered.Store(true)
	go func() {
		defer close(answers)
		buf := make([]byte, 1<<16)
		for {
			n, err := s.Read(buf)
			answered.Store(true)
			select {
			case <-swallow: // the server has answered, and nobody hears it
				return
			default:
			}
			p.mu.Lock()
			short := p.short > 0 && n >= p.short
			if p.short = max(p.short-n, 0); short {
				n = n / 2
			}
			slow := p.slow
			p.mu.Unlock()
			time.Sleep(slow)
			if short {
				c.Write(buf[:n])
				c.Close()
				return
			}
			if n > 0 {
				if _, err := c.Write(buf[:n]); err != nil {
					return
				}
			}
			if err != nil {
				c.Close()
				return
			}
		}
	}()
	buf := make([]byte, 1<<20)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		p.mu.Lock()
		if answered.Swap(false) {
			p.turns++
		}
		lose := ""
		if p.lose != "" && bytes.Contains(buf[:n], []byte("COMMIT\x00")) {
			lose, p.lose = p.lose, ""
			p.lost++
		}
		p.mu.Unlock()
		if lose == "before" {
			return
		}
		if lose == "after" {
			close(swallow)
		}
		if _, err := s.Write(buf[:n]); err != nil {
			return
		}
		if lose == "after" {
			<-answers
			return
		}
	}
}

// cut ends all connections, and with down refuses new ones.
func (p *proxy) cut(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

// TestLostCommit says that a transaction counts once, whether its COMMIT was
// lost on its way to the server or its answer on the way back.
func TestLostCommit(t *testing.T) {
	url := server(t)
	for _, lose := range []string{"before", "after"} {
		t.Run(lose, func(t *testing.T) {
			p, through := newProxy(t, url)
			name := schema(t, url)
			f := ledgertest.New(t, func(t testing.TB) ledger.Store {
				l, err := Open(t.Context(), through, Options{schema: name})
				if err != nil {
					t.Fatal(err)
				}
				return l
			})
			e := f.Plan(f.Run(), ledgertest.Entry(2, "A", "x", "1"), ledgertest.Entry(3, "B", "x", "2"))
			for _, x := range e {
				p.mu.Lock()
				p.lose = lose
				p.mu.Unlock()
				f.Check(f.Sending(x.Record))
			}
			p.mu.Lock()
			lost := p.lost
			p.mu.Unlock()
			if lost != 2 {
				t.Fatalf("%d COMMITs were lost, want 2", lost)
			}
			if n, err := f.Store.Memo().CallsOn(t.Context(), f.Acct, time.Now()); err != nil || n != 2 {
				t.Errorf("%d calls are counted, %v; want 2", n, err)
			}
			for _, x := range e {
				f.Check(f.Settle(x.Record, ledger.Loaded, ledgertest.GUID(int(x.Record))))
			}
			if f.Store.Broken() != nil {
				t.Error(f.Store.Broken())
			}
		})
	}
}

// TestAway says that an intent waits for a database that is away, that people
// are told, and that it goes on by itself.
func TestAway(t *testing.T) {
	url := server(t)
	p, through := newProxy(t, url)
	name := schema(t, url)
	told := make(chan string, 10)
	f := ledgertest.New(t, func(t testing.TB) ledger.Store {
		l, err := Open(t.Context(), through, Options{schema: name, Notify: func(s string) { told <- s }})
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
	e := f.Plan(f.Run(), ledgertest.Entry(2, "A", "x", "1"))
	p.cut(true)
	done := make(chan error, 1)
	go func() { done <- f.Sending(e[0].Record) }()
	for range 3 {
		<-p.refused
	}
	select {
	case err := <-done:
		t.Fatalf("an intent was written to a database that is away: %v", err)
	case s := <-told:
		if s == "" {
			t.Error("nothing is said")
		}
	}
	p.cut(false)
	f.Check(<-done)
	f.Check(f.Settle(e[0].Record, ledger.Loaded, ledgertest.GUID(1)))
}

// TestAnswerCutShort says that what was read before an answer broke off is not
// counted twice.
func TestAnswerCutShort(t *testing.T) {
	url := server(t)
	p, through := newProxy(t, url)
	name := schema(t, url)
	f := ledgertest.New(t, func(t testing.TB) ledger.Store {
		l, err := Open(t.Context(), through, Options{schema: name})
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
	const many = 20000
	f.Check(f.Store.(*Ledger).write(work{do: func(u *unit) error {
		_, err := u.exec("INSERT INTO leadload.baselines (account, id, field, lead, sent, second, at) SELECT $1, 'id', 'Field ' || n, false, n, 0, 1 FROM generate_series(1, $2::bigint) AS t(n)", f.Acct, int64(many))
		return err
	}}))
	p.mu.Lock()
	p.short = 100_000 // an eighth of the answer
	p.mu.Unlock()
	list, err := f.Store.Baselines(t.Context(), f.Acct, []string{"id"})
	f.Check(err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.short > 0 {
		t.Fatal("no answer was cut short")
	}
	if len(list) != many {
		t.Errorf("%d baselines, want %d", len(list), many)
	}
}

// TestTurns bounds how often a ledger waits for its server, which may be far away.
func TestTurns(t *testing.T) {
	url := server(t)
	p, through := newProxy(t, url)
	name := schema(t, url)
	f := ledgertest.New(t, func(t testing.TB) ledger.Store {
		l, err := Open(t.Context(), through, Options{schema: name})
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
	const many = 5 * ledger.ChunkRows
	rows := func(from, n int) (entries []ledger.Entry) {
		for i := range n {
			entries = append(entries, ledgertest.Entry(from+i, fmt.Sprint(from+i), "x", fmt.Sprint(from+i)))
		}
		return entries
	}
	first := f.Run()
	f.Plan(first, rows(2, many)...)
	f.Check(f.Store.(*Ledger).write(work{do: func(u *unit) error {
		return u.put("UPDATE leadload.records SET fate = 2, remote = convert_to('id ' || id, 'UTF8'), sent = 1")
	}}))
	run := f.Run()
	f.Plan(run, rows(2, 1)...) // what is learned once a run
	for _, c := range []struct {
		what string
		most int
		do   func()
	}{
		{"an account that is known", 1, func() {
			_, err := f.Store.Enroll(t.Context(), "api.example.com", []string{"keys:api.example.com:1"})
			f.Check(err)
		}},
		{"a scope that is known", 1, func() {
			_, err := f.Store.Scope(t.Context(), f.Acct, "opportunity:12000")
			f.Check(err)
		}},
		{"the account's lease", 2, func() {
			var err error
			f.Lease, err = f.Store.Lease(t.Context(), f.Acct, ledger.Holder{Who: "a test", Command: "import"})
			f.Check(err)
		}},
		{"what was cut off", 2, func() {
			_, err := f.Store.Recover(t.Context(), f.Lease)
			f.Check(err)
		}},
		{"the beginning of a run", 1, func() { f.Run() }},
		{"a look at loaded rows, and their plan", 3, func() { f.Plan(run, rows(3, ledger.ChunkRows)...) }},
		{"the counts of a run, and which of its rows were disowned", 2, func() { _, err := f.Store.Tally(t.Context(), run); f.Check(err) }},
		{"the rows of a run, and its command", 3, func() { f.Rows(first) }},
		{"ids that stand twice", 2, func() { _, _, err := f.Store.Twice(t.Context(), first); f.Check(err) }},
		{"nothing to be written", 0, func() { f.Check(f.Store.Flush()) }},
	} {
		p.mu.Lock()
		before := p.turns
		p.mu.Unlock()
		c.do()
		p.mu.Lock()
		if n := p.turns - before; n > c.most {
			t.Errorf("%s: the server was waited for %d times, want %d at most", c.what, n, c.most)
		}
		p.mu.Unlock()
	}
}

// TestWhatTheURLSays says that a ledger is the same whatever its URL says of how
// statements are sent.
func TestWhatTheURLSays(t *testing.T) {
	url := server(t)
	for _, says := range []string{"default_query_exec_mode=cache_statement", "default_query_exec_mode=exec", "default_query_exec_mode=simple_protocol", "description_cache_capacity=0&statement_cache_capacity=0"} {
		t.Run(says, func(t *testing.T) {
			name := schema(t, url)
			to := url + "?" + says
			if strings.Contains(url, "?") {
				to = url + "&" + says
			}
			f := ledgertest.New(t, func(t testing.TB) ledger.Store {
				l, err := Open(t.Context(), to, Options{schema: name})
				if err != nil {
					t.Fatal(err)
				}
				return l
			})
			e := f.Plan(f.Run(), ledgertest.Entry(2, "A", "x", "1"))
			f.Load(e[0].Record, ledgertest.GUID(1))
			f.Reopen()
			if got := f.State(e[0].Record); got != ledger.Loaded {
				t.Errorf("the row is %s", got)
			}
		})
	}
}

// TestFarAway says that a ledger works, and its lease holds, where each answer takes
// long beside the lease.
func TestFarAway(t *testing.T) {
	url := server(t)
	p, through := newProxy(t, url)
	p.slow = 50 * time.Millisecond
	name := schema(t, url)
	f := ledgertest.New(t, func(t testing.TB) ledger.Store {
		l, err := Open(t.Context(), through, Options{schema: name, lease: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
	e := f.Plan(f.Run(), ledgertest.Entry(2, "A", "x", "1"), ledgertest.Entry(3, "B", "x", "2"))
	for i, x := range e {
		f.Check(f.Store.Hold(t.Context(), f.Lease))
		f.Check(f.Sending(x.Record))
		f.Check(f.Store.Fence(f.Lease))
		f.Check(f.Settle(x.Record, ledger.Loaded, ledgertest.GUID(i+1)))
	}
	if n, err := f.Store.Memo().CallsOn(t.Context(), f.Acct, time.Now()); err != nil || n != 2 {
		t.Errorf("%d calls are counted, %v; want 2", n, err)
	}
	_, a := host(t, through, name, slow)
	call(t, a, pace.OK, pace.Limit{})
}

// TestSessionEnded says that a ledger goes on where an administrator ends its sessions.
func TestSessionEnded(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	f := ledgertest.New(t, func(t testing.TB) ledger.Store {
		l, err := Open(t.Context(), url, Options{schema: name})
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
	e := f.Plan(f.Run(), ledgertest.Entry(2, "A", "x", "1"))
	l, writer := f.Store.(*Ledger), int64(0)
	end := func() {
		t.Helper()
		f.Check(l.write(work{do: func(u *unit) error {
			_, err := u.row("SELECT pg_backend_pid()::bigint", nil, &writer)
			return err
		}}))
		var ended bool
		if _, err := l.one(t.Context(), "SELECT pg_terminate_backend($1::int, 5000)", []any{writer}, &ended); err != nil || !ended {
			t.Fatalf("the writer's session was not ended: %v", err)
		}
	}
	end()
	f.Check(f.Sending(e[0].Record))
	end()
	f.Check(f.Settle(e[0].Record, ledger.Loaded, ledgertest.GUID(1)))
	if n, err := f.Store.Memo().CallsOn(t.Context(), f.Acct, time.Now()); err != nil || n != 1 {
		t.Errorf("%d calls are counted, %v; want 1", n, err)
	}
}

// TestFullDisk says that an intent waits for room on the server's disk, that people
// hear of it, and that the run stops in the end where there is none.
func TestFullDisk(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	told := make(chan string, 10)
	patience := time.Hour
	f := ledgertest.New(t, func(t testing.TB) ledger.Store {
		l, err := Open(t.Context(), url, Options{schema: name, Patience: patience, Notify: func(s string) { told <- s }})
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
	e := f.Plan(f.Run(), ledgertest.Entry(2, "A", "x", "1"), ledgertest.Entry(3, "B", "x", "2"))
	admin, err := Open(t.Context(), url, Options{schema: name})
	f.Check(err)
	defer admin.Close()
	room := func(text string) {
		t.Helper()
		f.Check(admin.write(work{do: func(u *unit) error { return u.put(text) }}))
	}
	// As the server says it where a table cannot grow.
	room("CREATE FUNCTION leadload.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$")
	room("CREATE TRIGGER full_disk BEFORE INSERT ON leadload.operations EXECUTE FUNCTION leadload.full()")
	done := make(chan error, 1)
	go func() { done <- f.Sending(e[0].Record) }()
	select {
	case err := <-done:
		t.Fatalf("an intent was written to a full disk: %v", err)
	case s := <-told:
		if !strings.Contains(s, "the disk of the ledger's database") || !strings.Contains(s, "is full") {
			t.Errorf("told %q", s)
		}
	}
	room("DROP TRIGGER full_disk ON leadload.operations")
	f.Check(<-done)
	f.Check(f.Settle(e[0].Record, ledger.Loaded, ledgertest.GUID(1)))
	if n, err := f.Store.Memo().CallsOn(t.Context(), f.Acct, time.Now()); err != nil || n != 1 {
		t.Errorf("%d calls are counted, %v; want 1", n, err)
	}
	patience = time.Nanosecond
	f.Reopen()
	room("CREATE TRIGGER full_disk BEFORE INSERT ON leadload.operations EXECUTE FUNCTION leadload.full()")
	var own *ledger.Error
	if err := f.Sending(e[1].Record); !errors.As(err, &own) || own.Code != "ledger.full" {
		t.Errorf("without patience: %v", err)
	}
	if err := f.Store.Broken(); err == nil {
		t.Error("the ledger goes on")
	}
}

// TestWritesAreDurable says that a row's way, the leases and the account's pace are
// written by transactions that no power cut of the server undoes, whatever the
// server's or the role's default is.
func TestWritesAreDurable(t *testing.T) {
	u, err := url.Parse(server(t))
	if err != nil {
		t.Fatal(err)
	}
	name := schema(t, u.String())
	q := u.Query()
	q.Set("synchronous_commit", "off")
	u.RawQuery = q.Encode()
	var l *Ledger
	f := ledgertest.New(t, func(t testing.TB) ledger.Store {
		var err error
		if l, err = Open(t.Context(), u.String(), Options{schema: name}); err != nil {
			t.Fatal(err)
		}
		return l
	})
	var byDefault string
	if _, err := l.one(t.Context(), "SHOW synchronous_commit", nil, &byDefault); err != nil || byDefault != "off" {
		t.Fatalf("the default is %q, %v; want off", byDefault, err)
	}
	calls, err := l.Pace("A") // drops what is old, which may come back
	f.Check(err)
	defer calls.Close()
	f.Check(l.write(work{do: func(u *unit) error {
		u.add("CREATE FUNCTION leadload.durable() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF current_setting('synchronous_commit') <> 'on' THEN RAISE EXCEPTION '% of % may be lost', TG_OP, TG_TABLE_NAME; END IF; RETURN NULL; END $$")
		return u.put("DO $$ DECLARE t record; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '" + name + "' LOOP EXECUTE format('CREATE TRIGGER durable AFTER INSERT OR UPDATE OR DELETE ON leadload.%I EXECUTE FUNCTION leadload.durable()', t.tablename); END LOOP; END $$")
	}}))
	e := f.Plan(f.Run(), ledgertest.Entry(2, "A", "x", "1"))
	f.Check(f.Sending(e[0].Record))
	for _, x := range l.leases() {
		f.Check(l.renew(t.Context(), x))
	}
	f.Check(calls.Round(nil, pace.Asker{Owner: 1, Set: slow}, func(*pace.Book) (pace.Changes, error) {
		return pace.Changes{Start: []pace.CallRow{{Owner: 1, Seq: 1}}}, nil
	}))
	f.Check(f.Settle(e[0].Record, ledger.Loaded, ledgertest.GUID(1)))
	f.Reopen()
}
