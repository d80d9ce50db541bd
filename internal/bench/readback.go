package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"
)

// The account as most are, for what reads it back.
const usualCalls, usualLatency = 25, 250 * time.Millisecond

// readBack measures verify of rows that are loaded, and adopt of them where the
// ledger is lost and the account has half as many records more.
func readBack(b *bench) ([]line, error) {
	n := b.either(100_000, 10_000)
	l, err := b.filled(n)
	if err != nil {
		return nil, err
	}
	file := l.file
	defer l.account.close()
	calls, e, err := l.read(usualCalls, "verify", "same", n)
	if err != nil {
		return nil, err
	}
	most, within := int64(60), 20*time.Second
	lines := []line{
		{what: fmt.Sprintf("verify of %s loaded rows at %d/5s, 250 ms latency: calls", count(n), usualCalls), target: fmt.Sprintf("≤ %d", most), measured: fmt.Sprint(calls), verdict: judge(calls <= most)},
		{what: "the same: time of the whole command, with its workbook", target: "≤ 20 s", measured: fmt.Sprintf("%s, of which %.1f s of processor time", seconds(e.took), e.user.Seconds()), verdict: judge(e.took <= within)},
		{what: "the same: calls against one a row", target: "≥ 1,000 times fewer", measured: fmt.Sprintf("%s times fewer", count(float64(n)/float64(max(calls, 1)))), verdict: judge(int64(n) >= 1000*calls)},
		{what: "the same: peak memory", measured: megabytes(e.peak), verdict: noted},
	}
	small := e.peak
	// More records of the same type: the file's rows are the first of a larger file.
	larger, err := b.file(n + n/2)
	if err != nil {
		return lines, err
	}
	l.file = larger
	if _, err := l.load(); err != nil {
		return lines, err
	}
	adopting := *l
	adopting.file, adopting.state = file, b.state()
	if calls, e, err = adopting.read(usualCalls, "adopt", "adopted", n); err != nil {
		return lines, err
	}
	lines = append(lines,
		line{what: fmt.Sprintf("adopt of %s rows from an account of %s records: calls", count(n), count(n+n/2)), target: "≤ 160", measured: fmt.Sprint(calls), verdict: judge(calls <= 160)},
		line{what: "the same: time of the whole command", measured: fmt.Sprintf("%s, of which %.1f s of processor time; %s", seconds(e.took), e.user.Seconds(), megabytes(e.peak)), verdict: noted})
	// The ledger of a million rows, and its memory.
	many := b.either(1_000_000, 50_000)
	if l.file, err = b.file(many); err != nil {
		return lines, err
	}
	if _, err := l.load(); err != nil {
		return lines, err
	}
	if _, e, err = l.read(-1, "verify", "same", many); err != nil {
		return lines, err
	}
	memory := line{what: fmt.Sprintf("verify of %s rows, no limit: peak memory", count(many)), target: fmt.Sprintf("does not grow (≤ 1.25 times that of %s)", count(n)), measured: fmt.Sprintf("%s; %s, of which %.1f s of processor time", megabytes(e.peak), seconds(e.took), e.user.Seconds()), verdict: skipped}
	if small > 0 {
		memory.ratio = float64(e.peak) / float64(small)
		memory.verdict = judge(memory.ratio <= 1.25)
	}
	return append(lines, memory), nil
}

// read runs a command that reads the account back, while the account allows so many
// calls in 5 s; -1 is no limit and no latency. All rows must come to one result. It
// returns the calls that the account counted.
func (l *loaded) read(limit int, command, result string, rows int) (calls int64, e ended, err error) {
	args := []string{"@leadload", command, l.file, "-m", l.b.mapping(), "-q", "--json", "-o", filepath.Join(l.b.state(), command+".xlsx")}
	if limit > 0 {
		if err := l.account.become(limit, usualLatency); err != nil {
			return 0, e, err
		}
		defer l.account.become(-1, 0) // the next question fails if it does
	} else {
		args = append(args, "--limit", "off")
	}
	before, err := l.account.figures()
	if err != nil {
		return 0, e, err
	}
	if e, err = l.b.start(l.account.env(l.state), args...); err != nil {
		return 0, e, err
	}
	var said struct{ Totals map[string]int }
	if err := json.Unmarshal(e.stdout, &said); err != nil {
		return 0, e, err
	}
	if said.Totals[result] != rows {
		return 0, e, fmt.Errorf("%s: %d rows of %d are %q: %v", command, said.Totals[result], rows, result, said.Totals)
	}
	after, err := l.account.figures()
	return after.Arrivals - before.Arrivals, e, err
}
