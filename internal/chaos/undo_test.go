package chaos

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/internal/sandbox"
)

const dealsMapping = `version: 1
target: opportunity
key: Deal
on_change: update
search_by: EmailAddress
LeadDetails:
  EmailAddress: {column: Email, type: email, required: true}
Opportunity:
  OpportunityEventCode: 12000
  OpportunityNote: Note
  Fields:
    mx_Custom_1: Deal
    Status: Stage
    mx_Custom_6: {column: Amount, type: number}
`

var dealsHeader = []string{"Deal", "Email", "Note", "Stage", "Amount"}

// program is leadload beside an account, in a folder of its own.
type program struct {
	t   *testing.T
	dir string
	a   *sandbox.Account
	env []string
}

func newProgram(t *testing.T, a *sandbox.Account) *program {
	dir := t.TempDir()
	return &program{t: t, dir: dir, a: a, env: environment(a, dir)}
}

func (p *program) write(name, text string) {
	p.t.Helper()
	check(p.t, os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600))
}

func (p *program) table(name string, header []string, rows [][]string) {
	p.t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	check(p.t, w.Write(header))
	check(p.t, w.WriteAll(rows))
	p.write(name, b.String())
}

// start begins a command whose output grows in the buffer.
func (p *program) start(args ...string) (*exec.Cmd, *bytes.Buffer) {
	p.t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	check(p.t, cmd.Start())
	return cmd, &out
}

// run makes a command end with an exit code and returns its last line.
func (p *program) run(code int, args ...string) string {
	p.t.Helper()
	cmd, out := p.start(args...)
	if got := exitOf(cmd.Wait()); got != code {
		p.t.Fatalf("leadload %s ended with exit code %d, want %d:\n%s", strings.Join(args, " "), got, code, out)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return lines[len(lines)-1]
}

// killed runs a command until the account has taken so many calls more, and ends it
// with SIGKILL. It reports whether that is how the command ended.
func (p *program) killed(calls int64, args ...string) bool {
	p.t.Helper()
	begun := int64(p.a.Count().Calls)
	cmd, out := p.start(args...)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if code := exitOf(err); code == 1 || code == 2 || code == 130 {
				p.t.Fatalf("leadload %s ended with exit code %d:\n%s", strings.Join(args, " "), code, out)
			}
			return false
		case <-tick.C:
			if int64(p.a.Count().Calls)-begun < calls {
				continue
			}
			cmd.Process.Kill() // its failure means that it has just ended by itself
			<-ended
			return cmd.ProcessState.ExitCode() == -1
		}
	}
}

// badDay are the faults of a storm.
func badDay(seed uint64) sandbox.Faults {
	return sandbox.Faults{LostAnswer: 0.03, CutBefore: 0.03, BadGatewayAfter: 0.01, BadGatewayBefore: 0.01, Truncated: 0.01, EmptyBody: 0.01, ReadCut: 0.01, ReadBadGateway: 0.01, Seed: seed}
}

// TestChaosUndo takes back 1,000 records of a run, or the changes that one made to
// them, while it is killed ten times, answers are lost, and 30 records were edited by
// hand. Nothing else may be touched, and the next import makes exactly what was undone.
func TestChaosUndo(t *testing.T) {
	_, list := form(shortStorm, 1)
	for _, seed := range list {
		for _, kind := range []string{"made", "changed"} {
			t.Run(fmt.Sprintf("%d-%s", seed, kind), func(t *testing.T) {
				t.Parallel()
				undoThrough(t, seed, kind == "changed")
			})
		}
	}
}

func undoThrough(t *testing.T, seed uint64, changes bool) {
	const rows, byHand, others, kills = 1000, 30, 20, 10
	r := rand.New(rand.NewPCG(seed, 44))
	a, err := sandbox.Start(sandbox.Options{Calls: sandbox.NoLimit, Latency: 4 * time.Millisecond, DropBodies: true, GoneForm: []string{"500", "404", "empty"}[seed%3],
		Skew: time.Duration(int(seed%3)-1) * 90 * time.Second, Types: []sandbox.Type{{Code: 12000, Name: "Deal", CanDelete: true}, {Code: 12001, Name: "Loan"}}})
	check(t, err)
	defer a.Close()
	p := newProgram(t, a)
	p.write("deals.yaml", dealsMapping)
	p.write("loans.yaml", strings.ReplaceAll(dealsMapping, "12000", "12001"))
	table := func(prefix, stage string, n int) (out [][]string) {
		for i := range n {
			out = append(out, []string{fmt.Sprint(prefix, i), fmt.Sprintf("p%d@example.com", i%700), fmt.Sprint("note ", i), stage, fmt.Sprint(i+1, ".50")})
		}
		return out
	}
	p.table("deals.csv", dealsHeader, table("D", "Open", rows))
	p.table("loans.csv", dealsHeader, table("L", "Open", others))
	load := []string{"import", "deals.csv", "-m", "deals.yaml", "--limit", "off", "-q", "--yes"}
	p.run(0, load...)
	p.run(0, "import", "loans.csv", "-m", "loans.yaml", "--limit", "off", "-q", "--yes")
	run, was := "1", "Open"
	if changes {
		run, was = "3", "Won"
		<-time.After(1100 * time.Millisecond) // an update counts as one from the next second on
		p.table("deals.csv", dealsHeader, table("D", "Won", rows))
		p.run(0, load...)
	}
	<-time.After(1100 * time.Millisecond) // and so does an edit by hand
	edited, names := map[string]string{}, map[string]string{}
	for _, o := range a.Opportunities() {
		names[o.Fields["mx_Custom_1"]] = o.ID
	}
	for _, i := range r.Perm(rows)[:byHand] {
		id := names[fmt.Sprint("D", i)]
		edited[id] = "Lost"
		check(t, a.EditOpportunity(id, "Asha", map[string]string{"Status": "Lost"}))
	}
	undo := []string{"undo", run, "--yes", "--limit", "off", "--concurrency", "8", "-q", "--settle-after", "300ms", "--timeout", "1s"}
	check(t, a.SetFaults(badDay(seed)))
	confirmed, tries := 0, 0
	for ; confirmed < kills && tries < 4*kills; tries++ {
		if p.killed(10+r.Int64N(110), undo...) {
			confirmed++
		}
	}
	faults := a.Count().Faults
	check(t, a.SetFaults(sandbox.Faults{}))
	last := p.run(4, undo...)
	t.Logf("seed %d, run %s: %d SIGKILLs in %d runs, faults %v: %s", seed, run, confirmed, tries, faults, last)
	if confirmed < kills {
		t.Errorf("%d SIGKILLs met a running undo, want %d", confirmed, kills)
	}
	want := fmt.Sprintf("undone %d · restored 0 · kept %d · failed 0 of %d rows", rows-byHand, byHand, rows)
	left := byHand + others
	if changes {
		want = fmt.Sprintf("undone 0 · restored %d · kept %d · failed 0 of %d rows", rows-byHand, byHand, rows)
		left = rows + others
	}
	if !strings.HasPrefix(last, want) {
		t.Errorf("%s, want %s", last, want)
	}
	now := a.Opportunities()
	if len(now) != left {
		t.Errorf("%d records in the account, want %d", len(now), left)
	}
	for _, o := range now {
		stage, hand := edited[o.ID]
		switch {
		case !hand && strings.HasPrefix(o.Fields["mx_Custom_1"], "D") && !changes:
			t.Errorf("%s was not taken back", o.Fields["mx_Custom_1"])
		case !hand:
			stage = "Open"
		}
		if o.Fields["Status"] != stage {
			t.Errorf("%s has the stage %q, want %q", o.Fields["mx_Custom_1"], o.Fields["Status"], stage)
		}
	}
	// The other run's type allows no deletion: its ids are for the administrator.
	if other := p.run(4, "undo", "2", "--yes", "--limit", "off", "-q"); !strings.HasPrefix(other, fmt.Sprintf("undone 0 · restored 0 · kept %d · failed 0 of %d rows", others, others)) {
		t.Errorf("the other run: %s", other)
	}
	ids, err := os.ReadFile(filepath.Join(p.dir, "run-2-undo-ids.csv"))
	if n := strings.Count(string(ids), "\n"); err != nil || n != others+1 {
		t.Errorf("%d lines of ids (%v), want %d", n, err, others+1)
	}
	// The next import makes exactly the undone ones again.
	code, again := 0, fmt.Sprintf("loaded %d · updated 0 · already %d ", rows-byHand, byHand)
	if changes {
		// What somebody edited is only the account's doing: the file has what was sent.
		again = fmt.Sprintf("loaded 0 · updated %d · already %d ", rows-byHand, byHand)
	}
	if got := p.run(code, load...); !strings.HasPrefix(got, again) {
		t.Errorf("the next import: %s, want %s", got, again)
	}
	made := map[string]int{}
	for _, o := range a.Opportunities() {
		made[o.Fields["mx_Custom_1"]]++
		if want, hand := edited[o.ID]; hand && o.Fields["Status"] != want {
			t.Errorf("%s: the edit by hand is lost", o.Fields["mx_Custom_1"])
		} else if !hand && strings.HasPrefix(o.Fields["mx_Custom_1"], "D") && o.Fields["Status"] != was {
			t.Errorf("%s has the stage %q at the end, want %q", o.Fields["mx_Custom_1"], o.Fields["Status"], was)
		}
	}
	if len(made) != rows+others || len(a.Opportunities()) != rows+others {
		t.Errorf("%d records of %d rows, want one of each of %d", len(a.Opportunities()), len(made), rows+others)
	}
}
