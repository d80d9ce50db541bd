package pace

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A test binary that finds this in its environment is a process that makes
// calls, and writes a line with start and answer of each to standard output.
const processEnv = "LEADLOAD_PACE_TEST_PROCESS"

var processLimit = Limit{20, 100 * ms}

func TestMain(m *testing.M) {
	if file := os.Getenv(processEnv); file != "" {
		if err := process(file); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func process(file string) error {
	tab, err := OpenTable(file, "practice")
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		fmt.Printf(format+"\n", args...)
		mu.Unlock()
	}
	p := New(Options{Limit: processLimit, Table: tab, OnChange: func(c Change) { say("change %+v", c) }})
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for range 6 {
				c, err := p.Acquire(context.Background())
				if err != nil {
					say("%v", err)
					return
				}
				at := tab.clock.Read()
				c.Wrote(true)
				c.FirstByte()
				say("call %d", at)
				c.Done(OK, Limit{})
			}
		})
	}
	work.Wait()
	return tab.Close()
}

// TestRealProcesses has three processes on one table, one of which is killed
// and started again, and looks at when their calls were made.
func TestRealProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	file := filepath.Join(t.TempDir(), "calls.db")
	var mu sync.Mutex
	var calls []time.Time
	start := func(killAfter int) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, exe)
		cmd.Env = append(os.Environ(), processEnv+"="+file)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Error(err)
			return
		}
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return
		}
		n := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var at int64
			if _, err := fmt.Sscanf(lines.Text(), "call %d", &at); err != nil {
				t.Errorf("a process says %q", lines.Text())
				continue
			}
			mu.Lock()
			calls = append(calls, time.Unix(0, at))
			mu.Unlock()
			if n++; n == killAfter {
				_ = cmd.Process.Kill()
			}
		}
		if err := cmd.Wait(); err != nil && (killAfter == 0 || !strings.Contains(err.Error(), "kill")) {
			t.Errorf("a process ended with %v", err)
		}
	}
	var work sync.WaitGroup
	for _, killAfter := range []int{0, 0, 20} {
		work.Go(func() {
			start(killAfter)
			if killAfter > 0 {
				start(0)
			}
		})
	}
	work.Wait()
	if len(calls) < 3*48 {
		t.Fatalf("%d calls were made", len(calls))
	}
	slices.SortFunc(calls, time.Time.Compare)
	gap := smallestGap(calls, processLimit.Calls)
	t.Logf("%d calls in %v, smallest gap %v", len(calls), calls[len(calls)-1].Sub(calls[0]), gap)
	if gap < processLimit.Window {
		t.Errorf("call k+%d was made %v after call k", processLimit.Calls, gap)
	}
}
