package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// database compares a ledger in PostgreSQL with one in a file: sending with the
// limit off, and a run that plans rows which are loaded already. The server is the
// one that LEADLOAD_TEST_POSTGRES names, once as it is and once a millisecond away.
func database(b *bench) ([]line, error) {
	at := os.Getenv("LEADLOAD_TEST_POSTGRES")
	if at == "" {
		return []line{{what: "a ledger in PostgreSQL beside one in a file", measured: "LEADLOAD_TEST_POSTGRES names no server", verdict: skipped}}, nil
	}
	n := b.either(20_000, 5_000)
	file, err := b.file(n)
	if err != nil {
		return nil, err
	}
	near, nerr := newRoad(at, 0)
	far, ferr := newRoad(at, time.Millisecond)
	if err := errors.Join(nerr, ferr); err != nil {
		return nil, err
	}
	var lines []line
	for _, c := range []struct {
		what    string
		road    *road
		sending float64
	}{{"on this machine", near, 0.5}, {"1 ms away", far, 0.4}} {
		var sends, plans, sent, planned, waits []float64
		for range b.either(5, 3) {
			var rate, took [2]float64
			for i := range 2 {
				a, err := b.account(accountOptions{Calls: -1, Kept: n + 1000})
				if err != nil {
					return lines, err
				}
				var turns int64
				rate[i], took[i], turns, err = b.beside(a, at, c.road, file, n, i == 1)
				if i == 1 {
					waits = append(waits, float64(turns))
				}
				if err := errors.Join(err, a.close()); err != nil {
					return lines, err
				}
			}
			sends, plans, sent, planned = append(sends, rate[1]/rate[0]), append(plans, took[0]/took[1]), append(sent, rate[1]), append(planned, float64(n)/took[1])
		}
		lines = append(lines,
			line{what: fmt.Sprintf("limit off, %s rows, ledger in PostgreSQL %s: sending", count(n), c.what), target: fmt.Sprintf("≥ %.2f of a ledger in a file", c.sending),
				measured: count(median(sent)) + " rows/s", ratio: median(sends), verdict: judge(median(sends) >= c.sending)},
			line{what: "the same rows again, all loaded: plan and results as CSV", target: fmt.Sprintf("≥ %.2f of a ledger in a file", c.sending),
				measured: fmt.Sprintf("%s rows/s, %s round trips", count(median(planned)), count(median(waits))), ratio: median(plans), verdict: judge(median(plans) >= c.sending)})
	}
	more, err := largeDatabase(b, at)
	return append(lines, more...), err
}

// beside loads a file twice with a new ledger, in a database or in a file. It
// returns the rows/s of the first time, and the seconds and the round trips to the
// server of the second.
func (b *bench) beside(a *practice, server string, by *road, file string, n int, shared bool) (rate, took float64, turns int64, err error) {
	state, through := b.state(), by.url
	load := func() (ended, error) {
		cmd := b.leadloadCommand(a, state, file, "--limit", "off", "-o", filepath.Join(state, "results.csv"))
		if shared {
			cmd.Env = append(cmd.Env, "LEADLOAD_LEDGER="+through)
		}
		return b.wait(cmd)
	}
	if shared {
		own, drop, err := b.newDatabase(server, through)
		if err != nil {
			return 0, 0, 0, err
		}
		defer drop()
		through = own
	}
	if _, err := load(); err != nil {
		return 0, 0, 0, err
	}
	f, err := a.figures()
	if err != nil {
		return 0, 0, 0, err
	}
	before := by.turns.Load()
	e, err := load()
	return float64(n) / f.sending().Seconds(), e.took.Seconds(), by.turns.Load() - before, err
}

// largeDatabase measures how long a few loaded rows take beside very many records.
func largeDatabase(b *bench, server string) ([]line, error) {
	many, few := b.either(1_000_000, 100_000), 1000
	file, err := b.file(few)
	if err != nil {
		return nil, err
	}
	large, err := b.file(many)
	if err != nil {
		return nil, err
	}
	l, err := b.fill("", large)
	if err != nil {
		return nil, err
	}
	defer l.account.close()
	full, drop, err := b.newDatabase(server, server)
	if err != nil {
		return nil, err
	}
	defer drop()
	copied, err := b.start(l.account.env(l.state), "@leadload", "ledger", "copy", filepath.Join(l.state, "ledger.db"), full)
	if err != nil {
		return nil, err
	}
	small, dropSmall, err := b.newDatabase(server, server)
	if err != nil {
		return nil, err
	}
	defer dropSmall()
	a, err := b.account(accountOptions{Calls: -1})
	if err != nil {
		return nil, err
	}
	defer a.close()
	night := func(a *practice, url string) (float64, error) {
		state := b.state()
		cmd := b.leadloadCommand(a, state, file, "--limit", "off", "-o", filepath.Join(state, "results.csv"))
		cmd.Env = append(cmd.Env, "LEADLOAD_LEDGER="+url)
		e, err := b.wait(cmd)
		return e.took.Seconds(), err
	}
	if _, err := night(a, small); err != nil {
		return nil, err
	}
	var ratios, took []float64
	for range 5 {
		without, err := night(a, small)
		if err != nil {
			return nil, err
		}
		with, err := night(l.account, full)
		if err != nil {
			return nil, err
		}
		ratios, took = append(ratios, with/without), append(took, with)
	}
	return []line{
		{what: fmt.Sprintf("%s loaded rows beside %s records in PostgreSQL", count(few), count(many)), target: fmt.Sprintf("≤ 1.5 times the same beside %s", count(few)),
			measured: fmt.Sprintf("%.2f s", median(took)), ratio: median(ratios), verdict: judge(median(ratios) <= 1.5)},
		{what: fmt.Sprintf("leadload ledger copy of %s records from a file into PostgreSQL", count(many)), measured: seconds(copied.took), verdict: noted},
	}, nil
}

// leaseMark in the environment shortens the leases of a program that plays leadload.
const leaseMark = "LEADLOAD_BENCH_LEASE"

// takeover measures a host that goes on where another has stopped, within the window
// of the calls that the other has made.
func takeover(b *bench) ([]line, error) {
	at := os.Getenv("LEADLOAD_TEST_POSTGRES")
	if at == "" {
		return []line{{what: "a host takes over from another", measured: "LEADLOAD_TEST_POSTGRES names no server", verdict: skipped}}, nil
	}
	const n, stopAt = 200, 80
	file, err := b.file(n)
	if err != nil {
		return nil, err
	}
	var lines []line
	for _, c := range []struct {
		what   string
		signal os.Signal
	}{{"Ctrl-C", os.Interrupt}, {"SIGKILL, a lease of 2 s", os.Kill}} {
		f, err := b.takenOver(at, file, stopAt, c.signal)
		if err != nil {
			return lines, err
		}
		lines = append(lines, line{
			what: fmt.Sprintf("%d rows at 25/5s, a host stops after %d calls (%s), another goes on", n, stopAt, c.what), target: "0 throttled, each row once",
			measured: fmt.Sprintf("%d throttled, %d opportunities, %s in all (bound %s)", f.Limited, f.Opportunities, seconds(f.sending()), seconds(bound(n, 25))),
			verdict:  judge(f.Limited == 0 && f.Opportunities == n),
		})
	}
	return lines, nil
}

func (b *bench) takenOver(server, file string, stopAt int64, signal os.Signal) (figures, error) {
	a, err := b.account(accountOptions{Latency: farLatency, Jitter: farJitter, Kept: 4000})
	if err != nil {
		return figures{}, err
	}
	defer a.close()
	url, drop, err := b.newDatabase(server, server)
	if err != nil {
		return figures{}, err
	}
	defer drop()
	host := func() *exec.Cmd {
		cmd := b.leadloadCommand(a, b.state(), file, "--limit", "25/5s", "--timeout", "2s", "--settle-after", "1s", "--wait-lock", "1m")
		cmd.Env = append(cmd.Env, "LEADLOAD_LEDGER="+url, leaseMark+"=2s")
		return cmd
	}
	first := host()
	if err := first.Start(); err != nil {
		return figures{}, err
	}
	err = a.called(b.ctx, stopAt)
	if err = errors.Join(err, first.Process.Signal(signal)); err != nil {
		return figures{}, err
	}
	_, err = b.wait(host())
	first.Wait() // interrupted or killed, as it was
	if err != nil {
		return figures{}, err
	}
	return a.figures()
}

// newDatabase makes a database of a server. It returns the database's URL, by the way
// that another URL leads to the server, and what removes it.
func (b *bench) newDatabase(server, through string) (at string, drop func(), err error) {
	u, err := url.Parse(through)
	if err != nil {
		return "", nil, err
	}
	b.states++
	name := fmt.Sprintf("bench_%d_%d", os.Getpid(), b.states)
	u.Path = "/" + name
	do := func(text string) error {
		conn, err := pgx.Connect(b.ctx, server)
		if err != nil {
			return err
		}
		_, err = conn.Exec(b.ctx, text)
		return errors.Join(err, conn.Close(b.ctx))
	}
	return u.String(), func() {
		if err := do("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			b.say("%s", err) // it stands in nobody's way
		}
	}, do("CREATE DATABASE " + name)
}

// road is a way to a server on which each piece takes a while.
type road struct {
	url   string
	turns atomic.Int64 // round trips: what clients sent after an answer
}

// newRoad opens a way to a server, as long as this program runs.
func newRoad(server string, by time.Duration) (*road, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	to := u.Host
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u.Host = l.Addr().String()
	r := &road{url: u.String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", to)
			if err != nil {
				c.Close()
				continue
			}
			var asked atomic.Bool
			go carry(s, c, by, func() {
				if !asked.Swap(true) {
					r.turns.Add(1)
				}
			})
			go carry(c, s, 0, func() { asked.Store(false) })
		}
	}()
	return r, nil
}

// carry copies what comes, each piece as much later, and tells of each.
func carry(to, from net.Conn, by time.Duration, came func()) {
	type piece struct {
		at   time.Time
		text []byte
	}
	pieces := make(chan piece, 1000)
	go func() {
		defer to.Close()
		for p := range pieces {
			time.Sleep(time.Until(p.at))
			if _, err := to.Write(p.text); err != nil {
				from.Close()
			}
		}
	}()
	defer close(pieces)
	for buf := make([]byte, 1<<16); ; {
		n, err := from.Read(buf)
		if n > 0 {
			came()
			pieces <- piece{time.Now().Add(by), append([]byte{}, buf[:n]...)}
		}
		if err != nil {
			return
		}
	}
}
