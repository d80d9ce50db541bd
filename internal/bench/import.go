package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"leadload/loader"
	"leadload/loader/account"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/pace"
	"leadload/loader/source"
	"leadload/mapping"
)

// connections of the bare client: what leadload opens with the limit off.
const connections = 64

// unlimited compares imports with the limit off with a client that does
// nothing but post the same bodies to the same account over the same number of
// connections. The runs take turns.
func unlimited(b *bench) ([]line, error) {
	n := b.either(60_000, 10_000)
	file, err := b.file(n)
	if err != nil {
		return nil, err
	}
	var bare, ours, unsafe, whole, ratios, wholeRatios, unsafeRatios []float64
	for range b.either(5, 3) {
		posted, _, err := b.flood(n, func(a *practice) (ended, error) {
			return b.start(a.env(b.state()), "@post", "-file", file, "-mapping", b.mapping(), "-rows", fmt.Sprint(n))
		})
		if err != nil {
			return nil, err
		}
		sent, e, err := b.flood(n, func(a *practice) (ended, error) {
			return b.leadload(a, b.state(), file, "--limit", "off")
		})
		if err != nil {
			return nil, err
		}
		loose, _, err := b.flood(n, func(a *practice) (ended, error) { return b.importAlone(a, file, "-unsafe") })
		if err != nil {
			return nil, err
		}
		bare, ours, unsafe, whole = append(bare, posted), append(ours, sent), append(unsafe, loose), append(whole, float64(n)/e.took.Seconds())
		ratios, unsafeRatios, wholeRatios = append(ratios, sent/posted), append(unsafeRatios, sent/loose), append(wholeRatios, float64(n)/e.took.Seconds()/posted)
	}
	if b.profile != "" {
		if _, _, err := b.flood(n, func(a *practice) (ended, error) { return b.importAlone(a, file, "-cpuprofile", b.profile) }); err != nil {
			return nil, err
		}
	}
	return []line{
		{what: fmt.Sprintf("limit off, %s rows, durable ledger: sending", count(n)), target: fmt.Sprintf("≥ 0.50 of a bare client, %d connections each", connections),
			measured: fmt.Sprintf("%s rows/s; bare client %s", count(median(ours)), count(median(bare))), ratio: median(ratios), verdict: judge(median(ratios) >= 0.5)},
		{what: "the same, the whole command with plan and results workbook",
			measured: fmt.Sprintf("%s rows/s", count(median(whole))), ratio: median(wholeRatios), verdict: noted},
		{what: "the same sending, durable ledger against one without fsync",
			measured: fmt.Sprintf("%s rows/s; without %s", count(median(ours)), count(median(unsafe))), ratio: median(unsafeRatios), verdict: noted},
	}, nil
}

// flood lets a process load n rows into a new account without a limit, and
// gives the rows/s between the first arrival and the last answer.
func (b *bench) flood(n int, load func(*practice) (ended, error)) (float64, ended, error) {
	a, err := b.account(accountOptions{Calls: -1, Kept: n + 1000})
	if err != nil {
		return 0, ended{}, err
	}
	defer a.close()
	e, err := load(a)
	if err != nil {
		return 0, e, err
	}
	f, err := a.figures()
	if err == nil && (f.Opportunities != n || f.Arrivals != int64(n)) {
		err = fmt.Errorf("%d calls made %d opportunities, want %d", f.Arrivals, f.Opportunities, n)
	}
	return float64(n) / f.sending().Seconds(), e, err
}

// importAlone runs the role of the same name.
func (b *bench) importAlone(a *practice, file string, flags ...string) (ended, error) {
	return b.start(a.env(b.state()), append([]string{"@import", "-file", file, "-mapping", b.mapping()}, flags...)...)
}

// importAlone is an import through the package loader, for what the command
// line does not offer: a ledger without fsync, and profiles.
func importAlone(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("@import", flag.ContinueOnError)
	path, mapped := flags.String("file", "", ""), flags.String("mapping", "", "")
	unsafe, profile := flags.Bool("unsafe", false, ""), flags.String("cpuprofile", "", "")
	live, heap := flags.Bool("live", false, ""), flags.String("heapprofile", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	m, file, err := open(*mapped, *path)
	if err != nil {
		return err
	}
	defer file.Close()
	acct, err := account.Load("", os.Getenv)
	if err != nil {
		return err
	}
	acct.Limit = pace.Unlimited
	led, err := sqlite.Open(os.Getenv("LEADLOAD_LEDGER"), sqlite.Options{Unsafe: *unsafe})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, led.Close()) }()
	s, err := loader.Connect(ctx, loader.Options{Account: acct, Ledger: led, StateDir: os.Getenv("XDG_STATE_HOME"), Command: "import"})
	if err != nil {
		return err
	}
	defer s.Close()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	type heapAt struct {
		live uint64
		err  error
	}
	halfway := make(chan heapAt, 1)
	looking, stop := context.WithCancel(ctx)
	defer stop()
	if *live || *heap != "" {
		go func() {
			n, err := heapHalfway(looking, s, *heap)
			halfway <- heapAt{n, err}
		}()
	} else {
		halfway <- heapAt{}
	}
	began := time.Now()
	var planned time.Time
	_, err = s.Import(ctx, loader.Job{Input: *path, InputPath: *path, File: file, Mapping: m, MappingPath: *mapped,
		Confirm: func(loader.Plan) error { planned = time.Now(); return nil }})
	if err != nil {
		return err
	}
	stop() // a file that was loaded before anybody looked has no half-way
	sent := time.Since(planned)
	h := <-halfway
	if h.err != nil {
		return h.err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{"plan": planned.Sub(began).Seconds(), "send": sent.Seconds(), "live": float64(h.live)})
}

// heapHalfway waits until half of the rows have an answer and gives the bytes
// that are in use then; with a path it writes what holds them.
func heapHalfway(ctx context.Context, s *loader.Session, path string) (uint64, error) {
	for v := s.Snapshot(); v.Phase != loader.Sending || v.Done() < v.Rows/2; v = s.Snapshot() {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if path == "" {
		return m.HeapAlloc, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	return m.HeapAlloc, errors.Join(pprof.WriteHeapProfile(f), f.Close())
}

// open opens a mapping and a file.
func open(mapped, path string) (*mapping.Mapping, *source.File, error) {
	text, err := os.ReadFile(mapped)
	if err != nil {
		return nil, nil, err
	}
	m, err := mapping.Parse(mapped, text)
	if err != nil {
		return nil, nil, err
	}
	f, err := source.Open(path, source.Options{})
	return m, f, err
}

// slowDisk runs imports under strace, which holds every fsync back by 5 ms,
// and beside them imports under strace that holds nothing back.
func slowDisk(b *bench) ([]line, error) {
	const what, target = "limit off, every fsync 5 ms later", "does not set the speed: ≥ 0.80 of the same without the delay"
	tracer, err := exec.LookPath("strace")
	if err != nil {
		return []line{{what: what, target: target, measured: "there is no strace here", verdict: skipped}}, nil
	}
	n := b.either(20_000, 5_000)
	file, err := b.file(n)
	if err != nil {
		return nil, err
	}
	traced := func(a *practice, inject ...string) (ended, error) {
		args := append([]string{"-f", "--seccomp-bpf", "-o", filepath.Join(b.dir, "trace"), "-e", "trace=fsync,fdatasync"}, inject...)
		args = append(args, b.self, "@import", "-file", file, "-mapping", b.mapping())
		cmd := exec.CommandContext(b.ctx, tracer, args...)
		b.dress(cmd, a.env(b.state()))
		return b.wait(cmd)
	}
	var fast, slow, ratios []float64
	for range 3 {
		quick, _, err := b.flood(n, func(a *practice) (ended, error) { return traced(a) })
		if err != nil {
			// Where processes may not be traced there is nothing to measure.
			return []line{{what: what, target: target, measured: "strace does not work here", verdict: skipped}}, nil
		}
		late, _, err := b.flood(n, func(a *practice) (ended, error) {
			return traced(a, "-e", "inject=fsync,fdatasync:delay_exit=5000")
		})
		if err != nil {
			return nil, err
		}
		fast, slow, ratios = append(fast, quick), append(slow, late), append(ratios, late/quick)
	}
	return []line{{what: what, target: target, measured: fmt.Sprintf("%s rows/s; without the delay %s", count(median(slow)), count(median(fast))),
		ratio: median(ratios), verdict: judge(median(ratios) >= 0.8)}}, nil
}

// memory measures the peak memory of the whole command for files of two sizes.
func memory(b *bench) ([]line, error) {
	small, large := b.either(100_000, 10_000), b.either(1_000_000, 100_000)
	var peaks []int64
	var took []string
	var lives []float64
	for _, n := range []int{small, large} {
		file, err := b.file(n)
		if err != nil {
			return nil, err
		}
		a, err := b.account(accountOptions{Calls: -1})
		if err != nil {
			return nil, err
		}
		state := b.state()
		e, err := b.leadload(a, state, file, "--limit", "off")
		if err = errors.Join(err, a.close()); err != nil {
			return nil, err
		}
		peaks, took = append(peaks, e.peak), append(took, seconds(e.took))
		if err := os.RemoveAll(state); err != nil {
			return nil, err
		}
		live, err := b.liveHeap(file, n == large)
		if err != nil {
			return nil, err
		}
		lives = append(lives, live)
	}
	l := line{what: fmt.Sprintf("import, limit off, %s and %s rows: peak memory", count(small), count(large)), target: "does not grow with the file (≤ 1.25 times)",
		measured: fmt.Sprintf("%s and %s (%s and %s)", megabytes(peaks[0]), megabytes(peaks[1]), took[0], took[1]), verdict: skipped}
	if peaks[0] > 0 {
		l.ratio = float64(peaks[1]) / float64(peaks[0])
		l.verdict = judge(l.ratio <= 1.25)
	}
	grown := lives[1] / lives[0]
	return []line{l, {what: "the same, half-way: bytes that the heap holds", target: "do not grow with the file (≤ 1.25 times)",
		measured: megabytes(int64(lives[0])) + " and " + megabytes(int64(lives[1])), ratio: grown, verdict: judge(grown <= 1.25)}}, nil
}

// liveHeap imports a file and gives the bytes in use half-way.
func (b *bench) liveHeap(file string, profiled bool) (float64, error) {
	a, err := b.account(accountOptions{Calls: -1})
	if err != nil {
		return 0, err
	}
	args := []string{"-live"}
	if profiled && b.heap != "" {
		args = append(args, "-heapprofile", b.heap)
	}
	e, err := b.importAlone(a, file, args...)
	if err = errors.Join(err, a.close()); err != nil {
		return 0, err
	}
	var out struct{ Live float64 }
	return out.Live, e.decode(&out)
}
