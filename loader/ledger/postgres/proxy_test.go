package postgres

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
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
	short   bool          // the next answer that fills the buffer is cut short, with its connection
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
	go func() {
		defer close(answers)
		buf := make([]byte, 1<<16)
		for {
			n, err := s.Read(buf)
			select {
			case <-swallow: // the server has answered, and nobody hears it
				return
			default:
			}
			p.mu.Lock()
			short := p.short && n == len(buf)
			p.short = p.short && !short
			p.mu.Unlock()
			if short {
				c.Write(buf[:n/2])
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
	p.short = true
	p.mu.Unlock()
	list, err := f.Store.Baselines(t.Context(), f.Acct, []string{"id"})
	f.Check(err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.short {
		t.Fatal("no answer was cut short")
	}
	if len(list) != many {
		t.Errorf("%d baselines, want %d", len(list), many)
	}
}
