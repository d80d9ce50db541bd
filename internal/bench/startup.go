package main

import (
	"fmt"
	"time"
)

// startup measures from the start of the process to the arrival of the first
// call, with a new ledger, a file of 1,000 rows and the usual limit.
func startup(b *bench) ([]line, error) {
	file, err := b.file(1000)
	if err != nil {
		return nil, err
	}
	var all []float64
	for range b.either(9, 5) {
		ms, err := b.firstCall(file)
		if err != nil {
			return nil, err
		}
		all = append(all, ms)
	}
	m := median(all)
	return []line{{
		what: "start-up to first call, 1,000 rows", target: "< 50 ms",
		measured: fmt.Sprintf("%.0f ms (median of %s)", m, list(all, "%.0f")),
		ratio:    50 / m, verdict: judge(m < 50),
	}}, nil
}

func (b *bench) firstCall(file string) (float64, error) {
	a, err := b.account(accountOptions{})
	if err != nil {
		return 0, err
	}
	defer a.close()
	cmd := b.leadloadCommand(a, b.state(), file)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	// Asking seldom leaves the machine to what is measured.
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 100 {
		select {
		case <-tick.C:
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		}
		f, err := a.figures()
		if err != nil {
			return 0, err
		}
		if !f.First.IsZero() {
			return float64(f.First.Sub(began).Microseconds()) / 1000, nil
		}
	}
	return 0, fmt.Errorf("no call in 10 s")
}
