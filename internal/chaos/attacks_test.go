package chaos

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"leadload/internal/sandbox"
)

// attacked is what came of one or all seeds under attack.
type attacked struct {
	events map[string]int64 // what was done, by name
	tally
	refusals int64 // rows of leads that were merged or are not there
	// Records that a proxy made a second time: those that a line in doubt names, those
	// whose answer came as if nothing had been, and those that should have been told.
	told, unseen, untold int64
	early                int64 // rows in doubt because our clock was wrong when they were sent
}

func (a *attacked) add(o attacked) {
	if a.events == nil {
		a.events = map[string]int64{}
	}
	for k, v := range o.events {
		a.events[k] += v
	}
	a.tally.add(o.tally)
	a.refusals += o.refusals
	a.told, a.unseen, a.untold = a.told+o.told, a.unseen+o.unseen, a.untold+o.untold
	a.early += o.early
}

func (a *attacked) String() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(a.events)) {
		fmt.Fprintf(&b, "%s %d, ", k, a.events[k])
	}
	return fmt.Sprintf("%s; %sin doubt by our clock %d, refused rows %d, second records of a proxy: told %d, not seen %d, untold %d", a.tally.String(), b.String(), a.early, a.refusals, a.told, a.unseen, a.untold)
}

func (a *attacked) clean() bool { return a.tally.clean() && a.untold == 0 }

// TestChaosAttacks loads files through storms in which more goes wrong than calls:
// another system makes records of the same leads at the same moment, proxies post
// twice, answers are those to other calls, look-ups are stale or lie, leads are
// merged, clocks jump, and the ledger is damaged, cut short or replaced by an older
// one between the runs.
func TestChaosAttacks(t *testing.T) {
	day, list := form(shortStorm, 1)
	var all []one[attacked]
	for _, seed := range list {
		for _, s := range shapesOf(seed) {
			all = append(all, one[attacked]{fmt.Sprintf("%d-%s", seed, s.name), func(t *testing.T) attacked { return attack(t, seed, s, day) }})
		}
	}
	storms(t, all)
}

// kept is where the folders of seeds under attack stay, each with the log of its calls
// and what happened when: without it a fault is seen and not explained.
var kept = flag.String("chaos.keep", "", "keep what a seed under attack leaves in this folder")

// siege is one file under attack.
type siege struct {
	*testing.T
	shape
	day     storm
	r       *rand.Rand
	dir     string
	account *sandbox.Account
	args    []string
	got     *attacked

	faults sandbox.Faults
	mu     sync.Mutex
	dated  atomic.Int64      // what is added to the Date header
	mails  map[string]string // of leads by their ids, also of those that were merged
	merged map[string]bool   // addresses of leads that are no more
	seen   chan posted       // calls that make something
}

const ledgerName = "l.db"

// attack loads one file under attack and says what came of it.
func attack(t *testing.T, seed uint64, s shape, day storm) attacked {
	r := rand.New(rand.NewPCG(seed, 43))
	rows := s.make(day.rows, r)
	g := besiege(t, seed, s, day, r, rows)
	defer g.account.Close()
	check(t, writeCSV(filepath.Join(g.dir, "deals.csv"), s.header, rows))
	g.args = append([]string{"import", "deals.csv"}, g.args...)
	g.storm(seed, nil)
	g.judge(rows, nil)
	return *g.got
}

// besiege makes the account and the folder of a siege. What is imported is left out of the args.
func besiege(t *testing.T, seed uint64, s shape, day storm, r *rand.Rand, rows []row) *siege {
	g := &siege{T: t, shape: s, day: day, r: r, dir: t.TempDir(), mails: map[string]string{}, merged: map[string]bool{}, seen: make(chan posted, 1<<14),
		got: &attacked{events: map[string]int64{}, tally: tally{faults: map[string]int64{}}}}
	if *kept != "" {
		g.dir = filepath.Join(*kept, strings.ReplaceAll(t.Name(), "/", "-"))
		check(t, os.MkdirAll(g.dir, 0o700))
	}
	g.got.rows = int64(len(rows))
	check(t, os.WriteFile(filepath.Join(g.dir, "deals.yaml"), []byte(s.mapping), 0o600))
	forms := []string{"200", "429", "403", "500", "bare"}
	g.faults = sandbox.Faults{LostAnswer: 0.02, CutBefore: 0.02, BadGatewayAfter: 0.005, BadGatewayBefore: 0.005, HangAfter: 0.003, HangBefore: 0.003,
		Truncated: 0.005, EmptyBody: 0.005, ForeignLimit: 0.005, GatewayRefusal: 0.001, PostedTwice: 0.003, TwiceAndLost: 0.003,
		OtherAnswer: 0.006, CachedAnswer: 0.004, ReadCut: 0.01, ReadBadGateway: 0.01, HangFor: day.hang, Seed: seed}
	var err error
	g.account, err = sandbox.Start(sandbox.Options{
		Calls: day.limit, Window: time.Second, LimitForm: forms[seed%uint64(len(forms))], Latency: 10 * time.Millisecond, Jitter: 10 * time.Millisecond,
		IndexLag: day.lag, AsyncDelay: day.lag / 5, StatusAsString: seed%2 == 0, KeptCalls: 1 << 20,
		TrailOffset: []string{"page", "offset"}[seed/2%2], Skew: time.Duration(int(seed%3)-1) * 90 * time.Second,
		DateSkew: func() time.Duration { return time.Duration(g.dated.Load()) },
		OnCall: func(c sandbox.CallRecord, body []byte) {
			if makes(c.Path) {
				select {
				case g.seen <- posted{c.Number, body}:
				default:
				}
			}
		},
		Faults: g.faults,
	})
	check(t, err)
	if s.sales {
		for _, row := range rows {
			if g.leadOf(row.cells[1]) == "" {
				id, err := g.account.AddLead(map[string]string{"EmailAddress": row.cells[1]})
				check(t, err)
				g.mails[id] = row.cells[1]
			}
		}
	}
	g.args = []string{"-m", "deals.yaml", "--ledger", ledgerName, "--limit", fmt.Sprintf("%d/1s", day.limit),
		"--timeout", day.timeout.String(), "--settle-after", day.settleAfter.String(), "--wait", "30s", "--yes"}
	if *kept != "" {
		g.args = append(g.args, "--api-log", "api.log")
	}
	return g
}

// storm runs the import until there is nothing more to do. mischief goes on beside it,
// until its channel is closed.
func (g *siege) storm(seed uint64, mischief func(stop chan struct{})) {
	stop := make(chan struct{})
	var weather sync.WaitGroup
	weather.Go(func() { g.others(stop, rand.New(rand.NewPCG(seed, 44))) })
	weather.Go(func() { g.weather(stop, g.faults, rand.New(rand.NewPCG(seed, 45))) })
	if mischief != nil {
		weather.Go(func() { mischief(stop) })
	}
	span := g.day.pace
	old := map[string][]byte{}
	for tries := 0; g.got.kills < int64(g.day.kills) && tries < 4*g.day.kills; tries++ {
		if begin := time.Now(); g.killed(span) {
			g.meddle(old)
		} else {
			span = max(time.Since(begin), 100*time.Millisecond)
		}
	}
	// Then run it again, at last without faults.
	before, same := "", 0
	for try := 0; ; try++ {
		if try == 5 {
			close(stop)
			weather.Wait()
			g.dated.Store(0)
			check(g.T, g.account.SetFaults(sandbox.Faults{}))
		}
		code, out := g.run()
		if code == 1 || code == 2 || code == 130 {
			g.Fatalf("run ended with exit code %d:\n%s", code, out)
		}
		if end := endOf(out); end == before {
			same++
		} else {
			before, same = end, 0
		}
		if try >= 6 && (code == 0 || code == 4 && strings.Contains(out, "not sent 0 ") && (strings.Contains(out, "in doubt 0 ") || same > 2)) {
			break
		}
		if try >= 14 {
			g.Errorf("still not done after %d runs:\n%s", try, out)
			break
		}
	}
	count := g.account.Count()
	g.got.throttled, g.got.outages = count.Limited, count.Outages
	maps.Copy(g.got.faults, count.Faults)
	if *kept == "" {
		return
	}
	for _, c := range g.account.Calls() {
		g.note("call", fmt.Sprintf("%d %s %s?%s %d %s", c.Number, c.Time.UTC().Format("15:04:05.000"), c.Path, c.Query, c.Status, c.Fault))
	}
	for id, m := range g.made() {
		g.note("record", id, " ", m.call, " ", m.content)
	}
}

// event counts what was done, and notes it with what it was done to.
func (g *siege) event(name string, to ...any) {
	g.mu.Lock()
	g.got.events[name]++
	g.mu.Unlock()
	g.note(name, to...)
}

// note writes down what happened when, where folders are kept.
func (g *siege) note(what string, more ...any) {
	if *kept == "" {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(g.dir, "events.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	check(g.T, err)
	fmt.Fprintln(f, time.Now().UTC().Format("15:04:05.000"), what, fmt.Sprint(more...))
	check(g.T, f.Close())
}

// start starts the program.
func (g *siege) start(args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = g.dir
	cmd.Env = environment(g.account, g.dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	check(g.T, cmd.Start())
	return cmd, &out
}

// run runs the import to its end.
func (g *siege) run() (int, string) {
	cmd, out := g.start(g.args...)
	g.got.runs++
	code := exitOf(cmd.Wait())
	g.note("a run ended by itself", code, "\n", out)
	return code, out.String()
}

// killed runs the import and kills it at some moment. It reports false when the
// import had ended before.
func (g *siege) killed(span time.Duration) bool {
	cmd, out := g.start(g.args...)
	g.got.runs++
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-time.After(time.Duration(g.r.Int64N(int64(span)))):
		cmd.Process.Kill() // its failure means that it has just ended by itself
		<-ended
		g.note("a run was killed", "\n", out)
		g.got.kills++
		return true
	case err := <-ended:
		if code := exitOf(err); code == 1 || code == 2 || code == 130 {
			g.Fatalf("run ended with exit code %d:\n%s", code, out)
		}
		return false
	}
}
