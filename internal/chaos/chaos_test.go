package chaos

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/internal/cli"
	"leadload/internal/sandbox"
	"leadload/loader/ledger/postgres"
	"leadload/loader/source"
)

var (
	seeds    = flag.Int("chaos.seeds", 0, "long form: how many seeds to run")
	firstOne = flag.Uint64("chaos.first", 1, "the first seed")
	rowCount = flag.Int("chaos.rows", 2000, "long form: rows of each file")
)

// childMark in the environment makes the test binary behave as leadload.
const childMark = "LEADLOAD_CHAOS_CHILD"

// roadMark in the environment makes the test binary the way out of a host's network:
// ports and the sockets that they lead to.
const roadMark = "LEADLOAD_CHAOS_ROAD"

// relay joins ports of this machine's loopback to sockets until its input ends.
func relay(ways string) int {
	for way := range strings.SplitSeq(ways, ",") {
		port, socket, _ := strings.Cut(way, "=")
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					s, err := net.Dial("unix", socket)
					if err != nil {
						return
					}
					defer s.Close()
					go func() {
						io.Copy(c, s) // its end is the connection's
						c.Close()
					}()
					io.Copy(s, c)
				}()
			}
		}()
	}
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
	return 0
}

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

// storm is how bad the day is.
type storm struct {
	rows        int
	kills       int
	lag         time.Duration // of the index
	settleAfter time.Duration
	timeout     time.Duration
	calm        bool // no outage and no rival
	outage      time.Duration
	hang        time.Duration
	pace        time.Duration // about how long a run takes unharmed
	limit       int           // calls a second
	bulk        string        // the form of bulk answers; "": no such calls are made
	flags       []string      // of the import, beside the usual
}

var (
	shortStorm = storm{rows: 100, kills: 2, lag: 300 * time.Millisecond, settleAfter: 400 * time.Millisecond, timeout: 400 * time.Millisecond,
		outage: 400 * time.Millisecond, hang: 600 * time.Millisecond, pace: 600 * time.Millisecond, limit: 600}
	longStorm = storm{kills: 10, lag: 5 * time.Second, settleAfter: 6 * time.Second, timeout: 2 * time.Second,
		outage: 10 * time.Second, hang: 3 * time.Second, pace: 9 * time.Second, limit: 400}
)

// tally is what happened in one or all seeds.
type tally struct {
	faults                               map[string]int64
	rows, valid, kills, runs             int64
	throttled, outages                   int64
	duplicates, losses, strangers, lies  int64
	doubts, doubtsThere, missing, halves int64
}

func (t *tally) add(o tally) {
	if t.faults == nil {
		t.faults = map[string]int64{}
	}
	for k, v := range o.faults {
		t.faults[k] += v
	}
	t.rows, t.valid, t.kills, t.runs = t.rows+o.rows, t.valid+o.valid, t.kills+o.kills, t.runs+o.runs
	t.throttled, t.outages = t.throttled+o.throttled, t.outages+o.outages
	t.duplicates, t.losses, t.strangers, t.lies = t.duplicates+o.duplicates, t.losses+o.losses, t.strangers+o.strangers, t.lies+o.lies
	t.doubts, t.doubtsThere, t.missing, t.halves = t.doubts+o.doubts, t.doubtsThere+o.doubtsThere, t.missing+o.missing, t.halves+o.halves
}

func (t *tally) String() string {
	var b strings.Builder
	var all int64
	for _, k := range slices.Sorted(maps.Keys(t.faults)) {
		fmt.Fprintf(&b, " %s %d", k, t.faults[k])
		all += t.faults[k]
	}
	return fmt.Sprintf("%d rows (%d valid), %d runs, %d killed, %d faults (%s), %d calls throttled, %d calls into an outage: duplicates %d, losses %d, strangers %d, lines that lie %d, lines missing %d, half workbooks %d, in doubt %d",
		t.rows, t.valid, t.runs, t.kills, all, strings.TrimSpace(b.String()), t.throttled, t.outages,
		t.duplicates, t.losses, t.strangers, t.lies, t.missing, t.halves, t.doubts)
}

// clean reports that nothing is lost, doubled or told wrongly. Rows may stay in
// doubt where three calls in a row went wrong, but no more than one in 25.
func (t *tally) clean() bool {
	return t.duplicates+t.losses+t.strangers+t.lies+t.missing+t.halves == 0 && 25*t.doubts <= t.valid
}

// endOf returns the counts of a run's last line, without the name of its results file.
func endOf(out string) string {
	line := out[strings.LastIndexByte(strings.TrimSpace(out), '\n')+1:]
	counts, _, _ := strings.Cut(line, " → ")
	return counts
}

// TestChaos loads files through storms. Without flags it is the short form.
func TestChaos(t *testing.T) {
	list := []uint64{*firstOne}
	day := shortStorm
	kinds := shapes
	if *seeds > 0 {
		list = nil
		for i := range *seeds {
			list = append(list, *firstOne+uint64(i))
		}
		day = longStorm
		day.rows = *rowCount
	}
	var mu sync.Mutex
	var total tally
	t.Run("seeds", func(t *testing.T) {
		for _, seed := range list {
			for i, s := range kinds {
				if *seeds > 0 && int(seed)%len(kinds) != i {
					continue // the long form gives each seed one shape
				}
				t.Run(fmt.Sprintf("%d-%s", seed, s.name), func(t *testing.T) {
					t.Parallel()
					got := load(t, seed, s, day, true)
					mu.Lock()
					total.add(got)
					mu.Unlock()
					t.Logf("seed %d, %s: %s", seed, s.name, got.String())
					if !got.clean() {
						t.Errorf("seed %d, %s: not every row is in the account exactly once, or the results file lies", seed, s.name)
					}
				})
			}
		}
	})
	t.Logf("in all: %s", total.String())
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

// verify holds account and results file against the input.
func verify(t *testing.T, got *tally, dir string, rows []row, account map[string]string) {
	want, have := map[string]int{}, map[string]int{}
	for _, r := range rows {
		if r.content != "" {
			want[r.content]++
			got.valid++
		}
	}
	for _, c := range account {
		have[c]++
	}
	doubts := map[string]int{}
	book := newest(t, got, dir)
	if book == nil {
		t.Fatal("there is no results file")
	}
	seen := map[string]int{}
	lines := map[int][]string{}
	for _, line := range book {
		n, err := strconv.Atoi(line[0])
		check(t, err)
		if lines[n] != nil {
			got.lies++
			t.Errorf("row %d stands twice in the results file", n)
		}
		lines[n] = line
	}
	for i, r := range rows {
		n := i + 2
		line := lines[n]
		if line == nil {
			got.missing++
			t.Errorf("row %d is missing in the results file", n)
			continue
		}
		result, id := line[2], ""
		if at := source.ResultsBefore + len(r.cells); at < len(line) {
			id = line[at]
		}
		lie := ""
		switch {
		case r.refused && result == "in doubt" && id == "" && r.content == "":
			got.doubts++ // its answers were lost three times
		case r.refused:
			if result != "rejected" || id != "" {
				lie = "the account refuses it"
			}
		case r.content == "":
			if result != "invalid" || id != "" {
				lie = "it is invalid"
			}
		case result == "loaded" || result == "already loaded":
			if seen[id]++; seen[id] > 1 {
				lie = "its id stands on another row too"
			} else if account[id] != r.content {
				lie = fmt.Sprintf("that record says %q, the row %q", account[id], r.content)
			}
		case result == "in doubt":
			got.doubts++
			doubts[r.content]++
			if have[r.content] > 0 {
				got.doubtsThere++
			}
		default:
			lie = "it should be loaded"
		}
		if lie != "" {
			got.lies++
			t.Errorf("row %d: %q %q: %s", n, result, id, lie)
		}
	}
	for c, n := range want {
		if have[c] > n {
			got.duplicates += int64(have[c] - n)
			t.Errorf("%d records too many: %s", have[c]-n, c)
		}
		if missing := n - have[c] - doubts[c]; missing > 0 {
			got.losses += int64(missing)
			t.Errorf("%d records are missing: %s", missing, c)
		}
	}
	for c, n := range have {
		if want[c] == 0 {
			got.strangers += int64(n)
			t.Errorf("the account has a record of no row: %s", c)
		}
	}
}

// newest gives the lines of the last results file, and opens all of them: a
// run that was killed while it wrote one must leave none or a whole one.
func newest(t *testing.T, got *tally, dir string) [][]string {
	names, err := filepath.Glob(filepath.Join(dir, "deals-results*.xlsx"))
	check(t, err)
	var last string
	best := -1
	for _, name := range names {
		f, err := excelize.OpenFile(name)
		if err != nil {
			got.halves++
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		check(t, f.Close())
		n := 1
		if rest, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(name), ".xlsx"), "deals-results-"); ok {
			n, err = strconv.Atoi(rest)
			check(t, err)
		}
		if n > best {
			best, last = n, name
		}
	}
	if last == "" {
		return nil
	}
	f, err := excelize.OpenFile(last)
	check(t, err)
	defer f.Close()
	lines, err := f.GetRows("All rows", excelize.Options{RawCellValue: true})
	check(t, err)
	for i, l := range lines {
		for len(l) < 3 {
			l = append(l, "")
		}
		lines[i] = l
	}
	return lines[1:]
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
