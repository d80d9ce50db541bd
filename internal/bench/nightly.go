package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// nights is how often a file is loaded again, with nothing changed in it.
const nights = 5

// loaded is a ledger that a program has filled, with the account beside it.
type loaded struct {
	b       *bench
	program string // "": this one
	account *practice
	state   string
	file    string
}

// fill loads a file into a new account with a new ledger.
func (b *bench) fill(program, file string) (*loaded, error) {
	a, err := b.account(accountOptions{Calls: -1})
	if err != nil {
		return nil, err
	}
	l := &loaded{b: b, program: program, account: a, state: b.state(), file: file}
	if _, err := l.load(); err != nil {
		a.close()
		return nil, err
	}
	return l, nil
}

// filled loads a file of n rows into a new account with a new ledger.
func (b *bench) filled(n int) (*loaded, error) {
	file, err := b.file(n)
	if err != nil {
		return nil, err
	}
	return b.fill("", file)
}

// load runs the import, for the first time or again. Without flags it has no limit.
func (l *loaded) load(flags ...string) (ended, error) {
	if err := os.Remove(filepath.Join(l.state, "results.xlsx")); err != nil && !os.IsNotExist(err) {
		return ended{}, err
	}
	if len(flags) == 0 {
		flags = []string{"--limit", "off"}
	}
	cmd := l.b.leadloadCommand(l.account, l.state, l.file, flags...)
	if l.program != "" {
		cmd.Path, cmd.Args = l.program, append([]string{l.program}, cmd.Args[2:]...)
	}
	return l.b.wait(cmd)
}

// size returns the bytes of the ledger's file.
func (l *loaded) size() (int64, error) {
	info, err := os.Stat(filepath.Join(l.state, "ledger.db"))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// nightly measures what a ledger keeps of a row, and how long a file takes of
// which every row is loaded already. With -base, an earlier build does the same
// in turns.
func nightly(b *bench) ([]line, error) {
	n := b.either(100_000, 10_000)
	ours, err := b.filled(n)
	if err != nil {
		return nil, err
	}
	defer ours.account.close()
	first, err := ours.size()
	if err != nil {
		return nil, err
	}
	var base *loaded
	var baseFirst int64
	if b.base != "" {
		if base, err = b.fill(b.base, ours.file); err != nil {
			return nil, err
		}
		defer base.account.close()
		if baseFirst, err = base.size(); err != nil {
			return nil, err
		}
	}
	var took, baseTook, ratios []float64
	for range nights {
		if base != nil {
			e, err := base.load()
			if err != nil {
				return nil, err
			}
			baseTook = append(baseTook, e.took.Seconds())
		}
		e, err := ours.load()
		if err != nil {
			return nil, err
		}
		took = append(took, e.took.Seconds())
		if base != nil {
			ratios = append(ratios, baseTook[len(baseTook)-1]/e.took.Seconds())
		}
	}
	last, err := ours.size()
	if err != nil {
		return nil, err
	}
	perRow, perNight := float64(first)/float64(n), float64(last-first)/float64(n*nights)
	micros := func(seconds []float64) float64 { return median(seconds) * 1e6 / float64(n) }
	lines := []line{
		{what: fmt.Sprintf("ledger, %s rows loaded, 12 fields and a key: bytes a row", count(n)), target: "≤ 260", measured: fmt.Sprintf("%.0f", perRow), verdict: judge(perRow <= 260)},
		{what: "the same: bytes that a night adds for an unchanged row", target: "≤ 15", measured: fmt.Sprintf("%.1f", perNight), verdict: judge(perNight <= 15)},
		{what: fmt.Sprintf("nightly run of %s unchanged rows, with workbook", count(n)), target: "≥ 2 times an earlier build's speed", measured: fmt.Sprintf("%.1f µs a row", micros(took)), verdict: skipped},
	}
	if base != nil {
		baseLast, err := base.size()
		if err != nil {
			return nil, err
		}
		lines[0].measured += fmt.Sprintf("; before %.0f", float64(baseFirst)/float64(n))
		lines[1].measured += fmt.Sprintf("; before %.1f", float64(baseLast-baseFirst)/float64(n*nights))
		l := &lines[2]
		l.measured += fmt.Sprintf("; before %.1f", micros(baseTook))
		l.ratio = median(ratios)
		l.verdict = judge(l.ratio >= 2)
	}
	return lines, nil
}

// nightlyMemory measures the peak memory of a large nightly run.
func nightlyMemory(b *bench) ([]line, error) {
	n := b.either(1_000_000, 100_000)
	l, err := b.filled(n)
	if err != nil {
		return nil, err
	}
	defer l.account.close()
	e, err := l.load()
	if err != nil {
		return nil, err
	}
	out := line{what: fmt.Sprintf("nightly run of %s unchanged rows: peak memory", count(n)), target: "≤ 160 MB", measured: fmt.Sprintf("%s (%s)", megabytes(e.peak), seconds(e.took)), verdict: judge(e.peak <= 160_000_000)}
	if e.peak == 0 {
		out.verdict = skipped
	}
	lines := []line{out}
	// The same ledger serves a check of the same file, and one of other rows.
	other := filepath.Join(b.dir, fmt.Sprintf("other-%d.csv", n))
	if err := writeOtherCSV(l.file, other); err != nil {
		return lines, err
	}
	for _, c := range []struct{ what, file string }{{"of other rows", other}, {"of the same rows", l.file}} {
		var with, without, ratios []float64
		for range 3 {
			var took [2]float64
			for i, state := range []string{b.state(), l.state} {
				e, err := b.start(l.account.env(state), "@leadload", "check", c.file, "-m", b.mapping(), "-q")
				if err != nil {
					return lines, err
				}
				took[i] = e.took.Seconds()
			}
			without, with, ratios = append(without, took[0]), append(with, took[1]), append(ratios, took[1]/took[0])
		}
		one := line{what: fmt.Sprintf("check of %s × %d %s beside a ledger of %s", count(n), columns, c.what, count(n)), target: "≤ 1.3 times the same without one",
			measured: fmt.Sprintf("%.2f s; without %.2f s", median(with), median(without)), ratio: median(ratios), verdict: judge(median(ratios) <= 1.3)}
		lines = append(lines, one)
	}
	return lines, nil
}
