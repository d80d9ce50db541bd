package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// changedEvery is which share of the rows changes in a night: one of so many.
const changedEvery = 50

// changedNight measures the calls and the time of a night in which 2 % of the rows
// changed, and of one without a change.
func changedNight(b *bench) ([]line, error) {
	const latency, perWindow = 250 * time.Millisecond, 25
	n := b.either(100_000, 5_000)
	file, err := b.file(n)
	if err != nil {
		return nil, err
	}
	changed := filepath.Join(b.dir, fmt.Sprintf("changed-%d.csv", n))
	if err := writeChangedCSV(file, changed); err != nil {
		return nil, err
	}
	a, err := b.account(accountOptions{Calls: -1, Latency: latency})
	if err != nil {
		return nil, err
	}
	defer a.close()
	l := &loaded{b: b, account: a, state: b.state()}
	night := func(file string, flags ...string) (ended, int, error) {
		before, err := a.figures()
		if err != nil {
			return ended{}, 0, err
		}
		l.file = file
		e, err := l.load(append(flags, "--on-change", "update")...)
		if err != nil {
			return e, 0, err
		}
		after, err := a.figures()
		return e, int(after.Arrivals - before.Arrivals), err
	}
	if _, _, err := night(file, "--limit", "off", "--concurrency", "400"); err != nil {
		return nil, err
	}
	quiet, none, err := night(file, "--limit", "25/5s")
	if err != nil {
		return nil, err
	}
	busy, calls, err := night(changed, "--limit", "25/5s")
	if err != nil {
		return nil, err
	}
	updates := n / changedEvery
	most := updates + max(updates/100, 4) // looks that serve for 30 s, and one afterwards
	ideal := bound(calls, perWindow)
	return []line{
		{what: fmt.Sprintf("a night of %s rows without a change: calls", count(n)), target: "0", measured: fmt.Sprint(none), verdict: judge(none == 0)},
		{what: fmt.Sprintf("a night of %s rows, %s of them updated: calls", count(n), count(updates)), target: "≤ " + count(most), measured: count(calls), verdict: judge(calls <= most)},
		{what: "the same at 25/5s, 250 ms latency, the whole command", target: "≤ 1.05 of the bound, and the night without a change",
			measured: fmt.Sprintf("%s (bound %s, without a change %s), %s", seconds(busy.took), seconds(ideal), seconds(quiet.took), megabytes(busy.peak)),
			ratio:    ideal.Seconds() / (busy.took - quiet.took).Seconds(), verdict: judge(busy.took <= ideal*105/100+quiet.took)},
	}, nil
}

// writeChangedCSV copies a file of writeCSV with another amount in some rows.
func writeChangedCSV(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	lines := bufio.NewScanner(in)
	for i := 0; lines.Scan(); i++ {
		text := lines.Bytes()
		if i > 0 && i%changedEvery == 0 {
			text = bytes.Replace(text, []byte(".50,"), []byte(".75,"), 1)
		}
		w.Write(text)
		w.WriteByte('\n')
	}
	return errors.Join(lines.Err(), w.Flush(), f.Close())
}
