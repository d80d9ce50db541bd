package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// bulkMapping is of rows that go in bulk: new ones of existing leads, and updates of
// an opportunity's fields.
const bulkMapping = `version: 1
target: opportunity
key: Deal ID
on_change: update
search_by: EmailAddress
lead_must_exist: true
LeadDetails:
  EmailAddress: {column: Email, type: email, required: true}
Opportunity:
  OpportunityEventCode: 12000
  Fields:
    mx_Custom_1: Name
    mx_Custom_6: {column: Amount, type: number}
    Status: {value: Open}
`

// bulkMapped writes a mapping.
func (b *bench) bulkMapped(name, text string) (path string, err error) {
	path = filepath.Join(b.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// bulkFile writes n rows, each of a lead of its own. Rows of one series are the same
// ones with another amount.
func (b *bench) bulkFile(n int, series, amount string) (path string, err error) {
	path = filepath.Join(b.dir, fmt.Sprintf("bulk-%d-%s-%s.csv", n, series, amount))
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "Deal ID,Email,Name,Amount")
	for i := range n {
		fmt.Fprintf(w, "%s-%06d,%s,Deal %d,%s\n", series, i, leadOf(i), i, amount)
	}
	return path, errors.Join(w.Flush(), f.Close())
}

// leadOf is the e-mail address of the i-th lead of an account.
func leadOf(i int) string { return fmt.Sprintf("person%d@example.com", i) }

// bulk measures rows that go up to 25 a call beside the single calls. The leads are
// known to the ledger, as on every night but the first.
func bulk(b *bench) ([]line, error) {
	n := b.either(3000, 600)
	var lines []line
	for _, calls := range []int{5, 10} {
		rows, updates, err := b.bulkRuns(n, calls)
		if err != nil {
			return lines, err
		}
		most := float64(25+25*calls) / 25
		want := map[int]float64{5: 5, 10: 8.5}[calls]
		for _, r := range []struct {
			what string
			run  bulkRun
		}{{"new rows of existing leads", rows}, {"updates", updates}} {
			ratio := bound(n, 25).Seconds() / r.run.took.Seconds()
			l := line{
				what:   fmt.Sprintf("%s %s at 25/5s + bulk %d/5s, 250 ms latency, the whole command", count(n), r.what, calls),
				target: fmt.Sprintf("≥ %.1f times the speed of single calls (bound %.1f), 0 throttled", want, most),
				measured: fmt.Sprintf("%s (single calls: %s at best); %d calls, %d throttled", seconds(r.run.took), seconds(bound(n, 25)),
					r.run.arrivals, r.run.limited),
				ratio: ratio, verdict: judge(ratio >= want && r.run.limited == 0),
			}
			if b.short {
				l.verdict = noted // the first windows and the proof weigh too much
			}
			lines = append(lines, l)
		}
	}
	return lines, nil
}

// bulkUnlimited measures the same where no limit sets the speed.
func bulkUnlimited(b *bench) ([]line, error) { return b.bulkWithoutLimit(b.either(20_000, 5_000)) }

// bulkLatency is what every call takes beside the account's own work.
const bulkLatency = 250 * time.Millisecond

// bulkRun is what one run took.
type bulkRun struct {
	took              time.Duration
	arrivals, limited int64
}

// bulkRuns loads n new rows and then changes them, with a limit for either kind of calls.
func (b *bench) bulkRuns(n, calls int) (rows, updates bulkRun, err error) {
	a, err := b.account(accountOptions{Calls: -1, Bulk: calls, Leads: n, Kept: 4 * n})
	if err != nil {
		return rows, updates, err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	state := b.state()
	mapped, err := b.bulkMapped("bulk.yaml", bulkMapping)
	if err != nil {
		return rows, updates, err
	}
	limits := []string{"--limit", "25/5s", "--bulk-limit", fmt.Sprintf("%d/5s", calls)}
	// A first night, so that the ledger knows the leads.
	first, err := b.bulkFile(n, "A", "1")
	if err == nil {
		_, err = b.wait(b.leadloadBy(a, state, mapped, first, "--limit", "off"))
	}
	if err == nil {
		err = a.become(25, bulkLatency)
	}
	if err != nil {
		return rows, updates, err
	}
	one := func(series, amount string) (bulkRun, error) {
		file, err := b.bulkFile(n, series, amount)
		if err != nil {
			return bulkRun{}, err
		}
		before, err := a.figures()
		if err != nil {
			return bulkRun{}, err
		}
		e, err := b.wait(b.leadloadBy(a, state, mapped, file, limits...))
		if err != nil {
			return bulkRun{}, err
		}
		after, err := a.figures()
		return bulkRun{e.took, after.Arrivals - before.Arrivals, after.Limited - before.Limited}, err
	}
	if rows, err = one("B", "1"); err != nil {
		return rows, updates, err
	}
	f, err := a.figures()
	if err == nil && f.Opportunities != 2*n {
		err = fmt.Errorf("%d opportunities in the account, want %d", f.Opportunities, 2*n)
	}
	if err != nil {
		return rows, updates, err
	}
	time.Sleep(6 * time.Second) // until the windows of the run before are over
	updates, err = one("B", "2")
	return rows, updates, err
}

// bulkWithoutLimit compares new rows with bulk calls and without, where no limit sets
// the speed, and with an earlier build where there is one.
func (b *bench) bulkWithoutLimit(n int) ([]line, error) {
	mapped, err := b.bulkMapped("bulk.yaml", bulkMapping)
	if err != nil {
		return nil, err
	}
	// An earlier build may not know the key for changed rows, which no row here needs.
	plain, err := b.bulkMapped("bulk-plain.yaml", strings.Replace(bulkMapping, "on_change: update\n", "", 1))
	if err != nil {
		return nil, err
	}
	run := func(program, mapped string, flags ...string) (ended, error) {
		a, err := b.account(accountOptions{Calls: -1, Bulk: -1, Leads: n})
		if err != nil {
			return ended{}, err
		}
		defer a.close()
		state := b.state()
		load := func(series string, flags ...string) (ended, error) {
			file, err := b.bulkFile(n, series, "1")
			if err != nil {
				return ended{}, err
			}
			cmd := b.leadloadBy(a, state, mapped, file, append([]string{"--limit", "off"}, flags...)...)
			if program != "" {
				cmd.Path, cmd.Args = program, append([]string{program}, cmd.Args[2:]...)
			}
			return b.wait(cmd)
		}
		if _, err := load("A"); err != nil { // so that the ledger knows the leads
			return ended{}, err
		}
		e, err := load("B", flags...)
		if err != nil {
			return e, err
		}
		f, err := a.figures()
		if err == nil && f.Opportunities != 2*n {
			err = fmt.Errorf("%d opportunities in the account, want %d", f.Opportunities, 2*n)
		}
		return e, err
	}
	// with comes last in every round; the ratios are those of one round.
	var with, without, base, ratios, baseRatios, user, baseUser []float64
	for range 3 {
		if b.base != "" {
			e, err := run(b.base, plain)
			if err != nil {
				return nil, err
			}
			base, baseUser = append(base, float64(n)/e.took.Seconds()), append(baseUser, e.user.Seconds())
		}
		slow, err := run("", mapped)
		if err != nil {
			return nil, err
		}
		quick, err := run("", mapped, "--bulk-limit", "5000/1s") // never reached
		if err != nil {
			return nil, err
		}
		with, without, user = append(with, float64(n)/quick.took.Seconds()), append(without, float64(n)/slow.took.Seconds()), append(user, quick.user.Seconds())
		ratios = append(ratios, slow.took.Seconds()/quick.took.Seconds())
		if b.base != "" {
			baseRatios = append(baseRatios, with[len(with)-1]/base[len(base)-1])
		}
	}
	lines := []line{{what: fmt.Sprintf("limit off, %s new rows in bulk, the whole command", count(n)),
		measured: fmt.Sprintf("%s rows/s; without bulk calls %s", count(median(with)), count(median(without))), ratio: median(ratios), verdict: noted}}
	if b.base == "" {
		return lines, nil
	}
	return append(lines,
		line{what: "the same, against an earlier build, which has no bulk calls", target: "≥ 3 times its rows/s",
			measured: fmt.Sprintf("%s rows/s; the earlier build %s", count(median(with)), count(median(base))), ratio: median(baseRatios), verdict: judge(median(baseRatios) >= 3)},
		line{what: "the same, against an earlier build: processor time of the program",
			measured: fmt.Sprintf("%.2f s; the earlier build %.2f s", median(user), median(baseUser)), ratio: median(baseUser) / median(user), verdict: noted}), nil
}
