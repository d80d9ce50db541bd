package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"leadload/internal/sandbox"
)

// accountOptions are the sandbox.Options that measurements need.
type accountOptions struct {
	Calls           int // -1: no limit
	Latency, Jitter time.Duration
	Bulk            int // bulk calls in 5 s; -1: no limit
	Leads           int // that are there
	Rival           int // calls of each window that another integration takes
	Kept            int // call records
}

// figures are what the account saw.
type figures struct {
	First, Last   time.Time // the first call's arrival, the last answer's end
	Arrivals      int64
	Limited       int64 // turned away
	LimitedLate   int64 // of those, more than a window and a round trip after the first arrival
	Opportunities int
	RivalCalls    int64
	RivalLimited  int64
}

// sending is the time from the first arrival to the last answer.
func (f figures) sending() time.Duration { return f.Last.Sub(f.First) }

// practice is a practice account in a process of its own.
type practice struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	hello hello
}

type hello struct{ URL, Access, Secret string }

func (b *bench) account(o accountOptions) (*practice, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	a := &practice{cmd: b.command(nil, "@account", string(text))}
	a.cmd.Stderr = b.stderr
	if a.in, err = a.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := a.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	a.out = bufio.NewReader(stdout)
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	if err := a.read(&a.hello); err != nil {
		return nil, errors.Join(fmt.Errorf("the practice account does not answer: %w", err), a.close())
	}
	return a, nil
}

func (a *practice) read(v any) error {
	text, err := a.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// figures asks the account what it saw so far.
func (a *practice) figures() (figures, error) {
	var f figures
	if _, err := io.WriteString(a.in, "figures\n"); err != nil {
		return f, err
	}
	return f, a.read(&f)
}

// called waits until so many calls have arrived.
func (a *practice) called(ctx context.Context, n int64) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		f, err := a.figures()
		if err != nil || f.Arrivals >= n {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// become changes the account's limit and latency.
func (a *practice) become(calls int, latency time.Duration) error {
	if _, err := fmt.Fprintf(a.in, "become %d %s\n", calls, latency); err != nil {
		return err
	}
	_, err := a.figures() // it answers in order
	return err
}

func (a *practice) close() error {
	return errors.Join(a.in.Close(), a.cmd.Wait())
}

// env tells leadload of the account and where to keep its state.
func (a *practice) env(state string) []string {
	return []string{
		"LEADSQUARED_HOST=" + a.hello.URL, "LEADSQUARED_ACCESS_KEY=" + a.hello.Access, "LEADSQUARED_SECRET_KEY=" + a.hello.Secret,
		"XDG_STATE_HOME=" + state, "LEADLOAD_LEDGER=" + filepath.Join(state, "ledger.db"),
	}
}

// serveAccount is the role of the account: it answers each line of its
// standard input and ends with it.
func serveAccount(_ context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want the account's options")
	}
	var o accountOptions
	if err := json.Unmarshal([]byte(args[0]), &o); err != nil {
		return err
	}
	a, err := sandbox.Start(sandbox.Options{Calls: o.Calls, Latency: o.Latency, Jitter: o.Jitter, BulkCalls: o.Bulk, DropBodies: true, KeptCalls: max(o.Kept, 1000)})
	if err != nil {
		return err
	}
	defer a.Close()
	if o.Rival > 0 {
		a.CompeteWith(o.Rival)
	}
	for i := range o.Leads {
		if _, err := a.AddLead(map[string]string{"EmailAddress": leadOf(i)}); err != nil {
			return err
		}
	}
	say := json.NewEncoder(os.Stdout)
	access, secret, _ := a.Keys()
	if err := say.Encode(hello{a.URL(), access, secret}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var calls int
		var latency string
		switch n, _ := fmt.Sscanf(lines.Text(), "become %d %s", &calls, &latency); {
		case n == 2:
			d, err := time.ParseDuration(latency)
			if err = errors.Join(err, a.SetLimit(calls, sandbox.DefaultWindow), a.SetLatency(d)); err != nil {
				return err
			}
			continue
		case strings.TrimSpace(lines.Text()) != "figures":
			return fmt.Errorf("%q is no question", lines.Text())
		}
		if err := say.Encode(look(a, o)); err != nil {
			return err
		}
	}
	return nil
}

func look(a *sandbox.Account, o accountOptions) figures {
	c := a.Count()
	f := figures{Arrivals: c.Calls, Limited: c.Limited, Opportunities: c.Opportunities, RivalCalls: c.RivalCalls, RivalLimited: c.RivalLimited}
	calls := a.Calls()
	for _, r := range calls {
		if f.First.IsZero() || r.Time.Before(f.First) {
			f.First = r.Time
		}
		if end := r.Time.Add(r.Took); end.After(f.Last) {
			f.Last = end
		}
	}
	for _, r := range calls {
		if r.Limited && r.Time.Sub(f.First) > sandbox.DefaultWindow+o.Latency+o.Jitter {
			f.LimitedLate++
		}
	}
	return f
}
