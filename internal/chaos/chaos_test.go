package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"leadload/internal/cli"
	"leadload/internal/sandbox"
	"leadload/loader/ledger/postgres"
)

// childMark in the environment makes the test binary behave as leadload.
const childMark = "LEADLOAD_CHAOS_CHILD"

// leaseMark in the environment shortens its leases.
const leaseMark = "LEADLOAD_CHAOS_LEASE"

func TestMain(m *testing.M) {
	if ways := os.Getenv(roadMark); ways != "" {
		os.Exit(relay(ways))
	}
	if os.Getenv(childMark) == "" {
		os.Exit(m.Run())
	}
	if d, err := time.ParseDuration(os.Getenv(leaseMark)); err == nil {
		postgres.LeaseFor = d
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// TestChaos loads files through storms. Without flags it is the short form.
func TestChaos(t *testing.T) {
	day, list := form(shortStorm, 1)
	var all []one[tally]
	for _, seed := range list {
		for _, s := range shapesOf(seed) {
			all = append(all, one[tally]{fmt.Sprintf("%d-%s", seed, s.name), func(t *testing.T) tally { return load(t, seed, s, day, true) }})
		}
	}
	storms(t, all)
}

// TestChaosBites runs the same storm with settling off: there must be doubts,
// and among them rows that are in the account (sent again blindly they would
// be duplicates) and rows that are not (taken for loaded they would be losses).
func TestChaosBites(t *testing.T) {
	t.Parallel()
	day := shortStorm
	// Calm but for the faults of single calls: an outage that meets all calls under
	// way at once would leave them in doubt for one and the same reason.
	day.rows, day.kills, day.calm = 400, 0, true
	got := load(t, 7, shapes[0], day, false)
	t.Logf("without settling: %s; of the rows in doubt %d are in the account", got.String(), got.doubtsThere)
	if got.doubts == 0 || got.doubtsThere == 0 || got.doubtsThere == got.doubts {
		t.Errorf("the storm leaves %d rows in doubt, %d of them in the account: want some of either", got.doubts, got.doubtsThere)
	}
	if got.duplicates+got.lies > 0 {
		t.Errorf("rows left in doubt are no reason for duplicates or lies")
	}
}

// load loads one file through one storm and says what came of it.
func load(t *testing.T, seed uint64, s shape, day storm, settle bool) tally {
	r := rand.New(rand.NewPCG(seed, 42))
	dir := t.TempDir()
	rows := s.make(day.rows, r)
	input, mapped := filepath.Join(dir, "deals.csv"), filepath.Join(dir, "deals.yaml")
	check(t, writeCSV(input, s.header, rows))
	check(t, os.WriteFile(mapped, []byte(s.mapping), 0o600))
	forms := []string{"200", "429", "403", "500", "bare"}
	a, err := sandbox.Start(day.bulked(sandbox.Options{
		Calls: day.limit, Window: time.Second, LimitForm: forms[seed%uint64(len(forms))], Latency: 10 * time.Millisecond, Jitter: 10 * time.Millisecond,
		IndexLag: day.lag, AsyncDelay: day.lag / 5, DropBodies: true, StatusAsString: seed%2 == 0,
		TrailOffset: []string{"page", "offset"}[seed/2%2], Skew: time.Duration(int(seed%3)-1) * 90 * time.Second,
		Faults: sandbox.Faults{LostAnswer: 0.03, CutBefore: 0.03, BadGatewayAfter: 0.01, BadGatewayBefore: 0.01, HangAfter: 0.005, HangBefore: 0.005,
			Truncated: 0.01, EmptyBody: 0.01, ReadCut: 0.01, ReadBadGateway: 0.01, HangFor: day.hang, Seed: seed},
	}))
	check(t, err)
	defer a.Close()
	if s.sales || day.bulk != "" {
		for _, row := range rows {
			mail := row.cells[1]
			if !slices.ContainsFunc(a.Leads(), func(l sandbox.Lead) bool { return l.Attributes["EmailAddress"] == mail }) {
				_, err := a.AddLead(map[string]string{"EmailAddress": mail})
				check(t, err)
			}
		}
	}
	args := []string{"import", "deals.csv", "-m", "deals.yaml", "--limit", fmt.Sprintf("%d/1s", day.limit),
		"--timeout", day.timeout.String(), "--settle-after", day.settleAfter.String(), "--wait", "30s", "--yes"}
	args = append(args, day.bulkFlags()...)
	free := seed%4 == 3
	if free {
		args[5] = "off" // rows are then reserved a chunk ahead
		check(t, a.SetLimit(sandbox.NoLimit, time.Second))
	}
	rival := func(calls int) {
		if !free {
			a.CompeteWith(calls)
		}
	}
	if !settle {
		args = append(args, "--no-settle")
	}
	start := func() (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.Command(os.Args[0], args...)
		cmd.Dir = dir
		cmd.Env = environment(a, dir)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		check(t, cmd.Start())
		return cmd, &out
	}
	got := tally{rows: int64(len(rows)), faults: map[string]int64{}}

	// The weather: an outage, a rival that takes a part of the limit, calm again.
	stop := make(chan struct{})
	var weather sync.WaitGroup
	modes := []string{sandbox.OutageRefuse, sandbox.Outage503, sandbox.OutageReset}
	weather.Go(func() {
		if day.calm {
			return
		}
		for _, step := range []func(){
			func() { rival(day.limit / 3) },
			func() {
				check(t, a.OutageFor(modes[seed%3], day.outage))
				rival(0)
			},
		} {
			select {
			case <-stop:
				return
			case <-time.After(day.pace / 4):
				step()
			}
		}
	})
	span := day.pace
	for tries := 0; got.kills < int64(day.kills) && tries < 4*day.kills; tries++ {
		begin := time.Now()
		cmd, out := start()
		got.runs++
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		// Some die at once, some while they send, some while they settle or write.
		select {
		case <-time.After(time.Duration(r.Int64N(int64(span)))):
			cmd.Process.Kill() // its failure means that it has just ended by itself
			<-ended
			got.kills++
		case err := <-ended:
			if code := exitOf(err); code == 1 || code == 2 || code == 130 {
				t.Fatalf("run ended with exit code %d:\n%s", code, out)
			}
			span = max(time.Since(begin), 100*time.Millisecond) // nothing is left to do: be quicker
		}
	}
	// Then in peace, until there is nothing more to do: run it again, always.
	before := ""
	for try := 0; ; try++ {
		cmd, out := start()
		got.runs++
		code := exitOf(cmd.Wait())
		if try == 0 && testing.Verbose() && *seeds == 0 {
			t.Logf("%s", out)
		}
		if code == 1 || code == 2 || code == 130 {
			t.Fatalf("run ended with exit code %d:\n%s", code, out)
		}
		last := out.String()
		if !settle || code == 0 || code == 4 && strings.Contains(last, "in doubt 0 · not sent 0 ") {
			break
		}
		// A row that was lost three times is never sent again by itself: it is left to a
		// person, and running again changes nothing.
		if code == 4 && strings.Contains(last, "not sent 0 ") && endOf(last) == before {
			break
		}
		before = endOf(last)
		if try >= 6 {
			t.Errorf("still not done after %d runs in peace:\n%s", try, last)
			break
		}
	}
	close(stop)
	weather.Wait()
	count := a.Count()
	got.throttled, got.outages = count.Limited, count.Outages
	maps.Copy(got.faults, count.Faults)
	verify(t, &got, dir, rows, contents(a, s))
	return got
}

// environment is that of a host whose home is a folder.
func environment(a *sandbox.Account, home string) []string {
	access, secret, async := a.Keys()
	return []string{childMark + "=1", "HOME=" + home, "XDG_STATE_HOME=" + home + "/state", "TMPDIR=" + home, "PATH=" + os.Getenv("PATH"),
		"LEADSQUARED_HOST=" + a.URL(), "LEADSQUARED_ASYNC_HOST=" + a.AsyncURL(),
		"LEADSQUARED_ACCESS_KEY=" + access, "LEADSQUARED_SECRET_KEY=" + secret, "LEADSQUARED_ASYNC_KEY=" + async}
}

// endOf returns the counts of a run's last line, without the name of its results file.
func endOf(out string) string {
	line := out[strings.LastIndexByte(strings.TrimSpace(out), '\n')+1:]
	counts, _, _ := strings.Cut(line, " → ")
	return counts
}

func exitOf(err error) int {
	var ee *exec.ExitError
	if errors.As(err, &ee) {
		return ee.ExitCode()
	}
	if err != nil {
		return 1
	}
	return 0
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
